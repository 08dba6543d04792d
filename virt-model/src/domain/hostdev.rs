//! Devices of the host given to the guest.

use xmltree::Element;

use super::{DeviceInfo, PciAddress, XmlFlags, device::yes_no};
use crate::xml::Build;

/// A device of the host given to the guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hostdev {
    /// The device.
    pub source: HostdevSource,
    /// Whether libvirt takes it from the host and gives it back.
    pub managed: bool,
    /// Address, alias, boot order.
    pub info: DeviceInfo,
}

/// A device of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum HostdevSource {
    /// A PCI device.
    Pci(PciAddress),
    /// A USB device.
    Usb {
        /// The vendor's number.
        vendor: Option<u16>,
        /// The product's number.
        product: Option<u16>,
        /// The bus.
        bus: Option<u32>,
        /// The device on the bus.
        device: Option<u32>,
    },
}

impl Hostdev {
    pub(super) fn to_element(&self, flags: XmlFlags) -> Element {
        Element::new("hostdev")
            .attr("mode", "subsystem")
            .attr("type", self.source.kind())
            .attr("managed", yes_no(self.managed))
            .child(self.source.to_element())
            .children(self.info.to_elements(flags))
    }
}

impl HostdevSource {
    fn kind(&self) -> &'static str {
        match self {
            HostdevSource::Pci(_) => "pci",
            HostdevSource::Usb { .. } => "usb",
        }
    }

    fn to_element(&self) -> Element {
        let source = Element::new("source");
        match self {
            HostdevSource::Pci(pci) => source.child(pci.write(Element::new("address"))),
            HostdevSource::Usb {
                vendor,
                product,
                bus,
                device,
            } => {
                let id = |name, id: Option<u16>| {
                    id.map(|id| Element::new(name).attr("id", format!("{id:#06x}")))
                };
                let address = Element::new("address")
                    .maybe_attr("bus", *bus)
                    .maybe_attr("device", *device);
                let placed = !address.attributes.is_empty();
                source
                    .children(id("vendor", *vendor))
                    .children(id("product", *product))
                    .children(placed.then_some(address))
            }
        }
    }
}
