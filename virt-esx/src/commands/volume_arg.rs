//! The arguments that name a volume.

use esx_driver::{Connect, StorageVol};

use super::{options, pool_arg};
use crate::failure::Failure;

/// The argument `vol` of a command: `#[command(flatten)] volume: VolumeArg`.
#[derive(Debug, clap::Args)]
pub(crate) struct VolumeArg {
    /// vol name, key or path
    #[arg(id = "vol", value_name = "vol")]
    text: String,
}

/// The option `--pool` of a command: `#[command(flatten)] pool: PoolOption`.
#[derive(Debug, clap::Args)]
pub(crate) struct PoolOption {
    /// pool name or uuid
    #[arg(id = "pool", value_name = "pool")]
    text: Option<String>,
}

impl VolumeArg {
    /// Finds the volume: in the pool by name, anywhere by key or path.
    ///
    /// # Errors
    /// virsh's text, and below it the reason.
    pub(crate) async fn find(
        &self,
        connection: &Connect,
        pool: &PoolOption,
    ) -> Result<StorageVol, Failure> {
        self.find_in(connection, "pool", pool.text.as_deref()).await
    }

    /// Finds the volume, in the pool that the option `option` names if it was given.
    ///
    /// # Errors
    /// As [`find`](Self::find).
    pub(crate) async fn find_in(
        &self,
        connection: &Connect,
        option: &'static str,
        pool: Option<&str>,
    ) -> Result<StorageVol, Failure> {
        let line = match pool {
            Some(_) => not_found(&self.text),
            None => format!(
                "{}, specifying --{option} might help",
                not_found(&self.text)
            ),
        };
        find(connection, &self.text, option, pool, line).await
    }

    /// Finds the volume by key or path, for commands that have no option for its pool.
    ///
    /// # Errors
    /// As [`find`](Self::find).
    pub(crate) async fn find_anywhere(&self, connection: &Connect) -> Result<StorageVol, Failure> {
        find(connection, &self.text, "pool", None, not_found(&self.text)).await
    }
}

/// Finds a volume as virsh does: by name if there is a pool, by key, and by path. The reason of the last look-up is told.
async fn find(
    connection: &Connect,
    text: &str,
    option: &str,
    pool: Option<&str>,
    line: String,
) -> Result<StorageVol, Failure> {
    options::check_text("vol", Some(text))?;
    options::check_text(option, pool)?;
    let pool = match pool {
        Some(pool) => Some((pool, pool_arg::find(connection, pool).await?)),
        None => None,
    };
    if let Some((_, pool)) = &pool
        && let Ok(volume) = pool.volume_lookup_by_name(text).await
    {
        return Ok(volume);
    }
    let volume = match connection.storage_vol_lookup_by_key(text).await {
        Ok(volume) => Ok(volume),
        Err(_) => connection.storage_vol_lookup_by_path(text).await,
    };
    match (volume, pool) {
        (Ok(volume), Some((shown, pool))) if volume.pool_name() != pool.name() => {
            let line = format!("Requested volume '{text}' is not in pool '{shown}'");
            Err(Failure::new(line))
        }
        (Ok(volume), _) => Ok(volume),
        (Err(_), Some((shown, pool))) if matches!(pool.is_active().await, Ok(false)) => {
            Err(Failure::new(format!("pool '{shown}' is not active")))
        }
        (Err(error), _) => Err(Failure::because(line, error)),
    }
}

fn not_found(text: &str) -> String {
    format!("failed to get vol '{text}'")
}
