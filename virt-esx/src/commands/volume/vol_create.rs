use esx_driver::StorageVol;
use serde::Serialize;
use virt_model::flags::StorageVolCreateFlags;

use crate::answer::{Answer, unless_quiet};
use crate::commands::options::{self, check_text};
use crate::commands::pool_arg::PoolArg;
use crate::commands::{Command, file};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::{Ui, progress};

/// create a vol from an XML file
///
/// Create a vol.
#[derive(Debug, clap::Args)]
pub(crate) struct VolCreate {
    #[command(flatten)]
    pool: PoolArg,

    /// file containing an XML vol description
    #[arg(value_name = "file", required = true)]
    file: String,

    /// preallocate metadata (for qcow2 instead of full allocation)
    #[arg(long)]
    prealloc_metadata: bool,

    /// validate the XML against the schema
    #[arg(long)]
    validate: bool,

    #[command(flatten)]
    progress: progress::Options,
}

/// A volume that was created.
#[derive(Debug, Serialize)]
pub(super) struct Created {
    name: String,
    pool: String,
    path: String,

    #[serde(skip)]
    text: String,
}

impl Created {
    /// What is printed of a new volume: `text` in the text format.
    pub(super) fn new(volume: &StorageVol, text: String) -> Self {
        Self {
            name: volume.name().to_owned(),
            pool: volume.pool_name().to_owned(),
            path: volume.path(),
            text,
        }
    }
}

impl Command for VolCreate {
    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let pool = self.pool.find(connection).await?;
        check_text("file", Some(&self.file))?;
        let xml = file::read(&self.file).await?;
        let line = format!("Failed to create vol from {}", self.file);
        let failed = |reason| Failure::because(&line, reason);
        let writable = connection.check_writable("virStorageVolCreateXML");
        writable.map_err(failed)?;
        let flags = [
            (
                self.prealloc_metadata,
                StorageVolCreateFlags::PREALLOC_METADATA,
            ),
            (self.validate, StorageVolCreateFlags::VALIDATE),
        ];
        let flags = options::flags(StorageVolCreateFlags::NONE, flags);
        let operation = pool.create_volume_xml(&xml, flags);
        let created = ui
            .perform_on_volume(operation, &self.progress, &self.file)
            .await;
        let volume = created.map_err(|error| failed(error.into()))?;
        let text = format!("Vol {} created from {}\n", volume.name(), self.file);
        Ok(ui.answer(&Created::new(&volume, text))?)
    }
}

impl Answer for Created {
    const SCHEMA: &'static str = "virt-esx/volume-created/1";

    fn text(&self, quiet: bool) -> String {
        unless_quiet(quiet, || self.text.clone())
    }
}
