//! Chains of disks: delta disks, which have the changes since a snapshot, and the disks below them.
//!
//! Which disk is below which one stands in the descriptors of the files, as on real datastores. Backings of disks show it
//! in `parent`.

use std::collections::BTreeSet;

use vi_types::objects::{
    VirtualDevice, VirtualDeviceFileBackingInfo, VirtualDisk, VirtualDiskFlatVer2BackingInfo,
    VirtualMachineConfigInfo,
};
use vi_types::{ManagedObjectReference, Poly, properties};

use super::device::disk_file;
use super::snapshot;
use crate::files::{DatastorePath, Descriptor, Parent};
use crate::vmx;
use crate::world::World;
use crate::world::inventory::parts::mix;

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

/// Makes a delta disk at `to` above the file of a disk, and lets the disk have it. Returns whether the disk can have one:
/// it is in a file that is no raw device.
pub(crate) fn grow(
    world: &mut World,
    disk: &mut Poly<VirtualDevice>,
    adapter: &str,
    to: &DatastorePath,
) -> bool {
    let capacity_kb = disk
        .cast::<VirtualDisk>()
        .map_or(0, |disk| disk.capacity_in_kb);
    let Some(from) = location(disk) else {
        return false;
    };
    let Some(backing) = disk
        .backing
        .as_mut()
        .and_then(|backing| backing.cast_mut::<VirtualDiskFlatVer2BackingInfo>())
    else {
        return false;
    };
    let below = Descriptor::of(adapter, u64::try_from(capacity_kb).unwrap_or_default());
    let below = descriptor(world, &from).unwrap_or(below);
    let delta = Descriptor {
        thin: false,
        content: content_of(world, to),
        parent: Some(Parent::of(to, &from, below.content)),
        ..below
    };
    for (location, entry) in delta.files(to) {
        world.put(&location, entry);
    }
    backing.base.file_name = to.display(world);
    backing.base.datastore = Some(to.store.clone());
    show_parents(world, backing, to);
    true
}

/// Puts a delta disk above each disk of a machine that takes part in snapshots.
pub(super) fn branch(world: &mut World, vm: &ManagedObjectReference) {
    let Some(mut config) = config(world, vm) else {
        return;
    };
    let mut used = files(world, vm);
    let devices = config.hardware.device.clone();
    for disk in &mut config.hardware.device {
        let Some(from) = location(disk).filter(|_| !is_independent(disk)) else {
            continue;
        };
        let to = free_name(world, &from, &used);
        if grow(world, disk, adapter(&devices, disk), &to) {
            used.insert(to);
        }
    }
    super::set_config(world, vm, *config);
}

/// A name for a delta disk: that of the disk with the first free number of six digits.
fn free_name(world: &World, from: &DatastorePath, used: &BTreeSet<DatastorePath>) -> DatastorePath {
    let stem = from.path.strip_suffix(".vmdk").unwrap_or(&from.path);
    let base = match stem.rsplit_once('-') {
        Some((base, number)) if number.len() == 6 && number.bytes().all(|c| c.is_ascii_digit()) => {
            base
        }
        _ => stem,
    };
    let name = |number: u32| DatastorePath::new(&from.store, &format!("{base}-{number:06}.vmdk"));
    let mut names = (1..).map(name);
    let is_free = |name: &DatastorePath| !used.contains(name) && world.entry(name).is_none();
    names.find(is_free).unwrap_or_else(|| from.clone())
}

/// The files of all disks of a machine and its snapshots, with those below them.
pub(crate) fn files(world: &World, vm: &ManagedObjectReference) -> BTreeSet<DatastorePath> {
    let heads = heads(world, vm);
    heads.iter().flat_map(|head| of(world, head)).collect()
}

/// The disks of a machine and its snapshots that are in no file yet, as far as they are below all others: the world makes
/// its files late, but delta disks at once.
pub(crate) fn bottoms(
    world: &World,
    vm: &ManagedObjectReference,
) -> Vec<(DatastorePath, Descriptor)> {
    let mut found = Vec::new();
    for config in configs(world, vm) {
        let devices = &config.hardware.device;
        for device in devices {
            let Some((disk, bottom)) = device
                .cast::<VirtualDisk>()
                .zip(location(device).and_then(|location| of(world, &location).pop()))
            else {
                continue;
            };
            let flat = device
                .backing
                .as_ref()
                .and_then(|backing| backing.cast::<VirtualDiskFlatVer2BackingInfo>());
            let descriptor = Descriptor {
                thin: flat.is_some_and(|flat| flat.thin_provisioned == Some(true)),
                ..Descriptor::of(
                    adapter(devices, device),
                    u64::try_from(disk.capacity_in_kb).unwrap_or_default(),
                )
            };
            found.push((bottom, descriptor));
        }
    }
    found
}

/// The type of the controller of a disk.
fn adapter<'a>(devices: &'a [Poly<VirtualDevice>], disk: &VirtualDevice) -> &'a str {
    let mut controllers = devices.iter();
    let controller = controllers.find(|one| Some(one.key) == disk.controller_key);
    controller.map_or("", |controller| controller.type_name())
}

/// The configurations of a machine and its snapshots.
pub(super) fn configs<'a>(
    world: &'a World,
    vm: &ManagedObjectReference,
) -> Vec<&'a VirtualMachineConfigInfo> {
    let machine = world.read::<properties::VirtualMachine>(vm);
    let own = machine.and_then(|machine| machine.config.as_deref());
    let snapshots = snapshot::all(world, vm);
    let of_snapshots = snapshots.iter().filter_map(|snapshot| {
        let snapshot = world.read::<properties::VirtualMachineSnapshot>(snapshot)?;
        snapshot.config.as_deref()
    });
    own.into_iter().chain(of_snapshots).collect()
}

/// The files of the disks of a machine and its snapshots.
fn heads(world: &World, vm: &ManagedObjectReference) -> BTreeSet<DatastorePath> {
    let configs = configs(world, vm).into_iter();
    let devices = configs.flat_map(|config| &config.hardware.device);
    devices.filter_map(location).collect()
}

/// Deletes the disks of a machine that nothing needs any more. `before` are its files before its snapshots changed.
///
/// With `merge`, a disk that is no snapshot's and has one disk above it takes that one's changes in. Returns whether such
/// disks are left.
pub(super) fn collapse(
    world: &mut World,
    vm: &ManagedObjectReference,
    before: &BTreeSet<DatastorePath>,
    merge: bool,
) -> bool {
    let others = files_of_others(world, vm);
    let live = files(world, vm);
    let gone = before.difference(&live);
    for file in gone.filter(|file| !others.contains(file)) {
        delete(world, file);
    }
    while let Some((below, above)) = mergeable(world, vm, &others) {
        if !merge {
            return true;
        }
        for child in children(world, vm, &above) {
            set_below(world, &child, &below);
        }
        delete(world, &above);
        rename(world, vm, &above, &below);
    }
    false
}

/// A disk that no snapshot and no machine has, and the only one above it.
fn mergeable(
    world: &World,
    vm: &ManagedObjectReference,
    others: &BTreeSet<DatastorePath>,
) -> Option<(DatastorePath, DatastorePath)> {
    let heads = heads(world, vm);
    let files = files(world, vm).into_iter();
    let mut lonely = files.filter(|file| !heads.contains(file) && !others.contains(file));
    lonely.find_map(|file| {
        let mut above = children(world, vm, &file).into_iter();
        match (above.next(), above.next()) {
            (Some(above), None) if !others.contains(&above) => Some((file, above)),
            _ => None,
        }
    })
}

/// The delta disks right above a disk.
fn children(world: &World, vm: &ManagedObjectReference, of: &DatastorePath) -> Vec<DatastorePath> {
    let files = files(world, vm).into_iter();
    files
        .filter(|file| parent(world, file).as_ref() == Some(of))
        .collect()
}

/// Lets a delta disk have another disk below it.
fn set_below(world: &mut World, location: &DatastorePath, below: &DatastorePath) {
    let (Some(own), content) = (
        descriptor(world, location),
        descriptor(world, below).map(|below| below.content),
    ) else {
        return;
    };
    let old = own
        .parent
        .as_ref()
        .map_or(u32::MAX, |parent| parent.content);
    let changed = Descriptor {
        parent: Some(Parent::of(location, below, content.unwrap_or(old))),
        ..own
    };
    let [(location, entry), _] = changed.files(location);
    world.put(&location, entry);
}

fn delete(world: &mut World, location: &DatastorePath) {
    let files = match descriptor(world, location) {
        Some(descriptor) => descriptor.files(location),
        None => return,
    };
    for (file, _) in files {
        world.delete(&file);
    }
}

/// Lets a machine and its snapshots have another file instead of one, and shows the disks below theirs anew.
fn rename(
    world: &mut World,
    vm: &ManagedObjectReference,
    from: &DatastorePath,
    to: &DatastorePath,
) {
    for snapshot in snapshot::all(world, vm) {
        let own = world.read::<properties::VirtualMachineSnapshot>(&snapshot);
        let Some(mut config) = own.and_then(|own| own.config.clone()) else {
            continue;
        };
        rename_in(world, &mut config, from, to);
        world.change(&snapshot, |own: &mut properties::VirtualMachineSnapshot| {
            own.config = Some(config);
        });
    }
    if let Some(mut config) = config(world, vm) {
        rename_in(world, &mut config, from, to);
        super::set_config(world, vm, *config);
    }
}

fn rename_in(
    world: &World,
    config: &mut VirtualMachineConfigInfo,
    from: &DatastorePath,
    to: &DatastorePath,
) {
    for disk in &mut config.hardware.device {
        let Some(own) = location(disk) else { continue };
        let Some(backing) = disk.backing.as_mut() else {
            continue;
        };
        let now = if own == *from { to } else { &own };
        if let Some(file) = backing.cast_mut::<VirtualDeviceFileBackingInfo>() {
            file.file_name = now.display(world);
            file.datastore = Some(now.store.clone());
        }
        if let Some(flat) = backing.cast_mut::<VirtualDiskFlatVer2BackingInfo>() {
            show_parents(world, flat, now);
        }
    }
}

/// The disks below those of other machines: linked clones share them.
fn files_of_others(world: &World, vm: &ManagedObjectReference) -> BTreeSet<DatastorePath> {
    let mut found = BTreeSet::new();
    for other in world.all("VirtualMachine").filter(|other| *other != vm) {
        let other = world.read::<properties::VirtualMachine>(other);
        let Some(config) = other.and_then(|other| other.config.as_deref()) else {
            continue;
        };
        for disk in &config.hardware.device {
            let flat = disk.backing.as_ref();
            let flat = flat.and_then(|one| one.cast::<VirtualDiskFlatVer2BackingInfo>());
            if flat.is_some_and(|flat| flat.parent.is_some())
                && let Some(location) = location(disk)
            {
                found.extend(of(world, &location));
            }
        }
    }
    found
}

/// Where the file of a disk is.
pub(crate) fn location(device: &Poly<VirtualDevice>) -> Option<DatastorePath> {
    let (_, file) = disk_file(device)?;
    let (_, path) = file.file_name.split_once(']')?;
    let store = file.datastore.as_ref()?;
    Some(DatastorePath::new(store, path.trim_start()))
}

fn is_independent(disk: &VirtualDevice) -> bool {
    let backing = disk.backing.as_ref();
    let flat = backing.and_then(|backing| backing.cast::<VirtualDiskFlatVer2BackingInfo>());
    flat.is_some_and(|flat| flat.disk_mode.starts_with("independent"))
}

fn parent(world: &World, location: &DatastorePath) -> Option<DatastorePath> {
    of(world, location).into_iter().nth(1)
}

fn descriptor(world: &World, location: &DatastorePath) -> Option<Descriptor> {
    Descriptor::read(&world.content(location)?)
}

/// An id for the content of a new disk, which depends on its place.
fn content_of(world: &World, location: &DatastorePath) -> u32 {
    let path = location.display(world);
    let number = path.bytes().fold(0u64, |number, byte| {
        number.wrapping_mul(31).wrapping_add(u64::from(byte))
    });
    u32::try_from(mix(number) >> 33).unwrap_or_default()
}

fn config(world: &World, vm: &ManagedObjectReference) -> Option<Box<VirtualMachineConfigInfo>> {
    world.read::<properties::VirtualMachine>(vm)?.config.clone()
}
