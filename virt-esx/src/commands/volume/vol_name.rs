use serde::Serialize;

use crate::answer::Answer;
use crate::commands::Query;
use crate::commands::volume_arg::VolumeArg;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::foreign;

/// returns the volume name for a given volume key or path
#[derive(Debug, clap::Args)]
pub(crate) struct VolName {
    #[command(flatten)]
    volume: VolumeArg,
}

/// A volume's name.
#[derive(Debug, Serialize)]
pub(crate) struct VolumeName {
    name: String,
}

impl Query for VolName {
    type Answer = VolumeName;

    async fn ask(self, connection: &Connection) -> Result<VolumeName, Failure> {
        let volume = self.volume.find_anywhere(connection).await?;
        Ok(VolumeName {
            name: volume.name().to_owned(),
        })
    }
}

impl Answer for VolumeName {
    const SCHEMA: &'static str = "virt-esx/volume-name/1";

    fn text(&self, _quiet: bool) -> String {
        format!("{}\n", foreign::line(&self.name))
    }
}
