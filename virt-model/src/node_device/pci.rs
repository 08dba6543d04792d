use xmltree::Element;

use super::{
    NodeDeviceDef,
    capability::within,
    fields::{hex, id, id_element, number},
};
use crate::{
    domain::PciAddress,
    words::words,
    xml::{Build, Node, XmlError},
};

/// A device of a PCI bus.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PciCapability {
    /// The class, subclass and programming interface, 24 bits.
    pub class: Option<u32>,
    /// The address.
    pub address: PciAddress,
    /// The ID of the product.
    pub product_id: u32,
    /// The name of the product.
    pub product: Option<String>,
    /// The ID of the vendor.
    pub vendor_id: u32,
    /// The name of the vendor.
    pub vendor: Option<String>,
    /// The device whose virtual function this one is.
    pub physical_function: Option<PciAddress>,
    /// The virtual functions that the device has or can have.
    pub virtual_functions: Option<VirtualFunctions>,
    /// Whether the device is a bridge.
    pub header: Option<PciHeader>,
    /// The types of mediated devices that the device can have.
    pub mdev_types: Vec<MdevType>,
    /// The devices that can only be passed through together.
    pub iommu_group: Option<IommuGroup>,
    /// The NUMA node that the device is at.
    pub numa_node: Option<i32>,
    /// The links of a device of PCI Express.
    pub express: Option<PciExpress>,
    #[doc(hidden)]
    pub _more: (),
}

/// The virtual functions of a device.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VirtualFunctions {
    /// How many it can have; 0 if it is not known.
    pub max_count: u32,
    /// Those it has.
    pub functions: Vec<PciAddress>,
}

words! {
    /// The kind of a bridge.
    pub enum PciHeader {
        PciBridge = "pci-bridge",
        CardbusBridge = "cardbus-bridge",
    }
}

/// A type of mediated devices.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MdevType {
    /// The ID.
    pub id: String,
    /// The name.
    pub name: Option<String>,
    /// The API of the devices.
    pub device_api: String,
    /// How many can still be made.
    pub available_instances: u32,
    #[doc(hidden)]
    pub _more: (),
}

/// The devices that can only be passed through together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IommuGroup {
    /// The number of the group.
    pub number: u32,
    /// The devices. A group without devices is not written.
    pub devices: Vec<PciAddress>,
}

/// The links of a device of PCI Express.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PciExpress {
    /// What the device is capable of.
    pub capability: Option<PciLink>,
    /// What it has now.
    pub status: Option<PciLink>,
}

/// A link of PCI Express.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PciLink {
    /// The number of the port.
    pub port: Option<u32>,
    /// The speed.
    pub speed: Option<PciLinkSpeed>,
    /// The number of lanes.
    pub width: u32,
}

words! {
    /// The speed of a link, in GT/s.
    pub enum PciLinkSpeed {
        Gen1 = "2.5",
        Gen2 = "5",
        Gen3 = "8",
        Gen4 = "16",
        Gen5 = "32",
        Gen6 = "64",
    }
}

impl PciCapability {
    pub(super) fn read(
        node: &mut Node<'_>,
        def: &NodeDeviceDef,
    ) -> Result<PciCapability, XmlError> {
        let mut pci = PciCapability::default();
        if let Some(text) = node.text_of("class") {
            let class = hex(&text).ok_or_else(|| def.error(node, "invalid PCI class supplied"))?;
            pci.class = Some(class);
        }
        pci.address.domain = number(node, "domain", "PCI domain ID", def)?;
        pci.address.bus = number(node, "bus", "PCI bus ID", def)?;
        pci.address.slot = number(node, "slot", "PCI slot ID", def)?;
        pci.address.function = number(node, "function", "PCI function ID", def)?;
        (pci.vendor_id, pci.vendor) = id(node, "vendor", "PCI vendor ID", def)?;
        (pci.product_id, pci.product) = id(node, "product", "PCI product ID", def)?;
        for capability in node.children("capability") {
            pci.read_within(capability)?;
        }
        if let Some(group) = node.child("iommuGroup") {
            pci.iommu_group = Some(IommuGroup::read(group)?);
        }
        if let Some(mut numa) = node.child("numa")
            && let Some(text) = numa.filled("node")
        {
            let node = text.parse();
            let node = node.map_err(|_| def.error(&numa, "invalid NUMA node ID supplied"))?;
            pci.numa_node = Some(node).filter(|node| *node >= 0);
        }
        if let Some(express) = node.child("pci-express") {
            pci.express = Some(PciExpress::read(express)?);
        }
        Ok(pci)
    }

    fn read_within(&mut self, mut node: Node<'_>) -> Result<(), XmlError> {
        let Some(kind) = node.attr("type") else {
            return Err(node.error("Missing capability type"));
        };
        match kind.as_str() {
            "phys_function" => {
                if let Some(mut address) = node.child("address") {
                    self.physical_function = Some(PciAddress::read(&mut address)?);
                }
            }
            "virt_functions" => {
                self.virtual_functions = Some(VirtualFunctions {
                    max_count: node.number("maxCount")?.unwrap_or(0),
                    functions: addresses(&mut node)?,
                });
            }
            "mdev_types" => {
                for kind in node.children("type") {
                    self.mdev_types.push(MdevType::read(kind)?);
                }
            }
            other => match PciHeader::from_word(other) {
                Some(header) => {
                    self.header.get_or_insert(header);
                }
                None => node.unmodelled(),
            },
        }
        Ok(())
    }

    pub(super) fn write(&self, element: Element) -> Element {
        let class = self.class.map(|class| format!("{class:#08x}"));
        let numa = self.numa_node;
        let group = self.iommu_group.as_ref();
        let mdev_types =
            within("mdev_types").children(self.mdev_types.iter().map(MdevType::to_element));
        element
            .maybe_text("class", class)
            .maybe_text("domain", Some(self.address.domain))
            .maybe_text("bus", Some(self.address.bus))
            .maybe_text("slot", Some(self.address.slot))
            .maybe_text("function", Some(self.address.function))
            .child(id_element(
                "product",
                self.product_id,
                self.product.as_ref(),
            ))
            .child(id_element("vendor", self.vendor_id, self.vendor.as_ref()))
            .children(
                self.physical_function
                    .iter()
                    .map(|address| within("phys_function").child(to_address(address))),
            )
            .children(self.virtual_functions.iter().map(|functions| {
                let max = Some(functions.max_count).filter(|max| *max > 0);
                within("virt_functions")
                    .maybe_attr("maxCount", max)
                    .children(functions.functions.iter().map(to_address))
            }))
            .children(self.header.map(|header| within(header.as_str())))
            .children((!self.mdev_types.is_empty()).then_some(mdev_types))
            .children(group.and_then(IommuGroup::to_element))
            .children(numa.map(|node| Element::new("numa").attr("node", node)))
            .children(self.express.as_ref().map(PciExpress::to_element))
    }
}

impl MdevType {
    fn read(mut node: Node<'_>) -> Result<MdevType, XmlError> {
        let Some(id) = node.attr("id") else {
            return Err(node.error("missing 'id' attribute for mediated device's <type> element"));
        };
        let name = node.text_of("name");
        let Some(device_api) = node.text_of("deviceAPI") else {
            return Err(node.error(format!(
                "missing device API for mediated device type '{id}'"
            )));
        };
        let instances = node.text_of("availableInstances");
        let Some(available_instances) = instances.and_then(|text| text.parse().ok()) else {
            return Err(node.error(format!(
                "invalid number of available instances for mediated device type '{id}'"
            )));
        };
        Ok(MdevType {
            id,
            name,
            device_api,
            available_instances,
            _more: (),
        })
    }

    fn to_element(&self) -> Element {
        Element::new("type")
            .attr("id", &self.id)
            .maybe_text("name", self.name.as_ref())
            .maybe_text("deviceAPI", Some(&self.device_api))
            .maybe_text("availableInstances", Some(self.available_instances))
    }
}

impl IommuGroup {
    fn read(mut node: Node<'_>) -> Result<IommuGroup, XmlError> {
        let Some(number) = node.number("number")? else {
            return Err(node.missing("number"));
        };
        Ok(IommuGroup {
            number,
            devices: addresses(&mut node)?,
        })
    }

    fn to_element(&self) -> Option<Element> {
        (!self.devices.is_empty()).then(|| {
            Element::new("iommuGroup")
                .attr("number", self.number)
                .children(self.devices.iter().map(to_address))
        })
    }
}

impl PciExpress {
    fn read(mut node: Node<'_>) -> Result<PciExpress, XmlError> {
        let mut express = PciExpress::default();
        for mut link in node.children("link") {
            match link.attr("validity").as_deref() {
                Some("cap") => express.capability = Some(PciLink::read(&mut link)?),
                Some("sta") => express.status = Some(PciLink::read(&mut link)?),
                _ => link.unmodelled(),
            }
        }
        Ok(express)
    }

    fn to_element(&self) -> Element {
        let link = |validity, link: Option<PciLink>, has_port: bool| {
            let link = link?;
            Some(
                Element::new("link")
                    .attr("validity", validity)
                    .maybe_attr("port", link.port.filter(|_| has_port))
                    .maybe_attr("speed", link.speed)
                    .attr("width", link.width),
            )
        };
        Element::new("pci-express")
            .children(link("cap", self.capability, true))
            .children(link("sta", self.status, false))
    }
}

impl PciLink {
    fn read(node: &mut Node<'_>) -> Result<PciLink, XmlError> {
        let port = node.number("port")?;
        let speed = node.word("speed")?;
        match node.number("width")? {
            Some(width) => Ok(PciLink { port, speed, width }),
            None => Err(node.missing("width")),
        }
    }
}

fn addresses(node: &mut Node<'_>) -> Result<Vec<PciAddress>, XmlError> {
    let addresses = node.children("address").into_iter();
    addresses
        .map(|mut node| PciAddress::read(&mut node))
        .collect()
}

fn to_address(address: &PciAddress) -> Element {
    address.write(Element::new("address"))
}
