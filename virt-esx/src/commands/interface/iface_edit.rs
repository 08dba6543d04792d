use esx_driver::virt_model::{InterfaceDefineFlags, InterfaceXmlFlags};

use crate::commands::Command;
use crate::commands::change::Edited;
use crate::commands::editor::{self, Refusal};
use crate::commands::interface_arg::InterfaceArg;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::{Ui, progress};

/// edit XML configuration for a physical host interface
///
/// Edit the XML configuration for a physical host interface. The editor is that of the environment variable VISUAL or
/// EDITOR, else vi.
#[derive(Debug, clap::Args)]
pub(crate) struct IfaceEdit {
    #[command(flatten)]
    interface: InterfaceArg,

    #[command(flatten)]
    progress: progress::Options,
}

impl Command for IfaceEdit {
    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let interface = self.interface.find(connection).await?;
        let xml = interface.xml_desc(InterfaceXmlFlags::INACTIVE).await?;
        let edited = editor::edit(ui, &xml, async |text, is_forced| {
            if !is_forced && interface.xml_desc(InterfaceXmlFlags::INACTIVE).await? != xml {
                return Err(Refusal::Changed);
            }
            connection.check_writable("virInterfaceDefineXML")?;
            let operation = connection.interface_define_xml(text, InterfaceDefineFlags::NONE);
            Ok(ui
                .perform(operation, &self.progress, interface.name())
                .await?)
        })
        .await?;
        Ok(ui.answer(&Edited::new(&interface, edited.as_ref()))?)
    }
}
