use serde::Serialize;

use crate::answer::Answer;
use crate::commands::Query;
use crate::commands::volume_arg::{PoolOption, VolumeArg};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::foreign;

/// returns the volume path for a given volume name or key
#[derive(Debug, clap::Args)]
pub(crate) struct VolPath {
    #[command(flatten)]
    volume: VolumeArg,

    #[command(flatten)]
    pool: PoolOption,
}

/// A volume's path.
#[derive(Debug, Serialize)]
pub(crate) struct VolumePath {
    path: String,
}

impl Query for VolPath {
    type Answer = VolumePath;

    async fn ask(self, connection: &Connection) -> Result<VolumePath, Failure> {
        let volume = self.volume.find(connection, &self.pool).await?;
        Ok(VolumePath {
            path: volume.path(),
        })
    }
}

impl Answer for VolumePath {
    const SCHEMA: &'static str = "virt-esx/volume-path/1";

    fn text(&self, _quiet: bool) -> String {
        format!("{}\n", foreign::line(&self.path))
    }
}
