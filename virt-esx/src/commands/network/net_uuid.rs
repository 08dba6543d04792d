use serde::Serialize;

use crate::answer::Answer;
use crate::commands::Query;
use crate::commands::network_arg::NetworkArg;
use crate::connection::Connection;
use crate::failure::Failure;

/// convert a network name to network UUID
#[derive(Debug, clap::Args)]
pub(crate) struct NetUuid {
    #[command(flatten)]
    network: NetworkArg,
}

/// A network's UUID.
#[derive(Debug, Serialize)]
pub(crate) struct Uuid {
    uuid: String,
}

impl Query for NetUuid {
    type Answer = Uuid;

    async fn ask(self, connection: &Connection) -> Result<Uuid, Failure> {
        let network = self.network.find_by_name(connection).await?;
        Ok(Uuid {
            uuid: network.uuid().to_string(),
        })
    }
}

impl Answer for Uuid {
    const SCHEMA: &'static str = "virt-esx/network-uuid/1";

    fn text(&self, _quiet: bool) -> String {
        format!("{}\n", self.uuid)
    }
}
