use xmltree::Element;

use super::NodeDeviceDef;
use crate::{
    Uuid,
    xml::{Build, Node, XmlError, broken},
};

/// The host itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SystemCapability {
    /// The name of the product.
    pub product: Option<String>,
    /// The machine.
    pub hardware: SystemHardware,
    /// The firmware.
    pub firmware: SystemFirmware,
    #[doc(hidden)]
    pub _more: (),
}

/// The machine of a host: `<hardware>`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SystemHardware {
    /// Who made it.
    pub vendor: Option<String>,
    /// The version.
    pub version: Option<String>,
    /// The serial number.
    pub serial: Option<String>,
    /// The UUID.
    pub uuid: Uuid,
    #[doc(hidden)]
    pub _more: (),
}

/// The firmware of a host: `<firmware>`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SystemFirmware {
    /// Who made it.
    pub vendor: Option<String>,
    /// The version.
    pub version: Option<String>,
    /// When it was released.
    pub release_date: Option<String>,
    #[doc(hidden)]
    pub _more: (),
}

impl SystemCapability {
    pub(super) fn read(
        node: &mut Node<'_>,
        def: &NodeDeviceDef,
    ) -> Result<SystemCapability, XmlError> {
        let mut system = SystemCapability {
            product: node.text_of("product"),
            ..SystemCapability::default()
        };
        let mut uuid = None;
        if let Some(mut hardware) = node.child("hardware") {
            system.hardware.vendor = hardware.text_of("vendor");
            system.hardware.version = hardware.text_of("version");
            system.hardware.serial = hardware.text_of("serial");
            uuid = hardware.text_of("uuid");
        }
        let Some(uuid) = uuid else {
            return Err(def.error(node, "no system UUID supplied"));
        };
        system.hardware.uuid = uuid
            .parse()
            .map_err(|_| def.error(node, "malformed uuid element"))?;
        if let Some(mut firmware) = node.child("firmware") {
            system.firmware.vendor = firmware.text_of("vendor");
            system.firmware.version = firmware.text_of("version");
            system.firmware.release_date = firmware.text_of("release_date");
        }
        Ok(system)
    }

    pub(super) fn write(&self, element: Element) -> Element {
        let (hardware, firmware) = (&self.hardware, &self.firmware);
        element
            .maybe_text("product", self.product.as_ref())
            .child(
                Element::new("hardware")
                    .maybe_text("vendor", hardware.vendor.as_ref())
                    .maybe_text("version", hardware.version.as_ref())
                    .maybe_text("serial", hardware.serial.as_ref())
                    .maybe_text("uuid", Some(hardware.uuid)),
            )
            .child(broken(
                Element::new("firmware")
                    .maybe_text("vendor", firmware.vendor.as_ref())
                    .maybe_text("version", firmware.version.as_ref())
                    .maybe_text("release_date", firmware.release_date.as_ref()),
            ))
    }
}
