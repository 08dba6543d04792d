use esx_driver::virt_model::InterfaceDefineFlags;
use serde::Serialize;

use crate::answer::{Answer, unless_quiet};
use crate::commands::{Command, file, options};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::{Ui, progress};

/// define an inactive persistent physical host interface or modify an existing persistent one from an XML file
///
/// Define or modify a persistent physical host interface. Of an ESX host, these are interfaces of the kernel: their
/// addresses, gateway, mtu and port group. An interface of type 'bridge' with
/// the name of a port group, around one of type 'ethernet', makes one in a port group.
#[derive(Debug, clap::Args)]
pub(crate) struct IfaceDefine {
    /// file containing an XML interface description
    #[arg(value_name = "file")]
    file: String,

    /// validate the XML against the schema
    #[arg(long)]
    validate: bool,

    #[command(flatten)]
    progress: progress::Options,
}

/// An interface that was defined.
#[derive(Debug, Serialize)]
struct Defined {
    name: String,

    #[serde(skip)]
    text: String,
}

impl Command for IfaceDefine {
    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let Self { file, .. } = &self;
        options::check_text("file", Some(file))?;
        let xml = file::read(file).await?;
        let failed =
            |reason| Failure::because(format!("Failed to define interface from {file}"), reason);
        let writable = connection.check_writable("virInterfaceDefineXML");
        writable.map_err(failed)?;
        let flags = [(self.validate, InterfaceDefineFlags::VALIDATE)];
        let flags = options::flags(InterfaceDefineFlags::NONE, flags);
        let operation = connection.interface_define_xml(&xml, flags);
        let defined = ui.perform(operation, &self.progress, file).await;
        let interface = defined.map_err(|error| failed(error.into()))?;
        let name = interface.name().to_owned();
        let text = format!("Interface {name} defined from {file}\n");
        Ok(ui.answer(&Defined { name, text })?)
    }
}

impl Answer for Defined {
    const SCHEMA: &'static str = "virt-esx/interface-defined/1";

    fn text(&self, quiet: bool) -> String {
        unless_quiet(quiet, || self.text.clone())
    }
}
