use esx_driver::Network;

use crate::commands::Command;
use crate::commands::change::Change;
use crate::commands::network_arg::NetworkArg;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::{Ui, progress};

/// start a (previously defined) inactive network
///
/// Start a network. All networks of a host are active.
#[derive(Debug, clap::Args)]
pub(crate) struct NetStart {
    #[command(flatten)]
    network: NetworkArg,

    #[command(flatten)]
    progress: progress::Options,
}

impl Command for NetStart {
    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let change = Change {
            command: "net-start",
            function: "virNetworkCreate",
            verb: "start",
            done: "started",
        };
        let operation = Network::create;
        change
            .make(ui, connection, &self.network, &self.progress, operation)
            .await
    }
}
