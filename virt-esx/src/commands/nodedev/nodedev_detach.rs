use super::change::Change;
use crate::commands::Command;
use crate::commands::change;
use crate::commands::nodedev_arg::DeviceArg;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::{Ui, progress};

/// detach node device from its device driver
///
/// Detach node device from its device driver before assigning to a domain: enables the passthrough of a PCI device. Many
/// hosts have to be rebooted then, which is told.
#[derive(Debug, clap::Args)]
pub(crate) struct NodedevDetach {
    #[command(flatten)]
    device: DeviceArg,

    /// pci device assignment backend driver (e.g. 'vfio' or 'xen'); hosts have 'pciPassthru'
    #[arg(value_name = "driver")]
    driver: Option<String>,

    #[command(flatten)]
    progress: progress::Options,
}

impl Command for NodedevDetach {
    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        // virsh takes an empty text for none.
        let driver = self.driver.as_deref().filter(|driver| !driver.is_empty());
        let change = Change {
            change: change::Change {
                command: "nodedev-detach",
                function: match driver {
                    Some(_) => "virNodeDeviceDetachFlags",
                    None => "virNodeDeviceDettach",
                },
                verb: "detach",
                done: "detached",
            },
            after_reboot: "domains can have the device then",
        };
        change
            .make(ui, connection, &self.device, &self.progress, |device| {
                device.detach(driver)
            })
            .await
    }
}
