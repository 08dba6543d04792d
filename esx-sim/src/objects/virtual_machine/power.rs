//! VirtualMachine: power states of the machine and its guest.

use vi_types::enums::VirtualMachinePowerState::{self, PoweredOff, PoweredOn, Suspended};
use vi_types::methods::{
    PowerOffVmTask, PowerOnVmTask, RebootGuest, ResetVmTask, ShutdownGuest, StandbyGuest,
    SuspendVmTask,
};
use vi_types::objects::{
    Event, VmGuestRebootEvent, VmGuestShutdownEvent, VmGuestStandbyEvent, VmResettingEvent,
};
use vi_types::{ManagedObjectReference, Method, Poly, SoapFault, properties};

use crate::call::{Call, Row};
use crate::fault;
use crate::machine::{guest, lock, power};

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new(power_on),
        Row::new(power_off),
        Row::new(suspend),
        Row::new(reset),
        Row::new(shutdown_guest),
        Row::new(reboot_guest),
        Row::new(standby_guest),
    ]
}

fn power_on(
    call: &mut Call<'_>,
    _: &PowerOnVmTask,
) -> Result<ManagedObjectReference, SoapFault> {
    check_power_state(call, &[PoweredOff, Suspended], PoweredOn)?;
    let vm = call.this.clone();
    call.begin::<PowerOnVmTask>("VirtualMachine.powerOn", move |world| {
        lock::check_disks(world, &vm)?;
        power::set(world, &vm, PoweredOn);
        Ok(None)
    })
}

fn power_off(
    call: &mut Call<'_>,
    _: &PowerOffVmTask,
) -> Result<ManagedObjectReference, SoapFault> {
    let from = [PoweredOn];
    begin::<PowerOffVmTask>(call, &from, PoweredOff, "VirtualMachine.powerOff")
}

fn suspend(
    call: &mut Call<'_>,
    _: &SuspendVmTask,
) -> Result<ManagedObjectReference, SoapFault> {
    let from = [PoweredOn];
    begin::<SuspendVmTask>(call, &from, Suspended, "VirtualMachine.suspend")
}

fn reset(
    call: &mut Call<'_>,
    _: &ResetVmTask,
) -> Result<ManagedObjectReference, SoapFault> {
    check_power_state(call, &[PoweredOn], PoweredOn)?;
    let vm = call.this.clone();
    call.begin::<ResetVmTask>("VirtualMachine.reset", move |world| {
        power::set(world, &vm, PoweredOn);
        world.log(&vm, VmResettingEvent::default());
        Ok(None)
    })
}

fn shutdown_guest(call: &mut Call<'_>, _: &ShutdownGuest) -> Result<(), SoapFault> {
    guest(call, PoweredOff, PoweredOff, VmGuestShutdownEvent::default())
}

fn reboot_guest(call: &mut Call<'_>, _: &RebootGuest) -> Result<(), SoapFault> {
    guest(call, PoweredOn, PoweredOn, VmGuestRebootEvent::default())
}

fn standby_guest(call: &mut Call<'_>, _: &StandbyGuest) -> Result<(), SoapFault> {
    guest(call, Suspended, Suspended, VmGuestStandbyEvent::default())
}

/// Begins a task that leads from one of the states `from` to another one.
fn begin<M: Method>(
    call: &mut Call<'_>,
    from: &[VirtualMachinePowerState],
    to: VirtualMachinePowerState,
    description: &str,
) -> Result<ManagedObjectReference, SoapFault> {
    check_power_state(call, from, to.clone())?;
    let vm = call.this.clone();
    call.begin::<M>(description, move |world| {
        power::set(world, &vm, to);
        Ok(None)
    })
}

/// Asks the guest for something, which it does at once.
fn guest(
    call: &mut Call<'_>,
    asked: VirtualMachinePowerState,
    leads_to: VirtualMachinePowerState,
    event: impl Into<Poly<Event>>,
) -> Result<(), SoapFault> {
    check_power_state(call, &[PoweredOn], asked)?;
    let vm = call
        .state
        .world
        .read::<properties::VirtualMachine>(call.this);
    if !vm.is_some_and(guest::is_tools_running) {
        return Err(fault::tools_unavailable());
    }
    // The guest is still there when it says what it does.
    call.state.world.log(call.this, event);
    power::set_by_guest(&mut call.state.world, call.this, leads_to);
    Ok(())
}

/// Whether the virtual machine is in one of these states.
pub(super) fn check_power_state(
    call: &Call<'_>,
    states: &[VirtualMachinePowerState],
    requested: VirtualMachinePowerState,
) -> Result<(), SoapFault> {
    let vm = call
        .state
        .world
        .read::<properties::VirtualMachine>(call.this);
    let runtime = vm.and_then(|vm| vm.runtime.as_deref());
    let Some(existing) = runtime.map(|runtime| &runtime.power_state) else {
        return Err(fault::managed_object_not_found(call.this));
    };
    match states.contains(existing) {
        true => Ok(()),
        false => Err(fault::invalid_power_state(existing.clone(), requested)),
    }
}
