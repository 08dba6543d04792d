//! What a watch of 10,000 machines costs the client, without a network: decoding, comparing, typed properties, the shared
//! snapshot. A sample is one answer of the server.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use http::{Request, Response};
use vi_client::retrieve::Retrieve;
use vi_client::transport::{BoxFuture, InProcess};
use vi_client::{Client, ObjectWatch, Options, property_set};
use vi_types::ManagedObjectReference;
use vi_types::enums::VirtualMachinePowerState;

fn main() {
    divan::main();
}

property_set! {
    struct Machine: VirtualMachine {
        name: String = name,
        state: VirtualMachinePowerState = runtime.power_state,
        uuid: Option<String> = config.uuid,
        instance_uuid: Option<String> = config.instance_uuid,
        annotation: Option<String> = config.annotation,
        memory: Option<i32> = config.hardware.memory_mb,
        host: Option<ManagedObjectReference> = runtime.host,
    }
}

const MACHINES: usize = 10_000;

/// Everything is told, as at the beginning or after a restart of the server.
#[divan::bench(sample_count = 10)]
fn all_objects(bencher: divan::Bencher<'_, '_>) {
    let server = Server::new(20);
    bencher.bench_local(|| {
        server.run(async |client| {
            let mut watch = watch(&client).await;
            watch
                .next_changes()
                .await
                .map_or(0, |changes| changes.len())
        })
    });
}

/// `args` machines have changed their power state. At 1,000 changes a second and 50 answers a second, an answer has 20.
#[divan::bench(args = [1, 20, 1000], sample_count = 50)]
fn changes(bencher: divan::Bencher<'_, '_>, changed: usize) {
    let server = Server::new(changed);
    let Some(runtime) = &server.runtime else {
        return;
    };
    let Some(client) = server.run(async |client| client) else {
        return;
    };
    let mut watch = runtime.block_on(async {
        let mut watch = watch(&client).await;
        let _ = watch.next_changes().await;
        watch
    });
    bencher.bench_local(|| {
        let changes = runtime.block_on(watch.next_changes());
        assert!(changes.is_ok_and(|changes| changes.len() == changed));
    });
}

async fn watch(client: &Client) -> ObjectWatch<Machine> {
    let root = ManagedObjectReference::new("Folder", "group-d1");
    match client.watch_set::<Machine>(Retrieve::from(&root)).await {
        Ok(watch) => watch,
        Err(error) => panic!("{error}"),
    }
}

/// A server whose machines go on and off.
struct Server {
    runtime: Option<tokio::runtime::Runtime>,
    all: Bytes,
    on: Bytes,
    off: Bytes,
}

impl Server {
    fn new(changed: usize) -> Self {
        // Time is paused, so that the pace of asking is not measured.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build();
        let changes = |state| {
            let change = change("runtime.powerState", "VirtualMachinePowerState", state);
            (0..changed)
                .map(|vm| object(vm, "modify", &change))
                .collect::<String>()
        };
        let enter = (0..MACHINES).map(|vm| {
            let changes = [
                change("name", "xsd:string", &format!("machine {vm}")),
                change(
                    "runtime.powerState",
                    "VirtualMachinePowerState",
                    "poweredOff",
                ),
                change(
                    "config.uuid",
                    "xsd:string",
                    &format!("564d1234-0000-0000-0000-{vm:012}"),
                ),
                change(
                    "config.instanceUuid",
                    "xsd:string",
                    &format!("524d1234-0000-0000-0000-{vm:012}"),
                ),
                change(
                    "config.annotation",
                    "xsd:string",
                    "A machine whose purpose is described here",
                ),
                change("config.hardware.memoryMB", "xsd:int", "4096"),
                "<changeSet><name>runtime.host</name><op>assign</op><val type=\"HostSystem\" \
                 xsi:type=\"ManagedObjectReference\">host-10</val></changeSet>"
                    .to_owned(),
            ];
            object(vm, "enter", &changes.concat())
        });
        Self {
            runtime: runtime.ok(),
            all: answer("1", &enter.collect::<String>()),
            on: answer("2", &changes("poweredOn")),
            off: answer("3", &changes("poweredOff")),
        }
    }

    fn run<T>(&self, with: impl AsyncFnOnce(Client) -> T) -> Option<T> {
        let is_on = Arc::new(AtomicBool::new(false));
        let (all, on, off) = (self.all.clone(), self.on.clone(), self.off.clone());
        let transport = InProcess::new(move |request: Request<Bytes>| -> BoxFuture<'static, _> {
            let has = |part: &[u8]| contains(request.body(), part);
            let body = if has(b"RetrieveServiceContent") {
                service_content()
            } else if has(b"CreatePropertyCollector") {
                reference("CreatePropertyCollector", "PropertyCollector")
            } else if has(b"CreateFilter") {
                reference("CreateFilter", "PropertyFilter")
            } else if has(b"<version></version>") || has(b"<version/>") {
                all.clone()
            } else if has(b"WaitForUpdatesEx") {
                match is_on.fetch_xor(true, Ordering::Relaxed) {
                    false => on.clone(),
                    true => off.clone(),
                }
            } else {
                soap("<DestroyPropertyCollectorResponse xmlns=\"urn:vim25\"/>")
            };
            Box::pin(async move { Response::new(body) })
        });
        self.runtime.as_ref()?.block_on(async {
            let client = Client::connect(transport, Options::default()).await.ok()?;
            Some(with(client).await)
        })
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

fn object(vm: usize, kind: &str, changes: &str) -> String {
    format!(
        "<objectSet><kind>{kind}</kind><obj type=\"VirtualMachine\">vm-{vm}</obj>{changes}</objectSet>"
    )
}

fn change(name: &str, ty: &str, val: &str) -> String {
    format!(
        "<changeSet><name>{name}</name><op>assign</op><val xsi:type=\"{ty}\">{val}</val></changeSet>"
    )
}

fn answer(version: &str, objects: &str) -> Bytes {
    soap(&format!(
        "<WaitForUpdatesExResponse xmlns=\"urn:vim25\"><returnval><version>{version}</version><filterSet>\
         <filter type=\"PropertyFilter\">one</filter>{objects}</filterSet></returnval></WaitForUpdatesExResponse>"
    ))
}

fn reference(method: &str, ty: &str) -> Bytes {
    soap(&format!(
        "<{method}Response xmlns=\"urn:vim25\"><returnval type=\"{ty}\">one</returnval></{method}Response>"
    ))
}

fn soap(body: &str) -> Bytes {
    Bytes::from(format!(
        "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"
    ))
}

fn service_content() -> Bytes {
    soap(
        "<RetrieveServiceContentResponse xmlns=\"urn:vim25\"><returnval><rootFolder type=\"Folder\">group-d1</rootFolder>\
         <propertyCollector type=\"PropertyCollector\">propertyCollector</propertyCollector>\
         <about><name>VMware vCenter Server</name><fullName>VMware vCenter Server 8.0.1</fullName>\
         <vendor>VMware, Inc.</vendor><version>8.0.1</version><build>1</build><osType>linux-x64</osType>\
         <productLineId>vpx</productLineId><apiType>VirtualCenter</apiType><apiVersion>8.0.1.0</apiVersion></about>\
         </returnval></RetrieveServiceContentResponse>",
    )
}
