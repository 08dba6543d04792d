use serde::Serialize;

use crate::answer::Answer;
use crate::commands::Query;
use crate::commands::pool_arg::PoolArg;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::foreign;

/// convert a pool UUID to pool name
#[derive(Debug, clap::Args)]
pub(crate) struct PoolName {
    #[command(flatten)]
    pool: PoolArg,
}

/// A pool's name.
#[derive(Debug, Serialize)]
pub(crate) struct Name {
    name: String,
}

impl Query for PoolName {
    type Answer = Name;

    async fn ask(self, connection: &Connection) -> Result<Name, Failure> {
        let pool = self.pool.find_by_uuid(connection).await?;
        Ok(Name {
            name: pool.name().to_owned(),
        })
    }
}

impl Answer for Name {
    const SCHEMA: &'static str = "virt-esx/pool-name/1";

    fn text(&self, _quiet: bool) -> String {
        format!("{}\n", foreign::line(&self.name))
    }
}
