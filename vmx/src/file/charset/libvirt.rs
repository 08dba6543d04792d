//! Encodings as libvirt decodes them: through libxml2 with glibc's iconv, or with ICU for names that
//! glibc lacks (observed with libvirt 9.0).
//!
//! `encoding_rs` implements the WHATWG standard, whose decoders accept more than most encodings
//! define, and only the Windows variants of East Asian encodings.

use encoding_rs::{BIG5, EUC_JP, EUC_KR, Encoding, GB18030, GBK, SHIFT_JIS};

/// An encoding of WHATWG, and how libvirt's decoder differs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::file) struct Decoder {
    pub(super) encoding: &'static Encoding,
    variant: Variant,
    /// Whether it is ICU's converter.
    by_icu: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Variant {
    ShiftJis,
    /// Windows' Shift_JIS.
    Cp932,
    /// IBM's Shift_JIS.
    Ibm943,
    EucJp,
    /// EUC-JP with the characters of Windows.
    EucJpMs,
    Gb2312,
    Gbk,
    /// Windows' GBK, with private characters that got others later.
    Cp936,
    Gb18030,
    Big5,
    /// Windows' Big5.
    Cp950,
    EucKr,
    /// Windows' EUC-KR.
    Cp949,
}

impl Decoder {
    /// The decoder of a kind in the table of names.
    pub(super) fn of_kind(kind: &str, by_icu: bool) -> Option<Decoder> {
        let (encoding, variant) = match kind {
            "sjis" => (SHIFT_JIS, Variant::ShiftJis),
            "cp932" => (SHIFT_JIS, Variant::Cp932),
            "ibm943" => (SHIFT_JIS, Variant::Ibm943),
            "eucjp" => (EUC_JP, Variant::EucJp),
            "eucjpms" => (EUC_JP, Variant::EucJpMs),
            "gb2312" => (GBK, Variant::Gb2312),
            "gbk" => (GBK, Variant::Gbk),
            "cp936" => (GBK, Variant::Cp936),
            "gb18030" => (GB18030, Variant::Gb18030),
            "big5" => (BIG5, Variant::Big5),
            "cp950" => (BIG5, Variant::Cp950),
            "euckr" => (EUC_KR, Variant::EucKr),
            "cp949" => (EUC_KR, Variant::Cp949),
            _ => return None,
        };
        Some(Decoder {
            encoding,
            variant,
            by_icu,
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
                (Variant::Ibm943, b'\\') if self.by_icu => '¥',
                (Variant::ShiftJis, b'~') => '‾',
                (Variant::Ibm943, b'~') if self.by_icu => '‾',
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
            Variant::EucKr => byte < 0xa0,
            Variant::EucJp | Variant::EucJpMs => byte < 0xa0 && !matches!(byte, 0x8e | 0x8f),
            Variant::Big5 | Variant::Cp950 => byte == 0x80,
            Variant::Cp949 => byte == 0x80 && self.by_icu,
            _ => false,
        }
    }

    /// A character that WHATWG's table lacks.
    fn own(self, first: u8, second: u8) -> Option<char> {
        match (self.variant, first) {
            (Variant::EucKr, 0xa2) if second == 0xe8 => Some('㉾'),
            (Variant::Cp949, 0xff) if self.by_icu => Some('\u{f8f7}'),
            (Variant::Cp949, 0xc9 | 0xfe) if self.by_icu => {
                let row = if first == 0xc9 { 0xe000 } else { 0xe05e };
                let column = second.checked_sub(0xa1).filter(|column| *column < 94)?;
                char::from_u32(row + u32::from(column))
            }
            (Variant::Cp936, 0xff) => Some('\u{f8f5}'),
            (Variant::Cp936, _) => private(first, second),
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
            Variant::Cp949 | Variant::Cp936 | Variant::EucJpMs => true,
            // glibc lacks the extensions of NEC, IBM and Microsoft.
            Variant::ShiftJis => !matches!(first, 0x80 | 0x85..=0x87 | 0xeb..=0xff),
            Variant::Cp932 | Variant::Ibm943 => first != 0x80,
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
            Variant::Ibm943 => &[
                ('―', '—'),
                ('～', '〜'),
                ('∥', '‖'),
                ('－', '−'),
                ('￤', '¦'),
            ],
            _ => &[],
        }
    }
}

/// Private characters that Windows' GBK has where GB 18030 has others since 2005: the first bytes, its character, and how many follow
/// each other.
const PRIVATE: [(u16, u16, u16); 14] = [
    (0xa2e3, 0xe76c, 1),
    (0xa3a0, 0xe5e5, 1),
    (0xa6d9, 0xe78d, 7),
    (0xa6ec, 0xe794, 2),
    (0xa6f3, 0xe796, 1),
    (0xa8bc, 0xe7c7, 1),
    (0xa8bf, 0xe7c8, 1),
    (0xa989, 0xe7e7, 13),
    (0xfe50, 0xe815, 1),
    (0xfe54, 0xe819, 24),
    (0xfe6d, 0xe832, 9),
    (0xfe77, 0xe83c, 8),
    (0xfe80, 0xe844, 17),
    (0xfe92, 0xe856, 15),
];

fn private(first: u8, second: u8) -> Option<char> {
    let code = u16::from_be_bytes([first, second]);
    let mut runs = PRIVATE.iter();
    let (from, to, _) = runs.find(|(from, _, count)| (*from..*from + *count).contains(&code))?;
    char::from_u32(u32::from(to + (code - from)))
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
        let found = super::super::names::find(label).unwrap();
        let decoder = Decoder::of_kind(found.kind, found.by_icu).unwrap();
        let found = (decoder.decode(bytes), decoder.valid_up_to(bytes));
        assert_eq!(found, (text.to_owned(), length), "{label}");
    }

    #[test]
    fn control_characters() {
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
    #[test]
    fn names_of_icu() {
        check(
            "windows-949-2000",
            b"\xb0\xa1\xc9\xa1\xfe\xfe\xff",
            "가\u{e000}\u{e0bb}\u{f8f7}",
            7,
        );
        check(
            "ibm-943_P15A-2003",
            b"C:\\\x95\x57\x81\x60\x87\x40",
            "C:\\標～①",
            9,
        );
        check("ibm-943_P130-1999", b"\\~\x81\x60\x81\x5c", "¥‾〜—", 6);
        check(
            "windows-936-2000",
            b"\x80\xd0\xe9\xa6\xd9\xfe\x55\xff",
            "€虚\u{e78d}\u{e81a}\u{f8f5}",
            8,
        );
        check("windows-950", b"\xb5\xea\x87\x40", "虛\u{f266}", 4);
        check("euc-jp-2007", b"\xc9\xb8\xad\xa1\xa1\xc1", "標①～", 6);
    }
}
