//! Tasks and the questions that block them.
//!
//! A task is a list of steps, taken one at a time: when a test says so, when a client reads something, and when a client
//! waits and there is no change to report. Nothing here reads a clock but for tasks that [wait](Wait) for something with a
//! timeout, so every other run is the same.

mod description;
mod question;
mod script;

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use tokio::time::Instant;
use vi_types::enums::TaskInfoState;
use vi_types::objects::{LocalizedMethodFault, MethodFault, TaskEvent, TaskInfo, TaskReasonUser};
use vi_types::{
    Any, DataObject, DateTime, Extends, ManagedObjectReference, Poly, SoapFault, View, properties,
};

pub(crate) use self::description::{description, name};
pub use self::question::{Outcome, Question};
pub use self::script::Script;
use crate::event::lifecycle;
use crate::fault;
use crate::machine::place;
use crate::simulator::Load;
use crate::world::World;
use crate::world::inventory;

/// Number of tasks kept for each object. The oldest finished ones are removed first.
const KEPT: usize = 10;

/// Number of tasks in the list of the whole server, unless more are unfinished.
const KEPT_BY_SERVER: usize = 100;

/// Unfinished tasks, questions, and scripts for later tasks.
#[derive(Default)]
pub(crate) struct Tasks {
    open: Vec<OpenTask>,
    /// Tasks of objects without `recentTask`, the newest last.
    unlisted: VecDeque<ManagedObjectReference>,
    /// Questions that no task waits for.
    questions: Vec<PendingQuestion>,
    scripts: Vec<Script>,
    /// Number of tasks and questions so far.
    made: u64,
    begun: usize,
    /// The largest number of unfinished tasks at the same time.
    most_open: usize,
    /// Whether tasks advance only by [`step`](Self::step).
    stepped: bool,
}

/// An unfinished task.
struct OpenTask {
    task: ManagedObjectReference,
    /// The object whose method started it.
    of: ManagedObjectReference,
    work: Option<Work>,
    /// What it waits for before its last step.
    wait: Option<Wait>,
    /// The machine that it is to make, if the machine asks a question and had to be made early.
    made: Option<ManagedObjectReference>,
    steps: VecDeque<Step>,
    /// The question that blocks it.
    asked: Option<PendingQuestion>,
    method: String,
    /// On whose behalf it was started, and the event that says so.
    user: Option<String>,
    chain: Option<i32>,
}

/// A question that a client can answer.
struct PendingQuestion {
    vm: ManagedObjectReference,
    id: String,
    question: Question,
}

/// A step of a task.
enum Step {
    /// The task is running, with this progress in percent.
    Progress(i32),
    Ask(Question),
    Fail(Box<LocalizedMethodFault>),
    Succeed,
}

/// What a task waits for before its last step.
pub(crate) struct Wait {
    /// Whether the wait is over. It may do something for that.
    is_over: Box<dyn FnMut(&mut World) -> bool + Send>,
    /// When the task fails with `Timedout`.
    until: Option<Instant>,
}

impl Wait {
    /// Waits until `is_over`, for so many seconds at most; 0 and less is no limit, as for the API's timeouts.
    pub(crate) fn new(
        seconds: i32,
        is_over: impl FnMut(&mut World) -> bool + Send + 'static,
    ) -> Self {
        let seconds = u64::try_from(seconds).ok().filter(|seconds| *seconds > 0);
        Self {
            is_over: Box::new(is_over),
            until: seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds)),
        }
    }
}

/// The work of a task, done at its last step. It returns the task's result.
pub(crate) type Work = Box<dyn FnOnce(&mut World) -> Result<Option<Any>, SoapFault> + Send>;

impl Tasks {
    /// From now on, tasks advance only by [`step`](Self::step).
    pub(crate) fn stop(&mut self) {
        self.stepped = true;
    }

    pub(crate) fn script(&mut self, script: Script) {
        self.scripts.push(script);
    }

    /// Numbers of tasks.
    pub(crate) fn load(&self) -> Load {
        Load {
            tasks: self.open.len(),
            most_tasks: self.most_open,
            tasks_begun: self.begun,
            ..Load::default()
        }
    }

    /// Fails with `TaskInProgress` while an object has a task that is not over.
    pub(crate) fn check_idle(&self, of: &ManagedObjectReference) -> Result<(), SoapFault> {
        let is_of = |open: &&OpenTask| open.of == *of || open.made.as_ref() == Some(of);
        match self.open.iter().find(is_of) {
            Some(other) => Err(fault::task_in_progress(&other.task)),
            None => Ok(()),
        }
    }

    /// Starts a task of an object. A virtual machine has one task at a time.
    ///
    /// `description` is its `descriptionId`, such as `VirtualMachine.powerOn`.
    pub(crate) fn begin(
        &mut self,
        world: &mut World,
        of: &ManagedObjectReference,
        method: &str,
        description: &str,
        wait: Option<Wait>,
        work: Work,
    ) -> Result<ManagedObjectReference, SoapFault> {
        if of.r#type == "VirtualMachine" {
            self.check_idle(of)?;
        }
        let mut scripts = self.scripts.iter_mut();
        let script = scripts.find_map(|script| script.take(method, of));
        let script = script.unwrap_or_else(|| Script::new(method));
        self.made += 1;
        let entity = entity(world, of);
        let whose = entity.as_ref().map_or("", |entity| &entity.value);
        let key = format!("haTask-{whose}-vim.{description}-{}", self.made);
        let task = ManagedObjectReference::new("Task", key.clone());
        let info = TaskInfo {
            key: key.clone(),
            task: task.clone(),
            name: Some(method.to_owned()),
            description_id: description.to_owned(),
            entity_name: entity
                .as_ref()
                .and_then(|entity| world.name(entity))
                .map(str::to_owned),
            entity: entity.clone(),
            state: TaskInfoState::Queued,
            cancelable: script.is_cancelable(method),
            reason: TaskReasonUser {
                user_name: world.events.user().unwrap_or("root").to_owned(),
                ..TaskReasonUser::default()
            }
            .into(),
            queue_time: self.time(),
            ..TaskInfo::default()
        };
        world.add(
            key,
            properties::Task {
                info: Some(info.clone().into()),
                ..properties::Task::default()
            },
        );
        let begun = TaskEvent {
            info,
            ..TaskEvent::default()
        };
        let chain = world.log(of, begun);
        change(world, &task, |info| {
            info.event_chain_id = chain.unwrap_or_default()
        });
        self.begun += 1;
        let mut open = OpenTask {
            task: task.clone(),
            of: of.clone(),
            work: Some(work),
            wait,
            made: None,
            steps: steps(&script),
            asked: None,
            method: method.to_owned(),
            user: world.events.user().map(str::to_owned),
            chain,
        };
        if let Some(question) = script.at_once {
            self.take_step(world, &mut open);
            self.block(world, &mut open, question);
        }
        self.open.push(open);
        self.most_open = self.most_open.max(self.open.len());
        self.remember(world, entity.as_ref(), &task);
        Ok(task)
    }

    /// Advances every task that is not blocked by a question by one step. Returns whether there was one.
    pub(crate) fn step(&mut self, world: &mut World) -> bool {
        let open = std::mem::take(&mut self.open);
        let mut went_on = false;
        for mut task in open {
            if task.asked.is_none() && !waits(world, &mut task) {
                went_on = true;
                self.take_step(world, &mut task);
            }
            if !task.steps.is_empty() || task.asked.is_some() {
                self.open.push(task);
            }
        }
        went_on
    }

    /// Advances one task until it is over or blocked by a question.
    pub(crate) fn run(&mut self, world: &mut World, task: &ManagedObjectReference) {
        let Some(index) = self.open.iter().position(|open| open.task == *task) else {
            return;
        };
        let mut open = self.open.remove(index);
        while open.asked.is_none() && !open.steps.is_empty() && !waits(world, &mut open) {
            self.take_step(world, &mut open);
        }
        if open.asked.is_some() || !open.steps.is_empty() {
            self.open.push(open);
        }
    }

    /// Forgets all tasks, as a server does that restarts. Questions stay, without the tasks that they block.
    pub(crate) fn restart(&mut self, world: &mut World) {
        let open = std::mem::take(&mut self.open);
        self.questions
            .extend(open.into_iter().filter_map(|open| open.asked));
        self.unlisted.clear();
        let tasks: Vec<_> = world.all("Task").cloned().collect();
        let mut owners: Vec<_> = world.all("TaskManager").cloned().collect();
        for task in tasks {
            let state = world.read::<properties::Task>(&task);
            let info = state.and_then(|task| task.info.as_deref());
            owners.extend(info.and_then(|info| info.entity.clone()));
            world.remove(&task);
        }
        owners.sort();
        owners.dedup();
        for owner in owners {
            world.change(&owner, |entity: &mut properties::ManagedEntity| {
                entity.recent_task.clear();
            });
            world.change(&owner, |manager: &mut properties::TaskManager| {
                manager.recent_task.clear();
            });
        }
    }

    /// When the first of the tasks that wait fails, unless tasks advance only when they are told to.
    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        let waits = self.open.iter().filter_map(|open| open.wait.as_ref());
        let until = waits.filter_map(|wait| wait.until).min();
        until.filter(|_| !self.stepped)
    }

    /// Like [`step`](Self::step), unless tasks advance only when they are told to.
    pub(crate) fn step_by_itself(&mut self, world: &mut World) -> bool {
        !self.stepped && self.step(world)
    }

    fn take_step(&mut self, world: &mut World, task: &mut OpenTask) {
        let (user, chain) = world.events.act_for(task.user.clone(), task.chain);
        self.take_own_step(world, task);
        world.events.act_for(user, chain);
    }

    fn take_own_step(&mut self, world: &mut World, task: &mut OpenTask) {
        let now = self.time();
        match task.steps.pop_front() {
            Some(Step::Progress(percent)) => change(world, &task.task, |info| {
                info.state = TaskInfoState::Running;
                info.start_time.get_or_insert(now);
                info.progress = Some(percent);
            }),
            Some(Step::Ask(question)) => self.block(world, task, question),
            Some(Step::Fail(error)) => self.fail(world, task, *error),
            Some(Step::Succeed) | None => match work(world, task) {
                Ok(result) => change(world, &task.task, |info| {
                    info.state = TaskInfoState::Success;
                    info.progress = None;
                    info.result = result;
                    info.complete_time = Some(now);
                }),
                Err(fault) => self.fail(world, task, localized(fault)),
            },
        }
    }

    /// Lets the task's machine ask a question. A machine that the task is to make is made first.
    fn block(&mut self, world: &mut World, task: &mut OpenTask, question: Question) {
        let vm = match work_before(world, task) {
            Ok(vm) => vm,
            Err(fault) => return self.fail(world, task, localized(fault)),
        };
        task.asked = Some(self.put(world, &vm, question));
    }

    /// Ends a task with a fault, and removes the machine that it has made.
    fn fail(&self, world: &mut World, task: &mut OpenTask, error: LocalizedMethodFault) {
        let now = self.time();
        task.steps.clear();
        if let Some(vm) = task.made.take() {
            place::leave(world, &vm);
        }
        change(world, &task.task, |info| {
            info.state = TaskInfoState::Error;
            info.error = Some(error.clone().into());
            info.complete_time = Some(now);
        });
        let (user, chain) = world.events.act_for(task.user.clone(), task.chain);
        lifecycle::failed(world, &task.of, &task.method, &error);
        world.events.act_for(user, chain);
    }

    /// Asks a question that no task waits for.
    pub(crate) fn ask(
        &mut self,
        world: &mut World,
        vm: &ManagedObjectReference,
        question: Question,
    ) {
        let asked = self.put(world, vm, question);
        self.questions.push(asked);
    }

    fn put(
        &mut self,
        world: &mut World,
        vm: &ManagedObjectReference,
        question: Question,
    ) -> PendingQuestion {
        self.made += 1;
        let id = self.made.to_string();
        let info = question.info(&id);
        set_question(world, vm, Some(info));
        lifecycle::asked(world, vm, question.text());
        PendingQuestion {
            vm: vm.clone(),
            id,
            question,
        }
    }

    /// Answers a question.
    pub(crate) fn answer(
        &mut self,
        world: &mut World,
        vm: &ManagedObjectReference,
        id: &str,
        key: &str,
    ) -> Result<(), SoapFault> {
        let is_it = |asked: &PendingQuestion| asked.vm == *vm && asked.id == id;
        let blocked = self
            .open
            .iter()
            .position(|open| open.asked.as_ref().is_some_and(is_it));
        let alone = self.questions.iter().position(is_it);
        let question = match (blocked, alone) {
            (Some(index), _) => self.open[index].asked.as_ref(),
            (None, Some(index)) => self.questions.get(index),
            (None, None) => None,
        };
        let Some(question) = question.map(|asked| asked.question.clone()) else {
            return Err(fault::concurrent_access());
        };
        let Some(then) = question.choice_of(key) else {
            return Err(fault::invalid_argument("answerChoice"));
        };
        set_question(world, vm, None);
        if let Some(index) = alone {
            self.questions.remove(index);
        }
        if let Some(index) = blocked {
            self.open[index].asked = None;
        }
        match then {
            Outcome::Proceed => {}
            Outcome::AskAgain => match blocked {
                Some(index) => self.open[index].steps.push_front(Step::Ask(question)),
                None => self.ask(world, vm, question),
            },
            Outcome::Fail(error) => {
                if let Some(index) = blocked {
                    let mut open = self.open.remove(index);
                    self.fail(world, &mut open, *error);
                }
            }
        }
        Ok(())
    }

    /// Cancels a task.
    pub(crate) fn cancel(
        &mut self,
        world: &mut World,
        task: &ManagedObjectReference,
    ) -> Result<(), SoapFault> {
        let info = world
            .read::<properties::Task>(task)
            .and_then(|task| task.info.as_deref());
        if !info.is_some_and(|info| info.cancelable) {
            return Err(fault::not_supported());
        }
        let Some(index) = self.open.iter().position(|open| open.task == *task) else {
            return Err(fault::invalid_state());
        };
        let mut open = self.open.remove(index);
        if let Some(asked) = &open.asked {
            set_question(world, &asked.vm, None);
        }
        self.fail(world, &mut open, localized(fault::request_canceled()));
        change(world, task, |info| info.cancelled = true);
        Ok(())
    }

    /// Puts a new task before the others in `recentTask` of its object and of the server, and removes the oldest finished
    /// ones.
    fn remember(
        &mut self,
        world: &mut World,
        of: Option<&ManagedObjectReference>,
        task: &ManagedObjectReference,
    ) {
        let open: HashSet<_> = self.open.iter().map(|open| &open.task).collect();
        let is_over = |task: &ManagedObjectReference| !open.contains(task);
        let mut forgotten = Vec::new();
        let listed = of.and_then(|of| {
            world.change(of, |entity: &mut properties::ManagedEntity| {
                entity.recent_task.insert(0, task.clone());
                while entity.recent_task.len() > KEPT
                    && let Some(oldest) = entity.recent_task.pop_if(|oldest| is_over(oldest))
                {
                    forgotten.push(oldest);
                }
            })
        });
        if listed.is_none() {
            self.unlisted.push_back(task.clone());
            while self.unlisted.len() > KEPT && self.unlisted.front().is_some_and(is_over) {
                forgotten.extend(self.unlisted.pop_front());
            }
        }
        let managers: Vec<_> = world.all("TaskManager").cloned().collect();
        for manager in managers {
            world.change(&manager, |manager: &mut properties::TaskManager| {
                manager.recent_task.insert(0, task.clone());
                while manager.recent_task.len() > KEPT_BY_SERVER
                    && manager
                        .recent_task
                        .pop_if(|oldest| is_over(oldest))
                        .is_some()
                {}
                if !forgotten.is_empty() {
                    manager.recent_task.retain(|one| !forgotten.contains(one));
                }
            });
        }
        for task in forgotten {
            world.remove(&task);
        }
    }

    /// The server's time, which advances with every task.
    pub(crate) fn time(&self) -> DateTime {
        let made = inventory::parts::MADE;
        DateTime::from_epoch_seconds(made + 86_400 + i64::try_from(self.made).unwrap_or(0))
    }
}

/// Whether a task waits for something before its last step. When the time is over, that step fails.
fn waits(world: &mut World, task: &mut OpenTask) -> bool {
    let (1, Some(wait)) = (task.steps.len(), task.wait.as_mut()) else {
        return false;
    };
    let (user, chain) = world.events.act_for(task.user.clone(), task.chain);
    let is_over = (wait.is_over)(world);
    world.events.act_for(user, chain);
    let is_late = !is_over && wait.until.is_some_and(|until| until <= Instant::now());
    if is_late {
        task.steps = [Step::Fail(Box::new(localized(fault::timedout())))].into();
    }
    if is_over || is_late {
        task.wait = None;
    }
    task.wait.is_some()
}

/// The object of the inventory that a task of an object is about. For a host's managers it is the host, for a browser its
/// datastore. Tasks of managers of the whole server have none.
fn entity(world: &World, of: &ManagedObjectReference) -> Option<ManagedObjectReference> {
    if world.read::<properties::ManagedEntity>(of).is_some() {
        return Some(of.clone());
    }
    if let Some(browser) = world.read::<properties::HostDatastoreBrowser>(of) {
        return match &browser.datastore[..] {
            [only] => Some(only.clone()),
            _ => None,
        };
    }
    let has_it = |host: &ManagedObjectReference| {
        let host = world.read::<properties::HostSystem>(host);
        let managers = host.and_then(|host| host.config_manager.as_deref());
        managers.is_some_and(|managers| {
            let managers = managers.as_object();
            let mut fields = managers.info().all_fields();
            fields.any(|field| managers.property(field.name) == Some(View::Moref(of)))
        })
    };
    inventory::hosts(world).into_iter().find(has_it)
}

/// Does the work of a task unless it is done, and returns the task's result.
fn work(world: &mut World, task: &mut OpenTask) -> Result<Option<Any>, SoapFault> {
    match (task.made.clone(), task.work.take()) {
        (Some(vm), _) => Ok(Some(Any::from(vm))),
        (None, Some(work)) => work(world),
        (None, None) => Ok(None),
    }
}

/// The machine that asks a task's questions: the task's own, or the one that it makes, which is made now.
fn work_before(
    world: &mut World,
    task: &mut OpenTask,
) -> Result<ManagedObjectReference, SoapFault> {
    if task.of.r#type == "VirtualMachine" {
        return Ok(task.of.clone());
    }
    match work(world, task)? {
        Some(Any::Moref(vm)) => Ok(task.made.insert(vm).clone()),
        _ => Ok(task.of.clone()),
    }
}

/// The steps of a task that follows a script.
fn steps(script: &Script) -> VecDeque<Step> {
    let count = script.steps.max(1);
    let mut steps = VecDeque::new();
    for step in 0..count {
        steps.push_back(Step::Progress(
            i32::try_from(100 * step / count).unwrap_or(99),
        ));
        for (after, question) in &script.questions {
            if *after == step || (step + 1 == count && *after > step) {
                steps.push_back(Step::Ask(question.clone()));
            }
        }
    }
    steps.push_back(match &script.fault {
        Some(fault) => Step::Fail(Box::new(localized(fault.clone()))),
        None => Step::Succeed,
    });
    steps
}

fn change(world: &mut World, task: &ManagedObjectReference, change: impl FnOnce(&mut TaskInfo)) {
    world.change(task, |task: &mut properties::Task| {
        task.info.as_deref_mut().map(change)
    });
}

fn set_question(
    world: &mut World,
    vm: &ManagedObjectReference,
    question: Option<vi_types::objects::VirtualMachineQuestionInfo>,
) {
    world.change(vm, |vm: &mut properties::VirtualMachine| {
        if let Some(runtime) = vm.runtime.as_deref_mut() {
            runtime.question = question.clone().map(Box::new);
        }
        if let Some(summary) = vm.summary.as_deref_mut() {
            summary.runtime.question = question.map(Box::new);
        }
    });
}

/// A fault of a call as the error of a task.
pub(crate) fn localized(fault: SoapFault) -> LocalizedMethodFault {
    let object = fault.detail.and_then(|detail| match detail {
        vi_types::Any::Object(object) => Poly::from_object(object).ok(),
        _ => None,
    });
    LocalizedMethodFault {
        fault: object.unwrap_or_default(),
        localized_message: Some(fault.string),
        ..LocalizedMethodFault::default()
    }
}

/// A fault for [`Script::fails`] and [`Outcome::fail`].
pub(crate) fn soap_fault(fault: impl Extends<MethodFault>, message: &str) -> SoapFault {
    SoapFault::new(fault, message)
}
