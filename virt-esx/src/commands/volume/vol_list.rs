use std::pin::pin;

use esx_driver::StorageVolEntry;
use futures_util::StreamExt as _;
use serde::Serialize;

use crate::answer::{Answer, Format};
use crate::commands::Command;
use crate::commands::pool_arg::PoolArg;
use crate::commands::size::pretty;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::table::Table;
use crate::ui::Ui;

/// list vols
///
/// Returns list of vols by pool. The table needs all of them to be known; `--output jsonl` prints each as soon as it is
/// found.
#[derive(Debug, clap::Args)]
pub(crate) struct VolList {
    #[command(flatten)]
    pool: PoolArg,

    /// display extended details for volumes
    #[arg(long)]
    details: bool,
}

/// The volumes of a pool, by name.
#[derive(Debug, Serialize)]
struct Volumes {
    pool: String,
    volumes: Vec<Row>,

    #[serde(skip)]
    details: bool,
}

/// One volume.
#[derive(Debug, Serialize)]
struct Row {
    name: String,
    path: String,
    #[serde(rename = "type")]
    kind: &'static str,
    capacity_bytes: u64,
    allocation_bytes: u64,
}

/// A line of the list as JSON lines.
#[derive(Debug, Serialize)]
struct Line<'a> {
    pool: &'a str,
    #[serde(flatten)]
    row: Row,
}

impl Command for VolList {
    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let pool = self.pool.find(connection).await?;
        let failed = |error| Failure::because("Failed to list storage volumes", error);
        let mut found = pin!(pool.volumes());
        let (mut volumes, mut failure) = (Vec::new(), None);
        while let Some(entry) = found.next().await {
            let row = match entry {
                Ok(entry) => Row::new(&entry),
                // What is in other folders is shown all the same.
                Err(error) => {
                    failure.get_or_insert(failed(error));
                    continue;
                }
            };
            match ui.format() {
                Format::Jsonl => {
                    let pool = pool.name();
                    ui.item("virt-esx/volume/1", &Line { pool, row }, "")?;
                }
                Format::Text | Format::Json => volumes.push(row),
            }
        }
        let is_whole = failure.is_none();
        if ui.format() != Format::Jsonl && (is_whole || !volumes.is_empty()) {
            volumes.sort_by_cached_key(|row| row.name.to_ascii_lowercase());
            ui.answer(&Volumes {
                pool: pool.name().to_owned(),
                volumes,
                details: self.details,
            })?;
        }
        failure.map_or(Ok(()), Err)
    }
}

impl Row {
    fn new(entry: &StorageVolEntry) -> Self {
        Self {
            name: entry.volume.name().to_owned(),
            path: entry.volume.path(),
            kind: entry.info.kind.as_str(),
            capacity_bytes: entry.info.capacity,
            allocation_bytes: entry.info.allocation,
        }
    }
}

impl Answer for Volumes {
    const SCHEMA: &'static str = "virt-esx/volumes/1";

    fn text(&self, quiet: bool) -> String {
        let rows = self.volumes.iter();
        let table = match self.details {
            false => {
                let mut table = Table::new(["Name", "Path"]);
                rows.for_each(|row| table.push([&*row.name, &*row.path]));
                table
            }
            true => {
                let columns = ["Name", "Path", "Type", "Capacity", "Allocation"];
                let mut table = Table::new(columns);
                for row in rows {
                    let capacity = pretty(row.capacity_bytes, 2);
                    let allocation = pretty(row.allocation_bytes, 2);
                    table.push([&*row.name, &row.path, row.kind, &capacity, &allocation]);
                }
                table
            }
        };
        table.render(!quiet)
    }
}
