//! Files of datastores: ranges, several connections, uploads, and what servers get wrong.

mod hosts;
mod torn;
mod uploads;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use esx_driver::{
    Connect, DatastorePath, DownloadOptions, ErrorKind, FileDownload, Result, Sha256,
    vi_client::{bytes::Bytes, http, transport::InProcess},
};
use esx_sim::Simulator;
use http::{Request, Response, StatusCode};

use crate::{open, open_over, text};

type Hook = dyn Fn(usize, &Request<Bytes>) -> Option<Response<Bytes>> + Send + Sync;

/// A server with one file, whose answers to requests about it are the test's.
#[derive(Clone)]
struct Server {
    content: Arc<Mutex<Bytes>>,
    /// `GET bytes=0-9`
    seen: Arc<Mutex<Vec<String>>>,
    connect: Connect,
}

impl Server {
    /// `hook` answers a request about files, by its number from 1 on; otherwise the file is given and taken as good servers
    /// do.
    async fn new(
        content: &Bytes,
        hook: impl Fn(usize, &Request<Bytes>) -> Option<Response<Bytes>> + Send + Sync + 'static,
    ) -> Server {
        let simulator = Simulator::esx().build();
        let content = Arc::new(Mutex::new(content.clone()));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (file, requests, handler) = (content.clone(), seen.clone(), simulator.handler());
        let hook: Arc<Hook> = Arc::new(hook);
        let transport = InProcess::new(move |request| {
            if !request.uri().path().starts_with("/folder/") {
                return Box::pin(handler(request));
            }
            let range = request.headers().get("range");
            let range = range.map_or(String::new(), |range| {
                format!(" {}", range.to_str().unwrap())
            });
            let number = {
                let mut requests = requests.lock().unwrap();
                requests.push(format!("{}{range}", request.method()));
                requests.len()
            };
            let answer = hook(number, &request).unwrap_or_else(|| good(&file, &request));
            Box::pin(async { answer })
        });
        let connect = open_over(transport, "esx://esx.example.com/")
            .await
            .unwrap();
        Server {
            content,
            seen,
            connect,
        }
    }

    async fn download(&self, options: DownloadOptions) -> Result<FileDownload> {
        self.connect.download_file(&path(), options).await
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

/// What a good server answers.
fn good(file: &Mutex<Bytes>, request: &Request<Bytes>) -> Response<Bytes> {
    let mut file = file.lock().unwrap();
    if request.method() == "PUT" {
        *file = request.body().clone();
        return status(201);
    }
    let total = file.len();
    let range = request.headers().get("range").map(|range| {
        let range = range.to_str().unwrap().strip_prefix("bytes=").unwrap();
        let (first, last) = range.split_once('-').unwrap();
        (first.parse().unwrap(), last.parse().unwrap_or(usize::MAX))
    });
    match range {
        Some((first, _)) if first >= total => {
            let mut refusal = status(416);
            set(&mut refusal, "content-range", &format!("bytes */{total}"));
            refusal
        }
        Some((first, last)) => part(&file, first, last.min(total - 1)),
        None if request.method() == "HEAD" => {
            let mut answer = Response::new(Bytes::new());
            set(&mut answer, "content-length", &total.to_string());
            answer
        }
        None => {
            let mut answer = Response::new(file.clone());
            set(&mut answer, "content-length", &total.to_string());
            answer
        }
    }
}

fn part(file: &Bytes, first: usize, last: usize) -> Response<Bytes> {
    let mut answer = Response::new(file.slice(first..=last));
    *answer.status_mut() = StatusCode::PARTIAL_CONTENT;
    let range = format!("bytes {first}-{last}/{}", file.len());
    set(&mut answer, "content-range", &range);
    set(
        &mut answer,
        "content-length",
        &(last + 1 - first).to_string(),
    );
    answer
}

fn status(status: u16) -> Response<Bytes> {
    let mut answer = Response::new(Bytes::new());
    *answer.status_mut() = StatusCode::from_u16(status).unwrap();
    answer
}

/// The connection ends without an answer.
fn closed() -> Response<Bytes> {
    let mut answer = Response::new(Bytes::new());
    answer
        .extensions_mut()
        .insert(std::io::ErrorKind::ConnectionReset);
    answer
}

fn set(answer: &mut Response<Bytes>, name: &'static str, value: &str) {
    answer.headers_mut().insert(name, value.parse().unwrap());
}

fn path() -> DatastorePath {
    DatastorePath::new("datastore1", "dir/file.iso")
}

/// Numbers without an order, always the same (xorshift).
fn disordered(seed: u64) -> impl Iterator<Item = u64> {
    let mut state = seed;
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    })
}

/// Bytes that are nowhere the same.
fn content(length: usize) -> Bytes {
    let numbers = disordered(0x9e37_79b9_7f4a_7c15);
    let bytes: Vec<_> = numbers.flat_map(u64::to_le_bytes).take(length).collect();
    bytes.into()
}

fn sha256(bytes: &[u8]) -> Sha256 {
    use sha2::Digest as _;
    let digest: [u8; 32] = sha2::Sha256::digest(bytes).into();
    digest.into()
}

/// Receives everything; the pieces have to cover the range exactly once.
async fn all(download: &mut FileDownload) -> Result<Vec<u8>> {
    let (begin, mut pieces) = (download.offset(), BTreeMap::new());
    while let Some(piece) = download.piece().await? {
        assert!(!piece.bytes.is_empty());
        let before = pieces.insert(piece.offset, piece.bytes);
        assert_eq!(before, None, "twice");
    }
    let mut bytes = Vec::new();
    for (offset, piece) in pieces {
        assert_eq!(offset, begin + bytes.len() as u64);
        bytes.extend_from_slice(&piece);
    }
    assert_eq!(bytes.len() as u64, download.length());
    Ok(bytes)
}

fn options() -> DownloadOptions {
    DownloadOptions::default()
}

#[tokio::test]
async fn a_file_of_the_simulator_comes_down_and_goes_up() {
    let simulator = Simulator::esx().build();
    let connect = open(&simulator, "esx://esx.example.com/").await.unwrap();
    let (content, path) = (
        content(100_000),
        DatastorePath::new("datastore1", "db01/x y+%.iso"),
    );
    let source = esx_driver::UploadSource::bytes(content.clone());
    simulator.clear_requests();
    let options = esx_driver::UploadOptions::default().checksum(true);
    let sent = connect
        .upload_file(&path, None, source, options)
        .await
        .unwrap();
    assert_eq!(sent.length, 100_000);
    assert_eq!(sent.sha256, Some(sha256(&content)));
    assert_eq!(simulator.requests().len(), 2, "PUT and HEAD");
    simulator.clear_requests();
    let options = DownloadOptions::default().checksum(true);
    let mut download = connect.download_file(&path, options).await.unwrap();
    assert!(all(&mut download).await.unwrap() == content);
    assert_eq!(download.sha256(), sent.sha256);
    assert_eq!(simulator.requests().len(), 1);
    assert_eq!(connect.file_length(&path).await.unwrap(), 100_000);
    let missing = DatastorePath::new("datastore1", "db01/no.iso");
    let error = connect.download_file(&missing, Default::default()).await;
    assert_eq!(
        text(error.map(|_| ())),
        "internal error: HTTP response code 404 for download from \
         'https://esx.example.com:443/folder/db01/no.iso?dcPath=ha-datacenter&dsName=datastore1'"
    );
}

#[tokio::test]
async fn ranges_are_what_was_asked_for() {
    let content = content(1000);
    for connections in [1, 4] {
        let server = Server::new(&content, |_, _| None).await;
        for (offset, length, expected) in [
            (0, None, 0..1000),
            (0, Some(10), 0..10),
            (990, None, 990..1000),
            (500, Some(100), 500..600),
            (500, Some(5000), 500..1000),
            (1000, None, 1000..1000),
            (1000, Some(5), 1000..1000),
            (300, Some(0), 300..300),
        ] {
            let options = options().connections(connections).checksum(true);
            let options = options.offset(offset).length(length);
            let mut download = server.download(options).await.unwrap();
            let range = expected.start as u64..expected.end as u64;
            assert_eq!(download.offset(), range.start);
            assert_eq!(download.length(), range.end - range.start);
            assert_eq!(download.file_length(), 1000);
            let bytes = all(&mut download).await.unwrap();
            assert_eq!(bytes, content[expected.clone()], "{offset} {length:?}");
            assert_eq!(download.sha256(), Some(sha256(&content[expected])));
        }
        let beyond = server.download(options().offset(1001)).await.map(|_| ());
        assert_eq!(
            text(beyond),
            "invalid argument: Offset 1001 is behind the end of '[datastore1] dir/file.iso', which has 1000 bytes"
        );
    }
    let server = Server::new(&Bytes::new(), |_, _| None).await;
    let mut download = server.download(options()).await.unwrap();
    assert!(all(&mut download).await.unwrap().is_empty());
    assert_eq!(server.seen(), ["GET"]);
}

#[tokio::test]
async fn several_connections_bring_the_file_together() {
    let content = content(30 << 20);
    let server = Server::new(&content, |_, _| None).await;
    let mut download = server.download(options().connections(4)).await.unwrap();
    assert!(all(&mut download).await.unwrap() == content);
    let mut seen = server.seen();
    let requests = seen.len();
    assert!((6..20).contains(&requests), "{seen:?}");
    assert_eq!(seen[0], "GET bytes=0-4194303");
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), requests, "nothing is asked for twice");

    let offset = 12_345_678;
    let ordered = options().connections(4).offset(offset);
    let mut download = server.download(ordered).await.unwrap().ordered();
    let mut next = offset;
    while let Some(piece) = download.piece().await.unwrap() {
        assert_eq!(piece.offset, next);
        let at = usize::try_from(next).unwrap();
        assert!(piece.bytes == content[at..at + piece.bytes.len()]);
        next += piece.bytes.len() as u64;
    }
    assert_eq!(next, 30 << 20);
}

#[tokio::test]
async fn a_server_that_ignores_ranges_is_noticed() {
    let content = content(10_000);
    let ignoring = |_: usize, request: &Request<Bytes>| {
        let mut plain = Request::new(Bytes::new());
        *plain.method_mut() = request.method().clone();
        Some(plain)
    };
    let (whole, other) = (content.clone(), Mutex::new(content.clone()));
    let server = Server::new(&whole, move |number, request| {
        Some(good(&other, &ignoring(number, request)?))
    })
    .await;
    for connections in [1, 4] {
        let options = options().connections(connections).offset(100).length(200);
        let mut download = server.download(options).await.unwrap();
        assert_eq!(all(&mut download).await.unwrap(), content[100..300]);
    }
    assert_eq!(server.seen().len(), 2, "one request each");

    let large = Bytes::from(vec![7; 70 << 20]);
    let other = Mutex::new(large.clone());
    let server = Server::new(&large, move |number, request| {
        Some(good(&other, &ignoring(number, request)?))
    })
    .await;
    let error = server.download(options().offset(65 << 20)).await;
    let error = error.map(|_| ()).unwrap_err();
    assert_eq!(error.advice(), Some("download the whole file"));
    assert_eq!(
        error.to_string(),
        "Operation not supported: The server ignores ranges, so \
         '[datastore1] dir/file.iso' cannot be read from offset 68157440"
    );
}

#[tokio::test]
async fn wrong_ranges_are_refused() {
    let content = content(1000);
    for (range, length) in [
        ("bytes 0-99/1000", "100"),
        ("bytes 101-200/1000", "100"),
        ("bytes 100-200/1000", "101"),
        ("bytes 100-199/1000", "99"),
        ("nonsense", "100"),
    ] {
        for connections in [1, 4] {
            let server = Server::new(&content, move |_, _| {
                let mut answer = Response::new(Bytes::from(vec![0; 100]));
                *answer.status_mut() = StatusCode::PARTIAL_CONTENT;
                set(&mut answer, "content-range", range);
                set(&mut answer, "content-length", length);
                Some(answer)
            })
            .await;
            let options = options().offset(100).length(100).connections(connections);
            let error = server.download(options).await.map(|_| ()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::File);
            let text = error.to_string();
            assert!(
                text.contains("bytes=100-199") && text.contains(range),
                "{text}"
            );
            assert_eq!(server.seen().len(), 1, "asking again would not help");
        }
    }
    let compressed = Server::new(&content, |_, request| {
        let mut answer = good(&Mutex::new(Bytes::from_static(b"x")), request);
        set(&mut answer, "content-encoding", "gzip");
        Some(answer)
    });
    let error = compressed.await.download(options()).await.map(|_| ());
    assert!(text(error).contains("gzip"));
}

#[tokio::test]
async fn a_server_may_give_less_than_it_was_asked_for() {
    let content = content(5000);
    let file = content.clone();
    let server = Server::new(&content, move |_, request| {
        let range = request.headers().get("range")?.to_str().unwrap();
        let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
        let first: usize = first.parse().unwrap();
        let last: usize = last.parse().unwrap_or(4999);
        Some(part(&file, first, last.min(first + 999)))
    })
    .await;
    for connections in [1, 3] {
        let options = options().offset(1).connections(connections);
        let mut download = server.download(options).await.unwrap();
        assert_eq!(all(&mut download).await.unwrap(), content[1..]);
    }
}

#[tokio::test(start_paused = true)]
async fn another_file_is_refused() {
    type Change = fn(&mut Response<Bytes>, usize);
    let changes: [(Change, &str); 3] = [
        (
            |answer, number| set(answer, "etag", &format!("\"{number}\"")),
            "its ETag is another one",
        ),
        (
            |answer, number| {
                set(
                    answer,
                    "last-modified",
                    &format!("Mon, 30 Nov 2026 01:00:0{number} GMT"),
                )
            },
            "its Last-Modified is another one",
        ),
        (
            |answer, number| {
                let range = format!("bytes 400-999/{}", 1000 + number);
                if number > 1 {
                    set(answer, "content-range", &range);
                }
            },
            "its length was 1000 and is 1002 bytes",
        ),
    ];
    for (change, expected) in changes {
        let content = content(1000);
        let file = Mutex::new(content.clone());
        let server = Server::new(&content, move |number, request| {
            let mut answer = good(&file, request);
            change(&mut answer, number);
            if number == 1 {
                // Torn.
                *answer.body_mut() = answer.body().slice(..400);
            }
            Some(answer)
        })
        .await;
        let mut download = server.download(options()).await.unwrap();
        let first = download.piece().await.unwrap().unwrap();
        assert_eq!(first.bytes, content[..400]);
        let error = download.piece().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FileChanged);
        let text = error.to_string();
        assert!(text.ends_with(expected), "{text}");
    }
    let content = content(1000);
    let file = Mutex::new(content.clone());
    let server = Server::new(&content, move |_, request| {
        let mut answer = good(&file, request);
        set(&mut answer, "etag", "\"7\"");
        Some(answer)
    })
    .await;
    let download = server.download(options()).await.unwrap();
    assert_eq!(download.version(), Some("\"7\""));
    let again = options().offset(9);
    assert!(
        server
            .download(again.clone().version("\"7\"".to_owned()))
            .await
            .is_ok()
    );
    let error = server.download(again.version("\"6\"".to_owned())).await;
    assert_eq!(
        error.map(|_| ()).unwrap_err().kind(),
        ErrorKind::FileChanged
    );
}

#[tokio::test(start_paused = true)]
async fn a_busy_server_is_waited_for() {
    let content = content(20 << 20);
    // Two of three requests are refused.
    for connections in [1, 4] {
        let server = Server::new(&content, |number, _| (number % 3 != 0).then(|| status(503)));
        let server = server.await;
        let options = options().connections(connections);
        let mut download = server.download(options).await.unwrap();
        assert!(all(&mut download).await.unwrap() == content);
    }
    // There is room for one connection only: the others fail all the time.
    let one = Arc::new(Mutex::new(0));
    let server = Server::new(&content, move |number, _| {
        let mut one = one.lock().unwrap();
        *one += 1;
        (number > 1 && *one % 5 != 0).then(|| status(503))
    })
    .await;
    let mut download = server.download(options().connections(4)).await.unwrap();
    assert!(all(&mut download).await.unwrap() == content);

    let server = Server::new(&content, |_, _| Some(status(503))).await;
    let begun = tokio::time::Instant::now();
    let error = server.download(options().connections(4)).await;
    let error = error.map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("503"), "{error}");
    assert!(begun.elapsed() > Duration::from_secs(60));
    assert_eq!(server.seen().len(), 11);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_gone_is_not_waited_for_long() {
    let content = content(20 << 20);
    for connections in [1, 4] {
        let server = Server::new(&content, |number, _| (number > 1).then(closed)).await;
        let options = options().connections(connections).length(19 << 20);
        let mut download = server.download(options).await.unwrap();
        if connections == 1 {
            *server.content.lock().unwrap() = content.clone();
            assert_eq!(all(&mut download).await.unwrap().len(), 19 << 20);
            continue;
        }
        let error = all(&mut download).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Transport);
        let requests = server.seen().len();
        assert!((6..30).contains(&requests), "{requests}");
    }
}

#[tokio::test]
async fn an_ended_session_is_renewed_in_the_middle() {
    let content = content(13 << 20);
    let server = Server::new(&content, |number, _| (number % 2 == 0).then(|| status(401))).await;
    let mut download = server.download(options().connections(3)).await.unwrap();
    assert!(all(&mut download).await.unwrap() == content);
    let server = Server::new(&content, |_, _| Some(status(401))).await;
    let error = server.download(options()).await.map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("401"), "{error}");
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn a_file_of_unknown_length_is_refused() {
    let content = content(1000);
    let server = Server::new(&content, |_, request| {
        let is_head = request.method() == "HEAD";
        Some(Response::new(if is_head {
            Bytes::new()
        } else {
            Bytes::from_static(b"abc")
        }))
    })
    .await;
    let error = server.download(options()).await.map(|_| ());
    assert!(text(error).contains("does not tell the length"));
    // A server without HEAD tells it with a range.
    let server = Server::new(&content, |_, request| {
        (request.method() == "HEAD").then(|| status(405))
    })
    .await;
    assert_eq!(server.connect.file_length(&path()).await.unwrap(), 1000);
    assert_eq!(server.seen(), ["HEAD", "GET bytes=0-0"]);
}
