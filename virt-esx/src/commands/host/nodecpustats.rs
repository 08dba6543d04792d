use serde::Serialize;
use virt_model::NodeCpuStats;

use crate::answer::{Answer, property};
use crate::commands::Query;
use crate::commands::options;
use crate::connection::Connection;
use crate::failure::Failure;

/// Prints cpu stats of the node.
///
/// Returns how busy the node's processors are, in percent. A host does not count times since it was started, so the
/// percentages are printed without --percent, too.
#[derive(Debug, clap::Args)]
pub(crate) struct Nodecpustats {
    /// prints specified cpu statistics only.
    #[arg(value_name = "number", value_parser = options::number::<i32>)]
    cpu: Option<i32>,

    /// prints by percentage: the host's own average, so that one reading is enough
    #[arg(long)]
    percent: bool,
}

/// What the host's processors do.
#[derive(Debug, Serialize)]
pub(crate) struct CpuStats {
    /// None: all processors.
    cpu: Option<i32>,
    user_ns: Option<u64>,
    system_ns: Option<u64>,
    idle_ns: Option<u64>,
    iowait_ns: Option<u64>,
    intr_ns: Option<u64>,
    usage_percent: Option<u64>,

    #[serde(skip)]
    is_percent: bool,
}

impl CpuStats {
    fn new(cpu: i32, stats: NodeCpuStats, is_percent: bool) -> Self {
        Self {
            cpu: Some(cpu).filter(|cpu| *cpu >= 0),
            user_ns: stats.user,
            system_ns: stats.kernel,
            idle_ns: stats.idle,
            iowait_ns: stats.iowait,
            intr_ns: stats.intr,
            usage_percent: stats.utilization,
            is_percent,
        }
    }
}

impl Query for Nodecpustats {
    type Answer = CpuStats;

    async fn ask(self, connection: &Connection) -> Result<CpuStats, Failure> {
        let cpu = self.cpu.unwrap_or(-1);
        let stats = connection.node_cpu_stats(cpu).await;
        let failed = |error| Failure::because("Unable to get number of cpu stats", error);
        Ok(CpuStats::new(cpu, stats.map_err(failed)?, self.percent))
    }
}

impl Answer for CpuStats {
    const SCHEMA: &'static str = "virt-esx/node-cpu-stats/1";

    fn text(&self, _quiet: bool) -> String {
        let times = [
            ("user:", self.user_ns),
            ("system:", self.system_ns),
            ("idle:", self.idle_ns),
            ("iowait:", self.iowait_ns),
            ("intr:", self.intr_ns),
        ];
        let times = times
            .into_iter()
            .filter_map(|(title, time)| Some(property(15, title, format_args!("{:>20}", time?))));
        let times: String = times.collect();
        match self.usage_percent {
            Some(usage) if self.is_percent || times.is_empty() => {
                let line = |title, percent| property(15, title, format_args!("{percent:>5}%"));
                let idle = 100_u64.saturating_sub(usage);
                [line("usage:", usage), line("idle:", idle)].concat()
            }
            _ => times,
        }
    }
}

#[cfg(test)]
mod tests {
    use virt_model::NodeCpuStats;

    use super::CpuStats;
    use crate::answer::Answer as _;

    #[test]
    fn times_and_percentages() {
        let mut stats = NodeCpuStats::default();
        stats.utilization = Some(7);
        let percentages = "\
usage:              7%
idle:              93%
";
        for is_percent in [false, true] {
            let text = CpuStats::new(-1, stats, is_percent).text(false);
            assert_eq!(text, percentages, "{is_percent}");
        }
        stats.kernel = Some(34_678_723_400_000);
        stats.intr = Some(1);
        let times = "\
system:               34678723400000
intr:                              1
";
        assert_eq!(CpuStats::new(-1, stats, false).text(false), times);
        assert_eq!(CpuStats::new(-1, stats, true).text(false), percentages);
    }
}
