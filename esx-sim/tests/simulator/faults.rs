//! Rules, and what tests can learn of a simulator: what was done, how much at once, what is left.

use std::io;
use std::time::{Duration, Instant};

use bytes::Bytes;
use esx_sim::{Effect, Rule, Simulator};
use http::Request;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use vi_types::enums::VirtualMachinePowerState;
use vi_types::methods::{
    CreateContainerView, CreateFilter, CreatePropertyCollector, DestroyPropertyFilter,
    PowerOnVmTask, RetrieveServiceContent, WaitForUpdates,
};
use vi_types::objects::{NotAuthenticated, PropertyFilterSpec, UpdateSet};
use vi_types::{ManagedObjectReference, properties, wire};

use crate::client::{Client, at, moref, properties as property_spec};

fn power_on(vm: &ManagedObjectReference) -> PowerOnVmTask {
    PowerOnVmTask {
        this: vm.clone(),
        ..PowerOnVmTask::default()
    }
}

fn power_off_all(simulator: &Simulator) -> Vec<ManagedObjectReference> {
    let vms = simulator.objects("VirtualMachine");
    for vm in &vms {
        simulator.set_power_state(vm, VirtualMachinePowerState::PoweredOff);
    }
    vms
}

/// How often a method was called.
fn calls(simulator: &Simulator, method: &str) -> usize {
    let requests = simulator.requests();
    let of = requests
        .iter()
        .filter(|one| one.method.as_deref() == Some(method));
    of.count()
}

/// Sends a request, which the connection doesn't outlive.
async fn dropped<M: vi_types::Method>(client: &Client, request: &M, this: &ManagedObjectReference) {
    let response = client.post(wire::encode_request(request, this)).await;
    let kind = response.extensions().get::<io::ErrorKind>();
    assert_eq!(kind, Some(&io::ErrorKind::ConnectionReset));
    assert!(response.body().is_empty());
}

#[tokio::test]
async fn a_connection_is_lost_before_or_after_the_call() {
    for (effect, begun) in [(Effect::DropBefore, 0), (Effect::DropAfter, 1)] {
        let simulator = Simulator::esx().build();
        let client = Client::login(&simulator).await;
        let vms = power_off_all(&simulator);
        simulator.inject(Rule::new("PowerOnVM_Task", effect).on(&vms[1]).nth(1));
        client.call(&power_on(&vms[0])).await.unwrap();
        dropped(&client, &power_on(&vms[1]), &vms[1]).await;
        assert_eq!(simulator.load().tasks_begun, 1 + begun);
        assert_eq!(calls(&simulator, "PowerOnVM_Task"), 2, "both were sent");
    }
}

#[tokio::test]
async fn a_lost_connection_is_closed_on_a_port_too() {
    let simulator = Simulator::esx().build();
    simulator.inject("*:1=drop-before".parse().unwrap());
    let server = simulator.listen("127.0.0.1:0", false).await.unwrap();
    let instance = moref("ServiceInstance", "ServiceInstance");
    let body = wire::encode_request(&RetrieveServiceContent::default(), &instance);
    let request = format!(
        "POST /sdk HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{body}",
        body.len(),
    );
    let mut stream = TcpStream::connect(server.addr()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // Reset or closed, but over.
    let _ = stream.read_to_end(&mut answer).await;
    assert!(answer.is_empty());

    let mut stream = TcpStream::connect(server.addr()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut first = [0; 15];
    stream.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200 OK");
}

#[tokio::test(start_paused = true)]
async fn a_delay_is_of_the_time_that_tests_can_pause() {
    let simulator = Simulator::esx().build();
    let client = Client::login(&simulator).await;
    let vm = simulator.vm("web01").unwrap();
    let hour = Duration::from_secs(3600);
    simulator.inject(Rule::new("RetrievePropertiesEx", Effect::Delay(hour)).from_nth(2));
    for waited in [Duration::ZERO, hour, hour] {
        let before = tokio::time::Instant::now();
        client.value(&vm, "name").await;
        let after = before.elapsed();
        assert!(after >= waited && after < waited + Duration::from_secs(1));
    }
}

#[tokio::test]
async fn a_session_expires_where_a_rule_wants_it() {
    let simulator = Simulator::esx().build();
    let client = Client::login(&simulator).await;
    let vms = power_off_all(&simulator);
    let rule = Rule::new("PowerOnVM_Task", Effect::ExpireSession);
    simulator.inject(rule.on_named(vms[1].value.clone()).nth(1));
    client.call(&power_on(&vms[0])).await.unwrap();
    let fault = client.call(&power_on(&vms[1])).await.unwrap_err();
    assert!(fault.is::<NotAuthenticated>(), "{fault}");
    assert_eq!(simulator.load().tasks_begun, 1);
}

#[tokio::test]
async fn rules_are_for_files_too() {
    let client = Client::login(&Simulator::esx().build()).await;
    client
        .simulator
        .inject("GET:1=drop-before".parse().unwrap());
    let get = || {
        let uri = "/folder/db01%2Fdb01.vmx?dcPath=ha-datacenter&dsName=datastore1";
        client.send(Request::get(uri).body(Bytes::new()).unwrap())
    };
    assert!(get().await.extensions().get::<io::ErrorKind>().is_some());
    assert_eq!(get().await.status(), 200);
}

#[tokio::test]
async fn what_is_left_on_a_simulator_is_seen() {
    let simulator = Simulator::esx().build();
    let client = Client::login(&simulator).await;
    let vm = simulator.vm("web01").unwrap();
    assert_eq!(simulator.leftovers(), []);
    let collector = client
        .call(&CreatePropertyCollector::default())
        .await
        .unwrap();
    let filter = CreateFilter {
        spec: PropertyFilterSpec {
            prop_set: vec![property_spec("VirtualMachine", &["name"])],
            object_set: vec![at(&vm, false, vec![])],
            ..PropertyFilterSpec::default()
        },
        partial_updates: true,
        ..Default::default()
    };
    let filter = client.call(&filter).await.unwrap();
    let view = CreateContainerView {
        container: client.service("rootFolder"),
        r#type: vec!["VirtualMachine".to_owned()],
        recursive: true,
        ..Default::default()
    };
    let view = client.call(&view).await.unwrap();
    let mut left = simulator.leftovers();
    left.sort();
    let mut expected = vec![collector.clone(), filter.clone(), view.clone()];
    expected.sort();
    assert_eq!(left, expected);
    let destroy = DestroyPropertyFilter {
        this: filter.clone(),
        ..Default::default()
    };
    client.call(&destroy).await.unwrap();
    assert_eq!(simulator.leftovers().len(), 2);
    simulator.expire_sessions();
    assert_eq!(simulator.leftovers(), []);
}

#[tokio::test]
async fn waiting_calls_are_counted_while_they_wait() {
    let simulator = Simulator::esx().build();
    let client = Client::login(&simulator).await;
    {
        let request = WaitForUpdates::default();
        let waiting = std::pin::pin!(client.call(&request));
        let soon = std::future::ready(());
        tokio::select! {
            biased;
            _ = waiting => panic!("there is nothing to tell"),
            () = soon => assert_eq!(simulator.load().waits, 1),
        }
    }
    assert_eq!(simulator.load().waits, 0, "nobody listens any more");
    assert_eq!(simulator.load().most_waits, 1);
}

#[tokio::test]
async fn a_thousand_tasks_at_once_are_cheap() {
    let begun = Instant::now();
    let simulator = Simulator::esx().vms(1000).build();
    let client = Client::login(&simulator).await;
    let vms = power_off_all(&simulator);
    let mut left = 0;
    for vm in &vms {
        let task = client.call(&power_on(vm)).await.unwrap();
        let filter = CreateFilter {
            spec: PropertyFilterSpec {
                prop_set: vec![property_spec("Task", &["info.state"])],
                object_set: vec![at(&task, false, vec![])],
                ..PropertyFilterSpec::default()
            },
            partial_updates: true,
            ..Default::default()
        };
        client.call(&filter).await.unwrap();
        left += 1;
    }
    assert_eq!(simulator.load().tasks, 1000);
    assert_eq!(simulator.leftovers().len(), left);
    let mut version = String::new();
    while simulator.load().tasks > 0 {
        let wait = WaitForUpdates {
            version: Some(version.clone()),
            ..Default::default()
        };
        let set: UpdateSet = client.call(&wait).await.unwrap();
        version = set.version;
    }
    assert_eq!(simulator.load().most_tasks, 1000);
    assert_eq!(simulator.load().tasks_begun, 1000);
    for vm in &vms {
        let vm: properties::VirtualMachine = simulator.properties(vm).unwrap();
        let power = vm.runtime.unwrap().power_state;
        assert_eq!(power, VirtualMachinePowerState::PoweredOn);
    }
    // A debug build needs about a second.
    assert!(begun.elapsed() < Duration::from_secs(30));
}
