//! How a call ended, in libvirt's words.

use vi_client::Error as Cause;
use vi_types::{
    SoapFault,
    objects::{ManagedObjectNotFound, TaskInProgress},
};
use virt_model::ErrorNumber;

use super::machine::{Fate, Job, Outcome, Stop};
use crate::{
    Domain, Error, ErrorKind, Result,
    question::{Question, Refusal},
};

/// What libvirt says of one of its functions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Words {
    /// What failed: `Could not start domain`.
    pub(crate) could_not: &'static str,
    /// What is wrong with the domain's state: `Domain is not powered off`.
    pub(crate) wrong_state: &'static str,
}

/// An outcome as the caller gets it.
pub(crate) fn result(outcome: Outcome<Cause>, words: Words, domain: &Domain) -> Result<()> {
    let could_not = |what: &str| format!("{}: {what}", words.could_not);
    Err(match outcome {
        Outcome::Done => return Ok(()),
        Outcome::Blocked(question, refusal, fate) => blocked(question, &refusal, fate, domain),
        Outcome::Unanswered(question, error, fate) => {
            let advice = format!(
                "the question '{}' stays unanswered{}",
                question.text,
                left_behind(fate)
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
            words.wrong_state,
        ),
        Outcome::Unread(error) if error.is_fault::<ManagedObjectNotFound>() => {
            crate::domain::no_domain_with_uuid(domain.uuid()).because(error)
        }
        Outcome::Unread(error) => error.into(),
        Outcome::Refused(error) if error.is_fault::<TaskInProgress>() => {
            other_task().because(error)
        }
        Outcome::Refused(error) => error.into(),
        Outcome::Failed(error) => failed(&could_not(&task_error(&error)), error),
        Outcome::InDoubt(error) => {
            let what = "the connection broke, and whether the host began is not known; it was not asked again";
            Error::new(
                ErrorKind::InDoubt,
                ErrorNumber::OperationFailed,
                could_not(what),
            )
            .because(error)
            .advise("look at the domain's state before you try again")
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
        Outcome::Vanished(job) => {
            let task = job.task;
            let what = format!("the host does not know the task '{task}' any more");
            Error::new(
                ErrorKind::InDoubt,
                ErrorNumber::OperationFailed,
                could_not(&what),
            )
            .advise("look at the domain's state before you try again")
        }
        Outcome::Unwatched(job, error) => Error::from(error).advise(goes_on(&job)),
        Outcome::TimedOut(job) => {
            let error = Error::new(
                ErrorKind::Timeout,
                ErrorNumber::OperationTimeout,
                could_not("it takes too long"),
            );
            match job {
                Some(job) => error.advise(goes_on(&job)),
                None => error.advise("nothing was started"),
            }
        }
        Outcome::Cancelled(stop) => cancelled(stop, could_not),
    })
}

fn blocked(question: Question, refusal: &Refusal, fate: Fate<Cause>, domain: &Domain) -> Error {
    // Texts and cases are libvirt's; the choices of rules and callbacks are none of its business.
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
        Refusal::ComesBack => {
            format!("{text}possible answers are {answers}, but it comes back when it is answered")
        }
    };
    let left = left_behind(fate);
    let advice = if question.choices.is_empty() {
        format!(
            "the question of '{}' has no answer that could be given{left}",
            domain.name()
        )
    } else {
        format!(
            "answer the question of '{}', or choose who answers{left}",
            domain.name()
        )
    };
    Error::new(ErrorKind::Blocked, ErrorNumber::InternalError, message)
        .advise(advice)
        .asking(question)
}

/// What became of the task that the question blocks.
fn left_behind(fate: Fate<Cause>) -> String {
    match fate {
        Fate::NotOurs => "; nothing was started".to_owned(),
        Fate::Cancelled => "; the blocked task was cancelled".to_owned(),
        Fate::NotCancelable => {
            "; the blocked task cannot be cancelled and is left behind".to_owned()
        }
        Fate::CancelFailed(error) => {
            format!("; the blocked task could not be cancelled and is left behind ({error})")
        }
    }
}

fn cancelled(stop: Stop<Cause>, could_not: impl Fn(&str) -> String) -> Error {
    let (what, cause) = match stop {
        Stop::NotStarted => ("it was cancelled before anything was started", None),
        Stop::NotOurs => (
            "it was cancelled while another task was waited for, which goes on; the requested one was not started",
            None,
        ),
        Stop::Ended(error) => {
            let what = format!("it was cancelled: {}", task_error(&error));
            return Error::new(
                ErrorKind::Cancelled,
                ErrorNumber::OperationAborted,
                could_not(&what),
            )
            .because(error);
        }
        Stop::TooLate => ("it was cancelled too late, and is done", None),
        Stop::Asked => (
            "the host was asked to cancel it, and is not done with that",
            None,
        ),
        Stop::NotCancelable => ("it cannot be cancelled, and goes on", None),
        Stop::Failed(error) => ("it could not be cancelled, and goes on", Some(error)),
    };
    let error = Error::new(
        ErrorKind::Cancelled,
        ErrorNumber::OperationAborted,
        could_not(what),
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

fn goes_on(job: &Job) -> String {
    if job.is_own {
        format!("the task '{}' goes on", job.task)
    } else {
        format!(
            "the task '{}', which was there before, goes on; the requested one was not started",
            job.task
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
