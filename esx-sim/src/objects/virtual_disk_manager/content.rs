//! The size of disks, and how their content takes its place.

use vi_types::methods::{
    DefragmentVirtualDiskTask, EagerZeroVirtualDiskTask, ExtendVirtualDiskTask,
    InflateVirtualDiskTask, ShrinkVirtualDiskTask, ZeroFillVirtualDiskTask,
};
use vi_types::objects::VirtualDisk;
use vi_types::{Any, ManagedObjectReference, SoapFault, properties};

use super::check_size;
use crate::call::{Call, Row};
use crate::fault;
use crate::files::{Content, DatastorePath};
use crate::machine::device::disk_file;
use crate::machine::disk::Disk;
use crate::machine::{lock, set_config};
use crate::objects::file_manager::place;
use crate::world::World;
use crate::world::inventory::datastore::check_writable;

/// The methods.
pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::new(extend),
        Row::new(zero_fill),
        Row::new(eager_zero),
        Row::new(inflate),
        Row::new(shrink),
        Row::new(defragment),
    ]
}

/// Changes a disk that no machine holds.
fn change(
    world: &mut World,
    location: &DatastorePath,
    change: impl FnOnce(&mut Disk) -> Result<(), SoapFault>,
) -> Result<Option<Any>, SoapFault> {
    check_writable(world, &location.store)?;
    let mut disk = Disk::read(world, location)?;
    lock::check_free(world, location)?;
    change(&mut disk)?;
    disk.put(world, location)?;
    Ok(None)
}

/// Makes a disk larger, also for the machines that have it.
fn extend(
    call: &mut Call<'_>,
    request: &ExtendVirtualDiskTask,
) -> Result<ManagedObjectReference, SoapFault> {
    let location = place(call, request.datacenter.as_ref(), &request.name)?;
    let capacity_kb = u64::try_from(request.new_capacity_kb).unwrap_or_default();
    call.begin::<ExtendVirtualDiskTask>("VirtualDiskManager.extendVirtualDisk", move |world| {
        check_size(world, &location, capacity_kb)?;
        change(world, &location, |disk| {
            if disk.descriptor.parent.is_some() {
                return Err(fault::invalid_disk_format());
            }
            if capacity_kb < disk.descriptor.capacity_kb {
                return Err(fault::invalid_argument("newCapacityKb"));
            }
            disk.descriptor.capacity_kb = capacity_kb;
            disk.data.set_length(capacity_kb.saturating_mul(1024));
            Ok(())
        })?;
        show_capacity(world, &location, capacity_kb);
        Ok(None)
    })
}

/// Writes zeros to a whole disk.
fn zero_fill(
    call: &mut Call<'_>,
    request: &ZeroFillVirtualDiskTask,
) -> Result<ManagedObjectReference, SoapFault> {
    let location = place(call, request.datacenter.as_ref(), &request.name)?;
    call.begin::<ZeroFillVirtualDiskTask>("VirtualDiskManager.zeroFillVirtualDisk", move |world| {
        change(world, &location, |disk| {
            if disk.descriptor.parent.is_none() {
                disk.data = Content::zeros(disk.data.length()).preallocated();
            }
            Ok(())
        })
    })
}

/// Writes zeros to the places that nobody has written to, which changes nothing that can be read.
fn eager_zero(
    call: &mut Call<'_>,
    request: &EagerZeroVirtualDiskTask,
) -> Result<ManagedObjectReference, SoapFault> {
    let location = place(call, request.datacenter.as_ref(), &request.name)?;
    call.begin::<EagerZeroVirtualDiskTask>("VirtualDiskManager.eagerZeroVirtualDisk", move |world| {
        change(world, &location, |disk| match disk.descriptor.thin || disk.descriptor.parent.is_some() {
            true => Err(fault::invalid_disk_format()),
            false => Ok(()),
        })
    })
}

/// Lets a thin disk take all its space.
fn inflate(
    call: &mut Call<'_>,
    request: &InflateVirtualDiskTask,
) -> Result<ManagedObjectReference, SoapFault> {
    let location = place(call, request.datacenter.as_ref(), &request.name)?;
    call.begin::<InflateVirtualDiskTask>("VirtualDiskManager.inflateVirtualDisk", move |world| {
        change(world, &location, |disk| {
            if disk.descriptor.parent.is_some() {
                return Err(fault::invalid_disk_format());
            }
            disk.set_thin(false);
            Ok(())
        })
    })
}

/// Gives back the space of zeros that were written to a thin disk. Its capacity stays.
fn shrink(
    call: &mut Call<'_>,
    request: &ShrinkVirtualDiskTask,
) -> Result<ManagedObjectReference, SoapFault> {
    let location = place(call, request.datacenter.as_ref(), &request.name)?;
    call.begin::<ShrinkVirtualDiskTask>("VirtualDiskManager.shrinkVirtualDisk", move |world| {
        change(world, &location, |disk| {
            if !disk.descriptor.thin {
                return Err(fault::invalid_disk_format());
            }
            disk.set_thin(true);
            Ok(())
        })
    })
}

/// Brings the blocks of a disk into order, which changes nothing that can be read.
fn defragment(
    call: &mut Call<'_>,
    request: &DefragmentVirtualDiskTask,
) -> Result<ManagedObjectReference, SoapFault> {
    let location = place(call, request.datacenter.as_ref(), &request.name)?;
    call.begin::<DefragmentVirtualDiskTask>("VirtualDiskManager.defragmentVirtualDisk", move |world| {
        Disk::read(world, &location)?;
        lock::check_free(world, &location)?;
        Ok(None)
    })
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
