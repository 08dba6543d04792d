use esx_driver::StoragePool;

use super::build_flags::Build;
use crate::commands::Command;
use crate::commands::change::Change;
use crate::commands::pool_arg::PoolArg;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::{Ui, progress};

/// start a (previously defined) inactive pool
///
/// Start a pool.
#[derive(Debug, clap::Args)]
pub(crate) struct PoolStart {
    #[command(flatten)]
    pool: PoolArg,

    #[command(flatten)]
    build: Build,

    #[command(flatten)]
    progress: progress::Options,
}

impl Command for PoolStart {
    fn check(&self) -> Result<(), Failure> {
        self.build.check()
    }

    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let change = Change {
            command: "pool-start",
            function: "virStoragePoolCreate",
            verb: "start",
            done: "started",
        };
        let operation = |pool: &StoragePool| pool.create(self.build.flags());
        change
            .make(ui, connection, &self.pool, &self.progress, operation)
            .await
    }
}
