use esx_driver::StoragePool;
use virt_model::StoragePoolXmlFlags;

use crate::commands::dumpxml::Definition;
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

impl Query for PoolDumpxml {
    type Answer = Definition<StoragePool>;

    async fn ask(self, connection: &Connection) -> Result<Self::Answer, Failure> {
        let pool = self.pool.find(connection).await?;
        let flags = [(self.inactive, StoragePoolXmlFlags::INACTIVE)];
        let flags = options::flags(StoragePoolXmlFlags::NONE, flags);
        let xml = pool.xml_desc(flags).await?;
        Definition::new(xml, &self.parts)
    }
}
