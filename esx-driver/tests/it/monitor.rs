//! Monitors: pictures of whole servers.

use esx_driver::{Monitor, MonitorOptions, MonitorSnapshot, MonitoredDomain};
use esx_sim::Simulator;
use vi_types::{
    enums::VirtualMachinePowerState, objects::VirtualMachineQuickStats, properties::VirtualMachine,
};

use crate::{host, methods};

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
    assert_eq!(
        methods(&simulator),
        [
            "CreatePropertyCollector",
            "CreateFilter",
            "WaitForUpdatesEx",
            "RetrievePropertiesEx"
        ]
    );
    let web = &snapshot.domains[6];
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

    // A change of a property comes by itself.
    let web = simulator.vm("web01").unwrap();
    simulator.set_power_state(&web, VirtualMachinePowerState::PoweredOff);
    let next = monitor.changed(snapshot.number).await.unwrap();
    assert_eq!(states(&next)[6], "web01 shutoff");
    assert_eq!(next.domains[6].usage, Default::default());
    simulator.clear_requests();
    monitor.close().await;
    let end = methods(&simulator);
    assert!(
        end.contains(&"DestroyPropertyCollector".to_owned()),
        "{end:?}"
    );
}
