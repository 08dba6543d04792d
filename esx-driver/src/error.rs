use std::{error::Error as StdError, fmt};

use virt_model::{ErrorDomain, ErrorNumber};

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
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, code: ErrorNumber, message: impl Into<String>) -> Error {
        Error(Box::new(Inner {
            kind,
            code,
            domain: ErrorDomain::Esx,
            message: message.into(),
            advice: None,
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

    pub(crate) fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Error {
        self.0.source = Some(source.into());
        self
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

    /// What to try next, where that can be told: a sentence without a final period.
    pub fn advice(&self) -> Option<&str> {
        self.0.advice.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.code.with(&self.0.message))
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
