//! Downloading and uploading files of datastores.

use bytes::Bytes;
use vi_client::{DatastoreFile, Error as Cause};
use virt_model::ErrorNumber;

use super::DatastorePath;
use crate::{Connect, Error, ErrorKind, Result};

impl Connect {
    /// Downloads a file of a datastore of the host's datacenter.
    ///
    /// # Errors
    /// [`ErrorKind::File`] if the server does not give the file.
    pub(crate) async fn download(&self, path: &DatastorePath) -> Result<Bytes> {
        let content = self.client().download(&self.file(path)).await;
        content.map_err(|error| self.file_error(error))
    }

    /// Uploads a file to a datastore of the host's datacenter. An existing file is replaced.
    ///
    /// # Errors
    /// [`ErrorKind::File`] if the server does not take the file.
    pub(crate) async fn upload(&self, path: &DatastorePath, content: Bytes) -> Result<()> {
        let written = self.client().upload(&self.file(path), content).await;
        written.map_err(|error| self.file_error(error))
    }

    /// The file, as the server addresses it.
    pub(super) fn file(&self, path: &DatastorePath) -> DatastoreFile {
        DatastoreFile {
            datacenter_path: self.place().datacenter_path.clone(),
            datastore: path.datastore().to_owned(),
            path: path.path().to_owned(),
        }
    }

    /// libvirt's text for a transfer that failed (esxVI_CURL_Download and esxVI_CURL_Upload of esx_vi.c, 9.0.0), which has
    /// the whole URL.
    pub(super) fn file_error(&self, error: Cause) -> Error {
        match &error {
            Cause::File {
                action,
                path,
                status,
            } => {
                let uri = self.uri();
                let server = match path.starts_with('/') {
                    true => format!("{}://{}:{}", uri.transport(), uri.server(), uri.port()),
                    // A host of the vCenter.
                    false => String::new(),
                };
                let message = format!("HTTP response code {status} for {action} '{server}{path}'");
                Error::new(ErrorKind::File, ErrorNumber::InternalError, message).because(error)
            }
            _ => error.into(),
        }
    }
}
