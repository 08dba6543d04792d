use std::fmt;

use bytes::Bytes;

use super::{Body, BoxFuture, Transport, TransportError};

/// A server that is a function of the same process, such as a simulator: no socket, but the same bytes.
pub struct InProcess {
    handler: Box<Handler>,
}

type Handler =
    dyn Fn(http::Request<Bytes>) -> BoxFuture<'static, http::Response<Bytes>> + Send + Sync;

impl InProcess {
    /// A transport that answers every request by `handler`.
    pub fn new<F>(handler: F) -> Self
    where
        F: Fn(http::Request<Bytes>) -> BoxFuture<'static, http::Response<Bytes>>
            + Send
            + Sync
            + 'static,
    {
        Self {
            handler: Box::new(handler),
        }
    }
}

impl Transport for InProcess {
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<Body>, TransportError>> {
        let answer = (self.handler)(request);
        Box::pin(async move { Ok(answer.await.map(Body::from)) })
    }

    fn is_secure(&self) -> bool {
        true
    }
}

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InProcess").finish_non_exhaustive()
    }
}
