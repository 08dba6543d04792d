use esx_driver::NodeDevice;

use super::change::Change;
use crate::commands::Command;
use crate::commands::change;
use crate::commands::nodedev_arg::DeviceArg;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::{Ui, progress};

/// reattach node device to its device driver
///
/// Reattach node device to its device driver once released by the domain: disables the passthrough of a PCI device. Many
/// hosts have to be rebooted then, which is told.
#[derive(Debug, clap::Args)]
pub(crate) struct NodedevReattach {
    #[command(flatten)]
    device: DeviceArg,

    #[command(flatten)]
    progress: progress::Options,
}

impl Command for NodedevReattach {
    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let change = Change {
            change: change::Change {
                command: "nodedev-reattach",
                function: "virNodeDeviceReAttach",
                verb: "re-attach",
                done: "re-attached",
            },
            after_reboot: "it uses the device itself then",
        };
        let operation = NodeDevice::re_attach;
        change
            .make(ui, connection, &self.device, &self.progress, operation)
            .await
    }
}
