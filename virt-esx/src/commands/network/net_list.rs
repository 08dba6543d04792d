use serde::Serialize;
use virt_model::flags::NetworkFilter;

use crate::answer::{self, Answer};
use crate::commands::{Query, options};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::table::Table;

/// list networks
///
/// Active networks are listed unless options say otherwise.
#[derive(Debug, clap::Args)]
pub(crate) struct NetList {
    /// list inactive networks
    #[arg(long)]
    inactive: bool,

    /// list inactive & active networks
    #[arg(long)]
    all: bool,

    /// list persistent networks
    #[arg(long)]
    persistent: bool,

    /// list transient networks
    #[arg(long)]
    transient: bool,

    /// list networks with autostart enabled
    #[arg(long)]
    autostart: bool,

    /// list networks with autostart disabled
    #[arg(long)]
    no_autostart: bool,

    #[command(flatten)]
    columns: Columns,
}

/// What is shown of each network in the text form; the JSON form has it all.
#[derive(Debug, Clone, Default, clap::Args)]
struct Columns {
    /// list uuid's only
    #[arg(long)]
    uuid: bool,

    /// list network names only
    #[arg(long)]
    name: bool,

    /// list table (default)
    #[arg(long)]
    table: bool,
}

/// The networks found, by name.
#[derive(Debug, Serialize)]
pub(crate) struct Networks {
    networks: Vec<Row>,

    #[serde(skip)]
    columns: Columns,
}

/// One network.
#[derive(Debug, Serialize)]
struct Row {
    name: String,
    uuid: String,
    active: bool,
    autostart: bool,
    persistent: bool,
}

impl Query for NetList {
    type Answer = Networks;

    fn check(&self) -> Result<(), Failure> {
        let Columns { uuid, name, table } = self.columns;
        match [uuid, name, table].iter().filter(|given| **given).count() {
            0 | 1 => Ok(()),
            _ => Err(Failure::new(
                "Only one argument from --table, --name and --uuid may be specified.",
            )),
        }
    }

    async fn ask(self, connection: &Connection) -> Result<Networks, Failure> {
        let list = connection.list_all_networks(self.filter()).await;
        let list = list.map_err(|error| Failure::because("Failed to list networks", error))?;
        let rows = list.iter().map(|network| Row {
            name: network.name().to_owned(),
            uuid: network.uuid().to_string(),
            active: network.is_active(),
            autostart: network.autostart(),
            persistent: network.is_persistent(),
        });
        let mut networks: Vec<_> = rows.collect();
        networks.sort_by_cached_key(|row| row.name.to_lowercase());
        Ok(Networks {
            networks,
            columns: self.columns,
        })
    }
}

impl NetList {
    /// libvirt's flags; as in virsh, --all overrules --inactive.
    fn filter(&self) -> NetworkFilter {
        let activity = match self {
            Self { all: true, .. } => NetworkFilter::FILTERS_ACTIVE,
            Self { inactive: true, .. } => NetworkFilter::INACTIVE,
            _ => NetworkFilter::ACTIVE,
        };
        let chosen = [
            (self.persistent, NetworkFilter::PERSISTENT),
            (self.transient, NetworkFilter::TRANSIENT),
            (self.autostart, NetworkFilter::AUTOSTART),
            (self.no_autostart, NetworkFilter::NO_AUTOSTART),
        ];
        options::flags(activity, chosen)
    }
}

impl Answer for Networks {
    const SCHEMA: &'static str = "virt-esx/networks/1";

    fn json_lines(&self) -> Option<String> {
        Some(answer::json_lines("virt-esx/network/1", &self.networks))
    }

    fn is_document(&self) -> bool {
        self.columns.uuid || self.columns.name
    }

    fn text(&self, quiet: bool) -> String {
        let lines = |value: fn(&Row) -> &str| {
            let lines = self.networks.iter().map(|row| format!("{}\n", value(row)));
            lines.collect()
        };
        match self.columns {
            Columns { uuid: true, .. } => lines(|row| &row.uuid),
            Columns { name: true, .. } => lines(|row| &row.name),
            _ => self.table(!quiet),
        }
    }
}

impl Networks {
    fn table(&self, header: bool) -> String {
        let yes = |value| if value { "yes" } else { "no" };
        let mut table = Table::new(["Name", "State", "Autostart", "Persistent"]);
        for row in &self.networks {
            let state = if row.active { "active" } else { "inactive" };
            table.push([&*row.name, state, yes(row.autostart), yes(row.persistent)]);
        }
        table.render(header)
    }
}
