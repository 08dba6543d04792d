use esx_driver::Interface;

use crate::commands::Command;
use crate::commands::change::Change;
use crate::commands::interface_arg::InterfaceArg;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::{Ui, progress};

/// undefine a physical host interface (remove it from configuration)
///
/// Undefine an interface. Of an ESX host, only interfaces of the kernel (vmk1) can be removed.
#[derive(Debug, clap::Args)]
pub(crate) struct IfaceUndefine {
    #[command(flatten)]
    interface: InterfaceArg,

    #[command(flatten)]
    progress: progress::Options,
}

impl Command for IfaceUndefine {
    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let change = Change {
            command: "iface-undefine",
            function: "virInterfaceUndefine",
            verb: "undefine",
            done: "undefined",
        };
        change
            .make(
                ui,
                connection,
                &self.interface,
                &self.progress,
                Interface::undefine,
            )
            .await
    }
}
