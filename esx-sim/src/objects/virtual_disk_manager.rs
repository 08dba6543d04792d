//! VirtualDiskManager: virtual disks, whether or not a machine uses them.

use vi_types::methods::{CreateVirtualDiskTask, DeleteVirtualDiskTask, QueryVirtualDiskUuid};
use vi_types::objects::FileBackedVirtualDiskSpec;
use vi_types::{Any, ManagedObjectReference, SoapFault};

use super::file_manager::{place, take_out};
use crate::call::{Call, Row};
use crate::fault;
use crate::files::{Descriptor, DatastorePath};
use crate::world::World;

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new(create),
        Row::new(delete),
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
        for (file, _) in disk(world, &location)?.files(&location) {
            // What is on a disk may have been taken out before.
            let _ = take_out(world, &file);
        }
        Ok(None)
    })
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
