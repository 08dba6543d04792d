//! Snapshots of domains.

use std::{
    sync::Mutex,
    time::{SystemTime, UNIX_EPOCH},
};

use esx_driver::{
    Domain, DomainSnapshot, Error, ErrorKind, SnapshotEntry, What, bulk,
    virt_model::{
        Document as _, DomainState, SnapshotDef,
        flags::{
            SnapshotCreateFlags, SnapshotDeleteFlags, SnapshotListFlags, SnapshotRevertFlags,
            SnapshotXmlFlags,
        },
    },
};
use esx_sim::{Effect, Question, Rule, Script, Simulator};
use futures_util::StreamExt as _;
use vi_types::{
    SoapFault, enums::VirtualMachinePowerState, objects::SnapshotLocked, properties::VirtualMachine,
};

use crate::{host, methods, open, text};

/// A host with a domain whose snapshots are `installed`, with `before-upgrade`, with `upgraded`, and `tuned`.
async fn db01() -> (Simulator, Domain) {
    let (simulator, connect) = host().await;
    let domain = connect.lookup_by_name("db01").await.unwrap();
    simulator.clear_requests();
    (simulator, domain)
}

fn names(entries: &[SnapshotEntry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.snapshot.name()).collect()
}

#[tokio::test]
async fn lists() {
    use SnapshotListFlags as Flags;

    let (simulator, domain) = db01().await;
    for (flags, expected) in [
        (
            Flags::NONE,
            &["installed", "before-upgrade", "upgraded", "tuned"][..],
        ),
        (Flags::ROOTS, &["installed"]),
        (Flags::LEAVES, &["upgraded", "tuned"]),
        (Flags::NO_LEAVES, &["installed", "before-upgrade"]),
        (Flags::INACTIVE, &["installed", "tuned"]),
        (Flags::ACTIVE | Flags::LEAVES, &["upgraded"]),
        (Flags::METADATA, &[]),
        (Flags::EXTERNAL, &[]),
    ] {
        simulator.clear_requests();
        let list = domain.list_all_snapshots(flags).await.unwrap();
        assert_eq!(names(&list), expected, "{flags:?}");
        assert_eq!(methods(&simulator), ["RetrievePropertiesEx"]);
    }
    let installed = domain.snapshot_lookup_by_name("installed").await.unwrap();
    for (flags, expected) in [
        (Flags::NONE, &["before-upgrade", "tuned"][..]),
        (Flags::ROOTS, &["before-upgrade", "upgraded", "tuned"]),
        (Flags::LEAVES, &["tuned"]),
    ] {
        let list = installed.list_all_children(flags).await.unwrap();
        assert_eq!(names(&list), expected, "{flags:?}");
    }
    let error = domain.list_all_snapshots(Flags::from_bits(1 << 20)).await;
    assert_eq!(
        text(error),
        "unsupported flags (0x100000) in function esxDomainListAllSnapshots"
    );
}

#[tokio::test]
async fn what_a_list_tells() {
    let (_, domain) = db01().await;
    let list = domain.list_all_snapshots(Default::default()).await.unwrap();
    let told: Vec<_> = list
        .iter()
        .map(|entry| {
            (
                entry.parent.as_deref(),
                entry.creation_time.unwrap(),
                entry.state,
            )
        })
        .collect();
    assert_eq!(list[0].description, "Fresh from the installer");
    assert_eq!(
        told,
        [
            (None, 1_709_283_600, DomainState::Shutoff),
            (Some("installed"), 1_709_285_400, DomainState::Running),
            (Some("before-upgrade"), 1_709_287_200, DomainState::Running),
            (Some("installed"), 1_709_289_000, DomainState::Shutoff),
        ]
    );
}

#[tokio::test]
async fn lookups_and_relations() {
    let (simulator, domain) = db01().await;
    let tuned = domain.snapshot_lookup_by_name("tuned").await.unwrap();
    assert_eq!(tuned.moref().r#type, "VirtualMachineSnapshot");
    assert_eq!(tuned.domain().name(), "db01");
    assert!(!tuned.has_metadata().await.unwrap());
    assert!(tuned.is_current().await.unwrap());
    assert!(domain.has_current_snapshot().await.unwrap());
    assert_eq!(
        domain.snapshot_current().await.unwrap().moref(),
        tuned.moref()
    );
    simulator.clear_requests();
    let installed = tuned.parent().await.unwrap();
    assert_eq!(methods(&simulator), ["RetrievePropertiesEx"]);
    assert_eq!(installed.name(), "installed");
    assert!(!installed.is_current().await.unwrap());
    assert_eq!(
        text(installed.parent().await),
        "Domain snapshot not found: snapshot 'installed' does not have a parent"
    );

    let error = domain.snapshot_lookup_by_name("Tunes").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound(What::Snapshot));
    assert_eq!(
        error.to_string(),
        "Domain snapshot not found: Could not find snapshot with name 'Tunes'"
    );
    assert_eq!(error.advice(), Some("did you mean 'tuned'?"));
}

#[tokio::test]
async fn a_domain_without_snapshots() {
    let (_, connect) = host().await;
    let domain = connect.lookup_by_name("web01").await.unwrap();
    let list = domain.list_all_snapshots(Default::default()).await.unwrap();
    assert!(list.is_empty());
    assert!(!domain.has_current_snapshot().await.unwrap());
    assert_eq!(
        text(domain.snapshot_current().await),
        "Domain snapshot not found: Domain has no current snapshot"
    );
}

#[tokio::test]
async fn what_is_gone() {
    let (simulator, domain) = db01().await;
    let tuned = domain.snapshot_lookup_by_name("tuned").await.unwrap();
    let forget = |vm: &mut VirtualMachine| vm.snapshot = None;
    simulator.change(domain.moref(), forget).unwrap();
    let gone = "Domain snapshot not found: Could not find snapshot with name 'tuned'";
    assert_eq!(text(tuned.parent().await), gone);
    assert_eq!(text(tuned.is_current().await), gone);
    assert_eq!(text(tuned.has_metadata().await), gone);
    assert_eq!(
        text(tuned.list_all_children(Default::default()).await),
        gone
    );

    simulator.remove_vm(domain.moref());
    let error = tuned.parent().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound(What::Domain));
}

#[tokio::test]
async fn snapshots_that_this_user_may_not_read_are_not_none() {
    let (simulator, domain) = db01().await;
    simulator.set_unreadable("VirtualMachine", "snapshot");
    let error = domain.list_all_snapshots(Default::default()).await;
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Property);
}

#[tokio::test]
async fn old_servers_and_vcenters() {
    let host = Simulator::esx().api_version("2.5").unwrap().build();
    let vcenter = Simulator::vcenter().build();
    let path = format!("vpx://vc/{}", vcenter.path());
    for (simulator, uri) in [(host, "esx://h/"), (vcenter, &path[..])] {
        let connect = open(&simulator, uri).await.unwrap();
        let domain = connect.lookup_by_name("db01").await.unwrap();
        let list = domain.list_all_snapshots(Default::default()).await.unwrap();
        assert_eq!(list.len(), 4, "{uri}");
    }
}

const NONE: SnapshotCreateFlags = SnapshotCreateFlags::NONE;

fn named(name: &str) -> String {
    SnapshotDef::new(name).to_xml(Default::default())
}

/// A host with a domain that runs and has no snapshot.
async fn web01(query: &str) -> (Simulator, Domain) {
    let simulator = Simulator::esx().build();
    let connect = open(&simulator, &format!("esx://h/?{query}"))
        .await
        .unwrap();
    let domain = connect.lookup_by_name("web01").await.unwrap();
    simulator.clear_requests();
    (simulator, domain)
}

/// The body of the only request of that method.
fn body(simulator: &Simulator, method: &str) -> String {
    let requests = simulator.requests().into_iter();
    let mut bodies = requests.filter(|request| request.method.as_deref() == Some(method));
    let body = bodies.next().unwrap().body;
    assert!(bodies.next().is_none(), "it is sent once");
    String::from_utf8(body.to_vec()).unwrap()
}

#[tokio::test]
async fn a_snapshot_is_taken() {
    let (simulator, domain) = web01("").await;
    let xml = "<domainsnapshot><name>a &lt; b</name><description>x &amp; y</description></domainsnapshot>";
    let snapshot = domain.snapshot_create_xml(xml, NONE).await.unwrap();
    // Its name is new, and nothing is in the way.
    assert_eq!(
        methods(&simulator)[..3],
        [
            "RetrievePropertiesEx",
            "RetrievePropertiesEx",
            "CreateSnapshot_Task"
        ]
    );
    let sent = body(&simulator, "CreateSnapshot_Task");
    let parameters = "<name>a &lt; b</name><description>x &amp; y</description><memory>true</memory>\
                      <quiesce>false</quiesce>";
    assert!(sent.contains(parameters), "{sent}");
    assert_eq!(snapshot.name(), "a < b");
    assert_eq!(snapshot.moref().r#type, "VirtualMachineSnapshot");
    assert!(snapshot.is_current().await.unwrap());
    let second = domain.snapshot_create_xml(&named("second"), NONE).await;
    let parent = second.unwrap().parent().await.unwrap();
    assert_eq!(parent.moref(), snapshot.moref());
    assert_eq!(simulator.leftovers(), []);
}

#[tokio::test]
async fn flags_and_documents() {
    use SnapshotCreateFlags as Flags;

    for (flags, memory, quiesce) in [
        (Flags::DISK_ONLY, false, false),
        (Flags::QUIESCE, true, true),
        (Flags::DISK_ONLY | Flags::QUIESCE, false, true),
        (Flags::NO_METADATA | Flags::VALIDATE, true, false),
    ] {
        let (simulator, domain) = web01("").await;
        domain
            .snapshot_create_xml(&named("s"), flags)
            .await
            .unwrap();
        let sent = body(&simulator, "CreateSnapshot_Task");
        let expected = format!("<memory>{memory}</memory><quiesce>{quiesce}</quiesce>");
        assert!(sent.contains(&expected), "{flags:?}: {sent}");
    }
    let (simulator, domain) = db01().await;
    for (xml, flags, expected) in [
        (
            "<domainsnapshot><name>tuned</name></domainsnapshot>",
            NONE,
            "Requested operation is not valid: Snapshot 'tuned' already exists",
        ),
        (
            "<domainsnapshot><disks><disk name='sda'/></disks></domainsnapshot>",
            NONE,
            "unsupported configuration: disk snapshots not supported yet",
        ),
        (
            "<domain/>",
            NONE,
            "XML error: expecting root element of 'domainsnapshot', not 'domain'",
        ),
        (
            "<domainsnapshot><cookie/></domainsnapshot>",
            Flags::VALIDATE,
            "XML document failed to validate against schema: /domainsnapshot/cookie is not known",
        ),
        (
            "",
            Flags::REDEFINE | Flags::HALT | Flags::LIVE,
            "unsupported flags (0x101) in function esxDomainSnapshotCreateXML",
        ),
    ] {
        let error = domain.snapshot_create_xml(xml, flags).await;
        assert_eq!(text(error), expected);
    }
    assert!(
        !methods(&simulator)
            .iter()
            .any(|method| method.ends_with("_Task"))
    );
    let error = domain.snapshot_create_xml(&named("tuned"), NONE).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Exists(What::Snapshot));
}

#[tokio::test]
async fn a_snapshot_without_a_name_has_the_time() {
    let (_, domain) = web01("").await;
    let now = || {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        now.unwrap().as_secs()
    };
    let before = now();
    let xml = "<domainsnapshot><name></name></domainsnapshot>";
    let snapshot = domain.snapshot_create_xml(xml, NONE).await.unwrap();
    let name: u64 = snapshot.name().parse().unwrap();
    assert!((before..=now()).contains(&name), "{name}");
}

#[tokio::test]
async fn documents() {
    let (simulator, domain) = db01().await;
    let uuid = domain.uuid();
    let described = async |name: &str| {
        let snapshot = domain.snapshot_lookup_by_name(name).await.unwrap();
        snapshot.xml_desc(SnapshotXmlFlags::NONE).await.unwrap()
    };
    assert_eq!(
        described("installed").await,
        format!(
            "<domainsnapshot>
  <name>installed</name>
  <description>Fresh from the installer</description>
  <state>shutoff</state>
  <creationTime>1709283600</creationTime>
  <domain>
    <uuid>{uuid}</uuid>
  </domain>
</domainsnapshot>
"
        )
    );
    assert_eq!(
        described("before-upgrade").await,
        format!(
            "<domainsnapshot>
  <name>before-upgrade</name>
  <description></description>
  <state>running</state>
  <parent>
    <name>installed</name>
  </parent>
  <creationTime>1709285400</creationTime>
  <domain>
    <uuid>{uuid}</uuid>
  </domain>
</domainsnapshot>
"
        )
    );
    let unknown = |vm: &mut VirtualMachine| {
        let roots = &mut vm.snapshot.as_mut().unwrap().root_snapshot_list;
        roots[0].state = VirtualMachinePowerState::Unrecognized("hibernating".to_owned());
    };
    simulator.change(domain.moref(), unknown).unwrap();
    let xml = described("installed").await;
    assert!(!xml.contains("<state>"), "{xml}");

    let installed = domain.snapshot_lookup_by_name("installed").await.unwrap();
    assert_eq!(
        text(installed.xml_desc(SnapshotXmlFlags::SECURE).await),
        "unsupported flags (0x1) in function esxDomainSnapshotGetXMLDesc"
    );
}

#[tokio::test]
async fn reverting() {
    let (simulator, domain) = db01().await;
    let upgraded = domain.snapshot_lookup_by_name("upgraded").await.unwrap();
    let installed = domain.snapshot_lookup_by_name("installed").await.unwrap();
    for (snapshot, state) in [
        (&installed, DomainState::Shutoff),
        (&upgraded, DomainState::Running),
    ] {
        snapshot.revert(SnapshotRevertFlags::NONE).await.unwrap();
        assert!(snapshot.is_current().await.unwrap());
        assert_eq!(domain.state().await.unwrap().0, state);
    }
    assert_eq!(
        text(upgraded.revert(SnapshotRevertFlags::RUNNING).await),
        "unsupported flags (0x1) in function esxDomainRevertToSnapshot"
    );
    let locked = SnapshotLocked::default();
    let script = Script::new("RevertToSnapshot_Task").fails(locked, "Locked.");
    simulator.script(script);
    let error = upgraded
        .revert(SnapshotRevertFlags::NONE)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TaskFailed);
    assert_eq!(
        error.to_string(),
        "internal error: Could not revert to snapshot 'upgraded': SnapshotLocked - Locked."
    );
    assert_eq!(simulator.leftovers(), []);
}

#[tokio::test]
async fn deleting() {
    use SnapshotDeleteFlags as Flags;

    let (simulator, domain) = db01().await;
    let names_left = async || {
        let list = domain.list_all_snapshots(Default::default()).await.unwrap();
        names(&list).join(" ")
    };
    let lookup = |name| domain.snapshot_lookup_by_name(name);
    let tuned = lookup("tuned").await.unwrap();
    let before = lookup("before-upgrade").await.unwrap();
    let installed = lookup("installed").await.unwrap();
    simulator.clear_requests();
    installed.delete(Flags::METADATA_ONLY).await.unwrap();
    assert_eq!(methods(&simulator), ["RetrievePropertiesEx"]);
    installed.delete(Flags::NONE).await.unwrap();
    assert_eq!(names_left().await, "before-upgrade upgraded tuned");
    before.delete(Flags::CHILDREN).await.unwrap();
    assert_eq!(names_left().await, "tuned");
    assert_eq!(
        text(tuned.delete(Flags::from_bits(8)).await),
        "unsupported flags (0x8) in function esxDomainSnapshotDelete"
    );
    let gone = "Domain snapshot not found: Could not find snapshot with name 'installed'";
    assert_eq!(text(installed.delete(Flags::NONE).await), gone);
    assert_eq!(text(installed.delete(Flags::METADATA_ONLY).await), gone);
    let error = installed.revert(SnapshotRevertFlags::NONE).await;
    assert_eq!(text(error), gone);
}

#[tokio::test]
async fn what_the_host_cannot_do() {
    let (_, connect) = host().await;
    for (name, flags, expected) in [
        (
            "router",
            SnapshotCreateFlags::QUIESCE,
            "internal error: Could not create snapshot: ToolsUnavailable - Cannot complete operation because VMware \
             Tools is not running in this virtual machine.",
        ),
        (
            "desktop",
            SnapshotCreateFlags::DISK_ONLY,
            "internal error: Could not create snapshot: InvalidPowerState - The attempted operation cannot be \
             performed in the current state (Suspended).",
        ),
    ] {
        let domain = connect.lookup_by_name(name).await.unwrap();
        let error = domain.snapshot_create_xml(&named("s"), flags).await;
        let error = error.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TaskFailed);
        assert_eq!(error.to_string(), expected);
    }
}

#[tokio::test]
async fn questions() {
    let asking = || Script::new("CreateSnapshot_Task").asks(Question::serial_port());
    let (simulator, domain) = web01("").await;
    simulator.script(asking());
    let error = domain.snapshot_create_xml(&named("s"), NONE).await;
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Blocked);
    assert!(error.question().is_some());
    assert_eq!(simulator.leftovers(), []);

    let (simulator, domain) = web01("auto_answer=1").await;
    simulator.script(asking());
    let snapshot = domain.snapshot_create_xml(&named("s"), NONE).await.unwrap();
    assert_eq!(snapshot.name(), "s");
    let script = Script::new("RevertToSnapshot_Task").asks(Question::moved_or_copied());
    simulator.script(script);
    snapshot.revert(SnapshotRevertFlags::NONE).await.unwrap();
    assert_eq!(simulator.leftovers(), []);

    // A question that is there before is in the way.
    let (simulator, domain) = web01("").await;
    simulator.ask(domain.moref(), Question::cdrom_locked());
    let error = domain.snapshot_create_xml(&named("s"), NONE).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Blocked);
    assert!(!methods(&simulator).contains(&"CreateSnapshot_Task".to_owned()));
}

#[tokio::test]
async fn progress() {
    let (_, domain) = web01("").await;
    let told = Mutex::new(Vec::new());
    let xml = named("s");
    domain
        .snapshot_create_xml(&xml, NONE)
        .on_progress(|progress| told.lock().unwrap().push(progress.percent))
        .await
        .unwrap();
    assert!(!told.into_inner().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn replies_that_are_lost() {
    /// Takes a snapshot, reverts to it and deletes it, with a fault of one of the calls.
    async fn all(simulator: &Simulator, domain: &Domain) -> Result<(), Error> {
        let snapshot = domain.snapshot_create_xml(&named("s"), NONE).await?;
        assert_eq!(snapshot.name(), "s");
        snapshot.revert(SnapshotRevertFlags::NONE).await?;
        snapshot.delete(SnapshotDeleteFlags::NONE).await?;
        assert_eq!(simulator.leftovers(), []);
        Ok(())
    }
    for (method, effect, expected) in [
        ("CreateSnapshot_Task", Effect::DropAfter, None),
        (
            "CreateSnapshot_Task",
            Effect::DropBefore,
            Some(ErrorKind::InDoubt),
        ),
        ("CreateSnapshot_Task", Effect::ExpireSession, None),
        ("RevertToSnapshot_Task", Effect::DropAfter, None),
        (
            "RevertToSnapshot_Task",
            Effect::DropBefore,
            Some(ErrorKind::InDoubt),
        ),
        ("RevertToSnapshot_Task", Effect::ExpireSession, None),
        ("RemoveSnapshot_Task", Effect::DropAfter, None),
        (
            "RemoveSnapshot_Task",
            Effect::DropBefore,
            Some(ErrorKind::InDoubt),
        ),
        ("RemoveSnapshot_Task", Effect::ExpireSession, None),
        ("RetrievePropertiesEx", Effect::DropAfter, None),
    ] {
        let (simulator, domain) = web01("").await;
        simulator.inject(Rule::new(method, effect.clone()).nth(1));
        let result = all(&simulator, &domain).await;
        let kind = result.as_ref().err().map(|error| error.kind());
        assert_eq!(kind, expected, "{method} {effect:?}: {result:?}");
        let calls = methods(&simulator);
        let calls = calls.iter().filter(|called| *called == method).count();
        if method.ends_with("_Task") && !matches!(effect, Effect::ExpireSession) {
            assert_eq!(calls, 1, "{method} is sent once");
        }
    }
}

#[tokio::test]
async fn snapshots_of_many_domains() {
    let simulator = Simulator::esx().vms(10).build();
    let connect = open(&simulator, "esx://h/").await.unwrap();
    let list = connect.list_all_domains(Default::default()).await.unwrap();
    let domains: Vec<_> = list.into_iter().map(|entry| entry.domain).collect();
    let mut results = bulk::run(domains, 4, |domain| {
        domain.snapshot_create_xml(&named("nightly"), NONE)
    });
    let mut taken = 0;
    while let Some((domain, result)) = results.next().await {
        let snapshot: DomainSnapshot = result.unwrap();
        assert_eq!(snapshot.domain().moref(), domain.moref());
        taken += 1;
    }
    assert_eq!(taken, 10);
    assert_eq!(simulator.leftovers(), []);
}

#[tokio::test]
async fn a_domain_that_is_gone() {
    let (simulator, domain) = db01().await;
    let tuned = domain.snapshot_lookup_by_name("tuned").await.unwrap();
    simulator.remove_vm(domain.moref());
    let kind = ErrorKind::NotFound(What::Domain);
    let error = domain.snapshot_create_xml(&named("s"), NONE).await;
    assert_eq!(error.unwrap_err().kind(), kind);
    let error = tuned.revert(SnapshotRevertFlags::NONE).await;
    assert_eq!(error.unwrap_err().kind(), kind);
    let error = tuned.delete(SnapshotDeleteFlags::NONE).await;
    assert_eq!(error.unwrap_err().kind(), kind);
}

#[tokio::test]
async fn numbers_and_names() {
    use SnapshotListFlags as Flags;

    let (simulator, domain) = db01().await;
    for (flags, expected) in [
        (Flags::NONE, "installed before-upgrade upgraded tuned"),
        (Flags::ROOTS, "installed"),
        (Flags::LEAVES, "upgraded tuned"),
        (Flags::METADATA, ""),
    ] {
        let names = domain.snapshot_list_names(flags).await.unwrap();
        assert_eq!(names.join(" "), expected, "{flags:?}");
        assert_eq!(domain.snapshot_num(flags).await.unwrap(), names.len());
    }
    let installed = domain.snapshot_lookup_by_name("installed").await.unwrap();
    for (flags, expected) in [
        (Flags::NONE, "before-upgrade tuned"),
        (Flags::ROOTS, "before-upgrade upgraded tuned"),
        (Flags::ROOTS | Flags::NO_LEAVES, "before-upgrade"),
    ] {
        let names = installed.list_children_names(flags).await.unwrap();
        assert_eq!(names.join(" "), expected, "{flags:?}");
        assert_eq!(installed.num_children(flags).await.unwrap(), names.len());
    }
    simulator.clear_requests();
    let entry = domain.snapshot_entry("installed").await.unwrap();
    assert_eq!((entry.children, entry.descendants), (2, 3));
    assert!(!entry.is_current);
    let xml = entry.xml_desc(SnapshotXmlFlags::NONE).unwrap();
    assert_eq!(methods(&simulator), ["RetrievePropertiesEx"]);
    assert_eq!(
        installed.xml_desc(SnapshotXmlFlags::NONE).await.unwrap(),
        xml
    );
    let current = domain.snapshot_current_entry().await.unwrap();
    assert!(current.is_current);
    assert_eq!(current.snapshot.name(), "tuned");

    let unknown = Flags::from_bits(0x800);
    for (error, function) in [
        (
            text(domain.snapshot_num(unknown).await),
            "esxDomainSnapshotNum",
        ),
        (
            text(domain.snapshot_list_names(unknown).await),
            "esxDomainSnapshotListNames",
        ),
        (
            text(installed.num_children(unknown).await),
            "esxDomainSnapshotNumChildren",
        ),
        (
            text(installed.list_children_names(unknown).await),
            "esxDomainSnapshotListChildrenNames",
        ),
    ] {
        let expected = format!("unsupported flags (0x800) in function {function}");
        assert_eq!(error, expected);
    }
}

#[tokio::test]
async fn only_the_children_are_deleted() {
    use SnapshotDeleteFlags as Flags;

    let (simulator, domain) = db01().await;
    let installed = domain.snapshot_lookup_by_name("installed").await.unwrap();
    let both = Flags::CHILDREN | Flags::CHILDREN_ONLY;
    assert_eq!(
        text(installed.delete(both).await),
        "Flags 'VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN' and 'VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN_ONLY' are mutually \
         exclusive"
    );
    // The second child cannot be deleted.
    let locked = Rule::new(
        "RemoveSnapshot_Task",
        Effect::Fault(Box::new(SoapFault::new(
            SnapshotLocked::default(),
            "Locked.",
        ))),
    );
    simulator.inject(locked.nth(2));
    let error = installed.delete(Flags::CHILDREN_ONLY).await.unwrap_err();
    assert_eq!(
        error.outcome(),
        Some("deleted before: 'before-upgrade', 'upgraded'")
    );
    let names = domain.snapshot_list_names(Default::default()).await;
    assert_eq!(names.unwrap(), ["installed", "tuned"]);
    installed.delete(Flags::CHILDREN_ONLY).await.unwrap();
    // Nothing is below any more.
    simulator.clear_requests();
    installed.delete(Flags::CHILDREN_ONLY).await.unwrap();
    assert_eq!(methods(&simulator), ["RetrievePropertiesEx"]);
    let names = domain.snapshot_list_names(Default::default()).await;
    assert_eq!(names.unwrap(), ["installed"]);
}

#[tokio::test]
async fn another_name_or_description() {
    let (simulator, domain) = db01().await;
    let tuned = domain.snapshot_lookup_by_name("tuned").await.unwrap();
    let fast = tuned.rename(Some("fast <&>"), Some("a\nb")).await.unwrap();
    assert_eq!(fast.name(), "fast <&>");
    assert_eq!(
        methods(&simulator),
        [
            // The snapshot.
            "RetrievePropertiesEx",
            // Its name is new.
            "RetrievePropertiesEx",
            "RenameSnapshot"
        ]
    );
    let entry = domain.snapshot_current_entry().await.unwrap();
    assert_eq!(entry.snapshot.name(), "fast <&>");
    assert_eq!(entry.description, "a\nb");
    // The old handle means the same snapshot. Nothing is sent that changes nothing.
    simulator.clear_requests();
    tuned.rename(None, Some("a\nb")).await.unwrap();
    assert_eq!(methods(&simulator), ["RetrievePropertiesEx"]);
    tuned.rename(Some("tuned"), None).await.unwrap();

    let error = tuned.rename(Some("upgraded"), None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Exists(What::Snapshot));
    tuned.delete(SnapshotDeleteFlags::NONE).await.unwrap();
    let error = tuned.rename(Some("x"), None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound(What::Snapshot));
}

#[tokio::test]
async fn a_domain_may_be_halted_afterwards() {
    let halt = SnapshotCreateFlags::HALT;
    let (_, connect) = host().await;
    for (name, before, expected) in [
        ("web01", DomainState::Running, None),
        ("build/ci", DomainState::Shutoff, None),
        ("desktop", DomainState::Paused, Some(ErrorKind::WrongState)),
    ] {
        let domain = connect.lookup_by_name(name).await.unwrap();
        assert_eq!(domain.state().await.unwrap().0, before);
        let taken = domain.snapshot_create_xml(&named("s"), halt).await;
        assert_eq!(domain.snapshot_num(Default::default()).await.unwrap(), 1);
        match expected {
            None => {
                taken.unwrap();
                assert_eq!(domain.state().await.unwrap().0, DomainState::Shutoff);
            }
            Some(kind) => {
                let error = taken.unwrap_err();
                assert_eq!(error.kind(), kind);
                assert_eq!(
                    error.outcome(),
                    Some("the snapshot 's' of 'desktop' was taken")
                );
            }
        }
    }
}
