//! What configurations cannot be, and what cannot change in a power state.

use vi_types::enums::SharesLevel;
use vi_types::enums::VirtualMachinePowerState::{self, PoweredOff, PoweredOn, Suspended};
use vi_types::objects::{
    CpuHotPlugNotSupported, InsufficientCpuResourcesFault, InsufficientMemoryResourcesFault,
    MemoryHotPlugNotSupported, ResourceAllocationInfo, VirtualHardwareVersionNotSupported,
    VirtualMachineAffinityInfo, VirtualMachineConfigInfo, VirtualMachineConfigSpec,
};
use vi_types::{ManagedObjectReference, SoapFault, properties};

use crate::fault;
use crate::machine::hardware::Hardware;
use crate::world::World;

/// Checks the values of a client's specification for a machine whose configuration is `config` so far.
///
/// # Errors
/// - `InvalidName` for an empty name.
/// - `InvalidArgument` for an invalid number of processors, amount of memory, UUID or firmware.
/// - `VirtualHardwareVersionNotSupported` for a version of virtual hardware that the host does not run.
pub(super) fn check_spec(
    world: &World,
    host: Option<&ManagedObjectReference>,
    config: &VirtualMachineConfigInfo,
    spec: &VirtualMachineConfigSpec,
) -> Result<(), SoapFault> {
    let invalid = |property: &str| Err(fault::invalid_argument(&format!("configSpec.{property}")));
    if spec.name.as_deref() == Some("") {
        return Err(fault::invalid_name(""));
    }
    let hardware = match &spec.version {
        None => Hardware::of(config),
        Some(version) => match Hardware::parse(version) {
            None => return invalid("version"),
            Some(new) if !new.runs_on(world) => return Err(unknown_hardware(world, host)),
            Some(new) => new,
        },
    };
    let most = hardware.most_cpus().min(host_cpus(world, host));
    if spec.num_cpus.is_some_and(|cpus| cpus < 1 || cpus > most) {
        return invalid("numCPUs");
    }
    let cpus = spec.num_cpus.unwrap_or(config.hardware.num_cpu);
    let cores = spec.num_cores_per_socket;
    if cores.is_some_and(|cores| cores < 1 || cpus % cores != 0) {
        return invalid("numCoresPerSocket");
    }
    // Hosts give memory in steps of 4 MB.
    if spec.memory_mb.is_some_and(|memory_mb| {
        memory_mb < 4 || memory_mb % 4 != 0 || memory_mb > hardware.most_memory_mb()
    }) {
        return invalid("memoryMB");
    }
    let is_uuid = |text: &str| text.chars().filter(char::is_ascii_hexdigit).count() == 32;
    if spec.uuid.as_deref().is_some_and(|uuid| !is_uuid(uuid)) {
        return invalid("uuid");
    }
    if let Some(uuid) = &spec.instance_uuid
        && !is_uuid(uuid)
    {
        return invalid("instanceUuid");
    }
    let firmware = spec.firmware.as_deref();
    if firmware.is_some_and(|firmware| !matches!(firmware, "bios" | "efi")) {
        return invalid("firmware");
    }
    Ok(())
}

fn unknown_hardware(world: &World, host: Option<&ManagedObjectReference>) -> SoapFault {
    let host = host.cloned().unwrap_or_default();
    let name = world.name(&host).unwrap_or_default().to_owned();
    let message = format!(
        "The virtual machine version is not compatible with the version of the host '{name}'."
    );
    let fault = VirtualHardwareVersionNotSupported {
        host_name: name,
        host,
        ..VirtualHardwareVersionNotSupported::default()
    };
    SoapFault::new(fault, message)
}

/// The largest number of virtual processors that the host supports.
fn host_cpus(world: &World, host: Option<&ManagedObjectReference>) -> i32 {
    let host = host.and_then(|host| world.read::<properties::HostSystem>(host));
    let capability = host.and_then(|host| host.capability.as_deref());
    let most = capability.and_then(|capability| capability.max_supported_vcpus);
    most.unwrap_or(i32::MAX)
}

/// Checks that a machine can change in its power state.
///
/// # Errors
/// - `CpuHotPlugNotSupported`, `MemoryHotPlugNotSupported` for more processors or memory of a running machine that has no
///   hot-add (`InvalidPowerState` before API 4.0, which has no such faults), and for fewer processors without hot-remove.
/// - `InvalidPowerState` for less memory, and for hardware that only a machine that is off can change.
pub(super) fn check_power(
    world: &World,
    power: &VirtualMachinePowerState,
    config: &VirtualMachineConfigInfo,
    spec: &VirtualMachineConfigSpec,
) -> Result<(), SoapFault> {
    let wrong = || Err(fault::invalid_power_state(power.clone(), PoweredOff));
    if *power == PoweredOff {
        return Ok(());
    }
    if needs_off(config, spec) {
        return wrong();
    }
    let hardware = &config.hardware;
    let cpus = spec.num_cpus.unwrap_or(hardware.num_cpu);
    let memory_mb = spec.memory_mb.unwrap_or(i64::from(hardware.memory_mb));
    let (old_cpus, old_memory_mb) = (hardware.num_cpu, i64::from(hardware.memory_mb));
    if (cpus, memory_mb) == (old_cpus, old_memory_mb) {
        return Ok(());
    }
    if *power == Suspended || memory_mb < old_memory_mb {
        return wrong();
    }
    let has_hot_plug = Hardware::of(config).has_hot_plug();
    let can_plug = |enabled: Option<bool>| has_hot_plug && enabled == Some(true);
    if cpus > old_cpus && !can_plug(config.cpu_hot_add_enabled)
        || cpus < old_cpus && !can_plug(config.cpu_hot_remove_enabled)
    {
        let message = "CPU hot plug is not supported for this virtual machine.";
        return match world.since("4.0") {
            true => Err(SoapFault::new(CpuHotPlugNotSupported::default(), message)),
            false => wrong(),
        };
    }
    if memory_mb > old_memory_mb && !can_plug(config.memory_hot_add_enabled) {
        let message = "Memory hot plug is not supported for this virtual machine.";
        return match world.since("4.0") {
            true => Err(SoapFault::new(
                MemoryHotPlugNotSupported::default(),
                message,
            )),
            false => wrong(),
        };
    }
    Ok(())
}

/// Whether a specification changes what only a machine that is off can change, beside its devices.
fn needs_off(config: &VirtualMachineConfigInfo, spec: &VirtualMachineConfigSpec) -> bool {
    fn differs<T: PartialEq>(new: Option<&T>, old: Option<&T>) -> bool {
        new.is_some() && new != old
    }
    let cores = config.hardware.num_cores_per_socket;
    differs(spec.version.as_ref(), Some(&config.version))
        || differs(spec.uuid.as_ref(), Some(&config.uuid))
        || differs(spec.guest_id.as_ref(), Some(&config.guest_id))
        || differs(spec.firmware.as_ref(), config.firmware.as_ref())
        || differs(spec.num_cores_per_socket.as_ref(), cores.as_ref())
        || differs(
            spec.memory_hot_add_enabled.as_ref(),
            config.memory_hot_add_enabled.as_ref(),
        )
        || differs(
            spec.cpu_hot_add_enabled.as_ref(),
            config.cpu_hot_add_enabled.as_ref(),
        )
        || differs(
            spec.cpu_hot_remove_enabled.as_ref(),
            config.cpu_hot_remove_enabled.as_ref(),
        )
        || differs(
            spec.nested_hv_enabled.as_ref(),
            config.nested_hv_enabled.as_ref(),
        )
}

/// Checks the allocations and affinities of a configuration that a client asks for.
///
/// # Errors
/// - `InvalidArgument` for a negative reservation or limit, a reservation above the limit, a number of shares that is
///   negative, a processor that the host does not have, or fewer of them than virtual processors.
/// - `InsufficientCpuResourcesFault`, `InsufficientMemoryResourcesFault` if a running machine reserves more than the host
///   has.
pub(super) fn check_resources(
    world: &World,
    host: Option<&ManagedObjectReference>,
    power: &VirtualMachinePowerState,
    config: &VirtualMachineConfigInfo,
) -> Result<(), SoapFault> {
    check_allocation("cpuAllocation", config.cpu_allocation.as_deref())?;
    check_allocation("memoryAllocation", config.memory_allocation.as_deref())?;
    let host = host.and_then(|host| world.read::<properties::HostSystem>(host));
    let Some(hardware) = host
        .and_then(|host| host.summary.as_deref())
        .and_then(|summary| summary.hardware.as_deref())
    else {
        return Ok(());
    };
    let threads = i32::from(hardware.num_cpu_threads);
    let check = |property: &str, affinity: Option<&VirtualMachineAffinityInfo>, least: i32| {
        let Some(affinity) = affinity else {
            return Ok(());
        };
        let count = i32::try_from(affinity.affinity_set.len()).unwrap_or(i32::MAX);
        let mut numbers = affinity.affinity_set.iter();
        match count < least || numbers.any(|number| !(0..threads).contains(number)) {
            true => Err(fault::invalid_argument(&format!("configSpec.{property}"))),
            false => Ok(()),
        }
    };
    let cpus = config.hardware.num_cpu;
    check("cpuAffinity", config.cpu_affinity.as_deref(), cpus)?;
    check("memoryAffinity", config.memory_affinity.as_deref(), 1)?;
    if *power != PoweredOn {
        return Ok(());
    }
    let reserved = |allocation: Option<&ResourceAllocationInfo>| {
        allocation
            .and_then(|allocation| allocation.reservation)
            .unwrap_or(0)
    };
    let requested = reserved(config.cpu_allocation.as_deref());
    let unreserved = i64::from(hardware.cpu_mhz) * i64::from(hardware.num_cpu_cores);
    if requested > unreserved {
        let message = "The host does not have sufficient CPU resources to satisfy the reservation.";
        let fault = InsufficientCpuResourcesFault {
            unreserved,
            requested,
            ..InsufficientCpuResourcesFault::default()
        };
        return Err(SoapFault::new(fault, message));
    }
    // The API reference gives the allocation in MB and the fault's numbers in bytes.
    let requested = reserved(config.memory_allocation.as_deref()).saturating_mul(1 << 20);
    if requested > hardware.memory_size {
        let message =
            "The host does not have sufficient memory resources to satisfy the reservation.";
        let fault = InsufficientMemoryResourcesFault {
            unreserved: hardware.memory_size,
            requested,
            ..InsufficientMemoryResourcesFault::default()
        };
        return Err(SoapFault::new(fault, message));
    }
    Ok(())
}

fn check_allocation(
    name: &str,
    allocation: Option<&ResourceAllocationInfo>,
) -> Result<(), SoapFault> {
    let invalid = |property: &str| {
        Err(fault::invalid_argument(&format!(
            "configSpec.{name}.{property}"
        )))
    };
    let Some(allocation) = allocation else {
        return Ok(());
    };
    let reservation = allocation.reservation.unwrap_or(0);
    let limit = allocation.limit.unwrap_or(-1);
    if reservation < 0 || limit >= 0 && reservation > limit {
        return invalid("reservation");
    }
    if limit < -1 {
        return invalid("limit");
    }
    let shares = allocation.shares.as_deref();
    if shares.is_some_and(|shares| shares.level == SharesLevel::Custom && shares.shares < 0) {
        return invalid("shares");
    }
    Ok(())
}
