use xmltree::Element;

use super::{
    Drm, Mdev, NetCapability, NodeDeviceDef, PciCapability, ScsiHost, ScsiTarget, ScsiUnit,
    StorageCapability, SystemCapability, UsbDevice, UsbInterface,
};
use crate::{
    flags::NodeDeviceFilter,
    words::words,
    xml::{Build, Node, XmlError},
};

words! {
    /// The type of a capability (libvirt's `virNodeDevCapType`).
    pub enum NodeDeviceCapabilityType {
        System = "system",
        Pci = "pci",
        UsbDevice = "usb_device",
        Usb = "usb",
        Net = "net",
        ScsiHost = "scsi_host",
        ScsiTarget = "scsi_target",
        Scsi = "scsi",
        Storage = "storage",
        FcHost = "fc_host",
        Vports = "vports",
        ScsiGeneric = "scsi_generic",
        Drm = "drm",
        MdevTypes = "mdev_types",
        Mdev = "mdev",
        Ccw = "ccw",
        Css = "css",
        Vdpa = "vdpa",
        ApCard = "ap_card",
        ApQueue = "ap_queue",
        ApMatrix = "ap_matrix",
        Vpd = "vpd",
    }
}

impl NodeDeviceCapabilityType {
    /// The flag of lists that admits devices of this type.
    pub const fn filter(self) -> NodeDeviceFilter {
        // The flags are in the order of the types.
        NodeDeviceFilter::from_bits(1 << self as u32)
    }
}

/// What a device is: `<capability>`.
///
/// Capabilities of the types that only other hosts have (CCW, channel subsystems, vDPA, adjunct
/// processors) are reported as not modelled.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum NodeDeviceCapability {
    /// The host itself.
    System(SystemCapability),
    /// A device of a PCI bus.
    Pci(Box<PciCapability>),
    /// A device of a USB bus.
    UsbDevice(UsbDevice),
    /// An interface of a USB device.
    Usb(UsbInterface),
    /// A network device.
    Net(NetCapability),
    /// An adapter of SCSI.
    ScsiHost(ScsiHost),
    /// A target of SCSI.
    ScsiTarget(ScsiTarget),
    /// A unit of a target of SCSI.
    Scsi(ScsiUnit),
    /// A disk or drive.
    Storage(StorageCapability),
    /// A generic device of SCSI, by its node.
    ScsiGeneric {
        /// The path of the node.
        char_device: String,
    },
    /// A device of the direct rendering manager.
    Drm(Drm),
    /// A mediated device.
    Mdev(Mdev),
}

impl NodeDeviceCapability {
    /// The type.
    pub const fn capability_type(&self) -> NodeDeviceCapabilityType {
        use NodeDeviceCapabilityType as Type;
        match self {
            NodeDeviceCapability::System(_) => Type::System,
            NodeDeviceCapability::Pci(_) => Type::Pci,
            NodeDeviceCapability::UsbDevice(_) => Type::UsbDevice,
            NodeDeviceCapability::Usb(_) => Type::Usb,
            NodeDeviceCapability::Net(_) => Type::Net,
            NodeDeviceCapability::ScsiHost(_) => Type::ScsiHost,
            NodeDeviceCapability::ScsiTarget(_) => Type::ScsiTarget,
            NodeDeviceCapability::Scsi(_) => Type::Scsi,
            NodeDeviceCapability::Storage(_) => Type::Storage,
            NodeDeviceCapability::ScsiGeneric { .. } => Type::ScsiGeneric,
            NodeDeviceCapability::Drm(_) => Type::Drm,
            NodeDeviceCapability::Mdev(_) => Type::Mdev,
        }
    }

    /// The type, and the types of the capabilities within it that count as capabilities of the device.
    pub(super) fn types(&self) -> Vec<NodeDeviceCapabilityType> {
        use NodeDeviceCapabilityType as Type;
        let mut types = vec![self.capability_type()];
        match self {
            NodeDeviceCapability::ScsiHost(host) => {
                types.extend(host.fc_host.is_some().then_some(Type::FcHost));
                types.extend(host.vport_ops.is_some().then_some(Type::Vports));
            }
            NodeDeviceCapability::Pci(pci) => {
                types.extend((!pci.mdev_types.is_empty()).then_some(Type::MdevTypes));
            }
            _ => {}
        }
        types
    }

    /// None for a type that is not modelled.
    pub(super) fn read(
        mut node: Node<'_>,
        def: &NodeDeviceDef,
    ) -> Result<Option<NodeDeviceCapability>, XmlError> {
        use NodeDeviceCapabilityType as Type;
        let Some(kind) = node.word::<Type>("type")? else {
            return Err(node.missing("type"));
        };
        Ok(Some(match kind {
            Type::System => NodeDeviceCapability::System(SystemCapability::read(&mut node, def)?),
            Type::Pci => NodeDeviceCapability::Pci(Box::new(PciCapability::read(&mut node, def)?)),
            Type::UsbDevice => NodeDeviceCapability::UsbDevice(UsbDevice::read(&mut node, def)?),
            Type::Usb => NodeDeviceCapability::Usb(UsbInterface::read(&mut node, def)?),
            Type::Net => NodeDeviceCapability::Net(NetCapability::read(&mut node, def)?),
            Type::ScsiHost => NodeDeviceCapability::ScsiHost(ScsiHost::read(&mut node, def)?),
            Type::ScsiTarget => NodeDeviceCapability::ScsiTarget(ScsiTarget::read(&mut node, def)?),
            Type::Scsi => NodeDeviceCapability::Scsi(ScsiUnit::read(&mut node, def)?),
            Type::Storage => {
                NodeDeviceCapability::Storage(StorageCapability::read(&mut node, def)?)
            }
            // libvirt writes these and does not read them.
            Type::ScsiGeneric => match node.text_of("char") {
                Some(char_device) => NodeDeviceCapability::ScsiGeneric { char_device },
                None => return Err(def.error(&node, "unknown capability type '11'")),
            },
            Type::Drm => NodeDeviceCapability::Drm(Drm::read(&mut node, def)?),
            Type::Mdev => NodeDeviceCapability::Mdev(Mdev::read(&mut node, def)?),
            Type::FcHost | Type::Vports | Type::MdevTypes | Type::Vpd => {
                let message = format!("unknown capability type '{}'", kind as u32);
                return Err(def.error(&node, &message));
            }
            Type::Ccw | Type::Css | Type::Vdpa | Type::ApCard | Type::ApQueue | Type::ApMatrix => {
                node.unmodelled();
                return Ok(None);
            }
        }))
    }

    pub(super) fn to_element(&self) -> Element {
        let element = Element::new("capability").attr("type", self.capability_type());
        match self {
            NodeDeviceCapability::System(system) => system.write(element),
            NodeDeviceCapability::Pci(pci) => pci.write(element),
            NodeDeviceCapability::UsbDevice(usb) => usb.write(element),
            NodeDeviceCapability::Usb(usb) => usb.write(element),
            NodeDeviceCapability::Net(net) => net.write(element),
            NodeDeviceCapability::ScsiHost(host) => host.write(element),
            NodeDeviceCapability::ScsiTarget(target) => target.write(element),
            NodeDeviceCapability::Scsi(unit) => unit.write(element),
            NodeDeviceCapability::Storage(storage) => storage.write(element),
            NodeDeviceCapability::ScsiGeneric { char_device } => {
                element.maybe_text("char", Some(char_device))
            }
            NodeDeviceCapability::Drm(drm) => element.maybe_text("type", Some(drm.kind)),
            NodeDeviceCapability::Mdev(mdev) => mdev.write(element),
        }
    }
}

/// A capability within another: `<capability type='…'/>`.
pub(super) fn within(kind: &str) -> Element {
    Element::new("capability").attr("type", kind)
}
