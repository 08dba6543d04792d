use std::sync::Arc;
use std::time::Duration;

use vi_types::objects::{
    InvalidLogin, ManagedObjectNotFound, NotAuthenticated, VirtualMachineQuestionInfo,
};
use vi_types::{CastError, DataObject, DecodeError, ManagedObjectReference, SoapFault, Throws};

use crate::TooNew;
use crate::retrieve::PropertyError;
use crate::transport::TransportError;

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A text of the request has a character that XML cannot carry. Nothing was sent: with another character in its place, a
    /// password would be a wrong one, which can lock an account.
    #[error(
        "{method} was not sent: its '{parameter}' has a character that XML cannot carry (a control character, U+FFFE or U+FFFF)"
    )]
    Unsendable {
        /// The method that was to be called.
        method: &'static str,
        /// The path of the parameter, without its value.
        parameter: String,
    },
    /// The server answered with a fault.
    #[error("{method}: {fault}")]
    Fault {
        /// The method called.
        method: &'static str,
        /// The fault, with its detail.
        fault: Box<SoapFault>,
    },
    /// The request did not reach the server, or the answer did not arrive completely.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The answer could not be decoded.
    #[error("{method}: the answer cannot be decoded: {error}")]
    Decode {
        /// The method called.
        method: &'static str,
        /// The mistake and its place in the message.
        error: DecodeError,
    },
    /// The compressed answer is damaged.
    #[error("{method}: the answer's compression is damaged: {reason}")]
    Compression {
        /// The method called.
        method: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The other side is not a VI server, or something else has answered in the place of a VI server, such as a proxy.
    #[error("{} answered {method} with {response}", if *.is_known {
        "something other than the VI server, such as a proxy,"
    } else {
        "this is not a VI server: it"
    })]
    NotVi {
        /// The method called.
        method: &'static str,
        /// Whether a VI server has answered this client before.
        is_known: bool,
        /// Its answer.
        response: Box<UnexpectedResponse>,
    },
    /// The server answered with an HTTP status instead of a result.
    #[error("HTTP response code {status} for call to '{method}'{}", reason_phrase(*.status))]
    Status {
        /// The method called.
        method: &'static str,
        /// The HTTP status.
        status: u16,
    },
    /// The server refused to download or upload a file of a datastore.
    #[error("HTTP response code {status} for {action} '{path}'{}", reason_phrase(*.status))]
    File {
        /// `download from`, `upload to`, `look at` or `delete`.
        action: &'static str,
        /// The path and query of the file's URL.
        path: String,
        /// The HTTP status.
        status: u16,
    },
    /// The server answered the request for a range of a file with something else.
    #[error("the server answered the request for {asked} of '{path}' with {answered}")]
    Range {
        /// The path and query of the file's URL.
        path: String,
        /// The `Range` asked for.
        asked: String,
        /// What the answer says about its range.
        answered: String,
    },
    /// What was to be uploaded cannot be read; the server may have a part of it.
    #[error("what is to be uploaded cannot be read: {0}")]
    Source(#[source] std::io::Error),
    /// The upload has to be sent again, and its source can be read only once. The server may have a part of it.
    #[error(
        "the upload to '{path}' has to be sent again from its start after {sent} bytes, and its source can be read only once"
    )]
    SourceUsed {
        /// The path and query of the file's URL.
        path: String,
        /// How many bytes were read from the source.
        sent: u64,
    },
    /// The server redirects. Redirects are never followed, so that the password goes to the intended server only.
    #[error("the server redirects from '{from}' to '{to}'")]
    Redirect {
        /// The path asked for.
        from: String,
        /// Its `Location`.
        to: String,
    },
    /// The server gives more than the [`Limits`](crate::Limits) allow.
    #[error("{method}: the server gives more than {limit}")]
    Excess {
        /// The method called.
        method: &'static str,
        /// The limit, such as `100000 objects`.
        limit: String,
    },
    /// No answer within the deadline. Whether the server ran the request is unknown.
    #[error("{method}: no answer after {} s", .after.as_secs_f32())]
    Deadline {
        /// The method called.
        method: &'static str,
        /// The deadline.
        after: Duration,
    },
    /// The answer has begun, and stands still or comes so slowly that it might as well. Whether the server ran the request
    /// is unknown.
    #[error("{method}: the answer stands still: only {received} bytes more came within {} s", .after.as_secs_f32())]
    StandsStill {
        /// The method called.
        method: &'static str,
        /// How many bytes came in that time.
        received: usize,
        /// How long an answer may stand still.
        after: Duration,
    },
    /// The server has no such service: the member of its service content is not set.
    #[error("{method}: the server has no {member}")]
    NoSuchService {
        /// The method called.
        method: &'static str,
        /// The member of `ServiceContent`.
        member: &'static str,
    },
    /// The request needs a newer version of the API than the server's; nothing was sent.
    #[error(transparent)]
    TooNew(#[from] Box<TooNew>),
    /// The session had ended and could not be renewed.
    #[error("the session has ended and cannot be renewed: {0}")]
    Renewal(Arc<Error>),
    /// A property is missing, or its value is not of the expected type.
    #[error(transparent)]
    Property(#[from] PropertyError),
    /// The server returned nothing for an object whose properties were read: the object does not exist, or it is of
    /// another type than the [`PropertySet`](crate::retrieve::PropertySet).
    #[error("the server returned no properties of {object}")]
    NoObject {
        /// The object.
        object: ManagedObjectReference,
    },
    /// A task ended with a fault.
    #[error("{method}: {fault}")]
    Task {
        /// The method that started the task.
        method: &'static str,
        /// The fault, with its detail; the string is empty when the server gives no text.
        fault: Box<SoapFault>,
    },
    /// A task succeeded with a result of another type than its method declares.
    #[error("{method}: the task's result cannot be read: {error}")]
    TaskResult {
        /// The method that started the task.
        method: &'static str,
        /// The expected type and the found one.
        error: CastError,
    },
    /// The server has forgotten a task, so its outcome is unknown.
    #[error("{method}: the server does not know the task {task} any more")]
    TaskGone {
        /// The method that started the task.
        method: &'static str,
        /// The task.
        task: ManagedObjectReference,
    },
    /// A task did not finish within the deadline. It continues on the server.
    #[error("{method}: the task {task} is not over after {} s and goes on", .after.as_secs_f32())]
    TaskDeadline {
        /// The method that started the task.
        method: &'static str,
        /// The task.
        task: ManagedObjectReference,
        /// The deadline.
        after: Duration,
    },
    /// The host asks a question about the task's virtual machine, and the task waits for the answer.
    #[error("{method}: a question blocks the task {task}: {}", .question.text)]
    Question {
        /// The method that started the task.
        method: &'static str,
        /// The task.
        task: ManagedObjectReference,
        /// The question.
        question: Box<VirtualMachineQuestionInfo>,
    },
    /// Watching brings nothing, although the server answers.
    #[error("{method}: the server {behaviour}, {rounds} times in a row")]
    Stalled {
        /// The method called.
        method: &'static str,
        /// What the server does, such as `answers at once that nothing has changed`.
        behaviour: &'static str,
        /// How often in a row.
        rounds: u32,
    },
    /// An error of a call that several watches share.
    #[error(transparent)]
    Shared(Arc<Error>),
    /// The client is closed.
    #[error("{method}: the connection is closed")]
    Closed {
        /// The method called.
        method: &'static str,
    },
}

impl Error {
    /// The fault that the server answered with, that a task ended with, or that prevented a new login.
    pub fn fault(&self) -> Option<&SoapFault> {
        match self {
            Self::Fault { fault, .. } | Self::Task { fault, .. } => Some(fault),
            Self::Renewal(error) | Self::Shared(error) => error.fault(),
            _ => None,
        }
    }

    /// Whether the server answered with a fault of type `T` or a descendant.
    pub fn is_fault<T: DataObject>(&self) -> bool {
        self.fault().is_some_and(SoapFault::is::<T>)
    }

    /// The server's fault as an `F`, if it is one or a descendant. `F` must be a fault that the method `M` declares.
    ///
    /// [`match_fault!`](crate::match_fault) matches several faults.
    ///
    /// ```
    /// # use vi_client::Error;
    /// use vi_client::vi_types::methods::PowerOnVmTask;
    /// use vi_client::vi_types::objects::TaskInProgress;
    ///
    /// # fn run(error: &Error) {
    /// if let Some(fault) = error.declared::<PowerOnVmTask, TaskInProgress>() {
    ///     tracing::info!(task = %fault.task, "another task is running");
    /// }
    /// # }
    /// ```
    ///
    /// A fault that the method doesn't declare does not compile:
    ///
    /// ```compile_fail,E0277
    /// # fn run(error: &vi_client::Error) {
    /// error.declared::<vi_types::methods::PowerOnVmTask, vi_types::objects::InvalidLogin>();
    /// # }
    /// ```
    pub fn declared<M: Throws<F>, F: DataObject>(&self) -> Option<&F> {
        self.fault()?.cast()
    }

    /// Whether the server requires a login first.
    pub fn is_not_authenticated(&self) -> bool {
        self.fault().is_some_and(not_authenticated)
    }

    /// Whether the object that was read, or that a method was called on, does not exist: the server says
    /// `ManagedObjectNotFound`, or returned nothing for it ([`Error::NoObject`]).
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NoObject { .. }) || self.is_fault::<ManagedObjectNotFound>()
    }

    /// Whether the answer was lost: the connection broke, the deadline passed, the server is too busy, or something else has
    /// answered in its place. Whether the server ran the request is unknown; a request that only reads may be sent again.
    /// (The client sends such a request again several times by itself, except after a deadline.)
    pub fn is_broken(&self) -> bool {
        match self {
            Self::Transport(_)
            | Self::Deadline { .. }
            | Self::StandsStill { .. }
            | Self::Compression { .. } => true,
            Self::Status { status, .. } | Self::File { status, .. } => {
                matches!(status, 429 | 502..=504)
            }
            Self::NotVi { is_known, .. } => *is_known,
            Self::Renewal(error) | Self::Shared(error) => error.is_broken(),
            _ => false,
        }
    }

    /// Whether the server refused the user name or the password.
    pub fn is_invalid_login(&self) -> bool {
        self.is_fault::<InvalidLogin>()
    }
}

/// An HTTP answer of something other than a VI server.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{status}{}, {}, {}",
    reason_phrase(*.status),
    .content_type.as_deref().unwrap_or("no content type"),
    if .beginning.is_empty() { "nothing in it".to_owned() } else { format!("beginning with \"{}\"", .beginning) }
)]
pub struct UnexpectedResponse {
    /// The HTTP status.
    pub status: u16,
    /// Its `Content-Type`.
    pub content_type: Option<String>,
    /// The first characters of the answer, on one line.
    pub beginning: String,
}

fn reason_phrase(status: u16) -> String {
    http::StatusCode::from_u16(status)
        .ok()
        .and_then(|status| status.canonical_reason())
        .map(|reason| format!(" ({reason})"))
        .unwrap_or_default()
}

/// Whether a fault means that there is no session. Hosts up to 5.x send it without a detail.
pub(crate) fn not_authenticated(fault: &SoapFault) -> bool {
    fault.is::<NotAuthenticated>()
        || fault.detail.is_none() && fault.string.contains("session is not authenticated")
}

/// Matches an [`Error`] with the faults that a method declares.
///
/// An arm matches its fault and the descendants of that fault. The first arm that matches wins, so put descendants before
/// their base class. The last arm is `_`. A fault that the method does not declare is a compile error.
///
/// The method is a request of [`vi_types::methods`]; faults are in [`vi_types::objects`]. `_` instead of a name ignores the
/// fault's properties.
///
/// ```
/// use vi_client::{Error, match_fault};
/// use vi_client::vi_types::{methods, objects};
///
/// fn why(error: &Error) -> String {
///     match_fault!(error, methods::PowerOnVmTask {
///         objects::TaskInProgress as fault => format!("{} is running", fault.task),
///         objects::InvalidState as _ => "wrong power state".to_owned(),
///         _ => error.to_string(),
///     })
/// }
/// ```
///
/// An arm cannot name a descendant of a declared fault, such as `InvalidPowerState` of `InvalidState`, nor a
/// `RuntimeFault`, which any method may end with. [`Error::is_fault`](crate::Error::is_fault) looks for any fault, and
/// [`SoapFault::cast`](vi_types::SoapFault::cast) gives its properties:
///
/// ```
/// use vi_client::{Error, match_fault};
/// use vi_client::vi_types::{methods, objects};
///
/// fn why(error: &Error) -> String {
///     if let Some(fault) = error.fault().and_then(|fault| fault.cast::<objects::InvalidPowerState>()) {
///         return format!("it is {:?}", fault.existing_state);
///     }
///     match_fault!(error, methods::PowerOnVmTask {
///         objects::InvalidState as _ => "wrong state".to_owned(),
///         _ => error.to_string(),
///     })
/// }
/// ```
///
/// ```compile_fail,E0277
/// # use vi_client::{Error, match_fault};
/// # use vi_client::vi_types::{methods, objects};
/// # fn why(error: &Error) -> &str {
/// match_fault!(error, methods::PowerOnVmTask {
///     objects::InvalidLogin as _ => "no",
///     _ => "yes",
/// })
/// # }
/// ```
#[macro_export]
macro_rules! match_fault {
    ($error:expr, $method:path { $($($fault:ident)::+ as $name:pat_param => $result:expr,)* _ => $rest:expr $(,)? }) => {{
        let error: &$crate::Error = $error;
        $(if let ::core::option::Option::Some($name) = error.declared::<$method, $($fault)::+>() {
            $result
        } else)* {
            $rest
        }
    }};
}
