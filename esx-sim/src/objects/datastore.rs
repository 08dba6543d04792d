//! Datastore: where files are.

use vi_types::methods::{
    DatastoreEnterMaintenanceMode, DatastoreExitMaintenanceModeTask, DestroyDatastore,
    RefreshDatastore, RefreshDatastoreStorageInfo, RenameDatastore,
};
use vi_types::objects::{
    DatastoreEvent, DatastoreRenamedEvent, DatastoreRenamedOnHostEvent, StoragePlacementResult,
};
use vi_types::{ManagedObjectReference, SoapFault, properties};

use super::host_datastore_system::take_out;
use super::managed_entity::check_name;
use crate::call::{Call, Row};
use crate::fault;
use crate::machine::config::escaped;
use crate::machine::renamed_store;
use crate::world::World;
use crate::world::inventory::{ServerKind, datacenter_of, datastore, storage};

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new(refresh),
        Row::new(refresh_usage),
        Row::new(rename),
        Row::new(destroy),
        Row::new(enter_maintenance),
        Row::new(exit_maintenance),
    ]
}

/// Notes when the host has looked last. The other properties are always up to date.
fn refresh(call: &mut Call<'_>, _: &RefreshDatastore) -> Result<(), SoapFault> {
    let now = call.state.world.clock.now();
    call.state.world.change(call.this, |store: &mut properties::Datastore| {
        if let Some(info) = store.info.as_mut() {
            info.timestamp = info.timestamp.take().map(|_| now);
        }
    });
    Ok(())
}

/// Does nothing: what machines use is always up to date.
fn refresh_usage(_: &mut Call<'_>, _: &RefreshDatastoreStorageInfo) -> Result<(), SoapFault> {
    Ok(())
}

fn rename(call: &mut Call<'_>, request: &RenameDatastore) -> Result<(), SoapFault> {
    let name = &request.new_name;
    check_name(name)?;
    call.state.world.fill_files();
    rename_to(&mut call.state.world, call.this, name)
}

/// Gives a datastore another name, also in the paths of everything that is on it.
///
/// # Errors
/// `DuplicateName` if another datastore of the datacenter has it.
pub(super) fn rename_to(
    world: &mut World,
    store: &ManagedObjectReference,
    name: &str,
) -> Result<(), SoapFault> {
    let wanted = escaped(name);
    let old = world.name(store).unwrap_or_default().to_owned();
    let datacenter = datacenter_of(world, store);
    let state = datacenter.and_then(|one| world.read::<properties::Datacenter>(&one));
    let mut others = state.into_iter().flat_map(|datacenter| &datacenter.datastore);
    if let Some(other) = others.find(|other| *other != store && world.name(other) == Some(&*wanted)) {
        return Err(fault::duplicate_name(name, other));
    }
    if old == wanted {
        return Ok(());
    }
    datastore::set_name(world, store, &wanted);
    renamed_store::follow(world, store, &old, &wanted);
    let hosts = datastore::hosts_of(world, store);
    for host in &hosts {
        storage::show_volumes(world, host);
        let event = DatastoreRenamedOnHostEvent {
            old_name: old.clone(),
            new_name: wanted.clone(),
            ..DatastoreRenamedOnHostEvent::default()
        };
        world.log(host, event);
    }
    let event = DatastoreRenamedEvent {
        base: DatastoreEvent {
            datastore: Some(world.datastore_argument(store).into()),
            ..DatastoreEvent::default()
        },
        old_name: old,
        new_name: wanted,
        ..DatastoreRenamedEvent::default()
    };
    world.log(store, event);
    Ok(())
}

fn destroy(call: &mut Call<'_>, _: &DestroyDatastore) -> Result<(), SoapFault> {
    let world = &mut call.state.world;
    check_destroy(world, call.this)?;
    take_out(world, call.this);
    Ok(())
}

/// Checks that a datastore can go: no machine is on it, and no host that is there has it.
///
/// # Errors
/// `ResourceInUse`.
pub(super) fn check_destroy(world: &World, store: &ManagedObjectReference) -> Result<(), SoapFault> {
    storage::check_unused(world, store, None)?;
    let state = world.read::<properties::Datastore>(store);
    let mut mounts = state.into_iter().flat_map(|store| &store.host);
    match mounts.any(|mount| mount.mount_info.accessible != Some(false)) {
        true => Err(fault::resource_in_use("Datastore", world.name(store).unwrap_or_default())),
        false => Ok(()),
    }
}

/// `summary.maintenanceMode`, if the server has such a thing.
fn maintenance(world: &World, store: &ManagedObjectReference) -> Option<String> {
    let store = world.read::<properties::Datastore>(store)?;
    store.summary.as_deref()?.maintenance_mode.clone()
}

fn set_maintenance(world: &mut World, store: &ManagedObjectReference, mode: &str) {
    world.change(store, |store: &mut properties::Datastore| {
        if let Some(summary) = store.summary.as_deref_mut() {
            summary.maintenance_mode = Some(mode.to_owned());
        }
    });
}

/// Begins maintenance of a datastore, once no machine is on it any more. Only a vCenter does that.
fn enter_maintenance(
    call: &mut Call<'_>,
    _: &DatastoreEnterMaintenanceMode,
) -> Result<StoragePlacementResult, SoapFault> {
    let this = call.this.clone();
    let world = &mut call.state.world;
    if world.kind() == ServerKind::Esx {
        return Err(fault::not_supported());
    }
    if maintenance(world, &this).as_deref() != Some("normal") {
        return Err(fault::invalid_state());
    }
    let task = call.begin::<DatastoreEnterMaintenanceMode>("Datastore.enterMaintenanceMode", {
        let this = this.clone();
        move |world| {
            let used = storage::check_unused(world, &this, None);
            let mode = if used.is_ok() { "inMaintenance" } else { "normal" };
            set_maintenance(world, &this, mode);
            used.map(|()| None)
        }
    })?;
    set_maintenance(&mut call.state.world, &this, "enteringMaintenance");
    Ok(StoragePlacementResult {
        task: Some(task),
        ..StoragePlacementResult::default()
    })
}

fn exit_maintenance(
    call: &mut Call<'_>,
    _: &DatastoreExitMaintenanceModeTask,
) -> Result<ManagedObjectReference, SoapFault> {
    let this = call.this.clone();
    let world = &call.state.world;
    if world.kind() == ServerKind::Esx {
        return Err(fault::not_supported());
    }
    if maintenance(world, &this).as_deref() == Some("normal") {
        return Err(fault::invalid_state());
    }
    call.begin::<DatastoreExitMaintenanceModeTask>("Datastore.exitMaintenanceMode", move |world| {
        set_maintenance(world, &this, "normal");
        Ok(None)
    })
}
