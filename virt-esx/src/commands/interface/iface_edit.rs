use esx_driver::virt_model::{InterfaceDefineFlags, InterfaceXmlFlags};
use serde::Serialize;

use crate::answer::Answer;
use crate::commands::Command;
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

/// An interface whose definition was edited.
#[derive(Debug, Serialize)]
struct Edited {
    name: String,
    /// Whether anything was changed.
    changed: bool,
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
        let name = edited.as_ref().unwrap_or(&interface).name().to_owned();
        Ok(ui.answer(&Edited {
            name,
            changed: edited.is_some(),
        })?)
    }
}

impl Answer for Edited {
    const SCHEMA: &'static str = "virt-esx/interface-edited/1";

    fn text(&self, quiet: bool) -> String {
        let name = &self.name;
        match self.changed {
            _ if quiet => String::new(),
            false => format!("Interface {name} XML configuration not changed.\n"),
            true => format!("Interface {name} XML configuration edited.\n"),
        }
    }
}
