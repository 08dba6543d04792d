//! The exporter as a scraper sees it.

use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use esx_driver::MonitorOptions;
use esx_sim::{Server, Simulator};
use rustls_pki_types::ServerName;
use rustls_pki_types::pem::PemObject as _;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::*;
use crate::ui::Terminal;

/// A running exporter.
struct Running {
    url: String,
    end: oneshot::Sender<()>,
    task: JoinHandle<Result<(), Failure>>,
}

impl Running {
    async fn new(sources: Vec<SourceOptions>, web: Option<PathBuf>) -> Self {
        Self::within(sources, web, Limits::default()).await
    }

    async fn within(sources: Vec<SourceOptions>, web: Option<PathBuf>, limits: Limits) -> Self {
        let (end, is_over) = oneshot::channel();
        let (begun, url) = oneshot::channel();
        let options = ExporterOptions {
            listen: "127.0.0.1:0".to_owned(),
            path: "/metrics".to_owned(),
            web,
            sources,
            limits,
        };
        let begin = move |url: &str| {
            begun.send(url.to_owned()).unwrap();
            Ok(())
        };
        let over = async { drop(is_over.await) };
        let task = tokio::spawn(async move { run(options, begin, over).await });
        let url = url.await.unwrap();
        Self { url, end, task }
    }

    async fn connect(&self) -> TcpStream {
        let rest = self.url.split("://").nth(1).unwrap();
        TcpStream::connect(rest.split('/').next().unwrap())
            .await
            .unwrap()
    }

    async fn request(&self, verb: &str, path: &str, headers: &str) -> Answer {
        request(self.connect().await, verb, path, headers).await
    }

    async fn metrics(&self) -> String {
        self.request("GET", "/metrics", "").await.content
    }

    /// The metrics, as soon as they contain a text.
    async fn metrics_with(&self, text: &str) -> String {
        let scraped = async {
            loop {
                let metrics = self.metrics().await;
                if metrics.contains(text) {
                    return metrics;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let scraped = tokio::time::timeout(Duration::from_secs(60), scraped).await;
        scraped.unwrap_or_else(|_| panic!("never {text:?}"))
    }

    async fn end(self) {
        self.end.send(()).unwrap();
        self.task.await.unwrap().unwrap();
    }
}

struct Answer {
    status: u16,
    head: String,
    content: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }
}

async fn request(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    verb: &str,
    path: &str,
    headers: &str,
) -> Answer {
    let text = format!("{verb} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A server that closes a TLS connection without saying so is a server that answered.
    let _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8(answer).unwrap();
    let (head, content) = answer.split_once("\r\n\r\n").unwrap();
    Answer {
        status: head.split(' ').nth(1).unwrap().parse().unwrap(),
        head: head.to_owned(),
        content: content.to_owned(),
    }
}

fn source(name: &str, uri: &str) -> SourceOptions {
    SourceOptions {
        name: name.to_owned(),
        uri: uri.to_owned(),
        terminal: Terminal::keeping(),
        password: Some("password".to_owned().into()),
        monitor: MonitorOptions::default(),
    }
}

async fn listening(simulator: &Simulator) -> (Server, SourceOptions) {
    let server = simulator.listen("127.0.0.1:0", true).await.unwrap();
    let source = source("sim", &server.uri());
    (server, source)
}

#[tokio::test]
async fn a_scrape_gets_the_format_it_wants_and_asks_no_server() {
    let simulator = Simulator::vcenter().build();
    let (_server, source) = listening(&simulator).await;
    let exporter = Running::new(vec![source], None).await;
    let text = exporter
        .metrics_with("libvirt_up{connection=\"sim\"} 1")
        .await;
    assert!(
        text.contains("\nlibvirt_domains_number{connection=\"sim\"} 28\n"),
        "{text}"
    );
    assert!(text.contains(",domain=\"web01\","), "{text}");
    assert!(
        text.contains("vm_name=\"web01\",ds_name=\"production-local\""),
        "{text}"
    );
    assert!(text.contains("\nvmware_host_num_cpu{"), "{text}");
    assert!(text.contains("\nvmware_datastore_type{"), "{text}");
    assert!(text.contains("\nvmware_resource_pool_vms{"), "{text}");

    let before = simulator.requests().len();
    for _ in 0..3 {
        let answer = exporter
            .request("GET", "/metrics", "Accept: text/plain;version=0.0.4\r\n")
            .await;
        let kind = answer.header("content-type");
        assert_eq!(kind, Some("text/plain; version=0.0.4; charset=utf-8"));
        assert_eq!(
            answer.header("content-length"),
            Some(&*answer.content.len().to_string())
        );
        let wanted = "Accept: application/openmetrics-text;version=1.0.0\r\n";
        let answer = exporter.request("GET", "/metrics?a=b", wanted).await;
        let kind = answer.header("content-type");
        assert_eq!(
            kind,
            Some("application/openmetrics-text; version=1.0.0; charset=utf-8")
        );
        assert!(answer.content.ends_with("\n# EOF\n"));
    }
    assert_eq!(simulator.requests().len(), before);
    exporter.end().await;
    assert_eq!(simulator.sessions(), 0);
    assert_eq!(simulator.leftovers(), []);
}

#[tokio::test]
async fn there_are_a_few_pages_to_read_and_nothing_to_write() {
    let exporter = Running::new(Vec::new(), None).await;
    for (verb, path, status) in [
        ("GET", "/", 200),
        ("GET", "/-/healthy", 200),
        ("GET", "/-/ready", 200),
        ("GET", "/metrics/", 404),
        ("GET", "/favicon.ico", 404),
        ("POST", "/metrics", 405),
        ("DELETE", "/", 405),
    ] {
        let answer = exporter.request(verb, path, "").await;
        assert_eq!(answer.status, status, "{verb} {path}");
        assert_eq!(answer.header("allow").is_some(), status == 405);
    }
    let start = exporter.request("GET", "/", "").await.content;
    assert!(start.contains("<a href=\"/metrics\">"), "{start}");
    let answer = exporter.request("HEAD", "/metrics", "").await;
    assert_eq!((answer.status, answer.content.as_str()), (200, ""));
    assert_ne!(answer.header("content-length"), Some("0"));
    exporter.end().await;
}

#[tokio::test]
async fn a_dead_server_takes_no_other_away() {
    // A port on which nobody listens.
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let dead = format!("esx://root@{}/?no_verify=1", nobody.local_addr().unwrap());
    drop(nobody);
    let simulator = Simulator::esx().build();
    let (_server, alive) = listening(&simulator).await;
    let exporter = Running::new(vec![source("dead", &dead), alive], None).await;
    exporter
        .metrics_with("libvirt_up{connection=\"sim\"} 1")
        .await;
    let text = exporter
        .metrics_with("errors_total{connection=\"dead\"} 1")
        .await;
    assert!(
        text.contains("libvirt_up{connection=\"dead\"} 0\n"),
        "{text}"
    );
    assert!(
        !text.contains("requests_total{connection=\"dead\"}"),
        "{text}"
    );
    exporter.end().await;
}

#[tokio::test]
async fn a_server_that_is_lost_counts_as_an_error_and_comes_back() {
    let simulator = Simulator::esx().build();
    let (server, source) = listening(&simulator).await;
    let address = server.addr();
    let mut quick = source.clone();
    quick.monitor.interval = Duration::from_secs(1);
    let exporter = Running::new(vec![quick], None).await;
    exporter
        .metrics_with("libvirt_up{connection=\"sim\"} 1")
        .await;
    drop(server);
    let text = exporter
        .metrics_with("libvirt_up{connection=\"sim\"} 0")
        .await;
    assert!(
        !text.contains("errors_total{connection=\"sim\"} 0\n"),
        "{text}"
    );
    // What was known is told for a while.
    assert!(text.contains("libvirt_domain_state_code{"), "{text}");
    let _server = simulator.listen(address, true).await.unwrap();
    exporter
        .metrics_with("libvirt_up{connection=\"sim\"} 1")
        .await;
    exporter.end().await;
}

/// bcrypt of `secret`, as cheap as can be.
fn hash() -> String {
    bcrypt::hash("secret", 4).unwrap()
}

fn basic(credentials: &str) -> String {
    let encoded = base64::engine::general_purpose::STANDARD.encode(credentials);
    format!("Authorization: Basic {encoded}\r\n")
}

#[tokio::test]
async fn passwords_and_headers_follow_the_file_at_every_request() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("web.yml");
    let write = |text: &str| std::fs::write(&file, text).unwrap();
    write("");
    let exporter = Running::new(Vec::new(), Some(file.clone())).await;
    assert_eq!(exporter.request("GET", "/metrics", "").await.status, 200);

    write(&format!(
        "basic_auth_users:\n  alice: {}\nhttp_server_config:\n  headers:\n    X-Frame-Options: deny\n",
        hash()
    ));
    for (credentials, status) in [
        ("", 401),
        ("Authorization: Bearer secret\r\n", 401),
        ("Authorization: Basic ?\r\n", 401),
        (&basic("alice:wrong"), 401),
        (&basic("bob:secret"), 401),
        (&basic("alice:secret"), 200),
        (&basic("alice:secret"), 200),
        (&basic("alice:wrong"), 401),
    ] {
        for path in ["/metrics", "/", "/-/healthy"] {
            let answer = exporter.request("GET", path, credentials).await;
            assert_eq!(answer.status, status, "{credentials:?}");
            assert_eq!(answer.header("www-authenticate").is_some(), status == 401);
            assert_eq!(answer.header("x-frame-options").is_some(), status == 200);
        }
    }
    // A password that is remembered is right only for its hash.
    write(&format!(
        "basic_auth_users:\n  alice: {}\n",
        bcrypt::hash("other", 4).unwrap()
    ));
    assert_eq!(
        exporter
            .request("GET", "/", &basic("alice:secret"))
            .await
            .status,
        401
    );
    assert_eq!(
        exporter
            .request("GET", "/", &basic("alice:other"))
            .await
            .status,
        200
    );
    write("basic_auth_user: {}\n");
    assert_eq!(exporter.request("GET", "/", "").await.status, 500);
    write("rate_limit:\n  interval: 1h\n  burst: 2\n");
    for status in [200, 200, 429] {
        assert_eq!(exporter.request("GET", "/", "").await.status, status);
    }
    exporter.end().await;
}

#[tokio::test]
async fn a_wrong_file_is_an_error_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    for (text, reason) in [
        ("tls_server_config: {}\n", "missing cert or cert_file"),
        (
            "tls_server_config:\n  cert_file: none.pem\n  key_file: none.pem\n",
            "none.pem: No such file",
        ),
        ("basic_auth_users:\n  alice: secret\n", "not a bcrypt hash"),
    ] {
        let file = folder.path().join("web.yml");
        std::fs::write(&file, text).unwrap();
        let options = ExporterOptions {
            listen: "127.0.0.1:0".to_owned(),
            path: "/metrics".to_owned(),
            web: Some(file),
            sources: Vec::new(),
            limits: Limits::default(),
        };
        let failure = run(options, |_| Ok(()), async {}).await.unwrap_err();
        let text = failure.to_string();
        assert!(text.contains(reason), "{text}");
    }
}

/// Writes a certificate for `localhost` with its key, and gives the certificate.
fn make_certificate(folder: &Path, name: &str) -> String {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let write = |ending: &str, text: String| {
        std::fs::write(folder.join(format!("{name}.{ending}")), text).unwrap();
    };
    write("crt", made.cert.pem());
    write("key", made.signing_key.serialize_pem());
    made.cert.pem()
}

/// A TLS connection of a client that trusts one certificate, and has one itself if `own` names it.
async fn tls(
    stream: TcpStream,
    trusted: &str,
    own: Option<(&Path, &str)>,
) -> std::io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
    let mut roots = rustls::RootCertStore::empty();
    let trusted = rustls_pki_types::CertificateDer::from_pem_slice(trusted.as_bytes()).unwrap();
    roots.add(trusted).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let config = match own {
        None => builder.with_no_client_auth(),
        Some((folder, name)) => {
            let path = |ending: &str| folder.join(format!("{name}.{ending}"));
            let certificate = rustls_pki_types::CertificateDer::from_pem_file(path("crt")).unwrap();
            let key = rustls_pki_types::PrivateKeyDer::from_pem_file(path("key")).unwrap();
            builder
                .with_client_auth_cert(vec![certificate], key)
                .unwrap()
        }
    };
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let host = ServerName::try_from("localhost").unwrap();
    connector.connect(host, stream).await
}

#[tokio::test]
async fn tls_is_that_of_the_file_at_every_connection() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("web.yml");
    let own = make_certificate(folder.path(), "server");
    let write = |more: &str| {
        let text =
            format!("tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n{more}");
        std::fs::write(&file, text).unwrap();
    };
    write("");
    let exporter = Running::new(Vec::new(), Some(file.clone())).await;
    assert!(exporter.url.starts_with("https://"), "{}", exporter.url);
    let stream = tls(exporter.connect().await, &own, None).await.unwrap();
    assert_eq!(request(stream, "GET", "/metrics", "").await.status, 200);
    let plain = exporter.request("GET", "/metrics", "").await;
    assert_eq!(plain.status, 400);
    assert!(
        plain.content.contains("HTTP request to an HTTPS server"),
        "{}",
        plain.content
    );

    // A new certificate.
    let new = make_certificate(folder.path(), "server");
    assert!(tls(exporter.connect().await, &own, None).await.is_err());
    let stream = tls(exporter.connect().await, &new, None).await.unwrap();
    assert_eq!(request(stream, "GET", "/", "").await.status, 200);

    // Certificates of clients.
    make_certificate(folder.path(), "client");
    make_certificate(folder.path(), "stranger");
    let client = Some((folder.path(), "client"));
    let stranger = Some((folder.path(), "stranger"));
    for (more, none, known, unknown) in [
        ("  client_auth_type: RequestClientCert\n", true, true, true),
        (
            "  client_auth_type: RequireAnyClientCert\n",
            false,
            true,
            true,
        ),
        (
            "  client_auth_type: VerifyClientCertIfGiven\n  client_ca_file: client.crt\n",
            true,
            true,
            false,
        ),
        (
            "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: client.crt\n",
            false,
            true,
            false,
        ),
        (
            "  client_auth_type: RequireAnyClientCert\n  client_allowed_sans: [example.com, localhost]\n",
            false,
            true,
            true,
        ),
        (
            "  client_auth_type: RequireAnyClientCert\n  client_allowed_sans: [example.com]\n",
            false,
            false,
            false,
        ),
    ] {
        write(more);
        for (own, is_allowed) in [(None, none), (client, known), (stranger, unknown)] {
            let answered = async {
                let mut stream = tls(exporter.connect().await, &new, own).await.ok()?;
                stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await.ok()?;
                let mut answer = Vec::new();
                // In TLS 1.3 a client learns that it is refused when it reads.
                let _ = stream.read_to_end(&mut answer).await;
                Some(answer.starts_with(b"HTTP/1.0 200"))
            };
            let is_answered = answered.await.unwrap_or(false);
            assert_eq!(
                is_answered,
                is_allowed,
                "{more} {:?}",
                own.map(|(_, name)| name)
            );
        }
    }
    write("  min_version: TLS13\n  curve_preferences: [CurveP256]\n");
    assert!(tls(exporter.connect().await, &new, None).await.is_ok());
    write("  cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]\n  max_version: TLS12\n");
    assert!(tls(exporter.connect().await, &new, None).await.is_ok());
    exporter.end().await;
}

#[tokio::test]
async fn clients_that_do_nothing_are_disconnected_and_others_are_answered_meanwhile() {
    let limits = Limits {
        idle: Duration::from_millis(500),
        ..Limits::default()
    };
    let exporter = Running::within(Vec::new(), None, limits).await;
    let mut silent = exporter.connect().await;
    let mut slow = exporter.connect().await;
    slow.write_all(b"GET /metrics HTTP/1.1\r\nHost")
        .await
        .unwrap();
    assert_eq!(exporter.request("GET", "/", "").await.status, 200);
    let mut nothing = Vec::new();
    for stream in [&mut silent, &mut slow] {
        let _ = stream.read_to_end(&mut nothing).await;
    }
    assert!(
        nothing.is_empty() || nothing.starts_with(b"HTTP/1.1 408"),
        "{nothing:?}"
    );
    exporter.end().await;
}

#[tokio::test]
async fn a_client_that_does_not_read_its_answer_is_disconnected() {
    let simulator = Simulator::vcenter().vms(3000).build();
    let (_server, source) = listening(&simulator).await;
    let limits = Limits {
        answers: 1,
        answer: Duration::from_secs(2),
        ..Limits::default()
    };
    let exporter = Running::within(vec![source], None, limits).await;
    let text = exporter
        .metrics_with("libvirt_up{connection=\"sim\"} 1")
        .await;
    let mut stuck = exporter.connect().await;
    stuck
        .write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    let mut first = [0; 12];
    stuck.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    // The one answer that there may be is on its way.
    assert_eq!(exporter.request("GET", "/metrics", "").await.status, 503);
    exporter.metrics_with("libvirt_up").await;
    let mut rest = Vec::new();
    let _ = stuck.read_to_end(&mut rest).await;
    assert!(rest.len() < text.len(), "{} of {}", rest.len(), text.len());
    exporter.end().await;
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_until_one_is_closed() {
    let limits = Limits {
        connections: 3,
        ..Limits::default()
    };
    let exporter = Running::within(Vec::new(), None, limits).await;
    let mut open = Vec::new();
    for _ in 0..limits.connections {
        let mut stream = exporter.connect().await;
        stream
            .write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            .await
            .unwrap();
        let mut first = [0; 12];
        stream.read_exact(&mut first).await.unwrap();
        assert_eq!(&first, b"HTTP/1.1 200");
        open.push(stream);
    }
    let late = exporter.connect().await;
    let mut late = std::pin::pin!(request(late, "GET", "/-/healthy", ""));
    let soon = tokio::time::timeout(Duration::from_millis(50), &mut late);
    assert!(soon.await.is_err());
    drop(open);
    assert_eq!(late.await.status, 200);
    exporter.end().await;
}
