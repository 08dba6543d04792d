//! Chains of disks: delta disks, which have the changes since a snapshot, and the disks below them.
//!
//! Which disk is below which one stands in the descriptors of the files, as on real datastores. Backings of disks show it
//! in `parent`.

use vi_types::objects::VirtualDiskFlatVer2BackingInfo;

use crate::files::{DatastorePath, Descriptor};
use crate::vmx;
use crate::world::World;

/// The longest chain that is followed. Hosts have at most 32 snapshots above each other.
const LONGEST: usize = 64;

/// A disk and those below it, the disk itself first.
pub(crate) fn of(world: &World, location: &DatastorePath) -> Vec<DatastorePath> {
    let below = |location: &DatastorePath| {
        let parent = descriptor(world, location)?.parent?;
        vmx::locate(world, location, &parent.name)
    };
    let chain = std::iter::successors(Some(location.clone()), below);
    chain.take(LONGEST).collect()
}

/// Writes the disks below a disk into its backing.
pub(crate) fn show_parents(
    world: &World,
    backing: &mut VirtualDiskFlatVer2BackingInfo,
    location: &DatastorePath,
) {
    // VI API 2.5 has no chains.
    if !world.since("4.0") {
        return;
    }
    let template = VirtualDiskFlatVer2BackingInfo {
        parent: None,
        delta_disk_format: None,
        ..backing.clone()
    };
    let below = of(world, location).into_iter().skip(1);
    let below: Vec<_> = below.collect();
    let mut parent = None;
    for location in below.into_iter().rev() {
        let mut disk = VirtualDiskFlatVer2BackingInfo {
            parent: None,
            ..template.clone()
        };
        disk.base.file_name = location.display(world);
        disk.base.datastore = Some(location.store.clone());
        if let Some(found) = descriptor(world, &location) {
            disk.thin_provisioned = Some(found.thin);
        }
        set_parent(world, &mut disk, parent);
        parent = Some(disk);
    }
    set_parent(world, backing, parent);
}

fn set_parent(
    world: &World,
    backing: &mut VirtualDiskFlatVer2BackingInfo,
    parent: Option<VirtualDiskFlatVer2BackingInfo>,
) {
    let is_delta = parent.is_some() && world.since("5.0");
    backing.delta_disk_format = is_delta.then(|| "redoLogFormat".to_owned());
    backing.parent = parent.map(Box::new);
}

fn descriptor(world: &World, location: &DatastorePath) -> Option<Descriptor> {
    Descriptor::read(&world.content(location)?)
}
