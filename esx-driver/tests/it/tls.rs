//! Real sockets: certificates and servers that are not there.

use esx_driver::{Connect, Error, ErrorKind, OpenOptions, auth::AuthFileSearch};
use esx_sim::Simulator;

use crate::credentials;

/// Opens a connection to the server at `address`.
async fn connect(address: &str, query: &str) -> Result<Connect, Error> {
    let uri = format!("esx://root@{address}/?{query}").parse()?;
    OpenOptions::new(&credentials())
        .auth_files(AuthFileSearch::default())
        .open(&uri)
        .await
}

#[tokio::test]
async fn certificates() {
    let simulator = Simulator::esx().build();
    let server = simulator.listen("127.0.0.1:0", true).await.unwrap();
    let address = server.addr().to_string();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("host.pem");
    std::fs::write(&file, server.certificate_pem().unwrap()).unwrap();

    let error = connect(&address, "").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls);
    let text = error.to_string();
    assert!(
        text.contains("cacert") && text.contains("no_verify"),
        "{text}"
    );
    assert!(simulator.requests().is_empty(), "the password is not sent");

    for query in [
        "no_verify=1".to_owned(),
        format!("cacert={}", file.display()),
        format!("thumbprint={}", server.thumbprint().unwrap()),
        "no_verify=1&cacert=/missing".to_owned(),
    ] {
        let connect = connect(&address, &query)
            .await
            .unwrap_or_else(|error| panic!("{query}: {error}"));
        assert!(connect.is_encrypted());
        connect.close().await.unwrap();
    }

    let other = "00".repeat(32);
    let error = connect(&address, &format!("thumbprint={other}"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls);
    let error = connect(&address, "cacert=/missing").await.unwrap_err();
    assert!(error.to_string().contains("/missing"), "{error}");
}

#[tokio::test]
async fn in_the_clear() {
    let simulator = Simulator::esx().build();
    let server = simulator.listen("127.0.0.1:0", false).await.unwrap();
    let address = server.addr().to_string();
    let uri = format!("esx://root@{address}/?transport=http");
    let opened = Connect::open(&uri.parse().unwrap(), &credentials())
        .await
        .unwrap();
    assert!(!opened.is_encrypted() && !opened.is_secure());
    opened.close().await.unwrap();
    assert_eq!(
        connect(&address, "").await.unwrap_err().kind(),
        ErrorKind::Tls
    );
}

#[tokio::test]
async fn nobody_listens() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let error = connect(&address, "").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    assert_eq!(
        error.to_string(),
        format!("internal error: cannot connect to {address}: connection refused")
    );
}

#[tokio::test]
async fn a_proxy_that_is_not_there() {
    let error = connect("192.0.2.1", "proxy=socks5://127.0.0.1:1")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    assert!(error.to_string().contains("127.0.0.1:1"), "{error}");
}

#[tokio::test]
async fn a_proxy_gets_the_login_of_the_uri() {
    use base64::Engine as _;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let proxy = tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(client.read_u8().await.unwrap());
        }
        client
            .write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
            .await
            .unwrap();
        String::from_utf8(head).unwrap()
    });
    // Encoded once for the URI.
    let query = format!("proxy=http://anne:pa%40s%3As%2525@{address}");
    let error = connect("192.0.2.1", &query).await.unwrap_err();
    let login = base64::engine::general_purpose::STANDARD.encode("anne:pa@s:s%25");
    let head = proxy.await.unwrap();
    let expected = format!("\r\nProxy-Authorization: Basic {login}\r\n");
    assert!(
        head.starts_with("CONNECT 192.0.2.1:443 HTTP/1.1\r\n"),
        "{head}"
    );
    assert!(head.contains(&expected), "{head}");
    assert_eq!(error.kind(), ErrorKind::Transport);
    let text = format!("{error} {error:?}");
    assert!(
        text.contains("refuses the user name and the password"),
        "{text}"
    );
    assert!(
        !text.contains("pa@s") && !text.contains("pa%40") && !text.contains(&login),
        "{text}"
    );
}

#[tokio::test]
async fn no_address_for_a_name() {
    let error = connect("no-such-host.invalid", "").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Resolve);
    let text = error.to_string();
    let beginning = "internal error: IP address lookup for host 'no-such-host.invalid' failed: ";
    assert!(text.starts_with(beginning), "{text}");
    assert!(!text.contains("lookup address"), "{text}");
}
