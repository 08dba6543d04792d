//! What the commands that pass devices through to domains and take them back have in common.

use esx_driver::{NodeDevice, Operation, Passthrough};
use serde::Serialize;

use crate::answer::{Answer, unless_quiet};
use crate::commands::nodedev_arg::DeviceArg;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::{Ui, progress};

/// What a command does to its device.
pub(super) struct Change {
    /// The command's name.
    pub(super) command: &'static str,
    /// libvirt's function.
    pub(super) function: &'static str,
    /// What failed, in virsh's words: `detach`.
    pub(super) verb: &'static str,
    /// What was done, in virsh's words: `detached`.
    pub(super) done: &'static str,
    /// What is so after a reboot, if one is needed.
    pub(super) after_reboot: &'static str,
}

/// A device that was changed.
#[derive(Debug, Serialize)]
struct Changed {
    command: &'static str,
    /// Its name.
    device: String,
    /// Whether the host has to be rebooted before it is so.
    needs_reboot: bool,

    #[serde(skip)]
    text: String,
}

impl Change {
    /// Finds the device, changes it, and prints virsh's line, and below it that the host has to be rebooted if it has to.
    ///
    /// # Errors
    /// virsh's line, and below it the reason.
    pub(super) async fn make(
        self,
        ui: &Ui,
        connection: &Connection,
        device: &DeviceArg,
        progress: &progress::Options,
        operation: impl FnOnce(&NodeDevice) -> Operation<'static, Passthrough>,
    ) -> Result<(), Failure> {
        let found = device.find(connection).await?;
        let text = device.text();
        let failed =
            |reason| Failure::because(format!("Failed to {} device {text}", self.verb), reason);
        let writable = connection.check_writable(self.function);
        writable.map_err(failed)?;
        let changed = ui.perform(operation(&found), progress, found.name()).await;
        let state = changed.map_err(|error| failed(error.into()))?;
        let mut text = format!("Device {text} {}\n", self.done);
        if state.needs_reboot() {
            let then = self.after_reboot;
            text += &format!("The host has to be rebooted: {then}\n");
        }
        Ok(ui.answer(&Changed {
            command: self.command,
            device: found.name().to_owned(),
            needs_reboot: state.needs_reboot(),
            text,
        })?)
    }
}

impl Answer for Changed {
    const SCHEMA: &'static str = "virt-esx/node-device-changed/1";

    fn text(&self, quiet: bool) -> String {
        unless_quiet(quiet, || self.text.clone())
    }
}
