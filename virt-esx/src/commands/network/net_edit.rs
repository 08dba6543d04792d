use esx_driver::{ErrorKind, Network};
use virt_model::flags::{NetworkDefineFlags, NetworkXmlFlags};

use crate::commands::Command;
use crate::commands::change::Edited;
use crate::commands::editor::{self, Refusal};
use crate::commands::network_arg::NetworkArg;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::{Ui, progress};

/// edit XML configuration for a network
///
/// Edit the XML configuration for a network. The editor is that of the environment variable VISUAL or EDITOR, else vi.
#[derive(Debug, clap::Args)]
pub(crate) struct NetEdit {
    #[command(flatten)]
    network: NetworkArg,

    #[command(flatten)]
    progress: progress::Options,
}

impl Command for NetEdit {
    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let network = self.network.find(connection).await?;
        let xml = described(&network).await?;
        let edited = editor::edit(ui, &xml, async |text, is_forced| {
            if !is_forced && described(&network).await? != xml {
                return Err(Refusal::Changed);
            }
            connection.check_writable("virNetworkDefineXML")?;
            let flags = NetworkDefineFlags::NONE;
            let operation = network.connect().network_define_xml(text, flags);
            Ok(ui
                .perform(operation, &self.progress, network.name())
                .await?)
        })
        .await?;
        Ok(ui.answer(&Edited::new(&network, edited.as_ref()))?)
    }
}

/// The document to edit. virsh asks for the inactive definition first, which not every network has.
async fn described(network: &Network) -> Result<String, Failure> {
    match network.xml_desc(NetworkXmlFlags::INACTIVE).await {
        Err(error) if error.kind() == ErrorKind::UnsupportedFlags => {
            Ok(network.xml_desc(NetworkXmlFlags::NONE).await?)
        }
        described => Ok(described?),
    }
}
