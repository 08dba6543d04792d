//! Controllers.

use xmltree::Element;

use super::DeviceInfo;
use crate::{
    DomainXmlFlags,
    words::words,
    xml::{Build, Node, XmlError},
};

words! {
    /// The type of a controller.
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

impl ControllerType {
    /// libvirt's models of controllers of this type, in libvirt's order.
    pub const fn models(self) -> &'static [&'static str] {
        match self {
            ControllerType::Scsi => &[
                "auto",
                "buslogic",
                "lsilogic",
                "lsisas1068",
                "vmpvscsi",
                "ibmvscsi",
                "virtio-scsi",
                "lsisas1078",
                "virtio-transitional",
                "virtio-non-transitional",
                "ncr53c90",
                "dc390",
                "am53c974",
            ],
            ControllerType::Ide => &["piix3", "piix4", "ich6"],
            ControllerType::VirtioSerial => {
                &["virtio", "virtio-transitional", "virtio-non-transitional"]
            }
            ControllerType::Usb => &[
                "piix3-uhci",
                "piix4-uhci",
                "ehci",
                "ich9-ehci1",
                "ich9-uhci1",
                "ich9-uhci2",
                "ich9-uhci3",
                "vt82c686b-uhci",
                "pci-ohci",
                "nec-xhci",
                "qusb1",
                "qusb2",
                "qemu-xhci",
                "none",
            ],
            ControllerType::Pci => &[
                "pci-root",
                "pcie-root",
                "pci-bridge",
                "dmi-to-pci-bridge",
                "pcie-root-port",
                "pcie-switch-upstream-port",
                "pcie-switch-downstream-port",
                "pci-expander-bus",
                "pcie-expander-bus",
                "pcie-to-pci-bridge",
            ],
            _ => &[],
        }
    }
}

/// A controller.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Controller {
    /// The type.
    pub kind: ControllerType,
    /// The number among the controllers of its type.
    pub index: u32,
    /// The model: `lsilogic`, `vmpvscsi`, `auto`, `pcie-root`, `ich9-ehci1`, ….
    pub model: Option<String>,
    /// Number of ports, for USB and virtio-serial controllers.
    pub ports: Option<u32>,
    /// Number of vectors, for virtio-serial controllers.
    pub vectors: Option<u32>,
    /// The name of the device that implements a PCI controller.
    pub pci_model: Option<String>,
    /// The chassis number of a PCI controller.
    pub chassis: Option<u32>,
    /// The port number of a PCI controller, 8 bits.
    pub port: Option<u32>,
    /// The first port of the master, for a companion USB controller.
    pub master_start_port: Option<u32>,
    /// The address, the alias and the place in the boot order.
    pub info: DeviceInfo,
    #[doc(hidden)]
    pub _more: (),
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
    /// Reads a controller, and tells whether the document gives its index.
    pub(super) fn read(mut node: Node<'_>) -> Result<(Controller, bool), XmlError> {
        let kind = node.word("type")?.unwrap_or(ControllerType::Ide);
        let model = node.old_one_of("model", kind.models(), "Unknown model type")?;
        let index =
            match node.number::<i32>("index")? {
                Some(index) => Some(u32::try_from(index).map_err(|_| {
                    node.no_number("index", &index.to_string(), "non-negative value")
                })?),
                None => None,
            };
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
            model,
            ports: node.number("ports")?,
            vectors: node.number("vectors")?,
            pci_model: node.attr_of("model", "name"),
            chassis,
            port,
            master_start_port,
            info: DeviceInfo::read(&mut node)?,
            _more: (),
        };
        Ok((controller, index.is_some()))
    }

    pub(super) fn to_element(&self, flags: DomainXmlFlags) -> Element {
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
        // libvirt writes <master> before <address>.
        let mut info = self.info.to_elements(flags);
        let address = match &self.info.address {
            Some(_) => info.pop(),
            None => None,
        };
        controller.children(info).children(master).children(address)
    }
}
