use serde::Serialize;

use crate::answer::Answer;
use crate::commands::Query;
use crate::commands::network_arg::NetworkArg;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::foreign;

/// convert a network UUID to network name
#[derive(Debug, clap::Args)]
pub(crate) struct NetName {
    #[command(flatten)]
    network: NetworkArg,
}

/// A network's name.
#[derive(Debug, Serialize)]
pub(crate) struct Name {
    name: String,
}

impl Query for NetName {
    type Answer = Name;

    async fn ask(self, connection: &Connection) -> Result<Name, Failure> {
        let network = self.network.find_by_uuid(connection).await?;
        Ok(Name {
            name: network.name().to_owned(),
        })
    }
}

impl Answer for Name {
    const SCHEMA: &'static str = "virt-esx/network-name/1";

    fn text(&self, _quiet: bool) -> String {
        format!("{}\n", foreign::line(&self.name))
    }
}
