//! Pieces of files and other readers, which block: a thread of its own reads ahead.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::thread;

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use tokio::sync::mpsc;

/// The length of a piece.
const PIECE: usize = 256 << 10;
/// How many pieces are read ahead.
const AHEAD: usize = 4;

/// What a reader has, in pieces.
pub(super) struct ReadPieces(mpsc::Receiver<io::Result<Bytes>>);

impl ReadPieces {
    /// Begins to read what `open` opens.
    pub(super) fn new<R: Read>(open: impl FnOnce() -> io::Result<R> + Send + 'static) -> Self {
        let (sender, receiver) = mpsc::channel(AHEAD);
        let failing = sender.clone();
        // Not a thread of tokio, which a program would wait for at its end: a terminal may never have the next line.
        let thread = thread::Builder::new().name("upload-source".to_owned());
        let spawned = thread.spawn(move || {
            let read = open().and_then(|reader| read_all(reader, &sender));
            if let Err(error) = read {
                let _ = sender.blocking_send(Err(error));
            }
        });
        if let Err(error) = spawned {
            let _ = failing.try_send(Err(error));
        }
        Self(receiver)
    }
}

/// Gives all pieces to `sender`; ends when nobody takes them any more.
fn read_all(mut reader: impl Read, sender: &mpsc::Sender<io::Result<Bytes>>) -> io::Result<()> {
    // Pieces that were sent are used again: new memory costs as much as reading.
    let mut used: VecDeque<Bytes> = VecDeque::new();
    loop {
        let mut buffer = match used.pop_front().map(Bytes::try_into_mut) {
            Some(Ok(buffer)) => buffer,
            Some(Err(busy)) if used.len() < 2 * AHEAD => {
                used.push_front(busy);
                BytesMut::zeroed(PIECE)
            }
            _ => BytesMut::zeroed(PIECE),
        };
        buffer.resize(PIECE, 0);
        let length = fill(&mut reader, &mut buffer)?;
        if length == 0 {
            return Ok(());
        }
        buffer.truncate(length);
        let piece = buffer.freeze();
        used.push_back(piece.clone());
        if sender.blocking_send(Ok(piece)).is_err() {
            return Ok(());
        }
    }
}

/// Reads once, or more often if a pipe gives little: up to the end or to what is there.
fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match reader.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}

impl Stream for ReadPieces {
    type Item = io::Result<Bytes>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Bytes>>> {
        self.0.poll_recv(context)
    }
}
