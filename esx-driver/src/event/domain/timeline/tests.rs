//! Stories of one domain: what the server shows and says, and the events that are told of it.

use std::time::Duration;

use tokio::time::Instant;
use virt_model::event::DomainEventId;

use super::super::lifecycle::Power;
use super::*;

/// A state as `NAME:POWER`, with `~` for a guest in standby, `!` for one that crashed, `?` for a host that is not connected, and the version of the
/// configuration behind a `@`.
fn observed(text: &str) -> Observed {
    let (text, version) = text.split_once('@').unwrap_or((text, "1"));
    let (name, power) = text.split_once(':').unwrap();
    Observed {
        name: name.to_owned(),
        power: match power.trim_end_matches(['~', '?', '!']) {
            "off" => Power::Off,
            "on" => Power::On,
            "suspended" => Power::Suspended,
            other => panic!("{other}"),
        },
        is_asleep: power.contains('~'),
        is_known: !power.contains('?'),
        has_crashed: power.contains('!'),
        configuration: Some(version.to_owned()),
    }
}

fn clue(text: &str) -> Clue {
    match text {
        "added" => Clue::Added,
        "removed" => Clue::Removed,
        "migrated" => Clue::Migrated,
        "on" => Clue::On,
        "off" => Clue::Off { by_user: false },
        "off-by-user" => Clue::Off { by_user: true },
        "suspended" => Clue::Suspended,
        "stopping" => Clue::Stopping { by_user: false },
        "stopping-by-user" => Clue::Stopping { by_user: true },
        "guest-shutdown" => Clue::GuestShutdown,
        "standby" => Clue::Standby,
        "crashed" => Clue::Crashed,
        "failed" => Clue::Failed,
        "disk-failed" => Clue::DiskFailed,
        "reconfigured" => Clue::Reconfigured,
        "renamed" => Clue::Renamed,
        "reverting" => Clue::Reverting,
        "task" => Clue::OtherTask,
        "refused" => Clue::Refused,
        other => panic!("{other}"),
    }
}

fn text(happened: &Happened<String>) -> String {
    match &happened.detail {
        DomainEventDetail::Lifecycle(event) => format!("{}: {event}", happened.domain),
        other => format!("{}: {}", happened.domain, other.id()),
    }
}

/// Plays a story: states, `-` for a domain that is gone, clues with a `+`, `reboot` for an event without a reason, and
/// `wait` for a while without anything. The first word is the state that was there before (`-`: none).
fn play(story: &str, has_history: bool) -> String {
    let mut now = Instant::now();
    let mut timeline = Timeline::<String>::default();
    let mut told = Vec::new();
    for (index, word) in story.split_whitespace().enumerate() {
        let state = |word: &str| (observed(word).name, observed(word));
        match word {
            "-" if index == 0 => {}
            _ if index == 0 => timeline.begin(state(word)),
            "wait" => {
                now += REASON_WAIT;
                told.push("wait".to_owned());
            }
            "reboot" => timeline.event(DomainEventDetail::Reboot, None),
            "-" => timeline.change(None, now),
            _ => match word.strip_prefix('+') {
                Some(word) => timeline.clue(clue(word), None, now),
                None => timeline.change(Some(state(word)), now),
            },
        }
        now += Duration::from_millis(1);
        told.extend(timeline.tell(has_history, now).iter().map(text));
    }
    told.join(", ")
}

#[track_caller]
fn check(stories: &[(&str, &str)], has_history: bool) {
    for (story, expected) in stories {
        assert_eq!(play(story, has_history), *expected, "{story}");
    }
}

#[test]
fn without_a_history_nothing_waits() {
    check(
        &[
            ("- a:off", "a: Defined Added"),
            ("- a:on", "a: Defined Added, a: Started Booted"),
            (
                "- a:suspended",
                "a: Defined Added, a: Started Booted, a: Suspended Paused",
            ),
            ("a:off -", "a: Undefined Removed"),
            ("a:on -", "a: Stopped Shutdown, a: Undefined Removed"),
            (
                "a:suspended -",
                "a: Stopped Destroyed, a: Undefined Removed",
            ),
            ("a:off a:off", ""),
            ("a:off a:on", "a: Started Booted"),
            (
                "a:off a:suspended",
                "a: Started Booted, a: Suspended Paused",
            ),
            ("a:on a:off", "a: Stopped Shutdown"),
            ("a:on a:suspended", "a: Suspended Paused"),
            ("a:suspended a:off", "a: Stopped Destroyed"),
            ("a:suspended a:on", "a: Resumed Unpaused"),
            ("a:on b:on", "a: Undefined Renamed, b: Defined Renamed"),
            (
                "a:off b:on",
                "a: Undefined Renamed, b: Defined Renamed, b: Started Booted",
            ),
            ("a:on@1 a:on@2", "a: Defined Updated"),
            // Whether the host itself changed it when it started the machine is not known.
            ("a:off@1 a:on@2", "a: Started Booted"),
            (
                "a:on a:on~ a:on",
                "a: PMSuspended Memory, a: pm-suspend, a: Started Event wakeup, a: pm-wakeup",
            ),
            ("a:on~ a:off", "a: Stopped Shutdown"),
            (
                "a:on a:on~ a:suspended a:on",
                "a: PMSuspended Memory, a: pm-suspend, a: Started Event wakeup, a: pm-wakeup",
            ),
            ("a:on a:on! a:on!", "a: Crashed Panicked"),
            ("a:on a:off!", "a: Crashed Panicked, a: Stopped Shutdown"),
            ("a:off a:on!", "a: Started Booted, a: Crashed Panicked"),
            ("a:suspended a:off!", "a: Stopped Destroyed"),
            ("a:on a:on? a:on", "a: control-error"),
        ],
        false,
    );
}

#[test]
fn a_change_waits_for_its_reason() {
    check(
        &[
            ("a:on a:off", ""),
            ("a:on a:off wait", "wait, a: Stopped Shutdown"),
            ("a:on a:off +off-by-user", "a: Stopped Destroyed"),
            // One answer only: nothing to wait for.
            ("- a:off", "a: Defined Added"),
            ("a:off -", "a: Undefined Removed"),
            ("a:on b:on", "a: Undefined Renamed, b: Defined Renamed"),
            ("a:on a:on~", "a: PMSuspended Memory, a: pm-suspend"),
            // The answer may come first.
            ("a:on +off-by-user a:off", "a: Stopped Destroyed"),
            // What comes behind it waits, too.
            (
                "a:on a:off reboot b:off +off b:on +on",
                "a: Shutdown Finished after guest request, a: Stopped Shutdown, a: reboot, a: Undefined Renamed, \
                 b: Defined Renamed, b: Started Booted",
            ),
            ("a:on reboot", "a: reboot"),
            // The time is that of the change, not that of what came in between.
            (
                "a:on a:off wait a:on wait",
                "wait, a: Stopped Shutdown, wait, a: Started Booted",
            ),
        ],
        true,
    );
}

#[test]
fn why_a_domain_stopped() {
    check(
        &[
            (
                "a:on a:off +off",
                "a: Shutdown Finished after guest request, a: Stopped Shutdown",
            ),
            (
                "a:on a:off +guest-shutdown +off-by-user",
                "a: Shutdown Finished after host request, a: Stopped Shutdown",
            ),
            (
                "a:on a:off +guest-shutdown +stopping +off",
                "a: Shutdown Finished after host request, a: Stopped Shutdown",
            ),
            // Somebody has lost patience.
            (
                "a:on +guest-shutdown +stopping-by-user a:off +off",
                "a: Stopped Destroyed",
            ),
            ("a:on a:off +stopping +off", "a: Stopped Destroyed"),
            ("a:on a:off +off-by-user", "a: Stopped Destroyed"),
            // The host could not stop it, and later the guest did.
            (
                "a:on +stopping-by-user +refused a:off +off",
                "a: Shutdown Finished after guest request, a: Stopped Shutdown",
            ),
            (
                "a:on +crashed a:off +off",
                "a: Crashed Panicked, a: Stopped Crashed",
            ),
            (
                "a:on a:off +crashed +off",
                "a: Crashed Panicked, a: Stopped Crashed",
            ),
            (
                "a:on +crashed a:on! a:off +stopping +off a:on +on a:on!",
                "a: Crashed Panicked, a: Stopped Crashed, a: Started Booted, a: Crashed Panicked",
            ),
            // It runs on.
            ("a:on +crashed", "a: Crashed Panicked"),
            ("a:on a:off +failed +off", "a: Stopped Failed"),
            (
                "a:off +failed a:on +on a:off +off-by-user",
                "a: Started Booted, a: Stopped Destroyed",
            ),
            ("a:on a:off +reverting", "a: Stopped Snapshot"),
            ("a:suspended a:off +off-by-user", "a: Stopped Destroyed"),
            ("a:suspended a:off +reverting", "a: Stopped Snapshot"),
            (
                "a:on +reverting +stopping-by-user +off-by-user a:off",
                "a: Stopped Snapshot",
            ),
            // The revert left it running.
            (
                "a:on +reverting +off a:off",
                "a: Shutdown Finished after guest request, a: Stopped Shutdown",
            ),
        ],
        true,
    );
}

#[test]
fn why_a_domain_started_or_was_suspended() {
    check(
        &[
            ("a:off a:on +on", "a: Started Booted"),
            ("a:off a:on +reverting", "a: Started Snapshot"),
            (
                "a:off a:suspended +reverting",
                "a: Started Snapshot, a: Suspended Snapshot",
            ),
            ("a:on a:suspended +suspended", "a: Suspended Paused"),
            ("a:on a:suspended +reverting", "a: Suspended Snapshot"),
            (
                "a:on a:suspended +disk-failed +suspended",
                "a: Suspended I/O Error",
            ),
            (
                "a:on a:suspended +standby +suspended a:on +on",
                "a: PMSuspended Memory, a: pm-suspend, a: Started Event wakeup, a: pm-wakeup",
            ),
            (
                "a:on a:suspended +standby +suspended a:off +off-by-user a:on +on a:suspended +suspended a:on +on",
                "a: PMSuspended Memory, a: pm-suspend, a: Stopped Destroyed, a: Started Booted, a: Suspended Paused, \
                 a: Resumed Unpaused",
            ),
            // A revert ends the standby, so that nothing is left to wake up.
            (
                "a:on a:suspended +standby +suspended a:on +reverting a:on@2 +reconfigured",
                "a: PMSuspended Memory, a: pm-suspend, a: Resumed Snapshot, a: Defined Snapshot",
            ),
            ("a:suspended a:on +on", "a: Resumed Unpaused"),
            ("a:suspended a:on +reverting", "a: Resumed Snapshot"),
            // Another task of the machine ends what a revert explains.
            (
                "a:on +reverting a:off +task a:on +on",
                "a: Stopped Snapshot, a: Started Booted",
            ),
        ],
        true,
    );
}

#[test]
fn migrations() {
    check(
        &[
            (
                "- a:on +migrated",
                "a: Defined Added, a: Started Migrated, a: Resumed Migrated",
            ),
            ("- a:on +added +on", "a: Defined Added, a: Started Booted"),
            (
                "a:on - +migrated",
                "a: Suspended Migrated, a: Stopped Migrated, a: Undefined Removed",
            ),
            (
                "a:suspended - +migrated",
                "a: Stopped Migrated, a: Undefined Removed",
            ),
            ("a:off - +migrated", "a: Undefined Removed"),
            (
                "a:on - +off-by-user +removed",
                "a: Stopped Destroyed, a: Undefined Removed",
            ),
        ],
        true,
    );
}

#[test]
fn configurations() {
    check(
        &[
            ("a:on@1 a:on@2 +reconfigured", "a: Defined Updated"),
            ("a:on@1 +reconfigured a:on@2", "a: Defined Updated"),
            // The host writes into the configuration by itself, too: nobody says that it was changed.
            ("a:on@1 a:on@2 wait", "wait"),
            // It was said late.
            (
                "a:on@1 a:on@2 wait +reconfigured",
                "wait, a: Defined Updated",
            ),
            (
                "a:off@1 a:on@2 +on +reconfigured",
                "a: Started Booted, a: Defined Updated",
            ),
            ("a:off@1 a:off@2 +reverting", "a: Defined Snapshot"),
            (
                "a:on@1 a:off@2 +reverting",
                "a: Defined Snapshot, a: Stopped Snapshot",
            ),
            // A name is written into the configuration.
            (
                "a:on@1 b:on@2 +renamed",
                "a: Undefined Renamed, b: Defined Renamed",
            ),
            (
                "a:on@1 +renamed b:on@2",
                "a: Undefined Renamed, b: Defined Renamed",
            ),
            (
                "a:on@1 b:on@2 wait",
                "wait, a: Undefined Renamed, b: Defined Renamed",
            ),
            // With more of it, in either order.
            (
                "a:on@1 b:on@2 +renamed +reconfigured",
                "a: Undefined Renamed, b: Defined Renamed, b: Defined Updated",
            ),
            (
                "a:on@1 b:on@2 +reconfigured",
                "a: Undefined Renamed, b: Defined Renamed, b: Defined Updated",
            ),
            (
                "a:on@1 +renamed +reconfigured b:on@2",
                "a: Undefined Renamed, b: Defined Renamed, b: Defined Updated",
            ),
            (
                "a:on@1 +reconfigured +renamed b:on@2",
                "a: Undefined Renamed, b: Defined Renamed, b: Defined Updated",
            ),
            // Another change of the configuration has its own reason.
            (
                "a:on@1 b:on@2 +renamed b:on@3 +reconfigured",
                "a: Undefined Renamed, b: Defined Renamed, b: Defined Updated",
            ),
            (
                "a:on@1 b:on@2 c:on@3 +renamed +renamed",
                "a: Undefined Renamed, b: Defined Renamed, b: Undefined Renamed, c: Defined Renamed",
            ),
            (
                "a:on@1 a:on@2 a:on@3 +reconfigured +reconfigured",
                "a: Defined Updated, a: Defined Updated",
            ),
        ],
        true,
    );
}

/// A watch shows the last of several changes that follow each other closely.
#[test]
fn changes_that_are_one_for_the_watch() {
    check(
        &[
            (
                "a:off +on +stopping +off +on a:on a:off +off",
                "a: Started Booted, a: Shutdown Finished after guest request, a: Stopped Shutdown",
            ),
            // Said after the time had passed: it explains no later change.
            (
                "a:on a:off wait +stopping +off-by-user a:on +on a:off +off",
                "wait, a: Stopped Shutdown, a: Started Booted, a: Shutdown Finished after guest request, \
                 a: Stopped Shutdown",
            ),
            // Off and on again, and the watch saw neither.
            (
                "a:on +stopping +off-by-user +on a:off +off",
                "a: Shutdown Finished after guest request, a: Stopped Shutdown",
            ),
            // Each change has its own reason.
            (
                "a:on a:off a:on a:off +off-by-user +on +guest-shutdown +off",
                "a: Stopped Destroyed, a: Started Booted, a: Shutdown Finished after host request, \
                 a: Stopped Shutdown",
            ),
        ],
        true,
    );
}

#[test]
fn an_unknown_power_state_changes_nothing() {
    use vi_types::enums::VirtualMachinePowerState;

    let unknown = VirtualMachinePowerState::Unrecognized("hibernating".to_owned());
    assert_eq!(Power::new(&unknown, Some(Power::On)), Power::On);
    assert_eq!(Power::new(&unknown, None), Power::Off);
}

#[test]
fn ids_of_details() {
    assert_eq!(UPDATED.id(), DomainEventId::Lifecycle);
    assert_eq!(DomainEventDetail::PmWakeup.id(), DomainEventId::PmWakeup);
}
