//! Monitors: pictures of whole servers.

mod counters;
mod outages;

use std::sync::Arc;
use std::time::Duration;

use esx_driver::{
    Connect, Monitor, MonitorOptions, MonitorSnapshot, MonitoredDomain,
    vi_client::vi_types::DateTime,
};
use esx_sim::Simulator;
use vi_types::{
    enums::{ManagedEntityStatus, VirtualMachineConnectionState, VirtualMachinePowerState},
    objects::{AlarmState, VirtualMachineQuickStats},
    properties::VirtualMachine,
};

use crate::{host, methods, open};

/// When the simulators' clocks stand still.
const NOON: i64 = 1_800_014_400;

/// A monitor of a simulator whose clock stands still.
async fn monitor_of(simulator: &Simulator, options: MonitorOptions) -> (Connect, Monitor) {
    simulator.stop_clock(DateTime::from_epoch_seconds(NOON));
    let (scheme, path) = (simulator.scheme(), simulator.path());
    let uri = format!("{scheme}://server.example.com/{path}");
    let connect = open(simulator, &uri).await.unwrap();
    simulator.clear_requests();
    let monitor = Monitor::start(&connect, options).await.unwrap();
    (connect, monitor)
}

/// The first snapshot with a poll at the next interval.
async fn polled(simulator: &Simulator, monitor: &Monitor) -> Arc<MonitorSnapshot> {
    simulator.advance_clock(Duration::from_secs(20));
    let polls = |snapshot: &MonitorSnapshot| snapshot.poll.number;
    let mut snapshot = monitor.snapshot();
    let before = polls(&snapshot);
    while polls(&snapshot) == before {
        snapshot = monitor.changed(snapshot.number).await.unwrap();
    }
    snapshot
}

fn domain<'s>(snapshot: &'s MonitorSnapshot, name: &str) -> &'s MonitoredDomain {
    let mut domains = snapshot.domains.iter();
    domains.find(|domain| domain.name == name).unwrap()
}

/// `name state` of each domain.
fn states(snapshot: &MonitorSnapshot) -> Vec<String> {
    let domains = snapshot.domains.iter();
    let state = |domain: &MonitoredDomain| format!("{} {}", domain.name, domain.state);
    domains.map(|domain| state(domain)).collect()
}

fn measure(simulator: &Simulator, name: &str, cpu_mhz: i32) {
    simulator.change(&simulator.vm(name).unwrap(), |vm: &mut VirtualMachine| {
        vm.summary.as_mut().unwrap().quick_stats = VirtualMachineQuickStats {
            overall_cpu_usage: Some(cpu_mhz),
            ballooned_memory: Some(96),
            ..VirtualMachineQuickStats::default()
        };
    });
}

#[tokio::test]
async fn everything_of_a_host() {
    let (simulator, connect) = host().await;
    measure(&simulator, "web01", 71);
    let monitor = Monitor::start(&connect, MonitorOptions::default()).await;
    let monitor = monitor.unwrap();
    let snapshot = monitor.snapshot();
    let expected = [
        "build/ci shutoff",
        "db01 running",
        "desktop paused",
        "files running",
        "installer shutoff",
        "router running",
        "web01 running",
    ];
    assert_eq!(states(&snapshot), expected);
    // Four requests for the state, one for the ids of counters, one for their values.
    assert_eq!(
        methods(&simulator),
        [
            "CreatePropertyCollector",
            "CreateFilter",
            "WaitForUpdatesEx",
            "RetrievePropertiesEx",
            "RetrievePropertiesEx",
            "QueryPerf"
        ]
    );
    let web = domain(&snapshot, "web01");
    assert_eq!(web.usage.cpu_mhz, Some(71));
    assert_eq!((web.max_memory_kib, web.memory_kib), (4 << 20, 4_096_000));
    let disks: Vec<_> = web
        .disks
        .iter()
        .map(|disk| (&*disk.target, &*disk.instance))
        .collect();
    assert_eq!(disks, [("sda", "scsi0:0")]);
    assert_eq!(web.interfaces[0].mac.as_deref(), Some("00:0c:29:00:00:01"));
    assert_eq!(web.guest.disks[0].path, "/");
    let host = &snapshot.hosts[0];
    assert_eq!((&*host.name, host.domains), ("esx.example.com", 7));
    let stores: Vec<_> = snapshot
        .datastores
        .iter()
        .map(|store| &*store.name)
        .collect();
    assert_eq!(stores, ["datastore1", "ssd"]);
    assert_eq!(&*snapshot.resource_pools[0].path, "Resources");
    assert_eq!(monitor.domain(web).info().await.unwrap().max_mem, 4 << 20);

    // A change of a property comes by itself.
    let web = simulator.vm("web01").unwrap();
    simulator.set_power_state(&web, VirtualMachinePowerState::PoweredOff);
    let next = monitor.changed(snapshot.number).await.unwrap();
    assert_eq!(states(&next)[6], "web01 shutoff");
    assert_eq!(next.domains[6].usage, Default::default());
    assert_eq!(next.domains[6].cpu_ratio(), None);
    simulator.clear_requests();
    monitor.close().await;
    let end = methods(&simulator);
    assert!(
        end.contains(&"DestroyPropertyCollector".to_owned()),
        "{end:?}"
    );
    assert_eq!(simulator.leftovers(), []);
}

#[tokio::test]
async fn everything_of_a_vcenter() {
    let simulator = Simulator::vcenter().build();
    let (_, monitor) = monitor_of(&simulator, MonitorOptions::default()).await;
    let snapshot = monitor.snapshot();
    let hosts: Vec<_> = snapshot
        .hosts
        .iter()
        .map(|host| format!("{} {} {}", host.name, host.cluster, host.datacenter))
        .collect();
    let all = simulator.objects("VirtualMachine").len();
    assert_eq!(snapshot.domains.len(), all);
    let expected = [
        "esx-01.example.com Production Berlin",
        "esx-01.paris.example.com  Europe/Paris",
        "esx-02.example.com Production Berlin",
        "esx-edge.example.com  Berlin",
    ];
    assert_eq!(hosts, expected);
    let web = domain(&snapshot, "web01");
    let place = [
        &web.host_name,
        &web.cluster,
        &web.datacenter,
        &web.folder,
        &web.resource_pool,
    ];
    let expected = [
        "esx-01.example.com",
        "Production",
        "Berlin",
        "Web",
        "Resources",
    ];
    assert_eq!(place.map(|name| &**name), expected);
    let pools = snapshot.resource_pools.iter();
    let pools: Vec<_> = pools
        .map(|pool| format!("{} of {}", pool.path, pool.owner))
        .collect();
    let expected = [
        "Resources of esx-edge.example.com",
        "Resources of esx-01.paris.example.com",
        "Resources of Production",
    ];
    assert_eq!(pools, expected);
    let stores = snapshot.datastores.iter();
    let stores: Vec<_> = stores
        .map(|store| format!("{} {} {}", store.name, store.datacenter, store.hosts))
        .collect();
    let expected = [
        "esx-01.paris-local Europe/Paris 1",
        "esx-01.paris-shared Europe/Paris 1",
        "esx-edge-local Berlin 1",
        "esx-edge-shared Berlin 1",
        "production-local Berlin 2",
        "production-shared Berlin 2",
    ];
    assert_eq!(stores, expected);
}

/// A change of a machine.
type Step = fn(&mut VirtualMachine);

/// Whether a domain shows a change.
type Shown = fn(&MonitoredDomain) -> bool;

/// Changes that the snapshot shows without a poll.
#[tokio::test]
async fn what_the_server_tells() {
    let (simulator, connect) = host().await;
    let options = MonitorOptions::default();
    let monitor = Monitor::start(&connect, options).await.unwrap();
    let mut snapshot = monitor.snapshot();
    let web = simulator.vm("web01").unwrap();
    let steps: [(Step, Shown); 4] = [
        (
            |vm| vm.base.name = Some("web%2f01".to_owned()),
            |domain| domain.name == "web/01",
        ),
        (
            |vm| {
                vm.base.triggered_alarm_state = vec![AlarmState {
                    overall_status: ManagedEntityStatus::Red,
                    ..AlarmState::default()
                }];
            },
            |domain| domain.alarms[0].status == ManagedEntityStatus::Red,
        ),
        (
            |vm| vm.config.as_mut().unwrap().hardware.num_cpu = 3,
            |domain| domain.vcpus == 3,
        ),
        (
            |vm| {
                let runtime = vm.runtime.as_mut().unwrap();
                runtime.connection_state = VirtualMachineConnectionState::Disconnected;
            },
            |domain| !domain.is_connected && domain.usage == Default::default(),
        ),
    ];
    for (at, (change, is_shown)) in steps.into_iter().enumerate() {
        simulator.change(&web, change);
        snapshot = monitor.changed(snapshot.number).await.unwrap();
        let mut domains = snapshot.domains.iter();
        let shown = domains.find(|domain| domain.moref == web).unwrap();
        assert!(is_shown(shown), "{at}: {shown:#?}");
    }
    assert!(simulator.remove_vm(&web));
    snapshot = monitor.changed(snapshot.number).await.unwrap();
    assert_eq!(snapshot.domains.len(), 6);
    assert_eq!(snapshot.hosts[0].domains, 6);
    assert!(snapshot.domain(&web).is_none());
}

#[tokio::test]
async fn only_what_is_wanted_is_read() {
    let simulator = Simulator::esx().build();
    let interval = Duration::from_secs(5);
    let (_, monitor) = monitor_of(&simulator, MonitorOptions::table(interval)).await;
    let snapshot = monitor.snapshot();
    assert!(snapshot.datastores.is_empty() && snapshot.resource_pools.is_empty());
    let web = domain(&snapshot, "web01");
    assert_eq!(web.guest, Default::default());
    assert!(web.rx_bytes_rate().is_some() && web.cpu_ratio().is_some());

    let simulator = Simulator::esx().build();
    let mut options = MonitorOptions::default();
    (options.counters, options.devices) = (false, false);
    let (_, monitor) = monitor_of(&simulator, options).await;
    let snapshot = monitor.snapshot();
    let web = domain(&snapshot, "web01");
    assert!(web.disks.is_empty() && web.counters.is_empty() && web.cpu_time_ns.is_none());
    // Without a counter, by the host's statistics.
    assert!(web.cpu_ratio().is_some());
    assert!(!methods(&simulator).contains(&"QueryPerf".to_owned()));
}

/// Servers that lack much of what newer ones have.
#[tokio::test]
async fn old_servers() {
    for version in ["2.5", "4.0", "4.1", "5.0", "6.7"] {
        let simulator = Simulator::esx().api_version(version).unwrap().build();
        let (_, monitor) = monitor_of(&simulator, MonitorOptions::default()).await;
        let snapshot = monitor.snapshot();
        assert_eq!(snapshot.domains.len(), 7, "{version}");
        assert_eq!(snapshot.hosts[0].domains, 7, "{version}");
        assert_eq!(snapshot.datastores.len(), 2, "{version}");
        monitor.close().await;
    }
}
