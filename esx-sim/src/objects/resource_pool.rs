//! ResourcePool: shares of a compute resource.

use vi_types::methods::{CreateResourcePool, DestroyChildren, MoveIntoResourcePool, UpdateConfig};
use vi_types::objects::{
    ResourceAllocationInfo, ResourceConfigSpec, ResourcePoolCreatedEvent,
    ResourcePoolDestroyedEvent, ResourcePoolEvent,
};
use vi_types::{DateTime, ManagedObjectReference, SoapFault, properties};

use super::managed_entity::check_name;
use crate::call::{Call, Row};
use crate::event::lifecycle;
use crate::fault;
use crate::machine::config::escaped;
use crate::machine::place;
use crate::world::inventory::{ServerKind, ancestors, host};
use crate::world::{World, container_view};

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new(create),
        Row::new(update),
        Row::new(move_into),
        Row::new(destroy_children),
    ]
}

/// Makes a pool in a pool.
fn create(
    call: &mut Call<'_>,
    request: &CreateResourcePool,
) -> Result<ManagedObjectReference, SoapFault> {
    check_name(&request.name)?;
    check_config(&request.spec)?;
    let at = call.state.tasks.time();
    let world = &mut call.state.world;
    check_free(world, call.this, &request.name, None)?;
    let owner = read(world, call.this)?.owner.clone().unwrap_or_default();
    let kind = match world.kind() {
        ServerKind::Esx => "pool",
        ServerKind::VCenter => "resgroup-",
    };
    let own = ManagedObjectReference::new("ResourcePool", world.next_value(kind));
    let mut made = host::pool(&escaped(&request.name), &own, &owner);
    made.parent = Some(call.this.clone());
    show_config(&mut made, &request.spec, at);
    world.add(own.value.clone(), made);
    world.change(call.this, |pool: &mut properties::ResourcePool| {
        pool.resource_pool.push(own.clone());
    });
    container_view::refresh(world);
    let event = ResourcePoolCreatedEvent {
        base: ResourcePoolEvent {
            resource_pool: lifecycle::pool_argument(world, &own),
            ..ResourcePoolEvent::default()
        },
        parent: lifecycle::pool_argument(world, call.this),
        ..ResourcePoolCreatedEvent::default()
    };
    world.log(&own, event);
    Ok(own)
}

/// Changes the name and the shares of a pool. Those of a root pool are its hosts'.
fn update(call: &mut Call<'_>, request: &UpdateConfig) -> Result<(), SoapFault> {
    let at = call.state.tasks.time();
    let world = &mut call.state.world;
    let Some(parent) = parent_pool(world, call.this)? else {
        return Err(fault::not_supported());
    };
    if let Some(name) = &request.name {
        check_name(name)?;
        check_free(world, &parent, name, Some(call.this))?;
    }
    if let Some(config) = request.config.as_deref() {
        check_config(config)?;
        let own = read(world, call.this)?.config.as_deref();
        let own = own.and_then(|own| own.change_version.as_ref());
        if config.change_version.is_some() && config.change_version.as_ref() != own {
            return Err(fault::concurrent_change());
        }
    }
    world.change(call.this, |pool: &mut properties::ResourcePool| {
        if let Some(name) = &request.name {
            set_name(pool, name);
        }
        if let Some(config) = request.config.as_deref() {
            show_config(pool, config, at);
        }
    });
    Ok(())
}

/// Moves machines and pools into a pool of the same compute resource.
fn move_into(call: &mut Call<'_>, request: &MoveIntoResourcePool) -> Result<(), SoapFault> {
    let world = &mut call.state.world;
    let owner = read(world, call.this)?.owner.clone();
    for object in &request.list {
        if world.get(object).is_none() {
            return Err(fault::managed_object_not_found(object));
        }
        let pool = match world.read::<properties::VirtualMachine>(object) {
            Some(machine) => machine.resource_pool.clone(),
            None => parent_pool(world, object)?,
        };
        // A template and a root pool are in no pool.
        let pool = pool.ok_or_else(|| fault::invalid_argument("list"))?;
        let is_below = object == call.this || ancestors(world, call.this).any(|one| one == object);
        if is_below || read(world, &pool)?.owner != owner {
            return Err(fault::invalid_argument("list"));
        }
        if object.r#type == "ResourcePool" {
            let name = world.name(object).unwrap_or_default();
            check_free(world, call.this, name, Some(object))?;
        }
    }
    for object in &request.list {
        match place::of(world, object) {
            Some(now) => {
                let place = crate::machine::Place {
                    pool: Some(call.this.clone()),
                    ..now
                };
                lifecycle::moved_to_pool(world, object, Some(call.this));
                place::move_to(world, object, &place);
            }
            None => move_pool(world, object, call.this),
        }
    }
    container_view::refresh(world);
    Ok(())
}

/// Removes the pools in a pool. It gets the machines in them.
fn destroy_children(call: &mut Call<'_>, _: &DestroyChildren) -> Result<(), SoapFault> {
    let world = &mut call.state.world;
    while let Some(child) = read(world, call.this)?.resource_pool.first().cloned() {
        remove(world, &child);
    }
    Ok(())
}

/// Removes a pool. Its parent gets the machines and pools in it. Returns whether there was a parent.
pub(super) fn remove(world: &mut World, pool: &ManagedObjectReference) -> bool {
    let Ok(Some(parent)) = parent_pool(world, pool) else {
        return false;
    };
    let own = world.read::<properties::ResourcePool>(pool);
    let (vms, pools) = own.map_or_else(Default::default, |own| {
        (own.vm.clone(), own.resource_pool.clone())
    });
    for vm in vms {
        if let Some(now) = place::of(world, &vm) {
            lifecycle::moved_to_pool(world, &vm, Some(&parent));
            let pool = Some(parent.clone());
            place::move_to(world, &vm, &crate::machine::Place { pool, ..now });
        }
    }
    for child in pools {
        move_pool(world, &child, &parent);
    }
    world.change(&parent, |parent: &mut properties::ResourcePool| {
        parent.resource_pool.retain(|one| one != pool);
    });
    let about = world.about(pool);
    let event = ResourcePoolDestroyedEvent {
        base: ResourcePoolEvent {
            resource_pool: lifecycle::pool_argument(world, pool),
            ..ResourcePoolEvent::default()
        },
        ..ResourcePoolDestroyedEvent::default()
    };
    world.remove(pool);
    container_view::refresh(world);
    world.log_about(&about, event);
    true
}

fn move_pool(
    world: &mut World,
    pool: &ManagedObjectReference,
    into: &ManagedObjectReference,
) {
    let before = world.change(pool, |pool: &mut properties::ResourcePool| {
        pool.parent.replace(into.clone())
    });
    if let Some(before) = before.flatten() {
        world.change(&before, |parent: &mut properties::ResourcePool| {
            parent.resource_pool.retain(|one| one != pool);
        });
    }
    world.change(into, |parent: &mut properties::ResourcePool| {
        parent.resource_pool.push(pool.clone());
    });
}

/// The pool that a pool is in; none for a root pool.
pub(super) fn parent_pool(
    world: &World,
    pool: &ManagedObjectReference,
) -> Result<Option<ManagedObjectReference>, SoapFault> {
    let parent = read(world, pool)?.parent.as_ref();
    let parent = parent.filter(|parent| parent.r#type == "ResourcePool");
    Ok(parent.cloned())
}

/// Sets the name of a pool in all properties that show it.
pub(super) fn set_name(pool: &mut properties::ResourcePool, name: &str) {
    let name = escaped(name);
    if let Some(summary) = pool.summary.as_mut() {
        summary.name.clone_from(&name);
    }
    pool.name = Some(name);
}

/// Fails with `DuplicateName` if a pool has another child of that name.
fn check_free(
    world: &World,
    parent: &ManagedObjectReference,
    name: &str,
    except: Option<&ManagedObjectReference>,
) -> Result<(), SoapFault> {
    let wanted = escaped(name);
    let mut children = read(world, parent)?.resource_pool.iter();
    let is_it = |child: &&ManagedObjectReference| {
        Some(*child) != except && world.name(child) == Some(&*wanted)
    };
    match children.find(is_it) {
        Some(other) => Err(fault::duplicate_name(name, other)),
        None => Ok(()),
    }
}

/// Checks shares: no negative reservation, and no limit below it. -1 is no limit.
fn check_config(config: &ResourceConfigSpec) -> Result<(), SoapFault> {
    let both = [
        (&config.cpu_allocation, "cpuAllocation"),
        (&config.memory_allocation, "memoryAllocation"),
    ];
    for (allocation, name) in both {
        let reservation = allocation.reservation.unwrap_or(0);
        let limit = allocation.limit.unwrap_or(-1);
        if reservation < 0 {
            let property = format!("spec.{name}.reservation");
            return Err(fault::invalid_argument(&property));
        }
        if limit < -1 || limit >= 0 && limit < reservation {
            let property = format!("spec.{name}.limit");
            return Err(fault::invalid_argument(&property));
        }
    }
    Ok(())
}

/// Writes what is set in a configuration into all properties that show it.
fn show_config(pool: &mut properties::ResourcePool, new: &ResourceConfigSpec, at: DateTime) {
    let Some(own) = pool.config.as_deref_mut() else {
        return;
    };
    merge(&mut own.cpu_allocation, &new.cpu_allocation);
    merge(&mut own.memory_allocation, &new.memory_allocation);
    own.change_version = Some(at.to_string());
    own.last_modified = Some(at);
    let own = own.clone();
    if let Some(summary) = pool.summary.as_mut() {
        summary.config = own;
    }
}

fn merge(own: &mut ResourceAllocationInfo, new: &ResourceAllocationInfo) {
    own.reservation = new.reservation.or(own.reservation);
    own.expandable_reservation = new.expandable_reservation.or(own.expandable_reservation);
    own.limit = new.limit.or(own.limit);
    own.overhead_limit = new.overhead_limit.or(own.overhead_limit);
    if new.shares.is_some() {
        own.shares.clone_from(&new.shares);
    }
}

fn read<'a>(
    world: &'a World,
    pool: &ManagedObjectReference,
) -> Result<&'a properties::ResourcePool, SoapFault> {
    let found = world.read::<properties::ResourcePool>(pool);
    found.ok_or_else(|| fault::managed_object_not_found(pool))
}
