//! The properties `layoutEx`, `storage` and `datastore` of a machine.

use vi_types::objects::{
    VirtualDeviceFileBackingInfo, VirtualDisk, VirtualMachineConfigInfo,
    VirtualMachineFileLayoutEx, VirtualMachineFileLayoutExFileInfo, VirtualMachineStorageInfo,
    VirtualMachineStorageSummary, VirtualMachineUsageOnDatastore,
};
use vi_types::{ManagedObjectReference, properties};

use super::device::file_backing;
use crate::world::World;
use crate::world::inventory::parts::boot_time;

/// The datastores of a machine's files, that of its VMX file first.
pub(super) fn datastores(
    world: &World,
    vm: &properties::VirtualMachine,
    config: &VirtualMachineConfigInfo,
) -> Vec<ManagedObjectReference> {
    let host = vm
        .runtime
        .as_deref()
        .and_then(|runtime| runtime.host.as_ref());
    let path = config.files.vm_path_name.as_deref().unwrap_or_default();
    let own = store_of(world, host, path);
    let devices = config.hardware.device.iter();
    let backings = devices.filter_map(|device| file_backing(device)?.datastore.clone());
    let mut found = Vec::new();
    for store in own.into_iter().chain(backings) {
        if !found.contains(&store) {
            found.push(store);
        }
    }
    found
}

/// The datastore in `[datastore] path`, among those of a host.
pub(super) fn store_of(
    world: &World,
    host: Option<&ManagedObjectReference>,
    path: &str,
) -> Option<ManagedObjectReference> {
    let (name, _) = path.strip_prefix('[')?.split_once(']')?;
    let host = world.read::<properties::HostSystem>(host?)?;
    let mut stores = host.datastore.iter();
    stores
        .find(|store| world.name(store) == Some(name))
        .cloned()
}

/// Writes the files of a configuration into `layoutEx` and `storage`. Files of snapshots stay.
pub(super) fn show(
    world: &World,
    vm: &mut properties::VirtualMachine,
    config: &VirtualMachineConfigInfo,
) {
    if !world.since("4.0") {
        return;
    }
    let disks: Vec<_> = config
        .hardware
        .device
        .iter()
        .filter_map(|one| one.cast::<VirtualDisk>())
        .collect();
    let bytes: i64 = disks.iter().map(|disk| disk.capacity_in_kb << 10).sum();
    show_layout(world, vm.layout_ex.get_or_insert_default(), config, &disks);
    if let Some(store) = vm.datastore.first() {
        vm.storage = Some(
            VirtualMachineStorageInfo {
                per_datastore_usage: vec![VirtualMachineUsageOnDatastore {
                    datastore: store.clone(),
                    committed: bytes / 3,
                    uncommitted: bytes / 3 * 2,
                    unshared: bytes / 3,
                    ..VirtualMachineUsageOnDatastore::default()
                }],
                timestamp: boot_time(),
                ..VirtualMachineStorageInfo::default()
            }
            .into(),
        );
    }
    if let Some(summary) = vm.summary.as_deref_mut() {
        summary.storage = Some(
            VirtualMachineStorageSummary {
                committed: bytes / 3,
                uncommitted: bytes / 3 * 2,
                unshared: bytes / 3,
                timestamp: boot_time(),
                ..VirtualMachineStorageSummary::default()
            }
            .into(),
        );
    }
}

fn show_layout(
    world: &World,
    layout: &mut VirtualMachineFileLayoutEx,
    config: &VirtualMachineConfigInfo,
    disks: &[&VirtualDisk],
) {
    let path = config.files.vm_path_name.as_deref().unwrap_or_default();
    let stem = path.strip_suffix(".vmx").unwrap_or(path);
    let beside = [
        ("vmx", "config"),
        ("nvram", "nvram"),
        ("vmsd", "snapshotList"),
    ];
    let mut files: Vec<(String, &str, i64)> = beside
        .into_iter()
        .map(|(ending, kind)| (format!("{stem}.{ending}"), kind, 4096))
        .collect();
    for disk in disks {
        let backing = disk.backing.as_ref();
        let file = backing.and_then(|backing| backing.cast::<VirtualDeviceFileBackingInfo>());
        let Some(file) = file else { continue };
        let stem = file
            .file_name
            .strip_suffix(".vmdk")
            .unwrap_or(&file.file_name);
        files.push((file.file_name.clone(), "diskDescriptor", 512));
        let extent = format!("{stem}-flat.vmdk");
        files.push((extent, "diskExtent", (disk.capacity_in_kb << 10) / 3));
    }
    layout.timestamp = boot_time();
    let mut known = std::mem::take(&mut layout.file);
    let of_snapshots = |file: &VirtualMachineFileLayoutExFileInfo| {
        matches!(&*file.r#type, "snapshotData" | "snapshotMemory")
    };
    let mut next = known.iter().map(|file| file.key + 1).max().unwrap_or(0);
    for (name, kind, size) in files {
        let key = known
            .iter()
            .find(|file| file.name == name)
            .map(|file| file.key);
        let key = key.unwrap_or_else(|| {
            next += 1;
            next - 1
        });
        layout.file.push(VirtualMachineFileLayoutExFileInfo {
            key,
            name,
            r#type: kind.to_owned(),
            size,
            accessible: world.since("6.0").then_some(true),
            ..VirtualMachineFileLayoutExFileInfo::default()
        });
    }
    known.retain(of_snapshots);
    layout.file.extend(known);
}
