//! What is uploaded.

use std::fmt;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use sha2::{Digest as _, Sha256};

use super::reader::ReadPieces;
use crate::transport::{Pieces, Progress, RequestBody};

/// How much of a source that can be read only once is kept, to begin again: servers refuse an upload soon, if they do.
const KEPT: usize = 4 << 20;

/// What is uploaded: bytes in memory, a stream, or something that can be opened more than once, such as a file.
///
/// A stream can be read only once. Its first 4 MiB are kept until more has been sent, so that an upload that the server
/// refuses soon (the session has ended, it is busy) can be sent again.
pub struct UploadSource {
    length: Option<u64>,
    progress: Option<Progress>,
    kind: Kind,
}

enum Kind {
    Once(Arc<Mutex<Once>>),
    Again(Box<dyn FnMut() -> Pieces + Send>),
}

/// A stream and its beginning.
struct Once {
    pieces: Pieces,
    kept: Vec<Bytes>,
    taken: u64,
    /// How often it was opened; only the last one reads.
    opened: u64,
}

impl UploadSource {
    /// A source that can be read as often as needed: `open` begins it anew, for instance opens a file.
    pub fn again<S>(mut open: impl FnMut() -> S + Send + 'static) -> Self
    where
        S: Stream<Item = io::Result<Bytes>> + Send + 'static,
    {
        Self {
            length: None,
            progress: None,
            kind: Kind::Again(Box::new(move || Box::pin(open()))),
        }
    }

    /// Bytes in memory.
    pub fn bytes(bytes: Bytes) -> Self {
        let length = bytes.len() as u64;
        Self::again(move || Whole(Some(bytes.clone()))).with_length(length)
    }

    /// A file. It is opened again when the upload has to be sent again.
    ///
    /// # Errors
    /// If its length cannot be read.
    pub fn file(path: impl Into<PathBuf>) -> io::Result<Self> {
        let path = path.into();
        let length = std::fs::metadata(&path)?.len();
        let open = move || {
            let path = path.clone();
            ReadPieces::new(move || File::open(path))
        };
        Ok(Self::again(open).with_length(length))
    }

    /// A reader such as the standard input, which can be read only once. It is read by a thread of its own.
    pub fn reader(reader: impl io::Read + Send + 'static) -> Self {
        Self::from(ReadPieces::new(move || Ok(reader)))
    }

    /// Calls `progress` with the number of bytes that the connection has taken so far. It starts from 0 again if the upload
    /// is sent again.
    #[must_use]
    pub fn on_progress(mut self, progress: impl Fn(u64) + Send + Sync + 'static) -> Self {
        self.progress = Some(Arc::new(progress));
        self
    }

    /// Its length in bytes. Without a length, servers get the body in chunks and learn its end when it comes.
    ///
    /// The upload fails if the source ends earlier. What comes after `length` bytes is not read.
    #[must_use]
    pub fn with_length(mut self, length: impl Into<Option<u64>>) -> Self {
        self.length = length.into();
        self
    }

    /// The length, if it is known.
    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// Whether the source can be read as often as needed.
    pub fn is_repeatable(&self) -> bool {
        matches!(self.kind, Kind::Again(_))
    }

    /// Whether the source can be read again from its start, now.
    pub fn can_begin_again(&self) -> bool {
        match &self.kind {
            Kind::Again(_) => true,
            Kind::Once(once) => lock(once).can_begin_again(),
        }
    }

    /// How many bytes were read of a source that can be read only once.
    pub(super) fn taken(&self) -> u64 {
        match &self.kind {
            Kind::Again(_) => 0,
            Kind::Once(once) => lock(once).taken,
        }
    }

    /// The body from its start, and its checksum; `None` if it cannot begin again.
    pub(super) fn open(&mut self, checksum: bool) -> Option<(RequestBody, Option<Sum>)> {
        let pieces: Pieces = match &mut self.kind {
            Kind::Again(open) => open(),
            Kind::Once(once) => {
                let mut locked = lock(once);
                if !locked.can_begin_again() {
                    return None;
                }
                locked.opened += 1;
                Box::pin(Reading {
                    once: Arc::clone(once),
                    number: locked.opened,
                    next: 0,
                })
            }
        };
        let body =
            |pieces| RequestBody::new(self.length, pieces).on_progress(self.progress.clone());
        if !checksum {
            return Some((body(pieces), None));
        }
        let sum = Sum(Arc::new(Mutex::new(Sha256::new())));
        let summed = Summed {
            pieces,
            left: self.length,
            sum: sum.clone(),
        };
        Some((body(Box::pin(summed)), Some(sum)))
    }
}

impl<S> From<S> for UploadSource
where
    S: Stream<Item = io::Result<Bytes>> + Send + 'static,
{
    fn from(stream: S) -> Self {
        let once = Once {
            pieces: Box::pin(stream),
            kept: Vec::new(),
            taken: 0,
            opened: 0,
        };
        Self {
            length: None,
            progress: None,
            kind: Kind::Once(Arc::new(Mutex::new(once))),
        }
    }
}

impl fmt::Debug for UploadSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UploadSource")
            .field("length", &self.length)
            .field("can_begin_again", &self.can_begin_again())
            .finish_non_exhaustive()
    }
}

impl Once {
    fn can_begin_again(&self) -> bool {
        self.taken <= KEPT as u64
    }

    fn poll(
        &mut self,
        reader: u64,
        next: &mut usize,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Bytes>>> {
        if self.opened != reader {
            let stale = "the upload was begun again";
            return Poll::Ready(Some(Err(io::Error::other(stale))));
        }
        if let Some(kept) = self.kept.get(*next) {
            *next += 1;
            return Poll::Ready(Some(Ok(kept.clone())));
        }
        let piece = ready!(self.pieces.as_mut().poll_next(context));
        if let Some(Ok(piece)) = &piece {
            self.taken += piece.len() as u64;
            if self.can_begin_again() {
                self.kept.push(piece.clone());
                *next += 1;
            } else {
                self.kept = Vec::new();
                *next = 0;
            }
        }
        Poll::Ready(piece)
    }
}

fn lock(once: &Mutex<Once>) -> MutexGuard<'_, Once> {
    once.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads a [`Once`].
struct Reading {
    once: Arc<Mutex<Once>>,
    /// Which reader it is.
    number: u64,
    /// The next kept piece.
    next: usize,
}

impl Stream for Reading {
    type Item = io::Result<Bytes>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Bytes>>> {
        let this = &mut *self;
        lock(&this.once).poll(this.number, &mut this.next, context)
    }
}

/// Bytes as a stream of one piece.
struct Whole(Option<Bytes>);

impl Stream for Whole {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        Poll::Ready(self.0.take().map(Ok))
    }
}

/// The checksum of a body that is being sent.
#[derive(Clone)]
pub(super) struct Sum(Arc<Mutex<Sha256>>);

impl Sum {
    pub(super) fn finish(&self) -> [u8; 32] {
        let sum = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sum.clone().finalize().into()
    }
}

struct Summed {
    pieces: Pieces,
    /// What comes after the length is not sent.
    left: Option<u64>,
    sum: Sum,
}

impl Stream for Summed {
    type Item = io::Result<Bytes>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Bytes>>> {
        let this = &mut *self;
        let piece = ready!(this.pieces.as_mut().poll_next(context));
        if let Some(Ok(piece)) = &piece {
            let most = this.left.map_or(usize::MAX, |left| {
                usize::try_from(left).unwrap_or(usize::MAX)
            });
            let sent = &piece[..piece.len().min(most)];
            if let Some(left) = &mut this.left {
                *left -= sent.len() as u64;
            }
            let mut sum = this.sum.0.lock().unwrap_or_else(PoisonError::into_inner);
            sum.update(sent);
        }
        Poll::Ready(piece)
    }
}
