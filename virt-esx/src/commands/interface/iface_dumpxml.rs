use esx_driver::Interface;
use esx_driver::virt_model::InterfaceXmlFlags;

use crate::commands::dumpxml::Definition;
use crate::commands::interface_arg::InterfaceArg;
use crate::commands::{Query, options};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::xpath;

/// interface information in XML
///
/// Output the physical host interface information as an XML dump to stdout.
#[derive(Debug, clap::Args)]
pub(crate) struct IfaceDumpxml {
    #[command(flatten)]
    interface: InterfaceArg,

    /// show inactive defined XML
    #[arg(long)]
    inactive: bool,

    #[command(flatten)]
    parts: xpath::Parts,
}

impl Query for IfaceDumpxml {
    type Answer = Definition<Interface>;

    async fn ask(self, connection: &Connection) -> Result<Self::Answer, Failure> {
        let interface = self.interface.find(connection).await?;
        let flags = [(self.inactive, InterfaceXmlFlags::INACTIVE)];
        let flags = options::flags(InterfaceXmlFlags::NONE, flags);
        let xml = interface.xml_desc(flags).await?;
        Definition::new(xml, &self.parts)
    }
}
