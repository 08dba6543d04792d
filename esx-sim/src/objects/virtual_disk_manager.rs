//! VirtualDiskManager: virtual disks, whether or not a machine uses them.

mod content;
mod facts;

use vi_types::methods::{
    CopyVirtualDiskTask, CreateVirtualDiskTask, DeleteVirtualDiskTask, MoveVirtualDiskTask,
};
use vi_types::objects::{FileBackedVirtualDiskSpec, SeSparseVirtualDiskSpec};
use vi_types::{Any, ManagedObjectReference, SoapFault, properties};

use super::file_manager::{place, take_out};
use crate::call::{Call, Row};
use crate::fault;
use crate::files::{DatastorePath, Descriptor, Parent};
use crate::machine::disk::Disk;
use crate::machine::{chain, lock};
use crate::world::World;
use crate::world::inventory::datastore::{check_space, check_writable};

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    let mut rows = vec![
        Row::new(create),
        Row::new(delete),
        Row::new(copy),
        Row::new(move_disk),
    ];
    rows.extend(content::rows());
    rows.extend(facts::rows());
    rows
}

/// How the content of a new disk takes its place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Provision {
    Thin,
    Thick,
}

/// What `diskType` says. Hosts make no other types; those were VMware Workstation's and VMware Server's.
fn provision(disk_type: &str) -> Result<Provision, SoapFault> {
    match disk_type {
        "thin" | "seSparse" => Ok(Provision::Thin),
        "preallocated" | "thick" | "eagerZeroedThick" => Ok(Provision::Thick),
        "rdm" | "rdmp" | "raw" => Err(fault::not_supported()),
        _ => Err(fault::invalid_argument("spec.diskType")),
    }
}

fn create(
    call: &mut Call<'_>,
    request: &CreateVirtualDiskTask,
) -> Result<ManagedObjectReference, SoapFault> {
    let location = place(call, request.datacenter.as_ref(), &request.name)?;
    let provision = provision(&request.spec.disk_type)?;
    let spec = request.spec.cast::<FileBackedVirtualDiskSpec>();
    let capacity_kb = spec.and_then(|spec| u64::try_from(spec.capacity_kb).ok());
    let capacity_kb = capacity_kb.filter(|capacity_kb| *capacity_kb > 0);
    let capacity_kb = capacity_kb.ok_or_else(|| fault::invalid_argument("spec"))?;
    if request.spec.disk_type == "seSparse" && !request.spec.is::<SeSparseVirtualDiskSpec>() {
        return Err(fault::invalid_argument("spec"));
    }
    // `lsiLogic` and `busLogic` in requests.
    let adapter = request.spec.adapter_type.to_ascii_lowercase();
    let descriptor = Descriptor {
        thin: provision == Provision::Thin,
        ..Descriptor::new(&adapter, capacity_kb)
    };
    call.begin::<CreateVirtualDiskTask>("VirtualDiskManager.createVirtualDisk", move |world| {
        check_writable(world, &location.store)?;
        world.check_room(&location)?;
        check_size(world, &location, capacity_kb)?;
        Disk::new(descriptor).put(world, &location)?;
        Ok(Some(Any::from(location.display(world))))
    })
}

/// Fails with `FileTooLarge` if the datastore has no such large files.
fn check_size(world: &World, location: &DatastorePath, capacity_kb: u64) -> Result<(), SoapFault> {
    let store = world.read::<properties::Datastore>(&location.store);
    let largest = store.and_then(|store| Some(store.info.as_ref()?.max_file_size));
    let bytes = i64::try_from(capacity_kb.saturating_mul(1024)).unwrap_or(i64::MAX);
    match largest {
        Some(largest) if bytes > largest => {
            let name = world.name(&location.store).unwrap_or_default();
            Err(fault::file_too_large(&location.display(world), name, bytes, largest))
        }
        _ => Ok(()),
    }
}

fn delete(
    call: &mut Call<'_>,
    request: &DeleteVirtualDiskTask,
) -> Result<ManagedObjectReference, SoapFault> {
    let location = place(call, request.datacenter.as_ref(), &request.name)?;
    call.begin::<DeleteVirtualDiskTask>("VirtualDiskManager.deleteVirtualDisk", move |world| {
        check_writable(world, &location.store)?;
        Disk::read(world, &location)?;
        lock::check_free(world, &location)?;
        delete_files(world, &location);
        Ok(None)
    })
}

/// Copies a disk with all its content, also that of the disks below it.
fn copy(
    call: &mut Call<'_>,
    request: &CopyVirtualDiskTask,
) -> Result<ManagedObjectReference, SoapFault> {
    let from = place(call, request.source_datacenter.as_ref(), &request.source_name)?;
    let to = request.dest_datacenter.as_ref().or(request.source_datacenter.as_ref());
    let to = place(call, to, &request.dest_name)?;
    let force = request.force.unwrap_or_default();
    let wanted = match request.dest_spec.as_ref() {
        Some(wanted) => Some((provision(&wanted.disk_type)?, wanted.adapter_type.to_ascii_lowercase())),
        None => None,
    };
    call.begin::<CopyVirtualDiskTask>("VirtualDiskManager.copyVirtualDisk", move |world| {
        check_writable(world, &to.store)?;
        let mut disk = Disk::read(world, &from)?.flattened(world, &from);
        lock::check_free(world, &from)?;
        if let Some((provision, adapter)) = wanted {
            disk.descriptor.adapter = adapter;
            disk.set_thin(provision == Provision::Thin);
        }
        make_room(world, &from, &to, force)?;
        disk.put(world, &to)?;
        Ok(Some(Any::from(to.display(world))))
    })
}

/// Gives a disk another name or another folder. A delta disk keeps the disk below it.
fn move_disk(
    call: &mut Call<'_>,
    request: &MoveVirtualDiskTask,
) -> Result<ManagedObjectReference, SoapFault> {
    let from = place(call, request.source_datacenter.as_ref(), &request.source_name)?;
    let to = request.dest_datacenter.as_ref().or(request.source_datacenter.as_ref());
    let to = place(call, to, &request.dest_name)?;
    let force = request.force.unwrap_or_default();
    call.begin::<MoveVirtualDiskTask>("VirtualDiskManager.moveVirtualDisk", move |world| {
        check_writable(world, &from.store)?;
        check_writable(world, &to.store)?;
        let mut disk = Disk::read(world, &from)?;
        lock::check_free(world, &from)?;
        let below = chain::of(world, &from).into_iter().nth(1);
        if let (Some(parent), Some(below)) = (&disk.descriptor.parent, below) {
            disk.descriptor.parent = Some(Parent::of(&to, &below, parent.content));
        }
        // It stays the same disk.
        disk.descriptor.uuid = Some(facts::uuid(world, &from, &disk.descriptor));
        make_room(world, &from, &to, force)?;
        if from.store != to.store {
            check_space(world, &to, disk.data.allocated())?;
        }
        delete_files(world, &from);
        disk.put(world, &to)?;
        Ok(Some(Any::from(to.display(world))))
    })
}

/// Makes room for a disk at another place.
fn make_room(
    world: &mut World,
    from: &DatastorePath,
    to: &DatastorePath,
    force: bool,
) -> Result<(), SoapFault> {
    if force && from != to && Disk::read(world, to).is_ok() {
        lock::check_free(world, to)?;
        delete_files(world, to);
    }
    world.check_room(to)
}

/// Deletes the files of a disk. What is on it may have been taken out before.
fn delete_files(world: &mut World, location: &DatastorePath) {
    for file in world.disk_files(location) {
        let _ = take_out(world, &file);
    }
}
