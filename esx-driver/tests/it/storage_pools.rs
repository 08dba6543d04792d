//! Storage pools: lists, lookups, sizes and documents.

mod making;
mod stopping;

use esx_driver::{
    Connect, Error, ErrorKind, StoragePool, What,
    virt_model::{
        StoragePoolState::{self, Inaccessible, Inactive, Running},
        StoragePoolType::{self, Dir, Fs, Iscsi, Netfs},
        Uuid,
        flags::{StoragePoolFilter, StoragePoolXmlFlags},
    },
};
use esx_sim::{Builder, Effect, IscsiTarget, Rule, Simulator};
use vi_types::{
    ManagedObjectReference, SoapFault,
    objects::{HostConfigFault, HostMountInfo},
    properties::Datastore,
};

use crate::{host, methods, open, text};

/// The target that the simulated hosts have.
const TARGET: &str = "iqn.2001-05.com.example:storage.disk1";

/// A host with one datastore of each kind besides those of the preset.
fn kinds() -> Builder {
    let datastores = [
        "nfs:iso:nas.example.com:/iso:200G",
        "nfs41:backup:nas1.example.com;nas2.example.com:/backup:8T",
        "cifs:share:win.example.com:/share:1T",
        "local:folder:/vmfs/folder:10G",
        "vsan:vsan1:4T",
        "vvol:vvol1:4T",
        "pmem:pmem1:1T",
        "vmfs:off:64G,inaccessible",
        "vmfs:kept:64G,maintenance",
        "vmfs:full:64M,full",
    ];
    datastores
        .into_iter()
        .fold(Simulator::esx(), |builder, text| {
            builder.datastore(text.parse().unwrap())
        })
}

async fn opened(builder: Builder) -> (Simulator, Connect) {
    let simulator = builder.build();
    let connect = open(&simulator, "esx://esx.example.com/").await.unwrap();
    simulator.clear_requests();
    (simulator, connect)
}

/// The reference of the simulated datastore of that name.
fn datastore(simulator: &Simulator, name: &str) -> ManagedObjectReference {
    let mut all = simulator.objects("Datastore").into_iter();
    let is_it = |moref: &ManagedObjectReference| {
        let datastore = simulator.properties::<Datastore>(moref).unwrap();
        datastore.name.as_deref() == Some(name)
    };
    all.find(is_it).unwrap()
}

/// Changes how hosts have mounted a datastore.
fn change_mounts(simulator: &Simulator, name: &str, change: impl Fn(&mut HostMountInfo)) {
    let changed = simulator.change(&datastore(simulator, name), |datastore: &mut Datastore| {
        let mounts = datastore.host.iter_mut();
        mounts.for_each(|mount| change(&mut mount.mount_info));
    });
    changed.unwrap();
}

async fn pool(connect: &Connect, name: &str) -> StoragePool {
    connect.storage_pool_lookup_by_name(name).await.unwrap()
}

/// The names of the pools in a list.
async fn names(connect: &Connect, filter: StoragePoolFilter) -> Vec<String> {
    let list = connect.list_all_storage_pools(filter).await.unwrap();
    let names = list.iter().map(|entry| entry.pool.name().to_owned());
    names.collect()
}

/// The document of a pool without the lines that say its sizes and its UUID.
async fn document(connect: &Connect, name: &str) -> Result<String, Error> {
    let xml = pool(connect, name)
        .await
        .xml_desc(StoragePoolXmlFlags::NONE)
        .await?;
    let lines = xml.lines().filter(|line| {
        let size = ["capacity", "allocation", "available", "uuid"];
        !size
            .iter()
            .any(|name| line.trim_start().starts_with(&format!("<{name}")))
    });
    Ok(lines.collect::<Vec<_>>().join("\n"))
}

/// A fault that every method may have.
fn fault() -> Effect {
    Effect::Fault(SoapFault::new(HostConfigFault::default(), "no").into())
}

#[tokio::test]
async fn a_list_is_one_request() {
    let (simulator, connect) = opened(kinds()).await;
    let list = connect
        .list_all_storage_pools(StoragePoolFilter::NONE)
        .await;
    assert_eq!(methods(&simulator), ["RetrievePropertiesEx"]);
    let found: Vec<(String, StoragePoolType, StoragePoolState, u64)> = list
        .unwrap()
        .into_iter()
        .map(|entry| {
            let info = entry.info;
            assert_eq!(info.capacity, info.allocation + info.available);
            let name = entry.pool.name().to_owned();
            (name, entry.kind, info.state, info.capacity)
        })
        .collect();
    let expected = [
        ("datastore1", Fs, Running, 512 << 30),
        ("ssd", Fs, Running, 256 << 30),
        ("iso", Netfs, Running, 200 << 30),
        ("backup", Netfs, Running, 8 << 40),
        ("share", Netfs, Running, 1 << 40),
        ("folder", Dir, Running, 10 << 30),
        ("vsan1", Dir, Running, 4 << 40),
        ("vvol1", Dir, Running, 4 << 40),
        ("pmem1", Dir, Running, 1 << 40),
        ("off", Fs, Inaccessible, 0),
        ("kept", Fs, Running, 64 << 30),
        ("full", Fs, Running, 64 << 20),
        (TARGET, Iscsi, Running, 0),
    ]
    .map(|(name, kind, state, capacity)| (name.to_owned(), kind, state, capacity));
    assert_eq!(found, expected);
}

#[tokio::test]
async fn filters() {
    let (simulator, connect) = opened(kinds()).await;
    change_mounts(&simulator, "full", |mount| mount.mounted = Some(false));
    for (filter, expected, requests) in [
        (StoragePoolFilter::NONE, 13, 1),
        (StoragePoolFilter::ACTIVE, 12, 1),
        (StoragePoolFilter::INACTIVE, 1, 1),
        (StoragePoolFilter::PERSISTENT, 13, 1),
        (StoragePoolFilter::TRANSIENT, 0, 0),
        (StoragePoolFilter::AUTOSTART, 13, 1),
        (StoragePoolFilter::NO_AUTOSTART, 0, 0),
        (StoragePoolFilter::FILTERS_ALL, 13, 1),
        (StoragePoolFilter::DIR, 4, 1),
        (StoragePoolFilter::FS, 5, 1),
        (StoragePoolFilter::NETFS, 3, 1),
        (StoragePoolFilter::ISCSI, 1, 1),
        (StoragePoolFilter::DIR | StoragePoolFilter::NETFS, 7, 1),
        (StoragePoolFilter::FS | StoragePoolFilter::INACTIVE, 1, 1),
        (StoragePoolFilter::LOGICAL, 0, 1),
        (
            StoragePoolFilter::RBD | StoragePoolFilter::ISCSI_DIRECT,
            0,
            1,
        ),
    ] {
        simulator.clear_requests();
        assert_eq!(names(&connect, filter).await.len(), expected, "{filter:?}");
        assert_eq!(methods(&simulator).len(), requests, "{filter:?}");
    }
    simulator.clear_requests();
    assert_eq!(connect.num_of_storage_pools().await.unwrap(), 12);
    assert_eq!(connect.list_storage_pools().await.unwrap()[11], TARGET);
    assert_eq!(connect.num_of_defined_storage_pools().await.unwrap(), 1);
    let defined = connect.list_defined_storage_pools().await.unwrap();
    assert_eq!(defined, ["full"]);
    assert_eq!(methods(&simulator).len(), 4);
    let unknown = StoragePoolFilter::from_bits(1 << 20);
    assert_eq!(
        text(connect.list_all_storage_pools(unknown).await),
        "unsupported flags (0x100000) in function esxConnectListAllStoragePools"
    );
}

#[tokio::test]
async fn a_lookup_is_one_request() {
    let (simulator, connect) = host().await;
    for name in ["datastore1", TARGET] {
        simulator.clear_requests();
        let by_name = pool(&connect, name).await;
        let by_uuid = connect.storage_pool_lookup_by_uuid(by_name.uuid()).await;
        assert_eq!(by_uuid.unwrap().name(), name);
        assert_eq!(methods(&simulator).len(), 2);
    }
    let error = connect
        .storage_pool_lookup_by_name("Datastore1")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound(What::StoragePool));
    assert_eq!(error.code().number(), 49);
    assert_eq!(
        error.to_string(),
        "Storage pool not found: Could not find storage pool with name 'Datastore1'"
    );
    assert_eq!(error.advice(), Some("did you mean 'datastore1'?"));
    assert_eq!(
        text(connect.storage_pool_lookup_by_uuid(Uuid::NIL).await),
        "Storage pool not found: Could not find storage pool with uuid \
         '00000000-0000-0000-0000-000000000000'"
    );
}

#[tokio::test]
async fn paths() {
    let (simulator, connect) = host().await;
    let own = "/vmfs/volumes/65e19a00-0c4d1a2f-9e4e-000c29aa0001";
    for path in [own, &format!("{own}/"), "/vmfs/volumes/datastore1"] {
        simulator.clear_requests();
        let found = connect.storage_pool_lookup_by_target_path(path).await;
        assert_eq!(found.unwrap().name(), "datastore1", "{path}");
        assert_eq!(methods(&simulator).len(), 1);
    }
    let error = connect
        .storage_pool_lookup_by_target_path("/vmfs/volumes/none")
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "Storage pool not found: no storage pool with matching target path '/vmfs/volumes/none'"
    );
}

#[tokio::test]
async fn uuids() {
    let (_, connect) = host().await;
    // virsh 9.0.0 prints the same for these paths and names.
    for (name, uuid) in [
        ("datastore1", "2104f670-d868-58bd-1c15-387b4d00428a"),
        (TARGET, "67802e2f-88b7-fe7f-0e7d-c78ba94c62ad"),
    ] {
        assert_eq!(pool(&connect, name).await.uuid().to_string(), uuid);
    }
}

#[tokio::test]
async fn documents() {
    let (simulator, connect) = opened(kinds()).await;
    let permissions = "    <permissions>
      <mode>00</mode>
      <owner>0</owner>
      <group>0</group>
    </permissions>
  </target>
</pool>";
    for (name, kind, source) in [
        ("datastore1", "fs", "    <format type='vmfs'/>\n"),
        ("off", "fs", "    <format type='vmfs'/>\n"),
        (
            "iso",
            "netfs",
            "    <host name='nas.example.com'/>
    <dir path='/iso'/>
    <format type='nfs'/>\n",
        ),
        (
            "backup",
            "netfs",
            "    <host name='nas1.example.com'/>
    <host name='nas2.example.com'/>
    <dir path='/backup'/>
    <format type='nfs'/>
    <protocol ver='4.1'/>\n",
        ),
        (
            "share",
            "netfs",
            "    <host name='win.example.com'/>
    <dir path='/share'/>
    <format type='cifs'/>\n",
        ),
        ("folder", "dir", ""),
        ("vsan1", "dir", ""),
        ("vvol1", "dir", ""),
        ("pmem1", "dir", ""),
        (
            TARGET,
            "iscsi",
            "    <host name='192.0.2.50' port='3260'/>
    <device path='iqn.2001-05.com.example:storage.disk1'/>
    <initiator>
      <iqn name='INITIATOR'/>
    </initiator>\n",
        ),
    ] {
        let source = source.replace("INITIATOR", &making::adapter(&simulator).i_scsi_name);
        let found = document(&connect, name).await.unwrap();
        let path = found.lines().find(|line| line.starts_with("    <path>"));
        let path = path.map_or(String::new(), |path| format!("{path}\n"));
        assert!(!path.is_empty(), "{name}");
        assert_eq!(
            found,
            format!(
                "<pool type='{kind}'>\n  <name>{name}</name>\n  <source>\n{source}  </source>\n  <target>\n{path}{permissions}"
            )
        );
    }
}

#[tokio::test]
async fn a_document_and_sizes_are_one_request_each() {
    let (simulator, connect) = host().await;
    for name in ["datastore1", TARGET] {
        let pool = pool(&connect, name).await;
        simulator.clear_requests();
        let xml = pool.xml_desc(StoragePoolXmlFlags::NONE).await.unwrap();
        assert!(xml.contains(&pool.uuid().to_string()), "{xml}");
        let info = pool.info().await.unwrap();
        assert!(xml.contains(&format!("<capacity unit='bytes'>{}</", info.capacity)));
        assert!(xml.contains(&format!("<available unit='bytes'>{}</", info.available)));
        assert_eq!(methods(&simulator), ["RetrievePropertiesEx"; 2]);
        assert!(pool.is_active().await.unwrap());
        assert!(pool.is_persistent());
        assert!(pool.autostart());
        pool.set_autostart(true).unwrap();
        assert_eq!(
            text(pool.set_autostart(false)),
            "internal error: Cannot deactivate storage pool autostart"
        );
        assert_eq!(methods(&simulator).len(), 3);
        assert_eq!(
            text(pool.xml_desc(StoragePoolXmlFlags::INACTIVE).await),
            "unsupported flags (0x1) in function esxStoragePoolGetXMLDesc"
        );
    }
}

#[tokio::test]
async fn states() {
    let (simulator, connect) = host().await;
    let pool = pool(&connect, "ssd").await;
    change_mounts(&simulator, "ssd", |mount| mount.accessible = Some(false));
    let info = pool.info().await.unwrap();
    assert_eq!((info.state, info.capacity), (Inaccessible, 0));
    assert!(pool.is_active().await.unwrap());
    change_mounts(&simulator, "ssd", |mount| mount.mounted = Some(false));
    let info = pool.info().await.unwrap();
    assert_eq!((info.state, info.available), (Inactive, 0));
    assert!(!pool.is_active().await.unwrap());
    // A datastore that was renamed is the same.
    let renamed = simulator.change(
        &datastore(&simulator, "ssd"),
        |datastore: &mut Datastore| {
            datastore.summary.as_mut().unwrap().name = "fast".to_owned();
        },
    );
    renamed.unwrap();
    assert_eq!(pool.definition().await.unwrap().name, "fast");
}

#[tokio::test]
async fn a_datastore_that_the_host_has_not_mounted_is_no_pool() {
    let (simulator, connect) = host().await;
    let ssd = pool(&connect, "ssd").await;
    let moref = datastore(&simulator, "ssd");
    let unmounted = simulator.change(&moref, |datastore: &mut Datastore| datastore.host.clear());
    unmounted.unwrap();
    assert_eq!(
        names(&connect, StoragePoolFilter::NONE).await,
        ["datastore1", TARGET]
    );
    let gone = "Storage pool not found: Could not find storage pool with name 'ssd'";
    assert_eq!(text(ssd.info().await), gone);
    assert_eq!(
        text(
            document(&connect, "datastore1")
                .await
                .map(|_| ssd.clone())
                .and(ssd.definition().await)
        ),
        gone
    );
}

#[tokio::test]
async fn a_mount_without_a_path_is_a_pool() {
    let (simulator, connect) = host().await;
    change_mounts(&simulator, "ssd", |mount| mount.path = None);
    let ssd = pool(&connect, "ssd").await;
    assert_ne!(ssd.uuid(), pool(&connect, "datastore1").await.uuid());
    let found = connect.storage_pool_lookup_by_uuid(ssd.uuid()).await;
    assert_eq!(found.unwrap().name(), "ssd");
    assert_eq!(ssd.definition().await.unwrap().target.path, None);
    assert_eq!(ssd.num_of_volumes().await.unwrap(), 6);
}

#[tokio::test]
async fn what_the_user_may_not_read() {
    for (ty, path) in [
        ("HostSystem", "config.storageDevice.hostBusAdapter"),
        ("Datastore", "summary.capacity"),
    ] {
        let (simulator, connect) = host().await;
        let object = simulator.objects(ty).remove(0);
        simulator.set_unreadable(ty, path);
        let list = connect
            .list_all_storage_pools(StoragePoolFilter::NONE)
            .await;
        assert_eq!(text(list), crate::unreadable(path, &object.to_string()));
    }
}

#[tokio::test]
async fn hosts_without_an_adapter_and_several_ways_to_a_target() {
    let (_, connect) = opened(Simulator::esx().iscsi(false)).await;
    assert_eq!(
        names(&connect, StoragePoolFilter::NONE).await,
        ["datastore1", "ssd"]
    );

    let name = "iqn.2001-05.com.example:two";
    let target = IscsiTarget::new(name)
        .portal("192.0.2.60", 3260)
        .portal("192.0.2.61", 3261)
        .lun(1 << 30);
    let (_, connect) = opened(Simulator::esx().iscsi_target(target)).await;
    let iscsi = names(&connect, StoragePoolFilter::ISCSI).await;
    assert_eq!(iscsi, [TARGET, name], "each target once");
    let found = document(&connect, name).await.unwrap();
    assert!(found.contains("<host name='192.0.2.60' port='3260'/>"));
    assert!(found.contains("<host name='192.0.2.61' port='3261'/>"));
}

#[tokio::test]
async fn a_pool_is_the_datastore_of_one_host() {
    let simulator = Simulator::vcenter().build();
    let uri = format!("vpx://vc/{}", simulator.path());
    let connect = open(&simulator, &uri).await.unwrap();
    simulator.clear_requests();
    let list = connect
        .list_all_storage_pools(StoragePoolFilter::NONE)
        .await;
    assert_eq!(methods(&simulator), ["RetrievePropertiesEx"]);
    let list = list.unwrap();
    let before = list[0].pool.clone();
    // The other host mounts it at another path.
    let host = crate::host_of(&connect).clone();
    let moref = datastore(&simulator, before.name());
    let changed = simulator.change(&moref, |datastore: &mut Datastore| {
        assert!(datastore.host.len() > 1);
        for mount in &mut datastore.host {
            if mount.key != host {
                mount.mount_info.path = Some("/vmfs/volumes/elsewhere".to_owned());
                mount.mount_info.accessible = Some(false);
            }
        }
    });
    changed.unwrap();
    let same = pool(&connect, before.name()).await;
    assert_eq!(same.uuid(), before.uuid());
    let info = same.info().await.unwrap();
    assert_eq!(info.state, Running);
    let others = simulator.objects("HostSystem");
    let other = others.iter().find(|other| {
        let datastore = simulator.properties::<Datastore>(&moref).unwrap();
        **other != host && datastore.host.iter().any(|mount| mount.key == **other)
    });
    let name = simulator
        .properties::<vi_types::properties::HostSystem>(other.unwrap())
        .unwrap()
        .name
        .clone()
        .unwrap();
    let path = simulator.path();
    let (cluster, _) = path.rsplit_once('/').unwrap();
    let there = open(&simulator, &format!("vpx://vc/{cluster}/{name}"))
        .await
        .unwrap();
    let there = pool(&there, before.name()).await;
    assert_ne!(there.uuid(), before.uuid());
    assert_eq!(there.info().await.unwrap().state, Inaccessible);
}

#[tokio::test]
async fn sources() {
    let (simulator, connect) = opened(kinds()).await;
    let netfs = connect.find_storage_pool_sources("netfs", None).await;
    assert_eq!(
        netfs.unwrap(),
        "<sources>
  <source>
    <host name='nas.example.com'/>
    <dir path='/iso'/>
    <format type='nfs'/>
  </source>
  <source>
    <host name='nas1.example.com'/>
    <host name='nas2.example.com'/>
    <dir path='/backup'/>
    <format type='nfs'/>
    <protocol ver='4.1'/>
  </source>
  <source>
    <host name='win.example.com'/>
    <dir path='/share'/>
    <format type='cifs'/>
  </source>
</sources>
"
    );
    let spec = "<source><host name='NAS.example.com'/></source>";
    let one = connect.find_storage_pool_sources("netfs", Some(spec)).await;
    assert_eq!(one.unwrap().matches("<source>").count(), 1);
    let iscsi = connect.find_storage_pool_sources("iscsi", None).await;
    assert!(
        iscsi
            .unwrap()
            .contains(&format!("<device path='{TARGET}'/>"))
    );
    let elsewhere = "<source><host name='192.0.2.99'/></source>";
    let none = connect
        .find_storage_pool_sources("iscsi", Some(elsewhere))
        .await;
    assert!(!none.unwrap().contains("<source>"));
    let fs = connect.find_storage_pool_sources("fs", None).await.unwrap();
    assert!(
        fs.contains("<device path='/vmfs/devices/disks/naa."),
        "{fs}"
    );
    assert!(fs.contains("<format type='vmfs'/>"), "{fs}");
    assert_eq!(methods(&simulator).len(), 5);
    for (kind, expected) in [
        (
            "dir",
            "this function is not supported by the connection driver: pool type 'dir' does not support source discovery",
        ),
        ("foo", "internal error: unknown storage pool type foo"),
    ] {
        assert_eq!(
            text(connect.find_storage_pool_sources(kind, None).await),
            expected
        );
    }
    assert_eq!(methods(&simulator).len(), 5);
    let broken = connect
        .find_storage_pool_sources("iscsi", Some("<pool/>"))
        .await;
    assert_eq!(broken.unwrap_err().kind(), ErrorKind::Definition);
}

#[tokio::test]
async fn capabilities() {
    let (simulator, connect) = host().await;
    let xml = connect.storage_pool_capabilities();
    assert!(xml.starts_with(
        "<storagepoolCapabilities>
  <pool type='dir' supported='yes'>
    <volOptions>
      <defaultFormat type='vmdk'/>
      <enum name='targetFormatType'>
        <value>vmdk</value>
        <value>iso</value>
        <value>raw</value>
      </enum>
    </volOptions>
  </pool>
  <pool type='fs' supported='yes'>
    <poolOptions>
      <defaultFormat type='auto'/>
      <enum name='sourceFormatType'>
        <value>auto</value>
        <value>vmfs</value>
      </enum>
    </poolOptions>
"
    ));
    assert!(xml.contains("  <pool type='iscsi' supported='yes'>\n  </pool>\n"));
    assert!(xml.contains("  <pool type='logical' supported='no'>\n  </pool>\n"));
    assert_eq!(methods(&simulator), [""; 0]);
}

#[tokio::test]
async fn a_fault_is_told() {
    let (simulator, connect) = host().await;
    let pool = pool(&connect, "ssd").await;
    simulator.inject(Rule::new("RefreshDatastore", fault()).nth(1));
    assert!(pool.refresh().await.is_err());
    pool.refresh().await.unwrap();
}
