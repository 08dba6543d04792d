//! Reads a local file, or the standard input, as the source of an upload.

use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::{Bytes, BytesMut};
use esx_driver::UploadSource;
use futures_util::{Stream, StreamExt as _, stream};
use tokio::sync::mpsc;

/// How much is read at once.
const PIECE: usize = 256 << 10;

/// How many pieces wait to be sent.
const WAITING: usize = 8;

/// What is uploaded, and how far it is.
pub(in super::super) struct Reading {
    pub(in super::super) source: UploadSource,
    /// How many bytes there are, if that is known.
    pub(in super::super) length: Option<u64>,
    pub(in super::super) sent: Sent,
}

/// How many bytes were sent.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Sent(Arc<AtomicU64>);

impl Sent {
    pub(in super::super) fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Reading {
    /// Reads the file at `path`, at most `limit` bytes. It can be read again if it is a regular file.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub(in super::super) fn file(path: &str, limit: Option<u64>) -> io::Result<Self> {
        let mut file = File::open(path)?;
        if file.metadata()?.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let sent = Sent::default();
        // A pipe has no end to seek.
        let Ok(length) = file.seek(SeekFrom::End(0)) else {
            let pieces = pieces(Box::new(file), limit, sent.clone());
            return Ok(Self::once(pieces, limit, sent));
        };
        let length = limit.map_or(length, |limit| limit.min(length));
        let path = PathBuf::from(path);
        let again = sent.clone();
        let open = move || match File::open(&path) {
            Ok(file) => pieces(Box::new(file), Some(length), again.clone()).left_stream(),
            Err(error) => stream::once(async { Err(error) }).right_stream(),
        };
        let source = UploadSource::again(move || Box::pin(open()));
        Ok(Self {
            source: source.with_length(length),
            length: Some(length),
            sent,
        })
    }

    /// Reads the standard input, at most `limit` bytes.
    pub(in super::super) fn standard_input(limit: Option<u64>) -> Self {
        let sent = Sent::default();
        let pieces = pieces(Box::new(io::stdin()), limit, sent.clone());
        Self::once(pieces, limit, sent)
    }

    fn once(
        pieces: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
        length: Option<u64>,
        sent: Sent,
    ) -> Self {
        Self {
            source: UploadSource::from(Box::pin(pieces)),
            length,
            sent,
        }
    }
}

/// The content of `from`, at most `limit` bytes. A thread reads it, which ends with the stream, or after the read during
/// which the stream was dropped.
fn pieces(
    from: Box<dyn Read + Send>,
    limit: Option<u64>,
    sent: Sent,
) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    let (sender, receiver) = mpsc::channel(WAITING);
    // Not one of the runtime's threads: the program would wait for a read of the standard input at its end.
    std::thread::spawn(move || {
        let mut from = from.take(limit.unwrap_or(u64::MAX));
        loop {
            let piece = read(&mut from);
            let is_last = piece.as_ref().map_or(true, Bytes::is_empty);
            if matches!(&piece, Ok(bytes) if bytes.is_empty())
                || sender.blocking_send(piece).is_err()
                || is_last
            {
                break;
            }
        }
    });
    sent.0.store(0, Ordering::Relaxed);
    stream::unfold((receiver, sent), |(mut receiver, sent)| async move {
        let piece: io::Result<Bytes> = receiver.recv().await?;
        if let Ok(bytes) = &piece {
            sent.0.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        }
        Some((piece, (receiver, sent)))
    })
}

/// The next piece; an empty one at the end.
fn read(from: &mut impl Read) -> io::Result<Bytes> {
    let mut piece = BytesMut::zeroed(PIECE);
    let mut length = 0;
    while length < piece.len() {
        match from.read(&mut piece[length..]) {
            Ok(0) => break,
            Ok(count) => length += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    piece.truncate(length);
    Ok(piece.freeze())
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt as _;

    use super::{PIECE, Sent, pieces};

    #[test]
    fn pieces_are_the_content_up_to_the_limit() {
        let content: Vec<u8> = (0..PIECE + 1000).map(|byte| (byte % 251) as u8).collect();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        for (limit, length) in [
            (None, content.len()),
            (Some(10), 10),
            (Some(0), 0),
            (Some(u64::MAX), content.len()),
        ] {
            let sent = Sent::default();
            let from = std::io::Cursor::new(content.clone());
            let found = pieces(Box::new(from), limit, sent.clone());
            let found: Vec<_> = runtime.block_on(found.collect());
            let found: Vec<u8> = found.into_iter().flat_map(|piece| piece.unwrap()).collect();
            assert_eq!(found, content[..length]);
            assert_eq!(sent.bytes(), length as u64);
        }
    }
}
