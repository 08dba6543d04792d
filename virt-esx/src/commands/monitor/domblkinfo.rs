use serde::Serialize;
use virt_model::domain::DomainBlockInfo;

use crate::answer::{Answer, property};
use crate::commands::Query;
use crate::commands::domain_arg::DomainArg;
use crate::commands::options::check_exclusive;
use crate::commands::size;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::table::Table;

/// domain block device size information
///
/// Get block device size info for a domain.
#[derive(Debug, clap::Args)]
pub(crate) struct Domblkinfo {
    #[command(flatten)]
    domain: DomainArg,

    /// block device
    #[arg(value_name = "device")]
    device: Option<String>,

    /// Human readable output
    #[arg(long)]
    human: bool,

    /// display all block devices info
    #[arg(long)]
    all: bool,
}

/// The sizes of a domain's disks.
#[derive(Debug, Serialize)]
pub(crate) struct Sizes {
    domain: String,
    disks: Vec<Size>,

    #[serde(skip)]
    human: bool,
    #[serde(skip)]
    is_table: bool,
}

/// The sizes of a disk; null for an empty drive.
#[derive(Debug, Serialize)]
struct Size {
    target: String,
    capacity_bytes: Option<u64>,
    allocation_bytes: Option<u64>,
    physical_bytes: Option<u64>,
}

impl Query for Domblkinfo {
    type Answer = Sizes;

    fn check(&self) -> Result<(), Failure> {
        let device = self.device.is_some();
        check_exclusive([("all", self.all), ("device", device)])
    }

    async fn ask(self, connection: &Connection) -> Result<Sizes, Failure> {
        let domain = self.domain.find(connection).await?;
        let disks = match self.device.filter(|device| !device.is_empty()) {
            Some(device) => {
                let info = domain.block_info(&device).await?;
                vec![Size::new(device, Some(info))]
            }
            None if self.all => {
                let infos = domain.block_infos().await?.into_iter();
                infos
                    .map(|(target, info)| Size::new(target, info))
                    .collect()
            }
            None => {
                let line = "command 'domblkinfo' requires <device> option";
                return Err(Failure::new(line));
            }
        };
        Ok(Sizes {
            domain: domain.name().to_owned(),
            disks,
            human: self.human,
            is_table: self.all,
        })
    }
}

impl Size {
    fn new(target: String, info: Option<DomainBlockInfo>) -> Self {
        Self {
            target,
            capacity_bytes: info.map(|info| info.capacity),
            allocation_bytes: info.map(|info| info.allocation),
            physical_bytes: info.map(|info| info.physical),
        }
    }

    fn shown(&self, human: bool) -> [String; 3] {
        let sizes = [
            self.capacity_bytes,
            self.allocation_bytes,
            self.physical_bytes,
        ];
        // virsh shows sizes that are all 0 as none.
        if sizes.iter().all(|size| size.unwrap_or(0) == 0) {
            return sizes.map(|_| "-".to_owned());
        }
        sizes.map(|size| match (size.unwrap_or(0), human) {
            (size, false) => size.to_string(),
            (size, true) => size::pretty(size, 3),
        })
    }
}

impl Answer for Sizes {
    const SCHEMA: &'static str = "virt-esx/domain-disk-sizes/1";

    fn text(&self, quiet: bool) -> String {
        if !self.is_table {
            let lines = self.disks.iter().map(|disk| {
                let [capacity, allocation, physical] = disk.shown(self.human);
                let line = |title, value: &str| property(15, title, value);
                [
                    line("Capacity:", &capacity),
                    line("Allocation:", &allocation),
                    line("Physical:", &physical),
                ]
                .concat()
            });
            return lines.collect();
        }
        let mut table = Table::new(["Target", "Capacity", "Allocation", "Physical"]);
        for disk in &self.disks {
            let [capacity, allocation, physical] = disk.shown(self.human);
            table.push([&*disk.target, &capacity, &allocation, &physical]);
        }
        table.render(!quiet)
    }
}
