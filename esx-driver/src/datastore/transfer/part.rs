//! One file that is read in parts, and the checks that all parts are of the same version of it.

use bytes::{Buf as _, Bytes};
use vi_client::{
    DatastoreFile, Download, Error as Cause, FilePart, FileRange, FileVersion, Files,
    transport::TransportError,
};
use virt_model::ErrorNumber;

use super::Failure;
use crate::{Connect, DatastorePath, Error, ErrorKind, Result};

/// A server that ignores ranges sends a file from its start. So much of it is received in vain; more is refused.
const MOST_SKIPPED: u64 = 64 << 20;

/// A file that is read.
#[derive(Clone)]
pub(super) struct Subject {
    pub(super) connect: Connect,
    pub(super) files: Files,
    pub(super) file: DatastoreFile,
    pub(super) path: DatastorePath,
    /// The length of the whole file.
    pub(super) total: u64,
    pub(super) version: FileVersion,
}

/// An answer that is being received.
pub(super) struct Part {
    content: Download,
    /// Where the next received byte is in the file.
    at: u64,
    /// Where the answer ends in the file.
    end: u64,
    /// Whether the server answered with a range, not with the whole file.
    is_a_range: bool,
}

/// Why reading stopped.
pub(super) struct Stopped {
    pub(super) failure: Failure,
    pub(super) error: Error,
}

impl Subject {
    /// The error of a request, with what it means.
    pub(super) fn stopped(&self, error: Cause) -> Stopped {
        Stopped {
            failure: Failure::of(&error),
            error: self.connect.file_error(&self.path, error),
        }
    }

    /// Asks for `offset..end`. The answer may end earlier.
    pub(super) async fn open(&self, offset: u64, end: u64) -> Result<Part, Stopped> {
        let range = FileRange {
            offset,
            length: Some(end - offset),
        };
        let part = self.files.get(&self.file, range, Some(&self.version)).await;
        self.check(offset, part.map_err(|error| self.stopped(error))?)
    }

    /// Refuses a part of another version of the file, and one that begins too far before `offset`.
    pub(super) fn check(&self, offset: u64, part: FilePart) -> Result<Part, Stopped> {
        let refuse = |error| Stopped {
            failure: Failure::Final,
            error,
        };
        if let Some(total) = part.total.filter(|total| *total != self.total) {
            let how = format!("its length was {} and is {total} bytes", self.total);
            return Err(refuse(self.changed(&how)));
        }
        if let Some(what) = self.version.difference(&part.version) {
            return Err(refuse(self.changed(&format!("its {what} is another one"))));
        }
        if offset - part.offset > MOST_SKIPPED {
            let message = format!(
                "The server ignores ranges, so '{}' cannot be read from offset {offset}",
                self.path
            );
            let error = Error::new(ErrorKind::File, ErrorNumber::OperationUnsupported, message);
            return Err(refuse(error.advise("download the whole file")));
        }
        let end = match part.length {
            Some(length) => part.offset.saturating_add(length),
            None => self.total,
        };
        Ok(Part {
            content: part.content,
            at: part.offset,
            end: end.min(self.total),
            is_a_range: part.is_a_range,
        })
    }

    pub(super) fn changed(&self, how: &str) -> Error {
        let message = format!(
            "The file '{}' has changed since the download began: {how}",
            self.path
        );
        Error::new(
            ErrorKind::FileChanged,
            ErrorNumber::OperationFailed,
            message,
        )
        .advise("download it again from the start")
    }
}

impl Part {
    /// Whether the server answered with a range.
    pub(super) fn is_a_range(&self) -> bool {
        self.is_a_range
    }

    /// Where the answer ends in the file.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// Whether the answer has a byte at or behind `offset`.
    pub(super) fn reaches(&self, offset: u64) -> bool {
        self.end > offset
    }

    /// The next bytes of `at..end`; moves `at`. `None` when the answer ended as it said.
    pub(super) async fn next(
        &mut self,
        subject: &Subject,
        at: &mut u64,
        end: u64,
    ) -> Result<Option<Bytes>, Stopped> {
        loop {
            if *at >= end.min(self.end) {
                return Ok(None);
            }
            let piece = self.content.chunk().await;
            let piece = piece.map_err(|error| subject.stopped(error))?;
            let Some(mut piece) = piece else {
                // A transport over a socket notices a short body itself.
                let early = TransportError::Closed {
                    server: "the server".to_owned(),
                    answering: true,
                    reused: false,
                    source: None,
                };
                return Err(subject.stopped(early.into()));
            };
            let begins = self.at;
            self.at = begins.saturating_add(piece.len() as u64);
            if self.at <= *at {
                continue;
            }
            // At most the length of the piece.
            piece.advance(usize::try_from(at.saturating_sub(begins)).unwrap_or(usize::MAX));
            let wanted = end.min(self.end) - *at;
            piece.truncate(usize::try_from(wanted).unwrap_or(usize::MAX));
            *at += piece.len() as u64;
            return Ok(Some(piece));
        }
    }
}
