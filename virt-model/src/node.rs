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
