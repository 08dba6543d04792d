//! Controllers.

use super::DeviceInfo;
use crate::words::words;

words! {
    /// What a controller controls.
    #[derive(Default)]
    pub enum ControllerType {
        Ide = "ide",
        Fdc = "fdc",
        #[default]
        Scsi = "scsi",
        Sata = "sata",
        VirtioSerial = "virtio-serial",
        Ccid = "ccid",
        Usb = "usb",
        Pci = "pci",
        Xenbus = "xenbus",
        Isa = "isa",
        Nvme = "nvme",
    }
}

/// A controller.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Controller {
    /// What it controls.
    pub kind: ControllerType,
    /// The number among those of its kind.
    pub index: u32,
    /// The model: `lsilogic`, `vmpvscsi`, `auto`, `pcie-root`, `ich9-ehci1`, ….
    pub model: Option<String>,
    /// Ports, of USB and virtio-serial controllers.
    pub ports: Option<u32>,
    /// Vectors, of virtio-serial controllers.
    pub vectors: Option<u32>,
    /// The name of the device that is a PCI controller.
    pub pci_model: Option<String>,
    /// The chassis of a PCI controller.
    pub chassis: Option<u32>,
    /// The port of a PCI controller, a number of 8 bits.
    pub port: Option<u32>,
    /// The master's first port, of a companion USB controller.
    pub master_start_port: Option<u32>,
    /// Address, alias, boot order.
    pub info: DeviceInfo,
}

impl Controller {
    /// A controller without a model.
    pub fn new(kind: ControllerType, index: u32) -> Controller {
        Controller {
            kind,
            index,
            ..Controller::default()
        }
    }
}
