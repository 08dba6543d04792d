//! ManagedEntity: what can be done with every object of the inventory.

use vi_types::enums::VirtualMachinePowerState::{PoweredOff, PoweredOn};
use vi_types::methods::{DestroyTask, RenameTask};
use vi_types::objects::VirtualMachineConfigSpec;
use vi_types::{DateTime, ManagedObjectReference, SoapFault, properties};

use crate::call::{Call, Row};
use crate::fault;
use crate::machine::{self, config, removal};
use crate::world::World;

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new(destroy),
        Row::new(rename),
    ]
}

/// Removes an object, and a machine with its files.
fn destroy(
    call: &mut Call<'_>,
    _: &DestroyTask,
) -> Result<ManagedObjectReference, SoapFault> {
    check_destroy(&call.state.world, call.this)?;
    let this = call.this.clone();
    let description = format!("{}.destroy", this.r#type);
    call.begin::<DestroyTask>(&description, move |world| {
        check_destroy(world, &this)?;
        removal::destroy(world, &this);
        Ok(None)
    })
}

fn check_destroy(world: &World, object: &ManagedObjectReference) -> Result<(), SoapFault> {
    let Some(machine) = world.read::<properties::VirtualMachine>(object) else {
        return Err(fault::not_implemented(object, "Destroy_Task"));
    };
    let runtime = machine.runtime.as_deref();
    match runtime.map(|runtime| &runtime.power_state) {
        Some(PoweredOn) => Err(fault::invalid_power_state(PoweredOn, PoweredOff)),
        _ => Ok(()),
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
    if this.r#type != "VirtualMachine" {
        return Err(fault::not_implemented(&this, "Rename_Task"));
    }
    call.state.world.fill_files();
    let description = format!("{}.rename", this.r#type);
    call.begin::<RenameTask>(&description, move |world| {
        rename_to(world, &this, &name, at)?;
        Ok(None)
    })
}

fn rename_to(
    world: &mut World,
    object: &ManagedObjectReference,
    name: &str,
    at: DateTime,
) -> Result<(), SoapFault> {
    if let Some(folder) = world.parent(object)
        && let Some(other) = config::namesake(world, folder, name)
        && other != *object
    {
        return Err(fault::duplicate_name(name, &other));
    }
    let spec = VirtualMachineConfigSpec {
        name: Some(name.to_owned()),
        ..VirtualMachineConfigSpec::default()
    };
    machine::reconfigure(world, object, &spec, at)
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
