//! Every state with every reply it can have: `table.txt` says what follows from each pair, a state to a paragraph. Pairs
//! that cannot occur do not compile, so the table is all there is.

use std::fmt::Write as _;

use super::*;

use crate::question::Choice;

type S = State<&'static str, &'static str>;
type C = CallState<&'static str, &'static str>;

fn task(name: &str) -> ManagedObjectReference {
    ManagedObjectReference::new("Task", name)
}

fn own() -> AwaitedTask {
    AwaitedTask {
        task: task("own"),
        is_own: true,
    }
}

fn other() -> AwaitedTask {
    AwaitedTask {
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

/// The states that can have one kind of reply, and how they go on.
type Steps<R, N> = Vec<(&'static str, Box<dyn Fn(R) -> N>)>;

fn before(blocked: Option<&str>) -> Stage {
    Stage::Before(blocked.map(task))
}

fn midway(task: AwaitedTask) -> Stage {
    Stage::Midway(task)
}

fn searching(attempt: u32) -> Searching<&'static str> {
    Searching {
        known: vec![task("old")],
        attempt,
        error: "lost",
    }
}

fn rechecking(
    stage: &Stage,
    failure: AnswerFailure<&'static str>,
) -> impl Fn(ReadReply<&'static str, &'static str>) -> S + use<> {
    let step = Rechecking {
        question: question("q"),
        failure,
        stage: stage.clone(),
    };
    move |reply| step.clone().next(reply)
}

fn verifying(
    task: AwaitedTask,
    end: TaskEnd<&'static str>,
) -> impl Fn(ReadReply<&'static str, &'static str>) -> S {
    let step = Verifying { task, end };
    move |reply| step.clone().next(reply)
}

fn readers() -> Steps<ReadReply<&'static str, &'static str>, S> {
    let refused = || AnswerFailure::Refused("refused");
    let lost = || AnswerFailure::Lost("lost", "0".to_owned());
    vec![
        ("preparing", Box::new(|reply| Preparing.next(reply))),
        (
            "rechecking a refused answer, nothing blocked",
            Box::new(rechecking(&before(None), refused())),
        ),
        (
            "rechecking a refused answer, other blocked",
            Box::new(rechecking(&before(Some("other")), refused())),
        ),
        (
            "rechecking a refused answer, own waits",
            Box::new(rechecking(&midway(own()), refused())),
        ),
        (
            "rechecking a lost answer, own waits",
            Box::new(rechecking(&midway(own()), lost())),
        ),
        ("searching", Box::new(|reply| searching(1).next(reply))),
        (
            "searching for the last time",
            Box::new(|reply| searching(SEARCHES).next(reply)),
        ),
        (
            "verifying own vanished",
            Box::new(verifying(own(), TaskEnd::Unknown)),
        ),
        (
            "verifying own unwatched",
            Box::new(verifying(own(), TaskEnd::Unwatched("unwatched"))),
        ),
        (
            "verifying other unwatched",
            Box::new(verifying(other(), TaskEnd::Unwatched("unwatched"))),
        ),
        (
            "verifying other succeeded",
            Box::new(verifying(other(), TaskEnd::Succeeded)),
        ),
        (
            "verifying other failed",
            Box::new(verifying(other(), TaskEnd::Failed("failed"))),
        ),
        (
            "verifying other vanished",
            Box::new(verifying(other(), TaskEnd::Unknown)),
        ),
    ]
}

fn checkers() -> Steps<ReadReply<&'static str, &'static str>, C> {
    let checking = |attempt| {
        move |reply| {
            let error = "lost";
            Checking { attempt, error }.next(reply)
        }
    };
    vec![
        ("checking a call", Box::new(checking(1))),
        (
            "checking a call for the last time",
            Box::new(checking(SEARCHES)),
        ),
    ]
}

fn reading(
    is_ready: bool,
    asks: Option<&str>,
    tasks: &[(&str, bool)],
    effect: Effect<&'static str>,
) -> ReadReply<&'static str, &'static str> {
    let recent = |(name, is_pending): &(&str, bool)| RecentTask {
        task: task(name),
        is_pending: *is_pending,
        is_alike: *name == "new" || *name == "old",
    };
    ReadReply::Read(Reading {
        question: asks.map(question),
        tasks: tasks.iter().map(recent).collect(),
        is_ready,
        effect,
    })
}

fn readings() -> Vec<(&'static str, ReadReply<&'static str, &'static str>)> {
    use Effect::{Done, NotDone, Unknown};
    let interrupted = ReadReply::Interrupted;
    vec![
        (
            "read, ready",
            reading(true, None, &[("old", false)], NotDone),
        ),
        ("read, asked", reading(true, Some("q"), &[], NotDone)),
        (
            "read, asked and pending",
            reading(true, Some("q"), &[("old", false), ("other", true)], NotDone),
        ),
        (
            "read, asked something else",
            reading(true, Some("r"), &[], NotDone),
        ),
        (
            "read, pending",
            reading(true, None, &[("other", true)], NotDone),
        ),
        (
            "read, new task",
            reading(true, None, &[("new", false), ("old", false)], NotDone),
        ),
        ("read, reached", reading(false, None, &[], Done("seen"))),
        ("read, another state", reading(false, None, &[], NotDone)),
        ("read, nothing to see", reading(true, None, &[], Unknown)),
        ("read failed", ReadReply::Failed("unread")),
        ("caller cancels", interrupted(Interrupt::CallerCancels)),
        ("time is up", interrupted(Interrupt::TimeIsUp)),
    ]
}

fn deciders() -> Steps<DecideReply, S> {
    let deciding = |blocked: Option<&'static str>| {
        move |reply| {
            let step = Deciding {
                question: question("q"),
                blocked: blocked.map(task),
            };
            step.next(reply)
        }
    };
    vec![
        ("deciding, nothing blocked", Box::new(deciding(None))),
        ("deciding, other blocked", Box::new(deciding(Some("other")))),
    ]
}

fn decisions() -> [(&'static str, Decision); 2] {
    [
        ("decided to answer", Decision::Answer("0".to_owned())),
        ("decided to report", Decision::Report(Refusal::Policy)),
    ]
}

fn interrupts() -> [(&'static str, Interrupt); 2] {
    [
        ("caller cancels", Interrupt::CallerCancels),
        ("time is up", Interrupt::TimeIsUp),
    ]
}

fn decides() -> Vec<(&'static str, DecideReply)> {
    let decided = decisions().map(|(name, decision)| (name, DecideReply::Decided(decision)));
    let interrupted = interrupts().map(|(name, one)| (name, DecideReply::Interrupted(one)));
    decided.into_iter().chain(interrupted).collect()
}

fn midway_deciders() -> Steps<MidwayReply<&'static str, &'static str>, S> {
    let deciding = |task: fn() -> AwaitedTask| {
        move |reply| {
            let (question, task) = (question("q"), task());
            DecidingMidway { question, task }.next(reply)
        }
    };
    vec![
        ("deciding, own waits", Box::new(deciding(own))),
        ("deciding, other waits", Box::new(deciding(other))),
    ]
}

fn news() -> [(&'static str, TaskNews<&'static str, &'static str>); 6] {
    [
        ("asked", TaskNews::Asked(question("r"))),
        ("unasked", TaskNews::Unasked),
        ("succeeded", TaskNews::Succeeded("result")),
        ("failed", TaskNews::Failed("failed")),
        ("vanished", TaskNews::Vanished),
        ("unwatched", TaskNews::Unwatched("unwatched")),
    ]
}

fn midways() -> Vec<(&'static str, MidwayReply<&'static str, &'static str>)> {
    let decided = decisions().map(|(name, decision)| (name, MidwayReply::Decided(decision)));
    let news = news().map(|(name, news)| (name, MidwayReply::Task(news)));
    let interrupted = interrupts().map(|(name, one)| (name, MidwayReply::Interrupted(one)));
    decided.into_iter().chain(news).chain(interrupted).collect()
}

fn answerers() -> Steps<AnswerReply<&'static str>, S> {
    let answering = |stage: Stage| {
        move |reply| {
            let step = Answering {
                question: question("q"),
                key: "0".to_owned(),
                stage: stage.clone(),
            };
            step.next(reply)
        }
    };
    vec![
        (
            "answering, nothing blocked",
            Box::new(answering(before(None))),
        ),
        (
            "answering, other blocked",
            Box::new(answering(before(Some("other")))),
        ),
        ("answering, own waits", Box::new(answering(midway(own())))),
    ]
}

fn answers() -> Vec<(&'static str, AnswerReply<&'static str>)> {
    let replies = [
        ("answered", AnswerReply::Answered),
        ("answer refused", AnswerReply::Refused("refused")),
        ("answer lost", AnswerReply::Lost("lost")),
    ];
    let interrupted = interrupts().map(|(name, one)| (name, AnswerReply::Interrupted(one)));
    replies.into_iter().chain(interrupted).collect()
}

fn starters() -> Steps<StartReply<&'static str>, S> {
    let known = || vec![task("old")];
    vec![(
        "starting",
        Box::new(move |reply| Starting { known: known() }.next(reply)),
    )]
}

fn starts() -> Vec<(&'static str, StartReply<&'static str>)> {
    let replies = [
        ("started", StartReply::Started(task("own"))),
        ("start refused", StartReply::Refused("refused")),
        ("start lost", StartReply::Lost("lost")),
    ];
    let interrupted = interrupts().map(|(name, one)| (name, StartReply::Interrupted(one)));
    replies.into_iter().chain(interrupted).collect()
}

fn waiters() -> Steps<WaitReply<&'static str, &'static str>, S> {
    let waiting = |task: fn() -> AwaitedTask| move |reply| Waiting { task: task() }.next(reply);
    vec![
        ("waiting for own", Box::new(waiting(own))),
        ("waiting for other", Box::new(waiting(other))),
    ]
}

fn waits() -> Vec<(&'static str, WaitReply<&'static str, &'static str>)> {
    let news = news().map(|(name, news)| (name, WaitReply::Task(news)));
    let interrupted = interrupts().map(|(name, one)| (name, WaitReply::Interrupted(one)));
    news.into_iter().chain(interrupted).collect()
}

fn cancellers() -> Steps<CancelReply<&'static str>, S> {
    let cancelling = |reason: fn() -> CancelReason<&'static str>| {
        move |reply| {
            let (task, reason) = (own(), reason());
            Cancelling { task, reason }.next(reply)
        }
    };
    let unanswered = || CancelReason::Unanswered(question("q"), Refusal::Policy);
    let answer_failed = || CancelReason::AnswerFailed(question("q"), "refused");
    vec![
        (
            "cancelling for a question",
            Box::new(cancelling(unanswered)),
        ),
        (
            "cancelling for an answer",
            Box::new(cancelling(answer_failed)),
        ),
        (
            "cancelling for the caller",
            Box::new(|reply| CancellingForCaller { task: own() }.next(reply)),
        ),
    ]
}

fn cancels() -> Vec<(&'static str, CancelReply<&'static str>)> {
    vec![
        ("cancelled", CancelReply::Requested),
        ("not cancelable", CancelReply::NotCancelable),
        ("cancel failed", CancelReply::Failed("cancel")),
    ]
}

fn enders() -> Steps<ShortWaitReply<&'static str, &'static str>, S> {
    vec![(
        "ending",
        Box::new(|reply| Ending { task: own() }.next(reply)),
    )]
}

fn short_waits() -> Vec<(&'static str, ShortWaitReply<&'static str, &'static str>)> {
    let news = news().map(|(name, news)| (name, ShortWaitReply::Task(news)));
    let time = [("time is up", ShortWaitReply::TimeIsUp)];
    news.into_iter().chain(time).collect()
}

fn callers() -> Steps<CallReply<&'static str, &'static str>, C> {
    vec![("calling", Box::new(|reply| Calling.next(reply)))]
}

fn calls() -> Vec<(&'static str, CallReply<&'static str, &'static str>)> {
    let replies = [
        ("returned", CallReply::Returned("result")),
        ("call refused", CallReply::Refused("refused")),
        ("call lost", CallReply::Lost("lost")),
    ];
    let interrupted = interrupts().map(|(name, one)| (name, CallReply::Interrupted(one)));
    replies.into_iter().chain(interrupted).collect()
}

/// A question by its id, a task by its name.
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

/// Calls `told` for each state with each reply it can have, with their names and what follows.
fn each_pair<R: Clone, N>(
    steps: Steps<R, N>,
    replies: &[(&'static str, R)],
    told: &mut impl FnMut(&'static str, &'static str, N),
) {
    for (state_name, next) in steps {
        for (reply_name, reply) in replies {
            told(state_name, reply_name, next(reply.clone()));
        }
    }
}

fn each_task_pair(mut told: impl FnMut(&'static str, &'static str, S)) {
    each_pair(readers(), &readings(), &mut told);
    each_pair(deciders(), &decides(), &mut told);
    each_pair(midway_deciders(), &midways(), &mut told);
    each_pair(answerers(), &answers(), &mut told);
    each_pair(starters(), &starts(), &mut told);
    each_pair(waiters(), &waits(), &mut told);
    each_pair(cancellers(), &cancels(), &mut told);
    each_pair(enders(), &short_waits(), &mut told);
}

fn each_call_pair(mut told: impl FnMut(&'static str, &'static str, C)) {
    each_pair(callers(), &calls(), &mut told);
    each_pair(checkers(), &readings(), &mut told);
}

/// One line for each state and reply.
fn table() -> String {
    let mut table = String::new();
    let mut last = "";
    let mut line = |state: &'static str, reply: &str, next: String| {
        if state != last {
            last = state;
            writeln!(table, "{state}").unwrap();
        }
        writeln!(table, "  {reply}: {}", short(next)).unwrap();
    };
    each_task_pair(|state, reply, next| {
        line(
            state,
            reply,
            match next {
                State::Over(outcome) => format!("{outcome:?}"),
                State::Preparing(_) => "Preparing".to_owned(),
                State::Deciding(step) => format!("{step:?}"),
                State::DecidingMidway(step) => format!("{step:?}"),
                State::Answering(step) => format!("{step:?}"),
                State::Rechecking(step) => format!("{step:?}"),
                State::Starting(step) => format!("{step:?}"),
                State::Searching(step) => format!("{step:?}"),
                State::Waiting(step) => format!("{step:?}"),
                State::Cancelling(step) => format!("{step:?}"),
                State::CancellingForCaller(step) => format!("{step:?}"),
                State::Ending(step) => format!("{step:?}"),
                State::Verifying(step) => format!("{step:?}"),
            },
        );
    });
    each_call_pair(|state, reply, next| {
        line(
            state,
            reply,
            match next {
                CallState::Over(outcome) => format!("{outcome:?}"),
                CallState::Calling(step) => format!("{step:?}"),
                CallState::Checking(step) => format!("{step:?}"),
            },
        );
    });
    table
}

#[test]
fn every_state_with_every_reply() {
    let expected = include_str!("table.txt");
    let table = table();
    for (line, (is, should_be)) in table.lines().zip(expected.lines()).enumerate() {
        assert_eq!(is, should_be, "line {}", line + 1);
    }
    assert_eq!(table.lines().count(), expected.lines().count());
}

#[test]
fn an_effect_that_cannot_be_seen_is_never_taken_for_done() {
    for (state, next) in readers() {
        let reply = reading(false, None, &[], Effect::Unknown);
        let next = next(reply);
        assert!(
            !matches!(next, State::Over(Outcome::Done(_))),
            "{state}: {next:?}"
        );
    }
}

#[test]
fn nothing_is_started_but_after_a_reading() {
    let mut starts = Vec::new();
    each_task_pair(|state, reply, next| {
        if matches!(next, State::Starting(_)) {
            starts.push((state, reply));
        }
    });
    // In the second state somebody else answered a question that blocked nothing.
    let ready = ["read, ready", "read, new task", "read, nothing to see"];
    let expected = ["preparing", "rechecking a refused answer, nothing blocked"]
        .map(|state| ready.map(|reply| (state, reply)));
    assert_eq!(starts, expected.concat());
}

#[test]
fn a_call_is_sent_once() {
    each_call_pair(|state, reply, next| {
        assert!(!matches!(next, CallState::Calling(_)), "{state}, {reply}");
    });
}
