use virt_model::flags::StorageVolCreateFlags;

use super::vol_create::Created;
use crate::commands::options::{self, check_text};
use crate::commands::pool_arg::PoolArg;
use crate::commands::volume_arg::VolumeArg;
use crate::commands::{Command, file};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::{Ui, progress};

/// create a vol, using another volume as input
///
/// Create a vol from an existing volume. The host copies it, so the content does not pass through this computer.
#[derive(Debug, clap::Args)]
pub(crate) struct VolCreateFrom {
    #[command(flatten)]
    pool: PoolArg,

    /// file containing an XML vol description
    #[arg(value_name = "file", required = true)]
    file: String,

    #[command(flatten)]
    volume: VolumeArg,

    /// pool name or uuid of the input volume's pool
    #[arg(value_name = "inputpool")]
    inputpool: Option<String>,

    /// preallocate metadata (for qcow2 instead of full allocation)
    #[arg(long)]
    prealloc_metadata: bool,

    /// use btrfs COW lightweight copy
    #[arg(long)]
    reflink: bool,

    /// validate the XML against the schema
    #[arg(long)]
    validate: bool,

    #[command(flatten)]
    progress: progress::Options,
}

impl Command for VolCreateFrom {
    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let pool = self.pool.find(connection).await?;
        check_text("file", Some(&self.file))?;
        let from = self.inputpool.as_deref();
        let input = self.volume.find_in(connection, "inputpool", from).await?;
        let xml = file::read(&self.file).await?;
        let line = format!("Failed to create vol from {}", self.file);
        let failed = |reason| Failure::because(&line, reason);
        let writable = connection.check_writable("virStorageVolCreateXMLFrom");
        writable.map_err(failed)?;
        let flags = [
            (
                self.prealloc_metadata,
                StorageVolCreateFlags::PREALLOC_METADATA,
            ),
            (self.reflink, StorageVolCreateFlags::REFLINK),
            (self.validate, StorageVolCreateFlags::VALIDATE),
        ];
        let flags = options::flags(StorageVolCreateFlags::NONE, flags);
        let operation = pool.create_volume_xml_from(&xml, &input, flags);
        let created = ui
            .perform_on_volume(operation, &self.progress, input.name())
            .await;
        let volume = created.map_err(|error| failed(error.into()))?;
        let text = format!(
            "Vol {} created from input vol {}\n",
            volume.name(),
            input.name()
        );
        Ok(ui.answer(&Created::new(&volume, text))?)
    }
}
