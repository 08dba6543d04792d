//! Uploading whole files.

use std::time::Duration;

use tracing::warn;
use vi_client::{Error as Cause, Files, UploadSource};
use virt_model::ErrorNumber;

use super::host::Access;
use super::pause::Pauses;
use super::{Failure, Sha256};
use crate::{Connect, DatastorePath, Error, ErrorKind, Result};

/// How to upload a file.
#[derive(Debug, Clone, Default)]
pub struct UploadOptions {
    checksum: bool,
    host_direct: bool,
}

impl UploadOptions {
    /// Computes the [SHA-256](Uploaded::sha256) of what is sent.
    #[must_use]
    pub fn checksum(mut self, wanted: bool) -> Self {
        self.checksum = wanted;
        self
    }

    /// With a vCenter, sends the file to a host that has the datastore, without the way through the vCenter (default:
    /// through the vCenter, since clients often cannot reach the hosts). If that does not work, the file goes through the
    /// vCenter, with a warning.
    #[must_use]
    pub fn host_direct(mut self, wanted: bool) -> Self {
        self.host_direct = wanted;
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
    /// Two requests: the file, and whether the server has all of it; one more before, to renew the session if it has ended,
    /// if the source can be read only once. There is no deadline for the whole; a connection on which nothing has moved for the
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
        let file = self.file(path).await?;
        let mut files = self.way_to(path, Access::Write, options.host_direct).await;
        if files.is_direct() || !source.is_repeatable() {
            self.knock(&mut files, path).await?;
        }
        let mut attempts = Attempts::default();
        loop {
            let (failure, error) = match files.put(&file, &mut source, options.checksum).await {
                Ok(sent) => match self.length_by(&files, path).await {
                    Ok(found) if found == sent.length => {
                        return Ok(Uploaded {
                            length: found,
                            sha256: sent.sha256.map(Sha256::from),
                        });
                    }
                    Ok(found) => (Failure::Broken, other_length(path, sent.length, found)),
                    Err(error) => {
                        let advice =
                            "the server took the upload, but its length could not be checked";
                        return Err(error.note(advice));
                    }
                },
                Err(error) => (Failure::of(&error), self.file_error(path, error)),
            };
            let error = match source.can_begin_again() {
                true => match attempts.after(failure) {
                    Some(wait) => {
                        warn!(%error, "the upload to '{path}' is sent again from its start");
                        tokio::time::sleep(wait).await;
                        continue;
                    }
                    None => error,
                },
                false if failure == Failure::Final => error,
                false => error
                    .note("the upload cannot be continued, and its source can be read only once"),
            };
            return Err(self.left_behind(path, error).await);
        }
    }

    /// Asks about the file before it is sent: then the session has not ended, and a host can be reached.
    async fn knock(&self, files: &mut Files, path: &DatastorePath) -> Result<()> {
        let file = self.file(path).await?;
        let mut pauses = Pauses::default();
        loop {
            match files.head(&file).await {
                Ok(_) | Err(Cause::File { status: 404, .. }) => return Ok(()),
                Err(error) if files.is_direct() => {
                    *files = self.through_vcenter(path, &self.file_error(path, error));
                }
                Err(error) => self.patience(path, &mut pauses, error).await?,
            }
        }
    }

    /// Adds to the error what the server has of a failed upload.
    async fn left_behind(&self, path: &DatastorePath, error: Error) -> Error {
        // The upload was to that file, so where it is was known.
        let Ok(file) = self.file(path).await else {
            return error;
        };
        let found = self.client().files().head(&file).await;
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
        error.note(&advice)
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
        match failure {
            Failure::Final => None,
            Failure::Busy => self.busy.after(failure),
            Failure::Broken => {
                self.broken += 1;
                let wait = Duration::from_secs(u64::from(self.broken - 1));
                (self.broken <= Self::MOST_BROKEN).then_some(wait)
            }
        }
    }
}

fn other_length(path: &DatastorePath, sent: u64, found: u64) -> Error {
    let message = format!("{sent} bytes were uploaded to '{path}', and the server has {found}");
    Error::new(ErrorKind::File, ErrorNumber::OperationFailed, message)
}
