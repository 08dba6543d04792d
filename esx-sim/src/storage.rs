//! Storage that a simulated server can have: datastores and iSCSI targets.

mod iscsi_target;
mod new_datastore;

use std::fmt;

pub use self::iscsi_target::IscsiTarget;
pub(crate) use self::iscsi_target::{ISCSI_PORT, presets};
pub use self::new_datastore::{DatastoreKind, NewDatastore};

/// The text describes no storage.
#[derive(Debug, thiserror::Error)]
#[error("'{text}' describes no {what}: {reason}")]
#[non_exhaustive]
pub struct InvalidStorage {
    /// The text.
    pub text: String,
    what: &'static str,
    reason: String,
}

impl InvalidStorage {
    fn datastore(text: &str, reason: impl Into<String>) -> Self {
        Self::new(text, "datastore", reason)
    }

    fn target(text: &str, reason: impl Into<String>) -> Self {
        Self::new(text, "iSCSI target", reason)
    }

    fn new(text: &str, what: &'static str, reason: impl Into<String>) -> Self {
        Self {
            text: text.to_owned(),
            what,
            reason: reason.into(),
        }
    }
}

/// A size as people write it: bytes, or with K, M, G or T behind it (powers of 1024).
pub(crate) fn size(text: &str) -> Result<u64, NoSize<'_>> {
    let (digits, shift) = match text.as_bytes().last() {
        Some(b'K' | b'k') => (&text[..text.len() - 1], 10),
        Some(b'M' | b'm') => (&text[..text.len() - 1], 20),
        Some(b'G' | b'g') => (&text[..text.len() - 1], 30),
        Some(b'T' | b't') => (&text[..text.len() - 1], 40),
        _ => (text, 0),
    };
    let number = digits.parse::<u64>().map_err(|_| NoSize(text))?;
    // Sizes are `long` in the API.
    let largest = (i64::MAX as u64) >> shift;
    match number <= largest {
        true => Ok(number << shift),
        false => Err(NoSize(text)),
    }
}

/// The text is no size.
pub(crate) struct NoSize<'a>(&'a str);

impl fmt::Display for NoSize<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "'{}' is no size (should be like 500M, 64G or 2T)",
            self.0
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        for (text, expected) in [
            ("0", Some(0)),
            ("512", Some(512)),
            ("1k", Some(1024)),
            ("500M", Some(500 << 20)),
            ("64G", Some(64 << 30)),
            ("2T", Some(2 << 40)),
            ("", None),
            ("G", None),
            ("1.5G", None),
            ("-1", None),
            ("8388608T", None),
            ("9223372036854775808", None),
        ] {
            assert_eq!(size(text).ok(), expected, "{text}");
        }
    }
}
