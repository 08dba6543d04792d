use virt_model::StoragePoolDefineFlags;

use crate::commands::change::Made;
use crate::commands::{Command, file, options};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::{Ui, progress};

/// define an inactive persistent storage pool or modify an existing persistent one from an XML file
///
/// Define or modify a persistent storage pool. A host keeps no pools that are not active: the pool is started, too.
#[derive(Debug, clap::Args)]
pub(crate) struct PoolDefine {
    /// file containing an XML pool description
    #[arg(value_name = "file")]
    file: String,

    /// validate the XML against the schema
    #[arg(long)]
    validate: bool,

    #[command(flatten)]
    progress: progress::Options,
}

impl Command for PoolDefine {
    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let Self { file, .. } = &self;
        options::check_text("file", Some(file))?;
        let xml = file::read(file).await?;
        let failed =
            |reason| Failure::because(format!("Failed to define pool from {file}"), reason);
        let writable = connection.check_writable("virStoragePoolDefineXML");
        writable.map_err(failed)?;
        let flags = [(self.validate, StoragePoolDefineFlags::VALIDATE)];
        let flags = options::flags(StoragePoolDefineFlags::NONE, flags);
        let operation = connection.storage_pool_define_xml(&xml, flags);
        let made = ui.perform(operation, &self.progress, file).await;
        let pool = made.map_err(|error| failed(error.into()))?;
        Ok(ui.answer(&Made::new(&pool, &format!("defined from {file}")))?)
    }
}
