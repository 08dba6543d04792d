//! The properties `layoutEx`, `storage` and `datastore` of a machine.

use std::collections::HashMap;

use vi_types::objects::{
    VirtualDeviceFileBackingInfo, VirtualDisk, VirtualDiskFlatVer2BackingInfo,
    VirtualMachineConfigInfo, VirtualMachineFileLayoutEx, VirtualMachineFileLayoutExDiskLayout,
    VirtualMachineFileLayoutExDiskUnit, VirtualMachineFileLayoutExFileInfo,
    VirtualMachineFileLayoutExSnapshotLayout, VirtualMachineStorageInfo,
    VirtualMachineStorageSummary, VirtualMachineUsageOnDatastore,
};
use vi_types::{ManagedObjectReference, properties};

use super::device::{disk_file, file_backing};
use crate::files::DatastorePath;
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

/// Writes the files of a configuration and of the machine's snapshots into `layoutEx` and `storage`.
pub(super) fn show(
    world: &World,
    vm: &mut properties::VirtualMachine,
    config: &VirtualMachineConfigInfo,
) {
    if !world.since("4.0") {
        return;
    }
    let old = vm.layout_ex.take().map(|layout| *layout);
    let layout = Layout::of(world, config, old.unwrap_or_default());
    let store = |file: &VirtualMachineFileLayoutExFileInfo| {
        let (name, _) = file.name.strip_prefix('[')?.split_once(']')?;
        let mut stores = vm.datastore.iter();
        stores
            .find(|store| world.name(store) == Some(name))
            .cloned()
    };
    let used: Vec<_> = vm
        .datastore
        .iter()
        .map(|own| {
            let is_own = |file: &&File| store(&file.info).as_ref() == Some(own);
            let files = layout.files.iter().filter(is_own);
            let (committed, uncommitted) = files.fold((0, 0), |(size, rest), file| {
                (size + file.info.size, rest + file.uncommitted)
            });
            VirtualMachineUsageOnDatastore {
                datastore: own.clone(),
                committed,
                uncommitted,
                unshared: committed,
                ..VirtualMachineUsageOnDatastore::default()
            }
        })
        .collect();
    if let Some(summary) = vm.summary.as_deref_mut() {
        let sum = |part: fn(&VirtualMachineUsageOnDatastore) -> i64| used.iter().map(part).sum();
        summary.storage = Some(
            VirtualMachineStorageSummary {
                committed: sum(|used| used.committed),
                uncommitted: sum(|used| used.uncommitted),
                unshared: sum(|used| used.unshared),
                timestamp: boot_time(),
                ..VirtualMachineStorageSummary::default()
            }
            .into(),
        );
    }
    vm.storage = Some(
        VirtualMachineStorageInfo {
            per_datastore_usage: used,
            timestamp: boot_time(),
            ..VirtualMachineStorageInfo::default()
        }
        .into(),
    );
    vm.layout_ex = Some(
        VirtualMachineFileLayoutEx {
            file: layout.files.into_iter().map(|file| file.info).collect(),
            disk: layout.disks,
            snapshot: layout.snapshots,
            timestamp: boot_time(),
            ..VirtualMachineFileLayoutEx::default()
        }
        .into(),
    );
}

/// The files of a machine while they are listed.
struct Layout<'a> {
    world: &'a World,
    /// The keys of the files that were listed before.
    known: HashMap<String, i32>,
    next: i32,
    files: Vec<File>,
    disks: Vec<VirtualMachineFileLayoutExDiskLayout>,
    snapshots: Vec<VirtualMachineFileLayoutExSnapshotLayout>,
}

struct File {
    info: VirtualMachineFileLayoutExFileInfo,
    /// How much it can grow, in bytes.
    uncommitted: i64,
}

impl<'a> Layout<'a> {
    /// Those of a configuration. Files keep their keys in `old`; memories and states of snapshots are
    /// taken from there.
    fn of(
        world: &'a World,
        config: &VirtualMachineConfigInfo,
        old: VirtualMachineFileLayoutEx,
    ) -> Self {
        let known = old.file.iter().map(|file| (file.name.clone(), file.key));
        let mut layout = Self {
            world,
            known: known.collect(),
            next: old.file.iter().map(|file| file.key + 1).max().unwrap_or(0),
            files: Vec::new(),
            disks: Vec::new(),
            snapshots: Vec::new(),
        };
        let path = config.files.vm_path_name.as_deref().unwrap_or_default();
        let stem = path.strip_suffix(".vmx").unwrap_or(path);
        for (ending, kind) in [
            ("vmx", "config"),
            ("nvram", "nvram"),
            ("vmsd", "snapshotList"),
        ] {
            layout.file(format!("{stem}.{ending}"), kind, 4096, 0);
        }
        layout.disks = layout.disks_of(config);
        for file in old.file {
            if matches!(&*file.r#type, "snapshotData" | "snapshotMemory") {
                layout.files.push(File {
                    info: file,
                    uncommitted: 0,
                });
            }
        }
        for mut snapshot in old.snapshot {
            let own = world.read::<properties::VirtualMachineSnapshot>(&snapshot.key);
            if let Some(config) = own.and_then(|own| own.config.as_deref()) {
                snapshot.disk = layout.disks_of(config);
            }
            layout.snapshots.push(snapshot);
        }
        layout
    }

    /// The disks of a configuration, each with the files of the disks below it, the lowest first.
    fn disks_of(
        &mut self,
        config: &VirtualMachineConfigInfo,
    ) -> Vec<VirtualMachineFileLayoutExDiskLayout> {
        let disks = config.hardware.device.iter().filter_map(disk_file);
        disks
            .map(|(disk, file)| VirtualMachineFileLayoutExDiskLayout {
                key: disk.key,
                chain: self.chain(disk, file),
                ..VirtualMachineFileLayoutExDiskLayout::default()
            })
            .collect()
    }

    fn chain(
        &mut self,
        disk: &VirtualDisk,
        file: &VirtualDeviceFileBackingInfo,
    ) -> Vec<VirtualMachineFileLayoutExDiskUnit> {
        let backing = disk.backing.as_ref();
        let own = backing.and_then(|backing| backing.cast::<VirtualDiskFlatVer2BackingInfo>());
        let mut below: Vec<_> = std::iter::successors(own, |one| one.parent.as_deref()).collect();
        let bytes = disk.capacity_in_kb << 10;
        let Some(lowest) = below.pop() else {
            return vec![self.disk(&file.file_name, "flat", bytes, 0)];
        };
        let size = match lowest.thin_provisioned {
            Some(true) => bytes / 3,
            _ => bytes,
        };
        let mut chain = vec![self.disk(&lowest.base.file_name, "flat", size, bytes - size)];
        for delta in below.into_iter().rev() {
            let name = &delta.base.file_name;
            let size = self.length(name, "delta");
            chain.push(self.disk(name, "delta", size, bytes - size));
        }
        chain
    }

    /// The length of a file of a delta disk.
    fn length(&self, name: &str, ending: &str) -> i64 {
        let stem = name.strip_suffix(".vmdk").unwrap_or(name);
        let location = DatastorePath::resolve(self.world, None, &format!("{stem}-{ending}.vmdk"));
        let entry = location
            .ok()
            .and_then(|location| self.world.entry(&location));
        let length = entry.and_then(|entry| self.world.length(entry));
        length
            .and_then(|length| i64::try_from(length).ok())
            .unwrap_or(0)
    }

    fn disk(
        &mut self,
        name: &str,
        ending: &str,
        size: i64,
        uncommitted: i64,
    ) -> VirtualMachineFileLayoutExDiskUnit {
        let stem = name.strip_suffix(".vmdk").unwrap_or(name);
        let descriptor = self.file(name.to_owned(), "diskDescriptor", 512, 0);
        let extent = format!("{stem}-{ending}.vmdk");
        let extent = self.file(extent, "diskExtent", size, uncommitted);
        VirtualMachineFileLayoutExDiskUnit {
            file_key: vec![descriptor, extent],
            ..VirtualMachineFileLayoutExDiskUnit::default()
        }
    }

    /// Lists a file, unless it is listed already, and returns its key.
    fn file(&mut self, name: String, kind: &str, size: i64, uncommitted: i64) -> i32 {
        if let Some(listed) = self.files.iter().find(|file| file.info.name == name) {
            return listed.info.key;
        }
        let key = self.known.get(&name).copied().unwrap_or_else(|| {
            self.next += 1;
            self.next - 1
        });
        self.files.push(File {
            info: VirtualMachineFileLayoutExFileInfo {
                key,
                name,
                r#type: kind.to_owned(),
                size,
                unique_size: self.world.since("5.1").then_some(size),
                accessible: self.world.since("6.0").then_some(true),
                ..VirtualMachineFileLayoutExFileInfo::default()
            },
            uncommitted,
        });
        key
    }
}
