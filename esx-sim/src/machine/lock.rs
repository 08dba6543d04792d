//! Locks of disk files: a running machine holds its disks.

use vi_types::enums::VirtualMachinePowerState::{PoweredOff, PoweredOn};
use vi_types::objects::{VirtualDiskFlatVer2BackingInfo, VirtualMachineConfigInfo};
use vi_types::{ManagedObjectReference, SoapFault, properties};

use super::device::disk_file;
use super::{config, removal};
use crate::fault;
use crate::files::DatastorePath;
use crate::world::World;

/// The machine that holds a disk file and lets no other one have it: it runs or is suspended, and does not share the disk.
pub(crate) fn holder(world: &World, location: &DatastorePath) -> Option<ManagedObjectReference> {
    let path = location.display(world);
    let holds = |vm: &&ManagedObjectReference| {
        let Some(machine) = world.read::<properties::VirtualMachine>(vm) else {
            return false;
        };
        let runtime = machine.runtime.as_deref();
        let mut disks = machine.config.as_deref().into_iter().flat_map(own_disks);
        runtime.is_some_and(|runtime| runtime.power_state != PoweredOff)
            && disks.any(|(file, store)| file == path && store == &location.store)
    };
    let found = match world.since("4.0") {
        true => world.users_of(&path).iter().find(holds),
        false => world.all("VirtualMachine").find(holds),
    };
    found.cloned()
}

/// Fails with `FileLocked` if a machine that is not off has a file: a file of its disks or its VMX file. For a folder, so
/// does any file in it.
pub(crate) fn check_free(world: &World, location: &DatastorePath) -> Result<(), SoapFault> {
    check(world, location, true)
}

/// The same for reading, which only disks forbid.
pub(crate) fn check_readable(world: &World, location: &DatastorePath) -> Result<(), SoapFault> {
    check(world, location, false)
}

fn check(world: &World, location: &DatastorePath, with_vmx: bool) -> Result<(), SoapFault> {
    let below = format!("{}/", location.path);
    let is_meant = |file: &DatastorePath| {
        file.store == location.store
            && (file.path == location.path || file.path.starts_with(&below))
    };
    for vm in world.all("VirtualMachine") {
        let Some(machine) = world.read::<properties::VirtualMachine>(vm) else {
            continue;
        };
        let runtime = machine.runtime.as_deref();
        if runtime.is_none_or(|runtime| runtime.power_state == PoweredOff) {
            continue;
        }
        let config = machine.config.as_deref();
        let path = config.and_then(|config| config.files.vm_path_name.as_deref());
        let vmx = path.filter(|_| with_vmx).and_then(|path| {
            DatastorePath::resolve(world, config::datacenter_of(world, vm), path).ok()
        });
        let mut files = removal::disks(world, vm).chain(vmx);
        if let Some(file) = files.find(is_meant) {
            return Err(fault::file_locked(&file.display(world)));
        }
    }
    Ok(())
}

/// Whether a machine that is on writes to a file: what is on its disks, not what is on the disks below those.
pub(crate) fn is_written(world: &World, location: &DatastorePath) -> bool {
    let path = location.display(world);
    let writes = |vm: &ManagedObjectReference| {
        let Some(machine) = world.read::<properties::VirtualMachine>(vm) else {
            return false;
        };
        let runtime = machine.runtime.as_deref();
        let mut disks = machine.config.as_deref().into_iter().flat_map(own_disks);
        runtime.is_some_and(|runtime| runtime.power_state == PoweredOn)
            && disks.any(|(file, store)| {
                let name = file.split_once("] ").map_or("", |(_, name)| name);
                let disk = DatastorePath::new(store, name);
                // The first one is the descriptor.
                world
                    .disk_files(&disk)
                    .iter()
                    .skip(1)
                    .any(|file| file == location)
            })
    };
    match (path.ends_with(".vmdk"), world.since("4.0")) {
        (false, _) => false,
        (true, true) => world.users_of(&path).iter().any(writes),
        (true, false) => world.all("VirtualMachine").any(writes),
    }
}

/// Fails with `FileLocked` if another machine holds a disk of this one, and with `FileNotFound` if a disk file is gone.
pub(crate) fn check_disks(world: &World, vm: &ManagedObjectReference) -> Result<(), SoapFault> {
    let machine = world.read::<properties::VirtualMachine>(vm);
    let Some(config) = machine.and_then(|vm| vm.config.as_deref()) else {
        return Ok(());
    };
    for (file, store) in own_disks(config) {
        let path = file.split_once("] ").map_or("", |(_, path)| path);
        let location = DatastorePath::new(store, path);
        if world.has_files() && world.entry(&location).is_none() {
            return Err(fault::file_not_found(file));
        }
        if holder(world, &location).is_some_and(|other| other != *vm) {
            return Err(fault::file_locked(file));
        }
    }
    Ok(())
}

/// The files of the disks that a machine does not share, with their datastores.
fn own_disks(
    config: &VirtualMachineConfigInfo,
) -> impl Iterator<Item = (&str, &ManagedObjectReference)> {
    let devices = config.hardware.device.iter();
    devices.filter_map(|device| {
        let (_, file) = disk_file(device)?;
        let flat = device
            .backing
            .as_ref()
            .and_then(|backing| backing.cast::<VirtualDiskFlatVer2BackingInfo>());
        let sharing = flat.and_then(|flat| flat.sharing.as_deref());
        let is_shared = sharing == Some("sharingMultiWriter");
        let store = file.datastore.as_ref()?;
        (!is_shared).then_some((&*file.file_name, store))
    })
}
