//! The body of an answer: bytes, and what is said about them.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HeaderValue};
use http_body::{Body, Frame, SizeHint};

/// An answer of the simulator on its way out.
pub(crate) type Answer = http::Response<Payload>;

/// The body of an [`Answer`].
#[derive(Debug, Default)]
pub(crate) struct Payload {
    bytes: Bytes,
    /// The length that is announced where it is not that of `bytes`: then the connection ends
    /// before the answer does.
    announced: Option<u64>,
    /// Whether the end was held back once.
    paused: bool,
}

impl Payload {
    /// The body and, in a header, a length that is not its own.
    pub(crate) fn announcing(bytes: Bytes, length: u64) -> Self {
        Self {
            bytes,
            announced: Some(length),
            paused: false,
        }
    }

    pub(crate) fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// What `Content-Length` says.
    pub(crate) fn length(&self) -> u64 {
        self.announced.unwrap_or(self.bytes.len() as u64)
    }
}

impl<T: Into<Bytes>> From<T> for Payload {
    fn from(bytes: T) -> Self {
        Self {
            bytes: bytes.into(),
            announced: None,
            paused: false,
        }
    }
}

/// The connection is closed instead of answering.
#[derive(Debug, thiserror::Error)]
#[error("a rule closed the connection")]
pub(crate) struct Dropped;

/// The answer with the header that says how long it is, as it is handed over in process.
///
/// There a closed connection is an answer with an [`io::ErrorKind`] among its extensions.
pub(crate) fn whole(answer: Result<Answer, Dropped>) -> http::Response<Bytes> {
    match answer {
        Ok(answer) => with_length(answer).map(|payload| payload.bytes),
        Err(Dropped) => {
            let mut none = http::Response::new(Bytes::new());
            none.extensions_mut().insert(io::ErrorKind::ConnectionReset);
            none
        }
    }
}

/// The answer with the header that says how long it is.
pub(crate) fn with_length(mut answer: Answer) -> Answer {
    let length = HeaderValue::from(answer.body().length());
    answer.headers_mut().insert(CONTENT_LENGTH, length);
    answer
}

impl Body for Payload {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.bytes.is_empty() && self.announced.is_some() && !self.paused {
            // hyper drops what it has not written yet when a body ends too early; it writes when it
            // has to wait.
            self.paused = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.bytes.is_empty() {
            return Poll::Ready(None);
        }
        let bytes = std::mem::take(&mut self.bytes);
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_empty() && self.announced.is_none()
    }

    /// Unknown where the announced length is not the true one: hyper then takes the header's word
    /// for it, and closes the connection when the body ends early.
    fn size_hint(&self) -> SizeHint {
        match self.announced {
            Some(_) => SizeHint::default(),
            None => SizeHint::with_exact(self.bytes.len() as u64),
        }
    }
}
