//! What all devices have: an address on a bus, an alias, a place in the boot order.

use xmltree::Element;

use crate::{
    DomainXmlFlags, ErrorNumber,
    xml::{Build, Node, XmlError, on_off},
};

/// What all devices have.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeviceInfo {
    /// The place in the order of boot devices, from 1.
    pub boot_order: Option<u32>,
    /// The name of the device, `<alias name='…'/>`.
    pub alias: Option<String>,
    /// Where the device is.
    pub address: Option<Address>,
    #[doc(hidden)]
    pub _more: (),
}

impl DeviceInfo {
    /// A device at that place.
    pub fn at(address: Address) -> DeviceInfo {
        DeviceInfo {
            address: Some(address),
            ..DeviceInfo::default()
        }
    }
}

impl DeviceInfo {
    /// Takes `<boot>`, `<alias>` and `<address>`.
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

    /// `<boot>`, `<alias>` and `<address>`, those there are.
    ///
    /// Names that the hypervisor has chosen are not part of the inactive definition.
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

/// Where a device is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Address {
    /// On a bus of drives.
    Drive(DriveAddress),
    /// On a PCI bus.
    Pci(PciAddress),
    /// Of another kind: its `type` and its other attributes, in the order of the document.
    Other {
        /// `type`: `usb`, `isa`, `virtio-serial`, ….
        kind: String,
        /// Names and values.
        attributes: Vec<(String, String)>,
    },
}

impl Address {
    /// The word for its kind, `type` of `<address>`.
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

/// A place on a bus of drives: controller, bus, target, unit.
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

    /// The place of the SCSI disk of that number where a controller has so many units, the
    /// controller itself, which is unit 7, among them.
    pub const fn scsi(number: u32, units: u32) -> DriveAddress {
        let disks = if units > 1 { units - 1 } else { 1 };
        let unit = number % disks;
        let behind = if unit >= 7 { 1 } else { 0 };
        DriveAddress::new(number / disks, 0, unit + behind)
    }
}

/// A place on a PCI bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct PciAddress {
    /// The domain.
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
    /// Takes its attributes from `<address>`.
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

    /// Its attributes, as `<address>` has them.
    pub(crate) fn write(&self, element: Element) -> Element {
        element
            .attr("domain", format!("{:#06x}", self.domain))
            .attr("bus", format!("{:#04x}", self.bus))
            .attr("slot", format!("{:#04x}", self.slot))
            .attr("function", format!("{:#x}", self.function))
            .maybe_attr("multifunction", self.multifunction.map(on_off))
    }
}
