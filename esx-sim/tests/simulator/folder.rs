//! The configuration files of virtual machines, as virsh reads them.

use std::collections::BTreeSet;

use bytes::Bytes;
use esx_sim::{DatastoreKind, NewDatastore, Rule, Simulator};
use http::{Request, Response, StatusCode};
use vi_types::enums::VirtualMachinePowerState::PoweredOn;
use vi_types::methods::SearchDatastoreTask;
use vi_types::objects::{
    HostDatastoreBrowserSearchResults, VirtualDeviceFileBackingInfo, VirtualMachineConfigInfo,
};
use vi_types::properties;

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
        "scsi0:1.fileName = \"db01_1-000004.vmdk\"",
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

/// Where the configuration of `db01` is.
const DB01: &str = "/folder/db01%2Fdb01.vmx?dcPath=ha-datacenter&dsName=datastore1";

async fn send(client: &Client, method: &str, uri: &str, body: &'static str) -> Response<Bytes> {
    let request = Request::builder().method(method).uri(uri);
    client
        .send(request.body(Bytes::from_static(body.as_bytes())).unwrap())
        .await
}

fn header<'a>(response: &'a Response<Bytes>, name: &str) -> &'a str {
    response
        .headers()
        .get(name)
        .map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn whoever_gets_files_logged_in_or_says_who_he_is() {
    let client = Client::connect(&Simulator::esx().build()).await;
    let refused = get(&client, DB01).await;
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    assert!(header(&refused, "www-authenticate").starts_with("Basic "));

    let with = |name: &'static str, value: String| {
        let request = Request::get(DB01).header(name, value);
        (client.simulator.handler())(request.body(Bytes::new()).unwrap())
    };
    // root:password and root:wrong
    for (given, status) in [
        ("Basic cm9vdDpwYXNzd29yZA==", StatusCode::OK),
        ("basic cm9vdDpwYXNzd29yZA==", StatusCode::OK),
        ("Basic cm9vdDp3cm9uZw==", StatusCode::UNAUTHORIZED),
        ("Basic nonsense", StatusCode::UNAUTHORIZED),
        ("Bearer cm9vdDpwYXNzd29yZA==", StatusCode::UNAUTHORIZED),
    ] {
        let response = with("authorization", given.to_owned()).await;
        assert_eq!(response.status(), status, "{given}");
    }
    let response = with("authorization", "Basic cm9vdDpwYXNzd29yZA==".to_owned()).await;
    let cookie = header(&response, "set-cookie").split(';').next().unwrap();
    assert!(cookie.starts_with("vmware_soap_session="), "{cookie}");
    let again = with("cookie", cookie.to_owned()).await;
    assert_eq!(again.status(), StatusCode::OK);
    assert_eq!(header(&again, "set-cookie"), "");
    for other in ["vmware_cgi_ticket=other", "vmware_soap_session=other"] {
        let other = with("cookie", other.to_owned()).await;
        assert_eq!(other.status(), StatusCode::UNAUTHORIZED);
    }
    assert_eq!(client.simulator.sessions(), 3, "every login is one");
}

#[tokio::test]
async fn other_files_are_not_there() {
    let client = Client::login(&Simulator::esx().build()).await;
    for uri in [
        "/folder/db01%2Fother.vmdk?dcPath=ha-datacenter&dsName=datastore1",
        "/folder/db01%2Fdb01.vmx?dcPath=ha-datacenter&dsName=ssd",
        "/folder/db01%2Fdb01.vmx?dcPath=other&dsName=datastore1",
        "/folder/db01%2Fdb01.vmx",
        "/folder/db01%2Fdb01.vmx?nonsense",
        "/folder/db01%2F..%2Fdb01%2Fdb01.vmx?dcPath=ha-datacenter&dsName=datastore1",
        "/folder?dcPath=other",
        "/folders",
    ] {
        assert_eq!(
            get(&client, uri).await.status(),
            StatusCode::NOT_FOUND,
            "{uri}"
        );
    }
}

#[tokio::test]
async fn folders_show_what_is_in_them() {
    let client = Client::login(&Simulator::vcenter().build()).await;
    let paris = "dcPath=Europe%2FParis&dsName=esx-01.paris-local";
    for (uri, link) in [
        (
            "/folder".to_owned(),
            "<a href=\"/folder?dcPath=Europe%2FParis\">Europe/Paris</a>",
        ),
        (
            "/folder/?dcPath=Europe%2FParis".to_owned(),
            "<a href=\"/folder?dcPath=Europe%2FParis&amp;dsName=esx-01.paris-local\">esx-01.paris-local</a>",
        ),
        (
            format!("/folder?{paris}"),
            "<a href=\"/folder/paris-build-ci/?dcPath=Europe%2FParis&amp;dsName=esx-01.paris-local\">paris-build-ci/</a>",
        ),
        (
            format!("/folder/paris-build-ci/?{paris}"),
            "<a href=\"/folder/paris-build-ci%2Fparis-build-ci.vmx?dcPath=Europe%2FParis&amp;\
             dsName=esx-01.paris-local\">paris-build-ci.vmx</a>",
        ),
    ] {
        let response = get(&client, &uri).await;
        assert_eq!(response.status(), 200, "{uri}");
        assert_eq!(
            header(&response, "content-type"),
            "text/html; charset=utf-8"
        );
        let page = std::str::from_utf8(response.body()).unwrap();
        assert!(page.contains(link), "{uri}\n{page}");
    }
}

#[tokio::test]
async fn parts_of_files_can_be_had() {
    let client = Client::login(&Simulator::esx().build()).await;
    client.simulator.write_file("[ssd] a/b", "0123456789");
    let uri = "/folder/a%2Fb?dcPath=ha-datacenter&dsName=ssd";
    for (range, status, body, content_range) in [
        ("bytes=2-4", 206, "234", "bytes 2-4/10"),
        ("bytes=7-", 206, "789", "bytes 7-9/10"),
        ("bytes=-2", 206, "89", "bytes 8-9/10"),
        ("bytes=10-", 416, "there is no such range", "bytes */10"),
        ("bytes=4-2", 200, "0123456789", ""),
    ] {
        let request = Request::get(uri).header("range", range);
        let response = client.send(request.body(Bytes::new()).unwrap()).await;
        assert_eq!(response.status().as_u16(), status, "{range}");
        assert_eq!(response.body(), body, "{range}");
        assert_eq!(header(&response, "content-range"), content_range, "{range}");
    }
    let whole = send(&client, "HEAD", uri, "").await;
    assert_eq!(whole.status(), 200);
    assert_eq!(header(&whole, "content-length"), "10");
    assert_eq!(header(&whole, "accept-ranges"), "bytes");
    assert!(whole.body().is_empty());
}

#[tokio::test]
async fn what_is_on_a_disk_is_there_in_parts() {
    let client = Client::login(&Simulator::esx().build()).await;
    let uri = "/folder/db01%2Fdb01-flat.vmdk?dcPath=ha-datacenter&dsName=datastore1";
    let head = send(&client, "HEAD", uri, "").await;
    assert_eq!(header(&head, "content-length"), (64_u64 << 30).to_string());
    let request = Request::get(uri).header("range", "bytes=34359738368-34359738371");
    let part = client.send(request.body(Bytes::new()).unwrap()).await;
    assert_eq!(part.status(), 206);
    assert_eq!(part.body(), &[0; 4][..]);
    let whole = get(&client, uri).await;
    assert_eq!(whole.status(), StatusCode::INSUFFICIENT_STORAGE);
}

#[tokio::test]
async fn files_are_written_and_taken_away() {
    let client = Client::login(&Simulator::esx().build()).await;
    let uri = |path: &str| format!("/folder/{path}?dcPath=ha-datacenter&dsName=ssd");
    for (method, path, body, status) in [
        ("PUT", "web01/new", "one", 201),
        ("GET", "web01%2Fnew", "", 200),
        ("PUT", "web01%2Fnew", "two", 200),
        ("PUT", "nowhere/new", "one", 404),
        ("PUT", "web01", "one", 409),
        ("DELETE", "web01", "", 409),
        ("DELETE", "web01/new", "", 204),
        ("DELETE", "web01/new", "", 404),
        ("GET", "web01/new", "", 404),
        ("POST", "web01/new", "", 405),
    ] {
        let response = send(&client, method, &uri(path), body).await;
        assert_eq!(response.status().as_u16(), status, "{method} {path}");
    }
    let gone = "/folder/x?dcPath=ha-datacenter&dsName=other";
    assert_eq!(send(&client, "PUT", gone, "one").await.status(), 404);
}

#[tokio::test]
async fn a_written_configuration_changes_its_machine() {
    let simulator = Simulator::esx().build();
    let client = Client::login(&simulator).await;
    let vm = simulator.vm("db01").unwrap();
    let before = get(&client, DB01).await.into_body();
    let before = String::from_utf8(before.to_vec()).unwrap();
    let edited = before
        .replace("memSize = \"32768\"", "memsize = 1024")
        .replace(
            "numvcpus = \"8\"",
            "numvcpus = \"2\"\n# by hand\nunknown.key = \"x\"",
        );
    simulator.write_file("[datastore1] db01/db01.vmx", edited.clone());
    assert_eq!(get(&client, DB01).await.body(), edited.as_bytes());
    let machine: properties::VirtualMachine = simulator.properties(&vm).unwrap();
    let config = machine.config.unwrap();
    assert_eq!(config.hardware.memory_mb, 1024);
    assert_eq!(config.hardware.num_cpu, 2);
    let summary = machine.summary.unwrap().config;
    assert_eq!(summary.memory_size_mb, Some(1024));
    assert_eq!(summary.num_virtual_disks, Some(2));
    assert_eq!(summary.num_ethernet_cards, Some(2));

    // What is changed of the machine is in the file, whose other lines stay.
    simulator.change(&vm, |vm: &mut properties::VirtualMachine| {
        vm.config.as_mut().unwrap().hardware.memory_mb = 2048;
    });
    let changed = edited.replace("memsize = 1024", "memsize = \"2048\"");
    assert_ne!(changed, edited);
    assert_eq!(get(&client, DB01).await.body(), changed.as_bytes());
}

#[tokio::test]
async fn every_machine_is_what_its_file_says() {
    for simulator in [Simulator::esx().build(), Simulator::vcenter().build()] {
        for vm in simulator.objects("VirtualMachine") {
            let read = || -> properties::VirtualMachine { simulator.properties(&vm).unwrap() };
            let before = read().config.unwrap();
            let path = before.files.vm_path_name.as_deref().unwrap();
            let text = simulator.file(path).unwrap();
            // The machine is made anew from its text.
            let edited = [&text[..], b"edited = \"TRUE\"\n"].concat();
            simulator.write_file(path, edited.clone());
            assert_eq!(simulator.file(path).unwrap(), edited);
            let after = read().config.unwrap();
            assert_eq!(devices(&after), devices(&before), "{path}");
            assert_eq!(after.name, before.name);
            assert_eq!(
                after.annotation.unwrap_or_default(),
                before.annotation.unwrap()
            );
            assert_eq!(after.uuid, before.uuid);
            assert_eq!(after.instance_uuid, before.instance_uuid);
            assert_eq!(after.guest_id, before.guest_id);
            assert_eq!(after.firmware, before.firmware);
            assert_eq!(after.version, before.version);
            assert_eq!(after.hardware.memory_mb, before.hardware.memory_mb);
        }
    }
}

/// Type and backing of every device that a file tells of.
fn devices(config: &VirtualMachineConfigInfo) -> BTreeSet<(String, String)> {
    let devices = config.hardware.device.iter();
    let told = devices.filter(|device| {
        !["VirtualMachineVMCIDevice", "VirtualUSBXHCIController"].contains(&device.type_name())
    });
    told.map(|device| {
        let backing = device.backing.as_ref();
        let file = backing.and_then(|backing| backing.cast::<VirtualDeviceFileBackingInfo>());
        let file = file.map_or(String::new(), |file| file.file_name.clone());
        (device.type_name().to_owned(), file)
    })
    .collect()
}

#[tokio::test]
async fn a_datacenter_has_its_path_with_and_without_a_slash_and_a_dot_is_the_datastore_itself() {
    let store = || NewDatastore::new("my store", DatastoreKind::Vmfs);
    let esx = Simulator::esx().datastore(store()).build();
    let vcenter = Simulator::vcenter().build();
    let nested = "Europe/Paris";
    assert_ne!(nested, "Paris");
    for (simulator, datacenter, name) in [
        (&esx, "ha-datacenter", "datastore1"),
        (&esx, "%2Fha-datacenter", "datastore1"),
        (&esx, "/ha-datacenter", "datastore1"),
        (&esx, "/ha-datacenter/", "datastore1"),
        (&esx, "%2fha%2Ddatacenter", "datastore1"),
        (&esx, "%252Fha-datacenter", "datastore1"),
        (&esx, "%2Fha-datacenter", "my+store"),
        (&esx, "%2Fha-datacenter", "my%20store"),
        (&vcenter, "%2FBerlin", "production-local"),
        (&vcenter, "Berlin", "production-local"),
        (&vcenter, "%2FEurope%2FParis", "esx-01.paris-local"),
        (&vcenter, "/Europe/Paris", "esx-01.paris-local"),
    ] {
        let client = Client::login(simulator).await;
        let uri = |path: &str| format!("/folder{path}?dcPath={datacenter}&dsName={name}");
        let roots = ["", "/", "/.", "/./", "/%2e", "/%2E%2F"];
        let page = get(&client, &uri("")).await;
        for root in roots {
            let answer = get(&client, &uri(root)).await;
            assert_eq!(answer.status(), 200, "{}", uri(root));
            assert_eq!(answer.body(), page.body(), "{}", uri(root));
        }
        for path in ["/new.txt", "/./new.txt", "/%2E%2Fnew.txt"] {
            for (method, status) in [("PUT", 201), ("GET", 200), ("PUT", 200), ("DELETE", 204)] {
                let answer = send(&client, method, &uri(path), "text").await;
                assert_eq!(answer.status().as_u16(), status, "{method} {}", uri(path));
            }
        }
        for wrong in ["Paris", "/Berlin/Berlin", "%2F", "other"] {
            let uri = format!("/folder/new.txt?dcPath={wrong}&dsName={name}");
            for method in ["PUT", "GET", "DELETE"] {
                let answer = send(&client, method, &uri, "text").await;
                assert_eq!(answer.status(), 404, "{method} {uri}");
            }
        }
    }
}

#[tokio::test]
async fn a_dot_and_a_slash_are_the_root_of_a_datastore_path() {
    let simulator = Simulator::esx().build();
    let client = Client::login(&simulator).await;
    let vm = simulator.vm("web01").unwrap();
    let machine: properties::VirtualMachine = simulator.properties(&vm).unwrap();
    let store: properties::Datastore = simulator.properties(&machine.datastore[0]).unwrap();
    let (name, browser) = (store.name.clone().unwrap(), store.browser.clone().unwrap());
    let mut answers = Vec::new();
    for path in ["", " ", " .", " /", ".", "/", " ./", " ./."] {
        let request = SearchDatastoreTask {
            datastore_path: format!("[{name}]{path}"),
            ..SearchDatastoreTask::default()
        };
        let task = client.call_on(&browser, &request).await.unwrap();
        while simulator.step_tasks() {}
        let task: properties::Task = simulator.properties(&task).unwrap();
        let info = task.info.unwrap();
        assert_eq!(info.error, None, "{path:?}");
        let found = info
            .result
            .unwrap()
            .cast::<HostDatastoreBrowserSearchResults>()
            .unwrap();
        assert!(!found.file.is_empty(), "{path:?}");
        answers.push(found);
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));
}

#[tokio::test]
async fn the_refusal_of_a_file_that_is_sent_has_no_text() {
    let simulator = Simulator::esx().build();
    simulator.set_power_state(&simulator.vm("web01").unwrap(), PoweredOn);
    let client = Client::login(&simulator).await;
    let nobody = Client::connect(&simulator).await;
    for (client, path, query, status) in [
        (
            &client,
            "/no/new.txt",
            "dcPath=ha-datacenter&dsName=ssd",
            404,
        ),
        (&client, "/new.txt", "dcPath=other&dsName=ssd", 404),
        (
            &client,
            "/new.txt",
            "dcPath=ha-datacenter&dsName=other",
            404,
        ),
        (&client, "/new.txt", "", 404),
        (&client, "", "", 404),
        (&client, "/%zz", "dcPath=ha-datacenter&dsName=ssd", 400),
        (&client, "", "dcPath=ha-datacenter&dsName=ssd", 409),
        (&nobody, "/new.txt", "dcPath=ha-datacenter&dsName=ssd", 401),
    ] {
        let answer = send(client, "PUT", &format!("/folder{path}?{query}"), "text").await;
        assert_eq!(answer.status().as_u16(), status, "{path}?{query}");
        assert_eq!(answer.body(), "", "{path}?{query}");
    }
}

/// virsh 9.0.0 crashes when a refused PUT has a text.
#[tokio::test]
async fn no_refusal_of_a_put_has_a_text() {
    let simulator = Simulator::esx().build();
    let client = Client::login(&simulator).await;
    let there = "/folder/web01/new?dcPath=ha-datacenter&dsName=ssd";
    for (uri, status) in [
        ("/folder/x?dcPath=ha-datacenter&dsName=other", 404),
        ("/folder/web01?dcPath=ha-datacenter&dsName=ssd", 409),
        ("/folder/%FF?dcPath=ha-datacenter&dsName=ssd", 400),
    ] {
        let refusal = send(&client, "PUT", uri, "one").await;
        assert_eq!(
            (refusal.status().as_u16(), refusal.body().len()),
            (status, 0),
            "{uri}"
        );
    }
    for rule in [
        "PUT:1=status:500",
        "PUT:1=status:403",
        "PUT:1=status:503",
        "PUT:1=fault:NotAuthenticated",
    ] {
        simulator.inject(rule.parse::<Rule>().unwrap());
        let refusal = send(&client, "PUT", there, "one").await;
        assert!(!refusal.status().is_success());
        assert_eq!(refusal.body(), "", "{rule}");
    }
    let stranger = Client::connect(&simulator).await;
    let refusal = send(&stranger, "PUT", there, "one").await;
    assert_eq!((refusal.status().as_u16(), refusal.body().len()), (401, 0));
}
