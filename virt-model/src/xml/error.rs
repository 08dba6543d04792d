use std::fmt;

use crate::ErrorNumber;

/// Why a document could not be read, as libvirt says it, and where.
///
/// [`Display`](fmt::Display) is libvirt's text: `XML error: expecting root element of 'domain',
/// not 'a'`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct XmlError {
    number: ErrorNumber,
    message: String,
    path: Option<String>,
}

impl XmlError {
    /// An error of that number.
    pub(crate) fn new(number: ErrorNumber, message: impl Into<String>) -> XmlError {
        XmlError {
            number,
            message: message.into(),
            path: None,
        }
    }

    /// The error of the element at `path`.
    pub(crate) fn at(mut self, path: &str) -> XmlError {
        self.path = Some(path.to_owned());
        self
    }

    /// libvirt's number.
    pub fn number(&self) -> ErrorNumber {
        self.number
    }

    /// The particulars; empty when the number says it all.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The element it is about, like `/domain/devices/disk[2]`; None when the text is no XML.
    pub fn path(&self) -> Option<&str> {
        self.path.as_deref()
    }
}

impl fmt::Display for XmlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.number.with(&self.message))
    }
}

impl std::error::Error for XmlError {}
