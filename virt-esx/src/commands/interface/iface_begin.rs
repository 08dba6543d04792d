use super::transaction::Transaction;
use crate::commands::Command;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::{Ui, progress};

/// create a snapshot of current interfaces settings, which can be later committed (iface-commit) or restored (iface-rollback)
///
/// Create a restore point for interfaces settings: all networks of the host are kept in a file below $XDG_STATE_HOME.
#[derive(Debug, clap::Args)]
pub(crate) struct IfaceBegin {
    #[command(flatten)]
    progress: progress::Options,
}

impl Command for IfaceBegin {
    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let transaction = Transaction {
            command: "iface-begin",
            function: "virInterfaceChangeBegin",
            verb: "begin",
            done: "started",
        };
        let operation = connection.interface_change_begin(0);
        transaction
            .perform(ui, connection, &self.progress, operation)
            .await
    }
}
