//! Datastores as pools.

use vi_client::property_set;
use vi_types::{
    ManagedObjectReference, Poly,
    objects::{DatastoreHostMount, DatastoreInfo, HostMountInfo},
};
use virt_model::storage_pool::{StoragePoolInfo, StoragePoolState, StoragePoolType};

use super::{StoragePool, StoragePoolEntry};
use crate::{
    Connect,
    datastore::{mount_on, place_of},
};

property_set! {
    /// A datastore in a list of pools.
    pub(super) struct Row: Datastore {
        name: String = summary.name,
        url: String = summary.url,
        kind: String = summary.r#type,
        accessible: bool = summary.accessible,
        capacity: Option<i64> = summary.capacity,
        free: Option<i64> = summary.free_space,
        mounts: Vec<DatastoreHostMount> = host,
    }
}

property_set! {
    /// A datastore with what kind of file system it is.
    pub(super) struct Detail: Datastore {
        pub(super) name: String = summary.name,
        pub(super) kind: String = summary.r#type,
        accessible: bool = summary.accessible,
        capacity: Option<i64> = summary.capacity,
        free: Option<i64> = summary.free_space,
        pub(super) info: Option<Poly<DatastoreInfo>> = info,
        pub(super) mounts: Vec<DatastoreHostMount> = host,
    }
}

impl Detail {
    /// State and sizes on a host; `None` if that host has not mounted the datastore.
    pub(super) fn info_on(&self, host: &ManagedObjectReference) -> Option<StoragePoolInfo> {
        let mount = mount_on(&self.mounts, host)?;
        Some(info(mount, self.accessible, self.capacity, self.free))
    }
}

impl Row {
    /// The pool and the path where the connection's host, `host`, has mounted it. `None` if that host has not mounted it.
    pub(super) fn pool(
        self,
        connect: &Connect,
        host: &ManagedObjectReference,
        moref: ManagedObjectReference,
    ) -> Option<(StoragePoolEntry, String)> {
        let info = self.info(host)?;
        let path = place_of(mount_on(&self.mounts, host)?, &self.url).to_owned();
        let entry = StoragePoolEntry {
            kind: kind(&self.kind),
            info,
            pool: StoragePool::of_datastore(connect, self.name, moref, &path),
        };
        Some((entry, path))
    }

    /// State and sizes on a host; `None` if that host has not mounted the datastore.
    pub(super) fn info(&self, host: &ManagedObjectReference) -> Option<StoragePoolInfo> {
        let mount = mount_on(&self.mounts, host)?;
        Some(info(mount, self.accessible, self.capacity, self.free))
    }
}

/// Whether a host can access a datastore. The datastore's summary says whether any host can.
pub(crate) fn is_accessible(mount: &HostMountInfo, anywhere: bool) -> bool {
    mount.accessible.unwrap_or(anywhere) && mount.mounted.unwrap_or(true)
}

/// State and sizes of a mounted datastore (esxStoragePoolGetInfo of libvirt's esx_storage_backend_vmfs.c, 9.0.0, which
/// takes an unmounted one for inaccessible).
pub(super) fn info(
    mount: &HostMountInfo,
    anywhere: bool,
    capacity: Option<i64>,
    free: Option<i64>,
) -> StoragePoolInfo {
    let bytes = |value: Option<i64>| value.and_then(|value| u64::try_from(value).ok());
    let (capacity, available) = (bytes(capacity).unwrap_or(0), bytes(free).unwrap_or(0));
    let empty = |state| StoragePoolInfo {
        state,
        capacity: 0,
        allocation: 0,
        available: 0,
    };
    if mount.mounted == Some(false) {
        return empty(StoragePoolState::Inactive);
    }
    if !is_accessible(mount, anywhere) {
        return empty(StoragePoolState::Inaccessible);
    }
    StoragePoolInfo {
        state: StoragePoolState::Running,
        capacity,
        allocation: capacity.saturating_sub(available),
        available,
    }
}

/// libvirt's type of a datastore of that type (`summary.type`). libvirt goes by the class of `info`, which is the same
/// where it knows the class, and fails for others: vSAN, vVol and persistent memory are directories of the host here.
pub(super) fn kind(kind: &str) -> StoragePoolType {
    match kind.to_ascii_uppercase().as_str() {
        "VMFS" => StoragePoolType::Fs,
        "NFS" | "NFS41" | "CIFS" => StoragePoolType::Netfs,
        _ => StoragePoolType::Dir,
    }
}
