//! The power state of virtual machines.

use vi_types::enums::ManagedEntityStatus;
use vi_types::enums::VirtualMachinePowerState::{self, PoweredOn};
use vi_types::objects::VmGuestOsCrashedEvent;
use vi_types::{ManagedObjectReference, properties};

use super::{device, guest, summary};
use crate::event::lifecycle;
use crate::world::World;
use crate::world::inventory::parts;

/// A machine's power state. A machine that does not exist is off.
pub(crate) fn of(world: &World, vm: &ManagedObjectReference) -> VirtualMachinePowerState {
    let machine = world.read::<properties::VirtualMachine>(vm);
    let runtime = machine.and_then(|machine| machine.runtime.as_deref());
    runtime.map_or(VirtualMachinePowerState::PoweredOff, |runtime| {
        runtime.power_state.clone()
    })
}

/// Sets a machine's power state in all properties that show it, and writes the events of the change. Returns whether the
/// machine exists.
pub(crate) fn set(
    world: &mut World,
    vm: &ManagedObjectReference,
    power: VirtualMachinePowerState,
) -> bool {
    change(world, vm, power, false)
}

/// The same, where the guest itself has shut down.
pub(crate) fn set_by_guest(
    world: &mut World,
    vm: &ManagedObjectReference,
    power: VirtualMachinePowerState,
) -> bool {
    change(world, vm, power, true)
}

fn change(
    world: &mut World,
    vm: &ManagedObjectReference,
    power: VirtualMachinePowerState,
    by_guest: bool,
) -> bool {
    let before = of(world, vm);
    let changed = world.update(vm, |world, vm: &mut properties::VirtualMachine| {
        show(world, vm, power.clone());
    });
    if changed.is_some() {
        lifecycle::power_changed(world, vm, &before, &power, by_guest);
    }
    changed.is_some()
}

/// Lets the guest's operating system crash. The machine stays on. Returns whether it was.
pub(crate) fn crash_guest(world: &mut World, vm: &ManagedObjectReference) -> bool {
    let told = tell(world, vm, false, |world, machine| {
        if let Some(guest) = machine.guest.as_deref_mut() {
            guest.guest_kernel_crashed = world.since("6.0").then_some(true);
        }
        if guest::has_tools(machine) {
            machine.guest_heartbeat_status = Some(ManagedEntityStatus::Red);
            if let Some(summary) = machine.summary.as_deref_mut() {
                summary.quick_stats.guest_heartbeat_status = ManagedEntityStatus::Red;
            }
        }
    });
    if told {
        world.log(vm, VmGuestOsCrashedEvent::default());
    }
    told
}

/// Lets the tools of a machine begin or end to run. Returns whether the machine is on.
pub(crate) fn run_tools(world: &mut World, vm: &ManagedObjectReference, running: bool) -> bool {
    tell(world, vm, running, |_, _| {})
}

/// Writes the reports of a guest whose tools run or not, and what `then` adds to them.
fn tell(
    world: &mut World,
    vm: &ManagedObjectReference,
    tools_run: bool,
    then: impl FnOnce(&World, &mut properties::VirtualMachine),
) -> bool {
    let machine = world.read::<properties::VirtualMachine>(vm);
    let Some(mut machine) = machine.cloned() else {
        return false;
    };
    let runtime = machine.runtime.as_deref();
    if runtime.is_none_or(|runtime| runtime.power_state != PoweredOn) {
        return false;
    }
    report(world, &mut machine, true, tools_run);
    then(world, &mut machine);
    world.change(vm, |vm: &mut properties::VirtualMachine| *vm = machine);
    true
}

/// Sets the memory that the balloon driver holds, in MB.
pub(crate) fn set_balloon(world: &mut World, vm: &ManagedObjectReference, mb: i32) {
    world.change_silently(vm, |vm: &mut properties::VirtualMachine| {
        if let Some(summary) = vm.summary.as_deref_mut() {
            summary.quick_stats.ballooned_memory = Some(mb);
        }
    });
}

/// Writes a power state into all properties that show it.
pub(super) fn show(
    world: &World,
    vm: &mut properties::VirtualMachine,
    power: VirtualMachinePowerState,
) {
    let is_on = power == PoweredOn;
    let is_suspended = power == VirtualMachinePowerState::Suspended;
    let is_off = power == VirtualMachinePowerState::PoweredOff;
    if let Some(config) = vm.config.as_deref_mut() {
        device::set_power(config, is_on);
    }
    if let Some(runtime) = vm.runtime.as_deref_mut() {
        runtime.power_state = power;
        runtime.boot_time = is_on.then(parts::boot_time);
        runtime.suspend_time = is_suspended.then(parts::suspend_time);
        runtime.clean_power_off = (world.since("4.0") && is_off).then_some(true);
    }
    report(world, vm, is_on, is_on);
}

/// Writes what the guest and the host report of a machine after its configuration changed. What they report otherwise
/// stays.
pub(super) fn follow(
    world: &World,
    before: &properties::VirtualMachine,
    vm: &mut properties::VirtualMachine,
) {
    let runtime = vm.runtime.as_deref();
    let is_on = runtime.is_some_and(|runtime| runtime.power_state == PoweredOn);
    let size = |vm: &properties::VirtualMachine| {
        let hardware = vm.config.as_deref().map(|config| &config.hardware);
        hardware.map(|hardware| (hardware.num_cpu, hardware.memory_mb))
    };
    let is_same = guest::info(world, before, is_on) == guest::info(world, vm, is_on);
    if !is_same || size(before) != size(vm) {
        report(world, vm, is_on, is_on);
    }
}

/// Writes the reports of the guest, whose tools run if there are any, and of the host.
fn report(world: &World, vm: &mut properties::VirtualMachine, is_on: bool, tools_run: bool) {
    let heartbeat = match tools_run && guest::has_tools(vm) {
        true => ManagedEntityStatus::Green,
        false => ManagedEntityStatus::Gray,
    };
    vm.guest_heartbeat_status = Some(heartbeat.clone());
    vm.guest = Some(guest::info(world, vm, tools_run).into());
    let guest = vm.guest.as_deref().map(guest::summary);
    let runtime = vm.runtime.as_deref().cloned();
    let measured = vm
        .config
        .as_deref()
        .map(|config| summary::quick_stats(world, is_on, config, heartbeat));
    if let Some(summary) = vm.summary.as_deref_mut() {
        summary.guest = guest.map(Box::new);
        summary.runtime = runtime.unwrap_or_default();
        // The balloon driver holds what it holds while the machine runs.
        let held = summary.quick_stats.ballooned_memory.filter(|_| is_on);
        summary.quick_stats = measured.unwrap_or_default();
        if held.is_some() {
            summary.quick_stats.ballooned_memory = held;
        }
    }
}
