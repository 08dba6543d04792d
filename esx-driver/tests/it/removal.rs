//! Removing domains with their files.

use esx_driver::{
    Connect, DatastorePath, Domain, ErrorKind, Operation, Result, UndefineFlags, What,
    virt_model::flags::SnapshotCreateFlags,
};
use esx_sim::{Effect, Rule, Script, Simulator};
use vi_types::{SoapFault, objects::NoPermission};

use crate::{host, methods, text};

async fn installer() -> (Simulator, Connect, Domain) {
    let (simulator, connect) = host().await;
    let domain = connect.lookup_by_name("installer").await.unwrap();
    // The simulator lays out files when they are first asked for.
    assert!(simulator.file(NVRAM).is_some());
    simulator.clear_requests();
    (simulator, connect, domain)
}

const DISK: &str = "[ssd] installer/installer.vmdk";
const NVRAM: &str = "[ssd] installer/installer.nvram";
const VMX: &str = "[ssd] installer/installer.vmx";

fn path(path: &str) -> DatastorePath {
    path.parse().unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_file_of_the_firmware_goes_if_it_is_to() {
    let (simulator, connect, domain) = installer().await;
    let both = UndefineFlags::NVRAM | UndefineFlags::KEEP_NVRAM;
    assert_eq!(
        text(domain.undefine(both).await),
        "Flags 'VIR_DOMAIN_UNDEFINE_NVRAM' and 'VIR_DOMAIN_UNDEFINE_KEEP_NVRAM' are mutually exclusive"
    );
    assert_eq!(
        text(domain.undefine(UndefineFlags::TPM).await),
        "unsupported flags (0x20) in function esxDomainUndefineFlags"
    );
    simulator.script(Script::new("*").steps(1));
    simulator.clear_requests();
    domain.undefine(UndefineFlags::NVRAM).await.unwrap();
    assert_eq!(
        methods(&simulator)[..3],
        [
            // Power state and files.
            "RetrievePropertiesEx",
            "UnregisterVM",
            "DeleteDatastoreFile_Task",
        ]
    );
    assert!(simulator.file(NVRAM).is_none());
    assert!(simulator.file(VMX).is_some());
    assert!(simulator.file(DISK).is_some());
    let gone = connect.lookup_by_name("installer").await.unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::NotFound(What::Domain));
    let running = connect.lookup_by_name("web01").await.unwrap();
    let error = running.undefine(UndefineFlags::NVRAM).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongState);
}

#[tokio::test(start_paused = true)]
async fn a_file_that_stays_is_named() {
    let (simulator, _, domain) = installer().await;
    let fault = SoapFault::new(NoPermission::default(), "Permission denied");
    let fault = Effect::Fault(Box::new(fault));
    simulator.inject(Rule::new("DeleteDatastoreFile_Task", fault));
    let error = domain.undefine(UndefineFlags::NVRAM).await.unwrap_err();
    assert_eq!(
        error.outcome(),
        Some("the domain is undefined, and '[ssd] installer/installer.nvram' stays")
    );
}

#[tokio::test(start_paused = true)]
async fn a_domain_goes_with_all_its_files() {
    let (simulator, connect, domain) = installer().await;
    let xml = "<domainsnapshot><name>base</name></domainsnapshot>";
    let taken = domain.snapshot_create_xml(xml, SnapshotCreateFlags::NONE);
    taken.await.unwrap();
    simulator.script(Script::new("*").steps(1));
    simulator.clear_requests();
    domain.undefine_with_files().await.unwrap();
    assert_eq!(
        methods(&simulator),
        [
            // Power state, question and tasks.
            "RetrievePropertiesEx",
            "Destroy_Task",
            // The task, twice.
            "RetrievePropertiesEx",
            "RetrievePropertiesEx",
        ]
    );
    for file in [DISK, NVRAM, VMX] {
        assert!(simulator.file(file).is_none(), "{file}");
    }
    let running = connect.lookup_by_name("web01").await.unwrap();
    let error = running.undefine_with_files().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongState);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_removes_once() {
    for effect in [Effect::DropAfter, Effect::DropBefore] {
        let (simulator, _, domain) = installer().await;
        simulator.inject(Rule::new("Destroy_Task", effect).nth(1));
        let removed = domain.undefine_with_files().await;
        let is_there = simulator.vm("installer").is_some();
        match removed {
            Ok(()) => assert!(!is_there),
            Err(error) => assert!(is_there && error.kind() == ErrorKind::InDoubt),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn disks_are_deleted() {
    let (simulator, connect, domain) = installer().await;
    domain.undefine(UndefineFlags::NONE).await.unwrap();
    assert!(connect.has_disk(&path(DISK)).await.unwrap());
    connect.delete_disk(&path(DISK)).await.unwrap();
    assert!(simulator.file(DISK).is_none());
    assert!(!connect.has_disk(&path(DISK)).await.unwrap());
    let error = connect.delete_disk(&path(DISK)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TaskFailed);
    let text = "internal error: Could not delete volume: FileNotFound - ";
    assert!(error.to_string().starts_with(text), "{error}");
    // A question to the host about a disk that is elsewhere is an error.
    let error = connect.has_disk(&path("[nowhere] x.vmdk")).await;
    assert!(error.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_deletes_once() {
    for effect in [Effect::DropAfter, Effect::DropBefore] {
        let (simulator, connect, domain) = installer().await;
        domain.undefine(UndefineFlags::NONE).await.unwrap();
        simulator.inject(Rule::new("DeleteVirtualDisk_Task", effect).nth(1));
        let deleted: Operation<'static> = connect.delete_disk(&path(DISK));
        let deleted: Result<()> = deleted.await;
        let is_there = simulator.file(DISK).is_some();
        match deleted {
            Ok(()) => assert!(!is_there),
            Err(error) => assert!(is_there && error.kind() == ErrorKind::InDoubt),
        }
    }
}
