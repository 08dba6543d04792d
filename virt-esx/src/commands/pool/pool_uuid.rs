use serde::Serialize;

use crate::answer::Answer;
use crate::commands::Query;
use crate::commands::pool_arg::PoolArg;
use crate::connection::Connection;
use crate::failure::Failure;

/// convert a pool name to pool UUID
#[derive(Debug, clap::Args)]
pub(crate) struct PoolUuid {
    #[command(flatten)]
    pool: PoolArg,
}

/// A pool's UUID.
#[derive(Debug, Serialize)]
pub(crate) struct Uuid {
    uuid: String,
}

impl Query for PoolUuid {
    type Answer = Uuid;

    async fn ask(self, connection: &Connection) -> Result<Uuid, Failure> {
        let pool = self.pool.find_by_name(connection).await?;
        Ok(Uuid {
            uuid: pool.uuid().to_string(),
        })
    }
}

impl Answer for Uuid {
    const SCHEMA: &'static str = "virt-esx/pool-uuid/1";

    fn text(&self, _quiet: bool) -> String {
        format!("{}\n", self.uuid)
    }
}
