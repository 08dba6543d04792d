//! VirtualMachine: moves to other hosts, pools, folders and datastores.

use vi_types::methods::{MigrateVmTask, RelocateVmTask};
use vi_types::objects::{VmBeingRelocatedEvent, VmRelocatedEvent};
use vi_types::{ManagedObjectReference, SoapFault, properties};

use crate::call::{Call, Row};
use crate::fault;
use crate::machine::relocation::{Relocation, store_after};
use crate::machine::{Place, migration, place};
use crate::world::World;
use crate::world::inventory::ServerKind;

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new(migrate),
        Row::new(relocate),
    ]
}

/// Moves a machine to another host or pool. ESX hosts answer `NotSupported`, since they know no other host.
fn migrate(
    call: &mut Call<'_>,
    request: &MigrateVmTask,
) -> Result<ManagedObjectReference, SoapFault> {
    let world = &call.state.world;
    if world.kind() == ServerKind::Esx {
        return Err(fault::not_supported());
    }
    let place = migration::target(world, call.this, request.pool.as_ref(), request.host.as_ref())?;
    if let Some(state) = &request.state {
        super::power::check_power_state(call, std::slice::from_ref(state), state.clone())?;
    }
    let (vm, host) = (call.this.clone(), request.host.clone());
    call.begin::<MigrateVmTask>("VirtualMachine.migrate", move |world| {
        let machine = world.read::<properties::VirtualMachine>(&vm);
        let machine = machine.ok_or_else(|| fault::managed_object_not_found(&vm))?;
        migration::check_elsewhere(world, machine, host.as_ref(), &place)?;
        check(world, &vm, &place.host, |_, store| store.clone())?;
        migration::carry_out(world, &vm, &place);
        Ok(None)
    })
}

/// Moves a machine and its files. ESX hosts answer `NotSupported`, as they do for migration.
fn relocate(
    call: &mut Call<'_>,
    request: &RelocateVmTask,
) -> Result<ManagedObjectReference, SoapFault> {
    let world = &mut call.state.world;
    if world.kind() == ServerKind::Esx {
        return Err(fault::not_supported());
    }
    world.fill_files();
    let (vm, spec) = (call.this.clone(), request.spec.clone());
    let place = match (&spec.pool, &spec.host) {
        (None, None) => place::of(world, &vm).ok_or_else(|| fault::managed_object_not_found(&vm))?,
        (pool, host) => migration::target(world, &vm, pool.as_ref(), host.as_ref())?,
    };
    let place = match &spec.folder {
        None => place,
        Some(folder) => {
            let found = world.read::<properties::Folder>(folder);
            found.ok_or_else(|| fault::managed_object_not_found(folder))?;
            Place {
                folder: folder.clone(),
                ..place
            }
        }
    };
    Relocation::new(world, &vm, &spec)?;
    call.begin::<RelocateVmTask>("VirtualMachine.relocate", move |world| {
        let relocation = Relocation::new(world, &vm, &spec)?;
        check(world, &vm, &place.host, |device, store| {
            store_after(&spec, Some(device), store)
        })?;
        let before = world.about(&vm);
        let to = world.about(&place.host);
        let being_relocated = VmBeingRelocatedEvent {
            dest_host: to.host(),
            dest_datacenter: to.datacenter().filter(|_| world.since("5.0")),
            ..VmBeingRelocatedEvent::default()
        };
        world.log(&vm, being_relocated);
        relocation.run(world, &vm);
        place::move_to(world, &vm, &place);
        let relocated = VmRelocatedEvent {
            source_host: before.host(),
            source_datacenter: before.datacenter().filter(|_| world.since("5.0")),
            ..VmRelocatedEvent::default()
        };
        world.log(&vm, relocated);
        Ok(None)
    })
}

/// Fails with the first problem of a move.
fn check(
    world: &World,
    vm: &ManagedObjectReference,
    host: &ManagedObjectReference,
    store_of: impl Fn(
        &vi_types::Poly<vi_types::objects::VirtualDevice>,
        &ManagedObjectReference,
    ) -> ManagedObjectReference,
) -> Result<(), SoapFault> {
    let machine = world.read::<properties::VirtualMachine>(vm);
    let machine = machine.ok_or_else(|| fault::managed_object_not_found(vm))?;
    let runtime = machine.runtime.as_deref();
    let power = runtime.map(|runtime| runtime.power_state.clone());
    let power = power.unwrap_or_default();
    let problems = migration::problems(world, machine, host, &power, store_of);
    problems.into_iter().next().map_or(Ok(()), Err)
}
