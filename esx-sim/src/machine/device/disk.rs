//! Disks and their files.

use vi_types::enums::VirtualDeviceConfigSpecFileOperation as FileOperation;
use vi_types::objects::{
    VirtualDevice, VirtualDeviceFileBackingInfo, VirtualDisk, VirtualDiskFlatVer2BackingInfo,
};
use vi_types::{Poly, SoapFault};

use super::fault::{disallowed_mode, invalid, invalid_backing, invalid_operation};
use super::{Change, disk_file, file_backing};
use crate::fault;
use crate::files::{DatastorePath, Descriptor};
use crate::machine::{chain, lock};
use crate::world::inventory::datastore::check_space;
use crate::world::inventory::parts::uuid;

/// The modes of disks that hosts have.
const MODES: [&str; 6] = [
    "persistent",
    "nonpersistent",
    "undoable",
    "append",
    "independent_persistent",
    "independent_nonpersistent",
];

/// The largest disk in KB: 62 TB since ESX 5.5, 2 TB before (VMware's "Configuration Maximums").
fn largest_kb(since_5_5: bool) -> i64 {
    match since_5_5 {
        true => 62 << 30,
        false => 2 << 30,
    }
}

impl Change<'_> {
    /// Completes the backing of a new disk.
    pub(super) fn back_disk(
        &mut self,
        index: i32,
        device: &mut Poly<VirtualDevice>,
        file: Option<&FileOperation>,
    ) -> Result<(), SoapFault> {
        let (vm, number) = (self.of.vm.value.clone(), self.of.number);
        let (key, since_5_5) = (device.key, self.of.world.since("5.5"));
        let known = file_backing(device).map(|file| file.file_name.clone());
        let place = match (&known, self.of.from_client) {
            (None, true) => return Err(invalid_backing(index)),
            (Some(name), true) => Some(self.disk_location(index, name, device, file)?),
            _ => None,
        };
        let is_new = file.is_some();
        let capacity_kb = match device.cast::<VirtualDisk>() {
            Some(disk) => match disk.capacity_in_bytes {
                Some(bytes) if bytes > 0 => bytes >> 10,
                _ => disk.capacity_in_kb,
            },
            None => 0,
        };
        if place.is_some() && is_new && capacity_kb <= 0 {
            return Err(invalid(index, "device.capacityInKB"));
        }
        let found = match &place {
            Some(place) if !is_new => self.read_disk(place),
            _ => None,
        };
        let capacity_kb = match &found {
            Some(found) => i64::try_from(found.capacity_kb).unwrap_or(capacity_kb),
            None => capacity_kb,
        };
        if let Some(disk) = device.cast_mut::<VirtualDisk>() {
            disk.capacity_in_kb = capacity_kb;
            disk.capacity_in_bytes = since_5_5.then_some(capacity_kb << 10);
            disk.disk_object_id = since_5_5.then(|| format!("{vm}-{key}"));
        }
        let Some(backing) = device.backing.as_mut() else {
            return Ok(());
        };
        if let Some(flat) = backing.cast_mut::<VirtualDiskFlatVer2BackingInfo>() {
            if flat.disk_mode.is_empty() {
                "persistent".clone_into(&mut flat.disk_mode);
            }
            if self.of.from_client && !MODES.contains(&&*flat.disk_mode) {
                return Err(invalid(index, "device.backing.diskMode"));
            }
            if let Some(found) = &found {
                flat.thin_provisioned = Some(found.thin);
            }
            flat.split.get_or_insert(false);
            flat.write_through.get_or_insert(false);
            flat.thin_provisioned.get_or_insert(false);
            // Differs between machines and between disks of a machine.
            let disk = number * 100_000 + u64::from(key.unsigned_abs());
            flat.uuid.get_or_insert_with(|| uuid(0x6000, disk));
        }
        let Some(place) = place else { return Ok(()) };
        if let Some(file) = backing.cast_mut::<VirtualDeviceFileBackingInfo>() {
            file.file_name = place.display(self.of.world);
            file.datastore = Some(place.store.clone());
        }
        if let Some(flat) = backing.cast_mut::<VirtualDiskFlatVer2BackingInfo>()
            && !is_new
        {
            chain::show_parents(self.of.world, flat, &place);
        }
        if is_new {
            self.check_size(device, &place)?;
            let descriptor = self.descriptor(device);
            self.files.make_disk(&place, &descriptor);
        }
        Ok(())
    }

    /// Deletes the file of a disk that is removed.
    pub(super) fn destroy(
        &mut self,
        index: i32,
        device: &Poly<VirtualDevice>,
    ) -> Result<(), SoapFault> {
        let (_, file) = disk_file(device)
            .ok_or_else(|| invalid_operation(index, None, Some(&FileOperation::Destroy)))?;
        let location = self.location(&file.file_name)?;
        self.check_unlocked(&location)?;
        let descriptor = self.read_disk(&location);
        let descriptor = descriptor.unwrap_or_else(|| self.descriptor(device));
        self.files.delete_disk(&location, &descriptor);
        Ok(())
    }

    /// The location of a new disk's file: the client's, or a free one beside the VMX file.
    fn disk_location(
        &mut self,
        index: i32,
        name: &str,
        device: &Poly<VirtualDevice>,
        file: Option<&FileOperation>,
    ) -> Result<DatastorePath, SoapFault> {
        let world = self.of.world;
        let own = self.location(self.of.path)?;
        let mut location = match name {
            "" => DatastorePath::new(&own.store, ""),
            name => self.location(name)?,
        };
        if name.is_empty()
            && let Some(store) = file_backing(device).and_then(|file| file.datastore.as_ref())
        {
            location.store = store.clone();
        }
        if location.path.is_empty() {
            let stem = own.path.strip_suffix(".vmx").unwrap_or(&own.path);
            let name = |number: u32| match number {
                0 => DatastorePath::new(&location.store, &format!("{stem}.vmdk")),
                number => DatastorePath::new(&location.store, &format!("{stem}_{number}.vmdk")),
            };
            let mut names = (0..).map(name);
            let free = names.find(|location| self.files.is_free(world, location));
            location = free.unwrap_or(location);
        }
        let is_free = self.files.is_free(world, &location);
        match file {
            None if is_free => Err(fault::file_not_found(&location.display(world))),
            None => {
                self.check_unused(index, &location)?;
                self.check_unlocked(&location)?;
                Ok(location)
            }
            Some(FileOperation::Create) if !is_free => {
                Err(fault::file_already_exists(&location.display(world)))
            }
            Some(FileOperation::Create) => Ok(location),
            // The disk that is there gives way to the new one.
            Some(FileOperation::Replace) => {
                self.check_unused(index, &location)?;
                self.check_unlocked(&location)?;
                if let Some(old) = self.read_disk(&location) {
                    self.files.delete_disk(&location, &old);
                }
                Ok(location)
            }
            Some(other) => Err(invalid_operation(index, None, Some(other))),
        }
    }

    /// Fails if the machine has a disk with that file already.
    fn check_unused(&self, index: i32, location: &DatastorePath) -> Result<(), SoapFault> {
        let path = location.display(self.of.world);
        let mut files = self.list.iter().filter_map(disk_file);
        match files.any(|(_, file)| file.file_name == path) {
            true => Err(invalid_backing(index)),
            false => Ok(()),
        }
    }

    /// Fails with `FileLocked` if another machine holds the disk.
    fn check_unlocked(&self, location: &DatastorePath) -> Result<(), SoapFault> {
        let world = self.of.world;
        match lock::holder(world, location) {
            Some(other) if other != *self.of.vm => {
                Err(fault::file_locked(&location.display(world)))
            }
            _ => Ok(()),
        }
    }

    /// Fails if a disk is larger than the host can have, or does not fit on its datastore.
    fn check_size(
        &self,
        device: &Poly<VirtualDevice>,
        location: &DatastorePath,
    ) -> Result<(), SoapFault> {
        let world = self.of.world;
        let Some(disk) = device.cast::<VirtualDisk>() else {
            return Ok(());
        };
        let (size, most) = (disk.capacity_in_kb, largest_kb(world.since("5.5")));
        if size > most {
            let name = world.name(&location.store).unwrap_or_default();
            let (size, most) = (size.saturating_mul(1024), most << 10);
            return Err(fault::file_too_large(
                &location.display(world),
                name,
                size,
                most,
            ));
        }
        let backing = device.backing.as_ref();
        let flat = backing.and_then(|backing| backing.cast::<VirtualDiskFlatVer2BackingInfo>());
        match flat.is_some_and(|flat| flat.thin_provisioned == Some(true)) {
            true => Ok(()),
            false => check_space(
                world,
                location,
                u64::try_from(size).unwrap_or_default() << 10,
            ),
        }
    }

    /// Completes a disk that replaces `old`, and grows its file to the new capacity. Disks cannot shrink, and disks with
    /// snapshots keep their capacity.
    pub(super) fn back_disk_again(
        &mut self,
        index: i32,
        old: &Poly<VirtualDevice>,
        device: &mut Poly<VirtualDevice>,
    ) -> Result<(), SoapFault> {
        let Some(before) = old.cast::<VirtualDisk>() else {
            return Ok(());
        };
        if self.change_file(index, old, device)? {
            return Ok(());
        }
        check_mode(index, old, device)?;
        let Some(new) = device.cast_mut::<VirtualDisk>() else {
            return Ok(());
        };
        // If the two properties differ, the changed one counts.
        let new_kb = match new.capacity_in_bytes {
            Some(bytes) if Some(bytes) != before.capacity_in_bytes => bytes >> 10,
            _ => new.capacity_in_kb,
        };
        if new_kb < before.capacity_in_kb {
            return Err(invalid(index, "device.capacityInKB"));
        }
        new.capacity_in_kb = new_kb;
        new.capacity_in_bytes = before.capacity_in_bytes.map(|_| new_kb << 10);
        new.disk_object_id = before.disk_object_id.clone();
        let Some((_, file)) = disk_file(device) else {
            return Ok(());
        };
        if new_kb == before.capacity_in_kb {
            return Ok(());
        }
        let location = self.location(&file.file_name)?;
        let found = self.read_disk(&location);
        if found.as_ref().is_some_and(|found| found.parent.is_some()) {
            return Err(invalid_operation(index, None, None));
        }
        self.check_size(device, &location)?;
        let descriptor = Descriptor {
            capacity_kb: u64::try_from(new_kb).unwrap_or_default(),
            ..found.unwrap_or_else(|| self.descriptor(device))
        };
        self.files.grow_disk(self.of.world, &location, &descriptor);
        Ok(())
    }

    /// Lets a disk have another file. Returns whether it is another one.
    fn change_file(
        &mut self,
        index: i32,
        old: &Poly<VirtualDevice>,
        device: &mut Poly<VirtualDevice>,
    ) -> Result<bool, SoapFault> {
        let before = file_backing(old).map(|file| &file.file_name);
        let name = match file_backing(device) {
            Some(file) if Some(&file.file_name) != before => file.file_name.clone(),
            _ => return Ok(false),
        };
        let location = self.disk_location(index, &name, device, None)?;
        let capacity_kb = self.read_disk(&location).map(|disk| disk.capacity_kb);
        if let Some(disk) = device.cast_mut::<VirtualDisk>()
            && let Some(capacity_kb) = capacity_kb.and_then(|size| i64::try_from(size).ok())
        {
            disk.capacity_in_kb = capacity_kb;
            disk.capacity_in_bytes = disk.capacity_in_bytes.map(|_| capacity_kb << 10);
        }
        let Some(backing) = device.backing.as_mut() else {
            return Ok(true);
        };
        if let Some(file) = backing.cast_mut::<VirtualDeviceFileBackingInfo>() {
            file.file_name = location.display(self.of.world);
            file.datastore = Some(location.store.clone());
        }
        if let Some(flat) = backing.cast_mut::<VirtualDiskFlatVer2BackingInfo>() {
            chain::show_parents(self.of.world, flat, &location);
        }
        Ok(true)
    }

    /// The descriptor of a new file for a disk.
    fn descriptor(&self, device: &Poly<VirtualDevice>) -> Descriptor {
        let mut devices = self.list.iter();
        let controller = devices.find(|one| Some(one.key) == device.controller_key);
        let capacity_kb = device
            .cast::<VirtualDisk>()
            .map_or(0, |disk| disk.capacity_in_kb);
        let flat = device
            .backing
            .as_ref()
            .and_then(|backing| backing.cast::<VirtualDiskFlatVer2BackingInfo>());
        Descriptor {
            thin: flat.is_some_and(|flat| flat.thin_provisioned == Some(true)),
            ..Descriptor::of(
                controller.map_or("", |controller| controller.type_name()),
                u64::try_from(capacity_kb).unwrap_or_default(),
            )
        }
    }

    fn read_disk(&self, location: &DatastorePath) -> Option<Descriptor> {
        Descriptor::read(&self.of.world.content(location)?)
    }
}

/// A disk with snapshots keeps its mode.
fn check_mode(
    index: i32,
    old: &Poly<VirtualDevice>,
    new: &Poly<VirtualDevice>,
) -> Result<(), SoapFault> {
    fn flat(device: &VirtualDevice) -> Option<&VirtualDiskFlatVer2BackingInfo> {
        device.backing.as_ref()?.cast()
    }
    let (Some(old), Some(new)) = (flat(old), flat(new)) else {
        return Ok(());
    };
    if !MODES.contains(&&*new.disk_mode) {
        return Err(invalid(index, "device.backing.diskMode"));
    }
    match old.disk_mode != new.disk_mode && old.parent.is_some() {
        true => Err(disallowed_mode(index)),
        false => Ok(()),
    }
}
