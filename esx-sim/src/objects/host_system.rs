//! HostSystem: maintenance mode and power of a host.

use vi_types::enums::{
    DrsBehavior, HostSystemConnectionState, HostSystemPowerState, VirtualMachinePowerState,
};
use vi_types::methods::{
    EnterMaintenanceModeTask, ExitMaintenanceModeTask, PowerDownHostToStandByTask,
    PowerUpHostFromStandByTask, RebootHostTask, ShutdownHostTask,
};
use vi_types::objects::{EnteredMaintenanceModeEvent, ExitMaintenanceModeEvent, HostRuntimeInfo};
use vi_types::{ManagedObjectReference, SoapFault, properties};

use crate::call::{Call, Row};
use crate::fault;
use crate::machine::{migration, place, power};
use crate::task::Wait;
use crate::world::World;
use crate::world::inventory::ServerKind;

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new(enter_maintenance),
        Row::new(exit_maintenance),
        Row::new(stand_by),
        Row::new(wake_up),
        Row::new(reboot),
        Row::new(shut_down),
    ]
}

fn runtime<'a>(world: &'a World, host: &ManagedObjectReference) -> Option<&'a HostRuntimeInfo> {
    world.read::<properties::HostSystem>(host)?.runtime.as_deref()
}

fn is_in_maintenance(call: &Call<'_>) -> bool {
    runtime(&call.state.world, call.this).is_some_and(|runtime| runtime.in_maintenance_mode)
}

/// Changes what the host is, also in its summary.
pub(super) fn change(world: &mut World, host: &ManagedObjectReference, change: impl Fn(&mut HostRuntimeInfo)) {
    world.change(host, |host: &mut properties::HostSystem| {
        if let Some(runtime) = host.runtime.as_deref_mut() {
            change(runtime);
        }
        let summary = host.summary.as_deref_mut();
        if let Some(runtime) = summary.and_then(|summary| summary.runtime.as_deref_mut()) {
            change(runtime);
        }
    });
}

/// Whether a machine of the host runs.
fn is_busy(world: &World, host: &ManagedObjectReference) -> bool {
    let host = world.read::<properties::HostSystem>(host);
    host.into_iter().flat_map(|host| &host.vm).any(|vm| {
        let vm = world.read::<properties::VirtualMachine>(vm);
        vm.and_then(|vm| vm.runtime.as_deref())
            .is_some_and(|runtime| runtime.power_state == VirtualMachinePowerState::PoweredOn)
    })
}

/// Waits until no machine of the host runs. A cluster that balances itself moves those that can run on its other hosts;
/// with `off_too` it also moves those that do not run.
fn until_free(host: &ManagedObjectReference, timeout: i32, off_too: bool) -> Wait {
    let host = host.clone();
    Wait::new(timeout, move |world| {
        evacuate(world, &host, off_too);
        !is_busy(world, &host)
    })
}

fn evacuate(world: &mut World, host: &ManagedObjectReference, off_too: bool) {
    let others = others_of_cluster(world, host);
    let state = world.read::<properties::HostSystem>(host);
    let machines = state.map(|host| host.vm.clone()).unwrap_or_default();
    for vm in machines {
        let power = power::of(world, &vm);
        if power != VirtualMachinePowerState::PoweredOn && !off_too {
            continue;
        }
        let Some(machine) = world.read::<properties::VirtualMachine>(&vm) else {
            continue;
        };
        if !is_moved(world, host, &vm) {
            continue;
        }
        let mut fitting = others.iter().filter(|other| {
            migration::problems(world, machine, other, &power, |_, store| store.clone()).is_empty()
        });
        if let (Some(other), Some(now)) = (fitting.next().cloned(), place::of(world, &vm)) {
            let place = crate::machine::Place { host: other, ..now };
            migration::carry_out(world, &vm, &place);
        }
    }
}

fn cluster_of<'a>(
    world: &'a World,
    host: &ManagedObjectReference,
) -> Option<&'a properties::ClusterComputeResource> {
    world.read(world.parent(host)?)
}

/// The other hosts of a host's cluster.
fn others_of_cluster(world: &World, host: &ManagedObjectReference) -> Vec<ManagedObjectReference> {
    let cluster = cluster_of(world, host);
    let hosts = cluster.into_iter().flat_map(|cluster| &cluster.base.host);
    hosts.filter(|other| *other != host).cloned().collect()
}

/// Whether the cluster of a host moves a machine by itself.
fn is_moved(world: &World, host: &ManagedObjectReference, vm: &ManagedObjectReference) -> bool {
    let cluster = cluster_of(world, host);
    let Some(configuration) = cluster.and_then(|cluster| cluster.configuration.as_deref()) else {
        return false;
    };
    let drs = &configuration.drs_config;
    let mut exceptions = configuration.drs_vm_config.iter();
    let exception = exceptions
        .find(|exception| exception.key == *vm && drs.enable_vm_behavior_overrides != Some(false));
    let own = exception.and_then(|exception| exception.behavior.as_ref());
    drs.enabled == Some(true)
        && exception.is_none_or(|exception| exception.enabled != Some(false))
        && own.or(drs.default_vm_behavior.as_ref()) == Some(&DrsBehavior::FullyAutomated)
}

/// What a host of a vSAN may do with its data. The hosts have no vSAN, and so nothing to do.
const VSAN_ACTIONS: [&str; 3] = ["noAction", "ensureObjectAccessibility", "evacuateAllData"];

fn enter_maintenance(
    call: &mut Call<'_>,
    request: &EnterMaintenanceModeTask,
) -> Result<ManagedObjectReference, SoapFault> {
    if is_in_maintenance(call) {
        return Err(fault::invalid_state());
    }
    let spec = request.maintenance_spec.as_deref();
    let vsan = spec.and_then(|spec| spec.vsan_mode.as_deref());
    if vsan.is_some_and(|mode| !VSAN_ACTIONS.contains(&mode.object_action.as_str())) {
        return Err(fault::invalid_argument("maintenanceSpec.vsanMode.objectAction"));
    }
    call.state.tasks.check_idle(call.this)?;
    let host = call.this.clone();
    let off_too = request.evacuate_powered_off_vms == Some(true);
    let wait = until_free(&host, request.timeout, off_too);
    let what = "HostSystem.enterMaintenanceMode";
    call.begin_waiting::<EnterMaintenanceModeTask>(what, wait, move |world| {
        change(world, &host, |runtime| runtime.in_maintenance_mode = true);
        world.log(&host, EnteredMaintenanceModeEvent::default());
        Ok(None)
    })
}

fn exit_maintenance(
    call: &mut Call<'_>,
    _: &ExitMaintenanceModeTask,
) -> Result<ManagedObjectReference, SoapFault> {
    if !is_in_maintenance(call) {
        return Err(fault::invalid_state());
    }
    let host = call.this.clone();
    call.begin::<ExitMaintenanceModeTask>("HostSystem.exitMaintenanceMode", move |world| {
        change(world, &host, |runtime| runtime.in_maintenance_mode = false);
        world.log(&host, ExitMaintenanceModeEvent::default());
        Ok(None)
    })
}

/// Whether the host can stand by and be woken. Only a vCenter can wake a host.
fn check_standby(call: &Call<'_>) -> Result<(), SoapFault> {
    let host = call.state.world.read::<properties::HostSystem>(call.this);
    let capability = host.and_then(|host| host.capability.as_deref());
    let is_capable = capability.is_some_and(|capability| capability.standby_supported);
    match is_capable && call.state.world.kind() == ServerKind::VCenter {
        true => Ok(()),
        false => Err(fault::not_supported()),
    }
}

fn is_standing_by(call: &Call<'_>) -> bool {
    runtime(&call.state.world, call.this)
        .is_some_and(|runtime| runtime.power_state == HostSystemPowerState::StandBy)
}

fn stand_by(
    call: &mut Call<'_>,
    request: &PowerDownHostToStandByTask,
) -> Result<ManagedObjectReference, SoapFault> {
    check_standby(call)?;
    if is_standing_by(call) {
        return Err(fault::invalid_state());
    }
    call.state.tasks.check_idle(call.this)?;
    let host = call.this.clone();
    let off_too = request.evacuate_powered_off_vms == Some(true);
    let wait = until_free(&host, request.timeout_sec, off_too);
    let what = "HostSystem.enterStandbyMode";
    call.begin_waiting::<PowerDownHostToStandByTask>(what, wait, move |world| {
        change(world, &host, |runtime| {
            runtime.power_state = HostSystemPowerState::StandBy;
            runtime.connection_state = HostSystemConnectionState::NotResponding;
            runtime.standby_mode = Some("in".to_owned());
        });
        Ok(None)
    })
}

fn wake_up(
    call: &mut Call<'_>,
    _: &PowerUpHostFromStandByTask,
) -> Result<ManagedObjectReference, SoapFault> {
    check_standby(call)?;
    if !is_standing_by(call) {
        return Err(fault::invalid_state());
    }
    let host = call.this.clone();
    call.begin::<PowerUpHostFromStandByTask>("HostSystem.exitStandbyMode", move |world| {
        change(world, &host, |runtime| {
            runtime.power_state = HostSystemPowerState::PoweredOn;
            runtime.connection_state = HostSystemConnectionState::Connected;
            runtime.standby_mode = Some("none".to_owned());
        });
        Ok(None)
    })
}

/// Without force, only a host in maintenance mode goes down.
fn check_down(call: &Call<'_>, force: bool) -> Result<(), SoapFault> {
    match force || is_in_maintenance(call) {
        true => Ok(()),
        false => Err(fault::invalid_state()),
    }
}

/// The host is back at once, with the passed-through devices that were to be.
fn reboot(
    call: &mut Call<'_>,
    request: &RebootHostTask,
) -> Result<ManagedObjectReference, SoapFault> {
    check_down(call, request.force)?;
    let host = call.this.clone();
    call.begin::<RebootHostTask>("HostSystem.reboot", move |world| {
        let mut system = None;
        let mut devices = Vec::new();
        world.change(&host, |host: &mut properties::HostSystem| {
            let managers = host.config_manager.as_deref();
            system = managers.and_then(|managers| managers.pci_passthru_system.clone());
            if let Some(config) = host.config.as_deref_mut() {
                for device in &mut config.pci_passthru_info {
                    device.passthru_active = device.passthru_enabled;
                }
                devices.clone_from(&config.pci_passthru_info);
            }
            if let Some(summary) = host.summary.as_deref_mut() {
                summary.reboot_required = false;
            }
        });
        if let Some(system) = system {
            world.change(&system, |system: &mut properties::HostPciPassthruSystem| {
                system.pci_passthru_info = devices;
            });
        }
        Ok(None)
    })
}

fn shut_down(
    call: &mut Call<'_>,
    request: &ShutdownHostTask,
) -> Result<ManagedObjectReference, SoapFault> {
    check_down(call, request.force)?;
    let host = call.this.clone();
    call.begin::<ShutdownHostTask>("HostSystem.shutdown", move |world| {
        change(world, &host, |runtime| {
            runtime.power_state = HostSystemPowerState::PoweredOff;
            runtime.connection_state = HostSystemConnectionState::NotResponding;
        });
        Ok(None)
    })
}
