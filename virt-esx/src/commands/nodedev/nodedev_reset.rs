use crate::commands::Command;
use crate::commands::nodedev_arg::DeviceArg;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::{Ui, foreign};

/// reset node device
///
/// Reset node device before or after assigning to a domain. ESX(i) has no call for it: the command only fails. A device
/// that is passed through is reset when its domain starts.
#[derive(Debug, clap::Args)]
pub(crate) struct NodedevReset {
    #[command(flatten)]
    device: DeviceArg,
}

impl Command for NodedevReset {
    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let device = self.device.find(connection).await?;
        let text = self.device.text();
        let failed = |reason| Failure::because(format!("Failed to reset device {text}"), reason);
        let writable = connection.check_writable("virNodeDeviceReset");
        writable.map_err(failed)?;
        device.reset().map_err(|error| failed(error.into()))?;
        Ok(ui.line(format!("Device {} reset", foreign::line(text)))?)
    }
}
