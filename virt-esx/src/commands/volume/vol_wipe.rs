use serde::Serialize;
use virt_model::storage_vol::StorageVolWipeAlgorithm;

use crate::answer::{Answer, unless_quiet};
use crate::commands::Command;
use crate::commands::options::check_text;
use crate::commands::volume_arg::{PoolOption, VolumeArg};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::{Ui, foreign, progress};

/// wipe a vol
///
/// Ensure data previously on a volume is not accessible to future reads. The host overwrites the volume with zeros.
#[derive(Debug, clap::Args)]
pub(crate) struct VolWipe {
    #[command(flatten)]
    volume: VolumeArg,

    #[command(flatten)]
    pool: PoolOption,

    /// perform selected wiping algorithm
    #[arg(value_name = "algorithm")]
    algorithm: Option<String>,

    #[command(flatten)]
    progress: progress::Options,
}

/// A volume that was wiped.
#[derive(Debug, Serialize)]
struct Wiped {
    name: String,
}

impl Command for VolWipe {
    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let volume = self.volume.find(connection, &self.pool).await?;
        check_text("algorithm", self.algorithm.as_deref())?;
        let algorithm = match &self.algorithm {
            None => StorageVolWipeAlgorithm::Zero,
            Some(text) => StorageVolWipeAlgorithm::from_word(text)
                .ok_or_else(|| Failure::new(format!("Unsupported algorithm '{text}'")))?,
        };
        let line = format!("Failed to wipe vol {}", volume.name());
        let failed = |reason| Failure::because(&line, reason);
        // libvirt names this function even when the other one was called.
        let writable = connection.check_writable("virStorageVolWipePattern");
        writable.map_err(failed)?;
        let operation = match algorithm {
            StorageVolWipeAlgorithm::Zero => volume.wipe(),
            algorithm => volume.wipe_pattern(algorithm),
        };
        let wiped = ui
            .perform_on_volume(operation, &self.progress, volume.name())
            .await;
        wiped.map_err(|error| failed(error.into()))?;
        Ok(ui.answer(&Wiped {
            name: volume.name().to_owned(),
        })?)
    }
}

impl Answer for Wiped {
    const SCHEMA: &'static str = "virt-esx/volume-wiped/1";

    fn text(&self, quiet: bool) -> String {
        unless_quiet(quiet, || {
            format!("Vol {} wiped\n", foreign::line(&self.name))
        })
    }
}
