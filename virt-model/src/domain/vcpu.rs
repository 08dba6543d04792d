//! `<vcpu>`.

use xmltree::Element;

use crate::{CpuSet, words::words, xml::Build};

words! {
    /// How the host's processors are chosen.
    #[derive(Default)]
    pub enum Placement {
        #[default]
        Static = "static",
        Auto = "auto",
    }
}

/// How many processors a domain has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vcpu {
    /// The most it can have.
    pub max: u32,
    /// Those it has at its start. None: all.
    pub current: Option<u32>,
    /// How the host's processors are chosen.
    pub placement: Placement,
    /// The host's processors it may run on. None: any.
    pub cpuset: Option<CpuSet>,
}

impl Vcpu {
    /// So many processors, all of them at work.
    pub fn new(max: u32) -> Vcpu {
        Vcpu {
            max,
            current: None,
            placement: Placement::Static,
            cpuset: None,
        }
    }

    /// The processors it has at its start.
    pub fn current(&self) -> u32 {
        self.current.unwrap_or(self.max)
    }
}

impl Default for Vcpu {
    /// One processor.
    fn default() -> Vcpu {
        Vcpu::new(1)
    }
}

impl Vcpu {
    pub(super) fn to_element(&self) -> Element {
        Element::new("vcpu")
            .attr("placement", self.placement)
            .maybe_attr("cpuset", self.cpuset.as_ref())
            .maybe_attr("current", self.current)
            .text(self.max)
    }
}
