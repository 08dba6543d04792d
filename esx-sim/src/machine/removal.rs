//! The end of a machine whose files go with it.

use std::collections::HashSet;

use vi_types::ManagedObjectReference;
use vi_types::objects::VmRemovedEvent;

use super::{chain, place};
use crate::files::{DatastorePath, files_of};
use crate::world::World;

/// Removes a machine from the inventory and deletes its files. Returns whether it existed.
///
/// Disks that another machine uses stay: those below linked clones. So do other files, such as installation images, and
/// the directory if anything is left in it.
pub(crate) fn destroy(world: &mut World, vm: &ManagedObjectReference) -> bool {
    world.fill_files();
    let files = files(world, vm);
    let used = disks_of_others(world, vm);
    let about = world.about(vm);
    if !place::leave(world, vm) {
        return false;
    }
    for file in files.iter().filter(|file| !used.contains(file)) {
        world.delete(file);
    }
    let directories: HashSet<_> = files.iter().map(DatastorePath::parent).collect();
    for directory in directories {
        if world.list(&directory).is_empty() {
            world.delete(&directory);
        }
    }
    world.log_about(&about, VmRemovedEvent::default());
    true
}

/// The files that belong to a machine: its configuration, disks and snapshots, but no images that it has in a drive.
pub(super) fn files(world: &World, vm: &ManagedObjectReference) -> Vec<DatastorePath> {
    let is_image = |location: &DatastorePath| location.path.ends_with(".iso");
    let mut files: Vec<_> = files_of(world, vm)
        .into_iter()
        .map(|(location, _)| location)
        .chain(disks(world, vm))
        .filter(|location| !is_image(location) && world.entry(location).is_some())
        .collect();
    files.sort_by(|one, other| one.path.cmp(&other.path));
    files.dedup();
    files
}

/// The files of the disks that other machines have, with the disks below them.
pub(super) fn disks_of_others(
    world: &World,
    vm: &ManagedObjectReference,
) -> HashSet<DatastorePath> {
    let others = world.all("VirtualMachine").filter(|other| *other != vm);
    others.flat_map(|other| disks(world, other)).collect()
}

/// The files of the disks that a machine or one of its snapshots has, with the disks below them.
pub(super) fn disks(
    world: &World,
    vm: &ManagedObjectReference,
) -> impl Iterator<Item = DatastorePath> {
    let disks = chain::files(world, vm).into_iter();
    disks.flat_map(|location| world.disk_files(&location))
}
