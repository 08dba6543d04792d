//! Devices of other buses.

use xmltree::Element;

use super::{
    NodeDeviceDef,
    fields::{id, id_element, number},
};
use crate::{
    Uuid,
    words::words,
    xml::{Build, Node, XmlError},
};

/// A device of a USB bus.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UsbDevice {
    /// The number of the bus.
    pub bus: u32,
    /// The number of the device.
    pub device: u32,
    /// The ID of the product.
    pub product_id: u32,
    /// The name of the product.
    pub product: Option<String>,
    /// The ID of the vendor.
    pub vendor_id: u32,
    /// The name of the vendor.
    pub vendor: Option<String>,
    #[doc(hidden)]
    pub _more: (),
}

/// An interface of a USB device.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UsbInterface {
    /// The number of the interface.
    pub number: u32,
    /// The class.
    pub class: u32,
    /// The subclass.
    pub subclass: u32,
    /// The protocol.
    pub protocol: u32,
    /// A description.
    pub description: Option<String>,
    #[doc(hidden)]
    pub _more: (),
}

words! {
    /// The kind of a device of the direct rendering manager.
    pub enum DrmType {
        Primary = "primary",
        Control = "control",
        Render = "render",
    }
}

/// A device of the direct rendering manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Drm {
    /// The kind.
    pub kind: DrmType,
}

/// A mediated device.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mdev {
    /// The ID of the device's type.
    pub type_id: String,
    /// The UUID.
    pub uuid: Option<Uuid>,
    /// The number of the IOMMU group; 0 if it is not known.
    pub iommu_group: u32,
    /// Names and values of attributes.
    pub attributes: Vec<(String, String)>,
    #[doc(hidden)]
    pub _more: (),
}

impl UsbDevice {
    pub(super) fn read(node: &mut Node<'_>, def: &NodeDeviceDef) -> Result<UsbDevice, XmlError> {
        let mut usb = UsbDevice {
            bus: number(node, "bus", "USB bus number", def)?,
            device: number(node, "device", "USB device number", def)?,
            ..UsbDevice::default()
        };
        (usb.vendor_id, usb.vendor) = id(node, "vendor", "USB vendor ID", def)?;
        (usb.product_id, usb.product) = id(node, "product", "USB product ID", def)?;
        Ok(usb)
    }

    pub(super) fn write(&self, element: Element) -> Element {
        element
            .maybe_text("bus", Some(self.bus))
            .maybe_text("device", Some(self.device))
            .child(id_element(
                "product",
                self.product_id,
                self.product.as_ref(),
            ))
            .child(id_element("vendor", self.vendor_id, self.vendor.as_ref()))
    }
}

impl UsbInterface {
    pub(super) fn read(node: &mut Node<'_>, def: &NodeDeviceDef) -> Result<UsbInterface, XmlError> {
        Ok(UsbInterface {
            number: number(node, "number", "USB interface number", def)?,
            class: number(node, "class", "USB interface class", def)?,
            subclass: number(node, "subclass", "USB interface subclass", def)?,
            protocol: number(node, "protocol", "USB interface protocol", def)?,
            description: node.text_of("description"),
            _more: (),
        })
    }

    pub(super) fn write(&self, element: Element) -> Element {
        element
            .maybe_text("number", Some(self.number))
            .maybe_text("class", Some(self.class))
            .maybe_text("subclass", Some(self.subclass))
            .maybe_text("protocol", Some(self.protocol))
            .maybe_text("description", self.description.as_ref())
    }
}

impl Drm {
    /// A device of that kind.
    pub const fn new(kind: DrmType) -> Drm {
        Drm { kind }
    }

    pub(super) fn read(node: &mut Node<'_>, def: &NodeDeviceDef) -> Result<Drm, XmlError> {
        let text = node.text_of("type");
        // libvirt prints a missing text so.
        let word = text.as_deref().unwrap_or("(null)");
        match DrmType::from_word(word) {
            Some(kind) => Ok(Drm { kind }),
            None => Err(def.unsupported(node, &format!("unknown drm type '{word}'"))),
        }
    }
}

impl Mdev {
    pub(super) fn read(node: &mut Node<'_>, def: &NodeDeviceDef) -> Result<Mdev, XmlError> {
        let Some(type_id) = node.attr_of("type", "id") else {
            return Err(def.unsupported(node, "missing type id attribute"));
        };
        let mut mdev = Mdev {
            type_id,
            ..Mdev::default()
        };
        if let Some(text) = node.text_of("uuid") {
            let uuid = text.parse();
            let uuid = uuid.map_err(|_| {
                node.error(format!("Malformed UUID '{text}' in device '{}'", def.name))
            })?;
            mdev.uuid = Some(uuid);
        }
        if let Some(mut group) = node.child("iommuGroup") {
            mdev.iommu_group = group.number("number")?.unwrap_or(0);
        }
        for mut attribute in node.children("attr") {
            match (attribute.attr("name"), attribute.attr("value")) {
                (Some(name), Some(value)) => mdev.attributes.push((name, value)),
                _ => return Err(attribute.error("mdev attribute missing name or value")),
            }
        }
        Ok(mdev)
    }

    pub(super) fn write(&self, element: Element) -> Element {
        let attributes = self.attributes.iter();
        element
            .child(Element::new("type").attr("id", &self.type_id))
            .maybe_text("uuid", self.uuid)
            .child(Element::new("iommuGroup").attr("number", self.iommu_group))
            .children(
                attributes.map(|(name, value)| {
                    Element::new("attr").attr("name", name).attr("value", value)
                }),
            )
    }
}
