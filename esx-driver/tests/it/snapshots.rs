//! Snapshots of domains.

use esx_driver::{
    Domain, ErrorKind, SnapshotEntry, What,
    virt_model::{DomainState, flags::SnapshotListFlags},
};
use esx_sim::Simulator;
use vi_types::properties::VirtualMachine;

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
        .map(|entry| (entry.parent.as_deref(), entry.creation_time, entry.state))
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
