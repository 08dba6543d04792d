//! Every state with every event: `table.txt` has what follows from each pair, a state to a paragraph; a pair that it does
//! not name cannot come.

use std::fmt::Write as _;

use vi_types::enums::VirtualMachinePowerState::{PoweredOff, PoweredOn, Suspended};

use super::*;
use crate::question::Choice;

type S = State<&'static str>;
type E = Event<&'static str>;

fn task(name: &str) -> ManagedObjectReference {
    ManagedObjectReference::new("Task", name)
}

fn own() -> Job {
    Job {
        task: task("own"),
        is_own: true,
    }
}

fn other() -> Job {
    Job {
        task: task("other"),
        is_own: false,
    }
}

fn question(id: &str) -> Question {
    Question {
        id: id.to_owned(),
        text: format!("{id}?"),
        choices: vec![Choice {
            key: "0".to_owned(),
            label: "Yes".to_owned(),
            summary: String::new(),
        }],
        default: Some(0),
        messages: Vec::new(),
    }
}

fn look(power: VirtualMachinePowerState, asks: Option<&str>, tasks: &[(&str, bool)]) -> E {
    let seen = |(name, is_pending): &(&str, bool)| Seen {
        task: task(name),
        is_pending: *is_pending,
        is_alike: *name == "new" || *name == "old",
    };
    Event::Looked(Look {
        power,
        question: asks.map(question),
        tasks: tasks.iter().map(seen).collect(),
    })
}

fn states() -> Vec<(&'static str, S)> {
    let key = || "0".to_owned();
    let during = Moment::During;
    let before = Moment::Before;
    let question = || question("q");
    let known = || vec![task("old")];
    let refused = || Doubt::Refused("refused");
    let lost = || Doubt::Lost("lost", "0".to_owned());
    vec![
        ("preparing", State::Preparing),
        (
            "deciding, nothing blocked",
            State::Deciding(before(None), question()),
        ),
        (
            "deciding, other blocked",
            State::Deciding(before(Some(task("other"))), question()),
        ),
        (
            "deciding, own waits",
            State::Deciding(during(own()), question()),
        ),
        (
            "deciding, other waits",
            State::Deciding(during(other()), question()),
        ),
        (
            "answering, nothing blocked",
            State::Answering(before(None), question(), key()),
        ),
        (
            "answering, other blocked",
            State::Answering(before(Some(task("other"))), question(), key()),
        ),
        (
            "answering, own waits",
            State::Answering(during(own()), question(), key()),
        ),
        (
            "doubting a refusal, nothing blocked",
            State::Doubting(before(None), question(), refused()),
        ),
        (
            "doubting a refusal, other blocked",
            State::Doubting(before(Some(task("other"))), question(), refused()),
        ),
        (
            "doubting a refusal, own waits",
            State::Doubting(during(own()), question(), refused()),
        ),
        (
            "doubting a loss, own waits",
            State::Doubting(during(own()), question(), lost()),
        ),
        ("starting", State::Starting(known())),
        ("searching", State::Searching(known(), 1, "lost")),
        (
            "searching for the last time",
            State::Searching(known(), SEARCHES, "lost"),
        ),
        ("waiting for own", State::Waiting(own())),
        ("waiting for other", State::Waiting(other())),
        (
            "cancelling for a question",
            State::Cancelling(own(), Reason::Question(question(), Refusal::Policy)),
        ),
        (
            "cancelling for an answer",
            State::Cancelling(own(), Reason::Answer(question(), "refused")),
        ),
        (
            "cancelling for the caller",
            State::Cancelling(own(), Reason::Caller),
        ),
        ("ending", State::Ending(own())),
        (
            "verifying own vanished",
            State::Verifying(own(), Verdict::Vanished),
        ),
        (
            "verifying other succeeded",
            State::Verifying(other(), Verdict::Succeeded),
        ),
        (
            "verifying other failed",
            State::Verifying(other(), Verdict::Failed("failed")),
        ),
        (
            "verifying other vanished",
            State::Verifying(other(), Verdict::Vanished),
        ),
        ("over", State::Over),
    ]
}

fn events() -> Vec<(&'static str, E)> {
    vec![
        ("looked, ready", look(PoweredOff, None, &[("old", false)])),
        ("looked, asked", look(PoweredOff, Some("q"), &[])),
        (
            "looked, asked and pending",
            look(PoweredOff, Some("q"), &[("old", false), ("other", true)]),
        ),
        (
            "looked, asked something else",
            look(PoweredOff, Some("r"), &[]),
        ),
        (
            "looked, pending",
            look(PoweredOff, None, &[("other", true)]),
        ),
        (
            "looked, new task",
            look(PoweredOff, None, &[("new", false), ("old", false)]),
        ),
        ("looked, reached", look(PoweredOn, None, &[])),
        ("looked, another state", look(Suspended, None, &[])),
        ("look failed", Event::LookFailed("unread")),
        (
            "decided to answer",
            Event::Decided(Decision::Answer("0".to_owned())),
        ),
        (
            "decided to report",
            Event::Decided(Decision::Report(Refusal::Policy)),
        ),
        ("answered", Event::Answered),
        ("answer refused", Event::AnswerRefused("refused")),
        ("answer lost", Event::AnswerLost("lost")),
        ("started", Event::Started(task("own"))),
        ("start refused", Event::StartRefused("refused")),
        ("start lost", Event::StartLost("lost")),
        ("asked", Event::Asked(question("r"))),
        ("unasked", Event::Unasked),
        ("succeeded", Event::Succeeded),
        ("failed", Event::Failed("failed")),
        ("vanished", Event::Vanished),
        ("unwatched", Event::Unwatched("unwatched")),
        ("cancelled", Event::Cancelled),
        ("not cancelable", Event::NotCancelable),
        ("cancel failed", Event::CancelFailed("cancel")),
        ("caller cancels", Event::CallerCancels),
        ("time is up", Event::TimeIsUp),
    ]
}

/// A question by its id, a task by its name, a key as it is.
fn short(debug: String) -> String {
    let question = |id: &str| format!("{:?}", question(id));
    ["q", "r"]
        .iter()
        .fold(debug, |text, id| text.replace(&question(id), id))
        .replace(&format!("{:?}", own()), "own")
        .replace(&format!("{:?}", other()), "other")
        .replace(&format!("{:?}", task("old")), "old")
        .replace(&format!("{:?}", task("new")), "new")
        .replace(&format!("{:?}", task("other")), "other")
}

/// All that can happen in a power-on, one line for each state and event; what is not here is impossible.
fn table() -> String {
    let goal = Goal {
        from: PoweredOff,
        to: Some(PoweredOn),
    };
    let mut table = String::new();
    for (state_name, state) in states() {
        writeln!(table, "{state_name}").unwrap();
        for (event_name, event) in events() {
            let (next, action) = next(&goal, state.clone(), event);
            if action == Action::Impossible {
                assert_eq!(next, State::Over);
                continue;
            }
            let line = match (next, action) {
                (State::Over, Action::End(outcome)) => format!("{outcome:?}"),
                (next, action) => format!("{action:?}, {next:?}"),
            };
            writeln!(table, "  {event_name}: {}", short(line)).unwrap();
        }
    }
    table
}

#[test]
fn every_state_with_every_event() {
    let expected = include_str!("table.txt");
    let table = table();
    for (line, (is, should_be)) in table.lines().zip(expected.lines()).enumerate() {
        assert_eq!(is, should_be, "line {}", line + 1);
    }
    assert_eq!(table.lines().count(), expected.lines().count());
}

#[test]
fn a_goal_that_does_not_show_is_never_taken_for_reached() {
    let goal = Goal {
        from: PoweredOn,
        to: None,
    };
    for state in [
        State::Searching(Vec::new(), SEARCHES, "lost"),
        State::Verifying(other(), Verdict::Succeeded),
    ] {
        let (_, action) = next(&goal, state, look(PoweredOn, None, &[]));
        assert!(
            matches!(
                action,
                Action::End(Outcome::InDoubt(_) | Outcome::NotStarted(None))
            ),
            "{action:?}"
        );
    }
}

#[test]
fn nothing_is_started_but_after_a_look() {
    let goal = Goal {
        from: PoweredOff,
        to: Some(PoweredOn),
    };
    let mut starts = Vec::new();
    for (state_name, state) in states() {
        for (event_name, event) in events() {
            let (_, action) = next(&goal, state.clone(), event);
            if action == Action::Start {
                starts.push((state_name, event_name));
            }
        }
    }
    assert_eq!(
        starts,
        [
            ("preparing", "looked, ready"),
            ("preparing", "looked, new task"),
            // Somebody else answered a question that blocked nothing.
            ("doubting a refusal, nothing blocked", "looked, ready"),
            ("doubting a refusal, nothing blocked", "looked, new task"),
        ]
    );
}
