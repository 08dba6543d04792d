//! Mice, keyboards, tablets.

use xmltree::Element;

use super::DeviceInfo;
use crate::{
    DomainXmlFlags, ErrorNumber,
    words::words,
    xml::{Build, Node, XmlError},
};

words! {
    /// The type of an input device.
    #[derive(Default)]
    pub enum InputType {
        #[default]
        Mouse = "mouse",
        Tablet = "tablet",
        Keyboard = "keyboard",
        Passthrough = "passthrough",
        Evdev = "evdev",
    }
}

words! {
    /// The bus of an input device.
    pub enum InputBus {
        Ps2 = "ps2",
        Usb = "usb",
        Xen = "xen",
        Parallels = "parallels",
        Virtio = "virtio",
        None = "none",
    }
}

/// A mouse, keyboard or tablet.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Input {
    /// The type.
    pub kind: InputType,
    /// The bus.
    pub bus: Option<InputBus>,
    /// The model.
    pub model: Option<String>,
    /// The address and the alias.
    pub info: DeviceInfo,
    #[doc(hidden)]
    pub _more: (),
}

impl Input {
    pub(super) fn read(mut node: Node<'_>) -> Result<Input, XmlError> {
        let kind = node.old_word("type", "unknown input device type")?;
        Ok(Input {
            kind: kind.ok_or_else(|| {
                node.fail(ErrorNumber::InternalError, "missing input device type")
            })?,
            bus: node.old_word("bus", "unknown input bus type")?,
            model: node.attr("model"),
            info: DeviceInfo::read(&mut node)?,
            _more: (),
        })
    }

    pub(super) fn to_element(&self, flags: DomainXmlFlags) -> Element {
        Element::new("input")
            .attr("type", self.kind)
            .maybe_attr("bus", self.bus)
            .maybe_attr("model", self.model.as_ref())
            .children(self.info.to_elements(flags))
    }
}
