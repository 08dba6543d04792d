//! Directories and files of datastores: the calls of the API's FileManager.

use vi_types::methods::{CopyDatastoreFileTask, DeleteDatastoreFileTask, MakeDirectory};
use vi_types::objects::FileAlreadyExists;

use super::DatastorePath;
use crate::engine::{Change, Runner};
use crate::{Connect, Error, Result};

impl Connect {
    /// Makes a directory, with `parents` also those above it that are missing.
    pub(crate) async fn directory_creation(
        &self,
        path: &DatastorePath,
        parents: bool,
    ) -> Result<Change<()>> {
        let request = MakeDirectory {
            name: path.to_string(),
            datacenter: Some(self.place().await?.datacenter.clone()),
            create_parent_directories: Some(parents),
            ..MakeDirectory::default()
        };
        Ok(Change::call(self.client(), request))
    }

    /// Makes a directory and those above it, if it is missing: one request. Returns whether it was missing.
    pub(crate) async fn ensure_directory(
        &self,
        runner: &mut Runner<'_>,
        path: &DatastorePath,
    ) -> Result<bool> {
        match runner
            .perform(self.directory_creation(path, true).await?)
            .await
        {
            Ok(()) => Ok(true),
            Err(error) if is_taken(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Deletes a file, or a directory with everything in it.
    pub(crate) async fn deletion(&self, path: &DatastorePath) -> Result<Change<()>> {
        let request = DeleteDatastoreFileTask {
            name: path.to_string(),
            datacenter: Some(self.place().await?.datacenter.clone()),
            ..DeleteDatastoreFileTask::default()
        };
        Ok(Change::task(self.client(), request))
    }

    /// Copies a file that is no virtual disk. Nothing is overwritten.
    pub(crate) async fn file_copy(
        &self,
        from: (&Connect, &DatastorePath),
        to: &DatastorePath,
    ) -> Result<Change<()>> {
        let (origin, from) = from;
        let request = CopyDatastoreFileTask {
            source_name: from.to_string(),
            source_datacenter: Some(origin.place().await?.datacenter.clone()),
            destination_name: to.to_string(),
            destination_datacenter: Some(self.place().await?.datacenter.clone()),
            force: Some(false),
            ..CopyDatastoreFileTask::default()
        };
        Ok(Change::task(self.client(), request))
    }
}

/// Whether the host says that there is such a file or directory already.
pub(crate) fn is_taken(error: &Error) -> bool {
    let fault = error.fault();
    fault.is_some_and(|fault| fault.is::<FileAlreadyExists>())
}
