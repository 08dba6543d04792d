//! Controllers.

use xmltree::Element;

use super::{DeviceInfo, XmlFlags};
use crate::{
    words::words,
    xml::{Build, Node, XmlError},
};

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

impl Controller {
    /// An index of its own is not said of every controller.
    pub(super) fn read(mut node: Node<'_>) -> Result<(Controller, bool), XmlError> {
        let kind = node.word("type")?;
        let kind = kind.ok_or_else(|| node.missing("type"))?;
        let index: Option<u32> = node.number("index")?;
        let (chassis, port) = match node.child("target") {
            Some(mut target) => (target.number("chassis")?, target.number_or_hex("port")?),
            None => (None, None),
        };
        let master_start_port = match node.child("master") {
            Some(mut master) => master.number("startport")?,
            None => None,
        };
        let controller = Controller {
            kind,
            index: index.unwrap_or(0),
            model: node.attr("model"),
            ports: node.number("ports")?,
            vectors: node.number("vectors")?,
            pci_model: node.attr_of("model", "name"),
            chassis,
            port,
            master_start_port,
            info: DeviceInfo::read(&mut node)?,
        };
        Ok((controller, index.is_some()))
    }

    pub(super) fn to_element(&self, flags: XmlFlags) -> Element {
        let target = Element::new("target")
            .maybe_attr("chassis", self.chassis)
            .maybe_attr("port", self.port.map(|port| format!("{port:#x}")));
        let master = self
            .master_start_port
            .map(|port| Element::new("master").attr("startport", port));
        let mut controller = Element::new("controller")
            .attr("type", self.kind)
            .attr("index", self.index)
            .maybe_attr("model", self.model.as_ref())
            .maybe_attr("ports", self.ports)
            .maybe_attr("vectors", self.vectors);
        if let Some(model) = &self.pci_model {
            controller = controller.child(Element::new("model").attr("name", model));
        }
        if !target.attributes.is_empty() {
            controller = controller.child(target);
        }
        // libvirt has the companion's master before the address.
        let mut info = self.info.to_elements(flags);
        let address = match &self.info.address {
            Some(_) => info.pop(),
            None => None,
        };
        controller.children(info).children(master).children(address)
    }
}
