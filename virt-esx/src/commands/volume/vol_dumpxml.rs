use serde::Serialize;

use crate::answer::Answer;
use crate::commands::Query;
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

/// A volume's definition.
#[derive(Debug, Serialize)]
pub(crate) struct Definition {
    /// libvirt's document, or the parts of it that were asked for.
    xml: String,
}

impl Query for VolDumpxml {
    type Answer = Definition;

    async fn ask(self, connection: &Connection) -> Result<Definition, Failure> {
        let volume = self.volume.find(connection, &self.pool).await?;
        let xml = volume.xml_desc().await?;
        Ok(Definition {
            xml: self.parts.of(xml)?,
        })
    }
}

impl Answer for Definition {
    const SCHEMA: &'static str = "virt-esx/volume-definition/1";

    fn text(&self, _quiet: bool) -> String {
        self.xml.clone()
    }
}
