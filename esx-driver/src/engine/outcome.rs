//! How a call ended, in libvirt's words.

use std::time::Duration;

use vi_client::Error as Cause;
use vi_types::{
    SoapFault,
    objects::{ManagedObjectNotFound, TaskInProgress},
};
use virt_model::ErrorNumber;

use super::change::Machine;
use super::state::{AwaitedTask, BlockedTask, Cancelled, Interrupt, Outcome, Underway};
use crate::{Error, ErrorKind, Result, policy::Refusal, question::Question};

/// What the texts say besides the outcome.
pub(super) struct Context<'a> {
    /// What failed, in libvirt's words: `Could not start domain`.
    pub(super) could_not: &'a str,
    /// libvirt's text for a power state that the change cannot start from: `Domain is not powered off`.
    pub(super) wrong_state: &'static str,
    /// The caller's deadline.
    pub(super) deadline: Option<Duration>,
    /// Whether the call starts a task.
    pub(super) is_task: bool,
    /// The machine of the change, if it has one that is known.
    pub(super) machine: Option<&'a Machine>,
}

/// An outcome as the caller gets it.
pub(super) fn result<T>(outcome: Outcome<Cause, T>, context: &Context<'_>) -> Result<T> {
    let could_not = |what: &str| format!("{}: {what}", context.could_not);
    let in_doubt = |what: &str| {
        Error::new(
            ErrorKind::InDoubt,
            ErrorNumber::OperationFailed,
            could_not(what),
        )
        .advise(match context.machine {
            Some(_) => "look at the domain's state before you try again",
            None => "look whether it was done before you try again",
        })
    };
    Err(match outcome {
        Outcome::Done(value) => return Ok(value),
        Outcome::Blocked(question, refusal, task) => blocked(question, &refusal, task, context),
        Outcome::AnswerFailed(question, error, task) => {
            let advice = format!(
                "the question '{}' stays unanswered{}",
                question.text,
                left_behind(task)
            );
            Error::from(error)
                .with_kind(ErrorKind::Blocked)
                .advise(advice)
                .asking(question)
        }
        Outcome::OtherTask => other_task(),
        Outcome::WrongState => Error::new(
            ErrorKind::WrongState,
            ErrorNumber::OperationInvalid,
            context.wrong_state,
        ),
        Outcome::Unread(error) => match context.machine {
            Some(machine) if error.is_fault::<ManagedObjectNotFound>() => {
                (machine.not_found)(&machine.asker).because(error)
            }
            _ => error.into(),
        },
        Outcome::Refused(error) if error.is_fault::<TaskInProgress>() => {
            other_task().because(error)
        }
        Outcome::Refused(error) => error.into(),
        Outcome::Failed(error) => failed(&could_not(&task_error(&error)), error),
        Outcome::NotDone(error) => Error::new(
            ErrorKind::NotDone,
            ErrorNumber::OperationFailed,
            could_not("the connection broke, and the host shows that it was not done"),
        )
        .because(error)
        .advise("try again"),
        Outcome::InDoubt(error) => {
            let what = match context.is_task {
                true => "began",
                false => "did it",
            };
            let what = format!(
                "the connection broke, and whether the host {what} is not known; it was not asked again"
            );
            in_doubt(&what).because(error)
        }
        Outcome::NotStarted(other) => {
            let how = match &other {
                None => "it is over".to_owned(),
                Some(error) => format!("it ended with {}", task_error(error)),
            };
            let message = could_not(&format!(
                "a question of another task was answered; {how}, and the requested task was not started"
            ));
            let error = Error::new(
                ErrorKind::NotStarted,
                ErrorNumber::OperationInvalid,
                message,
            )
            .advise("try again");
            match other {
                Some(other) => error.because(other),
                None => error,
            }
        }
        Outcome::Vanished(task) => in_doubt(&format!(
            "the host does not know the task '{}' any more",
            task.task
        )),
        Outcome::Unwatched(task, error) if task.is_own => {
            let what = format!(
                "the host accepted it as the task '{}', which goes on; what comes of it is not known: {error}",
                task.task
            );
            in_doubt(&what).because(error)
        }
        Outcome::Unwatched(task, error) => Error::from(error).note(&goes_on(&task)),
        Outcome::TimedOut(underway) => timed_out(context.could_not, context.deadline, &underway),
        Outcome::Cancelled(end) => cancelled(end, context.could_not),
    })
}

/// The caller interrupted the operation before its change, or between two changes.
pub(super) fn not_started(
    interrupt: Interrupt,
    could_not: &str,
    deadline: Option<Duration>,
    has_changed: bool,
) -> Error {
    match interrupt {
        Interrupt::CallerCancels if has_changed => {
            let message = format!("{could_not}: it was cancelled on its way");
            Error::new(ErrorKind::Cancelled, ErrorNumber::OperationAborted, message)
        }
        Interrupt::CallerCancels => cancelled(Cancelled::NotStarted, could_not),
        Interrupt::TimeIsUp if has_changed => {
            let seconds = deadline.unwrap_or_default().as_secs_f64();
            let message = format!("{could_not}: it was not over within {seconds} s");
            Error::new(ErrorKind::Timeout, ErrorNumber::OperationTimeout, message)
        }
        Interrupt::TimeIsUp => timed_out(could_not, deadline, &Underway::Nothing),
    }
}

fn timed_out(could_not: &str, deadline: Option<Duration>, underway: &Underway) -> Error {
    let seconds = deadline.unwrap_or_default().as_secs_f64();
    let (kind, what, outcome) = match underway {
        Underway::Nothing => (
            ErrorKind::Timeout,
            "it was not started",
            "nothing was started".to_owned(),
        ),
        Underway::Task(task) => (ErrorKind::Timeout, "the task did not finish", goes_on(task)),
        Underway::Call => (
            ErrorKind::InDoubt,
            "the host did not answer",
            UNKNOWN.to_owned(),
        ),
    };
    let message = format!("{could_not}: {what} within {seconds} s");
    Error::new(kind, ErrorNumber::OperationTimeout, message).note(&outcome)
}

const UNKNOWN: &str = "whether the host does it is not known";

fn blocked(
    question: Question,
    refusal: &Refusal,
    task: BlockedTask<Cause>,
    context: &Context<'_>,
) -> Error {
    // The texts of the first three cases are libvirt's (esxVI_HandleVirtualMachineQuestion, 9.0.0), which has neither
    // rules nor callbacks.
    let text = format!(
        "Pending question blocks virtual machine execution, question is '{}', ",
        question.text
    );
    let answers = question.possible_answers();
    let message = match refusal {
        Refusal::NoChoices => format!("{text}no possible answers"),
        Refusal::NoDefault => {
            format!("{text}possible answers are {answers}, but no default answer is specified")
        }
        Refusal::Policy => format!("{text}possible answers are {answers}"),
        Refusal::NoSuchChoice(wanted) => format!(
            "{text}possible answers are {answers}, but it was to be answered with '{wanted}'"
        ),
        Refusal::Endless(count) => format!(
            "{text}possible answers are {answers}, but the host has asked {count} others, which were answered"
        ),
        Refusal::ComesBack => {
            format!("{text}possible answers are {answers}, but it comes back when it is answered")
        }
    };
    let is_left = !matches!(task, BlockedTask::Cancelled);
    let left = left_behind(task);
    let name = context.machine.map_or("", |machine| machine.asker.name());
    let advice = if question.choices.is_empty() {
        format!("the question of '{name}' has no answer that could be given{left}")
    } else {
        format!("answer the question of '{name}', or choose who answers{left}")
    };
    Error::new(ErrorKind::Blocked, ErrorNumber::InternalError, message)
        .advise(advice)
        .asking(question)
        .leaving_question(is_left)
}

/// What became of the task that the question blocks.
fn left_behind(task: BlockedTask<Cause>) -> String {
    match task {
        BlockedTask::NotOurs => "; nothing was started".to_owned(),
        BlockedTask::Cancelled => "; the blocked task was cancelled".to_owned(),
        BlockedTask::NotCancelable => {
            "; the blocked task cannot be cancelled and is left behind".to_owned()
        }
        BlockedTask::CancelFailed(error) => {
            format!("; the blocked task could not be cancelled and is left behind ({error})")
        }
    }
}

fn cancelled(end: Cancelled<Cause>, could_not: &str) -> Error {
    let (what, cause) = match end {
        Cancelled::NotStarted => ("it was cancelled before anything was started".to_owned(), None),
        Cancelled::NotOurs => (
            "it was cancelled while another task was waited for, which goes on; the requested one was not started"
                .to_owned(),
            None,
        ),
        Cancelled::Ended(error) => {
            let what = format!("it was cancelled: {}", task_error(&error));
            (what, Some(error))
        }
        Cancelled::TooLate => ("it was cancelled too late, and is done".to_owned(), None),
        Cancelled::Requested => (
            "the host was asked to cancel it, and is not done with that".to_owned(),
            None,
        ),
        Cancelled::NotCancelable => ("it cannot be cancelled, and goes on".to_owned(), None),
        Cancelled::Failed(error) => (
            "it could not be cancelled, and goes on".to_owned(),
            Some(error),
        ),
        Cancelled::Calling => {
            let message = format!("{could_not}: it was cancelled before the host answered");
            return Error::new(ErrorKind::Cancelled, ErrorNumber::OperationAborted, message)
                .note(UNKNOWN);
        }
    };
    let error = Error::new(
        ErrorKind::Cancelled,
        ErrorNumber::OperationAborted,
        format!("{could_not}: {what}"),
    );
    match cause {
        Some(cause) => error.because(cause),
        None => error,
    }
}

fn failed(message: &str, cause: Cause) -> Error {
    Error::new(ErrorKind::TaskFailed, ErrorNumber::InternalError, message).because(cause)
}

fn other_task() -> Error {
    Error::new(
        ErrorKind::TaskPending,
        ErrorNumber::OperationInvalid,
        "Other tasks are pending for this domain",
    )
    .advise("wait until they are over, and try again")
}

fn goes_on(task: &AwaitedTask) -> String {
    let name = &task.task;
    if task.is_own {
        format!("the task '{name}' goes on")
    } else {
        format!(
            "the task '{name}', which was there before, goes on; the requested one was not started"
        )
    }
}

/// How a task failed, as libvirt says it: the fault's type and the server's text.
fn task_error(error: &Cause) -> String {
    match error.fault() {
        // Without a fault's name there is nothing but the text.
        Some(SoapFault {
            detail: None,
            string,
            ..
        }) => string.clone(),
        Some(fault) => fault.to_string(),
        None => error.to_string(),
    }
}
