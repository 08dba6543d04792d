//! Typed access: references, sets of typed paths, declared faults, and what a server is too old for.

use vi_client::retrieve::{PropertySet, Retrieve, Selection};
use vi_client::{Error, Feature, match_fault, property_set};
use vi_types::enums::{VirtualMachineMovePriority, VirtualMachinePowerState};
use vi_types::methods::{MigrateVmTask, PowerOnVmTask, RelocateVmTask};
use vi_types::objects::{
    InvalidDatastoreState, InvalidState, TaskInProgress, VirtualAhciController,
    VirtualDeviceConfigSpec, VirtualMachineConfigSpec, VirtualMachineRelocateSpec,
};
use vi_types::{ManagedObjectReference, Poly, references};

use crate::vi::{Vi, fault, result};

fn vm() -> references::VirtualMachine {
    ManagedObjectReference::new("VirtualMachine", "1").into()
}

fn everything() -> Retrieve {
    let root = ManagedObjectReference::new("Folder", "ha-folder-root");
    Retrieve::from(&root).select_all(Selection::inventory())
}

property_set! {
    /// Fields of all kinds.
    #[derive(Debug)]
    struct Row: VirtualMachine {
        name: Option<String> = name,
        state: VirtualMachinePowerState = runtime.power_state,
        host: Option<references::HostSystem> = runtime.host,
        networks: Vec<references::Network> = network,
        capacity: Option<i64> = "config.hardware.device[2000].capacityInKB",
    }
}

#[tokio::test]
async fn a_set_of_typed_paths_is_read_by_their_names() {
    assert_eq!(
        Row::paths(),
        [
            "name",
            "runtime.powerState",
            "runtime.host",
            "network",
            "config.hardware.device[2000].capacityInKB",
        ]
    );
    let vi = Vi::new("8.0.1.0", |call| {
        let found = "<returnval><objects><obj type=\"VirtualMachine\">1</obj>\
            <propSet><name>runtime.powerState</name><val xsi:type=\"VirtualMachinePowerState\">poweredOn</val></propSet>\
            <propSet><name>runtime.host</name><val type=\"HostSystem\" xsi:type=\"ManagedObjectReference\">h</val></propSet>\
            <propSet><name>network</name><val xsi:type=\"ArrayOfManagedObjectReference\">\
            <ManagedObjectReference type=\"DistributedVirtualPortgroup\">n</ManagedObjectReference></val></propSet>\
            </objects></returnval>";
        (call.method == "RetrievePropertiesEx").then(|| result(&call.method, found))
    });
    let client = vi.log_in().await;
    let found = client.retrieve_set::<Row>(everything()).await.unwrap();
    let row = found[0].properties.as_ref().unwrap();
    assert_eq!(row.state, VirtualMachinePowerState::PoweredOn);
    assert_eq!(row.host.as_ref().unwrap().value, "h");
    assert_eq!(row.networks[0].value, "n");
    assert_eq!((&row.name, row.capacity), (&None, None));
    client.close().await.unwrap();
}

#[tokio::test]
async fn declared_faults_are_matched() {
    let vi = Vi::new("8.0.1.0", |call| match call.method.as_str() {
        "PowerOnVM_Task" => Some(fault("InvalidDatastoreState", "not now")),
        _ => None,
    });
    let client = vi.log_in().await;
    let error = client.call(&vm().power_on_vm_task()).await.unwrap_err();
    // A descendant of what is declared is that too.
    assert!(error.declared::<PowerOnVmTask, InvalidState>().is_some());
    assert!(error.declared::<PowerOnVmTask, TaskInProgress>().is_none());
    assert!(error.is_fault::<InvalidDatastoreState>());
    let matched = match_fault!(&error, PowerOnVmTask {
        TaskInProgress as fault => fault.task.value.clone(),
        InvalidState as _ => "a state".to_owned(),
        _ => "something else".to_owned(),
    });
    assert_eq!(matched, "a state");
    client.close().await.unwrap();
}

/// What a server of a version is too old for; nothing must have been sent.
async fn refused<M: vi_types::Method>(version: &'static str, request: &M) -> (Feature, String) {
    let vi = Vi::new(version, |_| None);
    let client = vi.log_in().await;
    let before = vi.methods().len();
    let error = client.call(request).await.err().unwrap();
    assert_eq!(vi.methods().len(), before);
    let text = error.to_string();
    let Error::TooNew(found) = error else {
        panic!("{error}");
    };
    client.close().await.unwrap();
    (found.feature, text)
}

#[tokio::test]
async fn a_method_newer_than_the_server_is_not_sent() {
    let (_, text) = refused("4.0", &vm().acquire_ticket("mks")).await;
    assert_eq!(
        text,
        "AcquireTicket: VirtualMachine has this method since VI API 4.1, but the server's is 4.0; \
         do without it, or ask about.apiVersion first"
    );
}

#[tokio::test]
async fn a_parameter_newer_than_the_server_is_not_sent() {
    let request = RelocateVmTask {
        priority: Some(VirtualMachineMovePriority::HighPriority),
        ..vm().relocate_vm_task(VirtualMachineRelocateSpec::default())
    };
    let (_, text) = refused("2.5u2", &request).await;
    assert_eq!(
        text,
        "RelocateVM_Task: there is 'priority' since VI API 4.0, but the server's is 2.5u2; \
         leave it unset for this server"
    );
    let spec = VirtualMachineRelocateSpec {
        device_change: vec![Poly::new(VirtualDeviceConfigSpec::default())],
        ..VirtualMachineRelocateSpec::default()
    };
    let (feature, _) = refused("5.1", &vm().relocate_vm_task(spec)).await;
    let path = "spec.deviceChange".to_owned();
    assert_eq!(feature, Feature::Parameter { path });
}

#[tokio::test]
async fn a_type_newer_than_the_server_is_not_sent() {
    let device = VirtualDeviceConfigSpec {
        device: Poly::new(VirtualAhciController::default()),
        ..VirtualDeviceConfigSpec::default()
    };
    let spec = VirtualMachineConfigSpec {
        device_change: vec![
            Poly::new(VirtualDeviceConfigSpec::default()),
            Poly::new(device),
        ],
        ..VirtualMachineConfigSpec::default()
    };
    let (feature, _) = refused("5.1", &vm().reconfig_vm_task(spec)).await;
    let (path, name) = (
        "spec.deviceChange[1].device".to_owned(),
        "VirtualAHCIController",
    );
    assert_eq!(feature, Feature::Type { path, name });
}

#[tokio::test]
async fn what_the_server_has_is_sent() {
    let vi = Vi::new("4.0", |call| {
        let task = "<returnval type=\"Task\">t</returnval>";
        call.method
            .ends_with("_Task")
            .then(|| result(&call.method, task))
    });
    let client = vi.log_in().await;
    let request = RelocateVmTask {
        priority: Some(VirtualMachineMovePriority::HighPriority),
        ..vm().relocate_vm_task(VirtualMachineRelocateSpec::default())
    };
    client.call(&request).await.unwrap();
    let migrate: MigrateVmTask = vm().migrate_vm_task(VirtualMachineMovePriority::LowPriority);
    client.call(&migrate).await.unwrap();
    client.close().await.unwrap();
}

#[tokio::test]
async fn an_unreleased_server_gets_everything() {
    let vi = Vi::new("m5CA1EF4D", |call| {
        let ticket = "<returnval><ticket>t</ticket><cfgFile>c</cfgFile></returnval>";
        (call.method == "AcquireTicket").then(|| result(&call.method, ticket))
    });
    let client = vi.log_in().await;
    client.call(&vm().acquire_ticket("mks")).await.unwrap();
    client.close().await.unwrap();
}

property_set! {
    #[derive(Debug)]
    struct Newer: VirtualMachine {
        name: String = name,
        uuid: Option<String> = config.instance_uuid,
    }
}

#[tokio::test]
async fn a_property_newer_than_the_server_is_not_asked_for() {
    let vi = Vi::new("2.5", |_| None);
    let client = vi.log_in().await;
    let before = vi.methods().len();
    let error = client
        .retrieve_set::<Newer>(everything())
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "RetrieveProperties: VirtualMachine has the property 'config.instanceUuid' since VI API 4.0, \
         but the server's is 2.5; leave it out for this server"
    );
    assert_eq!(vi.methods().len(), before);
    client.close().await.unwrap();
}
