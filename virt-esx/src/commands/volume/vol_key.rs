use serde::Serialize;

use crate::answer::Answer;
use crate::commands::Query;
use crate::commands::volume_arg::{PoolOption, VolumeArg};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::foreign;

/// returns the volume key for a given volume name or path
#[derive(Debug, clap::Args)]
pub(crate) struct VolKey {
    #[command(flatten)]
    volume: VolumeArg,

    #[command(flatten)]
    pool: PoolOption,
}

/// A volume's key.
#[derive(Debug, Serialize)]
pub(crate) struct VolumeKey {
    key: String,
}

impl Query for VolKey {
    type Answer = VolumeKey;

    async fn ask(self, connection: &Connection) -> Result<VolumeKey, Failure> {
        let volume = self.volume.find(connection, &self.pool).await?;
        Ok(VolumeKey {
            key: volume.key().await?,
        })
    }
}

impl Answer for VolumeKey {
    const SCHEMA: &'static str = "virt-esx/volume-key/1";

    fn text(&self, _quiet: bool) -> String {
        format!("{}\n", foreign::line(&self.key))
    }
}
