use virt_model::flags::NetworkDefineFlags;

use crate::commands::change::Made;
use crate::commands::{Command, file, options};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::{Ui, progress};

/// define an inactive persistent virtual network or modify an existing persistent one from an XML file
///
/// Define or modify a persistent virtual network. A host keeps no networks that are not active: the network is started, too.
#[derive(Debug, clap::Args)]
pub(crate) struct NetDefine {
    /// file containing an XML network description
    #[arg(value_name = "file")]
    file: String,

    /// validate the XML against the schema
    #[arg(long)]
    validate: bool,

    #[command(flatten)]
    progress: progress::Options,
}

impl Command for NetDefine {
    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let Self { file, .. } = &self;
        options::check_text("file", Some(file))?;
        let xml = file::read(file).await?;
        let failed =
            |reason| Failure::because(format!("Failed to define network from {file}"), reason);
        let writable = connection.check_writable("virNetworkDefineXML");
        writable.map_err(failed)?;
        let flags = [(self.validate, NetworkDefineFlags::VALIDATE)];
        let flags = options::flags(NetworkDefineFlags::NONE, flags);
        let operation = connection.network_define_xml(&xml, flags);
        let made = ui.perform(operation, &self.progress, file).await;
        let network = made.map_err(|error| failed(error.into()))?;
        Ok(ui.answer(&Made::new(&network, &format!("defined from {file}")))?)
    }
}
