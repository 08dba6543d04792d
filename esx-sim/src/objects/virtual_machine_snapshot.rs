//! VirtualMachineSnapshot: revert, removal and renaming. The tasks belong to the machine.

use vi_types::methods::{RemoveSnapshotTask, RenameSnapshot, RevertToSnapshotTask};
use vi_types::{ManagedObjectReference, SoapFault};

use crate::call::{Call, Row};
use crate::fault;
use crate::machine::snapshot;

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new(revert),
        Row::new(remove),
        Row::new(rename),
    ]
}

fn revert(
    call: &mut Call<'_>,
    request: &RevertToSnapshotTask,
) -> Result<ManagedObjectReference, SoapFault> {
    let vm = snapshot::of(&call.state.world, call.this)?;
    let this = call.this.clone();
    let suppress_power_on = request.suppress_power_on.unwrap_or_default();
    call.state.world.fill_files();
    call.begin_of::<RevertToSnapshotTask>(&vm, "vm.Snapshot.revert", move |world| {
        snapshot::revert(world, &this, suppress_power_on)?;
        Ok(None)
    })
}

fn remove(
    call: &mut Call<'_>,
    request: &RemoveSnapshotTask,
) -> Result<ManagedObjectReference, SoapFault> {
    let vm = snapshot::of(&call.state.world, call.this)?;
    let this = call.this.clone();
    let children = request.remove_children;
    let consolidate = request.consolidate.unwrap_or(true);
    call.state.world.fill_files();
    call.begin_of::<RemoveSnapshotTask>(&vm, "vm.Snapshot.remove", move |world| {
        snapshot::remove(world, &this, children, consolidate)?;
        Ok(None)
    })
}

fn rename(call: &mut Call<'_>, request: &RenameSnapshot) -> Result<(), SoapFault> {
    let state = &mut *call.state;
    let vm = snapshot::of(&state.world, call.this)?;
    state.tasks.check_idle(&vm)?;
    if request.name.as_deref() == Some("") {
        return Err(fault::invalid_name(""));
    }
    let (name, description) = (request.name.as_deref(), request.description.as_deref());
    snapshot::rename(&mut state.world, call.this, name, description)
}
