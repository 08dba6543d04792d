//! HostSystem: maintenance mode and power of a host.

use vi_types::enums::{HostSystemConnectionState, HostSystemPowerState, VirtualMachinePowerState};
use vi_types::methods::{
    EnterMaintenanceModeTask, ExitMaintenanceModeTask, PowerDownHostToStandByTask,
    PowerUpHostFromStandByTask, RebootHostTask, ShutdownHostTask,
};
use vi_types::objects::HostRuntimeInfo;
use vi_types::{ManagedObjectReference, SoapFault, properties};

use crate::call::{Call, Row};
use crate::fault;
use crate::world::World;

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
fn change(world: &mut World, host: &ManagedObjectReference, change: impl Fn(&mut HostRuntimeInfo)) {
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

/// A real host waits until none of its machines runs, as long as the timeout says. Nothing here reads a clock: if one
/// still runs at the task's last step, the time is over.
fn enter_maintenance(
    call: &mut Call<'_>,
    _: &EnterMaintenanceModeTask,
) -> Result<ManagedObjectReference, SoapFault> {
    if is_in_maintenance(call) {
        return Err(fault::invalid_state());
    }
    let host = call.this.clone();
    call.begin::<EnterMaintenanceModeTask>("HostSystem.enterMaintenanceMode", move |world| {
        if is_busy(world, &host) {
            return Err(fault::timedout());
        }
        change(world, &host, |runtime| runtime.in_maintenance_mode = true);
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
        Ok(None)
    })
}

fn stand_by(
    call: &mut Call<'_>,
    _: &PowerDownHostToStandByTask,
) -> Result<ManagedObjectReference, SoapFault> {
    let host = call.this.clone();
    call.begin::<PowerDownHostToStandByTask>("HostSystem.enterStandbyMode", move |world| {
        if is_busy(world, &host) {
            return Err(fault::timedout());
        }
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
