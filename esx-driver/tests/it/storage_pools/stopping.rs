//! Stopping, starting and removing pools.

use esx_driver::{
    Operation,
    virt_model::flags::{
        StoragePoolBuildFlags as Build, StoragePoolCreateFlags as Create,
        StoragePoolDeleteFlags as Delete,
    },
};

use super::*;

/// A host with a file system that no domain uses, and a server's directory.
fn spare() -> Builder {
    ["vmfs:spare:64G", "nfs:iso:nas.example.com:/iso:200G"]
        .into_iter()
        .fold(Simulator::esx(), |builder, text| {
            builder.datastore(text.parse().unwrap())
        })
}

/// What is done with a pool.
type Operate = fn(&StoragePool) -> Operation<'static>;

/// The kind and the text of the error that an operation ends with.
async fn refused(operation: Operation<'static>) -> (ErrorKind, String) {
    let error = operation.await.unwrap_err();
    (error.kind(), error.to_string())
}

fn wrong_state(text: &str) -> (ErrorKind, String) {
    let text = format!("Requested operation is not valid: storage pool {text}");
    (ErrorKind::WrongState, text)
}

#[tokio::test]
async fn a_vmfs_is_unmounted_and_mounted() {
    let (simulator, connect) = opened(spare()).await;
    let pool = pool(&connect, "spare").await;
    simulator.write_file("[spare] a.iso", "content");
    assert_eq!(
        refused(pool.create(Create::NONE)).await,
        wrong_state("'spare' is already active")
    );
    assert_eq!(
        refused(pool.build(Build::NONE)).await,
        wrong_state("'spare' is already active")
    );
    assert_eq!(
        refused(pool.undefine()).await,
        wrong_state("'spare' is still active")
    );
    simulator.clear_requests();
    pool.destroy().await.unwrap();
    assert_eq!(
        methods(&simulator),
        ["RetrievePropertiesEx", "UnmountVmfsVolume"]
    );
    assert_eq!(pool.info().await.unwrap().state, Inactive);
    assert_eq!(
        connect.list_defined_storage_pools().await.unwrap(),
        ["spare"]
    );
    assert_eq!(
        refused(pool.destroy()).await,
        wrong_state("'spare' is not active")
    );
    let built = ErrorKind::Exists(What::StoragePool);
    assert_eq!(refused(pool.build(Build::OVERWRITE)).await.0, built);
    assert_eq!(refused(pool.create(Create::WITH_BUILD)).await.0, built);
    simulator.clear_requests();
    pool.create(Create::NONE).await.unwrap();
    assert_eq!(
        methods(&simulator),
        ["RetrievePropertiesEx", "MountVmfsVolume"]
    );
    assert_eq!(pool.info().await.unwrap().state, Running);
    assert!(simulator.file("[spare] a.iso").is_some(), "nothing is lost");
}

#[tokio::test]
async fn a_vmfs_is_forgotten_and_deleted() {
    let (_, connect) = opened(spare()).await;
    let spare = pool(&connect, "spare").await;
    spare.destroy().await.unwrap();
    spare.undefine().await.unwrap();
    let gone = "Storage pool not found: Could not find storage pool with name 'spare'";
    assert_eq!(text(spare.info().await), gone);
    assert_eq!(text(spare.undefine().await), gone);

    let (simulator, connect) = opened(super::stopping::spare()).await;
    let spare = pool(&connect, "spare").await;
    simulator.write_file("[spare] a.iso", "content");
    simulator.clear_requests();
    spare.delete(Delete::NONE).await.unwrap();
    assert_eq!(
        methods(&simulator),
        ["RetrievePropertiesEx", "RemoveDatastore"]
    );
    assert_eq!(text(spare.info().await), gone);
    assert!(simulator.file("[spare] a.iso").is_none());
    assert_eq!(
        text(spare.delete(Delete::ZEROED).await),
        "unsupported flags (0x1) in function esxStoragePoolDelete"
    );
}

#[tokio::test]
async fn a_vmfs_that_is_not_mounted_is_deleted() {
    let (simulator, connect) = opened(spare()).await;
    let pool = pool(&connect, "spare").await;
    simulator.write_file("[spare] a.iso", "content");
    pool.destroy().await.unwrap();

    simulator.inject(Rule::new("RemoveDatastore", fault()).times(1));
    let error = pool.delete(Delete::NONE).await.unwrap_err();
    assert_eq!(error.outcome(), None, "it was unmounted again");
    assert_eq!(pool.info().await.unwrap().state, Inactive);

    for method in ["RemoveDatastore", "UnmountVmfsVolume"] {
        simulator.inject(Rule::new(method, fault()).times(1));
    }
    let error = pool.delete(Delete::NONE).await.unwrap_err();
    let advice = error.outcome().unwrap();
    assert!(
        advice.starts_with("'spare' was mounted and stays ("),
        "{advice}"
    );
    assert_eq!(pool.info().await.unwrap().state, Running);
    assert!(simulator.file("[spare] a.iso").is_some());

    pool.destroy().await.unwrap();
    simulator.clear_requests();
    pool.delete(Delete::NONE).await.unwrap();
    assert_eq!(
        methods(&simulator),
        ["RetrievePropertiesEx", "MountVmfsVolume", "RemoveDatastore"]
    );
    assert!(simulator.file("[spare] a.iso").is_none());
}

#[tokio::test]
async fn a_datastore_that_a_domain_uses() {
    let (simulator, connect) = host().await;
    let files = simulator.files();
    let pool = pool(&connect, "datastore1").await;
    for operation in [pool.destroy(), pool.delete(Delete::NONE)] {
        let (kind, text) = refused(operation).await;
        assert_eq!(kind, ErrorKind::WrongState);
        let start = "Requested operation is not valid: storage pool 'datastore1' is in use: ";
        assert!(text.starts_with(start), "{text}");
    }
    assert_eq!(simulator.files(), files);
}

#[tokio::test]
async fn a_server_keeps_its_directory() {
    let (simulator, connect) = opened(spare()).await;
    let pool = pool(&connect, "iso").await;
    let unsupported = (
        ErrorKind::Unsupported,
        "this function is not supported by the connection driver: pool does not support pool deletion"
            .to_owned(),
    );
    assert_eq!(refused(pool.delete(Delete::NONE)).await, unsupported);
    let target = super::pool(&connect, TARGET).await;
    assert_eq!(refused(target.delete(Delete::NONE)).await, unsupported);
    simulator.clear_requests();
    pool.destroy().await.unwrap();
    assert_eq!(
        methods(&simulator),
        ["RetrievePropertiesEx", "RemoveDatastore"]
    );
    assert_eq!(
        text(pool.undefine().await),
        "Storage pool not found: Could not find storage pool with name 'iso'"
    );
}

#[tokio::test]
async fn what_a_host_cannot_stop() {
    let (_, connect) = opened(kinds()).await;
    for name in ["vsan1", "vvol1", "pmem1"] {
        let pool = pool(&connect, name).await;
        assert_eq!(
            refused(pool.destroy()).await,
            (
                ErrorKind::Unsupported,
                format!(
                    "this function is not supported by the connection driver: storage pool '{name}' cannot be \
                     destroyed by its host"
                )
            )
        );
    }
}

#[tokio::test]
async fn a_target_is_forgotten() {
    let (simulator, connect) = host().await;
    let pool = pool(&connect, TARGET).await;
    assert_eq!(
        refused(pool.create(Create::NONE)).await,
        wrong_state(&format!("'{TARGET}' is already active"))
    );
    let own = pool.xml_desc(StoragePoolXmlFlags::NONE).await.unwrap();
    simulator.clear_requests();
    pool.destroy().await.unwrap();
    assert_eq!(
        methods(&simulator),
        [
            "RetrievePropertiesEx",
            "RemoveInternetScsiStaticTargets",
            "RescanHba"
        ]
    );
    assert_eq!(
        text(pool.info().await),
        format!("Storage pool not found: Could not find storage pool with name '{TARGET}'")
    );
    // Its document makes it again.
    let again = connect.storage_pool_create_xml(&own, Create::NONE).await;
    let again = again.unwrap().xml_desc(StoragePoolXmlFlags::NONE).await;
    assert_eq!(again.unwrap(), own);
}

#[tokio::test]
async fn a_target_that_is_forgotten_in_part_is_put_back() {
    let name = "iqn.2001-05.com.example:two";
    let target = IscsiTarget::new(name)
        .portal("192.0.2.60", 3260)
        .portal("192.0.2.61", 3261);
    let (simulator, connect) = opened(Simulator::esx().iscsi_target(target)).await;
    let before = document(&connect, name).await.unwrap();
    let pool = pool(&connect, name).await;
    simulator.inject(Rule::new("RemoveInternetScsiStaticTargets", fault()).nth(2));
    let error = pool.destroy().await.unwrap_err();
    assert_eq!(error.outcome(), None);
    let lines = |text: &str| {
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let after = document(&connect, name).await.unwrap();
    assert_eq!(lines(&after), lines(&before));

    simulator.inject(Rule::new("RemoveInternetScsiStaticTargets", fault()).nth(2));
    simulator.inject(Rule::new("AddInternetScsiStaticTargets", fault()).nth(1));
    let error = pool.destroy().await.unwrap_err();
    let advice = error.outcome().unwrap();
    assert!(
        advice.contains(" was removed from vmhba64 and stays ("),
        "{advice}"
    );

    simulator.clear_rules();
    simulator.inject(Rule::new("RescanHba", fault()).nth(1));
    let error = pool.destroy().await.unwrap_err();
    assert_eq!(
        error.outcome(),
        Some("the target was removed; its LUNs go when the adapter is scanned the next time")
    );
}

#[tokio::test]
async fn refreshing() {
    let (simulator, connect) = host().await;
    for (name, method) in [("ssd", "RefreshDatastore"), (TARGET, "RescanHba")] {
        let pool = pool(&connect, name).await;
        simulator.clear_requests();
        pool.refresh().await.unwrap();
        assert_eq!(methods(&simulator), [method]);
    }
}

#[tokio::test(start_paused = true)]
async fn answers_that_are_lost() {
    for (effect, is_done) in [(Effect::DropAfter, true), (Effect::DropBefore, false)] {
        let cases: [(&str, &str, Operate); 4] = [
            ("spare", "UnmountVmfsVolume", StoragePool::destroy),
            ("spare", "RemoveDatastore", |pool| pool.delete(Delete::NONE)),
            ("iso", "RemoveDatastore", StoragePool::destroy),
            (
                TARGET,
                "RemoveInternetScsiStaticTargets",
                StoragePool::destroy,
            ),
        ];
        for (name, method, operate) in cases {
            let (simulator, connect) = opened(spare()).await;
            let pool = pool(&connect, name).await;
            simulator.inject(Rule::new(method, effect.clone()).nth(1));
            match operate(&pool).await {
                Ok(()) => assert!(is_done, "{method}"),
                Err(error) => {
                    assert!(!is_done, "{method} {error}");
                    assert_eq!(error.kind(), ErrorKind::NotDone);
                    // It can be repeated.
                    operate(&pool).await.unwrap();
                }
            }
        }
        let (simulator, connect) = opened(spare()).await;
        let pool = pool(&connect, "spare").await;
        pool.destroy().await.unwrap();
        simulator.inject(Rule::new("MountVmfsVolume", effect.clone()).nth(1));
        assert_eq!(pool.create(Create::NONE).await.is_ok(), is_done);
        if is_done {
            pool.destroy().await.unwrap();
        }
        simulator.inject(Rule::new("DeleteVmfsVolumeState", effect.clone()).nth(1));
        assert_eq!(pool.undefine().await.is_ok(), is_done);
        // Nobody sees whether a host has looked.
        let (simulator, connect) = opened(spare()).await;
        let pool = super::pool(&connect, "spare").await;
        simulator.inject(Rule::new("RefreshDatastore", effect).nth(1));
        assert_eq!(pool.refresh().await.unwrap_err().kind(), ErrorKind::InDoubt);
    }
}
