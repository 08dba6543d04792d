//! Clones: by a vCenter, and on a lone host by copying files.

use esx_driver::{
    CloneOptions, Connect, Domain, ErrorKind, What, virt_model::flags::SnapshotCreateFlags,
};
use esx_sim::{Effect, Rule, Script, Simulator};
use vi_types::enums::VirtualMachinePowerState::{PoweredOff, PoweredOn};
use vi_types::properties::VirtualMachine;
use vi_types::{SoapFault, objects::NoDiskSpace};

use crate::{host, methods, open, text};

async fn vcenter() -> (Simulator, Connect) {
    let simulator = Simulator::vcenter().build();
    let uri = format!("vpx://vc.example.com/{}", simulator.path());
    let connect = open(&simulator, &uri).await.unwrap();
    simulator.clear_requests();
    (simulator, connect)
}

fn machine(simulator: &Simulator, domain: &Domain) -> VirtualMachine {
    simulator.properties(domain.moref()).unwrap()
}

fn path(simulator: &Simulator, domain: &Domain) -> String {
    let config = machine(simulator, domain).config.unwrap();
    config.files.vm_path_name.clone().unwrap()
}

fn linked() -> CloneOptions {
    CloneOptions {
        linked: true,
        ..CloneOptions::default()
    }
}

#[tokio::test(start_paused = true)]
async fn a_vcenter_clones_a_domain_that_runs() {
    let (simulator, connect) = vcenter().await;
    let domain = connect.lookup_by_name("web01").await.unwrap();
    simulator.script(Script::new("*").steps(1));
    simulator.clear_requests();
    let clone = domain.clone_to("web 50%", CloneOptions::default()).await;
    let clone = clone.unwrap();
    assert_eq!(
        methods(&simulator),
        [
            // Folder, pool, host and snapshots.
            "RetrievePropertiesEx",
            // Whether the name is free.
            "FindChild",
            // Question and tasks.
            "RetrievePropertiesEx",
            "CloneVM_Task",
            // The task, twice.
            "RetrievePropertiesEx",
            "RetrievePropertiesEx",
            // The clone.
            "RetrievePropertiesEx",
        ]
    );
    assert_eq!(clone.name(), "web 50%");
    assert_ne!(clone.uuid(), domain.uuid());
    assert_eq!(clone.id(), None);
    let (original, copy) = (machine(&simulator, &domain), machine(&simulator, &clone));
    assert_eq!(original.parent, copy.parent);
    assert_eq!(original.resource_pool, copy.resource_pool);
    assert_ne!(path(&simulator, &domain), path(&simulator, &clone));
    let error = domain.clone_to("web 50%", CloneOptions::default()).await;
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Exists(What::Domain));
    assert_eq!(
        error.to_string(),
        "operation failed: domain 'web 50%' already exists"
    );
}

#[tokio::test]
async fn a_clone_can_run_at_once_and_be_elsewhere() {
    let (simulator, connect) = vcenter().await;
    let domain = connect.lookup_by_name("installer").await.unwrap();
    let options = CloneOptions {
        start: true,
        host: Some("esx-02.example.com".to_owned()),
        ..CloneOptions::default()
    };
    let clone = domain.clone_to("second", options).await.unwrap();
    let runtime = machine(&simulator, &clone).runtime.unwrap();
    assert_eq!(runtime.power_state, PoweredOn);
    assert_ne!(runtime.host.as_ref(), Some(crate::host_of(&connect)));
}

#[tokio::test]
async fn linked_clones_share_a_snapshot() {
    let (_, connect) = vcenter().await;
    let domain = connect.lookup_by_name("installer").await.unwrap();
    let error = domain.clone_to("second", linked()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound(What::Snapshot));
    assert_eq!(error.message(), "Domain has no current snapshot");
    assert!(error.advice().unwrap().contains("take one first"));
    for name in ["base", "later"] {
        let xml = format!("<domainsnapshot><name>{name}</name></domainsnapshot>");
        let taken = domain.snapshot_create_xml(&xml, SnapshotCreateFlags::NONE);
        taken.await.unwrap();
    }
    domain.clone_to("second", linked()).await.unwrap();
    let of = |name: &str| CloneOptions {
        snapshot: Some(name.to_owned()),
        ..CloneOptions::default()
    };
    domain.clone_to("third", of("base")).await.unwrap();
    let error = domain.clone_to("fourth", of("none")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound(What::Snapshot));
    assert_eq!(error.message(), "Could not find snapshot with name 'none'");
}

#[tokio::test]
async fn things_that_the_vcenter_does_not_have() {
    let (_, connect) = vcenter().await;
    let domain = connect.lookup_by_name("installer").await.unwrap();
    for (options, what, message) in [
        (
            CloneOptions {
                host: Some("esx-09.example.com".to_owned()),
                ..CloneOptions::default()
            },
            What::Host,
            "Could not find HostSystem with name 'esx-09.example.com'",
        ),
        (
            CloneOptions {
                datastore: Some("fast".to_owned()),
                ..CloneOptions::default()
            },
            What::Datastore,
            "Could not find datastore with name 'fast'",
        ),
    ] {
        let error = domain.clone_to("second", options).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound(what), "{message}");
        assert_eq!(error.message(), message);
    }
    for (name, message) in [
        ("", "the name of a clone must not be empty"),
        ("a\nb", "invalid char in name: \n"),
    ] {
        let error = domain.clone_to(name, CloneOptions::default()).await;
        assert_eq!(error.unwrap_err().message(), message);
    }
}

/// The answer to `CloneVM_Task` is lost: the vCenter has begun, or never got the call.
#[tokio::test(start_paused = true)]
async fn a_lost_answer_makes_no_second_clone() {
    for (effect, is_done) in [(Effect::DropAfter, true), (Effect::DropBefore, false)] {
        let (simulator, connect) = vcenter().await;
        let domain = connect.lookup_by_name("installer").await.unwrap();
        let before = simulator.objects("VirtualMachine").len();
        simulator.inject(Rule::new("CloneVM_Task", effect).nth(1));
        let cloned = domain.clone_to("second", CloneOptions::default()).await;
        match is_done {
            true => assert_eq!(cloned.unwrap().name(), "second"),
            false => assert_eq!(cloned.unwrap_err().kind(), ErrorKind::InDoubt),
        }
        let after = simulator.objects("VirtualMachine").len();
        assert_eq!(after, before + usize::from(is_done));
    }
}

#[tokio::test]
async fn what_needs_a_vcenter() {
    let (_, connect) = host().await;
    let domain = connect.lookup_by_name("installer").await.unwrap();
    let name = || Some("x".to_owned());
    let none = CloneOptions::default;
    for (options, what) in [
        (linked(), "linked clones are"),
        (
            CloneOptions {
                snapshot: name(),
                ..none()
            },
            "cloning a snapshot is",
        ),
        (
            CloneOptions {
                host: name(),
                ..none()
            },
            "cloning to another host is",
        ),
        (
            CloneOptions {
                template: true,
                ..none()
            },
            "templates are",
        ),
    ] {
        let error = domain.clone_to("second", options).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert_eq!(
            error.to_string(),
            format!("Operation not supported: {what} not supported without a vCenter")
        );
    }
    let running = connect.lookup_by_name("web01").await.unwrap();
    let error = running.clone_to("second", none()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongState);
    assert_eq!(error.message(), "Domain is not powered off");
    let error = domain.clone_to("web01", none()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Exists(What::Domain));
}

#[tokio::test(start_paused = true)]
async fn a_lone_host_copies_disks_and_registers_the_copy() {
    let (simulator, connect) = host().await;
    let domain = connect.lookup_by_name("installer").await.unwrap();
    simulator.script(Script::new("*").steps(1));
    simulator.clear_requests();
    let clone = domain.clone_to("second", CloneOptions::default()).await;
    let clone = clone.unwrap();
    let called: Vec<_> = methods(&simulator)
        .into_iter()
        .filter(|method| method != "RetrievePropertiesEx")
        .collect();
    let of_disk = ["CopyVirtualDisk_Task"];
    // Whether there is a domain of the new name; the file of the old one.
    assert_eq!(called[0], "FindChild", "{called:?}");
    assert_eq!(called[2], "MakeDirectory", "{called:?}");
    assert_eq!(called[3..4], of_disk, "{called:?}");
    assert!(called.contains(&"RegisterVM_Task".to_owned()), "{called:?}");
    assert_eq!(clone.name(), "second");
    assert_ne!(clone.uuid(), domain.uuid());
    assert_eq!(path(&simulator, &clone), "[ssd] second/second.vmx");
    let machine = machine(&simulator, &clone);
    assert_eq!(machine.runtime.unwrap().power_state, PoweredOff);
    assert!(simulator.file("[ssd] second/second.vmdk").is_some());
    let text = |path: &str| {
        let file = simulator.file(path).unwrap();
        String::from_utf8(file.to_vec()).unwrap()
    };
    let copy = text("[ssd] second/second.vmx");
    assert!(copy.contains("\"second.vmdk\""), "{copy}");
    assert!(copy.contains("displayName = \"second\""), "{copy}");
    let error = domain.clone_to("second", CloneOptions::default()).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Exists(What::Domain));
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_fails_leaves_nothing() {
    let full = || SoapFault::new(NoDiskSpace::default(), "There is not enough space");
    for method in ["CopyVirtualDisk_Task", "PUT", "RegisterVM_Task"] {
        let (simulator, connect) = host().await;
        let domain = connect.lookup_by_name("installer").await.unwrap();
        let effect = match method {
            "PUT" => Effect::Status(http::StatusCode::FORBIDDEN),
            _ => Effect::Fault(Box::new(full())),
        };
        simulator.inject(Rule::new(method, effect).nth(1));
        let error = domain.clone_to("second", CloneOptions::default()).await;
        let error = error.unwrap_err();
        let advice = error.outcome().unwrap_or_default();
        assert!(!advice.contains("stays"), "{method}: {advice}");
        for file in ["second.vmx", "second.vmdk"] {
            let path = format!("[ssd] second/{file}");
            assert!(simulator.file(&path).is_none(), "{method}: {path}");
        }
        // The directory is free again.
        let clone = domain.clone_to("second", CloneOptions::default()).await;
        clone.unwrap_or_else(|error| panic!("{method}: {error}"));
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_removed_is_named() {
    let (simulator, connect) = host().await;
    let domain = connect.lookup_by_name("installer").await.unwrap();
    let full = || SoapFault::new(NoDiskSpace::default(), "There is not enough space");
    for method in ["CopyVirtualDisk_Task", "DeleteDatastoreFile_Task"] {
        simulator.inject(Rule::new(method, Effect::Fault(Box::new(full()))).nth(1));
    }
    let error = domain.clone_to("second", CloneOptions::default()).await;
    let error = error.unwrap_err();
    let advice = error.outcome().unwrap();
    assert!(
        advice.contains("the directory '[ssd] second' stays, since it cannot be removed"),
        "{advice}"
    );
    // Nobody's directory is written into.
    let again = domain.clone_to("second", CloneOptions::default()).await;
    assert_eq!(
        text(again),
        "operation failed: the directory '[ssd] second' already exists"
    );
}

/// The answer to the copying is lost: whether the host copies is not known.
#[tokio::test(start_paused = true)]
async fn a_copy_in_doubt_is_named() {
    for effect in [Effect::DropAfter, Effect::DropBefore] {
        let (simulator, connect) = host().await;
        let domain = connect.lookup_by_name("installer").await.unwrap();
        simulator.inject(Rule::new("CopyVirtualDisk_Task", effect).nth(1));
        let error = domain.clone_to("second", CloneOptions::default()).await;
        let error = error.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InDoubt);
        let advice = error.outcome().unwrap();
        let left = "the directory '[ssd] second' was made and stays";
        assert!(advice.contains(left), "{advice}");
        let copies = methods(&simulator);
        let copies = copies
            .iter()
            .filter(|method| *method == "CopyVirtualDisk_Task");
        assert_eq!(copies.count(), 1);
    }
}
