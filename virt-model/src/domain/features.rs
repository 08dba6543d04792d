//! `<features>` of the machine.

/// Features of the machine.
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
}
