//! Taking, reverting to and deleting snapshots.

use std::time::{SystemTime, UNIX_EPOCH};

use vi_types::{
    ManagedObjectReference,
    enums::VirtualMachinePowerState::{PoweredOff, PoweredOn},
    methods::{CreateSnapshotTask, RemoveSnapshotTask, RenameSnapshot, RevertToSnapshotTask},
    objects::ManagedObjectNotFound,
};
use virt_model::{
    DomainState, ErrorNumber, SnapshotDef,
    flags::{
        SnapshotCreateFlags, SnapshotDeleteFlags, SnapshotListFlags, SnapshotRevertFlags,
        refuse_both, refuse_unknown,
    },
};

use super::{DomainSnapshot, no_snapshot_with_name};
use crate::{
    Domain, Error, ErrorKind, Operation, Result, What, document,
    engine::{Change, Effect, Runner},
};

impl Domain {
    /// Takes a snapshot with the name and description of libvirt's XML document. The default name is the time in
    /// seconds since the epoch.
    ///
    /// The snapshot has the memory of a running domain, except with [`DISK_ONLY`](SnapshotCreateFlags::DISK_ONLY). With
    /// [`QUIESCE`](SnapshotCreateFlags::QUIESCE) VMware Tools quiesce the guest's file systems.
    /// With [`HALT`](SnapshotCreateFlags::HALT) the domain is [destroyed](Domain::destroy) afterwards, unless it is off
    /// (virsh does that where the driver does not know the flag, as libvirt's ESX driver).
    /// [`NO_METADATA`](SnapshotCreateFlags::NO_METADATA) changes nothing, as there is never any metadata. Elements that
    /// the driver does not know are logged and ignored; with [`VALIDATE`](SnapshotCreateFlags::VALIDATE) they are an
    /// error.
    ///
    /// # Errors
    /// [`ErrorKind::Definition`] if the document cannot be read or has disks; [`ErrorKind::Exists`] of
    /// [`What::Snapshot`] if the domain has a snapshot of that name; [`ErrorKind::UnsupportedFlags`] for any other flag;
    /// what [all tasks](Operation) may end with. If the domain could not be destroyed with `HALT`, the error's
    /// [advice](Error::advice) says that the snapshot was taken.
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
                    return Err(exists(&name));
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
                if flags.contains(SnapshotCreateFlags::HALT) {
                    let halted = domain.halt(&mut runner).await;
                    halted.map_err(|error| {
                        let domain = domain.name();
                        error.note(&format!("the snapshot '{name}' of '{domain}' was taken"))
                    })?;
                }
                Ok(DomainSnapshot {
                    domain,
                    moref,
                    name,
                })
            })
        })
    }

    /// Stops the domain hard, unless it is off.
    async fn halt(&self, runner: &mut Runner<'_>) -> Result<()> {
        let change = self
            .task(self.vm().power_off_vm_task())
            .from(&[PoweredOn], "Domain is not powered on")
            .leads_to(PoweredOff);
        let halted = runner.perform(change).await;
        match &halted {
            Err(error) if error.kind() == ErrorKind::WrongState => {
                match runner.prepare(self.state()).await?.0 {
                    DomainState::Shutoff => Ok(()),
                    _ => halted,
                }
            }
            _ => halted,
        }
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
                check_revert(flags)?;
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
    /// [`CHILDREN`](SnapshotDeleteFlags::CHILDREN) all snapshots below it are deleted too, with
    /// [`CHILDREN_ONLY`](SnapshotDeleteFlags::CHILDREN_ONLY) only these: a task for each child. With
    /// [`METADATA_ONLY`](SnapshotDeleteFlags::METADATA_ONLY) nothing is deleted, as there is never any metadata.
    ///
    /// (libvirt's ESX driver refuses `CHILDREN_ONLY`.)
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] of [`What::Snapshot`] if the snapshot does not exist any more;
    /// [`ErrorKind::UnsupportedFlags`] for any other flag; [`ErrorKind::Argument`] for `CHILDREN` with `CHILDREN_ONLY`; what
    /// [all tasks](Operation) may end with. If one of several children could not be deleted, the error's
    /// [advice](Error::advice) names those that are.
    #[doc(alias = "virDomainSnapshotDelete")]
    pub fn delete(&self, flags: SnapshotDeleteFlags) -> Operation<'static> {
        let snapshot = self.clone();
        let could_not = format!("Could not delete snapshot '{}'", self.name);
        Operation::new(could_not, move |mut runner| {
            Box::pin(async move {
                check_delete(flags)?;
                if flags.contains(SnapshotDeleteFlags::METADATA_ONLY) {
                    return runner.prepare(snapshot.has_metadata()).await.map(drop);
                }
                if flags.contains(SnapshotDeleteFlags::CHILDREN_ONLY) {
                    return snapshot.delete_children(&mut runner).await;
                }
                let with_children = flags.contains(SnapshotDeleteFlags::CHILDREN);
                snapshot.remove(&mut runner, with_children).await
            })
        })
    }

    /// Deletes what is below the snapshot.
    async fn delete_children(&self, runner: &mut Runner<'_>) -> Result<()> {
        let tree = runner.prepare(self.domain.snapshots()).await?;
        let mut deleted = Vec::new();
        for node in tree.children(self.find(&tree)?) {
            let child = DomainSnapshot::new(&self.domain, node);
            if let Err(error) = child.remove(runner, true).await {
                return Err(match deleted.is_empty() {
                    true => error,
                    false => {
                        let deleted = deleted.join("', '");
                        error.note(&format!("deleted before: '{deleted}'"))
                    }
                });
            }
            let below = tree.select(SnapshotListFlags::ROOTS, Some(&node.moref));
            let below = below.into_iter().flatten();
            deleted.push(child.name);
            deleted.extend(below.map(|node| node.name.clone()));
        }
        Ok(())
    }

    async fn remove(&self, runner: &mut Runner<'_>, with_children: bool) -> Result<()> {
        let request = RemoveSnapshotTask {
            this: self.moref.clone(),
            remove_children: with_children,
            ..Default::default()
        };
        let change = self.domain.task(request).verified_by({
            let snapshot = self.clone();
            move || Box::pin(snapshot.clone().deletion_effect())
        });
        let deleted = runner.perform(change).await;
        deleted.map_err(|error| self.missing(error))
    }

    /// Gives the snapshot another name or description; `None` leaves it as it is. Nothing is sent if the snapshot has
    /// them already. Returns the handle with the new name.
    ///
    /// (libvirt has no such function: virsh's `snapshot-edit` redefines the snapshot, which libvirt's ESX driver refuses.)
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] of [`What::Snapshot`] if the snapshot does not exist any more; [`ErrorKind::Exists`] of
    /// [`What::Snapshot`] if the domain has another one of the new name; [`ErrorKind::TaskPending`] during a task of the
    /// domain; [`ErrorKind::NotDone`] if there is no reply, and the server shows that nothing changed.
    pub fn rename(
        &self,
        name: Option<&str>,
        description: Option<&str>,
    ) -> Operation<'static, DomainSnapshot> {
        let snapshot = self.clone();
        let could_not = format!("Could not rename snapshot '{}'", self.name);
        let name = name.map(str::to_owned);
        let description = description.map(str::to_owned);
        Operation::new(could_not, move |mut runner| {
            Box::pin(async move {
                let tree = runner.prepare(snapshot.domain.snapshots()).await?;
                let node = snapshot.find(&tree)?;
                let request = RenameSnapshot {
                    this: snapshot.moref.clone(),
                    name: name.filter(|name| *name != node.name),
                    description: description.filter(|text| *text != node.description),
                    ..Default::default()
                };
                let renamed = DomainSnapshot {
                    name: request.name.as_ref().unwrap_or(&node.name).clone(),
                    ..snapshot.clone()
                };
                if let Some(name) = &request.name
                    && tree.by_name(name).is_some()
                {
                    return Err(exists(name));
                }
                if request.name.is_none() && request.description.is_none() {
                    return Ok(renamed);
                }
                let (name, description) = (request.name.clone(), request.description.clone());
                let change =
                    Change::call(snapshot.domain.connect().client(), request).verified_by({
                        let snapshot = snapshot.clone();
                        move || {
                            let renaming = snapshot
                                .clone()
                                .renaming_effect(name.clone(), description.clone());
                            Box::pin(renaming)
                        }
                    });
                let done = runner.perform(change).await;
                done.map_err(|error| snapshot.missing(error))?;
                Ok(renamed)
            })
        })
    }

    /// Whether the server shows the new name and description.
    async fn renaming_effect(
        self,
        name: Option<String>,
        description: Option<String>,
    ) -> Result<Effect<()>> {
        let tree = self.domain.snapshots().await?;
        let node = self.find(&tree)?;
        let is_done = name.is_none_or(|name| name == node.name)
            && description.is_none_or(|text| text == node.description);
        Ok(match is_done {
            true => Effect::Done(()),
            false => Effect::NotDone,
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

/// Checks the flags of a revert, as libvirt's common code and its ESX driver do.
fn check_revert(flags: SnapshotRevertFlags) -> Result<()> {
    use SnapshotRevertFlags as Flags;

    refuse_both(
        flags,
        (Flags::RUNNING, "VIR_DOMAIN_SNAPSHOT_REVERT_RUNNING"),
        (Flags::PAUSED, "VIR_DOMAIN_SNAPSHOT_REVERT_PAUSED"),
    )?;
    Ok(refuse_unknown(
        flags,
        Flags::NONE,
        "esxDomainRevertToSnapshot",
    )?)
}

/// Checks the flags of a deletion, as libvirt's common code and its ESX driver do.
fn check_delete(flags: SnapshotDeleteFlags) -> Result<()> {
    use SnapshotDeleteFlags as Flags;

    refuse_both(
        flags,
        (Flags::CHILDREN, "VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN"),
        (
            Flags::CHILDREN_ONLY,
            "VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN_ONLY",
        ),
    )?;
    let known = Flags::CHILDREN | Flags::METADATA_ONLY | Flags::CHILDREN_ONLY;
    Ok(refuse_unknown(flags, known, "esxDomainSnapshotDelete")?)
}

/// Checks the flags of a new snapshot, as libvirt's common code and its ESX driver do.
fn check_create(flags: SnapshotCreateFlags) -> Result<()> {
    use SnapshotCreateFlags as Flags;

    let redefine = (Flags::REDEFINE, "VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE");
    if flags.contains(Flags::CURRENT) && !flags.contains(redefine.0) {
        let (message, code) = (
            "Flag 'VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE' is required by flag 'VIR_DOMAIN_SNAPSHOT_CREATE_CURRENT'",
            ErrorNumber::InvalidArg,
        );
        return Err(Error::new(ErrorKind::Argument, code, message).plain());
    }
    refuse_both(
        flags,
        redefine,
        (Flags::NO_METADATA, "VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA"),
    )?;
    let known =
        Flags::DISK_ONLY | Flags::QUIESCE | Flags::NO_METADATA | Flags::HALT | Flags::VALIDATE;
    Ok(refuse_unknown(flags, known, "esxDomainSnapshotCreateXML")?)
}

/// Reads the document of a new snapshot, with libvirt's checks in libvirt's order.
fn read(xml: &str, flags: SnapshotCreateFlags) -> Result<SnapshotDef> {
    check_create(flags)?;
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

fn exists(name: &str) -> Error {
    let message = format!("Snapshot '{name}' already exists");
    let kind = ErrorKind::Exists(What::Snapshot);
    Error::new(kind, ErrorNumber::OperationInvalid, message)
}

/// libvirt's default name of a snapshot.
fn now() -> String {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
    since_epoch.unwrap_or_default().as_secs().to_string()
}
