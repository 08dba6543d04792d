//! Why a handshake failed, in words.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::{AlertDescription, CertificateError, InvalidMessage, OtherError, PeerIncompatible};
use rustls_pki_types::{CertificateDer, ServerName};
use vi_types::DateTime;

use super::certificate::Certificate;
use crate::transport::{Thumbprint, TlsError};

/// What our verifier says through rustls.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The connection fails.
    Told(TlsError),
    /// So it does, unless another handshake without TLS 1.3 succeeds.
    ShortKey(TlsError),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Told(error) | Self::ShortKey(error)) = self;
        error.fmt(f)
    }
}

impl std::error::Error for Refusal {}

impl From<Refusal> for rustls::Error {
    fn from(refusal: Refusal) -> Self {
        CertificateError::Other(OtherError(Arc::new(refusal))).into()
    }
}

fn tls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

/// What our verifier said.
pub(super) fn refusal_in(error: &io::Error) -> Option<&Refusal> {
    match tls_error(error)? {
        rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(other))) => {
            other.downcast_ref()
        }
        _ => None,
    }
}

/// A second since 1970 as `2024-01-31 12:00:00 UTC`.
pub(super) fn date(seconds: i64) -> String {
    let text = DateTime::from_epoch_seconds(seconds).to_string();
    text.replace('T', " ").replace('Z', " UTC")
}

/// Why a certificate is not trusted. `file` is the file of certificates that was given, if there is one.
pub(super) fn refusal(
    certificate: &CertificateDer<'_>,
    name: &ServerName<'_>,
    error: &rustls::Error,
    file: Option<&Path>,
) -> TlsError {
    let thumbprint = Thumbprint::sha256(certificate);
    let unusable = |reason: &str| TlsError::BadCertificate {
        reason: reason.to_owned(),
        thumbprint,
    };
    let Some(read) = Certificate::read(certificate) else {
        return unusable("it cannot be read");
    };
    let complaint = match error {
        rustls::Error::InvalidCertificate(complaint) => complaint,
        _ => return unusable("it cannot be verified"),
    };
    let dates = read.validity();
    match complaint {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            let not_after = dates.map_or_else(String::new, |(_, not_after)| date(not_after));
            return TlsError::Expired {
                not_after,
                thumbprint,
            };
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            let not_before = dates.map_or_else(String::new, |(not_before, _)| date(not_before));
            return TlsError::NotYetValid {
                not_before,
                thumbprint,
            };
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            let mut presented: Vec<_> = read
                .alternative_names()
                .iter()
                .map(ToString::to_string)
                .collect();
            if let (true, Some(common)) = (presented.is_empty(), read.common_name()) {
                presented.push(format!("{common} (only as its common name)"));
            }
            return TlsError::WrongName {
                expected: name.to_str().into_owned(),
                presented,
                thumbprint,
            };
        }
        _ => {}
    }
    let ca_file = file.map(Path::to_owned);
    if read.is_self_signed() {
        return TlsError::SelfSigned {
            thumbprint,
            ca_file,
        };
    }
    match complaint {
        // An authority of the same name with another key, as after reinstalling a vCenter, shows as a bad signature.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            TlsError::UnknownIssuer {
                thumbprint,
                ca_file,
            }
        }
        CertificateError::BadEncoding => unusable("it breaks the rules of its format"),
        CertificateError::Revoked => unusable("it is revoked"),
        CertificateError::UnhandledCriticalExtension => {
            unusable("it has a critical extension that is not known")
        }
        CertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            unusable("it is signed in a way that is not safe or not known, such as SHA-1 or MD5")
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            unusable("it is not meant for servers")
        }
        _ if read.version != 3 => unusable("it is of an old version of X.509"),
        _ => unusable("it breaks the rules for certificates of servers"),
    }
}

/// Explains a failed handshake.
pub(super) fn explain(error: &io::Error) -> TlsError {
    if let Some(Refusal::Told(refusal) | Refusal::ShortKey(refusal)) = refusal_in(error) {
        return refusal.clone();
    }
    let Some(tls) = tls_error(error) else {
        return TlsError::Handshake(match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => {
                "it closed the connection during the TLS handshake".to_owned()
            }
            _ => error.to_string(),
        });
    };
    match tls {
        rustls::Error::AlertReceived(AlertDescription::ProtocolVersion)
        | rustls::Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        ) => TlsError::TooOld,
        rustls::Error::AlertReceived(AlertDescription::HandshakeFailure) => TlsError::NoCipher,
        rustls::Error::AlertReceived(alert) => {
            TlsError::Handshake(format!("it refuses the handshake: {}", words(alert)))
        }
        rustls::Error::InvalidMessage(
            InvalidMessage::InvalidContentType
            | InvalidMessage::UnknownProtocolVersion
            | InvalidMessage::MessageTooLarge
            | InvalidMessage::InvalidEmptyPayload,
        ) => TlsError::NotTls,
        rustls::Error::NoCertificatesPresented => {
            TlsError::Handshake("it presents no certificate".to_owned())
        }
        rustls::Error::PeerIncompatible(reason) => TlsError::Handshake(format!(
            "it has no way of TLS that we have, too: {}",
            words(reason)
        )),
        rustls::Error::InvalidMessage(reason) => broken(reason),
        rustls::Error::PeerMisbehaved(reason) => broken(reason),
        rustls::Error::InvalidCertificate(_) => broken(&"InvalidCertificate"),
        rustls::Error::InappropriateMessage { .. }
        | rustls::Error::InappropriateHandshakeMessage { .. } => broken(&"MessageOutOfOrder"),
        other => TlsError::Handshake(other.to_string()),
    }
}

fn broken(reason: &impl fmt::Debug) -> TlsError {
    TlsError::Handshake(format!("it breaks the rules of TLS: {}", words(reason)))
}

/// `certificate unknown` from `CertificateUnknown`: rustls has no other texts.
fn words(name: &impl fmt::Debug) -> String {
    let mut text = String::new();
    for c in format!("{name:?}").chars() {
        match c {
            'A'..='Z' => {
                if !text.is_empty() && !text.ends_with([' ', '(']) {
                    text.push(' ');
                }
                text.push(c.to_ascii_lowercase());
            }
            '"' => {}
            _ => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_read_as_people_write_them() {
        assert_eq!(date(-1), "1969-12-31 23:59:59 UTC");
        assert_eq!(date(951_782_400), "2000-02-29 00:00:00 UTC");
        assert_eq!(date(1_270_730_711), "2010-04-08 12:45:11 UTC");
    }

    #[test]
    fn names_of_rust_read_as_words() {
        assert_eq!(words(&AlertDescription::InternalError), "internal error");
        let incomplete = InvalidMessage::MissingData("ServerHello");
        assert_eq!(words(&incomplete), "missing data(server hello)");
    }
}
