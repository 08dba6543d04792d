//! Sound cards.

use xmltree::Element;

use super::DeviceInfo;
use crate::{
    DomainXmlFlags,
    xml::{Build, Node, XmlError},
};

/// A sound card.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sound {
    /// The model: `es1370`, `ich9`, `sb16`, ….
    pub model: String,
    /// The address and the alias.
    pub info: DeviceInfo,
    #[doc(hidden)]
    pub _more: (),
}

const MODELS: [&str; 9] = [
    "sb16", "es1370", "pcspk", "ac97", "ich6", "ich9", "usb", "ich7", "virtio",
];

impl Sound {
    pub(super) fn read(mut node: Node<'_>) -> Result<Sound, XmlError> {
        Ok(Sound {
            model: node
                .one_of("model", &MODELS)?
                .ok_or_else(|| node.missing("model"))?,
            info: DeviceInfo::read(&mut node)?,
            _more: (),
        })
    }

    pub(super) fn to_element(&self, flags: DomainXmlFlags) -> Element {
        Element::new("sound")
            .attr("model", &self.model)
            .children(self.info.to_elements(flags))
    }
}
