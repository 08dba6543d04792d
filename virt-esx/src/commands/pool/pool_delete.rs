use esx_driver::StoragePool;
use virt_model::StoragePoolDeleteFlags;

use crate::commands::Command;
use crate::commands::change::Change;
use crate::commands::pool_arg::PoolArg;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::{Ui, progress};

/// delete a pool
///
/// Delete a given pool.
#[derive(Debug, clap::Args)]
pub(crate) struct PoolDelete {
    #[command(flatten)]
    pool: PoolArg,

    #[command(flatten)]
    progress: progress::Options,
}

impl Command for PoolDelete {
    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let change = Change {
            command: "pool-delete",
            function: "virStoragePoolDelete",
            verb: "delete",
            done: "deleted",
        };
        let operation = |pool: &StoragePool| pool.delete(StoragePoolDeleteFlags::NONE);
        change
            .make(ui, connection, &self.pool, &self.progress, operation)
            .await
    }
}
