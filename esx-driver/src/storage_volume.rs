//! Storage volumes: the files of datastores, and the LUNs of iSCSI targets.

mod change;
mod content;
mod copy;
mod create;
mod definition;
mod file;
mod key;
mod list;
mod lookup;
mod lun;
mod users;

use std::fmt;
use std::sync::Arc;

use virt_model::ErrorNumber;
use virt_model::storage_vol::StorageVolInfo;

use self::file::File;
use self::lun::Lun;
use crate::datastore::Store;
use crate::{Connect, DatastorePath, Error, ErrorKind, What};

/// A storage volume: libvirt's `virStorageVol`. It is a file of a datastore, or a LUN of an iSCSI target.
///
/// A cheap clone that talks to a server through its [`Connect`].
///
/// - **The name** of a file is its path within the datastore, `directory/file`; that of a LUN is the device's name on the
///   host.
/// - **Lists** have what libvirt's lists have: virtual disks (`vmdk`), CD images (`iso`) and floppy images (`flp`). Any
///   other file, and any directory, is found by its name or path; also those that a server hides, such as the extent
///   `web-flat.vmdk` of the disk `web.vmdk`.
/// - **The content** of a virtual disk is what a machine sees on it: the bytes of its flat extent, as many as its capacity.
///   That of any other file is the file.
#[derive(Clone)]
pub struct StorageVol {
    connect: Connect,
    backend: Backend,
}

/// What a volume is.
#[derive(Clone)]
enum Backend {
    /// A file or directory of a datastore.
    File(File),
    /// A LUN of an iSCSI target.
    Lun(Lun),
}

/// A volume of a [list](crate::StoragePool::list_all_volumes), with what came along.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct StorageVolEntry {
    /// The volume.
    pub volume: StorageVol,
    /// Its type and sizes.
    pub info: StorageVolInfo,
}

impl StorageVol {
    fn of_file(connect: &Connect, store: &Arc<Store>, path: DatastorePath) -> StorageVol {
        StorageVol {
            connect: connect.clone(),
            backend: Backend::File(File::new(store, path)),
        }
    }

    fn of_lun(connect: &Connect, lun: Lun) -> StorageVol {
        StorageVol {
            connect: connect.clone(),
            backend: Backend::Lun(lun),
        }
    }

    /// The path within the datastore, `directory/file`; or the name of the LUN's device.
    #[doc(alias = "virStorageVolGetName")]
    pub fn name(&self) -> &str {
        match &self.backend {
            Backend::File(file) => file.path.path(),
            Backend::Lun(lun) => &lun.name,
        }
    }

    /// The datastore path, `[datastore] directory/file`; or the path of the LUN's device. No request, so the volume may not
    /// exist any more.
    #[doc(alias = "virStorageVolGetPath")]
    pub fn path(&self) -> String {
        match &self.backend {
            Backend::File(file) => file.path.to_string(),
            Backend::Lun(lun) => lun.path.clone(),
        }
    }

    /// The datastore path of a volume that is a file.
    pub fn datastore_path(&self) -> Option<&DatastorePath> {
        match &self.backend {
            Backend::File(file) => Some(&file.path),
            Backend::Lun(_) => None,
        }
    }

    /// The name of its pool: the datastore's, or the target's.
    pub fn pool_name(&self) -> &str {
        match &self.backend {
            Backend::File(file) => file.path.datastore(),
            Backend::Lun(lun) => &lun.target,
        }
    }

    /// The connection.
    pub fn connect(&self) -> &Connect {
        &self.connect
    }

    /// The file, for what cannot be done to LUNs: `what` is how libvirt's text goes on.
    fn file(&self, what: &str) -> crate::Result<&File> {
        match &self.backend {
            Backend::File(file) => Ok(file),
            Backend::Lun(_) => {
                let message = format!("iSCSI storage pool does not support {what}");
                Err(Error::new(
                    ErrorKind::Unsupported,
                    ErrorNumber::NoSupport,
                    message,
                ))
            }
        }
    }
}

impl fmt::Debug for StorageVol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StorageVol")
            .field("pool", &self.pool_name())
            .field("name", &self.name())
            .finish_non_exhaustive()
    }
}

/// libvirt's text for a file that is not there (esxVI_LookupFileInfoByDatastorePath, 9.0.0).
fn no_volume(key_or_path: impl fmt::Display) -> Error {
    missing(format!(
        "No storage volume with key or path '{key_or_path}'"
    ))
}

fn missing(message: String) -> Error {
    let kind = ErrorKind::NotFound(What::StorageVol);
    Error::new(kind, ErrorNumber::NoStorageVol, message)
}

/// The error of something that a volume, or the API, cannot do.
fn unsupported(message: impl Into<String>) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        ErrorNumber::OperationUnsupported,
        message,
    )
}
