use serde::Serialize;

use crate::answer::Answer;
use crate::commands::Query;
use crate::commands::nodedev_arg::DeviceOrWwnArg;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::xpath;

/// node device details in XML
///
/// Output the node device details as an XML dump to stdout.
#[derive(Debug, clap::Args)]
pub(crate) struct NodedevDumpxml {
    #[command(flatten)]
    device: DeviceOrWwnArg,

    #[command(flatten)]
    parts: xpath::Parts,
}

/// A device's definition.
#[derive(Debug, Serialize)]
pub(crate) struct Definition {
    /// libvirt's document, or the parts of it that were asked for.
    xml: String,
}

impl Query for NodedevDumpxml {
    type Answer = Definition;

    async fn ask(self, connection: &Connection) -> Result<Definition, Failure> {
        let device = self.device.find(connection).await?;
        let xml = device.xml_desc().await?;
        Ok(Definition {
            xml: self.parts.of(xml)?,
        })
    }
}

impl Answer for Definition {
    const SCHEMA: &'static str = "virt-esx/node-device-definition/1";

    fn text(&self, _quiet: bool) -> String {
        self.xml.clone()
    }
}
