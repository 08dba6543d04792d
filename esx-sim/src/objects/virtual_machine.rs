//! VirtualMachine: its power states, its guest's, and the questions it asks.

use vi_types::enums::VirtualMachinePowerState::{self, PoweredOff, PoweredOn, Suspended};
use vi_types::methods::{
    AnswerVm, PowerOffVmTask, PowerOnVmTask, RebootGuest, ResetVmTask, ShutdownGuest, StandbyGuest,
    SuspendVmTask, UnregisterVm,
};
use vi_types::{ManagedObjectReference, SoapFault, properties};

use crate::call::Call;
use crate::fault;
use crate::world::{World, inventory};

pub(crate) fn power_on(
    call: &mut Call<'_>,
    _: &PowerOnVmTask,
) -> Result<ManagedObjectReference, SoapFault> {
    let from = [PoweredOff, Suspended];
    begin(call, &from, PoweredOn, "PowerOnVM_Task", "powerOn")
}

pub(crate) fn power_off(
    call: &mut Call<'_>,
    _: &PowerOffVmTask,
) -> Result<ManagedObjectReference, SoapFault> {
    let from = [PoweredOn];
    begin(call, &from, PoweredOff, "PowerOffVM_Task", "powerOff")
}

pub(crate) fn suspend(
    call: &mut Call<'_>,
    _: &SuspendVmTask,
) -> Result<ManagedObjectReference, SoapFault> {
    let from = [PoweredOn];
    begin(call, &from, Suspended, "SuspendVM_Task", "suspend")
}

pub(crate) fn reset(
    call: &mut Call<'_>,
    _: &ResetVmTask,
) -> Result<ManagedObjectReference, SoapFault> {
    let from = [PoweredOn];
    begin(call, &from, PoweredOn, "ResetVM_Task", "reset")
}

pub(crate) fn shutdown_guest(call: &mut Call<'_>, _: &ShutdownGuest) -> Result<(), SoapFault> {
    guest(call, PoweredOff, PoweredOff)
}

pub(crate) fn reboot_guest(call: &mut Call<'_>, _: &RebootGuest) -> Result<(), SoapFault> {
    guest(call, PoweredOn, PoweredOn)
}

pub(crate) fn standby_guest(call: &mut Call<'_>, _: &StandbyGuest) -> Result<(), SoapFault> {
    guest(call, Suspended, Suspended)
}

/// The files stay.
pub(crate) fn unregister(call: &mut Call<'_>, _: &UnregisterVm) -> Result<(), SoapFault> {
    is_in(call, &[PoweredOff, Suspended], PoweredOff)?;
    let state = &mut *call.state;
    state.tasks.is_idle(call.this)?;
    state.world.fill_files();
    inventory::remove_vm(&mut state.world, call.this);
    Ok(())
}

pub(crate) fn answer_vm(call: &mut Call<'_>, request: &AnswerVm) -> Result<(), SoapFault> {
    let state = &mut *call.state;
    let (id, key) = (&request.question_id, &request.answer_choice);
    state.tasks.answer(&mut state.world, call.this, id, key)
}

/// Begins a task that leads from one of the states `from` to another one.
fn begin(
    call: &mut Call<'_>,
    from: &[VirtualMachinePowerState],
    to: VirtualMachinePowerState,
    method: &str,
    description: &str,
) -> Result<ManagedObjectReference, SoapFault> {
    is_in(call, from, to.clone())?;
    let description = format!("VirtualMachine.{description}");
    let vm = call.this.clone();
    let work = move |world: &mut World| {
        inventory::set_power_state(world, &vm, to);
        Ok(None)
    };
    call.begin(method, &description, work)
}

/// Asks the guest for something, which it does at once.
fn guest(
    call: &mut Call<'_>,
    asked: VirtualMachinePowerState,
    leads_to: VirtualMachinePowerState,
) -> Result<(), SoapFault> {
    is_in(call, &[PoweredOn], asked)?;
    let vm = call
        .state
        .world
        .read::<properties::VirtualMachine>(call.this);
    let tools = vm
        .and_then(|vm| vm.guest.as_deref())
        .and_then(|guest| guest.tools_running_status.as_deref());
    if tools != Some("guestToolsRunning") {
        return Err(fault::tools_unavailable());
    }
    inventory::set_power_state(&mut call.state.world, call.this, leads_to);
    Ok(())
}

/// Whether the virtual machine is in one of these states.
fn is_in(
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
