//! Backings of devices: files and networks.

use vi_types::enums::VirtualDeviceConfigSpecFileOperation as FileOperation;
use vi_types::objects::{
    VirtualCdrom, VirtualCdromIsoBackingInfo, VirtualDevice, VirtualDeviceFileBackingInfo,
    VirtualDisk, VirtualDiskFlatVer2BackingInfo, VirtualEthernetCard,
    VirtualEthernetCardNetworkBackingInfo, VirtualFloppy, VirtualSerialPort,
    VirtualSerialPortFileBackingInfo,
};
use vi_types::{ManagedObjectReference, Poly, SoapFault, properties};

use super::{
    Change, connectable, disk_file, file_backing, invalid, invalid_backing, invalid_operation,
};
use crate::fault;
use crate::files::{DatastorePath, Descriptor};
use crate::machine::config::datacenter_of;
use crate::machine::storage::store_of;
use crate::world::inventory::ServerKind;
use crate::world::inventory::parts::{text, uuid};

impl Change<'_> {
    /// Completes the backing of a new device.
    pub(super) fn back(
        &mut self,
        index: i32,
        device: &mut Poly<VirtualDevice>,
        file: Option<&FileOperation>,
    ) -> Result<(), SoapFault> {
        if device.is::<VirtualDisk>() {
            return self.back_disk(index, device, file);
        }
        if let Some(file) = file {
            return Err(invalid_operation(index, None, Some(file)));
        }
        let is_removable = device.is::<VirtualCdrom>()
            || device.is::<VirtualFloppy>()
            || device.is::<VirtualSerialPort>();
        if is_removable || device.is::<VirtualEthernetCard>() {
            let connected = self.of.is_on && !is_removable;
            device
                .connectable
                .get_or_insert_with(|| connectable(connected).into());
        }
        self.back_with_image(device)?;
        self.back_card(index, device)
    }

    /// Completes the backing of a device that replaces the one at `at`.
    pub(super) fn back_again(
        &mut self,
        index: i32,
        at: usize,
        device: &mut Poly<VirtualDevice>,
    ) -> Result<(), SoapFault> {
        if device.is::<VirtualEthernetCard>() {
            let old = self.list[at].cast::<VirtualEthernetCard>();
            let mac = old.and_then(|old| old.mac_address.clone());
            if let Some(card) = device.cast_mut::<VirtualEthernetCard>()
                && card.mac_address.as_deref().is_none_or(str::is_empty)
            {
                card.mac_address = mac;
            }
            self.back_card(index, device)?;
        }
        self.back_with_image(device)?;
        self.resize(index, at, device)?;
        if let (Some(summary), Some(info)) = (summary(device), device.device_info.as_mut()) {
            info.summary = summary;
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
        let descriptor = self.descriptor(device);
        self.files.deleted.push((location, descriptor));
        Ok(())
    }

    fn back_disk(
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
        let capacity_kb = match device.cast::<VirtualDisk>() {
            Some(disk) => match disk.capacity_in_bytes {
                Some(bytes) if bytes > 0 => bytes >> 10,
                _ => disk.capacity_in_kb,
            },
            None => 0,
        };
        let capacity_kb = match (&place, file) {
            (Some(_), Some(FileOperation::Create)) if capacity_kb <= 0 => {
                return Err(invalid(index, "device.capacityInKB"));
            }
            (Some(location), None) => {
                let found = self.of.world.content(location);
                let found = found.and_then(|text| Descriptor::read(&text));
                let found = found.and_then(|found| i64::try_from(found.capacity_kb).ok());
                found.unwrap_or(capacity_kb)
            }
            _ => capacity_kb,
        };
        let shown = place
            .as_ref()
            .map(|location| location.display(self.of.world));
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
            flat.split.get_or_insert(false);
            flat.write_through.get_or_insert(false);
            flat.thin_provisioned.get_or_insert(false);
            // Differs between machines and between disks of a machine.
            let disk = number * 100_000 + u64::from(key.unsigned_abs());
            flat.uuid.get_or_insert_with(|| uuid(0x6000, disk));
        }
        if let Some(file) = backing.cast_mut::<VirtualDeviceFileBackingInfo>() {
            if let Some(shown) = shown {
                file.file_name = shown;
            }
            if let Some(place) = &place {
                file.datastore = Some(place.store.clone());
            }
        }
        if let (Some(place), Some(FileOperation::Create)) = (place, file) {
            let descriptor = self.descriptor(device);
            self.files.made.push((place, descriptor));
        }
        Ok(())
    }

    /// The location of a new disk's file: the client's, or a free one beside the VMX file.
    fn disk_location(
        &self,
        index: i32,
        name: &str,
        device: &Poly<VirtualDevice>,
        file: Option<&FileOperation>,
    ) -> Result<DatastorePath, SoapFault> {
        let world = self.of.world;
        let is_new = match file {
            None => false,
            Some(FileOperation::Create) => true,
            Some(other) => return Err(invalid_operation(index, None, Some(other))),
        };
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
        match (is_new, self.files.is_free(world, &location)) {
            (true, false) => Err(fault::file_already_exists(&location.display(world))),
            (false, true) => Err(fault::file_not_found(&location.display(world))),
            _ => Ok(location),
        }
    }

    /// Grows the file of a disk to the new capacity. Disks cannot shrink.
    fn resize(
        &mut self,
        index: i32,
        at: usize,
        device: &mut Poly<VirtualDevice>,
    ) -> Result<(), SoapFault> {
        let Some(old) = self.list[at].cast::<VirtualDisk>() else {
            return Ok(());
        };
        let (old_kb, old_bytes) = (old.capacity_in_kb, old.capacity_in_bytes);
        let id = old.disk_object_id.clone();
        let Some(new) = device.cast_mut::<VirtualDisk>() else {
            return Ok(());
        };
        // If the two properties differ, the changed one counts.
        let new_kb = match new.capacity_in_bytes {
            Some(bytes) if Some(bytes) != old_bytes => bytes >> 10,
            _ => new.capacity_in_kb,
        };
        if new_kb < old_kb {
            return Err(invalid(index, "device.capacityInKB"));
        }
        new.capacity_in_kb = new_kb;
        new.capacity_in_bytes = old_bytes.map(|_| new_kb << 10);
        new.disk_object_id = id;
        if new_kb > old_kb
            && let Some((_, file)) = disk_file(device)
        {
            let location = self.location(&file.file_name)?;
            let descriptor = self.descriptor(device);
            self.files.made.push((location, descriptor));
        }
        Ok(())
    }

    fn descriptor(&self, device: &Poly<VirtualDevice>) -> Descriptor {
        let mut devices = self.list.iter();
        let controller = devices.find(|one| Some(one.key) == device.controller_key);
        let capacity_kb = device
            .cast::<VirtualDisk>()
            .map_or(0, |disk| disk.capacity_in_kb);
        Descriptor::of(
            controller.map_or("", |controller| controller.type_name()),
            u64::try_from(capacity_kb).unwrap_or_default(),
        )
    }

    /// Checks that the image of a drive exists.
    fn back_with_image(&self, device: &mut Poly<VirtualDevice>) -> Result<(), SoapFault> {
        if !self.of.from_client {
            return Ok(());
        }
        let Some(backing) = device.backing.as_mut() else {
            return Ok(());
        };
        let Some(image) = backing.cast_mut::<VirtualCdromIsoBackingInfo>() else {
            return Ok(());
        };
        let location = self.location(&image.file_name)?;
        if self.of.world.entry(&location).is_none() {
            return Err(fault::file_not_found(&image.file_name));
        }
        image.datastore = Some(location.store);
        Ok(())
    }

    /// Resolves the network of a card, and gives the card an address.
    fn back_card(&self, index: i32, device: &mut Poly<VirtualDevice>) -> Result<(), SoapFault> {
        if !device.is::<VirtualEthernetCard>() {
            return Ok(());
        }
        let slot = device.key - 4000;
        let from_client = self.of.from_client;
        if device.backing.is_none() && from_client {
            return Err(invalid_backing(index));
        }
        if let Some(network) = device
            .backing
            .as_mut()
            .and_then(|backing| backing.cast_mut::<VirtualEthernetCardNetworkBackingInfo>())
        {
            let found = self.network(network);
            match found {
                Some((found, name)) => {
                    network.network = Some(found);
                    network.device_name = name;
                }
                None if from_client => return Err(invalid_backing(index)),
                None => network.network = None,
            }
        }
        let kind = self.of.world.kind();
        if let Some(card) = device.cast_mut::<VirtualEthernetCard>() {
            let address_type = card.address_type.get_or_insert_with(|| match kind {
                ServerKind::Esx => "generated".to_owned(),
                ServerKind::VCenter => "assigned".to_owned(),
            });
            let is_manual = address_type.eq_ignore_ascii_case("manual");
            let has_none = card.mac_address.as_deref().is_none_or(str::is_empty);
            if has_none && is_manual && from_client {
                return Err(invalid(index, "device.macAddress"));
            }
            if has_none && !is_manual && from_client {
                card.mac_address = Some(self.mac(slot));
            }
            card.wake_on_lan_enabled.get_or_insert(true);
        }
        Ok(())
    }

    /// The host's network that a backing names, and its name.
    fn network(
        &self,
        backing: &VirtualEthernetCardNetworkBackingInfo,
    ) -> Option<(ManagedObjectReference, String)> {
        let world = self.of.world;
        let host = world.read::<properties::HostSystem>(self.of.host?)?;
        let named = |network: &&ManagedObjectReference| match &backing.network {
            Some(meant) if backing.device_name.is_empty() => meant == *network,
            _ => world.name(network) == Some(&*backing.device_name),
        };
        let found = host.network.iter().find(named)?;
        Some((found.clone(), world.name(found)?.to_owned()))
    }

    /// The address of the card in a slot, with VMware's prefix for generated addresses.
    fn mac(&self, slot: i32) -> String {
        let oui = match self.of.world.kind() {
            ServerKind::Esx => "00:0c:29",
            ServerKind::VCenter => "00:50:56",
        };
        let [.., a, b] = self.of.number.to_be_bytes();
        format!("{oui}:{slot:02x}:{a:02x}:{b:02x}")
    }

    fn location(&self, path: &str) -> Result<DatastorePath, SoapFault> {
        let world = self.of.world;
        match store_of(world, self.of.host, path) {
            Some(store) => {
                let path = path
                    .split_once(']')
                    .map_or("", |(_, path)| path.trim_start());
                Ok(DatastorePath::new(&store, path))
            }
            None => {
                let datacenter = self.of.host.and_then(|host| datacenter_of(world, host));
                DatastorePath::resolve(world, datacenter, path)
            }
        }
    }
}

/// The summary of a device. `None` if the label is the summary.
pub(super) fn summary(device: &Poly<VirtualDevice>) -> Option<String> {
    if let Some(disk) = device.cast::<VirtualDisk>() {
        return Some(format!("{} KB", grouped(disk.capacity_in_kb)));
    }
    let backing = device.backing.as_ref()?;
    if device.is::<VirtualCdrom>() {
        let image = backing.cast::<VirtualCdromIsoBackingInfo>();
        return match image {
            Some(image) => Some(format!("ISO {}", image.file_name)),
            None => text("Remote device"),
        };
    }
    if let Some(network) = backing.cast::<VirtualEthernetCardNetworkBackingInfo>() {
        return Some(network.device_name.clone());
    }
    let file = backing.cast::<VirtualSerialPortFileBackingInfo>()?;
    Some(format!("File {}", file.file_name))
}

/// `33,554,432`.
fn grouped(number: i64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (33_554_432, "33,554,432"),
        ] {
            assert_eq!(grouped(number), text);
        }
    }
}
