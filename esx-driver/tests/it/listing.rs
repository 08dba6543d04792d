//! Lists of domains: filters, cost, pages, and virtual machines that make no domain.

use esx_driver::{
    Connect, ErrorKind,
    virt_model::{DomainFilter, DomainState, Uuid},
};
use esx_sim::Simulator;
use vi_types::{
    enums::{ManagedEntityStatus, VirtualMachinePowerState},
    objects::{VirtualMachineConfigInfo, VirtualMachineSnapshotInfo, VirtualMachineSnapshotTree},
    properties::VirtualMachine,
};

use crate::{host, methods, open};

async fn names(connect: &Connect, filter: DomainFilter) -> Vec<String> {
    let list = connect.list_all_domains(filter).await.unwrap();
    assert!(list.skipped.is_empty());
    list.domains
        .iter()
        .map(|entry| entry.domain.name().to_owned())
        .collect()
}

#[tokio::test]
async fn all_domains() {
    let (_, connect) = host().await;
    let list = connect.list_all_domains(DomainFilter::NONE).await.unwrap();
    let rows: Vec<_> = list
        .domains
        .iter()
        .map(|entry| (entry.domain.id(), entry.domain.name(), entry.state))
        .collect();
    assert_eq!(
        rows,
        [
            (Some(1), "web01", DomainState::Running),
            (Some(2), "db01", DomainState::Running),
            (Some(3), "files", DomainState::Running),
            (Some(4), "router", DomainState::Running),
            (Some(5), "desktop", DomainState::Paused),
            (None, "build/ci", DomainState::Shutoff),
            (None, "installer", DomainState::Shutoff),
        ]
    );
}

#[tokio::test]
async fn those_that_run_and_the_others() {
    let (simulator, connect) = host().await;
    assert_eq!(connect.list_domains().await.unwrap(), [1, 2, 3, 4]);
    assert_eq!(connect.num_of_domains().await.unwrap(), 4);
    assert_eq!(
        connect.list_defined_domains().await.unwrap(),
        ["desktop", "build/ci", "installer"]
    );
    assert_eq!(connect.num_of_defined_domains().await.unwrap(), 3);
    assert_eq!(methods(&simulator), ["RetrievePropertiesEx"; 4]);
}

#[tokio::test]
async fn five_requests_from_open_to_close_at_any_number_of_domains() {
    for vms in [0, 1, 1000] {
        let simulator = Simulator::esx().vms(vms).build();
        let connect = open(&simulator, "esx://h/").await.unwrap();
        let list = connect.list_all_domains(DomainFilter::NONE).await.unwrap();
        assert_eq!(list.domains.len(), vms);
        connect.close().await.unwrap();
        assert_eq!(
            methods(&simulator),
            [
                "RetrieveServiceContent",
                "Login",
                "RetrievePropertiesEx",
                "RetrievePropertiesEx",
                "Logout"
            ]
        );
    }
}

#[tokio::test]
async fn as_many_retrieves_as_pages() {
    let simulator = Simulator::esx().vms(5000).page_size(1000).build();
    let connect = open(&simulator, "esx://h/").await.unwrap();
    simulator.clear_requests();
    let list = connect.list_all_domains(DomainFilter::NONE).await.unwrap();
    assert_eq!(list.domains.len(), 5000);
    let mut expected = vec!["RetrievePropertiesEx"];
    expected.extend(["ContinueRetrievePropertiesEx"; 4]);
    assert_eq!(methods(&simulator), expected);
}

#[tokio::test]
async fn a_session_that_ends_between_pages() {
    let simulator = Simulator::esx().vms(50).page_size(20).build();
    let connect = open(&simulator, "esx://h/").await.unwrap();
    simulator.inject(
        esx_sim::Rule::new(
            "ContinueRetrievePropertiesEx",
            esx_sim::Effect::ExpireSession,
        )
        .nth(2),
    );
    let list = connect.list_all_domains(DomainFilter::NONE).await.unwrap();
    assert_eq!(list.domains.len(), 50);
}

#[tokio::test]
async fn filters() {
    let (simulator, connect) = host().await;
    let all = [
        "web01",
        "db01",
        "files",
        "router",
        "desktop",
        "build/ci",
        "installer",
    ];
    for (filter, expected) in [
        (DomainFilter::ACTIVE, &all[..5]),
        (DomainFilter::INACTIVE, &all[5..]),
        (DomainFilter::ACTIVE | DomainFilter::INACTIVE, &all[..]),
        (DomainFilter::RUNNING, &all[..4]),
        (DomainFilter::PAUSED, &all[4..5]),
        (DomainFilter::SHUTOFF, &all[5..]),
        (DomainFilter::PAUSED | DomainFilter::SHUTOFF, &all[4..]),
        (DomainFilter::OTHER, &[]),
        (DomainFilter::ACTIVE | DomainFilter::SHUTOFF, &[]),
        (DomainFilter::ACTIVE | DomainFilter::PAUSED, &all[4..5]),
        (DomainFilter::PERSISTENT, &all[..]),
        (DomainFilter::PERSISTENT | DomainFilter::TRANSIENT, &all[..]),
        (DomainFilter::NO_MANAGEDSAVE, &all[..]),
        (DomainFilter::NO_CHECKPOINT, &all[..]),
    ] {
        simulator.clear_requests();
        assert_eq!(names(&connect, filter).await, expected, "{filter:?}");
        assert_eq!(methods(&simulator), ["RetrievePropertiesEx"], "{filter:?}");
    }
}

#[tokio::test]
async fn filters_that_no_domain_passes_ask_nothing() {
    let (simulator, connect) = host().await;
    for filter in [
        DomainFilter::TRANSIENT,
        DomainFilter::MANAGEDSAVE,
        DomainFilter::HAS_CHECKPOINT,
    ] {
        assert!(names(&connect, filter).await.is_empty(), "{filter:?}");
    }
    assert!(methods(&simulator).is_empty());
}

#[tokio::test]
async fn autostart_takes_a_request_more() {
    let (simulator, connect) = host().await;
    assert_eq!(names(&connect, DomainFilter::AUTOSTART).await, ["web01"]);
    assert_eq!(methods(&simulator).len(), 2);
    assert_eq!(names(&connect, DomainFilter::NO_AUTOSTART).await.len(), 6);
    simulator.clear_requests();
    let both = DomainFilter::AUTOSTART | DomainFilter::NO_AUTOSTART;
    assert_eq!(names(&connect, both).await.len(), 7);
    assert_eq!(methods(&simulator).len(), 1);
}

#[tokio::test]
async fn snapshots() {
    let (simulator, connect) = host().await;
    let snapshot = VirtualMachineSnapshotInfo {
        root_snapshot_list: vec![VirtualMachineSnapshotTree::default()],
        ..VirtualMachineSnapshotInfo::default()
    };
    for (name, snapshot) in [
        ("db01", snapshot),
        ("files", VirtualMachineSnapshotInfo::default()),
    ] {
        let vm = simulator.vm(name).unwrap();
        simulator.change(&vm, |vm: &mut VirtualMachine| {
            vm.snapshot = Some(snapshot.into());
        });
    }
    assert_eq!(names(&connect, DomainFilter::HAS_SNAPSHOT).await, ["db01"]);
    let others = names(&connect, DomainFilter::NO_SNAPSHOT).await;
    assert_eq!(others.len(), 6);
    assert!(!others.contains(&"db01".to_owned()));
    assert_eq!(methods(&simulator).len(), 2);
}

#[tokio::test]
async fn unknown_flags() {
    let (_, connect) = host().await;
    let filter = DomainFilter::ACTIVE | DomainFilter::from_bits(1 << 20);
    let error = connect.list_all_domains(filter).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "unsupported flags (0x100000) in function esxConnectListAllDomains"
    );
    assert_eq!(error.kind(), ErrorKind::UnsupportedFlags);
}

#[tokio::test]
async fn instance_and_bios_uuids() {
    let simulator = Simulator::esx().build();
    let web = simulator.vm("web01").unwrap();
    let config = simulator
        .properties::<VirtualMachine>(&web)
        .unwrap()
        .config
        .unwrap();
    let uuid = async |uri| {
        let connect = open(&simulator, uri).await.unwrap();
        let list = connect.list_all_domains(DomainFilter::NONE).await.unwrap();
        list.domains[0].domain.uuid().to_string()
    };
    assert_ne!(config.uuid, config.instance_uuid.clone().unwrap());
    assert_eq!(uuid("esx://h/").await, config.instance_uuid.unwrap());
    assert_eq!(uuid("esx://h/?legacy_uuid=1").await, config.uuid);
}

#[tokio::test]
async fn servers_without_instance_uuids() {
    let simulator = Simulator::esx().api_version("2.5").unwrap().build();
    let connect = open(&simulator, "esx://h/").await.unwrap();
    let list = connect.list_all_domains(DomainFilter::NONE).await.unwrap();
    assert_eq!(list.domains.len(), 7);
    let entry = &list.domains[0];
    let web = simulator
        .properties::<VirtualMachine>(entry.domain.moref())
        .unwrap();
    assert_eq!(entry.domain.uuid().to_string(), web.config.unwrap().uuid);
    let found = connect.lookup_by_uuid(entry.domain.uuid()).await.unwrap();
    assert_eq!(found.name(), entry.domain.name());
}

/// Lists the domains after `change` to the virtual machine `web01`.
async fn changed(change: impl FnOnce(&mut VirtualMachine)) -> esx_driver::DomainList {
    let (simulator, connect) = host().await;
    let web = simulator.vm("web01").unwrap();
    simulator.change(&web, change).unwrap();
    connect.list_all_domains(DomainFilter::NONE).await.unwrap()
}

#[tokio::test]
async fn a_machine_whose_configuration_cannot_be_read_has_no_uuid() {
    let list = changed(|vm| {
        vm.config = None;
        vm.config_status = Some(ManagedEntityStatus::Red);
    })
    .await;
    assert_eq!(list.domains.len(), 7);
    assert_eq!(list.domains[0].domain.uuid(), Uuid::NIL);
}

#[tokio::test]
async fn a_machine_with_a_problem_keeps_its_uuid() {
    let list = changed(|vm| vm.config_status = Some(ManagedEntityStatus::Yellow)).await;
    assert!(!list.domains[0].domain.uuid().is_nil());
}

#[tokio::test]
async fn machines_that_make_no_domain_are_left_out_and_told() {
    type Change = Box<dyn FnOnce(&mut VirtualMachine)>;
    let cases: [(Change, &str); 5] = [
        (
            Box::new(|vm| vm.config = None),
            "internal error: Could not get UUID of virtual machine",
        ),
        (
            Box::new(|vm| {
                let config: &mut VirtualMachineConfigInfo = vm.config.as_mut().unwrap();
                config.instance_uuid = Some("x".to_owned());
            }),
            "internal error: Could not parse UUID from string 'x'",
        ),
        (
            Box::new(|vm| vm.name = Some("50%".to_owned())),
            "internal error: Domain name contains invalid escape sequence",
        ),
        (
            Box::new(|vm| vm.name = None),
            "internal error: Could not get name of virtual machine",
        ),
        (
            Box::new(|vm| vm.runtime = None),
            "internal error: Missing 'runtime.powerState' property",
        ),
    ];
    for (change, message) in cases {
        let list = changed(change).await;
        assert_eq!(list.domains.len(), 6, "{message}");
        let [skipped] = &list.skipped[..] else {
            panic!("{:?}", list.skipped)
        };
        assert_eq!(skipped.moref.value, "1");
        assert_eq!(skipped.error.to_string(), message);
    }
}

#[tokio::test]
async fn a_property_that_this_user_may_not_read() {
    let (simulator, connect) = host().await;
    simulator.set_unreadable("VirtualMachine", "configStatus");
    // It is needed only where there is no UUID.
    let list = connect.list_all_domains(DomainFilter::NONE).await.unwrap();
    assert_eq!((list.domains.len(), list.skipped.len()), (7, 0));
    let web = simulator.vm("web01").unwrap();
    simulator.change(&web, |vm: &mut VirtualMachine| vm.config = None);
    let list = connect.list_all_domains(DomainFilter::NONE).await.unwrap();
    assert_eq!((list.domains.len(), list.skipped.len()), (6, 1));
    let error = &list.skipped[0].error;
    assert_eq!(
        error.to_string(),
        crate::unreadable("configStatus", "VirtualMachine:1")
    );
    let source = std::error::Error::source(error).unwrap().to_string();
    assert!(source.contains("NoPermission"), "{source}");
}

#[tokio::test]
async fn a_state_that_nobody_knows() {
    let list = changed(|vm| {
        let runtime = vm.runtime.as_mut().unwrap();
        runtime.power_state = VirtualMachinePowerState::Unrecognized("hibernating".to_owned());
    })
    .await;
    assert_eq!(list.domains[0].state, DomainState::NoState);
    assert_eq!(list.domains[0].domain.id(), Some(1));
}

#[tokio::test]
async fn rows_are_those_of_the_list_at_half_the_bytes() {
    let simulator = Simulator::esx().vms(200).build();
    let connect = open(&simulator, "esx://h/").await.unwrap();
    let traffic = || connect.client().traffic().received;
    for filter in [
        DomainFilter::NONE,
        DomainFilter::ACTIVE,
        DomainFilter::SHUTOFF,
        DomainFilter::HAS_SNAPSHOT,
        DomainFilter::NO_SNAPSHOT,
        DomainFilter::AUTOSTART,
        DomainFilter::TRANSIENT,
        DomainFilter::OTHER,
    ] {
        let before = traffic();
        let list = connect.list_all_domains(filter).await.unwrap();
        let between = traffic();
        let rows = connect.domain_rows(filter).await.unwrap();
        let listed: Vec<_> = list
            .domains
            .iter()
            .map(|entry| (entry.domain.id(), entry.domain.name(), entry.state))
            .collect();
        let rows: Vec<_> = rows
            .iter()
            .map(|row| (row.id, row.name.as_str(), row.state))
            .collect();
        assert_eq!(listed, rows, "{filter:?}");
        if filter == DomainFilter::NONE {
            assert_eq!(rows.len(), 200);
            let (list, rows) = (between - before, traffic() - between);
            assert!(rows * 10 < list * 7, "{rows} of {list} bytes");
        }
    }
    let unknown = DomainFilter::from_bits(1 << 30);
    assert_eq!(
        connect.domain_rows(unknown).await.unwrap_err().kind(),
        ErrorKind::UnsupportedFlags
    );
}

#[tokio::test]
async fn what_a_row_lacks_costs_only_that_row() {
    let (simulator, connect) = host().await;
    let web = simulator.vm("web01").unwrap();
    type Change = fn(&mut VirtualMachine);
    let cases: [(Change, usize); 5] = [
        (|vm| vm.config = None, 7),
        (|vm| vm.config_status = None, 7),
        (|vm| vm.name = Some("50%".to_owned()), 6),
        (|vm| vm.name = None, 6),
        (|vm| vm.runtime = None, 6),
    ];
    for (index, (change, expected)) in cases.into_iter().enumerate() {
        simulator.change(&web, change);
        let rows = connect.domain_rows(DomainFilter::NONE).await.unwrap();
        assert_eq!(rows.len(), expected, "case {index}");
    }
}

#[tokio::test]
async fn machines_without_a_uuid_cost_a_list_one_more_request() {
    let (simulator, connect) = host().await;
    for name in ["web01", "db01"] {
        let vm = simulator.vm(name).unwrap();
        simulator.change(&vm, |vm: &mut VirtualMachine| {
            vm.config = None;
            vm.config_status = Some(ManagedEntityStatus::Gray);
        });
    }
    simulator.clear_requests();
    let list = connect.list_all_domains(DomainFilter::NONE).await.unwrap();
    assert_eq!(methods(&simulator), ["RetrievePropertiesEx"; 2]);
    let without = list
        .domains
        .iter()
        .filter(|entry| entry.domain.uuid().is_nil());
    assert_eq!(without.count(), 2);
    assert_eq!(list.domains.len(), 7);
    assert_eq!(list.domains[0].domain.name(), "web01");
}
