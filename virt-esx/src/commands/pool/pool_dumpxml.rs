use serde::Serialize;
use virt_model::StoragePoolXmlFlags;

use crate::answer::Answer;
use crate::commands::pool_arg::PoolArg;
use crate::commands::{Query, options};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::xpath;

/// pool information in XML
///
/// Output the pool information as an XML dump to stdout.
#[derive(Debug, clap::Args)]
pub(crate) struct PoolDumpxml {
    #[command(flatten)]
    pool: PoolArg,

    /// show inactive defined XML
    #[arg(long)]
    inactive: bool,

    #[command(flatten)]
    parts: xpath::Parts,
}

/// A pool's definition.
#[derive(Debug, Serialize)]
pub(crate) struct Definition {
    /// libvirt's document, or the parts of it that were asked for.
    xml: String,
}

impl Query for PoolDumpxml {
    type Answer = Definition;

    async fn ask(self, connection: &Connection) -> Result<Definition, Failure> {
        let pool = self.pool.find(connection).await?;
        let flags = [(self.inactive, StoragePoolXmlFlags::INACTIVE)];
        let flags = options::flags(StoragePoolXmlFlags::NONE, flags);
        let xml = pool.xml_desc(flags).await?;
        Ok(Definition {
            xml: self.parts.of(xml)?,
        })
    }
}

impl Answer for Definition {
    const SCHEMA: &'static str = "virt-esx/pool-definition/1";

    fn text(&self, _quiet: bool) -> String {
        self.xml.clone()
    }
}
