use esx_driver::DomainStatsRecord;
use serde::Serialize;
use virt_model::{DomainFilter, StatsFlags, StatsTypes, TypedParam};

use crate::answer::{self, Answer};
use crate::commands::Query;
use crate::commands::domain_arg::{self, Any, Keys as _};
use crate::commands::{options, params};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::foreign;

/// get statistics about one or multiple domains
///
/// Gets statistics about one or more (or all) domains, with one request. Those of --vm are the host's own measurements,
/// by VMware's names: processors in MHz, memory in MiB.
#[derive(Debug, clap::Args)]
pub(crate) struct Domstats {
    #[command(flatten)]
    groups: Groups,

    #[command(flatten)]
    filter: Filter,

    /// do not pretty-print the fields
    #[arg(long)]
    raw: bool,

    /// enforce requested stats parameters
    #[arg(long)]
    enforce: bool,

    /// add backing chain information to block stats
    #[arg(long)]
    backing: bool,

    /// report only stats that are accessible instantly
    #[arg(long)]
    nowait: bool,

    /// list of domains to get stats for
    #[arg(value_name = "domain", num_args = 0..)]
    domain: Vec<String>,
}

/// Which statistics are wanted.
#[derive(Debug, clap::Args)]
struct Groups {
    /// report domain state
    #[arg(long)]
    state: bool,

    /// report domain physical cpu usage
    #[arg(long)]
    cpu_total: bool,

    /// report domain balloon statistics
    #[arg(long)]
    balloon: bool,

    /// report domain virtual cpu information
    #[arg(long)]
    vcpu: bool,

    /// report domain network interface information
    #[arg(long)]
    interface: bool,

    /// report domain block device statistics
    #[arg(long)]
    block: bool,

    /// report domain perf event statistics
    #[arg(long)]
    perf: bool,

    /// report domain IOThread information
    #[arg(long)]
    iothread: bool,

    /// report domain memory usage
    #[arg(long)]
    memory: bool,

    /// report domain dirty rate information
    #[arg(long)]
    dirtyrate: bool,

    /// report hypervisor-specific statistics
    #[arg(long)]
    vm: bool,
}

/// Of which domains.
#[derive(Debug, clap::Args)]
struct Filter {
    /// list only active domains
    #[arg(long)]
    list_active: bool,

    /// list only inactive domains
    #[arg(long)]
    list_inactive: bool,

    /// list only persistent domains
    #[arg(long)]
    list_persistent: bool,

    /// list only transient domains
    #[arg(long)]
    list_transient: bool,

    /// list only running domains
    #[arg(long)]
    list_running: bool,

    /// list only paused domains
    #[arg(long)]
    list_paused: bool,

    /// list only shutoff domains
    #[arg(long)]
    list_shutoff: bool,

    /// list only domains in other states
    #[arg(long)]
    list_other: bool,
}

/// The statistics of domains.
#[derive(Debug, Serialize)]
pub(crate) struct Stats {
    domains: Vec<Record>,
}

/// The statistics of a domain.
#[derive(Debug, Serialize)]
struct Record {
    domain: String,
    uuid: String,
    #[serde(serialize_with = "params::by_name")]
    stats: Vec<TypedParam>,
}

impl Query for Domstats {
    type Answer = Stats;

    async fn ask(self, connection: &Connection) -> Result<Stats, Failure> {
        let (stats, flags) = (self.stats(), self.flags());
        let records = match self.domain.as_slice() {
            [] => connection.all_domain_stats(stats, flags).await?,
            [name] => {
                let domain = domain_arg::find(connection, name, Any::KEYS).await?;
                connection
                    .domain_list_stats(&[domain], stats, flags)
                    .await?
            }
            names => {
                let listed = connection.list_all_domains(DomainFilter::NONE).await?;
                let all: Vec<_> = listed.domains.iter().map(|entry| &entry.domain).collect();
                let find = |name: &String| domain_arg::find_among(&all, name, Any::KEYS);
                let domains: Vec<_> = names.iter().map(find).collect::<Result<_, _>>()?;
                connection.domain_list_stats(&domains, stats, flags).await?
            }
        };
        Ok(Stats {
            domains: records.into_iter().map(Record::from).collect(),
        })
    }
}

impl Domstats {
    fn stats(&self) -> StatsTypes {
        let groups = &self.groups;
        let given = [
            (groups.state, StatsTypes::STATE),
            (groups.cpu_total, StatsTypes::CPU_TOTAL),
            (groups.balloon, StatsTypes::BALLOON),
            (groups.vcpu, StatsTypes::VCPU),
            (groups.interface, StatsTypes::INTERFACE),
            (groups.block, StatsTypes::BLOCK),
            (groups.perf, StatsTypes::PERF),
            (groups.iothread, StatsTypes::IOTHREAD),
            (groups.memory, StatsTypes::MEMORY),
            (groups.dirtyrate, StatsTypes::DIRTYRATE),
            (groups.vm, StatsTypes::VM),
        ];
        options::flags(StatsTypes::NONE, given)
    }

    fn flags(&self) -> StatsFlags {
        let filter = &self.filter;
        let given = [
            (filter.list_active, StatsFlags::ACTIVE),
            (filter.list_inactive, StatsFlags::INACTIVE),
            (filter.list_persistent, StatsFlags::PERSISTENT),
            (filter.list_transient, StatsFlags::TRANSIENT),
            (filter.list_running, StatsFlags::RUNNING),
            (filter.list_paused, StatsFlags::PAUSED),
            (filter.list_shutoff, StatsFlags::SHUTOFF),
            (filter.list_other, StatsFlags::OTHER),
            (self.enforce, StatsFlags::ENFORCE_STATS),
            (self.backing, StatsFlags::BACKING),
            (self.nowait, StatsFlags::NOWAIT),
        ];
        options::flags(StatsFlags::NONE, given)
    }
}

impl From<DomainStatsRecord> for Record {
    fn from(record: DomainStatsRecord) -> Self {
        Self {
            domain: record.domain.name().to_owned(),
            uuid: record.domain.uuid().to_string(),
            stats: record.params,
        }
    }
}

impl Answer for Stats {
    const SCHEMA: &'static str = "virt-esx/domains-stats/1";

    fn text(&self, _quiet: bool) -> String {
        let records = self.domains.iter().map(|record| {
            let line = |stat: &TypedParam| {
                let (field, value) = (stat.field.to_string(), stat.value.to_string());
                format!("  {}={}\n", foreign::line(&field), foreign::line(&value))
            };
            let lines: String = record.stats.iter().map(line).collect();
            format!("Domain: '{}'\n{lines}", foreign::line(&record.domain))
        });
        records.collect::<Vec<_>>().join("\n")
    }

    fn json_lines(&self) -> Option<String> {
        Some(answer::json_lines("virt-esx/domain-stats/1", &self.domains))
    }
}
