//! One task, and the questions that may block it.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;
use vi_types::enums::{ObjectUpdateKind, TaskInfoState};
use vi_types::objects::{
    LocalizedMethodFault, ManagedObjectNotFound, ObjectSpec, ObjectUpdate, PropertyChange,
    PropertyFilterSpec, PropertySpec, TaskInfo, VirtualMachineQuestionInfo,
};
use vi_types::{Any, FromAny, ManagedObjectReference};

use crate::{Client, Error, Watch};

/// An event of a watched task.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum TaskEvent {
    /// The task is queued or running: `state` and, if it is watched, `progress` in percent.
    Progress(Box<TaskInfo>),
    /// The host asks a question about the virtual machine, and the task waits for the answer.
    Question(Box<VirtualMachineQuestionInfo>),
    /// The question has been answered.
    Answered,
    /// The task has ended: see its `state`, `error` and `result`. This is the last event.
    Done(Box<TaskInfo>),
    /// The server has forgotten the task. This is the last event.
    Gone,
}

/// Watches a task and, optionally, the questions of its virtual machine, with one property filter.
///
/// A stream of [`TaskEvent`]s that ends with [`Done`](TaskEvent::Done) or [`Gone`](TaskEvent::Gone). Each question comes
/// once. A broken connection and an ended session are repaired as in every [`Watch`]; an open question may come again
/// afterwards. Dropping the watch destroys the filter in the background; [`close`](Self::close) waits for that.
#[derive(Debug)]
pub struct TaskWatch {
    watch: Option<Watch>,
    task: ManagedObjectReference,
    /// The watched properties of the task, as last reported.
    info: TaskInfo,
    /// Whether the server has reported `info.cancelable`.
    is_reported: bool,
    question: Option<String>,
    events: VecDeque<TaskEvent>,
    is_over: bool,
}

impl Client {
    /// Watches a task; with `vm` also the questions of that virtual machine, and with `progress` also the percentage (one
    /// answer of the server for each step).
    ///
    /// # Errors
    /// As [`watch`](Self::watch). A task that does not exist is [`TaskEvent::Gone`].
    pub async fn watch_task(
        &self,
        task: &ManagedObjectReference,
        vm: Option<&ManagedObjectReference>,
        progress: bool,
    ) -> Result<TaskWatch, Error> {
        let mut watched = TaskWatch {
            watch: None,
            task: task.clone(),
            info: TaskInfo {
                task: task.clone(),
                ..TaskInfo::default()
            },
            is_reported: false,
            question: None,
            events: VecDeque::new(),
            is_over: false,
        };
        match self.watch(spec(task, vm, progress)).await {
            Ok(watch) => watched.watch = Some(watch),
            Err(error) if is_gone(&error, task) => watched.end(TaskEvent::Gone),
            Err(error) => return Err(error),
        }
        Ok(watched)
    }
}

impl TaskWatch {
    /// The task.
    pub fn task(&self) -> &ManagedObjectReference {
        &self.task
    }

    /// Whether the task can be cancelled, as last reported by the server; `None` before the first report.
    pub fn is_cancelable(&self) -> Option<bool> {
        self.is_reported.then_some(self.info.cancelable)
    }

    /// The next event; `None` after the last one.
    ///
    /// # Errors
    /// The reason why watching failed. The task continues.
    pub async fn next(&mut self) -> Option<Result<TaskEvent, Error>> {
        poll_fn(|context| self.poll(context)).await
    }

    /// Destroys the filter and waits until it is destroyed.
    pub async fn close(mut self) {
        if let Some(watch) = self.watch.take() {
            watch.close().await;
        }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<TaskEvent, Error>>> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Poll::Ready(Some(Ok(event)));
            }
            let Some(watch) = self.watch.as_mut().filter(|_| !self.is_over) else {
                return Poll::Ready(None);
            };
            match watch.poll_next(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(updates)) => self.take(updates),
                Poll::Ready(Err(error)) if is_gone(&error, &self.task) => self.end(TaskEvent::Gone),
                Poll::Ready(Err(error)) => {
                    self.is_over = true;
                    let error = Arc::try_unwrap(error).unwrap_or_else(Error::Shared);
                    return Poll::Ready(Some(Err(error)));
                }
            }
        }
    }

    fn take(&mut self, updates: Vec<ObjectUpdate>) {
        // The task's end before the question, because a task that has ended waits for no answer.
        let (tasks, machines): (Vec<_>, Vec<_>) = updates
            .into_iter()
            .partition(|update| update.obj == self.task);
        for update in tasks {
            if update.kind == ObjectUpdateKind::Leave {
                return self.end(TaskEvent::Gone);
            }
            for change in update.change_set {
                self.is_reported |= change.name == "info.cancelable";
                note(&mut self.info, change);
            }
            match self.info.state {
                TaskInfoState::Success | TaskInfoState::Error => {
                    return self.end(TaskEvent::Done(Box::new(self.info.clone())));
                }
                _ => {
                    let event = TaskEvent::Progress(Box::new(self.info.clone()));
                    self.events.push_back(event);
                }
            }
        }
        for change in machines.into_iter().flat_map(|update| update.change_set) {
            let asked: Option<VirtualMachineQuestionInfo> = value(change).flatten();
            let id = asked.as_ref().map(|asked| asked.id.clone());
            let before = std::mem::replace(&mut self.question, id);
            match asked {
                Some(asked) => self.events.push_back(TaskEvent::Question(Box::new(asked))),
                None if before.is_some() => self.events.push_back(TaskEvent::Answered),
                None => {}
            }
        }
    }

    fn end(&mut self, event: TaskEvent) {
        self.events.clear();
        self.events.push_back(event);
        self.is_over = true;
    }
}

impl Stream for TaskWatch {
    type Item = Result<TaskEvent, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll(context)
    }
}

fn spec(
    task: &ManagedObjectReference,
    vm: Option<&ManagedObjectReference>,
    progress: bool,
) -> PropertyFilterSpec {
    let of = |ty: &str, paths: &[&str]| PropertySpec {
        r#type: ty.to_owned(),
        all: Some(false),
        path_set: paths.iter().map(|&path| path.to_owned()).collect(),
        ..Default::default()
    };
    let mut info = vec!["info.state", "info.error", "info.result", "info.cancelable"];
    if progress {
        info.push("info.progress");
    }
    let machine = vm.map(|_| of("VirtualMachine", &["runtime.question"]));
    PropertyFilterSpec {
        prop_set: [of("Task", &info)].into_iter().chain(machine).collect(),
        object_set: [task]
            .into_iter()
            .chain(vm)
            .map(|object| ObjectSpec {
                obj: object.clone(),
                ..ObjectSpec::default()
            })
            .collect(),
        ..PropertyFilterSpec::default()
    }
}

/// Stores a changed property of the task.
fn note(info: &mut TaskInfo, change: PropertyChange) {
    match change.name.as_str() {
        "info.state" => info.state = value(change).unwrap_or_default(),
        "info.error" => {
            info.error = value::<Option<LocalizedMethodFault>>(change)
                .flatten()
                .map(Box::new);
        }
        "info.result" => info.result = change.val,
        "info.cancelable" => info.cancelable = value(change).unwrap_or_default(),
        "info.progress" => info.progress = value(change).flatten(),
        _ => {}
    }
}

fn value<T: FromAny>(change: PropertyChange) -> Option<T> {
    let path = change.name;
    match change.val.unwrap_or(Any::None).cast() {
        Ok(value) => Some(value),
        Err(error) => {
            tracing::warn!(path, %error, "a change cannot be read");
            None
        }
    }
}

/// Whether the error means that the task does not exist.
fn is_gone(error: &Error, task: &ManagedObjectReference) -> bool {
    let fault = error.fault();
    let gone = fault.and_then(|fault| fault.cast::<ManagedObjectNotFound>());
    gone.is_some_and(|gone| gone.obj == *task)
}
