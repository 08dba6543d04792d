//! A simulator on a TCP port.

mod connections;
mod patience;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use futures_core::future::BoxFuture;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
#[cfg(feature = "tls")]
use tokio::io::BufReader;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, ToSocketAddrs};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing::debug;

use self::connections::{Connections, MOST};
use self::patience::{Impatient, Patience};
#[cfg(feature = "tls")]
use crate::certificate::{Certificate, CertificateError};
use crate::payload::{Answer, Dropped, with_length};
use crate::upload::Upload;

/// What is read of a connection at once, in bytes: several records of TLS.
#[cfg(feature = "tls")]
const READ_AT_ONCE: usize = 128 << 10;

/// Whether a [`Server`] speaks TLS, and with which certificate.
///
/// With the feature `tls`, `true`, `false` and a certificate convert to it. Without the feature there is plain HTTP only.
#[derive(Debug, Default)]
#[non_exhaustive]
pub enum Tls {
    /// Plain HTTP.
    #[cfg_attr(not(feature = "tls"), default)]
    Off,
    /// TLS with a self-signed certificate made for this server.
    #[cfg(feature = "tls")]
    #[default]
    On,
    /// TLS with this certificate.
    #[cfg(feature = "tls")]
    With(Box<Certificate>),
}

#[cfg(feature = "tls")]
impl From<bool> for Tls {
    fn from(on: bool) -> Self {
        if on { Self::On } else { Self::Off }
    }
}

#[cfg(feature = "tls")]
impl From<Certificate> for Tls {
    fn from(certificate: Certificate) -> Self {
        Self::With(Box::new(certificate))
    }
}

/// What makes a TLS connection of a TCP connection.
#[cfg(feature = "tls")]
type Acceptor = tokio_rustls::TlsAcceptor;
/// There is none.
#[cfg(not(feature = "tls"))]
type Acceptor = std::convert::Infallible;

/// A function from a request to its answer.
pub(crate) type Answering =
    Arc<dyn Fn(Request<Upload>) -> BoxFuture<'static, Result<Answer, Dropped>> + Send + Sync>;

/// A simulator that listens; dropping it closes the port and every connection.
pub struct Server {
    address: SocketAddr,
    #[cfg(feature = "tls")]
    certificate: Option<Certificate>,
    authority: UriParts,
    accepting: JoinHandle<()>,
}

/// The parts of a libvirt URI that depend on what is simulated.
#[derive(Debug, Clone)]
pub(crate) struct UriParts {
    /// `esx` or `vpx`.
    pub(crate) scheme: &'static str,
    /// The user who can log in, percent-encoded.
    pub(crate) user: String,
    /// What follows the slash: nothing, or the percent-encoded inventory path of a host.
    pub(crate) path: String,
}

impl Server {
    pub(crate) async fn start(
        address: impl ToSocketAddrs,
        tls: Tls,
        authority: UriParts,
        answering: Answering,
        restarts: watch::Receiver<u64>,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        #[cfg(feature = "tls")]
        let certificate = match tls {
            Tls::Off => None,
            Tls::On => Some(own_certificate(address).map_err(io::Error::other)?),
            Tls::With(certificate) => Some(*certificate),
        };
        #[cfg(feature = "tls")]
        let acceptor = match &certificate {
            Some(certificate) => Some(Acceptor::from(
                certificate.server_config().map_err(io::Error::other)?,
            )),
            None => None,
        };
        #[cfg(not(feature = "tls"))]
        let Tls::Off = tls;
        #[cfg(not(feature = "tls"))]
        let acceptor = None;
        Ok(Self {
            address,
            #[cfg(feature = "tls")]
            certificate,
            authority,
            accepting: tokio::spawn(accept(listener, acceptor, answering, restarts)),
        })
    }

    /// The address it listens at, with the actual port if port 0 was requested.
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// The libvirt URI of the server: `esx://root@127.0.0.1:8443/?no_verify=1`, for a vCenter with
    /// the path of its first host.
    pub fn uri(&self) -> String {
        let UriParts { scheme, user, path } = &self.authority;
        let query = match self.is_plain() {
            false => "no_verify=1",
            true => "transport=http",
        };
        format!("{scheme}://{user}@{}/{path}?{query}", self.address)
    }

    #[cfg(feature = "tls")]
    pub(crate) fn is_plain(&self) -> bool {
        self.certificate.is_none()
    }

    #[cfg(not(feature = "tls"))]
    pub(crate) fn is_plain(&self) -> bool {
        true
    }

    /// The certificate it shows; none without TLS.
    #[cfg(feature = "tls")]
    pub fn certificate(&self) -> Option<&Certificate> {
        self.certificate.as_ref()
    }

    /// The certificate as PEM text; none without TLS.
    #[cfg(feature = "tls")]
    pub fn certificate_pem(&self) -> Option<String> {
        self.certificate.as_ref().map(Certificate::pem)
    }

    /// The certificate's SHA-256 thumbprint; none without TLS.
    #[cfg(feature = "tls")]
    pub fn thumbprint(&self) -> Option<String> {
        self.certificate
            .as_ref()
            .map(Certificate::sha256_thumbprint)
    }

    /// The certificate's SHA-1 thumbprint, which vCenters show; none without TLS.
    #[cfg(feature = "tls")]
    pub(crate) fn sha1_thumbprint(&self) -> Option<String> {
        self.certificate.as_ref().map(Certificate::sha1_thumbprint)
    }

    /// Never completes; keeps the server running until this future is dropped.
    pub async fn run(mut self) {
        let _ = (&mut self.accepting).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("uri", &self.uri())
            .finish_non_exhaustive()
    }
}

#[cfg(feature = "tls")]
fn own_certificate(address: SocketAddr) -> Result<Certificate, CertificateError> {
    let mut names = vec![
        "localhost".to_owned(),
        "127.0.0.1".to_owned(),
        "::1".to_owned(),
    ];
    let own = address.ip().to_string();
    if !names.contains(&own) {
        names.push(own);
    }
    Certificate::self_signed(&names)
}

/// Accepts connections until it is aborted. Its connections are aborted with it, and end when `restarts` changes.
async fn accept(
    listener: TcpListener,
    acceptor: Option<Acceptor>,
    answering: Answering,
    restarts: watch::Receiver<u64>,
) {
    let listener = &listener;
    let mut connections = Connections::new(MOST);
    loop {
        tokio::select! {
            (stream, _) = connections::next(|| listener.accept()) => {
                let (acceptor, answering) = (acceptor.clone(), Arc::clone(&answering));
                let mut restarts = restarts.clone();
                restarts.mark_unchanged();
                let patience = Patience::new();
                connections.serve(patience.clone(), async move {
                    tokio::select! {
                        () = connection(stream, acceptor, patience, answering) => {}
                        Ok(()) = restarts.changed() => {}
                    }
                });
            }
            () = connections.one_ended() => {}
        }
    }
}

async fn connection(
    stream: TcpStream,
    acceptor: Option<Acceptor>,
    patience: Patience,
    answering: Answering,
) {
    let _ = stream.set_nodelay(true);
    match acceptor {
        None => serve(stream, patience, answering).await,
        #[cfg(feature = "tls")]
        Some(acceptor) => {
            let stream = BufReader::with_capacity(READ_AT_ONCE, stream);
            match tokio::time::timeout(patience::HEAD, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => serve(stream, patience, answering).await,
                Ok(Err(error)) => debug!(%error, "TLS handshake failed"),
                Err(_) => debug!("TLS handshake took too long"),
            }
        }
        #[cfg(not(feature = "tls"))]
        Some(none) => match none {},
    }
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    patience: Patience,
    answering: Answering,
) {
    let stream = Impatient::new(stream, patience.clone());
    let service = service_fn(|request| {
        let answer = answer(request, Arc::clone(&answering));
        patience.clone().answering(answer)
    });
    let served = http1::Builder::new()
        // It ends connections without requests, too. Patience tells them apart.
        .header_read_timeout(None)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        debug!(%error, "connection ended early");
    }
}

async fn answer(request: Request<Incoming>, answering: Answering) -> Result<Answer, Dropped> {
    answering(request.map(Upload::new)).await.map(with_length)
}
