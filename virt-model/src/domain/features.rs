//! `<features>` of the hypervisor and the machine.

use xmltree::Element;

use crate::xml::{Build, Node, XmlError, on_off};

/// Features of the hypervisor and the machine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Features {
    /// `<acpi/>`.
    pub acpi: bool,
    /// `<apic/>`.
    pub apic: bool,
    /// `eoi` of `<apic>`.
    pub apic_eoi: Option<bool>,
    /// `<pae/>`.
    pub pae: bool,
    /// `<viridian/>`.
    pub viridian: bool,
    /// `<hap/>` and its `state`.
    pub hap: Option<bool>,
    /// `<privnet/>`.
    pub privnet: bool,
    /// `<pmu/>` and its `state`.
    pub pmu: Option<bool>,
    /// `<vmport/>` and its `state`.
    pub vmport: Option<bool>,
    /// `<smm/>` and its `state`.
    pub smm: Option<bool>,
    #[doc(hidden)]
    pub _more: (),
}

/// All features that libvirt 9.0 knows. Not all of them are modelled.
const KNOWN: [&str; 27] = [
    "acpi",
    "apic",
    "pae",
    "hap",
    "viridian",
    "privnet",
    "pmu",
    "vmport",
    "smm",
    "hyperv",
    "kvm",
    "pvspinlock",
    "capabilities",
    "gic",
    "ioapic",
    "hpt",
    "vmcoreinfo",
    "htm",
    "nested-hv",
    "msrs",
    "ccf-assist",
    "xen",
    "cfpc",
    "sbbc",
    "ibs",
    "tcg",
    "async-teardown",
];

impl Features {
    pub(super) fn read(mut node: Node<'_>) -> Result<Features, XmlError> {
        if let Some(name) = node.child_names().find(|name| !KNOWN.contains(name)) {
            return Err(node.unsupported(format!("unexpected feature '{name}'")));
        }
        // libvirt reads a feature without `state` as on.
        let switch = |node: Option<Node<'_>>| match node {
            Some(mut node) => Ok(Some(node.on_off("state")?.unwrap_or(true))),
            None => Ok(None),
        };
        let mut features = Features {
            acpi: node.has("acpi"),
            pae: node.has("pae"),
            viridian: node.has("viridian"),
            hap: switch(node.child("hap"))?,
            privnet: node.has("privnet"),
            pmu: switch(node.child("pmu"))?,
            vmport: switch(node.child("vmport"))?,
            smm: switch(node.child("smm"))?,
            ..Features::default()
        };
        if let Some(mut apic) = node.child("apic") {
            features.apic = true;
            features.apic_eoi = apic.on_off("eoi")?;
        }
        Ok(features)
    }

    /// Makes `<features>`, if there are any.
    pub(super) fn to_element(&self) -> Option<Element> {
        let plain = |name, on: bool| on.then(|| Element::new(name));
        let switch = |name, state: Option<bool>| {
            state.map(|state| Element::new(name).attr("state", on_off(state)))
        };
        let apic = (self.apic || self.apic_eoi.is_some())
            .then(|| Element::new("apic").maybe_attr("eoi", self.apic_eoi.map(on_off)));
        let features = Element::new("features")
            .children(plain("acpi", self.acpi))
            .children(apic)
            .children(plain("pae", self.pae))
            .children(switch("hap", self.hap))
            .children(plain("viridian", self.viridian))
            .children(plain("privnet", self.privnet))
            .children(switch("pmu", self.pmu))
            .children(switch("vmport", self.vmport))
            .children(switch("smm", self.smm));
        (!features.children.is_empty()).then_some(features)
    }
}
