//! The I/O of an operation: the runner does what each state asks for, and gives it the reply.

use std::{
    borrow::Cow,
    collections::HashMap,
    future::{pending, ready},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use futures_core::future::BoxFuture;
use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};
use vi_client::{
    Error as Cause, Rounds, property_set,
    retrieve::{ObjectProperties, PropertySet, Retrieve, Selection},
    task::{TaskEvent, TaskWatch, task_fault},
    transport::TransportError,
};
use vi_types::{
    Any, ManagedObjectReference, Method as _, SoapFault,
    enums::{TaskInfoState, VirtualMachinePowerState},
    methods::{CancelTask, RetrievePropertiesEx},
    objects::{
        InvalidState, LocalizedMethodFault, ManagedObjectNotFound, NotSupported, TaskInfo,
        VirtualMachineQuestionInfo,
    },
    properties::VirtualMachine,
    references,
};

use super::change::{Change, EffectTest, Machine, Request, Sender};
use super::outcome;
use super::state::{
    AnswerFailure, AnswerReply, Answering, AwaitedTask, CallReply, CallState, Calling, CancelReply,
    DecideReply, Effect, Interrupt, MidwayReply, Outcome, ReadReply, Reading, RecentTask,
    ShortWaitReply, StartReply, State, TaskNews, WaitReply,
};
use crate::{
    Error, ErrorKind, Result,
    policy::{Decision, Refusal},
    question::Question,
};

/// How far a task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Whether it runs yet.
    pub state: ProgressState,
    /// How much of it is done, if the server tells: 0 to 100.
    pub percent: Option<u8>,
}

/// Whether a task runs yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProgressState {
    /// Others come first.
    Queued,
    /// It runs.
    Running,
}

/// What the caller of an operation wants besides.
#[derive(Default)]
pub(crate) struct Options<'a> {
    pub(crate) progress: Option<Box<OnProgress<'a>>>,
    pub(crate) deadline: Option<Duration>,
    pub(crate) cancelled: Option<BoxFuture<'a, ()>>,
}

type OnProgress<'a> = dyn Fn(Progress) + Send + Sync + 'a;

property_set! {
    struct MachineState: VirtualMachine {
        power_state: VirtualMachinePowerState = runtime.power_state,
        question: Option<VirtualMachineQuestionInfo> = runtime.question,
    }
}

property_set! {
    struct PendingQuestion: VirtualMachine {
        question: Option<VirtualMachineQuestionInfo> = runtime.question,
    }
}

property_set! {
    struct TaskOrigin: Task {
        state: Option<TaskInfoState> = info.state,
        name: Option<String> = info.name,
        description_id: Option<String> = info.description_id,
    }
}

property_set! {
    struct TaskState: Task {
        state: Option<TaskInfoState> = info.state,
        error: Option<LocalizedMethodFault> = info.error,
        result: Option<Any> = info.result,
    }
}

property_set! {
    struct Cancelable: Task {
        is_cancelable: bool = info.cancelable,
    }
}

/// How often one and the same question is answered before it is reported.
const ANSWERS: u32 = 5;

/// How many questions are answered in one operation before the next one is reported.
const QUESTIONS: Rounds = Rounds::of(19);

/// The longest pause before a question is answered, when the host has asked many.
const QUESTION_PAUSE: Duration = Duration::from_secs(2);

/// How often a request is repeated for want of a connection.
const FAILURES: u32 = 5;

/// When a task is read before it is watched: at once, since what fails fails soon, and after pauses that grow. A task of 3
/// milliseconds is not to cost 50.
const EARLY_READS: [Duration; 3] = [
    Duration::ZERO,
    Duration::from_millis(4),
    Duration::from_millis(46),
];

/// How long a caller who wants to end waits for a call that would tell more.
const REPLY: Duration = Duration::from_secs(2);

/// How long a cancellation takes that the caller wanted, and then the task's end.
const GRACE: Duration = Duration::from_secs(5);

/// The pause before the server is read for the effect of a call that got no reply.
const PAUSE: Duration = Duration::from_millis(500);

/// The pause before a machine that a task makes is looked for, and between one search and the next.
const MACHINE_PAUSE: Duration = Duration::from_secs(1);

/// Runs one operation: prepares it and performs its changes, while the caller may interrupt it.
pub(crate) struct Runner<'a> {
    /// What failed, in libvirt's words: `Could not start domain`.
    could_not: Cow<'static, str>,
    progress: Option<Box<OnProgress<'a>>>,
    deadline: Option<Duration>,
    interrupts: Interrupts<'a>,
    changes: Arc<Changes>,
}

/// How many changes of an operation were made, or may have been.
#[derive(Debug, Default)]
pub(crate) struct Changes(AtomicU32);

impl Changes {
    /// The error of the operation, with what it says of them if it does not say it by itself.
    ///
    /// A refusal by the server says enough, and so do the errors of a change whose end is not known. A broken connection
    /// says nothing.
    pub(crate) fn explain(&self, error: Error) -> Error {
        let is_broken = error.cause().is_some_and(Cause::is_broken);
        let count = self.count();
        let says_it = match error.kind() {
            ErrorKind::NotDone | ErrorKind::InDoubt | ErrorKind::NotStarted => true,
            ErrorKind::Cancelled => count < 2,
            // A task may end with a timeout of its own, which the server tells.
            ErrorKind::Timeout => error.fault().is_some(),
            _ => !is_broken,
        };
        if says_it || error.outcome().is_some() {
            return error;
        }
        error.note(match count {
            0 => "nothing was changed",
            _ => "what was done before that stays",
        })
    }

    fn count(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The caller's interrupts.
struct Interrupts<'a> {
    until: Option<Instant>,
    cancelled: Option<BoxFuture<'a, ()>>,
}

impl Interrupts<'_> {
    /// So long from now, but not beyond the deadline.
    fn within(&self, time: Duration) -> Instant {
        let end = Instant::now() + time;
        self.until.map_or(end, |until| until.min(end))
    }

    /// Waits for the next one.
    async fn next(&mut self) -> Interrupt {
        let until = self.until;
        tokio::select! {
            biased;
            () = cancelled(&mut self.cancelled) => {
                self.cancelled = None;
                Interrupt::CallerCancels
            }
            () = passed(until) => Interrupt::TimeIsUp,
        }
    }
}

async fn cancelled(cancelled: &mut Option<BoxFuture<'_, ()>>) {
    match cancelled {
        Some(cancelled) => cancelled.await,
        None => pending().await,
    }
}

async fn passed(until: Option<Instant>) {
    match until {
        Some(until) => sleep_until(until).await,
        None => pending().await,
    }
}

impl<'a> Runner<'a> {
    /// The time of the deadline runs from here.
    pub(crate) fn new(
        could_not: Cow<'static, str>,
        options: Options<'a>,
        changes: Arc<Changes>,
    ) -> Runner<'a> {
        Runner {
            could_not,
            progress: options.progress,
            deadline: options.deadline,
            interrupts: Interrupts {
                until: options.deadline.map(|after| Instant::now() + after),
                cancelled: options.cancelled,
            },
            changes,
        }
    }

    /// Does what comes before a change, mostly reading, unless the caller interrupts it.
    pub(crate) async fn prepare<T>(
        &mut self,
        preparation: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        tokio::select! {
            biased;
            interrupt = self.interrupts.next() => {
                let has_changed = self.changes.count() > 0;
                Err(outcome::not_started(interrupt, &self.could_not, self.deadline, has_changed))
            }
            result = preparation => result,
        }
    }

    /// Brings a change to its end.
    pub(crate) async fn perform<T: Send + 'static>(&mut self, change: Change<T>) -> Result<T> {
        let mut execution = Execution {
            change: &change,
            machine: change.machine.clone(),
            progress: self.progress.as_deref(),
            interrupts: &mut self.interrupts,
            watch: None,
            read_early: None,
            answers: HashMap::new(),
            questions: QUESTIONS,
            lost_answers: 0,
        };
        match &change.request {
            Request::Task(start, read) => {
                let outcome = execution.run_task(start).await;
                let machine = execution.machine.take();
                match self.result(outcome, &change, machine.as_ref())? {
                    Value::Shown(value) => Ok(value),
                    Value::OfTask(result) => read(result).map_err(|error| {
                        let method = change.method;
                        Error::from(Cause::TaskResult { method, error })
                    }),
                }
            }
            Request::Call(call) => {
                let outcome = execution.run_call(call).await;
                self.result(outcome, &change, None)
            }
        }
    }

    fn result<T, V>(
        &self,
        outcome: Outcome<Cause, V>,
        change: &Change<T>,
        machine: Option<&Machine>,
    ) -> Result<V> {
        match &outcome {
            // Nothing of it is there, and the error tells.
            Outcome::Unread(_) | Outcome::Refused(_) | Outcome::NotDone(_) => {}
            _ => drop(self.changes.0.fetch_add(1, Ordering::Relaxed)),
        }
        let precondition = change.precondition.as_ref();
        let context = outcome::Context {
            could_not: &self.could_not,
            wrong_state: precondition.map_or("", |precondition| precondition.wrong_state),
            deadline: self.deadline,
            is_task: matches!(change.request, Request::Task(..)),
            machine,
        };
        outcome::result(outcome, &context)
    }
}

/// What an operation with a task returns.
enum Value<T> {
    /// `TaskInfo.result` of the task.
    OfTask(Option<Any>),
    /// What the server shows.
    Shown(T),
}

/// A change on its way.
struct Execution<'r, 'a, T> {
    change: &'r Change<T>,
    machine: Option<Machine>,
    progress: Option<&'r OnProgress<'a>>,
    interrupts: &'r mut Interrupts<'a>,
    /// The task that is watched, if one is.
    watch: Option<(ManagedObjectReference, TaskWatch)>,
    /// The task that was read before it is watched.
    read_early: Option<ManagedObjectReference>,
    /// How often each question was answered.
    answers: HashMap<String, u32>,
    /// The questions that were answered.
    questions: Rounds,
    /// How often there was no reply to an answer.
    lost_answers: u32,
}

impl<T: Send + 'static> Execution<'_, '_, T> {
    async fn run_task(
        &mut self,
        start: &Sender<ManagedObjectReference>,
    ) -> Outcome<Cause, Value<T>> {
        let mut state = match self.machine {
            Some(_) => State::begin(),
            None => State::start(),
        };
        let outcome = loop {
            tracing::trace!(method = self.change.method, state = state.name());
            state = match state {
                State::Preparing(step) => step.next(self.read(false, Value::Shown).await),
                State::Deciding(step) => {
                    let reply = self.decide(&step.question).await;
                    step.next(reply)
                }
                State::DecidingMidway(step) => {
                    let reply = self.decide_midway(&step.question).await;
                    step.next(reply)
                }
                State::Answering(step) => {
                    let reply = self.answer(&step).await;
                    step.next(reply)
                }
                State::Rechecking(step) => {
                    let reading = match step.failure {
                        AnswerFailure::Refused(_) => self.read(false, Value::Shown).await,
                        AnswerFailure::Lost(..) => self.read_later(false, Value::Shown).await,
                    };
                    step.next(reading)
                }
                State::Starting(step) => step.next(self.start(start).await),
                State::Searching(step) => step.next(self.read_later(true, Value::Shown).await),
                State::Waiting(step) => {
                    let reply = self.wait(&step.task).await;
                    step.next(reply)
                }
                State::Cancelling(step) => {
                    let reply = self.cancel(&step.task).await;
                    step.next(reply)
                }
                State::CancellingForCaller(step) => {
                    let reply = self.cancel(&step.task).await;
                    step.next(reply)
                }
                State::Ending(step) => {
                    let reply = self.wait_shortly(&step.task).await;
                    step.next(reply)
                }
                State::Verifying(step) => step.next(self.read(true, Value::Shown).await),
                State::Over(outcome) => break outcome,
            };
        };
        self.unwatch().await;
        outcome
    }

    async fn run_call(&mut self, call: &Sender<T>) -> Outcome<Cause, T> {
        let mut state = CallState::Calling(Calling);
        loop {
            state = match state {
                CallState::Calling(step) => step.next(self.call(call).await),
                CallState::Checking(step) => step.next(self.read_later(true, |value| value).await),
                CallState::Over(outcome) => return outcome,
            };
        }
    }

    /// Reads the machine, if there is one, and with `wants_effect` also whether the change is done.
    async fn read<V>(&mut self, wants_effect: bool, seen: fn(T) -> V) -> ReadReply<Cause, V> {
        tokio::select! {
            biased;
            interrupt = self.interrupts.next() => ReadReply::Interrupted(interrupt),
            reading = read(self.change, self.machine.as_ref(), wants_effect, seen) => {
                reading.map_or_else(ReadReply::Failed, ReadReply::Read)
            }
        }
    }

    async fn read_later<V>(&mut self, wants_effect: bool, seen: fn(T) -> V) -> ReadReply<Cause, V> {
        tokio::select! {
            biased;
            interrupt = self.interrupts.next() => return ReadReply::Interrupted(interrupt),
            () = sleep(PAUSE) => {}
        }
        self.read(wants_effect, seen).await
    }

    async fn decide(&mut self, question: &Question) -> DecideReply {
        let times = self.times_answered(question);
        let reply = tokio::select! {
            biased;
            decision = decide(self.machine.as_ref(), question, times, self.questions) => DecideReply::Decided(decision),
            interrupt = self.interrupts.next() => DecideReply::Interrupted(interrupt),
        };
        if let DecideReply::Decided(Decision::Answer(_)) = &reply {
            self.count_answer(question);
        }
        reply
    }

    async fn decide_midway(&mut self, question: &Question) -> MidwayReply<Cause, Value<T>> {
        let times = self.times_answered(question);
        let reply = tokio::select! {
            biased;
            decision = decide(self.machine.as_ref(), question, times, self.questions) => MidwayReply::Decided(decision),
            interrupt = self.interrupts.next() => MidwayReply::Interrupted(interrupt),
            news = changed(self.change.method, &mut self.watch, None) => MidwayReply::Task(news),
        };
        if let MidwayReply::Decided(Decision::Answer(_)) = &reply {
            self.count_answer(question);
        }
        reply
    }

    fn times_answered(&self, question: &Question) -> u32 {
        self.answers.get(&question.text).copied().unwrap_or(0)
    }

    fn count_answer(&mut self, question: &Question) {
        *self.answers.entry(question.text.clone()).or_default() += 1;
        self.questions = self.questions.fruitless();
    }

    async fn answer(&mut self, answering: &Answering) -> AnswerReply<Cause> {
        let Some(machine) = &self.machine else {
            // A question that was asked is one of a machine.
            return AnswerReply::Answered;
        };
        let vm = references::VirtualMachine::from(machine.moref.clone());
        let request = vm.answer_vm(&answering.question.id, &answering.key);
        let reply = tokio::select! {
            biased;
            reply = self.change.client.call(&request) => reply,
            interrupt = self.interrupts.next() => return AnswerReply::Interrupted(interrupt),
        };
        match reply {
            Ok(()) => AnswerReply::Answered,
            Err(error) if is_lost(&error) && self.lost_answers < FAILURES => {
                self.lost_answers += 1;
                AnswerReply::Lost(error)
            }
            Err(error) => AnswerReply::Refused(error),
        }
    }

    /// Starts the task. A caller who cancels waits a little for its name, so that it can be cancelled.
    async fn start(&mut self, start: &Sender<ManagedObjectReference>) -> StartReply<Cause> {
        let mut call = start();
        let reply = tokio::select! {
            biased;
            reply = &mut call => reply,
            interrupt = self.interrupts.next() => {
                let patience = match interrupt {
                    Interrupt::CallerCancels => self.interrupts.within(REPLY),
                    Interrupt::TimeIsUp => return StartReply::Interrupted(interrupt),
                };
                match timeout_at(patience, call).await {
                    Ok(reply) => {
                        self.interrupts.cancelled = Some(Box::pin(ready(())));
                        reply
                    }
                    Err(_) => return StartReply::Interrupted(interrupt),
                }
            }
        };
        match reply {
            Ok(task) => StartReply::Started(task),
            Err(error) if is_lost(&error) => StartReply::Lost(error),
            Err(error) => StartReply::Refused(error),
        }
    }

    async fn call(&mut self, call: &Sender<T>) -> CallReply<Cause, T> {
        tokio::select! {
            biased;
            returned = call() => match returned {
                Ok(value) => CallReply::Returned(value),
                Err(error) if is_lost(&error) => CallReply::Lost(error),
                Err(error) => CallReply::Refused(error),
            },
            interrupt = self.interrupts.next() => CallReply::Interrupted(interrupt),
        }
    }

    /// Asks the server to cancel the task, but not for long.
    async fn cancel(&mut self, task: &AwaitedTask) -> CancelReply<Cause> {
        let within = self.interrupts.within(GRACE);
        let begun = Instant::now();
        let reply = timeout_at(within, self.ask_to_cancel(task)).await;
        reply.unwrap_or_else(|_| {
            CancelReply::Failed(Cause::Deadline {
                method: CancelTask::name(),
                after: within.saturating_duration_since(begun),
            })
        })
    }

    async fn ask_to_cancel(&mut self, task: &AwaitedTask) -> CancelReply<Cause> {
        let client = &self.change.client;
        let watched = self
            .watch
            .as_ref()
            .filter(|(watched, _)| *watched == task.task);
        let told = watched.and_then(|(_, watch)| watch.is_cancelable());
        let is_cancelable = match told {
            Some(is_cancelable) => Ok(Ok(is_cancelable)),
            None => {
                let reading = client.read::<Cancelable>(&task.task);
                let read = timeout(REPLY, reading).await;
                read.map(|read| read.map(|task| task.is_cancelable))
            }
        };
        match is_cancelable {
            Ok(Ok(false)) => return CancelReply::NotCancelable,
            Ok(Ok(true)) => {}
            Ok(Err(error)) => {
                tracing::debug!(%error, "whether the task can be cancelled is not told");
            }
            Err(_) => tracing::debug!("whether the task can be cancelled is not told in time"),
        }
        let request = references::Task::from(task.task.clone()).cancel_task();
        match persistently(|| client.call(&request)).await {
            Ok(()) => CancelReply::Requested,
            Err(error) if error.is_fault::<NotSupported>() => CancelReply::NotCancelable,
            // The task is over; waiting for it says how.
            Err(error) if error.declared::<CancelTask, InvalidState>().is_some() => {
                CancelReply::Requested
            }
            Err(error) => CancelReply::Failed(error),
        }
    }

    /// Waits until something happens to the task. A machine that the task makes is looked for meanwhile.
    async fn wait(&mut self, task: &AwaitedTask) -> WaitReply<Cause, Value<T>> {
        loop {
            let machine = tokio::select! {
                biased;
                interrupt = self.interrupts.next() => return WaitReply::Interrupted(interrupt),
                news = follow(
                    self.change,
                    self.machine.as_ref(),
                    task,
                    self.progress,
                    &mut self.watch,
                    &mut self.read_early,
                ) => return WaitReply::Task(news),
                machine = appeared(self.change, self.machine.is_some()) => machine,
            };
            // The watch is made anew, so that it covers the machine's questions.
            self.unwatch().await;
            self.machine = Some(machine);
        }
    }

    async fn wait_shortly(&mut self, task: &AwaitedTask) -> ShortWaitReply<Cause, Value<T>> {
        self.interrupts.until = Some(self.interrupts.within(GRACE));
        match self.wait(task).await {
            WaitReply::Task(news) => ShortWaitReply::Task(news),
            // The caller has cancelled before, so this is the time.
            WaitReply::Interrupted(_) => ShortWaitReply::TimeIsUp,
        }
    }

    async fn unwatch(&mut self) {
        if let Some((_, watch)) = self.watch.take() {
            // The waiter goes on with it.
            let _ = timeout(REPLY, watch.close()).await;
        }
    }
}

/// What the machine's policy makes of a question that was answered so many times before, when the host has asked so many.
async fn decide(
    machine: Option<&Machine>,
    question: &Question,
    times: u32,
    questions: Rounds,
) -> Decision {
    if questions.count() > 0 {
        sleep(questions.pause(QUESTION_PAUSE)).await;
    }
    match machine {
        Some(_) if questions.are_spent() => Decision::Report(Refusal::Endless(questions.count())),
        Some(machine) if times < ANSWERS => machine.policy.decide(&machine.asker, question).await,
        // Some answers only make the host ask again, such as `Retry` while a disk is full.
        Some(_) => Decision::Report(Refusal::ComesBack),
        None => Decision::Report(Refusal::Policy),
    }
}

/// The machine that the task makes, once it is there; never ends when none is to be found.
async fn appeared<T>(change: &Change<T>, is_known: bool) -> Machine {
    let Some(find) = change.find_machine.as_ref().filter(|_| !is_known) else {
        return pending().await;
    };
    loop {
        sleep(MACHINE_PAUSE).await;
        match find().await {
            Ok(Some(machine)) => return machine,
            Ok(None) => {}
            // A machine that has not got all of its properties yet is as good as none.
            Err(error) => tracing::debug!(%error, "the new virtual machine cannot be read"),
        }
    }
}

/// What happens to a task next.
///
/// The task is read before a filter is made for it: a task that is soon over takes fewer requests so.
async fn follow<T>(
    change: &Change<T>,
    machine: Option<&Machine>,
    awaited: &AwaitedTask,
    progress: Option<&OnProgress<'_>>,
    watch: &mut Option<(ManagedObjectReference, TaskWatch)>,
    read_early: &mut Option<ManagedObjectReference>,
) -> TaskNews<Cause, Value<T>> {
    let task = &awaited.task;
    let is_watched = watch.as_ref().is_some_and(|(watched, _)| watched == task);
    if !is_watched {
        if progress.is_none() && read_early.as_ref() != Some(task) {
            *read_early = Some(task.clone());
            for after in EARLY_READS {
                sleep(after).await;
                match read_task(change, machine, task).await {
                    EarlyRead::Over(news) => return news,
                    EarlyRead::Pending => {}
                    EarlyRead::Unclear => break,
                }
            }
        }
        let machine = machine.map(|machine| &machine.moref);
        let made = change.client.watch_task(task, machine, progress.is_some());
        match made.await {
            Ok(made) => *watch = Some((task.clone(), made)),
            Err(error) => return TaskNews::Unwatched(error),
        }
    }
    changed(change.method, watch, progress).await
}

/// What happens next to the task that is watched; never ends when there is none.
async fn changed<T>(
    method: &'static str,
    watch: &mut Option<(ManagedObjectReference, TaskWatch)>,
    progress: Option<&OnProgress<'_>>,
) -> TaskNews<Cause, Value<T>> {
    let Some((_, watch)) = watch else {
        return pending().await;
    };
    loop {
        return match watch.next().await {
            Some(Ok(TaskEvent::Progress(info))) => {
                if let Some(told) = progress {
                    told(progress_of(&info));
                }
                continue;
            }
            Some(Ok(TaskEvent::Question(question))) => TaskNews::Asked(Question::from(*question)),
            Some(Ok(TaskEvent::Answered)) => TaskNews::Unasked,
            Some(Ok(TaskEvent::Done(info))) => match info.state {
                TaskInfoState::Success => TaskNews::Succeeded(Value::OfTask(info.result)),
                _ => failed(method, info.error.map(|error| *error)),
            },
            Some(Ok(TaskEvent::Gone)) | None => TaskNews::Vanished,
            Some(Err(error)) => TaskNews::Unwatched(error),
            // An event of a later version of the client tells nothing that is awaited here.
            Some(Ok(_)) => continue,
        };
    }
}

/// How a task is before it is watched.
enum EarlyRead<T> {
    /// It is over.
    Over(TaskNews<Cause, Value<T>>),
    /// It is queued or runs.
    Pending,
    /// A question blocks it, or it cannot be read: watching says more.
    Unclear,
}

async fn read_task<T>(
    change: &Change<T>,
    machine: Option<&Machine>,
    task: &ManagedObjectReference,
) -> EarlyRead<T> {
    let machine = machine.map(|machine| machine.moref.clone());
    let request =
        Retrieve::from_each([task.clone()].into_iter().chain(machine.clone())).set::<TaskState>();
    let request = match machine {
        Some(_) => request.set::<PendingQuestion>(),
        None => request,
    };
    let found = match change.client.retrieve(&request).await {
        Ok(found) => found,
        Err(error) => {
            tracing::debug!(%error, "the task cannot be read");
            return EarlyRead::Unclear;
        }
    };
    let mut state = None;
    let mut is_asked = false;
    for mut properties in found {
        if properties.object == *task {
            state = TaskState::from_properties(&mut properties).ok();
        } else if let Ok(asked) = PendingQuestion::from_properties(&mut properties) {
            is_asked = asked.question.is_some();
        }
    }
    let Some(task) = state else {
        return EarlyRead::Unclear;
    };
    match task.state {
        Some(TaskInfoState::Success) => {
            EarlyRead::Over(TaskNews::Succeeded(Value::OfTask(task.result)))
        }
        Some(TaskInfoState::Error) => EarlyRead::Over(failed(change.method, task.error)),
        Some(TaskInfoState::Queued | TaskInfoState::Running) if !is_asked => EarlyRead::Pending,
        _ => EarlyRead::Unclear,
    }
}

fn failed<T>(method: &'static str, error: Option<LocalizedMethodFault>) -> TaskNews<Cause, T> {
    let fault = Box::new(task_fault(error));
    TaskNews::Failed(Cause::Task { method, fault })
}

fn progress_of(info: &TaskInfo) -> Progress {
    Progress {
        state: match info.state {
            TaskInfoState::Queued => ProgressState::Queued,
            _ => ProgressState::Running,
        },
        percent: info
            .progress
            .and_then(|percent| u8::try_from(percent.clamp(0, 100)).ok()),
    }
}

/// Reads the machine, if there is one, and with `wants_effect` also whether the change is done.
async fn read<T, V>(
    change: &Change<T>,
    machine: Option<&Machine>,
    wants_effect: bool,
    seen: fn(T) -> V,
) -> Result<Reading<V>, Cause> {
    let (state, tasks) = match machine {
        Some(machine) => {
            let (state, tasks) = read_machine(change, machine).await?;
            (Some(state), tasks)
        }
        None => (None, Vec::new()),
    };
    let power_state = state.as_ref().map(|state| &state.power_state);
    let effect = match &change.effect {
        _ if !wants_effect => Effect::Unknown,
        EffectTest::Unseen => Effect::Unknown,
        EffectTest::PowerState(wanted, value) => match power_state {
            Some(power_state) if power_state == wanted => Effect::Done(value()),
            Some(_) => Effect::NotDone,
            None => Effect::Unknown,
        },
        EffectTest::Read(read) => read().await.unwrap_or_else(|error| {
            tracing::debug!(%error, "what came of the call cannot be read");
            Effect::Unknown
        }),
    };
    Ok(Reading {
        is_ready: power_state.is_none_or(|power_state| change.starts_from(power_state)),
        question: state.and_then(|state| state.question).map(Question::from),
        tasks,
        effect: effect.map(seen),
    })
}

/// Reads power state, question and recent tasks of the machine: one request.
async fn read_machine<T>(
    change: &Change<T>,
    machine: &Machine,
) -> Result<(MachineState, Vec<RecentTask>), Cause> {
    let request = Retrieve::from(&machine.moref)
        .select(Selection::along(|vm: &VirtualMachine| &vm.base.recent_task))
        .set::<MachineState>()
        .set::<TaskOrigin>();
    let mut state = None;
    let mut tasks = Vec::new();
    for mut found in change.client.retrieve(&request).await? {
        if found.object.r#type == TaskOrigin::TYPE {
            tasks.push(recent_task(change.method, &mut found)?);
        } else {
            state = Some(MachineState::from_properties(&mut found)?);
        }
    }
    let Some(state) = state else {
        let fault = ManagedObjectNotFound {
            obj: machine.moref.clone(),
            ..ManagedObjectNotFound::default()
        };
        return Err(Cause::Fault {
            method: RetrievePropertiesEx::name(),
            fault: Box::new(SoapFault::new(fault, "there is no such virtual machine")),
        });
    };
    Ok((state, tasks))
}

fn recent_task(method: &str, found: &mut ObjectProperties) -> Result<RecentTask, Cause> {
    let origin = TaskOrigin::from_properties(found)?;
    Ok(RecentTask {
        task: found.object.clone(),
        // A task that is gone by now has no state, and is not pending.
        is_pending: matches!(
            origin.state,
            Some(TaskInfoState::Queued | TaskInfoState::Running)
        ),
        is_alike: is_of(
            method,
            origin.name.as_deref(),
            origin.description_id.as_deref(),
        ),
    })
}

/// Whether a task is one of the method: its name says so, `PowerOnVM_Task`, or its description,
/// `VirtualMachine.powerOn`.
fn is_of(method: &str, name: Option<&str>, description: Option<&str>) -> bool {
    let verb = |text: &str| {
        let text = text.rsplit('.').next().unwrap_or_default();
        let text = text.strip_suffix("_Task").unwrap_or(text);
        text.strip_suffix("VM").unwrap_or(text).to_lowercase()
    };
    let wanted = verb(method);
    [name, description]
        .into_iter()
        .flatten()
        .any(|text| verb(text) == wanted)
}

/// Asks again while there is no connection, for what may be asked twice: to cancel a task. The second time it is over.
async fn persistently<T, F: Future<Output = Result<T, Cause>>>(
    mut ask: impl FnMut() -> F,
) -> Result<T, Cause> {
    let mut failures = 0;
    loop {
        match ask().await {
            Err(error) if error.is_broken() && failures < FAILURES => {
                tracing::debug!(%error, "tried again");
                sleep(Duration::from_millis(100 << failures)).await;
                failures += 1;
            }
            result => return result,
        }
    }
}

/// Whether the server may have run a call, without our knowing what came of it.
fn is_lost(error: &Cause) -> bool {
    match error {
        // There was no way to the server.
        Cause::Transport(
            TransportError::Resolve { .. }
            | TransportError::Connect { .. }
            | TransportError::ConnectTimeout { .. }
            | TransportError::Proxy { .. }
            | TransportError::Tls { .. }
            | TransportError::Unsendable(_),
        ) => false,
        Cause::Transport(_)
        | Cause::Deadline { .. }
        | Cause::StandsStill { .. }
        | Cause::Decode { .. }
        | Cause::Compression { .. }
        | Cause::NotVi { .. }
        | Cause::Status { .. } => true,
        // The others say that the server did not run it, or that it was not sent.
        _ => false,
    }
}
