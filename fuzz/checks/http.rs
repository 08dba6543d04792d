//! Answers of HTTP as a server's bytes: the client ends, with a short error or a result.
//!
//! The first byte says how the bytes are cut on their way. The rest are the answers to one request after the other, with
//! [`NEXT`] between them; behind the last one, the server closes the connection.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use vi_client::retrieve::Retrieve;
use vi_client::transport::{Endpoint, HttpsTransport};
use vi_client::{Client, Error, Limits, Options};
use vi_types::ManagedObjectReference;

/// Ends an answer.
const NEXT: &[u8] = b"\n=====\n";

pub(crate) fn check(data: &[u8]) {
    let [cut, data @ ..] = data else {
        return;
    };
    // Nothing waits for a clock that is moved on when there is nothing else to do.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    let Ok(runtime) = runtime else { return };
    let requests = Arc::new(AtomicUsize::new(0));
    let outcome = runtime.block_on(exchange(
        usize::from(*cut) + 1,
        Arc::from(data),
        requests.clone(),
    ));
    if let Err(error) = outcome {
        let length = error.to_string().len();
        assert!(length < 4096, "{length} bytes of error");
    }
    let requests = requests.load(Ordering::Relaxed);
    assert!(requests < 50, "{requests} requests");
}

async fn exchange(cut: usize, data: Arc<[u8]>, requests: Arc<AtomicUsize>) -> Result<usize, Error> {
    let connections = Arc::new(AtomicUsize::new(0));
    let open = move || {
        let (ours, theirs) = tokio::io::duplex(cut);
        let (data, requests) = (data.clone(), requests.clone());
        // A connection that follows a broken one gets the answers that are left.
        let skipped = connections.fetch_add(1, Ordering::Relaxed);
        tokio::spawn(serve(theirs, data, skipped, requests));
        async move { io::Result::Ok(ours) }
    };
    let transport = HttpsTransport::new(Endpoint::http("server", 80)).connect_by(open);
    let limits = Limits::default()
        .largest_answer(64 << 10)
        .largest_retrieve(256 << 10)
        .memory(1 << 20)
        .objects(1000);
    let client = Client::connect(transport, Options::default().limits(limits)).await?;
    let root = ManagedObjectReference::new("Folder", "root");
    let request = Retrieve::from(&root).properties("Folder", ["name"]);
    let found = client.retrieve(&request).await?;
    Ok(found.len())
}

/// Answers requests until the answers or the client end.
async fn serve(
    mut stream: DuplexStream,
    data: Arc<[u8]>,
    skipped: usize,
    requests: Arc<AtomicUsize>,
) -> io::Result<()> {
    let mut rest = &data[..];
    for _ in 0..skipped {
        rest = next(rest).1;
    }
    while !rest.is_empty() {
        let mut request = Vec::new();
        while !request.ends_with(b"Envelope>") && !request.starts_with(b"GET") {
            if stream.read_buf(&mut request).await? == 0 {
                return Ok(());
            }
        }
        requests.fetch_add(1, Ordering::Relaxed);
        let (answer, behind) = next(rest);
        stream.write_all(answer).await?;
        rest = behind;
    }
    stream.shutdown().await
}

/// The first answer, and those behind it.
fn next(data: &[u8]) -> (&[u8], &[u8]) {
    let at = data.windows(NEXT.len()).position(|part| part == NEXT);
    match at {
        Some(at) => (&data[..at], &data[at + NEXT.len()..]),
        None => (data, &[]),
    }
}
