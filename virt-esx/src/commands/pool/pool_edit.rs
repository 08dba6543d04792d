use esx_driver::{ErrorKind, StoragePool};
use serde::Serialize;
use virt_model::{StoragePoolDefineFlags, StoragePoolXmlFlags};

use crate::answer::Answer;
use crate::commands::Command;
use crate::commands::editor::{self, Refusal};
use crate::commands::pool_arg::PoolArg;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::{Ui, progress};

/// edit XML configuration for a storage pool
///
/// Edit the XML configuration for a storage pool. The editor is that of the environment variable VISUAL or EDITOR, else vi.
#[derive(Debug, clap::Args)]
pub(crate) struct PoolEdit {
    #[command(flatten)]
    pool: PoolArg,

    #[command(flatten)]
    progress: progress::Options,
}

/// A pool whose definition was edited.
#[derive(Debug, Serialize)]
struct Edited {
    name: String,
    /// Whether anything was changed.
    changed: bool,
}

impl Command for PoolEdit {
    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let pool = self.pool.find(connection).await?;
        let xml = described(&pool).await?;
        let edited = editor::edit(ui, &xml, async |text, is_forced| {
            if !is_forced && described(&pool).await? != xml {
                return Err(Refusal::Changed);
            }
            connection.check_writable("virStoragePoolDefineXML")?;
            let flags = StoragePoolDefineFlags::NONE;
            let operation = pool.connect().storage_pool_define_xml(text, flags);
            Ok(ui.perform(operation, &self.progress, pool.name()).await?)
        })
        .await?;
        let name = edited.as_ref().unwrap_or(&pool).name().to_owned();
        Ok(ui.answer(&Edited {
            name,
            changed: edited.is_some(),
        })?)
    }
}

/// The document to edit. virsh asks for the inactive definition first, which ESX does not have.
async fn described(pool: &StoragePool) -> Result<String, Failure> {
    match pool.xml_desc(StoragePoolXmlFlags::INACTIVE).await {
        Err(error) if error.kind() == ErrorKind::UnsupportedFlags => {
            Ok(pool.xml_desc(StoragePoolXmlFlags::NONE).await?)
        }
        described => Ok(described?),
    }
}

impl Answer for Edited {
    const SCHEMA: &'static str = "virt-esx/pool-edited/1";

    fn text(&self, quiet: bool) -> String {
        let name = &self.name;
        match self.changed {
            _ if quiet => String::new(),
            false => format!("Pool {name} XML configuration not changed.\n"),
            true => format!("Pool {name} XML configuration edited.\n"),
        }
    }
}
