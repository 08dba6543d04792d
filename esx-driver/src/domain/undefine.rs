//! Removing domains: from the inventory, and with their files.

use vi_client::{Client, property_set};
use vi_types::enums::VirtualMachinePowerState::{self, PoweredOff, PoweredOn};
use vi_types::objects::VirtualMachineFileLayoutExFileInfo;
use vi_types::references;
use virt_model::ErrorNumber;
use virt_model::flags::{refuse_both, refuse_unknown};

use super::{Domain, DomainPower};
use crate::engine::{Change, Effect, Machine};
use crate::{DatastorePath, Error, ErrorKind, Operation, Result, UndefineFlags};

property_set! {
    struct Files: VirtualMachine {
        power_state: VirtualMachinePowerState = runtime.power_state,
        files: Vec<VirtualMachineFileLayoutExFileInfo> = layout_ex.file,
    }
}

/// The flags that are accepted. There are neither managed save images nor metadata that could be removed, and nothing
/// removes a file without being asked.
const FLAGS: UndefineFlags = UndefineFlags::from_bits(
    UndefineFlags::MANAGED_SAVE.bits()
        | UndefineFlags::SNAPSHOTS_METADATA.bits()
        | UndefineFlags::CHECKPOINTS_METADATA.bits()
        | UndefineFlags::NVRAM.bits()
        | UndefineFlags::KEEP_NVRAM.bits()
        | UndefineFlags::KEEP_TPM.bits(),
);

impl Domain {
    /// Removes the domain, which must be off or paused, from the host's inventory. Its files stay on their datastores, except
    /// with [`UndefineFlags::NVRAM`] that of the firmware's variables; for disks see
    /// [`delete_disk`](crate::Connect::delete_disk), for everything [`undefine_with_files`](Domain::undefine_with_files).
    ///
    /// With `vcenter=` the vCenter removes it, as in libvirt 9.0.0 (esxDomainUndefineFlags).
    ///
    /// # Errors
    /// [`ErrorKind::WrongState`] if it runs; [`ErrorKind::Argument`] if the variables are to be removed and kept;
    /// [`ErrorKind::UnsupportedFlags`] for [`UndefineFlags::TPM`], since the TPM's state is no file of its own.
    #[doc(alias("virDomainUndefine", "virDomainUndefineFlags"))]
    pub fn undefine(&self, flags: UndefineFlags) -> Operation<'static> {
        let domain = self.clone();
        Operation::new("Could not undefine domain", move |mut runner| {
            Box::pin(async move {
                refuse_unknown(flags, FLAGS, "esxDomainUndefineFlags")?;
                let remove = (UndefineFlags::NVRAM, "VIR_DOMAIN_UNDEFINE_NVRAM");
                let keep = (UndefineFlags::KEEP_NVRAM, "VIR_DOMAIN_UNDEFINE_KEEP_NVRAM");
                refuse_both(flags, remove, keep)?;
                let nvram = match flags.contains(UndefineFlags::NVRAM) {
                    true => runner.prepare(domain.nvram()).await?,
                    false => {
                        runner.prepare(domain.ensure_not_on()).await?;
                        None
                    }
                };
                let (client, vm) = runner.prepare(domain.at_vcenter()).await?;
                let change = Change::call(&client, vm.unregister_vm())
                    .verified_by(move || Box::pin(is_removed(client.clone(), vm.clone())));
                runner.perform(change).await?;
                let Some(nvram) = nvram else {
                    return Ok(());
                };
                let removed = domain.connect.deletion(&nvram).await?;
                runner.perform(removed).await.map_err(|error| {
                    error.note(&format!("the domain is undefined, and '{nvram}' stays"))
                })
            })
        })
    }

    /// Removes the domain, which must be off, with all its files: its configuration, its disks and its snapshots. Disks that
    /// other domains have too go as well; images in drives stay. With `vcenter=` the vCenter does it.
    ///
    /// libvirt has no such function.
    ///
    /// # Errors
    /// [`ErrorKind::WrongState`] if it is not off; what [all tasks](Operation) may end with.
    pub fn undefine_with_files(&self) -> Operation<'static> {
        let domain = self.clone();
        Operation::new("Could not undefine domain", move |mut runner| {
            Box::pin(async move {
                let (client, vm) = runner.prepare(domain.at_vcenter()).await?;
                let machine = Machine {
                    moref: vm.to_moref(),
                    ..domain.machine()
                };
                let change = Change::task(&client, vm.destroy_task())
                    .of(machine)
                    .from(&[PoweredOff], "Domain is not powered off")
                    .verified_by(move || Box::pin(is_removed(client.clone(), vm.clone())));
                runner.perform(change).await
            })
        })
    }

    /// Fails if the domain runs.
    async fn ensure_not_on(&self) -> Result<()> {
        let power: DomainPower = self.properties().await?;
        check(&power.power_state)
    }

    /// The file of the firmware's variables, if there is one. Fails if the domain runs.
    async fn nvram(&self) -> Result<Option<DatastorePath>> {
        let files: Files = self.properties().await?;
        check(&files.power_state)?;
        let mut files = files.files.into_iter();
        let nvram = files.find(|file| file.r#type == "nvram");
        nvram.map(|file| file.name.parse()).transpose()
    }
}

fn check(power_state: &VirtualMachinePowerState) -> Result<()> {
    match *power_state != PoweredOn {
        true => Ok(()),
        false => Err(Error::new(
            ErrorKind::WrongState,
            ErrorNumber::OperationInvalid,
            "Domain is not suspended or powered off",
        )),
    }
}

/// Whether the virtual machine is no longer in the server's inventory.
async fn is_removed(client: Client, vm: references::VirtualMachine) -> Result<Effect<()>> {
    let found = client.read_opt::<DomainPower>(vm.as_ref()).await?;
    Ok(match found {
        Some(_) => Effect::NotDone,
        None => Effect::Done(()),
    })
}
