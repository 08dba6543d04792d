//! Files directly from the hosts of a vCenter, with tickets.

use esx_driver::vi_client::bytes::Bytes;
use esx_driver::{Connect, DatastorePath, DownloadOptions, UploadOptions, UploadSource};
use esx_sim::{Effect, Rule, Simulator};

use super::{all, content};
use crate::credentials;

/// The requests for files, and the tickets for them.
fn seen(simulator: &Simulator) -> Vec<String> {
    let requests = simulator.requests().into_iter();
    let names = requests.map(|request| request.method.unwrap_or(request.path));
    names
        .filter(|name| name.starts_with("/folder") || name.contains("Ticket"))
        .map(|name| name.split('?').next().unwrap_or_default().to_owned())
        .collect()
}

async fn move_file(connect: &Connect, path: &DatastorePath, content: &Bytes) {
    let source = UploadSource::bytes(content.clone());
    let options = UploadOptions::default().host_direct(true);
    let sent = connect.upload_file(path, None, source, options).await;
    assert_eq!(sent.unwrap().length, content.len() as u64);
    for connections in [1, 3] {
        let options = DownloadOptions::default().host_direct(true);
        let options = options.connections(connections);
        let mut download = connect.download_file(path, options).await.unwrap();
        assert!(all(&mut download).await.unwrap() == *content);
    }
}

#[tokio::test]
async fn a_ticket_opens_a_host_for_one_request() {
    let simulator = Simulator::vcenter().build();
    let server = simulator.listen("127.0.0.1:0", true).await.unwrap();
    let content = content(5 << 20);
    let connect = Connect::open(&server.uri().parse().unwrap(), &credentials()).await;
    let connect = connect.unwrap();
    let store = connect_store(&simulator, &connect);
    let path = DatastorePath::new(store, "direct.img");

    // The hosts do not listen: the file goes through the vCenter.
    move_file(&connect, &path, &content).await;
    let through = seen(&simulator);
    assert!(through.iter().any(|name| name.starts_with("/folder")));

    let _hosts = simulator.listen_hosts(&server).await.unwrap();
    simulator.clear_requests();
    move_file(&connect, &path, &content).await;
    let direct = seen(&simulator);
    let tickets = direct.iter().filter(|name| name.contains("Ticket")).count();
    assert_eq!(2 * tickets, direct.len(), "{direct:?}");

    // A vCenter that gives no tickets.
    simulator.inject(Rule::new(
        "AcquireGenericServiceTicket",
        Effect::Status(http::StatusCode::NOT_FOUND),
    ));
    move_file(&connect, &path, &content).await;
    connect.close().await.unwrap();
}

/// The name of a datastore of the connection's host.
fn connect_store(simulator: &Simulator, connect: &Connect) -> String {
    use vi_types::properties::{Datastore, HostSystem};
    let host = simulator.properties::<HostSystem>(crate::host_of(connect));
    let store = host.unwrap().datastore[0].clone();
    let store = simulator.properties::<Datastore>(&store).unwrap();
    store.name.clone().unwrap()
}
