use virt_model::flags::SnapshotXmlFlags;

use super::definition::{self, Definition};
use crate::commands::domain_arg::DomainArg;
use crate::commands::{Query, options};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::xpath;

/// Dump XML for a domain snapshot
///
/// Snapshot Dump XML
#[derive(Debug, clap::Args)]
pub(crate) struct SnapshotDumpxml {
    #[command(flatten)]
    domain: DomainArg,

    /// snapshot name
    #[arg(value_name = "snapshotname")]
    snapshotname: String,

    /// include security sensitive information in XML dump
    #[arg(long)]
    security_info: bool,

    #[command(flatten)]
    parts: xpath::Parts,
}

impl Query for SnapshotDumpxml {
    type Answer = Definition;

    async fn ask(self, connection: &Connection) -> Result<Definition, Failure> {
        options::check_text("snapshotname", Some(&self.snapshotname))?;
        let domain = self.domain.find(connection).await?;
        let entry = domain.snapshot_entry(&self.snapshotname).await?;
        let flags = [(self.security_info, SnapshotXmlFlags::SECURE)];
        let flags = options::flags(SnapshotXmlFlags::NONE, flags);
        let xml = definition::of(connection, &entry, flags)?;
        Ok(Definition {
            xml: self.parts.of(xml)?,
            end: "",
        })
    }
}
