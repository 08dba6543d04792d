use esx_driver::NodeDevice;

use crate::commands::Query;
use crate::commands::dumpxml::Definition;
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

impl Query for NodedevDumpxml {
    type Answer = Definition<NodeDevice>;

    async fn ask(self, connection: &Connection) -> Result<Self::Answer, Failure> {
        let device = self.device.find(connection).await?;
        let xml = device.xml_desc().await?;
        Definition::new(xml, &self.parts)
    }
}
