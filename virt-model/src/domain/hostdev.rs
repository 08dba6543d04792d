//! Devices of the host that are passed through to the guest.

use xmltree::Element;

use super::{DeviceInfo, PciAddress};
use crate::{
    DomainXmlFlags,
    xml::{Build, Node, XmlError, yes_no},
};

/// A device of the host that is passed through to the guest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hostdev {
    /// The device.
    pub source: HostdevSource,
    /// Whether libvirt detaches the device from the host's driver and attaches it again.
    pub managed: bool,
    /// The address, the alias and the place in the boot order.
    pub info: DeviceInfo,
    #[doc(hidden)]
    pub _more: (),
}

/// A device of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum HostdevSource {
    /// A PCI device.
    Pci(PciAddress),
    /// A USB device.
    Usb {
        /// The vendor ID.
        vendor: Option<u16>,
        /// The product ID.
        product: Option<u16>,
        /// The number of the bus.
        bus: Option<u32>,
        /// The number of the device on the bus.
        device: Option<u32>,
    },
}

impl Default for HostdevSource {
    fn default() -> HostdevSource {
        HostdevSource::Pci(PciAddress::default())
    }
}

const MODES: [&str; 2] = ["subsystem", "capabilities"];

impl Hostdev {
    /// None for a type that is not modelled.
    pub(super) fn read(mut node: Node<'_>) -> Result<Option<Hostdev>, XmlError> {
        let mode = node.old_one_of("mode", &MODES, "unknown hostdev mode")?;
        let Some(kind) = node.attr("type") else {
            return Err(node.error("missing source address type"));
        };
        let known: &[&str] = match mode.as_deref() {
            Some("capabilities") => &["storage", "misc", "net"],
            _ => &["usb", "pci", "scsi", "scsi_host", "mdev"],
        };
        if !known.contains(&kind.as_str()) {
            return Err(
                node.unsupported(format!("unknown host device source address type '{kind}'"))
            );
        }
        let modelled = mode.as_deref().is_none_or(|mode| mode == "subsystem")
            && matches!(kind.as_str(), "pci" | "usb");
        if !modelled {
            node.unmodelled();
            return Ok(None);
        }
        let Some(mut source) = node.child("source") else {
            return Err(node.error("Missing <source> element in hostdev device"));
        };
        Ok(Some(Hostdev {
            source: match kind.as_str() {
                "pci" => HostdevSource::read_pci(&mut source)?,
                _ => HostdevSource::read_usb(&mut source)?,
            },
            managed: node.attr("managed").is_some_and(|word| word == "yes"),
            info: DeviceInfo::read(&mut node)?,
            _more: (),
        }))
    }

    pub(super) fn to_element(&self, flags: DomainXmlFlags) -> Element {
        Element::new("hostdev")
            .attr("mode", "subsystem")
            .attr("type", self.source.kind())
            .attr("managed", yes_no(self.managed))
            .child(self.source.to_element())
            .children(self.info.to_elements(flags))
    }
}

impl HostdevSource {
    fn read_pci(source: &mut Node<'_>) -> Result<HostdevSource, XmlError> {
        match source.child("address") {
            Some(mut address) => Ok(HostdevSource::Pci(PciAddress::read(&mut address)?)),
            None => Err(source.error("Missing required element 'address' in element 'source'")),
        }
    }

    fn read_usb(source: &mut Node<'_>) -> Result<HostdevSource, XmlError> {
        let id = |node: Option<Node<'_>>| match node {
            Some(mut node) => node.number_or_hex("id"),
            None => Ok(None),
        };
        let (bus, device) = match source.child("address") {
            Some(mut address) => (address.number("bus")?, address.number("device")?),
            None => (None, None),
        };
        Ok(HostdevSource::Usb {
            vendor: id(source.child("vendor"))?,
            product: id(source.child("product"))?,
            bus,
            device,
        })
    }

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
