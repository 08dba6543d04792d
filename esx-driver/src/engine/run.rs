//! The I/O around the machine.

use std::{collections::HashMap, future::pending, time::Duration};

use futures_core::future::BoxFuture;
use tokio::time::{Instant, sleep, sleep_until};
use vi_client::{
    Client, Error as Cause, property_set,
    retrieve::{PropertySet as _, Retrieve, Selection},
    task::{TaskEvent, TaskWatch, task_fault},
    transport::TransportError,
};
use vi_types::{
    ManagedObjectReference, SoapFault,
    enums::{TaskInfoState, VirtualMachinePowerState},
    methods::{AnswerVm, CancelTask},
    objects::{
        InvalidState, LocalizedMethodFault, ManagedObjectNotFound, TaskInfo,
        VirtualMachineQuestionInfo,
    },
};

use super::machine::{self, Action, Event, Goal, Job, Look, Outcome, Seen};
use crate::{
    Domain,
    question::{Decision, Policy, Question, Refusal},
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

/// What a caller may want besides.
#[derive(Default)]
pub(crate) struct Options<'a> {
    pub(crate) progress: Option<Box<dyn Fn(Progress) + Send + Sync + 'a>>,
    pub(crate) deadline: Option<Duration>,
    pub(crate) cancelled: Option<BoxFuture<'a, ()>>,
}

/// What is done to which domain.
pub(crate) struct Target {
    pub(crate) domain: Domain,
    /// The server that is asked: the host, or its vCenter.
    pub(crate) client: Client,
    /// The virtual machine there.
    pub(crate) vm: ManagedObjectReference,
    pub(crate) goal: Goal,
    /// The method that starts the task: `PowerOnVM_Task`.
    pub(crate) method: &'static str,
    pub(crate) start: Start,
}

/// How a task comes about.
pub(crate) enum Start {
    /// The method is called, if the domain is as it has to be.
    Call(fn(Client, ManagedObjectReference) -> Started),
    /// It was called, since there is a domain only when the task is on its way.
    Called(ManagedObjectReference),
}

/// A call that starts a task.
pub(crate) type Started = BoxFuture<'static, Result<ManagedObjectReference, Cause>>;

property_set! {
    struct Machine: VirtualMachine {
        power_state: VirtualMachinePowerState = runtime.power_state,
        question: Option<VirtualMachineQuestionInfo> = runtime.question,
    }
}

/// How often one and the same question is answered before it is reported.
const ANSWERS: u32 = 5;

/// How often reading is tried again for want of a connection.
const FAILURES: u32 = 5;

/// When a task is looked at before it is watched: at once, since what fails fails soon, and once more.
const GLANCES: [Duration; 2] = [Duration::ZERO, Duration::from_millis(50)];

/// How long a task that was cancelled is waited for.
const GRACE: Duration = Duration::from_secs(10);

/// How long a call that got no reply is given to show.
const PAUSE: Duration = Duration::from_millis(500);

/// Does all of it.
pub(crate) async fn run(target: &Target, options: Options<'_>) -> Outcome<Cause> {
    let mut talk = Talk {
        target,
        progress: options.progress,
        interrupt: Interrupt {
            until: options.deadline.map(|after| Instant::now() + after),
            cancelled: options.cancelled,
        },
        watch: None,
        glanced_at: None,
        answered: HashMap::new(),
        lost_answers: 0,
    };
    let (mut state, mut action) = match target.start {
        Start::Call(_) => machine::begin(),
        Start::Called(_) => machine::start(),
    };
    let outcome = loop {
        let event = match action {
            Action::Look => talk.look().await,
            Action::LookLater => talk.look_later().await,
            Action::Decide(question) => talk.decide(&question).await,
            Action::Answer(id, key) => talk.answer(id, key).await,
            Action::Start => talk.start().await,
            Action::Wait(job) => talk.wait(&job).await,
            Action::WaitShortly(job) => talk.wait_shortly(&job).await,
            Action::Cancel(job) => talk.cancel(&job).await,
            Action::End(outcome) => break outcome,
            Action::Impossible => break Outcome::InDoubt(out_of_turn()),
        };
        tracing::trace!(?event, "a task's");
        (state, action) = machine::next(&target.goal, state, event);
    };
    if let Some((_, watch)) = talk.watch.take() {
        watch.close().await;
    }
    outcome
}

/// One call on its way.
struct Talk<'a> {
    target: &'a Target,
    progress: Option<Box<dyn Fn(Progress) + Send + Sync + 'a>>,
    interrupt: Interrupt<'a>,
    /// The task that is watched, if one is.
    watch: Option<(ManagedObjectReference, TaskWatch)>,
    /// The task that was looked at before it is watched.
    glanced_at: Option<ManagedObjectReference>,
    /// How often each question was answered.
    answered: HashMap<String, u32>,
    /// How often there was no reply to an answer.
    lost_answers: u32,
}

/// The caller, who may lose patience.
struct Interrupt<'a> {
    until: Option<Instant>,
    cancelled: Option<BoxFuture<'a, ()>>,
}

impl Interrupt<'_> {
    /// Waits until the caller does.
    async fn comes(&mut self) -> Event<Cause> {
        let until = self.until;
        tokio::select! {
            biased;
            () = wanted(&mut self.cancelled) => {
                self.cancelled = None;
                Event::CallerCancels
            }
            () = time(until) => Event::TimeIsUp,
        }
    }
}

async fn wanted(cancelled: &mut Option<BoxFuture<'_, ()>>) {
    match cancelled {
        Some(cancelled) => cancelled.await,
        None => pending().await,
    }
}

async fn time(until: Option<Instant>) {
    match until {
        Some(until) => sleep_until(until).await,
        None => pending().await,
    }
}

impl Talk<'_> {
    async fn look(&mut self) -> Event<Cause> {
        tokio::select! {
            biased;
            event = self.interrupt.comes() => event,
            look = look(self.target) => look.map_or_else(Event::LookFailed, Event::Looked),
        }
    }

    async fn look_later(&mut self) -> Event<Cause> {
        tokio::select! {
            biased;
            event = self.interrupt.comes() => return event,
            () = sleep(PAUSE) => {}
        }
        self.look().await
    }

    async fn decide(&mut self, question: &Question) -> Event<Cause> {
        let times = self.answered.get(&question.text).copied().unwrap_or(0);
        if times >= ANSWERS {
            return Event::Decided(Decision::Report(Refusal::ComesBack));
        }
        let domain = &self.target.domain;
        let policy: &Policy = domain.connect().policy();
        let event = tokio::select! {
            biased;
            decision = policy.decide(domain, question) => Event::Decided(decision),
            event = self.interrupt.comes() => event,
            event = changed(self.target.method, &mut self.watch, None) => event,
        };
        if let Event::Decided(Decision::Answer(_)) = &event {
            *self.answered.entry(question.text.clone()).or_default() += 1;
        }
        event
    }

    async fn answer(&mut self, id: String, key: String) -> Event<Cause> {
        let request = AnswerVm {
            this: self.target.vm.clone(),
            question_id: id,
            answer_choice: key,
            ..Default::default()
        };
        match self.target.client.call(&request).await {
            Ok(()) => Event::Answered,
            Err(error) if is_lost(&error) && self.lost_answers < FAILURES => {
                self.lost_answers += 1;
                Event::AnswerLost(error)
            }
            Err(error) => Event::AnswerRefused(error),
        }
    }

    async fn start(&mut self) -> Event<Cause> {
        let call = match &self.target.start {
            Start::Call(call) => call,
            Start::Called(task) => return Event::Started(task.clone()),
        };
        match call(self.target.client.clone(), self.target.vm.clone()).await {
            Ok(task) => Event::Started(task),
            Err(error) if is_lost(&error) => Event::StartLost(error),
            Err(error) => Event::StartRefused(error),
        }
    }

    async fn cancel(&mut self, job: &Job) -> Event<Cause> {
        let watched = self.watch.as_ref().filter(|(task, _)| *task == job.task);
        let is_cancelable = match watched {
            Some((_, watch)) => Ok(watch.is_cancelable()),
            None => {
                patiently(|| {
                    let task = &job.task;
                    self.target.client.property(task, "info.cancelable")
                })
                .await
            }
        };
        let this = job.task.clone();
        match is_cancelable {
            Ok(true) => {}
            Ok(false) => return Event::NotCancelable,
            Err(error) => return Event::CancelFailed(error),
        }
        // Asking twice does no harm: the second time the task is over.
        let request = CancelTask {
            this,
            ..Default::default()
        };
        match patiently(|| self.target.client.call(&request)).await {
            Ok(()) => Event::Cancelled,
            // It is over; waiting for it says how.
            Err(error) if error.is_fault::<InvalidState>() => Event::Cancelled,
            Err(error) => Event::CancelFailed(error),
        }
    }

    /// Waits until something happens to the task.
    async fn wait(&mut self, job: &Job) -> Event<Cause> {
        tokio::select! {
            biased;
            event = self.interrupt.comes() => event,
            event = follow(
                self.target,
                job,
                self.progress.as_deref(),
                &mut self.watch,
                &mut self.glanced_at,
            ) => event,
        }
    }

    async fn wait_shortly(&mut self, job: &Job) -> Event<Cause> {
        let grace = Instant::now() + GRACE;
        let until = self.interrupt.until.unwrap_or(grace);
        self.interrupt.until = Some(until.min(grace));
        self.wait(job).await
    }
}

type Telling<'a> = dyn Fn(Progress) + Send + Sync + 'a;

/// What happens to a task next.
///
/// Before a filter is made for it the task is looked at: those that are over soon cost fewer requests so.
async fn follow(
    target: &Target,
    job: &Job,
    progress: Option<&Telling<'_>>,
    watch: &mut Option<(ManagedObjectReference, TaskWatch)>,
    glanced_at: &mut Option<ManagedObjectReference>,
) -> Event<Cause> {
    let is_watched = watch.as_ref().is_some_and(|(task, _)| *task == job.task);
    if !is_watched {
        if progress.is_none() && glanced_at.as_ref() != Some(&job.task) {
            *glanced_at = Some(job.task.clone());
            for after in GLANCES {
                sleep(after).await;
                match glance(target, &job.task).await {
                    Glance::Over(event) => return event,
                    Glance::Busy => {}
                    Glance::Otherwise => break,
                }
            }
        }
        let made = target
            .client
            .watch_task(&job.task, Some(&target.vm), progress.is_some());
        match made.await {
            Ok(made) => *watch = Some((job.task.clone(), made)),
            Err(error) => return Event::Unwatched(error),
        }
    }
    changed(target.method, watch, progress).await
}

/// What happens next to the task that is watched; never ends when there is none.
async fn changed(
    method: &'static str,
    watch: &mut Option<(ManagedObjectReference, TaskWatch)>,
    progress: Option<&Telling<'_>>,
) -> Event<Cause> {
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
            Some(Ok(TaskEvent::Question(question))) => Event::Asked(Question::from(*question)),
            Some(Ok(TaskEvent::Answered)) => Event::Unasked,
            Some(Ok(TaskEvent::Done(info))) => over(method, info.state, info.error),
            Some(Ok(TaskEvent::Gone)) | None => Event::Vanished,
            Some(Err(error)) => Event::Unwatched(error),
            // What may come in later versions of the client tells nothing that is waited for.
            Some(Ok(_)) => continue,
        };
    }
}

/// How a task looks before it is watched.
enum Glance {
    /// It is over.
    Over(Event<Cause>),
    /// It is queued or runs.
    Busy,
    /// A question blocks it, or it cannot be read: watching says more.
    Otherwise,
}

async fn glance(target: &Target, task: &ManagedObjectReference) -> Glance {
    let request = Retrieve::from_each([task.clone(), target.vm.clone()])
        .properties("Task", ["info.state", "info.error"])
        .properties("VirtualMachine", ["runtime.question"]);
    let found = match target.client.retrieve(&request).await {
        Ok(found) => found,
        Err(error) => {
            tracing::debug!(%error, "the task cannot be looked at");
            return Glance::Otherwise;
        }
    };
    let mut seen = Glance::Otherwise;
    let mut is_asked = false;
    for mut properties in found {
        if properties.object != *task {
            is_asked = properties.get("runtime.question").is_some();
            continue;
        }
        let (Ok(state), Ok(error)) = (
            properties.take("info.state"),
            properties.take::<Option<LocalizedMethodFault>>("info.error"),
        ) else {
            continue;
        };
        seen = match state {
            TaskInfoState::Queued | TaskInfoState::Running => Glance::Busy,
            TaskInfoState::Success | TaskInfoState::Error => {
                Glance::Over(over(target.method, state, error.map(Box::new)))
            }
            _ => Glance::Otherwise,
        };
    }
    match seen {
        Glance::Busy if is_asked => Glance::Otherwise,
        seen => seen,
    }
}

fn over(
    method: &'static str,
    state: TaskInfoState,
    error: Option<Box<LocalizedMethodFault>>,
) -> Event<Cause> {
    match state {
        TaskInfoState::Success => Event::Succeeded,
        _ => Event::Failed(Cause::Task {
            method,
            fault: Box::new(task_fault(error.map(|error| *error))),
        }),
    }
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

/// Reads power state, question and tasks of a domain, in one request.
async fn look(target: &Target) -> Result<Look, Cause> {
    let request = Retrieve::from(&target.vm)
        .select(Selection::traverse("VirtualMachine", "recentTask"))
        .set::<Machine>()
        .properties("Task", ["info.state", "info.name", "info.descriptionId"]);
    let mut machine = None;
    let mut tasks = Vec::new();
    for mut found in patiently(|| target.client.retrieve(&request)).await? {
        if found.object.r#type == "Task" {
            // One that is gone by now is not pending.
            let state = found.take("info.state").unwrap_or_default();
            let name: Option<String> = found.take("info.name").unwrap_or_default();
            let id: Option<String> = found.take("info.descriptionId").unwrap_or_default();
            tasks.push(Seen {
                task: found.object,
                is_pending: matches!(state, TaskInfoState::Queued | TaskInfoState::Running),
                is_alike: is_of(target.method, name.as_deref(), id.as_deref()),
            });
        } else {
            machine = Some(Machine::from_properties(&mut found)?);
        }
    }
    let Some(machine) = machine else {
        let fault = ManagedObjectNotFound {
            obj: target.vm.clone(),
            ..ManagedObjectNotFound::default()
        };
        return Err(Cause::Fault {
            method: "RetrievePropertiesEx",
            fault: Box::new(SoapFault::new(fault, "there is no such virtual machine")),
        });
    };
    Ok(Look {
        power: machine.power_state,
        question: machine.question.map(Question::from),
        tasks,
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

/// Reads, and reads again while there is no connection.
async fn patiently<T, F: Future<Output = Result<T, Cause>>>(
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
        | Cause::Decode { .. }
        | Cause::Compression { .. }
        | Cause::NotVi { .. }
        | Cause::Status { .. } => true,
        // The others say that the server did not run it, or that it was not sent.
        _ => false,
    }
}

fn out_of_turn() -> Cause {
    let message = "an event came out of turn".to_owned();
    Cause::Transport(TransportError::Unsendable(message))
}
