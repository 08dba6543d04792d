//! Tasks: work that continues on the server after the call that started it has returned.
//!
//! [`Client::run`](crate::Client::run) starts a task and waits for it:
//!
//! ```no_run
//! use vi_client::{Client, Error};
//! use vi_client::vi_types::ManagedObjectReference;
//! use vi_client::vi_types::methods::PowerOnVmTask;
//!
//! # async fn run(client: &Client, vm: ManagedObjectReference) -> Result<(), Error> {
//! let request = PowerOnVmTask { this: vm.clone(), ..PowerOnVmTask::default() };
//! client
//!     .run(&request)
//!     .questions_of(&vm)
//!     .on_progress(|info| tracing::info!(state = %info.state, percent = info.progress))
//!     .await?;
//! # Ok(()) }
//! ```
//!
//! [`Client::watch_task`](crate::Client::watch_task) only waits: for a task that exists already, or for a caller that
//! answers questions.

mod run;
mod watch;

pub use run::TaskRun;
pub use watch::{TaskEvent, TaskWatch};

use vi_types::enums::TaskInfoState;
use vi_types::objects::{LocalizedMethodFault, TaskInfo};
use vi_types::{SoapFault, TaskMethod};

use crate::Error;

/// The typed result of a task that has ended.
///
/// # Errors
/// [`Error::Task`] with the task's fault; [`Error::TaskResult`] if the result is not of the declared type.
pub fn task_result<M: TaskMethod>(info: TaskInfo) -> Result<M::Result, Error> {
    match info.state {
        TaskInfoState::Success => M::task_result(info.result).map_err(|error| Error::TaskResult {
            method: M::name(),
            error,
        }),
        _ => Err(Error::Task {
            method: M::name(),
            fault: Box::new(task_fault(info.error.map(|error| *error))),
        }),
    }
}

/// The fault of a task, in the form of a call's fault; its string is the server's localized message.
pub fn task_fault(error: Option<LocalizedMethodFault>) -> SoapFault {
    let Some(error) = error else {
        return SoapFault {
            code: "ServerFaultCode".to_owned(),
            string: "Unknown error".to_owned(),
            detail: None,
        };
    };
    error.into()
}
