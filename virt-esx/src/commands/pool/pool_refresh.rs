use esx_driver::StoragePool;

use crate::commands::Command;
use crate::commands::change::Change;
use crate::commands::pool_arg::PoolArg;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::{Ui, progress};

/// refresh a pool
///
/// Refresh a given pool.
#[derive(Debug, clap::Args)]
pub(crate) struct PoolRefresh {
    #[command(flatten)]
    pool: PoolArg,

    #[command(flatten)]
    progress: progress::Options,
}

impl Command for PoolRefresh {
    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let change = Change {
            command: "pool-refresh",
            function: "virStoragePoolRefresh",
            verb: "refresh",
            done: "refreshed",
        };
        let operation = StoragePool::refresh;
        change
            .make(ui, connection, &self.pool, &self.progress, operation)
            .await
    }
}
