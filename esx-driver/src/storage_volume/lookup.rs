//! One volume by its name, key or path.

use virt_model::{ErrorNumber, Uuid};

use super::file::File;
use super::lun::no_lun;
use super::{StorageVol, missing};
use crate::datastore::{Store, is_missing};
use crate::storage_pool::Backend;
use crate::{Connect, DatastorePath, Error, ErrorKind, Result, StoragePool};

impl StoragePool {
    /// The volume of that name: `directory/file` on a datastore, the device's name on an iSCSI target. Any file or
    /// directory of a datastore is found, not only what [lists](StoragePool::list_all_volumes) have.
    ///
    /// One request for a virtual disk on a host, and for a LUN; for any other file a search task.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if there is none; [`ErrorKind::File`] if the directory cannot be searched.
    #[doc(alias = "virStorageVolLookupByName")]
    pub async fn volume_lookup_by_name(&self, name: &str) -> Result<StorageVol> {
        let connect = self.connect();
        let Backend::Datastore(moref) = self.backend() else {
            let mut luns = connect.luns_of(self.name()).await?.into_iter();
            let lun = luns.find(|lun| lun.name == name || lun.path == name);
            let lun = lun.ok_or_else(|| no_lun(name))?;
            return Ok(StorageVol::of_lun(connect, lun));
        };
        let path = DatastorePath::new(self.name(), name);
        let file = File::new(&Store::at(moref, self.name()), path);
        connect.file_volume(file).await
    }
}

impl Connect {
    /// The volume at a datastore path (`[datastore] directory/file`), or the LUN with that device path
    /// (`/vmfs/devices/disks/…`).
    ///
    /// One request for a virtual disk on a host, and for a LUN; for any other file the datastores' browsers and a search
    /// task.
    ///
    /// # Errors
    /// [`ErrorKind::Argument`] or [`ErrorKind::DatastorePath`] for a path of another form; [`ErrorKind::NotFound`] if there
    /// is no such volume; [`ErrorKind::File`] if the directory cannot be searched.
    #[doc(alias = "virStorageVolLookupByPath")]
    pub async fn storage_vol_lookup_by_path(&self, path: &str) -> Result<StorageVol> {
        if path.starts_with('[') {
            let path: DatastorePath = path.parse()?;
            let file = File::new(&Store::named(path.datastore()), path);
            return self.file_volume(file).await;
        }
        if path.starts_with('/') {
            let mut luns = self.luns().await?.into_iter();
            let lun = luns.find(|lun| lun.path == path || lun.name == path);
            let missing = || missing(format!("Could not find storage volume with path '{path}'"));
            return Ok(StorageVol::of_lun(self, lun.ok_or_else(missing)?));
        }
        Err(Error::new(
            ErrorKind::Argument,
            ErrorNumber::InvalidArg,
            format!("Unexpected volume path format: {path}"),
        ))
    }

    /// The volume with that [key](StorageVol::key).
    ///
    /// A path takes the requests of [`storage_vol_lookup_by_path`](Connect::storage_vol_lookup_by_path). A UUID is looked
    /// for among the LUNs (one request), then among the disks of the host's domains (two), and only then on the
    /// datastores, where each disk is asked for its UUID: thousands of requests if there are thousands of disks.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if there is none.
    #[doc(alias = "virStorageVolLookupByKey")]
    pub async fn storage_vol_lookup_by_key(&self, key: &str) -> Result<StorageVol> {
        if key.starts_with(['[', '/']) {
            return match self.storage_vol_lookup_by_path(key).await {
                Err(error) if is_about_the_key(&error) => Err(no_key(key).because(error)),
                found => found,
            };
        }
        let Ok(uuid) = key.parse::<Uuid>() else {
            return Err(no_key(key));
        };
        let wanted = uuid.to_string();
        let mut luns = self.luns().await?.into_iter();
        if let Some(lun) = luns.find(|lun| lun.key == wanted) {
            return Ok(StorageVol::of_lun(self, lun));
        }
        let found = self.disk_with_uuid(uuid).await?;
        found.ok_or_else(|| no_key(key))
    }

    /// The pool that has a volume: one request.
    ///
    /// # Errors
    /// As [`storage_pool_lookup_by_name`](Connect::storage_pool_lookup_by_name).
    #[doc(alias = "virStoragePoolLookupByVolume")]
    pub async fn storage_pool_lookup_by_volume(&self, volume: &StorageVol) -> Result<StoragePool> {
        self.storage_pool_lookup_by_name(volume.pool_name()).await
    }

    /// The volume of a file, if that is there.
    async fn file_volume(&self, file: File) -> Result<StorageVol> {
        let path = &file.path;
        if path.file().is_empty() {
            let message = format!("Datastore path '{path}' doesn't reference a file");
            let kind = ErrorKind::DatastorePath;
            return Err(Error::new(kind, ErrorNumber::InternalError, message));
        }
        match file.ensure_there(self).await {
            Ok(()) => Ok(StorageVol {
                connect: self.clone(),
                backend: super::Backend::File(file),
            }),
            // libvirt's text says that the directory cannot be searched, since it is not there.
            Err(error) if is_missing(&error) => {
                Err(error.with_kind(ErrorKind::NotFound(crate::What::StorageVol)))
            }
            Err(error) => Err(error),
        }
    }
}

/// libvirt's text (esxStorageVolLookupByKey of esx_storage_driver.c, 9.0.0).
pub(super) fn no_key(key: &str) -> Error {
    missing(format!("Could not find storage volume with key '{key}'"))
}

/// Whether the server said that there is no such file, rather than that it could not say.
fn is_about_the_key(error: &Error) -> bool {
    let kinds = [ErrorKind::DatastorePath, ErrorKind::Argument];
    matches!(error.kind(), ErrorKind::NotFound(_)) || kinds.contains(&error.kind())
}
