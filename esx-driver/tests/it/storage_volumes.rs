//! Storage volumes: lists, lookups, keys, sizes and documents.

mod changes;
mod content;
mod luns;
mod many;
mod names;

use esx_driver::{
    Connect, ErrorKind, StoragePool, StorageVol, What,
    virt_model::{flags::StorageVolInfoFlags, storage_vol::StorageVolType},
};
use esx_sim::{Script, Simulator};
use futures_util::StreamExt as _;
use vi_types::objects::{VirtualDisk, VirtualDiskFlatVer2BackingInfo};
use vi_types::properties::VirtualMachine;

use crate::{host, methods, open, text};

async fn pool(connect: &Connect, name: &str) -> StoragePool {
    connect.storage_pool_lookup_by_name(name).await.unwrap()
}

async fn volume(connect: &Connect, path: &str) -> StorageVol {
    connect.storage_vol_lookup_by_path(path).await.unwrap()
}

/// What the preset has on `ssd`.
const NAMES: [&str; 6] = [
    "desktop/desktop.vmdk",
    "files/files.vmdk",
    "files/files_1.vmdk",
    "installer/installer.vmdk",
    "iso/netinst.iso",
    "web01/web01.vmdk",
];

#[tokio::test(start_paused = true)]
async fn lists_have_disks_and_images() {
    for simulator in [
        Simulator::esx().build(),
        Simulator::esx().api_version("2.5").unwrap().build(),
    ] {
        let connect = open(&simulator, "esx://esx.example.com/").await.unwrap();
        let pool = pool(&connect, "ssd").await;
        assert_eq!(pool.num_of_volumes().await.unwrap(), NAMES.len());
        assert_eq!(pool.list_volumes().await.unwrap(), NAMES);
        let entries = pool.list_all_volumes().await.unwrap();
        let mut streamed: Vec<_> = pool.volumes().map(Result::unwrap).collect().await;
        streamed.sort_by(|a, b| a.volume.name().cmp(b.volume.name()));
        for (entry, other) in entries.iter().zip(&streamed) {
            assert_eq!(entry.volume.name(), other.volume.name());
            assert_eq!(entry.info, other.info);
            let info = entry.volume.info(StorageVolInfoFlags::NONE).await.unwrap();
            assert_eq!(entry.info, info);
        }
        assert_eq!(entries.len(), streamed.len());
        let web = entries.last().unwrap();
        assert_eq!(web.volume.path(), "[ssd] web01/web01.vmdk");
        assert_eq!(web.volume.pool_name(), "ssd");
        assert_eq!(web.info.kind, StorageVolType::File);
        assert_eq!(web.info.capacity, 32 << 30);
    }
}

#[tokio::test(start_paused = true)]
async fn lists_take_one_search() {
    let (simulator, connect) = host().await;
    let pool = pool(&connect, "ssd").await;
    simulator.script(Script::new("*").steps(1));
    let list = [
        // The datastore's browser.
        "RetrievePropertiesEx",
        "SearchDatastoreSubFolders_Task",
        // The task, at once and a moment later.
        "RetrievePropertiesEx",
        "RetrievePropertiesEx",
    ];
    simulator.clear_requests();
    pool.list_volumes().await.unwrap();
    assert_eq!(methods(&simulator), list);
    simulator.clear_requests();
    let entries = pool.list_all_volumes().await.unwrap();
    assert_eq!(methods(&simulator), list);
    // A listed volume knows its datastore's browser.
    simulator.clear_requests();
    let info = entries[0].volume.info(StorageVolInfoFlags::NONE).await;
    info.unwrap();
    assert_eq!(
        methods(&simulator),
        [
            "SearchDatastore_Task",
            "RetrievePropertiesEx",
            "RetrievePropertiesEx"
        ]
    );
    simulator.clear_requests();
    entries[0].volume.xml_desc().await.unwrap();
    assert_eq!(
        methods(&simulator),
        [
            "SearchDatastore_Task",
            "RetrievePropertiesEx",
            "RetrievePropertiesEx",
            "QueryVirtualDiskUuid"
        ]
    );
}

/// vcsim finds nothing without a pattern.
#[tokio::test(start_paused = true)]
async fn every_search_has_a_pattern() {
    let (simulator, connect) = host().await;
    let pool = pool(&connect, "ssd").await;
    simulator.clear_requests();
    pool.list_volumes().await.unwrap();
    let streamed: Vec<_> = pool.volumes().map(Result::unwrap).collect().await;
    let first = &streamed[0].volume;
    first.info(StorageVolInfoFlags::NONE).await.unwrap();
    let requests = simulator.requests().into_iter();
    let mut searches = requests.filter(|request| {
        let method = request.method.as_deref();
        method.is_some_and(|method| method.starts_with("SearchDatastore"))
    });
    let patterns: Vec<_> = searches
        .by_ref()
        .map(|request| {
            let body = str::from_utf8(&request.body).unwrap().to_owned();
            let pattern = body.split("<matchPattern>").nth(1).unwrap();
            pattern.split('<').next().unwrap().to_owned()
        })
        .collect();
    let (name, folders) = patterns.split_last().unwrap();
    assert_eq!(name, first.name().rsplit('/').next().unwrap());
    assert!(folders.len() > 2 && folders.iter().all(|pattern| pattern == "*"));
}

#[tokio::test(start_paused = true)]
async fn a_disk_of_a_host_is_found_in_one_request() {
    let (simulator, connect) = host().await;
    let pool = pool(&connect, "ssd").await;
    simulator.clear_requests();
    let found = pool.volume_lookup_by_name("web01/web01.vmdk").await;
    let found = found.unwrap();
    assert_eq!(methods(&simulator), ["QueryVirtualDiskUuid"]);
    simulator.clear_requests();
    let key = found.key().await.unwrap();
    assert_eq!(key, "6000c290-0000-0000-c25f-8454bc6f925d");
    assert_eq!(methods(&simulator), [""; 0]);
    volume(&connect, "[ssd] web01/web01.vmdk").await;
    assert_eq!(methods(&simulator), ["QueryVirtualDiskUuid"]);
}

#[tokio::test(start_paused = true)]
async fn documents_are_libvirts() {
    let (simulator, connect) = host().await;
    simulator.make_disk("[ssd] d/x.vmdk", 1024, "lsilogic");
    let disk = volume(&connect, "[ssd] d/x.vmdk").await;
    let xml = disk.xml_desc().await.unwrap();
    let key = disk.key().await.unwrap();
    assert_eq!(
        xml.replace(&key, "KEY"),
        "\
<volume type='file'>
  <name>d/x.vmdk</name>
  <key>KEY</key>
  <capacity unit='bytes'>1048576</capacity>
  <allocation unit='bytes'>1048576</allocation>
  <target>
    <path>[ssd] d/x.vmdk</path>
    <format type='vmdk'/>
  </target>
</volume>
"
    );
    let image = volume(&connect, "[ssd] iso/netinst.iso").await;
    let xml = image.xml_desc().await.unwrap();
    assert!(xml.contains("<key>[ssd] iso/netinst.iso</key>"), "{xml}");
    assert!(xml.contains("<format type='iso'/>"), "{xml}");
}

#[tokio::test(start_paused = true)]
async fn any_file_is_found_by_its_path() {
    let (_simulator, connect) = host().await;
    for (path, kind) in [
        ("[ssd] web01/web01.vmx", StorageVolType::File),
        ("[ssd] web01/vmware.log", StorageVolType::File),
        ("[ssd] web01", StorageVolType::Dir),
    ] {
        let found = volume(&connect, path).await;
        let info = found.info(StorageVolInfoFlags::NONE).await.unwrap();
        assert_eq!(info.kind, kind, "{path}");
        assert_eq!(found.path(), path);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_is_not_found() {
    let esx = Simulator::esx().build();
    let vcenter = Simulator::vcenter().build();
    let of_vcenter = format!("vpx://vcenter.example.com/{}", vcenter.path());
    let of_esx = "esx://esx.example.com/".to_owned();
    for (simulator, uri) in [(&esx, of_esx), (&vcenter, of_vcenter)] {
        let connect = open(simulator, &uri).await.unwrap();
        let pool = connect.list_all_storage_pools(Default::default()).await;
        let pool = pool.unwrap().remove(0).pool;
        let name = pool.name().to_owned();
        let path = |file: &str| format!("[{name}] {file}");
        let folder = pool.list_volumes().await.unwrap().remove(0);
        let folder = folder.split('/').next().unwrap();
        for (file, expected) in [
            (
                format!("{folder}/none.vmdk"),
                format!(
                    "Storage volume not found: No storage volume with key or path '{}'",
                    path(&format!("{folder}/none.vmdk"))
                ),
            ),
            (
                "none/none.iso".to_owned(),
                format!(
                    "internal error: Could not search in datastore '{name}': FileNotFound - \
                     File {} was not found",
                    path("none")
                ),
            ),
        ] {
            let error = pool.volume_lookup_by_name(&file).await.unwrap_err();
            assert_eq!(error.to_string(), expected);
            assert_eq!(error.kind(), ErrorKind::NotFound(What::StorageVol));
            let error = connect.storage_vol_lookup_by_path(&path(&file)).await;
            assert_eq!(text(error), expected);
            let error = connect.storage_vol_lookup_by_key(&path(&file)).await;
            let key = path(&file);
            assert_eq!(
                text(error),
                format!("Storage volume not found: Could not find storage volume with key '{key}'")
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn paths_have_two_forms() {
    let (_simulator, connect) = host().await;
    for (path, expected) in [
        (
            "nope",
            "invalid argument: Unexpected volume path format: nope",
        ),
        ("", "invalid argument: Unexpected volume path format: "),
        (
            "[] a",
            "invalid argument: Datastore path '[] a' doesn't have expected format '[<datastore>] <path>'",
        ),
        (
            "[ssd]",
            "internal error: Datastore path '[ssd]' doesn't reference a file",
        ),
        (
            "[ssd] web01/",
            "internal error: Datastore path '[ssd] web01/' doesn't reference a file",
        ),
        (
            "[nope] a",
            "internal error: Could not find datastore with name 'nope'",
        ),
    ] {
        let found = connect.storage_vol_lookup_by_path(path).await;
        assert_eq!(text(found), expected, "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn keys_lead_back_to_their_volumes() {
    let (simulator, connect) = host().await;
    assert!(simulator.make_disk("[datastore1] loose/loose.vmdk", 1024, "lsilogic"));
    for pool in ["ssd", "datastore1"] {
        for entry in pool_entries(&connect, pool).await {
            let key = entry.key().await.unwrap();
            let found = connect.storage_vol_lookup_by_key(&key).await.unwrap();
            assert_eq!(found.path(), entry.path(), "{key}");
        }
    }
    for key in ["6000c290-0000-0000-c25f-000000000000", "nothing", ""] {
        let found = connect.storage_vol_lookup_by_key(key).await;
        assert_eq!(
            text(found),
            format!("Storage volume not found: Could not find storage volume with key '{key}'")
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_key_of_a_domains_disk_takes_three_requests() {
    let (simulator, connect) = host().await;
    let disk = volume(&connect, "[ssd] web01/web01.vmdk").await;
    let key = disk.key().await.unwrap();
    let vm = simulator.vm("web01").unwrap();
    let changed = simulator.change(&vm, |vm: &mut VirtualMachine| {
        let config = vm.config.as_mut().unwrap();
        for device in &mut config.hardware.device {
            let Some(disk) = device.cast_mut::<VirtualDisk>() else {
                continue;
            };
            let backing = disk.base.backing.as_mut().unwrap();
            let flat = backing.cast_mut::<VirtualDiskFlatVer2BackingInfo>();
            flat.unwrap().uuid = Some(key.clone());
        }
    });
    changed.unwrap();
    simulator.clear_requests();
    let found = connect.storage_vol_lookup_by_key(&key).await.unwrap();
    assert_eq!(found.path(), disk.path());
    assert_eq!(
        methods(&simulator),
        [
            // The LUNs, the domains' disks, and whether it is that one.
            "RetrievePropertiesEx",
            "RetrievePropertiesEx",
            "QueryVirtualDiskUuid",
        ]
    );
}

async fn pool_entries(connect: &Connect, name: &str) -> Vec<StorageVol> {
    let entries = pool(connect, name).await.list_all_volumes().await.unwrap();
    entries.into_iter().map(|entry| entry.volume).collect()
}

#[tokio::test(start_paused = true)]
async fn a_volume_leads_to_its_pool() {
    let (_simulator, connect) = host().await;
    let volume = volume(&connect, "[ssd] web01/web01.vmdk").await;
    let pool = connect.storage_pool_lookup_by_volume(&volume).await;
    assert_eq!(pool.unwrap().name(), "ssd");
}
