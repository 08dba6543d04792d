//! Verification of server certificates, with errors that advise the user.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::server::ParsedCertificate;
use rustls::{
    AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, OtherError,
    PeerIncompatible, RootCertStore, SignatureScheme,
};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use webpki::EndEntityCert;

use super::https::Endpoint;
use super::{Thumbprint, TlsError, TransportError};

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
    /// or the server's own self-signed certificate, or both.
    CaFile(PathBuf),
    /// The thumbprint of the certificate; its name, dates and issuer are ignored.
    Pin(Thumbprint),
}

/// The TLS part of a transport. Certificates are read at the first connection and only if [`Verify`] needs them, because
/// reading the system's certificate authorities takes longer than listing a host's domains.
pub(super) struct Tls {
    verify: Verify,
    connector: OnceCell<TlsConnector>,
}

impl Tls {
    pub(super) fn new(verify: Verify) -> Self {
        Self {
            verify,
            connector: OnceCell::new(),
        }
    }

    pub(super) async fn handshake<S>(
        &self,
        endpoint: &Endpoint,
        stream: S,
    ) -> Result<TlsStream<S>, TransportError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let failed = |problem| TransportError::Tls {
            server: endpoint.authority(),
            problem,
        };
        let name = ServerName::try_from(endpoint.host.clone())
            .map_err(|_| failed(TlsError::InvalidName(endpoint.host.clone())))?;
        let connector = self
            .connector
            .get_or_try_init(|| async { connector(&self.verify) })
            .await
            .map_err(failed)?;
        connector
            .connect(name, stream)
            .await
            .map_err(|error| failed(explain(error)))
    }
}

fn connector(verify: &Verify) -> Result<TlsConnector, TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let trust = match verify {
        Verify::NoVerify => Trust::Anything,
        Verify::Pin(pin) => Trust::Pin(*pin),
        Verify::SystemRoots => Trust::Chain {
            roots: webpki_verifier(system_roots()?, &provider).map_err(TlsError::NoSystemRoots)?,
            listed: Vec::new(),
        },
        Verify::CaFile(path) => {
            let listed = ca_file(path)?;
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(listed.iter().cloned());
            Trust::Chain {
                roots: webpki_verifier(roots, &provider).map_err(|reason| TlsError::CaFile {
                    path: path.clone(),
                    reason,
                })?,
                listed,
            }
        }
    };
    let verifier = Verifier {
        trust,
        provider: provider.clone(),
    };
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsError::Handshake(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}

fn webpki_verifier(
    roots: RootCertStore,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<WebPkiServerVerifier>, String> {
    if roots.is_empty() {
        return Err("none is usable".to_owned());
    }
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .build()
        .map_err(|error| error.to_string())
}

fn system_roots() -> Result<RootCertStore, TlsError> {
    let loaded = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(loaded.certs);
    match loaded.errors.first() {
        Some(error) if roots.is_empty() => Err(TlsError::NoSystemRoots(error.to_string())),
        _ if roots.is_empty() => Err(TlsError::NoSystemRoots("there are none".to_owned())),
        _ => Ok(roots),
    }
}

fn ca_file(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let unusable = |reason: String| TlsError::CaFile {
        path: path.to_owned(),
        reason,
    };
    let text = std::fs::read(path).map_err(|error| unusable(error.to_string()))?;
    let certificates = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| unusable(error.to_string()))?;
    if certificates.is_empty() {
        return Err(unusable("it holds no PEM certificate".to_owned()));
    }
    Ok(certificates)
}

/// A [`ServerCertVerifier`] that refuses with a [`TlsError`]; [`explain`] takes it out of rustls' error.
struct Verifier {
    trust: Trust,
    provider: Arc<CryptoProvider>,
}

enum Trust {
    Anything,
    Pin(Thumbprint),
    Chain {
        roots: Arc<WebPkiServerVerifier>,
        /// Certificates that are trusted as server certificates.
        listed: Vec<CertificateDer<'static>>,
    },
}

impl Verifier {
    fn check(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), TlsError> {
        match &self.trust {
            Trust::Anything => Ok(()),
            Trust::Pin(pin) if pin.matches(certificate) => Ok(()),
            Trust::Pin(pin) => Err(TlsError::OtherThumbprint {
                expected: *pin,
                presented: match pin {
                    Thumbprint::Sha1(_) => Thumbprint::sha1(certificate),
                    Thumbprint::Sha256(_) => Thumbprint::sha256(certificate),
                },
            }),
            Trust::Chain { roots, listed } => {
                let Err(error) =
                    roots.verify_server_cert(certificate, intermediates, name, &[], now)
                else {
                    return Ok(());
                };
                // webpki refuses a certificate that may sign others as a server certificate (`openssl req -x509` makes
                // such). It is trusted because it is in the file. webpki checks the dates first, so any other refusal
                // means that the dates are valid.
                let outdated = matches!(
                    certificate_error(&error),
                    Some(
                        CertificateError::Expired
                            | CertificateError::ExpiredContext { .. }
                            | CertificateError::NotValidYet
                            | CertificateError::NotValidYetContext { .. }
                    )
                );
                if outdated || !listed.iter().any(|listed| listed == certificate) {
                    return Err(refusal(certificate, name, &error));
                }
                ParsedCertificate::try_from(certificate)
                    .and_then(|parsed| rustls::client::verify_server_name(&parsed, name))
                    .map_err(|error| refusal(certificate, name, &error))
            }
        }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.check(end_entity, intermediates, server_name, now)
            .map(|()| ServerCertVerified::assertion())
            .map_err(|refusal| CertificateError::Other(OtherError(Arc::new(refusal))).into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        if matches!(self.trust, Trust::Anything) {
            return Ok(HandshakeSignatureValid::assertion());
        }
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        if matches!(self.trust, Trust::Anything) {
            return Ok(HandshakeSignatureValid::assertion());
        }
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").finish_non_exhaustive()
    }
}

fn certificate_error(error: &rustls::Error) -> Option<&CertificateError> {
    match error {
        rustls::Error::InvalidCertificate(error) => Some(error),
        _ => None,
    }
}

fn refusal(
    certificate: &CertificateDer<'_>,
    name: &ServerName<'_>,
    error: &rustls::Error,
) -> TlsError {
    let thumbprint = Thumbprint::sha256(certificate);
    let expected = name.to_str().into_owned();
    let Some(complaint) = certificate_error(error) else {
        return TlsError::BadCertificate {
            reason: error.to_string(),
            thumbprint,
        };
    };
    match complaint {
        CertificateError::ExpiredContext { not_after, .. } => TlsError::Expired {
            not_after: utc(*not_after),
            thumbprint,
        },
        CertificateError::NotValidYetContext { not_before, .. } => TlsError::NotYetValid {
            not_before: utc(*not_before),
            thumbprint,
        },
        CertificateError::NotValidForNameContext { presented, .. } => TlsError::WrongName {
            expected,
            presented: presented.iter().map(|name| plain_name(name)).collect(),
            thumbprint,
        },
        _ if is_self_signed(certificate) => TlsError::SelfSigned { thumbprint },
        // An authority of the same name with another key, as after reinstalling a vCenter, shows as a bad signature.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            TlsError::UnknownIssuer { thumbprint }
        }
        other => TlsError::BadCertificate {
            reason: other.to_string(),
            thumbprint,
        },
    }
}

/// `esx1.example` from webpki's `DnsName("esx1.example")`.
fn plain_name(presented: &str) -> String {
    match presented.split_once('(') {
        Some((_, inner)) => inner.trim_end_matches(')').trim_matches('"').to_owned(),
        None => presented.to_owned(),
    }
}

fn is_self_signed(certificate: &CertificateDer<'_>) -> bool {
    EndEntityCert::try_from(certificate).is_ok_and(|parsed| parsed.issuer() == parsed.subject())
}

/// Explains a failed handshake.
fn explain(error: io::Error) -> TlsError {
    let Some(tls) = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>())
    else {
        return match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => {
                TlsError::Handshake("it closed the connection during the TLS handshake".to_owned())
            }
            _ => TlsError::Handshake(error.to_string()),
        };
    };
    match tls {
        rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(other))) => {
            match other.downcast_ref::<TlsError>() {
                Some(refusal) => refusal.clone(),
                None => TlsError::Handshake(tls.to_string()),
            }
        }
        rustls::Error::AlertReceived(AlertDescription::ProtocolVersion)
        | rustls::Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        ) => TlsError::TooOld,
        rustls::Error::InvalidMessage(_) => TlsError::NotTls,
        rustls::Error::AlertReceived(AlertDescription::HandshakeFailure) => TlsError::Handshake(
            "the server and we have no cipher suite in common (it may be too old)".to_owned(),
        ),
        other => TlsError::Handshake(other.to_string()),
    }
}

/// A time as `2024-01-31 12:00:00 UTC` (proleptic Gregorian calendar; Howard Hinnant's `civil_from_days`).
fn utc(moment: UnixTime) -> String {
    let seconds = moment.as_secs();
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let z = days + 719_468;
    let (era, day_of_era) = (z / 146_097, z % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!(
        "{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02} UTC",
        second / 3_600,
        second / 60 % 60,
        second % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_read_as_people_write_them() {
        let at = |seconds| {
            utc(UnixTime::since_unix_epoch(std::time::Duration::from_secs(
                seconds,
            )))
        };
        assert_eq!(at(0), "1970-01-01 00:00:00 UTC");
        assert_eq!(at(951_782_400), "2000-02-29 00:00:00 UTC");
        assert_eq!(at(1_270_730_711), "2010-04-08 12:45:11 UTC");
    }
}
