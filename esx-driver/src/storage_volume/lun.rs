//! The LUNs of iSCSI targets.

use std::collections::HashSet;

use vi_client::property_set;
use vi_types::Poly;
use vi_types::objects::{
    HostInternetScsiTargetTransport, HostScsiDisk, HostScsiTopologyInterface, ScsiLun,
};
use virt_model::storage_vol::{StorageVolInfo, StorageVolType};

use super::missing;
use crate::connect::no_host;
use crate::derived_uuid::derived_uuid;
use crate::{Connect, Error, Result};

property_set! {
    struct Devices: HostSystem {
        luns: Vec<Poly<ScsiLun>> = config.storage_device.scsi_lun,
        adapters: Vec<HostScsiTopologyInterface> = config.storage_device.scsi_topology.adapter,
    }
}

/// A LUN of an iSCSI target.
#[derive(Debug, Clone)]
pub(super) struct Lun {
    /// The target's name.
    pub(super) target: String,
    /// The name of the device on the host.
    pub(super) name: String,
    /// The path of the device on the host.
    pub(super) path: String,
    /// The key: the MD5 sum of the LUN's UUID (libvirt 9.0.0, esx_storage_backend_iscsi.c).
    pub(super) key: String,
    /// In bytes; `None` if it is no disk.
    pub(super) capacity: Option<u64>,
}

impl Lun {
    fn new(target: &str, lun: &Poly<ScsiLun>) -> Lun {
        let disk = lun.cast::<HostScsiDisk>();
        let name = lun.base.device_name.clone();
        let size = |block: i64, count: i64| {
            u64::try_from(block)
                .ok()?
                .checked_mul(u64::try_from(count).ok()?)
        };
        Lun {
            target: target.to_owned(),
            path: disk.map_or_else(|| name.clone(), |disk| disk.device_path.clone()),
            name,
            key: derived_uuid(&lun.uuid).to_string(),
            capacity: disk
                .and_then(|disk| size(i64::from(disk.capacity.block_size), disk.capacity.block)),
        }
    }

    /// Type and sizes. All of a LUN is allocated.
    pub(super) fn info(&self) -> StorageVolInfo {
        let capacity = self.capacity.unwrap_or(0);
        StorageVolInfo {
            kind: StorageVolType::Block,
            capacity,
            allocation: capacity,
        }
    }
}

/// libvirt's text (esxStorageVolGetInfo of esx_storage_backend_iscsi.c, 9.0.0).
pub(super) fn no_lun(name: &str) -> Error {
    missing(format!("Could not find volume with name: {name}"))
}

impl Connect {
    /// The LUNs of an iSCSI target, each once however many paths lead to it, in the order of the host's devices: one
    /// request.
    ///
    /// # Errors
    /// libvirt's "Target not found" if no adapter is connected with the target.
    pub(super) async fn luns_of(&self, target: &str) -> Result<Vec<Lun>> {
        let devices = self.scsi_devices().await?;
        let mut keys = HashSet::new();
        let mut is_connected = false;
        for (name, luns) in targets(&devices) {
            if name == target {
                is_connected = true;
                keys.extend(luns);
            }
        }
        if !is_connected {
            return Err(missing("Target not found".to_owned()).advise(
                "no adapter of the host is connected with the target; refresh the pool, which looks for it again",
            ));
        }
        let luns = devices.luns.iter().filter(|lun| {
            let key = lun.key.as_deref();
            key.is_some_and(|key| keys.contains(key))
        });
        Ok(luns.map(|lun| Lun::new(target, lun)).collect())
    }

    /// The LUNs of all iSCSI targets of the host: one request. A LUN of several targets is there for each.
    pub(super) async fn luns(&self) -> Result<Vec<Lun>> {
        let devices = self.scsi_devices().await?;
        let mut found = Vec::new();
        let mut seen = HashSet::new();
        for (target, luns) in targets(&devices) {
            for key in luns {
                let mut all = devices.luns.iter();
                let lun = all.find(|lun| lun.key.as_deref() == Some(key));
                if let Some(lun) = lun
                    && seen.insert((target, key))
                {
                    found.push(Lun::new(target, lun));
                }
            }
        }
        Ok(found)
    }

    async fn scsi_devices(&self) -> Result<Devices> {
        let found = self.read_complete(self.host_system().await?).await?;
        found.ok_or_else(no_host)
    }
}

/// The names of the iSCSI targets that adapters are connected with, each with the keys of its LUNs. A target that several
/// paths lead to comes several times.
fn targets(devices: &Devices) -> impl Iterator<Item = (&str, impl Iterator<Item = &str>)> {
    let targets = devices.adapters.iter().flat_map(|adapter| &adapter.target);
    targets.filter_map(|target| {
        let transport = target.transport.as_ref()?;
        let transport = transport.cast::<HostInternetScsiTargetTransport>()?;
        let luns = target.lun.iter().map(|lun| lun.scsi_lun.as_str());
        Some((transport.i_scsi_name.as_str(), luns))
    })
}
