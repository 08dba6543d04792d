use esx_driver::StorageVol;

use crate::commands::Query;
use crate::commands::dumpxml::Definition;
use crate::commands::volume_arg::{PoolOption, VolumeArg};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::xpath;

/// vol information in XML
///
/// Output the vol information as an XML dump to stdout.
#[derive(Debug, clap::Args)]
pub(crate) struct VolDumpxml {
    #[command(flatten)]
    volume: VolumeArg,

    #[command(flatten)]
    pool: PoolOption,

    #[command(flatten)]
    parts: xpath::Parts,
}

impl Query for VolDumpxml {
    type Answer = Definition<StorageVol>;

    async fn ask(self, connection: &Connection) -> Result<Self::Answer, Failure> {
        let volume = self.volume.find(connection, &self.pool).await?;
        let xml = volume.xml_desc().await?;
        Definition::new(xml, &self.parts)
    }
}
