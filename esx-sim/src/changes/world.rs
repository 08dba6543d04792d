//! Changes around the machines: hosts, their datastores and their networks.

use vi_types::enums::{
    HostSystemConnectionState, ManagedEntityStatus, TaskInfoState, VirtualMachineConnectionState,
};
use vi_types::objects::{
    DatastoreDiscoveredEvent, EnteredMaintenanceModeEvent, EventEx, ExitMaintenanceModeEvent,
    HostConnectedEvent, HostConnectionLostEvent, HostNetworkInfo, HostRuntimeInfo, TaskEvent,
    TaskInfo, VmConnectedEvent, VmDisconnectedEvent,
};
use vi_types::{ManagedObjectReference, properties};

use crate::machine::config::escaped;
use crate::objects::host_datastore_system;
use crate::storage::{DatastoreKind, NewDatastore};
use crate::world::World;
use crate::world::inventory::{ServerKind, ancestors, datastore, folders, hosts, network, storage};

/// Why a change is impossible.
type Made = Result<(), String>;

pub(super) fn reach_datastore(world: &mut World, store: &ManagedObjectReference, reached: bool) {
    world.change(store, |store: &mut properties::Datastore| {
        if let Some(summary) = store.summary.as_deref_mut() {
            summary.accessible = reached;
        }
        for mount in &mut store.host {
            mount.mount_info.accessible = Some(reached);
        }
        store.overall_status = Some(match reached {
            true => ManagedEntityStatus::Green,
            false => ManagedEntityStatus::Red,
        });
    });
    for host in datastore::hosts_of(world, store) {
        storage::show_volumes(world, &host);
    }
    let name = world.name(store).unwrap_or_default();
    let (id, severity, message) = match reached {
        true => (
            "esx.problem.vmfs.heartbeat.recovered",
            "info",
            format!("Successfully restored access to volume {name} following connectivity issues."),
        ),
        false => (
            "esx.problem.vmfs.heartbeat.timedout",
            "error",
            format!("Lost access to volume {name} due to connectivity issues."),
        ),
    };
    let event = EventEx {
        event_type_id: id.to_owned(),
        severity: Some(severity.to_owned()),
        message: Some(message),
        ..EventEx::default()
    };
    world.log(store, event);
}

pub(super) fn maintain_datastore(world: &mut World, store: &ManagedObjectReference, on: bool) {
    // Before, there was no such mode.
    if !world.since("5.0") {
        return;
    }
    world.change(store, |store: &mut properties::Datastore| {
        if let Some(summary) = store.summary.as_deref_mut() {
            let mode = if on { "inMaintenance" } else { "normal" };
            summary.maintenance_mode = Some(mode.to_owned());
        }
    });
}

pub(super) fn add_datastore(world: &mut World, name: &str) -> Made {
    if let Some(other) = named(world, "Datastore", name) {
        return Err(format!("there is a datastore '{name}' ({})", other.value));
    }
    let new = NewDatastore::new(escaped(name), DatastoreKind::Vmfs);
    for (made, hosts) in storage::add_datastore(world, &new) {
        for host in hosts {
            let event = DatastoreDiscoveredEvent {
                datastore: world.datastore_argument(&made),
                ..DatastoreDiscoveredEvent::default()
            };
            world.log(&host, event);
        }
    }
    Ok(())
}

pub(super) fn remove_datastore(world: &mut World, store: &ManagedObjectReference) -> Made {
    let state = world.read::<properties::Datastore>(store);
    if state.is_some_and(|store| !store.vm.is_empty()) {
        return Err("virtual machines use it".to_owned());
    }
    host_datastore_system::leave_all_hosts(world, store);
    Ok(())
}

pub(super) fn add_switch(world: &mut World, name: &str) -> Made {
    change_networks(world, |network| {
        match network.vswitch.iter().any(|one| one.name == name) {
            true => Err(format!("there is a switch '{name}'")),
            false => {
                network.vswitch.push(network::bare_switch(name));
                Ok(())
            }
        }
    })
}

pub(super) fn remove_switch(world: &mut World, name: &str) -> Made {
    let groups: Vec<_> = hosts(world)
        .iter()
        .filter_map(|host| world.read::<properties::HostSystem>(host))
        .filter_map(|host| host.config.as_deref()?.network.as_deref())
        .flat_map(|network| &network.portgroup)
        .filter(|group| group.spec.vswitch_name == name)
        .map(|group| group.spec.name.clone())
        .collect();
    for group in &groups {
        // On a vCenter, the first host has removed it already.
        let _ = remove_network(world, group);
    }
    change_networks(world, |network| {
        let before = network.vswitch.len();
        network.vswitch.retain(|one| one.name != name);
        match network.vswitch.len() < before {
            true => Ok(()),
            false => Err(format!("there is no switch '{name}'")),
        }
    })
}

pub(super) fn add_network(world: &mut World, name: &str, switch: &str) -> Made {
    change_networks(world, |network| {
        if network.portgroup.iter().any(|one| one.spec.name == name) {
            return Err(format!("there is a port group '{name}'"));
        }
        let mut switches = network.vswitch.iter_mut();
        let Some(found) = switches.find(|one| one.name == switch) else {
            return Err(format!("there is no switch '{switch}'"));
        };
        let group = network::bare_group(name, switch);
        found.portgroup.extend(group.key.clone());
        network.portgroup.push(group);
        Ok(())
    })?;
    for datacenter in datacenters(world) {
        let hosts = hosts_of(world, &datacenter);
        if hosts.is_empty() {
            continue;
        }
        let value = match world.kind() {
            ServerKind::Esx => format!("HaNetwork-{name}"),
            ServerKind::VCenter => world.next_value("network-"),
        };
        let made = network::add_on(world, &value, name, hosts.clone());
        let state = world.read::<properties::Datacenter>(&datacenter);
        let folder = state.and_then(|datacenter| datacenter.network_folder.clone());
        if let Some(folder) = folder {
            world.change(&made, |network: &mut properties::Network| {
                network.parent = Some(folder.clone());
            });
            folders::put(world, &folder, &made);
        }
        world.change(&datacenter, |datacenter: &mut properties::Datacenter| {
            datacenter.network.push(made.clone());
        });
        for host in hosts {
            world.change(&host, |host: &mut properties::HostSystem| {
                host.network.push(made.clone());
            });
        }
    }
    Ok(())
}

pub(super) fn remove_network(world: &mut World, name: &str) -> Made {
    change_networks(world, |network| {
        let groups = &mut network.portgroup;
        let Some(index) = groups.iter().position(|one| one.spec.name == name) else {
            return Err(format!("there is no port group '{name}'"));
        };
        let group = groups.remove(index);
        for switch in &mut network.vswitch {
            switch
                .portgroup
                .retain(|key| Some(key) != group.key.as_ref());
        }
        Ok(())
    })?;
    while let Some(network) = named(world, "Network", name) {
        for host in hosts(world) {
            world.change(&host, |host: &mut properties::HostSystem| {
                host.network.retain(|one| *one != network);
            });
        }
        for datacenter in datacenters(world) {
            world.change(&datacenter, |datacenter: &mut properties::Datacenter| {
                datacenter.network.retain(|one| *one != network);
            });
        }
        leave_folder(world, &network);
        world.remove(&network);
    }
    Ok(())
}

pub(super) fn add_nic(world: &mut World, name: &str) -> Made {
    change_networks(world, |network| {
        if network.pnic.iter().any(|one| one.device == name) {
            return Err(format!("there is a network card '{name}'"));
        }
        let number = u8::try_from(network.pnic.len()).unwrap_or(u8::MAX);
        network.pnic.push(network::bare_nic(name, number));
        Ok(())
    })
}

pub(super) fn remove_nic(world: &mut World, name: &str) -> Made {
    change_networks(world, |network| {
        let before = network.pnic.len();
        network.pnic.retain(|one| one.device != name);
        match network.pnic.len() < before {
            true => Ok(()),
            false => Err(format!("there is no network card '{name}'")),
        }
    })
}

/// Changes the networks of all hosts in all properties that show them; none if it is impossible on the first one.
///
/// Networks of a host have no events of their own, but the call that changes them has one.
fn change_networks(world: &mut World, change: impl Fn(&mut HostNetworkInfo) -> Made) -> Made {
    for host in hosts(world) {
        let changed = world.change(&host, |host: &mut properties::HostSystem| {
            let Some(network) = host
                .config
                .as_deref_mut()
                .and_then(|config| config.network.as_deref_mut())
            else {
                return Err("the host has no networks".to_owned());
            };
            change(network)?;
            let managers = host.config_manager.as_deref();
            let system = managers.and_then(|managers| managers.network_system.clone());
            let config = host.config.as_deref();
            Ok((system, config.and_then(|config| config.network.clone())))
        });
        if let Some((Some(system), info)) = changed.transpose()? {
            world.change(&system, |system: &mut properties::HostNetworkSystem| {
                system.network_info = info;
            });
        }
        let info = TaskInfo {
            description_id: "host.NetworkSystem.updateNetworkConfig".to_owned(),
            entity: Some(host.clone()),
            entity_name: world.name(&host).map(str::to_owned),
            state: TaskInfoState::Success,
            ..TaskInfo::default()
        };
        let event = TaskEvent {
            info,
            ..TaskEvent::default()
        };
        world.log(&host, event);
    }
    Ok(())
}

pub(super) fn reach_host(world: &mut World, host: &ManagedObjectReference, reached: bool) {
    let state = match reached {
        true => HostSystemConnectionState::Connected,
        false => HostSystemConnectionState::Disconnected,
    };
    change_runtime(world, host, |runtime| {
        runtime.connection_state = state.clone();
    });
    let of_machines = match reached {
        true => VirtualMachineConnectionState::Connected,
        false => VirtualMachineConnectionState::Disconnected,
    };
    let state = world.read::<properties::HostSystem>(host);
    for vm in state.map(|host| host.vm.clone()).unwrap_or_default() {
        world.change(&vm, |vm: &mut properties::VirtualMachine| {
            if let Some(runtime) = vm.runtime.as_deref_mut() {
                runtime.connection_state = of_machines.clone();
            }
            if let Some(summary) = vm.summary.as_deref_mut() {
                summary.runtime.connection_state = of_machines.clone();
            }
        });
        match reached {
            true => world.log(&vm, VmConnectedEvent::default()),
            false => world.log(&vm, VmDisconnectedEvent::default()),
        };
    }
    match reached {
        true => world.log(host, HostConnectedEvent::default()),
        false => world.log(host, HostConnectionLostEvent::default()),
    };
}

pub(super) fn maintain_host(world: &mut World, host: &ManagedObjectReference, on: bool) {
    change_runtime(world, host, |runtime| runtime.in_maintenance_mode = on);
    match on {
        true => world.log(host, EnteredMaintenanceModeEvent::default()),
        false => world.log(host, ExitMaintenanceModeEvent::default()),
    };
}

fn change_runtime(
    world: &mut World,
    host: &ManagedObjectReference,
    change: impl Fn(&mut HostRuntimeInfo),
) {
    world.change(host, |host: &mut properties::HostSystem| {
        let summary = host.summary.as_deref_mut();
        let of_summary = summary.and_then(|summary| summary.runtime.as_deref_mut());
        host.runtime
            .as_deref_mut()
            .into_iter()
            .chain(of_summary)
            .for_each(change);
    });
}

fn datacenters(world: &World) -> Vec<ManagedObjectReference> {
    let mut found: Vec<_> = world.all("Datacenter").cloned().collect();
    found.sort();
    found
}

fn hosts_of(world: &World, datacenter: &ManagedObjectReference) -> Vec<ManagedObjectReference> {
    let mut hosts = hosts(world);
    hosts.retain(|host| ancestors(world, host).any(|one| one == datacenter));
    hosts
}

fn named(world: &World, ty: &str, name: &str) -> Option<ManagedObjectReference> {
    let wanted = escaped(name);
    let mut all = world.all(ty);
    all.find(|one| world.name(one) == Some(&*wanted)).cloned()
}

fn leave_folder(world: &mut World, object: &ManagedObjectReference) {
    if let Some(folder) = world.parent(object).cloned() {
        world.change(&folder, |folder: &mut properties::Folder| {
            folder.child_entity.retain(|one| one != object);
        });
    }
}
