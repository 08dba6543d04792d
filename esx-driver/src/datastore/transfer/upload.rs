//! Uploading whole files.

use std::time::Duration;

use tracing::warn;
use vi_client::{Error as Cause, UploadSource};
use virt_model::ErrorNumber;

use super::pause::Pauses;
use super::{Failure, Sha256};
use crate::{Connect, DatastorePath, Error, ErrorKind, Result};

/// How to upload a file.
#[derive(Debug, Clone, Default)]
pub struct UploadOptions {
    checksum: bool,
}

impl UploadOptions {
    /// Computes the [SHA-256](Uploaded::sha256) of what is sent.
    #[must_use]
    pub fn checksum(mut self, wanted: bool) -> Self {
        self.checksum = wanted;
        self
    }
}

/// A file that was uploaded, and is on the server with this length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Uploaded {
    /// Its length in bytes.
    pub length: u64,
    /// The SHA-256 of what was sent, if it was [asked for](UploadOptions::checksum).
    pub sha256: Option<Sha256>,
}

impl Connect {
    /// Uploads a whole file to a datastore of the host's datacenter. An existing file is replaced; the directory must exist.
    ///
    /// `source` is a stream of `length` bytes, or an [`UploadSource`]. Without a length the server learns the end when it
    /// comes. Servers cannot continue an upload, so after a broken connection it is sent again from its start, a few times:
    /// only if the source [can be read again](UploadSource::again).
    ///
    /// Two requests: the file, and whether the server has all of it; one more before a source that can be read only once, to
    /// renew the session if it has ended. There is no deadline for the whole; a connection on which nothing has moved for the
    /// deadline of calls is given up.
    ///
    /// # Errors
    /// [`ErrorKind::File`] if the server does not take the file, if the source cannot be read or ends early, or if the
    /// server has another length in the end; [`ErrorKind::Transport`] or [`ErrorKind::Timeout`] if the connection broke and
    /// the upload could not be sent again. The [advice](Error::advice) says what is on the server then.
    pub async fn upload_file(
        &self,
        path: &DatastorePath,
        length: impl Into<Option<u64>>,
        source: impl Into<UploadSource>,
        options: UploadOptions,
    ) -> Result<Uploaded> {
        let mut source = source.into();
        if let Some(length) = length.into() {
            source = source.with_length(length);
        }
        let (files, file) = (self.client().files(), self.file(path));
        let mut pauses = Pauses::default();
        while !source.is_repeatable() {
            match files.head(&file).await {
                Ok(_) | Err(Cause::File { status: 404, .. }) => break,
                Err(error) => self.patience(&mut pauses, error).await?,
            }
        }
        let mut pauses = Attempts::default();
        loop {
            let error = match files.put(&file, &mut source, options.checksum).await {
                Ok(sent) => match self.file_length(path).await {
                    Ok(found) if found == sent.length => {
                        return Ok(Uploaded {
                            length: found,
                            sha256: sent.sha256.map(Sha256::from),
                        });
                    }
                    Ok(found) => {
                        let error = other_length(path, sent.length, found);
                        (Failure::Broken, error)
                    }
                    Err(error) => {
                        let advice = "the upload succeeded, but its length could not be checked";
                        return Err(error.advise_also(advice));
                    }
                },
                Err(error) => (Failure::of(&error), self.file_error(error)),
            };
            let (failure, error) = error;
            let wait = match failure {
                Failure::Final => None,
                _ if source.can_begin_again() => pauses.after(failure),
                _ => {
                    let error = error.advise_also(
                        "the upload cannot be continued, and its source can be read only once",
                    );
                    return Err(self.left_behind(path, error).await);
                }
            };
            let Some(wait) = wait else {
                return Err(self.left_behind(path, error).await);
            };
            warn!(%error, "the upload to '{path}' is sent again from its start");
            tokio::time::sleep(wait).await;
        }
    }

    /// Adds to the error what the server has of a failed upload.
    async fn left_behind(&self, path: &DatastorePath, error: Error) -> Error {
        let found = self.client().files().head(&self.file(path)).await;
        let advice = match found.map(|head| head.length) {
            Ok(Some(length)) => {
                format!(
                    "'{path}' has {length} bytes on the server, which may be a part of the upload"
                )
            }
            Ok(None) => format!("'{path}' is on the server, which may be a part of the upload"),
            Err(Cause::File { status: 404, .. }) => {
                format!("'{path}' is not on the server")
            }
            Err(_) => format!("whether the server has a part of '{path}' is not known"),
        };
        error.advise_also(&advice)
    }
}

/// How often an upload was begun.
#[derive(Default)]
struct Attempts {
    broken: u32,
    busy: Pauses,
}

impl Attempts {
    /// So often an upload is sent again after a broken connection.
    const MOST_BROKEN: u32 = 3;

    fn after(&mut self, failure: Failure) -> Option<Duration> {
        if failure == Failure::Busy {
            return self.busy.after(failure);
        }
        self.broken += 1;
        (self.broken <= Self::MOST_BROKEN).then(|| Duration::from_secs(u64::from(self.broken - 1)))
    }
}

fn other_length(path: &DatastorePath, sent: u64, found: u64) -> Error {
    let message = format!("{sent} bytes were uploaded to '{path}', and the server has {found}");
    Error::new(ErrorKind::File, ErrorNumber::OperationFailed, message)
}
