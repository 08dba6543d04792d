//! How much of the host's memory and processors is used: libvirt's `virNodeGet…Stats`, and which processors there are.

use vi_client::property_set;
use vi_types::objects::HostNumaNode;
use virt_model::{ErrorNumber, NodeCpuMap, NodeCpuStats, NodeMemoryStats};

use super::Connect;
use crate::{Error, ErrorKind, Result};

property_set! {
    pub(super) struct Memory: HostSystem {
        size: i64 = hardware.memory_size,
        used_mib: Option<i32> = summary.quick_stats.overall_memory_usage,
    }
}

impl Memory {
    /// What nobody uses, in bytes; None if the server does not say what is used.
    pub(super) fn free(&self) -> Option<u64> {
        let free = self.size - i64::from(self.used_mib?) * 1024 * 1024;
        Some(u64::try_from(free).unwrap_or(0))
    }
}

property_set! {
    struct Cells: HostSystem {
        nodes: Vec<HostNumaNode> = hardware.numa_info.numa_node,
    }
}

property_set! {
    struct Processors: HostSystem {
        hz: i64 = hardware.cpu_info.hz,
        cores: i16 = hardware.cpu_info.num_cpu_cores,
        used_mhz: Option<i32> = summary.quick_stats.overall_cpu_usage,
    }
}

property_set! {
    struct Threads: HostSystem {
        count: i16 = hardware.cpu_info.num_cpu_threads,
    }
}

/// libvirt's number for all cells (`VIR_NODE_MEMORY_STATS_ALL_CELLS`) and all processors
/// (`VIR_NODE_CPU_STATS_ALL_CPUS`).
const ALL: i32 = -1;

impl Connect {
    /// The memory of the host, or of one of its NUMA nodes: one request. `cell` is the number of a node, or -1 for the
    /// host.
    ///
    /// A host does not say what its buffers and caches use, nor what is free in one of its nodes.
    ///
    /// # Errors
    /// - [`ErrorKind::Argument`] if there is no such node.
    /// - [`ErrorKind::Property`] if the server does not give the size.
    #[doc(alias = "virNodeGetMemoryStats")]
    pub async fn node_memory_stats(&self, cell: i32) -> Result<NodeMemoryStats> {
        let mut stats = NodeMemoryStats::default();
        if cell == ALL {
            let memory: Memory = self.host_properties().await?;
            stats.total = u64::try_from(memory.size / 1024).ok();
            stats.free = memory.free().map(|free| free / 1024);
            return Ok(stats);
        }
        let Ok(index) = usize::try_from(cell) else {
            return Err(below_all("cellNum", "virNodeGetMemoryStats"));
        };
        let cells: Cells = self.host_properties().await?;
        let mut nodes = cells.nodes.iter();
        let Some(node) = nodes.find(|node| usize::try_from(node.type_id) == Ok(index)) else {
            let count = cells.nodes.len();
            return Err(Error::argument(format!(
                "no NUMA node {cell}: the host shows {count} nodes"
            )));
        };
        let size = node.memory_size.unwrap_or(node.memory_range_length);
        stats.total = u64::try_from(size / 1024).ok();
        Ok(stats)
    }

    /// How busy the processors of the host are: one request. `cpu` has to be -1, all processors.
    ///
    /// A host does not count times since it was started; only [`utilization`](NodeCpuStats::utilization) is known.
    ///
    /// # Errors
    /// - [`ErrorKind::Argument`] for another negative number than -1.
    /// - [`ErrorKind::Unsupported`] for one processor.
    /// - [`ErrorKind::Property`] if the server does not say which processors the host has.
    #[doc(alias = "virNodeGetCPUStats")]
    pub async fn node_cpu_stats(&self, cpu: i32) -> Result<NodeCpuStats> {
        if cpu < ALL {
            return Err(below_all("cpuNum", "virNodeGetCPUStats"));
        }
        if cpu != ALL {
            return Err(Error::new(
                ErrorKind::Unsupported,
                ErrorNumber::OperationUnsupported,
                format!("the host does not say how busy processor {cpu} alone is"),
            )
            .advise("ask for all processors"));
        }
        let found: Processors = self.host_properties().await?;
        let mhz = found.hz / 1_000_000 * i64::from(found.cores);
        let mut stats = NodeCpuStats::default();
        stats.utilization = found
            .used_mhz
            .and_then(|used| percent(i64::from(used), mhz));
        Ok(stats)
    }

    /// The logical processors of the host: one request. A host uses all that it shows.
    ///
    /// # Errors
    /// [`ErrorKind::Property`] if the server does not give their number.
    #[doc(alias = "virNodeGetCPUMap")]
    pub async fn node_cpu_map(&self) -> Result<NodeCpuMap> {
        let threads: Threads = self.host_properties().await?;
        let count = usize::try_from(threads.count).unwrap_or(0);
        Ok(NodeCpuMap::new(vec![true; count]))
    }
}

/// libvirt's check of the argument (`virNodeGetMemoryStats`, `virNodeGetCPUStats` of libvirt-host.c, 9.0.0).
fn below_all(argument: &str, function: &str) -> Error {
    Error::argument(format!(
        "{argument} in {function} only accepts -1 as a negative value"
    ))
    .plain()
}

/// The part of `all` that is used, in percent; None if there is nothing to be used.
fn percent(used: i64, all: i64) -> Option<u64> {
    // Turbo mode can make the use more than what the clock rate promises.
    let percent = (used * 100).checked_div(all)?.min(100);
    u64::try_from(percent).ok()
}

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    fn node_percent() {
        for (used, all, expected) in [
            (0, 38_304, Some(0)),
            (19_152, 38_304, Some(50)),
            (i64::from(i32::MAX), 38_304, Some(100)),
            (-38_304, 38_304, None),
            (1, 0, None),
        ] {
            assert_eq!(percent(used, all), expected, "{used} of {all}");
        }
    }
}
