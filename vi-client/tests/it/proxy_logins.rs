//! Users and passwords on the wire: what proxies get, what they get to see of it when they refuse, and what is never sent.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use vi_client::transport::{
    Endpoint, HttpsTransport, Proxy, ProxyKind, ProxyProblem, TransportError, Verify,
};
use vi_client::{Client, Error, Options, Password};

use crate::http::{exchange, serving};
use crate::support::{Answer, Certificate, Server, xml};
use crate::vi::Vi;

/// A user and a password with all that has a meaning somewhere.
const USER: &str = "us er@example";
const PASSWORD: &str = "pa:ss@wört/%2F";

/// A step of a proxy.
#[derive(Clone, Debug)]
enum Step {
    /// Reads so many bytes.
    Read(usize),
    /// Reads to the end of the head of a request.
    ReadHead,
    /// Says this.
    Say(&'static [u8]),
}

/// A proxy that does as it is told, and then leads to `target`. All bytes that clients send it are kept.
struct Scripted {
    port: u16,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Scripted {
    async fn start(steps: &[Step], target: Option<SocketAddr>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (log, steps) = (heard.clone(), steps.to_vec());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(serve(client, steps.clone(), target, log.clone()));
            }
        });
        Self { port, heard }
    }

    fn heard(&self) -> Vec<u8> {
        self.heard.lock().unwrap().clone()
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.heard()).into_owned()
    }

    fn proxy(&self, kind: ProxyKind) -> Proxy {
        Proxy::new(kind, "127.0.0.1", self.port)
    }

    fn with_login(&self, kind: ProxyKind) -> Proxy {
        self.proxy(kind).login(USER, Some(Password::from(PASSWORD)))
    }
}

async fn serve(
    mut client: TcpStream,
    steps: Vec<Step>,
    target: Option<SocketAddr>,
    log: Arc<Mutex<Vec<u8>>>,
) {
    let hear = async |client: &mut TcpStream| {
        let byte = client.read_u8().await.ok()?;
        log.lock().unwrap().push(byte);
        Some(byte)
    };
    for step in steps {
        match step {
            Step::Read(count) => {
                for _ in 0..count {
                    if hear(&mut client).await.is_none() {
                        return;
                    }
                }
            }
            Step::ReadHead => {
                let mut last = [0; 4];
                while last != *b"\r\n\r\n" {
                    let Some(byte) = hear(&mut client).await else {
                        return;
                    };
                    last = [last[1], last[2], last[3], byte];
                }
            }
            Step::Say(bytes) => client.write_all(bytes).await.unwrap(),
        }
    }
    let Some(target) = target else {
        // Whatever else comes has to be seen.
        while hear(&mut client).await.is_some() {}
        return;
    };
    let mut server = TcpStream::connect(target).await.unwrap();
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let forth = async {
        let mut buffer = vec![0; 4096];
        while let Ok(count @ 1..) = from_client.read(&mut buffer).await {
            log.lock().unwrap().extend(&buffer[..count]);
            if to_server.write_all(&buffer[..count]).await.is_err() {
                break;
            }
        }
        let _ = to_server.shutdown().await;
    };
    let back = tokio::io::copy(&mut from_server, &mut to_client);
    let _ = tokio::join!(forth, back);
}

/// Sends a request through a proxy to an HTTPS or HTTP server at a port where nobody is.
async fn send(proxy: Proxy, secure: bool) -> Result<String, TransportError> {
    let endpoint = match secure {
        true => Endpoint::https("esx1.invalid", 777),
        false => Endpoint::http("esx1.invalid", 777),
    };
    let transport = HttpsTransport::new(endpoint)
        .verify(Verify::NoVerify)
        .proxy(Some(proxy));
    let body = exchange(&transport, 100).await?;
    Ok(String::from_utf8(body.to_vec()).unwrap())
}

/// The problem of a proxy, in whose text is no part of the login.
#[track_caller]
fn refused(result: Result<String, TransportError>) -> (ProxyProblem, String) {
    let error = result.unwrap_err();
    let text = format!("{error} {error:?}");
    for secret in [
        PASSWORD,
        "wört",
        USER,
        &STANDARD.encode(format!("{USER}:{PASSWORD}")),
    ] {
        assert!(!error.to_string().contains(secret), "{text}");
    }
    assert!(!text.contains(PASSWORD) && !text.contains("wört"), "{text}");
    match error {
        TransportError::Proxy { problem, .. } => {
            let text = problem.to_string();
            (problem, text)
        }
        other => panic!("{other}"),
    }
}

const ESTABLISHED: Step = Step::Say(b"HTTP/1.1 200 Connection established\r\n\r\n");
const WANTS_LOGIN: Step = Step::Say(
    b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n",
);

#[tokio::test]
async fn an_http_proxy_gets_the_login_and_the_server_does_not() {
    let secure = Server::tls(&Certificate::self_signed("127.0.0.1"), |_| xml("hello")).await;
    let proxy = Scripted::start(&[Step::ReadHead, ESTABLISHED], Some(secure.addr)).await;
    let answer = send(proxy.with_login(ProxyKind::Http), true).await.unwrap();
    assert_eq!(answer, "hello");
    let text = proxy.text();
    let (head, _) = text.split_once("\r\n\r\n").unwrap();
    let login = STANDARD.encode(format!("{USER}:{PASSWORD}"));
    assert_eq!(
        head,
        format!(
            "CONNECT esx1.invalid:777 HTTP/1.1\r\nHost: esx1.invalid:777\r\nProxy-Authorization: Basic {login}"
        )
    );
    assert_eq!(secure.requests()[0].header("proxy-authorization"), None);

    // Without a login there is no header, and without a password an empty one.
    let proxy = Scripted::start(&[Step::ReadHead, ESTABLISHED], Some(secure.addr)).await;
    send(proxy.proxy(ProxyKind::Http), true).await.unwrap();
    assert!(!proxy.text().contains("Authorization"));
    let proxy = Scripted::start(&[Step::ReadHead, ESTABLISHED], Some(secure.addr)).await;
    send(proxy.proxy(ProxyKind::Http).login("anne", None), true)
        .await
        .unwrap();
    let login = STANDARD.encode("anne:");
    assert!(
        proxy
            .text()
            .contains(&format!("Proxy-Authorization: Basic {login}\r\n"))
    );
}

#[tokio::test]
async fn an_http_proxy_gets_the_login_with_every_plain_request() {
    let forwarding = Server::plain(|_| xml("hello")).await;
    let login = Password::from(PASSWORD);
    let proxy =
        Proxy::new(ProxyKind::Http, "127.0.0.1", forwarding.port()).login(USER, Some(login));
    let transport = HttpsTransport::new(Endpoint::http("esx1.invalid", 777)).proxy(Some(proxy));
    for _ in 0..2 {
        assert_eq!(exchange(&transport, 100).await.unwrap(), "hello");
    }
    let expected = format!("Basic {}", STANDARD.encode(format!("{USER}:{PASSWORD}")));
    assert_eq!(forwarding.requests().len(), 2);
    for request in forwarding.requests() {
        assert!(
            request
                .head
                .starts_with("POST http://esx1.invalid:777/sdk HTTP/1.1\r\n")
        );
        assert_eq!(
            request.header("proxy-authorization"),
            Some(expected.as_str())
        );
    }
}

#[tokio::test]
async fn status_407_is_told_in_words() {
    for secure in [true, false] {
        let proxy = Scripted::start(&[Step::ReadHead, WANTS_LOGIN], None).await;
        let (problem, text) = refused(send(proxy.with_login(ProxyKind::Http), secure).await);
        assert!(matches!(problem, ProxyProblem::WrongLogin), "{text}");
        assert!(
            text.contains("refuses the user name and the password"),
            "{text}"
        );
        let (problem, text) = refused(send(proxy.proxy(ProxyKind::Http), secure).await);
        assert!(
            matches!(problem, ProxyProblem::WantsAuthentication),
            "{text}"
        );
        assert!(
            text.contains("proxy=http://USER:PASSWORD@HOST:PORT"),
            "{text}"
        );
    }
    // A server that answers 407 itself is no proxy.
    let server = Server::plain(|_| Answer::Whole(407, Vec::new(), b"hello".to_vec())).await;
    let transport = HttpsTransport::new(Endpoint::http("127.0.0.1", server.port()));
    assert_eq!(exchange(&transport, 100).await.unwrap(), "hello");
}

/// RFC 1929: version, length and user, length and password.
fn socks5_login() -> Vec<u8> {
    let mut login = vec![1];
    for word in [USER, PASSWORD] {
        login.push(u8::try_from(word.len()).unwrap());
        login.extend(word.as_bytes());
    }
    login
}

#[tokio::test]
async fn a_socks5_proxy_gets_the_login_if_it_wants_one() {
    let server = Server::plain(|_| xml("hello")).await;
    let login = socks5_login();
    let connect = 4 + 1 + "esx1.invalid".len() + 2;
    let done = Step::Say(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    let with = [
        Step::Read(4),
        Step::Say(&[5, 2]),
        Step::Read(login.len()),
        Step::Say(&[1, 0]),
        Step::Read(connect),
        done.clone(),
    ];
    let proxy = Scripted::start(&with, Some(server.addr)).await;
    assert_eq!(
        send(proxy.with_login(ProxyKind::Socks5), false)
            .await
            .unwrap(),
        "hello"
    );
    let expected = [
        &[5, 2, 0, 2][..],
        &login,
        &[5, 1, 0, 3, 12],
        b"esx1.invalid",
        &[3, 9],
    ]
    .concat();
    assert!(proxy.heard().starts_with(&expected), "{:?}", proxy.heard());

    let without = [Step::Read(4), Step::Say(&[5, 0]), Step::Read(connect), done];
    let proxy = Scripted::start(&without, Some(server.addr)).await;
    assert_eq!(
        send(proxy.with_login(ProxyKind::Socks5), false)
            .await
            .unwrap(),
        "hello"
    );
    assert!(!proxy.text().contains(PASSWORD) && !proxy.text().contains(USER));
}

#[tokio::test]
async fn a_socks5_proxy_refuses_in_words() {
    let login = socks5_login().len();
    let wrong = [
        Step::Read(4),
        Step::Say(&[5, 2]),
        Step::Read(login),
        Step::Say(&[1, 1]),
    ];
    for steps in [&wrong[..], &[Step::Read(4), Step::Say(&[5, 0xff])]] {
        let proxy = Scripted::start(steps, None).await;
        let (problem, text) = refused(send(proxy.with_login(ProxyKind::Socks5), true).await);
        assert!(matches!(problem, ProxyProblem::WrongLogin), "{text}");
    }
    let proxy = Scripted::start(&[Step::Read(3), Step::Say(&[5, 0xff])], None).await;
    let (problem, text) = refused(send(proxy.proxy(ProxyKind::Socks5), true).await);
    assert!(
        matches!(problem, ProxyProblem::WantsAuthentication),
        "{text}"
    );

    // A way that was not offered
    let ways: [(&'static [u8], bool); 2] = [(&[5, 2], false), (&[5, 1], true)];
    for (chosen, has_login) in ways {
        let proxy = Scripted::start(&[Step::Say(chosen)], None).await;
        let asked = match has_login {
            true => proxy.with_login(ProxyKind::Socks5),
            false => proxy.proxy(ProxyKind::Socks5),
        };
        let (problem, text) = refused(send(asked, true).await);
        assert!(
            matches!(problem, ProxyProblem::Protocol("SOCKS5")),
            "{text}"
        );
        assert!(!proxy.text().contains(PASSWORD));
    }

    // 255 bytes are the most; nothing of a longer one is sent.
    let proxy = Scripted::start(&[Step::Read(4), Step::Say(&[5, 2])], None).await;
    let long = proxy
        .proxy(ProxyKind::Socks5)
        .login(USER, Some(Password::from("x".repeat(256))));
    let (problem, text) = refused(send(long, true).await);
    assert!(matches!(problem, ProxyProblem::Address(_)), "{text}");
    assert_eq!(proxy.heard(), [5, 2, 0, 2]);
}

#[tokio::test]
async fn a_socks4_proxy_gets_the_user() {
    let server = Server::plain(|_| xml("hello")).await;
    let granted = Step::Say(&[0, 90, 0, 0, 0, 0, 0, 0]);
    let length = 8 + USER.len() + 1 + "esx1.invalid".len() + 1;
    let proxy = Scripted::start(&[Step::Read(length), granted], Some(server.addr)).await;
    assert_eq!(
        send(proxy.with_login(ProxyKind::Socks4a), false)
            .await
            .unwrap(),
        "hello"
    );
    let expected = [
        &[4, 1, 3, 9, 0, 0, 0, 1][..],
        USER.as_bytes(),
        b"\0esx1.invalid\0",
    ]
    .concat();
    assert!(proxy.heard().starts_with(&expected), "{:?}", proxy.heard());
    assert!(!proxy.text().contains(PASSWORD), "SOCKS 4 has no passwords");

    let refuses = [Step::Read(length), Step::Say(&[0, 93, 0, 0, 0, 0, 0, 0])];
    let proxy = Scripted::start(&refuses, None).await;
    let (_, text) = refused(send(proxy.with_login(ProxyKind::Socks4a), true).await);
    assert_eq!(text, "it cannot verify our user id");

    // A NUL would end the user.
    let proxy = Scripted::start(&[], None).await;
    let user = proxy.proxy(ProxyKind::Socks4a).login("ro\0ot", None);
    let (problem, text) = refused(send(user, true).await);
    assert!(matches!(problem, ProxyProblem::Address(_)), "{text}");
    assert!(proxy.heard().is_empty());
}

/// A changed password would be a wrong one, and several wrong ones lock an account.
#[tokio::test]
async fn of_a_password_that_xml_cannot_carry_nothing_is_sent() {
    let vi = Vi::new("8.0.1.0", |_| None);
    let server = Server::plain(serving(vi.clone())).await;
    // A tunnel that listens
    let wire = Scripted::start(&[], Some(server.addr)).await;
    let transport = HttpsTransport::new(Endpoint::http("127.0.0.1", wire.port));
    let client = Client::connect(Box::new(transport), Options::default())
        .await
        .unwrap();
    let before = wire.heard();
    assert!(wire.text().contains("RetrieveServiceContent"));
    for odd in ['\u{1}', '\0', '\u{1b}', '\u{8}', '\u{fffe}', '\u{ffff}'] {
        let secret = format!("hush{odd}hush");
        for (user, password) in [("root", secret.as_str()), (secret.as_str(), "password")] {
            let error = client.login(user, password).await.unwrap_err();
            assert!(matches!(error, Error::Unsendable { .. }), "{error}");
            let text = format!("{error} {error:?}");
            assert!(text.contains("Login") && !text.contains("hush"), "{text}");
        }
    }
    // Had a byte been sent, it would have arrived before those of this login, on the only connection.
    client.login("root", "s3cret<&>").await.unwrap();
    assert_eq!(server.connections(), 1);
    let after = wire.heard();
    assert!(after.starts_with(&before));
    let sent = String::from_utf8_lossy(&after[before.len()..]).into_owned();
    assert_eq!(sent.matches("POST ").count(), 1, "{sent}");
    assert!(
        sent.contains("<password>s3cret&lt;") && !sent.contains("hush"),
        "{sent}"
    );
    assert_eq!(vi.methods(), ["RetrieveServiceContent", "Login"]);
}
