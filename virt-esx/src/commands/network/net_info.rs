use serde::Serialize;

use crate::answer::{Answer, property};
use crate::commands::Query;
use crate::commands::network_arg::NetworkArg;
use crate::connection::Connection;
use crate::failure::Failure;

/// network information
///
/// Returns basic information about the network
#[derive(Debug, clap::Args)]
pub(crate) struct NetInfo {
    #[command(flatten)]
    network: NetworkArg,
}

/// What is known of a network. virsh has a line for the bridge, too, but not with libvirt's ESX driver.
#[derive(Debug, Serialize)]
pub(crate) struct Info {
    name: String,
    uuid: String,
    active: bool,
    persistent: bool,
    autostart: bool,
    /// The switch.
    bridge: String,
}

impl Query for NetInfo {
    type Answer = Info;

    async fn ask(self, connection: &Connection) -> Result<Info, Failure> {
        let network = self.network.find(connection).await?;
        Ok(Info {
            name: network.name().to_owned(),
            uuid: network.uuid().to_string(),
            active: network.is_active(),
            persistent: network.is_persistent(),
            autostart: network.autostart(),
            bridge: network.bridge_name().to_owned(),
        })
    }
}

impl Answer for Info {
    const SCHEMA: &'static str = "virt-esx/network-info/1";

    fn text(&self, _quiet: bool) -> String {
        let yes = |value| if value { "yes" } else { "no" };
        let line = |title, value: &str| property(15, title, value);
        line("Name:", &self.name)
            + &line("UUID:", &self.uuid)
            + &line("Active:", yes(self.active))
            + &line("Persistent:", yes(self.persistent))
            + &line("Autostart:", yes(self.autostart))
    }
}
