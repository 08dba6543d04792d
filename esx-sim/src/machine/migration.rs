//! Moves of machines to other hosts and pools: the target, and the checks before the move.

use vi_types::enums::{HostSystemConnectionState, VirtualMachinePowerState};
use vi_types::objects::{
    CannotAccessNetwork, CannotAccessVmDevice, CannotAccessVmDisk, HostNotConnected,
    InvalidDatastore, MigrationFault, VirtualDevice, VirtualDisk,
    VirtualEthernetCardNetworkBackingInfo, VirtualPciPassthrough, VmBeingHotMigratedEvent,
    VmMigratedEvent,
};
use vi_types::{ManagedObjectReference, Poly, SoapFault, properties};

use super::Place;
use super::config::escaped;
use super::device::{self, file_backing};
use super::{place, power};
use crate::event::lifecycle;
use crate::fault;
use crate::world::World;

/// The place where a machine is after a move. A pool or host that is `None` stays, as far as the other one allows it.
///
/// # Errors
/// - `ManagedObjectNotFound` for an unknown machine, pool or host.
/// - `InvalidArgument` without pool and host, and for a host and a pool of different compute resources (API reference of
///   `MigrateVM_Task`).
pub(crate) fn target(
    world: &World,
    vm: &ManagedObjectReference,
    pool: Option<&ManagedObjectReference>,
    host: Option<&ManagedObjectReference>,
) -> Result<Place, SoapFault> {
    let machine = world.read::<properties::VirtualMachine>(vm);
    let machine = machine.ok_or_else(|| fault::managed_object_not_found(vm))?;
    let runtime = machine.runtime.as_deref();
    let now = runtime.and_then(|runtime| runtime.host.as_ref());
    if pool.is_none() && host.is_none() {
        return Err(fault::invalid_argument("host"));
    }
    let new_pool = pool.or(machine.resource_pool.as_ref());
    let owner = match new_pool {
        None => None,
        Some(pool) => {
            let found = world.read::<properties::ResourcePool>(pool);
            let found = found.ok_or_else(|| fault::managed_object_not_found(pool))?;
            found.owner.as_ref()
        }
    };
    let of_owner = owner.and_then(|owner| world.read::<properties::ComputeResource>(owner));
    let hosts = of_owner.map_or(&[][..], |owner| &owner.host);
    let new_host = match host {
        Some(host) => {
            let found = world.read::<properties::HostSystem>(host);
            found.ok_or_else(|| fault::managed_object_not_found(host))?;
            // Templates have no pool, and move to any host.
            if owner.is_some() && !hosts.contains(host) {
                let wrong = if pool.is_some() { "host" } else { "pool" };
                return Err(fault::invalid_argument(wrong));
            }
            Some(host)
        }
        None => now.filter(|now| hosts.contains(now)).or(hosts.first()),
    };
    Ok(Place {
        folder: machine.parent.clone().unwrap_or_default(),
        pool: new_pool.cloned(),
        host: new_host
            .cloned()
            .ok_or_else(|| fault::invalid_argument("host"))?,
    })
}

/// Fails with `MigrationFault` if a machine is to move to the host and the pool that it has. A real server may just have
/// nothing to do; the fault lets clients meet a refusal.
pub(crate) fn check_elsewhere(
    world: &World,
    machine: &properties::VirtualMachine,
    host: Option<&ManagedObjectReference>,
    place: &Place,
) -> Result<(), SoapFault> {
    let runtime = machine.runtime.as_deref();
    let now = runtime.and_then(|runtime| runtime.host.as_ref());
    if host.is_none() || host != now || place.pool != machine.resource_pool {
        return Ok(());
    }
    let name = world.name(&place.host).unwrap_or_default();
    let message = format!("The virtual machine is already on the host '{name}'.");
    Err(SoapFault::new(MigrationFault::default(), message))
}

/// Moves a machine to another host or pool, and writes the events of that.
pub(crate) fn carry_out(world: &mut World, vm: &ManagedObjectReference, place: &Place) {
    let before = world.about(vm);
    if before.host().host == place.host {
        lifecycle::moved_to_pool(world, vm, place.pool.as_ref());
        place::move_to(world, vm, place);
        return;
    }
    let to = world.about(&place.host);
    let being_migrated = VmBeingHotMigratedEvent {
        dest_host: to.host(),
        dest_datacenter: to.datacenter().filter(|_| world.since("5.0")),
        ..VmBeingHotMigratedEvent::default()
    };
    if power::of(world, vm) == VirtualMachinePowerState::PoweredOn {
        world.log(vm, being_migrated);
    }
    place::move_to(world, vm, place);
    let migrated = VmMigratedEvent {
        source_host: before.host(),
        source_datacenter: before.datacenter().filter(|_| world.since("5.0")),
        ..VmMigratedEvent::default()
    };
    world.log(vm, migrated);
}

/// What keeps a machine from running on a host, with the machine's state being `power`.
///
/// `store_of` gives the datastore of a device's file after the move from the one before.
pub(crate) fn problems(
    world: &World,
    machine: &properties::VirtualMachine,
    host: &ManagedObjectReference,
    power: &VirtualMachinePowerState,
    store_of: impl Fn(&Poly<VirtualDevice>, &ManagedObjectReference) -> ManagedObjectReference,
) -> Vec<SoapFault> {
    let mut problems = Vec::new();
    let Some(to) = world.read::<properties::HostSystem>(host) else {
        return vec![fault::managed_object_not_found(host)];
    };
    let name = to.name.as_deref().unwrap_or_default();
    let runtime = to.runtime.as_deref();
    if runtime
        .is_some_and(|runtime| runtime.connection_state != HostSystemConnectionState::Connected)
    {
        let message = format!("The host '{name}' is not connected.");
        problems.push(SoapFault::new(HostNotConnected::default(), message));
    }
    if runtime.is_some_and(|runtime| runtime.in_maintenance_mode) {
        problems.push(fault::host_in_maintenance(name));
    }
    let runtime = machine.runtime.as_deref();
    let from = runtime.and_then(|runtime| runtime.host.as_ref());
    if *power == VirtualMachinePowerState::PoweredOn && from != Some(host) {
        for host in from.into_iter().chain([host]) {
            problems.extend(vmotion_problem(world, host));
        }
    }
    let devices = machine.config.as_deref();
    let devices = devices.map_or(&[][..], |config| &config.hardware.device);
    for device in devices {
        if *power == VirtualMachinePowerState::PoweredOn && from != Some(host) {
            problems.extend(passthrough_problem(device));
        }
        problems.extend(file_problem(world, to, device, &store_of));
        problems.extend(network_problem(world, to, device));
    }
    problems
}

fn vmotion_problem(world: &World, host: &ManagedObjectReference) -> Option<SoapFault> {
    let state = world.read::<properties::HostSystem>(host)?;
    let capability = state.capability.as_deref()?;
    if capability.vmotion_supported {
        return None;
    }
    let name = state.name.as_deref().unwrap_or_default();
    let message = format!("The VMotion interface of the host '{name}' is not configured.");
    Some(SoapFault::new(MigrationFault::default(), message))
}

/// A device of the host that a running machine has stays with it.
fn passthrough_problem(device: &Poly<VirtualDevice>) -> Option<SoapFault> {
    device.cast::<VirtualPciPassthrough>()?;
    let device = label(device);
    let message = format!("Device '{device}' is a passthrough device, which prevents VMotion.");
    let fault = CannotAccessVmDevice {
        device,
        connected: true,
        ..CannotAccessVmDevice::default()
    };
    Some(SoapFault::new(fault, message))
}

fn file_problem(
    world: &World,
    to: &properties::HostSystem,
    device: &Poly<VirtualDevice>,
    store_of: impl Fn(&Poly<VirtualDevice>, &ManagedObjectReference) -> ManagedObjectReference,
) -> Option<SoapFault> {
    let backing = file_backing(device)?;
    let store = store_of(device, backing.datastore.as_ref()?);
    if to.datastore.contains(&store) {
        return None;
    }
    let is_disk = device.is::<VirtualDisk>();
    let is_connected = is_disk || is_connected(device);
    // A medium that nobody uses does not matter.
    if !is_connected {
        return None;
    }
    let label = label(device);
    let host = to.name.as_deref().unwrap_or_default();
    let message = format!(
        "Currently connected device '{label}' uses backing '{}', which is not accessible from the host '{host}'.",
        backing.file_name
    );
    let base = CannotAccessVmDevice {
        device: label,
        backing: backing.file_name.clone(),
        connected: is_connected,
        ..CannotAccessVmDevice::default()
    };
    if !is_disk {
        return Some(SoapFault::new(base, message));
    }
    let name = world.name(&store).map(str::to_owned);
    let reason = InvalidDatastore {
        datastore: Some(store),
        name,
        ..InvalidDatastore::default()
    };
    let disk = CannotAccessVmDisk {
        base,
        fault: fault::localized(reason, "The datastore is not mounted on the host."),
        ..CannotAccessVmDisk::default()
    };
    Some(SoapFault::new(disk, message))
}

fn network_problem(
    world: &World,
    to: &properties::HostSystem,
    device: &Poly<VirtualDevice>,
) -> Option<SoapFault> {
    let backing = device.backing.as_ref()?;
    let (name, network) = match backing.cast::<VirtualEthernetCardNetworkBackingInfo>() {
        Some(network) => {
            let mut networks = to.network.iter();
            let wanted = escaped(&network.device_name);
            if networks.any(|one| world.name(one) == Some(&*wanted)) {
                return None;
            }
            (network.device_name.clone(), network.network.clone())
        }
        None => {
            let mut own = to.network.iter();
            if own.any(|one| device::is_network(world, one, backing)) {
                return None;
            }
            let network = device::network(world, None, backing)?;
            let name = world.name(&network).unwrap_or_default().to_owned();
            (name, Some(network))
        }
    };
    let label = label(device);
    let host = to.name.as_deref().unwrap_or_default();
    let message = format!(
        "Currently connected network interface '{label}' uses network '{}', which is not accessible from the host \
         '{host}'.",
        name
    );
    let fault = CannotAccessNetwork {
        base: CannotAccessVmDevice {
            device: label,
            backing: name,
            connected: is_connected(device),
            ..CannotAccessVmDevice::default()
        },
        network,
        ..CannotAccessNetwork::default()
    };
    Some(SoapFault::new(fault, message))
}

fn is_connected(device: &VirtualDevice) -> bool {
    let connectable = device.connectable.as_deref();
    connectable.is_some_and(|connectable| connectable.connected)
}

fn label(device: &VirtualDevice) -> String {
    let info = device.device_info.as_ref();
    info.map_or(String::new(), |info| info.label.clone())
}
