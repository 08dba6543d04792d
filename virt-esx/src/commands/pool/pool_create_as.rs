use super::build_flags::Build;
use super::description::Description;
use crate::commands::Command;
use crate::commands::change::Made;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::{Ui, progress};

/// create a pool from a set of args
///
/// Create a pool.
#[derive(Debug, clap::Args)]
pub(crate) struct PoolCreateAs {
    #[command(flatten)]
    pool: Description,

    #[command(flatten)]
    build: Build,

    #[command(flatten)]
    progress: progress::Options,
}

impl Command for PoolCreateAs {
    fn check(&self) -> Result<(), Failure> {
        self.build.check()?;
        self.pool.check()
    }

    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        if self.pool.print_xml {
            return Ok(ui.answer(&self.pool.document())?);
        }
        let name = self.pool.name();
        let failed = |reason| Failure::because(format!("Failed to create pool {name}"), reason);
        let writable = connection.check_writable("virStoragePoolCreateXML");
        writable.map_err(failed)?;
        let operation = connection.storage_pool_create_xml(&self.pool.xml(), self.build.flags());
        let made = ui.perform(operation, &self.progress, name).await;
        let pool = made.map_err(|error| failed(error.into()))?;
        Ok(ui.answer(&Made::new(&pool, "created"))?)
    }
}
