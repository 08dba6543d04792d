//! How long a server waits for the head of a request, and for the next request.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

/// How long the head of a request may take, from its first byte on; and how long a client may take to begin with its first
/// request, and with TLS.
pub(super) const HEAD: Duration = Duration::from_secs(30);

/// How long a connection stays open without a request. pyvmomi keeps its connections for as long.
const IDLE: Duration = Duration::from_secs(900);

/// What a connection does, as the one who reads it, the one who answers and the one who counts connections see it.
#[derive(Clone, Debug)]
pub(super) struct Patience(Arc<Mutex<Doing>>);

#[derive(Clone, Copy, Debug)]
enum Doing {
    /// The head of a request arrives, since then.
    Head(Instant),
    /// A request is answered; its body may still arrive.
    Request,
    /// Nothing, since then.
    Nothing(Instant),
}

impl Patience {
    /// That of a new connection.
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(Doing::Head(Instant::now()))))
    }

    fn get(&self) -> Doing {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, doing: Doing) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = doing;
    }

    /// Answers a request whose head is complete.
    pub(super) async fn answering<R>(self, answer: impl Future<Output = R>) -> R {
        self.set(Doing::Request);
        let answer = answer.await;
        self.set(Doing::Nothing(Instant::now()));
        answer
    }

    /// Since when the connection does nothing, if that is so.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        match self.get() {
            Doing::Nothing(since) => Some(since),
            _ => None,
        }
    }

    fn deadline(&self) -> Option<Instant> {
        match self.get() {
            Doing::Head(since) => Some(since + HEAD),
            Doing::Request => None,
            Doing::Nothing(since) => Some(since + IDLE),
        }
    }

    /// Bytes have come: the first ones after an answer begin a head.
    fn came(&self) {
        if let Doing::Nothing(_) = self.get() {
            self.set(Doing::Head(Instant::now()));
        }
    }
}

/// A connection that ends when its client is too slow.
pub(super) struct Impatient<S> {
    stream: S,
    patience: Patience,
    timer: Pin<Box<Sleep>>,
}

impl<S> Impatient<S> {
    pub(super) fn new(stream: S, patience: Patience) -> Self {
        Self {
            stream,
            patience,
            timer: Box::pin(sleep_until(Instant::now() + HEAD)),
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Impatient<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            this.patience.came();
        }
        let Some(deadline) = this.patience.deadline() else {
            return read;
        };
        // Who sends a byte now and then is never waited for.
        if read.is_ready() {
            return match Instant::now() < deadline {
                true => read,
                false => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            };
        }
        if this.timer.deadline() != deadline {
            this.timer.as_mut().reset(deadline);
        }
        ready!(this.timer.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Impatient<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Reads until it fails; how long that took, and how many bytes came.
    async fn read(mut stream: impl AsyncRead + Unpin) -> (io::ErrorKind, Duration, usize) {
        let begin = Instant::now();
        let mut bytes = 0;
        loop {
            match stream.read(&mut [0; 16]).await {
                Ok(0) => return (io::ErrorKind::UnexpectedEof, begin.elapsed(), bytes),
                Ok(count) => bytes += count,
                Err(error) => return (error.kind(), begin.elapsed(), bytes),
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_has_its_time_however_it_comes() {
        // Nothing comes.
        let (_client, server) = duplex(64);
        let (kind, took, _) = read(Impatient::new(server, Patience::new())).await;
        assert_eq!((kind, took.as_secs()), (io::ErrorKind::TimedOut, 30));
        // A byte a second.
        let (mut client, server) = duplex(64);
        tokio::spawn(async move {
            while client.write_all(b"x").await.is_ok() {
                tokio::time::sleep(SECOND).await;
            }
        });
        let (kind, took, bytes) = read(Impatient::new(server, Patience::new())).await;
        assert_eq!((kind, took.as_secs()), (io::ErrorKind::TimedOut, 30));
        assert!(bytes >= 30, "{bytes}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_may_take_as_long_as_it_takes_and_the_next_one_has_its_time() {
        let (mut client, server) = duplex(64);
        let patience = Patience::new();
        assert!(patience.idle_since().is_none());
        let mut server = Impatient::new(server, patience.clone());
        client.write_all(b"head").await.unwrap();
        server.read_exact(&mut [0; 4]).await.unwrap();
        // Its body comes late.
        patience
            .clone()
            .answering(async {
                tokio::time::sleep(1000 * SECOND).await;
                client.write_all(b"body").await.unwrap();
                server.read_exact(&mut [0; 4]).await.unwrap();
            })
            .await;
        assert!(patience.idle_since().is_some());
        tokio::time::sleep(800 * SECOND).await;
        client.write_all(b"head").await.unwrap();
        let (kind, took, bytes) = read(&mut server).await;
        assert_eq!(
            (kind, took.as_secs(), bytes),
            (io::ErrorKind::TimedOut, 30, 4)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_connection_ends_after_a_quarter_of_an_hour() {
        let (_client, server) = duplex(64);
        let patience = Patience::new();
        patience.clone().answering(async {}).await;
        let (kind, took, _) = read(Impatient::new(server, patience)).await;
        assert_eq!((kind, took.as_secs()), (io::ErrorKind::TimedOut, 900));
    }
}
