use super::build_flags::Build;
use crate::commands::change::Made;
use crate::commands::{Command, file, options};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::{Ui, progress};

/// create a pool from an XML file
///
/// Create a pool.
#[derive(Debug, clap::Args)]
pub(crate) struct PoolCreate {
    /// file containing an XML pool description
    #[arg(value_name = "file")]
    file: String,

    #[command(flatten)]
    build: Build,

    #[command(flatten)]
    progress: progress::Options,
}

impl Command for PoolCreate {
    fn check(&self) -> Result<(), Failure> {
        self.build.check()
    }

    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let Self { file, .. } = &self;
        options::check_text("file", Some(file))?;
        let xml = file::read(file).await?;
        let failed =
            |reason| Failure::because(format!("Failed to create pool from {file}"), reason);
        let writable = connection.check_writable("virStoragePoolCreateXML");
        writable.map_err(failed)?;
        let operation = connection.storage_pool_create_xml(&xml, self.build.flags());
        let made = ui.perform(operation, &self.progress, file).await;
        let pool = made.map_err(|error| failed(error.into()))?;
        Ok(ui.answer(&Made::new(&pool, &format!("created from {file}")))?)
    }
}
