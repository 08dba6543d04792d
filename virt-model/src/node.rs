/// A host's processors and memory (libvirt's `virNodeInfo`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NodeInfo {
    /// The processor's name, at most 31 bytes ([`NodeInfo::short_model`]).
    pub model: String,
    /// Memory in KiB.
    pub memory: u64,
    /// Cores of the whole host.
    pub cpus: u32,
    /// Clock of a core in MHz.
    pub mhz: u32,
    /// NUMA nodes, 0 if not known.
    pub nodes: u32,
    /// Processor packages (libvirt: per NUMA node; the ESX driver gives those of the host).
    pub sockets: u32,
    /// Cores of a package.
    pub cores: u32,
    /// Threads of a core.
    pub threads: u32,
}

impl NodeInfo {
    /// Bytes of a model name that fit into libvirt's `virNodeInfo`.
    pub const MODEL_MAX: usize = 31;

    /// The model name cut to [`NodeInfo::MODEL_MAX`] bytes, at a character's start.
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
