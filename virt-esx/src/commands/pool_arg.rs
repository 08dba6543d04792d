//! The argument that names a storage pool.

use esx_driver::{Connect, StoragePool};
use virt_model::Uuid;

use super::change::{Arg, Definable, Makeable, Noun};
use super::options;
use crate::failure::Failure;

/// The argument `pool` of a command: `#[command(flatten)] pool: PoolArg`.
#[derive(Debug, clap::Args)]
pub(crate) struct PoolArg {
    /// pool name or uuid
    #[arg(id = "pool", value_name = "pool")]
    text: String,
}

impl Arg for PoolArg {
    type Noun = StoragePool;

    fn text(&self) -> &str {
        self.text()
    }

    async fn find(&self, connection: &Connect) -> Result<StoragePool, Failure> {
        self.find(connection).await
    }
}

impl Noun for StoragePool {
    const NOUN: &'static str = "pool";
    const TITLE: &'static str = "Pool";

    fn name(&self) -> &str {
        self.name()
    }
}

impl Definable for StoragePool {
    const CHANGED: &'static str = "virt-esx/pool-changed/1";
    const EDITED: &'static str = "virt-esx/pool-edited/1";
}

impl Makeable for StoragePool {
    const MADE: &'static str = "virt-esx/pool-made/1";

    fn uuid(&self) -> Uuid {
        self.uuid()
    }
}

impl PoolArg {
    /// The text of the command line, which virsh prints in its messages.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Finds the pool.
    ///
    /// # Errors
    /// virsh's text, and below it the reason.
    pub(crate) async fn find(&self, connection: &Connect) -> Result<StoragePool, Failure> {
        options::check_text("pool", Some(&self.text))?;
        find(connection, &self.text).await
    }

    /// Finds the pool of that name.
    ///
    /// # Errors
    /// As [`find`](Self::find).
    pub(crate) async fn find_by_name(&self, connection: &Connect) -> Result<StoragePool, Failure> {
        options::check_text("pool", Some(&self.text))?;
        find_by_name(connection, &self.text).await
    }

    /// Finds the pool of that UUID.
    ///
    /// # Errors
    /// As [`find`](Self::find). Of anything that has not the length of a UUID, virsh gives no reason.
    pub(crate) async fn find_by_uuid(&self, connection: &Connect) -> Result<StoragePool, Failure> {
        options::check_text("pool", Some(&self.text))?;
        let failed = || not_found(&self.text);
        if self.text.len() != UUID_LENGTH {
            return Err(Failure::new(failed()));
        }
        let Ok(uuid) = self.text.parse() else {
            let reason = "uuidstr in virStoragePoolLookupByUUIDString must be a valid UUID";
            return Err(Failure::because(failed(), Failure::new(reason)));
        };
        let found = connection.storage_pool_lookup_by_uuid(uuid).await;
        found.map_err(|error| Failure::because(failed(), error))
    }
}

/// Finds the pool that `text` means. virsh takes 36 characters for a UUID first.
///
/// # Errors
/// virsh's text, and below it the reason.
pub(crate) async fn find(connection: &Connect, text: &str) -> Result<StoragePool, Failure> {
    let uuid = text.parse::<Uuid>().ok();
    if let Some(uuid) = uuid.filter(|_| text.len() == UUID_LENGTH)
        && let Ok(pool) = connection.storage_pool_lookup_by_uuid(uuid).await
    {
        return Ok(pool);
    }
    find_by_name(connection, text).await
}

async fn find_by_name(connection: &Connect, name: &str) -> Result<StoragePool, Failure> {
    let found = connection.storage_pool_lookup_by_name(name).await;
    found.map_err(|error| Failure::because(not_found(name), error))
}

/// The characters of a UUID with its hyphens.
const UUID_LENGTH: usize = 36;

fn not_found(text: &str) -> String {
    format!("failed to get pool '{text}'")
}
