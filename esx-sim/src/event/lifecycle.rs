//! The events of machines' lives: what tasks and changes of the power state write.

use vi_types::enums::VirtualMachinePowerState::{self, PoweredOff, PoweredOn, Suspended};
use vi_types::objects::{
    ChangesInfoEventArgument, Event, FolderEventArgument, LocalizedMethodFault,
    ResourcePoolEventArgument, VirtualMachineConfigSpec, VirtualMachineMessage, VmBeingClonedEvent,
    VmCloneFailedEvent, VmFailedMigrateEvent, VmFailedToPowerOffEvent, VmFailedToPowerOnEvent,
    VmFailedToResetEvent, VmFailedToSuspendEvent, VmMessageEvent, VmPoweredOffEvent,
    VmPoweredOnEvent, VmReconfiguredEvent, VmRelocateFailedEvent, VmRenamedEvent,
    VmResourcePoolMovedEvent, VmResumingEvent, VmStartingEvent, VmStoppingEvent, VmSuspendedEvent,
    VmSuspendingEvent,
};
use vi_types::{ManagedObjectReference, Poly, properties};

use crate::world::World;

/// Writes the events of a change of the power state. `by_guest` says that the guest has shut itself down.
pub(crate) fn power_changed(
    world: &mut World,
    vm: &ManagedObjectReference,
    from: &VirtualMachinePowerState,
    to: &VirtualMachinePowerState,
    by_guest: bool,
) {
    let events: [Option<Poly<Event>>; 2] = match (from, to) {
        (Suspended, PoweredOn) => [
            Some(VmResumingEvent::default().into()),
            Some(VmPoweredOnEvent::default().into()),
        ],
        (PoweredOff, PoweredOn) => [
            Some(VmStartingEvent::default().into()),
            Some(VmPoweredOnEvent::default().into()),
        ],
        (PoweredOn, PoweredOff) => [
            (!by_guest).then(|| VmStoppingEvent::default().into()),
            Some(VmPoweredOffEvent::default().into()),
        ],
        (Suspended, PoweredOff) => [None, Some(VmPoweredOffEvent::default().into())],
        (PoweredOn, Suspended) => [
            Some(VmSuspendingEvent::default().into()),
            Some(VmSuspendedEvent::default().into()),
        ],
        _ => [None, None],
    };
    for event in events.into_iter().flatten() {
        world.log(vm, event);
    }
}

/// Writes that a machine has another name or configuration.
pub(crate) fn reconfigured(
    world: &mut World,
    vm: &ManagedObjectReference,
    before: Option<&properties::VirtualMachine>,
    spec: &VirtualMachineConfigSpec,
) {
    let old = before.and_then(|vm| vm.name.clone()).unwrap_or_default();
    let new = world.name(vm).unwrap_or_default().to_owned();
    if old != new {
        let renamed = VmRenamedEvent {
            old_name: old,
            new_name: new,
            ..VmRenamedEvent::default()
        };
        world.log(vm, renamed);
    }
    let only_name = VirtualMachineConfigSpec {
        name: spec.name.clone(),
        ..VirtualMachineConfigSpec::default()
    };
    if *spec == only_name {
        return;
    }
    let changes = world.since("6.5").then(|| changes(before, world, vm));
    let event = VmReconfiguredEvent {
        config_spec: spec.clone(),
        config_changes: changes.map(Box::new),
        ..VmReconfiguredEvent::default()
    };
    world.log(vm, event);
}

/// The devices that were added, changed and removed, as texts.
fn changes(
    before: Option<&properties::VirtualMachine>,
    world: &World,
    vm: &ManagedObjectReference,
) -> ChangesInfoEventArgument {
    let devices = |vm: Option<&properties::VirtualMachine>| {
        let config = vm.and_then(|vm| vm.config.as_deref());
        let devices = config.map(|config| config.hardware.device.clone());
        devices.unwrap_or_default()
    };
    let (old, new) = (devices(before), devices(world.read(vm)));
    let name = |key: i32| format!("config.hardware.device({key})");
    let mut info = ChangesInfoEventArgument::default();
    let mut note = |slot: fn(&mut ChangesInfoEventArgument) -> &mut Option<String>, text: &str| {
        let list = slot(&mut info).get_or_insert_default();
        list.push_str(text);
        list.push_str("; \n");
    };
    for device in &new {
        match old.iter().find(|old| old.key == device.key) {
            None => note(|info| &mut info.added, &name(device.key)),
            Some(before) if before != device => note(|info| &mut info.modified, &name(device.key)),
            Some(_) => {}
        }
    }
    for device in &old {
        if !new.iter().any(|new| new.key == device.key) {
            note(|info| &mut info.deleted, &name(device.key));
        }
    }
    info
}

/// Writes a question of a machine, whose text begins with the id of its message.
pub(crate) fn asked(world: &mut World, vm: &ManagedObjectReference, text: &str) {
    let id = text.split_once(": ").map(|(id, _)| id);
    let id = id.filter(|id| id.starts_with("msg."));
    let info = id.map(|id| VirtualMachineMessage {
        id: id.to_owned(),
        text: world.since("4.0").then(|| text.to_owned()),
        ..VirtualMachineMessage::default()
    });
    let info = info.filter(|_| world.since("2.5"));
    let event = VmMessageEvent {
        message: text.to_owned(),
        message_info: info.into_iter().collect(),
        ..VmMessageEvent::default()
    };
    let (user, chain) = world.events.act_for(None, None);
    world.log(vm, event);
    world.events.act_for(user, chain);
}

/// Writes that a machine is being cloned.
pub(crate) fn being_cloned(
    world: &mut World,
    source: &ManagedObjectReference,
    folder: &ManagedObjectReference,
    host: &ManagedObjectReference,
    name: &str,
) {
    let event = VmBeingClonedEvent {
        dest_folder: folder_argument(world, folder),
        dest_name: name.to_owned(),
        dest_host: world.host_argument(host),
        ..VmBeingClonedEvent::default()
    };
    world.log(source, event);
}

/// Writes that a machine goes to another pool. To be called before it goes.
pub(crate) fn moved_to_pool(
    world: &mut World,
    vm: &ManagedObjectReference,
    pool: Option<&ManagedObjectReference>,
) {
    let machine = world.read::<properties::VirtualMachine>(vm);
    let before = machine.and_then(|machine| machine.resource_pool.clone());
    if let (Some(before), Some(pool)) = (before, pool)
        && before != *pool
    {
        let event = VmResourcePoolMovedEvent {
            old_parent: pool_argument(world, &before),
            new_parent: pool_argument(world, pool),
            ..VmResourcePoolMovedEvent::default()
        };
        world.log(vm, event);
    }
}

pub(crate) fn pool_argument(
    world: &World,
    pool: &ManagedObjectReference,
) -> ResourcePoolEventArgument {
    ResourcePoolEventArgument {
        base: world.entity(pool),
        resource_pool: pool.clone(),
        ..ResourcePoolEventArgument::default()
    }
}

pub(crate) fn folder_argument(
    world: &World,
    folder: &ManagedObjectReference,
) -> FolderEventArgument {
    FolderEventArgument {
        base: world.entity(folder),
        folder: folder.clone(),
        ..FolderEventArgument::default()
    }
}

/// Writes that a task of a machine has failed, if there is an event for that.
pub(crate) fn failed(
    world: &mut World,
    vm: &ManagedObjectReference,
    method: &str,
    reason: &LocalizedMethodFault,
) {
    if world.read::<properties::VirtualMachine>(vm).is_none() {
        return;
    }
    let reason = reason.clone();
    let event: Poly<Event> = match method {
        "PowerOnVM_Task" => VmFailedToPowerOnEvent {
            reason,
            ..VmFailedToPowerOnEvent::default()
        }
        .into(),
        "PowerOffVM_Task" => VmFailedToPowerOffEvent {
            reason,
            ..VmFailedToPowerOffEvent::default()
        }
        .into(),
        "SuspendVM_Task" => VmFailedToSuspendEvent {
            reason,
            ..VmFailedToSuspendEvent::default()
        }
        .into(),
        "ResetVM_Task" => VmFailedToResetEvent {
            reason,
            ..VmFailedToResetEvent::default()
        }
        .into(),
        "CloneVM_Task" => VmCloneFailedEvent {
            reason,
            ..VmCloneFailedEvent::default()
        }
        .into(),
        "MigrateVM_Task" => VmFailedMigrateEvent {
            dest_host: world.about(vm).host(),
            reason,
            ..VmFailedMigrateEvent::default()
        }
        .into(),
        "RelocateVM_Task" => VmRelocateFailedEvent {
            dest_host: world.about(vm).host(),
            reason,
            ..VmRelocateFailedEvent::default()
        }
        .into(),
        _ => return,
    };
    world.log(vm, event);
}
