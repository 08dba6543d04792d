use virt_model::flags::StorageVolCreateFlags;

use super::vol_create::Created;
use super::vol_create_as::Document;
use crate::answer::Format;
use crate::commands::Command;
use crate::commands::options::{self, check_text};
use crate::commands::volume_arg::{PoolOption, VolumeArg};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::{Ui, progress};
use crate::xpath;

/// clone a volume.
///
/// Clone an existing volume within the parent pool. The host copies it, so the content does not pass through this
/// computer.
#[derive(Debug, clap::Args)]
pub(crate) struct VolClone {
    #[command(flatten)]
    volume: VolumeArg,

    /// clone name
    #[arg(value_name = "newname", required = true)]
    newname: String,

    #[command(flatten)]
    pool: PoolOption,

    /// preallocate metadata (for qcow2 instead of full allocation)
    #[arg(long)]
    prealloc_metadata: bool,

    /// use btrfs COW lightweight copy
    #[arg(long)]
    reflink: bool,

    /// print XML document rather than clone the volume
    #[arg(long)]
    print_xml: bool,

    #[command(flatten)]
    progress: progress::Options,
}

impl Command for VolClone {
    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let original = self.volume.find(connection, &self.pool).await?;
        let pool = connection.storage_pool_lookup_by_volume(&original).await;
        let pool = pool.map_err(|error| Failure::because("failed to get parent pool", error))?;
        check_text("newname", Some(&self.newname))?;
        let xml = original.xml_desc().await?;
        let xml = xpath::with_text(&xml, "/volume/name", &self.newname)?;
        if self.print_xml {
            match ui.format() {
                // virsh ends the line with that of the command's end.
                Format::Text => ui.document(&xml)?,
                Format::Json | Format::Jsonl => ui.answer(&Document { xml })?,
            }
            return Ok(());
        }
        let line = format!("Failed to clone vol from {}", original.name());
        let failed = |reason| Failure::because(&line, reason);
        let writable = connection.check_writable("virStorageVolCreateXMLFrom");
        writable.map_err(failed)?;
        let flags = [
            (
                self.prealloc_metadata,
                StorageVolCreateFlags::PREALLOC_METADATA,
            ),
            (self.reflink, StorageVolCreateFlags::REFLINK),
        ];
        let flags = options::flags(StorageVolCreateFlags::NONE, flags);
        let operation = pool.create_volume_xml_from(&xml, &original, flags);
        let cloned = ui
            .perform_on_volume(operation, &self.progress, original.name())
            .await;
        let clone = cloned.map_err(|error| failed(error.into()))?;
        let text = format!("Vol {} cloned from {}\n", clone.name(), original.name());
        Ok(ui.answer(&Created::new(&clone, text))?)
    }
}
