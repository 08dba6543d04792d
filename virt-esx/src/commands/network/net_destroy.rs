use esx_driver::Network;

use crate::commands::Command;
use crate::commands::change::Change;
use crate::commands::network_arg::NetworkArg;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::{Ui, progress};

/// destroy (stop) a network
///
/// Forcefully stop a given network. Its switch is removed: a host keeps no networks that are not active.
#[derive(Debug, clap::Args)]
pub(crate) struct NetDestroy {
    #[command(flatten)]
    network: NetworkArg,

    #[command(flatten)]
    progress: progress::Options,
}

impl Command for NetDestroy {
    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let change = Change {
            command: "net-destroy",
            function: "virNetworkDestroy",
            verb: "destroy",
            done: "destroyed",
        };
        let operation = Network::destroy;
        change
            .make(ui, connection, &self.network, &self.progress, operation)
            .await
    }
}
