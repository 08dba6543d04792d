use serde::Serialize;
use virt_model::domain::DomainMemoryStat;

use crate::answer::Answer;
use crate::commands::Query;
use crate::commands::domain_arg::DomainArg;
use crate::commands::number::Number;
use crate::commands::options::check_exclusive;
use crate::connection::Connection;
use crate::failure::Failure;

/// get memory statistics for a domain
///
/// Get memory statistics for a running domain: the memory that the balloon leaves to the guest, and the memory that the
/// domain takes of its host, in KiB. A host measures nothing else that libvirt has a name for.
#[derive(Debug, clap::Args)]
pub(crate) struct Dommemstat {
    #[command(flatten)]
    domain: DomainArg,

    /// period in seconds to set collection
    #[arg(long, value_name = "number", value_parser = Number::parser())]
    period: Option<Number>,

    /// affect next boot
    #[arg(long)]
    config: bool,

    /// affect running domain
    #[arg(long)]
    live: bool,

    /// affect current domain
    #[arg(long)]
    current: bool,
}

/// The measurements of a domain's memory.
#[derive(Debug, Serialize)]
pub(crate) struct Memory {
    domain: String,
    stats: Vec<Stat>,
}

/// A measurement.
#[derive(Debug, Serialize)]
struct Stat {
    name: &'static str,
    value: u64,
}

impl Query for Dommemstat {
    type Answer = Memory;

    fn check(&self) -> Result<(), Failure> {
        check_exclusive([("current", self.current), ("live", self.live)])?;
        check_exclusive([("current", self.current), ("config", self.config)])
    }

    async fn ask(self, connection: &Connection) -> Result<Memory, Failure> {
        let domain = self.domain.find(connection).await?;
        if let Some(period) = self.period {
            let period: i32 = period.read("period")?;
            if period < 0 {
                let line = format!("Invalid collection period value '{period}'");
                return Err(Failure::new(line));
            }
            let reason = Failure::unsupported("virDomainSetMemoryStatsPeriod");
            let line = "Unable to change balloon collection period.";
            return Err(Failure::because(line, reason));
        }
        let stats = domain.memory_stats().await.map_err(|error| {
            let name = domain.name();
            let line = format!("Failed to get memory statistics for domain {name}");
            Failure::because(line, error)
        })?;
        let stat = |DomainMemoryStat { tag, val }| Stat {
            name: tag.as_str(),
            value: val,
        };
        Ok(Memory {
            domain: domain.name().to_owned(),
            stats: stats.into_iter().map(stat).collect(),
        })
    }
}

impl Answer for Memory {
    const SCHEMA: &'static str = "virt-esx/domain-memory-stats/1";

    fn text(&self, _quiet: bool) -> String {
        let lines = self.stats.iter();
        lines
            .map(|stat| format!("{} {}\n", stat.name, stat.value))
            .collect()
    }
}
