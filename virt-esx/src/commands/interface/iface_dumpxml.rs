use esx_driver::virt_model::InterfaceXmlFlags;
use serde::Serialize;

use crate::answer::Answer;
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

/// An interface's definition.
#[derive(Debug, Serialize)]
pub(crate) struct Definition {
    /// libvirt's document, or the parts of it that were asked for.
    xml: String,
}

impl Query for IfaceDumpxml {
    type Answer = Definition;

    async fn ask(self, connection: &Connection) -> Result<Definition, Failure> {
        let interface = self.interface.find(connection).await?;
        let flags = [(self.inactive, InterfaceXmlFlags::INACTIVE)];
        let flags = options::flags(InterfaceXmlFlags::NONE, flags);
        let xml = interface.xml_desc(flags).await?;
        Ok(Definition {
            xml: self.parts.of(xml)?,
        })
    }
}

impl Answer for Definition {
    const SCHEMA: &'static str = "virt-esx/interface-definition/1";

    fn text(&self, _quiet: bool) -> String {
        self.xml.clone()
    }
}
