use super::transaction::Transaction;
use crate::commands::Command;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::{Ui, progress};

/// rollback to previous saved configuration created via iface-begin
///
/// Rollback to previous restore point: the host gets its networks back, whoever has changed them.
#[derive(Debug, clap::Args)]
pub(crate) struct IfaceRollback {
    #[command(flatten)]
    progress: progress::Options,
}

impl Command for IfaceRollback {
    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let transaction = Transaction {
            command: "iface-rollback",
            function: "virInterfaceChangeRollback",
            verb: "rollback",
            done: "rolled back",
        };
        let operation = connection.interface_change_rollback(0);
        transaction
            .perform(ui, connection, &self.progress, operation)
            .await
    }
}
