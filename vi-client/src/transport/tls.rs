//! TLS: whom to trust, what keys prove, and errors that advise the user.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use rustls::ClientConfig;
use rustls::crypto::CryptoProvider;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use self::explain::{Refusal, explain, refusal_in};
use self::trust::{Schemes, Trust, Verifier};
use super::https::Endpoint;
use super::{Thumbprint, TlsError, TransportError};

mod certificate;
mod der;
mod explain;
mod key;
mod trust;

/// How to check the server's certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verify {
    /// The system's certificate authorities, and the host name.
    #[default]
    SystemRoots,
    /// No check: any certificate is accepted.
    NoVerify,
    /// The certificates of a PEM file instead of the system's, and the host name. The file has certificate authorities,
    /// or servers' own certificates, or both.
    ///
    /// A server's certificate that is in the file itself only needs valid dates and the server's name. It may be of version 1,
    /// have a short key (RSA of 1024 bits or more), and have all that authorities must not. Where there are no alternative
    /// names, the common name counts, as it does for curl, in certificates that the file's authorities signed, too.
    CaFile(PathBuf),
    /// The thumbprint of the certificate; its name, dates, issuer and form are ignored. That the server has its key is checked,
    /// as always except for `NoVerify`.
    Pin(Thumbprint),
}

/// The TLS part of a transport. Certificates are read at the first connection and only if [`Verify`] needs them, because
/// reading the system's certificate authorities takes longer than listing a host's domains.
pub(super) struct Tls {
    verify: Verify,
    connectors: OnceCell<Connectors>,
}

struct Connectors {
    trust: Arc<Trust>,
    provider: Arc<CryptoProvider>,
    usual: TlsConnector,
    /// Once the server has shown a certificate with a short RSA key.
    for_short_keys: OnceLock<ForShortKeys>,
}

struct ForShortKeys {
    connector: TlsConnector,
    /// What to say if this one cannot be used either.
    problem: TlsError,
}

impl Tls {
    pub(super) fn new(verify: Verify) -> Self {
        Self {
            verify,
            connectors: OnceCell::new(),
        }
    }

    /// Shakes hands with the server; with `None` the same has to be done once more, with another stream. Then the server has a
    /// certificate that is trusted, but whose key is too short for TLS 1.3.
    pub(super) async fn handshake<S>(
        &self,
        endpoint: &Endpoint,
        stream: S,
    ) -> Result<Option<TlsStream<S>>, TransportError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let failed = |problem| TransportError::Tls {
            server: endpoint.authority(),
            problem,
        };
        let name = ServerName::try_from(endpoint.host.clone())
            .map_err(|_| failed(TlsError::InvalidName(endpoint.host.clone())))?;
        let connectors = self
            .connectors
            .get_or_try_init(|| async { Connectors::new(&self.verify) })
            .await
            .map_err(failed)?;
        let for_short_keys = connectors.for_short_keys.get();
        let connector = match for_short_keys {
            Some(short) => &short.connector,
            None => &connectors.usual,
        };
        let error = match connector.connect(name, stream).await {
            Ok(stream) => return Ok(Some(stream)),
            Err(error) => error,
        };
        match (for_short_keys, refusal_in(&error)) {
            (None, Some(Refusal::ShortKey(problem))) => {
                connectors.go_on_with_short_keys(problem).map_err(failed)?;
                Ok(None)
            }
            (short, _) => Err(failed(match (short, explain(&error)) {
                // It has TLS 1.3 only.
                (Some(short), TlsError::TooOld) => short.problem.clone(),
                (_, problem) => problem,
            })),
        }
    }
}

impl Connectors {
    fn new(verify: &Verify) -> Result<Self, TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let trust = Arc::new(Trust::read(verify, &provider)?);
        let usual = connector(&trust, &provider, Schemes::Usual)?;
        Ok(Self {
            trust,
            provider,
            usual,
            for_short_keys: OnceLock::new(),
        })
    }

    fn go_on_with_short_keys(&self, problem: &TlsError) -> Result<(), TlsError> {
        let short = ForShortKeys {
            connector: connector(&self.trust, &self.provider, Schemes::ShortKeys)?,
            problem: problem.clone(),
        };
        // Another connection may have found out at the same time.
        let _ = self.for_short_keys.set(short);
        Ok(())
    }
}

fn connector(
    trust: &Arc<Trust>,
    provider: &Arc<CryptoProvider>,
    schemes: Schemes,
) -> Result<TlsConnector, TlsError> {
    let verifier = Verifier {
        trust: trust.clone(),
        provider: provider.clone(),
        schemes,
    };
    let versions = match schemes {
        Schemes::Usual => rustls::DEFAULT_VERSIONS,
        Schemes::ShortKeys => &[&rustls::version::TLS12],
    };
    let mut config = ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(versions)
        .map_err(|error| TlsError::Handshake(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}
