//! Making pools from libvirt's documents.

mod plan;

use tracing::warn;
use vi_types::{
    ManagedObjectReference,
    methods::{QueryAvailableDisksForVmfs, QueryVmfsDatastoreCreateOptions},
    objects::{
        AlreadyExists, DuplicateName, HostInternetScsiHba, HostInternetScsiHbaSendTarget,
        HostInternetScsiHbaStaticTarget, HostScsiDisk, VmfsDatastoreAllExtentOption,
        VmfsDatastoreCreateSpec, VmfsDatastoreOption,
    },
};
use virt_model::{
    ErrorNumber,
    flags::{StoragePoolCreateFlags, StoragePoolDefineFlags, refuse_both, refuse_unknown},
    storage_pool::StoragePoolDef,
};

use self::plan::{Build, Plan, TargetPlan, VmfsPlan};
use super::{
    StoragePool,
    changes::Targets,
    datastore::Row,
    iscsi::{FoundDevices, PORT},
    list::Pools,
    no_pool_with_name,
};
use crate::{
    Connect, Error, ErrorKind, Operation, Result, What,
    connect::no_host,
    document,
    engine::Runner,
    error::fault_words,
    near::Near,
    undo::{Undo, take_back},
};

impl Connect {
    /// Makes the pool of libvirt's XML document. Hosts do not keep pools that are not started, so it is active at once.
    ///
    /// What the host makes of it follows from the type, as with [`storage_pool_create_xml`](Connect::storage_pool_create_xml).
    /// Nothing is built, so a pool of the type `fs` has to have a file system. A document that says the same as a pool
    /// that there is, with its UUID, changes nothing.
    ///
    /// # Errors
    /// As [`storage_pool_create_xml`](Connect::storage_pool_create_xml).
    #[doc(alias = "virStoragePoolDefineXML")]
    pub fn storage_pool_define_xml(
        &self,
        xml: &str,
        flags: StoragePoolDefineFlags,
    ) -> Operation<'static, StoragePool> {
        let validate = StoragePoolDefineFlags::VALIDATE;
        let def = refuse_unknown(flags, validate, "esxStoragePoolDefineXML")
            .map_err(Error::from)
            .and_then(|()| document::read(xml, flags.contains(validate)));
        self.make_pool("Could not define storage pool", def, None, true)
    }

    /// Makes the pool of libvirt's XML document and starts it:
    ///
    /// | type | what is done | what the document says |
    /// |---|---|---|
    /// | `netfs` | the host mounts a server's directory | host, directory, format `nfs` or `cifs`, version of NFS (`3`, `4.1`) |
    /// | `fs` | a VMFS file system is made on a free device, if a flag wants it built | device, format `vmfs` |
    /// | `dir` | a directory of the host becomes a datastore, if the product takes it | target path |
    /// | `iscsi` | an adapter is told of a target, and looks for its LUNs | host, device (the target's name), initiator (the adapter's), CHAP |
    /// | `iscsi` without a device | an adapter is told of an address, and looks for its targets | host; the pool's name is that of one of the targets |
    ///
    /// The name of an iSCSI pool is that of its target. UUID and path follow from what the host does, so those of the
    /// document are ignored. The password of CHAP is that of a [secret](Connect::secret_define_xml) of this connection.
    ///
    /// With `WITH_BUILD` or `WITH_BUILD_NO_OVERWRITE` a file system is made on a device without partitions only, with
    /// `WITH_BUILD_OVERWRITE` on any device that no datastore uses.
    ///
    /// If a step fails, those before it are taken back; the error says what is left if that fails, too.
    ///
    /// # Errors
    /// [`ErrorKind::Definition`] if the document cannot be read; [`ErrorKind::Exists`] if the host has a pool of that
    /// name, UUID or source, or with [`What::Device`] if the device has partitions; [`ErrorKind::Unsupported`] for what
    /// hosts cannot do; [`ErrorKind::NotFound`] for a missing device, adapter, target or secret;
    /// [`ErrorKind::UnsupportedFlags`]; what any [`Operation`] may fail with.
    #[doc(alias = "virStoragePoolCreateXML")]
    pub fn storage_pool_create_xml(
        &self,
        xml: &str,
        flags: StoragePoolCreateFlags,
    ) -> Operation<'static, StoragePool> {
        let def = read_flags(flags).and_then(|build| {
            let validate = flags.contains(StoragePoolCreateFlags::VALIDATE);
            Ok((document::read::<StoragePoolDef>(xml, validate)?, build))
        });
        let (def, build) = match def {
            Ok((def, build)) => (Ok(def), build),
            Err(error) => (Err(error), None),
        };
        self.make_pool("Could not create storage pool", def, build, false)
    }

    fn make_pool(
        &self,
        could_not: &'static str,
        def: Result<StoragePoolDef>,
        build: Option<Build>,
        again: bool,
    ) -> Operation<'static, StoragePool> {
        let connect = self.clone();
        Operation::new(could_not, move |mut runner| {
            Box::pin(async move {
                let def = def?;
                let plan = Plan::of(&connect, &def, build)?;
                let pools = runner.prepare(connect.storage_pools()).await?;
                if let Some(pool) = connect.known(&pools, &def) {
                    let unchanged = again && runner.prepare(pool.is_as(&def)).await?;
                    return match unchanged {
                        true => Ok(pool),
                        false => Err(exists(&pool, &def, again)),
                    };
                }
                let made = match plan {
                    Plan::Nas(spec) => runner.perform(connect.mount_nas(spec).await?).await,
                    Plan::Vmfs(plan) => {
                        let options = connect.vmfs_spec(&plan, &def.name);
                        let spec = runner.prepare(options).await?;
                        runner.perform(connect.make_vmfs(spec).await?).await
                    }
                    Plan::Local(path) => {
                        runner
                            .perform(connect.make_local(&def.name, &path).await?)
                            .await
                    }
                    Plan::Target(plan) => {
                        return connect
                            .make_target(&mut runner, &pools, plan, &def.name)
                            .await;
                    }
                };
                let moref = made.map_err(|error| refused(error, could_not, &def.name))?;
                let pool = runner.prepare(connect.pool_of(moref, &def.name)).await;
                pool.map_err(|error| {
                    error.note(&format!("the storage pool '{}' was made", def.name))
                })
            })
        })
    }

    /// The pool that has the name or the UUID of the document.
    fn known(&self, pools: &Pools, def: &StoragePoolDef) -> Option<StoragePool> {
        let targets = pools.targets().into_iter();
        let targets = targets.map(|target| target.pool(self).pool);
        let datastores = pools.datastores.iter();
        let pools = datastores
            .map(|(entry, _)| entry.pool.clone())
            .chain(targets);
        let known: Vec<_> = pools
            .filter(|pool| pool.name == def.name || def.uuid == Some(pool.uuid))
            .collect();
        let by_name = known.iter().find(|pool| pool.name == def.name);
        by_name.or(known.first()).cloned()
    }

    /// The pool of a datastore that was made: one request.
    async fn pool_of(&self, moref: ManagedObjectReference, name: &str) -> Result<StoragePool> {
        let row: Option<Row> = self.read_complete(&moref).await?;
        let host = self.host_system().await?;
        let made = row.and_then(|row| row.pool(self, host, moref));
        made.map(|(entry, _)| entry.pool)
            .ok_or_else(|| no_pool_with_name(name))
    }

    /// How the host would make a VMFS on a free device: three requests, two if data may be overwritten.
    async fn vmfs_spec(&self, plan: &VmfsPlan, name: &str) -> Result<VmfsDatastoreCreateSpec> {
        let system = self.datastore_system().await?;
        let request = QueryAvailableDisksForVmfs {
            this: (&system).into(),
            ..QueryAvailableDisksForVmfs::default()
        };
        let free = self.client().call(&request).await?;
        let disk = free.iter().find(|disk| is_at(disk, &plan.device));
        let disk = disk.ok_or_else(|| not_free(&plan.device, &free))?;
        let path = &disk.device_path;
        if plan.build != Build::Overwrite {
            let request = self
                .storage_system()
                .await?
                .retrieve_disk_partition_info(vec![path.clone()]);
            let disks = self.client().call(&request).await?;
            if disks.iter().any(|disk| !disk.spec.partition.is_empty()) {
                let message = format!("Device '{path}' has partitions");
                return Err(Error::new(
                    ErrorKind::Exists(What::Device),
                    ErrorNumber::StoragePoolBuilt,
                    message,
                )
                .advise("building with overwriting deletes them"));
            }
        }
        let request = QueryVmfsDatastoreCreateOptions {
            this: system.into(),
            device_path: path.clone(),
            ..QueryVmfsDatastoreCreateOptions::default()
        };
        let options = self.client().call(&request).await?;
        let whole =
            |option: &&VmfsDatastoreOption| option.info.is::<VmfsDatastoreAllExtentOption>();
        let option = options.iter().find(whole).or(options.first());
        let spec = option.and_then(|option| option.spec.cast::<VmfsDatastoreCreateSpec>());
        let mut spec = spec
            .ok_or_else(|| {
                let message = format!("the host cannot make a VMFS on '{path}'");
                Error::new(
                    ErrorKind::Unsupported,
                    ErrorNumber::OperationFailed,
                    message,
                )
            })?
            .clone();
        spec.vmfs.volume_name = name.to_owned();
        Ok(spec)
    }

    /// Tells an adapter of a target, or of an address with targets.
    async fn make_target(
        &self,
        runner: &mut Runner<'_>,
        pools: &Pools,
        plan: TargetPlan,
        name: &str,
    ) -> Result<StoragePool> {
        let adapter = adapter(pools, &plan)?;
        let device = adapter.base.device.as_str();
        let targets = plan.targets();
        let mut done: Vec<Undo> = Vec::new();
        let made = self
            .tell_targets(runner, adapter, &targets, &mut done)
            .await;
        let used = match made {
            Ok(()) => self.use_targets(runner, device, plan, &targets, name).await,
            Err(error) => Err(error),
        };
        match used {
            Ok(pool) => Ok(pool),
            Err(error) => Err(take_back(error, done).await),
        }
    }

    /// Tells an adapter of those targets that it does not have. `done` is what to take back.
    async fn tell_targets(
        &self,
        runner: &mut Runner<'_>,
        adapter: &HostInternetScsiHba,
        targets: &[Targets],
        done: &mut Vec<Undo>,
    ) -> Result<()> {
        let device = adapter.base.device.as_str();
        for targets in targets.iter().filter(|targets| !targets.is_on(adapter)) {
            runner
                .perform(self.add_targets(device, targets).await?)
                .await?;
            let what = format!("{} was added to {device}", targets.words());
            done.push((what, Some(self.remove_targets(device, targets).await?)));
        }
        Ok(())
    }

    /// What comes behind telling an adapter of targets: credentials, and looking for devices.
    async fn use_targets(
        &self,
        runner: &mut Runner<'_>,
        device: &str,
        plan: TargetPlan,
        targets: &[Targets],
        name: &str,
    ) -> Result<StoragePool> {
        if let Some(chap) = plan.chap {
            for targets in targets {
                let change = self.authenticate(device, targets, chap.clone()).await?;
                runner.perform(change).await?;
            }
        }
        runner.perform(self.rescan(device).await?).await?;
        let found = self.read_complete::<FoundDevices>(self.host_system().await?);
        let devices = runner.prepare(found).await?.ok_or_else(no_host)?;
        let mut near = Near::new(name);
        let mut names = Vec::new();
        for target in devices.targets() {
            if target.name == name {
                if !devices.has_luns(name) {
                    warn!(
                        "no LUN of '{name}' was found: check the address, and the user and the secret"
                    );
                }
                return Ok(target.pool(self).pool);
            }
            near.consider(&target.name);
            names.push(target.name);
        }
        let missing = no_pool_with_name(name);
        Err(match near.best() {
            None if !names.is_empty() => {
                missing.advise(format!("the adapter has {}", names.join(", ")))
            }
            _ => near.advise(missing),
        })
    }
}

impl StoragePool {
    /// Whether a document with the pool's UUID says what the pool is: one request.
    async fn is_as(&self, def: &StoragePoolDef) -> Result<bool> {
        if def.uuid != Some(self.uuid) || def.name != self.name {
            return Ok(false);
        }
        let own = self.definition().await?;
        Ok(own.kind == def.kind && own.source == def.source)
    }
}

/// Whether and how flags want a pool built.
fn read_flags(flags: StoragePoolCreateFlags) -> Result<Option<Build>> {
    let build = StoragePoolCreateFlags::WITH_BUILD;
    let overwrite = StoragePoolCreateFlags::WITH_BUILD_OVERWRITE;
    let no_overwrite = StoragePoolCreateFlags::WITH_BUILD_NO_OVERWRITE;
    let known = build | overwrite | no_overwrite | StoragePoolCreateFlags::VALIDATE;
    refuse_unknown(flags, known, "esxStoragePoolCreateXML")?;
    refuse_both(
        flags,
        (overwrite, "VIR_STORAGE_POOL_CREATE_WITH_BUILD_OVERWRITE"),
        (
            no_overwrite,
            "VIR_STORAGE_POOL_CREATE_WITH_BUILD_NO_OVERWRITE",
        ),
    )?;
    Ok(match () {
        () if flags.contains(overwrite) => Some(Build::Overwrite),
        () if flags.intersects(build | no_overwrite) => Some(Build::NoOverwrite),
        () => None,
    })
}

/// Whether a device has that path or name.
fn is_at(disk: &HostScsiDisk, device: &str) -> bool {
    let lun = &disk.base;
    let name = ["/vmfs/devices/disks/", "/dev/disks/"]
        .iter()
        .find_map(|folder| device.strip_prefix(folder))
        .unwrap_or(device);
    let canonical = lun.canonical_name.as_deref();
    disk.device_path == device
        || lun.base.device_name == device
        || canonical == Some(name)
        || lun.uuid == name
}

fn not_free(device: &str, free: &[HostScsiDisk]) -> Error {
    let mut near = Near::new(device);
    free.iter()
        .for_each(|disk| near.consider(&disk.device_path));
    let error = Error::new(
        ErrorKind::NotFound(What::Device),
        ErrorNumber::OperationFailed,
        format!("the host has no free device '{device}'"),
    );
    match (near.best(), free) {
        (None, []) => error.advise("no device of the host is free"),
        (None, free) => {
            let paths: Vec<_> = free.iter().map(|disk| disk.device_path.as_str()).collect();
            error.advise(format!("free are {}", paths.join(", ")))
        }
        _ => near.advise(error),
    }
}

/// The adapter that the document names, or the first that does iSCSI.
fn adapter<'a>(pools: &'a Pools, plan: &TargetPlan) -> Result<&'a HostInternetScsiHba> {
    let wanted = plan.initiator.as_deref();
    let mut adapters = pools.adapters.iscsi();
    let adapter = adapters.find(|adapter| wanted.is_none_or(|name| name == adapter.i_scsi_name));
    let adapter = adapter.ok_or_else(|| {
        // libvirt's text (esxStoragePoolLookupByUUID and others of esx_storage_backend_iscsi.c, 9.0.0).
        let error = Error::new(
            ErrorKind::NotFound(What::Device),
            ErrorNumber::InternalError,
            "Unable to obtain iSCSI adapter",
        );
        match pools.adapters.iscsi().next() {
            Some(first) => error.advise(format!("the host's initiator is {}", first.i_scsi_name)),
            None => error.advise("the host has none; its software adapter has to be enabled"),
        }
    })?;
    let can = &adapter.authentication_capabilities;
    if plan.chap.is_some() && can.target_chap_settable == Some(false) {
        return Err(Error::new(
            ErrorKind::Unsupported,
            ErrorNumber::ConfigUnsupported,
            format!(
                "the adapter {} has no CHAP for single targets",
                adapter.base.device
            ),
        ));
    }
    Ok(adapter)
}

impl TargetPlan {
    /// What the adapter is told.
    fn targets(&self) -> Vec<Targets> {
        let targets = self.hosts.iter().cloned().map(|(address, port)| {
            let port = Some(port);
            match &self.name {
                Some(name) => Targets::Static(HostInternetScsiHbaStaticTarget {
                    address,
                    port,
                    i_scsi_name: name.clone(),
                    ..HostInternetScsiHbaStaticTarget::default()
                }),
                None => Targets::Send(HostInternetScsiHbaSendTarget {
                    address,
                    port,
                    ..HostInternetScsiHbaSendTarget::default()
                }),
            }
        });
        targets.collect()
    }
}

/// The error for a document whose name or UUID a pool has; texts are those of virStoragePoolObjIsDuplicate of libvirt
/// 9.0.0.
fn exists(pool: &StoragePool, def: &StoragePoolDef, again: bool) -> Error {
    let (name, uuid) = (&pool.name, pool.uuid);
    let (number, message) = match (def.uuid == Some(uuid), *name == def.name) {
        (true, true) if again => (
            ErrorNumber::OperationUnsupported,
            format!("storage pool '{name}' cannot be changed"),
        ),
        (true, true) => (
            ErrorNumber::OperationInvalid,
            format!("pool is already active as '{name}'"),
        ),
        (true, false) => (
            ErrorNumber::OperationFailed,
            format!("pool '{name}' is already defined with uuid {uuid}"),
        ),
        _ => (
            ErrorNumber::OperationFailed,
            format!("pool '{name}' already exists with uuid {uuid}"),
        ),
    };
    let error = Error::new(ErrorKind::Exists(What::StoragePool), number, message);
    match again {
        true => error.advise("hosts do not change pools: destroy it and define it anew"),
        false => error,
    }
}

/// What the server refused, in words about the pool.
fn refused(error: Error, could_not: &str, name: &str) -> Error {
    let Some(fault) = error.fault() else {
        return error;
    };
    let exists = ErrorKind::Exists(What::StoragePool);
    if let Some(other) = fault.cast::<AlreadyExists>() {
        // libvirt's text (virStoragePoolObjSourceFindDuplicate, 9.0.0).
        let other = other.name.as_deref().unwrap_or("?");
        let message = format!("Storage source conflict with pool: '{other}'");
        return Error::new(exists, ErrorNumber::OperationFailed, message).because(error);
    }
    if fault.is::<DuplicateName>() {
        let message = format!("{could_not}: another datastore has the name '{name}'");
        return Error::new(exists, ErrorNumber::OperationFailed, message)
            .advise("a datastore of another host of the datacenter may have it")
            .because(error);
    }
    match error.kind() {
        ErrorKind::Fault => {
            let message = format!("{could_not}: {}", fault_words(fault));
            Error::new(ErrorKind::Fault, ErrorNumber::OperationFailed, message).because(error)
        }
        _ => error,
    }
}
