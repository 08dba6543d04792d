//! What the commands of a transaction have in common.

use esx_driver::Operation;
use serde::Serialize;

use crate::answer::{Answer, unless_quiet};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::{Ui, progress};

/// What a command does to the transaction of a host.
pub(super) struct Transaction {
    /// The command's name.
    pub(super) command: &'static str,
    /// libvirt's function.
    pub(super) function: &'static str,
    /// What failed, in virsh's words: `begin`.
    pub(super) verb: &'static str,
    /// What was done, in virsh's words: `started`.
    pub(super) done: &'static str,
}

/// A transaction that was begun or ended.
#[derive(Debug, Serialize)]
struct Changed {
    command: &'static str,

    #[serde(skip)]
    done: &'static str,
}

impl Transaction {
    /// Begins or ends the transaction, and prints virsh's line.
    ///
    /// # Errors
    /// virsh's line, and below it the reason.
    pub(super) async fn perform(
        self,
        ui: &Ui,
        connection: &Connection,
        progress: &progress::Options,
        operation: Operation<'static>,
    ) -> Result<(), Failure> {
        let failed = |reason| {
            let message = format!("Failed to {} network config change transaction", self.verb);
            Failure::because(message, reason)
        };
        connection.check_writable(self.function).map_err(failed)?;
        connection.check_keeps_state().map_err(failed)?;
        let changed = ui.perform(operation, progress, "the host").await;
        changed.map_err(|error| failed(error.into()))?;
        Ok(ui.answer(&Changed {
            command: self.command,
            done: self.done,
        })?)
    }
}

impl Answer for Changed {
    const SCHEMA: &'static str = "virt-esx/interface-transaction/1";

    fn text(&self, quiet: bool) -> String {
        unless_quiet(quiet, || {
            format!("Network config change transaction {}\n", self.done)
        })
    }
}
