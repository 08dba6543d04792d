//! Starting, stopping, reading anew and removing pools.

use vi_types::{
    ManagedObjectReference,
    objects::{LocalDatastoreInfo, NasDatastoreInfo, ResourceInUse, VmfsDatastoreInfo},
    references,
};
use virt_model::{
    ErrorNumber,
    flags::{
        StoragePoolBuildFlags, StoragePoolCreateFlags, StoragePoolDeleteFlags, refuse_both,
        refuse_unknown,
    },
    storage_pool::StoragePoolState,
};

use super::{Backend, StoragePool, changes::Targets, datastore::Detail};
use crate::{
    Error, ErrorKind, Operation, Result,
    engine::{Change, Runner},
    error::fault_words,
    undo::take_back,
};

/// What a datastore is to its host.
enum Datastore {
    /// A VMFS volume, by its UUID.
    Vmfs(String),
    /// A server's file system.
    Nas,
    /// A directory of the host.
    Local,
    /// What the host's cluster or another program makes: vSAN, vVol, persistent memory.
    Other,
}

impl Datastore {
    fn of(detail: &Detail) -> Datastore {
        let Some(info) = &detail.info else {
            return Datastore::Other;
        };
        if let Some(vmfs) = info.cast::<VmfsDatastoreInfo>() {
            let volume = vmfs.vmfs.as_ref().map(|volume| volume.uuid.clone());
            return volume.map_or(Datastore::Other, Datastore::Vmfs);
        }
        if info.is::<NasDatastoreInfo>() {
            return Datastore::Nas;
        }
        match info.is::<LocalDatastoreInfo>() {
            true => Datastore::Local,
            false => Datastore::Other,
        }
    }
}

impl StoragePool {
    /// Reads the pool anew: the host looks how much of a datastore is in use, or its adapters look for the LUNs of a
    /// target.
    ///
    /// # Errors
    /// What any [`Operation`] may fail with. If there is no reply, the server does not show whether it was done; it can be
    /// repeated.
    #[doc(alias = "virStoragePoolRefresh")]
    pub fn refresh(&self) -> Operation<'static> {
        let pool = self.clone();
        Operation::new("Could not refresh storage pool", move |mut runner| {
            Box::pin(async move {
                let connect = &pool.connect;
                match &pool.backend {
                    Backend::Datastore(moref) => {
                        let datastore = references::Datastore::from(moref.clone());
                        let change = Change::call(connect.client(), datastore.refresh_datastore());
                        pool.perform(&mut runner, change).await
                    }
                    Backend::Iscsi { adapters } => {
                        for adapter in adapters {
                            pool.perform(&mut runner, connect.rescan(adapter).await?)
                                .await?;
                        }
                        Ok(())
                    }
                }
            })
        })
    }

    /// Starts an inactive pool: mounts a VMFS volume that was unmounted.
    ///
    /// # Errors
    /// [`ErrorKind::WrongState`] if the pool is active; [`ErrorKind::Exists`] with a flag that builds the pool, which it
    /// is; [`ErrorKind::UnsupportedFlags`] for any other flag; what any [`Operation`] may fail with.
    #[doc(alias = "virStoragePoolCreate")]
    pub fn create(&self, flags: StoragePoolCreateFlags) -> Operation<'static> {
        let pool = self.clone();
        Operation::new("Could not start storage pool", move |mut runner| {
            Box::pin(async move {
                let build = StoragePoolCreateFlags::WITH_BUILD
                    | StoragePoolCreateFlags::WITH_BUILD_OVERWRITE
                    | StoragePoolCreateFlags::WITH_BUILD_NO_OVERWRITE;
                refuse_unknown(flags, build, "esxStoragePoolCreate")?;
                let (moref, detail) = runner.prepare(pool.inactive("already active")).await?;
                if flags.intersects(build) {
                    return Err(pool.is_built());
                }
                match Datastore::of(&detail) {
                    Datastore::Vmfs(volume) => {
                        let change = pool.connect.set_mounted(&moref, &volume, true).await?;
                        pool.perform(&mut runner, change).await
                    }
                    _ => Err(pool.unsupported("started")),
                }
            })
        })
    }

    /// Builds an inactive pool. All pools are built, so this fails always: [storage_pool_create_xml] makes a pool on a
    /// free device with a flag that builds it.
    ///
    /// # Errors
    /// [`ErrorKind::WrongState`] if the pool is active; [`ErrorKind::Exists`] if it is not;
    /// [`ErrorKind::UnsupportedFlags`] for the flags `REPAIR` and `RESIZE`.
    ///
    /// [storage_pool_create_xml]: crate::Connect::storage_pool_create_xml
    #[doc(alias = "virStoragePoolBuild")]
    pub fn build(&self, flags: StoragePoolBuildFlags) -> Operation<'static> {
        let pool = self.clone();
        Operation::new("Could not build storage pool", move |mut runner| {
            Box::pin(async move {
                let overwrite = StoragePoolBuildFlags::OVERWRITE;
                let no_overwrite = StoragePoolBuildFlags::NO_OVERWRITE;
                refuse_unknown(flags, overwrite | no_overwrite, "esxStoragePoolBuild")?;
                refuse_both(
                    flags,
                    (overwrite, "VIR_STORAGE_POOL_BUILD_OVERWRITE"),
                    (no_overwrite, "VIR_STORAGE_POOL_BUILD_NO_OVERWRITE"),
                )?;
                runner.prepare(pool.inactive("already active")).await?;
                Err(pool.is_built())
            })
        })
    }

    /// Stops the pool. No data is lost:
    ///
    /// - A VMFS volume is unmounted. The pool is inactive then, and can be [started](StoragePool::create) or
    ///   [undefined](StoragePool::undefine).
    /// - A file system of a server is unmounted, and a directory of the host is a datastore no more. As hosts do not
    ///   remember them, the pool is gone.
    /// - The adapters forget a target and look for devices. The pool is gone.
    ///
    /// # Errors
    /// [`ErrorKind::WrongState`] if the pool is inactive or a domain uses it; [`ErrorKind::Unsupported`] for other
    /// datastores, such as vSAN; what any [`Operation`] may fail with.
    #[doc(alias = "virStoragePoolDestroy")]
    pub fn destroy(&self) -> Operation<'static> {
        let pool = self.clone();
        Operation::new("Could not destroy storage pool", move |mut runner| {
            Box::pin(async move {
                let Backend::Datastore(moref) = &pool.backend else {
                    return pool.forget_target(&mut runner).await;
                };
                let detail = runner.prepare(pool.read::<Detail>(moref)).await?;
                if pool.state_of(&detail).await? == StoragePoolState::Inactive {
                    return Err(pool.wrong_state("not active"));
                }
                let change = match Datastore::of(&detail) {
                    Datastore::Vmfs(volume) => {
                        pool.connect.set_mounted(moref, &volume, false).await?
                    }
                    Datastore::Nas | Datastore::Local => {
                        pool.connect.remove_datastore(moref).await?
                    }
                    Datastore::Other => return Err(pool.unsupported("destroyed")),
                };
                pool.perform(&mut runner, change).await
            })
        })
    }

    /// Deletes a VMFS file system with all its files. Its devices are free then. The data of other pools is not the
    /// host's to delete.
    ///
    /// The host refuses to delete a file system that a domain uses. Hosts delete only what is mounted: so an inactive pool
    /// is mounted first, and unmounted again if it is not deleted. Unlike libvirt's storage driver, an active pool is
    /// deleted, too.
    ///
    /// # Errors
    /// [`ErrorKind::WrongState`] if a domain uses the pool; [`ErrorKind::Unsupported`] for pools of another type;
    /// [`ErrorKind::UnsupportedFlags`] for any flag; what any [`Operation`] may fail with.
    #[doc(alias = "virStoragePoolDelete")]
    pub fn delete(&self, flags: StoragePoolDeleteFlags) -> Operation<'static> {
        let pool = self.clone();
        Operation::new("Could not delete storage pool", move |mut runner| {
            Box::pin(async move {
                refuse_unknown(flags, StoragePoolDeleteFlags::NONE, "esxStoragePoolDelete")?;
                // libvirt's text (storagePoolDelete of storage_driver.c, 9.0.0).
                let refused = || {
                    Error::new(
                        ErrorKind::Unsupported,
                        ErrorNumber::NoSupport,
                        "pool does not support pool deletion",
                    )
                    .advise(format!(
                        "the data of '{}' is not the host's to delete; destroy takes the pool from the host",
                        pool.name
                    ))
                };
                let Backend::Datastore(moref) = &pool.backend else {
                    return Err(refused());
                };
                let detail = runner.prepare(pool.read::<Detail>(moref)).await?;
                match Datastore::of(&detail) {
                    Datastore::Vmfs(volume) => {
                        let change = pool.connect.remove_datastore(moref).await?;
                        let mut mounted = Vec::new();
                        if pool.state_of(&detail).await? == StoragePoolState::Inactive {
                            let mount = pool.connect.set_mounted(moref, &volume, true).await?;
                            let done = pool.perform(&mut runner, mount).await;
                            done.map_err(|error| match error.kind() {
                                ErrorKind::InDoubt => {
                                    error.note(&format!("'{}' may be mounted now", pool.name))
                                }
                                _ => error,
                            })?;
                            let unmount = pool.connect.set_mounted(moref, &volume, false).await?;
                            let what = format!("'{}' was mounted", pool.name);
                            mounted.push((what, Some(unmount)));
                        }
                        match pool.perform(&mut runner, change).await {
                            Ok(()) => Ok(()),
                            Err(error) => Err(take_back(error, mounted).await),
                        }
                    }
                    _ => Err(refused()),
                }
            })
        })
    }

    /// Lets the host forget an inactive pool: a VMFS volume that was unmounted. Its files stay, and the host finds it
    /// again when it scans its devices.
    ///
    /// # Errors
    /// [`ErrorKind::WrongState`] if the pool is active; what any [`Operation`] may fail with.
    #[doc(alias = "virStoragePoolUndefine")]
    pub fn undefine(&self) -> Operation<'static> {
        let pool = self.clone();
        Operation::new("Could not undefine storage pool", move |mut runner| {
            Box::pin(async move {
                let inactive = runner.prepare(pool.inactive("still active")).await;
                let (moref, detail) = inactive.map_err(|error| match error.kind() {
                    ErrorKind::WrongState => error.advise(
                        "destroy it first; of a pool that is mounted from a server, or a target, nothing is left then",
                    ),
                    _ => error,
                })?;
                match Datastore::of(&detail) {
                    Datastore::Vmfs(volume) => {
                        let change = pool.connect.forget_vmfs(&moref, &volume).await?;
                        pool.perform(&mut runner, change).await
                    }
                    _ => Err(pool.unsupported("undefined")),
                }
            })
        })
    }

    /// Lets the adapters forget the target, and look for devices.
    async fn forget_target(&self, runner: &mut Runner<'_>) -> Result<()> {
        let connect = &self.connect;
        let target = runner.prepare(self.target()).await?;
        let mut forgotten = Vec::new();
        for portal in &target.portals {
            let targets = Targets::Static(portal.plain_target());
            let change = connect.remove_targets(&portal.adapter, &targets).await?;
            if let Err(error) = self.perform(runner, change).await {
                return Err(take_back(error, forgotten).await);
            }
            // What has secrets of its own cannot be put back as it was.
            let authentication = portal.target.authentication_properties.as_ref();
            let has_own = authentication
                .is_some_and(|set| set.chap_auth_enabled && set.chap_inherited != Some(true));
            let what = format!("{} was removed from {}", targets.words(), portal.adapter);
            let undo = match has_own {
                true => None,
                false => Some(connect.add_targets(&portal.adapter, &targets).await?),
            };
            forgotten.push((what, undo));
        }
        for adapter in target.adapters() {
            let change = connect.rescan(&adapter).await?;
            self.perform(runner, change).await.map_err(|error| {
                error.note(
                    "the target was removed; its LUNs go when the adapter is scanned the next time",
                )
            })?;
        }
        Ok(())
    }

    /// A datastore that was unmounted. `active` is how libvirt says that the pool is active.
    async fn inactive(&self, active: &str) -> Result<(ManagedObjectReference, Detail)> {
        let Backend::Datastore(moref) = &self.backend else {
            self.target().await?;
            return Err(self.wrong_state(active));
        };
        let detail: Detail = self.read(moref).await?;
        match self.state_of(&detail).await? {
            StoragePoolState::Inactive => Ok((moref.clone(), detail)),
            _ => Err(self.wrong_state(active)),
        }
    }

    async fn state_of(&self, detail: &Detail) -> Result<StoragePoolState> {
        let info = detail.info_on(self.connect.host_system().await?);
        let info = info.ok_or_else(|| super::no_pool_with_name(&self.name))?;
        Ok(info.state)
    }

    async fn perform(&self, runner: &mut Runner<'_>, change: Change<()>) -> Result<()> {
        let done = runner.perform(change).await;
        done.map_err(|error| self.refused(error))
    }

    /// What the server refused, in words about the pool.
    fn refused(&self, error: Error) -> Error {
        let name = &self.name;
        match error.fault() {
            Some(fault) if fault.is::<ResourceInUse>() => Error::new(
                ErrorKind::WrongState,
                ErrorNumber::OperationInvalid,
                format!("storage pool '{name}' is in use: {}", fault_words(fault)),
            )
            .advise("domains that have files on it have to be undefined or moved first")
            .because(error),
            _ => error,
        }
    }

    /// libvirt's texts (storage_driver.c, 9.0.0): `already active`, `still active`, `not active`.
    fn wrong_state(&self, is: &str) -> Error {
        Error::new(
            ErrorKind::WrongState,
            ErrorNumber::OperationInvalid,
            format!("storage pool '{}' is {is}", self.name),
        )
    }

    fn is_built(&self) -> Error {
        Error::new(
            ErrorKind::Exists(crate::What::StoragePool),
            ErrorNumber::StoragePoolBuilt,
            format!("storage pool '{}' has a file system", self.name),
        )
        .advise(
            "deleting it and creating it anew with a flag that builds it makes a new file system",
        )
    }

    fn unsupported(&self, verb: &str) -> Error {
        Error::new(
            ErrorKind::Unsupported,
            ErrorNumber::NoSupport,
            format!("storage pool '{}' cannot be {verb} by its host", self.name),
        )
    }
}
