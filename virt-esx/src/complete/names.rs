//! The names that a connection knows, for completion.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use sha2::{Digest as _, Sha256};
use virt_model::DomainFilter;
use virt_model::flags::{
    InterfaceFilter, NetworkFilter, NodeDeviceFilter, SecretFilter, SnapshotListFlags,
    StoragePoolFilter,
};

use crate::connection::{self, Connection};
use crate::state;

/// How long a command line's completion waits for a server.
const PATIENCE: Duration = Duration::from_secs(3);

/// How long names are kept in a file: the next TABs need no server, also if it does not answer.
const FRESH: Duration = Duration::from_secs(20);

/// The most bytes of such a file that are read.
const LARGEST: usize = 4 << 20;

/// Names of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Names {
    Domains,
    /// Those of a domain.
    Snapshots(String),
    Pools,
    /// The names of those of a pool, or the paths of those of all pools.
    Volumes(Option<String>),
    Networks,
    Interfaces,
    NodeDevices,
    /// Their UUIDs.
    Secrets,
}

impl Names {
    /// Asks the server for them.
    ///
    /// # Errors
    /// The driver's.
    pub(crate) async fn of(&self, connection: &Connection) -> esx_driver::Result<Vec<String>> {
        Ok(match self {
            Self::Domains => {
                let list = connection.list_all_domains(DomainFilter::NONE).await?;
                let domains = list.domains.into_iter();
                domains
                    .map(|entry| entry.domain.name().to_owned())
                    .collect()
            }
            Self::Snapshots(domain) => {
                let domain = connection.lookup_by_name(domain).await?;
                let list = domain.list_all_snapshots(SnapshotListFlags::NONE).await?;
                list.iter()
                    .map(|entry| entry.snapshot.name().to_owned())
                    .collect()
            }
            Self::Pools => {
                let list = connection
                    .list_all_storage_pools(StoragePoolFilter::NONE)
                    .await?;
                list.iter()
                    .map(|entry| entry.pool.name().to_owned())
                    .collect()
            }
            Self::Volumes(Some(pool)) => {
                let pool = connection.storage_pool_lookup_by_name(pool).await?;
                pool.list_volumes().await?
            }
            Self::Volumes(None) => {
                let mut paths = Vec::new();
                for entry in connection
                    .list_all_storage_pools(StoragePoolFilter::NONE)
                    .await?
                {
                    let pool = entry.pool;
                    // A pool that cannot be read is no reason to hide the others.
                    let volumes = pool.list_all_volumes().await.unwrap_or_default();
                    paths.extend(volumes.iter().map(|entry| entry.volume.path()));
                }
                paths
            }
            Self::Networks => {
                let list = connection.list_all_networks(NetworkFilter::NONE).await?;
                list.iter()
                    .map(|network| network.name().to_owned())
                    .collect()
            }
            Self::Interfaces => {
                let list = connection
                    .list_all_interfaces(InterfaceFilter::NONE)
                    .await?;
                list.iter()
                    .map(|interface| interface.name().to_owned())
                    .collect()
            }
            Self::NodeDevices => {
                let list = connection
                    .list_all_node_devices(NodeDeviceFilter::NONE)
                    .await?;
                list.iter().map(|device| device.name().to_owned()).collect()
            }
            Self::Secrets => {
                let list = connection.list_all_secrets(SecretFilter::NONE).await?;
                list.iter()
                    .map(|secret| secret.uuid().to_string())
                    .collect()
            }
        })
    }
}

/// The names that the connection of this URI, or else of the environment's, knows. None if it fails, or takes too long, or needs
/// to ask for a password.
pub(crate) async fn of_uri(uri: Option<String>, names: &Names) -> Vec<String> {
    let Ok(uri) = connection::uri_or_environment(uri) else {
        return Vec::new();
    };
    // A simulated server is as quick as a file.
    let cache = (!uri.starts_with("test:"))
        .then(|| Cache::of(&uri, names))
        .flatten();
    if let Some(names) = cache.as_ref().and_then(Cache::read) {
        return names;
    }
    let asked = async {
        let connection = connection::open_quietly(&uri).await.ok()?;
        let found = names.of(&connection).await.ok();
        // Logging out may fail as well.
        let _ = connection.close().await;
        found
    };
    let found = tokio::time::timeout(PATIENCE, asked).await;
    let found = found.ok().flatten().unwrap_or_default();
    if let Some(cache) = cache {
        // Without it, the next TAB asks again.
        let _ = cache.write(&found);
    }
    found
}

/// A file of names. Nothing of it is secret, but who may log in with this user only should see it.
struct Cache(PathBuf);

impl Cache {
    fn of(uri: &str, names: &Names) -> Option<Self> {
        let user = std::env::var("VIRT_ESX_USER").unwrap_or_default();
        let key = Sha256::digest(format!("{uri}\0{user}\0{names:?}"));
        let key: String = key
            .iter()
            .take(16)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Some(Self(state::cache()?.join("completion").join(key)))
    }

    fn read(&self) -> Option<Vec<String>> {
        let written = fs::metadata(&self.0).ok()?.modified().ok()?;
        let age = SystemTime::now().duration_since(written).ok()?;
        if age > FRESH {
            return None;
        }
        let bytes = esx_driver::vi_client::bounded::read_file(&self.0, LARGEST).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        Some(text.lines().map(str::to_owned).collect())
    }

    fn write(&self, names: &[String]) -> std::io::Result<()> {
        let Some(folder) = self.0.parent() else {
            return Ok(());
        };
        fs::create_dir_all(folder)?;
        self.sweep(folder);
        // The file is its owner's only, and another TAB never sees half of it.
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        for name in names.iter().filter(|name| !name.contains('\n')) {
            writeln!(file, "{name}")?;
        }
        file.persist(&self.0)?;
        Ok(())
    }

    /// Removes files that are not fresh any more.
    fn sweep(&self, folder: &std::path::Path) {
        let files = fs::read_dir(folder).into_iter().flatten().flatten();
        for file in files {
            let written = file.metadata().and_then(|metadata| metadata.modified());
            let age = written
                .ok()
                .and_then(|written| SystemTime::now().duration_since(written).ok());
            if age.is_some_and(|age| age > FRESH) {
                let _ = fs::remove_file(file.path());
            }
        }
    }
}
