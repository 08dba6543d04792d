//! How much of the host's memory and processors is used: libvirt's `virNodeGet…Stats`, and which processors there are.

use vi_client::property_set;
use vi_types::objects::HostNumaNode;
use virt_model::{ErrorNumber, NodeCpuMap, NodeCpuStats, NodeMemoryStats};

use super::{Connect, counters};
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

    /// How busy the processors of the host are: one request for all (-1), three for one logical processor.
    ///
    /// A host does not count times since it was started; only [`utilization`](NodeCpuStats::utilization) is known: of all
    /// processors what the host says now, of one the mean of its newest 20 seconds (the counter `cpu.usage.average`).
    ///
    /// # Errors
    /// - [`ErrorKind::Argument`] for another negative number than -1, or a processor that the host does not have.
    /// - [`ErrorKind::Unsupported`] if the server does not measure single processors.
    /// - [`ErrorKind::Property`] if the server does not say which processors the host has.
    #[doc(alias = "virNodeGetCPUStats")]
    pub async fn node_cpu_stats(&self, cpu: i32) -> Result<NodeCpuStats> {
        if cpu < ALL {
            return Err(below_all("cpuNum", "virNodeGetCPUStats"));
        }
        if cpu != ALL {
            return self.one_cpu(cpu).await;
        }
        let found: Processors = self.host_properties().await?;
        let mhz = found.hz / 1_000_000 * i64::from(found.cores);
        let mut stats = NodeCpuStats::default();
        stats.utilization = found
            .used_mhz
            .and_then(|used| percent(i64::from(used), mhz));
        Ok(stats)
    }

    /// How busy one of the logical processors is.
    async fn one_cpu(&self, cpu: i32) -> Result<NodeCpuStats> {
        let threads: Threads = self.host_properties().await?;
        if cpu >= i32::from(threads.count) {
            let count = threads.count;
            return Err(Error::argument(format!(
                "no processor {cpu}: the host shows {count} processors"
            )));
        }
        let (client, host) = (self.client(), self.host_system().await?);
        let ids = counters::ids(client).await?;
        let usage = match ids.get("cpu.usage.average") {
            Some(id) => counters::newest(client, host, *id, cpu.to_string()).await?,
            None => None,
        };
        let usage = usage.and_then(|usage| percent(usage, 10_000));
        let usage = usage.ok_or_else(|| {
            let message = format!("the host does not say how busy processor {cpu} alone is");
            let number = ErrorNumber::OperationUnsupported;
            Error::new(ErrorKind::Unsupported, number, message).advise("ask for all processors")
        })?;
        let mut stats = NodeCpuStats::default();
        stats.utilization = Some(usage);
        Ok(stats)
    }

    /// The free memory of NUMA nodes in bytes, of at most `max` nodes from the node `start` on: one or two requests.
    ///
    /// A host does not say what is free in one of its nodes. If it has only one, that is what is free in the host.
    ///
    /// # Errors
    /// - [`ErrorKind::Argument`] for a negative `start`, a `max` of 0, or more nodes than there are.
    /// - [`ErrorKind::Unsupported`] if the host has several nodes, or shows none.
    /// - [`ErrorKind::Property`] if the server does not say what is free.
    #[doc(alias = "virNodeGetCellsFreeMemory")]
    pub async fn node_cells_free_memory(&self, start: i32, max: usize) -> Result<Vec<u64>> {
        // libvirt's texts (virNodeGetCellsFreeMemory of libvirt-host.c, testNodeGetCellsFreeMemory, 9.0.0).
        let function = "virNodeGetCellsFreeMemory";
        let Ok(first) = usize::try_from(start) else {
            let message = format!("startCell in {function} must be zero or greater");
            return Err(Error::argument(message).plain());
        };
        if max == 0 {
            let message = format!("maxCells in {function} must be greater than zero");
            return Err(Error::argument(message).plain());
        }
        let cells: Cells = self.host_properties().await?;
        let count = cells.nodes.len();
        if count > 0 && first >= count {
            return Err(Error::argument("Range exceeds available cells"));
        }
        if count != 1 {
            let error = Error::new(ErrorKind::Unsupported, ErrorNumber::NoSupport, function);
            return Err(
                error.advise("a host with several NUMA nodes says only what is free in all of it")
            );
        }
        Ok(vec![self.free_memory().await?])
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
