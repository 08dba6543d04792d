//! The listener: HTTP/1.1, with or without TLS.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::header::{
    ACCEPT, ALLOW, AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER, VARY, WWW_AUTHENTICATE,
};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::Instant;
use tracing::{debug, warn};

use super::format::Format;
use super::web::{Checked, Web};

/// What clients may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Connections at the same time. Others wait to be accepted.
    pub(crate) connections: usize,
    /// Answers with metrics at the same time. Others get status 503.
    pub(crate) answers: usize,
    /// How long a TLS handshake may take.
    pub(crate) handshake: Duration,
    /// How long a client may take to read an answer.
    pub(crate) answer: Duration,
    /// How long a client may take for a request, and leave a connection idle.
    pub(crate) idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 64,
            answers: 16,
            handshake: Duration::from_secs(10),
            answer: Duration::from_secs(60),
            // Prometheus asks every minute by default.
            idle: Duration::from_secs(120),
        }
    }
}

/// Size of the pieces of an answer.
const PIECE: usize = 64 * 1024;

/// Makes the metrics.
pub(crate) trait Metrics {
    /// The document of now.
    fn document(&self, format: Format) -> Bytes;
}

/// What all connections share.
struct Shared<M> {
    metrics: M,
    web: Web,
    /// Where the metrics are.
    path: String,
    answers: Arc<Semaphore>,
    limits: Limits,
}

/// Answers the connections of a listener until `end` is told; then unfinished answers are given up.
pub(crate) async fn serve<M: Metrics + Send + Sync + 'static>(
    listener: TcpListener,
    metrics: M,
    web: Web,
    path: String,
    limits: Limits,
    mut end: watch::Receiver<bool>,
) {
    let shared = Arc::new(Shared {
        metrics,
        web,
        path,
        answers: Arc::new(Semaphore::new(limits.answers)),
        limits,
    });
    let connections = Arc::new(Semaphore::new(limits.connections));
    let mut tasks = tokio::task::JoinSet::new();
    loop {
        while tasks.try_join_next().is_some() {}
        let next = async {
            let permit = Arc::clone(&connections).acquire_owned().await;
            (listener.accept().await, permit)
        };
        let (accepted, permit) = tokio::select! {
            next = next => next,
            _ = end.wait_for(|is_over| *is_over) => return,
        };
        match accepted {
            Ok((stream, from)) => {
                let shared = Arc::clone(&shared);
                tasks.spawn(async move {
                    if let Err(error) = connection(shared, stream).await {
                        debug!(%from, %error, "a connection ended");
                    }
                    drop(permit);
                });
            }
            Err(error) => {
                warn!(%error, "cannot accept a connection");
                // Too many open files, most likely.
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

type Error = Box<dyn std::error::Error + Send + Sync>;

async fn connection<M: Metrics + Send + Sync + 'static>(
    shared: Arc<Shared<M>>,
    stream: TcpStream,
) -> Result<(), Error> {
    // Answers are written at once.
    stream.set_nodelay(true)?;
    let acceptor = match shared.web.acceptor() {
        Ok(Some(acceptor)) => acceptor,
        // Without a usable file, each request is refused.
        Ok(None) | Err(_) => return exchange(shared, stream, false).await,
    };
    let handshake = async {
        // The first byte of a TLS connection says that it is a handshake.
        let mut first = [0];
        if stream.peek(&mut first).await? == 1 && first != [22] {
            let mut stream = stream;
            let head = "HTTP/1.0 400 Bad Request\r\n\r\n";
            stream
                .write_all(format!("{head}{PLAIN}").as_bytes())
                .await?;
            return Ok(None);
        }
        let stream = acceptor.tls.accept(stream).await?;
        acceptor.check_client(stream.get_ref().1)?;
        Ok::<_, Error>(Some(stream))
    };
    match tokio::time::timeout(shared.limits.handshake, handshake).await?? {
        Some(stream) => exchange(shared, stream, true).await,
        None => Ok(()),
    }
}

/// What Go's server answers.
const PLAIN: &str = "Client sent an HTTP request to an HTTPS server.\n";

/// Answers the requests of a connection.
async fn exchange<M: Metrics + Send + Sync + 'static>(
    shared: Arc<Shared<M>>,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    is_tls: bool,
) -> Result<(), Error> {
    let Limits {
        answer: answer_time,
        idle,
        ..
    } = shared.limits;
    let (until, mut deadline) = watch::channel(Instant::now() + idle);
    let until = Arc::new(until);
    let service = service_fn(move |request| {
        let (shared, until) = (Arc::clone(&shared), Arc::clone(&until));
        async move {
            until.send_replace(Instant::now() + answer_time);
            let answer = answer(&shared, &request, is_tls).await;
            until.send_replace(Instant::now() + answer_time);
            Ok::<_, Infallible>(answer.map(|content| content.until(until, idle)))
        }
    });
    let exchange = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(idle)
        .max_buf_size(16 * 1024)
        .serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        done = exchange => Ok(done?),
        () = passed(&mut deadline) => Err("the client is too slow".into()),
    }
}

/// Waits until a deadline has passed, which may be moved.
async fn passed(deadline: &mut watch::Receiver<Instant>) {
    loop {
        let at = *deadline.borrow_and_update();
        match tokio::time::timeout_at(at, deadline.changed()).await {
            Ok(Ok(())) => {}
            // Nobody can move it any more.
            Ok(Err(_)) => std::future::pending().await,
            Err(_) => return,
        }
    }
}

async fn answer<M: Metrics>(
    shared: &Shared<M>,
    request: &Request<Incoming>,
    is_tls: bool,
) -> Response<Pieces> {
    let is_head = request.method() == Method::HEAD;
    let header = |name| {
        let values = request.headers().get_all(name).into_iter();
        let values: Vec<_> = values
            .filter_map(|value: &HeaderValue| value.to_str().ok())
            .collect();
        values.join(",")
    };
    let checked = shared.web.check(&header(AUTHORIZATION), is_tls).await;
    let headers = match &checked {
        Checked::Allowed { headers } => headers.clone(),
        _ => Vec::new(),
    };
    let mut answer = match checked {
        Checked::Allowed { .. } => page(shared, request, &header(ACCEPT)),
        Checked::Refused => {
            let mut answer = text(StatusCode::UNAUTHORIZED, "Unauthorized\n");
            let realm = HeaderValue::from_static("Basic");
            answer.headers_mut().insert(WWW_AUTHENTICATE, realm);
            answer
        }
        Checked::Unprotected => text(StatusCode::BAD_REQUEST, PLAIN),
        Checked::Misconfigured => {
            text(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error\n")
        }
        Checked::Busy => busy(StatusCode::TOO_MANY_REQUESTS),
    };
    answer.headers_mut().extend(headers);
    match is_head {
        true => answer.map(Pieces::without_content),
        false => answer,
    }
}

fn page<M: Metrics>(
    shared: &Shared<M>,
    request: &Request<Incoming>,
    accept: &str,
) -> Response<Pieces> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut answer = text(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed\n");
        let allowed = HeaderValue::from_static("GET, HEAD");
        answer.headers_mut().insert(ALLOW, allowed);
        return answer;
    }
    match request.uri().path() {
        path if path == shared.path => {
            let Ok(permit) = Arc::clone(&shared.answers).try_acquire_owned() else {
                return busy(StatusCode::SERVICE_UNAVAILABLE);
            };
            let format = Format::accepted(accept);
            let content = shared.metrics.document(format);
            let mut answer = Response::new(Pieces::new(content, Some(permit)));
            let headers = answer.headers_mut();
            headers.insert(
                CONTENT_TYPE,
                HeaderValue::from_static(format.content_type()),
            );
            headers.insert(VARY, HeaderValue::from_static("Accept"));
            answer
        }
        "/" => {
            let content = format!(
                "<!DOCTYPE html>\n<html lang=\"en\">\n<head><title>virt-esx exporter</title></head>\n<body>\n\
                 <h1>virt-esx exporter</h1>\n<p>Version {}</p>\n<p><a href=\"{}\">Metrics</a></p>\n</body>\n</html>\n",
                env!("CARGO_PKG_VERSION"),
                shared.path,
            );
            let mut answer = Response::new(Pieces::new(content.into(), None));
            let kind = HeaderValue::from_static("text/html; charset=utf-8");
            answer.headers_mut().insert(CONTENT_TYPE, kind);
            answer
        }
        "/-/healthy" | "/-/ready" => text(StatusCode::OK, "virt-esx exporter is healthy.\n"),
        _ => text(StatusCode::NOT_FOUND, "404 page not found\n"),
    }
}

fn text(status: StatusCode, content: &'static str) -> Response<Pieces> {
    let mut answer = Response::new(Pieces::new(Bytes::from_static(content.as_bytes()), None));
    *answer.status_mut() = status;
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    answer.headers_mut().insert(CONTENT_TYPE, kind);
    answer
}

fn busy(status: StatusCode) -> Response<Pieces> {
    let mut answer = text(
        status,
        "Too many requests at the same time, try again later.\n",
    );
    let headers = answer.headers_mut();
    headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    answer
}

/// The content of an answer, in pieces, so that a client that does not read takes no second copy of it.
struct Pieces {
    rest: Bytes,
    /// The length that the header says, also of an answer without content.
    length: u64,
    /// The connection's deadline, and how long it may be idle then.
    until: Option<(Arc<watch::Sender<Instant>>, Duration)>,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Pieces {
    fn new(content: Bytes, permit: Option<OwnedSemaphorePermit>) -> Self {
        Self {
            length: content.len() as u64,
            rest: content,
            until: None,
            _permit: permit,
        }
    }

    /// The same for HEAD.
    fn without_content(self) -> Self {
        Self {
            rest: Bytes::new(),
            ..self
        }
    }

    /// The same; its end moves the deadline.
    fn until(self, until: Arc<watch::Sender<Instant>>, idle: Duration) -> Self {
        if self.rest.is_empty() {
            until.send_replace(Instant::now() + idle);
        }
        Self {
            until: Some((until, idle)),
            ..self
        }
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        let length = self.rest.len().min(PIECE);
        let piece = self.rest.split_to(length);
        if let (true, Some((until, idle))) = (self.rest.is_empty(), &self.until) {
            until.send_replace(Instant::now() + *idle);
        }
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.length)
    }
}

/// Where the listener is, as a client would write it.
pub(crate) fn shown(address: SocketAddr, is_tls: bool, path: &str) -> String {
    let scheme = if is_tls { "https" } else { "http" };
    format!("{scheme}://{address}{path}")
}
