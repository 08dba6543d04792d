//! The `Network` objects of a host's port groups.

use vi_types::objects::HostNetworkInfo;
use vi_types::{ManagedObject as _, ManagedObjectReference, properties};

use super::info;
use crate::machine::config::escaped;
use crate::world::inventory::{ServerKind, datacenter_of, folders, network};
use crate::world::{World, container_view};

/// Gives a host the networks of its port groups, and takes from it those whose port groups are gone.
///
/// A port group with an interface of the host is no network for machines, unless there are machines in it. Hosts of a
/// datacenter share networks of one name. A network that no host has stays as long as a machine names it.
pub(crate) fn show(world: &mut World, host: &ManagedObjectReference) {
    let Some(state) = world.read::<properties::HostSystem>(host) else {
        return;
    };
    let own = state.network.iter();
    let own: Vec<_> = own.filter(|one| is_standard(one)).cloned().collect();
    let vms = state.vm.clone();
    let Some(info) = info(world, host) else {
        return;
    };
    let is_usable = |name: &str| {
        if !has_interface(info, name) {
            return true;
        }
        let wanted = escaped(name);
        let mut known = own
            .iter()
            .filter_map(|one| world.read::<properties::Network>(one));
        let known = known.find(|one| one.name.as_deref() == Some(&wanted));
        known.is_some_and(|one| one.vm.iter().any(|vm| vms.contains(vm)))
    };
    let groups = info.portgroup.iter().map(|group| &group.spec.name);
    let wanted: Vec<_> = groups.filter(|name| is_usable(name)).cloned().collect();
    let names: Vec<_> = wanted.iter().map(|name| escaped(name)).collect();
    let of = |one: &ManagedObjectReference| world.name(one).unwrap_or_default().to_owned();
    let (kept, left): (Vec<_>, Vec<_>) = own.iter().partition(|one| names.contains(&of(one)));
    let kept: Vec<_> = kept.into_iter().map(of).collect();
    let left: Vec<_> = left.into_iter().cloned().collect();
    let new = wanted
        .into_iter()
        .filter(|name| !kept.contains(&escaped(name)));
    let new: Vec<_> = new.collect();
    if left.is_empty() && new.is_empty() {
        return;
    }
    for network in &left {
        leave(world, host, network);
    }
    for name in &new {
        join(world, host, name);
    }
    show_compute(world, host);
    container_view::refresh(world);
}

/// Whether a network is that of port groups of hosts' own switches.
pub(crate) fn is_standard(network: &ManagedObjectReference) -> bool {
    network.r#type == properties::Network::TYPE
}

fn has_interface(info: &HostNetworkInfo, group: &str) -> bool {
    let mut interfaces = info.vnic.iter().chain(&info.console_vnic);
    interfaces.any(|nic| nic.portgroup == group)
}

/// Takes a network from a host, and from the inventory if nobody has it any more.
pub(crate) fn leave(
    world: &mut World,
    host: &ManagedObjectReference,
    network: &ManagedObjectReference,
) {
    world.change(host, |host: &mut properties::HostSystem| {
        host.network.retain(|one| one != network);
    });
    let is_alone = world.change(network, |network: &mut properties::Network| {
        network.host.retain(|one| one != host);
        let is_alone = network.host.is_empty();
        if let Some(summary) = network.summary.as_mut() {
            summary.accessible = !is_alone;
        }
        is_alone && network.vm.is_empty()
    });
    if is_alone == Some(true) {
        remove(world, network);
    }
}

/// Takes a network out of the inventory.
pub(crate) fn remove(world: &mut World, network: &ManagedObjectReference) {
    if let Some(datacenter) = datacenter_of(world, network) {
        world.change(&datacenter, |datacenter: &mut properties::Datacenter| {
            datacenter.network.retain(|one| one != network);
        });
    }
    folders::take_out(world, network);
    world.remove(network);
}

/// Gives a host the network of that name, which the datacenter may have already.
fn join(world: &mut World, host: &ManagedObjectReference, name: &str) {
    let Some(datacenter) = datacenter_of(world, host) else {
        return;
    };
    let state = world.read::<properties::Datacenter>(&datacenter);
    let known = state.into_iter().flat_map(|state| &state.network);
    let mut known = known.filter(|one| is_standard(one));
    let wanted = escaped(name);
    let found = known.find(|one| world.name(one) == Some(&*wanted)).cloned();
    let network = match found {
        Some(found) => {
            world.change(&found, |network: &mut properties::Network| {
                network.host.push(host.clone());
                if let Some(summary) = network.summary.as_mut() {
                    summary.accessible = true;
                }
            });
            found
        }
        None => make(world, host, &datacenter, name),
    };
    world.change(host, |host: &mut properties::HostSystem| {
        host.network.push(network);
    });
}

fn make(
    world: &mut World,
    host: &ManagedObjectReference,
    datacenter: &ManagedObjectReference,
    name: &str,
) -> ManagedObjectReference {
    let value = match world.kind() {
        ServerKind::Esx => format!("HaNetwork-{name}"),
        ServerKind::VCenter => world.next_value("network-"),
    };
    let made = network::add_on(world, &value, &escaped(name), vec![host.clone()]);
    enter(world, datacenter, &made);
    made
}

/// Puts a new network into a datacenter and its folder.
pub(crate) fn enter(
    world: &mut World,
    datacenter: &ManagedObjectReference,
    network: &ManagedObjectReference,
) {
    let folder = world.change(datacenter, |datacenter: &mut properties::Datacenter| {
        datacenter.network.push(network.clone());
        datacenter.network_folder.clone()
    });
    if let Some(folder) = folder.flatten() {
        world.change(network, |network: &mut properties::Network| {
            network.parent = Some(folder.clone());
        });
        folders::put(world, &folder, network);
    }
}

/// Lists in a compute resource the networks that one of its hosts has.
pub(crate) fn show_compute(world: &mut World, host: &ManagedObjectReference) {
    let Some(compute) = world.parent(host).cloned() else {
        return;
    };
    let state = world.read::<properties::ComputeResource>(&compute);
    let hosts = state.into_iter().flat_map(|compute| &compute.host);
    let mut networks = Vec::new();
    for host in hosts {
        let state = world.read::<properties::HostSystem>(host);
        for network in state.into_iter().flat_map(|host| &host.network) {
            if !networks.contains(network) {
                networks.push(network.clone());
            }
        }
    }
    world.change(&compute, |compute: &mut properties::ComputeResource| {
        compute.network = networks;
    });
}
