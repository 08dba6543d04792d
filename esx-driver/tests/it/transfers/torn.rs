//! Connections that end at any byte, on real sockets: what arrives is right, or there is an error.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use esx_driver::vi_client::bytes::Bytes;
use esx_driver::{
    Connect, DatastorePath, DownloadOptions, FileDownload, UploadOptions, UploadSource,
};
use esx_sim::{Server, Simulator};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::{all, content, disordered, options, sha256};
use crate::credentials;

/// How many bytes may still pass: all, or so many until every connection is cut.
type Budget = Arc<Mutex<Option<usize>>>;

/// A proxy that cuts connections.
struct Proxy {
    address: SocketAddr,
    /// To the client, and to the server.
    down: Budget,
    up: Budget,
    accepting: JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Proxy {
    async fn before(server: SocketAddr) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (down, up) = (Budget::default(), Budget::default());
        let budgets = (down.clone(), up.clone());
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(server).await.unwrap();
                let (down, up) = budgets.clone();
                tokio::spawn(async move {
                    let (from_client, to_client) = client.into_split();
                    let (from_server, to_server) = server.into_split();
                    // The first that ends drops both connections.
                    tokio::select! {
                        () = pass(from_client, to_server, up) => {}
                        () = pass(from_server, to_client, down) => {}
                    }
                });
            }
        });
        Proxy {
            address,
            down,
            up,
            accepting,
        }
    }
}

/// Copies until one side ends, or the budget.
async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, budget: Budget) {
    let mut buffer = vec![0; 16 << 10];
    loop {
        let Ok(read @ 1..) = from.read(&mut buffer).await else {
            return;
        };
        let allowed = {
            let mut budget = budget.lock().unwrap();
            match budget.as_mut() {
                None => read,
                Some(left) => {
                    let allowed = read.min(*left);
                    *left -= allowed;
                    if allowed < read {
                        // One cut.
                        *budget = None;
                    }
                    allowed
                }
            }
        };
        if to.write_all(&buffer[..allowed]).await.is_err() || allowed < read {
            return;
        }
    }
}

struct Bench {
    simulator: Simulator,
    _server: Server,
    proxy: Proxy,
    connect: Connect,
    path: DatastorePath,
}

impl Bench {
    async fn new() -> Bench {
        let simulator = Simulator::esx().build();
        let server = simulator.listen("127.0.0.1:0", false).await.unwrap();
        let proxy = Proxy::before(server.addr()).await;
        let uri = format!("esx://root@{}/?transport=http", proxy.address);
        let connect = Connect::open(&uri.parse().unwrap(), &credentials())
            .await
            .unwrap();
        Bench {
            simulator,
            _server: server,
            proxy,
            connect,
            path: DatastorePath::new("datastore1", "db01/torn.img"),
        }
    }

    /// Downloads the file, while the connection breaks after so many bytes; it arrives as it is.
    async fn download_torn(
        &self,
        cut: usize,
        options: DownloadOptions,
        content: &Bytes,
    ) -> FileDownload {
        *self.proxy.down.lock().unwrap() = Some(cut);
        let download = self.connect.download_file(&self.path, options).await;
        let mut download = download.unwrap();
        assert!(
            all(&mut download).await.unwrap() == *content,
            "torn at {cut}"
        );
        download
    }

    fn on_server(&self) -> Option<Bytes> {
        self.simulator.file(&self.path.to_string())
    }
}

/// Numbers below `most`, always the same.
fn numbers(most: usize) -> impl Iterator<Item = usize> {
    disordered(0x2545_f491_4f6c_dd1d)
        .filter_map(move |number| usize::try_from(number % most as u64).ok())
}

#[tokio::test]
async fn downloads_torn_at_100_bytes_go_on() {
    let (bench, content) = (Bench::new().await, content(60_000));
    assert!(
        bench
            .simulator
            .write_file(&bench.path.to_string(), content.clone())
    );
    for cut in numbers(61_000).take(100) {
        let options = options().checksum(cut % 10 == 0);
        let download = bench.download_torn(cut, options, &content).await;
        if cut % 10 == 0 {
            assert_eq!(download.sha256(), Some(sha256(&content)));
        }
    }
    *bench.proxy.down.lock().unwrap() = None;
    bench.connect.close().await.unwrap();
}

#[tokio::test]
async fn downloads_on_several_connections_go_on_too() {
    let (bench, content) = (Bench::new().await, content(6 << 20));
    assert!(
        bench
            .simulator
            .write_file(&bench.path.to_string(), content.clone())
    );
    for cut in numbers(6 << 20).take(5) {
        let options = options().connections(3);
        bench.download_torn(cut, options, &content).await;
    }
    *bench.proxy.down.lock().unwrap() = None;
    bench.connect.close().await.unwrap();
}

#[tokio::test]
async fn uploads_torn_at_100_bytes_are_sent_again_or_refused() {
    let (bench, content) = (Bench::new().await, content(60_000));
    for cut in numbers(61_000).take(100) {
        bench.simulator.delete_file(&bench.path.to_string());
        *bench.proxy.up.lock().unwrap() = Some(cut);
        let source = UploadSource::bytes(content.clone());
        let options = UploadOptions::default().checksum(true);
        let sent = bench
            .connect
            .upload_file(&bench.path, None, source, options)
            .await;
        assert_eq!(
            sent.unwrap().sha256,
            Some(sha256(&content)),
            "torn at {cut}"
        );
        assert_eq!(bench.on_server().unwrap(), content, "torn at {cut}");
    }
    *bench.proxy.up.lock().unwrap() = None;
    bench.connect.close().await.unwrap();
}

#[tokio::test]
async fn uploads_of_streams_torn_behind_their_beginning_are_refused() {
    let (bench, content) = (Bench::new().await, content(5 << 20));
    let mut outcomes = [0, 0];
    for cut in (5 << 17..5 << 20).step_by(5 << 18) {
        bench.simulator.delete_file(&bench.path.to_string());
        *bench.proxy.up.lock().unwrap() = Some(cut);
        let pieces = (0..5 << 20).step_by(1 << 16).map({
            let content = content.clone();
            move |at| Ok(content.slice(at..at + (1 << 16)))
        });
        let source = futures_util::stream::iter(pieces);
        let options = UploadOptions::default();
        let sent = bench
            .connect
            .upload_file(&bench.path, 5 << 20, source, options)
            .await;
        outcomes[usize::from(sent.is_ok())] += 1;
        match sent {
            Ok(_) => assert!(bench.on_server().unwrap() == content, "torn at {cut}"),
            Err(error) => {
                let advice = error.outcome().unwrap();
                assert!(advice.contains("cannot be continued"), "{advice}");
            }
        }
    }
    assert!(outcomes[0] > 0, "{outcomes:?}");
    *bench.proxy.up.lock().unwrap() = None;
    bench.connect.close().await.unwrap();
}
