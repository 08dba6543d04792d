//! Files that are read and written by HTTP clients on a port: whole, in parts, torn, slow, too many and too large.

use std::time::Duration;

use bytes::Bytes;
use esx_sim::{Effect, Rule, Server, Simulator};
use http::header::{ETAG, LAST_MODIFIED};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::Instant;
use vi_types::enums::VirtualMachinePowerState::{PoweredOff, PoweredOn};
use vi_types::methods::AcquireGenericServiceTicket;
use vi_types::objects::SessionManagerHttpServiceRequestSpec;
use vi_types::properties;

use crate::client::Client;

/// `root:password`.
const ROOT: &str = "Basic cm9vdDpwYXNzd29yZA==";

fn on_ssd(path: &str) -> String {
    format!("/folder/{path}?dcPath=ha-datacenter&dsName=ssd")
}

/// A request in process by somebody with name and password.
async fn ask(
    simulator: &Simulator,
    method: Method,
    uri: &str,
    body: &'static str,
) -> Response<Bytes> {
    let request = Request::builder().method(method).uri(uri);
    let request = request.header("authorization", ROOT);
    let body = Bytes::from_static(body.as_bytes());
    (simulator.handler())(request.body(body).unwrap()).await
}

fn header<'a, B>(response: &'a Response<B>, name: &str) -> &'a str {
    let value = response.headers().get(name);
    value.map_or("", |value| value.to_str().unwrap())
}

/// A connection over plain HTTP of its own.
struct Line<B>(hyper::client::conn::http1::SendRequest<B>);

impl<B> Line<B>
where
    B: http_body::Body<Data = Bytes, Error = std::io::Error> + Send + 'static,
{
    async fn to(address: std::net::SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .unwrap();
        tokio::spawn(connection);
        Self(sender)
    }

    async fn send(
        &mut self,
        request: http::request::Builder,
        body: B,
    ) -> hyper::Result<Response<hyper::body::Incoming>> {
        let request = request.header("host", "simulator").body(body).unwrap();
        self.0.send_request(request).await
    }
}

fn whole(bytes: impl Into<Bytes>) -> impl http_body::Body<Data = Bytes, Error = std::io::Error> {
    Full::new(bytes.into()).map_err(|never| match never {})
}

/// Pieces of a mebibyte, each with another letter, so many that nobody keeps them twice.
fn pieces(count: usize) -> impl http_body::Body<Data = Bytes, Error = std::io::Error> {
    let pieces = (0..count).map(|number| {
        let letter = b'a' + (number % 26) as u8;
        Ok(Frame::data(Bytes::from(vec![letter; 1 << 20])))
    });
    StreamBody::new(futures_util::stream::iter(pieces))
}

async fn listen(simulator: &Simulator) -> Server {
    simulator.listen("127.0.0.1:0", false).await.unwrap()
}

#[tokio::test]
async fn files_stream_in_both_directions() {
    let simulator = Simulator::esx().build();
    let server = listen(&simulator).await;
    let put = || Request::put(on_ssd("big")).header("authorization", ROOT);
    // The first one is chunked: its length is not known.
    for (length, status) in [(None, 201), (Some(20 << 20), 200)] {
        let mut line = Line::to(server.addr()).await;
        let request = match length {
            None => put(),
            Some(length) => put().header("content-length", length),
        };
        let answer = line.send(request, pieces(20)).await.unwrap();
        assert_eq!(answer.status().as_u16(), status);
        assert_eq!(simulator.file_length("[ssd] big"), Some(20 << 20));
    }
    let mut line = Line::to(server.addr()).await;
    let request = Request::get(on_ssd("big")).header("authorization", ROOT);
    let answer = line.send(request, whole("")).await.unwrap();
    assert_eq!(header(&answer, "content-length"), (20 << 20).to_string());
    let mut body = answer.into_body();
    let mut at = 0_usize;
    while let Some(frame) = body.frame().await {
        let bytes = frame.unwrap().into_data().unwrap();
        for (offset, byte) in (at..).zip(&bytes).step_by(4099) {
            assert_eq!(*byte, b'a' + (offset >> 20) as u8, "{offset}");
        }
        at += bytes.len();
    }
    assert_eq!(at, 20 << 20);
}

#[tokio::test]
async fn a_torn_upload_leaves_what_has_arrived() {
    let simulator = Simulator::esx().build();
    simulator.write_file("[ssd] big", "what was there before");
    let free = || {
        let stores = simulator.objects("Datastore").into_iter();
        let mut stores = stores.filter_map(|store| {
            let store: properties::Datastore = simulator.properties(&store)?;
            store.summary.filter(|summary| summary.name == "ssd")
        });
        stores.next().unwrap().free_space
    };
    let before = free();
    let server = listen(&simulator).await;
    for torn in [0, 1, (3 << 20) + 17] {
        simulator.clear_rules();
        simulator.inject(Rule::new("PUT", Effect::Tear(torn)).on_named("big").nth(2));
        let mut line = Line::to(server.addr()).await;
        let put = |length: u64| {
            let request = Request::put(on_ssd("big")).header("authorization", ROOT);
            request.header("content-length", length)
        };
        let answer = line.send(put(1 << 20), pieces(1)).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        let mut line = Line::to(server.addr()).await;
        line.send(put(8 << 20), pieces(8)).await.unwrap_err();
        assert_eq!(simulator.file_length("[ssd] big"), Some(torn));
        assert_eq!(before - free(), torn as i64 - 21, "free space follows");
    }
    // A client that goes away.
    simulator.clear_rules();
    let mut line = Line::to(server.addr()).await;
    let (sender, receiver) = tokio::sync::mpsc::channel::<()>(1);
    let some = futures_util::stream::iter([Ok(Frame::data(Bytes::from(vec![b'x'; 100_000])))]);
    let never = futures_util::stream::once(async move {
        let mut receiver = receiver;
        receiver.recv().await;
        Err(std::io::Error::other("gone"))
    });
    let body = StreamBody::new(Box::pin(futures_util::StreamExt::chain(some, never)));
    let request = Request::put(on_ssd("gone")).header("authorization", ROOT);
    let sending = line.send(request.header("content-length", 200_000), body);
    let wait = async {
        // Nothing is there before it is complete.
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(simulator.file_length("[ssd] gone"), None);
        drop(sender);
    };
    let (answer, ()) = tokio::join!(sending, wait);
    answer.unwrap_err();
    let deadline = Instant::now() + Duration::from_secs(10);
    while simulator.file_length("[ssd] gone") != Some(100_000) {
        assert!(Instant::now() < deadline, "the short file appears");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_torn_download_ends_early() {
    let simulator = Simulator::esx().build();
    simulator.write_file("[ssd] big", vec![b'x'; 3 << 20]);
    let server = listen(&simulator).await;
    simulator.inject(Rule::new("GET", Effect::Tear(1_000_001)).nth(1));
    for expected in [1_000_001, 3 << 20] {
        let mut line = Line::to(server.addr()).await;
        let request = Request::get(on_ssd("big")).header("authorization", ROOT);
        let mut body = line.send(request, whole("")).await.unwrap().into_body();
        let mut read = 0;
        while let Some(Ok(frame)) = body.frame().await {
            read += frame.into_data().unwrap().len();
        }
        assert_eq!(read, expected);
    }
}

#[tokio::test]
async fn more_transfers_than_a_host_takes_are_refused() {
    let simulator = Simulator::esx().build();
    simulator.write_file("[ssd] big", vec![b'x'; 64 << 20]);
    simulator.limit_transfers(Some(2));
    let server = listen(&simulator).await;
    let get = || Request::get(on_ssd("big")).header("authorization", ROOT);
    let mut lines = Vec::new();
    for status in [200, 200, 503] {
        let mut line = Line::to(server.addr()).await;
        let answer = line.send(get(), whole("")).await.unwrap();
        assert_eq!(answer.status().as_u16(), status);
        // Nobody reads the answers, so they don't end.
        lines.push((line, answer));
    }
    let refused = ask(&simulator, Method::PUT, &on_ssd("other"), "x").await;
    assert_eq!((refused.status().as_u16(), refused.body().len()), (503, 0));
    let length = ask(&simulator, Method::HEAD, &on_ssd("big"), "").await;
    assert_eq!(length.status(), 200, "this transfers nothing");
    drop(lines);
    let deadline = Instant::now() + Duration::from_secs(10);
    while ask(&simulator, Method::PUT, &on_ssd("other"), "x")
        .await
        .status()
        == 503
    {
        assert!(Instant::now() < deadline, "connections end");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_host_takes_its_time() {
    let simulator = Simulator::esx().build();
    simulator.write_file("[ssd] big", vec![b'x'; 1 << 20]);
    simulator.set_file_rate(Some(100 << 10));
    for (method, body) in [(Method::GET, 0), (Method::PUT, 1 << 20)] {
        let before = Instant::now();
        let request = Request::builder().method(method).uri(on_ssd("big"));
        let request = request.header("authorization", ROOT);
        let body = Bytes::from(vec![b'y'; body]);
        let answer = (simulator.handler())(request.body(body).unwrap()).await;
        assert_eq!(answer.status(), 200);
        let took = before.elapsed().as_secs_f64();
        assert!((10.2..10.3).contains(&took), "{took}");
    }
}

#[tokio::test]
async fn a_file_that_changes_between_two_ranges_is_noticed() {
    let simulator = Simulator::esx().build();
    simulator.write_file("[ssd] a", "0123456789");
    let part = async |condition: Option<&str>| {
        let request = Request::get(on_ssd("a")).header("authorization", ROOT);
        let mut request = request.header("range", "bytes=0-3");
        if let Some(tag) = condition {
            request = request.header("if-range", tag);
        }
        (simulator.handler())(request.body(Bytes::new()).unwrap()).await
    };
    let first = part(None).await;
    let tag = header(&first, ETAG.as_str()).to_owned();
    assert!(tag.starts_with('"') && header(&first, LAST_MODIFIED.as_str()).ends_with(" GMT"));
    assert_eq!(part(Some(&tag)).await.body(), "0123");
    assert!(simulator.write_file_part("[ssd] a", 1, b"x"));
    let changed = part(Some(&tag)).await;
    assert_eq!(
        (changed.status().as_u16(), &changed.body()[..]),
        (200, &b"0x23456789"[..])
    );
    assert_ne!(header(&changed, ETAG.as_str()), tag);

    simulator.inject(Rule::new("GET", Effect::IgnoreRange));
    let ignored = part(None).await;
    assert_eq!((ignored.status().as_u16(), ignored.body().len()), (200, 10));
    assert_eq!(header(&ignored, "accept-ranges"), "");
}

#[tokio::test]
async fn a_session_can_end_between_two_ranges() {
    let simulator = Simulator::esx().build();
    simulator.write_file("[ssd] a", "0123456789");
    let client = Client::login(&simulator).await;
    simulator.inject("GET:2=expire-session".parse().unwrap());
    for status in [206, 401, 401] {
        let request = Request::get(on_ssd("a")).header("range", "bytes=0-3");
        let answer = client.send(request.body(Bytes::new()).unwrap()).await;
        assert_eq!(answer.status().as_u16(), status);
    }
}

#[tokio::test]
async fn what_does_not_fit_is_refused_with_an_empty_body() {
    let simulator = Simulator::esx().files_in_memory(1 << 20).build();
    let stores = simulator.objects("Datastore");
    for store in &stores {
        simulator.change(store, |store: &mut properties::Datastore| {
            let summary = store.summary.as_deref_mut().unwrap();
            summary.free_space = if summary.name == "ssd" {
                4
            } else {
                summary.capacity
            };
        });
    }
    let server = listen(&simulator).await;
    let wide = "/folder/wide?dcPath=ha-datacenter&dsName=datastore1";
    for (uri, pieces_of, announced, left) in [
        // The datastore is full: it is told at once, or in the middle.
        (on_ssd("five"), 1, true, None),
        (on_ssd("five"), 1, false, Some(4)),
        // The simulator is, which keeps whole blocks: three beside the file before.
        (wide.to_owned(), 3, true, Some(3 << 18)),
    ] {
        let mut line = Line::to(server.addr()).await;
        let mut request = Request::put(&uri).header("authorization", ROOT);
        if announced {
            request = request.header("content-length", pieces_of << 20);
        }
        let answer = line.send(request, pieces(pieces_of)).await.unwrap();
        assert_eq!(answer.status(), StatusCode::INSUFFICIENT_STORAGE, "{uri}");
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body.len(), 0);
        let path = match uri.contains("wide") {
            true => "[datastore1] wide",
            false => "[ssd] five",
        };
        assert_eq!(simulator.file_length(path), left);
    }
}

#[tokio::test]
async fn nonsense_is_refused() {
    let simulator = Simulator::esx().build();
    simulator.write_file("[ssd] d/a", "a");
    let long = "x".repeat(256);
    for (method, path, status) in [
        ("GET", "d/a", 200),
        ("GET", "d%2Fa", 200),
        ("GET", "/d//a/", 200),
        ("GET", "d%2Fa%", 400),
        ("GET", "d%2Fa%0", 400),
        ("GET", "d%zza", 400),
        ("GET", "%FF", 400),
        ("GET", "d%00", 400),
        ("GET", "../ssd/d/a", 404),
        ("GET", "d%2F..%2Fd%2Fa", 404),
        ("GET", &long, 404),
        ("PUT", &long, 400),
        ("PUT", &long[1..], 201),
        ("PUT", "%FF", 400),
        ("PUT", "d%00", 400),
        ("PUT", "..%2Fx", 404),
        ("PUT", "", 409),
        ("DELETE", "%", 400),
        ("DELETE", "", 409),
    ] {
        let method: Method = method.parse().unwrap();
        let answer = ask(&simulator, method.clone(), &on_ssd(path), "").await;
        assert_eq!(answer.status().as_u16(), status, "{method} {path}");
        if method == Method::PUT {
            assert!(answer.body().is_empty(), "virsh 9.0.0 crashes otherwise");
        }
    }
    for (query, status) in [
        ("dsName=ssd", 200),
        ("dcPath=%2Fha-datacenter&dsName=ssd", 200),
        ("dcPath=/ha-datacenter&dsName=ssd", 200),
        ("dcPath=%252Fha-datacenter&dsName=%2573sd", 200),
        ("dcPath=ha-datacenter", 404),
        ("dcPath=other&dsName=ssd", 404),
        ("dcPath=ha-datacenter&dsName=%", 400),
        ("", 404),
    ] {
        let uri = format!("/folder/d/a?{query}");
        let answer = ask(&simulator, Method::GET, &uri, "").await;
        assert_eq!(answer.status().as_u16(), status, "{query}");
    }
}

#[tokio::test]
async fn what_a_running_machine_writes_is_locked() {
    let simulator = Simulator::esx().build();
    let vm = simulator.vm("db01").unwrap();
    let uri = |path: &str| format!("/folder/{path}?dcPath=ha-datacenter&dsName=datastore1");
    for (power, status) in [(PoweredOn, 403), (PoweredOff, 200)] {
        simulator.set_power_state(&vm, power);
        for (path, status) in [
            // The disk has a snapshot, whose content does not change.
            ("db01%2Fdb01_1-flat.vmdk", 206),
            ("db01%2Fdb01_1-000004-delta.vmdk", status.max(206)),
            ("db01%2Fdb01_1-000004.vmdk", 206),
            ("db01%2Fdb01.vmx", 206),
        ] {
            let request = Request::get(uri(path)).header("authorization", ROOT);
            let request = request.header("range", "bytes=0-9");
            let answer = (simulator.handler())(request.body(Bytes::new()).unwrap()).await;
            assert_eq!(answer.status().as_u16(), status, "{path}");
        }
    }
    simulator.set_power_state(&vm, PoweredOn);
    let delta = uri("db01/db01_1-000004-delta.vmdk");
    let refused = ask(&simulator, Method::PUT, &delta, "x").await;
    assert_eq!((refused.status().as_u16(), refused.body().len()), (403, 0));
    assert_eq!(
        ask(&simulator, Method::DELETE, &delta, "").await.status(),
        403
    );
}

#[tokio::test]
async fn disks_of_some_datastores_have_no_files_of_their_content() {
    let simulator = Simulator::esx().build();
    let vm = simulator.vm("db01").unwrap();
    simulator.set_power_state(&vm, PoweredOff);
    for (kind, status) in [("VMFS", 200), ("vsan", 404), ("VVOL", 404), ("PMEM", 404)] {
        for store in simulator.objects("Datastore") {
            simulator.change(&store, |store: &mut properties::Datastore| {
                store.summary.as_deref_mut().unwrap().r#type = kind.to_owned();
            });
        }
        let uri = "/folder/db01/db01_1-flat.vmdk?dcPath=ha-datacenter&dsName=datastore1";
        let answer = ask(&simulator, Method::HEAD, uri, "").await;
        assert_eq!(answer.status().as_u16(), status, "{kind}");
        let descriptor = uri.replace("-flat", "");
        assert_eq!(
            ask(&simulator, Method::GET, &descriptor, "").await.status(),
            200
        );
    }
}

fn ask_for_ticket(method: &str, url: &str) -> AcquireGenericServiceTicket {
    AcquireGenericServiceTicket {
        spec: SessionManagerHttpServiceRequestSpec {
            method: Some(method.to_owned()),
            url: url.to_owned(),
            ..SessionManagerHttpServiceRequestSpec::default()
        }
        .into(),
        ..AcquireGenericServiceTicket::default()
    }
}

async fn ticket(client: &Client, method: &str, url: &str) -> (String, Option<String>) {
    let ticket = client.call(&ask_for_ticket(method, url)).await.unwrap();
    (ticket.id, ticket.host_name)
}

#[tokio::test]
async fn a_ticket_admits_one_request() {
    let simulator = Simulator::esx().build();
    simulator.write_file("[ssd] a", "0123456789");
    let client = Client::login(&simulator).await;
    let url = format!("https://esx.local{}", on_ssd("a"));
    let (id, host) = ticket(&client, "httpGet", &url).await;
    assert_eq!(host, None);
    for (method, uri, status) in [
        ("HEAD", on_ssd("a"), 401),
        ("GET", on_ssd("b"), 401),
        ("GET", on_ssd("a"), 200),
        ("GET", on_ssd("a"), 401),
    ] {
        let request = Request::builder().method(method).uri(uri);
        let request = request.header("cookie", format!("vmware_cgi_ticket={id}"));
        let answer = (simulator.handler())(request.body(Bytes::new()).unwrap()).await;
        assert_eq!(answer.status().as_u16(), status, "{method}");
    }
    for (method, url) in [("httpGet", "no url"), ("get", &*url)] {
        let request = ask_for_ticket(method, url);
        client.call(&request).await.unwrap_err();
    }
}

#[tokio::test]
async fn hosts_of_a_vcenter_have_their_files() {
    let simulator = Simulator::vcenter().build();
    let server = listen(&simulator).await;
    let hosts = simulator.listen_hosts(&server).await.unwrap();
    let references = simulator.objects("HostSystem");
    assert_eq!(hosts.len(), references.len());
    let client = Client::login(&simulator).await;
    for (own, reference) in hosts.iter().zip(&references).take(2) {
        let host: properties::HostSystem = simulator.properties(reference).unwrap();
        let network = host.config.unwrap().network.unwrap();
        let ip = network.vnic[0].spec.ip.as_ref().unwrap().ip_address.clone();
        assert_eq!(ip, Some(own.addr().ip().to_string()));
        assert_eq!(
            host.summary.unwrap().config.port,
            i32::from(server.addr().port())
        );
        let store: properties::Datastore = simulator.properties(&host.datastore[0]).unwrap();
        let name = store.base.name.unwrap();
        simulator.write_file(&format!("[{name}] a"), "0123456789");
        let target = format!("/folder/a?dsName={name}");
        let url = format!("https://{}{target}", own.addr());
        let (id, host_name) = ticket(&client, "httpGet", &url).await;
        assert_eq!(host_name, ip);
        for (at, status) in [(server.addr(), 401), (own.addr(), 200), (own.addr(), 401)] {
            let mut line = Line::to(at).await;
            let request = Request::get(&target).header("cookie", format!("vmware_cgi_ticket={id}"));
            let answer = line.send(request, whole("")).await.unwrap();
            assert_eq!(answer.status().as_u16(), status, "{at}");
        }
        let mut line = Line::to(own.addr()).await;
        let answer = line.send(Request::post("/sdk"), whole("")).await.unwrap();
        assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    }
    // With TLS, a ticket names the certificate.
    let server = simulator.listen("127.0.0.1:0", true).await.unwrap();
    let hosts = simulator.listen_hosts(&server).await.unwrap();
    let url = format!("https://{}/folder/a?dsName=x", hosts[1].addr());
    let ticket = client.call(&ask_for_ticket("httpPut", &url)).await.unwrap();
    let certificate = hosts[1].certificate().unwrap();
    assert_eq!(ticket.ssl_thumbprint, Some(certificate.sha1_thumbprint()));
    let listed = &ticket.cert_thumbprint_list[0].thumbprint;
    assert_eq!(*listed, certificate.sha256_thumbprint());
    assert!(
        Simulator::esx()
            .build()
            .listen_hosts(&server)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn files_can_be_kept_in_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let simulator = Simulator::esx()
        .files_in(folder.path(), None)
        .unwrap()
        .build();
    let put = ask(&simulator, Method::PUT, &on_ssd("a"), "0123456789").await;
    assert_eq!(put.status(), StatusCode::CREATED);
    assert_eq!(
        ask(&simulator, Method::GET, &on_ssd("a"), "").await.body(),
        "0123456789"
    );
    let left = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 0, "the file has no name");
    Simulator::esx()
        .files_in(folder.path().join("nowhere"), None)
        .unwrap_err();
}
