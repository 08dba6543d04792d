//! How long it takes until a waiting client knows of a change, and how long random changes take, by the number of machines.

use bytes::Bytes;
use divan::Bencher;
use esx_sim::{Churn, Simulator};
use http::Request;
use http::header::{COOKIE, SET_COOKIE};
use tokio::runtime::Runtime;
use vi_types::methods::{CreateContainerView, CreateFilter, Login, WaitForUpdatesEx};
use vi_types::objects::{
    ObjectSpec, PropertyFilterSpec, PropertySpec, SelectionSpec, TraversalSpec, UpdateSet,
};
use vi_types::wire::{self, Limits};
use vi_types::{ManagedObjectReference, Method};

fn main() {
    divan::main();
}

/// One change, and an answer to each of five clients who watch all machines.
#[divan::bench(args = [100, 10_000], sample_count = 50, sample_size = 1)]
fn change_and_answers(bencher: Bencher<'_, '_>, vms: usize) {
    let simulator = Simulator::vcenter().vms(vms).record(false).build();
    let mut churn = Churn::new(1.0);
    let mut clients: Vec<_> = (0..5).map(|_| Watching::new(&simulator)).collect();
    bencher.bench_local(|| {
        if let Some(change) = churn.next(&simulator) {
            let _ = simulator.apply(&change);
        }
        clients.iter_mut().map(Watching::wait).sum::<usize>()
    });
}

/// One change that nobody watches.
#[divan::bench(args = [100, 10_000], sample_count = 50, sample_size = 1)]
fn change(bencher: Bencher<'_, '_>, vms: usize) {
    let simulator = Simulator::vcenter().vms(vms).record(false).build();
    let mut churn = Churn::new(1.0);
    bencher.bench_local(|| {
        let change = churn.next(&simulator)?;
        simulator.apply(&change).ok()
    });
}

/// A client with a filter for all machines.
struct Watching {
    simulator: Simulator,
    runtime: Runtime,
    cookie: String,
    version: String,
}

#[expect(clippy::unwrap_used, reason = "a bench that cannot go on may panic")]
impl Watching {
    fn new(simulator: &Simulator) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread();
        let mut watching = Self {
            simulator: simulator.clone(),
            runtime: { runtime }.build().unwrap(),
            cookie: String::new(),
            version: String::new(),
        };
        let login = Login {
            user_name: simulator.user().to_owned(),
            password: simulator.password().to_owned(),
            ..Login::default()
        };
        watching.call("SessionManager", &login);
        let view = CreateContainerView {
            container: ManagedObjectReference::new("Folder", "group-d1"),
            r#type: vec!["VirtualMachine".to_owned()],
            recursive: true,
            ..CreateContainerView::default()
        };
        let view = watching.call("ViewManager", &view);
        let step = TraversalSpec {
            base: SelectionSpec::default(),
            r#type: "ContainerView".to_owned(),
            path: "view".to_owned(),
            ..TraversalSpec::default()
        };
        let filter = CreateFilter {
            spec: PropertyFilterSpec {
                prop_set: vec![PropertySpec {
                    r#type: "VirtualMachine".to_owned(),
                    path_set: ["name", "runtime.powerState", "config.annotation"]
                        .map(str::to_owned)
                        .to_vec(),
                    ..PropertySpec::default()
                }],
                object_set: vec![ObjectSpec {
                    obj: view,
                    skip: Some(true),
                    select_set: vec![step.into()],
                    ..ObjectSpec::default()
                }],
                ..PropertyFilterSpec::default()
            },
            partial_updates: false,
            ..CreateFilter::default()
        };
        watching.call("PropertyCollector", &filter);
        watching.wait();
        watching
    }

    /// Number of objects with news.
    fn wait(&mut self) -> usize {
        let request = WaitForUpdatesEx {
            version: Some(self.version.clone()),
            options: Some(
                vi_types::objects::WaitOptions {
                    max_wait_seconds: Some(0),
                    ..Default::default()
                }
                .into(),
            ),
            ..WaitForUpdatesEx::default()
        };
        let set: Option<Box<UpdateSet>> = self.call("PropertyCollector", &request);
        let Some(set) = set else {
            return 0;
        };
        self.version.clone_from(&set.version);
        set.filter_set.iter().map(|set| set.object_set.len()).sum()
    }

    fn call<M: Method>(&mut self, on: &str, request: &M) -> M::Output {
        let on = self.simulator.objects(on).remove(0);
        let body = wire::encode_request(request, &on);
        let request = Request::post("/sdk")
            .header("SOAPAction", "\"urn:vim25/8.0.0.0\"")
            .header(COOKIE, &self.cookie);
        let request = request.body(Bytes::from(body)).unwrap();
        let answer = self.runtime.block_on((self.simulator.handler())(request));
        if let Some(cookie) = answer.headers().get(SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next();
            self.cookie = pair.unwrap().to_owned();
        }
        let decoded = wire::decode_response::<M>(answer.body(), Limits::default());
        decoded.unwrap().returnval
    }
}
