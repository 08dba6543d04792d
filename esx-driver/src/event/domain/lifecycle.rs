//! The events that lead from one state of a domain to another.

use vi_types::enums::VirtualMachinePowerState;
use virt_model::event::{
    CrashedDetail, DefinedDetail, LifecycleEvent, PmSuspendedDetail, ResumedDetail, ShutdownDetail,
    StartedDetail, StoppedDetail, SuspendedDetail, UndefinedDetail,
};

use super::DomainEventDetail;
use super::clue::Clue;

/// What of a domain makes its life cycle.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Observed {
    pub(super) name: String,
    pub(super) power: Power,
    /// Whether the guest is in standby.
    pub(super) is_asleep: bool,
    /// Whether the server knows what it says: not while it has lost the domain's host.
    pub(super) is_known: bool,
    /// Whether the guest has crashed.
    pub(super) has_crashed: bool,
    /// Identifies the configuration.
    pub(super) configuration: Option<String>,
}

/// The power state of a domain's machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Power {
    Off,
    On,
    Suspended,
}

impl Power {
    /// The power state that the server reports. An unknown one counts as the state `before`, or as off.
    pub(super) fn new(state: &VirtualMachinePowerState, before: Option<Power>) -> Power {
        match state {
            VirtualMachinePowerState::PoweredOff => Power::Off,
            VirtualMachinePowerState::PoweredOn => Power::On,
            VirtualMachinePowerState::Suspended => Power::Suspended,
            _ => before.unwrap_or(Power::Off),
        }
    }
}

/// Which of the two states the domain of an event has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    Old,
    New,
}

/// Events with the state that their domain has.
pub(super) type Told = Vec<(Which, DomainEventDetail)>;

/// The events that lead from `before` to `now` (`None`: the domain does not exist). The clues say why, the oldest first;
/// `None` if the server tells no events at all.
pub(super) fn events(
    before: Option<&Observed>,
    now: Option<&Observed>,
    clues: Option<&[Clue]>,
) -> Told {
    let has = |clue| clues.is_some_and(|clues| clues.contains(&clue));
    let known = clues.unwrap_or_default();
    match (before, now) {
        (None, None) => Vec::new(),
        (None, Some(now)) => appears(now, known).of(Which::New),
        (Some(before), None) => leaves(before, known).of(Which::Old),
        (Some(before), Some(now)) => {
            let mut told = Vec::new();
            if before.name != now.name {
                let renamed = LifecycleEvent::Undefined(UndefinedDetail::Renamed);
                told.push((Which::Old, renamed.into()));
                let renamed = LifecycleEvent::Defined(DefinedDetail::Renamed);
                told.push((Which::New, renamed.into()));
            }
            let mut news = Script::default();
            let has_moved = before.power != now.power;
            let is_reconfigured = match clues {
                Some(_) => has(Clue::Reconfigured),
                // A host also writes something into the configuration when it powers a machine on.
                None => !has_moved && before.configuration != now.configuration,
            };
            if has(Clue::Reverting) && before.configuration != now.configuration {
                news.tell(LifecycleEvent::Defined(DefinedDetail::FromSnapshot));
            } else if is_reconfigured {
                news.tell(LifecycleEvent::Defined(DefinedDetail::Updated));
            }
            if before.is_known && !now.is_known {
                news.0.push(DomainEventDetail::ControlError);
            }
            // A guest crashes while it runs.
            let has_crashed = !before.has_crashed && now.has_crashed;
            if has_crashed && before.power == Power::On {
                news.0.push(CRASHED);
            }
            match has_moved {
                true => news.moves(before, now.power, known),
                false => news.sleeps(before, now),
            }
            if has_crashed && before.power != Power::On && now.power == Power::On {
                news.0.push(CRASHED);
            }
            told.extend(news.of(Which::New));
            told
        }
    }
}

fn appears(now: &Observed, clues: &[Clue]) -> Script {
    let mut script = Script::default();
    script.tell(LifecycleEvent::Defined(DefinedDetail::Added));
    match now.power {
        // The order of libvirt's QEMU driver on the target host: qemuMigrationDstFinish of 9.0.0.
        Power::On if clues.contains(&Clue::Migrated) => {
            script.tell(LifecycleEvent::Started(StartedDetail::Migrated));
            script.tell(LifecycleEvent::Resumed(ResumedDetail::Migrated));
        }
        Power::Suspended if clues.contains(&Clue::Migrated) => {
            script.tell(LifecycleEvent::Started(StartedDetail::Migrated));
            script.tell(LifecycleEvent::Suspended(SuspendedDetail::Paused));
        }
        power => script.moves(&OFF, power, clues),
    }
    script
}

fn leaves(before: &Observed, clues: &[Clue]) -> Script {
    let mut script = Script::default();
    match before.power {
        Power::Off => {}
        power if clues.contains(&Clue::Migrated) => {
            if power == Power::On {
                script.tell(LifecycleEvent::Suspended(SuspendedDetail::Migrated));
            }
            script.tell(LifecycleEvent::Stopped(StoppedDetail::Migrated));
        }
        _ => script.moves(before, Power::Off, clues),
    }
    script.tell(LifecycleEvent::Undefined(UndefinedDetail::Removed));
    script
}

/// A domain that has not started.
const OFF: Observed = Observed {
    name: String::new(),
    power: Power::Off,
    is_asleep: false,
    is_known: true,
    has_crashed: false,
    configuration: None,
};

/// Events of one domain, in their order.
#[derive(Default)]
struct Script(Vec<DomainEventDetail>);

impl Script {
    fn tell(&mut self, event: LifecycleEvent) {
        self.0.push(event.into());
    }

    fn of(self, which: Which) -> Told {
        self.0.into_iter().map(|event| (which, event)).collect()
    }

    /// The power state changes.
    fn moves(&mut self, before: &Observed, now: Power, clues: &[Clue]) {
        let has = |clue| clues.contains(&clue);
        let is_reverted = has(Clue::Reverting);
        match (before.power, now) {
            (Power::Off, Power::Off)
            | (Power::On, Power::On)
            | (Power::Suspended, Power::Suspended) => {}
            (Power::Off, _) => {
                self.tell(LifecycleEvent::Started(match is_reverted {
                    true => StartedDetail::FromSnapshot,
                    false => StartedDetail::Booted,
                }));
                if now == Power::Suspended {
                    // A suspended domain is active, so it has started.
                    self.suspends(clues);
                }
            }
            (Power::On, Power::Off) => self.stops(clues),
            // It is suspended for whoever follows the events.
            (Power::On, Power::Suspended) if before.is_asleep => {}
            (Power::On, Power::Suspended) => self.suspends(clues),
            // A guest that does not run cannot shut itself down.
            (Power::Suspended, Power::Off) => {
                self.tell(LifecycleEvent::Stopped(match is_reverted {
                    true => StoppedDetail::FromSnapshot,
                    false => StoppedDetail::Destroyed,
                }));
            }
            (Power::Suspended, Power::On) if is_reverted => {
                self.tell(LifecycleEvent::Resumed(ResumedDetail::FromSnapshot));
            }
            (Power::Suspended, Power::On) if before.is_asleep => self.wakes(),
            (Power::Suspended, Power::On) => {
                self.tell(LifecycleEvent::Resumed(ResumedDetail::Unpaused));
            }
        }
    }

    fn stops(&mut self, clues: &[Clue]) {
        // What was said last counts: who waits in vain for a guest to shut down stops it.
        let mut how = (None, StoppedDetail::Shutdown);
        for clue in clues {
            how = match (clue, how.1) {
                (Clue::Crashed, _) => (None, StoppedDetail::Crashed),
                (Clue::Reverting, _) => (None, StoppedDetail::FromSnapshot),
                (Clue::Failed, _) => (None, StoppedDetail::Failed),
                (Clue::GuestShutdown, _) => (Some(ShutdownDetail::Host), StoppedDetail::Shutdown),
                // A revert stops the machine, too.
                (Clue::Stopping { .. }, StoppedDetail::FromSnapshot) => how,
                // A host that stops the machine after its guest has shut down or crashed is no user who does.
                (Clue::Stopping { by_user: false }, StoppedDetail::Crashed) => how,
                (Clue::Stopping { by_user: false }, _) if how.0.is_some() => how,
                (Clue::Stopping { .. }, _) => (None, StoppedDetail::Destroyed),
                // The guest went on after a revert, which a user wanted.
                (Clue::Off { by_user: false }, StoppedDetail::FromSnapshot) => {
                    (Some(ShutdownDetail::Guest), StoppedDetail::Shutdown)
                }
                // Nothing else was said.
                (Clue::Off { by_user }, StoppedDetail::Shutdown) if how.0.is_none() => {
                    match by_user {
                        true => (None, StoppedDetail::Destroyed),
                        false => (Some(ShutdownDetail::Guest), StoppedDetail::Shutdown),
                    }
                }
                _ => how,
            };
        }
        if let Some(shutdown) = how.0 {
            self.tell(LifecycleEvent::Shutdown(shutdown));
        }
        self.tell(LifecycleEvent::Stopped(how.1));
    }

    fn suspends(&mut self, clues: &[Clue]) {
        let has = |clue| clues.contains(&clue);
        let detail = if has(Clue::Reverting) {
            SuspendedDetail::FromSnapshot
        } else if has(Clue::Standby) {
            return self.falls_asleep();
        } else if has(Clue::DiskFailed) {
            SuspendedDetail::IoError
        } else {
            SuspendedDetail::Paused
        };
        self.tell(LifecycleEvent::Suspended(detail));
    }

    /// The guest goes to standby, or comes back, while the machine runs.
    fn sleeps(&mut self, before: &Observed, now: &Observed) {
        match (before.is_asleep, now.is_asleep) {
            (false, true) if now.power == Power::On => self.falls_asleep(),
            (true, false) if now.power == Power::On => self.wakes(),
            _ => {}
        }
    }

    fn falls_asleep(&mut self) {
        self.tell(LifecycleEvent::PmSuspended(PmSuspendedDetail::Memory));
        self.0.push(DomainEventDetail::PmSuspend);
    }

    fn wakes(&mut self) {
        self.tell(LifecycleEvent::Started(StartedDetail::Wakeup));
        self.0.push(DomainEventDetail::PmWakeup);
    }
}

/// Libvirt's event of a guest that crashed: it is told when the guest crashes, and the domain may run on.
pub(super) const CRASHED: DomainEventDetail =
    DomainEventDetail::Lifecycle(LifecycleEvent::Crashed(CrashedDetail::Panicked));

/// The event of a configuration that was changed.
pub(super) const UPDATED: DomainEventDetail =
    DomainEventDetail::Lifecycle(LifecycleEvent::Defined(DefinedDetail::Updated));

impl From<LifecycleEvent> for DomainEventDetail {
    fn from(event: LifecycleEvent) -> DomainEventDetail {
        DomainEventDetail::Lifecycle(event)
    }
}
