//! Devices of the host given to the guest.

use super::{DeviceInfo, PciAddress};

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
