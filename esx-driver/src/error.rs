use std::{error::Error as StdError, fmt, io};

use vi_client::{
    retrieve::{PropertyError, PropertyErrorKind},
    transport::{TlsError, TransportError},
};
use vi_types::SoapFault;
use vi_types::objects::{InvalidLogin, NoPermission};
use virt_model::{ErrorDomain, ErrorNumber, UnsupportedFlags};

use crate::question::Question;

/// What a call of this crate can end with besides success.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call failed.
///
/// [`kind`](Error::kind) is ours and precise, [`code`](Error::code) is libvirt's number. The text
/// is libvirt's where libvirt has one for the case: [`Display`](fmt::Display) prints what
/// `virsh` prints behind `error: `. The cause, if there is one below (a fault, a refused
/// connection), is the [`source`](StdError::source).
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    code: ErrorNumber,
    domain: ErrorDomain,
    message: String,
    advice: Option<String>,
    question: Option<Box<Question>>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// What failed, for programs to match on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The connection URI cannot be read.
    Uri,
    /// A query parameter of the connection URI has a value it cannot have.
    UriParameter,
    /// The path of a `vpx://` URI does not lead to a host.
    InventoryPath,
    /// `auth.conf` cannot be read or lacks something it refers to.
    AuthFile,
    /// There is no user name or no password to log in with.
    Credentials,
    /// The server does not take the user name and password.
    Login,
    /// The user may not do that.
    NoPermission,
    /// The server is another product than the URI says, or one that is not supported.
    Product,
    /// The vCenter of `vcenter=` is not the one that manages the host.
    VCenter,
    /// A name has no address.
    Resolve,
    /// The server cannot be reached, or the connection broke.
    Transport,
    /// There is no connection that can be trusted.
    Tls,
    /// The server took too long.
    Timeout,
    /// What answers is no VMware server.
    NotVi,
    /// The server answered with a fault that has no kind of its own here; it is the
    /// [`fault`](Error::fault).
    Fault,
    /// The server's answer cannot be understood.
    Decode,
    /// The server did not give a property that it always has, or gave one of another type.
    Property,
    /// The server does not give or take a file of a datastore.
    File,
    /// A definition or a VMX file cannot be read or converted.
    Definition,
    /// A format of native configurations that the driver does not have.
    ConfigFormat,
    /// The server has one of that name or UUID already.
    Exists(What),
    /// A text that names a file of a datastore is none.
    DatastorePath,
    /// A property has a value that cannot be.
    UnexpectedValue,
    /// A virtual machine lacks what makes it a domain.
    UnreadableDomain,
    /// The server has no such thing (any more).
    NotFound(What),
    /// A flag that the function does not know.
    UnsupportedFlags,
    /// The answers to questions cannot be read: `answers=`.
    Rules,
    /// A question blocks the domain; it is the [`question`](Error::question).
    Blocked,
    /// An answer is not among a question's choices.
    Answer,
    /// Another task of the domain is not over; nothing was started.
    TaskPending,
    /// The domain is in a state in which that cannot be done.
    WrongState,
    /// The task failed; why is the [`fault`](Error::fault).
    TaskFailed,
    /// The caller had it cancelled; the text says what came of it.
    Cancelled,
    /// A question of another task was answered and that task waited for; the requested one was not started.
    NotStarted,
    /// The connection broke, and the server shows that it did not do what was asked.
    NotDone,
    /// The connection broke, and whether the server did what was asked is not known.
    InDoubt,
    /// The connection was closed.
    Closed,
}

/// Which of libvirt's things an error is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum What {
    /// `virDomain`.
    Domain,
    /// `virDomainSnapshot`.
    Snapshot,
    /// `virNetwork`.
    Network,
    /// A port group of a network.
    PortGroup,
    /// `virInterface`.
    Interface,
    /// `virStoragePool`.
    StoragePool,
    /// `virStorageVol`.
    StorageVol,
    /// A datastore of the host.
    Datastore,
    /// `virNodeDevice`.
    NodeDevice,
    /// `virSecret`.
    Secret,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, code: ErrorNumber, message: impl Into<String>) -> Error {
        Error(Box::new(Inner {
            kind,
            code,
            domain: ErrorDomain::Esx,
            message: message.into(),
            advice: None,
            question: None,
            source: None,
        }))
    }

    pub(crate) fn in_part(mut self, domain: ErrorDomain) -> Error {
        self.0.domain = domain;
        self
    }

    pub(crate) fn advise(mut self, advice: impl Into<String>) -> Error {
        self.0.advice = Some(advice.into());
        self
    }

    /// The same with another kind, where the place says more than the cause.
    pub(crate) fn with_kind(mut self, kind: ErrorKind) -> Error {
        self.0.kind = kind;
        self
    }

    pub(crate) fn asking(mut self, question: Question) -> Error {
        self.0.question = Some(Box::new(question));
        self
    }

    pub(crate) fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Error {
        self.0.source = Some(source.into());
        self
    }

    /// A property that is needed is not there.
    pub(crate) fn missing_property(error: PropertyError) -> Error {
        vi_client::Error::from(error).into()
    }

    /// A name has no address.
    pub(crate) fn no_address(host: &str, cause: &io::Error) -> Error {
        let (kind, code, message) = no_address(host, cause);
        Error::new(kind, code, message)
    }

    /// What failed.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// libvirt's number for it.
    pub fn code(&self) -> ErrorNumber {
        self.0.code
    }

    /// The part of libvirt that reports it.
    pub fn domain(&self) -> ErrorDomain {
        self.0.domain
    }

    /// The text without libvirt's words for [`code`](Error::code) in front.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The server's fault, when that is the cause.
    pub fn fault(&self) -> Option<&SoapFault> {
        self.cause()?.fault()
    }

    /// The client's error, when that is the cause. [`match_fault!`](vi_client::match_fault) tells the faults apart that a
    /// method declares.
    pub fn cause(&self) -> Option<&vi_client::Error> {
        let mut cause = self.source();
        while let Some(error) = cause {
            if let Some(error) = error.downcast_ref() {
                return Some(error);
            }
            cause = error.source();
        }
        None
    }

    /// The question that blocks the domain, when that is why.
    pub fn question(&self) -> Option<&Question> {
        self.0.question.as_deref()
    }

    /// What became of a task that is left behind, and what to try next, where that can be told: a sentence without a final period.
    pub fn advice(&self) -> Option<&str> {
        self.0.advice.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.kind {
            // libvirt gives this text alone, whatever its number.
            ErrorKind::UnsupportedFlags => f.write_str(&self.0.message),
            _ => f.write_str(&self.0.code.with(&self.0.message)),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("code", &self.0.code)
            .field("message", &self.0.message)
            .field("source", &self.0.source)
            .finish_non_exhaustive()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

impl From<UnsupportedFlags> for Error {
    fn from(error: UnsupportedFlags) -> Error {
        Error::new(
            ErrorKind::UnsupportedFlags,
            error.number(),
            error.to_string(),
        )
    }
}

impl From<vi_client::Error> for Error {
    fn from(error: vi_client::Error) -> Error {
        let (kind, code, message) = sort(&error);
        let described = Error::new(kind, code, message);
        match advice(&error) {
            Some(advice) => described.advise(advice),
            None => described,
        }
        .because(error)
    }
}

/// Kind, libvirt's number and text of what went wrong below.
fn sort(error: &vi_client::Error) -> (ErrorKind, ErrorNumber, String) {
    use vi_client::Error as Cause;

    let internal = ErrorNumber::InternalError;
    match error {
        Cause::Fault { method, fault } => (
            fault_kind(fault),
            internal,
            // Faults come with this status; the client does not pass it on.
            format!(
                "HTTP response code 500 for call to '{method}'. Fault: {} - {}",
                fault.code, fault.string
            ),
        ),
        Cause::Renewal(cause) | Cause::Shared(cause) => sort(cause),
        Cause::Transport(cause) => match cause {
            TransportError::Resolve { host, source } => no_address(host, source),
            TransportError::Tls { .. } => (ErrorKind::Tls, internal, cause.to_string()),
            TransportError::ConnectTimeout { .. } => (
                ErrorKind::Timeout,
                ErrorNumber::OperationTimeout,
                cause.to_string(),
            ),
            _ => (ErrorKind::Transport, internal, cause.to_string()),
        },
        Cause::Status { method, status } => (
            ErrorKind::NotVi,
            ErrorNumber::HttpError,
            format!("HTTP response code {status} for call to '{method}'"),
        ),
        Cause::Redirect { from, to } => (
            ErrorKind::NotVi,
            internal,
            format!("The server redirects from '{from}' to '{to}'"),
        ),
        Cause::NotVi { .. } => (ErrorKind::NotVi, internal, error.to_string()),
        Cause::Deadline { .. } => (
            ErrorKind::Timeout,
            ErrorNumber::OperationTimeout,
            error.to_string(),
        ),
        Cause::Property(error) => (ErrorKind::Property, internal, property_text(error)),
        Cause::Closed { .. } => (
            ErrorKind::Closed,
            ErrorNumber::InvalidConn,
            error.to_string(),
        ),
        _ => (ErrorKind::Decode, internal, error.to_string()),
    }
}

/// libvirt's text (esxVI_GetStringValue and others of esx_vi.c, 9.0.0) for a property that is not there.
fn property_text(error: &PropertyError) -> String {
    match &error.kind {
        PropertyErrorKind::Unset | PropertyErrorKind::Missing(_) => {
            format!("Missing '{}' property", error.path)
        }
        _ => error.to_string(),
    }
}

fn no_address(host: &str, cause: &io::Error) -> (ErrorKind, ErrorNumber, String) {
    let cause = cause.to_string();
    // libvirt gives only what the resolver said.
    let said = cause
        .strip_prefix("failed to lookup address information: ")
        .unwrap_or(&cause);
    let message = format!("IP address lookup for host '{host}' failed: {said}");
    (ErrorKind::Resolve, ErrorNumber::InternalError, message)
}

fn fault_kind(fault: &SoapFault) -> ErrorKind {
    if fault.is::<InvalidLogin>() {
        ErrorKind::Login
    } else if fault.is::<NoPermission>() {
        ErrorKind::NoPermission
    } else {
        ErrorKind::Fault
    }
}

fn advice(error: &vi_client::Error) -> Option<String> {
    if let Some(fault) = error.fault() {
        if fault.is::<InvalidLogin>() {
            return Some(
                "check the user name and the password; after some wrong ones a server refuses right \
                 ones too for a while"
                    .to_owned(),
            );
        }
        let denied = fault.cast::<NoPermission>()?;
        let privilege = denied.privilege_id.as_ref()?;
        return Some(match &denied.object {
            Some(object) => format!("the user needs the privilege {privilege} on {object}"),
            None => format!("the user needs the privilege {privilege}"),
        });
    }
    match error {
        vi_client::Error::Transport(TransportError::Tls {
            problem:
                TlsError::Expired { .. } | TlsError::NotYetValid { .. } | TlsError::WrongName { .. },
            ..
        }) => {
            Some("pin the certificate (thumbprint=), or do not verify it (no_verify=1)".to_owned())
        }
        vi_client::Error::NotVi { .. } | vi_client::Error::Redirect { .. } => {
            Some("check the server's name and port".to_owned())
        }
        _ => None,
    }
}

/// Why a task failed, as libvirt says it: the fault's type and the server's text.
pub(crate) fn fault_words(fault: &SoapFault) -> String {
    let name = fault.type_name();
    let name = name.as_deref().unwrap_or("Unknown error");
    match fault.string.as_str() {
        "" => name.to_owned(),
        text => format!("{name} - {text}"),
    }
}
