//! One pool by its name, its UUID or its path.

use virt_model::Uuid;

use super::{StoragePool, no_pool, no_pool_with_name};
use crate::{Connect, Result, near::Near};

impl Connect {
    /// The pool of that name, datastores first: one request.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is none; as
    /// [`list_all_storage_pools`](Connect::list_all_storage_pools).
    #[doc(alias = "virStoragePoolLookupByName")]
    pub async fn storage_pool_lookup_by_name(&self, name: &str) -> Result<StoragePool> {
        let mut pools: Vec<_> = self.pools().await?.collect();
        if let Some(found) = pools.iter().position(|pool| pool.name == name) {
            return Ok(pools.swap_remove(found));
        }
        let mut near = Near::new(name);
        pools.iter().for_each(|pool| near.consider(&pool.name));
        Err(near.advise(no_pool_with_name(name)))
    }

    /// The pool with that UUID, datastores first: one request.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is none; as
    /// [`list_all_storage_pools`](Connect::list_all_storage_pools).
    #[doc(alias("virStoragePoolLookupByUUID", "virStoragePoolLookupByUUIDString"))]
    pub async fn storage_pool_lookup_by_uuid(&self, uuid: Uuid) -> Result<StoragePool> {
        let mut pools = self.pools().await?;
        let found = pools.find(|pool| pool.uuid == uuid);
        found.ok_or_else(|| no_pool(format!("Could not find storage pool with uuid '{uuid}'")))
    }

    /// The datastore that the host has mounted at that path: one request. A path by the datastore's name
    /// (`/vmfs/volumes/NAME`) leads to it, too, as it does on the host.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is none; as
    /// [`list_all_storage_pools`](Connect::list_all_storage_pools).
    #[doc(alias = "virStoragePoolLookupByTargetPath")]
    pub async fn storage_pool_lookup_by_target_path(&self, path: &str) -> Result<StoragePool> {
        let plain = |path: &str| path.trim_end_matches('/').to_owned();
        let wanted = plain(path);
        let by_name = wanted.strip_prefix("/vmfs/volumes/");
        let mut near = Near::new(&wanted);
        let mut named = None;
        for (entry, mount) in self.storage_pools().await?.datastores {
            let mount = plain(&mount);
            if mount == wanted {
                return Ok(entry.pool);
            }
            near.consider(&mount);
            if by_name == Some(&entry.pool.name) {
                named = named.or(Some(entry.pool));
            }
        }
        // libvirt's text (storagePoolLookupByTargetPath of storage_driver.c, 9.0.0).
        let missing = || {
            no_pool(format!(
                "no storage pool with matching target path '{path}'"
            ))
        };
        named.ok_or_else(|| near.advise(missing()))
    }

    /// All pools, datastores first: one request.
    pub(crate) async fn pools(&self) -> Result<impl Iterator<Item = StoragePool>> {
        let entries = self.storage_pools().await?.entries(self);
        Ok(StoragePool::of_entries(entries))
    }
}
