//! What the server's events say about why a domain's state changed.

use vi_types::objects::{Event, TaskEvent};
use vi_types::{ManagedObject as _, ManagedObjectReference, Poly, properties::VirtualMachine};

use super::lifecycle::Power;

/// What an event of the server says about a domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clue {
    /// It was created, registered, cloned, or found.
    Added,
    /// It was removed.
    Removed,
    /// It came from another host, or went there.
    Migrated,
    /// It runs now.
    On,
    /// It is off now.
    Off {
        /// Whether a user did it, and not the guest itself.
        by_user: bool,
    },
    /// It is suspended now.
    Suspended,
    /// It is being powered off.
    Stopping {
        /// Whether a user does it.
        by_user: bool,
    },
    /// The host asked the guest to shut down.
    GuestShutdown,
    /// The guest goes to standby.
    Standby,
    /// The guest crashed.
    Crashed,
    /// The host could not run it.
    Failed,
    /// A disk failed.
    DiskFailed,
    /// A change of its power state failed.
    Refused,
    /// Its configuration was changed.
    Reconfigured,
    /// It has another name.
    Renamed,
    /// It goes back to a snapshot.
    Reverting,
    /// Another task began.
    OtherTask,
}

/// Which facet of a domain a clue is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Facet {
    /// That it exists, here.
    Place,
    /// Whether it runs.
    Power,
    /// How it is configured.
    Configuration,
    /// What is going on.
    Task,
}

/// What the types of events say (descendants of `VmEvent`). Those that are not listed say nothing about why a state changed.
const TYPES: &[(&str, Clue)] = &[
    ("VmCreatedEvent", Clue::Added),
    ("VmRegisteredEvent", Clue::Added),
    ("VmClonedEvent", Clue::Added),
    ("VmDeployedEvent", Clue::Added),
    ("VmDiscoveredEvent", Clue::Added),
    ("VmRemovedEvent", Clue::Removed),
    ("VmMigratedEvent", Clue::Migrated),
    ("DrsVmMigratedEvent", Clue::Migrated),
    ("VmRelocatedEvent", Clue::Migrated),
    ("VmEmigratingEvent", Clue::Migrated),
    ("VmPoweredOnEvent", Clue::On),
    ("DrsVmPoweredOnEvent", Clue::On),
    ("VmRestartedOnAlternateHostEvent", Clue::On),
    ("VmSuspendedEvent", Clue::Suspended),
    ("VmGuestShutdownEvent", Clue::GuestShutdown),
    ("VmShutdownOnIsolationEvent", Clue::GuestShutdown),
    ("VmShutdownOnIsolationEvent", Clue::Off { by_user: false }),
    (
        "VmPowerOffOnIsolationEvent",
        Clue::Stopping { by_user: true },
    ),
    ("VmPowerOffOnIsolationEvent", Clue::Off { by_user: true }),
    ("VmGuestStandbyEvent", Clue::Standby),
    ("VmGuestOSCrashedEvent", Clue::Crashed),
    ("VmFailedToPowerOnEvent", Clue::Failed),
    ("VmFailedToPowerOffEvent", Clue::Refused),
    ("VmFailedToSuspendEvent", Clue::Refused),
    ("VmFailedToShutdownGuestEvent", Clue::Refused),
    ("VmFailedToStandbyGuestEvent", Clue::Refused),
    ("VmDiskFailedEvent", Clue::DiskFailed),
    ("VmReconfiguredEvent", Clue::Reconfigured),
    ("VmReloadFromPathEvent", Clue::Reconfigured),
    ("VmUpgradeCompleteEvent", Clue::Reconfigured),
    ("VmUuidAssignedEvent", Clue::Reconfigured),
    ("VmUuidChangedEvent", Clue::Reconfigured),
    ("VmInstanceUuidAssignedEvent", Clue::Reconfigured),
    ("VmInstanceUuidChangedEvent", Clue::Reconfigured),
    ("VmMacChangedEvent", Clue::Reconfigured),
    ("VmRenamedEvent", Clue::Renamed),
];

/// The types of events that say that a machine moved from one host to another.
pub(super) fn moves() -> impl Iterator<Item = &'static str> {
    let moves = TYPES.iter().filter(|(_, clue)| *clue == Clue::Migrated);
    moves.map(|(name, _)| *name)
}

/// The types of events that say something else.
pub(super) fn types() -> impl Iterator<Item = &'static str> {
    let others = TYPES.iter().filter(|(_, clue)| *clue != Clue::Migrated);
    let listed = others.map(|(name, _)| *name);
    ["TaskEvent", "VmPoweredOffEvent", "VmStoppingEvent"]
        .into_iter()
        .chain(listed)
}

impl Clue {
    /// What an event says. Some events say two things, most say nothing.
    pub(super) fn of(event: &Poly<Event>) -> Vec<Clue> {
        if let Some(task) = event.cast::<TaskEvent>() {
            let method = task.info.name.as_deref().unwrap_or_default();
            return Clue::of_task([method, &task.info.description_id]);
        }
        // Events of tasks have the user who wanted it; the host's own events have none.
        let by_user = !event.user_name.is_empty();
        match event.type_name() {
            "VmPoweredOffEvent" => vec![Clue::Off { by_user }],
            "VmStoppingEvent" => vec![Clue::Stopping { by_user }],
            name => {
                let found = TYPES.iter().filter(|(known, _)| *known == name);
                found.map(|(_, clue)| *clue).collect()
            }
        }
    }

    /// What the beginning of a task says, by the name of its method (`PowerOffVM_Task`) or its description
    /// (`VirtualMachine.powerOff`).
    fn of_task(names: [&str; 2]) -> Vec<Clue> {
        let is_of = |verb: &str| {
            names.iter().any(|name| {
                let last = name.rsplit('.').next().unwrap_or_default();
                last.to_ascii_lowercase().starts_with(verb)
            })
        };
        if is_of("revert") {
            vec![Clue::Reverting]
        } else if is_of("poweroff") {
            vec![Clue::OtherTask, Clue::Stopping { by_user: true }]
        } else {
            vec![Clue::OtherTask]
        }
    }

    /// The power state that a domain has when it is told.
    pub(super) fn power(self) -> Option<Power> {
        match self {
            Clue::On => Some(Power::On),
            Clue::Off { .. } => Some(Power::Off),
            Clue::Suspended => Some(Power::Suspended),
            _ => None,
        }
    }

    /// What the clue is about.
    pub(super) fn facet(self) -> Facet {
        match self {
            Clue::Added | Clue::Removed | Clue::Migrated => Facet::Place,
            Clue::Reconfigured | Clue::Renamed => Facet::Configuration,
            Clue::Reverting | Clue::OtherTask => Facet::Task,
            Clue::On
            | Clue::Off { .. }
            | Clue::Suspended
            | Clue::Stopping { .. }
            | Clue::GuestShutdown
            | Clue::Standby
            | Clue::Crashed
            | Clue::Failed
            | Clue::DiskFailed
            | Clue::Refused => Facet::Power,
        }
    }
}

/// The virtual machine that an event is about.
pub(super) fn subject(event: &Poly<Event>) -> Option<ManagedObjectReference> {
    if let Some(vm) = &event.vm {
        return Some(vm.vm.clone());
    }
    let entity = event.cast::<TaskEvent>()?.info.entity.clone()?;
    (entity.r#type == VirtualMachine::TYPE).then_some(entity)
}
