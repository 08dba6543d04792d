//! Maintenance mode of a host, and suspending it.

use std::{
    future::IntoFuture as _,
    sync::{Arc, Mutex},
    time::Duration,
};

use esx_driver::{
    Connect, ErrorKind, HostMaintenance, MaintenanceException, MaintenanceObstacle,
    MaintenanceOptions, MaintenanceState, Operation, VsanEvacuation, virt_model::NodeSuspendTarget,
};
use esx_sim::Simulator;
use vi_types::{
    ManagedObjectReference, Poly,
    enums::{DrsBehavior, HostSystemPowerState, VirtualMachinePowerState::PoweredOff},
    objects::{ClusterDrsVmConfigInfo, Description, VirtualDevice, VirtualPciPassthrough},
    properties::{ClusterComputeResource, Datastore, HostSystem, VirtualMachine},
};

use crate::{host, methods, open, text};

const SECOND: Duration = Duration::from_secs(1);

async fn vcenter() -> (Simulator, Connect) {
    let simulator = Simulator::vcenter().build();
    let uri = "vpx://vc.example.com/Berlin/Production/esx-01.example.com";
    let connect = open(&simulator, uri).await.unwrap();
    simulator.clear_requests();
    (simulator, connect)
}

fn stop_all(simulator: &Simulator) {
    for vm in simulator.objects("VirtualMachine") {
        simulator.set_power_state(&vm, PoweredOff);
    }
}

/// Gives a machine a device of the host.
fn pass_through(simulator: &Simulator, name: &str) {
    let device = VirtualPciPassthrough {
        base: VirtualDevice {
            key: 13_000,
            device_info: Some(
                Description {
                    label: "PCI device 0".to_owned(),
                    ..Description::default()
                }
                .into(),
            ),
            ..VirtualDevice::default()
        },
        ..VirtualPciPassthrough::default()
    };
    let vm = simulator.vm(name).unwrap();
    let changed = simulator.change(&vm, |vm: &mut VirtualMachine| {
        let config = vm.config.as_mut().unwrap();
        config.hardware.device.push(Poly::new(device));
    });
    changed.unwrap();
}

fn names(maintenance: &HostMaintenance) -> Vec<&str> {
    let domains = maintenance.domains.iter();
    domains.map(|domain| domain.name.as_str()).collect()
}

#[tokio::test]
async fn running_domains_keep_a_host_on_its_own_from_maintenance() {
    let (simulator, connect) = host().await;
    pass_through(&simulator, "web01");
    simulator.clear_requests();
    let now = connect.host_maintenance().await.unwrap();
    assert_eq!(methods(&simulator), ["RetrievePropertiesEx"; 2]);
    assert_eq!((now.state, now.percent), (MaintenanceState::Out, None));
    assert_eq!(names(&now), ["web01", "db01", "files", "router"]);
    let obstacles = &now.domains[0].obstacles;
    assert_eq!(obstacles[0], MaintenanceObstacle::NoOtherHost);
    let device = MaintenanceObstacle::HostDevice("PCI device 0".to_owned());
    assert!(obstacles.contains(&device), "{obstacles:?}");
    let why = now.domains[0].why();
    assert!(why.starts_with("no other host can take it, 'PCI device 0' is a device of the host"));

    stop_all(&simulator);
    simulator.clear_requests();
    let now = connect.host_maintenance().await.unwrap();
    assert!(now.domains.is_empty());
    assert_eq!(methods(&simulator), ["RetrievePropertiesEx"]);
}

#[tokio::test]
async fn a_cluster_moves_what_can_be_moved() {
    let (simulator, connect) = vcenter().await;
    let now = connect.host_maintenance().await.unwrap();
    assert_eq!(methods(&simulator), ["RetrievePropertiesEx"; 2]);
    assert!(!now.domains.is_empty());
    let moved = &now.domains[0];
    assert_eq!(moved.obstacles, [], "{moved:?}");
    assert_eq!(moved.why(), "the cluster moves it");

    let cluster = simulator.objects("ClusterComputeResource").remove(0);
    let manual = simulator.change(&cluster, |cluster: &mut ClusterComputeResource| {
        let drs = &mut cluster.configuration.as_mut().unwrap().drs_config;
        drs.default_vm_behavior = Some(DrsBehavior::Manual);
    });
    manual.unwrap();
    for store in simulator.objects("Datastore") {
        let local = |store: &mut Datastore| {
            store.summary.as_mut().unwrap().multiple_host_access = Some(false);
        };
        simulator.change(&store, local).unwrap();
    }
    let now = connect.host_maintenance().await.unwrap();
    let obstacles = &now.domains[0].obstacles;
    assert_eq!(obstacles[0], MaintenanceObstacle::NotAutomatic);
    assert!(
        matches!(obstacles[1], MaintenanceObstacle::LocalDatastore(_)),
        "{obstacles:?}"
    );
}

/// Tells the cluster how to treat a machine.
fn except(
    simulator: &Simulator,
    vm: &ManagedObjectReference,
    enabled: Option<bool>,
    behavior: Option<DrsBehavior>,
) {
    let cluster = simulator.objects("ClusterComputeResource").remove(0);
    let changed = simulator.change(&cluster, |cluster: &mut ClusterComputeResource| {
        let configuration = cluster.configuration.as_mut().unwrap();
        let exceptions = &mut configuration.drs_vm_config;
        exceptions.retain(|exception| exception.key != *vm);
        exceptions.push(ClusterDrsVmConfigInfo {
            key: vm.clone(),
            enabled,
            behavior,
            ..ClusterDrsVmConfigInfo::default()
        });
    });
    changed.unwrap();
}

#[tokio::test]
async fn a_cluster_treats_single_machines_in_other_ways() {
    let (simulator, connect) = vcenter().await;
    let before = connect.host_maintenance().await.unwrap();
    let name = names(&before)[0].to_owned();
    let vm = simulator.vm(&name).unwrap();
    let cluster = simulator.objects("ClusterComputeResource").remove(0);
    let by_itself = |behavior: DrsBehavior, overrides: Option<bool>| {
        let changed = simulator.change(&cluster, |cluster: &mut ClusterComputeResource| {
            let drs = &mut cluster.configuration.as_mut().unwrap().drs_config;
            drs.default_vm_behavior = Some(behavior);
            drs.enable_vm_behavior_overrides = overrides;
        });
        changed.unwrap();
    };
    use MaintenanceException::{Disabled, Manual, PartiallyAutomated};
    let exception = |exception| Some(MaintenanceObstacle::Exception(exception));
    for (enabled, behavior, expected) in [
        (Some(false), None, exception(Disabled)),
        (
            Some(false),
            Some(DrsBehavior::FullyAutomated),
            exception(Disabled),
        ),
        (Some(true), Some(DrsBehavior::Manual), exception(Manual)),
        (
            None,
            Some(DrsBehavior::PartiallyAutomated),
            exception(PartiallyAutomated),
        ),
        (None, Some(DrsBehavior::FullyAutomated), None),
        (None, None, None),
    ] {
        except(&simulator, &vm, enabled, behavior.clone());
        simulator.clear_requests();
        let now = connect.host_maintenance().await.unwrap();
        assert_eq!(methods(&simulator), ["RetrievePropertiesEx"; 2]);
        let told = now.domains[0].obstacles.first().cloned();
        assert_eq!(told, expected, "{enabled:?} {behavior:?}");
        let others = now.domains[1..].iter();
        others.for_each(|domain| assert_eq!(domain.obstacles, [], "{domain:?}"));
    }
    // An exception may also be the one that is moved.
    except(&simulator, &vm, None, Some(DrsBehavior::FullyAutomated));
    by_itself(DrsBehavior::Manual, None);
    let now = connect.host_maintenance().await.unwrap();
    assert_eq!(now.domains[0].obstacles, []);
    let other = now.domains.get(1).map(|domain| domain.obstacles.clone());
    assert!(other.is_none_or(|other| other == [MaintenanceObstacle::NotAutomatic]));
    // And exceptions may be switched off.
    except(&simulator, &vm, Some(false), None);
    by_itself(DrsBehavior::FullyAutomated, Some(false));
    let now = connect.host_maintenance().await.unwrap();
    assert_eq!(now.domains[0].obstacles, []);
}

#[tokio::test(start_paused = true)]
async fn a_cluster_leaves_what_it_is_not_to_move() {
    let (simulator, connect) = vcenter().await;
    let before = connect.host_maintenance().await.unwrap();
    let name = names(&before)[0].to_owned();
    except(&simulator, &simulator.vm(&name).unwrap(), Some(false), None);
    let options = MaintenanceOptions::new().timeout(30 * SECOND);
    let error = connect.enter_maintenance_mode(options).await.unwrap_err();
    let told = error.to_string();
    let end = format!("it waited for '{name}' (the cluster is not to move it)");
    assert!(told.ends_with(&end), "{told}");
}

#[tokio::test(start_paused = true)]
async fn a_host_of_a_vsan_is_told_what_to_do_with_its_data() {
    let (simulator, connect) = vcenter().await;
    stop_all(&simulator);
    for (evacuation, word) in [
        (
            VsanEvacuation::EnsureAccessibility,
            "ensureObjectAccessibility",
        ),
        (VsanEvacuation::EvacuateAllData, "evacuateAllData"),
        (VsanEvacuation::NoAction, "noAction"),
    ] {
        simulator.clear_requests();
        let options = MaintenanceOptions::new().vsan(evacuation);
        connect.enter_maintenance_mode(options).await.unwrap();
        let requests = simulator.requests();
        let entered = requests.iter().find_map(|request| {
            let body = String::from_utf8_lossy(&request.body).into_owned();
            body.contains("EnterMaintenanceMode_Task").then_some(body)
        });
        let expected = format!("<objectAction>{word}</objectAction>");
        assert!(entered.unwrap().contains(&expected), "{word}");
        connect.exit_maintenance_mode(None).await.unwrap();
        assert_eq!(
            VsanEvacuation::from_word(evacuation.word()),
            Some(evacuation)
        );
    }
    let old = Simulator::vcenter().api_version("5.1").unwrap().build();
    let connect = open(&old, &format!("vpx://vc/{}", old.path()))
        .await
        .unwrap();
    let options = MaintenanceOptions::new().vsan(VsanEvacuation::NoAction);
    let error = connect.enter_maintenance_mode(options).await.unwrap_err();
    assert!(error.to_string().contains("5.5"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_host_enters_when_its_last_domain_stops() {
    let (simulator, connect) = host().await;
    let told = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&told);
    let options = MaintenanceOptions::new().on_waiting(move |now| {
        let names = names(now).into_iter().map(str::to_owned);
        seen.lock()
            .unwrap()
            .push((now.state, names.collect::<Vec<_>>()));
    });
    let entering = tokio::spawn(connect.enter_maintenance_mode(options).into_future());
    tokio::time::sleep(12 * SECOND).await;
    assert!(!entering.is_finished());
    let error = connect
        .enter_maintenance_mode(MaintenanceOptions::new())
        .await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::TaskPending);
    for name in ["web01", "db01", "files"] {
        simulator.set_power_state(&simulator.vm(name).unwrap(), PoweredOff);
    }
    tokio::time::sleep(12 * SECOND).await;
    assert!(!entering.is_finished());
    stop_all(&simulator);
    entering.await.unwrap().unwrap();
    let all = ["web01", "db01", "files", "router"].map(str::to_owned);
    let expected = [
        (MaintenanceState::Entering, all.to_vec()),
        (MaintenanceState::Entering, vec!["router".to_owned()]),
    ];
    assert_eq!(*told.lock().unwrap(), expected);
    assert_eq!(simulator.leftovers(), []);

    let now = connect.host_maintenance().await.unwrap();
    assert_eq!(now.state, MaintenanceState::In);
    let again = connect.enter_maintenance_mode(MaintenanceOptions::new());
    assert_eq!(
        text(again.await),
        "Requested operation is not valid: the host is in maintenance mode already"
    );
    connect.exit_maintenance_mode(Some(SECOND)).await.unwrap();
    let now = connect.host_maintenance().await.unwrap();
    assert_eq!(now.state, MaintenanceState::Out);
    assert_eq!(
        text(connect.exit_maintenance_mode(None).await),
        "Requested operation is not valid: the host is not in maintenance mode"
    );
}

#[tokio::test(start_paused = true)]
async fn a_host_that_does_not_get_free_says_what_runs() {
    let (simulator, connect) = host().await;
    for name in ["db01", "files", "router"] {
        simulator.set_power_state(&simulator.vm(name).unwrap(), PoweredOff);
    }
    let options = MaintenanceOptions::new().timeout(30 * SECOND);
    let error = connect.enter_maintenance_mode(options).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    let told = error.to_string();
    let expected = "Timed out during operation: Could not enter maintenance mode: the host was not free within 30 s; \
                    it waited for 'web01' (no other host can take it";
    assert!(told.starts_with(expected), "{told}");
    assert!(error.advice().is_some());
    let now = connect.host_maintenance().await.unwrap();
    assert_eq!(now.state, MaintenanceState::Out);
    assert_eq!(simulator.leftovers(), []);
}

#[tokio::test(start_paused = true)]
async fn entering_can_be_cancelled() {
    let (simulator, connect) = host().await;
    let entering = connect
        .enter_maintenance_mode(MaintenanceOptions::new())
        .cancelled_by(tokio::time::sleep(5 * SECOND));
    let error = entering.await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    let now = connect.host_maintenance().await.unwrap();
    assert_eq!(now.state, MaintenanceState::Out);
    assert_eq!(simulator.leftovers(), []);
}

#[tokio::test(start_paused = true)]
async fn a_cluster_frees_its_host_but_for_what_is_bound_to_it() {
    let (simulator, connect) = vcenter().await;
    let before = connect.host_maintenance().await.unwrap();
    let bound = names(&before)[0].to_owned();
    pass_through(&simulator, &bound);
    let options = MaintenanceOptions::new().timeout(30 * SECOND);
    let error = connect.enter_maintenance_mode(options).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    let told = error.to_string();
    let end = format!("it waited for '{bound}' ('PCI device 0' is a device of the host)");
    assert!(told.ends_with(&end), "{told}");
    stop_all(&simulator);
    let options = MaintenanceOptions::new().evacuate_powered_off(true);
    connect.enter_maintenance_mode(options).await.unwrap();
    let left = simulator.properties::<HostSystem>(crate::host_of(&connect));
    assert_eq!(left.unwrap().vm, []);
}

fn suspend(connect: &Connect, seconds: u32) -> Operation<'static> {
    connect.node_suspend_for_duration(NodeSuspendTarget::Mem, seconds * SECOND, 0)
}

#[tokio::test(start_paused = true)]
async fn a_vcenter_suspends_a_host_and_wakes_it() {
    let (simulator, connect) = vcenter().await;
    let host = crate::host_of(&connect).clone();
    let power = || {
        let host: HostSystem = simulator.properties(&host).unwrap();
        host.runtime.unwrap().power_state
    };
    let suspended = tokio::spawn(suspend(&connect, 120).into_future());
    tokio::time::sleep(100 * SECOND).await;
    assert_eq!(power(), HostSystemPowerState::StandBy);
    suspended.await.unwrap().unwrap();
    assert_eq!(power(), HostSystemPowerState::PoweredOn);
    assert_eq!(simulator.leftovers(), []);

    let error = suspend(&connect, 120)
        .deadline(60 * SECOND)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(
        error.outcome(),
        Some("the host 'esx-01.example.com' is in standby; its vCenter can wake it")
    );
    assert_eq!(power(), HostSystemPowerState::StandBy);
}

#[tokio::test]
async fn what_cannot_be_suspended_is_refused_in_libvirts_words() {
    let (simulator, alone) = host().await;
    let (managing, managed) = vcenter().await;
    let of = |connect: &Connect, target, seconds: u32, flags| {
        connect.node_suspend_for_duration(target, seconds * SECOND, flags)
    };
    for (operation, expected) in [
        (
            of(&alone, NodeSuspendTarget::Mem, 60, 0),
            "Operation not supported: Suspend-to-RAM",
        ),
        (
            of(&managed, NodeSuspendTarget::Disk, 60, 0),
            "Operation not supported: Suspend-to-Disk",
        ),
        (
            of(&managed, NodeSuspendTarget::Hybrid, 60, 0),
            "Operation not supported: Hybrid-Suspend",
        ),
        (
            of(&managed, NodeSuspendTarget::Mem, 59, 0),
            "invalid argument: Suspend duration is too short, must be at least 60 seconds",
        ),
        (
            of(&managed, NodeSuspendTarget::Mem, 60, 1),
            "unsupported flags (0x1) in function virNodeSuspend",
        ),
    ] {
        assert_eq!(text(operation.await), expected);
    }
    assert_eq!(methods(&simulator), [""; 0]);
    assert_eq!(methods(&managing), [""; 0]);
    let host = crate::host_of(&managed).clone();
    let changed = managing.change(&host, |host: &mut HostSystem| {
        host.capability.as_mut().unwrap().standby_supported = false;
    });
    changed.unwrap();
    assert_eq!(
        text(of(&managed, NodeSuspendTarget::Mem, 60, 0).await),
        "Operation not supported: Suspend-to-RAM"
    );
}
