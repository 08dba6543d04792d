use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;

use super::{Body, BoxFuture, Transport, TransportError};

/// A server in the same process, such as a simulator: the same bytes, without a socket.
///
/// To close the connection instead of answering, the handler puts an [`io::ErrorKind`] into the extensions of its answer.
/// The request then fails with [`TransportError::Closed`].
pub struct InProcess {
    handler: Box<Handler>,
    /// Whether a request has used the simulated connection, as [`TransportError::Closed`] reports it.
    used: AtomicBool,
}

type Handler =
    dyn Fn(http::Request<Bytes>) -> BoxFuture<'static, http::Response<Bytes>> + Send + Sync;

impl InProcess {
    /// A transport whose requests are answered by `handler`.
    pub fn new<F>(handler: F) -> Self
    where
        F: Fn(http::Request<Bytes>) -> BoxFuture<'static, http::Response<Bytes>>
            + Send
            + Sync
            + 'static,
    {
        Self {
            handler: Box::new(handler),
            used: AtomicBool::new(false),
        }
    }
}

impl Transport for InProcess {
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<Body>, TransportError>> {
        let answer = (self.handler)(request);
        Box::pin(async move {
            let answer = answer.await;
            let closed = answer.extensions().get::<io::ErrorKind>().copied();
            let reused = self.used.swap(closed.is_none(), Ordering::Relaxed);
            match closed {
                None => Ok(answer.map(Body::from)),
                Some(kind) => Err(TransportError::Closed {
                    server: "the server".to_owned(),
                    answering: false,
                    reused,
                    source: Some(kind.into()),
                }),
            }
        })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_handler_can_close_the_connection() {
        let transport = InProcess::new(|request| {
            let mut answer = http::Response::new(Bytes::new());
            if request.uri().path() == "/lost" {
                let kind = io::ErrorKind::ConnectionReset;
                answer.extensions_mut().insert(kind);
            }
            Box::pin(async move { answer })
        });
        let mut seen = Vec::new();
        for path in ["/lost", "/", "/lost", "/lost"] {
            let request = http::Request::get(path).body(Bytes::new()).unwrap();
            seen.push(match transport.send(request).await {
                Ok(_) => None,
                Err(TransportError::Closed { reused, .. }) => Some(reused),
                Err(error) => panic!("{error}"),
            });
        }
        // The third request comes over the connection of the second; the others open one.
        assert_eq!(seen, [Some(false), None, Some(true), Some(false)]);
    }
}
