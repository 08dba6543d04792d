mod composed;
mod libvirt;
mod names;

use std::borrow::Cow;
use std::sync::Arc;

use encoding_rs::{
    BIG5, DecoderResult, Encoding, ISO_2022_JP, WINDOWS_1252, WINDOWS_1255, WINDOWS_1258,
};

use self::libvirt::Decoder;
use crate::VmxError;

/// The encoding of values.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Charset {
    Utf8,
    /// UTF-8 where a value is valid UTF-8, else windows-1252: for files without `.encoding`, or edited
    /// with different encodings.
    Guessed,
    /// ISO 8859-1. The WHATWG standard reads windows-1252 instead.
    Latin1,
    Ascii,
    Other(&'static Encoding),
    /// A single-byte encoding.
    Page(Page),
    /// An encoding that libvirt decodes differently from the WHATWG standard.
    Libvirt(Decoder),
}

/// A single-byte encoding that has ASCII.
#[derive(Clone, PartialEq)]
pub(super) struct Page {
    name: &'static str,
    /// The characters from 0x80 on; 0 for none.
    high: Arc<[u16; 128]>,
    /// Whether a letter and the sign behind it are one character, as glibc decodes Hebrew and Vietnamese.
    composes: bool,
}

impl std::fmt::Debug for Page {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Page {
    fn char(&self, byte: u8) -> Option<char> {
        match byte.checked_sub(0x80) {
            None => Some(char::from(byte)),
            Some(at) => {
                char::from_u32(u32::from(self.high[usize::from(at)])).filter(|c| *c != '\0')
            }
        }
    }

    fn byte(&self, c: char) -> Option<u8> {
        if c.is_ascii() {
            return u8::try_from(c).ok();
        }
        let at = self
            .high
            .iter()
            .position(|high| u32::from(*high) == u32::from(c))?;
        u8::try_from(at + 0x80).ok()
    }

    fn decode(&self, bytes: &[u8]) -> String {
        let c = |byte: &u8| self.char(*byte).unwrap_or(char::REPLACEMENT_CHARACTER);
        let chars = bytes.iter().map(c);
        match self.composes {
            true => composed::compose(chars),
            false => chars.collect(),
        }
    }

    fn encode(&self, text: &str) -> Option<Vec<u8>> {
        let mut bytes = Vec::with_capacity(text.len());
        for c in text.chars() {
            self.encode_char(c, &mut bytes)?;
        }
        Some(bytes)
    }

    fn encode_char(&self, c: char, bytes: &mut Vec<u8>) -> Option<()> {
        if let Some(byte) = self.byte(c) {
            bytes.push(byte);
            return Some(());
        }
        let (letter, sign) = composed::parts(c).filter(|_| self.composes)?;
        self.encode_char(letter, bytes)?;
        self.encode_char(sign, bytes)
    }
}

/// How many UTF-16 units ICU decodes before it encodes them again (libxml2's `ICU_PIVOT_BUF_SIZE`).
const ICU_PORTION: usize = 1024;

impl Charset {
    /// The encoding that libvirt takes for the name in `.encoding`, and the length of the text that it reads: up to the first
    /// byte that is not valid. ICU decodes in [portions](ICU_PORTION), and only whole ones before such a byte are read; if there
    /// is none, the text is refused.
    pub(super) fn strict(label: Option<&str>, text: &[u8]) -> Result<(Charset, usize), VmxError> {
        let Some(label) = label.filter(|label| !is_utf8(label)) else {
            // libvirt converts nothing then, and looks at no byte that it does not need.
            return Ok((Charset::Utf8, text.len()));
        };
        let (charset, by_icu) = Charset::known_to_libvirt(label).ok_or_else(|| {
            VmxError::internal(format!("libxml2 doesn't handle {label} encoding"))
                .with_value(label)
                .with_help("write the name of an encoding: UTF-8, windows-1252, Shift_JIS, GBK, Big5, EUC-KR, …")
        })?;
        let length = charset.valid_up_to(text);
        // ICU copies UTF-8 as far as it is valid.
        if !by_icu || charset == Charset::Utf8 || length == text.len() {
            return Ok((charset, length));
        }
        let portions = charset.portions(&text[..length]);
        if portions == 0 {
            let message = format!("Could not convert from {label} to UTF-8 encoding");
            return Err(VmxError::internal(message)
                .with_value(label)
                .with_help("write the name of the encoding that the file is in"));
        }
        Ok((charset, portions))
    }

    /// The most likely encoding of a text, and a warning about it.
    pub(super) fn lenient(label: Option<&str>, text: &[u8]) -> (Charset, Option<String>) {
        let utf8 = std::str::from_utf8(text).is_ok();
        let Some(label) = label.filter(|label| !is_utf8(label)) else {
            if utf8 {
                return (Charset::Utf8, None);
            }
            let message = "the file is not UTF-8: other bytes are read as windows-1252".to_owned();
            return (Charset::Guessed, Some(message));
        };
        let guess = if utf8 {
            Charset::Utf8
        } else {
            Charset::Guessed
        };
        match Charset::for_label(label).or_else(|| Some(Charset::known_to_libvirt(label)?.0)) {
            Some(charset) if charset.fits(text) => (charset, None),
            // ASCII reads the same in every other encoding, so the name does not matter.
            _ if text.is_ascii() && !shifts(label, text) => (Charset::Utf8, None),
            None if text.is_ascii() => {
                let message = format!(
                    "'{label}' is not known, and writes other letters with those of ASCII: read as ASCII"
                );
                (Charset::Utf8, Some(message))
            }
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

    pub(super) fn name(&self) -> &'static str {
        match self {
            Charset::Utf8 => "UTF-8",
            Charset::Guessed => "UTF-8 or windows-1252",
            Charset::Latin1 => "ISO-8859-1",
            Charset::Ascii => "US-ASCII",
            Charset::Page(page) => page.name,
            Charset::Other(encoding) | Charset::Libvirt(Decoder { encoding, .. }) => {
                encoding.name()
            }
        }
    }

    pub(super) fn decode<'t>(&self, bytes: &'t [u8]) -> Cow<'t, str> {
        match self {
            Charset::Utf8 | Charset::Ascii => String::from_utf8_lossy(bytes),
            Charset::Guessed => match std::str::from_utf8(bytes) {
                Ok(text) => Cow::Borrowed(text),
                Err(_) => WINDOWS_1252.decode_without_bom_handling(bytes).0,
            },
            Charset::Latin1 => encoding_rs::mem::decode_latin1(bytes),
            Charset::Other(encoding) => encoding.decode_without_bom_handling(bytes).0,
            Charset::Page(page) => Cow::Owned(page.decode(bytes)),
            Charset::Libvirt(decoder) => Cow::Owned(decoder.decode(bytes)),
        }
    }

    /// Encodes `text`. None if the encoding lacks one of its characters.
    pub(super) fn encode<'t>(&self, text: &'t str) -> Option<Cow<'t, [u8]>> {
        match self {
            Charset::Utf8 | Charset::Guessed => Some(Cow::Borrowed(text.as_bytes())),
            Charset::Ascii => text.is_ascii().then_some(Cow::Borrowed(text.as_bytes())),
            Charset::Latin1 => {
                let bytes: Result<Vec<u8>, _> = text.chars().map(u8::try_from).collect();
                bytes.ok().map(Cow::Owned)
            }
            Charset::Page(page) => page.encode(text).map(Cow::Owned),
            Charset::Other(encoding) | Charset::Libvirt(Decoder { encoding, .. }) => {
                let (bytes, _, unmappable) = encoding.encode(text);
                (!unmappable).then_some(bytes)
            }
        }
    }

    /// The encoding with that name: a label of WHATWG or IANA, or Microsoft's name of a code page.
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
        // WHATWG's decoders leave letters and their signs apart.
        if encoding == WINDOWS_1255 || encoding == WINDOWS_1258 {
            return Some(Charset::known_to_libvirt(encoding.name())?.0);
        }
        // `.encoding` was read as ASCII, so an encoding without ASCII, such as UTF-16, cannot be right.
        let usable = encoding.is_ascii_compatible() || encoding == ISO_2022_JP;
        usable.then_some(Charset::Other(encoding))
    }

    /// The encoding with a name that glibc, libxml2 or ICU knows, and whether it is ICU that decodes it.
    fn known_to_libvirt(label: &str) -> Option<(Charset, bool)> {
        // glibc ignores other characters in names. An empty name means the locale's encoding.
        let named = |c: char| c.is_ascii_alphanumeric() || "_-.,:".contains(c);
        if !label.is_empty() && !label.contains(named) {
            return Some((Charset::Utf8, false));
        }
        let found = names::find(label)?;
        let charset = match names::page(found.kind) {
            Some(_) if found.kind == ":" => Charset::Latin1,
            Some(high) => Charset::Page(Page {
                name: found.name,
                high: Arc::new(high),
                composes: !found.by_icu && matches!(found.name, "cp1255" | "cp1258"),
            }),
            None => Charset::of_kind(found.kind, found.by_icu)?,
        };
        Some((charset, found.by_icu))
    }

    /// The encoding of a kind in the table of names that is no single-byte one.
    fn of_kind(kind: &str, by_icu: bool) -> Option<Charset> {
        Some(match kind {
            "utf8" => Charset::Utf8,
            "ascii" => Charset::Ascii,
            "iso2022jp" => Charset::Other(ISO_2022_JP),
            "hkscs" => Charset::Other(BIG5),
            kind => Charset::Libvirt(Decoder::of_kind(kind, by_icu)?),
        })
    }

    /// The length of the whole [portions](ICU_PORTION) of a text that can be decoded.
    fn portions(&self, text: &[u8]) -> usize {
        let mut whole = 0;
        let (mut at, mut units) = (0, 0);
        while at < text.len() {
            let rest = &text[at..];
            let lengths = 1..=rest.len().min(4);
            let decoded = |length: usize| {
                let valid = self.valid_up_to(&rest[..length]) == length;
                valid.then(|| (length, self.decode(&rest[..length]).encode_utf16().count()))
            };
            let Some((length, more)) = lengths.clone().find_map(decoded) else {
                break;
            };
            at += length;
            units += more;
            if units / ICU_PORTION > (units - more) / ICU_PORTION {
                // A character beyond 16 bits may be in two portions.
                whole = if units % ICU_PORTION == 0 {
                    at
                } else {
                    at - length
                };
            }
        }
        whole
    }

    /// Whether the whole `text` can be decoded.
    fn fits(&self, text: &[u8]) -> bool {
        match self {
            Charset::Other(encoding) => encoding
                .decode_without_bom_handling_and_without_replacement(text)
                .is_some(),
            _ => self.valid_up_to(text) == text.len(),
        }
    }

    /// The number of bytes of `text` that libvirt's decoder accepts.
    fn valid_up_to(&self, text: &[u8]) -> usize {
        match self {
            Charset::Utf8 => {
                std::str::from_utf8(text).map_or_else(|error| error.valid_up_to(), str::len)
            }
            Charset::Ascii => Encoding::ascii_valid_up_to(text),
            Charset::Guessed | Charset::Latin1 => text.len(),
            Charset::Other(encoding) => decodable(encoding, text),
            Charset::Page(page) => {
                let mut bytes = text.iter();
                bytes
                    .position(|byte| page.char(*byte).is_none())
                    .unwrap_or(text.len())
            }
            Charset::Libvirt(decoder) => decoder.valid_up_to(text),
        }
    }
}

/// The number of bytes of `text` that can be decoded.
fn decodable(encoding: &'static Encoding, text: &[u8]) -> usize {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let mut sink = [0; 4096];
    let mut read = 0;
    loop {
        let rest = &text[read..];
        let (result, more, _) = decoder.decode_to_utf8_without_replacement(rest, &mut sink, true);
        read += more;
        match result {
            DecoderResult::InputEmpty => return read,
            DecoderResult::OutputFull => {}
            DecoderResult::Malformed(bytes, behind) => {
                return read - usize::from(bytes) - usize::from(behind);
            }
        }
    }
}

/// Whether ASCII bytes of the text stand for other characters in an encoding that is not known: a sequence begins them.
fn shifts(label: &str, text: &[u8]) -> bool {
    let plain = label.bytes().filter(u8::is_ascii_alphanumeric);
    let plain: String = plain
        .map(|byte| char::from(byte.to_ascii_lowercase()))
        .collect();
    let is = |names: &[&str]| names.contains(&plain.as_str());
    let has = |sequence: &[u8]| text.windows(sequence.len()).any(|found| found == sequence);
    if is(&["hz", "hzgb2312"]) {
        return has(b"~{") || has(b"~~");
    }
    if is(&["utf7", "unicode11utf7", "csunicode11utf7"]) {
        return has(b"+");
    }
    if is(&["imapmailboxname", "utf7imap"]) {
        return has(b"&");
    }
    if plain.starts_with("iso2022") || plain.starts_with("csiso2022") {
        return has(b"\x1b") || has(b"\x0e");
    }
    if plain.starts_with("tcvn") {
        return text
            .iter()
            .any(|byte| matches!(byte, 0x01..=0x06 | 0x11..=0x17));
    }
    // SCSU's tags, which change what the bytes behind them mean.
    plain == "scsu"
        && text
            .iter()
            .any(|byte| matches!(byte, 0x01..=0x08 | 0x0b | 0x0c | 0x0e..=0x1f))
}

fn is_utf8(label: &str) -> bool {
    label.eq_ignore_ascii_case("UTF-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(label: &str, bytes: &[u8], text: &str) {
        let (charset, length) = Charset::strict(Some(label), bytes).unwrap();
        assert_eq!(length, bytes.len());
        assert_eq!(charset.decode(bytes), text);
        assert_eq!(charset.encode(text).unwrap(), bytes);
        let (charset, warning) = Charset::lenient(Some(label), bytes);
        assert_eq!((&*charset.decode(bytes), warning), (text, None));
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
        for label in ["windows-1258", "CP1258", "Windows-1258"] {
            check(
                label,
                b"Vi\xea\xf2t \xd0\xf2 \x80",
                "Vi\u{1ec7}t \u{110}\u{323} €",
            );
        }
        check("windows-1255", b"\xf9\xd1\xcc", "\u{fb2c}");
        check("US-ASCII", b"A", "A");
        check("ISO-2022-JP", b"\x1b$BI8\x1b(B", "標");
    }

    #[test]
    fn labels_libvirt_knows() {
        for (label, bytes, text) in [
            // An empty name means the locale's encoding.
            (" ", "ä".as_bytes(), "ä"),
            ("//", "ä".as_bytes(), "ä"),
            ("UT%F-8", "ä".as_bytes(), "ä"),
            ("MS-ANSI", b"\x80", "€"),
            ("windows1252", b"\x80", "€"),
            ("8859_1", b"\xe4", "ä"),
            ("latin-9", b"\xa4", "€"),
            ("EUCJP", b"\xc9\xb8", "標"),
            ("UHC", b"\x8c\x63", "똠"),
            ("cp874", b"\x80", "€"),
            ("ANSI_X3.4-1968", b"a", "a"),
            ("latin5", b"\x80\xfd", "\u{80}ı"),
            ("cp1255", b"\xf9\xd4\xe9", "שװי"),
            // ICU leaves letters and their signs apart.
            ("windows1258", b"\xea\xf2\x8a", "\u{ea}\u{323}\u{8a}"),
            ("ibm-5354", b"\xea\xf2", "\u{ea}\u{323}"),
            ("x-windows-1255", b"\xf9\xcc", "\u{5e9}\u{5bc}"),
            ("x-windows-1252", b"\x80\x81", "€\u{81}"),
            ("ibm-1386", b"\x80\xd0\xe9", "€虚"),
        ] {
            let (charset, length) = Charset::strict(Some(label), bytes).unwrap();
            assert_eq!(
                (&*charset.decode(bytes), length),
                (text, bytes.len()),
                "{label}"
            );
        }
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
                Some(""),
                b"A",
                "internal error: libxml2 doesn't handle  encoding",
            ),
            (
                Some("cp65001"),
                b"A",
                "internal error: libxml2 doesn't handle cp65001 encoding",
            ),
            (
                Some("windows-949"),
                b"\xb0\xa1\xb0\x30",
                "internal error: Could not convert from windows-949 to UTF-8 encoding",
            ),
        ] {
            let error = Charset::strict(label, bytes).unwrap_err();
            assert_eq!(error.to_string(), message);
        }
    }

    #[test]
    fn bytes_without_a_meaning_end_the_text() {
        for (label, bytes, length) in [
            ("Shift_JIS", &b"a\x95\x57b\x95\nc"[..], 4),
            ("windows-1252", b"a\x80\x81", 2),
            ("US-ASCII", b"ab\xe4", 2),
            ("utf8", b"a\xff", 1),
            ("cp857", b"a\xd5", 1),
            ("IBM857", b"a\xe7\xd2", 1),
            ("857", b"a\xf2", 1),
            ("cp856", b"a\xe7", 1),
        ] {
            assert_eq!(
                Charset::strict(Some(label), bytes).unwrap().1,
                length,
                "{label}"
            );
        }
    }

    #[test]
    fn icu_gives_whole_portions_before_a_byte_without_a_meaning() {
        for (label, good, bad, length) in [
            ("windows-949-2000", "a".repeat(1023), &b"\xff\x41"[..], 1024),
            ("windows-949-2000", "a".repeat(1024), b"\xc9\x41", 1024),
            ("windows-949-2000", "a".repeat(2500), b"\xc9\x41", 2048),
            ("hebrew8", "a".repeat(1500), b"\xff", 1024),
            ("ascii7", "a".repeat(1025), b"\x80", 1024),
        ] {
            let text = [good.as_bytes(), bad].concat();
            let found = Charset::strict(Some(label), &text).unwrap().1;
            assert_eq!(found.min(text.len() - 1), length, "{label}");
        }
        for (label, good) in [("hebrew8", 1023), ("ascii7", 0), ("windows-949-2000", 1023)] {
            let text = ["a".repeat(good).as_bytes(), b"\xfb\x20"].concat();
            let error = Charset::strict(Some(label), &text).unwrap_err().to_string();
            assert!(error.contains("Could not convert"), "{label}: {error}");
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
        // In these, ASCII stands for other letters, too.
        for (label, bytes, warns) in [
            ("HZ", &b"a~{VPND~}"[..], true),
            ("hz-gb-2312", b"a~{VPND~}", true),
            ("HZ", b"a~b", false),
            ("UTF-7", b"Vi+HsU-t", true),
            ("UTF-7", b"web", false),
            ("IMAP-mailbox-name", b"&U,BTFw-", true),
            ("ISO-2022-KR", b"\x1b$)C\x0e0!\x0f", true),
            ("ISO-2022-CN", b"\x1b$)A\x0e9z\x0f", true),
            ("ISO-2022-KR", b"web", false),
            ("SCSU", b"\x12\x3f", true),
            ("SCSU", b"web\r\n\t", false),
            ("TCVN", b"\x02", true),
            ("BOCU-1", b"web", false),
            ("TCVN5712-1", b"web", false),
        ] {
            let (found, warning) = Charset::lenient(Some(label), bytes);
            assert_eq!(
                (found, warning.is_some()),
                (Charset::Utf8, warns),
                "{label}"
            );
        }
        for label in ["HZ", "UTF-7", "SCSU", "BOCU-1", "TCVN"] {
            let (found, warning) = Charset::lenient(Some(label), b"\xe4");
            assert_eq!(
                (found, warning.is_some()),
                (Charset::Guessed, true),
                "{label}"
            );
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
