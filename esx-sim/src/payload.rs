//! The body of an answer: bytes or a file, and what is said about them.

use std::io::{self, Write as _};
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::StatusCode;
use http::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue,
};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;

use crate::files::{Content, LARGEST_WHOLE};
use crate::transfers::{Pace, Transfer};

/// Shorter answers are not compressed, in bytes: they fit in one packet.
const SHORT: usize = 1_400;

/// An answer of the simulator on its way out.
pub(crate) type Answer = http::Response<Payload>;

/// The body of an [`Answer`].
#[derive(Debug, Default)]
pub(crate) struct Payload {
    source: Source,
    /// The length that is announced where it is not the true one: then the connection ends before the answer does.
    announced: Option<u64>,
    /// Whether the end was held back once.
    paused: bool,
}

#[derive(Debug)]
enum Source {
    Bytes(Bytes),
    File(Box<FilePart>),
}

impl Default for Source {
    fn default() -> Self {
        Self::Bytes(Bytes::new())
    }
}

/// A part of a file, which is read while it is sent.
#[derive(Debug)]
struct FilePart {
    content: Content,
    left: Range<u64>,
    pace: Option<Pace>,
    /// Counted until it is sent.
    _transfer: Transfer,
}

impl Payload {
    /// The body and, in a header, a length that is not its own.
    pub(crate) fn announcing(bytes: Bytes, length: u64) -> Self {
        Self {
            source: Source::Bytes(bytes),
            announced: Some(length),
            paused: false,
        }
    }

    /// A part of a file, which has to lie within it.
    pub(crate) fn file(
        content: Content,
        range: Range<u64>,
        pace: Option<Pace>,
        transfer: Transfer,
    ) -> Self {
        Self {
            source: Source::File(Box::new(FilePart {
                content,
                left: range,
                pace,
                _transfer: transfer,
            })),
            announced: None,
            paused: false,
        }
    }

    /// Its bytes if there are not too many.
    pub(crate) fn bytes(&self) -> Option<Bytes> {
        match &self.source {
            Source::Bytes(bytes) => Some(bytes.clone()),
            Source::File(file) if self.left() <= LARGEST_WHOLE => {
                file.content.read_at(file.left.clone()).ok()
            }
            Source::File(_) => None,
        }
    }

    /// What is left to send.
    fn left(&self) -> u64 {
        match &self.source {
            Source::Bytes(bytes) => bytes.len() as u64,
            Source::File(file) => file.left.end.saturating_sub(file.left.start),
        }
    }

    /// What `Content-Length` says.
    pub(crate) fn length(&self) -> u64 {
        self.announced.unwrap_or_else(|| self.left())
    }

    /// Ends after so many bytes, though more are announced.
    pub(crate) fn truncated(mut self, length: u64) -> Self {
        self.announced = Some(self.length());
        match &mut self.source {
            Source::Bytes(bytes) => {
                bytes.truncate(usize::try_from(length).unwrap_or(usize::MAX));
            }
            Source::File(file) => {
                file.left.end = file.left.end.min(file.left.start.saturating_add(length));
            }
        }
        self
    }

    /// The same bytes with another announced length.
    pub(crate) fn announced_as(self, length: u64) -> Self {
        Self {
            announced: Some(length),
            ..self
        }
    }
}

impl<T: Into<Bytes>> From<T> for Payload {
    fn from(bytes: T) -> Self {
        Self {
            source: Source::Bytes(bytes.into()),
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
pub(crate) async fn whole(answer: Result<Answer, Dropped>) -> http::Response<Bytes> {
    let closed = || {
        let mut none = http::Response::new(Bytes::new());
        none.extensions_mut().insert(io::ErrorKind::ConnectionReset);
        none
    };
    let Ok(answer) = answer else { return closed() };
    if answer.body().left() > LARGEST_WHOLE {
        let why = "a simulator in process has no room for so much of a file: ask for a range of it";
        let mut refusal = http::Response::new(Bytes::from_static(why.as_bytes()));
        *refusal.status_mut() = StatusCode::INSUFFICIENT_STORAGE;
        return refusal;
    }
    let (head, body) = with_length(answer).into_parts();
    match body.collect().await {
        Ok(body) => http::Response::from_parts(head, body.to_bytes()),
        Err(_) => closed(),
    }
}

/// Whether a client accepts compressed answers.
pub(crate) fn accepts_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT_ENCODING).into_iter();
    let accepted = accepted.filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|coding| {
        let (coding, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let refused = weight.trim().strip_prefix("q=");
        let refused = refused.is_some_and(|weight| weight.parse() == Ok(0.0));
        coding.trim().eq_ignore_ascii_case("gzip") && !refused
    })
}

/// The answer compressed, if it is XML that is complete and not short.
pub(crate) fn compressed(mut answer: Answer) -> Answer {
    let is_xml = answer
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/xml"));
    let Payload {
        source: Source::Bytes(bytes),
        announced: None,
        ..
    } = answer.body()
    else {
        return answer;
    };
    if !is_xml || bytes.len() < SHORT {
        return answer;
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // Writing to memory does not fail.
    let Ok(compressed) = encoder.write_all(bytes).and_then(|()| encoder.finish()) else {
        return answer;
    };
    *answer.body_mut() = compressed.into();
    let gzip = HeaderValue::from_static("gzip");
    answer.headers_mut().insert(CONTENT_ENCODING, gzip);
    answer
}

/// The answer with the header that says how long it is.
pub(crate) fn with_length(mut answer: Answer) -> Answer {
    let length = HeaderValue::from(answer.body().length());
    answer.headers_mut().insert(CONTENT_LENGTH, length);
    answer
}

impl FilePart {
    /// The next bytes; none at the end.
    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Bytes>> {
        let left = self.left.end.saturating_sub(self.left.start);
        let most = match &mut self.pace {
            None => left,
            Some(pace) => {
                let most = pace.piece(left);
                ready!(pace.poll(most, context));
                most
            }
        };
        let piece = self.content.piece(self.left.start, most);
        if let Ok(piece) = &piece {
            let length = piece.len() as u64;
            self.left.start += length;
            if let Some(pace) = &mut self.pace {
                pace.count(length);
            }
        }
        Poll::Ready(piece)
    }
}

impl Body for Payload {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let bytes = match &mut self.source {
            Source::Bytes(bytes) => std::mem::take(bytes),
            Source::File(file) if file.left.is_empty() => Bytes::new(),
            Source::File(file) => match ready!(file.poll_next(context)) {
                Ok(bytes) => bytes,
                Err(error) => return Poll::Ready(Some(Err(error))),
            },
        };
        if bytes.is_empty() && self.announced.is_some() && !self.paused {
            // hyper drops what it has not written yet when a body ends too early; it writes when it
            // has to wait.
            self.paused = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if bytes.is_empty() {
            return Poll::Ready(None);
        }
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.left() == 0 && self.announced.is_none()
    }

    /// Unknown where the announced length is not the true one: hyper then takes the header's word
    /// for it, and closes the connection when the body ends early.
    fn size_hint(&self) -> SizeHint {
        match self.announced {
            Some(_) => SizeHint::default(),
            None => SizeHint::with_exact(self.left()),
        }
    }
}
