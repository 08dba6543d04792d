use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use http_body::{Frame, SizeHint};
use tokio::time::Instant;

use super::TransportError;

/// The pieces of a [`RequestBody`], in order.
pub type Pieces = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

/// Told how many bytes of a body the connection has taken.
pub(crate) type Progress = Arc<dyn Fn(u64) + Send + Sync>;

/// The largest piece that a connection gets at a time: large pieces are cut, so that progress is seen on slow connections.
const LARGEST_PIECE: usize = 256 << 10;

/// The body of a request that is read while it is sent, so that it needs no memory for the whole.
pub struct RequestBody {
    pieces: Pieces,
    /// What is left of a large piece.
    rest: Bytes,
    /// How many bytes are still to be sent; `None` if nobody knows.
    left: Option<u64>,
    sending: Arc<Sending>,
    progress: Option<Progress>,
}

/// How far a [`RequestBody`] is, as its sender sees it.
pub(crate) struct Sending(Mutex<State>);

struct State {
    taken: u64,
    /// When the connection last took a piece, or waited for one.
    since: Instant,
    phase: Phase,
    failure: Option<io::Error>,
    waker: Option<Waker>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The connection has not asked for the next piece.
    Sending,
    /// The source has no next piece yet.
    Waiting,
    /// All pieces were given to the connection.
    Finished,
    /// Nobody wants the rest to be sent.
    Cancelled,
}

impl RequestBody {
    /// A body of `length` bytes, or of unknown length: then it is sent in chunks.
    ///
    /// Sending fails if `pieces` end before `length` bytes. What comes after them is not read.
    pub fn new(length: Option<u64>, pieces: Pieces) -> Self {
        // A connection does not ask an empty body for its pieces.
        let phase = match length {
            Some(0) => Phase::Finished,
            _ => Phase::Sending,
        };
        let state = State {
            taken: 0,
            since: Instant::now(),
            phase,
            failure: None,
            waker: None,
        };
        Self {
            pieces,
            rest: Bytes::new(),
            left: length,
            sending: Arc::new(Sending(Mutex::new(state))),
            progress: None,
        }
    }

    pub(crate) fn on_progress(mut self, progress: Option<Progress>) -> Self {
        self.progress = progress;
        self
    }

    pub(crate) fn sending(&self) -> Arc<Sending> {
        Arc::clone(&self.sending)
    }

    /// The whole body, at most `limit` bytes of it.
    ///
    /// # Errors
    /// [`TransportError::Source`] if it cannot be read, [`TransportError::Unsendable`] if it is longer.
    pub(crate) async fn collect(mut self, limit: usize) -> Result<Bytes, TransportError> {
        let mut whole = BytesMut::new();
        loop {
            let next = std::future::poll_fn(|context| {
                http_body::Body::poll_frame(Pin::new(&mut self), context)
            });
            let Some(frame) = next.await else {
                return Ok(whole.freeze());
            };
            let unreadable = |error| {
                self.sending
                    .failure()
                    .unwrap_or(TransportError::Source(error))
            };
            let frame = frame.map_err(unreadable)?;
            let piece = frame.into_data().unwrap_or_default();
            if piece.len() > limit - whole.len() {
                return Err(TransportError::Unsendable(format!(
                    "its body is longer than {limit} bytes, and this transport holds it in memory"
                )));
            }
            whole.extend_from_slice(&piece);
        }
    }

    fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if self.left == Some(0) {
            return Poll::Ready(None);
        }
        while self.rest.is_empty() {
            match ready!(self.pieces.as_mut().poll_next(context)) {
                Some(Ok(piece)) => self.rest = piece,
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => {
                    return Poll::Ready(self.left.map(|left| {
                        Err(io::Error::new(
                            io::ErrorKind::UnexpectedEof,
                            format!("it ended {left} bytes early"),
                        ))
                    }));
                }
            }
        }
        let most = self.left.map_or(usize::MAX, |left| {
            usize::try_from(left).unwrap_or(usize::MAX)
        });
        let piece = self
            .rest
            .split_to(self.rest.len().min(LARGEST_PIECE).min(most));
        if let Some(left) = &mut self.left {
            *left -= piece.len() as u64;
        }
        Poll::Ready(Some(Ok(piece)))
    }
}

impl http_body::Body for RequestBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if self.sending.is_cancelled() {
            return Poll::Ready(Some(Err(io::Error::other("nobody wants the rest"))));
        }
        let polled = self.poll_piece(context);
        let is_last = self.left == Some(0);
        if let (Poll::Ready(Some(Ok(piece))), Some(progress)) = (&polled, &self.progress) {
            progress(self.sending.taken() + piece.len() as u64);
        }
        let mut state = self.sending.lock();
        state.since = Instant::now();
        if state.phase == Phase::Cancelled {
            return Poll::Ready(Some(Err(io::Error::other("nobody wants the rest"))));
        }
        match polled {
            Poll::Pending => {
                state.phase = Phase::Waiting;
                state.waker = Some(context.waker().clone());
                Poll::Pending
            }
            Poll::Ready(None) => {
                state.phase = Phase::Finished;
                Poll::Ready(None)
            }
            Poll::Ready(Some(Ok(piece))) => {
                state.phase = if is_last {
                    Phase::Finished
                } else {
                    Phase::Sending
                };
                state.taken += piece.len() as u64;
                Poll::Ready(Some(Ok(Frame::data(piece))))
            }
            Poll::Ready(Some(Err(error))) => {
                let shown = io::Error::new(error.kind(), error.to_string());
                state.phase = Phase::Cancelled;
                state.failure = Some(error);
                Poll::Ready(Some(Err(shown)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        self.left
            .map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

impl fmt::Debug for RequestBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestBody")
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}

impl Sending {
    /// How many bytes the connection has taken.
    pub(crate) fn taken(&self) -> u64 {
        self.lock().taken
    }

    /// Whether the connection has taken all.
    pub(crate) fn is_finished(&self) -> bool {
        self.lock().phase == Phase::Finished
    }

    /// Since when the server has taken nothing; the time when the source has nothing to send does not count.
    pub(crate) fn silent_since(&self) -> Instant {
        let state = self.lock();
        match state.phase {
            Phase::Waiting => Instant::now(),
            _ => state.since,
        }
    }

    /// Ends the body with an error, so that the connection does not send the rest.
    pub(crate) fn cancel(&self) {
        let mut state = self.lock();
        if state.phase == Phase::Finished {
            return;
        }
        state.phase = Phase::Cancelled;
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
    }

    /// Why the source could not be read, if it could not.
    pub(crate) fn failure(&self) -> Option<TransportError> {
        self.lock().failure.take().map(TransportError::Source)
    }

    fn is_cancelled(&self) -> bool {
        self.lock().phase == Phase::Cancelled
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
