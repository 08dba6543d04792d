//! Taking, reverting to and deleting snapshots.

use std::time::{SystemTime, UNIX_EPOCH};

use vi_types::{
    ManagedObjectReference,
    methods::{CreateSnapshotTask, RemoveSnapshotTask, RevertToSnapshotTask},
    objects::ManagedObjectNotFound,
};
use virt_model::{
    ErrorNumber, SnapshotDef,
    flags::{SnapshotCreateFlags, SnapshotDeleteFlags, SnapshotRevertFlags, refuse_unknown},
};

use super::{DomainSnapshot, no_snapshot_with_name};
use crate::{Domain, Error, ErrorKind, Operation, Result, What, document, engine::Effect};

impl Domain {
    /// Takes a snapshot with the name and description of libvirt's XML document. The default name is the time in
    /// seconds since the epoch.
    ///
    /// The snapshot has the memory of a running domain, except with [`DISK_ONLY`](SnapshotCreateFlags::DISK_ONLY). With
    /// [`QUIESCE`](SnapshotCreateFlags::QUIESCE) VMware Tools quiesce the guest's file systems.
    /// [`NO_METADATA`](SnapshotCreateFlags::NO_METADATA) changes nothing, as there is never any metadata. Elements that
    /// the driver does not know are logged and ignored; with [`VALIDATE`](SnapshotCreateFlags::VALIDATE) they are an
    /// error.
    ///
    /// # Errors
    /// [`ErrorKind::Definition`] if the document cannot be read or has disks; [`ErrorKind::Exists`] of
    /// [`What::Snapshot`] if the domain has a snapshot of that name; [`ErrorKind::UnsupportedFlags`] for any other flag;
    /// what [all tasks](Operation) may end with.
    #[doc(alias = "virDomainSnapshotCreateXML")]
    pub fn snapshot_create_xml(
        &self,
        xml: &str,
        flags: SnapshotCreateFlags,
    ) -> Operation<'static, DomainSnapshot> {
        let def = read(xml, flags);
        let domain = self.clone();
        Operation::new("Could not create snapshot", move |mut runner| {
            Box::pin(async move {
                let SnapshotDef {
                    name, description, ..
                } = def?;
                let name = name.unwrap_or_else(now);
                if runner
                    .prepare(domain.snapshot_named(&name))
                    .await?
                    .is_some()
                {
                    let message = format!("Snapshot '{name}' already exists");
                    let kind = ErrorKind::Exists(What::Snapshot);
                    return Err(Error::new(kind, ErrorNumber::OperationInvalid, message));
                }
                let request = CreateSnapshotTask {
                    description,
                    ..domain.vm().create_snapshot_task(
                        name.clone(),
                        !flags.contains(SnapshotCreateFlags::DISK_ONLY),
                        flags.contains(SnapshotCreateFlags::QUIESCE),
                    )
                };
                let change = domain.task(request).verified_by({
                    let (domain, name) = (domain.clone(), name.clone());
                    move || {
                        let (domain, name) = (domain.clone(), name.clone());
                        // No snapshot had that name before.
                        Box::pin(async move {
                            Ok(match domain.snapshot_named(&name).await? {
                                Some(moref) => Effect::Done(moref),
                                None => Effect::NotDone,
                            })
                        })
                    }
                });
                let moref = runner.perform(change).await?;
                Ok(DomainSnapshot {
                    domain,
                    moref,
                    name,
                })
            })
        })
    }

    /// The reference of the first snapshot of that name.
    async fn snapshot_named(&self, name: &str) -> Result<Option<ManagedObjectReference>> {
        let tree = self.snapshots().await?;
        Ok(tree.by_name(name).map(|node| node.moref.clone()))
    }
}

impl DomainSnapshot {
    /// Reverts the domain to the snapshot. Afterwards the domain runs if the snapshot has the memory of a running
    /// domain, and is off if it does not.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] of [`What::Snapshot`] if the snapshot does not exist any more;
    /// [`ErrorKind::UnsupportedFlags`] for any flag; what [all tasks](Operation) may end with. If there is no
    /// reply and no task is found, the error is [`ErrorKind::InDoubt`]: the server does not show whether it reverted.
    #[doc(alias = "virDomainRevertToSnapshot")]
    pub fn revert(&self, flags: SnapshotRevertFlags) -> Operation<'static> {
        let snapshot = self.clone();
        let could_not = format!("Could not revert to snapshot '{}'", self.name);
        Operation::new(could_not, move |mut runner| {
            Box::pin(async move {
                refuse_unknown(
                    flags,
                    SnapshotRevertFlags::NONE,
                    "esxDomainRevertToSnapshot",
                )?;
                let request = RevertToSnapshotTask {
                    this: snapshot.moref.clone(),
                    ..Default::default()
                };
                let reverted = runner.perform(snapshot.domain.task(request)).await;
                reverted.map_err(|error| snapshot.missing(error))
            })
        })
    }

    /// Deletes the snapshot. The domain and later snapshots keep what they need of its disks. With
    /// [`CHILDREN`](SnapshotDeleteFlags::CHILDREN) all snapshots below it are deleted too. With
    /// [`METADATA_ONLY`](SnapshotDeleteFlags::METADATA_ONLY) nothing is deleted, as there is never any metadata.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] of [`What::Snapshot`] if the snapshot does not exist any more;
    /// [`ErrorKind::UnsupportedFlags`] for any other flag; what [all tasks](Operation) may end with.
    #[doc(alias = "virDomainSnapshotDelete")]
    pub fn delete(&self, flags: SnapshotDeleteFlags) -> Operation<'static> {
        let snapshot = self.clone();
        let could_not = format!("Could not delete snapshot '{}'", self.name);
        Operation::new(could_not, move |mut runner| {
            Box::pin(async move {
                let known = SnapshotDeleteFlags::CHILDREN | SnapshotDeleteFlags::METADATA_ONLY;
                refuse_unknown(flags, known, "esxDomainSnapshotDelete")?;
                if flags.contains(SnapshotDeleteFlags::METADATA_ONLY) {
                    return runner.prepare(snapshot.has_metadata()).await.map(drop);
                }
                let request = RemoveSnapshotTask {
                    this: snapshot.moref.clone(),
                    remove_children: flags.contains(SnapshotDeleteFlags::CHILDREN),
                    ..Default::default()
                };
                let change = snapshot.domain.task(request).verified_by({
                    let snapshot = snapshot.clone();
                    move || Box::pin(snapshot.clone().deletion_effect())
                });
                let deleted = runner.perform(change).await;
                deleted.map_err(|error| snapshot.missing(error))
            })
        })
    }

    /// Whether the server shows that the snapshot is deleted.
    async fn deletion_effect(self) -> Result<Effect<()>> {
        let tree = self.domain.snapshots().await?;
        Ok(match tree.get(&self.moref) {
            Some(_) => Effect::NotDone,
            None => Effect::Done(()),
        })
    }

    /// The error that the snapshot does not exist, if that is the server's fault.
    fn missing(&self, error: Error) -> Error {
        let fault = error.fault();
        let gone = fault.and_then(|fault| fault.cast::<ManagedObjectNotFound>());
        match gone.is_some_and(|gone| gone.obj == self.moref) {
            true => no_snapshot_with_name(&self.name).because(error),
            false => error,
        }
    }
}

/// Reads the document of a new snapshot, with libvirt's checks in libvirt's order.
fn read(xml: &str, flags: SnapshotCreateFlags) -> Result<SnapshotDef> {
    let known = SnapshotCreateFlags::DISK_ONLY
        | SnapshotCreateFlags::QUIESCE
        | SnapshotCreateFlags::NO_METADATA
        | SnapshotCreateFlags::VALIDATE;
    refuse_unknown(flags, known, "esxDomainSnapshotCreateXML")?;
    let validate = flags.contains(SnapshotCreateFlags::VALIDATE);
    let def: SnapshotDef = document::read(xml, validate)?;
    if !def.disks.is_empty() {
        return Err(Error::new(
            ErrorKind::Definition,
            ErrorNumber::ConfigUnsupported,
            "disk snapshots not supported yet",
        ));
    }
    Ok(def)
}

/// libvirt's default name of a snapshot.
fn now() -> String {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
    since_epoch.unwrap_or_default().as_secs().to_string()
}
