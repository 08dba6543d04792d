//! Virtual machines: how they are made and changed.
//!
//! [`create`] makes every machine, from a [`NewMachine`]: a specification as clients send it, and a place in the inventory.
//! The presets, `RegisterVM_Task`, `CreateVM_Task` and `CloneVM_Task` differ only in the source of the specification.
//! [`reconfigure`] and [`set_config`] change a machine.

pub(crate) mod chain;
pub(crate) mod config;
pub(crate) mod console;
pub(crate) mod device;
pub(crate) mod disk;
pub(crate) mod guest;
pub(crate) mod hardware;
pub(crate) mod lock;
pub(crate) mod migration;
pub(crate) mod place;
pub(crate) mod power;
pub(crate) mod relocation;
pub(crate) mod removal;
pub(crate) mod renamed_store;
pub(crate) mod snapshot;
mod storage;
pub(crate) mod summary;

use vi_types::enums::VirtualMachinePowerState;
use vi_types::objects::{VirtualMachineConfigInfo, VirtualMachineConfigSpec};
use vi_types::{DateTime, ManagedObjectReference, SoapFault, properties};

use crate::fault;
use crate::files::files_of;
use crate::world::World;
use crate::world::inventory::{ServerKind, host, parts};

/// A virtual machine to be made.
pub(crate) struct NewMachine {
    /// Its specification. `files.vmPathName` is the datastore path of its VMX file.
    pub(crate) spec: VirtualMachineConfigSpec,
    pub(crate) place: Place,
    pub(crate) template: bool,
    pub(crate) power: VirtualMachinePowerState,
    /// Makes its reference, its UUIDs and the addresses of its network cards.
    pub(crate) number: u64,
    /// Whether a client requests it. If so, mistakes are faults, and files must exist or are made. If not, nothing is
    /// checked.
    pub(crate) from_client: bool,
}

/// Where in the inventory a virtual machine is.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) folder: ManagedObjectReference,
    /// None for a template.
    pub(crate) pool: Option<ManagedObjectReference>,
    pub(crate) host: ManagedObjectReference,
}

/// Makes a machine and puts it into the inventory.
///
/// # Errors
/// The faults of [`config::apply`].
pub(crate) fn create(
    world: &mut World,
    new: NewMachine,
) -> Result<ManagedObjectReference, SoapFault> {
    let value = match world.kind() {
        ServerKind::Esx => new.number.to_string(),
        ServerKind::VCenter => format!("vm-{}", new.number),
    };
    let reference = ManagedObjectReference::new("VirtualMachine", value.clone());
    let made = config::fresh(world, &reference, &new)?;
    let config = made.config;
    let mut vm = properties::VirtualMachine {
        base: parts::entity(&config.name, Some(&new.place.folder)),
        capability: Some(summary::capability().into()),
        environment_browser: host::environment(world, &new.place.host),
        resource_pool: new.place.pool,
        runtime: Some(summary::runtime(world, &new.place.host, &config).into()),
        summary: Some(summary::summary(world, &reference).into()),
        ..properties::VirtualMachine::default()
    };
    show_config(world, &mut vm, config);
    power::show(world, &mut vm, new.power);
    world.add(value, vm);
    place::enter(world, &reference);
    if new.from_client {
        made.files.write(world);
        for (location, entry) in files_of(world, &reference) {
            if world.entry(&location).is_none() {
                world.put(&location, entry);
            }
        }
    }
    Ok(reference)
}

/// Changes the parts of a machine that are set in `spec`.
///
/// # Errors
/// The faults of [`config::apply`].
pub(crate) fn reconfigure(
    world: &mut World,
    vm: &ManagedObjectReference,
    spec: &VirtualMachineConfigSpec,
    at: DateTime,
) -> Result<(), SoapFault> {
    let machine = world.read::<properties::VirtualMachine>(vm);
    let machine = machine.ok_or_else(|| fault::managed_object_not_found(vm))?;
    let mut changed = config::changed(world, vm, machine, spec)?;
    changed.config.change_version = config::change_version(&at);
    changed.config.modified = at;
    set_config(world, vm, changed.config);
    changed.files.write(world);
    Ok(())
}

/// Shows a machine's configuration anew, after files of its snapshots changed.
fn refresh(world: &mut World, vm: &ManagedObjectReference) {
    let machine = world.read::<properties::VirtualMachine>(vm);
    if let Some(config) = machine.and_then(|machine| machine.config.as_deref().cloned()) {
        set_config(world, vm, config);
    }
}

/// Sets a machine's configuration in all properties that show it.
pub(crate) fn set_config(
    world: &mut World,
    vm: &ManagedObjectReference,
    config: VirtualMachineConfigInfo,
) {
    let machine = world.read::<properties::VirtualMachine>(vm);
    let Some(mut machine) = machine.cloned() else {
        return;
    };
    let before = machine.clone();
    let (datastores, networks) = (machine.datastore.clone(), machine.network.clone());
    show_config(world, &mut machine, config);
    power::follow(world, &before, &mut machine);
    let joined = (machine.datastore.clone(), machine.network.clone());
    (machine.datastore, machine.network) = (datastores, networks);
    world.change(vm, |vm: &mut properties::VirtualMachine| *vm = machine);
    place::set_datastores(world, vm, joined.0);
    place::set_networks(world, vm, joined.1);
}

/// Writes a configuration into all properties that show it.
fn show_config(
    world: &World,
    vm: &mut properties::VirtualMachine,
    config: VirtualMachineConfigInfo,
) {
    vm.name = Some(config.name.clone());
    vm.datastore = storage::datastores(world, vm, &config);
    let host = vm
        .runtime
        .as_deref()
        .and_then(|runtime| runtime.host.clone());
    vm.network = device::networks(world, host.as_ref(), &config);
    summary::show_config(world, vm, &config);
    storage::show(world, vm, &config);
    vm.config = Some(config.into());
}
