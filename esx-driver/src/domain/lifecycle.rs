//! Starting and stopping domains, and the power states between.

use vi_client::{Client, match_fault};
use vi_types::{
    Throws,
    enums::VirtualMachinePowerState::{PoweredOff, PoweredOn, Suspended},
    methods::{FindByUuid, RebootGuest, ShutdownGuest},
    objects::{TaskInProgress, ToolsUnavailable},
    references,
};
use virt_model::{ErrorNumber, flags::refuse_unknown};

use super::{Domain, DomainPower, no_domain_with_uuid};
use crate::{
    CreateFlags, DestroyFlags, Error, ErrorKind, Operation, RebootFlags, Result, ShutdownFlags,
    engine::{Change, Effect, Machine},
};

impl Domain {
    /// Starts the domain: it must be off. A paused one is [resumed](Domain::resume).
    ///
    /// # Errors
    /// [`ErrorKind::WrongState`] if it is not off; [`ErrorKind::TaskFailed`] if the task fails;
    /// [`ErrorKind::UnsupportedFlags`] for any flag. Any task of a domain may end with [`ErrorKind::Blocked`],
    /// [`ErrorKind::TaskPending`], [`ErrorKind::NotStarted`], [`ErrorKind::InDoubt`], [`ErrorKind::Timeout`] and
    /// [`ErrorKind::Cancelled`].
    #[doc(alias("virDomainCreate", "virDomainCreateWithFlags"))]
    pub fn create(&self, flags: CreateFlags) -> Operation<'static> {
        let checked = refuse_unknown(flags, CreateFlags::NONE, "esxDomainCreateWithFlags");
        let change = checked.map(|()| self.power_on()).map_err(Error::from);
        Operation::of("Could not start domain", change)
    }

    /// The start of a domain that is off.
    pub(super) fn power_on(&self) -> Change<()> {
        self.task(self.vm().power_on_vm_task())
            .from(&[PoweredOff], "Domain is not powered off")
            .leads_to(PoweredOn)
    }

    /// Stops the domain hard: it must run. With `vcenter=` the vCenter stops it, as in libvirt 9.0.0
    /// (esxDomainDestroyFlags).
    ///
    /// # Errors
    /// As [`create`](Domain::create); [`ErrorKind::WrongState`] if it is off or paused.
    #[doc(alias("virDomainDestroy", "virDomainDestroyFlags"))]
    pub fn destroy(&self, flags: DestroyFlags) -> Operation<'static> {
        let domain = self.clone();
        Operation::new("Could not destroy domain", move |mut runner| {
            Box::pin(async move {
                refuse_unknown(flags, DestroyFlags::NONE, "esxDomainDestroyFlags")?;
                let (client, vm) = runner.prepare(domain.at_vcenter()).await?;
                let machine = Machine {
                    moref: vm.to_moref(),
                    ..domain.machine()
                };
                let change = Change::task(&client, vm.power_off_vm_task())
                    .of(machine)
                    .from(&[PoweredOn], NOT_ON)
                    .leads_to(PoweredOff);
                runner.perform(change).await
            })
        })
    }

    /// Suspends the domain, which must run: the host writes its memory to disk.
    ///
    /// # Errors
    /// As [`create`](Domain::create).
    #[doc(alias = "virDomainSuspend")]
    pub fn suspend(&self) -> Operation<'static> {
        let change = self
            .task(self.vm().suspend_vm_task())
            .from(&[PoweredOn], NOT_ON)
            .leads_to(Suspended);
        Operation::of("Could not suspend domain", Ok(change))
    }

    /// Resumes a paused domain.
    ///
    /// # Errors
    /// As [`create`](Domain::create); [`ErrorKind::WrongState`] if it is not paused.
    #[doc(alias = "virDomainResume")]
    pub fn resume(&self) -> Operation<'static> {
        let change = self
            .task(self.vm().power_on_vm_task())
            .from(&[Suspended], "Domain is not suspended")
            .leads_to(PoweredOn);
        Operation::of("Could not resume domain", Ok(change))
    }

    /// Resets the domain like a reset button: it must run. (libvirt's ESX driver has no such function.)
    ///
    /// # Errors
    /// As [`create`](Domain::create).
    #[doc(alias = "virDomainReset")]
    pub fn reset(&self) -> Operation<'static> {
        // The domain runs before and after, so nothing shows that it was reset.
        let change = self
            .task(self.vm().reset_vm_task())
            .from(&[PoweredOn], NOT_ON);
        Operation::of("Could not reset domain", Ok(change))
    }

    /// Asks the guest to shut down, and does not wait until it has shut down. The domain must run, with VMware Tools.
    ///
    /// # Errors
    /// [`ErrorKind::WrongState`] if it does not run; [`ErrorKind::Fault`] with the fault `ToolsUnavailable` if VMware Tools
    /// do not run; [`ErrorKind::UnsupportedFlags`] for any flag.
    #[doc(alias("virDomainShutdown", "virDomainShutdownFlags"))]
    pub fn shutdown(&self, flags: ShutdownFlags) -> Operation<'static> {
        let domain = self.clone();
        Operation::new("Could not shut down domain", move |mut runner| {
            Box::pin(async move {
                refuse_unknown(flags, ShutdownFlags::NONE, "esxDomainShutdownFlags")?;
                runner.prepare(domain.ensure_on()).await?;
                let change = Change::call(domain.connect.client(), domain.vm().shutdown_guest())
                    .verified_by({
                        let domain = domain.clone();
                        move || Box::pin(shut_down(domain.clone()))
                    });
                runner
                    .perform(change)
                    .await
                    .map_err(explain::<ShutdownGuest>)
            })
        })
    }

    /// Asks the guest to reboot, and does not wait until it has rebooted. The domain must run, with VMware Tools.
    ///
    /// # Errors
    /// As [`shutdown`](Domain::shutdown).
    #[doc(alias = "virDomainReboot")]
    pub fn reboot(&self, flags: RebootFlags) -> Operation<'static> {
        let domain = self.clone();
        Operation::new("Could not reboot domain", move |mut runner| {
            Box::pin(async move {
                refuse_unknown(flags, RebootFlags::NONE, "esxDomainReboot")?;
                runner.prepare(domain.ensure_on()).await?;
                // The domain runs before and after, so nothing shows that the guest was asked.
                let request = domain.vm().reboot_guest();
                let change = Change::call(domain.connect.client(), request);
                runner.perform(change).await.map_err(explain::<RebootGuest>)
            })
        })
    }

    /// Fails unless the domain runs.
    async fn ensure_on(&self) -> Result<()> {
        let power: DomainPower = self.properties().await?;
        if power.power_state == PoweredOn {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::WrongState,
            ErrorNumber::OperationInvalid,
            NOT_ON,
        ))
    }

    /// The same domain at the vCenter of `vcenter=`, if there is one; else at the host.
    pub(super) async fn at_vcenter(&self) -> Result<(Client, references::VirtualMachine)> {
        let Some(vcenter) = self.connect.vcenter() else {
            return Ok((self.connect.client().clone(), self.vm()));
        };
        let request = FindByUuid {
            uuid: self.uuid.to_string(),
            vm_search: true,
            // Servers older than API 4.0 do not know this parameter.
            instance_uuid: self.connect.by_instance_uuid().then_some(true),
            ..FindByUuid::default()
        };
        let found = vcenter.call(&request).await?;
        let moref = found.ok_or_else(|| no_domain_with_uuid(self.uuid))?;
        Ok((vcenter.clone(), moref.into()))
    }
}

/// Whether the guest was asked to shut down. A domain that is off shows that it was; one that runs may still be shutting
/// down.
async fn shut_down(domain: Domain) -> Result<Effect<()>> {
    let power: DomainPower = domain.properties().await?;
    Ok(match power.power_state {
        PoweredOff => Effect::Done(()),
        _ => Effect::Unknown,
    })
}

/// Adds advice for the faults that calls to the guest declare.
pub(super) fn explain<M>(error: Error) -> Error
where
    M: Throws<ToolsUnavailable> + Throws<TaskInProgress>,
{
    let Some(cause) = error.cause() else {
        return error;
    };
    let advice = match_fault!(cause, M {
        ToolsUnavailable as _ => "VMware Tools do not run in the guest; destroy stops a domain without them",
        TaskInProgress as _ => "wait until the domain's other task is over, and try again",
        _ => return error,
    });
    error.advise(advice)
}

pub(super) const NOT_ON: &str = "Domain is not powered on";
