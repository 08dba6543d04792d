//! Filters, and waiting for changes.

use std::time::Duration;

use esx_sim::Simulator;
use tokio::time::Instant;
use vi_types::enums::{ObjectUpdateKind, VirtualMachinePowerState};
use vi_types::methods::{
    CancelWaitForUpdates, CheckForUpdates, CreateContainerView, CreateFilter,
    CreatePropertyCollector, CreateSnapshotTask, DestroyPropertyCollector, DestroyPropertyFilter,
    PowerOffVmTask, RegisterVmTask, RevertToCurrentSnapshotTask, UnregisterVm, WaitForUpdates,
    WaitForUpdatesEx,
};
use vi_types::objects::{
    InvalidCollectorVersion, ManagedObjectNotFound, NotAuthenticated, ObjectUpdate,
    PropertyFilterSpec, RequestCanceled, UpdateSet, WaitOptions,
};
use vi_types::{Any, ManagedObjectReference, SoapFault};

use crate::client::{Client, at, moref, properties, step};

/// Watches properties of all virtual machines.
async fn watch(client: &Client, paths: &[&str], partial: bool) -> ManagedObjectReference {
    let view = CreateContainerView {
        container: client.content.root_folder.clone(),
        r#type: vec!["VirtualMachine".to_owned()],
        recursive: true,
        ..Default::default()
    };
    let view = client.call(&view).await.unwrap();
    let request = CreateFilter {
        spec: PropertyFilterSpec {
            prop_set: vec![properties("VirtualMachine", paths)],
            object_set: vec![at(
                &view,
                true,
                vec![step(None, "ContainerView", "view", vec![])],
            )],
            ..PropertyFilterSpec::default()
        },
        partial_updates: partial,
        ..Default::default()
    };
    client.call(&request).await.unwrap()
}

fn wait(version: &str, seconds: Option<i32>) -> WaitForUpdatesEx {
    WaitForUpdatesEx {
        version: Some(version.to_owned()),
        options: Some(
            WaitOptions {
                max_wait_seconds: seconds,
                ..WaitOptions::default()
            }
            .into(),
        ),
        ..Default::default()
    }
}

/// Everything there is at first, and its version.
async fn first(client: &Client) -> UpdateSet {
    *client.call(&wait("", Some(0))).await.unwrap().unwrap()
}

fn updates(set: &UpdateSet) -> &[ObjectUpdate] {
    assert_eq!(set.filter_set.len(), 1);
    &set.filter_set[0].object_set
}

#[tokio::test]
async fn the_first_answer_has_everything() {
    let client = Client::login(&Simulator::esx().build()).await;
    let filter = watch(&client, &["name", "runtime.powerState"], false).await;
    let set = first(&client).await;
    assert_eq!(set.filter_set[0].filter, filter);
    assert_eq!(updates(&set).len(), 7);
    for update in updates(&set) {
        assert_eq!(update.kind, ObjectUpdateKind::Enter);
        assert_eq!(update.change_set.len(), 2);
    }
    assert_eq!(set.truncated, None);
    let nothing = client.call(&wait(&set.version, Some(0))).await.unwrap();
    assert_eq!(nothing, None);
}

#[tokio::test]
async fn a_change_ends_the_waiting() {
    let simulator = Simulator::esx().build();
    let client = Client::login(&simulator).await;
    watch(&client, &["name", "runtime.powerState"], false).await;
    let set = first(&client).await;
    let vm = simulator.vm("web01").unwrap();

    let waiting = async {
        client
            .call(&wait(&set.version, None))
            .await
            .unwrap()
            .unwrap()
    };
    let changing = async { simulator.set_power_state(&vm, VirtualMachinePowerState::PoweredOff) };
    let (next, _) = tokio::join!(waiting, changing);

    let [update] = updates(&next) else {
        panic!("{next:?}")
    };
    assert_eq!(update.kind, ObjectUpdateKind::Modify);
    assert_eq!(update.obj, vm);
    let [change] = &*update.change_set else {
        panic!("{update:?}")
    };
    assert_eq!(change.name, "runtime.powerState");
    assert_eq!(
        change.val,
        Some(Any::enumeration(&VirtualMachinePowerState::PoweredOff))
    );
    assert_ne!(next.version, set.version);
}

#[tokio::test]
async fn a_change_of_something_else_does_not() {
    let simulator = Simulator::esx().build();
    let client = Client::login(&simulator).await;
    watch(&client, &["name"], false).await;
    let set = first(&client).await;
    let vm = simulator.vm("web01").unwrap();
    simulator.set_power_state(&vm, VirtualMachinePowerState::PoweredOff);
    assert_eq!(
        client.call(&wait(&set.version, Some(0))).await.unwrap(),
        None
    );
}

#[tokio::test(start_paused = true)]
async fn waiting_ends_when_the_time_is_over() {
    let client = Client::login(&Simulator::esx().build()).await;
    watch(&client, &["name"], false).await;
    let set = first(&client).await;
    let begin = Instant::now();
    assert_eq!(
        client.call(&wait(&set.version, Some(30))).await.unwrap(),
        None
    );
    assert_eq!(begin.elapsed().as_secs(), 30);
}

#[tokio::test(start_paused = true)]
async fn changes_that_do_not_matter_do_not_prolong_the_waiting() {
    let simulator = Simulator::esx().build();
    let client = Client::login(&simulator).await;
    watch(&client, &["name"], false).await;
    let set = first(&client).await;
    let vm = simulator.vm("web01").unwrap();
    let begin = Instant::now();
    let request = wait(&set.version, Some(30));
    let waiting = client.call(&request);
    let changing = async {
        for _ in 0..5 {
            tokio::time::sleep(Duration::from_secs(10)).await;
            simulator.set_power_state(&vm, VirtualMachinePowerState::PoweredOff);
        }
    };
    tokio::select! {
        result = waiting => assert_eq!(result.unwrap(), None),
        () = changing => panic!("it waits for too long"),
    }
    assert_eq!(begin.elapsed().as_secs(), 30);
}

#[tokio::test]
async fn partial_updates_name_what_changed_within_a_property() {
    let simulator = Simulator::esx().build();
    let client = Client::login(&simulator).await;
    watch(&client, &["runtime", "config"], true).await;
    let set = first(&client).await;
    let vm = simulator.vm("desktop").unwrap();
    simulator.set_power_state(&vm, VirtualMachinePowerState::PoweredOff);
    let next = client
        .call(&wait(&set.version, None))
        .await
        .unwrap()
        .unwrap();
    let changes: Vec<_> = updates(&next)[0]
        .change_set
        .iter()
        .map(|change| (change.name.as_str(), change.val.is_some()))
        .collect();
    assert_eq!(
        changes,
        [
            ("runtime.powerState", true),
            ("runtime.suspendTime", false),
            ("runtime.cleanPowerOff", true)
        ]
    );
}

#[tokio::test]
async fn whole_updates_have_the_whole_property() {
    let simulator = Simulator::esx().build();
    let client = Client::login(&simulator).await;
    watch(&client, &["runtime", "config"], false).await;
    let set = first(&client).await;
    let vm = simulator.vm("desktop").unwrap();
    simulator.set_power_state(&vm, VirtualMachinePowerState::PoweredOff);
    let next = client
        .call(&wait(&set.version, None))
        .await
        .unwrap()
        .unwrap();
    let changes: Vec<_> = updates(&next)[0]
        .change_set
        .iter()
        .map(|change| change.name.as_str())
        .collect();
    assert_eq!(changes, ["runtime"]);
}

#[tokio::test]
async fn objects_leave() {
    let simulator = Simulator::esx().build();
    let client = Client::login(&simulator).await;
    watch(&client, &["name"], false).await;
    let set = first(&client).await;
    let vm = simulator.vm("web01").unwrap();
    assert!(simulator.remove_vm(&vm));
    assert!(!simulator.remove_vm(&vm));
    let next = client
        .call(&wait(&set.version, None))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(updates(&next)[0].kind, ObjectUpdateKind::Leave);
    assert_eq!(updates(&next)[0].obj, vm);
    assert_eq!(updates(&next).len(), 1);
}

/// What a watch on the power state tells after a call: each machine's name as it was when the watch began, what became
/// of the machine, and its power state.
#[tokio::test]
async fn power_states_are_told_of_machines_that_come_change_and_go() {
    let simulator = Simulator::esx().build();
    let client = Client::login(&simulator).await;
    watch(&client, &["runtime.powerState"], true).await;
    let mut version = first(&client).await.version;
    let web = simulator.vm("web01").unwrap();
    let mut told = async || {
        while simulator.step_tasks() {}
        let next = client.call(&wait(&version, Some(0))).await.unwrap();
        let Some(next) = next else { return Vec::new() };
        version.clone_from(&next.version);
        let of = |update: &ObjectUpdate| {
            let power = update
                .change_set
                .first()
                .and_then(|change| change.val.clone());
            let power = power.map(|power| power.cast::<VirtualMachinePowerState>().unwrap());
            (update.obj.clone(), update.kind.clone(), power)
        };
        updates(&next).iter().map(of).collect::<Vec<_>>()
    };
    let off = Some(VirtualMachinePowerState::PoweredOff);
    let on = Some(VirtualMachinePowerState::PoweredOn);

    let take = CreateSnapshotTask {
        this: web.clone(),
        name: "running".to_owned(),
        memory: true,
        ..CreateSnapshotTask::default()
    };
    client.call(&take).await.unwrap();
    // The machine goes on as it was.
    assert_eq!(told().await, []);
    let stop = PowerOffVmTask {
        this: web.clone(),
        ..PowerOffVmTask::default()
    };
    client.call(&stop).await.unwrap();
    let modified = ObjectUpdateKind::Modify;
    assert_eq!(told().await, [(web.clone(), modified.clone(), off.clone())]);
    let revert = RevertToCurrentSnapshotTask {
        this: web.clone(),
        ..RevertToCurrentSnapshotTask::default()
    };
    client.call(&revert).await.unwrap();
    assert_eq!(told().await, [(web.clone(), modified.clone(), on)]);

    client.call(&stop).await.unwrap();
    assert_eq!(told().await, [(web.clone(), modified, off.clone())]);
    let unregister = UnregisterVm {
        this: web.clone(),
        ..UnregisterVm::default()
    };
    client.call(&unregister).await.unwrap();
    assert_eq!(told().await, [(web, ObjectUpdateKind::Leave, None)]);
    let register = RegisterVmTask {
        this: moref("Folder", "ha-folder-vm"),
        path: "[ssd] web01/web01.vmx".to_owned(),
        pool: Some(moref("ResourcePool", "ha-root-pool")),
        ..RegisterVmTask::default()
    };
    client.call(&register).await.unwrap();
    let told = told().await;
    let again = simulator.vm("web01").unwrap();
    assert_eq!(told, [(again, ObjectUpdateKind::Enter, off)]);
}

#[tokio::test]
async fn long_answers_are_truncated_and_continued() {
    let client = Client::login(&Simulator::esx().vms(25).build()).await;
    watch(&client, &["name"], false).await;
    let mut version = String::new();
    let mut sizes = Vec::new();
    loop {
        let mut request = wait(&version, Some(0));
        if let Some(options) = &mut request.options {
            options.max_object_updates = Some(10);
        }
        let Some(set) = client.call(&request).await.unwrap() else {
            break;
        };
        sizes.push((updates(&set).len(), set.truncated.unwrap_or_default()));
        version = set.version;
    }
    assert_eq!(sizes, [(10, true), (10, true), (5, false)]);
}

#[tokio::test]
async fn an_answer_that_was_lost_can_be_had_again_and_other_versions_are_refused() {
    let simulator = Simulator::esx().build();
    let client = Client::login(&simulator).await;
    watch(&client, &["runtime.powerState"], false).await;
    let set = first(&client).await;
    let vm = simulator.vm("web01").unwrap();
    simulator.set_power_state(&vm, VirtualMachinePowerState::PoweredOff);
    let next = client
        .call(&wait(&set.version, None))
        .await
        .unwrap()
        .unwrap();
    let again = client
        .call(&wait(&set.version, None))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(next, again);
    for version in ["4711", "x"] {
        let fault = client.call(&wait(version, Some(0))).await.unwrap_err();
        assert!(fault.is::<InvalidCollectorVersion>(), "{fault}");
    }
    // Without a version everything begins anew.
    assert_eq!(updates(&first(&client).await).len(), 7);
}

#[tokio::test]
async fn waiting_can_be_cancelled() {
    let client = Client::login(&Simulator::esx().build()).await;
    watch(&client, &["name"], false).await;
    let set = first(&client).await;
    let request = wait(&set.version, None);
    let (waited, cancelled) = tokio::join!(client.call(&request), async {
        client.call(&CancelWaitForUpdates::default()).await
    });
    cancelled.unwrap();
    let fault = waited.unwrap_err();
    assert!(fault.is::<RequestCanceled>(), "{fault}");
    // The next one waits again.
    assert_eq!(
        client.call(&wait(&set.version, Some(0))).await.unwrap(),
        None
    );
}

#[tokio::test]
async fn the_end_of_the_session_ends_the_waiting() {
    let simulator = Simulator::esx().build();
    let client = Client::login(&simulator).await;
    watch(&client, &["name"], false).await;
    let set = first(&client).await;
    let request = wait(&set.version, None);
    let (waited, ()) = tokio::join!(client.call(&request), async { simulator.expire_sessions() });
    let fault = waited.unwrap_err();
    assert!(fault.is::<NotAuthenticated>(), "{fault}");
}

#[tokio::test]
async fn the_old_method_waits_too() {
    let simulator = Simulator::esx().build();
    let client = Client::login(&simulator).await;
    watch(&client, &["runtime.powerState"], false).await;
    let version = |version: &str| WaitForUpdates {
        version: Some(version.to_owned()),
        ..Default::default()
    };
    let set = client.call(&version("")).await.unwrap();
    assert_eq!(updates(&set).len(), 7);
    let vm = simulator.vm("web01").unwrap();
    let request = version(&set.version);
    let (next, _) = tokio::join!(client.call(&request), async {
        simulator.set_power_state(&vm, VirtualMachinePowerState::Suspended)
    });
    assert_eq!(updates(&next.unwrap()).len(), 1);
}

#[tokio::test]
async fn checking_does_not_wait() {
    let simulator = Simulator::esx().build();
    let client = Client::login(&simulator).await;
    watch(&client, &["runtime.powerState"], false).await;
    let set = first(&client).await;
    let check = CheckForUpdates {
        version: Some(set.version),
        ..Default::default()
    };
    assert_eq!(client.call(&check).await.unwrap(), None);
    let vm = simulator.vm("web01").unwrap();
    simulator.set_power_state(&vm, VirtualMachinePowerState::Suspended);
    assert!(client.call(&check).await.unwrap().is_some());
}

#[tokio::test]
async fn a_destroyed_filter_says_nothing_more() {
    let simulator = Simulator::esx().build();
    let client = Client::login(&simulator).await;
    let filter = watch(&client, &["name"], false).await;
    let collector = client.service("propertyCollector");
    let filters = |value: Any| value.cast::<Vec<ManagedObjectReference>>().unwrap();
    assert_eq!(
        filters(client.value(&collector, "filter").await),
        [filter.clone()]
    );
    let destroy = DestroyPropertyFilter {
        this: filter.clone(),
        ..Default::default()
    };
    client.call(&destroy).await.unwrap();
    assert_eq!(filters(client.value(&collector, "filter").await), []);
    assert_eq!(client.call(&wait("", Some(0))).await.unwrap(), None);
    let fault = client.call(&destroy).await.unwrap_err();
    assert_eq!(fault.cast::<ManagedObjectNotFound>().unwrap().obj, filter);
}

fn assert_not_found<T: std::fmt::Debug>(result: Result<T, SoapFault>) {
    let fault = result.unwrap_err();
    assert!(fault.is::<ManagedObjectNotFound>(), "{fault}");
}

#[tokio::test]
async fn collectors_of_ones_own_are_apart() {
    let simulator = Simulator::esx().build();
    let client = Client::login(&simulator).await;
    watch(&client, &["name"], false).await;
    let own = client
        .call(&CreatePropertyCollector::default())
        .await
        .unwrap();
    let vm = simulator.vm("web01").unwrap();
    let filter = CreateFilter {
        spec: PropertyFilterSpec {
            prop_set: vec![properties("VirtualMachine", &["name"])],
            object_set: vec![at(&vm, false, vec![])],
            ..PropertyFilterSpec::default()
        },
        partial_updates: false,
        ..Default::default()
    };
    let filter = client.call_on(&own, &filter).await.unwrap();
    let set = client
        .call_on(&own, &wait("", Some(0)))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(updates(&set).len(), 1);

    // Another session sees neither the collector nor the filters.
    let other = Client::login(&simulator).await;
    assert_not_found(other.call_on(&own, &wait("", Some(0))).await);
    assert_eq!(other.call(&wait("", Some(0))).await.unwrap(), None);

    client
        .call_on(&own, &DestroyPropertyCollector::default())
        .await
        .unwrap();
    assert_not_found(client.call_on(&own, &wait("", Some(0))).await);
    assert_not_found(
        client
            .call(&DestroyPropertyFilter {
                this: filter,
                ..Default::default()
            })
            .await,
    );
    let shared = client.service("propertyCollector");
    client
        .call_on(&shared, &DestroyPropertyCollector::default())
        .await
        .unwrap_err();
}

#[tokio::test]
async fn objects_that_are_not_there_are_told_once() {
    let client = Client::login(&Simulator::esx().build()).await;
    let gone = moref("VirtualMachine", "4711");
    let filter = CreateFilter {
        spec: PropertyFilterSpec {
            prop_set: vec![properties("VirtualMachine", &["name"])],
            object_set: vec![at(&gone, false, vec![])],
            ..PropertyFilterSpec::default()
        },
        partial_updates: false,
        ..Default::default()
    };
    client.call(&filter).await.unwrap();
    let set = first(&client).await;
    let missing = &set.filter_set[0].missing_set;
    assert_eq!(missing[0].obj, gone);
    assert!(missing[0].fault.fault.is::<ManagedObjectNotFound>());
    assert_eq!(
        client.call(&wait(&set.version, Some(0))).await.unwrap(),
        None
    );
}
