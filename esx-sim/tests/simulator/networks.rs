//! What a host's networks look like.

use esx_sim::Simulator;
use vi_types::objects::{HostNetworkInfo, HostNetworkTrafficShapingPolicy, HostPortGroup};
use vi_types::properties::{Datacenter, Folder, HostNetworkSystem, HostSystem, Network};

fn host(simulator: &Simulator) -> (HostSystem, HostNetworkInfo) {
    let host = simulator.objects("HostSystem").remove(0);
    let host: HostSystem = simulator.properties(&host).unwrap();
    let info = host.config.clone().unwrap().network.unwrap();
    (host, *info)
}

#[test]
fn a_host_has_switches_with_and_without_a_way_out() {
    let (_, info) = host(&Simulator::esx().build());
    let switches: Vec<_> = info
        .vswitch
        .iter()
        .map(|switch| (&*switch.name, switch.pnic.len(), switch.portgroup.len()))
        .collect();
    assert_eq!(
        switches,
        [("vSwitch0", 1, 2), ("vSwitch1", 0, 1), ("vSwitch2", 1, 2)]
    );
    for switch in &info.vswitch {
        assert_eq!(switch.spec.bridge.is_some(), !switch.pnic.is_empty());
        for key in &switch.pnic {
            assert!(info.pnic.iter().any(|nic| nic.key.as_ref() == Some(key)));
        }
        for key in &switch.portgroup {
            let group = info
                .portgroup
                .iter()
                .find(|one| one.key.as_ref() == Some(key));
            assert_eq!(group.unwrap().spec.vswitch_name, switch.name);
        }
    }
}

#[test]
fn traffic_is_limited_on_a_switch_and_differently_in_one_of_its_groups() {
    let (_, info) = host(&Simulator::esx().build());
    let average = |shaping: Option<&HostNetworkTrafficShapingPolicy>| {
        let shaping = shaping.filter(|shaping| shaping.enabled == Some(true));
        shaping.and_then(|shaping| shaping.average_bandwidth)
    };
    let switches = info.vswitch.iter().map(|switch| {
        let policy = switch.spec.policy.as_deref().unwrap();
        average(policy.shaping_policy.as_deref())
    });
    assert_eq!(
        switches.collect::<Vec<_>>(),
        [None, None, Some(102_400_000)]
    );
    let group = |name: &str| -> &HostPortGroup {
        let mut groups = info.portgroup.iter();
        groups.find(|group| group.spec.name == name).unwrap()
    };
    for (name, own, computed) in [
        ("VM Network", None, None),
        ("DMZ", Some(51_200_000), Some(51_200_000)),
        ("vMotion", None, Some(102_400_000)),
    ] {
        let group = group(name);
        let policy = &group.spec.policy;
        assert_eq!(average(policy.shaping_policy.as_deref()), own, "{name}");
        let policy = &group.computed_policy;
        assert_eq!(
            average(policy.shaping_policy.as_deref()),
            computed,
            "{name}"
        );
    }
}

#[test]
fn the_network_system_shows_what_the_host_shows() {
    for simulator in [Simulator::esx().build(), Simulator::vcenter().build()] {
        for host in simulator.objects("HostSystem") {
            let host: HostSystem = simulator.properties(&host).unwrap();
            let system = host.config_manager.unwrap().network_system.unwrap();
            let system: HostNetworkSystem = simulator.properties(&system).unwrap();
            assert_eq!(system.network_info, host.config.unwrap().network);
        }
    }
}

#[test]
fn groups_for_virtual_machines_are_networks_and_groups_of_the_host_are_none() {
    for simulator in [Simulator::esx().build(), Simulator::vcenter().build()] {
        let (host, info) = host(&simulator);
        let name = |network| {
            let network: Network = simulator.properties(&network).unwrap();
            network.name.clone().unwrap()
        };
        let networks = host.network.iter().cloned();
        let own = networks.filter(|network| network.r#type == "Network");
        let names: Vec<_> = own.map(name).collect();
        assert_eq!(names, ["VM Network", "Internal", "DMZ"]);
        // Those of the distributed switch, with that of its uplinks.
        let distributed = match simulator.path() {
            "" => 0,
            _ => 3,
        };
        assert_eq!(host.network.len(), 3 + distributed);
        assert_eq!(info.portgroup.len(), 5);
        for datacenter in simulator.objects("Datacenter") {
            let datacenter: Datacenter = simulator.properties(&datacenter).unwrap();
            let folder = datacenter.network_folder.clone().unwrap();
            let folder: Folder = simulator.properties(&folder).unwrap();
            let mut children = folder.child_entity.clone();
            children.retain(|child| child.r#type != "VmwareDistributedVirtualSwitch");
            assert_eq!(children, datacenter.network);
            assert_eq!(datacenter.network.len(), 3 + distributed);
        }
    }
}

#[test]
fn the_hosts_own_interfaces_are_in_groups_of_their_own() {
    let (_, info) = host(&Simulator::esx().build());
    let interfaces = info.vnic.iter().map(|nic| {
        let ip = nic.spec.ip.as_deref().unwrap();
        let address = ip.ip_address.clone().unwrap();
        (&*nic.device, &*nic.portgroup, address)
    });
    assert_eq!(
        interfaces.collect::<Vec<_>>(),
        [
            ("vmk0", "Management Network", "192.0.2.1".to_owned()),
            ("vmk1", "vMotion", "192.0.3.1".to_owned())
        ]
    );
}
