//! What the commands that change a network have in common.

use esx_driver::{Network, Operation};
use serde::Serialize;

use crate::answer::{Answer, unless_quiet};
use crate::commands::network_arg::NetworkArg;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::{Ui, progress};

/// What a command does to its network.
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

/// A network that was changed.
#[derive(Debug, Serialize)]
struct Changed {
    command: &'static str,
    /// Its name.
    network: String,

    #[serde(skip)]
    text: String,
}

impl Change {
    /// Finds the network, changes it, and prints virsh's line.
    ///
    /// # Errors
    /// virsh's line, and below it the reason.
    pub(super) async fn make(
        self,
        ui: &Ui,
        connection: &Connection,
        network: &NetworkArg,
        progress: &progress::Options,
        operation: impl FnOnce(&Network) -> Operation<'static>,
    ) -> Result<(), Failure> {
        let found = network.find(connection).await?;
        let text = network.text();
        let failed =
            |reason| Failure::because(format!("Failed to {} network {text}", self.verb), reason);
        let writable = connection.check_writable(self.function);
        writable.map_err(failed)?;
        let changed = ui.perform(operation(&found), progress, found.name()).await;
        changed.map_err(|error| failed(error.into()))?;
        tell(
            ui,
            self.command,
            &found,
            format!("Network {text} {}\n", self.done),
        )
    }
}

/// Prints virsh's line, which has the words of the command line.
///
/// # Errors
/// When the output cannot be written.
pub(super) fn tell(
    ui: &Ui,
    command: &'static str,
    network: &Network,
    text: String,
) -> Result<(), Failure> {
    Ok(ui.answer(&Changed {
        command,
        network: network.name().to_owned(),
        text,
    })?)
}

impl Answer for Changed {
    const SCHEMA: &'static str = "virt-esx/network-changed/1";

    fn text(&self, quiet: bool) -> String {
        unless_quiet(quiet, || self.text.clone())
    }
}

/// A network that was defined or created.
#[derive(Debug, Serialize)]
pub(super) struct Made {
    name: String,
    uuid: String,

    #[serde(skip)]
    text: String,
}

impl Made {
    /// The network, and virsh's words for what was done.
    pub(super) fn new(network: &Network, done: &str) -> Self {
        Self {
            name: network.name().to_owned(),
            uuid: network.uuid().to_string(),
            text: format!("Network {} {done}\n", network.name()),
        }
    }
}

impl Answer for Made {
    const SCHEMA: &'static str = "virt-esx/network-made/1";

    fn text(&self, quiet: bool) -> String {
        unless_quiet(quiet, || self.text.clone())
    }
}
