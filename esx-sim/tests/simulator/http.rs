//! HTTP: in process and on a port, rules, recorded requests.

use std::io::{self, Read as _};
use std::sync::Arc;

use bytes::Bytes;
use esx_sim::{Certificate, Effect, Rule, Server, Simulator};
use http::{Request, StatusCode};
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use vi_types::methods::{CurrentTime, RetrieveServiceContent};
use vi_types::objects::{NotAuthenticated, NotSupported};
use vi_types::wire::{self, Limits};

use crate::client::{Client, moref};

async fn send(simulator: &Simulator, request: Request<&'static str>) -> http::Response<Bytes> {
    (simulator.handler())(request.map(Bytes::from)).await
}

#[tokio::test]
async fn other_paths_and_methods_are_refused() {
    let simulator = Simulator::esx().build();
    for (request, status) in [
        (Request::get("/"), StatusCode::NOT_FOUND),
        (Request::post("/other"), StatusCode::NOT_FOUND),
        (Request::get("/sdk"), StatusCode::METHOD_NOT_ALLOWED),
        (
            Request::post("/sdk/vimServiceVersions.xml"),
            StatusCode::METHOD_NOT_ALLOWED,
        ),
    ] {
        let response = send(&simulator, request.body("").unwrap()).await;
        assert_eq!(response.status(), status);
    }
}

#[tokio::test]
async fn requests_are_recorded() {
    let simulator = Simulator::esx().build();
    let client = Client::login(&simulator).await;
    client
        .call(&CurrentTime::default())
        .await
        .unwrap_or_default();
    send(&simulator, Request::get("/nowhere?x=1").body("").unwrap()).await;
    let requests = simulator.requests();
    let methods: Vec<_> = requests
        .iter()
        .map(|request| request.method.as_deref())
        .collect();
    assert_eq!(
        methods,
        [
            Some("RetrieveServiceContent"),
            Some("Login"),
            Some("CurrentTime"),
            None
        ]
    );
    assert_eq!(
        requests[1].this,
        Some(moref("SessionManager", "ha-sessionmgr"))
    );
    assert_eq!(requests[3].path, "/nowhere?x=1");
    assert_eq!(
        format!("{:?}", requests[0]),
        "POST /sdk RetrieveServiceContent on ServiceInstance:ServiceInstance"
    );
    simulator.clear_requests();
    assert!(simulator.requests().is_empty());

    let silent = Simulator::esx().record(false).build();
    Client::login(&silent).await;
    assert!(silent.requests().is_empty());
}

#[tokio::test]
async fn rules_put_something_else_in_the_place_of_answers() {
    let simulator = Simulator::esx().build();
    let client = Client::login(&simulator).await;
    simulator.inject(Rule::new("CurrentTime", Effect::Html).nth(2));
    let status = Effect::Status(StatusCode::SERVICE_UNAVAILABLE);
    simulator.inject(Rule::new("CurrentTime", status).nth(3));
    let instance = moref("ServiceInstance", "ServiceInstance");
    let body = || wire::encode_request(&CurrentTime::default(), &instance);
    let mut answers = Vec::new();
    for _ in 0..4 {
        let response = client.post(body()).await;
        let kind = response.headers()["content-type"]
            .to_str()
            .unwrap()
            .to_owned();
        answers.push((response.status().as_u16(), kind));
    }
    let soap = || (200, "text/xml; charset=utf-8".to_owned());
    let expected = [
        soap(),
        (200, "text/html".into()),
        (503, "text/plain".into()),
        soap(),
    ];
    assert_eq!(answers, expected);
}

#[tokio::test]
async fn rules_change_answers() {
    let simulator = Simulator::esx().build();
    let client = Client::login(&simulator).await;
    let vm = simulator.vm("web01").unwrap();
    simulator.inject(Rule::new(
        "RetrievePropertiesEx",
        Effect::rewrite(|text| text.replace("poweredOn", "hibernating")),
    ));
    let state = client.value(&vm, "runtime.powerState").await;
    let state = state
        .cast::<vi_types::enums::VirtualMachinePowerState>()
        .unwrap();
    assert_eq!(vi_types::Enum::as_str(&state), "hibernating");
    simulator.clear_rules();
    let state = client.value(&vm, "runtime.powerState").await;
    let state = state
        .cast::<vi_types::enums::VirtualMachinePowerState>()
        .unwrap();
    assert_eq!(vi_types::Enum::as_str(&state), "poweredOn");
}

#[tokio::test]
async fn rules_end_sessions_and_answer_faults() {
    let simulator = Simulator::esx().build();
    let client = Client::login(&simulator).await;
    simulator.inject(Rule::new("FindByUuid", Effect::ExpireSession).nth(1));
    let find = vi_types::methods::FindByUuid::default();
    let fault = client.call(&find).await.unwrap_err();
    assert!(fault.is::<NotAuthenticated>(), "{fault}");
    assert_eq!(simulator.sessions(), 0);

    let fault = vi_types::SoapFault::new(NotSupported::default(), "not here");
    simulator.inject(Rule::new("*", Effect::Fault(Box::new(fault.clone()))));
    assert_eq!(client.call(&find).await.unwrap_err(), fault);
}

#[tokio::test(start_paused = true)]
async fn a_rule_can_keep_silent() {
    let simulator = Simulator::esx().build();
    simulator.inject(Rule::new("*", Effect::Silence));
    let connecting = Client::connect(&simulator);
    let hour = std::time::Duration::from_secs(3600);
    assert!(tokio::time::timeout(hour, connecting).await.is_err());
}

/// A request by hand, and everything that comes back until the server closes the connection.
async fn exchange(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    close: bool,
) -> (String, io::Result<usize>) {
    let instance = moref("ServiceInstance", "ServiceInstance");
    let body = wire::encode_request(&RetrieveServiceContent::default(), &instance);
    let connection = if close { "close" } else { "keep-alive" };
    let request = format!(
        "POST /sdk HTTP/1.1\r\nHost: localhost\r\nConnection: {connection}\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len(),
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let end = stream.read_to_end(&mut answer).await;
    (String::from_utf8(answer).unwrap(), end)
}

async fn plain(simulator: &Simulator) -> Server {
    simulator.listen("127.0.0.1:0", false).await.unwrap()
}

fn decodes(answer: &str) -> bool {
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    wire::decode_response::<RetrieveServiceContent>(body.as_bytes(), Limits::default()).is_ok()
}

#[tokio::test]
async fn it_answers_on_a_port() {
    let simulator = Simulator::esx().build();
    let server = plain(&simulator).await;
    let uri = format!("esx://root@{}/?transport=http", server.addr());
    assert_eq!(server.uri(), uri);
    assert!(server.certificate().is_none());
    let mut stream = TcpStream::connect(server.addr()).await.unwrap();
    let (answer, _) = exchange(&mut stream, true).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(decodes(&answer));
}

/// Head and body of the answer on a port, to a client that sends this header.
async fn answered(
    server: &Server,
    method: &str,
    path: &str,
    header: &str,
    body: &str,
) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect(server.addr()).await.unwrap();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{header}Content-Length: {}\r\n\r\n{body}",
        body.len(),
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let end = answer
        .windows(4)
        .position(|end| end == b"\r\n\r\n")
        .unwrap();
    let head = String::from_utf8(answer[..end].to_vec()).unwrap();
    (head.to_ascii_lowercase(), answer.split_off(end + 4))
}

#[tokio::test]
async fn answers_are_compressed_for_those_who_accept_it() {
    let compressing = Simulator::esx().gzip(true).build();
    let other = plain(&Simulator::esx().build()).await;
    let server = plain(&compressing).await;
    let instance = moref("ServiceInstance", "ServiceInstance");
    let long = wire::encode_request(&RetrieveServiceContent::default(), &instance);
    let short = wire::encode_request(&CurrentTime::default(), &instance);
    let (_, expected) = answered(&server, "POST", "/sdk", "", &long).await;
    for header in [
        "Accept-Encoding: gzip\r\n",
        "Accept-Encoding: deflate, GZIP;q=0.5, br\r\n",
        "accept-encoding: br\r\nAccept-Encoding: gzip\r\n",
    ] {
        let (head, body) = answered(&server, "POST", "/sdk", header, &long).await;
        assert!(head.contains("content-encoding: gzip"), "{header}{head}");
        let length = format!("content-length: {}\r\n", body.len());
        assert!(format!("{head}\r\n").contains(&length), "{header}{head}");
        assert!(body.len() * 2 < expected.len(), "{header}");
        let mut text = Vec::new();
        flate2::read::GzDecoder::new(&*body)
            .read_to_end(&mut text)
            .unwrap();
        assert_eq!(text, expected, "{header}");
    }
    for (server, method, path, header, body) in [
        (&server, "POST", "/sdk", "", &long),
        (
            &server,
            "POST",
            "/sdk",
            "Accept-Encoding: deflate\r\n",
            &long,
        ),
        (
            &server,
            "POST",
            "/sdk",
            "Accept-Encoding: gzip;q=0\r\n",
            &long,
        ),
        (
            &server,
            "POST",
            "/sdk",
            "Accept-Encoding: gzip; q=0.000\r\n",
            &long,
        ),
        (&server, "POST", "/sdk", "Accept-Encoding: xgzip\r\n", &long),
        // Too short to become shorter.
        (&server, "POST", "/sdk", "Accept-Encoding: gzip\r\n", &short),
        (
            &server,
            "GET",
            "/nowhere",
            "Accept-Encoding: gzip\r\n",
            &String::new(),
        ),
        (&other, "POST", "/sdk", "Accept-Encoding: gzip\r\n", &long),
    ] {
        let (head, _) = answered(server, method, path, header, body).await;
        assert!(!head.contains("content-encoding"), "{path} {header}{head}");
    }
    // A rule that cuts an answer cuts what would have been sent without compression.
    compressing.inject(Rule::new("RetrieveServiceContent", Effect::Truncate(1_500)));
    let (head, body) = answered(&server, "POST", "/sdk", "Accept-Encoding: gzip\r\n", &long).await;
    assert!(!head.contains("content-encoding"), "{head}");
    assert_eq!(body, expected[..1_500]);
}

#[tokio::test]
async fn it_speaks_tls_with_a_certificate_of_its_own() {
    let simulator = Simulator::vcenter().build();
    let server = simulator.listen("127.0.0.1:0", true).await.unwrap();
    assert_eq!(
        server.uri(),
        format!(
            "vpx://administrator%40vsphere.local@{}/Berlin/Production/esx-01.example.com?no_verify=1",
            server.addr()
        )
    );
    let pem = server.certificate_pem().unwrap();
    let mut stream = connect_tls(&server, &pem).await.unwrap();
    let (answer, _) = exchange(&mut stream, true).await;
    assert!(decodes(&answer), "{answer}");

    let other = Certificate::self_signed(&["localhost"]).unwrap().pem();
    assert!(connect_tls(&server, &other).await.is_err());
}

#[tokio::test]
async fn the_certificate_can_have_expired() {
    let simulator = Simulator::esx().build();
    let expired = Certificate::expired(&["localhost", "127.0.0.1"]).unwrap();
    let pem = expired.pem();
    let server = simulator.listen("127.0.0.1:0", expired).await.unwrap();
    let error = connect_tls(&server, &pem).await.unwrap_err();
    assert!(error.to_string().contains("expired"), "{error}");
}

async fn connect_tls(
    server: &Server,
    trusted: &str,
) -> io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(trusted.as_bytes()).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(server.addr()).await?;
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
}

#[tokio::test]
async fn a_truncated_answer_ends_the_connection() {
    let simulator = Simulator::esx().build();
    simulator.inject(Rule::new("*", Effect::Truncate(100)));
    let server = plain(&simulator).await;
    let mut stream = TcpStream::connect(server.addr()).await.unwrap();
    // The connection would be kept alive, if the answer were whole.
    let (answer, _) = exchange(&mut stream, false).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert_eq!(body.len(), 100);
    assert!(!head.contains("content-length: 100\r\n"), "{head}");
}

#[tokio::test]
async fn a_huge_answer_can_be_announced() {
    let simulator = Simulator::esx().build();
    simulator.inject(Rule::new("*", Effect::Announce(2 << 30)));
    let server = plain(&simulator).await;
    let mut stream = TcpStream::connect(server.addr()).await.unwrap();
    let (answer, _) = exchange(&mut stream, false).await;
    assert!(
        answer.contains("content-length: 2147483648\r\n"),
        "{answer}"
    );
    assert!(decodes(&answer));
}

#[tokio::test]
async fn dropping_the_server_closes_port_and_connections() {
    let simulator = Simulator::esx().build();
    let server = plain(&simulator).await;
    let address = server.addr();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"POST /sdk HTTP/1.1\r\n").await.unwrap();
    drop(server);
    let mut rest = Vec::new();
    // Reset or closed, but over.
    let _ = stream.read_to_end(&mut rest).await;
    assert!(rest.is_empty());
    assert!(TcpStream::connect(address).await.is_err());
}
