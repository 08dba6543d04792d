//! How long it takes to make a server, and to answer the largest questions.

use bytes::Bytes;
use divan::counter::BytesCount;
use esx_sim::Simulator;
use http::Request;
use http::header::{COOKIE, SET_COOKIE};
use vi_types::methods::{Login, RetrievePropertiesEx};
use vi_types::objects::{
    ObjectSpec, PropertyFilterSpec, PropertySpec, SelectionSpec, TraversalSpec,
};
use vi_types::{ManagedObjectReference, wire};

fn main() {
    divan::main();
}

#[divan::bench(args = [1_000, 5_000], sample_count = 10, sample_size = 1)]
fn make(vms: usize) -> Simulator {
    Simulator::esx().vms(vms).build()
}

/// What a list of all virtual machines needs of each.
const LIST: &[&str] = &["configStatus", "name", "config.uuid", "runtime.powerState"];
/// What a full inventory reads of each.
const FULL: &[&str] = &["config", "runtime", "guest", "summary"];

#[divan::bench(args = [1_000, 5_000], sample_count = 10, sample_size = 1)]
fn list(bencher: divan::Bencher<'_, '_>, vms: usize) {
    retrieve(bencher, vms, LIST);
}

#[divan::bench(args = [1_000, 5_000], sample_count = 10, sample_size = 1)]
fn full(bencher: divan::Bencher<'_, '_>, vms: usize) {
    retrieve(bencher, vms, FULL);
}

fn retrieve(bencher: divan::Bencher<'_, '_>, vms: usize, paths: &[&str]) {
    let asking = Asking::new(vms);
    let bytes = asking.ask(paths).len();
    bencher
        .counter(BytesCount::new(bytes))
        .bench(|| asking.ask(paths));
}

/// A client who is logged in.
struct Asking {
    simulator: Simulator,
    runtime: tokio::runtime::Runtime,
    cookie: String,
}

impl Asking {
    #[expect(clippy::unwrap_used, reason = "a bench that cannot go on may panic")]
    fn new(vms: usize) -> Self {
        let simulator = Simulator::esx().vms(vms).record(false).build();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let login = Login {
            user_name: simulator.user().to_owned(),
            password: simulator.password().to_owned(),
            ..Login::default()
        };
        let manager = ManagedObjectReference::new("SessionManager", "ha-sessionmgr");
        let body = Bytes::from(wire::encode_request(&login, &manager));
        let request = Request::post("/sdk").body(body).unwrap();
        let response = runtime.block_on((simulator.handler())(request));
        let cookie = response.headers()[SET_COOKIE].to_str().unwrap().to_owned();
        Self {
            simulator,
            runtime,
            cookie,
        }
    }

    #[expect(clippy::unwrap_used, reason = "a bench that cannot go on may panic")]
    fn ask(&self, paths: &[&str]) -> Bytes {
        let collector = ManagedObjectReference::new("PropertyCollector", "ha-property-collector");
        let request = RetrievePropertiesEx {
            spec_set: vec![PropertyFilterSpec {
                prop_set: vec![PropertySpec {
                    r#type: "VirtualMachine".to_owned(),
                    path_set: paths.iter().map(|path| (*path).to_owned()).collect(),
                    ..PropertySpec::default()
                }],
                object_set: vec![ObjectSpec {
                    obj: ManagedObjectReference::new("HostSystem", "ha-host"),
                    skip: Some(true),
                    select_set: vec![
                        TraversalSpec {
                            base: SelectionSpec::default(),
                            r#type: "HostSystem".to_owned(),
                            path: "vm".to_owned(),
                            ..TraversalSpec::default()
                        }
                        .into(),
                    ],
                    ..Default::default()
                }],
                ..PropertyFilterSpec::default()
            }],
            ..RetrievePropertiesEx::default()
        };
        let request = Request::post("/sdk")
            .header(COOKIE, &self.cookie)
            .body(Bytes::from(wire::encode_request(&request, &collector)))
            .unwrap();
        let response = self.runtime.block_on((self.simulator.handler())(request));
        assert_eq!(response.status(), 200);
        response.into_body()
    }
}
