//! Time passes wherever a client looks, and tasks are about objects of the inventory.

use bytes::Bytes;
use esx_sim::{Script, Simulator};
use http::Request;
use vi_types::enums::TaskInfoState;
use vi_types::enums::VirtualMachinePowerState::PoweredOff;
use vi_types::methods::{
    CancelTask, CheckForUpdates, CreateFilter, CreateVirtualDiskTask, CurrentTime,
    DeleteDatastoreFileTask, EnterMaintenanceModeTask, Fetch, FindByUuid, PowerOffVmTask,
    QueryEvents, RetrieveServiceContent, SearchDatastoreTask, SuspendVmTask,
};
use vi_types::objects::{
    FileBackedVirtualDiskSpec, PropertyFilterSpec, TaskInProgress, TaskInfo, VirtualDiskSpec,
};
use vi_types::{ManagedObjectReference, Method, Poly, properties};

use crate::client::{Client, at, moref, properties as property_spec};

fn info(simulator: &Simulator, task: &ManagedObjectReference) -> TaskInfo {
    let task: properties::Task = simulator.properties(task).unwrap();
    *task.info.unwrap()
}

async fn power_off(client: &Client, vm: &ManagedObjectReference) -> ManagedObjectReference {
    client
        .call_on(vm, &PowerOffVmTask::default())
        .await
        .unwrap()
}

/// How a client looks. Whatever it is answered, time has passed.
async fn look(
    client: &Client,
    how: &str,
    vm: &ManagedObjectReference,
    task: &ManagedObjectReference,
) {
    let fetch = |prop: &str| Fetch {
        prop: prop.to_owned(),
        ..Fetch::default()
    };
    let collector = client.service("propertyCollector");
    match how {
        "Fetch of task.info" => drop(client.call_on(task, &fetch("info")).await.unwrap()),
        "Fetch of the machine" => drop(client.call_on(vm, &fetch("runtime")).await.unwrap()),
        "RetrievePropertiesEx of the task" => drop(client.value(task, "info.state").await),
        "RetrievePropertiesEx of the machine" => {
            drop(client.value(vm, "runtime.powerState").await);
        }
        "CheckForUpdates" => {
            let check = CheckForUpdates::default();
            drop(client.call_on(&collector, &check).await.unwrap());
        }
        "FindByUuid" => drop(client.call(&FindByUuid::default()).await),
        "QueryEvents" => drop(client.call(&QueryEvents::default()).await),
        "CurrentTime" => {
            let instance = moref("ServiceInstance", "ServiceInstance");
            drop(client.call_on(&instance, &CurrentTime::default()).await);
        }
        "RetrieveServiceContent" => {
            let instance = moref("ServiceInstance", "ServiceInstance");
            let request = RetrieveServiceContent::default();
            drop(client.call_on(&instance, &request).await.unwrap());
        }
        "another task" => {
            let refused = client.call_on(vm, &SuspendVmTask::default()).await;
            if let Err(fault) = refused {
                assert!(fault.is::<TaskInProgress>() || !fault.string.is_empty());
            }
        }
        "GET" => {
            let request = Request::get("/folder").body(Bytes::new()).unwrap();
            assert_eq!(client.send(request).await.status(), 200);
        }
        _ => panic!("{how}"),
    }
}

#[tokio::test]
async fn a_task_goes_on_wherever_a_client_looks() {
    for how in [
        "Fetch of task.info",
        "Fetch of the machine",
        "RetrievePropertiesEx of the task",
        "RetrievePropertiesEx of the machine",
        "CheckForUpdates",
        "FindByUuid",
        "QueryEvents",
        "CurrentTime",
        "RetrieveServiceContent",
        "another task",
        "GET",
    ] {
        for simulator in [Simulator::esx(), Simulator::vcenter()] {
            let simulator = simulator.build();
            let client = Client::login(&simulator).await;
            let vm = simulator.vm("web01").unwrap();
            let filter = PropertyFilterSpec {
                prop_set: vec![property_spec("VirtualMachine", &["name"])],
                object_set: vec![at(&vm, false, Vec::new())],
                ..PropertyFilterSpec::default()
            };
            let filter = CreateFilter {
                spec: filter,
                ..CreateFilter::default()
            };
            client.call(&filter).await.unwrap();
            simulator.script(Script::new("PowerOffVM_Task").steps(3));
            let task = power_off(&client, &vm).await;
            let mut looks = 0;
            while info(&simulator, &task).state != TaskInfoState::Success {
                assert!(looks < 4, "{how}: {:?}", info(&simulator, &task).state);
                look(&client, how, &vm, &task).await;
                looks += 1;
            }
            assert_eq!(looks, 4, "{how}: each look is a step");
        }
    }
}

#[tokio::test]
async fn what_only_changes_something_or_is_told_to_wait_is_no_look() {
    let simulator = Simulator::esx().build();
    let client = Client::login(&simulator).await;
    let vm = simulator.vm("web01").unwrap();
    let task = power_off(&client, &vm).await;
    let other = simulator.vm("db01").unwrap();
    power_off(&client, &other).await;
    assert_eq!(info(&simulator, &task).state, TaskInfoState::Queued);
    simulator.stop_tasks();
    for _ in 0..5 {
        look(&client, "Fetch of task.info", &vm, &task).await;
    }
    assert_eq!(info(&simulator, &task).state, TaskInfoState::Queued);
}

async fn started<M: Method<Output = ManagedObjectReference>>(
    client: &Client,
    on: &ManagedObjectReference,
    request: &M,
) -> TaskInfo {
    let task = client.call_on(on, request).await.unwrap();
    info(&client.simulator, &task)
}

#[tokio::test]
async fn a_task_is_about_an_object_of_the_inventory_or_none() {
    for simulator in [Simulator::esx(), Simulator::vcenter()] {
        let simulator = simulator.build();
        let client = Client::login(&simulator).await;
        let vm = simulator.vm("web01").unwrap();
        let machine: properties::VirtualMachine = simulator.properties(&vm).unwrap();
        let store = machine.datastore[0].clone();
        let datastore: properties::Datastore = simulator.properties(&store).unwrap();
        let name = datastore.name.clone().unwrap();
        let dc = simulator.objects("Datacenter")[0].clone();
        let host = simulator.objects("HostSystem")[0].clone();
        let host_properties: properties::HostSystem = simulator.properties(&host).unwrap();

        let search = SearchDatastoreTask {
            datastore_path: format!("[{name}]"),
            ..SearchDatastoreTask::default()
        };
        let spec: Poly<VirtualDiskSpec> = FileBackedVirtualDiskSpec {
            base: VirtualDiskSpec {
                disk_type: "thin".to_owned(),
                adapter_type: "lsiLogic".to_owned(),
                ..VirtualDiskSpec::default()
            },
            capacity_kb: 1024,
            ..FileBackedVirtualDiskSpec::default()
        }
        .into();
        let create = CreateVirtualDiskTask {
            name: format!("[{name}] new.vmdk"),
            datacenter: Some(dc.clone()),
            spec,
            ..CreateVirtualDiskTask::default()
        };
        let delete = DeleteDatastoreFileTask {
            name: format!("[{name}] web01"),
            datacenter: Some(dc.clone()),
            ..DeleteDatastoreFileTask::default()
        };
        let browser = datastore.browser.clone().unwrap();
        let all_stores = host_properties.datastore_browser.clone().unwrap();
        let disks = client.service("virtualDiskManager");
        let files = client.service("fileManager");
        for (what, info, expected) in [
            (
                "a machine",
                started(&client, &vm, &PowerOffVmTask::default()).await,
                Some(&vm),
            ),
            (
                "a browser",
                started(&client, &browser, &search).await,
                Some(&store),
            ),
            (
                "a host's browser",
                started(&client, &all_stores, &search).await,
                None,
            ),
            ("disks", started(&client, &disks, &create).await, None),
            ("files", started(&client, &files, &delete).await, None),
        ] {
            assert_eq!(info.entity.as_ref(), expected, "{what}");
            let named = simulator
                .read(
                    expected.unwrap_or(&dc),
                    |one: &properties::ManagedEntity| one.name.clone(),
                )
                .unwrap();
            assert_eq!(
                info.entity_name,
                named.filter(|_| expected.is_some()),
                "{what}"
            );
            let whose = expected.map_or("", |entity| &entity.value);
            assert!(
                info.key.starts_with(&format!("haTask-{whose}-vim.")),
                "{}",
                info.key
            );
            assert_eq!(info.state, TaskInfoState::Queued, "{what}");
        }
        let listed: properties::Datastore = simulator.properties(&store).unwrap();
        assert_eq!(listed.recent_task.len(), 1);
    }
}

/// A timeout of 0 is none: a host waits for ever until its machines are off, and says so to whoever looks.
#[tokio::test]
async fn a_task_that_waits_is_seen_running_however_often_a_client_looks() {
    let simulator = Simulator::esx().build();
    let client = Client::login(&simulator).await;
    let host = simulator.objects("HostSystem").remove(0);
    let fetch = Fetch {
        prop: "info".to_owned(),
        ..Fetch::default()
    };
    for timeout in [0, -1] {
        let enter = EnterMaintenanceModeTask {
            timeout,
            ..EnterMaintenanceModeTask::default()
        };
        let task = client.call_on(&host, &enter).await.unwrap();
        for _ in 0..300 {
            client.call_on(&task, &fetch).await.unwrap();
            let info = info(&simulator, &task);
            assert!(matches!(
                info.state,
                TaskInfoState::Queued | TaskInfoState::Running
            ));
            assert!(info.cancelable && info.complete_time.is_none() && info.error.is_none());
        }
        assert_eq!(info(&simulator, &task).state, TaskInfoState::Running);
        client.call_on(&task, &CancelTask::default()).await.unwrap();
        assert_eq!(info(&simulator, &task).state, TaskInfoState::Error);
    }
    let enter = EnterMaintenanceModeTask::default();
    let task = client.call_on(&host, &enter).await.unwrap();
    for vm in simulator.objects("VirtualMachine") {
        simulator.set_power_state(&vm, PoweredOff);
    }
    let mut looks = 0;
    while info(&simulator, &task).state != TaskInfoState::Success {
        assert!(looks < 20, "{:?}", info(&simulator, &task));
        client.call_on(&task, &fetch).await.unwrap();
        looks += 1;
    }
}
