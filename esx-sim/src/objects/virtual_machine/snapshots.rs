//! VirtualMachine: snapshots.

use vi_types::methods::{
    ConsolidateVmDisksTask, CreateSnapshotExTask, CreateSnapshotTask, RemoveAllSnapshotsTask, RevertToCurrentSnapshotTask,
};
use vi_types::{Any, ManagedObjectReference, Method, SoapFault};

use crate::call::{Call, Row};
use crate::fault;
use crate::machine::snapshot::{self, NewSnapshot};

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new(create_snapshot),
        Row::new(create_snapshot_ex),
        Row::new(revert_to_current_snapshot),
        Row::new(remove_all_snapshots),
        Row::new(consolidate),
    ]
}

fn create_snapshot(
    call: &mut Call<'_>,
    request: &CreateSnapshotTask,
) -> Result<ManagedObjectReference, SoapFault> {
    let new = NewSnapshot {
        name: request.name.clone(),
        description: request.description.clone().unwrap_or_default(),
        memory: request.memory,
        quiesce: request.quiesce,
        at: call.state.tasks.time(),
    };
    create::<CreateSnapshotTask>(call, new)
}

/// The same with a specification instead of a flag. Without one, nothing is quiesced.
fn create_snapshot_ex(
    call: &mut Call<'_>,
    request: &CreateSnapshotExTask,
) -> Result<ManagedObjectReference, SoapFault> {
    let new = NewSnapshot {
        name: request.name.clone(),
        description: request.description.clone().unwrap_or_default(),
        memory: request.memory,
        quiesce: request.quiesce_spec.is_some(),
        at: call.state.tasks.time(),
    };
    create::<CreateSnapshotExTask>(call, new)
}

fn create<M: Method>(
    call: &mut Call<'_>,
    new: NewSnapshot,
) -> Result<ManagedObjectReference, SoapFault> {
    if new.name.is_empty() {
        return Err(fault::invalid_name(&new.name));
    }
    let vm = call.this.clone();
    call.state.world.fill_files();
    call.begin::<M>("VirtualMachine.createSnapshot", move |world| {
        snapshot::create(world, &vm, new).map(|snapshot| Some(Any::from(snapshot)))
    })
}

fn revert_to_current_snapshot(
    call: &mut Call<'_>,
    request: &RevertToCurrentSnapshotTask,
) -> Result<ManagedObjectReference, SoapFault> {
    let vm = call.this.clone();
    let suppress_power_on = request.suppress_power_on.unwrap_or_default();
    call.state.world.fill_files();
    call.begin::<RevertToCurrentSnapshotTask>("VirtualMachine.revertToCurrentSnapshot", move |world| {
        let current = snapshot::current(world, &vm)?;
        snapshot::revert(world, &current, suppress_power_on)?;
        Ok(None)
    })
}

fn remove_all_snapshots(
    call: &mut Call<'_>,
    request: &RemoveAllSnapshotsTask,
) -> Result<ManagedObjectReference, SoapFault> {
    let vm = call.this.clone();
    call.state.world.fill_files();
    let consolidate = request.consolidate.unwrap_or(true);
    call.begin::<RemoveAllSnapshotsTask>("VirtualMachine.removeAllSnapshots", move |world| {
        snapshot::remove_all(world, &vm, consolidate)?;
        Ok(None)
    })
}

fn consolidate(
    call: &mut Call<'_>,
    _: &ConsolidateVmDisksTask,
) -> Result<ManagedObjectReference, SoapFault> {
    let vm = call.this.clone();
    call.state.world.fill_files();
    call.begin::<ConsolidateVmDisksTask>("VirtualMachine.consolidateDisks", move |world| {
        snapshot::consolidate(world, &vm)?;
        Ok(None)
    })
}
