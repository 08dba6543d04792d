//! Backings of devices: files and networks. Those of disks are in [`disk`](super::disk).

use vi_types::enums::VirtualDeviceConfigSpecFileOperation as FileOperation;
use vi_types::objects::{
    VirtualCdrom, VirtualCdromIsoBackingInfo, VirtualDevice, VirtualDeviceFileBackingInfo,
    VirtualDisk, VirtualEthernetCard, VirtualEthernetCardDistributedVirtualPortBackingInfo,
    VirtualEthernetCardNetworkBackingInfo, VirtualEthernetCardOpaqueNetworkBackingInfo,
    VirtualFloppy, VirtualFloppyImageBackingInfo, VirtualParallelPort,
    VirtualParallelPortFileBackingInfo, VirtualSerialPort, VirtualSerialPortFileBackingInfo,
};
use vi_types::{ManagedObjectReference, Poly, SoapFault, properties};

use super::fault::{invalid, invalid_backing, invalid_operation};
use super::{Change, connectable};
use crate::distributed;
use crate::fault;
use crate::files::{DatastorePath, Entry};
use crate::host_network;
use crate::machine::config::{datacenter_of, escaped};
use crate::machine::storage::store_of;
use crate::world::inventory::ServerKind;
use crate::world::inventory::parts::text;

/// Length of a floppy disk in bytes.
const FLOPPY: u64 = 1440 << 10;

/// The name of the image in a drive without a medium.
pub(crate) const NO_FILE: &str = "[]";

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
        let is_removable = device.is::<VirtualCdrom>()
            || device.is::<VirtualFloppy>()
            || device.is::<VirtualSerialPort>()
            || device.is::<VirtualParallelPort>();
        if is_removable || device.is::<VirtualEthernetCard>() {
            device
                .connectable
                .get_or_insert_with(|| connectable(!is_removable).into());
        }
        self.back_with_file(index, device, file)?;
        self.back_card(index, device)
    }

    /// Completes the backing of a device that replaces `old`.
    pub(super) fn back_again(
        &mut self,
        index: i32,
        old: &Poly<VirtualDevice>,
        device: &mut Poly<VirtualDevice>,
    ) -> Result<(), SoapFault> {
        if device.is::<VirtualDisk>() {
            self.back_disk_again(index, old, device)?;
        } else if device.backing != old.backing {
            self.back_with_file(index, device, None)?;
        }
        self.back_card(index, device)?;
        if let (Some(summary), Some(info)) = (summary(device), device.device_info.as_mut()) {
            info.summary = summary;
        }
        Ok(())
    }

    /// Checks that the file of a drive or port exists, or makes it.
    fn back_with_file(
        &mut self,
        index: i32,
        device: &mut Poly<VirtualDevice>,
        file: Option<&FileOperation>,
    ) -> Result<(), SoapFault> {
        if !self.of.from_client {
            return Ok(());
        }
        let refused = |file: Option<&FileOperation>| match file {
            Some(file) => Err(invalid_operation(index, None, Some(file))),
            None => Ok(()),
        };
        let Some(backing) = device.backing.as_mut() else {
            return refused(file);
        };
        let made = if backing.is::<VirtualFloppyImageBackingInfo>() {
            Some((Entry::zeros(FLOPPY), false))
        } else if backing.is::<VirtualSerialPortFileBackingInfo>()
            || backing.is::<VirtualParallelPortFileBackingInfo>()
        {
            Some((Entry::zeros(0), true))
        } else if backing.is::<VirtualCdromIsoBackingInfo>() {
            None
        } else {
            return refused(file);
        };
        let is_port = matches!(made, Some((_, true)));
        let made = made.map(|(made, _)| made);
        let Some(image) = backing.cast_mut::<VirtualDeviceFileBackingInfo>() else {
            return Ok(());
        };
        // A drive without a medium.
        if matches!(image.file_name.as_str(), "" | NO_FILE) && !is_port {
            NO_FILE.clone_into(&mut image.file_name);
            return refused(file);
        }
        // An image of the host's own, such as those of VMware Tools.
        if image.file_name.starts_with("[] /") {
            return refused(file);
        }
        let location = self.location(&image.file_name)?;
        let world = self.of.world;
        let is_free = self.files.is_free(world, &location);
        let entry = match (file, made) {
            (Some(FileOperation::Create), Some(_)) if !is_free => {
                return Err(fault::file_already_exists(&image.file_name));
            }
            (Some(FileOperation::Create | FileOperation::Replace), Some(entry)) => Some(entry),
            (Some(other), _) => return Err(invalid_operation(index, None, Some(other))),
            // A port's file is made when the machine starts (API reference of `VirtualSerialPortFileBackingInfo`).
            (None, _) if is_free && !is_port => {
                return Err(fault::file_not_found(&image.file_name));
            }
            (None, _) => None,
        };
        image.datastore = Some(location.store.clone());
        self.files.made.extend(entry.map(|entry| (location, entry)));
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
        self.back_with_port(index, device)?;
        let kind = self.of.world.kind();
        if let Some(card) = device.cast_mut::<VirtualEthernetCard>() {
            let address_type = card.address_type.get_or_insert_with(|| match kind {
                ServerKind::Esx => "generated".to_owned(),
                ServerKind::VCenter => "assigned".to_owned(),
            });
            if !["manual", "generated", "assigned"].contains(&&*address_type.to_ascii_lowercase())
                && from_client
            {
                return Err(invalid(index, "device.addressType"));
            }
            let is_manual = address_type.eq_ignore_ascii_case("manual");
            let has_none = card.mac_address.as_deref().is_none_or(str::is_empty);
            if has_none && is_manual && from_client {
                return Err(invalid(index, "device.macAddress"));
            }
            if has_none && !is_manual && from_client {
                card.mac_address = Some(self.mac(slot));
            }
            let mac = card.mac_address.as_deref();
            if from_client && !mac.is_some_and(is_mac) {
                return Err(invalid(index, "device.macAddress"));
            }
            card.wake_on_lan_enabled.get_or_insert(true);
        }
        Ok(())
    }

    /// Resolves the port of a card on a distributed switch, and the opaque network of one.
    fn back_with_port(
        &self,
        index: i32,
        device: &mut Poly<VirtualDevice>,
    ) -> Result<(), SoapFault> {
        let key = device.key;
        let Some(backing) = device.backing.as_mut() else {
            return Ok(());
        };
        let from_client = self.of.from_client;
        if let Some(backing) =
            backing.cast_mut::<VirtualEthernetCardDistributedVirtualPortBackingInfo>()
        {
            let cards = self.list.iter().filter(|one| one.key != key);
            let cards = cards.filter_map(|one| distributed::port_of(one.cast()?));
            let taken: Vec<_> = cards.filter_map(|port| port.port_key.clone()).collect();
            let port = self.of.host.and_then(|host| {
                distributed::connect(self.of.world, host, &backing.port, self.of.vm, &taken)
            });
            match port {
                Some(port) => backing.port = port,
                None if from_client => return Err(invalid_backing(index)),
                None => {}
            }
        } else if let Some(backing) = backing.cast::<VirtualEthernetCardOpaqueNetworkBackingInfo>()
        {
            let host = self.of.host;
            let info = host.and_then(|host| host_network::info(self.of.world, host));
            let mut networks = info.into_iter().flat_map(|info| &info.opaque_network);
            let is_there = networks.any(|one| one.opaque_network_id == backing.opaque_network_id);
            if from_client && !is_there {
                return Err(invalid_backing(index));
            }
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
            _ => world.name(network) == Some(&*escaped(&backing.device_name)),
        };
        let found = host.network.iter().find(named)?;
        let name = match backing.device_name.is_empty() {
            true => world.name(found)?.to_owned(),
            false => backing.device_name.clone(),
        };
        Some((found.clone(), name))
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

    pub(super) fn location(&self, path: &str) -> Result<DatastorePath, SoapFault> {
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

/// Whether a text is an address of one card: six bytes, not all zero, and no multicast.
pub(crate) fn is_mac(text: &str) -> bool {
    let parts: Vec<_> = text.split(':').collect();
    let bytes: Vec<_> = parts
        .iter()
        .filter(|part| part.len() == 2)
        .filter_map(|part| u8::from_str_radix(part, 16).ok())
        .collect();
    let is_one = bytes.first().is_some_and(|first| first & 1 == 0);
    parts.len() == 6 && bytes.len() == 6 && is_one && bytes.iter().any(|byte| *byte != 0)
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
    if let Some(port) = backing.cast::<VirtualEthernetCardDistributedVirtualPortBackingInfo>() {
        return Some(format!("DVSwitch: {}", port.port.switch_uuid));
    }
    if let Some(network) = backing.cast::<VirtualEthernetCardOpaqueNetworkBackingInfo>() {
        return Some(format!(
            "{}: {}",
            network.opaque_network_type, network.opaque_network_id
        ));
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
