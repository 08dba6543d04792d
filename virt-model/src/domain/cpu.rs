//! `<cpu>`: model, topology and NUMA cells.

use std::collections::BTreeSet;

use xmltree::Element;

use super::{memory::read_kib, vcpu::read_cpu_set};
use crate::{
    CpuSet,
    words::words,
    xml::{Build, Node, XmlError, on_off},
};

words! {
    /// How the model of the processors is chosen.
    #[derive(Default)]
    pub enum CpuMode {
        #[default]
        Custom = "custom",
        HostModel = "host-model",
        HostPassthrough = "host-passthrough",
        Maximum = "maximum",
    }
}

words! {
    /// How closely the guest's processors must match the model.
    pub enum CpuMatch {
        Minimum = "minimum",
        Exact = "exact",
        Strict = "strict",
    }
}

/// The model and topology of the processors.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cpu {
    /// How the model is chosen.
    pub mode: CpuMode,
    /// How closely the guest's processors must match the model.
    pub match_policy: Option<CpuMatch>,
    /// How the hypervisor checks the processors: `none`, `partial`, `full`.
    pub check: Option<String>,
    /// Whether a domain with these processors can be migrated.
    pub migratable: Option<bool>,
    /// The model.
    pub model: Option<CpuModel>,
    /// The vendor.
    pub vendor: Option<String>,
    /// Sockets, cores, threads.
    pub topology: Option<CpuTopology>,
    /// Features besides those of the model.
    pub features: Vec<CpuFeature>,
    /// NUMA cells of the guest.
    pub numa: Vec<NumaCell>,
    #[doc(hidden)]
    pub _more: (),
}

/// A model of processors.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CpuModel {
    /// The name.
    pub name: String,
    /// Whether a lesser model may be used: `allow` or `forbid`.
    pub fallback: Option<String>,
    #[doc(hidden)]
    pub _more: (),
}

/// Sockets, cores and threads. Their product is the number of processors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CpuTopology {
    /// Number of sockets.
    pub sockets: u32,
    /// Number of dies per socket. None counts as 1; documents of older libvirts have no dies.
    pub dies: Option<u32>,
    /// Number of clusters per die. None counts as 1; documents of older libvirts have no clusters.
    pub clusters: Option<u32>,
    /// Number of cores per cluster.
    pub cores: u32,
    /// Number of threads per core.
    pub threads: u32,
    #[doc(hidden)]
    pub _more: (),
}

impl Default for CpuTopology {
    /// One socket with one core and one thread.
    fn default() -> CpuTopology {
        CpuTopology {
            sockets: 1,
            dies: Some(1),
            clusters: Some(1),
            cores: 1,
            threads: 1,
            _more: (),
        }
    }
}

/// A feature besides those of a model.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CpuFeature {
    /// `force`, `require`, `optional`, `disable`, `forbid`.
    pub policy: Option<String>,
    /// The name.
    pub name: String,
    #[doc(hidden)]
    pub _more: (),
}

/// A NUMA cell of the guest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NumaCell {
    /// The number.
    pub id: u32,
    /// The guest's processors in the cell.
    pub cpus: Option<CpuSet>,
    /// The memory of the cell, in KiB.
    pub memory: u64,
    #[doc(hidden)]
    pub _more: (),
}

const POLICIES: [&str; 5] = ["force", "require", "optional", "disable", "forbid"];

impl Cpu {
    pub(super) fn read(mut node: Node<'_>) -> Result<Cpu, XmlError> {
        let mut cpu = Cpu {
            mode: node
                .old_word("mode", "Invalid mode attribute")?
                .unwrap_or_default(),
            match_policy: node.word("match")?,
            check: node.one_of("check", &["none", "partial", "full"])?,
            migratable: node.on_off("migratable")?,
            vendor: node.text_of("vendor"),
            ..Cpu::default()
        };
        if cpu.migratable.is_some()
            && !matches!(cpu.mode, CpuMode::HostPassthrough | CpuMode::Maximum)
        {
            return Err(node.unsupported(
                "Attribute migratable is only allowed for 'host-passthrough' / 'maximum' CPU mode",
            ));
        }
        if let Some(mut model) = node.child("model") {
            let fallback = model.attr("fallback");
            if fallback
                .as_ref()
                .is_some_and(|word| word != "allow" && word != "forbid")
            {
                return Err(model.unsupported("Invalid fallback attribute"));
            }
            cpu.model = Some(CpuModel {
                name: model.text().to_owned(),
                fallback,
                _more: (),
            });
        }
        let custom = cpu.mode == CpuMode::Custom;
        if custom && cpu.model.is_none() && cpu.vendor.is_some() {
            return Err(node.error("CPU vendor specified without CPU model"));
        }
        if let Some(mut topology) = node.child("topology") {
            cpu.topology = Some(CpuTopology::read(&mut topology)?);
        }
        let features = node.children("feature");
        if custom && cpu.model.is_none() && !features.is_empty() {
            return Err(node.error("Non-empty feature list specified without CPU model"));
        }
        let mut names = BTreeSet::new();
        for mut feature in features {
            let policy = feature.attr("policy");
            if policy
                .as_ref()
                .is_some_and(|policy| !POLICIES.contains(&policy.as_str()))
            {
                return Err(feature.unsupported("Invalid CPU feature policy"));
            }
            let Some(name) = feature.filled("name") else {
                return Err(feature.error("Invalid CPU feature name"));
            };
            if !names.insert(name.clone()) {
                let message = format!("CPU feature '{name}' specified more than once");
                return Err(feature.error(message));
            }
            cpu.features.push(CpuFeature {
                policy,
                name,
                _more: (),
            });
        }
        if let Some(mut numa) = node.child("numa") {
            for (index, mut cell) in numa.children("cell").into_iter().enumerate() {
                cpu.numa.push(NumaCell::read(&mut cell, index)?);
            }
        }
        Ok(cpu)
    }

    pub(super) fn to_element(&self) -> Element {
        // libvirt 9.0 does not write mode='custom' without a model.
        let mode = (self.mode != CpuMode::Custom || self.model.is_some()).then_some(self.mode);
        let cells = self.numa.iter();
        let numa = Element::new("numa").children(cells.map(NumaCell::to_element));
        Element::new("cpu")
            .maybe_attr("mode", mode)
            .maybe_attr("match", self.match_policy)
            .maybe_attr("check", self.check.as_ref())
            .maybe_attr("migratable", self.migratable.map(on_off))
            .children(self.model.as_ref().map(CpuModel::to_element))
            .maybe_text("vendor", self.vendor.as_ref())
            .children(self.topology.map(CpuTopology::to_element))
            .children(self.features.iter().map(CpuFeature::to_element))
            .children((!self.numa.is_empty()).then_some(numa))
    }
}

impl CpuModel {
    fn to_element(&self) -> Element {
        Element::new("model")
            .maybe_attr("fallback", self.fallback.as_ref())
            .text(&self.name)
    }
}

impl CpuTopology {
    fn read(node: &mut Node<'_>) -> Result<CpuTopology, XmlError> {
        let mut count = |name: &str| match node.number(name)? {
            Some(0) => Err(node.error(format!(
                "Invalid value for attribute '{name}' in element 'topology': \
                 Zero is not permitted"
            ))),
            count => Ok(count),
        };
        let (sockets, dies, clusters) = (count("sockets")?, count("dies")?, count("clusters")?);
        let (cores, threads) = (count("cores")?, count("threads")?);
        Ok(CpuTopology {
            sockets: sockets.ok_or_else(|| node.missing("sockets"))?,
            dies,
            clusters,
            cores: cores.ok_or_else(|| node.missing("cores"))?,
            threads: threads.ok_or_else(|| node.missing("threads"))?,
            _more: (),
        })
    }

    fn to_element(self) -> Element {
        Element::new("topology")
            .attr("sockets", self.sockets)
            .maybe_attr("dies", self.dies)
            .maybe_attr("clusters", self.clusters)
            .attr("cores", self.cores)
            .attr("threads", self.threads)
    }
}

impl CpuFeature {
    fn to_element(&self) -> Element {
        Element::new("feature")
            .maybe_attr("policy", self.policy.as_ref())
            .attr("name", &self.name)
    }
}

impl NumaCell {
    /// Reads a cell. Its number is `index` if the document names none.
    fn read(node: &mut Node<'_>, index: usize) -> Result<NumaCell, XmlError> {
        let cpus = match node.attr("cpus") {
            Some(text) => Some(read_cpu_set(node, &text)?),
            None => None,
        };
        let Some(memory) = node.filled("memory") else {
            return Err(node.error("missing element or attribute './@memory'"));
        };
        let unit = node.filled("unit");
        Ok(NumaCell {
            // `MAX_NODES` is far below 2^32.
            id: node.number("id")?.unwrap_or(index as u32),
            cpus,
            memory: read_kib(node, "./@memory", &memory, unit.as_deref())?,
            _more: (),
        })
    }

    fn to_element(&self) -> Element {
        Element::new("cell")
            .attr("id", self.id)
            .maybe_attr("cpus", self.cpus.as_ref())
            .attr("memory", self.memory)
            .attr("unit", "KiB")
    }
}
