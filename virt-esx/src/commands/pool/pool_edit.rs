use esx_driver::{ErrorKind, StoragePool};
use virt_model::{StoragePoolDefineFlags, StoragePoolXmlFlags};

use crate::commands::Command;
use crate::commands::change::Edited;
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
        Ok(ui.answer(&Edited::new(&pool, edited.as_ref()))?)
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
