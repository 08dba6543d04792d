//! What the commands that change an interface have in common.

use esx_driver::{Interface, Operation};
use serde::Serialize;

use crate::answer::{Answer, unless_quiet};
use crate::commands::interface_arg::InterfaceArg;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::{Ui, progress};

/// What a command does to its interface.
pub(super) struct Change {
    /// The command's name.
    pub(super) command: &'static str,
    /// libvirt's function.
    pub(super) function: &'static str,
    /// What failed, in virsh's words: `start`.
    pub(super) verb: &'static str,
    /// What was done, in virsh's words: `started`.
    pub(super) done: &'static str,
}

/// An interface that was changed.
#[derive(Debug, Serialize)]
pub(super) struct Changed {
    pub(super) command: &'static str,
    /// Its name.
    pub(super) interface: String,

    /// virsh prints what the command line has.
    #[serde(skip)]
    pub(super) text: String,
}

impl Change {
    /// Finds the interface, changes it, and prints virsh's line.
    ///
    /// # Errors
    /// virsh's line, and below it the reason.
    pub(super) async fn make(
        self,
        ui: &Ui,
        connection: &Connection,
        interface: &InterfaceArg,
        progress: &progress::Options,
        operation: impl FnOnce(&Interface) -> Operation<'static>,
    ) -> Result<(), Failure> {
        let found = interface.find(connection).await?;
        let text = interface.text();
        let failed =
            |reason| Failure::because(format!("Failed to {} interface {text}", self.verb), reason);
        let writable = connection.check_writable(self.function);
        writable.map_err(failed)?;
        let changed = ui.perform(operation(&found), progress, found.name()).await;
        changed.map_err(|error| failed(error.into()))?;
        Ok(ui.answer(&Changed {
            command: self.command,
            interface: found.name().to_owned(),
            text: format!("Interface {text} {}\n", self.done),
        })?)
    }
}

impl Answer for Changed {
    const SCHEMA: &'static str = "virt-esx/interface-changed/1";

    fn text(&self, quiet: bool) -> String {
        unless_quiet(quiet, || self.text.clone())
    }
}
