//! The HTTP(S) transport: connections kept, limits, broken answers, proxies.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use crate::support::{Answer, Certificate, Server, read_request, xml};
use crate::vi::Vi;
use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use vi_client::transport::{
    Endpoint, HttpsTransport, Proxy, ProxyKind, ProxyProblem, Transport, TransportError, Verify,
};
use vi_client::{Client, Limits, Options};

fn post() -> http::Request<Bytes> {
    http::Request::post("/sdk")
        .body(Bytes::from_static(b"<x/>"))
        .unwrap()
}

pub(crate) async fn exchange(
    transport: &HttpsTransport,
    limit: usize,
) -> Result<Bytes, TransportError> {
    transport
        .send(post())
        .await?
        .into_body()
        .collect(limit)
        .await
}

fn to(server: &Server) -> HttpsTransport {
    HttpsTransport::new(Endpoint::http("127.0.0.1", server.port()))
}

#[tokio::test]
async fn one_connection_serves_many_calls() {
    let certificate = Certificate::self_signed("127.0.0.1");
    let server = Server::tls(&certificate, |_| xml("hello")).await;
    let transport =
        HttpsTransport::new(Endpoint::https("127.0.0.1", server.port())).verify(Verify::NoVerify);
    for _ in 0..50 {
        assert_eq!(exchange(&transport, 100).await.unwrap(), "hello");
    }
    assert_eq!(server.connections(), 1);
    assert_eq!(server.requests().len(), 50);
}

#[tokio::test]
async fn chunked_answers_keep_the_connection_too() {
    let server = Server::plain(|_| {
        let chunked =
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n";
        Answer::RawKept(chunked.into())
    })
    .await;
    let transport = to(&server);
    for _ in 0..3 {
        assert_eq!(exchange(&transport, 5).await.unwrap(), "hello");
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_connection_closed_while_idle_is_replaced() {
    let server = Server::plain(|_| Answer::ThenClose(b"hello".to_vec())).await;
    let transport = to(&server);
    for n in 1..4 {
        // The end of the connection may reach us before or after the next request is written; only in the first
        // case may the transport repeat it by itself.
        loop {
            match exchange(&transport, 100).await {
                Ok(body) => break assert_eq!(body, "hello"),
                Err(TransportError::Closed {
                    reused: true,
                    answering: false,
                    ..
                }) => {}
                Err(other) => panic!("{other}"),
            }
        }
        assert!(server.connections() >= n);
    }
}

#[tokio::test]
async fn parallel_calls_get_connections_of_their_own() {
    let server = Server::plain(|_| xml("hello")).await;
    let transport = Arc::new(to(&server));
    let first = transport.send(post()).await.unwrap();
    let second = transport.send(post()).await.unwrap();
    assert_eq!(server.connections(), 2);
    for answer in [first, second] {
        assert_eq!(answer.into_body().collect(100).await.unwrap(), "hello");
    }
    exchange(&transport, 100).await.unwrap();
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn an_answer_cut_in_the_middle_is_an_error() {
    for raw in [
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<soapenv:Env",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    ] {
        let server = Server::plain(move |_| Answer::Raw(raw.into())).await;
        let error = exchange(&to(&server), 1000).await.unwrap_err();
        assert!(matches!(
            error,
            TransportError::Closed {
                answering: true,
                ..
            }
        ));
        let expected = format!(
            "{} closed the connection in the middle of its answer",
            server.addr
        );
        assert_eq!(error.to_string(), expected);
    }
    let server = Server::plain(|_| Answer::Raw(Vec::new())).await;
    let error = exchange(&to(&server), 1000).await.unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("closed the connection without an answer")
    );
}

#[tokio::test]
async fn two_gigabytes_announced_are_refused_at_once() {
    let server = Server::plain(|_| {
        Answer::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 2147483648\r\n\r\n<".to_vec())
    })
    .await;
    let error = exchange(&to(&server), 1 << 30).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the answer is larger than the 1073741824 bytes allowed (2147483648 announced)"
    );
}

#[tokio::test]
async fn an_endless_answer_ends_at_the_limit() {
    let server = Server::plain(|_| {
        let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        Answer::Endless(
            head,
            b"400\r\n"
                .iter()
                .copied()
                .chain([b'x'; 1024])
                .chain(*b"\r\n")
                .collect(),
        )
    })
    .await;
    let error = exchange(&to(&server), 100_000).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the answer is larger than the 100000 bytes allowed"
    );
}

#[tokio::test]
async fn something_else_than_http_is_named() {
    let server =
        Server::plain(|_| Answer::Raw(b"220 esx1 FTP server ready\r\n\r\n".to_vec())).await;
    let error = exchange(&to(&server), 1000).await.unwrap_err();
    assert!(error.to_string().contains("does not speak HTTP"), "{error}");
}

#[tokio::test]
async fn nobody_there() {
    let port = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let nobody = HttpsTransport::new(Endpoint::https("127.0.0.1", port));
    let error = exchange(&nobody, 10).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("cannot connect to 127.0.0.1:{port}: connection refused")
    );

    let unroutable = HttpsTransport::new(Endpoint::https("255.255.255.255", 443));
    let error = exchange(&unroutable, 10).await.unwrap_err();
    assert!(matches!(error, TransportError::Connect { .. }), "{error}");
    assert!(
        error
            .to_string()
            .starts_with("cannot connect to 255.255.255.255:443: ")
    );

    let nameless = HttpsTransport::new(Endpoint::https("esx1.invalid", 443));
    let error = exchange(&nameless, 10).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot find the address of 'esx1.invalid'"
    );
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_meets_the_deadline() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let silent = HttpsTransport::new(Endpoint::https("127.0.0.1", port)).verify(Verify::NoVerify);
    let error = exchange(&silent, 10).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("cannot connect to 127.0.0.1:{port}: no connection after 30 s")
    );
}

/// A proxy for the tests: accepts one client after the other, notes what they ask for, and passes bytes on.
struct TestProxy {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl TestProxy {
    /// `target` is where every tunnel leads, whatever was asked for, so that names need not exist.
    async fn start(kind: ProxyKind, target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = asked.clone();
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let log = log.clone();
                tokio::spawn(async move {
                    let asked = match kind {
                        ProxyKind::Http => serve_http(&mut client, target).await,
                        ProxyKind::Socks5 => serve_socks5(&mut client).await,
                        _ => serve_socks4(&mut client).await,
                    };
                    let Ok(asked) = asked else { return };
                    log.lock().unwrap().push(asked);
                    let mut server = TcpStream::connect(target).await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                });
            }
        });
        Self { port, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

async fn serve_http(client: &mut TcpStream, target: SocketAddr) -> io::Result<String> {
    let request = read_request(client)
        .await
        .ok_or(io::ErrorKind::UnexpectedEof)?;
    let line = request.head.lines().next().unwrap().to_owned();
    if line.starts_with("CONNECT ") {
        client
            .write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
            .await?;
        return Ok(line);
    }
    // A plain request: pass this one on, in the form an origin server wants.
    let mut server = TcpStream::connect(target).await?;
    let rest = request.head.split_once("\r\n").unwrap().1;
    let forwarded = format!("POST /sdk HTTP/1.1\r\n{rest}{}", request.body);
    server.write_all(forwarded.as_bytes()).await?;
    server.shutdown().await?;
    tokio::io::copy(&mut server, client).await?;
    Ok(line)
}

async fn serve_socks4(client: &mut TcpStream) -> io::Result<String> {
    let mut head = [0; 8];
    client.read_exact(&mut head).await?;
    let [4, 1, p1, p2, a, b, c, d] = head else {
        return Err(io::ErrorKind::InvalidData.into());
    };
    let _user = read_c_string(client).await?;
    let host = match [a, b, c, d] {
        [0, 0, 0, d] if d > 0 => read_c_string(client).await?,
        [a, b, c, d] => format!("{a}.{b}.{c}.{d}"),
    };
    client.write_all(&[0, 90, 0, 0, 0, 0, 0, 0]).await?;
    Ok(format!("{host}:{}", u16::from_be_bytes([p1, p2])))
}

async fn read_c_string(client: &mut TcpStream) -> io::Result<String> {
    let mut text = Vec::new();
    loop {
        match client.read_u8().await? {
            0 => return Ok(String::from_utf8(text).unwrap()),
            byte => text.push(byte),
        }
    }
}

async fn serve_socks5(client: &mut TcpStream) -> io::Result<String> {
    let mut greeting = [0; 3];
    client.read_exact(&mut greeting).await?;
    assert_eq!(greeting, [5, 1, 0]);
    client.write_all(&[5, 0]).await?;
    let mut head = [0; 4];
    client.read_exact(&mut head).await?;
    let host = match head {
        [5, 1, 0, 1] => {
            let mut address = [0; 4];
            client.read_exact(&mut address).await?;
            std::net::Ipv4Addr::from(address).to_string()
        }
        [5, 1, 0, 4] => {
            let mut address = [0; 16];
            client.read_exact(&mut address).await?;
            std::net::Ipv6Addr::from(address).to_string()
        }
        [5, 1, 0, 3] => {
            let mut name = vec![0; client.read_u8().await?.into()];
            client.read_exact(&mut name).await?;
            String::from_utf8(name).unwrap()
        }
        _ => return Err(io::ErrorKind::InvalidData.into()),
    };
    let port = client.read_u16().await?;
    // the bound address as a name, so that its length is read right
    client
        .write_all(&[5, 0, 0, 3, 2, b'm', b'e', 0, 80])
        .await?;
    Ok(format!("{host}:{port}"))
}

async fn through(kind: ProxyKind, endpoint: Endpoint, target: &Server) -> (Bytes, Vec<String>) {
    let proxy = TestProxy::start(kind, target.addr).await;
    let transport = HttpsTransport::new(endpoint)
        .verify(Verify::NoVerify)
        .proxy(Some(Proxy::new(kind, "127.0.0.1", proxy.port)));
    let body = exchange(&transport, 100).await.unwrap();
    (body, proxy.asked())
}

#[tokio::test]
async fn every_kind_of_proxy_leads_to_https_and_http_servers() {
    let certificate = Certificate::self_signed("127.0.0.1");
    let secure = Server::tls(&certificate, |_| xml("secure")).await;
    let plain = Server::plain(|_| xml("plain")).await;
    // the names exist only for the proxy, but SOCKS4 makes us look names up
    for (kind, host) in [
        (ProxyKind::Http, "esx1.invalid"),
        (ProxyKind::Socks4a, "esx1.invalid"),
        (ProxyKind::Socks5, "esx1.invalid"),
        (ProxyKind::Socks4, "127.0.0.1"),
    ] {
        let target = format!("{host}:777");
        let (body, asked) = through(kind, Endpoint::https(host, 777), &secure).await;
        assert_eq!(body, "secure");
        match kind {
            ProxyKind::Http => assert_eq!(asked, [format!("CONNECT {target} HTTP/1.1")]),
            _ => assert_eq!(asked, [target.as_str()]),
        }
        let (body, asked) = through(kind, Endpoint::http(host, 777), &plain).await;
        assert_eq!(body, "plain");
        if kind != ProxyKind::Http {
            assert_eq!(asked, [target.as_str()]);
        }
    }
    let requests = plain.requests();
    assert_eq!(requests[0].header("host"), Some("esx1.invalid:777"));
}

#[tokio::test]
async fn addresses_go_to_the_proxy_as_addresses() {
    let plain = Server::plain(|_| xml("plain")).await;
    let (_, asked) = through(ProxyKind::Socks5, Endpoint::http("2001:db8::1", 80), &plain).await;
    assert_eq!(asked, ["2001:db8::1:80"]);
    let (_, asked) = through(ProxyKind::Socks5, Endpoint::http("192.0.2.1", 80), &plain).await;
    assert_eq!(asked, ["192.0.2.1:80"]);
    let (_, asked) = through(ProxyKind::Socks4a, Endpoint::http("192.0.2.1", 80), &plain).await;
    assert_eq!(asked, ["192.0.2.1:80"]);
}

async fn refused_by(kind: ProxyKind, says: &'static [u8]) -> (ProxyProblem, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        client.write_all(says).await.unwrap();
        client.shutdown().await.unwrap();
        let mut rest = Vec::new();
        let _ = client.read_to_end(&mut rest).await;
    });
    let transport = HttpsTransport::new(Endpoint::https("192.0.2.1", 443)).proxy(Some(Proxy::new(
        kind,
        "127.0.0.1",
        port,
    )));
    let error = exchange(&transport, 100).await.unwrap_err();
    let text = error.to_string().replace(&port.to_string(), "PORT");
    match error {
        TransportError::Proxy { problem, .. } => (problem, text),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_proxys_refusal_is_told_in_its_words() {
    let (_, text) = refused_by(ProxyKind::Http, b"HTTP/1.1 403 Forbidden\r\n\r\n").await;
    assert_eq!(
        text,
        "the proxy http://127.0.0.1:PORT gives no connection to 192.0.2.1:443: it answered 403 Forbidden"
    );
    let (problem, _) = refused_by(ProxyKind::Http, b"HTTP/1.1 407 Authenticate\r\n\r\n").await;
    assert!(matches!(problem, ProxyProblem::WantsAuthentication));
    let (problem, _) = refused_by(ProxyKind::Http, b"SSH-2.0-OpenSSH\r\n\r\n").await;
    assert!(matches!(problem, ProxyProblem::Protocol("HTTP")));
    let (_, text) = refused_by(ProxyKind::Socks4, &[0, 91, 0, 0, 0, 0, 0, 0]).await;
    assert!(text.ends_with("request rejected or failed"), "{text}");
    let (_, text) = refused_by(ProxyKind::Socks5, &[5, 0, 5, 4, 0, 1]).await;
    assert!(text.ends_with("no route to host"), "{text}");
    let (problem, _) = refused_by(ProxyKind::Socks5, &[5, 0xff]).await;
    assert!(matches!(problem, ProxyProblem::WantsAuthentication));
    let (_, text) = refused_by(ProxyKind::Socks5, &[5]).await;
    assert!(
        text.ends_with("the connection to it broke: it closed the connection"),
        "{text}"
    );
}

#[tokio::test]
async fn socks4_cannot_name_ipv6() {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = port.local_addr().unwrap().port();
    let proxy = Proxy::new(ProxyKind::Socks4, "127.0.0.1", port);
    let transport = HttpsTransport::new(Endpoint::https("::1", 443)).proxy(Some(proxy));
    let error = exchange(&transport, 10).await.unwrap_err();
    assert!(error.to_string().contains("no IPv4 address"), "{error}");
}

/// A VI server behind a socket.
pub(crate) fn serving(
    vi: Arc<Vi>,
) -> impl Fn(&crate::support::Request) -> Answer + Send + Sync + 'static {
    move |request| {
        let mut line = request.head.split(' ');
        let (method, uri) = (line.next().unwrap(), line.next().unwrap());
        let mut asked = http::Request::builder().method(method).uri(uri);
        for name in ["soapaction", "cookie"] {
            if let Some(value) = request.header(name) {
                asked = asked.header(name, value);
            }
        }
        let asked = asked.body(Bytes::from(request.body.clone())).unwrap();
        let (parts, body) = vi.serve(&asked).into_parts();
        let cookie = parts.headers.get("set-cookie");
        let headers = cookie
            .map(|cookie| ("Set-Cookie", cookie.to_str().unwrap().to_owned()))
            .into_iter()
            .collect();
        Answer::Whole(parts.status.as_u16(), headers, body.to_vec())
    }
}

fn clock() -> vi_types::methods::CurrentTime {
    vi_types::methods::CurrentTime {
        this: vi_types::ManagedObjectReference::new("ServiceInstance", "ServiceInstance"),
        ..Default::default()
    }
}

#[tokio::test]
async fn a_whole_session_over_tls_is_one_connection() {
    let vi = Vi::new("8.0.1.0", |_| None);
    let certificate = Certificate::self_signed("127.0.0.1");
    let server = Server::tls(&certificate, serving(vi.clone())).await;
    let transport = HttpsTransport::new(Endpoint::https("127.0.0.1", server.port())).verify(
        Verify::Pin(vi_client::transport::Thumbprint::sha256(&certificate.der)),
    );
    let client = Client::connect(transport, Options::default())
        .await
        .unwrap();
    assert!(client.is_secure());
    client.login("root", "s3cret<&>").await.unwrap();
    client.call(&clock()).await.unwrap();
    client.close().await.unwrap();
    assert_eq!(
        vi.methods(),
        ["RetrieveServiceContent", "Login", "CurrentTime", "Logout"]
    );
    assert_eq!(server.connections(), 1);

    let requests = server.requests();
    let head = &requests[2].head;
    assert!(head.starts_with("POST /sdk HTTP/1.1\r\n"), "{head}");
    for (name, value) in [
        ("content-type", "text/xml; charset=utf-8"),
        ("soapaction", "\"urn:vim25/8.0.1.0\""),
        ("cookie", "vmware_soap_session=\"s1\""),
        ("accept-encoding", "gzip"),
        (
            "user-agent",
            concat!("vi-client/", env!("CARGO_PKG_VERSION")),
        ),
    ] {
        assert_eq!(requests[2].header(name), Some(value), "{head}");
    }
    assert_eq!(requests[0].header("soapaction"), None);
}

#[tokio::test]
async fn a_call_that_reads_survives_a_dead_idle_connection() {
    let vi = Vi::new("8.0.1.0", |_| None);
    let answers = serving(vi.clone());
    let server = Server::plain(move |request| match answers(request) {
        Answer::Whole(200, headers, body) if headers.is_empty() => Answer::ThenClose(body),
        answer => answer,
    })
    .await;
    let client = Client::connect(to(&server), Options::default())
        .await
        .unwrap();
    client.login("root", "s3cret<&>").await.unwrap();
    for _ in 0..20 {
        client.call(&clock()).await.unwrap();
    }
    assert!(server.connections() >= 20);
}

#[tokio::test]
async fn an_endless_answer_to_a_call_ends_at_the_limit() {
    let server = Server::plain(|_| {
        let head =
            "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nTransfer-Encoding: chunked\r\n\r\n";
        Answer::Endless(head.into(), b"8\r\n<a></a>\n\r\n".to_vec())
    })
    .await;
    let options = Options::default().limits(Limits::default().largest_answer(50_000));
    let error = Client::connect(to(&server), options).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the answer is larger than the 50000 bytes allowed"
    );
}
