//! Volumes are made, copied, deleted, wiped and resized.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use esx_driver::{
    Connect, Error, ErrorKind, StorageVol, What,
    vi_client::transport::InProcess,
    virt_model::{
        Document as _, StorageVolDef,
        flags::{
            SnapshotCreateFlags, StorageVolCreateFlags, StorageVolDeleteFlags, StorageVolInfoFlags,
            StorageVolResizeFlags,
        },
        storage_vol::{
            StorageVolFormat, StorageVolTarget, StorageVolType, StorageVolWipeAlgorithm,
        },
    },
};
use esx_sim::{Effect, Rule, Script, Simulator};
use http::header::CONTENT_LENGTH;

use super::{pool, volume};
use crate::{host, methods, open, open_over, text};

/// A document of a volume.
pub(super) fn document(
    name: &str,
    format: StorageVolFormat,
    capacity: u64,
    allocation: u64,
) -> String {
    let def = StorageVolDef {
        capacity,
        allocation,
        target: StorageVolTarget {
            format: Some(format),
            ..StorageVolTarget::default()
        },
        ..StorageVolDef::new(name)
    };
    def.to_xml(Default::default())
}

fn directory(name: &str) -> String {
    let def = StorageVolDef {
        kind: StorageVolType::Dir,
        ..StorageVolDef::new(name)
    };
    def.to_xml(Default::default())
}

async fn create(connect: &Connect, xml: &str) -> Result<StorageVol, Error> {
    let pool = pool(connect, "ssd").await;
    pool.create_volume_xml(xml, StorageVolCreateFlags::NONE)
        .await
}

const NONE: StorageVolInfoFlags = StorageVolInfoFlags::NONE;
const MIB: u64 = 1 << 20;

/// Servers of both kinds, old and new, with their URIs and a datastore.
fn servers() -> Vec<(Simulator, String)> {
    let esx = |version: &str| {
        let simulator = Simulator::esx().api_version(version).unwrap().build();
        (simulator, "esx://esx.example.com/".to_owned())
    };
    let vcenter = |version: &str| {
        let simulator = Simulator::vcenter().api_version(version).unwrap().build();
        let uri = format!("vpx://vc.example.com/{}", simulator.path());
        (simulator, uri)
    };
    vec![esx("8.0"), esx("2.5"), vcenter("8.0"), vcenter("4.0")]
}

#[tokio::test(start_paused = true)]
async fn a_disk_is_made_copied_resized_and_deleted_on_every_server() {
    for (simulator, uri) in servers() {
        let connect = open(&simulator, &uri).await.unwrap();
        let pools = connect.list_all_storage_pools(Default::default()).await;
        let pool = pools.unwrap().remove(0).pool;
        let xml = document("a/b/x.vmdk", StorageVolFormat::Vmdk, 8 * MIB, 0);
        let made = pool.create_volume_xml(&xml, StorageVolCreateFlags::NONE);
        let made = made.await.unwrap();
        assert_eq!(made.name(), "a/b/x.vmdk");
        assert_eq!(made.info(NONE).await.unwrap().capacity, 8 * MIB);
        let xml = document("c/y.vmdk", StorageVolFormat::Vmdk, 1, 1);
        let copy = pool.create_volume_xml_from(&xml, &made, StorageVolCreateFlags::NONE);
        let copy = copy.await.unwrap();
        assert_eq!(copy.info(NONE).await.unwrap().capacity, 8 * MIB);
        let resized = copy.resize(MIB, StorageVolResizeFlags::DELTA);
        resized.await.unwrap();
        assert_eq!(copy.info(NONE).await.unwrap().capacity, 9 * MIB);
        copy.wipe().await.unwrap();
        for volume in [made, copy] {
            volume.delete(StorageVolDeleteFlags::NONE).await.unwrap();
            let error = volume.info(NONE).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound(What::StorageVol));
            assert!(simulator.file(&volume.path()).is_none());
        }
    }
}

/// vcsim's tasks that make disks have no result.
#[tokio::test(start_paused = true)]
async fn the_results_of_tasks_are_not_needed() {
    let simulator = Simulator::esx().build();
    // So soon that their end is read, rather than waited for.
    simulator.script(Script::new("*").steps(1));
    let handler = simulator.handler();
    let removed = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&removed);
    let transport = InProcess::new(move |request| {
        let (answer, counter) = (handler(request), Arc::clone(&counter));
        Box::pin(async move {
            let mut answer = answer.await;
            if let Ok(text) = str::from_utf8(answer.body()) {
                let (rest, count) = without_names(text);
                // An answer that is shorter than it says counts as torn, and is asked for again.
                let length = rest.len().into();
                answer.headers_mut().insert(CONTENT_LENGTH, length);
                *answer.body_mut() = rest.into();
                counter.fetch_add(count, Ordering::Relaxed);
            }
            answer
        })
    });
    let connect = open_over(transport, "esx://esx.example.com/")
        .await
        .unwrap();
    let xml = document("d/x.vmdk", StorageVolFormat::Vmdk, MIB, MIB);
    let made = create(&connect, &xml).await.unwrap();
    let xml = document("d/y.vmdk", StorageVolFormat::Vmdk, 1, 1);
    let pool = pool(&connect, "ssd").await;
    let copy = pool.create_volume_xml_from(&xml, &made, StorageVolCreateFlags::NONE);
    assert_eq!(copy.await.unwrap().name(), "d/y.vmdk");
    assert_eq!(removed.load(Ordering::Relaxed), 2);
}

/// An answer without the results of tasks that are strings, and how many there were.
fn without_names(answer: &str) -> (String, usize) {
    const START: &str = "<propSet><name>info.result</name>";
    const END: &str = "</propSet>";
    let mut parts = answer.split(START);
    let (mut rest, mut count) = (parts.next().unwrap().to_owned(), 0);
    for part in parts {
        let (value, after) = part.split_once(END).unwrap();
        if value.contains(":string\"") {
            count += 1;
            rest += after;
        } else {
            rest += &[START, part].concat();
        }
    }
    (rest, count)
}

#[tokio::test(start_paused = true)]
async fn making_a_disk_takes_five_requests() {
    let (simulator, connect) = host().await;
    simulator.script(Script::new("*").steps(1));
    let pool = pool(&connect, "ssd").await;
    simulator.clear_requests();
    let xml = document("d/x.vmdk", StorageVolFormat::Vmdk, MIB, MIB);
    let made = pool.create_volume_xml(&xml, StorageVolCreateFlags::NONE);
    made.await.unwrap();
    assert_eq!(
        methods(&simulator),
        [
            // Whether it is there.
            "QueryVirtualDiskUuid",
            "MakeDirectory",
            "CreateVirtualDisk_Task",
            "RetrievePropertiesEx",
            "RetrievePropertiesEx",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn deleting_a_disk_looks_at_the_machines_first() {
    let (simulator, connect) = host().await;
    simulator.script(Script::new("*").steps(1));
    simulator.make_disk("[ssd] d/x.vmdk", 1024, "lsilogic");
    let disk = volume(&connect, "[ssd] d/x.vmdk").await;
    simulator.clear_requests();
    disk.delete(StorageVolDeleteFlags::NONE).await.unwrap();
    assert_eq!(
        methods(&simulator),
        [
            // The datastore, then its machines.
            "RetrievePropertiesEx",
            "RetrievePropertiesEx",
            "DeleteVirtualDisk_Task",
            "RetrievePropertiesEx",
            "RetrievePropertiesEx",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_disk_is_not_made_over_another() {
    let (simulator, connect) = host().await;
    let xml = document("web01/web01.vmdk", StorageVolFormat::Vmdk, MIB, MIB);
    let before = simulator.file("[ssd] web01/web01.vmdk");
    let error = create(&connect, &xml).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Exists(What::StorageVol));
    let expected = "internal error: Could not create volume: FileAlreadyExists - ";
    assert!(error.to_string().starts_with(expected), "{error}");
    assert_eq!(simulator.file("[ssd] web01/web01.vmdk"), before);
    // Nor if the answer is lost.
    for effect in [Effect::DropBefore, Effect::DropAfter] {
        simulator.inject(Rule::new("CreateVirtualDisk_Task", effect).nth(1));
        assert!(create(&connect, &xml).await.is_err());
    }
    let xml = document("iso/netinst.iso", StorageVolFormat::Iso, 0, 0);
    let error = create(&connect, &xml).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Exists(What::StorageVol));
}

#[tokio::test(start_paused = true)]
async fn what_is_left_of_a_failure_is_told() {
    let (simulator, connect) = host().await;
    let fault = vi_types::SoapFault::new(vi_types::objects::NoDiskSpace::default(), "Full");
    simulator.inject(Rule::new(
        "CreateVirtualDisk_Task",
        Effect::Fault(Box::new(fault)),
    ));
    let xml = document("new/x.vmdk", StorageVolFormat::Vmdk, MIB, MIB);
    let error = create(&connect, &xml).await.unwrap_err();
    assert_eq!(
        error.outcome(),
        Some("the directory '[ssd] new' was made and stays")
    );
}

#[tokio::test(start_paused = true)]
async fn plain_files_and_directories_are_made() {
    let (simulator, connect) = host().await;
    for (xml, path, length) in [
        (
            document("images/x.iso", StorageVolFormat::Iso, MIB, 0),
            "[ssd] images/x.iso",
            0,
        ),
        (
            document("x.img", StorageVolFormat::Raw, 100_000, 100_000),
            "[ssd] x.img",
            100_000,
        ),
    ] {
        let made = create(&connect, &xml).await.unwrap();
        assert_eq!(made.path(), path);
        assert_eq!(made.key().await.unwrap(), path);
        let content = simulator.file(path).unwrap();
        assert_eq!(content.len(), length);
        assert!(content.iter().all(|byte| *byte == 0));
        made.delete(StorageVolDeleteFlags::NONE).await.unwrap();
        assert!(simulator.file(path).is_none());
    }
    let made = create(&connect, &directory("a/b")).await.unwrap();
    assert_eq!(made.info(NONE).await.unwrap().kind, StorageVolType::Dir);
    assert!(
        made.xml_desc()
            .await
            .unwrap()
            .contains("<format type='dir'/>")
    );
    let again = create(&connect, &directory("a/b")).await.unwrap_err();
    assert_eq!(again.kind(), ErrorKind::Exists(What::StorageVol));
    let above = volume(&connect, "[ssd] a").await;
    let error = above.delete(StorageVolDeleteFlags::NONE).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongState);
    made.delete(StorageVolDeleteFlags::NONE).await.unwrap();
    above.delete(StorageVolDeleteFlags::NONE).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_image_is_copied() {
    let (simulator, connect) = host().await;
    simulator.write_file("[ssd] iso/small.iso", "an image");
    let original = volume(&connect, "[ssd] iso/small.iso").await;
    let target = pool(&connect, "datastore1").await;
    let xml = document("images/copy.iso", StorageVolFormat::Iso, 1, 1);
    let copy = target.create_volume_xml_from(&xml, &original, StorageVolCreateFlags::NONE);
    let copy = copy.await.unwrap();
    assert_eq!(copy.path(), "[datastore1] images/copy.iso");
    assert_eq!(simulator.file(&copy.path()).unwrap(), "an image");
    // Again: nothing is overwritten.
    let again = target.create_volume_xml_from(&xml, &original, StorageVolCreateFlags::NONE);
    let error = again.await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Exists(What::StorageVol));
    let xml = document("images/copy.vmdk", StorageVolFormat::Vmdk, 1, 1);
    let wrong = target.create_volume_xml_from(&xml, &original, StorageVolCreateFlags::NONE);
    assert_eq!(wrong.await.unwrap_err().kind(), ErrorKind::Unsupported);
}

#[tokio::test(start_paused = true)]
async fn the_disk_of_a_running_machine_stays() {
    let (simulator, connect) = host().await;
    let path = "[ssd] web01/web01.vmdk";
    let disk = volume(&connect, path).await;
    let before = simulator.file(path);
    let deleted = disk.delete(StorageVolDeleteFlags::NONE).await;
    let wiped = disk.wipe().await;
    let resized = disk.resize(64 << 30, StorageVolResizeFlags::NONE).await;
    for (result, verb) in [(deleted, "delete"), (wiped, "wipe"), (resized, "resize")] {
        let error = result.unwrap_err();
        let expected = format!("internal error: Could not {verb} volume: FileLocked - ");
        assert!(error.to_string().starts_with(&expected), "{error}");
        let advice = error.advice().unwrap();
        assert!(advice.contains("the domain 'web01' runs"), "{advice}");
    }
    assert_eq!(simulator.file(path), before);
}

#[tokio::test(start_paused = true)]
async fn the_disks_of_snapshots_stay() {
    let (simulator, connect) = host().await;
    let domain = connect.lookup_by_name("installer").await.unwrap();
    let xml = "<domainsnapshot><name>base</name></domainsnapshot>";
    let taken = domain.snapshot_create_xml(xml, SnapshotCreateFlags::NONE);
    taken.await.unwrap();
    for path in [
        "[ssd] installer/installer.vmdk",
        "[ssd] installer/installer-000001.vmdk",
    ] {
        let disk = volume(&connect, path).await;
        simulator.clear_requests();
        let deleted = disk.delete(StorageVolDeleteFlags::NONE).await;
        let wiped = disk.wipe().await;
        let resized = disk.resize(1 << 40, StorageVolResizeFlags::NONE).await;
        for result in [deleted, wiped, resized] {
            let error = result.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::WrongState, "{error}");
            assert_eq!(
                error.advice(),
                Some("delete the snapshots of 'installer' first")
            );
        }
        let sent = methods(&simulator);
        let changed = sent
            .iter()
            .filter(|method| method.contains("VirtualDisk_Task"));
        assert_eq!(changed.count(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn extents_go_with_their_disks() {
    let (simulator, connect) = host().await;
    simulator.make_disk("[ssd] d/x.vmdk", 1024, "lsilogic");
    let extent = volume(&connect, "[ssd] d/x-flat.vmdk").await;
    let error = extent
        .delete(StorageVolDeleteFlags::NONE)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(error.advice(), Some("delete '[ssd] d/x.vmdk'"));
    // Without its disk it is a file as any other.
    assert!(simulator.delete_file("[ssd] d/x.vmdk"));
    extent.delete(StorageVolDeleteFlags::NONE).await.unwrap();
    assert!(simulator.file("[ssd] d/x-flat.vmdk").is_none());
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_done_is_refused() {
    let (_simulator, connect) = host().await;
    let image = volume(&connect, "[ssd] iso/netinst.iso").await;
    let disk = volume(&connect, "[ssd] installer/installer.vmdk").await;
    assert_eq!(
        text(disk.delete(StorageVolDeleteFlags::WITH_SNAPSHOTS).await),
        "unsupported flags (0x2) in function esxStorageVolDelete"
    );
    assert_eq!(
        text(disk.wipe_pattern(StorageVolWipeAlgorithm::Nnsa).await),
        "this function is not supported by the connection driver: virStorageVolWipePattern"
    );
    for result in [
        image.wipe().await,
        image.resize(MIB, StorageVolResizeFlags::NONE).await,
        disk.resize(MIB, StorageVolResizeFlags::SHRINK).await,
    ] {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.advice().is_some(), "{error}");
    }
    let smaller = disk.resize(MIB, StorageVolResizeFlags::NONE).await;
    assert_eq!(smaller.unwrap_err().kind(), ErrorKind::Argument);
    assert_eq!(
        text(
            pool(&connect, "ssd")
                .await
                .create_volume_xml("<volume/>", StorageVolCreateFlags::REFLINK)
                .await
        ),
        "unsupported flags (0x2) in function esxStorageVolCreateXML"
    );
}

#[tokio::test(start_paused = true)]
async fn a_copy_shows_its_progress_and_can_be_cancelled() {
    let (simulator, connect) = host().await;
    simulator.script(Script::new("CopyVirtualDisk_Task").steps(10));
    let disk = volume(&connect, "[ssd] installer/installer.vmdk").await;
    let pool = pool(&connect, "ssd").await;
    let xml = document("copy/x.vmdk", StorageVolFormat::Vmdk, 1, 1);
    let seen = std::sync::Mutex::new(Vec::new());
    let copied = pool.create_volume_xml_from(&xml, &disk, StorageVolCreateFlags::NONE);
    copied
        .on_progress(|progress| seen.lock().unwrap().push(progress.percent))
        .await
        .unwrap();
    assert!(seen.into_inner().unwrap().len() > 1);
    let xml = document("copy/y.vmdk", StorageVolFormat::Vmdk, 1, 1);
    let copied = pool.create_volume_xml_from(&xml, &disk, StorageVolCreateFlags::NONE);
    let error = copied.cancelled_by(async {}).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert!(simulator.file("[ssd] copy/y.vmdk").is_none());
}
