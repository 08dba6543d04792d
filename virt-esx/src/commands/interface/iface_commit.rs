use super::transaction::Transaction;
use crate::commands::Command;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::{Ui, progress};

/// commit changes made since iface-begin and free restore point
///
/// Commit changes and free restore point.
#[derive(Debug, clap::Args)]
pub(crate) struct IfaceCommit {
    #[command(flatten)]
    progress: progress::Options,
}

impl Command for IfaceCommit {
    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let transaction = Transaction {
            command: "iface-commit",
            function: "virInterfaceChangeCommit",
            verb: "commit",
            done: "committed",
        };
        let operation = connection.interface_change_commit(0);
        transaction
            .perform(ui, connection, &self.progress, operation)
            .await
    }
}
