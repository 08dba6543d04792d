//! PCI devices and what sits on them.

use vi_types::objects::{HostGraphicsInfo, HostPciDevice, HostSriovInfo, PhysicalNic};
use virt_model::{
    NodeDeviceDef,
    domain::PciAddress,
    interface::{Link, LinkState},
    node_device::{
        Drm, DrmType, NetCapability, NetType, NodeDeviceCapability, PciCapability, PciHeader,
        VirtualFunctions,
    },
};

use super::{
    name::{nic_name, parent_name, pci_name},
    read::Devices,
    storage::filled,
};

/// The driver of ESX(i) that has the devices which are passed through to domains.
pub(super) const PASSTHROUGH_DRIVER: &str = "pciPassthru";

impl Devices {
    /// A PCI device.
    pub(super) fn pci_device(&self, pci: &HostPciDevice) -> NodeDeviceDef {
        let name = pci_name(&pci.id);
        let info = self.passthrough.iter().find(|info| info.id == pci.id);
        let virtual_functions = info
            .and_then(|info| info.cast::<HostSriovInfo>())
            .filter(|sriov| sriov.sriov_capable)
            .map(|sriov| VirtualFunctions {
                max_count: u32::try_from(sriov.max_virtual_function_supported).unwrap_or(0),
                functions: Vec::new(),
            });
        let class = id(pci.class_id);
        let capability = PciCapability {
            // A host tells the class and the subclass.
            class: Some(class << 8),
            address: address(pci),
            product_id: id(pci.device_id),
            product: filled(Some(&pci.device_name)),
            vendor_id: id(pci.vendor_id),
            vendor: filled(Some(&pci.vendor_name)),
            virtual_functions,
            header: match class {
                0x0604 => Some(PciHeader::PciBridge),
                0x0607 => Some(PciHeader::CardbusBridge),
                _ => None,
            },
            ..PciCapability::default()
        };
        let driver = match info {
            Some(info) if info.passthru_active => Some(PASSTHROUGH_DRIVER.to_owned()),
            _ => self.driver_of(&name),
        };
        let parent = parent_name(pci.parent_bridge.as_deref());
        let capability = NodeDeviceCapability::Pci(Box::new(capability));
        let mut def = NodeDeviceDef::new(name, parent, capability);
        def.driver = driver;
        def
    }

    /// The driver of the network card or the storage adapter that is on the PCI device of that name.
    fn driver_of(&self, name: &str) -> Option<String> {
        let is_on = |pci: &str| pci_name(pci) == name;
        let nic = self.nics.iter().find(|nic| is_on(&nic.pci));
        let of_nic = nic.and_then(|nic| filled(nic.driver.as_deref()));
        let mut adapters = self.adapters.iter();
        of_nic.or_else(|| {
            let adapter = adapters.find(|adapter| adapter.pci.as_deref().is_some_and(is_on));
            adapter.and_then(|adapter| filled(adapter.driver.as_deref()))
        })
    }

    /// A network card.
    pub(super) fn nic_device(&self, nic: &PhysicalNic) -> NodeDeviceDef {
        let link = nic.link_speed.as_ref();
        let speed = link.map_or(0, |link| u32::try_from(link.speed_mb).unwrap_or(0));
        let state = match link {
            Some(_) => LinkState::Up,
            None => LinkState::Down,
        };
        let capability = NetCapability {
            interface: nic.device.clone(),
            address: filled(Some(&nic.mac)),
            link: Link {
                speed,
                state: Some(state),
            },
            kind: Some(NetType::Ethernet),
            ..NetCapability::default()
        };
        let name = nic_name(nic);
        let parent = parent_name(Some(&nic.pci));
        NodeDeviceDef::new(name, parent, NodeDeviceCapability::Net(capability))
    }

    /// A graphics card.
    pub(super) fn graphics_device(&self, number: usize, card: &HostGraphicsInfo) -> NodeDeviceDef {
        let name = format!("drm_card{number}");
        let parent = parent_name(Some(&card.pci_id));
        let drm = Drm::new(DrmType::Primary);
        NodeDeviceDef::new(name, parent, NodeDeviceCapability::Drm(drm))
    }
}

/// An ID: the API has no unsigned numbers.
fn id(number: i16) -> u32 {
    number.cast_unsigned().into()
}

/// The address. The domain is only in the device's name, `0000:03:00.0`; where that is not of this form, the numbers
/// count.
fn address(pci: &HostPciDevice) -> PciAddress {
    parse(&pci.id).unwrap_or(PciAddress {
        bus: pci.bus.cast_unsigned().into(),
        slot: pci.slot.cast_unsigned().into(),
        function: pci.function.cast_unsigned().into(),
        ..PciAddress::default()
    })
}

fn parse(id: &str) -> Option<PciAddress> {
    let hex = |text: &str| u32::from_str_radix(text, 16).ok();
    let (place, function) = id.rsplit_once('.')?;
    let (place, slot) = place.rsplit_once(':')?;
    let (domain, bus) = place.rsplit_once(':').unwrap_or(("0", place));
    Some(PciAddress {
        domain: hex(domain)?,
        bus: hex(bus)?,
        slot: hex(slot)?,
        function: hex(function)?,
        multifunction: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let of = |id: &str| {
            let pci = HostPciDevice {
                id: id.to_owned(),
                bus: -126,
                slot: 3,
                function: 1,
                ..HostPciDevice::default()
            };
            let address = address(&pci);
            (address.domain, address.bus, address.slot, address.function)
        };
        assert_eq!(of("0001:82:03.1"), (1, 0x82, 3, 1));
        assert_eq!(of("82:1f.7"), (0, 0x82, 0x1f, 7));
        for other in ["", "vmdirect", "::.", "0000:zz:00.0"] {
            assert_eq!(of(other), (0, 0x82, 3, 1), "{other}");
        }
    }
}
