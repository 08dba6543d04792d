//! All pools of a host.

use vi_client::retrieve::PropertySet as _;
use virt_model::{
    flags::{StoragePoolFilter, refuse_unknown},
    storage_pool::StoragePoolState,
};

use super::{
    StoragePool, StoragePoolEntry,
    datastore::Row,
    iscsi::{Adapters, Target},
};
use crate::{Connect, Error, Result, connect::no_host, datastore};

/// What a host has that makes pools.
pub(super) struct Pools {
    /// The datastores that the host has mounted, in the server's order, with their paths.
    pub(super) datastores: Vec<(StoragePoolEntry, String)>,
    /// The host's adapters.
    pub(super) adapters: Adapters,
}

impl Pools {
    /// The targets of the adapters.
    pub(super) fn targets(&self) -> Vec<Target> {
        self.adapters.targets()
    }

    /// All pools, datastores first.
    pub(super) fn entries(self, connect: &Connect) -> Vec<StoragePoolEntry> {
        let targets = self.targets().into_iter();
        let targets = targets.map(|target| target.pool(connect));
        let datastores = self.datastores.into_iter().map(|(entry, _)| entry);
        datastores.chain(targets).collect()
    }
}

impl Connect {
    /// The host's pools that `filter` admits, with their types, states and sizes: the datastores that the host has
    /// mounted, then the targets of its iSCSI adapters, both in the server's order.
    ///
    /// One request at any number of pools. All pools are persistent and start with their host; a filter that wants
    /// others is answered without a request.
    ///
    /// # Errors
    /// [`ErrorKind::UnsupportedFlags`](crate::ErrorKind::UnsupportedFlags) for bits that libvirt does not have;
    /// [`ErrorKind::Property`](crate::ErrorKind::Property) if the user may not read the host's adapters or a datastore.
    #[doc(alias = "virConnectListAllStoragePools")]
    pub async fn list_all_storage_pools(
        &self,
        filter: StoragePoolFilter,
    ) -> Result<Vec<StoragePoolEntry>> {
        refuse_unknown(
            filter,
            StoragePoolFilter::FILTERS_ALL,
            "esxConnectListAllStoragePools",
        )?;
        let any = filter.admits(
            StoragePoolFilter::PERSISTENT,
            true,
            StoragePoolFilter::TRANSIENT,
        ) && filter.admits(
            StoragePoolFilter::AUTOSTART,
            true,
            StoragePoolFilter::NO_AUTOSTART,
        );
        if !any {
            return Ok(Vec::new());
        }
        let mut entries = self.storage_pools().await?.entries(self);
        entries.retain(|entry| {
            let is_active = entry.info.state != StoragePoolState::Inactive;
            filter.admits(
                StoragePoolFilter::ACTIVE,
                is_active,
                StoragePoolFilter::INACTIVE,
            ) && filter.admits_type(entry.kind)
        });
        Ok(entries)
    }

    /// The number of active pools: one request.
    ///
    /// # Errors
    /// As [`list_all_storage_pools`](Connect::list_all_storage_pools).
    #[doc(alias = "virConnectNumOfStoragePools")]
    pub async fn num_of_storage_pools(&self) -> Result<usize> {
        Ok(self.list_storage_pools().await?.len())
    }

    /// The names of the active pools: one request.
    ///
    /// # Errors
    /// As [`list_all_storage_pools`](Connect::list_all_storage_pools).
    #[doc(alias = "virConnectListStoragePools")]
    pub async fn list_storage_pools(&self) -> Result<Vec<String>> {
        self.names(StoragePoolFilter::ACTIVE).await
    }

    /// The number of inactive pools, which are datastores that were unmounted: one request.
    ///
    /// # Errors
    /// As [`list_all_storage_pools`](Connect::list_all_storage_pools).
    #[doc(alias = "virConnectNumOfDefinedStoragePools")]
    pub async fn num_of_defined_storage_pools(&self) -> Result<usize> {
        Ok(self.list_defined_storage_pools().await?.len())
    }

    /// The names of the inactive pools, which are datastores that were unmounted: one request.
    ///
    /// # Errors
    /// As [`list_all_storage_pools`](Connect::list_all_storage_pools).
    #[doc(alias = "virConnectListDefinedStoragePools")]
    pub async fn list_defined_storage_pools(&self) -> Result<Vec<String>> {
        self.names(StoragePoolFilter::INACTIVE).await
    }

    async fn names(&self, filter: StoragePoolFilter) -> Result<Vec<String>> {
        let entries = self.list_all_storage_pools(filter).await?.into_iter();
        Ok(entries.map(|entry| entry.pool.name).collect())
    }

    /// What makes pools: one request.
    pub(super) async fn storage_pools(&self) -> Result<Pools> {
        let host = self.host_system().await?;
        let request = datastore::of_host(host).set::<Row>().set::<Adapters>();
        let mut datastores = Vec::new();
        let mut adapters = None;
        for mut found in self.client().retrieve(&request).await? {
            // What the user may not read is not taken for something that is not there.
            if let Some(problem) = found.problems().next() {
                return Err(Error::missing_property(problem));
            }
            if found.object == *host {
                let found = Adapters::from_properties(&mut found);
                adapters = Some(found.map_err(Error::missing_property)?);
            } else {
                let row = Row::from_properties(&mut found).map_err(Error::missing_property)?;
                datastores.extend(row.pool(self, host, found.object));
            }
        }
        Ok(Pools {
            datastores,
            adapters: adapters.ok_or_else(no_host)?,
        })
    }
}

impl StoragePool {
    /// The pools of a list by themselves.
    pub(super) fn of_entries(entries: Vec<StoragePoolEntry>) -> impl Iterator<Item = StoragePool> {
        entries.into_iter().map(|entry| entry.pool)
    }
}
