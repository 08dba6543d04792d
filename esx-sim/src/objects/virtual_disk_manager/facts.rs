//! What can be asked about a disk.

use vi_types::SoapFault;
use vi_types::methods::{
    QueryVirtualDiskFragmentation, QueryVirtualDiskGeometry, QueryVirtualDiskUuid,
    SetVirtualDiskUuid,
};
use vi_types::objects::HostDiskDimensionsChs;

use crate::call::{Call, Row};
use crate::fault;
use crate::files::{DatastorePath, Descriptor};
use crate::machine::disk::descriptor;
use crate::machine::lock;
use crate::objects::file_manager::place;
use crate::world::World;
use crate::world::inventory::datastore::check_writable;

/// The methods.
pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::new(query_uuid),
        Row::new(set_uuid),
        Row::new(query_geometry),
        Row::new(query_fragmentation),
    ]
}

fn query_uuid(
    call: &mut Call<'_>,
    request: &QueryVirtualDiskUuid,
) -> Result<String, SoapFault> {
    let location = place(call, request.datacenter.as_ref(), &request.name)?;
    let world = &call.state.world;
    let descriptor = descriptor(world, &location)?;
    Ok(uuid(world, &location, &descriptor))
}

/// The UUID of a disk: that in its descriptor, or one that depends on where it is.
pub(super) fn uuid(world: &World, location: &DatastorePath, descriptor: &Descriptor) -> String {
    if let Some(own) = &descriptor.uuid {
        return own.clone();
    }
    let path = location.display(world);
    let number = path.bytes().fold(0u64, |number, byte| {
        number.wrapping_mul(31).wrapping_add(u64::from(byte))
    });
    let digits = format!("{number:016x}");
    let pair = |index: usize| digits.get(2 * index..2 * index + 2).unwrap_or("00");
    let pairs: Vec<_> = (0..8).map(pair).collect();
    format!("60 00 c2 90 00 00 00 00-{}", pairs.join(" "))
}

fn set_uuid(
    call: &mut Call<'_>,
    request: &SetVirtualDiskUuid,
) -> Result<(), SoapFault> {
    let location = place(call, request.datacenter.as_ref(), &request.name)?;
    let uuid = normal_uuid(&request.uuid).ok_or_else(|| fault::invalid_argument("uuid"))?;
    let world = &mut call.state.world;
    check_writable(world, &location.store)?;
    let found = descriptor(world, &location)?;
    lock::check_free(world, &location)?;
    let changed = Descriptor {
        uuid: Some(uuid),
        ..found
    };
    let [(place, text), _] = changed.files(&location);
    world.put(&place, text);
    Ok(())
}

/// A UUID as descriptors have it: 16 bytes in pairs of digits, with a hyphen in the middle.
fn normal_uuid(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    let is_valid = digits.len() == 32 && digits.bytes().all(|c| c.is_ascii_hexdigit());
    let digits = is_valid.then(|| digits.to_ascii_lowercase())?;
    let pairs: Vec<_> = (0..16).filter_map(|index| digits.get(2 * index..2 * index + 2)).collect();
    let (high, low) = pairs.split_at(8);
    Some(format!("{}-{}", high.join(" "), low.join(" ")))
}

fn query_geometry(
    call: &mut Call<'_>,
    request: &QueryVirtualDiskGeometry,
) -> Result<HostDiskDimensionsChs, SoapFault> {
    let location = place(call, request.datacenter.as_ref(), &request.name)?;
    let descriptor = descriptor(&call.state.world, &location)?;
    let sectors = i64::try_from(descriptor.capacity_kb.saturating_mul(2)).unwrap_or(i64::MAX);
    // As VMware's products choose it, by the adapter and the size.
    let (head, sector) = match &*descriptor.adapter {
        "ide" => (16, 63),
        _ if sectors < 1 << 21 => (64, 32),
        _ if sectors < 1 << 22 => (128, 32),
        _ => (255, 63),
    };
    let cylinder = sectors / (i64::from(head) * i64::from(sector));
    Ok(HostDiskDimensionsChs {
        cylinder: if head == 16 { cylinder.min(16_383) } else { cylinder },
        head,
        sector,
        ..HostDiskDimensionsChs::default()
    })
}

/// How many percent of a disk are fragmented: none.
fn query_fragmentation(
    call: &mut Call<'_>,
    request: &QueryVirtualDiskFragmentation,
) -> Result<i32, SoapFault> {
    let location = place(call, request.datacenter.as_ref(), &request.name)?;
    descriptor(&call.state.world, &location)?;
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_are_written_in_any_way() {
        let expected = "60 00 c2 94 1b 2d 3e 4f-50 61 72 83 94 a5 b6 c7";
        for text in [
            "60 00 C2 94 1b 2d 3e 4f-50 61 72 83 94 a5 b6 c7",
            "6000c294-1b2d-3e4f-5061-728394a5b6c7",
            "6000c2941b2d3e4f5061728394a5b6c7",
        ] {
            assert_eq!(normal_uuid(text).as_deref(), Some(expected), "{text}");
        }
        for text in ["", "6000c294", "zz00c2941b2d3e4f5061728394a5b6c7"] {
            assert_eq!(normal_uuid(text), None, "{text}");
        }
    }
}
