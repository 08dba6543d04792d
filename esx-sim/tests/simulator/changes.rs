//! Changes that somebody else makes.

use std::time::Duration;

use esx_sim::{Action, Change, Changes, Churn, Simulator};
use tokio::time::Instant;
use vi_types::enums::{
    ManagedEntityStatus, VirtualMachineConnectionState, VirtualMachinePowerState,
};
use vi_types::objects::VirtualCdrom;
use vi_types::properties::{Datastore, HostSystem, VirtualMachine};

use crate::client::Client;

/// What a machine looks like, in a line.
fn seen(simulator: &Simulator, name: &str) -> String {
    let Some(vm) = simulator.vm(name) else {
        return format!("no {name}");
    };
    let vm: VirtualMachine = simulator.properties(&vm).unwrap();
    let (runtime, config) = (vm.runtime.unwrap(), vm.config.unwrap());
    let (guest, summary) = (vm.guest.unwrap(), vm.summary.unwrap());
    let drive = config.hardware.device.iter();
    let drive = drive.filter_map(|device| device.cast::<VirtualCdrom>());
    let drive = drive.filter_map(|drive| drive.connectable.as_deref());
    let tray: Vec<_> = drive.map(|info| info.connected).collect();
    let extra = config.extra_config.iter();
    let extra = extra.filter(|option| option.key.starts_with("my."));
    format!(
        "{} {}{} {} {} {}",
        match runtime.power_state {
            VirtualMachinePowerState::PoweredOn => "on",
            VirtualMachinePowerState::PoweredOff => "off",
            _ => "suspended",
        },
        guest.guest_state,
        match vm.guest_heartbeat_status {
            Some(ManagedEntityStatus::Green) => "+",
            Some(ManagedEntityStatus::Red) => "!",
            _ => "",
        },
        format_args!(
            "{} CPUs {} MB",
            config.hardware.num_cpu, config.hardware.memory_mb
        ),
        format_args!(
            "{} devices {tray:?} {} balloon {} consoles {} snapshots",
            config.hardware.device.len(),
            summary.quick_stats.ballooned_memory.unwrap_or_default(),
            runtime.num_mks_connections,
            vm.snapshot.map_or(0, |info| info.root_snapshot_list.len()),
        ),
        format_args!(
            "{:?} {} {}",
            config.annotation.unwrap_or_default(),
            extra.count(),
            if runtime.question.is_some() {
                "asks"
            } else {
                "quiet"
            },
        ),
    )
}

#[test]
fn each_change_of_a_machine_is_seen_in_its_properties() {
    let simulator = Simulator::esx().build();
    assert!(simulator.write_file("[datastore1] iso/netinst.iso", "image"));
    let before = "on running+ 2 CPUs 4096 MB 14 devices [false] 0 balloon 0 consoles 0 snapshots \
                  \"Front end <nginx> & certificates\" 0 quiet";
    let mut now = before.to_owned();
    assert_eq!(seen(&simulator, "web01"), now);
    for (change, from, to) in [
        ("tools web01 stopped", "running+", "notRunning"),
        ("tools web01 running", "notRunning", "running+"),
        ("guest-crash web01", "running+", "notRunning!"),
        ("reset web01", "notRunning!", "running+"),
        ("suspend web01", "on running+", "suspended notRunning"),
        ("power-on web01", "suspended notRunning", "on running+"),
        ("guest-shutdown web01", "on running+", "off notRunning"),
        ("power-on web01", "off notRunning", "on running+"),
        ("guest-reboot web01", "", ""),
        ("guest-standby web01", "on running+", "suspended notRunning"),
        ("power-on web01", "suspended notRunning", "on running+"),
        ("ask web01 disk-full", "quiet", "asks"),
        ("answer web01 Retry", "", ""),
        ("answer web01 Cancel", "asks", "quiet"),
        (
            "annotation web01 'two words'",
            "Front end <nginx> & certificates",
            "two words",
        ),
        ("extra web01 my.key 1", "\" 0", "\" 1"),
        ("balloon web01 512", "0 balloon", "512 balloon"),
        ("console web01 open", "0 consoles", "1 consoles"),
        ("console web01 close", "1 consoles", "0 consoles"),
        ("add-disk web01 64", "14 devices", "15 devices"),
        ("add-nic web01", "15 devices", "16 devices"),
        (
            "remove-device web01 'Hard disk 2'",
            "16 devices",
            "15 devices",
        ),
        (
            "remove-device web01 'Network adapter 2'",
            "15 devices",
            "14 devices",
        ),
        (
            "cdrom web01 insert '[datastore1] iso/netinst.iso'",
            "[false]",
            "[true]",
        ),
        ("cdrom web01 disconnect", "[true]", "[false]"),
        ("cdrom web01 connect", "[false]", "[true]"),
        ("snapshot web01 one", "0 snapshots", "1 snapshots"),
        ("power-off web01", "on running+", "off notRunning"),
        ("", "[true]", "[false]"),
        ("", "512 balloon", "0 balloon"),
        ("cpus web01 3", "2 CPUs", "3 CPUs"),
        ("memory web01 2048", "4096 MB", "2048 MB"),
        (
            "revert web01",
            "off notRunning 3 CPUs 2048 MB",
            "off notRunning 2 CPUs 4096 MB",
        ),
        ("remove-snapshots web01", "1 snapshots", "0 snapshots"),
    ] {
        if !change.is_empty() {
            simulator.apply(&change.parse().unwrap()).unwrap();
        }
        now = now.replace(from, to);
        if !(change.starts_with("power-off") || change.is_empty() && from == "[true]") {
            assert_eq!(seen(&simulator, "web01"), now, "{change}");
        }
    }
}

#[test]
fn machines_come_and_go_and_get_other_names() {
    let simulator = Simulator::esx().build();
    for (change, name, is_there) in [
        ("create fresh", "fresh", true),
        ("rename fresh 'very fresh'", "very fresh", true),
        ("unregister 'very fresh'", "very fresh", false),
        ("destroy build%2fci", "build%2fci", false),
        ("create other esx.example.com", "other", true),
    ] {
        simulator.apply(&change.parse().unwrap()).unwrap();
        assert_eq!(simulator.vm(name).is_some(), is_there, "{change}");
    }
    let simulator = Simulator::vcenter().build();
    let host = |name: &str| {
        let vm: VirtualMachine = simulator.properties(&simulator.vm(name).unwrap()).unwrap();
        let host: HostSystem = simulator
            .properties(&vm.runtime.unwrap().host.unwrap())
            .unwrap();
        host.name.clone().unwrap()
    };
    let change: Change = "clone web01 web02".parse().unwrap();
    simulator.apply(&change).unwrap();
    assert_eq!(host("web02"), "esx-01.example.com");
    let change: Change = "migrate web02 esx-02.example.com".parse().unwrap();
    simulator.apply(&change).unwrap();
    assert_eq!(host("web02"), "esx-02.example.com");
}

#[test]
fn hosts_datastores_and_networks_change() {
    for simulator in [Simulator::esx().build(), Simulator::vcenter().build()] {
        let host = || -> HostSystem {
            simulator
                .properties(&simulator.objects("HostSystem")[0])
                .unwrap()
        };
        let network = || host().config.unwrap().network.unwrap();
        let apply = |change: &str| simulator.apply(&change.parse().unwrap()).unwrap();
        let before = network();
        apply("add-switch vSwitch9");
        apply("add-network Lab vSwitch9");
        apply("add-nic-device vmnic4");
        let after = network();
        assert_eq!(after.vswitch.len(), before.vswitch.len() + 1);
        assert_eq!(
            after.vswitch.last().unwrap().portgroup,
            ["key-vim.host.PortGroup-Lab"]
        );
        assert_eq!(after.pnic.len(), before.pnic.len() + 1);
        apply("add-nic web01 Lab");
        apply("remove-device web01 'Network adapter 2'");
        apply("remove-network Lab");
        assert_eq!(network().vswitch.last().unwrap().portgroup, [""; 0]);
        apply("add-network Lab vSwitch9");
        apply("remove-switch vSwitch9");
        apply("remove-nic-device vmnic4");
        assert_eq!(network(), before);

        let stores = simulator.objects("Datastore").len();
        apply("add-datastore fresh");
        let made = simulator.objects("Datastore");
        assert!(made.len() > stores);
        let store = || -> Datastore {
            let stores = simulator.objects("Datastore").into_iter();
            let mut stores = stores.filter_map(|store| simulator.properties::<Datastore>(&store));
            stores
                .find(|store| store.name.as_deref() == Some("fresh"))
                .unwrap()
        };
        apply("datastore fresh inaccessible");
        assert!(!store().summary.unwrap().accessible);
        apply("datastore fresh accessible");
        assert!(store().summary.unwrap().accessible);
        apply("datastore fresh free 64M");
        assert_eq!(store().summary.unwrap().free_space, 64 << 20);
        apply("datastore fresh maintenance");
        assert_eq!(
            store().summary.unwrap().maintenance_mode.unwrap(),
            "inMaintenance"
        );
        apply("remove-datastore fresh");

        let name = host().name.clone().unwrap();
        apply(&format!("host {name} disconnected"));
        let vm: VirtualMachine = simulator.properties(&host().vm[0]).unwrap();
        let state = vm.runtime.unwrap().connection_state;
        assert_eq!(state, VirtualMachineConnectionState::Disconnected);
        apply(&format!("host {name} connected"));
        apply(&format!("host {name} maintenance"));
        assert!(host().runtime.unwrap().in_maintenance_mode);
    }
}

#[test]
fn impossible_changes_say_why() {
    let simulator = Simulator::esx().build();
    for (change, reason) in [
        (
            "power-on web01",
            "power-on web01: The attempted operation cannot be performed in the current state (Powered on).",
        ),
        (
            "power-on nobody",
            "power-on nobody: there is no virtual machine 'nobody'",
        ),
        (
            "guest-crash build/ci",
            "guest-crash build/ci: the machine is not on",
        ),
        ("answer web01", "answer web01: it asks no question"),
        (
            "remove-datastore ssd",
            "remove-datastore ssd: virtual machines use it",
        ),
        (
            "add-network A vSwitch7",
            "add-network A vSwitch7: there is no switch 'vSwitch7'",
        ),
        (
            "console web01 close",
            "console web01 close: nobody looks at its screen",
        ),
    ] {
        let error = simulator.apply(&change.parse().unwrap()).unwrap_err();
        assert_eq!(error.to_string(), reason);
    }
    let error = simulator
        .apply(&"remove-device web01 x".parse().unwrap())
        .unwrap_err();
    let error = error.to_string();
    assert!(
        error.contains("its devices: ") && error.contains("Hard disk 1"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_script_is_played_at_its_times_and_repeated() {
    let simulator = Simulator::esx().build();
    let vm = simulator.vm("web01").unwrap();
    let begin = Instant::now();
    let script: Changes = "1 power-off web01\n+0.5 power-on web01\n".parse().unwrap();
    simulator.play(script).await.unwrap();
    assert_eq!(begin.elapsed(), Duration::from_millis(1500));
    let script = Changes::new().at(Duration::from_secs(1), Change::new(&vm, Action::PowerOn));
    let error = simulator.play(script).await.unwrap_err();
    assert_eq!((error.line, error.change.as_str()), (None, "power-on 1"));

    let mut failed = Vec::new();
    let script: Changes = "0 power-off web01\n2 repeat".parse().unwrap();
    let playing = simulator.play_on(script, |error| failed.push(error.line));
    let over = tokio::time::timeout(Duration::from_secs(5), playing).await;
    assert!(over.is_err());
    assert_eq!(failed, [Some(1), Some(1)]);
}

#[tokio::test(start_paused = true)]
async fn changes_of_a_test_uri_begin_with_the_first_request() {
    let simulator = Simulator::esx()
        .play("1 power-off web01".parse().unwrap())
        .build();
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(seen(&simulator, "web01").starts_with("on"));
    Client::connect(&simulator).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(seen(&simulator, "web01").starts_with("off"));
}

#[tokio::test(start_paused = true)]
async fn churn_makes_so_many_changes_a_second_and_is_the_same_for_the_same_seed() {
    let run = async |seed| {
        let simulator = Simulator::esx().vms(20).build();
        let churn = simulator.churn(Churn::new(100.0).seed(seed));
        let over = tokio::time::timeout(Duration::from_secs(2), churn).await;
        assert!(over.is_err());
        let tasks = simulator.load().tasks_begun;
        assert!((190..=201).contains(&tasks), "{tasks}");
        let vms = simulator.objects("VirtualMachine").into_iter();
        let vms = vms.map(|vm| simulator.properties::<VirtualMachine>(&vm).unwrap());
        vms.map(|vm| (vm.base.name, vm.runtime.unwrap().power_state))
            .collect::<Vec<_>>()
    };
    let first = run(1).await;
    assert_eq!(run(1).await, first);
    assert_ne!(run(2).await, first);
}
