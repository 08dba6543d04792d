use serde::Serialize;

use crate::answer::Answer;
use crate::commands::Query;
use crate::commands::options::{self, check_exclusive};
use crate::connection::Connection;
use crate::failure::Failure;

/// print the host's free memory
///
/// Displays the free memory of the whole host. ESX does not tell it by NUMA cell.
#[derive(Debug, clap::Args)]
pub(crate) struct Freecell {
    /// NUMA cell number
    #[arg(value_name = "number", value_parser = options::number::<i32>)]
    cellno: Option<i32>,

    /// show free memory for all NUMA cells
    #[arg(long)]
    all: bool,
}

/// Free memory of a host.
#[derive(Debug, Serialize)]
pub(crate) struct FreeMemory {
    total_kib: u64,

    #[serde(skip)]
    all: bool,
}

impl Query for Freecell {
    type Answer = FreeMemory;

    fn check(&self) -> Result<(), Failure> {
        check_exclusive([("all", self.all), ("cellno", self.cellno.is_some())])
    }

    async fn ask(self, connection: &Connection) -> Result<FreeMemory, Failure> {
        if self.cellno.is_some() {
            return Err(Failure::unsupported("virNodeGetCellsFreeMemory"));
        }
        Ok(FreeMemory {
            total_kib: connection.free_memory().await? / 1024,
            all: self.all,
        })
    }
}

impl Answer for FreeMemory {
    const SCHEMA: &'static str = "virt-esx/free-memory/1";

    fn text(&self, quiet: bool) -> String {
        let total = self.total_kib;
        match (self.all, quiet) {
            (false, _) => format!("Total: {total} KiB\n"),
            (true, false) => format!("--------------------\nTotal: {total:>10} KiB\n"),
            // The sum is what -q leaves out of the list of cells, which is empty.
            (true, true) => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::FreeMemory;
    use crate::answer::Answer as _;

    #[test]
    fn the_total_alone_or_below_the_cells() {
        let free = FreeMemory {
            total_kib: 4096,
            all: false,
        };
        assert_eq!(free.text(false), "Total: 4096 KiB\n");
        let free = FreeMemory { all: true, ..free };
        assert_eq!(
            free.text(false),
            "--------------------\nTotal:       4096 KiB\n"
        );
        assert_eq!(free.text(true), "");
    }
}
