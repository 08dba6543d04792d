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
async fn no_address_for_a_name() {
    let error = connect("no-such-host.invalid", "").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Resolve);
    let text = error.to_string();
    let beginning = "internal error: IP address lookup for host 'no-such-host.invalid' failed: ";
    assert!(text.starts_with(beginning), "{text}");
    assert!(!text.contains("lookup address"), "{text}");
}
