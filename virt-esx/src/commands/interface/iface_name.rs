use serde::Serialize;

use crate::answer::Answer;
use crate::commands::{Query, interface_arg, options};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::foreign;

/// convert an interface MAC address to interface name
#[derive(Debug, clap::Args)]
pub(crate) struct IfaceName {
    /// interface mac
    #[arg(value_name = "interface")]
    interface: String,
}

/// An interface's name.
#[derive(Debug, Serialize)]
pub(crate) struct Name {
    name: String,
}

impl Query for IfaceName {
    type Answer = Name;

    async fn ask(self, connection: &Connection) -> Result<Name, Failure> {
        options::check_text("interface", Some(&self.interface))?;
        let interface = interface_arg::find_by_mac(connection, &self.interface).await?;
        Ok(Name {
            name: interface.name().to_owned(),
        })
    }
}

impl Answer for Name {
    const SCHEMA: &'static str = "virt-esx/interface-name/1";

    fn text(&self, _quiet: bool) -> String {
        format!("{}\n", foreign::line(&self.name))
    }
}
