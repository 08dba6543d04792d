//! Downloading a range of a file.

use std::time::Duration;

use bytes::Bytes;
use sha2::Digest as _;
use tracing::debug;
use vi_client::{Error as Cause, FilePart, FileRange, FileVersion, Files};
use virt_model::ErrorNumber;

use super::host::Access;
use super::parallel::{Parallel, first_range};
use super::part::{Part, Stopped, Subject};
use super::pause::Pauses;
use super::{Failure, Sha256};
use crate::{Connect, DatastorePath, Error, ErrorKind, Result};

/// What to download of a file, and how. The default is the whole file, on one connection.
#[derive(Debug, Clone)]
pub struct DownloadOptions {
    offset: u64,
    length: Option<u64>,
    version: Option<String>,
    connections: usize,
    checksum: bool,
    host_direct: bool,
}

impl Default for DownloadOptions {
    fn default() -> DownloadOptions {
        DownloadOptions {
            offset: 0,
            length: None,
            version: None,
            connections: 1,
            checksum: false,
            host_direct: false,
        }
    }
}

impl DownloadOptions {
    /// The largest number of [`connections`](DownloadOptions::connections). Hosts serve few requests at a time.
    pub const MOST_CONNECTIONS: usize = 16;

    /// Begins at this byte of the file (default: 0), to continue a download or to read a part.
    #[must_use]
    pub fn offset(mut self, bytes: u64) -> Self {
        self.offset = bytes;
        self
    }

    /// Downloads at most so many bytes (default: up to the end of the file).
    #[must_use]
    pub fn length(mut self, bytes: impl Into<Option<u64>>) -> Self {
        self.length = bytes.into();
        self
    }

    /// Refuses another [version](FileDownload::version) of the file than this one, to continue an earlier download.
    #[must_use]
    pub fn version(mut self, version: impl Into<Option<String>>) -> Self {
        self.version = version.into();
        self
    }

    /// How many connections to use at the same time (default: 1; at most
    /// [`MOST_CONNECTIONS`](DownloadOptions::MOST_CONNECTIONS)). A server that has no room for all of them is asked with
    /// fewer.
    #[must_use]
    pub fn connections(mut self, most: usize) -> Self {
        self.connections = most.clamp(1, DownloadOptions::MOST_CONNECTIONS);
        self
    }

    /// Computes the [SHA-256](FileDownload::sha256) of what arrives. The pieces then come in the file's order.
    #[must_use]
    pub fn checksum(mut self, wanted: bool) -> Self {
        self.checksum = wanted;
        self
    }

    /// With a vCenter, gets the file from a host that has the datastore, without the way through the vCenter (default:
    /// through the vCenter, since clients often cannot reach the hosts). If that does not work, the file comes through the
    /// vCenter, with a warning.
    #[must_use]
    pub fn host_direct(mut self, wanted: bool) -> Self {
        self.host_direct = wanted;
        self
    }
}

/// Bytes of a file that is downloaded.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Piece {
    /// Where they are in the file.
    pub offset: u64,
    /// At least one byte.
    pub bytes: Bytes,
}

/// A range of a file that is downloaded: see [`Connect::download_file`].
///
/// Dropped, it ends the download.
pub struct FileDownload {
    subject: Subject,
    offset: u64,
    end: u64,
    /// How many bytes have been given to the caller.
    given: u64,
    way: Way,
    sum: Option<sha2::Sha256>,
    is_ordered: bool,
    connections: usize,
}

enum Way {
    /// One connection after the other.
    Single(Single),
    /// Several connections, before the first piece: the first answer, and where it ends.
    Several(Option<Part>, u64),
    Parallel(Parallel),
}

/// Reads on one connection, which is replaced when it breaks.
struct Single {
    part: Option<Part>,
    at: u64,
    pauses: Pauses,
    /// What to wait for before the next request.
    wait: Duration,
}

impl FileDownload {
    /// Where the range begins in the file.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// How many bytes the range has.
    pub fn length(&self) -> u64 {
        self.end - self.offset
    }

    /// The length of the whole file.
    pub fn file_length(&self) -> u64 {
        self.subject.total
    }

    /// Which version of the file it is: its `ETag` or, without one, the time of its last change, as the server writes them.
    /// `None` if the server tells neither.
    ///
    /// Another download that continues this one asks for the [same version](DownloadOptions::version).
    pub fn version(&self) -> Option<&str> {
        version(&self.subject.version)
    }

    /// Gives the pieces in the file's order, also from several connections; some MiB of pieces are held meanwhile. Only
    /// before the first [`piece`](FileDownload::piece).
    #[must_use]
    pub fn ordered(mut self) -> FileDownload {
        self.is_ordered = true;
        self
    }

    /// The next bytes of the range; `None` after the last ones. The pieces cover the range exactly once: in the file's
    /// order with one connection, otherwise as they arrive.
    ///
    /// A broken connection is replaced, and the download goes on where it stopped; so it does when the session has ended,
    /// or the server has no room for a while. It may be called again if its future was dropped.
    ///
    /// # Errors
    /// [`ErrorKind::File`] if the server refuses; [`ErrorKind::FileChanged`] if the file is another one than when the
    /// download began;
    /// [`ErrorKind::Transport`] or [`ErrorKind::Timeout`] if several connections in a row brought nothing. What has arrived
    /// is right in any case: another download can begin behind it.
    pub async fn piece(&mut self) -> Result<Option<Piece>> {
        if let Way::Several(part, first) = &mut self.way
            && let Some(part) = part.take()
        {
            let range = (self.offset, *first, self.end);
            let (subject, connections) = (&self.subject, self.connections);
            let parallel = Parallel::begin(subject, part, range, connections, self.is_ordered);
            self.way = Way::Parallel(parallel);
        }
        let piece = match &mut self.way {
            Way::Single(single) => single.piece(&self.subject, self.end).await?,
            Way::Parallel(parallel) => parallel.piece().await?,
            Way::Several(..) => None,
        };
        let Some(piece) = piece else { return Ok(None) };
        self.given += piece.bytes.len() as u64;
        if let Some(sum) = &mut self.sum {
            sum.update(&piece.bytes);
        }
        Ok(Some(piece))
    }

    /// The SHA-256 of the range, if it was [asked for](DownloadOptions::checksum) and the range has arrived completely.
    pub fn sha256(&self) -> Option<Sha256> {
        let sum = self.sum.as_ref().filter(|_| self.given == self.length())?;
        let digest: [u8; 32] = sum.clone().finalize().into();
        Some(digest.into())
    }
}

impl Single {
    async fn piece(&mut self, subject: &Subject, end: u64) -> Result<Option<Piece>> {
        while self.at < end {
            let part = match &mut self.part {
                Some(part) => part,
                None => {
                    tokio::time::sleep(self.wait).await;
                    match subject.open(self.at, end).await {
                        Ok(part) => self.part.insert(part),
                        Err(stopped) => {
                            self.stop(stopped)?;
                            continue;
                        }
                    }
                }
            };
            let offset = self.at;
            match part.next(subject, &mut self.at, end).await {
                Ok(Some(bytes)) => {
                    self.pauses.reset();
                    return Ok(Some(Piece { offset, bytes }));
                }
                // The server gave less than it was asked for, and said so.
                Ok(None) => {
                    self.part = None;
                    self.wait = Duration::ZERO;
                }
                Err(stopped) => self.stop(stopped)?,
            }
        }
        self.part = None;
        Ok(None)
    }

    /// Prepares the next connection.
    fn stop(&mut self, stopped: Stopped) -> Result<()> {
        self.part = None;
        let Some(wait) = self.pauses.after(stopped.failure) else {
            return Err(stopped.error);
        };
        debug!(error = %stopped.error, ?wait, offset = self.at, "the download goes on");
        self.wait = wait;
        Ok(())
    }
}

impl Connect {
    /// Downloads a range of any file of a datastore of the host's datacenter. The pieces arrive by
    /// [`FileDownload::piece`]; nothing is held in memory but what is on its way.
    ///
    /// One request for the first piece, more if the server does not tell the file's length with it; one for each range of
    /// several connections. There is no deadline for the whole; a connection on which nothing has moved for the deadline of
    /// calls is given up.
    ///
    /// The content of a virtual disk is in its extent, such as `disk-flat.vmdk`; `disk.vmdk` is a small text.
    ///
    /// # Errors
    /// [`ErrorKind::File`] if the server does not give the file, or the offset is behind its end;
    /// [`ErrorKind::FileChanged`] if it is another version than the one that is wanted.
    pub async fn download_file(
        &self,
        path: &DatastorePath,
        options: DownloadOptions,
    ) -> Result<FileDownload> {
        let mut subject = Subject {
            connect: self.clone(),
            files: self.way_to(path, Access::Read, options.host_direct).await,
            file: self.file(path).await?,
            path: path.clone(),
            total: 0,
            version: Default::default(),
        };
        let offset = options.offset;
        let connections = options.connections;
        let first = FileRange {
            offset,
            length: match connections {
                1 => options.length,
                _ => Some(first_range(options.length)),
            },
        };
        let begun = match first.length {
            // There is no range of no bytes.
            Some(0) => None,
            _ => subject.begin(first).await?,
        };
        let part = match begun {
            Some(part) => Some(part),
            None => {
                subject.total = self.length_by(&subject.files, path).await?;
                None
            }
        };
        if offset > subject.total {
            let message = format!(
                "Offset {offset} is behind the end of '{path}', which has {} bytes",
                subject.total
            );
            return Err(Error::new(
                ErrorKind::File,
                ErrorNumber::InvalidArg,
                message,
            ));
        }
        if let Some(wanted) = &options.version
            && version(&subject.version) != Some(wanted)
        {
            return Err(subject.changed("it is another version than before"));
        }
        let rest = subject.total - offset;
        let end = offset + options.length.map_or(rest, |length| length.min(rest));
        let part = match part {
            Some(part) => Some(
                subject
                    .check(offset, part)
                    .map_err(|stopped| stopped.error)?,
            ),
            None => None,
        };
        let part = part.filter(|part| part.reaches(offset));
        let way = match part {
            // A server that ignores ranges gives everything on one connection.
            Some(part) if connections > 1 && part.is_a_range() && part.end() < end => {
                let first = part.end();
                Way::Several(Some(part), first)
            }
            part => Way::Single(Single {
                part,
                at: offset,
                pauses: Pauses::default(),
                wait: Duration::ZERO,
            }),
        };
        Ok(FileDownload {
            subject,
            offset,
            end,
            given: 0,
            way,
            sum: options.checksum.then(sha2::Sha256::default),
            is_ordered: options.checksum,
            connections,
        })
    }

    /// The length of a file of a datastore of the host's datacenter, in bytes. One request; two if the server does not tell
    /// it without the content.
    ///
    /// # Errors
    /// [`ErrorKind::File`] if the server does not give the file, or does not tell its length.
    pub async fn file_length(&self, path: &DatastorePath) -> Result<u64> {
        self.length_by(&self.client().files(), path).await
    }

    /// The length of a file, asked for in that way.
    pub(super) async fn length_by(&self, files: &Files, path: &DatastorePath) -> Result<u64> {
        let file = self.file(path).await?;
        let mut pauses = Pauses::default();
        loop {
            match files.head(&file).await {
                Ok(head) => return head.length.ok_or_else(|| no_length(path)),
                Err(error) => self.patience(path, &mut pauses, error).await?,
            }
        }
    }

    /// Waits before a request is sent again, or gives up.
    pub(super) async fn patience(
        &self,
        path: &DatastorePath,
        pauses: &mut Pauses,
        error: Cause,
    ) -> Result<()> {
        let Some(wait) = pauses.after(Failure::of(&error)) else {
            return Err(self.file_error(path, error));
        };
        debug!(%error, ?wait, "asking again");
        tokio::time::sleep(wait).await;
        Ok(())
    }
}

impl Subject {
    /// The first answer, which tells the file's length and version. `None` if the file ends before the range.
    async fn begin(&mut self, range: FileRange) -> Result<Option<FilePart>> {
        let mut pauses = Pauses::default();
        let part = loop {
            match self.files.get(&self.file, range, None).await {
                Ok(part) => break part,
                Err(Cause::File { status: 416, .. }) => return Ok(None),
                Err(error) if self.files.is_direct() => {
                    let error = self.connect.file_error(&self.path, error);
                    self.files = self.connect.through_vcenter(&self.path, &error);
                }
                Err(error) => {
                    let connect = &self.connect;
                    connect.patience(&self.path, &mut pauses, error).await?;
                }
            }
        };
        self.total = match part.total {
            Some(total) => total,
            None => self.connect.length_by(&self.files, &self.path).await?,
        };
        self.version = part.version.clone();
        Ok(Some(part))
    }
}

fn version(version: &FileVersion) -> Option<&str> {
    version.etag.as_deref().or(version.modified.as_deref())
}

fn no_length(path: &DatastorePath) -> Error {
    let message = format!(
        "The server does not tell the length of '{path}', so nobody could tell whether it has arrived whole"
    );
    Error::new(ErrorKind::File, ErrorNumber::OperationUnsupported, message)
}
