//! The memory balloon.

use xmltree::Element;

use super::DeviceInfo;
use crate::{
    DomainXmlFlags,
    xml::{Build, Node, XmlError, on_off},
};

/// The memory balloon, with which the host reclaims memory from the guest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Memballoon {
    /// The model: `virtio`, `xen`, `none`, ….
    pub model: String,
    /// Whether the balloon shrinks when the guest is out of memory.
    pub autodeflate: Option<bool>,
    /// The interval of statistics, in seconds.
    pub stats_period: Option<u32>,
    /// The address and the alias.
    pub info: DeviceInfo,
    #[doc(hidden)]
    pub _more: (),
}

const MODELS: [&str; 5] = [
    "virtio",
    "xen",
    "none",
    "virtio-transitional",
    "virtio-non-transitional",
];

impl Memballoon {
    pub(super) fn read(mut node: Node<'_>) -> Result<Memballoon, XmlError> {
        let stats_period = match node.child("stats") {
            // libvirt reads a negative period as none.
            Some(mut stats) => stats
                .number_or_hex::<i32>("period")?
                .and_then(|period| u32::try_from(period).ok()),
            None => None,
        };
        Ok(Memballoon {
            model: node
                .one_of("model", &MODELS)?
                .ok_or_else(|| node.missing("model"))?,
            autodeflate: node.on_off("autodeflate")?,
            stats_period,
            info: DeviceInfo::read(&mut node)?,
            _more: (),
        })
    }

    pub(super) fn to_element(&self, flags: DomainXmlFlags) -> Element {
        let period = self.stats_period;
        Element::new("memballoon")
            .attr("model", &self.model)
            .maybe_attr("autodeflate", self.autodeflate.map(on_off))
            .children(period.map(|period| Element::new("stats").attr("period", period)))
            .children(self.info.to_elements(flags))
    }
}
