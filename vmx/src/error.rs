use std::fmt::{self, Display, Formatter};
use std::ops::Range;

use virt_model::ErrorNumber;

/// Why a VMX file or a definition cannot be converted.
///
/// [`Display`] is libvirt's text: its words for the error's number, and the message. In
/// [`Mode::Strict`](crate::Mode::Strict) the message is libvirt's, byte for byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VmxError(Box<Details>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Details {
    number: ErrorNumber,
    message: String,
    key: Option<String>,
    value: Option<String>,
    position: Option<Position>,
    help: Option<String>,
}

/// A position in a VMX file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The line; the first is 1.
    pub line: usize,
    /// The column in bytes; the first is 1.
    pub column: usize,
    /// The range of bytes: of the value if there is one, else of the whole assignment.
    pub bytes: Range<usize>,
}

impl VmxError {
    /// An error with that number and message. The `with_` methods add details.
    pub fn new(number: ErrorNumber, message: impl Into<String>) -> VmxError {
        VmxError(Box::new(Details {
            number,
            message: message.into(),
            key: None,
            value: None,
            position: None,
            help: None,
        }))
    }

    /// An [`ErrorNumber::InternalError`], as most errors of libvirt's vmx.c are.
    pub fn internal(message: impl Into<String>) -> VmxError {
        VmxError::new(ErrorNumber::InternalError, message)
    }

    /// An [`ErrorNumber::ConfigUnsupported`].
    pub fn unsupported(message: impl Into<String>) -> VmxError {
        VmxError::new(ErrorNumber::ConfigUnsupported, message)
    }

    /// Adds the key that the error is about.
    #[must_use]
    pub fn with_key(mut self, key: impl Into<String>) -> VmxError {
        self.0.key = Some(key.into());
        self
    }

    /// Adds the value that is not accepted.
    #[must_use]
    pub fn with_value(mut self, value: impl Into<String>) -> VmxError {
        self.0.value = Some(value.into());
        self
    }

    /// Adds the position in the file.
    #[must_use]
    pub fn with_position(mut self, position: Option<Position>) -> VmxError {
        self.0.position = position;
        self
    }

    /// Adds what would be accepted, or what to try.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> VmxError {
        self.0.help = Some(help.into());
        self
    }

    /// libvirt's number.
    pub fn number(&self) -> ErrorNumber {
        self.0.number
    }

    /// The message without libvirt's words for the number.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The key of the VMX file that the error is about.
    pub fn key(&self) -> Option<&str> {
        self.0.key.as_deref()
    }

    /// The value that was found.
    pub fn value(&self) -> Option<&str> {
        self.0.value.as_deref()
    }

    /// The position in the VMX file. None if a key is missing.
    pub fn position(&self) -> Option<&Position> {
        self.0.position.as_ref()
    }

    /// The line in the VMX file; the first is 1.
    pub fn line(&self) -> Option<usize> {
        self.position().map(|position| position.line)
    }

    /// The column in bytes; the first is 1.
    pub fn column(&self) -> Option<usize> {
        self.position().map(|position| position.column)
    }

    /// What would be accepted, or what to try.
    pub fn help(&self) -> Option<&str> {
        self.0.help.as_deref()
    }
}

impl Display for VmxError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.number.with(&self.0.message))
    }
}

impl std::error::Error for VmxError {}

/// Something in a VMX file that its definition does not have, or has differently.
///
/// [`Display`] writes `line 12: ethernet0.virtualDev: …`, without a line or key that is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Warning {
    /// The position in the VMX file. None if a key is missing.
    pub position: Option<Position>,
    /// The key, as the file writes it.
    pub key: Option<String>,
    /// What is wrong, and what the definition has instead.
    pub message: String,
    /// Whether the definition has no place for the key, whose value is as good as any.
    pub left_out: bool,
}

impl Warning {
    pub(crate) fn new(message: impl Into<String>) -> Warning {
        Warning {
            position: None,
            key: None,
            message: message.into(),
            left_out: false,
        }
    }

    /// The line in the VMX file; the first is 1.
    pub fn line(&self) -> Option<usize> {
        self.position.as_ref().map(|position| position.line)
    }
}

impl Display for Warning {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line() {
            write!(f, "line {line}: ")?;
        }
        if let Some(key) = &self.key {
            write!(f, "{key}: ")?;
        }
        f.write_str(&self.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_reads_as_libvirts() {
        let error = VmxError::internal("Missing essential config entry 'config.version'");
        assert_eq!(
            error.to_string(),
            "internal error: Missing essential config entry 'config.version'"
        );
    }

    #[test]
    fn a_warning_says_where() {
        let mut warning = Warning::new("is not known");
        assert_eq!(warning.to_string(), "is not known");
        warning.key = Some("x.y".to_owned());
        warning.position = Some(Position {
            line: 3,
            column: 1,
            bytes: 0..1,
        });
        assert_eq!(warning.to_string(), "line 3: x.y: is not known");
    }
}
