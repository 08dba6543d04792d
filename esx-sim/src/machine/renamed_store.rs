//! What a datastore's new name changes in the machines on it: all paths.

use vi_types::objects::{
    VirtualDevice, VirtualDeviceFileBackingInfo, VirtualDiskFlatVer2BackingInfo,
    VirtualMachineConfigInfo,
};
use vi_types::{ManagedObjectReference, Poly, properties};

use crate::world::World;

/// Writes the new name of a datastore into the paths of its machines and of their snapshots.
pub(crate) fn follow(world: &mut World, store: &ManagedObjectReference, old: &str, new: &str) {
    let state = world.read::<properties::Datastore>(store);
    let vms = state.map(|store| store.vm.clone()).unwrap_or_default();
    let names = Names {
        old: format!("[{old}]"),
        new: format!("[{new}]"),
    };
    let snapshots: Vec<_> = world.all("VirtualMachineSnapshot").cloned().collect();
    for snapshot in snapshots {
        let is_meant = world
            .read::<properties::VirtualMachineSnapshot>(&snapshot)
            .and_then(|snapshot| snapshot.vm.as_ref())
            .is_some_and(|vm| vms.contains(vm));
        if is_meant {
            world.change(
                &snapshot,
                |snapshot: &mut properties::VirtualMachineSnapshot| {
                    if let Some(config) = snapshot.config.as_deref_mut() {
                        names.change_config(config, old, new);
                    }
                },
            );
        }
    }
    for vm in vms {
        world.change(&vm, |vm: &mut properties::VirtualMachine| {
            if let Some(config) = vm.config.as_deref_mut() {
                names.change_config(config, old, new);
            }
            if let Some(summary) = vm.summary.as_deref_mut() {
                names.change(&mut summary.config.vm_path_name);
            }
            for file in vm
                .layout_ex
                .as_deref_mut()
                .into_iter()
                .flat_map(|layout| &mut layout.file)
            {
                names.change(&mut file.name);
            }
        });
    }
}

/// The beginnings of paths.
struct Names {
    old: String,
    new: String,
}

impl Names {
    fn change(&self, path: &mut String) {
        if let Some(rest) = path.strip_prefix(&self.old) {
            *path = format!("{}{rest}", self.new);
        }
    }

    fn change_config(&self, config: &mut VirtualMachineConfigInfo, old: &str, new: &str) {
        let files = &mut config.files;
        let paths = [
            &mut files.vm_path_name,
            &mut files.snapshot_directory,
            &mut files.suspend_directory,
            &mut files.log_directory,
            &mut files.ft_metadata_directory,
        ];
        for path in paths.into_iter().flatten() {
            self.change(path);
        }
        for pair in config
            .datastore_url
            .iter_mut()
            .filter(|pair| pair.name == old)
        {
            new.clone_into(&mut pair.name);
        }
        for device in &mut config.hardware.device {
            self.change_device(device);
        }
    }

    fn change_device(&self, device: &mut Poly<VirtualDevice>) {
        let Some(backing) = device.backing.as_mut() else {
            return;
        };
        if let Some(file) = backing.cast_mut::<VirtualDeviceFileBackingInfo>() {
            self.change(&mut file.file_name);
        }
        let mut below = backing.cast_mut::<VirtualDiskFlatVer2BackingInfo>();
        while let Some(disk) = below {
            self.change(&mut disk.base.file_name);
            below = disk.parent.as_deref_mut();
        }
    }
}
