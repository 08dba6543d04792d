use esx_driver::virt_model::InterfaceFilter;
use serde::Serialize;

use crate::answer::{self, Answer};
use crate::commands::{Query, options};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::table::Table;

/// list physical host interfaces
///
/// Returns list of physical host interfaces.
#[derive(Debug, clap::Args)]
pub(crate) struct IfaceList {
    /// list inactive interfaces
    #[arg(long)]
    inactive: bool,

    /// list inactive & active interfaces
    #[arg(long)]
    all: bool,
}

/// The interfaces found, by name.
#[derive(Debug, Serialize)]
pub(crate) struct Interfaces {
    interfaces: Vec<Row>,
}

/// One interface.
#[derive(Debug, Serialize)]
struct Row {
    name: String,
    active: bool,
    mac: Option<String>,
}

impl Query for IfaceList {
    type Answer = Interfaces;

    fn check(&self) -> Result<(), Failure> {
        options::check_exclusive([("all", self.all), ("inactive", self.inactive)])
    }

    async fn ask(self, connection: &Connection) -> Result<Interfaces, Failure> {
        let filter = match self {
            Self { all: true, .. } => InterfaceFilter::FILTERS_ACTIVE,
            Self { inactive: true, .. } => InterfaceFilter::INACTIVE,
            _ => InterfaceFilter::ACTIVE,
        };
        let list = connection.list_all_interfaces(filter).await;
        let list = list.map_err(|error| Failure::because("Failed to list interfaces", error))?;
        let rows = list.iter().map(|interface| Row {
            name: interface.name().to_owned(),
            active: interface.is_active(),
            mac: interface.mac().map(str::to_owned),
        });
        let mut interfaces: Vec<_> = rows.collect();
        interfaces.sort_by_cached_key(|row| row.name.to_lowercase());
        Ok(Interfaces { interfaces })
    }
}

impl Answer for Interfaces {
    const SCHEMA: &'static str = "virt-esx/interfaces/1";

    fn json_lines(&self) -> Option<String> {
        Some(answer::json_lines("virt-esx/interface/1", &self.interfaces))
    }

    fn text(&self, quiet: bool) -> String {
        let mut table = Table::new(["Name", "State", "MAC Address"]);
        for row in &self.interfaces {
            let state = if row.active { "active" } else { "inactive" };
            table.push([&*row.name, state, row.mac.as_deref().unwrap_or_default()]);
        }
        table.render(!quiet)
    }
}
