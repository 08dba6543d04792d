use esx_driver::StoragePool;

use crate::commands::Command;
use crate::commands::change::Change;
use crate::commands::pool_arg::PoolArg;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::{Ui, progress};

/// undefine an inactive pool
///
/// Undefine the configuration for an inactive pool.
#[derive(Debug, clap::Args)]
pub(crate) struct PoolUndefine {
    #[command(flatten)]
    pool: PoolArg,

    #[command(flatten)]
    progress: progress::Options,
}

impl Command for PoolUndefine {
    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let change = Change {
            command: "pool-undefine",
            function: "virStoragePoolUndefine",
            verb: "undefine",
            done: "has been undefined",
        };
        let operation = StoragePool::undefine;
        change
            .make(ui, connection, &self.pool, &self.progress, operation)
            .await
    }
}
