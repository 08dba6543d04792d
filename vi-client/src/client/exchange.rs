//! SOAP calls over HTTP: headers, cookies, limits, and the check that an answer is a SOAP message.

use std::future::poll_fn;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use bytes::{Buf as _, Bytes, BytesMut};
use flate2::write::GzDecoder;
use http::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HeaderMap, HeaderName,
    HeaderValue, LOCATION, USER_AGENT,
};
use http::{Request, Response, StatusCode, response};
use tokio::sync::Semaphore;
use tracing::Instrument as _;
use vi_types::ManagedObjectReference;
use vi_types::wire::ResponseError;

use super::Options;
use super::cookies::{Cookies, Snapshot};
use super::patience::Patience;
use super::pending::Pending;
use crate::error::UnexpectedResponse;
use crate::transport::{Body, BoxFuture, RequestBody, Transport, TransportError};
use crate::version::{ApiVersion, newest_common};
use crate::{Error, Limits, transport};

const SDK: &str = "/sdk";
const SERVICE_VERSIONS: &str = "/sdk/vimServiceVersions.xml";
const SOAP_ACTION: HeaderName = HeaderName::from_static("soapaction");

/// Sends requests to one server, with its cookies and limits.
pub(super) struct HttpCalls {
    pub(super) transport: Box<dyn Transport>,
    pub(super) cookies: Cookies,
    permits: Semaphore,
    pub(super) pending: Pending,
    pub(super) limits: Limits,
    user_agent: HeaderValue,
    requests: AtomicU64,
    received: AtomicU64,
    /// Whether a VI server has answered before.
    is_known: AtomicBool,
}

/// What a [`Client`](crate::Client) has cost so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Traffic {
    /// Requests that were sent, calls and files.
    pub requests: u64,
    /// Bytes of answers to calls, uncompressed.
    pub received: u64,
}

/// An encoded call.
#[derive(Clone)]
pub(super) struct SoapRequest {
    pub(super) method: &'static str,
    pub(super) this: ManagedObjectReference,
    pub(super) envelope: Bytes,
    /// How long the server may wait before it answers, in addition to the time that a call may take. A waiting call does
    /// not count among the parallel calls, because the server does not work on it.
    pub(super) waits: Option<Duration>,
}

/// The answer to a [`SoapRequest`].
pub(super) struct SoapResponse {
    pub(super) headers: HeaderMap,
    /// The message; empty if a [`ResponseReader`] took it in pieces.
    pub(super) envelope: Bytes,
    /// The cookies that were sent with the request.
    pub(super) sent: Snapshot,
}

/// Decodes an answer: the part of a call that depends on its method.
pub(super) trait ResponseReader: Send {
    /// The call is sent again: what was decoded so far is forgotten.
    fn begin_again(&mut self) {}

    /// Begins an answer. Returns whether to call [`piece`](Self::piece) for each part that arrives.
    fn begin(&mut self) -> bool {
        false
    }

    /// Takes the next piece. Returns whether to pause, because the caller has something to work on.
    fn piece(&mut self, _: &[u8]) -> Result<bool, Error> {
        Ok(false)
    }

    /// Ends an answer. `whole` is empty if the pieces were taken before.
    fn end(&mut self, whole: &[u8]) -> Result<(), ResponseError>;
}

impl<F: FnMut(&[u8]) -> Result<(), ResponseError> + Send> ResponseReader for F {
    fn end(&mut self, whole: &[u8]) -> Result<(), ResponseError> {
        self(whole)
    }
}

impl HttpCalls {
    pub(super) fn new(transport: Box<dyn Transport>, options: &Options) -> Self {
        Self {
            transport,
            cookies: Cookies::default(),
            permits: Semaphore::new(options.parallel_calls),
            pending: Pending::default(),
            limits: options.limits.clone(),
            user_agent: options.user_agent.clone(),
            requests: AtomicU64::new(0),
            received: AtomicU64::new(0),
            is_known: AtomicBool::new(false),
        }
    }

    pub(super) fn traffic(&self) -> Traffic {
        Traffic {
            requests: self.requests.load(Ordering::Relaxed),
            received: self.received.load(Ordering::Relaxed),
        }
    }

    /// Sends a call that asks for `version` of the API, and returns the answer's envelope: a result or a fault. A large
    /// answer goes to `taker` instead, if that takes pieces.
    pub(super) async fn call(
        &self,
        call: &SoapRequest,
        version: Option<&ApiVersion>,
        taker: Option<&mut dyn ResponseReader>,
    ) -> Result<SoapResponse, Error> {
        let span = tracing::debug_span!(
            "soap.call",
            method = call.method,
            object = %call.this,
            bytes_out = call.envelope.len(),
            bytes_in = tracing::field::Empty,
            status = tracing::field::Empty,
        );
        let mut answer = self.post(call, version, taker).instrument(span).await;
        match &mut answer {
            Ok(_) => self.is_known.store(true, Ordering::Relaxed),
            Err(Error::NotVi { is_known, .. }) => *is_known = self.is_known.load(Ordering::Relaxed),
            Err(_) => {}
        }
        answer
    }

    async fn post(
        &self,
        call: &SoapRequest,
        version: Option<&ApiVersion>,
        taker: Option<&mut dyn ResponseReader>,
    ) -> Result<SoapResponse, Error> {
        let mut request = Request::post(SDK)
            .header(CONTENT_TYPE, "text/xml; charset=utf-8")
            .body(call.envelope.clone())
            .map_err(unsendable)?;
        if let Some(version) = version {
            let action = HeaderValue::from_str(&format!("\"urn:vim25/{version}\""))
                .map_err(|error| unsendable(error.into()))?;
            request.headers_mut().insert(SOAP_ACTION, action);
        }
        tracing::trace!(target: "vi_client::wire", request = %traced(&call.envelope));

        // A trace shows whole answers.
        let taker =
            taker.filter(|_| !tracing::enabled!(target: "vi_client::wire", tracing::Level::TRACE));
        let exchange = self.exchange_for(call.method, call.waits, request, taker);
        let (sent, answer) = exchange.await?;
        let span = tracing::Span::current();
        span.record("bytes_in", answer.length);
        span.record("status", answer.parts.status.as_u16());
        if answer.length == answer.body.len() {
            tracing::trace!(target: "vi_client::wire", answer = %traced(&answer.body));
            check(call.method, &answer.parts, &answer.body)?;
        }
        Ok(SoapResponse {
            headers: answer.parts.headers,
            envelope: answer.body,
            sent,
        })
    }

    /// The newest version of the API that both sides know; `None` if the server has no readable list.
    pub(super) async fn listed_version(&self) -> Result<Option<ApiVersion>, Error> {
        let request = Request::get(SERVICE_VERSIONS)
            .body(Bytes::new())
            .map_err(unsendable)?;
        let (_, answer) = self
            .exchange("vimServiceVersions.xml", request, None)
            .await?;
        let list = match answer.parts.status {
            StatusCode::OK => String::from_utf8_lossy(&answer.body).into_owned(),
            _ => return Ok(None),
        };
        Ok(newest_common(&list))
    }

    /// Sends a request with the headers that all requests have, and reads the answer.
    pub(super) async fn exchange(
        &self,
        method: &'static str,
        request: Request<Bytes>,
        taker: Option<&mut dyn ResponseReader>,
    ) -> Result<(Snapshot, HttpResponse), Error> {
        self.exchange_for(method, None, request, taker).await
    }

    async fn exchange_for(
        &self,
        method: &'static str,
        waits: Option<Duration>,
        mut request: Request<Bytes>,
        taker: Option<&mut dyn ResponseReader>,
    ) -> Result<(Snapshot, HttpResponse), Error> {
        let _permit = match waits {
            Some(_) => None,
            // The semaphore is never closed, so a permit always comes.
            None => self.permits.acquire().await.ok(),
        };
        let _under_way = waits.is_none().then(|| self.pending.begin(method));
        let sent = self.cookies.snapshot();
        let headers = request.headers_mut();
        headers.insert(USER_AGENT, self.user_agent.clone());
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        if let Some(cookies) = sent.header() {
            headers.insert(COOKIE, cookies);
        }
        self.requests.fetch_add(1, Ordering::Relaxed);
        // On the heap, because the futures of callers are deep enough without it for the compiler.
        let exchange: BoxFuture<'_, _> = Box::pin(async {
            let sending = self.transport.send(request);
            let answer = self.head_in_time(method, waits, sending).await?;
            read(method, answer, &self.limits, taker).await
        });
        let after = self
            .limits
            .deadline
            .saturating_add(waits.unwrap_or_default());
        let answer = tokio::time::timeout(after, exchange)
            .await
            .map_err(|_| Error::Deadline { method, after })??;
        self.cookies.take(&sent, &answer.parts.headers);
        let length = u64::try_from(answer.length).unwrap_or(u64::MAX);
        self.received.fetch_add(length, Ordering::Relaxed);
        Ok((sent, answer))
    }
}

impl HttpCalls {
    /// Sends a request like [`exchange`](Self::exchange), and returns the answer's head and its body, which is read later.
    /// The body is not compressed.
    ///
    /// Files do not count among the parallel calls, which would wait for them.
    pub(super) async fn open(
        &self,
        method: &'static str,
        mut request: Request<Bytes>,
    ) -> Result<(response::Parts, Body), Error> {
        let sent = self.head(request.headers_mut());
        let sending = self.transport.send(request);
        let answer = self.head_in_time(method, None, sending).await?;
        Ok(self.opened(&sent, answer))
    }

    /// Like [`open`](Self::open), with a body that is read while it is sent.
    pub(super) async fn open_streamed(
        &self,
        method: &'static str,
        mut request: Request<RequestBody>,
    ) -> Result<(response::Parts, Body), Error> {
        let sent = self.head(request.headers_mut());
        let answer = self.streamed(method, &*self.transport, request).await?;
        Ok(self.opened(&sent, answer))
    }

    /// Sends a request over another transport, without the cookies of this server.
    pub(super) async fn streamed(
        &self,
        method: &'static str,
        transport: &dyn Transport,
        request: Request<RequestBody>,
    ) -> Result<Response<Body>, Error> {
        let progress = request.body().sending();
        let sending = transport.send_streamed(request);
        tokio::pin!(sending);
        let limit = || match progress.is_finished() {
            true => self.limits.head_of_upload(progress.taken()),
            false => self.limits.silence_of_bodies(),
        };
        loop {
            let ends = progress.silent_since() + limit();
            tokio::select! {
                answer = &mut sending => return answer.map_err(|error| match error {
                    TransportError::Source(source) => Error::Source(source),
                    error => error.into(),
                }),
                () = tokio::time::sleep_until(ends) => {}
            }
            let after = limit();
            if progress.silent_since() + after <= tokio::time::Instant::now() {
                return Err(Error::Deadline { method, after });
            }
        }
    }

    /// Adds the headers that all requests to this server have.
    fn head(&self, headers: &mut HeaderMap) -> Snapshot {
        let sent = self.cookies.snapshot();
        self.count(headers);
        if let Some(cookies) = sent.header() {
            headers.insert(COOKIE, cookies);
        }
        sent
    }

    /// Adds the headers that all requests have.
    pub(super) fn count(&self, headers: &mut HeaderMap) {
        headers.insert(USER_AGENT, self.user_agent.clone());
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    fn opened(&self, sent: &Snapshot, answer: Response<Body>) -> (response::Parts, Body) {
        let (parts, body) = answer.into_parts();
        self.cookies.take(sent, &parts.headers);
        (parts, body)
    }

    /// Waits for the head of an answer.
    pub(super) async fn head_in_time<T>(
        &self,
        method: &'static str,
        waits: Option<Duration>,
        head: impl Future<Output = Result<T, TransportError>>,
    ) -> Result<T, Error> {
        let after = self.limits.head_of(method, waits);
        let head = tokio::time::timeout(after, head).await;
        Ok(head.map_err(|_| Error::Deadline { method, after })??)
    }
}

pub(super) fn unsendable(error: http::Error) -> Error {
    TransportError::Unsendable(error.to_string()).into()
}

fn traced(envelope: &Bytes) -> String {
    transport::redact(&String::from_utf8_lossy(envelope))
}

/// A complete HTTP answer.
pub(super) struct HttpResponse {
    pub(super) parts: response::Parts,
    /// The body; empty if a [`ResponseReader`] took it in pieces.
    pub(super) body: Bytes,
    /// How many bytes the body had.
    length: usize,
}

/// How many bytes of a compressed answer are taken at a time, so that a small chunk cannot become a thousand times its size
/// at once.
const STEP: usize = 128 << 10;

/// How many bytes of an answer are inspected to recognize a SOAP message.
const BEGINNING: usize = 4096;

/// Reads and decompresses an answer up to the limit. A SOAP message longer than [`BEGINNING`] goes to `taker`, if that
/// takes pieces.
async fn read(
    method: &'static str,
    answer: Response<Body>,
    limits: &Limits,
    taker: Option<&mut dyn ResponseReader>,
) -> Result<HttpResponse, Error> {
    let mut patience = Patience::new(method, limits);
    let (parts, mut body) = answer.into_parts();
    let mut taker = match taker {
        Some(taker) if parts.status == StatusCode::OK => taker.begin().then_some(taker),
        _ => None,
    };
    let limit = match taker {
        Some(_) => limits.largest_retrieve,
        None => limits.largest_answer_to(method),
    };
    let too_large = |announced| TransportError::TooLarge { limit, announced };
    let announced = parts
        .headers
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.trim().parse::<u64>().ok())
        .or(body.announced());
    if let Some(announced) = announced
        && announced > limit as u64
    {
        return Err(too_large(Some(announced)).into());
    }
    let gzip = parts
        .headers
        .get(CONTENT_ENCODING)
        .is_some_and(|encoding| encoding.as_bytes().eq_ignore_ascii_case(b"gzip"));
    let mut sink = match gzip {
        true => BodyBuffer::Gzip(Box::new(GzDecoder::new(LimitedBuffer::new(limit, 0)))),
        false => BodyBuffer::Plain(LimitedBuffer::new(limit, announced.unwrap_or(0))),
    };
    let mut received = 0;
    while let Some(mut chunk) = patience.chunk(&mut body).await? {
        received += chunk.len() as u64;
        if received > limit as u64 {
            return Err(too_large(None).into());
        }
        while !chunk.is_empty() {
            sink.take(&mut chunk)
                .map_err(|error| sink.failed(method, &error))?;
            let Some(taker) = &mut taker else { continue };
            let limited = sink.limited();
            if limited.given == 0 {
                if limited.held().len() < BEGINNING {
                    continue;
                }
                check(method, &parts, limited.held())?;
            }
            if taker.piece(&limited.give())? {
                pause().await;
            }
        }
    }
    // A transport over a socket notices a short body itself.
    if announced.is_some_and(|announced| received < announced) {
        return Err(TransportError::Closed {
            server: "the server".to_owned(),
            answering: true,
            reused: false,
            source: None,
        }
        .into());
    }
    let given = sink.limited().given;
    let mut rest = sink.finish(method)?;
    let length = given + rest.len();
    if let (Some(taker), true) = (taker, given > 0) {
        taker.piece(&rest)?;
        rest = Bytes::new();
    }
    Ok(HttpResponse {
        parts,
        body: rest,
        length,
    })
}

/// Is pending once, so that the caller can do other work.
async fn pause() {
    let mut paused = false;
    poll_fn(|context| {
        if std::mem::replace(&mut paused, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

enum BodyBuffer {
    Plain(LimitedBuffer),
    Gzip(Box<GzDecoder<LimitedBuffer>>),
}

impl BodyBuffer {
    /// Takes a chunk, or as much of it as becomes [`STEP`] bytes.
    fn take(&mut self, chunk: &mut Bytes) -> io::Result<()> {
        let decoder = match self {
            Self::Plain(limited) => return limited.take(std::mem::take(chunk)),
            Self::Gzip(decoder) => decoder,
        };
        let before = decoder.get_ref().held().len();
        while !chunk.is_empty() && decoder.get_ref().held().len() - before < STEP {
            match decoder.write(chunk)? {
                0 => return Err(io::Error::other("there is more behind its end")),
                taken => chunk.advance(taken),
            }
        }
        Ok(())
    }

    fn limited(&mut self) -> &mut LimitedBuffer {
        match self {
            Self::Plain(limited) => limited,
            Self::Gzip(decoder) => decoder.get_mut(),
        }
    }

    fn failed(&self, method: &'static str, error: &io::Error) -> Error {
        let limited = match self {
            Self::Plain(limited) => limited,
            Self::Gzip(decoder) => decoder.get_ref(),
        };
        if limited.exceeded {
            return TransportError::TooLarge {
                limit: limited.limit,
                announced: None,
            }
            .into();
        }
        let reason = match error.kind() {
            io::ErrorKind::Other => error.to_string(),
            // The decoder's words for both are about a check sum.
            _ => "cut short, or changed on its way".to_owned(),
        };
        Error::Compression { method, reason }
    }

    fn finish(mut self, method: &'static str) -> Result<Bytes, Error> {
        if let Self::Gzip(decoder) = &mut self
            && let Err(error) = decoder.try_finish()
        {
            return Err(self.failed(method, &error));
        }
        Ok(match self {
            Self::Plain(limited) => limited.finish(),
            Self::Gzip(mut decoder) => std::mem::take(decoder.get_mut()).finish(),
        })
    }
}

/// Bytes up to a limit. A single chunk is kept without a copy.
#[derive(Default)]
struct LimitedBuffer {
    only: Option<Bytes>,
    bytes: BytesMut,
    /// The capacity to reserve when a second chunk arrives.
    room: usize,
    /// How many bytes were taken out.
    given: usize,
    limit: usize,
    exceeded: bool,
}

impl LimitedBuffer {
    /// The largest allocation because of a `Content-Length` alone.
    const MOST_ROOM: u64 = 16 << 20;

    fn new(limit: usize, announced: u64) -> Self {
        Self {
            room: usize::try_from(announced.min(Self::MOST_ROOM)).unwrap_or(0),
            limit,
            ..Self::default()
        }
    }

    fn take(&mut self, chunk: Bytes) -> io::Result<()> {
        if self.only.is_none() && self.bytes.is_empty() && chunk.len() <= self.limit - self.given {
            self.only = Some(chunk);
            return Ok(());
        }
        if let Some(only) = self.only.take() {
            self.bytes.reserve(self.room);
            self.bytes.extend_from_slice(&only);
        }
        self.write_all(&chunk)
    }

    fn held(&self) -> &[u8] {
        self.only.as_deref().unwrap_or(&self.bytes)
    }

    /// Takes out the bytes held.
    fn give(&mut self) -> Bytes {
        let bytes = match self.only.take() {
            Some(only) => only,
            None => self.bytes.split().freeze(),
        };
        self.given += bytes.len();
        bytes
    }

    fn finish(self) -> Bytes {
        self.only.unwrap_or_else(|| self.bytes.freeze())
    }
}

impl Write for LimitedBuffer {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        if self.given + self.bytes.len() + data.len() > self.limit {
            self.exceeded = true;
            return Err(io::Error::other("the limit is reached"));
        }
        self.bytes.extend_from_slice(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Refuses an answer that is not a SOAP message.
fn check(method: &'static str, answer: &response::Parts, body: &[u8]) -> Result<(), Error> {
    let status = answer.status;
    if let (true, Some(to)) = (status.is_redirection(), answer.headers.get(LOCATION)) {
        return Err(Error::Redirect {
            from: SDK.to_owned(),
            to: short(to),
        });
    }
    let content_type = answer.headers.get(CONTENT_TYPE).map(short);
    let soap = is_soap(content_type.as_deref().unwrap_or_default(), body);
    match status.as_u16() {
        200 | 500 if soap => Ok(()),
        // Web servers of other kinds answer an unknown POST with these.
        status @ (200..=299 | 400 | 404 | 405 | 500 | 501)
            if !soap && (status < 300 || !body.is_empty()) =>
        {
            let response = UnexpectedResponse {
                status,
                content_type,
                beginning: beginning(body),
            };
            Err(Error::NotVi {
                method,
                is_known: false,
                response: Box::new(response),
            })
        }
        status => Err(Error::Status { method, status }),
    }
}

/// Whether the body looks like a SOAP message, even a broken one.
fn is_soap(content_type: &str, body: &[u8]) -> bool {
    let head = &body[..body.len().min(BEGINNING)];
    let text = String::from_utf8_lossy(head).to_lowercase();
    let text = text.trim_start_matches('\u{feff}').trim_start();
    if !text.starts_with('<') || text.starts_with("<!doctype html") {
        return false;
    }
    let html = text.contains("<html");
    text.contains("envelope")
        || !html && (content_type.contains("xml") || text.starts_with("<?xml"))
}

/// The beginning of a header's value; heads may be as long as 400 KB.
fn short(value: &HeaderValue) -> String {
    let text = String::from_utf8_lossy(value.as_bytes());
    text.chars().take(1000).collect()
}

/// The first characters, on one line and without secrets.
pub(super) fn beginning(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(1024)]);
    let words = transport::redact(&text);
    let line = words
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    line.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn soap_is_told_from_other_things() {
        for (content_type, body) in [
            ("text/xml", "<soapenv:Envelope/>"),
            (
                "text/html",
                "\u{feff}\n<?xml version='1.0'?><soapenv:Envelope>",
            ),
            ("text/xml", "<?xml ver"),
            ("application/xml", "<a><a><a>"),
            (
                "text/xml",
                "<!DOCTYPE lolz [<!ENTITY lol \"lol\">]><soapenv:Envelope>",
            ),
            (
                "",
                "<?xml version='1.0'?><!DOCTYPE x><e:Envelope>&lt;html></e:Envelope>",
            ),
        ] {
            assert!(is_soap(content_type, body.as_bytes()), "{body}");
        }
        for (content_type, body) in [
            ("text/html", "<html><body>hello"),
            ("text/html", "<!DOCTYPE html><title>VMware ESXi</title>"),
            (
                "text/xml",
                "<?xml version='1.0'?><!DOCTYPE html PUBLIC><html>",
            ),
            ("application/json", "{\"Envelope\": 1}"),
            ("text/plain", "hello"),
            ("text/plain", ""),
            ("text/html", "<p>"),
        ] {
            assert!(!is_soap(content_type, body.as_bytes()), "{body}");
        }
    }

    #[test]
    fn the_beginning_is_one_short_line() {
        assert_eq!(beginning(b"<html>\r\n  <body>\x00hi"), "<html> <body> hi");
        assert_eq!(beginning(&[b'x'; 5000]).len(), 80);
        assert_eq!(
            beginning(b"<password>secret</password>"),
            "<password>(blanked)</password>"
        );
    }
}
