//! FileManager: folders and files on datastores.

use vi_types::methods::{
    CopyDatastoreFileTask, DeleteDatastoreFileTask, MakeDirectory, MoveDatastoreFileTask,
};
use vi_types::objects::{
    DatastoreEvent, DatastoreFileCopiedEvent, DatastoreFileDeletedEvent, DatastoreFileEvent,
    DatastoreFileMovedEvent,
};
use vi_types::{ManagedObjectReference, SoapFault, properties};

use crate::call::{Call, Row};
use crate::fault;
use crate::files::{DatastorePath, Entry};
use crate::machine::lock;
use crate::world::World;
use crate::world::inventory::datastore::{check_reached, check_space, check_writable};

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new(make_directory),
        Row::new(delete),
        Row::new(move_file),
        Row::new(copy),
    ]
}

fn make_directory(
    call: &mut Call<'_>,
    request: &MakeDirectory,
) -> Result<(), SoapFault> {
    let location = place(call, request.datacenter.as_ref(), &request.name)?;
    let world = &mut call.state.world;
    check_writable(world, &location.store)?;
    check_top_level(world, &location)?;
    let with_parents = request.create_parent_directories.unwrap_or_default();
    if !with_parents || world.entry(&location).is_some() {
        world.check_room(&location)?;
    }
    world.put(&location, Entry::Folder);
    Ok(())
}

fn delete(
    call: &mut Call<'_>,
    request: &DeleteDatastoreFileTask,
) -> Result<ManagedObjectReference, SoapFault> {
    let location = place(call, request.datacenter.as_ref(), &request.name)?;
    call.begin::<DeleteDatastoreFileTask>("FileManager.deleteFile", move |world| {
        check_writable(world, &location.store)?;
        lock::check_free(world, &location)?;
        take_out(world, &location)?;
        let event = DatastoreFileDeletedEvent {
            base: file_event(world, &location),
            ..DatastoreFileDeletedEvent::default()
        };
        world.log(&location.store, event);
        Ok(None)
    })
}

fn move_file(
    call: &mut Call<'_>,
    request: &MoveDatastoreFileTask,
) -> Result<ManagedObjectReference, SoapFault> {
    let from = place(
        call,
        request.source_datacenter.as_ref(),
        &request.source_name,
    )?;
    let to = request.destination_datacenter.as_ref();
    let to = to.or(request.source_datacenter.as_ref());
    let to = place(call, to, &request.destination_name)?;
    let force = request.force.unwrap_or_default();
    call.begin::<MoveDatastoreFileTask>("FileManager.moveFile", move |world| {
        check_writable(world, &from.store)?;
        lock::check_free(world, &from)?;
        transfer(world, &from, &to, force, true)?;
        world.delete(&from);
        let event = DatastoreFileMovedEvent {
            base: file_event(world, &to),
            source_datastore: world.datastore_argument(&from.store),
            source_file: from.display(world),
            ..DatastoreFileMovedEvent::default()
        };
        world.log(&to.store, event);
        Ok(None)
    })
}

fn copy(
    call: &mut Call<'_>,
    request: &CopyDatastoreFileTask,
) -> Result<ManagedObjectReference, SoapFault> {
    let from = place(
        call,
        request.source_datacenter.as_ref(),
        &request.source_name,
    )?;
    let to = request.destination_datacenter.as_ref();
    let to = to.or(request.source_datacenter.as_ref());
    let to = place(call, to, &request.destination_name)?;
    let force = request.force.unwrap_or_default();
    call.begin::<CopyDatastoreFileTask>("FileManager.copyFile", move |world| {
        transfer(world, &from, &to, force, false)?;
        let event = DatastoreFileCopiedEvent {
            base: file_event(world, &to),
            source_datastore: world.datastore_argument(&from.store),
            source_file: from.display(world),
            ..DatastoreFileCopiedEvent::default()
        };
        world.log(&to.store, event);
        Ok(None)
    })
}

fn file_event(world: &World, file: &DatastorePath) -> DatastoreFileEvent {
    DatastoreFileEvent {
        base: DatastoreEvent {
            datastore: Some(world.datastore_argument(&file.store).into()),
            ..DatastoreEvent::default()
        },
        target_file: file.display(world),
        succeeded: world.since("6.5").then_some(true),
        ..DatastoreFileEvent::default()
    }
}

/// Datastores of objects have no folders but those of their objects: an object is made with its folder by other means.
fn check_top_level(world: &World, location: &DatastorePath) -> Result<(), SoapFault> {
    let store = world.read::<properties::Datastore>(&location.store);
    let capability = store.and_then(|store| store.capability.as_deref());
    let is_there = world.entry(&location.parent()).is_some() && !location.parent().path.is_empty();
    match capability.and_then(|capability| capability.top_level_directory_create_supported) {
        Some(false) if !is_there => Err(fault::cannot_create_file(&location.display(world))),
        _ => Ok(()),
    }
}

/// What a path means; on a vCenter it needs its datacenter.
pub(super) fn place(
    call: &mut Call<'_>,
    datacenter: Option<&ManagedObjectReference>,
    path: &str,
) -> Result<DatastorePath, SoapFault> {
    let world = &mut call.state.world;
    world.fill_files();
    if datacenter.is_none() && world.all("Datacenter").count() > 1 {
        return Err(fault::invalid_argument("datacenter"));
    }
    let location = DatastorePath::resolve(world, datacenter, path)?;
    check_reached(world, &location.store)?;
    Ok(location)
}

/// Takes a file out, or a folder with everything in it.
pub(super) fn take_out(world: &mut World, location: &DatastorePath) -> Result<(), SoapFault> {
    let name = location.display(world);
    match world.delete(location) {
        true => Ok(()),
        false if location.path.is_empty() => Err(fault::cannot_delete_file(&name)),
        false => Err(fault::file_not_found(&name)),
    }
}

/// Puts a copy somewhere else.
fn transfer(
    world: &mut World,
    from: &DatastorePath,
    to: &DatastorePath,
    force: bool,
    moves: bool,
) -> Result<(), SoapFault> {
    check_writable(world, &to.store)?;
    if world.entry(from).is_none() || from.path.is_empty() {
        return Err(fault::file_not_found(&from.display(world)));
    }
    let within =
        to.store == from.store && format!("{}/", to.path).starts_with(&format!("{}/", from.path));
    if within {
        return Err(fault::file_already_exists(&to.display(world)));
    }
    lock::check_readable(world, from)?;
    lock::check_free(world, to)?;
    if force && matches!(world.entry(to), Some(entry) if !matches!(entry, Entry::Folder)) {
        world.delete(to);
    }
    world.check_room(to)?;
    if !moves || from.store != to.store {
        check_space(world, to, world.allocated_by(from))?;
    }
    world.copy(from, to);
    Ok(())
}
