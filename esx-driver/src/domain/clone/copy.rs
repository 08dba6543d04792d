//! Clones on a host without a vCenter: the disks are copied, the VMX file is edited, and the copy is registered.

use vi_client::{Error as Cause, property_set};
use vi_types::Method as _;
use vi_types::methods::{CopyVirtualDiskTask, RegisterVmTask};
use vi_types::objects::{
    VirtualBusLogicController, VirtualDevice, VirtualDeviceFileBackingInfo, VirtualDisk,
    VirtualDiskFlatVer2BackingInfo, VirtualDiskRawDiskMappingVer1BackingInfo, VirtualDiskSpec,
    VirtualIdeController,
};
use vi_types::{Poly, enums::VirtualMachinePowerState, enums::VirtualMachinePowerState::*};
use virt_model::{ErrorNumber, Uuid};
use vmx::names::Datastores;

use super::file::{self, Edit};
use super::{CloneOptions, exists};
use crate::datastore::{is_taken, item_name, no_datastore};
use crate::domain::Domain;
use crate::engine::Runner;
use crate::{Connect, DatastorePath, Error, ErrorKind, Operation, Result, What};

property_set! {
    struct Original: VirtualMachine {
        power_state: VirtualMachinePowerState = runtime.power_state,
        path: String = config.files.vm_path_name,
        devices: Vec<Poly<VirtualDevice>> = config.hardware.device,
    }
}

/// All that is known of the copy before anything is written.
struct Plan {
    /// The new directory.
    directory: DatastorePath,
    /// The new VMX file.
    path: DatastorePath,
    /// The new VMX file's text.
    text: Vec<u8>,
    disks: Vec<DiskCopy>,
    /// The file of the firmware's variables, and its copy.
    nvram: Option<(DatastorePath, DatastorePath)>,
}

/// A disk to be copied.
struct DiskCopy {
    from: DatastorePath,
    to: DatastorePath,
    spec: VirtualDiskSpec,
}

impl Domain {
    /// Clones the domain by copying its files.
    pub(super) async fn clone_here(
        &self,
        runner: &mut Runner<'_>,
        name: &str,
        options: &CloneOptions,
    ) -> Result<Domain> {
        check(options)?;
        let plan = runner.prepare(self.plan(name, options)).await?;
        let connect = &self.connect;
        connect.make_directory(runner, &plan.directory).await?;
        if let Err(error) = connect.copy_disks(runner, &plan).await {
            let is_over = is_over(&error, CopyVirtualDiskTask::name());
            return Err(connect.take_back(error, &plan, is_over).await);
        }
        if let Err(error) = runner.prepare(connect.write_files(&plan)).await {
            return Err(connect.take_back(error, &plan, true).await);
        }
        let vm = match runner
            .perform(connect.registration(&plan.path).await?)
            .await
        {
            Ok(vm) => vm,
            Err(error) => {
                let is_over = is_over(&error, RegisterVmTask::name());
                return Err(connect.take_back(error, &plan, is_over).await);
            }
        };
        let done = |error: Error| error.note(&format!("the clone '{name}' is registered"));
        let found = runner.prepare(connect.domain(&vm)).await.map_err(done)?;
        let clone =
            found.ok_or_else(|| done(super::super::no_domain(format!("no domain '{name}'"))))?;
        if options.start {
            let start = clone
                .task(clone.vm().power_on_vm_task())
                .from(&[PoweredOff], "Domain is not powered off")
                .leads_to(PoweredOn);
            runner.perform(start).await.map_err(done)?;
        }
        Ok(clone)
    }

    /// Reads what has to be known of the domain, and plans its copy.
    async fn plan(&self, name: &str, options: &CloneOptions) -> Result<Plan> {
        let original: Original = self.properties().await?;
        if original.power_state != PoweredOff {
            let message = "Domain is not powered off";
            return Err(Error::new(
                ErrorKind::WrongState,
                ErrorNumber::OperationInvalid,
                message,
            )
            .advise("without a vCenter only a domain that is off can be cloned"));
        }
        match self.connect.lookup_by_name(name).await {
            Ok(_) => return Err(exists(name)),
            Err(error) if error.kind() == ErrorKind::NotFound(What::Domain) => {}
            Err(error) => return Err(error),
        }
        let source: DatastorePath = original.path.parse()?;
        let text = self.connect.download(&source).await?;
        let mounts = self.connect.mounts().await?;
        let datastore = match &options.datastore {
            None => source.datastore(),
            Some(wanted) if mounts.iter().any(|mount| mount.name == *wanted) => wanted,
            Some(wanted) => return Err(no_datastore(wanted)),
        };
        let item = item_name(name);
        let inside = |file: String| DatastorePath::new(datastore, format!("{item}/{file}"));
        let mut disks = Vec::new();
        for device in &original.devices {
            if device.is::<VirtualDisk>() {
                let to = inside(match disks.len() {
                    0 => format!("{item}.vmdk"),
                    number => format!("{item}_{number}.vmdk"),
                });
                disks.push(disk_copy(device, &original.devices, to)?);
            }
        }
        let names = Datastores {
            datastores: mounts,
            directory: source.parent().to_string(),
            ..Datastores::default()
        };
        let edit = Edit {
            name,
            item: &item,
            uuid: Uuid::from_bytes(uuid::Uuid::new_v4().into_bytes()),
            disks: disks.iter().map(|disk| (&disk.from, &disk.to)).collect(),
            names: &names,
            source: &source,
        };
        let edited = file::edit(&text, &edit)?;
        let nvram = edited.nvram.map(|nvram| {
            let from = match source.directory() {
                "" => nvram,
                directory => format!("{directory}/{nvram}"),
            };
            let from = DatastorePath::new(source.datastore(), from);
            (from, inside(format!("{item}.nvram")))
        });
        Ok(Plan {
            directory: DatastorePath::new(datastore, item.clone()),
            path: inside(format!("{item}.vmx")),
            text: edited.text,
            disks,
            nvram,
        })
    }
}

impl Connect {
    async fn make_directory(
        &self,
        runner: &mut Runner<'_>,
        directory: &DatastorePath,
    ) -> Result<()> {
        let change = self.directory_creation(directory, false).await?;
        runner.perform(change).await.map_err(|error| {
            if is_taken(&error) {
                let message = format!("the directory '{directory}' already exists");
                return Error::new(ErrorKind::File, ErrorNumber::OperationFailed, message)
                    .because(error);
            }
            match error.kind() {
                ErrorKind::InDoubt | ErrorKind::Timeout | ErrorKind::Cancelled => {
                    error.note(&format!("the directory '{directory}' may have been made"))
                }
                _ => error,
            }
        })
    }

    async fn copy_disks(&self, runner: &mut Runner<'_>, plan: &Plan) -> Result<()> {
        for disk in &plan.disks {
            let spec = Some(Poly::new(disk.spec.clone()));
            let change = self.disk_copy((self, &disk.from), &disk.to, spec).await?;
            runner.perform(change).await?;
        }
        Ok(())
    }

    async fn write_files(&self, plan: &Plan) -> Result<()> {
        if let Some((from, to)) = &plan.nvram {
            match self.download(from).await {
                Ok(content) => self.upload(to, content).await?,
                // A domain that has never been started has none, and the host makes a new one.
                Err(error) if error.kind() == ErrorKind::File => {}
                Err(error) => return Err(error),
            }
        }
        self.upload(&plan.path, plan.text.clone().into()).await
    }

    /// Removes the directory of a copy that failed, unless the host may still be at it. The error says what is left, if
    /// anything is.
    async fn take_back(&self, error: Error, plan: &Plan, is_over: bool) -> Error {
        let directory = &plan.directory;
        if !is_over {
            let stays = format!("the directory '{directory}' was made and stays");
            return error.note(&stays);
        }
        let change = self.deletion(directory).await;
        // The caller's deadline and cancellation are not those of tidying up.
        let removed = Operation::of("Could not remove directory", change).await;
        match removed {
            Ok(()) => error,
            Err(why) => error.note(&format!(
                "the directory '{directory}' stays, since it cannot be removed ({why})"
            )),
        }
    }
}

/// Whether a task that failed is over: it ended with a fault, or the call of `method` that starts it was refused. Of others
/// the host may have more than the caller knows.
fn is_over(error: &Error, method: &str) -> bool {
    match error.cause() {
        Some(Cause::Task { .. }) => true,
        Some(Cause::Fault { method: failed, .. }) => *failed == method,
        _ => false,
    }
}

/// Refuses what only a vCenter can do.
fn check(options: &CloneOptions) -> Result<()> {
    let refused = [
        (options.linked, "linked clones are"),
        (options.snapshot.is_some(), "cloning a snapshot is"),
        (options.host.is_some(), "cloning to another host is"),
        (options.template, "templates are"),
    ];
    match refused.into_iter().find(|(is_wanted, _)| *is_wanted) {
        None => Ok(()),
        Some((_, what)) => {
            let message = format!("{what} not supported without a vCenter");
            let number = ErrorNumber::OperationUnsupported;
            Err(Error::new(ErrorKind::Unsupported, number, message)
                .advise("connect to the vCenter (vpx://), or name it with vcenter="))
        }
    }
}

/// The copy of a disk: of the same kind, for the same controller.
fn disk_copy(
    disk: &Poly<VirtualDevice>,
    all: &[Poly<VirtualDevice>],
    to: DatastorePath,
) -> Result<DiskCopy> {
    let backing = disk.backing.as_ref();
    let unsupported = |what: &str| {
        let label = disk.device_info.as_ref().map_or("", |info| &info.label);
        let message = format!("the disk '{label}' {what} and cannot be copied");
        Error::new(
            ErrorKind::Unsupported,
            ErrorNumber::OperationUnsupported,
            message,
        )
    };
    if backing.is_some_and(|backing| backing.is::<VirtualDiskRawDiskMappingVer1BackingInfo>()) {
        return Err(unsupported("is a device of the host"));
    }
    let file = backing.and_then(|backing| backing.cast::<VirtualDeviceFileBackingInfo>());
    let file = file.ok_or_else(|| unsupported("has no file"))?;
    let flat = backing.and_then(|backing| backing.cast::<VirtualDiskFlatVer2BackingInfo>());
    let disk_type = match flat {
        Some(flat) if flat.thin_provisioned == Some(true) => "thin",
        Some(flat) if flat.eagerly_scrub == Some(true) => "eagerZeroedThick",
        Some(_) => "preallocated",
        None => "thin",
    };
    let controller = all
        .iter()
        .find(|device| Some(device.key) == disk.controller_key);
    let adapter_type = match controller {
        Some(controller) if controller.is::<VirtualBusLogicController>() => "busLogic",
        Some(controller) if controller.is::<VirtualIdeController>() => "ide",
        _ => "lsiLogic",
    };
    Ok(DiskCopy {
        from: file.file_name.parse()?,
        to,
        spec: VirtualDiskSpec {
            disk_type: disk_type.to_owned(),
            adapter_type: adapter_type.to_owned(),
            ..VirtualDiskSpec::default()
        },
    })
}
