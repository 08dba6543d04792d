//! TLS of the listener.

use std::path::Path;
use std::sync::Arc;

use esx_driver::vi_client::bounded;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    DigitallySignedStruct, DistinguishedName, RootCertStore, ServerConfig, ServerConnection,
    SignatureScheme, SupportedProtocolVersion, version,
};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::TlsAcceptor;

use super::WebError;
use super::config::{ClientAuth, TlsConfig};

/// Makes TLS connections.
pub(crate) struct Acceptor {
    pub(crate) tls: TlsAcceptor,
    /// A client's certificate has to have one of these names, if there are any.
    names: Vec<ServerName<'static>>,
}

impl Acceptor {
    /// The acceptor of a configuration in `file`, whose folder other files are relative to.
    pub(super) fn new(config: &TlsConfig, file: &Path) -> Result<Self, WebError> {
        let failed = |reason: String| WebError::new(file, reason);
        let read =
            |inline: &Option<String>, other: &Option<String>, key: &str| match (inline, other) {
                (Some(_), Some(_)) => {
                    Err(failed(format!("{key} and {key}_file exclude each other")))
                }
                (Some(text), None) => Ok(Some(text.clone().into_bytes())),
                (None, Some(name)) => {
                    let folder = file.parent().unwrap_or(Path::new("."));
                    let path = folder.join(name);
                    let content = bounded::read_trusted_file(&path, super::LARGEST);
                    Ok(Some(content.map_err(|error| WebError::new(&path, error))?))
                }
                (None, None) => Ok(None),
            };
        let certificate = read(&config.cert, &config.cert_file, "cert")?;
        let certificate =
            certificate.ok_or_else(|| failed("missing cert or cert_file".to_owned()))?;
        let key = read(&config.key, &config.key_file, "key")?;
        let key = key.ok_or_else(|| failed("missing key or key_file".to_owned()))?;
        let authorities = read(&config.client_ca, &config.client_ca_file, "client_ca")?;

        let certificates = pem_certificates(&certificate)
            .map_err(|reason| failed(format!("the certificate cannot be read: {reason}")))?;
        let key = PrivateKeyDer::from_pem_slice(&key)
            // The reason could quote the key.
            .map_err(|_| failed("the private key cannot be read".to_owned()))?;
        let provider = Arc::new(provider(config).map_err(failed)?);
        let versions = versions(config).map_err(failed)?;
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&versions)
            .map_err(|error| failed(error.to_string()))?;
        let verifier = verifier(config.client_auth_type, authorities.as_deref(), &provider);
        let builder = match verifier.map_err(failed)? {
            Some(verifier) => builder.with_client_cert_verifier(verifier),
            None => builder.with_no_client_auth(),
        };
        let mut server = builder
            .with_single_cert(certificates, key)
            .map_err(|error| failed(error.to_string()))?;
        server.ignore_client_order = config.prefer_server_cipher_suites.unwrap_or(true);
        server.alpn_protocols = vec![b"http/1.1".to_vec()];
        let names = config.client_allowed_sans.iter().map(|name| {
            let known = ServerName::try_from(name.clone());
            known.map_err(|_| {
                failed(format!(
                    "client_allowed_sans: '{name}' is neither a host name nor an address"
                ))
            })
        });
        Ok(Self {
            tls: TlsAcceptor::from(Arc::new(server)),
            names: names.collect::<Result<_, _>>()?,
        })
    }

    /// Refuses a client whose certificate has none of the names that are allowed.
    pub(crate) fn check_client(
        &self,
        connection: &ServerConnection,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        if self.names.is_empty() {
            return Ok(());
        }
        let certificates = connection.peer_certificates().unwrap_or_default();
        let Some(certificate) = certificates.first() else {
            return Err("the client has no certificate".into());
        };
        let certificate = webpki::EndEntityCert::try_from(certificate)?;
        let is_of =
            |name: &ServerName<'_>| certificate.verify_is_valid_for_subject_name(name).is_ok();
        match self.names.iter().any(is_of) {
            true => Ok(()),
            false => Err("the client's certificate has no name that is allowed".into()),
        }
    }
}

fn pem_certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let certificates = certificates.map_err(|error| error.to_string())?;
    match certificates.is_empty() {
        true => Err("there is none".to_owned()),
        false => Ok(certificates),
    }
}

/// The ciphers and curves that the configuration names, in its order.
fn provider(config: &TlsConfig) -> Result<CryptoProvider, String> {
    let mut provider = rustls::crypto::ring::default_provider();
    if !config.cipher_suites.is_empty() {
        let known = provider.cipher_suites.clone();
        let suites = config.cipher_suites.iter().map(|name| {
            let is_named = |suite: &&rustls::SupportedCipherSuite| {
                // rustls calls those of TLS 1.3 `TLS13_…`.
                let own = format!("{:?}", suite.suite()).replace("TLS13_", "TLS_");
                // Go's older names lack the digest.
                own == *name || own.strip_suffix("_SHA256") == Some(name)
            };
            let suite = known.iter().find(is_named).copied();
            suite.ok_or_else(|| format!("cipher_suites: '{name}' is not supported"))
        });
        // Those of TLS 1.3 cannot be chosen in Go either.
        let newest = known
            .iter()
            .filter(|suite| suite.tls13().is_some())
            .copied();
        let mut suites = suites.collect::<Result<Vec<_>, _>>()?;
        suites.extend(
            newest
                .filter(|suite| !suites.contains(suite))
                .collect::<Vec<_>>(),
        );
        provider.cipher_suites = suites;
    }
    if !config.curve_preferences.is_empty() {
        let known = provider.kx_groups.clone();
        let groups = config.curve_preferences.iter().map(|name| {
            let own = match name.as_str() {
                "CurveP256" => "secp256r1",
                "CurveP384" => "secp384r1",
                other => other,
            };
            let is_named = |group: &&&dyn rustls::crypto::SupportedKxGroup| {
                format!("{:?}", group.name()) == own
            };
            let group = known.iter().find(is_named).copied();
            group.ok_or_else(|| format!("curve_preferences: '{name}' is not supported"))
        });
        provider.kx_groups = groups.collect::<Result<_, _>>()?;
    }
    Ok(provider)
}

/// The versions of TLS. Older ones than 1.2 are not supported, so as a lower bound they mean 1.2.
fn versions(config: &TlsConfig) -> Result<Vec<&'static SupportedProtocolVersion>, String> {
    let number = |name: &Option<String>, key: &str, default: u8| match name.as_deref() {
        None => Ok(default),
        Some("TLS10") => Ok(10),
        Some("TLS11") => Ok(11),
        Some("TLS12") => Ok(12),
        Some("TLS13") => Ok(13),
        Some(other) => Err(format!(
            "{key}: unknown version '{other}' (should be TLS10|TLS11|TLS12|TLS13)"
        )),
    };
    let least = number(&config.min_version, "min_version", 12)?;
    let most = number(&config.max_version, "max_version", 13)?;
    let all = [(12, &version::TLS12), (13, &version::TLS13)];
    let wanted = all
        .into_iter()
        .filter(|(number, _)| (least..=most).contains(number));
    let versions: Vec<_> = wanted.map(|(_, version)| version).collect();
    match versions.is_empty() {
        true => Err(
            "min_version and max_version leave no version that is supported: TLS12, TLS13"
                .to_owned(),
        ),
        false => Ok(versions),
    }
}

fn verifier(
    wanted: ClientAuth,
    authorities: Option<&[u8]>,
    provider: &Arc<CryptoProvider>,
) -> Result<Option<Arc<dyn ClientCertVerifier>>, String> {
    let is_optional = match wanted {
        ClientAuth::NoClientCert => {
            return match authorities {
                None => Ok(None),
                Some(_) => Err("client_ca needs a client_auth_type".to_owned()),
            };
        }
        ClientAuth::RequestClientCert | ClientAuth::RequireAnyClientCert => {
            return Ok(Some(Arc::new(AnyCertificate {
                is_required: wanted == ClientAuth::RequireAnyClientCert,
                provider: Arc::clone(provider),
            })));
        }
        ClientAuth::VerifyClientCertIfGiven => true,
        ClientAuth::RequireAndVerifyClientCert => false,
    };
    let authorities =
        authorities.ok_or("this client_auth_type needs client_ca or client_ca_file")?;
    let mut roots = RootCertStore::empty();
    for certificate in
        pem_certificates(authorities).map_err(|reason| format!("client_ca: {reason}"))?
    {
        roots
            .add(certificate)
            .map_err(|error| format!("client_ca: {error}"))?;
    }
    let builder = WebPkiClientVerifier::builder_with_provider(roots.into(), Arc::clone(provider));
    let builder = match is_optional {
        true => builder.allow_unauthenticated(),
        false => builder,
    };
    let verifier = builder
        .build()
        .map_err(|error| format!("client_ca: {error}"))?;
    Ok(Some(verifier))
}

/// Takes any certificate whose key the client has.
#[derive(Debug)]
struct AnyCertificate {
    is_required: bool,
    provider: Arc<CryptoProvider>,
}

impl ClientCertVerifier for AnyCertificate {
    fn client_auth_mandatory(&self) -> bool {
        self.is_required
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
