//! Transfers of files of datastores, of any size: a range of a file, on one connection or several, and whole uploads.

mod checksum;
mod download;
mod host;
mod parallel;
mod part;
mod pause;
mod upload;

pub use self::checksum::Sha256;
pub use self::download::{DownloadOptions, FileDownload, Piece};
pub use self::upload::{UploadOptions, Uploaded};

use vi_client::Error as Cause;
use vi_client::transport::TransportError;

/// What a failed request means for a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failure {
    /// The server has no room for another request now: wait, and use fewer connections.
    Busy,
    /// The connection broke, or nothing moved any more: go on where it stopped.
    Broken,
    /// Asking again would not help.
    Final,
}

impl Failure {
    fn of(error: &Cause) -> Failure {
        match error {
            // rhttpproxy of ESXi: the worker for files is down or takes no more connections.
            Cause::File {
                status: 503 | 429, ..
            }
            | Cause::Status {
                status: 503 | 429, ..
            } => Failure::Busy,
            Cause::File {
                status: 502 | 504, ..
            }
            | Cause::Deadline { .. }
            | Cause::StandsStill { .. } => Failure::Broken,
            Cause::Transport(
                TransportError::Closed { .. }
                | TransportError::Connect { .. }
                | TransportError::ConnectTimeout { .. },
            ) => Failure::Broken,
            Cause::Renewal(cause) | Cause::Shared(cause) => Failure::of(cause),
            _ => Failure::Final,
        }
    }
}
