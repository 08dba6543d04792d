use serde::Serialize;
use virt_model::flags::StorageVolCreateFlags;

use super::definition::NewVolume;
use super::vol_create::Created;
use crate::answer::Answer;
use crate::commands::options::{self, check_text};
use crate::commands::pool_arg::PoolArg;
use crate::commands::{Command, size};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::{Ui, progress};
use esx_driver::{StoragePool, StorageVol};

/// create a volume from a set of args
///
/// Create a vol. Datastores make disks only: give `--format vmdk`, and a name like 'directory/file.vmdk'. The disk is thin
/// with `--allocation 0`.
#[derive(Debug, clap::Args)]
pub(crate) struct VolCreateAs {
    #[command(flatten)]
    pool: PoolArg,

    /// name of the volume
    #[arg(value_name = "name", required = true)]
    name: String,

    /// size of the vol, as scaled integer (default bytes)
    #[arg(value_name = "capacity", required = true)]
    capacity: String,

    /// initial allocation size, as scaled integer (default bytes)
    #[arg(value_name = "allocation")]
    allocation: Option<String>,

    /// file format type raw,bochs,qcow,qcow2,qed,vmdk
    #[arg(value_name = "format")]
    format: Option<String>,

    /// the backing volume if taking a snapshot
    #[arg(value_name = "backing-vol", id = "backing-vol")]
    backing_vol: Option<String>,

    /// format of backing volume if taking a snapshot
    #[arg(value_name = "backing-vol-format", id = "backing-vol-format")]
    backing_vol_format: Option<String>,

    /// preallocate metadata (for qcow2 instead of full allocation)
    #[arg(long)]
    prealloc_metadata: bool,

    /// print XML document, but don't define/create
    #[arg(long)]
    print_xml: bool,

    #[command(flatten)]
    progress: progress::Options,
}

/// The document that was asked for.
#[derive(Debug, Serialize)]
pub(super) struct Document {
    pub(super) xml: String,
}

impl Command for VolCreateAs {
    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let pool = self.pool.find(connection).await?;
        check_text("name", Some(&self.name))?;
        check_text("capacity", Some(&self.capacity))?;
        let capacity = size::parse(&self.capacity)?;
        // virsh takes an empty one for none.
        let allocation = self.allocation.filter(|text| !text.is_empty());
        let allocation = allocation.map(|text| size::parse(&text)).transpose()?;
        check_text("format", self.format.as_deref())?;
        check_text("backing-vol", self.backing_vol.as_deref())?;
        check_text("backing-vol-format", self.backing_vol_format.as_deref())?;
        let backing = match &self.backing_vol {
            Some(text) => Some(find_backing(connection, &pool, text).await?.path()),
            None => None,
        };
        let xml = NewVolume {
            name: &self.name,
            capacity,
            allocation,
            format: self.format.as_deref(),
            backing: backing.as_deref(),
            backing_format: self.backing_vol_format.as_deref(),
        };
        let xml = xml.xml();
        if self.print_xml {
            return Ok(ui.answer(&Document { xml })?);
        }
        let line = format!("Failed to create vol {}", self.name);
        let failed = |reason| Failure::because(&line, reason);
        let writable = connection.check_writable("virStorageVolCreateXML");
        writable.map_err(failed)?;
        let flags = [(
            self.prealloc_metadata,
            StorageVolCreateFlags::PREALLOC_METADATA,
        )];
        let flags = options::flags(StorageVolCreateFlags::NONE, flags);
        let operation = pool.create_volume_xml(&xml, flags);
        let created = ui
            .perform_on_volume(operation, &self.progress, &self.name)
            .await;
        let volume = created.map_err(|error| failed(error.into()))?;
        let text = format!("Vol {} created\n", volume.name());
        Ok(ui.answer(&Created::new(&volume, text))?)
    }
}

/// Finds the backing volume: in the pool by name, anywhere by key and path.
async fn find_backing(
    connection: &Connection,
    pool: &StoragePool,
    text: &str,
) -> Result<StorageVol, Failure> {
    if let Ok(volume) = pool.volume_lookup_by_name(text).await {
        return Ok(volume);
    }
    if let Ok(volume) = connection.storage_vol_lookup_by_key(text).await {
        return Ok(volume);
    }
    let failed = |error| Failure::because(format!("failed to get vol '{text}'"), error);
    let found = connection.storage_vol_lookup_by_path(text).await;
    found.map_err(failed)
}

impl Answer for Document {
    const SCHEMA: &'static str = "virt-esx/new-volume-definition/1";

    fn is_document(&self) -> bool {
        true
    }

    fn text(&self, _quiet: bool) -> String {
        self.xml.clone()
    }
}
