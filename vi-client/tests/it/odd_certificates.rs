//! Certificates as hosts have them, which no authority would sign: tests/certificates/README.md. What a pin and a CA file make
//! of them, and that neither lets a server pass that does not have the key.

use std::sync::Arc;

use num_bigint::BigUint;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::sign::{CertifiedKey, Signer, SigningKey, SingleCertAndKey};
use rustls::{SignatureAlgorithm, SignatureScheme, SupportedProtocolVersion};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest as _, Sha256, Sha512};
use vi_client::transport::{Thumbprint, TlsError, Verify};

use crate::support::{Authority, Server, xml};
use crate::tls::{PemFile, get, refused};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/certificates");

const TLS12: &SupportedProtocolVersion = &rustls::version::TLS12;
const TLS13: &SupportedProtocolVersion = &rustls::version::TLS13;

fn pem(name: &str) -> String {
    std::fs::read_to_string(format!("{FOLDER}/{name}.pem")).unwrap()
}

fn der(name: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem(name).as_bytes()).unwrap()
}

fn listed(name: &str) -> Verify {
    Verify::CaFile(format!("{FOLDER}/{name}.pem").into())
}

fn pinned(name: &str) -> Verify {
    Verify::Pin(Thumbprint::sha256(&der(name)))
}

fn private_key(name: &str) -> PrivateKeyDer<'static> {
    PrivateKeyDer::from_pem_file(format!("{FOLDER}/{name}.key")).unwrap()
}

/// The name of the key that a certificate was made with.
fn key_of(certificate: &str) -> &str {
    let short = ["rsa1024", "rsa512", "p256", "p384", "p521", "ed25519"];
    let named = short.into_iter().find(|key| certificate.ends_with(key));
    match certificate {
        "authority" | "narrow-authority" => "p256",
        "short-of-authority" => "rsa1024",
        _ => named.unwrap_or("rsa2048"),
    }
}

fn signing_key(name: &str) -> Arc<dyn SigningKey> {
    match name {
        "rsa1024" => Arc::new(Rsa1024::read()),
        "rsa512" => Arc::new(Careless(
            SignatureAlgorithm::RSA,
            &[
                SignatureScheme::RSA_PSS_SHA256,
                SignatureScheme::RSA_PKCS1_SHA256,
            ],
        )),
        "p521" => Arc::new(Careless(
            SignatureAlgorithm::ECDSA,
            &[SignatureScheme::ECDSA_NISTP521_SHA512],
        )),
        name => any_supported_type(&private_key(name)).unwrap(),
    }
}

/// A server with a certificate and a key that need not belong together.
async fn server(
    certificate: CertificateDer<'static>,
    key: Arc<dyn SigningKey>,
    versions: &[&'static SupportedProtocolVersion],
) -> Server {
    let key = CertifiedKey::new(vec![certificate], key);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        // Not with_single_cert, which reads the certificate and refuses it.
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(key)));
    Server::configured(config, |_| xml("hello")).await
}

async fn own(name: &str, versions: &[&'static SupportedProtocolVersion]) -> Server {
    server(der(name), signing_key(key_of(name)), versions).await
}

/// Signs with RSA 1024, which ring does not.
#[derive(Clone, Debug)]
struct Rsa1024 {
    modulus: BigUint,
    exponent: BigUint,
}

impl Rsa1024 {
    fn read() -> Self {
        let key = private_key("rsa1024");
        // PKCS #8 wraps PKCS #1: version, modulus, public and private exponent, ...
        let (_, _, wrapped) = element(key.secret_der());
        let (_, rest, _) = element(wrapped);
        let (_, rest, _) = element(rest);
        let (_, _, inner) = element(rest);
        let (_, _, fields) = element(inner);
        let (_, rest, _) = element(fields);
        let (_, rest, modulus) = element(rest);
        let (_, rest, _) = element(rest);
        let (_, _, exponent) = element(rest);
        Self {
            modulus: BigUint::from_bytes_be(modulus),
            exponent: BigUint::from_bytes_be(exponent),
        }
    }

    fn sign(&self, scheme: SignatureScheme, message: &[u8]) -> Vec<u8> {
        // RFC 8017, section 9.2
        let (name, digest) = match scheme {
            SignatureScheme::RSA_PKCS1_SHA256 => (1, Sha256::digest(message).to_vec()),
            SignatureScheme::RSA_PKCS1_SHA512 => (3, Sha512::digest(message).to_vec()),
            // PSS, which nobody verifies
            _ => return vec![1; 128],
        };
        let length = u8::try_from(digest.len()).unwrap();
        let mut info = vec![0x30, 17 + length, 0x30, 13, 6, 9];
        info.extend([
            0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, name, 5, 0, 4, length,
        ]);
        info.extend(digest);
        let mut padded = vec![0, 1];
        padded.resize(127 - info.len(), 0xff);
        padded.push(0);
        padded.extend(info);
        let signature = BigUint::from_bytes_be(&padded).modpow(&self.exponent, &self.modulus);
        let digits = signature.to_bytes_be();
        [vec![0; 128 - digits.len()], digits].concat()
    }
}

/// Tag, what follows, and content of an element of DER.
fn element(der: &[u8]) -> (u8, &[u8], &[u8]) {
    let (start, length) = match der[1] {
        0x81 => (3, usize::from(der[2])),
        0x82 => (4, usize::from(der[2]) << 8 | usize::from(der[3])),
        short => (2, usize::from(short)),
    };
    (der[0], &der[start + length..], &der[start..start + length])
}

impl SigningKey for Rsa1024 {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        let schemes = [
            SignatureScheme::RSA_PSS_SHA256,
            SignatureScheme::RSA_PKCS1_SHA512,
            SignatureScheme::RSA_PKCS1_SHA256,
        ];
        let scheme = schemes.into_iter().find(|own| offered.contains(own))?;
        let key = self.clone();
        Some(Box::new(Signing(
            scheme,
            Box::new(move |message| key.sign(scheme, message)),
        )))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::RSA
    }
}

/// Signs with nothing, for those who do not verify.
#[derive(Debug)]
struct Careless(SignatureAlgorithm, &'static [SignatureScheme]);

impl SigningKey for Careless {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        let scheme = self.1.iter().find(|own| offered.contains(own))?;
        Some(Box::new(Signing(*scheme, Box::new(|_| vec![1; 64]))))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.0
    }
}

struct Signing(SignatureScheme, Box<Sign>);

type Sign = dyn Fn(&[u8]) -> Vec<u8> + Send + Sync;

impl std::fmt::Debug for Signing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl Signer for Signing {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        Ok((self.1)(message))
    }

    fn scheme(&self) -> SignatureScheme {
        self.0
    }
}

/// For people: no name of Rust's.
#[track_caller]
fn assert_in_words(text: &str) {
    // Names of files, which are in quotes, may be anything.
    let letters: Vec<char> = text.split('\'').step_by(2).flat_map(str::chars).collect();
    let is_camel = |pair: &[char]| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase();
    assert!(!letters.windows(2).any(is_camel), "{text}");
    assert!(!text.contains(['{', '"']), "{text}");
}

/// Every certificate but those whose keys cannot be used.
fn usable() -> Vec<String> {
    let files = std::fs::read_dir(FOLDER)
        .unwrap()
        .map(|file| file.unwrap().path());
    let files = files.filter(|file| file.extension().is_some_and(|end| end == "pem"));
    let names = files.map(|file| file.file_stem().unwrap().to_str().unwrap().to_owned());
    let names: Vec<_> = names
        .filter(|name| !["rsa512", "p521"].contains(&key_of(name)))
        .collect();
    assert!(names.len() > 35, "{names:?}");
    names
}

/// Both versions for certificates that differ by their keys, and one of them for others.
fn versions_for(name: &str, index: usize) -> &'static [&'static SupportedProtocolVersion] {
    const BOTH: [&SupportedProtocolVersion; 2] = [TLS12, TLS13];
    match (name.starts_with("v1"), index % 2) {
        (true, _) => &BOTH,
        (false, 0) => &BOTH[..1],
        (false, _) => &BOTH[1..],
    }
}

#[tokio::test]
async fn a_pin_takes_every_certificate() {
    for (index, name) in usable().into_iter().enumerate() {
        for &version in versions_for(&name, index) {
            // The key is too short for TLS 1.3 alone.
            let both = [TLS12, TLS13];
            let versions: &[_] = match key_of(&name) {
                "rsa1024" if version == TLS13 => &both,
                _ => &[version],
            };
            let server = own(&name, versions).await;
            for pin in [
                Thumbprint::sha256(&der(&name)),
                Thumbprint::sha1(&der(&name)),
            ] {
                let answer = get("127.0.0.1", server.port(), Verify::Pin(pin)).await;
                let answer = answer.unwrap_or_else(|error| panic!("{name} {version:?}: {error}"));
                assert_eq!(answer, "hello");
            }
        }
    }
}

#[tokio::test]
async fn without_verification_every_certificate_will_do() {
    for (index, name) in usable()
        .iter()
        .map(String::as_str)
        .chain(["v1-rsa512", "v1-p521"])
        .enumerate()
    {
        for &version in versions_for(name, index) {
            let server = own(name, &[version]).await;
            let answer = get("127.0.0.1", server.port(), Verify::NoVerify).await;
            let answer = answer.unwrap_or_else(|error| panic!("{name} {version:?}: {error}"));
            assert_eq!(answer, "hello");
        }
    }
    let certificate = CertificateDer::from(b"no certificate".to_vec());
    let server = server(certificate, signing_key("rsa2048"), &[TLS12, TLS13]).await;
    let answer = get("127.0.0.1", server.port(), Verify::NoVerify).await;
    assert_eq!(answer.unwrap(), "hello");
}

#[tokio::test]
async fn a_pin_is_not_enough_without_the_key() {
    let verify = |name: &str| [pinned(name), listed(name)];
    for (name, wrong) in [
        ("v1", "other"),
        ("signs-only", "other"),
        ("v1-p256", "p256"),
        ("v1-ed25519", "ed25519"),
        ("v1-rsa1024", "rsa1024"),
    ] {
        let key: Arc<dyn SigningKey> = match wrong {
            "rsa1024" => Arc::new(Rsa1024 {
                exponent: BigUint::from(65537u32),
                ..Rsa1024::read()
            }),
            "other" => Arc::new(Careless(
                SignatureAlgorithm::RSA,
                &[
                    SignatureScheme::RSA_PSS_SHA256,
                    SignatureScheme::RSA_PKCS1_SHA256,
                ],
            )),
            // of the right kind
            kind => {
                let algorithm = match kind {
                    "p256" => &rcgen::PKCS_ECDSA_P256_SHA256,
                    _ => &rcgen::PKCS_ED25519,
                };
                let key = rcgen::KeyPair::generate_for(algorithm)
                    .unwrap()
                    .serialize_der();
                any_supported_type(&PrivateKeyDer::try_from(key).unwrap()).unwrap()
            }
        };
        for versions in [&[TLS12][..], &[TLS12, TLS13]] {
            let server = server(der(name), key.clone(), versions).await;
            for verify in verify(name) {
                let (problem, text) = refused(get("127.0.0.1", server.port(), verify).await);
                assert!(
                    matches!(problem, TlsError::WrongKey { .. }),
                    "{name}: {text}"
                );
                assert_in_words(&text);
            }
            assert!(server.requests().is_empty());
        }
    }
}

#[tokio::test]
async fn keys_that_prove_nothing_are_told() {
    for (name, key) in [
        ("v1-rsa512", "an RSA key of 512 bits"),
        ("v1-p521", "an EC key on the curve P-521"),
    ] {
        for verify in [pinned(name), listed(name)] {
            // A server that could do it signs with what was offered.
            let careless = Careless(
                SignatureAlgorithm::RSA,
                &[
                    SignatureScheme::RSA_PSS_SHA256,
                    SignatureScheme::RSA_PKCS1_SHA256,
                ],
            );
            let server = server(der(name), Arc::new(careless), &[TLS12, TLS13]).await;
            let (problem, text) = refused(get("127.0.0.1", server.port(), verify).await);
            assert!(
                matches!(problem, TlsError::UnverifiableKey { .. }),
                "{text}"
            );
            assert!(text.contains(key) && !text.contains("pin"), "{text}");
            assert_in_words(&text);
        }
    }
    // What an authority signed has to have a safe key. It can still be pinned.
    let server = own("short-of-authority", &[TLS12, TLS13]).await;
    let (_, text) = refused(get("127.0.0.1", server.port(), listed("authority")).await);
    assert!(text.contains("an RSA key of 1024 bits"), "{text}");
    assert!(text.contains("pin the thumbprint"), "{text}");
    assert_in_words(&text);
}

#[tokio::test]
async fn a_short_key_is_remembered() {
    use bytes::Bytes;
    use vi_client::transport::{Endpoint, HttpsTransport, Transport as _};

    let server = own("v1-rsa1024", &[TLS12, TLS13]).await;
    let endpoint = Endpoint::https("127.0.0.1", server.port());
    let transport = HttpsTransport::new(endpoint).verify(pinned("v1-rsa1024"));
    let send = || transport.send(http::Request::get("/sdk").body(Bytes::new()).unwrap());
    // Two answers at the same time need two connections.
    let first = send().await.unwrap();
    assert_eq!(server.connections(), 2, "one handshake in vain");
    let second = send().await.unwrap();
    assert_eq!(server.connections(), 3, "and no other");
    drop((first, second));

    // TLS 1.3 has no signatures of such keys that can be verified.
    let server = own("v1-rsa1024", &[TLS13]).await;
    let (_, text) = refused(get("127.0.0.1", server.port(), pinned("v1-rsa1024")).await);
    assert!(text.contains("an RSA key of 1024 bits"), "{text}");
    assert_in_words(&text);
}

#[tokio::test]
async fn a_file_with_the_servers_certificate_takes_it_for_its_names() {
    let taken: &[(&str, &[&str])] = &[
        (
            "127.0.0.1",
            &[
                "v1",
                "v1-rsa1024",
                "v1-md5",
                "v1-p256",
                "v1-p384",
                "v1-ed25519",
                "rsa1024",
                "sha1",
                "md5",
                "cn-address",
                "address-as-name",
                "negative-serial",
                "zero-serial",
                "long-serial",
                "empty-serial",
                "client-only",
                "signs-only",
                "unknown-critical",
                "broken-extension",
                "twice-the-extension",
                "unique-identifiers",
                "version-2",
                "version-9",
                "times-without-seconds",
                "times-of-a-zone",
                "no-end",
            ],
        ),
        (
            "localhost",
            &["cn-name", "cn-upper-case", "cn-utf16", "of-authority"],
        ),
    ];
    for (host, names) in taken {
        for name in *names {
            let server = own(name, &[TLS12, TLS13]).await;
            let answer = get(host, server.port(), listed(name)).await;
            let answer = answer.unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(answer, "hello");
        }
    }
    for (host, name, expected) in [
        ("localhost", "v1", "not for 'localhost' but for 127.0.0.1"),
        (
            "127.0.0.1",
            "cn-name",
            "not for '127.0.0.1' but for localhost",
        ),
        (
            "127.0.0.1",
            "v1-other-name",
            "but for localhost.localdomain",
        ),
        ("127.0.0.1", "v1-empty-subject", "but for no name at all"),
        ("localhost", "cn-beside-names", "but for esx7.example"),
        ("localhost", "cn-wildcard", "but for *.example"),
        ("127.0.0.1", "expired", "expired on 2011-02-03 00:00:00 UTC"),
        (
            "127.0.0.1",
            "not-yet-valid",
            "not valid before 2100-01-01 00:00:00 UTC",
        ),
        ("127.0.0.1", "no-times", "its dates cannot be read"),
    ] {
        let server = own(name, &[TLS12, TLS13]).await;
        let (_, text) = refused(get(host, server.port(), listed(name)).await);
        assert!(text.contains(expected), "{name}: {text}");
        assert!(
            text.contains("pin the thumbprint (thumbprint)"),
            "{name}: {text}"
        );
        assert!(
            text.contains("(no_verify)") && !text.contains("cacert"),
            "{name}: {text}"
        );
        assert_in_words(&text);
    }
}

#[tokio::test]
async fn a_common_name_counts_if_the_files_authority_signed_it() {
    let server = own("of-authority", &[TLS12, TLS13]).await;
    let answer = get("localhost", server.port(), listed("authority")).await;
    assert_eq!(answer.unwrap(), "hello");
    let (_, text) = refused(get("127.0.0.1", server.port(), listed("authority")).await);
    assert!(
        text.contains("not for '127.0.0.1' but for localhost"),
        "{text}"
    );

    // An authority that may only sign for some names did not mean this one.
    let server = own("of-narrow-authority", &[TLS12, TLS13]).await;
    let (problem, text) =
        refused(get("localhost", server.port(), listed("narrow-authority")).await);
    assert!(matches!(problem, TlsError::WrongName { .. }), "{text}");
    assert!(
        text.contains("but for localhost (only as its common name)"),
        "{text}"
    );
    assert_in_words(&text);
}

#[tokio::test]
async fn a_file_that_does_not_match_is_told_and_not_advised() {
    let others = PemFile::new(&(Authority::new().pem + &pem("v1-p256")));
    for name in usable() {
        let server = own(&name, &[TLS12, TLS13]).await;
        if name == "v1-p256" {
            continue;
        }
        let host = if name.starts_with("cn-") {
            "localhost"
        } else {
            "127.0.0.1"
        };
        let (problem, text) = refused(get(host, server.port(), others.verify()).await);
        assert_in_words(&text);
        assert!(!text.contains("cacert"), "{name}: {text}");
        assert!(
            text.contains("pin the thumbprint (thumbprint)"),
            "{name}: {text}"
        );
        let thumbprint = Thumbprint::sha256(&der(&name)).to_string();
        assert!(text.contains(&thumbprint), "{name}: {text}");
        match problem {
            TlsError::SelfSigned { .. } | TlsError::UnknownIssuer { .. } => {
                assert!(
                    text.contains("does not match the certificates in '/"),
                    "{name}: {text}"
                );
            }
            TlsError::Expired { .. } | TlsError::NotYetValid { .. } => {}
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn the_systems_authorities_stay_as_strict() {
    // Reading them takes some time.
    for name in [
        "v1",
        "v1-rsa1024",
        "rsa1024",
        "md5",
        "cn-address",
        "signs-only",
        "of-authority",
        "expired",
    ] {
        let server = own(name, &[TLS12, TLS13]).await;
        let (problem, text) = refused(get("127.0.0.1", server.port(), Verify::SystemRoots).await);
        assert_in_words(&text);
        match problem {
            TlsError::SelfSigned { .. }
            | TlsError::UnknownIssuer { .. }
            | TlsError::NoSystemRoots(_) => assert!(text.contains("(cacert)"), "{name}: {text}"),
            TlsError::Expired { .. } | TlsError::NotYetValid { .. } => {}
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_torn_certificate_is_an_error_even_if_it_is_pinned() {
    let whole = der("v1");
    for length in [0, 1, 2, 20, 200, whole.len() - 300] {
        let torn = CertificateDer::from(whole[..length].to_vec());
        let pin = Thumbprint::sha256(&torn);
        for version in [TLS12, TLS13] {
            let server = server(torn.clone(), signing_key("rsa2048"), &[version]).await;
            for verify in [Verify::Pin(pin), Verify::SystemRoots, listed("v1")] {
                let (_, text) = refused(get("127.0.0.1", server.port(), verify).await);
                assert_in_words(&text);
            }
        }
    }
}
