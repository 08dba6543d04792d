//! Starting a task and waiting for it.

use std::fmt;
use std::future::{IntoFuture, pending};
use std::time::Duration;

use futures_core::future::BoxFuture;
use vi_types::methods::CancelTask;
use vi_types::objects::TaskInfo;
use vi_types::{ManagedObjectReference, TaskMethod};

use super::{TaskEvent, TaskWatch, task_result};
use crate::{Client, Error};

/// A task that is to be started and waited for; nothing is sent before it is awaited.
///
/// A future that is dropped leaves the task to the server, and no filter behind.
#[must_use = "nothing happens before it is awaited"]
pub struct TaskRun<'a, M> {
    client: &'a Client,
    request: &'a M,
    vm: Option<ManagedObjectReference>,
    progress: Option<Telling<'a>>,
    deadline: Option<Duration>,
    cancelled: Option<BoxFuture<'a, ()>>,
}

/// Who is told of progress.
type Telling<'a> = Box<dyn FnMut(&TaskInfo) + Send + 'a>;

impl Client {
    /// Starts a task and waits for its end.
    ///
    /// The request is sent once: if the connection breaks before its answer is there, whether the task was started is
    /// not known ([`Error::is_broken`]).
    pub fn run<'a, M: TaskMethod<Output = ManagedObjectReference>>(
        &'a self,
        request: &'a M,
    ) -> TaskRun<'a, M> {
        TaskRun {
            client: self,
            request,
            vm: None,
            progress: None,
            deadline: None,
            cancelled: None,
        }
    }
}

impl<'a, M: TaskMethod<Output = ManagedObjectReference>> TaskRun<'a, M> {
    /// Ends with [`Error::Question`] when that virtual machine asks something: without an answer the task would not go
    /// on. It waits then; [`Client::watch_task`] is for those who have an answer.
    pub fn questions_of(mut self, vm: &ManagedObjectReference) -> Self {
        self.vm = Some(vm.clone());
        self
    }

    /// Tells how far the task is, each time that changes: its `state` and its `progress` in percent.
    pub fn on_progress(mut self, told: impl FnMut(&TaskInfo) + Send + 'a) -> Self {
        self.progress = Some(Box::new(told));
        self
    }

    /// Waits no longer than that, from when the task was started: [`Error::TaskDeadline`]. The task goes on.
    pub fn deadline(mut self, after: Duration) -> Self {
        self.deadline = Some(after);
        self
    }

    /// Asks the server to cancel the task when that future ends, and goes on waiting for what comes of it: the fault
    /// `RequestCanceled`, or success if the task was faster. A task that cannot be cancelled gives the fault of
    /// `CancelTask`, and goes on.
    pub fn cancelled_by(mut self, when: impl Future<Output = ()> + Send + 'a) -> Self {
        self.cancelled = Some(Box::pin(when));
        self
    }

    async fn finish(mut self) -> Result<M::Result, Error> {
        let task: ManagedObjectReference = self.client.call(self.request).await?;
        let end = match self.deadline {
            None => self.follow(&task).await,
            Some(after) => match tokio::time::timeout(after, self.follow(&task)).await {
                Ok(end) => end,
                Err(_) => Err(Error::TaskDeadline {
                    method: M::name(),
                    task,
                    after,
                }),
            },
        };
        task_result::<M>(end?)
    }

    async fn follow(&mut self, task: &ManagedObjectReference) -> Result<TaskInfo, Error> {
        let wants_progress = self.progress.is_some();
        let mut watch = self
            .client
            .watch_task(task, self.vm.as_ref(), wants_progress)
            .await?;
        let end = self.wait(&mut watch).await;
        watch.close().await;
        end
    }

    async fn wait(&mut self, watch: &mut TaskWatch) -> Result<TaskInfo, Error> {
        let method = M::name();
        let task = watch.task().clone();
        let mut cancelled = self.cancelled.take();
        loop {
            let event = tokio::select! {
                event = watch.next() => event,
                () = ended(&mut cancelled) => {
                    cancelled = None;
                    let this = task.clone();
                    self.client.call(&CancelTask { this, ..Default::default() }).await?;
                    continue;
                }
            };
            match event.transpose()? {
                Some(TaskEvent::Progress(info)) => {
                    if let Some(told) = &mut self.progress {
                        told(&info);
                    }
                }
                Some(TaskEvent::Answered) => {}
                Some(TaskEvent::Done(info)) => return Ok(*info),
                Some(TaskEvent::Question(question)) => {
                    return Err(Error::Question {
                        method,
                        task,
                        question,
                    });
                }
                Some(TaskEvent::Gone) | None => return Err(Error::TaskGone { method, task }),
            }
        }
    }
}

/// Waits for the future that is there; for ever if there is none.
async fn ended(future: &mut Option<BoxFuture<'_, ()>>) {
    match future {
        Some(future) => future.await,
        None => pending().await,
    }
}

impl<'a, M: TaskMethod<Output = ManagedObjectReference>> IntoFuture for TaskRun<'a, M> {
    type Output = Result<M::Result, Error>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.finish())
    }
}

impl<M> fmt::Debug for TaskRun<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskRun").finish_non_exhaustive()
    }
}
