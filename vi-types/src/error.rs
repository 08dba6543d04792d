//! Errors of decoding.

use std::fmt;

/// A message, or a value in it, could not be decoded.
#[derive(Clone, Debug)]
pub struct DecodeError(Box<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    kind: DecodeErrorKind,
    /// The steps from the value that failed outwards.
    steps: Vec<Step>,
    offset: usize,
    /// Whether the message only ends too early.
    truncated: bool,
}

#[derive(Clone, Debug)]
struct Step {
    name: String,
    index: Option<usize>,
}

/// Why a message could not be decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// The bytes are not well-formed XML, or end too early; the text names the mistake.
    Malformed(String),
    /// The message carries a document type declaration, which SOAP forbids.
    Dtd,
    /// Elements are nested deeper than allowed.
    TooDeep {
        /// The number of levels allowed.
        limit: usize,
    },
    /// Something is there more often than allowed.
    TooMany {
        /// What: `attributes of one element`.
        what: &'static str,
        /// How often it may be there.
        limit: usize,
    },
    /// The values take more memory than allowed.
    TooLarge {
        /// The bytes allowed.
        limit: usize,
    },
    /// The content of an element does not fit its type.
    Content {
        /// The expected content.
        expected: String,
        /// The content found, shortened.
        found: String,
    },
    /// A required property is missing.
    Missing {
        /// The object's type.
        object: &'static str,
        /// The property.
        property: &'static str,
    },
    /// The XML is well-formed but not a SOAP message; the text describes it.
    NotSoap(String),
}

impl DecodeError {
    pub(crate) fn new(kind: DecodeErrorKind, offset: usize) -> Self {
        Self(Box::new(Inner {
            kind,
            steps: Vec::new(),
            offset,
            truncated: false,
        }))
    }

    /// The same error, for which only the end of the message is to blame.
    #[must_use]
    pub(crate) fn cut_short(mut self) -> Self {
        self.0.truncated = true;
        self
    }

    /// Whether the message only ends too early, so that it may be decoded with what is yet to come.
    pub(crate) fn is_truncated(&self) -> bool {
        self.0.truncated
    }

    /// The same error, where so many more bytes of the message come before it.
    #[must_use]
    pub(crate) fn behind(mut self, bytes: usize) -> Self {
        self.0.offset += bytes;
        self
    }

    /// The same error, seen from the element that holds the failing one.
    #[must_use]
    pub(crate) fn within(mut self, name: &str, index: Option<usize>) -> Self {
        self.0.steps.push(Step {
            name: name.to_owned(),
            index,
        });
        self
    }

    /// The kind of error.
    pub fn kind(&self) -> &DecodeErrorKind {
        &self.0.kind
    }

    /// The path of the value: `returnval[3]/propSet[1]/val`, counted from 0; empty for the whole message.
    pub fn path(&self) -> String {
        let mut path = String::new();
        for step in self.0.steps.iter().rev() {
            if !path.is_empty() {
                path.push('/');
            }
            path.push_str(&step.name);
            if let Some(index) = step.index {
                path.push_str(&format!("[{index}]"));
            }
        }
        path
    }

    /// The offset in bytes at which decoding stopped.
    pub fn offset(&self) -> usize {
        self.0.offset
    }

    /// Whether only this value is bad, so that decoding can go on behind it.
    pub(crate) fn is_local(&self) -> bool {
        matches!(
            self.0.kind,
            DecodeErrorKind::Content { .. } | DecodeErrorKind::Missing { .. }
        )
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.steps.is_empty() {
            write!(f, "{}: ", self.path())?;
        }
        match &self.0.kind {
            DecodeErrorKind::Malformed(what) => {
                write!(f, "not well-formed XML: {what}, at byte {}", self.0.offset)
            }
            DecodeErrorKind::Dtd => {
                f.write_str("the message has a document type declaration, which is refused")
            }
            DecodeErrorKind::TooDeep { limit } => {
                write!(f, "elements are nested more than {limit} deep")
            }
            DecodeErrorKind::TooMany { what, limit } => {
                write!(f, "there are more than {limit} {what}")
            }
            DecodeErrorKind::TooLarge { limit } => {
                write!(f, "the values take more than {limit} bytes of memory")
            }
            DecodeErrorKind::Content { expected, found } => {
                write!(f, "expected {expected}, found {found}")
            }
            DecodeErrorKind::Missing { object, property } => {
                write!(
                    f,
                    "{object} object is missing the required '{property}' property"
                )
            }
            DecodeErrorKind::NotSoap(what) => write!(f, "not a SOAP message: {what}"),
        }
    }
}

impl std::error::Error for DecodeError {}
