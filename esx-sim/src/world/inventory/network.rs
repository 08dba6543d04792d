//! A host's networks: switches, port groups, NICs and the host's own interfaces.

use vi_types::objects::{
    HostDnsConfig, HostIpConfig, HostIpRouteConfig, HostNetCapabilities, HostNetworkInfo,
    HostNetworkPolicy, HostNetworkSecurityPolicy, HostNetworkTrafficShapingPolicy,
    HostNicOrderPolicy, HostNicTeamingPolicy, HostPortGroup, HostPortGroupPort, HostPortGroupSpec,
    HostVirtualNic, HostVirtualNicSpec, HostVirtualSwitch, HostVirtualSwitchBondBridge,
    HostVirtualSwitchSpec, NetworkSummary, PhysicalNic, PhysicalNicLinkInfo, PhysicalNicSpec,
};
use vi_types::{ManagedObjectReference, properties};

use super::host::HostSpec;
use super::parts::{entity, text};
use crate::host_network::{self, DEFAULT_STACK, TEAMING, port_key};
use crate::world::World;

/// A virtual switch of a preset.
struct Switch {
    name: &'static str,
    /// Names of its physical NICs.
    uplinks: &'static [&'static str],
    shaping: Option<Shaping>,
    groups: &'static [Group],
}

/// A port group of a preset.
struct Group {
    name: &'static str,
    vlan: i32,
    shaping: Option<Shaping>,
    /// The host's VMkernel interface in it. Groups without one are for virtual machines.
    interface: Option<Interface>,
}

/// A VMkernel interface.
struct Interface {
    device: &'static str,
    /// The third number of its IPv4 address 192.0.x.y, whose last number is the host's; see [`ipv4`].
    subnet: u8,
}

/// Limits of outgoing traffic.
#[derive(Clone, Copy)]
struct Shaping {
    /// In bits a second.
    average: i64,
    /// In bits a second.
    peak: i64,
    /// In bytes.
    burst: i64,
}

/// The network of virtual machines that a fresh ESX host has.
const VM_NETWORK: Group = group("VM Network");

const MANAGEMENT: Group = Group {
    interface: Some(Interface {
        device: "vmk0",
        subnet: 2,
    }),
    ..group("Management Network")
};

const DMZ: Group = Group {
    vlan: 20,
    shaping: Some(Shaping {
        average: 51_200_000,
        peak: 102_400_000,
        burst: 52_428_800,
    }),
    ..group("DMZ")
};

const VMOTION: Group = Group {
    vlan: 30,
    interface: Some(Interface {
        device: "vmk1",
        subnet: 3,
    }),
    ..group("vMotion")
};

/// The switch of a fresh ESX host, one that leads nowhere, and one whose traffic is limited.
const SWITCHES: &[Switch] = &[
    Switch {
        name: "vSwitch0",
        uplinks: &["vmnic0"],
        shaping: None,
        groups: &[VM_NETWORK, MANAGEMENT],
    },
    Switch {
        name: "vSwitch1",
        uplinks: &[],
        shaping: None,
        groups: &[group("Internal")],
    },
    Switch {
        name: "vSwitch2",
        uplinks: &["vmnic1"],
        shaping: Some(Shaping {
            average: 102_400_000,
            peak: 204_800_000,
            burst: 104_857_600,
        }),
        groups: &[DMZ, VMOTION],
    },
];

const NICS: &[&str] = &["vmnic0", "vmnic1"];

const fn group(name: &'static str) -> Group {
    Group {
        name,
        vlan: 0,
        shaping: None,
        interface: None,
    }
}

/// The names of the port groups that virtual machines can be on, that of a fresh host first. Only these are
/// `Network` objects.
pub(crate) fn vm_networks() -> impl Iterator<Item = &'static str> {
    let groups = SWITCHES.iter().flat_map(|switch| switch.groups);
    groups
        .filter(|group| group.interface.is_none())
        .map(|group| group.name)
}

/// `HostSystem.config.network`.
pub(crate) fn info(world: &World, spec: &HostSpec) -> HostNetworkInfo {
    let (host, domain) = spec.name.split_once('.').unwrap_or((&spec.name, ""));
    let groups = || {
        let of = |switch: &'static Switch| switch.groups.iter().map(move |group| (switch, group));
        SWITCHES.iter().flat_map(of)
    };
    let mut info = HostNetworkInfo {
        ip_v6_enabled: world.since("4.0").then_some(true),
        at_boot_ip_v6_enabled: world.since("4.1").then_some(true),
        net_stack_instance: host_network::stacks(world),
        vswitch: SWITCHES.iter().map(virtual_switch).collect(),
        portgroup: groups()
            .map(|(switch, group)| port_group(spec, switch, group))
            .collect(),
        pnic: (0..)
            .zip(NICS)
            .map(|(index, device)| physical_nic(spec, index, device))
            .collect(),
        vnic: groups()
            .filter_map(|(_, group)| {
                Some(virtual_nic(world, spec, group, group.interface.as_ref()?))
            })
            .collect(),
        dns_config: Some(
            HostDnsConfig {
                dhcp: false,
                host_name: host.to_owned(),
                domain_name: domain.to_owned(),
                address: vec!["192.0.2.253".to_owned()],
                search_domain: vec![domain.to_owned()],
                ..HostDnsConfig::default()
            }
            .into(),
        ),
        ip_route_config: Some(
            HostIpRouteConfig {
                default_gateway: text("192.0.2.254"),
                ..HostIpRouteConfig::default()
            }
            .into(),
        ),
        ..HostNetworkInfo::default()
    };
    host_network::derive_routes(world, &mut info);
    info
}

/// Adds the managed object through which a host's networks are changed. It shows what `HostSystem.config.network`
/// shows.
pub(crate) fn add_system(
    world: &mut World,
    spec: &HostSpec,
    info: &HostNetworkInfo,
) -> ManagedObjectReference {
    let value = match spec.reference.value.strip_prefix("host-") {
        Some(number) => format!("networkSystem-{number}"),
        None => "networkSystem".to_owned(),
    };
    let mut system = properties::HostNetworkSystem {
        capabilities: Some(
            HostNetCapabilities {
                can_set_physical_nic_link_speed: true,
                supports_nic_teaming: true,
                nic_teaming_policy: TEAMING.map(str::to_owned).to_vec(),
                supports_vlan: true,
                uses_service_console_nic: !world.since("5.0"),
                supports_network_hints: true,
                vswitch_config_supported: true,
                vnic_config_supported: true,
                ip_route_config_supported: true,
                dns_config_supported: true,
                dhcp_on_vnic_supported: true,
                ip_v6_supported: world.since("4.0").then_some(true),
                ..HostNetCapabilities::default()
            }
            .into(),
        ),
        ..properties::HostNetworkSystem::default()
    };
    host_network::show_system(&mut system, info.clone());
    world.add(value, system)
}

/// A network of port groups on those hosts; whoever has a folder for it sets its parent.
pub(crate) fn add(
    world: &mut World,
    value: &str,
    name: &str,
    hosts: &[&HostSpec],
) -> ManagedObjectReference {
    let hosts = hosts.iter().map(|host| host.reference.clone()).collect();
    add_on(world, value, name, hosts)
}

/// The same on hosts that there are.
pub(crate) fn add_on(
    world: &mut World,
    value: &str,
    name: &str,
    host: Vec<ManagedObjectReference>,
) -> ManagedObjectReference {
    let reference = ManagedObjectReference::new("Network", value);
    world.add(
        value,
        properties::Network {
            base: entity(name, None),
            summary: Some(
                NetworkSummary {
                    network: Some(reference),
                    name: name.to_owned(),
                    accessible: true,
                    ip_pool_name: text(""),
                    ..NetworkSummary::default()
                }
                .into(),
            ),
            host,
            ..properties::Network::default()
        },
    )
}

/// A switch without port groups and without physical NICs.
pub(crate) fn bare_switch(name: &str) -> HostVirtualSwitch {
    HostVirtualSwitch {
        name: name.to_owned(),
        key: switch_key(name),
        ..virtual_switch(&BARE)
    }
}

/// A port group for virtual machines.
pub(crate) fn bare_group(name: &str, switch: &str) -> HostPortGroup {
    HostPortGroup {
        key: Some(group_key(name)),
        vswitch: Some(switch_key(switch)),
        computed_policy: policy(&BARE, None),
        spec: HostPortGroupSpec {
            name: name.to_owned(),
            vswitch_name: switch.to_owned(),
            ..HostPortGroupSpec::default()
        },
        ..HostPortGroup::default()
    }
}

/// A physical NIC without a link; `number` makes its addresses.
pub(crate) fn bare_nic(device: &str, number: u8) -> PhysicalNic {
    PhysicalNic {
        key: Some(nic_key(device)),
        device: device.to_owned(),
        pci: format!("0000:03:{number:02x}.0"),
        driver: text("ixgben"),
        spec: PhysicalNicSpec {
            ip: Some(no_address().into()),
            ..PhysicalNicSpec::default()
        },
        valid_link_specification: SPEEDS.map(link).to_vec(),
        wake_on_lan_supported: true,
        mac: format!("00:1b:21:01:00:{number:02x}"),
        ..PhysicalNic::default()
    }
}

/// A switch that leads nowhere and has no groups.
const BARE: Switch = Switch {
    name: "",
    uplinks: &[],
    shaping: None,
    groups: &[],
};

/// libvirt's UUID of a network is the MD5 of this key (`esxNetworkLookupByUUID`, libvirt 9.0.0).
fn switch_key(name: &str) -> String {
    format!("key-vim.host.VirtualSwitch-{name}")
}

fn group_key(name: &str) -> String {
    format!("key-vim.host.PortGroup-{name}")
}

/// The key of a physical NIC.
pub(crate) fn nic_key(device: &str) -> String {
    format!("key-vim.host.PhysicalNic-{device}")
}

fn virtual_switch(switch: &Switch) -> HostVirtualSwitch {
    let uplinks: Vec<_> = switch.uplinks.iter().map(|nic| (*nic).to_owned()).collect();
    let bridge = (!uplinks.is_empty()).then(|| {
        HostVirtualSwitchBondBridge {
            nic_device: uplinks,
            ..HostVirtualSwitchBondBridge::default()
        }
        .into()
    });
    HostVirtualSwitch {
        name: switch.name.to_owned(),
        key: switch_key(switch.name),
        num_ports: 4352,
        num_ports_available: 4309,
        mtu: Some(1500),
        portgroup: switch
            .groups
            .iter()
            .map(|group| group_key(group.name))
            .collect(),
        pnic: switch.uplinks.iter().map(|nic| nic_key(nic)).collect(),
        spec: HostVirtualSwitchSpec {
            num_ports: 128,
            bridge,
            policy: Some(policy(switch, switch.shaping).into()),
            mtu: Some(1500),
            ..HostVirtualSwitchSpec::default()
        },
        ..HostVirtualSwitch::default()
    }
}

/// The policy of a switch, which its port groups have too as far as they have none of their own.
fn policy(switch: &Switch, shaping: Option<Shaping>) -> HostNetworkPolicy {
    HostNetworkPolicy {
        security: Some(
            HostNetworkSecurityPolicy {
                allow_promiscuous: Some(false),
                mac_changes: Some(false),
                forged_transmits: Some(false),
                ..HostNetworkSecurityPolicy::default()
            }
            .into(),
        ),
        nic_teaming: Some(
            HostNicTeamingPolicy {
                policy: text("loadbalance_srcid"),
                reverse_policy: Some(true),
                notify_switches: Some(true),
                rolling_order: Some(false),
                nic_order: Some(
                    HostNicOrderPolicy {
                        active_nic: switch.uplinks.iter().map(|nic| (*nic).to_owned()).collect(),
                        ..HostNicOrderPolicy::default()
                    }
                    .into(),
                ),
                ..HostNicTeamingPolicy::default()
            }
            .into(),
        ),
        shaping_policy: Some(match shaping {
            Some(shaping) => limits(shaping).into(),
            None => HostNetworkTrafficShapingPolicy {
                enabled: Some(false),
                ..HostNetworkTrafficShapingPolicy::default()
            }
            .into(),
        }),
        ..HostNetworkPolicy::default()
    }
}

fn limits(shaping: Shaping) -> HostNetworkTrafficShapingPolicy {
    HostNetworkTrafficShapingPolicy {
        enabled: Some(true),
        average_bandwidth: Some(shaping.average),
        peak_bandwidth: Some(shaping.peak),
        burst_size: Some(shaping.burst),
        ..HostNetworkTrafficShapingPolicy::default()
    }
}

fn port_group(spec: &HostSpec, switch: &Switch, group: &Group) -> HostPortGroup {
    let port = group.interface.as_ref().map(|interface| HostPortGroupPort {
        key: Some(port_key(interface.device)),
        mac: vec![interface_mac(spec, interface)],
        r#type: "host".to_owned(),
        ..HostPortGroupPort::default()
    });
    HostPortGroup {
        key: Some(group_key(group.name)),
        port: port.into_iter().collect(),
        vswitch: Some(switch_key(switch.name)),
        computed_policy: policy(switch, group.shaping.or(switch.shaping)),
        spec: HostPortGroupSpec {
            name: group.name.to_owned(),
            vlan_id: group.vlan,
            vswitch_name: switch.name.to_owned(),
            policy: HostNetworkPolicy {
                shaping_policy: group.shaping.map(|shaping| limits(shaping).into()),
                ..HostNetworkPolicy::default()
            },
            ..HostPortGroupSpec::default()
        },
        ..HostPortGroup::default()
    }
}

fn physical_nic(spec: &HostSpec, index: u8, device: &str) -> PhysicalNic {
    PhysicalNic {
        key: Some(nic_key(device)),
        device: device.to_owned(),
        pci: format!("0000:02:0{index}.0"),
        driver: text("ixgben"),
        link_speed: (index == 0).then(|| link(FASTEST).into()),
        spec: PhysicalNicSpec {
            ip: Some(no_address().into()),
            ..PhysicalNicSpec::default()
        },
        valid_link_specification: SPEEDS.map(link).to_vec(),
        wake_on_lan_supported: true,
        mac: nic_mac(spec, index),
        ..PhysicalNic::default()
    }
}

/// The fastest of [`SPEEDS`].
const FASTEST: i32 = 10_000;

/// The speeds of physical NICs, in Mbit/s.
const SPEEDS: [i32; 2] = [1000, FASTEST];

fn link(speed_mb: i32) -> PhysicalNicLinkInfo {
    PhysicalNicLinkInfo {
        speed_mb,
        duplex: true,
        ..PhysicalNicLinkInfo::default()
    }
}

fn no_address() -> HostIpConfig {
    HostIpConfig {
        dhcp: false,
        ip_address: text(""),
        subnet_mask: text(""),
        ..HostIpConfig::default()
    }
}

fn virtual_nic(
    world: &World,
    spec: &HostSpec,
    group: &Group,
    interface: &Interface,
) -> HostVirtualNic {
    let mac = interface_mac(spec, interface);
    let ip = HostIpConfig {
        dhcp: false,
        ip_address: Some(ipv4(spec, interface.subnet)),
        subnet_mask: text("255.255.255.0"),
        ip_v6_config: world
            .since("4.0")
            .then(|| host_network::only_link(&mac).into()),
        ..HostIpConfig::default()
    };
    HostVirtualNic {
        device: interface.device.to_owned(),
        key: format!("key-vim.host.VirtualNic-{}", interface.device),
        portgroup: group.name.to_owned(),
        spec: HostVirtualNicSpec {
            ip: Some(ip.into()),
            mac: Some(mac),
            portgroup: text(group.name).filter(|_| world.since("4.0")),
            mtu: world.since("4.0").then_some(1500),
            tso_enabled: world.since("4.0").then_some(true),
            net_stack_instance_key: text(DEFAULT_STACK).filter(|_| world.since("5.5")),
            ..HostVirtualNicSpec::default()
        },
        port: Some(port_key(interface.device)),
        ..HostVirtualNic::default()
    }
}

/// The first interface has the address of the first NIC, as on ESX hosts.
fn interface_mac(spec: &HostSpec, interface: &Interface) -> String {
    match interface.device {
        "vmk0" => nic_mac(spec, 0),
        _ => {
            let [high, low] = spec.number.to_be_bytes();
            let high = 0x60 | high & 0x0f;
            format!("00:50:56:{high:02x}:{low:02x}:{:02x}", interface.subnet)
        }
    }
}

/// The address of a host's physical NIC. Bare NICs have those from `00:1b:21:01:00:00` on.
fn nic_mac(spec: &HostSpec, index: u8) -> String {
    let [high, low] = spec.number.to_be_bytes();
    let high = if high == 0 { 0 } else { high.saturating_add(1) };
    format!("00:1b:21:{high:02x}:{low:02x}:{index:02x}")
}

/// The address of a host in a subnet. The hosts beyond the 250th have those of 198.18.0.0/15, which is for tests, too.
fn ipv4(spec: &HostSpec, subnet: u8) -> String {
    let (page, host) = (
        spec.number.saturating_sub(1) / 250,
        spec.number.saturating_sub(1) % 250 + 1,
    );
    match page {
        0 => format!("192.0.{subnet}.{host}"),
        _ => format!("198.18.{}.{host}", (page * 16 + u16::from(subnet)) % 256),
    }
}
