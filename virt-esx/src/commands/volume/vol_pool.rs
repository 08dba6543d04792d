use serde::Serialize;

use crate::answer::Answer;
use crate::commands::Query;
use crate::commands::volume_arg::VolumeArg;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::foreign;

/// returns the storage pool for a given volume key or path
#[derive(Debug, clap::Args)]
pub(crate) struct VolPool {
    #[command(flatten)]
    volume: VolumeArg,

    /// return the pool uuid rather than pool name
    #[arg(long)]
    uuid: bool,
}

/// A volume's pool.
#[derive(Debug, Serialize)]
pub(crate) struct VolumePool {
    name: String,
    uuid: String,

    #[serde(skip)]
    shows_uuid: bool,
}

impl Query for VolPool {
    type Answer = VolumePool;

    async fn ask(self, connection: &Connection) -> Result<VolumePool, Failure> {
        let volume = self.volume.find_anywhere(connection).await?;
        let pool = connection.storage_pool_lookup_by_volume(&volume).await;
        let pool = pool.map_err(|error| Failure::because("failed to get parent pool", error))?;
        Ok(VolumePool {
            name: pool.name().to_owned(),
            uuid: pool.uuid().to_string(),
            shows_uuid: self.uuid,
        })
    }
}

impl Answer for VolumePool {
    const SCHEMA: &'static str = "virt-esx/volume-pool/1";

    fn text(&self, _quiet: bool) -> String {
        match self.shows_uuid {
            true => format!("{}\n", self.uuid),
            false => format!("{}\n", foreign::line(&self.name)),
        }
    }
}
