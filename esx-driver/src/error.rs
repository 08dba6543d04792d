use std::{error::Error as StdError, fmt, io};

use vi_client::{
    retrieve::{PropertyError, PropertyErrorKind},
    transport::TransportError,
};
use vi_types::SoapFault;
use vi_types::objects::{InvalidLogin, NoPermission};
use virt_model::{ErrorDomain, ErrorNumber, ExclusiveFlags, UnsupportedFlags};

use crate::question::Question;

/// The result of this crate's calls.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call failed.
///
/// Programs match on [`kind`](Error::kind); [`code`](Error::code) is libvirt's number. [`Display`](fmt::Display) prints what
/// `virsh` prints behind `error: `, with libvirt's text where libvirt has one. The [`source`](StdError::source) is the cause,
/// such as the server's fault or a refused connection.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    code: ErrorNumber,
    domain: ErrorDomain,
    message: String,
    /// Whether the text is printed without the prefix of its number.
    is_plain: bool,
    advice: Option<String>,
    outcome: Option<String>,
    question: Option<Box<Question>>,
    /// Whether the question goes on blocking.
    is_left: bool,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// What failed, for programs to match on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The connection URI is invalid.
    Uri,
    /// A query parameter of the connection URI has an invalid value.
    UriParameter,
    /// The path of a `vpx://` URI does not lead to a host.
    InventoryPath,
    /// `auth.conf` cannot be read, or refers to a group that it does not have.
    AuthFile,
    /// The file of [`OpenOptions::keyring`](crate::OpenOptions::keyring) cannot be used: others may read it, it is damaged,
    /// or it cannot be written. The text has nothing of its content.
    Keyring,
    /// No user name or no password was provided.
    Credentials,
    /// The server rejected the user name and password.
    Login,
    /// The user lacks a privilege for it.
    NoPermission,
    /// The server is another product than the URI says, or one that is not supported.
    Product,
    /// The vCenter of `vcenter=` is not the one that manages the host.
    VCenter,
    /// A host name has no address.
    Resolve,
    /// The server cannot be reached, or the connection broke.
    Transport,
    /// TLS failed: the server's certificate cannot be trusted, or no common protocol was found.
    Tls,
    /// The server did not answer in time, or the operation did not end before its deadline.
    Timeout,
    /// The server is no VMware server.
    NotVi,
    /// The server answered with a [`fault`](Error::fault) that has no kind of its own.
    Fault,
    /// The server's answer cannot be decoded.
    Decode,
    /// The server did not return a required property, or returned it with another type.
    Property,
    /// A file of a datastore cannot be downloaded, uploaded or searched.
    File,
    /// A file of a datastore is another one than when its download began.
    FileChanged,
    /// A document or a VMX file cannot be read or converted.
    Definition,
    /// The driver does not know this format of native configurations.
    ConfigFormat,
    /// The server has one of that name or UUID already.
    Exists(What),
    /// A datastore path is invalid (expected `[datastore] path`).
    DatastorePath,
    /// The server returned an invalid value.
    UnexpectedValue,
    /// A virtual machine lacks a property that makes it a domain, such as its name or its UUID.
    UnreadableDomain,
    /// The server does not have it, or no longer has it.
    NotFound(What),
    /// The function does not support a flag.
    UnsupportedFlags,
    /// An argument has a value that the function does not accept.
    Argument,
    /// VMware Tools do not run in the guest, or did not report it.
    NoTools,
    /// The file of `answers=` cannot be read, or a rule is invalid.
    Rules,
    /// A [`question`](Error::question) blocks the domain.
    Blocked,
    /// An answer is not among a question's choices.
    Answer,
    /// The server, the host or this driver does not support it.
    Unsupported,
    /// A migration URI is invalid (expected `vpxmigr://VCENTER/RESOURCEPOOL/HOSTSYSTEM`), or is one of another vCenter.
    MigrationUri,
    /// The vCenter reports that the domain cannot be migrated there.
    Validation,
    /// Another task of the domain is not over; nothing was started.
    TaskPending,
    /// The domain's power state does not allow it.
    WrongState,
    /// The task failed with a [`fault`](Error::fault).
    TaskFailed,
    /// What a [store](crate::Store) keeps cannot be read or written.
    Store,
    /// The caller cancelled the operation; the text says what came of it.
    Cancelled,
    /// What describes a device describes several, or none as a whole.
    Ambiguous,
    /// A question of another task was answered and that task awaited; the requested task was not started.
    NotStarted,
    /// The connection broke, and the server shows that it did not do what was asked.
    NotDone,
    /// The connection broke, or the deadline passed before the server answered, and whether it did what was asked is not
    /// known.
    InDoubt,
    /// The connection is closed.
    Closed,
}

/// The kind of thing that [`ErrorKind::NotFound`] and [`ErrorKind::Exists`] are about.
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
    /// A host of a vCenter.
    Host,
    /// A device of a domain.
    Device,
    /// `virNodeDevice`.
    NodeDevice,
    /// `virSecret`.
    Secret,
    /// An element of a domain's metadata, or its title or description.
    Metadata,
    /// A service of the host.
    Service,
    /// A ruleset of the host's firewall.
    FirewallRuleset,
    /// A log of the host.
    Log,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, code: ErrorNumber, message: impl Into<String>) -> Error {
        Error(Box::new(Inner {
            kind,
            code,
            domain: ErrorDomain::Esx,
            message: message.into(),
            is_plain: false,
            advice: None,
            outcome: None,
            question: None,
            is_left: false,
            source: None,
        }))
    }

    /// An argument is wrong.
    pub(crate) fn argument(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Argument, ErrorNumber::InvalidArg, message)
    }

    /// The thing is not in the state for it.
    pub(crate) fn wrong_state(message: impl Into<String>) -> Error {
        Error::new(
            ErrorKind::WrongState,
            ErrorNumber::OperationInvalid,
            message,
        )
    }

    /// Omits the prefix of the number, as libvirt's checks of arguments and flags do.
    pub(crate) fn plain(mut self) -> Error {
        self.0.is_plain = true;
        self
    }

    pub(crate) fn in_part(mut self, domain: ErrorDomain) -> Error {
        self.0.domain = domain;
        self
    }

    pub(crate) fn advise(mut self, advice: impl Into<String>) -> Error {
        self.0.advice = Some(advice.into());
        self
    }

    /// Adds to the advice.
    pub(crate) fn advise_also(mut self, advice: &str) -> Error {
        add(&mut self.0.advice, advice);
        self
    }

    /// Adds to what came of the operation.
    pub(crate) fn note(mut self, outcome: &str) -> Error {
        add(&mut self.0.outcome, outcome);
        self
    }

    /// Replaces the kind, where the caller knows more than the cause says.
    pub(crate) fn with_kind(mut self, kind: ErrorKind) -> Error {
        self.0.kind = kind;
        self
    }

    pub(crate) fn asking(mut self, question: Question) -> Error {
        self.0.question = Some(Box::new(question));
        self
    }

    pub(crate) fn leaving_question(mut self, is_left: bool) -> Error {
        self.0.is_left = is_left;
        self
    }

    pub(crate) fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Error {
        self.0.source = Some(source.into());
        self
    }

    /// The error of a required property that the server did not return.
    pub(crate) fn missing_property(error: PropertyError) -> Error {
        vi_client::Error::from(error).into()
    }

    /// The error of a host name that has no address.
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

    /// The part of libvirt that reports the error.
    pub fn domain(&self) -> ErrorDomain {
        self.0.domain
    }

    /// The text, without the prefix that libvirt adds for [`code`](Error::code).
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The server's fault, if that is the cause.
    pub fn fault(&self) -> Option<&SoapFault> {
        self.cause()?.fault()
    }

    /// What the server says below the text, outermost first: the messages of its [`fault`](Error::fault) and of the faults
    /// that caused it. Often only the last one tells what to do.
    pub fn reasons(&self) -> Vec<String> {
        let reasons = self.fault().map(SoapFault::reasons).unwrap_or_default();
        let told = |reason: &String| self.0.message.contains(reason.as_str());
        reasons.into_iter().filter(|reason| !told(reason)).collect()
    }

    /// The client's error, if that is the cause. [`match_fault!`](vi_client::match_fault) matches it with the faults that a
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

    /// The question that blocks the domain, if that is the cause.
    pub fn question(&self) -> Option<&Question> {
        self.0.question.as_deref()
    }

    /// Whether the [`question`](Error::question) goes on blocking the domain, since its task could not be cancelled.
    pub fn leaves_question(&self) -> bool {
        self.0.is_left
    }

    /// What came of the operation nevertheless, where the text does not say it: what it did before it failed, a task that goes
    /// on, or that nothing was changed. A sentence without a final period. Whoever shows the text shows this, too.
    pub fn outcome(&self) -> Option<&str> {
        self.0.outcome.as_deref()
    }

    /// What to try next, if that is known: a sentence without a final period.
    pub fn advice(&self) -> Option<&str> {
        self.0.advice.as_deref()
    }
}

fn add(sentences: &mut Option<String>, sentence: &str) {
    *sentences = Some(match sentences.take() {
        Some(before) => format!("{before}; {sentence}"),
        None => sentence.to_owned(),
    });
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.is_plain {
            true => f.write_str(&self.0.message),
            false => f.write_str(&self.0.code.with(&self.0.message)),
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
        .plain()
    }
}

impl From<ExclusiveFlags> for Error {
    fn from(error: ExclusiveFlags) -> Error {
        Error::new(ErrorKind::Argument, error.number(), error.to_string()).plain()
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

/// Kind, libvirt's number and text of a client's error.
fn sort(error: &vi_client::Error) -> (ErrorKind, ErrorNumber, String) {
    use vi_client::Error as Cause;

    let internal = ErrorNumber::InternalError;
    match error {
        Cause::Fault { method, fault } => (
            fault_kind(fault),
            internal,
            // Servers send faults with status 500, and libvirt's text has the status; the client does not keep it.
            format!(
                "HTTP response code 500 for call to '{method}'. Fault: {} - {}",
                fault.code,
                fault.text()
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
            match error.is_broken() {
                true => ErrorKind::Transport,
                false => ErrorKind::NotVi,
            },
            ErrorNumber::HttpError,
            format!("HTTP response code {status} for call to '{method}'"),
        ),
        Cause::Redirect { from, to } => (
            ErrorKind::NotVi,
            internal,
            format!("The server redirects from '{from}' to '{to}'"),
        ),
        Cause::Range { .. } | Cause::Source(_) | Cause::SourceUsed { .. } => {
            (ErrorKind::File, internal, error.to_string())
        }
        Cause::NotVi { is_known: true, .. } => (ErrorKind::Transport, internal, error.to_string()),
        Cause::NotVi { .. } => (ErrorKind::NotVi, internal, error.to_string()),
        Cause::Deadline { .. } | Cause::StandsStill { .. } => (
            ErrorKind::Timeout,
            ErrorNumber::OperationTimeout,
            error.to_string(),
        ),
        Cause::TooNew(_) | Cause::NoSuchService { .. } => (
            ErrorKind::Unsupported,
            ErrorNumber::NoSupport,
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
        PropertyErrorKind::Unset => format!("Missing '{}' property", error.path),
        // libvirt does not say why, and of what.
        PropertyErrorKind::Missing(_) => format!(
            "Missing '{}' property of {}: {}",
            error.path, error.object, error.kind
        ),
        _ => error.to_string(),
    }
}

fn no_address(host: &str, cause: &io::Error) -> (ErrorKind, ErrorNumber, String) {
    let cause = cause.to_string();
    // libvirt's text has only gai_strerror's message, without the prefix that Rust's standard library adds.
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
                "check the user name and the password; after several wrong passwords a server also \
                 rejects the right one for a while"
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
        vi_client::Error::NotVi {
            is_known: false, ..
        }
        | vi_client::Error::Redirect { .. } => Some("check the server's name and port".to_owned()),
        vi_client::Error::Excess { .. }
        | vi_client::Error::Transport(TransportError::TooLarge { .. }) => {
            Some("real servers give less: check that this is the right one".to_owned())
        }
        _ => None,
    }
}

/// Refuses all flags, as a function does that knows none.
pub(crate) fn refuse_flags(flags: u32, function: &str) -> Result<()> {
    if flags == 0 {
        return Ok(());
    }
    let message = format!("unsupported flags (0x{flags:x}) in function {function}");
    let kind = ErrorKind::UnsupportedFlags;
    Err(Error::new(kind, ErrorNumber::InvalidArg, message).plain())
}

/// The fault's type and the server's text, in the form that libvirt 9.0.0 gives to the error of a task
/// (esxVI_WaitForTaskCompletion of esx_vi.c).
pub(crate) fn fault_words(fault: &SoapFault) -> String {
    let name = fault.type_name();
    let name = name.as_deref().unwrap_or("Unknown error");
    match fault.string.as_str() {
        "" => name.to_owned(),
        text => format!("{name} - {text}"),
    }
}
