use crate::words::words;

/// A host's processors and memory (libvirt's `virNodeInfo`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NodeInfo {
    /// The model of the processors, at most 31 bytes ([`NodeInfo::short_model`]).
    pub model: String,
    /// Memory in KiB.
    pub memory: u64,
    /// Number of cores of the host.
    pub cpus: u32,
    /// Clock rate of a core, in MHz.
    pub mhz: u32,
    /// Number of NUMA nodes; 0 if not known.
    pub nodes: u32,
    /// Number of processor packages. libvirt documents it as per NUMA node, but its ESX driver gives
    /// that of the host.
    pub sockets: u32,
    /// Number of cores per package.
    pub cores: u32,
    /// Number of threads per core.
    pub threads: u32,
}

impl NodeInfo {
    /// The longest model name that fits into libvirt's `virNodeInfo`, in bytes.
    pub const MODEL_MAX: usize = 31;

    /// The model name cut to [`NodeInfo::MODEL_MAX`] bytes, between two characters.
    pub fn short_model(model: &str) -> &str {
        let mut end = model.len().min(NodeInfo::MODEL_MAX);
        while !model.is_char_boundary(end) {
            end -= 1;
        }
        &model[..end]
    }
}

/// How much memory a host or one of its NUMA nodes has (`virNodeGetMemoryStats`), in KiB. None: not
/// known, and not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct NodeMemoryStats {
    /// All memory.
    pub total: Option<u64>,
    /// What nobody uses.
    pub free: Option<u64>,
    /// What buffers use.
    pub buffers: Option<u64>,
    /// What caches use.
    pub cached: Option<u64>,
}

impl NodeMemoryStats {
    /// libvirt's names and the values, in libvirt's order.
    pub fn fields(&self) -> impl Iterator<Item = (&'static str, u64)> + use<> {
        let fields = [
            ("total", self.total),
            ("free", self.free),
            ("buffers", self.buffers),
            ("cached", self.cached),
        ];
        let known = |(name, value): (_, Option<u64>)| Some((name, value?));
        fields.into_iter().filter_map(known)
    }
}

/// What the processors of a host did (`virNodeGetCPUStats`): times since the host was started, in ns,
/// or their share now. None: not known, and not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct NodeCpuStats {
    /// The time in the kernel.
    pub kernel: Option<u64>,
    /// The time in user space.
    pub user: Option<u64>,
    /// The time without work.
    pub idle: Option<u64>,
    /// The time without work but for input and output that is waited for.
    pub iowait: Option<u64>,
    /// The time in interrupts.
    pub intr: Option<u64>,
    /// How busy the processors are now, in percent.
    pub utilization: Option<u64>,
}

impl NodeCpuStats {
    /// libvirt's names and the values, in libvirt's order.
    pub fn fields(&self) -> impl Iterator<Item = (&'static str, u64)> + use<> {
        let fields = [
            ("kernel", self.kernel),
            ("user", self.user),
            ("idle", self.idle),
            ("iowait", self.iowait),
            ("intr", self.intr),
            ("utilization", self.utilization),
        ];
        let known = |(name, value): (_, Option<u64>)| Some((name, value?));
        fields.into_iter().filter_map(known)
    }
}

/// Which processors of a host are online (`virNodeGetCPUMap`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct NodeCpuMap {
    /// A value for each processor that the host has, by its number: whether it is online.
    pub online: Vec<bool>,
}

impl NodeCpuMap {
    /// A host with these processors.
    pub fn new(online: Vec<bool>) -> NodeCpuMap {
        NodeCpuMap { online }
    }

    /// The number of processors.
    pub fn present(&self) -> usize {
        self.online.len()
    }

    /// The number of processors that are online.
    pub fn online_count(&self) -> usize {
        self.online.iter().filter(|&&online| online).count()
    }
}

words! {
    /// How a host is suspended (`virNodeSuspendTarget`).
    pub enum NodeSuspendTarget {
        /// To memory (S3).
        Mem = "mem",
        /// To disk (S4).
        Disk = "disk",
        /// To both.
        Hybrid = "hybrid",
    }
}

impl NodeSuspendTarget {
    /// libvirt's number.
    pub const fn number(self) -> u32 {
        self as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_stay() {
        assert_eq!(NodeInfo::short_model("AMD Opteron"), "AMD Opteron");
    }

    #[test]
    fn long_names_are_cut_at_a_character() {
        let cut = NodeInfo::short_model("Intel Xeon CPU E5-2680 v4 @ 2.40GHz");
        assert_eq!(cut, "Intel Xeon CPU E5-2680 v4 @ 2.4");
        assert_eq!(NodeInfo::short_model(&"ä".repeat(16)).len(), 30);
    }
}
