//! Files on datastores: down from the simulator, up to a server of the test's own.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use esx_sim::Simulator;
use http::{Method, Request, Response, StatusCode};
use vi_client::transport::{BoxFuture, InProcess};
use vi_client::{Client, DatastoreFile, Error, Limits, Options};

/// A simulator whose answers to requests about files are the test's.
fn spoiled(
    simulator: &Simulator,
    answer: impl Fn(&Request<Bytes>) -> StatusCode + Send + Sync + 'static,
) -> InProcess {
    let handler = simulator.handler();
    InProcess::new(move |request| -> BoxFuture<'static, Response<Bytes>> {
        if !request.uri().path().starts_with("/folder/") {
            return Box::pin(handler(request));
        }
        let mut response = Response::new(Bytes::from_static(b"text"));
        *response.status_mut() = answer(&request);
        Box::pin(async { response })
    })
}

async fn login(simulator: &Simulator, transport: InProcess) -> Client {
    let options = Options::default().limits(Limits::default().largest_answer(1 << 20));
    let client = Client::connect(transport, options).await.unwrap();
    let user = simulator.user();
    client.login(user, simulator.password()).await.unwrap();
    client
}

fn file(path: &str) -> DatastoreFile {
    DatastoreFile {
        datacenter_path: "ha-datacenter".to_owned(),
        datastore: "datastore1".to_owned(),
        path: path.to_owned(),
    }
}

#[tokio::test]
async fn a_file_comes_down() {
    let simulator = Simulator::esx().build();
    let client = login(&simulator, InProcess::new(simulator.handler())).await;
    let text = client.download(&file("db01/db01.vmx")).await.unwrap();
    let text = String::from_utf8(text.to_vec()).unwrap();
    assert!(text.contains("displayName = \"db01\""), "{text}");
    let error = client.download(&file("db01/no.vmx")).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "HTTP response code 404 for download from \
         '/folder/db01/no.vmx?dcPath=ha-datacenter&dsName=datastore1' (Not Found)"
    );
    client.close().await.unwrap();
    let closed = client.download(&file("db01/db01.vmx")).await;
    assert!(matches!(closed, Err(Error::Closed { .. })));
}

#[tokio::test]
async fn a_file_goes_up_whole() {
    let simulator = Simulator::esx().build();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let requests = Arc::clone(&seen);
    let transport = spoiled(&simulator, move |request| {
        let seen = (
            request.method().clone(),
            request.uri().to_string(),
            request.body().clone(),
        );
        requests.lock().unwrap().push(seen);
        StatusCode::CREATED
    });
    let client = login(&simulator, transport).await;
    let content = Bytes::from_static(b".encoding = \"UTF-8\"\n");
    client
        .upload(&file("a b/c.vmx"), content.clone())
        .await
        .unwrap();
    let uri = "/folder/a%20b/c.vmx?dcPath=ha-datacenter&dsName=datastore1";
    let expected = (Method::PUT, uri.to_owned(), content);
    assert_eq!(*seen.lock().unwrap(), [expected]);
    client.close().await.unwrap();
}

#[tokio::test]
async fn an_ended_session_is_renewed_once() {
    for (refusals, succeeds) in [(1, true), (2, false)] {
        let simulator = Simulator::esx().build();
        let left = Mutex::new(refusals);
        let transport = spoiled(&simulator, move |_| {
            let mut left = left.lock().unwrap();
            if *left == 0 {
                return StatusCode::OK;
            }
            *left -= 1;
            StatusCode::UNAUTHORIZED
        });
        let client = login(&simulator, transport).await;
        let result = client.upload(&file("a/b.vmx"), Bytes::new()).await;
        match result {
            Ok(()) => assert!(succeeds),
            Err(Error::File { status: 401, .. }) => assert!(!succeeds),
            Err(error) => panic!("{error}"),
        }
        client.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_server_that_refuses_says_why() {
    let simulator = Simulator::esx().build();
    let transport = spoiled(&simulator, |_| StatusCode::INSUFFICIENT_STORAGE);
    let client = login(&simulator, transport).await;
    let error = client.upload(&file("a/b.vmx"), Bytes::new()).await;
    assert_eq!(
        error.unwrap_err().to_string(),
        "HTTP response code 507 for upload to \
         '/folder/a/b.vmx?dcPath=ha-datacenter&dsName=datastore1' (Insufficient Storage)"
    );
    client.close().await.unwrap();
}
