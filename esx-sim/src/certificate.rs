//! The certificate a simulated server shows.

use std::fmt::Write as _;
use std::sync::Arc;

use rcgen::{CertificateParams, DnType, KeyPair};
use rustls::ServerConfig;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// A self-signed certificate and its key.
pub struct Certificate {
    certificate: rcgen::Certificate,
    key: KeyPair,
}

/// A certificate could not be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot make a certificate for {names}")]
pub struct CertificateError {
    names: String,
    #[source]
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl Certificate {
    /// A certificate of the host names and IP addresses given, valid now.
    pub fn self_signed<S: AsRef<str>>(names: &[S]) -> Result<Self, CertificateError> {
        Self::between(names, (2020, 1, 1), (2120, 1, 1))
    }

    /// The same, but its validity ended with the year 2020.
    pub fn expired<S: AsRef<str>>(names: &[S]) -> Result<Self, CertificateError> {
        Self::between(names, (2020, 1, 1), (2021, 1, 1))
    }

    fn between<S: AsRef<str>>(
        names: &[S],
        (from_year, from_month, from_day): (i32, u8, u8),
        (to_year, to_month, to_day): (i32, u8, u8),
    ) -> Result<Self, CertificateError> {
        let names: Vec<String> = names.iter().map(|name| name.as_ref().to_owned()).collect();
        let shown = names.join(", ");
        let make = || {
            let mut params = CertificateParams::new(names)?;
            params.not_before = rcgen::date_time_ymd(from_year, from_month, from_day);
            params.not_after = rcgen::date_time_ymd(to_year, to_month, to_day);
            params
                .distinguished_name
                .push(DnType::CommonName, "simulated VMware server");
            let key = KeyPair::generate()?;
            let certificate = params.self_signed(&key)?;
            Ok(Self { certificate, key })
        };
        make().map_err(|source: rcgen::Error| CertificateError {
            names: shown,
            source: source.into(),
        })
    }

    /// The certificate as PEM text.
    pub fn pem(&self) -> String {
        self.certificate.pem()
    }

    /// Its SHA-256 thumbprint: 32 upper-case hexadecimal pairs with colons between them.
    pub fn sha256_thumbprint(&self) -> String {
        thumbprint(&Sha256::digest(self.certificate.der()))
    }

    /// Its SHA-1 thumbprint, the kind vSphere shows: 20 upper-case hexadecimal pairs with colons between them.
    pub fn sha1_thumbprint(&self) -> String {
        thumbprint(&Sha1::digest(self.certificate.der()))
    }

    pub(crate) fn server_config(&self) -> Result<Arc<ServerConfig>, rustls::Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let chain = vec![CertificateDer::clone(self.certificate.der())];
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.serialize_der()));
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Certificate")
            .field(&self.sha256_thumbprint())
            .finish()
    }
}

fn thumbprint(digest: &[u8]) -> String {
    digest.iter().fold(String::new(), |mut text, byte| {
        if !text.is_empty() {
            text.push(':');
        }
        let _ = write!(text, "{byte:02X}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thumbprints_are_pairs_with_colons() {
        let certificate = Certificate::self_signed(&["localhost", "127.0.0.1"]).unwrap();
        let sha256 = certificate.sha256_thumbprint();
        let sha1 = certificate.sha1_thumbprint();
        assert_eq!(sha256.split(':').count(), 32);
        assert_eq!(sha1.split(':').count(), 20);
        assert!(sha256.split(':').all(|pair| pair.len() == 2));
        assert!(certificate.pem().starts_with("-----BEGIN CERTIFICATE-----"));
        assert!(!format!("{certificate:?}").contains("PRIVATE"));
    }

    #[test]
    fn two_certificates_differ() {
        let one = Certificate::self_signed(&["localhost"]).unwrap();
        let other = Certificate::self_signed(&["localhost"]).unwrap();
        assert_ne!(one.sha256_thumbprint(), other.sha256_thumbprint());
    }
}
