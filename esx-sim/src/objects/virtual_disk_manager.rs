//! VirtualDiskManager: virtual disks, whether or not a machine uses them.

use vi_types::methods::{
    CopyVirtualDiskTask, CreateVirtualDiskTask, DeleteVirtualDiskTask, ExtendVirtualDiskTask,
    MoveVirtualDiskTask, QueryVirtualDiskUuid, ZeroFillVirtualDiskTask,
};
use vi_types::objects::{FileBackedVirtualDiskSpec, VirtualDisk};
use vi_types::{Any, ManagedObjectReference, SoapFault, properties};

use super::file_manager::{place, take_out};
use crate::call::{Call, Row};
use crate::fault;
use crate::files::{DatastorePath, Descriptor, Parent};
use crate::machine::device::disk_file;
use crate::machine::{chain, lock, set_config};
use crate::world::World;

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new(create),
        Row::new(delete),
        Row::new(copy),
        Row::new(move_disk),
        Row::new(extend),
        Row::new(zero_fill),
        Row::new(query_uuid),
    ]
}

fn create(
    call: &mut Call<'_>,
    request: &CreateVirtualDiskTask,
) -> Result<ManagedObjectReference, SoapFault> {
    let location = place(call, request.datacenter.as_ref(), &request.name)?;
    let spec = request.spec.cast::<FileBackedVirtualDiskSpec>();
    let capacity_kb = spec.and_then(|spec| u64::try_from(spec.capacity_kb).ok());
    let capacity_kb = capacity_kb.filter(|capacity_kb| *capacity_kb > 0);
    let capacity_kb = capacity_kb.ok_or_else(|| fault::invalid_argument("spec"))?;
    // `lsiLogic` and `busLogic` in requests.
    let adapter = request.spec.adapter_type.to_ascii_lowercase();
    let descriptor = Descriptor {
        thin: request.spec.disk_type == "thin",
        ..Descriptor::new(&adapter, capacity_kb)
    };
    call.begin::<CreateVirtualDiskTask>("VirtualDiskManager.createVirtualDisk", move |world| {
        world.check_room(&location)?;
        for (location, entry) in descriptor.files(&location) {
            world.put(&location, entry);
        }
        Ok(Some(Any::from(location.display(world))))
    })
}

fn delete(
    call: &mut Call<'_>,
    request: &DeleteVirtualDiskTask,
) -> Result<ManagedObjectReference, SoapFault> {
    let location = place(call, request.datacenter.as_ref(), &request.name)?;
    call.begin::<DeleteVirtualDiskTask>("VirtualDiskManager.deleteVirtualDisk", move |world| {
        disk(world, &location)?;
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
    let wanted = request.dest_spec.clone();
    call.begin::<CopyVirtualDiskTask>("VirtualDiskManager.copyVirtualDisk", move |world| {
        let mut descriptor = disk(world, &from)?.flattened();
        lock::check_free(world, &from)?;
        if let Some(wanted) = wanted {
            descriptor.adapter = wanted.adapter_type.to_ascii_lowercase();
            descriptor.thin = wanted.disk_type == "thin";
        }
        make_room(world, &from, &to, force)?;
        for (location, entry) in descriptor.files(&to) {
            world.put(&location, entry);
        }
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
        let mut descriptor = disk(world, &from)?;
        lock::check_free(world, &from)?;
        let below = chain::of(world, &from).into_iter().nth(1);
        if let (Some(parent), Some(below)) = (&descriptor.parent, below) {
            descriptor.parent = Some(Parent::of(&to, &below, parent.content));
        }
        make_room(world, &from, &to, force)?;
        delete_files(world, &from);
        for (location, entry) in descriptor.files(&to) {
            world.put(&location, entry);
        }
        Ok(Some(Any::from(to.display(world))))
    })
}

/// Makes a disk larger, also for the machines that have it.
fn extend(
    call: &mut Call<'_>,
    request: &ExtendVirtualDiskTask,
) -> Result<ManagedObjectReference, SoapFault> {
    let location = place(call, request.datacenter.as_ref(), &request.name)?;
    let capacity_kb = u64::try_from(request.new_capacity_kb).unwrap_or_default();
    call.begin::<ExtendVirtualDiskTask>("VirtualDiskManager.extendVirtualDisk", move |world| {
        let descriptor = disk(world, &location)?;
        lock::check_free(world, &location)?;
        if descriptor.parent.is_some() {
            return Err(fault::invalid_disk_format());
        }
        if capacity_kb < descriptor.capacity_kb {
            return Err(fault::invalid_argument("newCapacityKb"));
        }
        let descriptor = Descriptor { capacity_kb, ..descriptor };
        for (location, entry) in descriptor.files(&location) {
            world.put(&location, entry);
        }
        show_capacity(world, &location, capacity_kb);
        Ok(None)
    })
}

/// Writes zeros to a whole disk, which changes nothing here: disks have no other content.
fn zero_fill(
    call: &mut Call<'_>,
    request: &ZeroFillVirtualDiskTask,
) -> Result<ManagedObjectReference, SoapFault> {
    let location = place(call, request.datacenter.as_ref(), &request.name)?;
    call.begin::<ZeroFillVirtualDiskTask>("VirtualDiskManager.zeroFillVirtualDisk", move |world| {
        disk(world, &location)?;
        lock::check_free(world, &location)?;
        Ok(None)
    })
}

/// Makes room for a disk at another place.
fn make_room(
    world: &mut World,
    from: &DatastorePath,
    to: &DatastorePath,
    force: bool,
) -> Result<(), SoapFault> {
    if force && from != to && disk(world, to).is_ok() {
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

/// Sets the capacity of a disk in the machines that have it.
fn show_capacity(world: &mut World, location: &DatastorePath, capacity_kb: u64) {
    let path = location.display(world);
    let capacity_kb = i64::try_from(capacity_kb).unwrap_or(i64::MAX);
    let vms: Vec<_> = world.all("VirtualMachine").cloned().collect();
    for vm in vms {
        let machine = world.read::<properties::VirtualMachine>(&vm);
        let Some(mut config) = machine.and_then(|machine| machine.config.as_deref().cloned()) else {
            continue;
        };
        let mut is_changed = false;
        for device in &mut config.hardware.device {
            let is_it = disk_file(device).is_some_and(|(_, file)| {
                file.file_name == path && file.datastore.as_ref() == Some(&location.store)
            });
            if let Some(disk) = device.cast_mut::<VirtualDisk>().filter(|_| is_it) {
                disk.capacity_in_kb = capacity_kb;
                disk.capacity_in_bytes = disk.capacity_in_bytes.map(|_| capacity_kb << 10);
                is_changed = true;
            }
        }
        if is_changed {
            set_config(world, &vm, config);
        }
    }
}

/// A UUID that depends on where the disk is.
fn query_uuid(
    call: &mut Call<'_>,
    request: &QueryVirtualDiskUuid,
) -> Result<String, SoapFault> {
    let location = place(call, request.datacenter.as_ref(), &request.name)?;
    let world = &call.state.world;
    disk(world, &location)?;
    let path = location.display(world);
    let number = path.bytes().fold(0u64, |number, byte| {
        number.wrapping_mul(31).wrapping_add(u64::from(byte))
    });
    let digits = format!("{number:016x}");
    let pair = |index: usize| digits.get(2 * index..2 * index + 2).unwrap_or("00");
    let pairs: Vec<_> = (0..8).map(pair).collect();
    Ok(format!("60 00 c2 90 00 00 00 00-{}", pairs.join(" ")))
}

fn disk(world: &World, location: &DatastorePath) -> Result<Descriptor, SoapFault> {
    let text = world.content(location);
    let descriptor = text.and_then(|text| Descriptor::read(&text));
    descriptor.ok_or_else(|| fault::file_not_found(&location.display(world)))
}
