use esx_driver::Interface;

use crate::commands::Command;
use crate::commands::change::Change;
use crate::commands::interface_arg::InterfaceArg;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::{Ui, progress};

/// destroy a physical host interface (disable it / "if-down")
///
/// Forcefully stop a physical host interface. An ESX host has none that are stopped: it removes an interface of its kernel.
#[derive(Debug, clap::Args)]
pub(crate) struct IfaceDestroy {
    #[command(flatten)]
    interface: InterfaceArg,

    #[command(flatten)]
    progress: progress::Options,
}

impl Command for IfaceDestroy {
    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let change = Change {
            command: "iface-destroy",
            function: "virInterfaceDestroy",
            verb: "destroy",
            done: "destroyed",
        };
        change
            .make(
                ui,
                connection,
                &self.interface,
                &self.progress,
                Interface::destroy,
            )
            .await
    }
}
