//! The guest's power management.

use vi_client::property_set;
use vi_types::enums::VirtualMachinePowerState::{self, PoweredOn, Suspended};
use vi_types::methods::StandbyGuest;
use virt_model::{ErrorNumber, domain::PmSuspendTarget};

use super::lifecycle::explain;
use super::{Domain, not_running};
use crate::engine::{Change, Effect};
use crate::error::refuse_flags;
use crate::{Error, ErrorKind, Operation, Result};

property_set! {
    struct Standby: VirtualMachine {
        power_state: VirtualMachinePowerState = runtime.power_state,
        is_online: Option<bool> = runtime.online_standby,
    }
}

impl Domain {
    /// Asks the guest to go to standby, and does not wait until it has. The domain must run, with VMware Tools. Whether the
    /// host keeps the machine on then or [suspends](Domain::suspend) it is a setting of the machine.
    ///
    /// The API knows [`PmSuspendTarget::Mem`] only and no duration; `flags` must be 0. (libvirt's ESX driver has no such
    /// function.)
    ///
    /// # Errors
    /// [`ErrorKind::Argument`] for another target or a duration; [`ErrorKind::WrongState`] if the domain does not run;
    /// [`ErrorKind::Fault`] with the fault `ToolsUnavailable` if VMware Tools do not run.
    #[doc(alias = "virDomainPMSuspendForDuration")]
    pub fn pm_suspend_for_duration(
        &self,
        target: PmSuspendTarget,
        duration: u64,
        flags: u32,
    ) -> Operation<'static> {
        let domain = self.clone();
        Operation::new("Could not suspend guest", move |mut runner| {
            Box::pin(async move {
                check(target, duration, flags)?;
                let power = runner.prepare(domain.standby_state()).await?;
                if power.power_state != PoweredOn {
                    return Err(not_running());
                }
                let change = Change::call(domain.connect.client(), domain.vm().standby_guest())
                    .verified_by({
                        let domain = domain.clone();
                        move || Box::pin(domain.clone().went_to_standby())
                    });
                let asked = runner.perform(change).await;
                asked.map_err(explain::<StandbyGuest>)
            })
        })
    }

    /// Wakes a guest that is in standby, or a domain that the host suspended for that.
    ///
    /// # Errors
    /// [`ErrorKind::WrongState`] if it is in no such state; what [all tasks](Operation) may end with.
    #[doc(alias = "virDomainPMWakeup")]
    pub fn pm_wakeup(&self, flags: u32) -> Operation<'static> {
        let domain = self.clone();
        Operation::new("Could not wake up guest", move |mut runner| {
            Box::pin(async move {
                refuse_flags(flags, "esxDomainPMWakeup")?;
                let standby = runner.prepare(domain.standby_state()).await?;
                let change = domain.task(domain.vm().power_on_vm_task());
                let change = match (standby.power_state, standby.is_online) {
                    (Suspended, _) => change.from(&[Suspended], NOT_ASLEEP).leads_to(PoweredOn),
                    (PoweredOn, Some(true)) => change.verified_by({
                        let domain = domain.clone();
                        move || Box::pin(domain.clone().has_woken())
                    }),
                    _ => {
                        let number = ErrorNumber::OperationInvalid;
                        return Err(Error::new(ErrorKind::WrongState, number, NOT_ASLEEP));
                    }
                };
                runner.perform(change).await
            })
        })
    }

    async fn standby_state(&self) -> Result<Standby> {
        self.properties().await
    }

    /// Whether the guest has gone to standby. One that runs may still be on its way.
    async fn went_to_standby(self) -> Result<Effect<()>> {
        let standby = self.standby_state().await?;
        Ok(match (standby.power_state, standby.is_online) {
            (Suspended, _) | (PoweredOn, Some(true)) => Effect::Done(()),
            _ => Effect::Unknown,
        })
    }

    async fn has_woken(self) -> Result<Effect<()>> {
        let standby = self.standby_state().await?;
        Ok(match (standby.power_state, standby.is_online) {
            (PoweredOn, Some(false) | None) => Effect::Done(()),
            _ => Effect::NotDone,
        })
    }
}

const NOT_ASLEEP: &str = "domain is not in a suspended state";

/// What the API cannot do, in the order and words of qemuDomainPMSuspendForDuration of libvirt 9.0.0.
fn check(target: PmSuspendTarget, duration: u64, flags: u32) -> Result<()> {
    refuse_flags(flags, "esxDomainPMSuspendForDuration")?;
    let refused = |message| {
        let number = ErrorNumber::ArgumentUnsupported;
        Err(Error::new(ErrorKind::Argument, number, message))
    };
    if duration != 0 {
        return refused("Duration not supported. Use 0 for now");
    }
    match target {
        PmSuspendTarget::Mem => Ok(()),
        PmSuspendTarget::Disk => refused("Suspend-to-disk is not supported"),
        _ => refused("Hybrid suspend is not supported"),
    }
}
