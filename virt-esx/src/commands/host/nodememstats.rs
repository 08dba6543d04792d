use serde::Serialize;
use virt_model::NodeMemoryStats;

use crate::answer::Answer;
use crate::commands::Query;
use crate::commands::options;
use crate::connection::Connection;
use crate::failure::Failure;

/// Prints memory stats of the node.
///
/// Returns memory stats of the node, in kilobytes. A host does not say what buffers and caches use, nor what is free in
/// one of its NUMA cells.
#[derive(Debug, clap::Args)]
pub(crate) struct Nodememstats {
    /// prints specified cell statistics only.
    #[arg(value_name = "number", value_parser = options::number::<i32>)]
    cell: Option<i32>,
}

/// The memory of the host, or of one of its NUMA cells.
#[derive(Debug, Serialize)]
pub(crate) struct MemoryStats {
    /// None: the whole host.
    cell: Option<i32>,
    total_kib: Option<u64>,
    free_kib: Option<u64>,
    buffers_kib: Option<u64>,
    cached_kib: Option<u64>,

    #[serde(skip)]
    stats: NodeMemoryStats,
}

impl MemoryStats {
    fn new(cell: i32, stats: NodeMemoryStats) -> Self {
        Self {
            cell: Some(cell).filter(|cell| *cell >= 0),
            total_kib: stats.total,
            free_kib: stats.free,
            buffers_kib: stats.buffers,
            cached_kib: stats.cached,
            stats,
        }
    }
}

impl Query for Nodememstats {
    type Answer = MemoryStats;

    async fn ask(self, connection: &Connection) -> Result<MemoryStats, Failure> {
        let cell = self.cell.unwrap_or(-1);
        let stats = connection.node_memory_stats(cell).await;
        let failed = |error| Failure::because("Unable to get number of memory stats", error);
        Ok(MemoryStats::new(cell, stats.map_err(failed)?))
    }
}

impl Answer for MemoryStats {
    const SCHEMA: &'static str = "virt-esx/node-memory-stats/1";

    fn text(&self, _quiet: bool) -> String {
        let fields = self.stats.fields();
        fields
            .map(|(name, value)| format!("{name:<7}: {value:>20} KiB\n"))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use virt_model::NodeMemoryStats;

    use super::MemoryStats;
    use crate::answer::Answer as _;

    #[test]
    fn all_that_is_known() {
        let mut stats = NodeMemoryStats::default();
        stats.total = Some(3_145_728);
        stats.buffers = Some(7);
        let expected = "\
total  :              3145728 KiB
buffers:                    7 KiB
";
        assert_eq!(MemoryStats::new(-1, stats).text(false), expected);
    }
}
