//! What all devices have: an address, an alias and a place in the boot order
//! (libvirt's `virDomainDeviceInfo`).

use xmltree::Element;

use crate::{
    DomainXmlFlags, ErrorNumber,
    xml::{Build, Node, XmlError, on_off},
};

/// What all devices have (libvirt's `virDomainDeviceInfo`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeviceInfo {
    /// The place in the boot order, from 1.
    pub boot_order: Option<u32>,
    /// The alias: the name of the device in the domain.
    pub alias: Option<String>,
    /// The address.
    pub address: Option<Address>,
    #[doc(hidden)]
    pub _more: (),
}

impl DeviceInfo {
    /// A device at that address.
    pub fn at(address: Address) -> DeviceInfo {
        DeviceInfo {
            address: Some(address),
            ..DeviceInfo::default()
        }
    }
}

impl DeviceInfo {
    /// Reads `<boot>`, `<alias>` and `<address>`.
    pub(super) fn read(device: &mut Node<'_>) -> Result<DeviceInfo, XmlError> {
        let boot_order = match device.child("boot") {
            Some(mut boot) => Some(read_boot_order(&mut boot)?),
            None => None,
        };
        let address = match device.child("address") {
            Some(mut address) => Some(Address::read(&mut address)?),
            None => None,
        };
        Ok(DeviceInfo {
            boot_order,
            alias: device.attr_of("alias", "name"),
            address,
            _more: (),
        })
    }

    /// Makes `<boot>`, `<alias>` and `<address>`, as far as they are set.
    ///
    /// The inactive definition has only aliases that start with `ua-`, which users choose.
    pub(super) fn to_elements(&self, flags: DomainXmlFlags) -> Vec<Element> {
        let boot = self
            .boot_order
            .map(|order| Element::new("boot").attr("order", order));
        let inactive = flags.contains(DomainXmlFlags::INACTIVE);
        let alias = self
            .alias
            .as_ref()
            .filter(|alias| !inactive || alias.starts_with("ua-"))
            .map(|alias| Element::new("alias").attr("name", alias));
        let address = self.address.as_ref().map(Address::to_element);
        [boot, alias, address].into_iter().flatten().collect()
    }
}

fn read_boot_order(boot: &mut Node<'_>) -> Result<u32, XmlError> {
    match boot.number("order")? {
        Some(order) if order > 0 => Ok(order),
        Some(_) => Err(boot
            .error("Invalid value for attribute 'order' in element 'boot': Zero is not permitted")),
        None => Err(boot.missing("order")),
    }
}

/// The address of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Address {
    /// An address of a drive.
    Drive(DriveAddress),
    /// A PCI address.
    Pci(PciAddress),
    /// Another address: its type and its other attributes, in the order of the document.
    Other {
        /// `type`: `usb`, `isa`, `virtio-serial`, ….
        kind: String,
        /// Names and values.
        attributes: Vec<(String, String)>,
    },
}

impl Address {
    /// The type, the attribute `type` of `<address>`.
    pub fn kind(&self) -> &str {
        match self {
            Address::Drive(_) => "drive",
            Address::Pci(_) => "pci",
            Address::Other { kind, .. } => kind,
        }
    }
}

const KINDS: [&str; 12] = [
    "pci",
    "drive",
    "virtio-serial",
    "ccid",
    "usb",
    "spapr-vio",
    "virtio-s390",
    "ccw",
    "virtio-mmio",
    "isa",
    "dimm",
    "unassigned",
];

impl Address {
    fn read(node: &mut Node<'_>) -> Result<Address, XmlError> {
        let Some(kind) = node.old_one_of("type", &KINDS, "unknown address type")? else {
            let message = "No type specified for device address";
            return Err(node.fail(ErrorNumber::InternalError, message));
        };
        Ok(match kind.as_str() {
            "drive" => Address::Drive(DriveAddress {
                controller: node.number("controller")?.unwrap_or(0),
                bus: node.number("bus")?.unwrap_or(0),
                target: node.number("target")?.unwrap_or(0),
                unit: node.number("unit")?.unwrap_or(0),
            }),
            "pci" => Address::Pci(PciAddress::read(node)?),
            _ => Address::Other {
                attributes: node.all_attrs(),
                kind,
            },
        })
    }

    fn to_element(&self) -> Element {
        let element = Element::new("address").attr("type", self.kind());
        match self {
            Address::Drive(drive) => element
                .attr("controller", drive.controller)
                .attr("bus", drive.bus)
                .attr("target", drive.target)
                .attr("unit", drive.unit),
            Address::Pci(pci) => pci.write(element),
            Address::Other { attributes, .. } => attributes
                .iter()
                .fold(element, |element, (name, value)| element.attr(name, value)),
        }
    }
}

/// The address of a drive: controller, bus, target and unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct DriveAddress {
    /// The controller's index.
    pub controller: u32,
    /// The bus of the controller.
    pub bus: u32,
    /// The target on the bus.
    pub target: u32,
    /// The unit of the target.
    pub unit: u32,
}

impl DriveAddress {
    /// The address with target 0.
    pub const fn new(controller: u32, bus: u32, unit: u32) -> DriveAddress {
        DriveAddress {
            controller,
            bus,
            target: 0,
            unit,
        }
    }

    /// The address of the SCSI disk with that number if each controller has `units` units. Unit 7 is the
    /// controller itself.
    pub const fn scsi(number: u32, units: u32) -> DriveAddress {
        let disks = if units > 1 { units - 1 } else { 1 };
        let unit = number % disks;
        let behind = if unit >= 7 { 1 } else { 0 };
        DriveAddress::new(number / disks, 0, unit + behind)
    }
}

/// A PCI address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct PciAddress {
    /// The PCI domain.
    pub domain: u32,
    /// The bus, 8 bits.
    pub bus: u32,
    /// The slot, 5 bits.
    pub slot: u32,
    /// The function, 3 bits.
    pub function: u32,
    /// Whether the device is the first of several functions.
    pub multifunction: Option<bool>,
}

impl PciAddress {
    /// The address in domain 0.
    pub const fn new(bus: u32, slot: u32, function: u32) -> PciAddress {
        PciAddress {
            domain: 0,
            bus,
            slot,
            function,
            multifunction: None,
        }
    }
}

impl PciAddress {
    /// Reads the attributes of `<address>`.
    pub(crate) fn read(node: &mut Node<'_>) -> Result<PciAddress, XmlError> {
        let mut part = |name: &str, last: u32| match node.number_or_hex(name)? {
            Some(part) if part > last => Err(node.error(match name {
                "function" => format!("Invalid PCI address function={part:#x}, must be <= 7"),
                _ => format!("Invalid PCI address {name}='{part:#x}', must be <= {last:#X}"),
            })),
            part => Ok(part.unwrap_or(0)),
        };
        Ok(PciAddress {
            domain: part("domain", u32::MAX)?,
            bus: part("bus", 0xff)?,
            slot: part("slot", 0x1f)?,
            function: part("function", 7)?,
            multifunction: node.on_off("multifunction")?,
        })
    }

    /// Adds the attributes to `<address>`.
    pub(crate) fn write(&self, element: Element) -> Element {
        element
            .attr("domain", format!("{:#06x}", self.domain))
            .attr("bus", format!("{:#04x}", self.bus))
            .attr("slot", format!("{:#04x}", self.slot))
            .attr("function", format!("{:#x}", self.function))
            .maybe_attr("multifunction", self.multifunction.map(on_off))
    }
}
