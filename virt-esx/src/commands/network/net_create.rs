use virt_model::flags::NetworkCreateFlags;

use crate::commands::change::Made;
use crate::commands::{Command, file, options};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::{Ui, progress};

/// create a network from an XML file
///
/// Create a network. A host keeps no networks that are not persistent: the network is defined, too.
#[derive(Debug, clap::Args)]
pub(crate) struct NetCreate {
    /// file containing an XML network description
    #[arg(value_name = "file")]
    file: String,

    /// validate the XML against the schema
    #[arg(long)]
    validate: bool,

    #[command(flatten)]
    progress: progress::Options,
}

impl Command for NetCreate {
    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let Self { file, .. } = &self;
        options::check_text("file", Some(file))?;
        let xml = file::read(file).await?;
        let failed =
            |reason| Failure::because(format!("Failed to create network from {file}"), reason);
        let writable = connection.check_writable("virNetworkCreateXML");
        writable.map_err(failed)?;
        let flags = [(self.validate, NetworkCreateFlags::VALIDATE)];
        let flags = options::flags(NetworkCreateFlags::NONE, flags);
        let operation = connection.network_create_xml(&xml, flags);
        let made = ui.perform(operation, &self.progress, file).await;
        let network = made.map_err(|error| failed(error.into()))?;
        Ok(ui.answer(&Made::new(&network, &format!("created from {file}")))?)
    }
}
