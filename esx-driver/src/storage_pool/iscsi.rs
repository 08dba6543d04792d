//! Targets of iSCSI adapters as pools.

use vi_client::property_set;
use vi_types::{
    Poly,
    objects::{
        HostHostBusAdapter, HostInternetScsiHba, HostInternetScsiHbaStaticTarget,
        HostInternetScsiTargetTransport, HostScsiTopology,
    },
};
use virt_model::storage_pool::{StoragePoolInfo, StoragePoolState, StoragePoolType};

use super::{StoragePool, StoragePoolEntry};
use crate::{Connect, Result, connect::no_host};

property_set! {
    /// The adapters of a host.
    pub(super) struct Adapters: HostSystem {
        adapters: Vec<Poly<HostHostBusAdapter>> = config.storage_device.host_bus_adapter,
    }
}

property_set! {
    /// The adapters of a host, and what they have found.
    pub(super) struct FoundDevices: HostSystem {
        adapters: Vec<Poly<HostHostBusAdapter>> = config.storage_device.host_bus_adapter,
        topology: Option<HostScsiTopology> = config.storage_device.scsi_topology,
    }
}

impl FoundDevices {
    /// The targets of the adapters.
    pub(super) fn targets(&self) -> Vec<Target> {
        targets(&self.adapters)
    }

    /// Whether an adapter has found LUNs of the target.
    pub(super) fn has_luns(&self, target: &str) -> bool {
        let topology = self.topology.iter();
        let adapters = topology.flat_map(|topology| &topology.adapter);
        let mut found = adapters.flat_map(|adapter| &adapter.target);
        found.any(|found| {
            let transport = found.transport.as_ref();
            let iscsi = transport.and_then(|any| any.cast::<HostInternetScsiTargetTransport>());
            iscsi.is_some_and(|iscsi| iscsi.i_scsi_name == target) && !found.lun.is_empty()
        })
    }
}

/// The default port of iSCSI.
pub(super) const PORT: i32 = 3260;

/// A target of a host's adapters.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Target {
    /// Its name: an IQN, EUI or NAA.
    pub(super) name: String,
    /// Where the adapters reach it; there is one at least.
    pub(super) portals: Vec<Portal>,
}

/// Where an adapter reaches a target.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Portal {
    /// The adapter's device: `vmhba64`.
    pub(super) adapter: String,
    /// The adapter's own name.
    pub(super) initiator: String,
    /// The target as the adapter's configuration has it.
    pub(super) target: HostInternetScsiHbaStaticTarget,
}

impl Adapters {
    /// The iSCSI adapters.
    pub(super) fn iscsi(&self) -> impl Iterator<Item = &HostInternetScsiHba> {
        iscsi(&self.adapters)
    }

    /// The targets of the adapters.
    pub(super) fn targets(&self) -> Vec<Target> {
        targets(&self.adapters)
    }
}

/// The iSCSI adapters.
fn iscsi(adapters: &[Poly<HostHostBusAdapter>]) -> impl Iterator<Item = &HostInternetScsiHba> {
    let adapters = adapters.iter();
    adapters.filter_map(|adapter| adapter.cast::<HostInternetScsiHba>())
}

/// The targets of all adapters in their order, each once. (libvirt 9.0.0 looks at the first iSCSI adapter only, and has a
/// pool for each path to a target.)
fn targets(adapters: &[Poly<HostHostBusAdapter>]) -> Vec<Target> {
    let mut targets: Vec<Target> = Vec::new();
    for adapter in iscsi(adapters) {
        for target in &adapter.configured_static_target {
            let portal = Portal {
                adapter: adapter.base.device.clone(),
                initiator: adapter.i_scsi_name.clone(),
                target: target.clone(),
            };
            let name = &target.i_scsi_name;
            match targets.iter_mut().find(|known| known.name == *name) {
                Some(known) => known.portals.push(portal),
                None => targets.push(Target {
                    name: name.clone(),
                    portals: vec![portal],
                }),
            }
        }
    }
    targets
}

impl Portal {
    /// The target without what the server says of it.
    pub(super) fn plain_target(&self) -> HostInternetScsiHbaStaticTarget {
        HostInternetScsiHbaStaticTarget {
            address: self.target.address.clone(),
            port: self.target.port,
            i_scsi_name: self.target.i_scsi_name.clone(),
            ..HostInternetScsiHbaStaticTarget::default()
        }
    }
}

impl Target {
    /// The devices of the adapters that have the target, each once.
    pub(super) fn adapters(&self) -> Vec<String> {
        let mut adapters: Vec<String> = Vec::new();
        for portal in &self.portals {
            if !adapters.contains(&portal.adapter) {
                adapters.push(portal.adapter.clone());
            }
        }
        adapters
    }

    /// The pool.
    pub(super) fn pool(self, connect: &Connect) -> StoragePoolEntry {
        let adapters = self.adapters();
        StoragePoolEntry {
            pool: StoragePool::of_target(connect, self.name, adapters),
            kind: StoragePoolType::Iscsi,
            info: info(),
        }
    }
}

impl Connect {
    /// The host's adapters: one request.
    pub(super) async fn adapters(&self) -> Result<Adapters> {
        let found = self.read_complete(self.host_system().await?).await?;
        found.ok_or_else(no_host)
    }

    /// The targets of the host's iSCSI adapters: one request.
    pub(super) async fn iscsi_targets(&self) -> Result<Vec<Target>> {
        Ok(self.adapters().await?.targets())
    }
}

/// A target runs and has no sizes of its own: those of its LUNs are its volumes' (esxStoragePoolGetInfo of libvirt's
/// esx_storage_backend_iscsi.c, 9.0.0).
pub(super) fn info() -> StoragePoolInfo {
    StoragePoolInfo {
        state: StoragePoolState::Running,
        capacity: 0,
        allocation: 0,
        available: 0,
    }
}
