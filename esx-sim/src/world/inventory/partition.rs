//! What is on a disk: its partitions, and those that a VMFS volume would have.

use vi_types::objects::{
    HostDiskDimensionsLba, HostDiskPartitionAttributes, HostDiskPartitionBlockRange,
    HostDiskPartitionInfo, HostDiskPartitionLayout, HostDiskPartitionSpec, HostScsiDisk,
    VmfsDatastoreInfo,
};
use vi_types::{ManagedObjectReference, properties};

use super::parts::text;
use crate::world::World;
use crate::world::fabric::DiskKind;

/// The first sector of the first partition.
const FIRST: i64 = 2048;
/// Sectors behind the last one.
const REST: i64 = 2048;

/// A partition of a disk.
struct Partition {
    number: i32,
    kind: &'static str,
    start: i64,
    /// The last sector.
    end: i64,
}

/// The sectors of a disk.
pub(crate) fn sectors(disk: &HostScsiDisk) -> i64 {
    disk.capacity.block
}

/// The sectors that a partition on a whole disk has.
pub(crate) fn largest(disk: &HostScsiDisk) -> i64 {
    sectors(disk) - FIRST - REST
}

/// The VMFS datastore whose volume is on a disk.
pub(crate) fn volume_on<'a>(world: &'a World, disk: &str) -> Option<&'a ManagedObjectReference> {
    world.all("Datastore").find(|store| {
        let store = world.read::<properties::Datastore>(store);
        let info = store.and_then(|store| store.info.as_ref()?.cast::<VmfsDatastoreInfo>());
        let vmfs = info.and_then(|info| info.vmfs.as_deref());
        vmfs.is_some_and(|vmfs| vmfs.extent.iter().any(|extent| extent.disk_name == disk))
    })
}

/// What is on a disk.
fn partitions(world: &World, host: &ManagedObjectReference, disk: &HostScsiDisk) -> Vec<Partition> {
    let name = disk.base.canonical_name.as_deref().unwrap_or_default();
    if let Some(store) = volume_on(world, name) {
        let store = world.read::<properties::Datastore>(store);
        let info = store.and_then(|store| store.info.as_ref()?.cast::<VmfsDatastoreInfo>());
        let vmfs = info.and_then(|info| info.vmfs.as_deref());
        let several = vmfs.is_some_and(|vmfs| vmfs.extent.len() > 1);
        let capacity = vmfs.map_or(0, |vmfs| vmfs.base.capacity / 512);
        let size = if several {
            largest(disk)
        } else {
            capacity.min(largest(disk))
        };
        return vec![Partition {
            number: 1,
            kind: "vmfs",
            start: FIRST,
            end: FIRST + size - 1,
        }];
    }
    let is_foreign =
        |own: &&crate::world::fabric::Disk| own.name == name && own.kind == DiskKind::Foreign;
    match world.fabric.disks(host).iter().find(is_foreign) {
        Some(_) => vec![Partition {
            number: 1,
            kind: "ntfs",
            start: FIRST,
            end: sectors(disk) - REST - 1,
        }],
        None => Vec::new(),
    }
}

/// What is on a disk, as a host tells it.
pub(crate) fn info(
    world: &World,
    host: &ManagedObjectReference,
    disk: &HostScsiDisk,
) -> HostDiskPartitionInfo {
    let found = partitions(world, host, disk);
    HostDiskPartitionInfo {
        device_name: disk.device_path.clone(),
        spec: spec_of(world, disk, &found),
        layout: layout_of(disk, &found),
        ..HostDiskPartitionInfo::default()
    }
}

/// The layout of a disk as it is.
pub(crate) fn layout(
    world: &World,
    host: &ManagedObjectReference,
    disk: &HostScsiDisk,
) -> HostDiskPartitionLayout {
    layout_of(disk, &partitions(world, host, disk))
}

/// One VMFS partition of so many sectors.
pub(crate) fn vmfs_spec(world: &World, disk: &HostScsiDisk, sectors: i64) -> HostDiskPartitionSpec {
    spec_of(
        world,
        disk,
        &[Partition {
            number: 1,
            kind: "vmfs",
            start: FIRST,
            end: FIRST + sectors - 1,
        }],
    )
}

/// The place of a VMFS partition that has the whole disk.
pub(crate) fn vmfs_range(disk: &HostScsiDisk) -> HostDiskPartitionBlockRange {
    range(&Partition {
        number: 1,
        kind: "vmfs",
        start: FIRST,
        end: FIRST + largest(disk) - 1,
    })
}

fn spec_of(world: &World, disk: &HostScsiDisk, partitions: &[Partition]) -> HostDiskPartitionSpec {
    let since_5_0 = world.since("5.0");
    let partition = partitions
        .iter()
        .map(|partition| HostDiskPartitionAttributes {
            partition: partition.number,
            start_sector: partition.start,
            end_sector: partition.end,
            r#type: partition.kind.to_owned(),
            guid: text("AA31E02A400F11DB9590000C2911D1B8")
                .filter(|_| since_5_0 && partition.kind == "vmfs"),
            logical: false,
            attributes: 0,
            ..HostDiskPartitionAttributes::default()
        });
    HostDiskPartitionSpec {
        partition_format: text("gpt").filter(|_| since_5_0),
        total_sectors: Some(sectors(disk)),
        partition: partition.collect(),
        ..HostDiskPartitionSpec::default()
    }
}

fn layout_of(disk: &HostScsiDisk, partitions: &[Partition]) -> HostDiskPartitionLayout {
    let mut ranges: Vec<_> = partitions.iter().map(range).collect();
    if ranges.is_empty() {
        // All of it is free.
        ranges.push(range(&Partition {
            number: 0,
            kind: "none",
            start: 0,
            end: sectors(disk) - 1,
        }));
    }
    HostDiskPartitionLayout {
        total: Some(disk.capacity.clone().into()),
        partition: ranges,
        ..HostDiskPartitionLayout::default()
    }
}

fn range(partition: &Partition) -> HostDiskPartitionBlockRange {
    let place = |block: i64| HostDiskDimensionsLba {
        block_size: 512,
        block,
        ..HostDiskDimensionsLba::default()
    };
    HostDiskPartitionBlockRange {
        partition: (partition.number > 0).then_some(partition.number),
        r#type: partition.kind.to_owned(),
        start: place(partition.start),
        end: place(partition.end),
        ..HostDiskPartitionBlockRange::default()
    }
}
