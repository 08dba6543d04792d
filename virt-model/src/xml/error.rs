use std::fmt;

use crate::ErrorNumber;

/// Why a document cannot be read, or a definition is not valid: libvirt's error, and the element.
///
/// [`Display`](fmt::Display) is libvirt's text: `XML error: expecting root element of 'domain',
/// not 'a'`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct XmlError {
    number: ErrorNumber,
    message: String,
    path: Option<String>,
    value: Option<String>,
}

impl XmlError {
    /// An error with that number.
    pub(crate) fn new(number: ErrorNumber, message: impl Into<String>) -> XmlError {
        XmlError {
            number,
            message: message.into(),
            path: None,
            value: None,
        }
    }

    /// The error about the element at `path`.
    pub(crate) fn at(mut self, path: &str) -> XmlError {
        self.path = Some(path.to_owned());
        self
    }

    /// The error about `value`.
    pub(crate) fn with_value(mut self, value: impl Into<String>) -> XmlError {
        self.value = Some(value.into());
        self
    }

    /// libvirt's number.
    pub fn number(&self) -> ErrorNumber {
        self.number
    }

    /// The message without libvirt's words for the number. It may be empty.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The path of the element that was read, such as `/domain/devices/disk[2]`. None if the text is
    /// no XML, or the error is not about a document.
    pub fn path(&self) -> Option<&str> {
        self.path.as_deref()
    }

    /// The value that is not accepted, where it is known apart from the message.
    pub fn value(&self) -> Option<&str> {
        self.value.as_deref()
    }
}

impl fmt::Display for XmlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.number.with(&self.message))
    }
}

impl std::error::Error for XmlError {}
