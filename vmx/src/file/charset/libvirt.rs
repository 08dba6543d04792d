//! Encodings as libvirt decodes them: through libxml2 with glibc's iconv, or with ICU for names that
//! glibc lacks (observed with libvirt 9.0).
//!
//! `encoding_rs` implements the WHATWG standard, whose decoders accept more than most encodings
//! define, and only the Windows variants of East Asian encodings.

use std::ops::RangeInclusive;

use encoding_rs::Encoding;

/// An encoding of WHATWG, and how libvirt's decoder differs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::file) struct Decoder {
    pub(super) encoding: &'static Encoding,
    variant: Variant,
    /// Whether an invalid byte makes reading fail, as with ICU. With glibc the text ends there.
    pub(super) refuses: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Variant {
    /// A single-byte encoding in which these bytes are invalid.
    Lacking(&'static [RangeInclusive<u8>]),
    /// A single-byte encoding in which 0x80 to 0x9f are control characters.
    Controls,
    Koi8U,
    ShiftJis,
    /// Windows' Shift_JIS.
    Cp932,
    EucJp,
    Gb2312,
    Gbk,
    Gb18030,
    Big5,
    /// Windows' Big5.
    Cp950,
    EucKr,
    /// Windows' EUC-KR.
    Cp949,
}

impl Decoder {
    /// The decoder for a label and the encoding that WHATWG gives it. None if libvirt decodes the same.
    pub(super) fn new(encoding: &'static Encoding, label: &str) -> Option<Decoder> {
        let variant = match label {
            "iso88599" | "latin5" | "l5" | "iso885911" => Variant::Controls,
            "tis620" => Variant::Lacking(&[0x80..=0xa0]),
            "cp932" | "windows932" | "ms932" | "windows31j" | "cswindows31j" | "xsjis" => {
                Variant::Cp932
            }
            "gb2312" | "csgb2312" => Variant::Gb2312,
            "cp949" | "windows949" | "ms949" | "uhc" | "ksc56011987" => Variant::Cp949,
            "windows950" => Variant::Cp950,
            "big5hkscs" => return None,
            _ => by_encoding(encoding)?,
        };
        let refuses = matches!(
            label,
            "windows932"
                | "windows949"
                | "windows950"
                | "ms949"
                | "ksc56011987"
                | "xsjis"
                | "xeucjp"
        );
        Some(Decoder {
            encoding,
            variant,
            refuses,
        })
    }

    /// The number of bytes of `text` that can be decoded.
    pub(super) fn valid_up_to(self, text: &[u8]) -> usize {
        let mut at = 0;
        while let Some((_, length)) = self.next(&text[at..]) {
            at += length;
        }
        at
    }

    /// Decodes `bytes` up to the first invalid byte.
    pub(super) fn decode(self, bytes: &[u8]) -> String {
        let mut text = String::with_capacity(bytes.len());
        let mut at = 0;
        while let Some((c, length)) = self.next(&bytes[at..]) {
            text.push(c);
            at += length;
        }
        text
    }

    /// The first character and its length in bytes.
    fn next(self, bytes: &[u8]) -> Option<(char, usize)> {
        let first = *bytes.first()?;
        if first < 0x80 {
            let c = match (self.variant, first) {
                (Variant::ShiftJis, b'\\') => '¥',
                (Variant::ShiftJis, b'~') => '‾',
                _ => char::from(first),
            };
            return Some((c, 1));
        }
        if self.is_control(first) {
            return Some((char::from(first), 1));
        }
        if let Some(c) = self.own(first, bytes.get(1).copied().unwrap_or_default()) {
            let length = if first == 0xff { 1 } else { 2 };
            return Some((c, length));
        }
        let (c, length) = (1..=bytes.len().min(4)).find_map(|length| {
            let decoded = self
                .encoding
                .decode_without_bom_handling_and_without_replacement(&bytes[..length])?;
            let mut chars = decoded.chars();
            match (chars.next(), chars.next()) {
                (Some(c), None) => Some((c, length)),
                _ => None,
            }
        })?;
        Some((self.meaning(c, &bytes[..length])?, length))
    }

    /// Whether a byte from 0x80 on is a control character.
    fn is_control(self, byte: u8) -> bool {
        match self.variant {
            Variant::Controls | Variant::EucKr => byte < 0xa0,
            Variant::EucJp => byte < 0xa0 && !matches!(byte, 0x8e | 0x8f),
            Variant::Big5 | Variant::Cp950 => byte == 0x80,
            Variant::Cp949 => byte == 0x80 && self.refuses,
            _ => false,
        }
    }

    /// A character that WHATWG's table lacks.
    fn own(self, first: u8, second: u8) -> Option<char> {
        match (self.variant, first) {
            (Variant::EucKr, 0xa2) if second == 0xe8 => Some('㉾'),
            (Variant::Cp949, 0xff) if self.refuses => Some('\u{f8f7}'),
            (Variant::Cp950, 0xff) => Some('\u{f8f8}'),
            (Variant::Big5, _) => users(first, second, false),
            (Variant::Cp950, _) => users(first, second, true),
            _ => None,
        }
    }

    /// libvirt's character for bytes that WHATWG decodes as `c`.
    fn meaning(self, c: char, bytes: &[u8]) -> Option<char> {
        let first = bytes[0];
        let second = bytes.get(1).copied().unwrap_or_default();
        let means = match self.variant {
            Variant::Lacking(lacking) => !lacking.iter().any(|range| range.contains(&first)),
            Variant::Controls | Variant::Koi8U | Variant::Cp949 => true,
            // glibc lacks the extensions of NEC, IBM and Microsoft.
            Variant::ShiftJis => !matches!(first, 0x80 | 0x85..=0x87 | 0xeb..=0xff),
            Variant::Cp932 => first != 0x80,
            Variant::EucJp => !matches!(first, 0xad | 0xf5..=0xff),
            Variant::Gb2312 => bytes.len() == 2 && is_gb2312(first, second),
            Variant::Gbk => first == 0x80 || bytes.len() == 2 && is_gbk(c, first, second),
            Variant::Gb18030 => first != 0x80,
            // glibc's Big5 lacks the characters for Hong Kong.
            Variant::Big5 | Variant::Cp950 => match first {
                0xa3 => !matches!(second, 0xc0..=0xe0),
                _ => !matches!(first, 0x81..=0xa0 | 0xfa..=0xff),
            },
            Variant::EucKr => first >= 0xa1 && second >= 0xa1,
        };
        let others = self.others();
        let other = others.iter().find(|(usual, _)| *usual == c);
        means.then_some(other.map_or(c, |(_, other)| *other))
    }

    /// Characters that libvirt decodes differently: WHATWG's, then libvirt's.
    fn others(self) -> &'static [(char, char)] {
        match self.variant {
            Variant::ShiftJis | Variant::EucJp => &[
                ('～', '〜'),
                ('∥', '‖'),
                ('－', '−'),
                ('￠', '¢'),
                ('￡', '£'),
                ('￢', '¬'),
            ],
            Variant::Big5 | Variant::Cp950 => &[('￭', '▓')],
            Variant::Gb2312 => &[('·', '・'), ('—', '―')],
            Variant::Gb18030 => &[
                ('\u{e816}', '𠂇'),
                ('\u{e817}', '𠂉'),
                ('\u{e818}', '𠃌'),
                ('\u{e831}', '𡗗'),
                ('\u{e83b}', '𢦏'),
                ('\u{e855}', '𤇾'),
            ],
            Variant::Koi8U => &[('ў', '╝'), ('Ў', '╬')],
            _ => &[],
        }
    }
}

/// The encoding with WHATWG's name.
fn by_encoding(encoding: &'static Encoding) -> Option<Variant> {
    let lacking: &[RangeInclusive<u8>] = match encoding.name() {
        "windows-1250" => &[
            0x81..=0x81,
            0x83..=0x83,
            0x88..=0x88,
            0x90..=0x90,
            0x98..=0x98,
        ],
        "windows-1251" => &[0x98..=0x98],
        "windows-1252" => &[0x81..=0x81, 0x8d..=0x8d, 0x8f..=0x90, 0x9d..=0x9d],
        "windows-1253" => &[
            0x81..=0x81,
            0x88..=0x88,
            0x8a..=0x8a,
            0x8c..=0x90,
            0x98..=0x98,
            0x9a..=0x9a,
            0x9c..=0x9f,
        ],
        "windows-1254" => &[0x81..=0x81, 0x8d..=0x90, 0x9d..=0x9e],
        "windows-1255" => &[
            0x81..=0x81,
            0x8a..=0x8a,
            0x8c..=0x90,
            0x9a..=0x9a,
            0x9c..=0x9f,
            0xca..=0xca,
        ],
        "windows-1257" => &[
            0x81..=0x81,
            0x83..=0x83,
            0x88..=0x88,
            0x8a..=0x8a,
            0x8c..=0x8c,
            0x90..=0x90,
            0x98..=0x98,
            0x9a..=0x9a,
            0x9c..=0x9c,
            0x9f..=0x9f,
        ],
        "windows-1258" => &[
            0x81..=0x81,
            0x8a..=0x8a,
            0x8d..=0x90,
            0x9a..=0x9a,
            0x9d..=0x9e,
        ],
        "windows-874" => &[0x81..=0x84, 0x86..=0x90, 0x98..=0x9f],
        "KOI8-U" => return Some(Variant::Koi8U),
        "Shift_JIS" => return Some(Variant::ShiftJis),
        "EUC-JP" => return Some(Variant::EucJp),
        "GBK" => return Some(Variant::Gbk),
        "gb18030" => return Some(Variant::Gb18030),
        "Big5" => return Some(Variant::Big5),
        "EUC-KR" => return Some(Variant::EucKr),
        _ => return None,
    };
    Some(Variant::Lacking(lacking))
}

/// Whether two bytes of GBK are in GB 2312, which GBK extends.
fn is_gb2312(first: u8, second: u8) -> bool {
    match first {
        0xa1 | 0xa3 | 0xb0..=0xd6 | 0xd8..=0xf7 => second >= 0xa1,
        0xa2 => matches!(second, 0xb1..=0xe2 | 0xe5..=0xee | 0xf1..=0xfc),
        0xa4 => matches!(second, 0xa1..=0xf3),
        0xa5 => matches!(second, 0xa1..=0xf6),
        0xa6 => matches!(second, 0xa1..=0xb8 | 0xc1..=0xd8),
        0xa7 => matches!(second, 0xa1..=0xc1 | 0xd1..=0xf1),
        0xa8 => matches!(second, 0xa1..=0xba | 0xc5..=0xe9),
        0xa9 => matches!(second, 0xa4..=0xef),
        0xd7 => matches!(second, 0xa1..=0xf9),
        _ => false,
    }
}

/// Whether two bytes, which WHATWG reads as GB 18030, are in GBK.
fn is_gbk(c: char, first: u8, second: u8) -> bool {
    let later = match first {
        0xa2 => second == 0xe3,
        0xa3 => second == 0xa0,
        0xa6 => matches!(second, 0xd9..=0xdf | 0xec..=0xed | 0xf3),
        0xa8 => matches!(second, 0xbc | 0xbf),
        0xa9 => matches!(second, 0x89..=0x95),
        0xfe => second >= 0x50,
        _ => false,
    };
    !later && !('\u{e000}'..='\u{f8ff}').contains(&c)
}

/// Big5's user-defined characters. Unicode has a run of private characters for each row of them.
fn users(first: u8, second: u8, windows: bool) -> Option<char> {
    let column = match second {
        0x40..=0x7e => second - 0x40,
        0xa1..=0xfe => second - 0xa1 + 63,
        _ => return None,
    };
    let (row, start) = match first {
        0xc6 if second >= 0xa1 => (0xc6, 0xf6b1 - 63),
        0xc7..=0xc8 => (0xc6, 0xf6b1 - 63),
        0xfa..=0xfe if windows => (0xfa, 0xe000),
        0x8e..=0xa0 if windows => (0x8e, 0xe311),
        0x81..=0x8d if windows => (0x81, 0xeeb8),
        _ => return None,
    };
    char::from_u32(start + u32::from(first - row) * 157 + u32::from(column))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks the text that a label's decoder makes of bytes, and how many bytes it accepts.
    #[track_caller]
    fn check(label: &str, bytes: &[u8], text: &str, length: usize) {
        let encoding = Encoding::for_label(label.as_bytes()).unwrap();
        let plain: String = label.chars().filter(char::is_ascii_alphanumeric).collect();
        let decoder = Decoder::new(encoding, &plain.to_ascii_lowercase()).unwrap();
        let found = (decoder.decode(bytes), decoder.valid_up_to(bytes));
        assert_eq!(found, (text.to_owned(), length), "{label}");
    }

    #[test]
    fn bytes_that_windows_has_no_character_for() {
        for (label, byte) in [
            ("windows-1250", 0x98),
            ("windows-1251", 0x98),
            ("windows-1252", 0x81),
            ("windows-1253", 0x9f),
            ("windows-1254", 0x9e),
            ("windows-1255", 0xca),
            ("windows-1257", 0x90),
            ("windows-1258", 0x8f),
            ("windows-874", 0x90),
            ("TIS-620", 0x85),
        ] {
            check(label, &[b'a', byte, b'b'], "a", 1);
        }
    }

    #[test]
    fn control_characters() {
        check("ISO-8859-9", b"\x80\xfd", "\u{80}ı", 2);
        check("ISO-8859-11", b"\x85\xa1", "\u{85}ก", 2);
        check("EUC-KR", b"\x81\xb0\xa1", "\u{81}가", 3);
        check("EUC-JP", b"\x81\xc9\xb8", "\u{81}標", 3);
        check("Big5", b"\x80\xb5\xea", "\u{80}虛", 3);
    }

    #[test]
    fn japanese() {
        check(
            "Shift_JIS",
            b"C:\\~\x81\x60\x81\x7c\x95\x5c\xb1",
            "C:¥‾〜−表ｱ",
            11,
        );
        check("windows-31j", b"C:\\~\x81\x60\x87\x40", "C:\\~～①", 8);
        check("Shift_JIS", b"a\x87\x40", "a", 1);
        check("Shift_JIS", b"a\x80", "a", 1);
        check("EUC-JP", b"\xa1\xc1\xa1\xdd~\xad\xa1", "〜−~", 5);
    }

    #[test]
    fn chinese() {
        check("GBK", b"\x80\xd0\xe9\x81\x40\xa2\xe3", "€虚丂", 5);
        check("GB2312", b"\xd0\xe9\xa1\xa4\x81\x40", "虚・", 4);
        check(
            "GB18030",
            b"\xa2\xe3\x81\x30\x81\x30\xfe\x51\x80",
            "€\u{80}𠂇",
            8,
        );
        check(
            "Big5",
            b"\xb5\xea\xc6\xa1\xc8\xfe\x87\x40",
            "虛\u{f6b1}\u{f848}",
            6,
        );
        check("Big5", b"a\xa3\xc0", "a", 1);
    }

    #[test]
    fn korean() {
        check("EUC-KR", b"\xb0\xa1\xa2\xe8\xb0\x41", "가㉾", 4);
        check("windows-949", b"\xb0\xa1\x8c\x63", "가똠", 4);
    }
}
