use esx_driver::Interface;

use crate::commands::Command;
use crate::commands::change::Change;
use crate::commands::interface_arg::InterfaceArg;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::{Ui, progress};

/// start a physical host interface (enable it / "if-up")
///
/// Start a physical host interface. An interface of an ESX host is active as long as it exists.
#[derive(Debug, clap::Args)]
pub(crate) struct IfaceStart {
    #[command(flatten)]
    interface: InterfaceArg,

    #[command(flatten)]
    progress: progress::Options,
}

impl Command for IfaceStart {
    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let change = Change {
            command: "iface-start",
            function: "virInterfaceCreate",
            verb: "start",
            done: "started",
        };
        change
            .make(
                ui,
                connection,
                &self.interface,
                &self.progress,
                Interface::create,
            )
            .await
    }
}
