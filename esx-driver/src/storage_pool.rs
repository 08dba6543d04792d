//! Storage pools: the datastores of a host, and the targets of its iSCSI adapters.

mod changes;
mod datastore;
mod definition;
mod iscsi;
mod lifecycle;
mod list;
mod lookup;
mod make;
mod sources;

use std::fmt;

use vi_types::ManagedObjectReference;
use virt_model::{
    ErrorNumber, Uuid,
    storage_pool::{StoragePoolInfo, StoragePoolState, StoragePoolType},
};

pub(crate) use self::datastore::is_accessible;
use crate::{Connect, Error, ErrorKind, Result, What, derived_uuid::derived_uuid};

/// A storage pool: libvirt's `virStoragePool`. It is a datastore of the connection's host, or a target of the host's
/// iSCSI adapters.
///
/// A cheap clone that talks to a server through its [`Connect`]. Neither has a UUID; as in libvirt's ESX driver, the UUID
/// is the MD5 sum of the path where the host has mounted the datastore, or of the target's name. Hosts mount at different
/// paths, so a datastore of several hosts may have another UUID on each.
///
/// A handle keeps the server's reference of its datastore, so it finds the datastore again after it was renamed.
///
/// ```no_run
/// # async fn run(connect: &esx_driver::Connect) -> esx_driver::Result<()> {
/// use esx_driver::virt_model::{StoragePoolCreateFlags, StoragePoolFilter};
///
/// for entry in connect.list_all_storage_pools(StoragePoolFilter::NETFS).await? {
///     println!("{} {}", entry.pool.name(), entry.info.available);
/// }
/// let xml = "<pool type='netfs'>
///   <name>images</name>
///   <source><host name='nas.example.com'/><dir path='/images'/></source>
///   <target><path>/vmfs/volumes/images</path></target>
/// </pool>";
/// let pool = connect
///     .storage_pool_create_xml(xml, StoragePoolCreateFlags::NONE)
///     .await?;
/// pool.refresh().await?;
/// pool.destroy().await
/// # }
/// ```
#[derive(Clone)]
pub struct StoragePool {
    connect: Connect,
    name: String,
    uuid: Uuid,
    backend: Backend,
}

/// What a pool is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Backend {
    /// A datastore.
    Datastore(ManagedObjectReference),
    /// A target, whose name is the pool's.
    Iscsi {
        /// The devices of the adapters that have the target: `vmhba64`.
        adapters: Vec<String>,
    },
}

/// A pool of a [list](Connect::list_all_storage_pools), with what came along.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct StoragePoolEntry {
    /// The pool.
    pub pool: StoragePool,
    /// Its type.
    pub kind: StoragePoolType,
    /// Its state and sizes.
    pub info: StoragePoolInfo,
}

impl StoragePool {
    /// The datastore that the host has mounted at `path`.
    fn of_datastore(
        connect: &Connect,
        name: String,
        moref: ManagedObjectReference,
        path: &str,
    ) -> StoragePool {
        StoragePool {
            connect: connect.clone(),
            name,
            uuid: derived_uuid(path),
            backend: Backend::Datastore(moref),
        }
    }

    /// The iSCSI target of that name.
    fn of_target(connect: &Connect, name: String, adapters: Vec<String>) -> StoragePool {
        StoragePool {
            connect: connect.clone(),
            uuid: derived_uuid(&name),
            name,
            backend: Backend::Iscsi { adapters },
        }
    }

    /// The datastore's name, or the target's.
    #[doc(alias = "virStoragePoolGetName")]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The MD5 sum of the path where the host has mounted the datastore (of the datastore's URL if the host tells no path), or
    /// of the target's name.
    #[doc(alias("virStoragePoolGetUUID", "virStoragePoolGetUUIDString"))]
    pub fn uuid(&self) -> Uuid {
        self.uuid
    }

    /// The connection.
    pub fn connect(&self) -> &Connect {
        &self.connect
    }

    /// What the pool is.
    pub(crate) fn backend(&self) -> &Backend {
        &self.backend
    }

    /// The pool's state and sizes in bytes: one request.
    ///
    /// The sizes of a datastore that the host cannot access are 0, and so are those of a target always, as in libvirt's
    /// ESX driver. A datastore that was unmounted is inactive.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if the host has the datastore or the target no more.
    #[doc(alias = "virStoragePoolGetInfo")]
    pub async fn info(&self) -> Result<StoragePoolInfo> {
        match &self.backend {
            Backend::Datastore(moref) => {
                let row: datastore::Row = self.read(moref).await?;
                row.info(self.connect.host_system().await?)
                    .ok_or_else(|| no_pool_with_name(&self.name))
            }
            Backend::Iscsi { .. } => {
                self.target().await?;
                Ok(iscsi::info())
            }
        }
    }

    /// Whether the pool is active: all are but datastores that were unmounted. One request.
    ///
    /// # Errors
    /// As [`info`](StoragePool::info).
    #[doc(alias = "virStoragePoolIsActive")]
    pub async fn is_active(&self) -> Result<bool> {
        Ok(self.info().await?.state != StoragePoolState::Inactive)
    }

    /// Whether the pool is persistent: always, without a request.
    #[doc(alias = "virStoragePoolIsPersistent")]
    pub fn is_persistent(&self) -> bool {
        true
    }

    /// Whether the pool starts with its host: always, without a request.
    #[doc(alias = "virStoragePoolGetAutostart")]
    pub fn autostart(&self) -> bool {
        true
    }

    /// Sets whether the pool starts with its host. All do, so `true` changes nothing. No request.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] for `false`.
    #[doc(alias = "virStoragePoolSetAutostart")]
    pub fn set_autostart(&self, autostart: bool) -> Result<()> {
        match autostart {
            true => Ok(()),
            false => Err(Error::new(
                ErrorKind::Unsupported,
                ErrorNumber::InternalError,
                "Cannot deactivate storage pool autostart",
            )),
        }
    }

    /// Properties of the pool's datastore: one request.
    async fn read<P: vi_client::retrieve::PropertySet>(
        &self,
        moref: &ManagedObjectReference,
    ) -> Result<P> {
        let found = self.connect.read_complete(moref).await?;
        found.ok_or_else(|| no_pool_with_name(&self.name))
    }

    /// The pool's target, as the host's adapters have it: one request.
    async fn target(&self) -> Result<iscsi::Target> {
        let mut targets = self.connect.iscsi_targets().await?.into_iter();
        let target = targets.find(|target| target.name == self.name);
        target.ok_or_else(|| no_pool_with_name(&self.name))
    }
}

impl fmt::Debug for StoragePool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoragePool")
            .field("name", &self.name)
            .field("uuid", &self.uuid)
            .field("backend", &self.backend)
            .finish_non_exhaustive()
    }
}

/// libvirt's text (esxStoragePoolLookupByName, 9.0.0).
fn no_pool_with_name(name: &str) -> Error {
    no_pool(format!("Could not find storage pool with name '{name}'"))
}

fn no_pool(message: String) -> Error {
    let kind = ErrorKind::NotFound(What::StoragePool);
    Error::new(kind, ErrorNumber::NoStoragePool, message)
}
