//! Bodies that stream, over real sockets.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use esx_sim::{Effect, Rule, Simulator};
use futures_util::{StreamExt as _, stream};
use http::StatusCode;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use vi_client::transport::{Endpoint, HttpsTransport, RequestBody, Transport as _, TransportError};
use vi_client::{Client, DatastoreFile, Error, FileRange, Limits, Options, UploadSource};
use vi_types::ManagedObjectReference;
use vi_types::methods::CurrentTime;

use crate::support::{Answer, Server};

fn file(path: &str) -> DatastoreFile {
    DatastoreFile {
        datacenter_path: "ha-datacenter".to_owned(),
        datastore: "datastore1".to_owned(),
        path: path.to_owned(),
    }
}

fn put(body: RequestBody) -> http::Request<RequestBody> {
    http::Request::put("/folder/x").body(body).unwrap()
}

fn pieces(count: usize) -> impl futures_core::Stream<Item = io::Result<Bytes>> + Send + 'static {
    stream::iter((0..count).map(|_| Ok(Bytes::from(vec![b'x'; 1000]))))
}

/// A client of a simulator on a port, whose calls may take a moment only.
async fn connect(simulator: &Simulator, deadline: Duration) -> (Client, esx_sim::Server) {
    let server = simulator.listen("127.0.0.1:0", false).await.unwrap();
    let transport = HttpsTransport::new(Endpoint::http("127.0.0.1", server.addr().port()));
    let options = Options::default()
        .limits(Limits::default().deadline(deadline))
        .parallel_calls(1);
    let client = Client::connect(transport, options).await.unwrap();
    let (user, password) = (simulator.user(), simulator.password());
    client.login(user, password).await.unwrap();
    (client, server)
}

async fn time(client: &Client) -> Result<(), Error> {
    let request = CurrentTime {
        this: ManagedObjectReference::new("ServiceInstance", "ServiceInstance"),
        ..Default::default()
    };
    client.call(&request).await.map(|_| ())
}

#[tokio::test]
async fn a_body_is_sent_with_its_length_and_keeps_the_connection() {
    let server = Server::plain(|_| Answer::Whole(201, Vec::new(), Vec::new())).await;
    let transport = HttpsTransport::new(Endpoint::http("127.0.0.1", server.port()));
    for _ in 0..3 {
        let body = RequestBody::new(Some(600_500), Box::pin(pieces(1000)));
        let answer = transport.send_streamed(put(body)).await.unwrap();
        assert_eq!(answer.status(), StatusCode::CREATED);
        answer.into_body().collect(0).await.unwrap();
    }
    assert_eq!(server.connections(), 1);
    for request in server.requests() {
        assert_eq!(request.header("content-length"), Some("600500"));
        assert_eq!(request.header("expect"), None);
        assert_eq!(request.body.len(), 600_500);
    }
}

#[tokio::test]
async fn a_source_that_ends_early_closes_the_connection() {
    let server = Server::plain(|_| Answer::Whole(201, Vec::new(), Vec::new())).await;
    let transport = HttpsTransport::new(Endpoint::http("127.0.0.1", server.port()));
    let body = RequestBody::new(Some(5000), Box::pin(pieces(3)));
    let error = transport.send_streamed(put(body)).await.unwrap_err();
    assert!(matches!(error, TransportError::Source(_)), "{error}");
    assert_eq!(
        error.to_string(),
        "what is to be sent cannot be read: it ended 2000 bytes early"
    );
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_refusal_ends_an_upload_and_its_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let served = tokio::spawn(async move {
        // Reads no body, and never closes.
        let mut held = Vec::new();
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = [0; 16];
            stream.read_exact(&mut head).await.unwrap();
            let closes = match head.starts_with(b"GET") {
                true => "Connection: close\r\n",
                false => "",
            };
            let answer = format!("HTTP/1.1 507 Full\r\n{closes}Content-Length: 0\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
            held.push(stream);
        }
    });
    let transport = HttpsTransport::new(Endpoint::http("127.0.0.1", port));
    for length in [None, Some(1 << 40)] {
        let endless = pieces(1).chain(stream::repeat_with(|| Ok(Bytes::from_static(&[7; 9000]))));
        let body = RequestBody::new(length, Box::pin(endless));
        let answer = transport.send_streamed(put(body)).await.unwrap();
        assert_eq!(answer.status(), StatusCode::INSUFFICIENT_STORAGE);
        answer.into_body().collect(0).await.unwrap();
        // The next request does not wait behind the rest of the upload.
        let get = http::Request::get("/folder/long-enough").body(Bytes::new());
        let answer = transport.send(get.unwrap()).await.unwrap();
        assert_eq!(answer.status(), StatusCode::INSUFFICIENT_STORAGE);
    }
    served.abort();
}

#[tokio::test]
async fn an_empty_file_goes_up() {
    let simulator = Simulator::esx().build();
    let (client, _server) = connect(&simulator, Duration::from_secs(60)).await;
    for (length, checksum) in [(Some(0), false), (Some(0), true), (None, false)] {
        let mut source = UploadSource::from(pieces(0)).with_length(length);
        let sent = client
            .files()
            .put(&file("db01/empty"), &mut source, checksum)
            .await;
        assert_eq!(sent.unwrap().length, 0, "{length:?}");
        assert_eq!(simulator.file("[datastore1] db01/empty").unwrap(), "");
    }
    client.close().await.unwrap();
}

#[tokio::test]
async fn silence_ends_an_upload_but_a_slow_source_does_not() {
    let simulator = Simulator::esx().build();
    let (client, _server) = connect(&simulator, Duration::from_millis(200)).await;
    let slow = stream::iter(0..3).then(|_| async {
        tokio::time::sleep(Duration::from_millis(250)).await;
        Ok(Bytes::from_static(b"abc"))
    });
    let mut source = UploadSource::from(slow).with_length(9);
    let sent = client
        .files()
        .put(&file("db01/slow"), &mut source, false)
        .await;
    assert_eq!(sent.unwrap().length, 9);
    assert_eq!(
        simulator.file("[datastore1] db01/slow").unwrap(),
        "abcabcabc"
    );

    simulator.inject(Rule::new("PUT", Effect::Silence));
    let mut source = UploadSource::bytes(Bytes::from(vec![0; 30 << 20]));
    let silent = client
        .files()
        .put(&file("db01/silent"), &mut source, false)
        .await;
    assert!(
        matches!(silent, Err(Error::Deadline { method: "PUT", .. })),
        "{silent:?}"
    );
    time(&client).await.unwrap();
    client.close().await.unwrap();
}

#[tokio::test]
async fn calls_do_not_wait_behind_transfers() {
    let simulator = Simulator::esx().build();
    let (client, _server) = connect(&simulator, Duration::from_secs(60)).await;
    assert!(simulator.write_file("[datastore1] db01/big", vec![7; 20 << 20]));
    simulator.set_file_rate(Some(1 << 20));
    let files = client.files();
    let mut downloads = Vec::new();
    for offset in 1..5 {
        let range = FileRange {
            offset,
            length: None,
        };
        let mut part = files.get(&file("db01/big"), range, None).await.unwrap();
        assert!(part.is_a_range && part.total == Some(20 << 20));
        assert!(!part.content.chunk().await.unwrap().unwrap().is_empty());
        downloads.push(part);
    }
    // There is room for one call at a time, and the transfers take many seconds.
    let call = tokio::time::timeout(Duration::from_secs(5), time(&client));
    call.await.unwrap().unwrap();
    drop(downloads);
    client.close().await.unwrap();
}

#[tokio::test]
async fn files_are_looked_at_and_deleted() {
    let simulator = Simulator::esx().build();
    let (client, _server) = connect(&simulator, Duration::from_secs(60)).await;
    let (files, file) = (client.files(), file("db01/ä+ %25"));
    let mut source = UploadSource::reader(io::Cursor::new(vec![1; 700_000]));
    let sent = files.put(&file, &mut source, true).await.unwrap();
    assert_eq!(sent.length, 700_000);
    assert!(sent.sha256.is_some());
    let head = files.head(&file).await.unwrap();
    assert_eq!(head.length, Some(700_000));
    assert_eq!(client.download(&file).await.unwrap(), vec![1; 700_000]);
    simulator.expire_sessions();
    files.delete(&file).await.unwrap();
    let gone = files.head(&file).await;
    assert!(
        matches!(gone, Err(Error::File { status: 404, .. })),
        "{gone:?}"
    );
    client.close().await.unwrap();
}
