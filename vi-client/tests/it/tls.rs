//! Whom the HTTPS transport trusts, and what it says when it does not.

use crate::support::{Authority, Certificate, Server, xml};
use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use vi_client::transport::{
    Endpoint, HttpsTransport, Thumbprint, TlsError, Transport, TransportError, Verify,
};

pub(crate) async fn get(host: &str, port: u16, verify: Verify) -> Result<String, TransportError> {
    let transport = HttpsTransport::new(Endpoint::https(host, port)).verify(verify);
    let request = http::Request::get("/sdk").body(Bytes::new()).unwrap();
    let answer = transport.send(request).await?;
    let body = answer.into_body().collect(1000).await?;
    Ok(String::from_utf8(body.to_vec()).unwrap())
}

async fn server(certificate: &Certificate) -> Server {
    Server::tls(certificate, |_| xml("hello")).await
}

#[track_caller]
pub(crate) fn refused(result: Result<String, TransportError>) -> (TlsError, String) {
    match result {
        Err(TransportError::Tls { server, problem }) => {
            let text = format!("no secure connection to {server}: {problem}");
            (problem, text)
        }
        other => panic!("expected a TLS error, got {other:?}"),
    }
}

pub(crate) struct PemFile(tempfile::NamedTempFile);

impl PemFile {
    pub(crate) fn new(text: &str) -> Self {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        Self(file)
    }

    pub(crate) fn verify(&self) -> Verify {
        Verify::CaFile(self.0.path().to_owned())
    }
}

#[tokio::test]
async fn a_self_signed_certificate_is_refused_with_advice() {
    let certificate = Certificate::self_signed("127.0.0.1");
    let server = server(&certificate).await;
    // Any authority will do: the system's may be missing where the tests run.
    let other = PemFile::new(&Authority::new().pem);
    let (problem, text) = refused(get("127.0.0.1", server.port(), other.verify()).await);
    let thumbprint = Thumbprint::sha256(&certificate.der);
    assert!(
        matches!(problem, TlsError::SelfSigned { thumbprint: shown, .. } if shown == thumbprint)
    );
    for part in [
        "self-signed",
        &format!(
            "does not match the certificates in '{}'",
            other.0.path().display()
        ),
        &thumbprint.to_string(),
        "pin the thumbprint",
        "no_verify",
    ] {
        assert!(text.contains(part), "{part:?} in {text:?}");
    }
    // It was given, and did not help.
    assert!(!text.contains("cacert"), "{text}");
}

#[tokio::test]
async fn the_systems_authorities_do_not_know_a_test_certificate() {
    let server = server(&Certificate::self_signed("127.0.0.1")).await;
    let (problem, text) = refused(get("127.0.0.1", server.port(), Verify::SystemRoots).await);
    assert!(matches!(
        problem,
        TlsError::SelfSigned { .. } | TlsError::NoSystemRoots(_)
    ));
    for part in ["(cacert)", "(thumbprint)", "(no_verify)"] {
        assert!(text.contains(part), "{part:?} in {text:?}");
    }
}

#[tokio::test]
async fn an_unknown_authority_is_refused() {
    let authority = Authority::new();
    let server = server(&Certificate::signed_by("127.0.0.1", &authority)).await;
    let other = PemFile::new(&Authority::new().pem);
    let (problem, text) = refused(get("127.0.0.1", server.port(), other.verify()).await);
    assert!(matches!(problem, TlsError::UnknownIssuer { .. }), "{text}");
}

#[tokio::test]
async fn an_expired_certificate_is_refused_with_its_date() {
    let certificate = Certificate::expired("127.0.0.1");
    let server = server(&certificate).await;
    let listed = PemFile::new(&certificate.pem);
    let (problem, text) = refused(get("127.0.0.1", server.port(), listed.verify()).await);
    assert!(matches!(problem, TlsError::Expired { .. }));
    assert!(
        text.contains("expired on 2011-02-03 00:00:00 UTC"),
        "{text}"
    );
}

#[tokio::test]
async fn another_servers_certificate_is_refused_with_its_names() {
    let authority = Authority::new();
    let server = server(&Certificate::signed_by("esx7.example", &authority)).await;
    let listed = PemFile::new(&authority.pem);
    let (problem, text) = refused(get("127.0.0.1", server.port(), listed.verify()).await);
    assert!(matches!(problem, TlsError::WrongName { .. }));
    assert!(
        text.contains("not for '127.0.0.1' but for esx7.example"),
        "{text}"
    );
}

#[tokio::test]
async fn a_ca_file_is_what_counts() {
    let authority = Authority::new();
    let server = server(&Certificate::signed_by("localhost", &authority)).await;
    let both = PemFile::new(&format!("{}{}", Authority::new().pem, authority.pem));
    assert_eq!(
        get("localhost", server.port(), both.verify())
            .await
            .unwrap(),
        "hello"
    );
}

#[tokio::test]
async fn a_ca_file_may_hold_the_servers_own_certificate() {
    for certificate in [
        Certificate::self_signed("127.0.0.1"),
        Certificate::self_signed_authority("127.0.0.1"),
        Certificate::signed_by("127.0.0.1", &Authority::new()),
    ] {
        let server = server(&certificate).await;
        let listed = PemFile::new(&certificate.pem);
        assert_eq!(
            get("127.0.0.1", server.port(), listed.verify())
                .await
                .unwrap(),
            "hello"
        );
    }
}

#[tokio::test]
async fn a_listed_certificate_is_still_for_its_names_only() {
    for certificate in [
        Certificate::self_signed("esx7.example"),
        Certificate::self_signed_authority("esx7.example"),
    ] {
        let server = server(&certificate).await;
        let listed = PemFile::new(&certificate.pem);
        let (problem, text) = refused(get("127.0.0.1", server.port(), listed.verify()).await);
        assert!(matches!(problem, TlsError::WrongName { .. }), "{text}");
    }
}

#[tokio::test]
async fn a_ca_file_without_certificates_is_an_error() {
    let server = server(&Certificate::self_signed("127.0.0.1")).await;
    let (_, text) =
        refused(get("127.0.0.1", server.port(), PemFile::new("nothing").verify()).await);
    assert!(text.contains("holds no PEM certificate"), "{text}");
    let missing = Verify::CaFile("/nonexistent/ca.pem".into());
    let (_, text) = refused(get("127.0.0.1", server.port(), missing).await);
    assert!(text.contains("'/nonexistent/ca.pem'"), "{text}");
}

#[tokio::test]
async fn pins_take_the_certificate_and_no_other() {
    let certificate = Certificate::expired("esx7.example");
    let server = server(&certificate).await;
    let sha256 = Thumbprint::sha256(&certificate.der);
    let sha1: Thumbprint = Thumbprint::sha1(&certificate.der)
        .to_string()
        .replace(':', "")
        .parse()
        .unwrap();
    for pin in [sha256, sha1] {
        assert_eq!(
            get("127.0.0.1", server.port(), Verify::Pin(pin))
                .await
                .unwrap(),
            "hello"
        );
    }
    for other in [Thumbprint::sha256(b"other"), Thumbprint::sha1(b"other")] {
        let (problem, text) = refused(get("127.0.0.1", server.port(), Verify::Pin(other)).await);
        assert!(matches!(problem, TlsError::OtherThumbprint { .. }));
        assert!(text.contains(&other.to_string()), "{text}");
    }
}

#[tokio::test]
async fn no_verify_takes_anything() {
    let server = server(&Certificate::expired("esx7.example")).await;
    assert_eq!(
        get("127.0.0.1", server.port(), Verify::NoVerify)
            .await
            .unwrap(),
        "hello"
    );
}

/// A server that reads the beginning of the first message and says `answer`; its port.
async fn saying(answer: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut hello = [0; 5];
        stream.read_exact(&mut hello).await.unwrap();
        stream.write_all(answer).await.unwrap();
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
    });
    port
}

#[tokio::test]
async fn a_plain_server_on_a_tls_port_is_named() {
    let port = saying(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    let (problem, text) = refused(get("127.0.0.1", port, Verify::NoVerify).await);
    assert!(matches!(problem, TlsError::NotTls), "{text}");
}

#[tokio::test]
async fn a_server_with_tls_1_1_only_is_too_old() {
    // a fatal alert: protocol_version
    let port = saying(&[21, 3, 1, 0, 2, 2, 70]).await;
    let (problem, text) = refused(get("127.0.0.1", port, Verify::NoVerify).await);
    assert!(matches!(problem, TlsError::TooOld), "{text}");
}
