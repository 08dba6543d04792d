use esx_driver::StoragePool;

use crate::commands::Command;
use crate::commands::change::Change;
use crate::commands::pool_arg::PoolArg;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::{Ui, progress};

/// destroy (stop) a pool
///
/// Forcefully stop a given pool. Raw data in the pool is untouched.
#[derive(Debug, clap::Args)]
pub(crate) struct PoolDestroy {
    #[command(flatten)]
    pool: PoolArg,

    #[command(flatten)]
    progress: progress::Options,
}

impl Command for PoolDestroy {
    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let change = Change {
            command: "pool-destroy",
            function: "virStoragePoolDestroy",
            verb: "destroy",
            done: "destroyed",
        };
        let operation = StoragePool::destroy;
        change
            .make(ui, connection, &self.pool, &self.progress, operation)
            .await
    }
}
