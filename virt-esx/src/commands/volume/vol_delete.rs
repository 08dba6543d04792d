use serde::Serialize;
use virt_model::flags::StorageVolDeleteFlags;

use crate::answer::{Answer, unless_quiet};
use crate::commands::volume_arg::{PoolOption, VolumeArg};
use crate::commands::{Command, options};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::{Ui, foreign};

/// delete a vol
///
/// Delete a given vol.
#[derive(Debug, clap::Args)]
pub(crate) struct VolDelete {
    #[command(flatten)]
    volume: VolumeArg,

    #[command(flatten)]
    pool: PoolOption,

    /// delete snapshots associated with volume (must be supported by storage driver)
    #[arg(long)]
    delete_snapshots: bool,
}

/// A volume that was deleted.
#[derive(Debug, Serialize)]
struct Deleted {
    name: String,
    path: String,
}

impl Command for VolDelete {
    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let volume = self.volume.find(connection, &self.pool).await?;
        let line = format!("Failed to delete vol {}", volume.name());
        let failed = |reason| Failure::because(&line, reason);
        let writable = connection.check_writable("virStorageVolDelete");
        writable.map_err(failed)?;
        let flags = [(self.delete_snapshots, StorageVolDeleteFlags::WITH_SNAPSHOTS)];
        let flags = options::flags(StorageVolDeleteFlags::NONE, flags);
        let deleted = volume.delete(flags).await;
        deleted.map_err(|error| failed(error.into()))?;
        Ok(ui.answer(&Deleted {
            name: volume.name().to_owned(),
            path: volume.path(),
        })?)
    }
}

impl Answer for Deleted {
    const SCHEMA: &'static str = "virt-esx/volume-deleted/1";

    fn text(&self, quiet: bool) -> String {
        unless_quiet(quiet, || {
            format!("Vol {} deleted\n", foreign::line(&self.name))
        })
    }
}
