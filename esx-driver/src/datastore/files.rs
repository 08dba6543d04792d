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
        let content = self.client().download(&self.file(path).await?).await;
        content.map_err(|error| self.file_error(path, error))
    }

    /// Uploads a file to a datastore of the host's datacenter. An existing file is replaced.
    ///
    /// # Errors
    /// [`ErrorKind::File`] if the server does not take the file.
    pub(crate) async fn upload(&self, path: &DatastorePath, content: Bytes) -> Result<()> {
        let written = self.client().upload(&self.file(path).await?, content).await;
        written.map_err(|error| self.file_error(path, error))
    }

    /// The file, as the server addresses it.
    pub(super) async fn file(&self, path: &DatastorePath) -> Result<DatastoreFile> {
        Ok(DatastoreFile {
            datacenter_path: self.place().await?.datacenter_path.clone(),
            datastore: path.datastore().to_owned(),
            path: path.path().to_owned(),
        })
    }

    /// libvirt's text for a transfer that failed (esxVI_CURL_Download and esxVI_CURL_Upload of esx_vi.c, 9.0.0), which has
    /// the whole URL, and advice about what the status means.
    pub(super) fn file_error(&self, file: &DatastorePath, error: Cause) -> Error {
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
                let advice = match *action {
                    "upload to" => not_written(file, *status),
                    _ => not_read(file, *status),
                };
                let failed = Error::new(ErrorKind::File, ErrorNumber::InternalError, message);
                match advice {
                    Some(advice) => failed.advise(advice),
                    None => failed,
                }
                .because(error)
            }
            _ => error.into(),
        }
    }
}

/// What the status of an upload means.
fn not_written(file: &DatastorePath, status: u16) -> Option<String> {
    let datastore = file.datastore();
    Some(match status {
        404 => match file.path().rsplit_once('/') {
            Some((folder, _)) => format!(
                "the datastore '{datastore}' has no folder '{folder}'; creating a volume in it makes it"
            ),
            None => format!("the server does not find the datastore '{datastore}'"),
        },
        409 => format!("'{file}' is a folder; choose another name"),
        500 => format!("check that the datastore '{datastore}' is accessible and writable"),
        507 => format!("the datastore '{datastore}' has no room for the file"),
        _ => return not_read(file, status),
    })
}

/// What the status of another request for a file means.
fn not_read(file: &DatastorePath, status: u16) -> Option<String> {
    let datastore = file.datastore();
    Some(match status {
        401 => format!("the user may not use files of the datastore '{datastore}'"),
        403 => format!(
            "a running domain has locked '{file}', or the user may not use files of the datastore '{datastore}'"
        ),
        404 => format!("there is no file '{file}', or the datastore is not accessible"),
        _ => return None,
    })
}
