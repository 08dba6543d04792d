//! Changes around the machines: hosts, their datastores and their networks.

use vi_types::enums::{
    HostSystemConnectionState, ManagedEntityStatus, VirtualMachineConnectionState,
};
use vi_types::objects::{
    DatastoreDiscoveredEvent, EnteredMaintenanceModeEvent, EventEx, ExitMaintenanceModeEvent,
    HostConnectedEvent, HostConnectionLostEvent, HostRuntimeInfo, VmConnectedEvent,
    VmDisconnectedEvent,
};
use vi_types::{ManagedObjectReference, properties};

use crate::host_network::{self, Edit};
use crate::machine::config::escaped;
use crate::objects::host_datastore_system;
use crate::storage::{DatastoreKind, NewDatastore};
use crate::world::World;
use crate::world::inventory::{datastore, hosts, network, storage};

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
    change_networks(world, |edit| {
        match edit.info.vswitch.iter().any(|one| one.name == name) {
            true => Err(format!("there is a switch '{name}'")),
            false => {
                edit.info.vswitch.push(network::bare_switch(name));
                Ok(())
            }
        }
    })
}

pub(super) fn remove_switch(world: &mut World, name: &str) -> Made {
    change_networks(world, |edit| {
        let before = edit.info.vswitch.len();
        edit.info.vswitch.retain(|one| one.name != name);
        let groups = &mut edit.info.portgroup;
        groups.retain(|group| group.spec.vswitch_name != name);
        match edit.info.vswitch.len() < before {
            true => Ok(()),
            false => Err(format!("there is no switch '{name}'")),
        }
    })
}

pub(super) fn add_network(world: &mut World, name: &str, switch: &str) -> Made {
    change_networks(world, |edit| {
        let mut groups = edit.info.portgroup.iter();
        if groups.any(|one| one.spec.name == name) {
            return Err(format!("there is a port group '{name}'"));
        }
        if !edit.info.vswitch.iter().any(|one| one.name == switch) {
            return Err(format!("there is no switch '{switch}'"));
        }
        edit.info.portgroup.push(network::bare_group(name, switch));
        Ok(())
    })
}

pub(super) fn remove_network(world: &mut World, name: &str) -> Made {
    change_networks(world, |edit| {
        let groups = &mut edit.info.portgroup;
        let before = groups.len();
        groups.retain(|one| one.spec.name != name);
        match groups.len() < before {
            true => Ok(()),
            false => Err(format!("there is no port group '{name}'")),
        }
    })
}

pub(super) fn add_nic(world: &mut World, name: &str) -> Made {
    change_networks(world, |edit| {
        let nics = &mut edit.info.pnic;
        if nics.iter().any(|one| one.device == name) {
            return Err(format!("there is a network card '{name}'"));
        }
        let number = u8::try_from(nics.len()).unwrap_or(u8::MAX);
        nics.push(network::bare_nic(name, number));
        Ok(())
    })
}

pub(super) fn remove_nic(world: &mut World, name: &str) -> Made {
    change_networks(world, |edit| {
        let nics = &mut edit.info.pnic;
        let before = nics.len();
        nics.retain(|one| one.device != name);
        match nics.len() < before {
            true => Ok(()),
            false => Err(format!("there is no network card '{name}'")),
        }
    })
}

/// Changes the networks of all hosts, as somebody at the hosts does; none if it is impossible on the first one.
fn change_networks(world: &mut World, change: impl Fn(&mut Edit<'_>) -> Made) -> Made {
    for host in hosts(world) {
        host_network::force(world, &host, &change)?;
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

fn named(world: &World, ty: &str, name: &str) -> Option<ManagedObjectReference> {
    let wanted = escaped(name);
    let mut all = world.all(ty);
    all.find(|one| world.name(one) == Some(&*wanted)).cloned()
}
