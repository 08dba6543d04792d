use virt_model::StoragePoolDefineFlags;

use super::description::Description;
use crate::commands::Command;
use crate::commands::change::Made;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::{Ui, progress};

/// define a pool from a set of args
///
/// Define a pool. A host keeps no pools that are not active: the pool is started, too.
#[derive(Debug, clap::Args)]
pub(crate) struct PoolDefineAs {
    #[command(flatten)]
    pool: Description,

    #[command(flatten)]
    progress: progress::Options,
}

impl Command for PoolDefineAs {
    fn check(&self) -> Result<(), Failure> {
        self.pool.check()
    }

    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        if self.pool.print_xml {
            return Ok(ui.answer(&self.pool.document())?);
        }
        let name = self.pool.name();
        let failed = |reason| Failure::because(format!("Failed to define pool {name}"), reason);
        let writable = connection.check_writable("virStoragePoolDefineXML");
        writable.map_err(failed)?;
        let flags = StoragePoolDefineFlags::NONE;
        let operation = connection.storage_pool_define_xml(&self.pool.xml(), flags);
        let made = ui.perform(operation, &self.progress, name).await;
        let pool = made.map_err(|error| failed(error.into()))?;
        Ok(ui.answer(&Made::new(&pool, "defined"))?)
    }
}
