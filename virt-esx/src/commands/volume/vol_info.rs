use serde::Serialize;
use virt_model::flags::StorageVolInfoFlags;

use crate::answer::{Answer, Format, property};
use crate::commands::size::pretty;
use crate::commands::volume_arg::{PoolOption, VolumeArg};
use crate::commands::{Command, options};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::Ui;

/// storage vol information
///
/// Returns basic information about the storage vol.
#[derive(Debug, clap::Args)]
pub(crate) struct VolInfo {
    #[command(flatten)]
    volume: VolumeArg,

    #[command(flatten)]
    pool: PoolOption,

    /// sizes are represented in bytes rather than pretty units
    #[arg(long)]
    bytes: bool,

    /// return the physical size of the volume in allocation field
    #[arg(long)]
    physical: bool,
}

/// A volume's type and sizes.
#[derive(Debug, Serialize)]
struct Info {
    name: String,
    #[serde(rename = "type")]
    kind: &'static str,
    capacity_bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    allocation_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    physical_bytes: Option<u64>,

    #[serde(skip)]
    in_bytes: bool,
}

impl Command for VolInfo {
    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let volume = self.volume.find(connection, &self.pool).await?;
        let physical = [(self.physical, StorageVolInfoFlags::GET_PHYSICAL)];
        let flags = options::flags(StorageVolInfoFlags::NONE, physical);
        let info = match volume.info(flags).await {
            Ok(info) => info,
            Err(error) => {
                // virsh prints the name before it asks for the rest.
                if ui.format() == Format::Text {
                    ui.print(&name(volume.name()))?;
                }
                return Err(error.into());
            }
        };
        Ok(ui.answer(&Info {
            name: volume.name().to_owned(),
            kind: info.kind.as_str(),
            capacity_bytes: info.capacity,
            allocation_bytes: Some(info.allocation).filter(|_| !self.physical),
            physical_bytes: Some(info.allocation).filter(|_| self.physical),
            in_bytes: self.bytes,
        })?)
    }
}

fn name(name: &str) -> String {
    property(15, "Name:", name)
}

impl Answer for Info {
    const SCHEMA: &'static str = "virt-esx/volume-info/1";

    fn text(&self, _quiet: bool) -> String {
        let size = |title, size: Option<u64>| match (size, self.in_bytes) {
            (None, _) => String::new(),
            (Some(size), true) => property(15, title, format!("{size} bytes")),
            (Some(size), false) => property(15, title, pretty(size, 2)),
        };
        [
            name(&self.name),
            property(15, "Type:", self.kind),
            size("Capacity:", Some(self.capacity_bytes)),
            size("Allocation:", self.allocation_bytes),
            size("Physical:", self.physical_bytes),
        ]
        .concat()
    }
}
