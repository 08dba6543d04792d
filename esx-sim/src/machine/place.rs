//! Places of virtual machines: folder, pool, host, datastores and networks list the machines in them.

use vi_types::objects::HostAutoStartManagerConfig;
use vi_types::{ManagedObject, ManagedObjectReference, SoapFault, properties};

use super::config::escaped;
use super::{Place, snapshot};
use crate::distributed;
use crate::fault;
use crate::files::DatastorePath;
use crate::world::{World, container_view};

/// Resolves the place of a new machine. Without `host`, the first host of the pool's compute resource is taken.
///
/// # Errors
/// - `ManagedObjectNotFound` for an unknown pool or host.
/// - `InvalidArgument` without host and pool, and for a host and a pool of different compute resources.
pub(crate) fn resolve(
    world: &World,
    folder: &ManagedObjectReference,
    pool: Option<&ManagedObjectReference>,
    host: Option<&ManagedObjectReference>,
) -> Result<Place, SoapFault> {
    let owner = match pool {
        None => None,
        Some(pool) => {
            let found = world.read::<properties::ResourcePool>(pool);
            let found = found.ok_or_else(|| fault::managed_object_not_found(pool))?;
            found.owner.as_ref()
        }
    };
    let host = match (host, owner) {
        (Some(host), _) => {
            let found = world.read::<properties::HostSystem>(host);
            let found = found.ok_or_else(|| fault::managed_object_not_found(host))?;
            if owner.is_some() && owner != found.parent.as_ref() {
                return Err(fault::invalid_argument("host"));
            }
            Some(host)
        }
        (None, Some(owner)) => {
            let owner = world.read::<properties::ComputeResource>(owner);
            owner.and_then(|owner| owner.host.first())
        }
        (None, None) => None,
    };
    Ok(Place {
        folder: folder.clone(),
        pool: pool.cloned(),
        host: host
            .cloned()
            .ok_or_else(|| fault::invalid_argument("host"))?,
    })
}

/// The path of a new machine's VMX file in a folder of a datastore. The machine gets its own directory; a number is added
/// to the directory's name if the name is taken.
pub(crate) fn free_directory(world: &World, folder: &DatastorePath, name: &str) -> DatastorePath {
    // Servers put a dash where the name has a slash.
    let name = escaped(name).replace("%2f", "-");
    let mut directories = (0u32..).map(|number| match number {
        0 => folder.join(&name),
        number => folder.join(&format!("{name}_{number}")),
    });
    let free = directories.find(|directory| world.entry(directory).is_none());
    free.unwrap_or_else(|| folder.clone())
        .join(&format!("{name}.vmx"))
}

/// Puts a machine into its folder, pool, host, datastores and networks.
pub(crate) fn enter(world: &mut World, vm: &ManagedObjectReference) {
    for place in places(world, vm) {
        world.change_place(&place, |list| list.push(vm.clone()));
        distributed::machines_changed(world, &place);
    }
    container_view::refresh(world);
}

/// Removes a machine from the inventory. Returns whether it existed.
pub(crate) fn leave(world: &mut World, vm: &ManagedObjectReference) -> bool {
    if world.get(vm).is_none() {
        return false;
    }
    let places = places(world, vm);
    forget_start(world, vm);
    world.let_go(vm);
    snapshot::let_go(world, vm);
    world.remove(vm);
    for place in places {
        world.change_place(&place, |list| list.retain(|one| one != vm));
        distributed::machines_changed(world, &place);
    }
    container_view::refresh(world);
    true
}

/// The place of a machine; none if there is no such machine.
pub(crate) fn of(world: &World, vm: &ManagedObjectReference) -> Option<Place> {
    let machine = world.read::<properties::VirtualMachine>(vm)?;
    Some(Place {
        folder: machine.parent.clone().unwrap_or_default(),
        pool: machine.resource_pool.clone(),
        host: machine.runtime.as_deref()?.host.clone()?,
    })
}

/// Moves a machine to another folder, pool and host. Its datastores and networks stay.
pub(crate) fn move_to(world: &mut World, vm: &ManagedObjectReference, place: &Place) {
    let before = places(world, vm);
    if !before.contains(&place.host) {
        forget_start(world, vm);
    }
    world.change(vm, |vm: &mut properties::VirtualMachine| {
        vm.parent = Some(place.folder.clone());
        vm.resource_pool.clone_from(&place.pool);
        if let Some(runtime) = vm.runtime.as_deref_mut() {
            runtime.host = Some(place.host.clone());
        }
        if let Some(summary) = vm.summary.as_deref_mut() {
            summary.runtime.host = Some(place.host.clone());
        }
    });
    let after = places(world, vm);
    for left in before.iter().filter(|one| !after.contains(one)) {
        world.change_place(left, |list| list.retain(|one| one != vm));
    }
    for joined in after.iter().filter(|one| !before.contains(one)) {
        world.change_place(joined, |list| list.push(vm.clone()));
    }
    container_view::refresh(world);
}

/// Sets the networks of a machine, also in the lists of the networks.
pub(super) fn set_networks(
    world: &mut World,
    vm: &ManagedObjectReference,
    networks: Vec<ManagedObjectReference>,
) {
    move_between(world, vm, networks, |vm| &mut vm.network);
}

/// Sets the datastores of a machine, also in the lists of the datastores.
pub(super) fn set_datastores(
    world: &mut World,
    vm: &ManagedObjectReference,
    datastores: Vec<ManagedObjectReference>,
) {
    move_between(world, vm, datastores, |vm| &mut vm.datastore);
}

fn move_between(
    world: &mut World,
    vm: &ManagedObjectReference,
    to: Vec<ManagedObjectReference>,
    list: fn(&mut properties::VirtualMachine) -> &mut Vec<ManagedObjectReference>,
) {
    let mut joined = to.clone();
    let left = world.change(vm, |vm: &mut properties::VirtualMachine| {
        let before = std::mem::replace(list(vm), to);
        joined.retain(|one| !before.contains(one));
        let mut left = before;
        left.retain(|one| !list(vm).contains(one));
        left
    });
    for place in left.unwrap_or_default() {
        world.change_place(&place, |list| list.retain(|one| one != vm));
        distributed::machines_changed(world, &place);
    }
    for place in joined {
        world.change_place(&place, |list| list.push(vm.clone()));
    }
    // A second card may have come to a network that the machine was on.
    let state = world.read::<properties::VirtualMachine>(vm);
    for network in state.map_or(Vec::new(), |vm| vm.network.clone()) {
        distributed::machines_changed(world, &network);
    }
}

/// Removes a machine from those that start with its host.
fn forget_start(world: &mut World, vm: &ManagedObjectReference) {
    let machine = world.read::<properties::VirtualMachine>(vm);
    let host = machine.and_then(|vm| vm.runtime.as_deref()?.host.clone());
    let Some(host) = host else { return };
    let state = world.read::<properties::HostSystem>(&host);
    let managers = state.and_then(|host| host.config_manager.as_deref());
    let manager = managers.and_then(|managers| managers.auto_start_manager.clone());
    let forget = |config: &mut HostAutoStartManagerConfig| {
        config.power_info.retain(|info| info.key != *vm);
    };
    world.change(&host, |host: &mut properties::HostSystem| {
        let config = host.config.as_deref_mut();
        config
            .and_then(|config| config.auto_start.as_deref_mut())
            .map(forget)
    });
    if let Some(manager) = manager {
        world.change(
            &manager,
            |manager: &mut properties::HostAutoStartManager| {
                manager.config.as_deref_mut().map(forget)
            },
        );
    }
}

/// All objects that list a machine.
fn places(world: &World, vm: &ManagedObjectReference) -> Vec<ManagedObjectReference> {
    let Some(vm) = world.read::<properties::VirtualMachine>(vm) else {
        return Vec::new();
    };
    let host = vm
        .runtime
        .as_deref()
        .and_then(|runtime| runtime.host.as_ref());
    let one = [vm.parent.as_ref(), vm.resource_pool.as_ref(), host];
    let many = vm.datastore.iter().chain(&vm.network);
    one.into_iter().flatten().chain(many).cloned().collect()
}

impl World {
    /// Changes the list of machines of an object of the inventory.
    fn change_place(
        &mut self,
        place: &ManagedObjectReference,
        change: impl FnOnce(&mut Vec<ManagedObjectReference>),
    ) {
        if place.is::<properties::Folder>() {
            self.change(place, |folder: &mut properties::Folder| {
                change(&mut folder.child_entity);
            });
        } else if place.is::<properties::ResourcePool>() {
            self.change(place, |pool: &mut properties::ResourcePool| {
                change(&mut pool.vm)
            });
        } else if place.r#type == properties::HostSystem::TYPE {
            self.change(place, |host: &mut properties::HostSystem| {
                change(&mut host.vm)
            });
        } else if place.r#type == properties::Datastore::TYPE {
            self.change(place, |store: &mut properties::Datastore| {
                change(&mut store.vm)
            });
        } else if place.is::<properties::Network>() {
            self.change(place, |network: &mut properties::Network| {
                change(&mut network.vm)
            });
        }
    }
}
