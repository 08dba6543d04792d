//! ManagedEntity: what can be done with every object of the inventory.

use vi_types::enums::VirtualMachinePowerState::{PoweredOff, PoweredOn};
use vi_types::methods::{DestroyTask, RenameTask};
use vi_types::objects::VirtualMachineConfigSpec;
use vi_types::{DateTime, ManagedObjectReference, SoapFault, properties};

use super::{datastore, host_datastore_system, network, resource_pool};
use crate::call::{Call, Row};
use crate::distributed::{self, GROUP, SWITCH};
use crate::event::lifecycle;
use crate::fault;
use crate::host_network;
use crate::machine::{self, config, removal};
use crate::world::inventory::{ServerKind, children};
use crate::world::{World, container_view};

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new(destroy),
        Row::new(rename),
    ]
}

/// Removes an object: a machine with its files, a folder or datacenter with everything in it, or a pool, whose content
/// goes to its parent.
fn destroy(
    call: &mut Call<'_>,
    _: &DestroyTask,
) -> Result<ManagedObjectReference, SoapFault> {
    check_destroy(&call.state.world, call.this)?;
    let this = call.this.clone();
    let description = format!("{}.destroy", this.r#type);
    call.begin::<DestroyTask>(&description, move |world| {
        check_destroy(world, &this)?;
        match this.r#type.as_str() {
            SWITCH => distributed::remove(world, &this)?,
            GROUP => distributed::remove_group(world, &this)?,
            _ => remove(world, &this),
        }
        Ok(None)
    })
}

/// Checks that an object can be removed.
///
/// # Errors
/// - `InvalidPowerState` for a running machine, and for a folder with one.
/// - `ResourceInUse` for a folder or datacenter with hosts.
/// - `NotSupported` for what belongs to a host, a datacenter or the server: root folders and root pools.
/// - `ResourceInUse` for a datastore that a host or a machine has.
/// - `ResourceInUse` for a network that a host has or a machine names.
/// - `NotImplemented` for hosts, which the simulator keeps.
fn check_destroy(world: &World, object: &ManagedObjectReference) -> Result<(), SoapFault> {
    match object.r#type.as_str() {
        "VirtualMachine" => {
            let machine = world.read::<properties::VirtualMachine>(object);
            let machine = machine.ok_or_else(|| fault::managed_object_not_found(object))?;
            let runtime = machine.runtime.as_deref();
            match runtime.map(|runtime| &runtime.power_state) {
                Some(PoweredOn) => Err(fault::invalid_power_state(PoweredOn, PoweredOff)),
                _ => Ok(()),
            }
        }
        "ResourcePool" => match resource_pool::parent_pool(world, object)? {
            Some(_) => Ok(()),
            None => Err(fault::not_supported()),
        },
        "Folder" | "Datacenter" if is_fixed(world, object) => Err(fault::not_supported()),
        "Folder" | "Datacenter" => check_content(world, object),
        "Datastore" => datastore::check_destroy(world, object),
        "Network" => network::check_destroy(world, object),
        "OpaqueNetwork" => Err(fault::not_supported()),
        SWITCH => distributed::check_remove(world, object),
        GROUP => distributed::check_unused(world, object),
        _ => Err(fault::not_implemented(object, "Destroy_Task")),
    }
}

fn check_content(world: &World, object: &ManagedObjectReference) -> Result<(), SoapFault> {
    for child in children(world, object) {
        match child.r#type.as_str() {
            "Folder" => check_content(world, &child)?,
            "VirtualMachine" | "Datacenter" => check_destroy(world, &child)?,
            _ => {
                let name = world.name(&child).unwrap_or_default();
                return Err(fault::resource_in_use(&child.r#type, name));
            }
        }
    }
    Ok(())
}

/// Whether an object is as it is: on an ESX host, the root folder, and the folders of a datacenter.
fn is_fixed(world: &World, object: &ManagedObjectReference) -> bool {
    let parent = world.parent(object);
    world.kind() == ServerKind::Esx || parent.is_none_or(|parent| parent.r#type == "Datacenter")
}

fn remove(world: &mut World, object: &ManagedObjectReference) {
    match object.r#type.as_str() {
        "VirtualMachine" => {
            removal::destroy(world, object);
        }
        "ResourcePool" => {
            resource_pool::remove(world, object);
        }
        "Datastore" => host_datastore_system::take_out(world, object),
        "Network" => {
            host_network::remove_network(world, object);
            container_view::refresh(world);
        }
        _ => {
            for child in children(world, object) {
                remove(world, &child);
            }
            if let Some(parent) = world.parent(object).cloned() {
                world.change(&parent, |parent: &mut properties::Folder| {
                    parent.child_entity.retain(|one| one != object);
                });
            }
            world.remove(object);
            container_view::refresh(world);
        }
    }
}

/// The longest name of an object, in characters.
const LONGEST: usize = 80;

/// Gives an object another name.
fn rename(
    call: &mut Call<'_>,
    request: &RenameTask,
) -> Result<ManagedObjectReference, SoapFault> {
    let name = request.new_name.clone();
    check_name(&name)?;
    let (this, at) = (call.this.clone(), call.state.tasks.time());
    check_rename(&call.state.world, &this)?;
    call.state.world.fill_files();
    let description = format!("{}.rename", this.r#type);
    call.begin::<RenameTask>(&description, move |world| {
        rename_to(world, &this, &name, at)?;
        Ok(None)
    })
}

/// Checks that an object can have another name.
///
/// # Errors
/// - `NotSupported` for what has a name of its own: root folders and root pools.
/// - `NotImplemented` for hosts and networks, whose names are parts of others.
fn check_rename(world: &World, object: &ManagedObjectReference) -> Result<(), SoapFault> {
    match object.r#type.as_str() {
        "VirtualMachine" | "Datastore" | SWITCH | GROUP => Ok(()),
        "ResourcePool" => match resource_pool::parent_pool(world, object)? {
            Some(_) => Ok(()),
            None => Err(fault::not_supported()),
        },
        "Folder" | "Datacenter" | "ClusterComputeResource" if is_fixed(world, object) => {
            Err(fault::not_supported())
        }
        "Folder" | "Datacenter" | "ClusterComputeResource" => Ok(()),
        _ => Err(fault::not_implemented(object, "Rename_Task")),
    }
}

fn rename_to(
    world: &mut World,
    object: &ManagedObjectReference,
    name: &str,
    at: DateTime,
) -> Result<(), SoapFault> {
    if object.r#type == "Datastore" {
        return datastore::rename_to(world, object, name);
    }
    if matches!(object.r#type.as_str(), SWITCH | GROUP) {
        return distributed::rename(world, object, name);
    }
    let siblings = world.parent(object).map(|parent| children(world, parent));
    let wanted = config::escaped(name);
    let mut others = siblings.iter().flatten().filter(|other| *other != object);
    let is_pool = |one: &ManagedObjectReference| one.r#type == "ResourcePool";
    // The machines of a pool have their names in folders.
    if let Some(other) = others.find(|other| {
        is_pool(other) == is_pool(object) && world.name(other) == Some(&*wanted)
    }) {
        return Err(fault::duplicate_name(name, other));
    }
    if object.r#type == "VirtualMachine" {
        let spec = VirtualMachineConfigSpec {
            name: Some(name.to_owned()),
            ..VirtualMachineConfigSpec::default()
        };
        let before = world.read::<properties::VirtualMachine>(object).cloned();
        machine::reconfigure(world, object, &spec, at)?;
        lifecycle::reconfigured(world, object, before.as_ref(), &spec);
        return Ok(());
    }
    let pool = world.change(object, |pool: &mut properties::ResourcePool| {
        resource_pool::set_name(pool, name);
    });
    if pool.is_none() {
        world.change(object, |entity: &mut properties::ManagedEntity| {
            entity.name = Some(wanted);
        });
    }
    Ok(())
}

/// Checks the name of an object of the inventory.
///
/// # Errors
/// `InvalidName` for an empty name, and for one that is too long.
pub(crate) fn check_name(name: &str) -> Result<(), SoapFault> {
    match name.is_empty() || name.chars().count() > LONGEST {
        true => Err(fault::invalid_name(name)),
        false => Ok(()),
    }
}
