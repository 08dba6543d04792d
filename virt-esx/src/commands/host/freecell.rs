use serde::Serialize;

use crate::answer::Answer;
use crate::commands::Query;
use crate::commands::options::{self, check_exclusive};
use crate::connection::Connection;
use crate::failure::Failure;

/// print the host's free memory
///
/// Displays the free memory of the host. ESX does not tell it by NUMA cell; only the one cell of a host that has no other
/// is known.
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
    /// That of the host; null for one cell.
    total_kib: Option<u64>,
    /// With --all or one cell.
    cells: Vec<Cell>,

    #[serde(skip)]
    all: bool,
}

/// Free memory of a NUMA cell.
#[derive(Debug, Serialize)]
struct Cell {
    cell: u32,
    free_kib: Option<u64>,
}

impl Query for Freecell {
    type Answer = FreeMemory;

    fn check(&self) -> Result<(), Failure> {
        check_exclusive([("all", self.all), ("cellno", self.cellno.is_some())])
    }

    async fn ask(self, connection: &Connection) -> Result<FreeMemory, Failure> {
        if let Some(cell) = self.cellno {
            let free = connection.node_cells_free_memory(cell, 1).await?;
            let cells = free.into_iter().map(|free| Cell {
                cell: cell.unsigned_abs(),
                free_kib: Some(free / 1024),
            });
            return Ok(FreeMemory {
                total_kib: None,
                cells: cells.collect(),
                all: false,
            });
        }
        let total = connection.free_memory().await? / 1024;
        let mut cells = Vec::new();
        if self.all {
            let count = connection.node_info().await?.nodes;
            // The memory of a host is that of its only cell.
            let free_kib = (count == 1).then_some(total);
            cells.extend((0..count).map(|cell| Cell { cell, free_kib }));
        }
        Ok(FreeMemory {
            total_kib: Some(total),
            cells,
            all: self.all,
        })
    }
}

impl Answer for FreeMemory {
    const SCHEMA: &'static str = "virt-esx/free-memory/1";

    fn text(&self, quiet: bool) -> String {
        let Some(total) = self.total_kib else {
            let cells = self.cells.iter();
            let line = |cell: &Cell| Some(format!("{}: {} KiB\n", cell.cell, cell.free_kib?));
            return cells.filter_map(line).collect();
        };
        if !self.all {
            return format!("Total: {total} KiB\n");
        }
        let cells = self.cells.iter();
        let line = |cell: &Cell| match cell.free_kib {
            Some(free) => format!("{:>5}: {free:>10} KiB\n", cell.cell),
            None => format!("{:>5}: {:>10}\n", cell.cell, "-"),
        };
        let cells: String = cells.map(line).collect();
        // The sum is what -q leaves out.
        match quiet {
            false => format!("{cells}--------------------\nTotal: {total:>10} KiB\n"),
            true => cells,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Cell, FreeMemory};
    use crate::answer::Answer as _;

    #[test]
    fn the_total_alone_or_below_the_cells() {
        let mut free = FreeMemory {
            total_kib: Some(4096),
            cells: Vec::new(),
            all: false,
        };
        assert_eq!(free.text(false), "Total: 4096 KiB\n");
        free.all = true;
        assert_eq!(
            free.text(false),
            "--------------------\nTotal:       4096 KiB\n"
        );
        assert_eq!(free.text(true), "");
        let cell = |cell, free_kib| Cell { cell, free_kib };
        free.cells = vec![cell(0, Some(4096)), cell(1, None)];
        let cells = "    0:       4096 KiB\n    1:          -\n";
        assert_eq!(free.text(true), cells);
        assert_eq!(
            free.text(false),
            format!("{cells}--------------------\nTotal:       4096 KiB\n")
        );
    }

    #[test]
    fn one_cell() {
        let free = FreeMemory {
            total_kib: None,
            cells: vec![Cell {
                cell: 0,
                free_kib: Some(2048),
            }],
            all: false,
        };
        assert_eq!(free.text(false), "0: 2048 KiB\n");
    }
}
