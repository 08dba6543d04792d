use serde::Serialize;
use virt_model::DomainXmlFlags;

use crate::answer::Answer;
use crate::commands::Query;
use crate::commands::definition::{self, Definition, child_attribute, first_attribute, or_dash};
use crate::commands::domain_arg::DomainArg;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::table::Table;

/// list all domain blocks
///
/// Get the summary of block devices for a domain.
#[derive(Debug, clap::Args)]
pub(crate) struct Domblklist {
    #[command(flatten)]
    domain: DomainArg,

    /// get inactive rather than running configuration
    #[arg(long)]
    inactive: bool,

    /// additionally display the type and device value
    #[arg(long)]
    details: bool,
}

/// The disks and drives of a domain.
#[derive(Debug, Serialize)]
pub(crate) struct Disks {
    domain: String,
    disks: Vec<Disk>,

    #[serde(skip)]
    details: bool,
}

/// A disk or drive.
#[derive(Debug, Serialize)]
struct Disk {
    #[serde(rename = "type")]
    kind: String,
    device: String,
    target: String,
    /// Null for an empty drive.
    source: Option<String>,
}

impl Query for Domblklist {
    type Answer = Disks;

    async fn ask(self, connection: &Connection) -> Result<Disks, Failure> {
        let domain = self.domain.find(connection).await?;
        let flags = match self.inactive {
            true => DomainXmlFlags::INACTIVE,
            false => DomainXmlFlags::NONE,
        };
        let definition = Definition::of(&domain, flags).await?;
        let disks = definition.devices("disk").map(|disk| {
            let own = |name| {
                definition::attribute(disk, name)
                    .unwrap_or_default()
                    .to_owned()
            };
            let target = child_attribute(disk, "target", "dev");
            let target = target.ok_or_else(|| Failure::new("unable to query block list"))?;
            let source = ["file", "dev", "dir", "name", "volume"];
            Ok(Disk {
                kind: own("type"),
                device: own("device"),
                target: target.to_owned(),
                source: first_attribute(disk, "source", &source).map(str::to_owned),
            })
        });
        Ok(Disks {
            domain: domain.name().to_owned(),
            disks: disks.collect::<Result<_, Failure>>()?,
            details: self.details,
        })
    }
}

impl Answer for Disks {
    const SCHEMA: &'static str = "virt-esx/domain-disks/1";

    fn text(&self, quiet: bool) -> String {
        let titles = ["Type", "Device", "Target", "Source"];
        let skipped = if self.details { 0 } else { 2 };
        let mut table = Table::new(titles.into_iter().skip(skipped));
        for disk in &self.disks {
            let source = or_dash(disk.source.as_deref());
            let cells = [&*disk.kind, &disk.device, &disk.target, source];
            table.push(cells.into_iter().skip(skipped));
        }
        table.render(!quiet)
    }
}
