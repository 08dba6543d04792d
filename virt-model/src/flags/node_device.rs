use super::flags;

flags! {
    /// Which devices of a host a list has (`virConnectListAllNodeDeviceFlags`).
    ///
    /// The groups restrict the list as those of [`DomainFilter`](super::DomainFilter) do.
    pub struct NodeDeviceFilter {
        /// The host itself.
        CAP_SYSTEM = 0,
        /// Is a device of a PCI bus.
        CAP_PCI_DEV = 1,
        /// Is a device of a USB bus.
        CAP_USB_DEV = 2,
        /// Is an interface of a USB device.
        CAP_USB_INTERFACE = 3,
        /// Is a network device.
        CAP_NET = 4,
        /// Is an adapter of SCSI.
        CAP_SCSI_HOST = 5,
        /// Is a target of SCSI.
        CAP_SCSI_TARGET = 6,
        /// Is a unit of a target of SCSI.
        CAP_SCSI = 7,
        /// Is a disk or drive.
        CAP_STORAGE = 8,
        /// Is an adapter of Fibre Channel.
        CAP_FC_HOST = 9,
        /// Can have virtual ports.
        CAP_VPORTS = 10,
        /// Is a generic device of SCSI.
        CAP_SCSI_GENERIC = 11,
        /// Is a device of the direct rendering manager.
        CAP_DRM = 12,
        /// Can have mediated devices.
        CAP_MDEV_TYPES = 13,
        /// Is a mediated device.
        CAP_MDEV = 14,
        /// Is a CCW device.
        CAP_CCW_DEV = 15,
        /// Is a device of a channel subsystem.
        CAP_CSS_DEV = 16,
        /// Is a device of the virtio data path accelerator.
        CAP_VDPA = 17,
        /// Is an adjunct processor card.
        CAP_AP_CARD = 18,
        /// Is a queue of adjunct processors.
        CAP_AP_QUEUE = 19,
        /// Is a matrix of adjunct processors.
        CAP_AP_MATRIX = 20,
        /// Has vital product data.
        CAP_VPD = 21,
        /// Is not active.
        INACTIVE = 30,
        /// Is active.
        ACTIVE = 31,
    }
    groups {
        /// By what devices are.
        FILTERS_CAP = CAP_SYSTEM | CAP_PCI_DEV | CAP_USB_DEV | CAP_USB_INTERFACE | CAP_NET
            | CAP_SCSI_HOST | CAP_SCSI_TARGET | CAP_SCSI | CAP_STORAGE | CAP_FC_HOST | CAP_VPORTS
            | CAP_SCSI_GENERIC | CAP_DRM | CAP_MDEV_TYPES | CAP_MDEV | CAP_CCW_DEV | CAP_CSS_DEV
            | CAP_VDPA | CAP_AP_CARD | CAP_AP_QUEUE | CAP_AP_MATRIX | CAP_VPD,
        /// Active or not.
        FILTERS_ACTIVE = INACTIVE | ACTIVE,
    }

    /// Flags of making a device of a host (`virNodeDeviceCreateXMLFlags`).
    pub struct NodeDeviceCreateFlags {
        /// Refuse a document with elements or attributes that are not known.
        VALIDATE = 0,
    }

    /// Flags of defining a device of a host (`virNodeDeviceDefineXMLFlags`).
    pub struct NodeDeviceDefineFlags {
        /// Refuse a document with elements or attributes that are not known.
        VALIDATE = 0,
    }
}
