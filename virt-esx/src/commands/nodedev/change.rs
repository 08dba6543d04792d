//! What the commands that pass devices through to domains and take them back have in common.

use esx_driver::{NodeDevice, Operation, Passthrough};
use serde::Serialize;

use crate::answer::{Answer, unless_quiet};
use crate::commands::change;
use crate::commands::nodedev_arg::DeviceArg;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::{Ui, progress};

/// What a command does to its device.
pub(super) struct Change {
    /// The change itself.
    pub(super) change: change::Change,
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
        let change = self.change;
        let (found, state) = change
            .apply(ui, connection, device, progress, operation)
            .await?;
        let mut text = format!("Device {} {}\n", device.text(), change.done);
        if state.needs_reboot() {
            let then = self.after_reboot;
            text += &format!("The host has to be rebooted: {then}\n");
        }
        Ok(ui.answer(&Changed {
            command: change.command,
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
