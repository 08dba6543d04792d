//! `<vcpu>`.

use xmltree::Element;

use crate::{
    CpuSet, ErrorNumber,
    words::words,
    xml::{Build, Node, XmlError, decimal},
};

words! {
    /// How the host's processors are assigned.
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
    /// Maximum number.
    pub max: u32,
    /// Number at the start. None: all.
    pub current: Option<u32>,
    /// How the host's processors are assigned.
    pub placement: Placement,
    /// The host's processors that the domain may use. None: all.
    pub cpuset: Option<CpuSet>,
    #[doc(hidden)]
    pub _more: (),
}

impl Vcpu {
    /// `count` processors, all of them online.
    pub fn new(max: u32) -> Vcpu {
        Vcpu {
            max,
            current: None,
            placement: Placement::Static,
            cpuset: None,
            _more: (),
        }
    }

    /// Number of processors at the start.
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
    pub(super) fn read(mut node: Node<'_>) -> Result<Vcpu, XmlError> {
        let max: Option<u32> = decimal(node.text());
        let max = max.ok_or_else(|| node.error("maximum vcpus count must be an integer"))?;
        let current: Option<u32> = node.number("current")?;
        if current.is_some_and(|current| current > max) {
            return Err(
                node.unsupported("maximum vCPU count must not be less than current vCPU count")
            );
        }
        let placement = node.word("placement")?.unwrap_or_default();
        let cpuset = match node.attr("cpuset") {
            // libvirt ignores the set with automatic placement.
            Some(text) if placement == Placement::Auto => text.parse().ok(),
            Some(text) => {
                let cpus = read_cpu_set(&node, &text)?;
                if cpus.is_empty() {
                    let message = format!("Invalid value of 'cpuset': {text}");
                    return Err(node.unsupported(message));
                }
                Some(cpus)
            }
            None => None,
        };
        Ok(Vcpu {
            max,
            current: current.filter(|&current| current != max),
            placement,
            cpuset,
            _more: (),
        })
    }

    pub(super) fn to_element(&self) -> Element {
        Element::new("vcpu")
            .attr("placement", self.placement)
            .maybe_attr("cpuset", self.cpuset.as_ref())
            .maybe_attr("current", self.current)
            .text(self.max)
    }
}

pub(super) fn read_cpu_set(node: &Node<'_>, text: &str) -> Result<CpuSet, XmlError> {
    text.parse().map_err(|_| {
        let message = format!("Failed to parse bitmap '{text}'");
        node.fail(ErrorNumber::InvalidArg, message)
    })
}
