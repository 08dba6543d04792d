//! The tree of a host's devices.

use std::collections::{HashMap, HashSet};

use virt_model::{
    NodeDeviceDef, Uuid,
    node_device::{NodeDeviceCapability, SystemCapability, SystemFirmware, SystemHardware},
};

use super::{name::COMPUTER, read::Devices, storage::filled};

impl Devices {
    /// The definitions of all devices, the host first. A name that several devices would have is the first one's.
    pub(super) fn definitions(&self) -> Vec<NodeDeviceDef> {
        let mut devices = vec![self.computer()];
        devices.extend(self.pci.iter().map(|pci| self.pci_device(pci)));
        let adapters = self.adapters.iter();
        devices.extend(adapters.map(|adapter| self.adapter_device(adapter)));
        devices.extend(self.scsi_devices());
        devices.extend(self.nics.iter().map(|nic| self.nic_device(nic)));
        let cards = self.graphics.iter().enumerate();
        devices.extend(cards.map(|(number, card)| self.graphics_device(number, card)));
        let mut names = HashSet::new();
        devices.retain(|device| names.insert(device.name.clone()));
        root(&mut devices);
        devices
    }

    /// The host itself.
    fn computer(&self) -> NodeDeviceDef {
        let (mut product, mut hardware) = (None, SystemHardware::default());
        if let Some(system) = &self.system {
            product = filled(Some(&system.model));
            hardware.vendor = filled(Some(&system.vendor));
            let tag = system.other_identifying_info.iter().find(|info| {
                // The key of what makers call service tag or serial number.
                info.identifier_type.key == "ServiceTag"
            });
            let tag = tag.and_then(|info| filled(Some(&info.identifier_value)));
            hardware.serial = filled(system.serial_number.as_deref()).or(tag);
            hardware.uuid = system.uuid.parse().unwrap_or(Uuid::NIL);
        }
        let mut firmware = SystemFirmware::default();
        if let Some(bios) = &self.firmware {
            firmware.vendor = filled(bios.vendor.as_deref());
            firmware.version = filled(bios.bios_version.as_deref());
            firmware.release_date = bios.release_date.as_ref().map(|date| {
                // As the firmware's tables have it: month/day/year.
                let date = date.to_string();
                match (date.get(..4), date.get(5..7), date.get(8..10)) {
                    (Some(year), Some(month), Some(day)) => format!("{month}/{day}/{year}"),
                    _ => date,
                }
            });
        }
        let system = SystemCapability {
            product,
            hardware,
            firmware,
            ..SystemCapability::default()
        };
        NodeDeviceDef::new(COMPUTER, "", NodeDeviceCapability::System(system))
    }
}

/// Makes one tree of the devices: those whose parent is not among them, and bridges that a server says to be above
/// themselves, hang on the host.
fn root(devices: &mut [NodeDeviceDef]) {
    let places: HashMap<_, _> = devices
        .iter()
        .map(|device| &*device.name)
        .zip(0..)
        .collect();
    let parents = devices.iter().map(|device| device.parent.as_deref());
    let parents = parents.map(|parent| places.get(parent?).copied());
    let mut parents: Vec<Option<usize>> = parents.collect();
    for at in 1..devices.len() {
        // At most as many steps as there are devices: the device may be below a circle without being of it.
        let above = std::iter::successors(parents[at], |above| parents[*above]);
        let is_circle = above.take(devices.len()).any(|above| above == at);
        if is_circle || parents[at].is_none() {
            devices[at].parent = Some(COMPUTER.to_owned());
            parents[at] = None;
        }
    }
}
