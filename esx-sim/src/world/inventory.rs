//! The inventory of a simulated server: who lies in whom, and what the presets put there.

mod esx;
pub(crate) mod host;
mod network;
pub(crate) mod parts;
mod service;
mod vcenter;
pub(crate) mod virtual_machine;

use vi_types::enums::{ManagedEntityStatus, VirtualMachinePowerState, VirtualMachineToolsStatus};
use vi_types::objects::{VirtualMachineGuestSummary, VirtualMachineRuntimeInfo};
use vi_types::{ManagedObjectReference, properties};

use crate::machine::snapshot;
use crate::version::Release;
use crate::world::{World, container_view};

/// What kind of server is simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An ESX host on its own.
    Esx,
    /// A vCenter.
    VCenter,
}

impl Kind {
    /// The scheme of libvirt URIs for it.
    pub(crate) fn scheme(self) -> &'static str {
        match self {
            Self::Esx => "esx",
            Self::VCenter => "vpx",
        }
    }
}

/// The names of the property collectors that all sessions share.
pub(crate) const DEFAULT_COLLECTOR: [&str; 2] = ["ha-property-collector", "propertyCollector"];

/// A server with its inventory, and the path of its first host for a libvirt URI (empty for an ESX host).
///
/// With a number it has that many virtual machines, without one a handful of different ones.
pub(crate) fn make(kind: Kind, release: &'static Release, vms: Option<usize>) -> (World, String) {
    match kind {
        Kind::Esx => (esx::make(release, vms), String::new()),
        Kind::VCenter => vcenter::make(release, vms),
    }
}

/// The folder that everything lies in.
pub(crate) fn root_folder(world: &World) -> Option<ManagedObjectReference> {
    let mut folders = world.all("Folder");
    folders
        .find(|folder| world.parent(folder).is_none())
        .cloned()
}

/// What lies in an object of the inventory.
pub(crate) fn children(
    world: &World,
    object: &ManagedObjectReference,
) -> Vec<ManagedObjectReference> {
    let Some(state) = world.get(object) else {
        return Vec::new();
    };
    if let Some(folder) = state.cast::<properties::Folder>() {
        return folder.child_entity.clone();
    }
    if let Some(datacenter) = state.cast::<properties::Datacenter>() {
        let folders = [
            &datacenter.vm_folder,
            &datacenter.host_folder,
            &datacenter.datastore_folder,
            &datacenter.network_folder,
        ];
        return folders.into_iter().flatten().cloned().collect();
    }
    if let Some(compute) = state.cast::<properties::ComputeResource>() {
        let pool = compute.resource_pool.iter();
        return compute.host.iter().chain(pool).cloned().collect();
    }
    if let Some(pool) = state.cast::<properties::ResourcePool>() {
        return pool.resource_pool.iter().chain(&pool.vm).cloned().collect();
    }
    if let Some(host) = state.cast::<properties::HostSystem>() {
        return host.vm.clone();
    }
    Vec::new()
}

/// What an object of the inventory lies in, and what that lies in, up to the root folder.
pub(crate) fn ancestors<'a>(
    world: &'a World,
    object: &ManagedObjectReference,
) -> impl Iterator<Item = &'a ManagedObjectReference> {
    std::iter::successors(world.parent(object), |object| world.parent(object))
}

/// Gives a virtual machine another power state, wherever that shows; whether there is such a machine.
pub(crate) fn set_power_state(
    world: &mut World,
    vm: &ManagedObjectReference,
    power: VirtualMachinePowerState,
) -> bool {
    let on = power == VirtualMachinePowerState::PoweredOn;
    let set_runtime = |runtime: &mut VirtualMachineRuntimeInfo| {
        runtime.power_state = power.clone();
        runtime.boot_time = on.then(parts::boot_time);
        let suspended = power == VirtualMachinePowerState::Suspended;
        runtime.suspend_time = suspended.then(parts::suspend_time);
    };
    let set_guest = |guest: &mut VirtualMachineGuestSummary| {
        if !on {
            let not_running = "guestToolsNotRunning";
            guest.tools_running_status = Some(not_running.to_owned());
            guest.host_name = None;
            guest.ip_address = None;
        }
    };
    let changed = world.change(vm, |vm: &mut properties::VirtualMachine| {
        vm.runtime.as_deref_mut().map(set_runtime);
        if let Some(summary) = vm.summary.as_deref_mut() {
            set_runtime(&mut summary.runtime);
            summary.guest.as_deref_mut().map(set_guest);
        }
        if let Some(guest) = vm.guest.as_deref_mut() {
            let state = if on { "running" } else { "notRunning" };
            guest.guest_state = state.to_owned();
            if !on {
                guest.net.clear();
                guest.ip_address = None;
                guest.host_name = None;
            }
        }
        vm.guest_heartbeat_status = Some(match on {
            true => ManagedEntityStatus::Green,
            false => ManagedEntityStatus::Gray,
        });
    });
    changed.is_some()
}

/// Whether a machine's VMware Tools run.
pub(crate) fn is_tools_running(vm: &properties::VirtualMachine) -> bool {
    let guest = vm.guest.as_deref();
    match guest.and_then(|guest| guest.tools_running_status.as_deref()) {
        Some(status) => status == "guestToolsRunning",
        // Before VI API 4.0 there is only this.
        None => matches!(
            guest.and_then(|guest| guest.tools_status.as_ref()),
            Some(VirtualMachineToolsStatus::ToolsOk | VirtualMachineToolsStatus::ToolsOld)
        ),
    }
}

/// Makes a virtual machine be on these networks and no others.
pub(crate) fn set_networks(
    world: &mut World,
    vm: &ManagedObjectReference,
    networks: Vec<ManagedObjectReference>,
) {
    let Some(state) = world.read::<properties::VirtualMachine>(vm) else {
        return;
    };
    let before = state.network.clone();
    if before == networks {
        return;
    }
    for left in before.iter().filter(|one| !networks.contains(one)) {
        world.change(left, |network: &mut properties::Network| {
            network.vm.retain(|one| one != vm);
        });
    }
    for joined in networks.iter().filter(|one| !before.contains(one)) {
        world.change(joined, |network: &mut properties::Network| {
            network.vm.push(vm.clone());
        });
    }
    world.change(vm, |vm: &mut properties::VirtualMachine| {
        vm.network = networks;
    });
}

/// Puts a virtual machine into its folder, pool, host, datastores and networks.
pub(crate) fn place_vm(world: &mut World, vm: &ManagedObjectReference) {
    let Some(state) = world.read::<properties::VirtualMachine>(vm) else {
        return;
    };
    let parent = state.parent.clone();
    let pool = state.resource_pool.clone();
    let runtime = state.runtime.as_ref();
    let host = runtime.and_then(|runtime| runtime.host.clone());
    let (datastores, networks) = (state.datastore.clone(), state.network.clone());
    if let Some(folder) = parent {
        world.change(&folder, |folder: &mut properties::Folder| {
            folder.child_entity.push(vm.clone());
        });
    }
    if let Some(pool) = pool {
        world.change(&pool, |pool: &mut properties::ResourcePool| {
            pool.vm.push(vm.clone());
        });
    }
    if let Some(host) = host {
        world.change(&host, |host: &mut properties::HostSystem| {
            host.vm.push(vm.clone());
        });
    }
    for datastore in datastores {
        world.change(&datastore, |datastore: &mut properties::Datastore| {
            datastore.vm.push(vm.clone());
        });
    }
    for network in networks {
        world.change(&network, |network: &mut properties::Network| {
            network.vm.push(vm.clone());
        });
    }
    container_view::refresh(world);
}

/// Takes a virtual machine out of the inventory; whether there was one.
pub(crate) fn remove_vm(world: &mut World, vm: &ManagedObjectReference) -> bool {
    let Some(state) = world.read::<properties::VirtualMachine>(vm) else {
        return false;
    };
    let parent = state.parent.clone();
    let pool = state.resource_pool.clone();
    let host = state
        .runtime
        .as_ref()
        .and_then(|runtime| runtime.host.clone());
    let (datastores, networks) = (state.datastore.clone(), state.network.clone());
    world.let_go(vm);
    snapshot::let_go(world, vm);
    let drop_from = |list: &mut Vec<ManagedObjectReference>| list.retain(|one| one != vm);
    world.remove(vm);
    if let Some(folder) = parent {
        world.change(&folder, |folder: &mut properties::Folder| {
            drop_from(&mut folder.child_entity);
        });
    }
    if let Some(pool) = pool {
        world.change(&pool, |pool: &mut properties::ResourcePool| {
            drop_from(&mut pool.vm)
        });
    }
    if let Some(host) = host {
        world.change(&host, |host: &mut properties::HostSystem| {
            drop_from(&mut host.vm)
        });
    }
    for datastore in datastores {
        world.change(&datastore, |datastore: &mut properties::Datastore| {
            drop_from(&mut datastore.vm);
        });
    }
    for network in networks {
        world.change(&network, |network: &mut properties::Network| {
            drop_from(&mut network.vm);
        });
    }
    container_view::refresh(world);
    true
}
