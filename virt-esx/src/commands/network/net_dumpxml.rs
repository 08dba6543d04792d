use serde::Serialize;
use virt_model::flags::NetworkXmlFlags;

use crate::answer::Answer;
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

/// A network's definition.
#[derive(Debug, Serialize)]
pub(crate) struct Definition {
    /// libvirt's document, or the parts of it that were asked for.
    xml: String,
}

impl Query for NetDumpxml {
    type Answer = Definition;

    async fn ask(self, connection: &Connection) -> Result<Definition, Failure> {
        let network = self.network.find(connection).await?;
        let flags = [(self.inactive, NetworkXmlFlags::INACTIVE)];
        let flags = options::flags(NetworkXmlFlags::NONE, flags);
        let xml = network.xml_desc(flags).await?;
        Ok(Definition {
            xml: self.parts.of(xml)?,
        })
    }
}

impl Answer for Definition {
    const SCHEMA: &'static str = "virt-esx/network-definition/1";

    fn text(&self, _quiet: bool) -> String {
        self.xml.clone()
    }
}
