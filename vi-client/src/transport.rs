//! How requests reach the server: over HTTP(S), by a function call in the same process, or from a recording.

mod body;
mod connect;
mod environment;
mod error;
mod https;
mod in_process;
mod proxy;
mod record;
mod redact;
mod request_body;
mod thumbprint;
mod tls;

use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;

pub use body::Body;
pub use environment::InvalidProxyVariable;
pub use error::{ProxyProblem, TlsError, TransportError};
pub use https::{Endpoint, HttpsTransport, Scheme};
pub use in_process::InProcess;
pub use proxy::{InvalidProxy, Proxy, ProxyKind};
pub use record::{Recorder, Replay};
pub(crate) use redact::redact;
pub use request_body::{Pieces, RequestBody};
pub(crate) use request_body::{Progress, Sending};
pub use thumbprint::{InvalidThumbprint, Thumbprint};
pub use tls::Verify;

/// A future on the heap, as the methods of an object-safe trait return it.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Carries requests to one server and returns its answers.
///
/// A request's URI has only path and query (`/sdk`), because a transport knows its server. A transport handles
/// connections, TLS, proxies and the `Host` header; the [`Client`](crate::Client) handles all other headers, cookies and
/// the content of answers. A transport never follows redirects and never repeats a request that the server may have
/// received.
pub trait Transport: Send + Sync + 'static {
    /// Sends `request` and returns the head of the answer; [`Body`] reads the rest.
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<Body>, TransportError>>;

    /// Sends a request whose body is read while it is sent.
    ///
    /// This collects the body, up to 1 GiB, and [sends](Self::send) it whole. That suits transports without a network, and
    /// recordings, which hold every request in memory anyhow; [`HttpsTransport`] streams.
    fn send_streamed(
        &self,
        request: http::Request<RequestBody>,
    ) -> BoxFuture<'_, Result<http::Response<Body>, TransportError>> {
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let whole = body.collect(LARGEST_COLLECTED).await?;
            self.send(http::Request::from_parts(parts, whole)).await
        })
    }

    /// Whether the connection is private: true for HTTPS and within a process.
    fn is_secure(&self) -> bool;
}

/// The largest streamed body that becomes a whole one.
const LARGEST_COLLECTED: usize = 1 << 30;

impl<T: Transport + ?Sized> Transport for Box<T> {
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<Body>, TransportError>> {
        (**self).send(request)
    }

    fn send_streamed(
        &self,
        request: http::Request<RequestBody>,
    ) -> BoxFuture<'_, Result<http::Response<Body>, TransportError>> {
        (**self).send_streamed(request)
    }

    fn is_secure(&self) -> bool {
        (**self).is_secure()
    }
}
