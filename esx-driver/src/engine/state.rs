//! What an operation does next: pure transitions, without I/O.
//!
//! A [`State`] says what the runner has to do; each variant holds a struct whose `next` takes the replies that this very
//! step can have, and no others. So a pair of state and reply that cannot occur does not compile.
//!
//! The rules are libvirt's (`esxVI_LookupVirtualMachineByUuidAndPrepareForTask` and `esxVI_WaitForTaskCompletion` of
//! esx_vi.c, 9.0.0), in this order. Before a task of a virtual machine is started, the machine is read. Its question goes
//! to the policy: it is reported, or it is answered, and then the task that it blocked is awaited and nothing else is
//! started. Another task that is not over is in the way, and so is a power state that the operation cannot start from.
//! Only then is the task started and awaited. Questions that come up meanwhile are answered, or reported after the task
//! was cancelled. A task without a machine is started at once, and so is a call that starts no task.

use vi_types::ManagedObjectReference;

use crate::policy::{Decision, Refusal};
use crate::question::Question;

/// What is to be done next for a call that starts a task. `E` is an error, `T` what the operation returns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State<E, T> {
    /// Read the machine.
    Preparing(Preparing),
    /// Put the question to the policy; nothing of this operation has started.
    Deciding(Deciding),
    /// Put the question to the policy while the task that asks goes on.
    DecidingMidway(DecidingMidway),
    /// Send the answer.
    Answering(Answering),
    /// Read the machine: an answer failed, and perhaps the one of somebody else did not.
    Rechecking(Rechecking<E>),
    /// Send the call that starts the task.
    Starting(Starting),
    /// Read the machine after a pause: there was no reply to that call.
    Searching(Searching<E>),
    /// Wait for the task.
    Waiting(Waiting),
    /// Ask the server to cancel the task: its question is not answered.
    Cancelling(Cancelling<E>),
    /// Ask the server to cancel the task: the caller wants it.
    CancellingForCaller(CancellingForCaller),
    /// Wait for a task whose cancellation the caller wanted, but not for long.
    Ending(Ending),
    /// Read what came of a task that cannot tell: the server has forgotten it, it cannot be watched, or somebody else
    /// started it.
    Verifying(Verifying<E>),
    /// Nothing more.
    Over(Outcome<E, T>),
}

/// What is to be done next for a call that starts no task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CallState<E, T> {
    /// Send the call.
    Calling(Calling),
    /// Read, after a pause, what came of the call: there was no reply.
    Checking(Checking<E>),
    /// Nothing more.
    Over(Outcome<E, T>),
}

/// A task that is awaited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AwaitedTask {
    pub(crate) task: ManagedObjectReference,
    /// Whether this operation started it. If not, it was there before, and its question was answered.
    pub(crate) is_own: bool,
}

/// How far an operation was when it met a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Nothing was started; the question may block this task, which was there before.
    Before(Option<ManagedObjectReference>),
    /// A task was awaited.
    Midway(AwaitedTask),
}

/// See [`State::Preparing`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Preparing;

/// See [`State::Deciding`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Deciding {
    pub(crate) question: Question,
    /// The task that the question may block.
    pub(crate) blocked: Option<ManagedObjectReference>,
}

/// See [`State::DecidingMidway`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DecidingMidway {
    pub(crate) question: Question,
    pub(crate) task: AwaitedTask,
}

/// See [`State::Answering`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answering {
    pub(crate) question: Question,
    /// The key of the choice.
    pub(crate) key: String,
    pub(crate) stage: Stage,
}

/// See [`State::Rechecking`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rechecking<E> {
    pub(crate) question: Question,
    pub(crate) failure: AnswerFailure<E>,
    pub(crate) stage: Stage,
}

/// Why an answer failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AnswerFailure<E> {
    /// The server refused it.
    Refused(E),
    /// There was no reply; this was the key of the choice.
    Lost(E, String),
}

/// See [`State::Starting`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Starting {
    /// The tasks that were there before.
    pub(crate) known: Vec<ManagedObjectReference>,
}

/// See [`State::Searching`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Searching<E> {
    /// The tasks that were there before.
    pub(crate) known: Vec<ManagedObjectReference>,
    /// Which search this is, counted from 1.
    pub(crate) attempt: u32,
    /// Why there was no reply.
    pub(crate) error: E,
}

/// See [`State::Waiting`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub(crate) task: AwaitedTask,
}

/// See [`State::Cancelling`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cancelling<E> {
    pub(crate) task: AwaitedTask,
    pub(crate) reason: CancelReason<E>,
}

/// Why a task is cancelled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CancelReason<E> {
    /// The policy does not answer its question.
    Unanswered(Question, Refusal),
    /// The server did not take the answer to its question.
    AnswerFailed(Question, E),
}

/// See [`State::CancellingForCaller`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CancellingForCaller {
    pub(crate) task: AwaitedTask,
}

/// See [`State::Ending`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ending {
    pub(crate) task: AwaitedTask,
}

/// See [`State::Verifying`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verifying<E> {
    pub(crate) task: AwaitedTask,
    pub(crate) end: TaskEnd<E>,
}

/// What is known of the end of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TaskEnd<E> {
    Succeeded,
    Failed(E),
    /// The server has forgotten it.
    Unknown,
    /// It cannot be watched.
    Unwatched(E),
}

/// See [`CallState::Calling`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Calling;

/// See [`CallState::Checking`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checking<E> {
    /// Which check this is, counted from 1.
    pub(crate) attempt: u32,
    /// Why there was no reply.
    pub(crate) error: E,
}

/// What the server shows of the operation's object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reading<T> {
    pub(crate) question: Option<Question>,
    /// The machine's recent tasks, the newest first.
    pub(crate) tasks: Vec<RecentTask>,
    /// Whether the machine is in a power state that the operation can start from.
    pub(crate) is_ready: bool,
    pub(crate) effect: Effect<T>,
}

/// A task of a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RecentTask {
    pub(crate) task: ManagedObjectReference,
    /// Whether it is queued or runs.
    pub(crate) is_pending: bool,
    /// Whether its method is the one that the operation calls.
    pub(crate) is_alike: bool,
}

/// Whether the server shows the effect of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect<T> {
    /// It is done, and this is what it returns.
    Done(T),
    /// It is not done.
    NotDone,
    /// That cannot be seen.
    Unknown,
}

/// The caller does not want to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interrupt {
    /// The future of `cancelled_by` has ended.
    CallerCancels,
    /// The deadline has passed.
    TimeIsUp,
}

/// The reply to reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ReadReply<E, T> {
    Read(Reading<T>),
    Failed(E),
    Interrupted(Interrupt),
}

/// The reply of the policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DecideReply {
    Decided(Decision),
    Interrupted(Interrupt),
}

/// The reply of the policy, or what happens to the task meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum MidwayReply<E, T> {
    Decided(Decision),
    Task(TaskNews<E, T>),
    Interrupted(Interrupt),
}

/// The reply to an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AnswerReply<E> {
    Answered,
    /// The server did not take it.
    Refused(E),
    /// There was no reply.
    Lost(E),
    /// There was none so far.
    Interrupted(Interrupt),
}

/// The reply to the call that starts a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StartReply<E> {
    Started(ManagedObjectReference),
    /// The server did not start it.
    Refused(E),
    /// There was no reply.
    Lost(E),
    /// There was none so far, and nobody else could name the task.
    Interrupted(Interrupt),
}

/// What ends a wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum WaitReply<E, T> {
    Task(TaskNews<E, T>),
    Interrupted(Interrupt),
}

/// What ends a short wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ShortWaitReply<E, T> {
    Task(TaskNews<E, T>),
    TimeIsUp,
}

/// What happens to a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TaskNews<E, T> {
    /// Its machine asks something.
    Asked(Question),
    /// The question is not there any more.
    Unasked,
    /// It is over, with this result.
    Succeeded(T),
    /// It is over.
    Failed(E),
    /// The server has forgotten it.
    Vanished,
    /// It cannot be watched.
    Unwatched(E),
}

/// The reply to the request to cancel a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CancelReply<E> {
    /// The server has got the request.
    Requested,
    /// The task is one of those that cannot be cancelled.
    NotCancelable,
    Failed(E),
}

/// The reply to a call that starts no task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CallReply<E, T> {
    Returned(T),
    /// The server did not do it.
    Refused(E),
    /// There was no reply.
    Lost(E),
    Interrupted(Interrupt),
}

/// How an operation ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome<E, T> {
    /// The task succeeded with this result, the call returned it, or the server shows that it is done.
    Done(T),
    /// A question is not answered.
    Blocked(Question, Refusal, BlockedTask<E>),
    /// A question could not be answered.
    AnswerFailed(Question, E, BlockedTask<E>),
    /// Another task is not over.
    OtherTask,
    /// The machine is in a power state that the operation cannot start from.
    WrongState,
    /// The machine could not be read; nothing was started.
    Unread(E),
    /// The server did not start the task, or did not run the call.
    Refused(E),
    /// The task failed.
    Failed(E),
    /// There was no reply, and the server shows that nothing was done.
    NotDone(E),
    /// There was no reply, and whether the server did it is not known.
    InDoubt(E),
    /// Another task was unblocked, and the requested one not started; the error is how the other one ended.
    NotStarted(Option<E>),
    /// The server has forgotten the task, and what came of it is not known.
    Vanished(AwaitedTask),
    /// The task cannot be watched, and the server does not show that it is done; it goes on.
    Unwatched(AwaitedTask, E),
    /// The deadline has passed.
    TimedOut(Underway),
    /// The caller wanted it cancelled.
    Cancelled(Cancelled<E>),
}

/// What is under way when the deadline passes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Underway {
    Nothing,
    /// The task goes on.
    Task(AwaitedTask),
    /// A call, of which nobody knows whether the server runs it.
    Call,
}

/// What was done about a task whose question is not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BlockedTask<E> {
    /// Nothing: it is not this operation's, or there is none.
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
pub(crate) enum Cancelled<E> {
    /// Nothing had been started.
    NotStarted,
    /// The task was not this operation's, and goes on.
    NotOurs,
    /// The task ended with this error.
    Ended(E),
    /// The task was faster, and succeeded.
    TooLate,
    /// The server was asked, but the task is not over yet.
    Requested,
    /// The task cannot be cancelled, and goes on.
    NotCancelable,
    /// The server did not cancel it, and it goes on.
    Failed(E),
    /// A call was under way, of which nobody knows whether the server runs it.
    Calling,
}

/// How often the server is read in search of the effect of a call that got no reply.
const SEARCHES: u32 = 3;

impl<E, T> State<E, T> {
    /// The first step of a task of a machine.
    pub(crate) fn begin() -> State<E, T> {
        State::Preparing(Preparing)
    }

    /// The first step of a task without a machine, whose other tasks are not known.
    pub(crate) fn start() -> State<E, T> {
        State::Starting(Starting { known: Vec::new() })
    }

    /// The name, for traces.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            State::Preparing(_) => "preparing",
            State::Deciding(_) => "deciding",
            State::DecidingMidway(_) => "deciding midway",
            State::Answering(_) => "answering",
            State::Rechecking(_) => "rechecking",
            State::Starting(_) => "starting",
            State::Searching(_) => "searching",
            State::Waiting(_) => "waiting",
            State::Cancelling(_) => "cancelling",
            State::CancellingForCaller(_) => "cancelling for the caller",
            State::Ending(_) => "ending",
            State::Verifying(_) => "verifying",
            State::Over(_) => "over",
        }
    }
}

impl<T> Effect<T> {
    pub(crate) fn map<V>(self, seen: impl FnOnce(T) -> V) -> Effect<V> {
        match self {
            Effect::Done(value) => Effect::Done(seen(value)),
            Effect::NotDone => Effect::NotDone,
            Effect::Unknown => Effect::Unknown,
        }
    }
}

impl Preparing {
    pub(crate) fn next<E, T>(self, reply: ReadReply<E, T>) -> State<E, T> {
        match reply {
            ReadReply::Read(reading) => prepare(reading),
            ReadReply::Failed(error) => State::Over(Outcome::Unread(error)),
            ReadReply::Interrupted(interrupt) => interrupted(interrupt, Stage::Before(None)),
        }
    }
}

impl Deciding {
    pub(crate) fn next<E, T>(self, reply: DecideReply) -> State<E, T> {
        let stage = Stage::Before(self.blocked);
        match reply {
            DecideReply::Decided(decision) => decided(self.question, decision, stage),
            DecideReply::Interrupted(interrupt) => interrupted(interrupt, stage),
        }
    }
}

impl DecidingMidway {
    pub(crate) fn next<E, T>(self, reply: MidwayReply<E, T>) -> State<E, T> {
        match reply {
            MidwayReply::Decided(decision) => {
                decided(self.question, decision, Stage::Midway(self.task))
            }
            // While the policy thinks, somebody else may answer.
            MidwayReply::Task(news) => heard(self.task, news),
            MidwayReply::Interrupted(interrupt) => interrupted(interrupt, Stage::Midway(self.task)),
        }
    }
}

impl Answering {
    pub(crate) fn next<E, T>(self, reply: AnswerReply<E>) -> State<E, T> {
        let (question, stage) = (self.question, self.stage);
        let failure = match reply {
            AnswerReply::Answered => {
                return match stage {
                    Stage::Midway(task) => wait(task),
                    Stage::Before(Some(task)) => wait_for_other(task),
                    // Nothing was blocked: the operation goes on from the beginning.
                    Stage::Before(None) => State::Preparing(Preparing),
                };
            }
            AnswerReply::Refused(error) => AnswerFailure::Refused(error),
            AnswerReply::Lost(error) => AnswerFailure::Lost(error, self.key),
            AnswerReply::Interrupted(interrupt) => return interrupted(interrupt, stage),
        };
        State::Rechecking(Rechecking {
            question,
            failure,
            stage,
        })
    }
}

impl<E> Rechecking<E> {
    pub(crate) fn next<T>(self, reply: ReadReply<E, T>) -> State<E, T> {
        let reading = match reply {
            ReadReply::Read(reading) => reading,
            ReadReply::Failed(_) => {
                return give_up(
                    self.stage,
                    CancelReason::AnswerFailed(self.question, self.failure.into_error()),
                );
            }
            ReadReply::Interrupted(interrupt) => return interrupted(interrupt, self.stage),
        };
        let asked = reading.question.as_ref().map(|question| &question.id);
        if asked != Some(&self.question.id) {
            // Somebody answered: whatever else is asked now is met like any question.
            return match self.stage {
                Stage::Midway(task) => wait(task),
                Stage::Before(Some(task)) => wait_for_other(task),
                Stage::Before(None) => prepare(reading),
            };
        }
        match self.failure {
            // The server takes one answer to a question, even if it gets it twice.
            AnswerFailure::Lost(_, key) => State::Answering(Answering {
                question: self.question,
                key,
                stage: self.stage,
            }),
            AnswerFailure::Refused(error) => {
                give_up(self.stage, CancelReason::AnswerFailed(self.question, error))
            }
        }
    }
}

impl<E> AnswerFailure<E> {
    fn into_error(self) -> E {
        match self {
            AnswerFailure::Refused(error) | AnswerFailure::Lost(error, _) => error,
        }
    }
}

impl Starting {
    pub(crate) fn next<E, T>(self, reply: StartReply<E>) -> State<E, T> {
        match reply {
            StartReply::Started(task) => wait(AwaitedTask { task, is_own: true }),
            StartReply::Refused(error) => State::Over(Outcome::Refused(error)),
            StartReply::Lost(error) => State::Searching(Searching {
                known: self.known,
                attempt: 1,
                error,
            }),
            StartReply::Interrupted(interrupt) => State::Over(unanswered(interrupt)),
        }
    }
}

impl<E> Searching<E> {
    pub(crate) fn next<T>(self, reply: ReadReply<E, T>) -> State<E, T> {
        let reading = match reply {
            ReadReply::Read(reading) => reading,
            ReadReply::Failed(_) | ReadReply::Interrupted(_) => {
                return State::Over(Outcome::InDoubt(self.error));
            }
        };
        let is_new = |recent: &&RecentTask| recent.is_alike && !self.known.contains(&recent.task);
        if let Some(recent) = reading.tasks.iter().find(is_new) {
            return wait(AwaitedTask {
                task: recent.task.clone(),
                is_own: true,
            });
        }
        match reading.effect {
            Effect::Done(value) => State::Over(Outcome::Done(value)),
            // The server may still begin the task, so the last search does not show that nothing was done.
            Effect::NotDone | Effect::Unknown if self.attempt < SEARCHES => {
                State::Searching(Searching {
                    attempt: self.attempt + 1,
                    ..self
                })
            }
            Effect::NotDone | Effect::Unknown => State::Over(Outcome::InDoubt(self.error)),
        }
    }
}

impl Waiting {
    pub(crate) fn next<E, T>(self, reply: WaitReply<E, T>) -> State<E, T> {
        match reply {
            WaitReply::Task(news) => heard(self.task, news),
            WaitReply::Interrupted(interrupt) => interrupted(interrupt, Stage::Midway(self.task)),
        }
    }
}

impl<E> Cancelling<E> {
    pub(crate) fn next<T>(self, reply: CancelReply<E>) -> State<E, T> {
        // The question goes before the reason why nothing can be done about it.
        State::Over(self.reason.outcome(match reply {
            CancelReply::Requested => BlockedTask::Cancelled,
            CancelReply::NotCancelable => BlockedTask::NotCancelable,
            CancelReply::Failed(error) => BlockedTask::CancelFailed(error),
        }))
    }
}

impl<E> CancelReason<E> {
    fn outcome<T>(self, task: BlockedTask<E>) -> Outcome<E, T> {
        match self {
            CancelReason::Unanswered(question, refusal) => {
                Outcome::Blocked(question, refusal, task)
            }
            CancelReason::AnswerFailed(question, error) => {
                Outcome::AnswerFailed(question, error, task)
            }
        }
    }
}

impl CancellingForCaller {
    pub(crate) fn next<E, T>(self, reply: CancelReply<E>) -> State<E, T> {
        State::Over(Outcome::Cancelled(match reply {
            CancelReply::Requested => return State::Ending(Ending { task: self.task }),
            CancelReply::NotCancelable => Cancelled::NotCancelable,
            CancelReply::Failed(error) => Cancelled::Failed(error),
        }))
    }
}

impl Ending {
    pub(crate) fn next<E, T>(self, reply: ShortWaitReply<E, T>) -> State<E, T> {
        let end = match reply {
            ShortWaitReply::Task(TaskNews::Unasked) => return State::Ending(self),
            ShortWaitReply::Task(TaskNews::Succeeded(_)) => Cancelled::TooLate,
            ShortWaitReply::Task(TaskNews::Failed(error)) => Cancelled::Ended(error),
            ShortWaitReply::Task(
                TaskNews::Asked(_) | TaskNews::Vanished | TaskNews::Unwatched(_),
            )
            | ShortWaitReply::TimeIsUp => Cancelled::Requested,
        };
        State::Over(Outcome::Cancelled(end))
    }
}

impl<E> Verifying<E> {
    pub(crate) fn next<T>(self, reply: ReadReply<E, T>) -> State<E, T> {
        State::Over(match reply {
            ReadReply::Read(Reading {
                effect: Effect::Done(value),
                ..
            }) => Outcome::Done(value),
            ReadReply::Read(_) | ReadReply::Failed(_) => self.unverified(),
            ReadReply::Interrupted(Interrupt::CallerCancels) if self.task.is_own => {
                self.unverified()
            }
            ReadReply::Interrupted(Interrupt::CallerCancels) => {
                Outcome::Cancelled(Cancelled::NotOurs)
            }
            ReadReply::Interrupted(Interrupt::TimeIsUp) => {
                Outcome::TimedOut(Underway::Task(self.task))
            }
        })
    }

    /// What is known of the task when the server does not show that it did what is wanted.
    fn unverified<T>(self) -> Outcome<E, T> {
        match (self.task.is_own, self.end) {
            (_, TaskEnd::Unwatched(error)) => Outcome::Unwatched(self.task, error),
            (true, TaskEnd::Failed(error)) => Outcome::Failed(error),
            (true, TaskEnd::Succeeded | TaskEnd::Unknown) => Outcome::Vanished(self.task),
            (false, TaskEnd::Failed(error)) => Outcome::NotStarted(Some(error)),
            (false, TaskEnd::Succeeded | TaskEnd::Unknown) => Outcome::NotStarted(None),
        }
    }
}

impl Calling {
    pub(crate) fn next<E, T>(self, reply: CallReply<E, T>) -> CallState<E, T> {
        CallState::Over(match reply {
            CallReply::Returned(value) => Outcome::Done(value),
            CallReply::Refused(error) => Outcome::Refused(error),
            CallReply::Lost(error) => return CallState::Checking(Checking { attempt: 1, error }),
            CallReply::Interrupted(interrupt) => unanswered(interrupt),
        })
    }
}

impl<E> Checking<E> {
    pub(crate) fn next<T>(self, reply: ReadReply<E, T>) -> CallState<E, T> {
        let reading = match reply {
            ReadReply::Read(reading) => reading,
            ReadReply::Failed(_) | ReadReply::Interrupted(_) => {
                return CallState::Over(Outcome::InDoubt(self.error));
            }
        };
        match reading.effect {
            Effect::Done(value) => CallState::Over(Outcome::Done(value)),
            Effect::NotDone | Effect::Unknown if self.attempt < SEARCHES => {
                CallState::Checking(Checking {
                    attempt: self.attempt + 1,
                    ..self
                })
            }
            // A server runs such a call when it gets it, unlike a task that it may queue.
            Effect::NotDone => CallState::Over(Outcome::NotDone(self.error)),
            Effect::Unknown => CallState::Over(Outcome::InDoubt(self.error)),
        }
    }
}

fn wait<E, T>(task: AwaitedTask) -> State<E, T> {
    State::Waiting(Waiting { task })
}

fn wait_for_other<E, T>(task: ManagedObjectReference) -> State<E, T> {
    wait(AwaitedTask {
        task,
        is_own: false,
    })
}

/// From the first reading to a question, an obstacle, or the start.
fn prepare<E, T>(reading: Reading<T>) -> State<E, T> {
    let pending = reading.tasks.iter().find(|recent| recent.is_pending);
    if let Some(question) = reading.question {
        let blocked = pending.map(|recent| recent.task.clone());
        return State::Deciding(Deciding { question, blocked });
    }
    if pending.is_some() {
        return State::Over(Outcome::OtherTask);
    }
    if !reading.is_ready {
        return State::Over(Outcome::WrongState);
    }
    let known = reading
        .tasks
        .into_iter()
        .map(|recent| recent.task)
        .collect();
    State::Starting(Starting { known })
}

/// The policy has decided.
fn decided<E, T>(question: Question, decision: Decision, stage: Stage) -> State<E, T> {
    match decision {
        Decision::Answer(key) => State::Answering(Answering {
            question,
            key,
            stage,
        }),
        Decision::Report(refusal) => give_up(stage, CancelReason::Unanswered(question, refusal)),
    }
}

/// A question stays unanswered: a task of this operation is cancelled.
fn give_up<E, T>(stage: Stage, reason: CancelReason<E>) -> State<E, T> {
    match stage {
        Stage::Midway(task) if task.is_own => State::Cancelling(Cancelling { task, reason }),
        Stage::Midway(_) | Stage::Before(_) => State::Over(reason.outcome(BlockedTask::NotOurs)),
    }
}

/// The caller does not want to go on.
fn interrupted<E, T>(interrupt: Interrupt, stage: Stage) -> State<E, T> {
    let outcome = match (interrupt, stage) {
        (Interrupt::CallerCancels, Stage::Midway(task)) if task.is_own => {
            return State::CancellingForCaller(CancellingForCaller { task });
        }
        (Interrupt::CallerCancels, Stage::Midway(_)) => Outcome::Cancelled(Cancelled::NotOurs),
        (Interrupt::CallerCancels, Stage::Before(_)) => Outcome::Cancelled(Cancelled::NotStarted),
        (Interrupt::TimeIsUp, Stage::Midway(task)) => Outcome::TimedOut(Underway::Task(task)),
        (Interrupt::TimeIsUp, Stage::Before(_)) => Outcome::TimedOut(Underway::Nothing),
    };
    State::Over(outcome)
}

/// The caller does not want to wait for the answer to the call that changes something.
fn unanswered<E, T>(interrupt: Interrupt) -> Outcome<E, T> {
    match interrupt {
        Interrupt::CallerCancels => Outcome::Cancelled(Cancelled::Calling),
        Interrupt::TimeIsUp => Outcome::TimedOut(Underway::Call),
    }
}

/// Something happened to a task that is awaited.
fn heard<E, T>(task: AwaitedTask, news: TaskNews<E, T>) -> State<E, T> {
    let end = match news {
        TaskNews::Asked(question) => {
            return State::DecidingMidway(DecidingMidway { question, task });
        }
        TaskNews::Unasked => return wait(task),
        TaskNews::Succeeded(result) if task.is_own => {
            return State::Over(Outcome::Done(result));
        }
        TaskNews::Failed(error) if task.is_own => return State::Over(Outcome::Failed(error)),
        TaskNews::Succeeded(_) => TaskEnd::Succeeded,
        TaskNews::Failed(error) => TaskEnd::Failed(error),
        TaskNews::Vanished => TaskEnd::Unknown,
        TaskNews::Unwatched(error) => TaskEnd::Unwatched(error),
    };
    State::Verifying(Verifying { task, end })
}

#[cfg(test)]
mod tests;
