//! Whom a connection trusts.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::{CertificateError, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::Verify;
use super::certificate::Certificate;
use super::explain::{Refusal, date, refusal};
use super::key::{self, Unproven, Version};
use crate::bounded::{read_file, read_trusted_file};
use crate::transport::{Thumbprint, TlsError};

/// The most bytes of a file with certificates. Those of all authorities of the web take 250 KiB.
const LARGEST_BUNDLE: usize = 16 << 20;

/// What makes a certificate the right one.
pub(super) enum Trust {
    /// Nothing: any is.
    Anything,
    /// Its thumbprint.
    Pin(Thumbprint),
    /// An authority of the system's.
    System(Arc<WebPkiServerVerifier>),
    /// A file of certificates.
    File(CaFile),
}

/// The certificates of a file.
pub(super) struct CaFile {
    path: PathBuf,
    /// Those that may sign others; none if there is none that can.
    roots: Option<Arc<WebPkiServerVerifier>>,
    /// All, each of which is trusted as a server's.
    listed: Vec<CertificateDer<'static>>,
}

impl Trust {
    /// Reads what is needed for a kind of verification.
    pub(super) fn read(verify: &Verify, provider: &Arc<CryptoProvider>) -> Result<Self, TlsError> {
        Ok(match verify {
            Verify::NoVerify => Self::Anything,
            Verify::Pin(pin) => Self::Pin(*pin),
            Verify::SystemRoots => {
                let roots = webpki_verifier(system_roots()?, provider);
                Self::System(roots.map_err(TlsError::NoSystemRoots)?)
            }
            Verify::CaFile(path) => Self::File(CaFile::read(path, provider)?),
        })
    }

    /// Whether the certificate itself is trusted, and not because somebody signed it.
    fn is_trusted_by_itself(&self, certificate: &CertificateDer<'_>) -> bool {
        match self {
            Self::Pin(_) => true,
            Self::File(file) => file.lists(certificate),
            Self::Anything | Self::System(_) => false,
        }
    }

    fn check(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), TlsError> {
        match self {
            Self::Anything => Ok(()),
            Self::Pin(pin) if pin.matches(certificate) => Ok(()),
            Self::Pin(pin) => Err(TlsError::OtherThumbprint {
                expected: *pin,
                presented: match pin {
                    Thumbprint::Sha1(_) => Thumbprint::sha1(certificate),
                    Thumbprint::Sha256(_) => Thumbprint::sha256(certificate),
                },
            }),
            Self::System(roots) => roots
                .verify_server_cert(certificate, intermediates, name, &[], now)
                .map(drop)
                .map_err(|error| refusal(certificate, name, &error, None)),
            Self::File(file) => file.check(certificate, intermediates, name, now),
        }
    }
}

impl CaFile {
    fn read(path: &Path, provider: &Arc<CryptoProvider>) -> Result<Self, TlsError> {
        let unusable = |reason: String| TlsError::CaFile {
            path: path.to_owned(),
            reason,
        };
        let text = read_trusted_file(path, LARGEST_BUNDLE);
        let text = text.map_err(|error| unusable(error.to_string()))?;
        let listed = CertificateDer::pem_slice_iter(&text)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| unusable(error.to_string()))?;
        if listed.is_empty() {
            return Err(unusable("it holds no PEM certificate".to_owned()));
        }
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(listed.iter().cloned());
        let is_readable = |der: &CertificateDer<'_>| Certificate::read(der).is_some();
        let roots = match webpki_verifier(roots, provider) {
            Ok(roots) => Some(roots),
            Err(_) if listed.iter().any(is_readable) => None,
            Err(reason) => return Err(unusable(reason)),
        };
        Ok(Self {
            path: path.to_owned(),
            roots,
            listed,
        })
    }

    fn lists(&self, certificate: &CertificateDer<'_>) -> bool {
        self.listed.iter().any(|listed| listed == certificate)
    }

    fn check(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), TlsError> {
        if self.lists(certificate) {
            return check_listed(certificate, name, now);
        }
        let verified = match &self.roots {
            Some(roots) => roots.verify_server_cert(certificate, intermediates, name, &[], now),
            None => Err(CertificateError::UnknownIssuer.into()),
        };
        let Err(error) = verified else {
            return Ok(());
        };
        // webpki compares names last, so all else is right.
        let is_name_only = matches!(
            error,
            rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }
            )
        );
        if is_name_only && self.fits_common_name(certificate, intermediates, name) {
            return Ok(());
        }
        Err(refusal(certificate, name, &error, Some(&self.path)))
    }

    /// Whether the certificate has no other names than a common name, which is the server's, and nobody on the way to the file
    /// limits names: webpki does not check these limits for common names.
    fn fits_common_name(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
    ) -> bool {
        let limits_names = |der: &CertificateDer<'_>| {
            Certificate::read(der).is_none_or(|read| read.limits_names())
        };
        let Some(read) = Certificate::read(certificate) else {
            return false;
        };
        read.alternative_names().is_empty()
            && read.common_name().is_some_and(|common| common.fits(name))
            && !intermediates.iter().chain(&self.listed).any(limits_names)
    }
}

/// The dates and the names of a certificate that is trusted by itself. It may break all other rules: `openssl req -x509` makes
/// certificates that may sign others, which webpki refuses as those of servers, and old hosts made them of version 1.
fn check_listed(
    certificate: &CertificateDer<'_>,
    name: &ServerName<'_>,
    now: UnixTime,
) -> Result<(), TlsError> {
    let thumbprint = Thumbprint::sha256(certificate);
    let unusable = |reason: &str| TlsError::BadCertificate {
        reason: reason.to_owned(),
        thumbprint,
    };
    let read = Certificate::read(certificate).ok_or_else(|| unusable("it cannot be read"))?;
    let dates = read.validity();
    let (not_before, not_after) = dates.ok_or_else(|| unusable("its dates cannot be read"))?;
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    if now > not_after {
        return Err(TlsError::Expired {
            not_after: date(not_after),
            thumbprint,
        });
    }
    if now < not_before {
        return Err(TlsError::NotYetValid {
            not_before: date(not_before),
            thumbprint,
        });
    }
    let names = read.names();
    if names.iter().any(|own| own.fits(name)) {
        return Ok(());
    }
    Err(TlsError::WrongName {
        expected: name.to_str().into_owned(),
        presented: names.iter().map(ToString::to_string).collect(),
        thumbprint,
    })
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
    // What the environment names need not be a file that ends; other errors are told where it is read.
    if let Some(named) = std::env::var_os("SSL_CERT_FILE")
        && let Err(error) = read_file(&named, LARGEST_BUNDLE)
        && error.kind() == std::io::ErrorKind::FileTooLarge
    {
        let reason = format!("SSL_CERT_FILE is '{}': {error}", named.display());
        return Err(TlsError::NoSystemRoots(reason));
    }
    let loaded = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(loaded.certs);
    match loaded.errors.first() {
        Some(error) if roots.is_empty() => Err(TlsError::NoSystemRoots(error.to_string())),
        _ if roots.is_empty() => Err(TlsError::NoSystemRoots("there are none".to_owned())),
        _ => Ok(roots),
    }
}

/// Which signatures a handshake asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Schemes {
    Usual,
    /// Those that can be checked for short RSA keys, too.
    ShortKeys,
}

/// A [`ServerCertVerifier`] that refuses with a [`Refusal`].
pub(super) struct Verifier {
    pub(super) trust: Arc<Trust>,
    pub(super) provider: Arc<CryptoProvider>,
    pub(super) schemes: Schemes,
}

impl Verifier {
    /// Checks that the server has the key of its certificate. Without that, anybody could show a certificate that is trusted.
    fn check_signature(
        &self,
        version: Version,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        if matches!(*self.trust, Trust::Anything) {
            return Ok(HandshakeSignatureValid::assertion());
        }
        let thumbprint = Thumbprint::sha256(certificate);
        let Some(read) = Certificate::read(certificate) else {
            let reason = "it cannot be read".to_owned();
            return Err(Refusal::Told(TlsError::BadCertificate { reason, thumbprint }).into());
        };
        let algorithms = &self.provider.signature_verification_algorithms;
        let trusted = self.trust.is_trusted_by_itself(certificate);
        let unproven = match read
            .key
            .verify(version, message, signed, algorithms, trusted)
        {
            Ok(()) => return Ok(HandshakeSignatureValid::assertion()),
            Err(unproven) => unproven,
        };
        let unverifiable = |can_be_pinned| TlsError::UnverifiableKey {
            key: read.key.to_string(),
            can_be_pinned,
            thumbprint,
        };
        Err(match unproven {
            Unproven::Forged => Refusal::Told(TlsError::WrongKey { thumbprint }),
            Unproven::Unverifiable { can_be_pinned } => Refusal::Told(unverifiable(can_be_pinned)),
            Unproven::ShortKey => Refusal::ShortKey(unverifiable(false)),
        }
        .into())
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
        self.trust
            .check(end_entity, intermediates, server_name, now)
            .map(|()| ServerCertVerified::assertion())
            .map_err(|error| Refusal::Told(error).into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.check_signature(Version::Tls12, message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.check_signature(Version::Tls13, message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let mut schemes = self
            .provider
            .signature_verification_algorithms
            .supported_schemes();
        if self.schemes == Schemes::ShortKeys {
            schemes.retain(|scheme| key::is_for_short_keys(*scheme));
        }
        if matches!(*self.trust, Trust::Anything) {
            // Nothing is verified, so all that rustls has a name for will do.
            schemes.extend([
                SignatureScheme::ECDSA_NISTP521_SHA512,
                SignatureScheme::ED448,
                SignatureScheme::RSA_PKCS1_SHA1,
                SignatureScheme::ECDSA_SHA1_Legacy,
            ]);
        }
        schemes
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").finish_non_exhaustive()
    }
}
