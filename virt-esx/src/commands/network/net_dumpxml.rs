use esx_driver::Network;
use virt_model::flags::NetworkXmlFlags;

use crate::commands::dumpxml::Definition;
use crate::commands::network_arg::NetworkArg;
use crate::commands::{Query, options};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::xpath;

/// network information in XML
///
/// Output the network information as an XML dump to stdout.
#[derive(Debug, clap::Args)]
pub(crate) struct NetDumpxml {
    #[command(flatten)]
    network: NetworkArg,

    /// show inactive defined XML
    #[arg(long)]
    inactive: bool,

    #[command(flatten)]
    parts: xpath::Parts,
}

impl Query for NetDumpxml {
    type Answer = Definition<Network>;

    async fn ask(self, connection: &Connection) -> Result<Self::Answer, Failure> {
        let network = self.network.find(connection).await?;
        let flags = [(self.inactive, NetworkXmlFlags::INACTIVE)];
        let flags = options::flags(NetworkXmlFlags::NONE, flags);
        let xml = network.xml_desc(flags).await?;
        Definition::new(xml, &self.parts)
    }
}
