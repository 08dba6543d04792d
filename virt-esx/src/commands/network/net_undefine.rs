use esx_driver::Network;

use crate::commands::Command;
use crate::commands::change::Change;
use crate::commands::network_arg::NetworkArg;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::{Ui, progress};

/// undefine a persistent network
///
/// Undefine the configuration for a persistent network. Its switch is removed with its port groups.
#[derive(Debug, clap::Args)]
pub(crate) struct NetUndefine {
    #[command(flatten)]
    network: NetworkArg,

    #[command(flatten)]
    progress: progress::Options,
}

impl Command for NetUndefine {
    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let change = Change {
            command: "net-undefine",
            function: "virNetworkUndefine",
            verb: "undefine",
            done: "has been undefined",
        };
        let operation = Network::undefine;
        change
            .make(ui, connection, &self.network, &self.progress, operation)
            .await
    }
}
