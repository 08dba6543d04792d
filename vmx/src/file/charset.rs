use std::borrow::Cow;

use encoding_rs::{Encoding, WINDOWS_1252};
use virt_model::ErrorNumber;

use crate::VmxError;

/// What the bytes of values mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Charset {
    Utf8,
    /// What is UTF-8 is that, and everything else windows-1252: a file that doesn't say, or whose
    /// editors did not agree.
    Guessed,
    /// ISO 8859-1 itself, for which browsers take windows-1252.
    Latin1,
    Ascii,
    Other(&'static Encoding),
}

impl Charset {
    /// What libvirt makes of `.encoding`.
    pub(super) fn strict(label: Option<&str>, text: &[u8]) -> Result<Charset, VmxError> {
        let Some(label) = label.filter(|label| !is_utf8(label)) else {
            let valid = std::str::from_utf8(text);
            return valid.map(|_| Charset::Utf8).map_err(|_| {
                VmxError::internal("the file is not UTF-8, and has no '.encoding' that says so")
                    .with_help("the encoding's name in '.encoding', for instance windows-1252")
            });
        };
        let charset = Charset::for_label(label).ok_or_else(|| {
            VmxError::new(
                ErrorNumber::InternalError,
                format!("libxml2 doesn't handle {label} encoding"),
            )
            .with_value(label)
            .with_help("UTF-8, windows-1252, Shift_JIS, GBK, Big5, EUC-KR and others")
        })?;
        if !charset.fits(text) {
            return Err(VmxError::internal(format!(
                "Could not convert from {label} to UTF-8 encoding"
            ))
            .with_value(label));
        }
        Ok(charset)
    }

    /// What the bytes most likely are, and what is to be said about it.
    pub(super) fn lenient(label: Option<&str>, text: &[u8]) -> (Charset, Option<String>) {
        let utf8 = std::str::from_utf8(text).is_ok();
        let Some(label) = label.filter(|label| !is_utf8(label)) else {
            if utf8 {
                return (Charset::Utf8, None);
            }
            let message = "the file is not UTF-8: what is not is read as windows-1252".to_owned();
            return (Charset::Guessed, Some(message));
        };
        let guess = if utf8 {
            Charset::Utf8
        } else {
            Charset::Guessed
        };
        match Charset::for_label(label) {
            Some(charset) if charset.fits(text) => (charset, None),
            // Its names are all ASCII: nothing depends on the encoding.
            _ if text.is_ascii() => (Charset::Utf8, None),
            Some(_) => {
                let message = format!("the file is not in '{label}': read as {}", guess.name());
                (guess, Some(message))
            }
            None => {
                let message = format!("'{label}' is not known: read as {}", guess.name());
                (guess, Some(message))
            }
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Charset::Utf8 => "UTF-8",
            Charset::Guessed => "UTF-8 or windows-1252",
            Charset::Latin1 => "ISO-8859-1",
            Charset::Ascii => "US-ASCII",
            Charset::Other(encoding) => encoding.name(),
        }
    }

    pub(super) fn decode(self, bytes: &[u8]) -> Cow<'_, str> {
        match self {
            Charset::Utf8 | Charset::Ascii => String::from_utf8_lossy(bytes),
            Charset::Guessed => match std::str::from_utf8(bytes) {
                Ok(text) => Cow::Borrowed(text),
                Err(_) => WINDOWS_1252.decode_without_bom_handling(bytes).0,
            },
            Charset::Latin1 => encoding_rs::mem::decode_latin1(bytes),
            Charset::Other(encoding) => encoding.decode_without_bom_handling(bytes).0,
        }
    }

    /// The bytes of `text`; `None` when it has a character that the encoding lacks.
    pub(super) fn encode(self, text: &str) -> Option<Cow<'_, [u8]>> {
        match self {
            Charset::Utf8 | Charset::Guessed => Some(Cow::Borrowed(text.as_bytes())),
            Charset::Ascii => text.is_ascii().then_some(Cow::Borrowed(text.as_bytes())),
            Charset::Latin1 => {
                let bytes: Result<Vec<u8>, _> = text.chars().map(u8::try_from).collect();
                bytes.ok().map(Cow::Owned)
            }
            Charset::Other(encoding) => {
                let (bytes, _, unmappable) = encoding.encode(text);
                (!unmappable).then_some(bytes)
            }
        }
    }

    /// By the names that WHATWG and IANA know, and Microsoft's for code pages.
    fn for_label(label: &str) -> Option<Charset> {
        let label = label.trim().to_ascii_lowercase();
        match label.as_str() {
            "iso-8859-1" | "iso8859-1" | "iso_8859-1" | "latin1" | "l1" => {
                return Some(Charset::Latin1);
            }
            "us-ascii" | "ascii" => return Some(Charset::Ascii),
            _ => {}
        }
        let code_page = label
            .strip_prefix("windows-")
            .or_else(|| label.strip_prefix("cp"))
            .or_else(|| label.strip_prefix("ms"));
        let known = match code_page {
            Some("932") => "shift_jis",
            Some("936") => "gbk",
            Some("949") => "euc-kr",
            Some("950") => "big5",
            Some("65001") => "utf-8",
            _ => label.as_str(),
        };
        let encoding = Encoding::for_label_no_replacement(known.as_bytes())?;
        if encoding == encoding_rs::UTF_8 {
            return Some(Charset::Utf8);
        }
        // Such a file could not name its encoding in bytes that are ASCII.
        encoding
            .is_ascii_compatible()
            .then_some(Charset::Other(encoding))
    }

    /// Whether all of `text` can be decoded.
    fn fits(self, text: &[u8]) -> bool {
        match self {
            Charset::Utf8 => std::str::from_utf8(text).is_ok(),
            Charset::Ascii => text.is_ascii(),
            Charset::Guessed | Charset::Latin1 => true,
            Charset::Other(encoding) => encoding
                .decode_without_bom_handling_and_without_replacement(text)
                .is_some(),
        }
    }
}

fn is_utf8(label: &str) -> bool {
    label.eq_ignore_ascii_case("UTF-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(label: &str, bytes: &[u8], text: &str) {
        let charset = Charset::strict(Some(label), bytes).unwrap();
        assert_eq!(charset.decode(bytes), text);
        assert_eq!(charset.encode(text).unwrap(), bytes);
        assert_eq!(Charset::lenient(Some(label), bytes), (charset, None));
    }

    #[test]
    fn encodings_of_vmware() {
        check("utf-8", "ä€".as_bytes(), "ä€");
        check("windows-1252", b"A\x80Z\xe4", "A€Zä");
        check("ISO-8859-1", b"\x80\xe4", "\u{80}ä");
        check("Shift_JIS", b"\x95\x57\x8f\x80\x83\x5c", "標準ソ");
        check("windows-932", b"\x95\x57", "標");
        check("GBK", b"\xd0\xe9\xc4\xe2", "虚拟");
        check("windows-936", b"\xd0\xe9", "虚");
        check("GB18030", b"\xd0\xe9", "虚");
        check("Big5", b"\xb5\xea\xc0\xc0", "虛擬");
        check("EUC-KR", b"\xb0\xa1", "가");
        check("EUC-JP", b"\xc9\xb8", "標");
        check("windows-1251", b"\xcf", "П");
        check("US-ASCII", b"A", "A");
    }

    #[test]
    fn labels_libvirt_refuses() {
        for (label, bytes, message) in [
            (
                Some("klingon"),
                &b"A"[..],
                "internal error: libxml2 doesn't handle klingon encoding",
            ),
            (
                Some("Shift_JIS"),
                b"\x95\n",
                "internal error: Could not convert from Shift_JIS to UTF-8 encoding",
            ),
            (
                None,
                b"\xe4",
                "internal error: the file is not UTF-8, and has no '.encoding' that says so",
            ),
        ] {
            let error = Charset::strict(label, bytes).unwrap_err();
            assert_eq!(error.to_string(), message);
        }
    }

    #[test]
    fn wrong_labels_are_guessed() {
        for (label, bytes, charset, warns) in [
            (None, &b"\xe4"[..], Charset::Guessed, true),
            (Some("UTF-8"), b"\xe4", Charset::Guessed, true),
            (
                Some("Shift_JIS"),
                "ä\u{ff5e}\n".as_bytes(),
                Charset::Utf8,
                true,
            ),
            (Some("klingon"), b"\xe4", Charset::Guessed, true),
            (Some("klingon"), b"A", Charset::Utf8, false),
        ] {
            let (found, warning) = Charset::lenient(label, bytes);
            assert_eq!((found, warning.is_some()), (charset, warns), "{label:?}");
        }
        assert_eq!(Charset::Guessed.decode(b"\xe4"), "ä");
        assert_eq!(Charset::Guessed.decode("ä".as_bytes()), "ä");
    }

    #[test]
    fn what_an_encoding_lacks() {
        let windows = Charset::Other(WINDOWS_1252);
        for charset in [windows, Charset::Latin1, Charset::Ascii] {
            assert_eq!(charset.encode("標"), None);
        }
    }
}
