//! The driver against the simulator, in one process and over TLS.

#![expect(
    clippy::unwrap_used,
    reason = "clippy allows it in tests, not in what they share"
)]

mod answers;
mod attach_networks;
mod clones;
mod definitions;
mod devices;
mod distributed_interfaces;
mod domains;
mod event_model;
mod events;
mod history;
mod host_systems;
mod interfaces;
mod kinds;
mod large_vcenter;
mod listing;
mod looking;
mod maintenance;
mod matching;
mod metadata;
mod migrate;
mod monitor;
mod names;
mod network_changes;
mod networks;
mod node;
mod node_devices;
mod noun_events;
mod open;
mod positions;
mod reasons;
mod redefine;
mod registrations;
mod reliability;
mod removal;
mod round_trips;
mod secrets;
mod since;
mod snapshots;
mod storage_pools;
mod storage_volumes;
mod tasks;
mod tls;
mod transfers;
mod tuning;
mod vcenter;

use esx_driver::{
    Connect, Error, EsxUri, OpenOptions,
    auth::{AuthFileSearch, Credentials},
    vi_client::transport::InProcess,
};
use esx_sim::Simulator;
use futures_util::FutureExt as _;
use vi_types::ManagedObjectReference;

/// The simulator's password; the user is the usual one.
fn credentials() -> Credentials {
    Credentials {
        username: None,
        password: "password".into(),
    }
}

/// A connection to `simulator` by a URI whose server part does not matter.
async fn open(simulator: &Simulator, uri: &str) -> Result<Connect, Error> {
    open_over(InProcess::new(simulator.handler()), uri).await
}

/// A connection over a test's own transport. The host has been looked for, so that what a test asks for is all that is
/// asked.
async fn open_over(transport: InProcess, uri: &str) -> Result<Connect, Error> {
    let connect = open_only(transport, uri).await?;
    match connect.host_system().await {
        Ok(_) => Ok(connect),
        Err(error) => {
            connect.close().await?;
            Err(error)
        }
    }
}

/// A connection as it is when it has been opened.
async fn open_only(transport: InProcess, uri: &str) -> Result<Connect, Error> {
    let uri: EsxUri = uri.parse()?;
    OpenOptions::new(&credentials())
        .auth_files(AuthFileSearch::default())
        .transport(transport)
        .open(&uri)
        .await
}

/// The host of a connection that knows it.
#[track_caller]
fn host_of(connect: &Connect) -> &ManagedObjectReference {
    connect.host_system().now_or_never().unwrap().unwrap()
}

/// A connection to a simulated host with a handful of domains.
async fn host() -> (Simulator, Connect) {
    let simulator = Simulator::esx().build();
    let connect = open(&simulator, "esx://esx.example.com/").await.unwrap();
    simulator.clear_requests();
    (simulator, connect)
}

/// The VI methods called so far, in order.
fn methods(simulator: &Simulator) -> Vec<String> {
    let requests = simulator.requests();
    requests
        .into_iter()
        .map(|request| request.method.unwrap_or(request.path))
        .collect()
}

/// The error's text, as virsh would print it.
#[track_caller]
fn text<T>(result: Result<T, Error>) -> String {
    match result {
        Ok(_) => panic!("it worked"),
        Err(error) => error.to_string(),
    }
}

/// The error of a property that the user may not read, with the server's reason.
fn unreadable(path: &str, object: &str) -> String {
    format!(
        "internal error: Missing '{path}' property of {object}: the server does not give it: NoPermission (object: {object}, \
         privilegeId: System.Read) - Permission to perform this operation was denied."
    )
}
