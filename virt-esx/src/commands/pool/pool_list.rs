use serde::Serialize;
use virt_model::{StoragePoolFilter, StoragePoolState, StoragePoolType};

use super::pool_info::has_sizes;
use crate::answer::{self, Answer};
use crate::commands::options::{check_exclusive, check_text};
use crate::commands::{Query, options, size};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::table::Table;

/// list pools
///
/// Returns list of pools. Active pools are listed unless options say otherwise.
#[derive(Debug, clap::Args)]
pub(crate) struct PoolList {
    /// list inactive pools
    #[arg(long)]
    inactive: bool,

    /// list inactive & active pools
    #[arg(long)]
    all: bool,

    /// list transient pools
    #[arg(long)]
    transient: bool,

    /// list persistent pools
    #[arg(long)]
    persistent: bool,

    /// list pools with autostart enabled
    #[arg(long)]
    autostart: bool,

    /// list pools with autostart disabled
    #[arg(long)]
    no_autostart: bool,

    /// only list pool of specified type(s)
    #[arg(id = "type", value_name = "type")]
    kind: Option<String>,

    #[command(flatten)]
    columns: Columns,
}

/// What is shown of each pool in the text form; the JSON form has it all.
#[derive(Debug, Clone, Default, clap::Args)]
struct Columns {
    /// display extended details for pools
    #[arg(long)]
    details: bool,

    /// list uuid's only
    #[arg(long)]
    uuid: bool,

    /// list pool names only
    #[arg(long)]
    name: bool,
}

/// The pools found, by name.
#[derive(Debug, Serialize)]
pub(crate) struct Pools {
    pools: Vec<Row>,

    #[serde(skip)]
    columns: Columns,
}

/// One pool.
#[derive(Debug, Serialize)]
struct Row {
    name: String,
    uuid: String,
    /// libvirt's word.
    #[serde(rename = "type")]
    kind: &'static str,
    /// virsh's word.
    state: &'static str,
    autostart: bool,
    persistent: bool,
    capacity_bytes: u64,
    allocation_bytes: u64,
    available_bytes: u64,

    #[serde(skip)]
    is_active: bool,
    #[serde(skip)]
    has_sizes: bool,
}

impl Query for PoolList {
    type Answer = Pools;

    fn check(&self) -> Result<(), Failure> {
        let Columns {
            details,
            uuid,
            name,
        } = self.columns;
        check_exclusive([("all", self.all), ("inactive", self.inactive)])?;
        check_exclusive([("details", details), ("uuid", uuid)])?;
        check_exclusive([("details", details), ("name", name)])?;
        self.filter().map(drop)
    }

    async fn ask(self, connection: &Connection) -> Result<Pools, Failure> {
        let list = connection.list_all_storage_pools(self.filter()?).await;
        let list = list.map_err(|error| Failure::because("Failed to list pools", error))?;
        let rows = list.iter().map(|entry| Row {
            name: entry.pool.name().to_owned(),
            uuid: entry.pool.uuid().to_string(),
            kind: entry.kind.as_str(),
            state: entry.info.state.as_str(),
            autostart: entry.pool.autostart(),
            persistent: entry.pool.is_persistent(),
            capacity_bytes: entry.info.capacity,
            allocation_bytes: entry.info.allocation,
            available_bytes: entry.info.available,
            is_active: entry.info.state != StoragePoolState::Inactive,
            has_sizes: has_sizes(entry.info.state),
        });
        let mut pools: Vec<_> = rows.collect();
        pools.sort_by_cached_key(|row| row.name.to_lowercase());
        Ok(Pools {
            pools,
            columns: self.columns,
        })
    }
}

impl PoolList {
    /// libvirt's flags.
    ///
    /// # Errors
    /// virsh's text if there is no such type.
    fn filter(&self) -> Result<StoragePoolFilter, Failure> {
        let activity = match self {
            Self { all: true, .. } => StoragePoolFilter::FILTERS_ACTIVE,
            Self { inactive: true, .. } => StoragePoolFilter::INACTIVE,
            _ => StoragePoolFilter::ACTIVE,
        };
        let chosen = [
            (self.persistent, StoragePoolFilter::PERSISTENT),
            (self.transient, StoragePoolFilter::TRANSIENT),
            (self.autostart, StoragePoolFilter::AUTOSTART),
            (self.no_autostart, StoragePoolFilter::NO_AUTOSTART),
        ];
        let mut filter = options::flags(activity, chosen);
        check_text("type", self.kind.as_deref())?;
        for word in self.kind.iter().flat_map(|kinds| options::words(kinds)) {
            let kind = StoragePoolType::from_word(&word);
            let kind = kind.ok_or_else(|| Failure::new(format!("Invalid pool type '{word}'")))?;
            filter |= kind.filter();
        }
        Ok(filter)
    }
}

impl Answer for Pools {
    const SCHEMA: &'static str = "virt-esx/pools/1";

    fn json_lines(&self) -> Option<String> {
        Some(answer::json_lines("virt-esx/pool/1", &self.pools))
    }

    fn is_document(&self) -> bool {
        self.columns.uuid || self.columns.name
    }

    fn text(&self, quiet: bool) -> String {
        // virsh pads the names.
        let lines = |line: fn(&Row) -> String| self.pools.iter().map(line).collect();
        match self.columns {
            Columns {
                uuid: true,
                name: true,
                ..
            } => lines(|row| format!("{} {:<20}\n", row.uuid, row.name)),
            Columns { uuid: true, .. } => lines(|row| format!("{}\n", row.uuid)),
            Columns { name: true, .. } => lines(|row| format!("{:<20}\n", row.name)),
            Columns { details: true, .. } => self.details(!quiet),
            _ => self.table(!quiet),
        }
    }
}

impl Pools {
    fn table(&self, header: bool) -> String {
        let mut table = Table::new(["Name", "State", "Autostart"]);
        for row in &self.pools {
            let state = if row.is_active { "active" } else { "inactive" };
            table.push([&*row.name, state, yes(row.autostart)]);
        }
        table.render(header)
    }

    fn details(&self, header: bool) -> String {
        let mut table = Table::new([
            "Name",
            "State",
            "Autostart",
            "Persistent",
            "Capacity",
            "Allocation",
            "Available",
        ]);
        for row in &self.pools {
            let size = |bytes| match row.has_sizes {
                true => size::pretty(bytes, 2),
                false => "-".to_owned(),
            };
            table.push([
                &*row.name,
                row.state,
                yes(row.autostart),
                yes(row.persistent),
                &size(row.capacity_bytes),
                &size(row.allocation_bytes),
                &size(row.available_bytes),
            ]);
        }
        table.render(header)
    }
}

fn yes(value: bool) -> &'static str {
    if value { "yes" } else { "no" }
}
