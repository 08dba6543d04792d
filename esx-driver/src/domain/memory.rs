//! The amount of memory, and how the host gives it.

use vi_client::property_set;
use vi_types::{
    enums::VirtualMachinePowerState,
    objects::{ResourceAllocationInfo, VirtualMachineConfigSpec},
};
use virt_model::{
    ErrorNumber,
    domain::MemoryParameters,
    flags::{MemoryModFlags, ModificationImpact, refuse_unknown},
};

use super::{
    Domain,
    reconfiguration::{
        check_impact, check_live, is_of_state, known_impact, live, mib, unsupported_parameter,
    },
};
use crate::{Error, ErrorKind, Operation, Result};

property_set! {
    struct Memory: VirtualMachine {
        memory_mib: i32 = config.hardware.memory_mb,
    }
}

property_set! {
    struct Limit: VirtualMachine {
        mib: Option<i64> = config.memory_allocation.limit,
    }
}

property_set! {
    struct Reservation: VirtualMachine {
        mib: Option<i64> = config.memory_allocation.reservation,
    }
}

property_set! {
    struct Parameters: VirtualMachine {
        power_state: VirtualMachinePowerState = runtime.power_state,
        reservation_mib: i64 = config.memory_allocation.reservation,
    }
}

impl Domain {
    /// Sets the memory, in KiB, rounded up to 4 MiB. The domain must be off, or be a running one whose virtual machine
    /// has memory hot-add.
    ///
    /// # Errors
    /// [`ErrorKind::Argument`] for 0; [`ErrorKind::WrongState`] if the domain is neither off nor can get memory while it
    /// runs; what [any task](Operation) may end with.
    #[doc(alias = "virDomainSetMaxMemory")]
    pub fn set_max_memory(&self, memory: u64) -> Operation<'static> {
        self.change_max_memory(memory, false, "virDomainSetMaxMemory")
    }

    fn change_max_memory(
        &self,
        memory: u64,
        is_live: bool,
        function: &'static str,
    ) -> Operation<'static> {
        let memory_mib = mib(memory, 4);
        let spec = VirtualMachineConfigSpec {
            memory_mb: Some(memory_mib),
            ..VirtualMachineConfigSpec::default()
        };
        // Whether a machine takes memory while it runs depends on its configuration, its guest and its host. So the host
        // decides. libvirt 9.0.0 (esxDomainSetMaxMemory) refuses every domain that is not off.
        let change = self.reconfigure(spec, move |found: &Memory| {
            i64::from(found.memory_mib) == memory_mib
        });
        let change = check_memory(memory, function).map(|()| live(change, is_live));
        let could_not = format!("Could not set max-memory to {memory} kilobytes");
        Operation::new(could_not, move |mut runner| {
            Box::pin(async move { runner.perform(change?).await.map_err(not_off) })
        })
    }

    /// Sets the most of the host's memory that the domain gets, in KiB, rounded up to 1 MiB: a limit, which the domain's
    /// own memory may exceed. With [`MemoryModFlags::MAXIMUM`] it is [`set_max_memory`](Domain::set_max_memory).
    ///
    /// The limit is the same for the running domain and for its next start; with [`MemoryModFlags::LIVE`] the domain must
    /// be active.
    ///
    /// # Errors
    /// [`ErrorKind::Argument`] for 0; [`ErrorKind::WrongState`] for an inactive domain with [`MemoryModFlags::LIVE`];
    /// [`ErrorKind::UnsupportedFlags`]; what [any task](Operation) may end with.
    #[doc(alias = "virDomainSetMemory")]
    #[doc(alias = "virDomainSetMemoryFlags")]
    pub fn set_memory(&self, memory: u64, flags: MemoryModFlags) -> Operation<'static> {
        const FUNCTION: &str = "virDomainSetMemoryFlags";
        let known = MemoryModFlags::LIVE | MemoryModFlags::CONFIG | MemoryModFlags::MAXIMUM;
        let is_live = flags.contains(MemoryModFlags::LIVE);
        let could_not = format!("Could not set memory to {memory} kilobytes");
        if let Err(error) = refuse_unknown(flags, known, "esxDomainSetMemoryFlags") {
            return Operation::of(could_not, Err(error.into()));
        }
        if flags.contains(MemoryModFlags::MAXIMUM) {
            return self.change_max_memory(memory, is_live, FUNCTION);
        }
        let limit = mib(memory, 1);
        let allocation = ResourceAllocationInfo {
            limit: Some(limit),
            ..ResourceAllocationInfo::default()
        };
        let spec = VirtualMachineConfigSpec {
            memory_allocation: Some(allocation.into()),
            ..VirtualMachineConfigSpec::default()
        };
        let change = self.reconfigure(spec, move |found: &Limit| found.mib == Some(limit));
        let change = check_memory(memory, FUNCTION).map(|()| live(change, is_live));
        Operation::of(could_not, change)
    }

    /// The parameters of the memory: the guaranteed minimum. One request.
    ///
    /// # Errors
    /// [`ErrorKind::WrongState`] for an inactive domain with [`ModificationImpact::LIVE`]; [`ErrorKind::Property`] if the
    /// server does not tell the minimum; [`ErrorKind::UnsupportedFlags`].
    #[doc(alias = "virDomainGetMemoryParameters")]
    pub async fn memory_parameters(&self, flags: ModificationImpact) -> Result<MemoryParameters> {
        check_impact(flags, "esxDomainGetMemoryParameters")?;
        let found: Parameters = self.properties().await?;
        check_live(flags.contains(ModificationImpact::LIVE), &found.power_state)?;
        let reservation = u64::try_from(found.reservation_mib).unwrap_or(0);
        Ok(MemoryParameters {
            min_guarantee: Some(reservation.saturating_mul(1024)),
            ..MemoryParameters::default()
        })
    }

    /// Sets parameters of the memory. The host knows only the guaranteed minimum, which is rounded up to 1 MiB.
    ///
    /// # Errors
    /// [`ErrorKind::Argument`] for any other parameter; [`ErrorKind::WrongState`] for an inactive domain with
    /// [`ModificationImpact::LIVE`]; [`ErrorKind::UnsupportedFlags`]; what [any task](Operation) may end with.
    #[doc(alias = "virDomainSetMemoryParameters")]
    pub fn set_memory_parameters(
        &self,
        parameters: &MemoryParameters,
        flags: ModificationImpact,
    ) -> Operation<'static> {
        let reservation = parameters.min_guarantee.map(|memory| mib(memory, 1));
        let allocation = ResourceAllocationInfo {
            reservation,
            ..ResourceAllocationInfo::default()
        };
        let spec = VirtualMachineConfigSpec {
            memory_allocation: Some(allocation.into()),
            ..VirtualMachineConfigSpec::default()
        };
        let change = self.reconfigure(spec, move |found: &Reservation| {
            reservation.is_none() || found.mib == reservation
        });
        let known = known_impact(flags, "esxDomainSetMemoryParameters");
        let checked = known.and_then(|()| check_parameters(parameters));
        let is_live = flags.contains(ModificationImpact::LIVE);
        let change = checked.map(|()| live(change, is_live));
        Operation::of("Could not change memory parameters", change)
    }
}

/// Refuses no memory, as libvirt's public functions do.
fn check_memory(memory: u64, function: &'static str) -> Result<()> {
    if memory != 0 {
        return Ok(());
    }
    let message = format!("memory in {function} must not be zero");
    Err(Error::new(ErrorKind::Argument, ErrorNumber::InvalidArg, message).plain())
}

/// Refuses the parameters that the host does not know, in the words of libvirt's `virTypedParamsValidate`.
fn check_parameters(parameters: &MemoryParameters) -> Result<()> {
    let others = [
        ("hard_limit", parameters.hard_limit),
        ("soft_limit", parameters.soft_limit),
        ("swap_hard_limit", parameters.swap_hard_limit),
    ];
    match others.iter().find(|(_, value)| value.is_some()) {
        None => Ok(()),
        Some((name, _)) => Err(unsupported_parameter(name)),
    }
}

/// libvirt's error, if the host refused to change a machine that is not off.
fn not_off(error: Error) -> Error {
    if !is_of_state(&error, "MemoryHotPlugNotSupported") {
        return error;
    }
    Error::new(
        ErrorKind::WrongState,
        ErrorNumber::OperationInvalid,
        "Domain is not powered off",
    )
    .advise("stop it first; a running domain gets memory only if memory hot-add was enabled while it was off")
    .because(error)
}
