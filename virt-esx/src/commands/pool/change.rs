//! What the commands that change a pool have in common.

use esx_driver::{Operation, StoragePool};
use serde::Serialize;

use crate::answer::{Answer, unless_quiet};
use crate::commands::pool_arg::PoolArg;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::{Ui, progress};

/// What a command does to its pool.
pub(super) struct Change {
    /// The command's name.
    pub(super) command: &'static str,
    /// libvirt's function.
    pub(super) function: &'static str,
    /// What failed, in virsh's words: `build`.
    pub(super) verb: &'static str,
    /// What was done, in virsh's words: `built`.
    pub(super) done: &'static str,
}

/// A pool that was changed.
#[derive(Debug, Serialize)]
struct Changed {
    command: &'static str,
    /// Its name.
    pool: String,

    /// virsh prints what the command line has.
    #[serde(skip)]
    text: String,
}

impl Change {
    /// Finds the pool, changes it, and prints virsh's line.
    ///
    /// # Errors
    /// virsh's line, and below it the reason.
    pub(super) async fn make(
        self,
        ui: &Ui,
        connection: &Connection,
        pool: &PoolArg,
        progress: &progress::Options,
        operation: impl FnOnce(&StoragePool) -> Operation<'static>,
    ) -> Result<(), Failure> {
        let found = pool.find(connection).await?;
        let text = pool.text();
        let failed =
            |reason| Failure::because(format!("Failed to {} pool {text}", self.verb), reason);
        let writable = connection.check_writable(self.function);
        writable.map_err(failed)?;
        let changed = ui.perform(operation(&found), progress, found.name()).await;
        changed.map_err(|error| failed(error.into()))?;
        self.tell(ui, &found, text)
    }

    /// Prints virsh's line.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub(super) fn tell(&self, ui: &Ui, pool: &StoragePool, text: &str) -> Result<(), Failure> {
        Ok(ui.answer(&Changed {
            command: self.command,
            pool: pool.name().to_owned(),
            text: format!("Pool {text} {}\n", self.done),
        })?)
    }
}

impl Answer for Changed {
    const SCHEMA: &'static str = "virt-esx/pool-changed/1";

    fn text(&self, quiet: bool) -> String {
        unless_quiet(quiet, || self.text.clone())
    }
}

/// A pool that was defined or created.
#[derive(Debug, Serialize)]
pub(super) struct Made {
    name: String,
    uuid: String,

    #[serde(skip)]
    text: String,
}

impl Made {
    /// The pool, and virsh's words for what was done.
    pub(super) fn new(pool: &StoragePool, done: &str) -> Self {
        Self {
            name: pool.name().to_owned(),
            uuid: pool.uuid().to_string(),
            text: format!("Pool {} {done}\n", pool.name()),
        }
    }
}

impl Answer for Made {
    const SCHEMA: &'static str = "virt-esx/pool-made/1";

    fn text(&self, quiet: bool) -> String {
        unless_quiet(quiet, || self.text.clone())
    }
}
