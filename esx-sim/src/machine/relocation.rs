//! Moves of a machine's files to other datastores.

use std::collections::HashSet;

use vi_types::objects::{
    VirtualDevice, VirtualDeviceFileBackingInfo, VirtualDisk, VirtualDiskFlatVer2BackingInfo,
    VirtualMachineConfigInfo, VirtualMachineRelocateSpec,
};
use vi_types::{ManagedObjectReference, Poly, SoapFault, properties};

use super::{chain, config, place, removal, set_config, snapshot};
use crate::fault;
use crate::files::{DatastorePath, Descriptor, Parent};
use crate::world::World;

/// Files that get another place.
#[derive(Default)]
pub(crate) struct Relocation {
    files: Vec<(DatastorePath, DatastorePath)>,
    /// Disks that another machine has, too: those below linked clones. They are copied.
    shared: HashSet<DatastorePath>,
    /// Old and new directory of the VMX file, if it moves.
    home: Option<(DatastorePath, DatastorePath)>,
}

/// The datastore on which a disk is after a relocation, or the machine's VMX file for `None`.
pub(crate) fn store_after(
    spec: &VirtualMachineRelocateSpec,
    disk: Option<&Poly<VirtualDevice>>,
    now: &ManagedObjectReference,
) -> ManagedObjectReference {
    let own = match disk {
        Some(disk) if disk.is::<VirtualDisk>() => {
            let mut disks = spec.disk.iter();
            let own = disks.find(|locator| locator.disk_id == disk.key);
            own.map(|locator| &locator.datastore)
        }
        // Images in drives stay where they are.
        Some(_) => return now.clone(),
        None => None,
    };
    own.or(spec.datastore.as_ref()).unwrap_or(now).clone()
}

impl Relocation {
    /// The moves that a specification asks for.
    ///
    /// # Errors
    /// - `ManagedObjectNotFound` for an unknown datastore.
    /// - `InvalidArgument` for a disk that the machine does not have.
    pub(crate) fn new(
        world: &World,
        vm: &ManagedObjectReference,
        spec: &VirtualMachineRelocateSpec,
    ) -> Result<Self, SoapFault> {
        let machine = world.read::<properties::VirtualMachine>(vm);
        let machine = machine.ok_or_else(|| fault::managed_object_not_found(vm))?;
        let config = machine.config.as_deref();
        let config = config.ok_or_else(fault::invalid_state)?;
        let stores = spec.disk.iter().map(|locator| &locator.datastore);
        for store in stores.chain(&spec.datastore) {
            let found = world.read::<properties::Datastore>(store);
            found.ok_or_else(|| fault::managed_object_not_found(store))?;
        }
        let devices = &config.hardware.device;
        let is_disk = |key: i32| {
            let mut devices = devices.iter();
            devices.any(|device| device.key == key && device.is::<VirtualDisk>())
        };
        if spec.disk.iter().any(|locator| !is_disk(locator.disk_id)) {
            return Err(fault::invalid_argument("spec.disk.diskId"));
        }
        let datacenter = config::datacenter_of(world, vm);
        let vmx = config.files.vm_path_name.as_deref().unwrap_or_default();
        let vmx = DatastorePath::resolve(world, datacenter, vmx)?;
        let home = vmx.parent();
        let mut relocation = Self {
            shared: removal::disks_of_others(world, vm),
            ..Self::default()
        };
        let to = store_after(spec, None, &vmx.store);
        // The directories of the machine by datastore.
        let mut homes: Vec<(ManagedObjectReference, DatastorePath)> = Vec::new();
        if to == vmx.store {
            homes.push((to.clone(), home.clone()));
        }
        let mut directory_on = |store: &ManagedObjectReference| {
            if let Some((_, directory)) = homes.iter().find(|(on, _)| on == store) {
                return directory.clone();
            }
            let root = DatastorePath::new(store, "");
            let directory = place::free_directory(world, &root, &config.name).parent();
            homes.push((store.clone(), directory.clone()));
            directory
        };
        if to != vmx.store {
            relocation.home = Some((home.clone(), directory_on(&to)));
        }
        let mut of_disks = HashSet::new();
        let configs = chain::configs(world, vm).into_iter();
        for device in configs.flat_map(|config| &config.hardware.device) {
            let Some(location) = chain::location(device) else {
                continue;
            };
            for location in chain::of(world, &location) {
                let to = store_after(spec, Some(device), &location.store);
                for file in world.disk_files(&location) {
                    if !of_disks.insert(file.clone()) || to == file.store {
                        continue;
                    }
                    let directory = directory_on(&to);
                    relocation.add(file, &directory);
                }
            }
        }
        if let Some((_, directory)) = relocation.home.clone() {
            for file in removal::files(world, vm) {
                if !of_disks.contains(&file) && file.parent() == home {
                    relocation.add(file, &directory);
                }
            }
        }
        Ok(relocation)
    }

    /// Adds a file, under another name if the directory gets two of the same name.
    fn add(&mut self, file: DatastorePath, directory: &DatastorePath) {
        let name = file.path.rsplit('/').next().unwrap_or_default().to_owned();
        let names = std::iter::once(name.clone()).chain((1u32..).map(|n| format!("{n}_{name}")));
        let mut free = names.map(|name| directory.join(&name));
        let is_free = |to: &DatastorePath| self.files.iter().all(|(_, taken)| taken != to);
        if let Some(to) = free.find(is_free) {
            self.files.push((file, to));
        }
    }

    /// Where a file is afterwards.
    fn after<'a>(&'a self, file: &'a DatastorePath) -> &'a DatastorePath {
        let moved = self.files.iter().find(|(from, _)| from == file);
        moved.map_or(file, |(_, to)| to)
    }

    /// Moves the files, and changes all properties of the machine that name them.
    pub(crate) fn run(&self, world: &mut World, vm: &ManagedObjectReference) {
        if self.files.is_empty() {
            return;
        }
        let names: Vec<_> = self
            .files
            .iter()
            .map(|(from, to)| (from.display(world), to.display(world), to.store.clone()))
            .collect();
        let home = self.home.as_ref().map(|(from, to)| {
            let shown = |directory: &DatastorePath| format!("{}/", directory.display(world));
            (shown(from), shown(to))
        });
        let parents: Vec<_> = self
            .files
            .iter()
            .filter_map(|(from, to)| {
                let parent = chain::of(world, from).into_iter().nth(1)?;
                Some((to, self.after(&parent).clone()))
            })
            .collect();
        for (from, to) in &self.files {
            match (self.shared.contains(from), world.entry(from).cloned()) {
                (true, Some(entry)) => world.put(to, entry),
                _ => world.rename(from, to),
            }
        }
        for (disk, parent) in parents {
            set_parent(world, disk, &parent);
        }
        let left: HashSet<_> = self.files.iter().map(|(from, _)| from.parent()).collect();
        for directory in left {
            if world.list(&directory).is_empty() {
                world.delete(&directory);
            }
        }
        let change = |config: &mut VirtualMachineConfigInfo| rewrite(config, &names, home.as_ref());
        for snapshot in snapshot::all(world, vm) {
            world.change(&snapshot, |own: &mut properties::VirtualMachineSnapshot| {
                own.config.as_deref_mut().map(change)
            });
        }
        let config = world.change(vm, |vm: &mut properties::VirtualMachine| {
            let layout = vm.layout_ex.as_deref_mut();
            for file in layout.into_iter().flat_map(|layout| &mut layout.file) {
                replace(&mut file.name, &names);
            }
            let mut config = vm.config.as_deref().cloned()?;
            change(&mut config);
            Some(config)
        });
        if let Some(config) = config.flatten() {
            set_config(world, vm, config);
        }
    }
}

/// Names the disk below a delta disk in the delta disk's descriptor.
fn set_parent(world: &mut World, disk: &DatastorePath, parent: &DatastorePath) {
    let text = world.content(disk);
    let Some(mut descriptor) = text.and_then(|text| Descriptor::read(&text)) else {
        return;
    };
    if let Some(known) = &descriptor.parent {
        descriptor.parent = Some(Parent::of(disk, parent, known.content));
    }
    let [(_, text), _] = descriptor.files(disk);
    world.put(disk, text);
}

/// Old and new name of a file, and the new datastore.
type Name = (String, String, ManagedObjectReference);

fn rewrite(config: &mut VirtualMachineConfigInfo, names: &[Name], home: Option<&(String, String)>) {
    let files = &mut config.files;
    if let Some(path) = &mut files.vm_path_name {
        replace(path, names);
    }
    if let Some((from, to)) = home {
        let directories = [
            &mut files.snapshot_directory,
            &mut files.suspend_directory,
            &mut files.log_directory,
        ];
        for directory in directories.into_iter().flatten() {
            if directory == from {
                directory.clone_from(to);
            }
        }
    }
    for device in &mut config.hardware.device {
        if !device.is::<VirtualDisk>() {
            continue;
        }
        let Some(backing) = device.backing.as_mut() else {
            continue;
        };
        if let Some(file) = backing.cast_mut::<VirtualDeviceFileBackingInfo>() {
            replace_file(file, names);
        }
        let disk = backing.cast_mut::<VirtualDiskFlatVer2BackingInfo>();
        let mut below = disk.and_then(|disk| disk.parent.as_deref_mut());
        while let Some(disk) = below {
            replace_file(&mut disk.base, names);
            below = disk.parent.as_deref_mut();
        }
    }
}

fn replace_file(file: &mut VirtualDeviceFileBackingInfo, names: &[Name]) {
    if let Some(store) = replace(&mut file.file_name, names) {
        file.datastore = Some(store);
    }
}

/// Replaces the name of a file that moves. Returns its new datastore.
fn replace(name: &mut String, names: &[Name]) -> Option<ManagedObjectReference> {
    let (_, to, store) = names.iter().find(|(from, _, _)| from == name)?;
    name.clone_from(to);
    Some(store.clone())
}
