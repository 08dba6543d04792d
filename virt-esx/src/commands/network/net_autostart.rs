use crate::commands::Command;
use crate::commands::change::tell;
use crate::commands::network_arg::NetworkArg;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::Ui;

/// autostart a network
///
/// Configure a network to be automatically started at boot. All networks of a host are.
#[derive(Debug, clap::Args)]
pub(crate) struct NetAutostart {
    #[command(flatten)]
    network: NetworkArg,

    /// disable autostarting
    #[arg(long)]
    disable: bool,
}

impl Command for NetAutostart {
    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let network = self.network.find(connection).await?;
        let text = self.network.text();
        let verb = if self.disable { "unmark" } else { "mark" };
        let failed = |reason| {
            let message = format!("failed to {verb} network {text} as autostarted");
            Failure::because(message, reason)
        };
        let writable = connection.check_writable("virNetworkSetAutostart");
        writable.map_err(failed)?;
        let set = network.set_autostart(!self.disable);
        set.map_err(|error| failed(error.into()))?;
        let line = format!("Network {text} {verb}ed as autostarted\n");
        tell(ui, "net-autostart", &network, line)
    }
}
