use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{HOST, HeaderValue, PROXY_AUTHORIZATION};
use http::uri::{Authority, PathAndQuery};
use http::{Request, Response, StatusCode, Uri};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use super::connect::{self, ByteStream};
use super::tls::{Tls, Verify};
use super::{Body, BoxFuture, Proxy, ProxyKind, RequestBody, Sending, Transport, TransportError};

/// The address of a server.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// Plain or TLS.
    pub scheme: Scheme,
    /// Host name or address; IPv6 without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

impl Endpoint {
    /// An HTTPS endpoint.
    pub fn https(host: impl Into<String>, port: u16) -> Self {
        Self {
            scheme: Scheme::Https,
            host: host.into(),
            port,
        }
    }

    /// A plain HTTP endpoint.
    pub fn http(host: impl Into<String>, port: u16) -> Self {
        Self {
            scheme: Scheme::Http,
            host: host.into(),
            port,
        }
    }

    /// `host:port`, an IPv6 address in brackets.
    pub fn authority(&self) -> String {
        format!("{}:{}", bracketed(&self.host), self.port)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.authority())
    }
}

/// Plain HTTP or HTTPS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Unencrypted.
    Http,
    /// Over TLS.
    Https,
}

impl Scheme {
    /// `http` or `https`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// IPv6 addresses need brackets in URIs and in `host:port`.
pub(super) fn bracketed(host: &str) -> String {
    match host.parse() {
        Ok(IpAddr::V6(_)) => format!("[{host}]"),
        _ => host.to_owned(),
    }
}

/// HTTP/1.1 over TCP, optionally with TLS and a proxy. Keeps connections and uses them again.
///
/// Connects and reads certificates at the first request.
///
/// ```
/// use vi_client::transport::{Endpoint, HttpsTransport, Verify};
///
/// let transport = HttpsTransport::new(Endpoint::https("esx1.example", 443))
///     .verify(Verify::CaFile("esx1.pem".into()))
///     .connect_timeout(std::time::Duration::from_secs(10));
/// assert_eq!(transport.endpoint().to_string(), "https://esx1.example:443");
/// ```
pub struct HttpsTransport {
    endpoint: Endpoint,
    proxy: Option<Proxy>,
    tls: Tls,
    connect_timeout: Duration,
    idle: Arc<Idle>,
    /// Opens streams in place of TCP, proxy and TLS.
    open: Option<Box<Open>>,
}

type Open = dyn Fn() -> BoxFuture<'static, io::Result<Box<dyn ByteStream>>> + Send + Sync;

impl HttpsTransport {
    /// The default of [`connect_timeout`](Self::connect_timeout).
    pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

    /// A transport to `endpoint` without a proxy, which trusts the system's certificate authorities.
    pub fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            proxy: None,
            tls: Tls::new(Verify::default()),
            connect_timeout: Self::CONNECT_TIMEOUT,
            idle: Arc::default(),
            open: None,
        }
    }

    /// Opens each connection with this function, in place of TCP, proxy and TLS: a channel of a tunnel, or a stream in
    /// memory.
    ///
    /// Whether that is private is told by the endpoint's scheme, as ever.
    #[must_use]
    pub fn connect_by<F, S>(mut self, open: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = io::Result<S>> + Send + 'static,
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        self.open = Some(Box::new(move || {
            let opening = open();
            Box::pin(async move {
                let stream: Box<dyn ByteStream> = Box::new(opening.await?);
                Ok(stream)
            })
        }));
        self
    }

    /// A stream to the server.
    async fn open(&self) -> Result<Box<dyn ByteStream>, TransportError> {
        match &self.open {
            None => connect::open(&self.endpoint, self.proxy.as_ref(), &self.tls).await,
            Some(open) => open().await.map_err(|source| TransportError::Connect {
                server: self.endpoint.authority(),
                source,
            }),
        }
    }

    /// How to check the server's certificate.
    #[must_use]
    pub fn verify(mut self, verify: Verify) -> Self {
        self.tls = Tls::new(verify);
        self
    }

    /// The proxy to use, if any.
    #[must_use]
    pub fn proxy(mut self, proxy: Option<Proxy>) -> Self {
        self.proxy = proxy;
        self
    }

    /// How long opening a connection may take: name lookup, TCP, proxy and TLS together (default: 30 seconds).
    #[must_use]
    pub fn connect_timeout(mut self, after: Duration) -> Self {
        self.connect_timeout = after;
        self
    }

    /// The server's address.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    async fn exchange(&self, request: Request<Outgoing>) -> Result<Response<Body>, TransportError> {
        let mut request = self.addressed(request)?;
        let sending = request.body().sending();
        loop {
            let (mut line, reused) = match self.idle.take().await {
                Some(line) => (line, true),
                None => (self.connect().await?, false),
            };
            let informational = Informational::count(&mut request);
            let sent = tokio::select! {
                biased;
                sent = line.sender.try_send_request(request) => sent,
                () = informational.are_too_many() => {
                    // The connection is closed with `line`.
                    return Err(TransportError::NotHttp {
                        server: self.endpoint.authority(),
                        reason: format!(
                            "it sent {MOST_INFORMATIONAL} informational answers (such as 100 Continue) instead of one \
                             to the request"
                        ),
                    });
                }
            };
            let mut failure = match sent {
                Ok(response) => {
                    if response.status() == StatusCode::PROXY_AUTHENTICATION_REQUIRED
                        && let Some(proxy) = self.forwarding_proxy()
                    {
                        return Err(TransportError::Proxy {
                            proxy: Box::new(proxy.clone()),
                            server: self.endpoint.authority(),
                            problem: proxy.login_problem(),
                        });
                    }
                    return Ok(self.received(response, line, reused, sending));
                }
                Err(failure) => failure,
            };
            match failure.take_message() {
                // The server closed the idle connection before any byte of the request was sent.
                Some(unsent) if reused => request = unsent,
                _ => {
                    let unreadable = sending.and_then(|sending| sending.failure());
                    return Err(unreadable.unwrap_or_else(|| {
                        failed(&self.endpoint, failure.into_error(), false, reused)
                    }));
                }
            }
        }
    }

    /// The proxy, if it reads the requests itself.
    fn forwarding_proxy(&self) -> Option<&Proxy> {
        let proxy = self.proxy.as_ref()?;
        let forwards = proxy.kind == ProxyKind::Http && self.endpoint.scheme == Scheme::Http;
        forwards.then_some(proxy)
    }

    /// Adds the `Host` header, and the absolute form of the URI for an HTTP proxy.
    fn addressed<B>(&self, mut request: Request<B>) -> Result<Request<B>, TransportError> {
        let unsendable = |error: http::Error| TransportError::Unsendable(error.to_string());
        if request.uri().authority().is_some() {
            return Err(TransportError::Unsendable(
                "its URI names a server".to_owned(),
            ));
        }
        let authority = self.endpoint.authority();
        let host = HeaderValue::from_str(&authority).map_err(|error| unsendable(error.into()))?;
        request.headers_mut().insert(HOST, host);

        if let Some(proxy) = self.forwarding_proxy() {
            if let Some(login) = proxy.authorization() {
                let mut login =
                    HeaderValue::from_str(&login).map_err(|error| unsendable(error.into()))?;
                login.set_sensitive(true);
                request.headers_mut().insert(PROXY_AUTHORIZATION, login);
            }
            let mut parts = std::mem::take(request.uri_mut()).into_parts();
            let authority =
                Authority::try_from(authority).map_err(|error| unsendable(error.into()))?;
            parts.scheme = Some(http::uri::Scheme::HTTP);
            parts.authority = Some(authority);
            parts
                .path_and_query
                .get_or_insert(PathAndQuery::from_static("/"));
            *request.uri_mut() =
                Uri::from_parts(parts).map_err(|error| unsendable(error.into()))?;
        }
        Ok(request)
    }

    async fn connect(&self) -> Result<Line, TransportError> {
        let stream = tokio::time::timeout(self.connect_timeout, self.open())
            .await
            .map_err(|_| TransportError::ConnectTimeout {
                server: self.endpoint.authority(),
                after: self.connect_timeout,
            })??;
        let (sender, connection) = http1::Builder::new()
            // The API's own examples write header names so.
            .title_case_headers(true)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| failed(&self.endpoint, error, false, false))?;
        tracing::debug!(server = %self.endpoint, "connected");
        let task = tokio::spawn(async move {
            // A waiting request gets the error itself; an idle connection may end without one.
            if let Err(error) = connection.await {
                tracing::debug!(%error, "connection ended");
            }
        });
        Ok(Line {
            sender,
            task: task.abort_handle(),
            is_idle: false,
        })
    }

    fn received(
        &self,
        response: Response<Incoming>,
        line: Line,
        reused: bool,
        sending: Option<Arc<Sending>>,
    ) -> Response<Body> {
        let is_refusal = !response.status().is_success();
        response.map(|incoming| {
            let mut body = Receiving {
                incoming,
                line: Some(line),
                idle: self.idle.clone(),
                endpoint: self.endpoint.clone(),
                reused,
                sending,
                is_refusal,
            };
            body.give_back_at_end();
            Body::streaming(body)
        })
    }
}

impl Transport for HttpsTransport {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Body>, TransportError>> {
        Box::pin(self.exchange(request.map(|bytes| Outgoing::Whole(Full::new(bytes)))))
    }

    fn send_streamed(
        &self,
        request: Request<RequestBody>,
    ) -> BoxFuture<'_, Result<Response<Body>, TransportError>> {
        Box::pin(self.exchange(request.map(Outgoing::Streamed)))
    }

    fn is_secure(&self) -> bool {
        self.endpoint.scheme == Scheme::Https
    }
}

impl fmt::Debug for HttpsTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpsTransport")
            .field("endpoint", &format_args!("{}", self.endpoint))
            .field("proxy", &self.proxy)
            .finish_non_exhaustive()
    }
}

/// How many informational answers (1xx) may come before the answer to a request. The VI API has none; a proxy may send one
/// or two.
const MOST_INFORMATIONAL: u32 = 32;

/// Counts the informational answers to a request, which hyper skips without end.
#[derive(Default)]
struct Informational {
    count: AtomicU32,
    too_many: Notify,
}

impl Informational {
    /// Begins to count those to `request`.
    fn count<B>(request: &mut Request<B>) -> Arc<Self> {
        let counted = Arc::<Self>::default();
        let counting = Arc::clone(&counted);
        hyper::ext::on_informational(request, move |_| {
            if counting.count.fetch_add(1, Ordering::Relaxed) + 1 == MOST_INFORMATIONAL {
                counting.too_many.notify_one();
            }
        });
        counted
    }

    async fn are_too_many(&self) {
        self.too_many.notified().await;
    }
}

/// The body of a request.
enum Outgoing {
    /// In memory: the request can be sent again if a connection turns out to be dead.
    Whole(Full<Bytes>),
    /// Read while it is sent.
    Streamed(RequestBody),
}

impl Outgoing {
    fn sending(&self) -> Option<Arc<Sending>> {
        match self {
            Self::Whole(_) => None,
            Self::Streamed(body) => Some(body.sending()),
        }
    }
}

impl http_body::Body for Outgoing {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match self.get_mut() {
            Self::Whole(whole) => Pin::new(whole)
                .poll_frame(cx)
                .map_err(|never| match never {}),
            Self::Streamed(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(whole) => whole.is_end_stream(),
            Self::Streamed(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(whole) => whole.size_hint(),
            Self::Streamed(body) => body.size_hint(),
        }
    }
}

/// A connection. Dropped while it has a request, it is closed at once, whatever is still to be sent or received.
struct Line {
    sender: SendRequest<Outgoing>,
    task: AbortHandle,
    is_idle: bool,
}

impl Drop for Line {
    fn drop(&mut self) {
        if !self.is_idle {
            self.task.abort();
        }
    }
}

/// Idle connections: the last answer has been read completely.
#[derive(Default)]
struct Idle(Mutex<VecDeque<(Line, Instant)>>);

impl Idle {
    /// The largest number of idle connections; more are closed.
    const MOST: usize = 16;
    /// How long to keep an idle connection. Servers close it after about a minute; closing it earlier means that no
    /// request meets a closing connection.
    const LONGEST: Duration = Duration::from_secs(45);

    /// The most recently used connection that still works.
    async fn take(&self) -> Option<Line> {
        loop {
            let (mut line, since) = self.lock().pop_back()?;
            if since.elapsed() > Self::LONGEST {
                continue;
            }
            if since.elapsed() > Duration::from_millis(100) {
                // Lets the connection's task notice that the server has closed it.
                tokio::task::yield_now().await;
            }
            // The last answer has been read, so this waits only for hyper's own state, or fails.
            if line.sender.ready().await.is_ok() {
                line.is_idle = false;
                return Some(line);
            }
        }
    }

    fn put(&self, mut line: Line) {
        line.is_idle = true;
        if line.sender.is_closed() {
            return;
        }
        let mut idle = self.lock();
        idle.push_back((line, Instant::now()));
        if idle.len() > Self::MOST {
            idle.pop_front();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<(Line, Instant)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The body of an answer. At its end the connection becomes idle; dropped earlier, it closes the connection.
struct Receiving {
    incoming: Incoming,
    line: Option<Line>,
    idle: Arc<Idle>,
    endpoint: Endpoint,
    reused: bool,
    /// The request's body, if it is streamed.
    sending: Option<Arc<Sending>>,
    is_refusal: bool,
}

impl Receiving {
    fn give_back_at_end(&mut self) {
        if self.incoming.is_end_stream() {
            self.give_back();
        }
    }

    fn give_back(&mut self) {
        let Some(line) = self.line.take() else { return };
        // A server that refuses a request may never read the rest of it, and the next request would wait behind that.
        let is_sent = |sending: &Arc<Sending>| sending.is_finished() && !self.is_refusal;
        if self.sending.as_ref().is_none_or(is_sent) {
            self.idle.put(line);
        }
    }
}

impl http_body::Body for Receiving {
    type Data = Bytes;
    type Error = TransportError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, TransportError>>> {
        let this = &mut *self;
        let frame = ready!(Pin::new(&mut this.incoming).poll_frame(cx));
        match frame {
            Some(Ok(frame)) => {
                this.give_back_at_end();
                Poll::Ready(Some(Ok(frame)))
            }
            Some(Err(error)) => {
                this.line = None;
                Poll::Ready(Some(Err(failed(&this.endpoint, error, true, this.reused))))
            }
            None => {
                this.give_back();
                Poll::Ready(None)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

fn failed(
    endpoint: &Endpoint,
    error: hyper::Error,
    answering: bool,
    reused: bool,
) -> TransportError {
    let server = endpoint.authority();
    if error.is_parse() {
        return TransportError::NotHttp {
            server,
            reason: error.to_string(),
        };
    }
    let source = std::error::Error::source(&error)
        .and_then(|source| source.downcast_ref::<io::Error>())
        .map(|source| io::Error::new(source.kind(), source.to_string()));
    TransportError::Closed {
        server,
        answering,
        reused,
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ipv6_is_bracketed() {
        assert_eq!(
            Endpoint::https("2001:db8::1", 443).to_string(),
            "https://[2001:db8::1]:443"
        );
        assert_eq!(Endpoint::http("esx1", 80).to_string(), "http://esx1:80");
    }

    #[test]
    fn an_http_proxy_of_a_plain_server_gets_absolute_uris() {
        let send = |transport: HttpsTransport| {
            let request = Request::post("/sdk?x=1").body(Bytes::new()).unwrap();
            transport.addressed(request).unwrap()
        };
        let proxy = Some(Proxy::new(ProxyKind::Http, "proxy", Proxy::DEFAULT_PORT));
        let direct = send(HttpsTransport::new(Endpoint::http("::1", 8080)));
        assert_eq!(direct.uri(), "/sdk?x=1");
        assert_eq!(direct.headers()["host"], "[::1]:8080");
        let absolute = send(HttpsTransport::new(Endpoint::http("::1", 8080)).proxy(proxy.clone()));
        assert_eq!(absolute.uri(), "http://[::1]:8080/sdk?x=1");
        let tunnelled = send(HttpsTransport::new(Endpoint::https("esx", 443)).proxy(proxy));
        assert_eq!(tunnelled.uri(), "/sdk?x=1");
    }
}
