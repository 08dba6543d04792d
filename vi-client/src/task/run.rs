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

/// Starts a task and waits for its end, when awaited.
///
/// If the future is dropped, the task continues on the server and the property filter is destroyed.
#[must_use = "a task is started only when this is awaited"]
pub struct TaskRun<'a, M> {
    client: &'a Client,
    request: &'a M,
    vm: Option<ManagedObjectReference>,
    progress: Option<ProgressCallback<'a>>,
    deadline: Option<Duration>,
    cancelled: Option<BoxFuture<'a, ()>>,
}

/// Called for each change of a task's progress.
type ProgressCallback<'a> = Box<dyn FnMut(&TaskInfo) + Send + 'a>;

impl Client {
    /// Starts a task and waits for its end.
    ///
    /// The request is sent once: if the connection breaks before the answer, whether the task was started is unknown
    /// ([`Error::is_broken`]).
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
    /// Fails with [`Error::Question`] if the host asks a question about this virtual machine, because the task would wait
    /// for the answer. To answer questions, use [`Client::watch_task`].
    pub fn questions_of(mut self, vm: &ManagedObjectReference) -> Self {
        self.vm = Some(vm.clone());
        self
    }

    /// Calls `callback` for each change of the task's `state` or of its `progress` in percent.
    pub fn on_progress(mut self, callback: impl FnMut(&TaskInfo) + Send + 'a) -> Self {
        self.progress = Some(Box::new(callback));
        self
    }

    /// Gives up waiting `after` the task was started, with [`Error::TaskDeadline`]. The task continues.
    pub fn deadline(mut self, after: Duration) -> Self {
        self.deadline = Some(after);
        self
    }

    /// Cancels the task when the future `when` ends, and waits for the outcome: the fault `RequestCanceled`, or success if
    /// the task was faster. If the task cannot be cancelled, the error is the fault of `CancelTask`, and the task
    /// continues.
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
                    if let Some(callback) = &mut self.progress {
                        callback(&info);
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

/// Waits for the future; forever if there is none.
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
