//! The PCI devices of a host: bridges, its network and bus adapters where their own lists say, and a graphics processor.

use std::collections::BTreeMap;

use vi_types::objects::{HostPciDevice, HostPciPassthruInfo};
use vi_types::{ManagedObjectReference, Poly, properties};

use crate::world::World;

const BRIDGE: u16 = 0x0604;
const HOST_BRIDGE: u16 = 0x0600;
const ETHERNET: u16 = 0x0200;
const STORAGE: u16 = 0x0104;
const GRAPHICS: u16 = 0x0302;

/// Bus, slot and function.
type Address = (u8, u8, u8);

/// Class, vendor, device, and the names of vendor and device.
type Kind = (u16, u16, u16, &'static str, String);

/// All devices by address.
pub(super) fn devices(world: &World, host: &ManagedObjectReference) -> Vec<HostPciDevice> {
    let mut kinds = BTreeMap::<Address, Kind>::new();
    let intel =
        |class, device, name: &str| (class, 0x8086, device, "Intel Corporation", name.to_owned());
    kinds.insert(
        (0, 0, 0),
        intel(HOST_BRIDGE, 0x2020, "Sky Lake-E DMI3 Registers"),
    );
    let host = world.read::<properties::HostSystem>(host);
    let config = host.and_then(|host| host.config.as_deref());
    let network = config.and_then(|config| config.network.as_deref());
    for nic in network.iter().flat_map(|network| &network.pnic) {
        if let Some(address) = address(&nic.pci) {
            kinds.insert(
                address,
                intel(ETHERNET, 0x1521, "I350 Gigabit Network Connection"),
            );
        }
    }
    let storage = host
        .and_then(|host| host.config_manager.as_deref())
        .and_then(|managers| managers.storage_system.as_ref())
        .and_then(|system| world.read::<properties::HostStorageSystem>(system))
        .and_then(|system| system.storage_device_info.as_deref());
    for adapter in storage.iter().flat_map(|storage| &storage.host_bus_adapter) {
        let Some(address) = adapter.pci.as_deref().and_then(address) else {
            continue;
        };
        let kind = (
            STORAGE,
            0x1000,
            0x005d,
            "Broadcom / LSI",
            adapter.model.clone(),
        );
        kinds.entry(address).or_insert(kind);
    }
    let graphics = (
        GRAPHICS,
        0x10de,
        0x1eb8,
        "NVIDIA Corporation",
        "TU104GL [Tesla T4]".to_owned(),
    );
    kinds.insert((0x3b, 0, 0), graphics);
    // A bridge on the first bus leads to each of the other buses.
    let mut bridges = BTreeMap::new();
    let buses: Vec<_> = kinds
        .keys()
        .map(|address| address.0)
        .filter(|&bus| bus > 0)
        .collect();
    let mut slot = 0x1c;
    for bus in buses {
        if bridges.contains_key(&bus) {
            continue;
        }
        let free = (0..8).map(|function| (0, slot, function));
        let at = free
            .into_iter()
            .find(|at| !kinds.contains_key(at))
            .unwrap_or_else(|| {
                slot += 1;
                (0, slot, 0)
            });
        kinds.insert(at, intel(BRIDGE, 0xa190, "PCI Express Root Port"));
        bridges.insert(bus, at);
    }
    let prefix = if world.since("5.5") { "0000:" } else { "" };
    let id = |(bus, slot, function): Address| format!("{prefix}{bus:02x}:{slot:02x}.{function:x}");
    let device =
        |(at, (class, vendor, device, vendor_name, name)): (Address, Kind)| HostPciDevice {
            id: id(at),
            class_id: class.cast_signed(),
            bus: at.0.cast_signed(),
            slot: at.1.cast_signed(),
            function: at.2.cast_signed(),
            vendor_id: vendor.cast_signed(),
            sub_vendor_id: vendor.cast_signed(),
            vendor_name: vendor_name.to_owned(),
            device_id: device.cast_signed(),
            sub_device_id: 1,
            parent_bridge: bridges.get(&at.0).map(|&bridge| id(bridge)),
            device_name: name,
            ..HostPciDevice::default()
        };
    kinds.into_iter().map(device).collect()
}

/// What of them can be passed through: all that are no bridges. Storage is not, as the host starts from it.
pub(super) fn passthrough(devices: &[HostPciDevice]) -> Vec<Poly<HostPciPassthruInfo>> {
    let capable = [ETHERNET, GRAPHICS];
    let info = devices.iter().map(|device| {
        let is_capable = capable.contains(&device.class_id.cast_unsigned());
        HostPciPassthruInfo {
            id: device.id.clone(),
            dependent_device: device.id.clone(),
            passthru_enabled: false,
            passthru_capable: is_capable,
            passthru_active: false,
            ..HostPciPassthruInfo::default()
        }
        .into()
    });
    info.collect()
}

/// `0000:02:00.1` or `02:00.1`.
fn address(text: &str) -> Option<Address> {
    let (rest, function) = text.rsplit_once('.')?;
    let mut parts = rest.rsplit(':');
    let slot = u8::from_str_radix(parts.next()?, 16).ok()?;
    let bus = u8::from_str_radix(parts.next()?, 16).ok()?;
    Some((bus, slot, u8::from_str_radix(function, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn addresses_have_a_domain_or_none() {
        for (text, expected) in [
            ("0000:02:00.1", Some((2, 0, 1))),
            ("3b:1f.0", Some((0x3b, 0x1f, 0))),
            ("02:00", None),
            ("", None),
        ] {
            assert_eq!(address(text), expected, "{text}");
        }
    }
}
