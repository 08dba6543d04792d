//! VMware's two escaping schemes for names and texts.
//!
//! | scheme | escapes | where |
//! |---|---|---|
//! | [`PERCENT`] | `/`, `\` and `%` | names in the VI inventory, `displayName` in VMX files |
//! | [`PIPE`] | `"` and `\|` | `displayName` and `annotation` in VMX files |
//!
//! An escape is the scheme's character and two hexadecimal digits, written in lower case and read in
//! any case; any byte may be escaped. A VMX `displayName` has both schemes: it is written with `PIPE`
//! first, then `PERCENT`, and read in the opposite order.

use std::{borrow::Cow, string::FromUtf8Error};

/// Escapes `/`, `\` and `%` with `%`: names of the inventory.
pub const PERCENT: Scheme = Scheme {
    mark: b'%',
    hidden: b"/\\%",
};

/// Escapes `"` and `|` with `|`: texts in VMX files.
pub const PIPE: Scheme = Scheme {
    mark: b'|',
    hidden: b"\"|",
};

/// An escaping scheme: [`PERCENT`] or [`PIPE`].
#[derive(Debug, Clone, Copy)]
pub struct Scheme {
    mark: u8,
    hidden: &'static [u8],
}

impl Scheme {
    /// Escapes the special characters of `text`.
    pub fn escape(self, text: &str) -> Cow<'_, str> {
        if !text.bytes().any(|byte| self.hidden.contains(&byte)) {
            return Cow::Borrowed(text);
        }
        let mut out = String::with_capacity(text.len() + 8);
        for c in text.chars() {
            match u8::try_from(c) {
                Ok(byte) if self.hidden.contains(&byte) => {
                    out.push(char::from(self.mark));
                    out.push_str(&format!("{byte:02x}"));
                }
                _ => out.push(c),
            }
        }
        Cow::Owned(out)
    }

    /// Resolves the escapes of `text`.
    ///
    /// # Errors
    /// If the scheme's character is not followed by two hexadecimal digits, or the result is not UTF-8.
    pub fn unescape(self, text: &str) -> Result<Cow<'_, str>, UnescapeError> {
        let bytes = match self.unescape_bytes(text.as_bytes()) {
            Ok(Cow::Borrowed(_)) => return Ok(Cow::Borrowed(text)),
            Ok(Cow::Owned(bytes)) => bytes,
            Err(at) => {
                return Err(UnescapeError::Digits {
                    mark: char::from(self.mark),
                    text: text.to_owned(),
                    at,
                });
            }
        };
        match String::from_utf8(bytes) {
            Ok(out) => Ok(Cow::Owned(out)),
            Err(source) => Err(UnescapeError::Utf8 {
                text: text.to_owned(),
                source,
            }),
        }
    }

    /// Resolves the escapes of `bytes`; the result need not be UTF-8. The error is the index of a mark
    /// without two digits.
    pub(crate) fn unescape_bytes(self, bytes: &[u8]) -> Result<Cow<'_, [u8]>, usize> {
        if !bytes.contains(&self.mark) {
            return Ok(Cow::Borrowed(bytes));
        }
        let digit = |at: usize| {
            bytes
                .get(at)
                .and_then(|byte| char::from(*byte).to_digit(16))
        };
        let mut out = Vec::with_capacity(bytes.len());
        let mut at = 0;
        while at < bytes.len() {
            if bytes[at] != self.mark {
                out.push(bytes[at]);
                at += 1;
                continue;
            }
            let (Some(high), Some(low)) = (digit(at + 1), digit(at + 2)) else {
                return Err(at);
            };
            // Two hexadecimal digits always fit into a byte.
            out.push((high * 16 + low) as u8);
            at += 3;
        }
        Ok(Cow::Owned(out))
    }
}

/// The escapes of a text cannot be resolved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnescapeError {
    /// The scheme's character without two digits.
    #[error("`{mark}` at byte {at} of `{text}` is not followed by two hexadecimal digits")]
    Digits {
        /// The scheme's character.
        mark: char,
        /// The text.
        text: String,
        /// The index of `mark`.
        at: usize,
    },
    /// The result is not UTF-8.
    #[error("`{text}` does not unescape to UTF-8")]
    Utf8 {
        /// The text.
        text: String,
        /// The error in the bytes.
        source: FromUtf8Error,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(scheme: Scheme, plain: &str, escaped: &str) {
        assert_eq!(scheme.escape(plain), escaped);
        assert_eq!(scheme.unescape(escaped).unwrap(), plain);
    }

    #[test]
    fn percent() {
        check(PERCENT, "a/b\\c%d", "a%2fb%5cc%25d");
        check(PERCENT, "ha-datacenter", "ha-datacenter");
        check(PERCENT, "ä|\"", "ä|\"");
    }

    #[test]
    fn pipe() {
        check(PIPE, "a\"b|c", "a|22b|7cc");
        check(PIPE, "a/%ä", "a/%ä");
    }

    #[test]
    fn any_byte_in_either_case_is_shown() {
        assert_eq!(PIPE.unescape("line|0A|0aline").unwrap(), "line\n\nline");
        assert_eq!(PERCENT.unescape("%41%c3%A4").unwrap(), "Aä");
    }

    #[test]
    fn a_mark_without_two_digits() {
        for (text, at) in [
            ("50%", 2),
            ("a%2", 1),
            ("%2g", 0),
            ("%25%zz", 3),
            ("% 41", 0),
        ] {
            let error = PERCENT.unescape(text).unwrap_err();
            assert!(
                matches!(error, UnescapeError::Digits { at: found, .. } if found == at),
                "{error}"
            );
        }
    }

    #[test]
    fn bytes_that_are_no_text() {
        let error = PERCENT.unescape("%ff").unwrap_err();
        assert!(matches!(error, UnescapeError::Utf8 { .. }));
        assert_eq!(error.to_string(), "`%ff` does not unescape to UTF-8");
    }

    #[test]
    fn nothing_to_do_borrows() {
        assert!(matches!(PERCENT.escape("plain"), Cow::Borrowed("plain")));
        assert!(matches!(PIPE.unescape("plain"), Ok(Cow::Borrowed("plain"))));
    }

    proptest! {
        #[test]
        fn what_was_hidden_is_shown(text: String) {
            for scheme in [PERCENT, PIPE] {
                let escaped = scheme.escape(&text).into_owned();
                prop_assert_eq!(scheme.unescape(&escaped).unwrap(), text.as_str());
            }
        }
    }
}
