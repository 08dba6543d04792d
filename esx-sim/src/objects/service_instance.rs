//! ServiceInstance: the entry point of the API.

use std::collections::HashSet;

use vi_types::methods::{CurrentTime, RetrieveServiceContent, ValidateMigration};
use vi_types::objects::{
    EntityEventArgument, Event, HostEventArgument, MigrationErrorEvent, MigrationEvent, ServiceContent, VmEvent,
    VmEventArgument,
};
use vi_types::{DateTime, ManagedObjectReference, Poly, SoapFault, properties};

use crate::call::{Call, Row};
use crate::fault;
use crate::machine::migration;
use crate::session::now;
use crate::task::localized;
use crate::world::World;
use crate::world::inventory::ServerKind;

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new(retrieve_service_content).anonymous(),
        Row::new(current_time),
        Row::new(validate_migration),
    ]
}

fn retrieve_service_content(
    call: &mut Call<'_>,
    _: &RetrieveServiceContent,
) -> Result<ServiceContent, SoapFault> {
    let instance = call
        .state
        .world
        .read::<properties::ServiceInstance>(call.this);
    let content = instance.and_then(|instance| instance.content.as_deref());
    content
        .cloned()
        .ok_or_else(|| fault::managed_object_not_found(call.this))
}

fn current_time(call: &mut Call<'_>, _: &CurrentTime) -> Result<DateTime, SoapFault> {
    Ok(call.state.world.clock.now())
}

/// The problems that moves of machines would have, as events. ESX hosts answer `NotSupported`, as they do for moves.
///
/// They are errors; there are no warnings.
fn validate_migration(
    call: &mut Call<'_>,
    request: &ValidateMigration,
) -> Result<Vec<Poly<Event>>, SoapFault> {
    let world = &call.state.world;
    if world.kind() == ServerKind::Esx {
        return Err(fault::not_supported());
    }
    let different: HashSet<_> = request.vm.iter().collect();
    if request.vm.is_empty() || different.len() != request.vm.len() {
        return Err(fault::invalid_argument("vm"));
    }
    let mut events = Vec::new();
    for vm in &request.vm {
        let place = migration::target(world, vm, request.pool.as_ref(), request.host.as_ref())?;
        let machine = world.read::<properties::VirtualMachine>(vm);
        let machine = machine.ok_or_else(|| fault::managed_object_not_found(vm))?;
        let runtime = machine.runtime.as_deref();
        let now = runtime.map(|runtime| &runtime.power_state);
        let power = request.state.as_ref().or(now).cloned().unwrap_or_default();
        let host = request.host.as_ref();
        let here = migration::check_elsewhere(world, machine, host, &place).err();
        let problems =
            migration::problems(world, machine, &place.host, &power, |_, store| store.clone());
        for problem in here.into_iter().chain(problems) {
            let key = i32::try_from(events.len() + 1).unwrap_or(i32::MAX);
            events.push(migration_event(world, key, vm, &place.host, problem));
        }
    }
    Ok(events)
}

fn migration_event(
    world: &World,
    key: i32,
    vm: &ManagedObjectReference,
    to: &ManagedObjectReference,
    problem: SoapFault,
) -> Poly<Event> {
    let name = |object: &ManagedObjectReference| world.name(object).unwrap_or_default().to_owned();
    let argument = |object: &ManagedObjectReference| EntityEventArgument {
        name: name(object),
        ..EntityEventArgument::default()
    };
    let machine = world.read::<properties::VirtualMachine>(vm);
    let runtime = machine.and_then(|machine| machine.runtime.as_deref());
    let from = runtime.and_then(|runtime| runtime.host.clone()).unwrap_or_default();
    let text = format!(
        "Unable to migrate {} from {} to {}: {}",
        name(vm),
        name(&from),
        name(to),
        problem.string
    );
    let event = MigrationEvent {
        base: VmEvent {
            base: Event {
                key,
                chain_id: key,
                created_time: now(),
                host: Some(
                    HostEventArgument {
                        base: argument(&from),
                        host: from.clone(),
                        ..HostEventArgument::default()
                    }
                    .into(),
                ),
                vm: Some(
                    VmEventArgument {
                        base: argument(vm),
                        vm: vm.clone(),
                        ..VmEventArgument::default()
                    }
                    .into(),
                ),
                full_formatted_message: Some(text),
                ..Event::default()
            },
            ..VmEvent::default()
        },
        fault: localized(problem),
        ..MigrationEvent::default()
    };
    MigrationErrorEvent {
        base: event,
        ..MigrationErrorEvent::default()
    }
    .into()
}

/// The properties, with the clock set.
pub(crate) fn properties(
    world: &World,
    stored: &properties::ServiceInstance,
) -> properties::ServiceInstance {
    properties::ServiceInstance {
        server_clock: Some(world.clock.now()),
        ..stored.clone()
    }
}
