//! The configuration files of virtual machines, as virsh reads them.

use bytes::Bytes;
use esx_sim::Simulator;
use http::{Request, Response, StatusCode};

use crate::client::Client;

async fn get(client: &Client, path: &str) -> Response<Bytes> {
    client
        .send(Request::get(path).body(Bytes::new()).unwrap())
        .await
}

fn has(response: &Response<Bytes>, line: &str) {
    let text = std::str::from_utf8(response.body()).unwrap();
    assert!(
        text.lines().any(|one| one == line),
        "{line} is not in\n{text}"
    );
}

#[tokio::test]
async fn a_configuration_is_found_by_datacenter_datastore_and_path() {
    let client = Client::login(&Simulator::esx().build()).await;
    let uri = "/folder/db01%2Fdb01.vmx?dcPath=ha-datacenter&dsName=datastore1";
    let response = get(&client, uri).await;
    assert_eq!(response.status(), 200);
    for line in [
        "config.version = \"8\"",
        "virtualHW.version = \"20\"",
        "displayName = \"db01\"",
        "guestOS = \"rhel9-64\"",
        "memSize = \"32768\"",
        "firmware = \"efi\"",
        "scsi0.virtualDev = \"pvscsi\"",
        "scsi0:1.fileName = \"db01_1.vmdk\"",
        "ethernet1.networkName = \"VM Network\"",
        "ethernet1.generatedAddress = \"00:0c:29:01:00:02\"",
    ] {
        has(&response, line);
    }
}

#[tokio::test]
async fn a_datacenter_in_folders_has_a_path_and_names_may_be_encoded_twice() {
    let client = Client::login(&Simulator::vcenter().build()).await;
    let name = "paris-build-ci%2Fparis-build-ci.vmx";
    for (datacenter, status) in [
        ("Europe%2FParis", StatusCode::OK),
        ("Europe%252FParis", StatusCode::OK),
        ("Paris", StatusCode::NOT_FOUND),
        ("Berlin", StatusCode::NOT_FOUND),
    ] {
        let uri = format!("/folder/{name}?dcPath={datacenter}&dsName=esx-01.paris-local");
        assert_eq!(get(&client, &uri).await.status(), status, "{datacenter}");
    }
}

#[tokio::test]
async fn nobody_reads_files_without_a_session() {
    let client = Client::connect(&Simulator::esx().build()).await;
    let uri = "/folder/db01%2Fdb01.vmx?dcPath=ha-datacenter&dsName=datastore1";
    assert_eq!(get(&client, uri).await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn other_files_are_not_there() {
    let client = Client::login(&Simulator::esx().build()).await;
    for uri in [
        "/folder/",
        "/folder/db01%2Fdb01.vmdk?dcPath=ha-datacenter&dsName=datastore1",
        "/folder/db01%2Fdb01.vmx?dcPath=ha-datacenter&dsName=ssd",
        "/folder/db01%2Fdb01.vmx",
        "/folder/db01%2Fdb01.vmx?nonsense",
    ] {
        assert_eq!(
            get(&client, uri).await.status(),
            StatusCode::NOT_FOUND,
            "{uri}"
        );
    }
}
