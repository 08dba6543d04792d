use serde::Serialize;

use crate::answer::Answer;
use crate::commands::{Query, interface_arg, options};
use crate::connection::Connection;
use crate::failure::Failure;

/// convert an interface name to interface MAC address
#[derive(Debug, clap::Args)]
pub(crate) struct IfaceMac {
    /// interface name
    #[arg(value_name = "interface")]
    interface: String,
}

/// An interface's hardware address.
#[derive(Debug, Serialize)]
pub(crate) struct Mac {
    mac: Option<String>,
}

impl Query for IfaceMac {
    type Answer = Mac;

    async fn ask(self, connection: &Connection) -> Result<Mac, Failure> {
        options::check_text("interface", Some(&self.interface))?;
        let interface = interface_arg::find_by_name(connection, &self.interface).await?;
        Ok(Mac {
            mac: interface.mac().map(str::to_owned),
        })
    }
}

impl Answer for Mac {
    const SCHEMA: &'static str = "virt-esx/interface-mac/1";

    fn text(&self, _quiet: bool) -> String {
        format!("{}\n", self.mac.as_deref().unwrap_or_default())
    }
}
