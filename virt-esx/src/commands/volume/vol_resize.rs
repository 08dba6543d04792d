use serde::Serialize;
use virt_model::flags::StorageVolResizeFlags;

use crate::answer::{Answer, unless_quiet};
use crate::commands::options::{self, check_text};
use crate::commands::volume_arg::{PoolOption, VolumeArg};
use crate::commands::{Command, size};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::{Ui, foreign, progress};

/// resize a vol
///
/// Resizes a storage volume. This is safe only for storage volumes not in use by an active guest. See blockresize for
/// live resizing.
#[derive(Debug, clap::Args)]
pub(crate) struct VolResize {
    #[command(flatten)]
    volume: VolumeArg,

    /// new capacity for the vol, as scaled integer (default bytes)
    #[arg(value_name = "capacity", required = true)]
    capacity: String,

    #[command(flatten)]
    pool: PoolOption,

    /// allocate the new capacity, rather than leaving it sparse
    #[arg(long)]
    allocate: bool,

    /// use capacity as a delta to current size, rather than the new size
    #[arg(long)]
    delta: bool,

    /// allow the resize to shrink the volume
    #[arg(long)]
    shrink: bool,

    #[command(flatten)]
    progress: progress::Options,
}

/// A volume that has its new size.
#[derive(Debug, Serialize)]
struct Resized {
    name: String,
    /// The new size, or by how much the volume has become larger or smaller.
    capacity_bytes: u64,
    is_delta: bool,

    #[serde(skip)]
    change: String,
}

impl Command for VolResize {
    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let volume = self.volume.find(connection, &self.pool).await?;
        check_text("capacity", Some(&self.capacity))?;
        // As in virsh, a negative number is what the volume becomes smaller by.
        let text = self.capacity.trim_ascii_start();
        let (text, is_delta) = match text.strip_prefix('-') {
            Some(_) if !self.shrink => {
                return Err(Failure::new("negative size requires --shrink"));
            }
            Some(text) => (text, true),
            None => (text, self.delta),
        };
        let capacity_bytes = size::parse(text)?;
        let change = match is_delta {
            true => format!("by {text}"),
            false => format!("to {text}"),
        };
        let line = format!(
            "Failed to change size of volume '{}' {change}",
            volume.name()
        );
        let failed = |reason| Failure::because(&line, reason);
        let writable = connection.check_writable("virStorageVolResize");
        writable.map_err(failed)?;
        let flags = [
            (self.allocate, StorageVolResizeFlags::ALLOCATE),
            (is_delta, StorageVolResizeFlags::DELTA),
            (self.shrink, StorageVolResizeFlags::SHRINK),
        ];
        let flags = options::flags(StorageVolResizeFlags::NONE, flags);
        let operation = volume.resize(capacity_bytes, flags);
        let resized = ui
            .perform_on_volume(operation, &self.progress, volume.name())
            .await;
        resized.map_err(|error| failed(error.into()))?;
        Ok(ui.answer(&Resized {
            name: volume.name().to_owned(),
            capacity_bytes,
            is_delta,
            change,
        })?)
    }
}

impl Answer for Resized {
    const SCHEMA: &'static str = "virt-esx/volume-resized/1";

    fn text(&self, quiet: bool) -> String {
        let Self { name, change, .. } = self;
        let name = foreign::line(name);
        unless_quiet(quiet, || {
            format!("Size of volume '{name}' successfully changed {change}\n")
        })
    }
}
