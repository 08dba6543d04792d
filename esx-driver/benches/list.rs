//! What listing the domains of a host costs: open, list, close.
//!
//! `client` gets answers that were recorded before, so that its time is what the client side needs;
//! `simulator` has the simulator make them, in the same process.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use bytes::Bytes;
use divan::Bencher;
use esx_driver::{
    EsxUri, OpenOptions,
    auth::{AuthFileSearch, Credentials},
    vi_client::transport::{BoxFuture, InProcess},
    virt_model::DomainFilter,
};
use esx_sim::Simulator;
use http::{Request, Response};
use tokio::runtime::{Builder, Runtime};

fn main() {
    divan::main();
}

const VMS: &[usize] = &[10, 1000, 5000];

#[divan::bench(args = VMS)]
fn client(bencher: Bencher<'_, '_>, vms: usize) {
    let runtime = runtime();
    let answers = Arc::new(runtime.block_on(record(vms)));
    let next = Arc::new(AtomicUsize::new(0));
    let handler = move |_: Request<Bytes>| -> BoxFuture<'static, Response<Bytes>> {
        let at = next.fetch_add(1, Ordering::Relaxed) % answers.len();
        let answer = answers[at].clone();
        Box::pin(async move { answer })
    };
    bencher.bench_local(|| runtime.block_on(list(InProcess::new(handler.clone()), vms)));
}

#[divan::bench(args = VMS)]
fn simulator(bencher: Bencher<'_, '_>, vms: usize) {
    let runtime = runtime();
    let simulator = Simulator::esx().vms(vms).record(false).build();
    bencher.bench_local(|| runtime.block_on(list(InProcess::new(simulator.handler()), vms)));
}

/// Opens a connection, lists its domains and closes it.
async fn list(transport: InProcess, vms: usize) {
    let known = Credentials {
        username: None,
        password: "password".into(),
    };
    let uri: EsxUri = done("esx://h/".parse());
    let connect = done(
        OpenOptions::new(&known)
            .auth_files(AuthFileSearch::default())
            .transport(transport)
            .open(&uri)
            .await,
    );
    let list = done(connect.list_all_domains(DomainFilter::NONE).await);
    assert_eq!(list.domains.len(), vms);
    done(connect.close().await);
}

/// The answers to one [`list`], in order.
async fn record(vms: usize) -> Vec<Response<Bytes>> {
    let simulator = Simulator::esx().vms(vms).record(false).build();
    let answers = Arc::new(std::sync::Mutex::new(Vec::new()));
    let (handler, kept) = (simulator.handler(), Arc::clone(&answers));
    let transport = InProcess::new(move |request| {
        let (answer, kept) = (handler(request), Arc::clone(&kept));
        Box::pin(async move {
            let answer = answer.await;
            if let Ok(mut kept) = kept.lock() {
                kept.push(answer.clone());
            }
            answer
        })
    });
    list(transport, vms).await;
    let answers = answers.lock().map(|answers| answers.clone());
    answers.unwrap_or_default()
}

fn runtime() -> Runtime {
    done(Builder::new_current_thread().enable_all().build())
}

/// A benchmark that fails tells nothing.
fn done<T, E: std::fmt::Display>(result: Result<T, E>) -> T {
    result.unwrap_or_else(|error| panic!("{error}"))
}
