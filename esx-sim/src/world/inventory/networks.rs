//! Distributed switches and opaque networks of a new server.

use vi_types::objects::{
    DistributedVirtualSwitchHostMemberConfigSpec, DistributedVirtualSwitchHostMemberPnicBacking,
    DistributedVirtualSwitchHostMemberPnicSpec, DvPortgroupConfigSpec, HostOpaqueNetworkInfo,
    HostOpaqueSwitch, NetworkSummary, OpaqueNetworkSummary, PhysicalNic, VMwareDvsConfigSpec,
    VMwareDvsPortSetting, VmwareDistributedVirtualSwitchVlanIdSpec,
};
use vi_types::{ManagedObjectReference, Poly, properties};

use super::folders::{self, ANY_NETWORK};
use super::parts::{entity, text, uuid};
use super::{ServerKind, datacenter_of, hosts, network};
use crate::machine::config::escaped;
use crate::network::NewDistributedSwitch;
use crate::world::{World, container_view};
use crate::{distributed, host_network};

/// The switch of opaque networks, and the kind of these.
const OPAQUE_SWITCH: &str = "nsxvswitch";
const OPAQUE_KIND: &str = "nsx.LogicalSwitch";

/// Gives a server distributed switches and opaque networks, as far as its release has such.
pub(super) fn equip(world: &mut World, switches: &[NewDistributedSwitch], opaque: &[String]) {
    if world.kind() == ServerKind::VCenter && world.since("4.0") {
        match switches {
            [] => add_switch(world, &NewDistributedSwitch::preset()),
            given => given.iter().for_each(|switch| add_switch(world, switch)),
        }
    }
    if !opaque.is_empty() && world.since("5.5") {
        add_opaque(world, opaque);
    }
}

fn add_switch(world: &mut World, new: &NewDistributedSwitch) {
    let mut datacenters: Vec<_> = world.all("Datacenter").cloned().collect();
    datacenters.sort_by(|a, b| (a.value.len(), &a.value).cmp(&(b.value.len(), &b.value)));
    for datacenter in datacenters {
        let mut own = hosts(world);
        own.retain(|host| datacenter_of(world, host).as_ref() == Some(&datacenter));
        let state = world.read::<properties::Datacenter>(&datacenter);
        let folder = state.and_then(|state| state.network_folder.clone());
        let Some(folder) = folder.map(|folder| subfolder(world, folder, new.folder.as_deref()))
        else {
            continue;
        };
        let members = own.iter().map(|host| member(world, host, new.uplinks));
        let members = members.collect();
        let mut spec = VMwareDvsConfigSpec::default();
        spec.base.name = Some(new.name.clone());
        spec.base.host = members;
        // What the names forbid, such as two switches of one name in a folder, is left out.
        let made = distributed::create(world, &folder, &Poly::new(spec), None);
        let Ok(switch) = made else { continue };
        let groups: Vec<_> = new.groups.iter().map(group).collect();
        let _ = distributed::add_groups(world, &switch, &groups);
    }
}

fn subfolder(
    world: &mut World,
    root: ManagedObjectReference,
    name: Option<&str>,
) -> ManagedObjectReference {
    let Some(name) = name else { return root };
    let known = crate::machine::config::namesake(world, &root, name);
    match known.filter(|known| known.r#type == "Folder") {
        Some(known) => known,
        None => folders::add(world, &root, &escaped(name), ANY_NETWORK),
    }
}

/// A host of a switch, with a physical NIC that it gets for it if the switch has uplinks.
fn member(
    world: &mut World,
    host: &ManagedObjectReference,
    uplinks: bool,
) -> DistributedVirtualSwitchHostMemberConfigSpec {
    let nic = uplinks.then(|| DistributedVirtualSwitchHostMemberPnicSpec {
        pnic_device: add_nic(world, host),
        ..DistributedVirtualSwitchHostMemberPnicSpec::default()
    });
    let backing = DistributedVirtualSwitchHostMemberPnicBacking {
        pnic_spec: nic.into_iter().collect(),
        ..DistributedVirtualSwitchHostMemberPnicBacking::default()
    };
    DistributedVirtualSwitchHostMemberConfigSpec {
        operation: "add".to_owned(),
        host: host.clone(),
        backing: Some(backing.into()),
        ..DistributedVirtualSwitchHostMemberConfigSpec::default()
    }
}

/// Gives a host another physical NIC, with a link. Returns its name.
fn add_nic(world: &mut World, host: &ManagedObjectReference) -> String {
    let mut device = String::new();
    host_network::adjust(world, host, |info| {
        let number = u8::try_from(info.pnic.len()).unwrap_or(u8::MAX);
        device = format!("vmnic{number}");
        let first = info
            .pnic
            .first()
            .map(|nic| nic.mac.clone())
            .unwrap_or_default();
        let mac = first
            .rsplit_once(':')
            .map_or("00:1b:21:00:00", |(start, _)| start);
        let mac = format!("{mac}:{number:02x}");
        let nic = PhysicalNic {
            mac,
            ..network::bare_nic(&device, number)
        };
        let fastest = nic.valid_link_specification.last().cloned();
        info.pnic.push(PhysicalNic {
            link_speed: fastest.map(Box::new),
            ..nic
        });
    });
    device
}

fn group((name, vlan): &(String, u16)) -> DvPortgroupConfigSpec {
    let vlan = VmwareDistributedVirtualSwitchVlanIdSpec {
        vlan_id: i32::from(*vlan),
        ..VmwareDistributedVirtualSwitchVlanIdSpec::default()
    };
    let setting = VMwareDvsPortSetting {
        vlan: Some(vlan.into()),
        ..VMwareDvsPortSetting::default()
    };
    DvPortgroupConfigSpec {
        name: Some(name.clone()),
        default_port_config: Some(setting.into()),
        ..DvPortgroupConfigSpec::default()
    }
}

/// Gives all hosts an opaque switch with these networks.
fn add_opaque(world: &mut World, names: &[String]) {
    for host in hosts(world) {
        let nic = add_nic(world, &host);
        host_network::adjust(world, &host, |info| {
            info.opaque_switch.push(HostOpaqueSwitch {
                key: format!("key-vim.host.OpaqueSwitch-{OPAQUE_SWITCH}"),
                name: text(OPAQUE_SWITCH),
                pnic: vec![network::nic_key(&nic)],
                ..HostOpaqueSwitch::default()
            });
            let networks = names.iter().map(|name| HostOpaqueNetworkInfo {
                opaque_network_id: id(name),
                opaque_network_name: name.clone(),
                opaque_network_type: OPAQUE_KIND.to_owned(),
                ..HostOpaqueNetworkInfo::default()
            });
            info.opaque_network.extend(networks);
        });
        let Some(datacenter) = datacenter_of(world, &host) else {
            continue;
        };
        for name in names {
            join(world, &host, &datacenter, name);
        }
        host_network::show_compute(world, &host);
    }
    container_view::refresh(world);
}

fn join(
    world: &mut World,
    host: &ManagedObjectReference,
    datacenter: &ManagedObjectReference,
    name: &str,
) {
    let state = world.read::<properties::Datacenter>(datacenter);
    let mut known = state.into_iter().flat_map(|state| &state.network);
    let wanted = escaped(name);
    let known =
        known.find(|one| one.r#type == "OpaqueNetwork" && world.name(one) == Some(&*wanted));
    let network = match known.cloned() {
        Some(known) => known,
        None => {
            let value = match world.kind() {
                ServerKind::Esx => format!("HaOpaqueNetwork-{name}"),
                ServerKind::VCenter => world.next_value("network-o"),
            };
            let reference = ManagedObjectReference::new("OpaqueNetwork", value.clone());
            let summary = OpaqueNetworkSummary {
                base: NetworkSummary {
                    network: Some(reference),
                    name: name.to_owned(),
                    accessible: true,
                    ip_pool_name: text(""),
                    ..NetworkSummary::default()
                },
                opaque_network_id: id(name),
                opaque_network_type: OPAQUE_KIND.to_owned(),
                ..OpaqueNetworkSummary::default()
            };
            let state = properties::OpaqueNetwork {
                base: properties::Network {
                    base: entity(&wanted, None),
                    summary: Some(Poly::new(summary)),
                    ..properties::Network::default()
                },
                ..properties::OpaqueNetwork::default()
            };
            let made = world.add(value, state);
            host_network::enter_network(world, datacenter, &made);
            made
        }
    };
    world.change(&network, |network: &mut properties::Network| {
        network.host.push(host.clone());
    });
    world.change(host, |host: &mut properties::HostSystem| {
        host.network.push(network);
    });
}

/// The id of an opaque network, made of its name.
fn id(name: &str) -> String {
    let number = name.bytes().fold(0u64, |number, byte| {
        number.wrapping_mul(31).wrapping_add(u64::from(byte))
    });
    uuid(0x0a0b, number)
}
