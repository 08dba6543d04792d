//! LUNs of iSCSI targets as volumes.

use esx_driver::{
    Connect, DownloadOptions, ErrorKind, What,
    virt_model::{
        flags::{
            StorageVolCreateFlags, StorageVolDeleteFlags, StorageVolDownloadFlags,
            StorageVolInfoFlags, StorageVolResizeFlags,
        },
        storage_vol::StorageVolType,
    },
};
use esx_sim::{IscsiTarget, Simulator};
use futures_util::StreamExt as _;

use super::pool;
use crate::{methods, open, text};

const TARGET: &str = "iqn.2001-05.com.example:db";
const OTHER: &str = "iqn.2001-05.com.example:other";

/// A host with a target of two LUNs at two addresses, and another target.
async fn targets() -> (Simulator, Connect) {
    let target = IscsiTarget::new(TARGET)
        .portal("192.0.2.80", 3260)
        .portal("192.0.2.81", 3260)
        .lun(100 << 30)
        .lun(200 << 30);
    let other = IscsiTarget::new(OTHER).lun(1 << 30);
    let simulator = Simulator::esx().iscsi_target(target).iscsi_target(other);
    let simulator = simulator.build();
    let connect = open(&simulator, "esx://esx.example.com/").await.unwrap();
    (simulator, connect)
}

#[tokio::test]
async fn a_target_has_its_own_luns_each_once() {
    let (simulator, connect) = targets().await;
    let pool = pool(&connect, TARGET).await;
    simulator.clear_requests();
    let entries = pool.list_all_volumes().await.unwrap();
    assert_eq!(methods(&simulator), ["RetrievePropertiesEx"]);
    let sizes: Vec<u64> = entries.iter().map(|entry| entry.info.capacity).collect();
    assert_eq!(sizes, [100 << 30, 200 << 30]);
    assert_eq!(pool.num_of_volumes().await.unwrap(), 2);
    let streamed: Vec<_> = pool
        .volumes()
        .map(|entry| entry.unwrap().info)
        .collect()
        .await;
    assert_eq!(streamed.len(), 2);
    for entry in &entries {
        let volume = &entry.volume;
        assert_eq!(entry.info.kind, StorageVolType::Block);
        assert_eq!(volume.pool_name(), TARGET);
        let key = volume.key().await.unwrap();
        for found in [
            pool.volume_lookup_by_name(volume.name()).await,
            connect.storage_vol_lookup_by_path(&volume.path()).await,
            connect.storage_vol_lookup_by_key(&key).await,
            connect.storage_vol_lookup_by_key(&volume.path()).await,
        ] {
            let found = found.unwrap();
            assert_eq!(found.path(), volume.path());
            assert_eq!(found.pool_name(), TARGET);
        }
        let info = volume.info(StorageVolInfoFlags::NONE).await.unwrap();
        assert_eq!(info, entry.info);
        let capacity = entry.info.capacity;
        let (name, path) = (volume.name(), volume.path());
        assert_eq!(
            volume.xml_desc().await.unwrap(),
            format!(
                "<volume type='block'>\n  <name>{name}</name>\n  <key>{key}</key>\n  \
                 <capacity unit='bytes'>{capacity}</capacity>\n  \
                 <allocation unit='bytes'>{capacity}</allocation>\n  <target>\n    \
                 <path>{path}</path>\n  </target>\n</volume>\n"
            )
        );
    }
}

#[tokio::test]
async fn a_lun_is_one_of_its_own_pool_only() {
    let (_simulator, connect) = targets().await;
    let lun = pool(&connect, TARGET)
        .await
        .list_volumes()
        .await
        .unwrap()
        .remove(0);
    let other = pool(&connect, OTHER).await;
    let error = other.volume_lookup_by_name(&lun).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound(What::StorageVol));
    assert_eq!(
        error.to_string(),
        format!("Storage volume not found: Could not find volume with name: {lun}")
    );
    assert_eq!(
        text(connect.storage_vol_lookup_by_path("/nope").await),
        "Storage volume not found: Could not find storage volume with path '/nope'"
    );
}

#[tokio::test]
async fn luns_are_not_changed() {
    let (_simulator, connect) = targets().await;
    let pool = pool(&connect, TARGET).await;
    let lun = pool.list_all_volumes().await.unwrap().remove(0).volume;
    let xml = "<volume><name>x</name><capacity>1</capacity></volume>";
    let options = DownloadOptions::default();
    let texts = [
        text(
            pool.create_volume_xml(xml, StorageVolCreateFlags::NONE)
                .await,
        ),
        text(
            pool.create_volume_xml_from(xml, &lun, StorageVolCreateFlags::NONE)
                .await,
        ),
        text(lun.delete(StorageVolDeleteFlags::NONE).await),
        text(lun.wipe().await),
        text(lun.resize(1, StorageVolResizeFlags::NONE).await),
        text(lun.download(options, StorageVolDownloadFlags::NONE).await),
    ];
    let whats = [
        "creation", "creation", "deletion", "wiping", "resizing", "download",
    ];
    for (text, what) in texts.iter().zip(whats) {
        assert_eq!(
            *text,
            format!(
                "this function is not supported by the connection driver: iSCSI storage pool does not \
                 support volume {what}"
            )
        );
    }
}
