use esx_driver::StoragePool;
use virt_model::StoragePoolBuildFlags;

use crate::commands::change::Change;
use crate::commands::pool_arg::PoolArg;
use crate::commands::{Command, options};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::{Ui, progress};

/// build a pool
///
/// Build a given pool.
#[derive(Debug, clap::Args)]
pub(crate) struct PoolBuild {
    #[command(flatten)]
    pool: PoolArg,

    /// do not overwrite any existing data
    #[arg(long)]
    no_overwrite: bool,

    /// overwrite any existing data
    #[arg(long)]
    overwrite: bool,

    #[command(flatten)]
    progress: progress::Options,
}

impl Command for PoolBuild {
    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let change = Change {
            command: "pool-build",
            function: "virStoragePoolBuild",
            verb: "build",
            done: "built",
        };
        let flags = [
            (self.no_overwrite, StoragePoolBuildFlags::NO_OVERWRITE),
            (self.overwrite, StoragePoolBuildFlags::OVERWRITE),
        ];
        let flags = options::flags(StoragePoolBuildFlags::NONE, flags);
        let operation = |pool: &StoragePool| pool.build(flags);
        change
            .make(ui, connection, &self.pool, &self.progress, operation)
            .await
    }
}
