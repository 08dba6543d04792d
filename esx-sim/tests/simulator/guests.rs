//! What guests and the host report of machines.

use esx_sim::Simulator;
use vi_types::ManagedObjectReference;
use vi_types::enums::VirtualMachinePowerState::{PoweredOff, PoweredOn, Suspended};
use vi_types::enums::{ManagedEntityStatus, VirtualMachineToolsStatus as ToolsStatus};
use vi_types::methods::{
    PowerOffVmTask, PowerOnVmTask, RebootGuest, ResetVmTask, ShutdownGuest, StandbyGuest,
    SuspendVmTask,
};
use vi_types::objects::{GuestInfo, VirtualMachineQuickStats};
use vi_types::properties::VirtualMachine;

use crate::client::Client;

fn vm(simulator: &Simulator, name: &str) -> VirtualMachine {
    simulator.properties(&simulator.vm(name).unwrap()).unwrap()
}

fn guest(simulator: &Simulator, name: &str) -> GuestInfo {
    *vm(simulator, name).guest.unwrap()
}

fn quick_stats(simulator: &Simulator, name: &str) -> VirtualMachineQuickStats {
    vm(simulator, name).summary.unwrap().quick_stats
}

#[test]
fn a_running_guest_tells_its_name_and_addresses() {
    let simulator = Simulator::esx().build();
    let guest = guest(&simulator, "db01");
    assert_eq!(guest.host_name.as_deref(), Some("db01.example.com"));
    assert_eq!(guest.tools_status, Some(ToolsStatus::ToolsOk));
    assert_eq!(guest.net.len(), 2);
    let first = &guest.net[0];
    assert_eq!(first.mac_address.as_deref(), Some("00:0c:29:00:00:02"));
    assert_eq!(
        first.ip_address,
        [
            "10.0.0.2",
            "2001:db8::20c:29ff:fe00:2",
            "fe80::20c:29ff:fe00:2"
        ]
    );
    let config = first.ip_config.as_deref().unwrap();
    let addresses = config.ip_address.iter();
    let addresses: Vec<_> = addresses
        .map(|one| (&*one.ip_address, one.prefix_length))
        .collect();
    assert_eq!(
        addresses,
        [
            ("10.0.0.2", 16),
            ("2001:db8::20c:29ff:fe00:2", 64),
            ("fe80::20c:29ff:fe00:2", 64)
        ]
    );
    assert_eq!(guest.ip_address.as_deref(), Some("10.0.0.2"));
    assert_eq!(guest.disk.len(), 2);
    let dns = guest.ip_stack[0].dns_config.as_deref().unwrap();
    assert_eq!(
        (&*dns.host_name, &*dns.domain_name),
        ("db01", "example.com")
    );
}

#[test]
fn nobody_tells_anything_without_tools_or_power() {
    let simulator = Simulator::esx().build();
    for (name, power, status) in [
        ("router", PoweredOn, ToolsStatus::ToolsNotInstalled),
        ("web01", PoweredOff, ToolsStatus::ToolsNotRunning),
        ("web01", Suspended, ToolsStatus::ToolsNotRunning),
    ] {
        simulator.set_power_state(&simulator.vm(name).unwrap(), power);
        let guest = guest(&simulator, name);
        assert_eq!(guest.tools_status, Some(status));
        assert_eq!((guest.host_name, guest.ip_address), (None, None));
        assert!(guest.net.is_empty() && guest.disk.is_empty());
        assert_eq!(guest.guest_state, "notRunning");
    }
}

#[test]
fn machines_that_do_not_run_have_no_measurements() {
    let simulator = Simulator::esx().build();
    for power in [PoweredOff, Suspended] {
        simulator.set_power_state(&simulator.vm("web01").unwrap(), power);
        let expected = VirtualMachineQuickStats {
            guest_heartbeat_status: ManagedEntityStatus::Gray,
            ..VirtualMachineQuickStats::default()
        };
        assert_eq!(quick_stats(&simulator, "web01"), expected);
    }
}

#[test]
fn measurements_are_within_the_size_of_a_machine() {
    for kind in [Simulator::esx(), Simulator::vcenter()] {
        let simulator = kind.vms(50).build();
        let mut seen = Vec::new();
        for reference in simulator.objects("VirtualMachine") {
            let vm: VirtualMachine = simulator.properties(&reference).unwrap();
            let (summary, config) = (vm.summary.unwrap(), vm.config.unwrap());
            let stats = summary.quick_stats;
            if vm.runtime.unwrap().power_state != PoweredOn {
                continue;
            }
            let (usage, memory) = (
                stats.overall_cpu_usage.unwrap(),
                stats.guest_memory_usage.unwrap(),
            );
            assert!((1..=summary.runtime.max_cpu_usage.unwrap()).contains(&usage));
            assert!((1..=config.hardware.memory_mb).contains(&memory));
            assert!(memory < stats.host_memory_usage.unwrap());
            seen.push((usage, memory));
        }
        let count = seen.len();
        seen.sort_unstable();
        seen.dedup();
        assert!(seen.len() > count / 2, "{count} machines: {seen:?}");
    }
}

/// What a client asks a machine for, one after the other.
async fn ask(client: &Client, vm: &ManagedObjectReference, what: &str) {
    let asked = match what {
        "off" => client
            .call_on(vm, &PowerOffVmTask::default())
            .await
            .map(drop),
        "on" => client
            .call_on(vm, &PowerOnVmTask::default())
            .await
            .map(drop),
        "reset" => client.call_on(vm, &ResetVmTask::default()).await.map(drop),
        "suspend" => client
            .call_on(vm, &SuspendVmTask::default())
            .await
            .map(drop),
        "shutdown" => client.call_on(vm, &ShutdownGuest::default()).await,
        "reboot" => client.call_on(vm, &RebootGuest::default()).await,
        "standby" => client.call_on(vm, &StandbyGuest::default()).await,
        _ => panic!("{what}"),
    };
    asked.unwrap();
    while client.simulator.step_tasks() {}
}

#[tokio::test]
async fn a_guest_tells_its_name_and_addresses_again_after_it_was_off() {
    for simulator in [
        Simulator::esx(),
        Simulator::vcenter(),
        Simulator::esx().api_version("5.0").unwrap(),
    ] {
        let simulator = simulator.build();
        let client = Client::login(&simulator).await;
        for name in ["web01", "db01", "files"] {
            let before = guest(&simulator, name);
            let addresses = |guest: &GuestInfo| {
                let cards = guest.net.iter().map(|card| card.ip_address.clone());
                (
                    guest.host_name.clone(),
                    guest.ip_address.clone(),
                    cards.collect::<Vec<_>>(),
                )
            };
            assert!(before.ip_address.is_some(), "{name}");
            let vm = simulator.vm(name).unwrap();
            for way in [
                &["off", "on"][..],
                &["reset"],
                &["suspend", "on"],
                &["shutdown", "on"],
                &["reboot"],
                &["standby", "on"],
                &["suspend", "on", "off", "on", "reset"],
            ] {
                for (index, step) in way.iter().enumerate() {
                    ask(&client, &vm, step).await;
                    let now = addresses(&guest(&simulator, name));
                    let is_on = !matches!(*step, "off" | "suspend" | "shutdown" | "standby");
                    let there = (now.0.is_some(), now.1.is_some());
                    assert_eq!(there, (is_on, is_on), "{name}: {way:?} {index}");
                }
                let now = guest(&simulator, name);
                assert_eq!(addresses(&now), addresses(&before), "{name}: {way:?}");
                let summary = vm_summary(&simulator, name);
                assert_eq!(
                    summary,
                    (before.host_name.clone(), before.ip_address.clone())
                );
            }
        }
    }
}

fn vm_summary(simulator: &Simulator, name: &str) -> (Option<String>, Option<String>) {
    let guest = vm(simulator, name).summary.unwrap().guest.unwrap();
    (guest.host_name, guest.ip_address)
}
