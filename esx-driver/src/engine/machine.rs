//! What to do next: pure transitions from a state and an event to a state and an action.
//!
//! The rules are libvirt's, in this order. Before anything is started the domain is read. A question is put to the
//! policy: reported, or answered, in which case a task that it blocked is waited for and nothing else is started.
//! Another task that is not over is in the way, and so is another power state than the call wants. Only then is the task
//! started and awaited, and questions that come up meanwhile are answered, or reported after the task was cancelled.
//!
//! Nothing here has a default arm: an event that cannot come in a state is named among the [impossible](Action::Impossible)
//! ones of that state.

use vi_types::{ManagedObjectReference, enums::VirtualMachinePowerState};

use crate::question::{Decision, Question, Refusal};

/// What a call wants of a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Goal {
    /// The power state it starts from.
    pub(crate) from: VirtualMachinePowerState,
    /// The power state it leads to, if that shows that it was done.
    pub(crate) to: Option<VirtualMachinePowerState>,
}

/// A domain as the server shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Look {
    pub(crate) power: VirtualMachinePowerState,
    pub(crate) question: Option<Question>,
    /// Its recent tasks, the newest first.
    pub(crate) tasks: Vec<Seen>,
}

/// A task of a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) task: ManagedObjectReference,
    /// Whether it is queued or runs.
    pub(crate) is_pending: bool,
    /// Whether it is what the call would start.
    pub(crate) is_alike: bool,
}

/// A task that is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Job {
    pub(crate) task: ManagedObjectReference,
    /// Whether this call started it; else it was there before, and a question of it was answered.
    pub(crate) is_own: bool,
}

/// When a question was met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Moment {
    /// Before anything was started; there may be a task that it blocks.
    Before(Option<ManagedObjectReference>),
    /// While a task was waited for.
    During(Job),
}

/// What is under way. `E` is an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State<E> {
    /// The domain is read, before anything else.
    Preparing,
    /// A question is with the policy.
    Deciding(Moment, Question),
    /// An answer, by its key, is with the server.
    Answering(Moment, Question, String),
    /// An answer failed: the domain is read to see whether somebody else's did not.
    Doubting(Moment, Question, Doubt<E>),
    /// The call that starts the task is with the server; these tasks were there before.
    Starting(Vec<ManagedObjectReference>),
    /// The answer to that call was lost: the domain is read, not for the first time, to see what came of it.
    Searching(Vec<ManagedObjectReference>, u32, E),
    /// A task is waited for.
    Waiting(Job),
    /// The call that cancels a task is with the server.
    Cancelling(Job, Reason<E>),
    /// A task that the caller had cancelled is waited for, but not for long.
    Ending(Job),
    /// The domain is read to see what a task did that nobody can ask any more, or that another one started.
    Verifying(Job, Verdict<E>),
    /// Nothing.
    Over,
}

/// What went wrong with an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Doubt<E> {
    /// The server refused it.
    Refused(E),
    /// Whether the server got it, the key of a choice, is not known.
    Lost(E, String),
}

/// Why a task is cancelled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reason<E> {
    /// Its question is not answered.
    Question(Question, Refusal),
    /// Its question could not be answered.
    Answer(Question, E),
    /// The caller wants it.
    Caller,
}

/// How a task ended before the domain is read again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict<E> {
    Succeeded,
    Failed(E),
    /// Nobody knows.
    Vanished,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event<E> {
    /// The domain was read.
    Looked(Look),
    LookFailed(E),
    /// The policy has spoken.
    Decided(Decision),
    Answered,
    /// The server did not take the answer.
    AnswerRefused(E),
    /// There was no reply to the answer.
    AnswerLost(E),
    Started(ManagedObjectReference),
    /// Nothing was started.
    StartRefused(E),
    /// There was no reply to the call that starts the task.
    StartLost(E),
    /// The domain asks something.
    Asked(Question),
    /// The question is not there any more.
    Unasked,
    /// The task is over.
    Succeeded,
    /// The task is over.
    Failed(E),
    /// The server does not know the task any more.
    Vanished,
    /// The task cannot be watched.
    Unwatched(E),
    /// The server was asked to cancel the task.
    Cancelled,
    /// The task is one of those that cannot be cancelled.
    NotCancelable,
    CancelFailed(E),
    /// The caller wants the task cancelled.
    CallerCancels,
    /// The caller does not want to wait any longer.
    TimeIsUp,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action<E> {
    /// Read the domain.
    Look,
    /// Read it after a pause.
    LookLater,
    /// Put a question to the policy, while a task may go on.
    Decide(Question),
    /// Answer the question of that id with the choice of that key.
    Answer(String, String),
    /// Start the task.
    Start,
    /// Wait for something of the task.
    Wait(Job),
    /// Wait, but not for long.
    WaitShortly(Job),
    /// Ask the server to cancel the task.
    Cancel(Job),
    /// That is all.
    End(Outcome<E>),
    /// Such an event cannot come in such a state.
    Impossible,
}

/// How a call ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome<E> {
    Done,
    /// A question is not answered.
    Blocked(Question, Refusal, Fate<E>),
    /// A question could not be answered.
    Unanswered(Question, E, Fate<E>),
    /// Another task is not over.
    OtherTask,
    /// The domain is in a power state that the call cannot start from.
    WrongState,
    /// The domain could not be read; nothing was started.
    Unread(E),
    /// The server did not start the task.
    Refused(E),
    /// The task failed.
    Failed(E),
    /// Whether the server started the task is not known, and it is not started again.
    InDoubt(E),
    /// Another task was unblocked, and the requested one not started; the error is how the other one ended.
    NotStarted(Option<E>),
    /// What came of a task is not known.
    Vanished(Job),
    /// The task cannot be watched; it goes on.
    Unwatched(Job, E),
    /// The time was up; the task, if there is one, goes on.
    TimedOut(Option<Job>),
    /// The caller wanted it cancelled.
    Cancelled(Stop<E>),
}

/// What becomes of a task whose question is not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fate<E> {
    /// It is not this call's, or there is none.
    NotOurs,
    /// The server was asked to cancel it.
    Cancelled,
    /// It cannot be cancelled, and waits.
    NotCancelable,
    /// It could not be cancelled, and waits.
    CancelFailed(E),
}

/// What came of the caller's wish to cancel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stop<E> {
    /// Nothing had been started.
    NotStarted,
    /// The task was not this call's, and goes on.
    NotOurs,
    /// The task ended with this.
    Ended(E),
    /// The task was faster, and succeeded.
    TooLate,
    /// The server was asked, but the task is not over yet.
    Asked,
    /// The task cannot be cancelled, and goes on.
    NotCancelable,
    /// The server did not cancel it, and it goes on.
    Failed(E),
}

/// How often the domain is read in search of a task that may have been started.
const SEARCHES: u32 = 3;

impl Goal {
    fn is_reached(&self, look: &Look) -> bool {
        self.to.as_ref() == Some(&look.power)
    }
}

/// The first action of a call.
pub(crate) fn begin<E>() -> (State<E>, Action<E>) {
    (State::Preparing, Action::Look)
}

/// The first action of a call whose domain needs no reading before its task.
pub(crate) fn start<E>() -> (State<E>, Action<E>) {
    (State::Starting(Vec::new()), Action::Start)
}

/// What follows from an event.
pub(crate) fn next<E>(goal: &Goal, state: State<E>, event: Event<E>) -> (State<E>, Action<E>) {
    use Event as On;
    match (state, event) {
        (State::Preparing, On::Looked(look)) => prepare(goal, look),
        (State::Preparing, On::LookFailed(error)) => end(Outcome::Unread(error)),
        (State::Preparing, On::CallerCancels) => end(Outcome::Cancelled(Stop::NotStarted)),
        (State::Preparing, On::TimeIsUp) => end(Outcome::TimedOut(None)),
        (
            State::Preparing,
            On::Decided(_)
            | On::Answered
            | On::AnswerRefused(_)
            | On::AnswerLost(_)
            | On::Started(_)
            | On::StartRefused(_)
            | On::StartLost(_)
            | On::Asked(_)
            | On::Unasked
            | On::Succeeded
            | On::Failed(_)
            | On::Vanished
            | On::Unwatched(_)
            | On::Cancelled
            | On::NotCancelable
            | On::CancelFailed(_),
        ) => impossible(),

        (State::Deciding(moment, question), On::Decided(Decision::Answer(key))) => {
            let action = Action::Answer(question.id.clone(), key.clone());
            (State::Answering(moment, question, key), action)
        }
        (State::Deciding(moment, question), On::Decided(Decision::Report(refusal))) => {
            give_up(moment, Reason::Question(question, refusal))
        }
        // While the policy thinks, somebody else may answer.
        (State::Deciding(Moment::During(job), _), On::Asked(question)) => ask(job, question),
        (State::Deciding(Moment::During(job), _), On::Unasked) => wait(job),
        (State::Deciding(Moment::During(job), _), On::Succeeded) => succeeded(job),
        (State::Deciding(Moment::During(job), _), On::Failed(error)) => failed(job, error),
        (State::Deciding(Moment::During(job), _), On::Vanished) => vanished(job),
        (State::Deciding(Moment::During(job), _), On::Unwatched(error)) => {
            end(Outcome::Unwatched(job, error))
        }
        (State::Deciding(moment, _), On::CallerCancels) => cancel(moment),
        (State::Deciding(moment, _), On::TimeIsUp) => end(Outcome::TimedOut(moment.job())),
        (
            State::Deciding(Moment::Before(_), _),
            On::Asked(_)
            | On::Unasked
            | On::Succeeded
            | On::Failed(_)
            | On::Vanished
            | On::Unwatched(_),
        )
        | (
            State::Deciding(..),
            On::Looked(_)
            | On::LookFailed(_)
            | On::Answered
            | On::AnswerRefused(_)
            | On::AnswerLost(_)
            | On::Started(_)
            | On::StartRefused(_)
            | On::StartLost(_)
            | On::Cancelled
            | On::NotCancelable
            | On::CancelFailed(_),
        ) => impossible(),

        (State::Answering(Moment::During(job), ..), On::Answered) => wait(job),
        (State::Answering(Moment::Before(Some(task)), ..), On::Answered) => wait(Job {
            task,
            is_own: false,
        }),
        // Nothing was blocked: the call goes on from the beginning.
        (State::Answering(Moment::Before(None), ..), On::Answered) => {
            (State::Preparing, Action::Look)
        }
        (State::Answering(moment, question, _), On::AnswerRefused(error)) => {
            let state = State::Doubting(moment, question, Doubt::Refused(error));
            (state, Action::Look)
        }
        (State::Answering(moment, question, key), On::AnswerLost(error)) => {
            let state = State::Doubting(moment, question, Doubt::Lost(error, key));
            (state, Action::LookLater)
        }
        (
            State::Answering(..),
            On::Looked(_)
            | On::LookFailed(_)
            | On::Decided(_)
            | On::Started(_)
            | On::StartRefused(_)
            | On::StartLost(_)
            | On::Asked(_)
            | On::Unasked
            | On::Succeeded
            | On::Failed(_)
            | On::Vanished
            | On::Unwatched(_)
            | On::Cancelled
            | On::NotCancelable
            | On::CancelFailed(_)
            | On::CallerCancels
            | On::TimeIsUp,
        ) => impossible(),

        (State::Doubting(moment, question, doubt), On::Looked(look)) => {
            reconsider(goal, moment, question, doubt, look)
        }
        (State::Doubting(moment, question, doubt), On::LookFailed(_)) => {
            give_up(moment, Reason::Answer(question, doubt.into_error()))
        }
        (State::Doubting(moment, ..), On::CallerCancels) => cancel(moment),
        (State::Doubting(moment, ..), On::TimeIsUp) => end(Outcome::TimedOut(moment.job())),
        (
            State::Doubting(..),
            On::Decided(_)
            | On::Answered
            | On::AnswerRefused(_)
            | On::AnswerLost(_)
            | On::Started(_)
            | On::StartRefused(_)
            | On::StartLost(_)
            | On::Asked(_)
            | On::Unasked
            | On::Succeeded
            | On::Failed(_)
            | On::Vanished
            | On::Unwatched(_)
            | On::Cancelled
            | On::NotCancelable
            | On::CancelFailed(_),
        ) => impossible(),

        (State::Starting(_), On::Started(task)) => wait(Job { task, is_own: true }),
        (State::Starting(_), On::StartRefused(error)) => end(Outcome::Refused(error)),
        (State::Starting(known), On::StartLost(error)) => {
            (State::Searching(known, 1, error), Action::LookLater)
        }
        (
            State::Starting(_),
            On::Looked(_)
            | On::LookFailed(_)
            | On::Decided(_)
            | On::Answered
            | On::AnswerRefused(_)
            | On::AnswerLost(_)
            | On::Asked(_)
            | On::Unasked
            | On::Succeeded
            | On::Failed(_)
            | On::Vanished
            | On::Unwatched(_)
            | On::Cancelled
            | On::NotCancelable
            | On::CancelFailed(_)
            | On::CallerCancels
            | On::TimeIsUp,
        ) => impossible(),

        (State::Searching(known, looks, error), On::Looked(look)) => {
            search(goal, known, looks, error, &look)
        }
        (State::Searching(_, _, error), On::LookFailed(_) | On::CallerCancels | On::TimeIsUp) => {
            end(Outcome::InDoubt(error))
        }
        (
            State::Searching(..),
            On::Decided(_)
            | On::Answered
            | On::AnswerRefused(_)
            | On::AnswerLost(_)
            | On::Started(_)
            | On::StartRefused(_)
            | On::StartLost(_)
            | On::Asked(_)
            | On::Unasked
            | On::Succeeded
            | On::Failed(_)
            | On::Vanished
            | On::Unwatched(_)
            | On::Cancelled
            | On::NotCancelable
            | On::CancelFailed(_),
        ) => impossible(),

        (State::Waiting(job), On::Asked(question)) => ask(job, question),
        (State::Waiting(job), On::Unasked) => wait(job),
        (State::Waiting(job), On::Succeeded) => succeeded(job),
        (State::Waiting(job), On::Failed(error)) => failed(job, error),
        (State::Waiting(job), On::Vanished) => vanished(job),
        (State::Waiting(job), On::Unwatched(error)) => end(Outcome::Unwatched(job, error)),
        (State::Waiting(job), On::CallerCancels) => cancel(Moment::During(job)),
        (State::Waiting(job), On::TimeIsUp) => end(Outcome::TimedOut(Some(job))),
        (
            State::Waiting(_),
            On::Looked(_)
            | On::LookFailed(_)
            | On::Decided(_)
            | On::Answered
            | On::AnswerRefused(_)
            | On::AnswerLost(_)
            | On::Started(_)
            | On::StartRefused(_)
            | On::StartLost(_)
            | On::Cancelled
            | On::NotCancelable
            | On::CancelFailed(_),
        ) => impossible(),

        (State::Cancelling(job, Reason::Caller), On::Cancelled) => {
            (State::Ending(job.clone()), Action::WaitShortly(job))
        }
        (State::Cancelling(_, Reason::Caller), On::NotCancelable) => {
            end(Outcome::Cancelled(Stop::NotCancelable))
        }
        (State::Cancelling(_, Reason::Caller), On::CancelFailed(error)) => {
            end(Outcome::Cancelled(Stop::Failed(error)))
        }
        (State::Cancelling(_, reason), On::Cancelled) => end(reason.outcome(Fate::Cancelled)),
        (State::Cancelling(_, reason), On::NotCancelable) => {
            end(reason.outcome(Fate::NotCancelable))
        }
        // The question goes before the reason why nothing can be done about it.
        (State::Cancelling(_, reason), On::CancelFailed(error)) => {
            end(reason.outcome(Fate::CancelFailed(error)))
        }
        (
            State::Cancelling(..),
            On::Looked(_)
            | On::LookFailed(_)
            | On::Decided(_)
            | On::Answered
            | On::AnswerRefused(_)
            | On::AnswerLost(_)
            | On::Started(_)
            | On::StartRefused(_)
            | On::StartLost(_)
            | On::Asked(_)
            | On::Unasked
            | On::Succeeded
            | On::Failed(_)
            | On::Vanished
            | On::Unwatched(_)
            | On::CallerCancels
            | On::TimeIsUp,
        ) => impossible(),

        (State::Ending(_), On::Succeeded) => end(Outcome::Cancelled(Stop::TooLate)),
        (State::Ending(_), On::Failed(error)) => end(Outcome::Cancelled(Stop::Ended(error))),
        (State::Ending(_), On::Asked(_) | On::Vanished | On::Unwatched(_) | On::TimeIsUp) => {
            end(Outcome::Cancelled(Stop::Asked))
        }
        (State::Ending(job), On::Unasked) => (State::Ending(job.clone()), Action::WaitShortly(job)),
        (
            State::Ending(_),
            On::Looked(_)
            | On::LookFailed(_)
            | On::Decided(_)
            | On::Answered
            | On::AnswerRefused(_)
            | On::AnswerLost(_)
            | On::Started(_)
            | On::StartRefused(_)
            | On::StartLost(_)
            | On::Cancelled
            | On::NotCancelable
            | On::CancelFailed(_)
            | On::CallerCancels,
        ) => impossible(),

        (State::Verifying(job, verdict), On::Looked(look)) => {
            end(verify(goal, job, verdict, &look))
        }
        (State::Verifying(job, verdict), On::LookFailed(_)) => end(verdict.unverified(job)),
        (State::Verifying(job, verdict), On::CallerCancels) => match job.is_own {
            true => end(verdict.unverified(job)),
            false => end(Outcome::Cancelled(Stop::NotOurs)),
        },
        (State::Verifying(job, _), On::TimeIsUp) => end(Outcome::TimedOut(Some(job))),
        (
            State::Verifying(..),
            On::Decided(_)
            | On::Answered
            | On::AnswerRefused(_)
            | On::AnswerLost(_)
            | On::Started(_)
            | On::StartRefused(_)
            | On::StartLost(_)
            | On::Asked(_)
            | On::Unasked
            | On::Succeeded
            | On::Failed(_)
            | On::Vanished
            | On::Unwatched(_)
            | On::Cancelled
            | On::NotCancelable
            | On::CancelFailed(_),
        ) => impossible(),

        (
            State::Over,
            On::Looked(_)
            | On::LookFailed(_)
            | On::Decided(_)
            | On::Answered
            | On::AnswerRefused(_)
            | On::AnswerLost(_)
            | On::Started(_)
            | On::StartRefused(_)
            | On::StartLost(_)
            | On::Asked(_)
            | On::Unasked
            | On::Succeeded
            | On::Failed(_)
            | On::Vanished
            | On::Unwatched(_)
            | On::Cancelled
            | On::NotCancelable
            | On::CancelFailed(_)
            | On::CallerCancels
            | On::TimeIsUp,
        ) => impossible(),
    }
}

impl Moment {
    fn job(self) -> Option<Job> {
        match self {
            Moment::Before(_) => None,
            Moment::During(job) => Some(job),
        }
    }
}

impl<E> Doubt<E> {
    fn into_error(self) -> E {
        match self {
            Doubt::Refused(error) | Doubt::Lost(error, _) => error,
        }
    }
}

impl<E> Reason<E> {
    fn outcome(self, fate: Fate<E>) -> Outcome<E> {
        match self {
            Reason::Question(question, refusal) => Outcome::Blocked(question, refusal, fate),
            Reason::Answer(question, error) => Outcome::Unanswered(question, error, fate),
            Reason::Caller => Outcome::Cancelled(Stop::Asked),
        }
    }
}

impl<E> Verdict<E> {
    /// What is known of a task when the domain does not show that it did what is wanted.
    fn unverified(self, job: Job) -> Outcome<E> {
        match (job.is_own, self) {
            (true, Verdict::Failed(error)) => Outcome::Failed(error),
            (true, Verdict::Succeeded | Verdict::Vanished) => Outcome::Vanished(job),
            (false, Verdict::Failed(error)) => Outcome::NotStarted(Some(error)),
            (false, Verdict::Succeeded | Verdict::Vanished) => Outcome::NotStarted(None),
        }
    }
}

fn end<E>(outcome: Outcome<E>) -> (State<E>, Action<E>) {
    (State::Over, Action::End(outcome))
}

fn impossible<E>() -> (State<E>, Action<E>) {
    (State::Over, Action::Impossible)
}

fn wait<E>(job: Job) -> (State<E>, Action<E>) {
    (State::Waiting(job.clone()), Action::Wait(job))
}

fn ask<E>(job: Job, question: Question) -> (State<E>, Action<E>) {
    let state = State::Deciding(Moment::During(job), question.clone());
    (state, Action::Decide(question))
}

/// From the first look to a question, an obstacle, or the start.
fn prepare<E>(goal: &Goal, look: Look) -> (State<E>, Action<E>) {
    let pending = look.tasks.iter().find(|seen| seen.is_pending);
    if let Some(question) = look.question {
        let blocked = pending.map(|seen| seen.task.clone());
        let state = State::Deciding(Moment::Before(blocked), question.clone());
        return (state, Action::Decide(question));
    }
    if pending.is_some() {
        return end(Outcome::OtherTask);
    }
    if look.power != goal.from {
        return end(Outcome::WrongState);
    }
    let known = look.tasks.into_iter().map(|seen| seen.task).collect();
    (State::Starting(known), Action::Start)
}

/// A question stays unanswered: a task of this call is cancelled.
fn give_up<E>(moment: Moment, reason: Reason<E>) -> (State<E>, Action<E>) {
    match moment {
        Moment::During(job) if job.is_own => {
            (State::Cancelling(job.clone(), reason), Action::Cancel(job))
        }
        Moment::During(_) | Moment::Before(_) => end(reason.outcome(Fate::NotOurs)),
    }
}

/// The caller does not want it any more.
fn cancel<E>(moment: Moment) -> (State<E>, Action<E>) {
    match moment {
        Moment::During(job) if job.is_own => {
            let state = State::Cancelling(job.clone(), Reason::Caller);
            (state, Action::Cancel(job))
        }
        Moment::During(_) => end(Outcome::Cancelled(Stop::NotOurs)),
        Moment::Before(_) => end(Outcome::Cancelled(Stop::NotStarted)),
    }
}

/// An answer failed, and this is how the domain is.
fn reconsider<E>(
    goal: &Goal,
    moment: Moment,
    question: Question,
    doubt: Doubt<E>,
    look: Look,
) -> (State<E>, Action<E>) {
    let asked = look.question.as_ref().map(|question| &question.id);
    let is_still_asked = asked == Some(&question.id);
    match (is_still_asked, moment, doubt) {
        // Somebody answered: whatever else is asked now is met like any question.
        (false, Moment::During(job), _) => wait(job),
        (false, Moment::Before(Some(task)), _) => wait(Job {
            task,
            is_own: false,
        }),
        (false, Moment::Before(None), _) => prepare(goal, look),
        // A question is answered once only, whoever gets it twice.
        (true, moment, Doubt::Lost(_, key)) => {
            let action = Action::Answer(question.id.clone(), key.clone());
            (State::Answering(moment, question, key), action)
        }
        (true, moment, Doubt::Refused(error)) => give_up(moment, Reason::Answer(question, error)),
    }
}

/// The answer to the start was lost, and this is how the domain is.
fn search<E>(
    goal: &Goal,
    known: Vec<ManagedObjectReference>,
    looks: u32,
    error: E,
    look: &Look,
) -> (State<E>, Action<E>) {
    let is_new = |seen: &&Seen| seen.is_alike && !known.contains(&seen.task);
    if let Some(seen) = look.tasks.iter().find(is_new) {
        return wait(Job {
            task: seen.task.clone(),
            is_own: true,
        });
    }
    if goal.is_reached(look) {
        return end(Outcome::Done);
    }
    if looks < SEARCHES {
        return (State::Searching(known, looks + 1, error), Action::LookLater);
    }
    end(Outcome::InDoubt(error))
}

fn succeeded<E>(job: Job) -> (State<E>, Action<E>) {
    if job.is_own {
        return end(Outcome::Done);
    }
    (State::Verifying(job, Verdict::Succeeded), Action::Look)
}

fn failed<E>(job: Job, error: E) -> (State<E>, Action<E>) {
    if job.is_own {
        return end(Outcome::Failed(error));
    }
    (State::Verifying(job, Verdict::Failed(error)), Action::Look)
}

fn vanished<E>(job: Job) -> (State<E>, Action<E>) {
    (State::Verifying(job, Verdict::Vanished), Action::Look)
}

fn verify<E>(goal: &Goal, job: Job, verdict: Verdict<E>, look: &Look) -> Outcome<E> {
    if goal.is_reached(look) {
        return Outcome::Done;
    }
    verdict.unverified(job)
}

#[cfg(test)]
mod tests;
