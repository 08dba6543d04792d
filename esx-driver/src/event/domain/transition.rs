//! The events that lead from one state of a domain to another.

use vi_types::enums::VirtualMachinePowerState;
use virt_model::event::{
    DefinedDetail, LifecycleEvent, ResumedDetail, StartedDetail, StoppedDetail, SuspendedDetail,
    UndefinedDetail,
};

const DEFINED: LifecycleEvent = LifecycleEvent::Defined(DefinedDetail::Added);
const UNDEFINED: LifecycleEvent = LifecycleEvent::Undefined(UndefinedDetail::Removed);
const OLD_NAME: LifecycleEvent = LifecycleEvent::Undefined(UndefinedDetail::Renamed);
const NEW_NAME: LifecycleEvent = LifecycleEvent::Defined(DefinedDetail::Renamed);
const STARTED: LifecycleEvent = LifecycleEvent::Started(StartedDetail::Booted);
const SUSPENDED: LifecycleEvent = LifecycleEvent::Suspended(SuspendedDetail::Paused);
const RESUMED: LifecycleEvent = LifecycleEvent::Resumed(ResumedDetail::Unpaused);
const SHUTDOWN: LifecycleEvent = LifecycleEvent::Stopped(StoppedDetail::Shutdown);
const DESTROYED: LifecycleEvent = LifecycleEvent::Stopped(StoppedDetail::Destroyed);

/// The state of a domain that events led to.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Observed {
    pub(super) name: String,
    pub(super) power: Power,
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

/// The events that lead from `before` to `now`, each with the state that its domain has. `None`: the domain does not
/// exist.
pub(super) fn events(
    before: Option<&Observed>,
    now: Option<&Observed>,
) -> Vec<(Which, LifecycleEvent)> {
    let mut events = Vec::new();
    match (before, now) {
        (None, None) => {}
        (None, Some(now)) => {
            events.push((Which::New, DEFINED));
            let power = power_events(Power::Off, now.power);
            events.extend(power.iter().map(|event| (Which::New, *event)));
        }
        (Some(before), None) => {
            let power = power_events(before.power, Power::Off);
            events.extend(power.iter().map(|event| (Which::Old, *event)));
            events.push((Which::Old, UNDEFINED));
        }
        (Some(before), Some(now)) => {
            if before.name != now.name {
                events.push((Which::Old, OLD_NAME));
                events.push((Which::New, NEW_NAME));
            }
            let power = power_events(before.power, now.power);
            events.extend(power.iter().map(|event| (Which::New, *event)));
        }
    }
    events
}

fn power_events(before: Power, now: Power) -> &'static [LifecycleEvent] {
    match (before, now) {
        (Power::Off, Power::Off)
        | (Power::On, Power::On)
        | (Power::Suspended, Power::Suspended) => &[],
        (Power::Off, Power::On) => &[STARTED],
        // A suspended domain is active, so it has started.
        (Power::Off, Power::Suspended) => &[STARTED, SUSPENDED],
        (Power::On, Power::Off) => &[SHUTDOWN],
        (Power::On, Power::Suspended) => &[SUSPENDED],
        // A guest that does not run cannot shut itself down.
        (Power::Suspended, Power::Off) => &[DESTROYED],
        (Power::Suspended, Power::On) => &[RESUMED],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A state as `NAME:POWER`, or `-` for none.
    fn observed(text: &str) -> Option<Observed> {
        let (name, power) = text.split_once(':')?;
        Some(Observed {
            name: name.to_owned(),
            power: match power {
                "off" => Power::Off,
                "on" => Power::On,
                "suspended" => Power::Suspended,
                other => panic!("{other}"),
            },
        })
    }

    #[test]
    fn every_pair_of_states() {
        for (before, now, expected) in [
            ("-", "-", ""),
            ("-", "a:off", "+Defined Added"),
            ("-", "a:on", "+Defined Added, +Started Booted"),
            (
                "-",
                "a:suspended",
                "+Defined Added, +Started Booted, +Suspended Paused",
            ),
            ("a:off", "-", "-Undefined Removed"),
            ("a:on", "-", "-Stopped Shutdown, -Undefined Removed"),
            ("a:suspended", "-", "-Stopped Destroyed, -Undefined Removed"),
            ("a:off", "a:off", ""),
            ("a:off", "a:on", "+Started Booted"),
            ("a:off", "a:suspended", "+Started Booted, +Suspended Paused"),
            ("a:on", "a:off", "+Stopped Shutdown"),
            ("a:on", "a:on", ""),
            ("a:on", "a:suspended", "+Suspended Paused"),
            ("a:suspended", "a:off", "+Stopped Destroyed"),
            ("a:suspended", "a:on", "+Resumed Unpaused"),
            ("a:suspended", "a:suspended", ""),
            ("a:on", "b:on", "-Undefined Renamed, +Defined Renamed"),
            (
                "a:off",
                "b:on",
                "-Undefined Renamed, +Defined Renamed, +Started Booted",
            ),
        ] {
            let found = events(observed(before).as_ref(), observed(now).as_ref());
            let found: Vec<_> = found
                .into_iter()
                .map(|(which, event)| match which {
                    Which::Old => format!("-{event}"),
                    Which::New => format!("+{event}"),
                })
                .collect();
            assert_eq!(found.join(", "), expected, "{before} to {now}");
        }
    }

    #[test]
    fn an_unknown_power_state_changes_nothing() {
        let unknown = VirtualMachinePowerState::Unrecognized("hibernating".to_owned());
        assert_eq!(Power::new(&unknown, Some(Power::On)), Power::On);
        assert_eq!(Power::new(&unknown, None), Power::Off);
    }
}
