//! Why a mutated file may get another answer from us than from virsh.

use super::Case;
use super::make::names_of_icu;

/// A kind of differences.
pub(super) struct Reason {
    /// Why it stays.
    pub(super) text: &'static str,
    /// Whether a difference is of this kind.
    pub(super) holds: fn(&Case) -> bool,
}

/// The kinds, the narrowest first. The first one that holds is counted.
pub(super) const REASONS: &[Reason] = &[
    Reason {
        text: "no parser reads virsh's document, which has bytes that are not UTF-8: refused",
        holds: |case| {
            case.virsh.starts_with("<domain ")
                && case.virsh.contains(char::REPLACEMENT_CHARACTER)
                && case
                    .ours
                    .contains("the file is not UTF-8, and has no '.encoding' that says so")
        },
    },
    Reason {
        text: "virsh does not print the VNC password, which is not UTF-8: refused, as no document could have it",
        holds: |case| {
            case.virsh.starts_with("<domain ")
                && case
                    .text
                    .to_ascii_lowercase()
                    .contains("remotedisplay.vnc.password")
                && case
                    .ours
                    .contains("the file is not UTF-8, and has no '.encoding' that says so")
        },
    },
    Reason {
        text: "no parser reads virsh's document, in which an escape (`|ff`) of the name is a byte that is not UTF-8: refused",
        holds: |case| {
            !case.virsh.contains("invalid escape sequence")
                && case.ours.contains("contains invalid escape sequence")
                && has_high_escape(&case.text)
        },
    },
    Reason {
        text: "no parser reads virsh's document, as libvirt's list of forbidden characters lacks 0x1a to 0x1f: left out",
        holds: |case| {
            let forgotten = |c: char| ('\u{1a}'..='\u{1f}').contains(&c);
            case.virsh.contains(forgotten) && case.virsh.replace(forgotten, "") == case.ours
        },
    },
    Reason {
        text: "an encoding that no VMware writes is not known: CESU-8, EUC-TW, ISCII, ISO 2022 but for Japan, JOHAB, and those in which ASCII is not ASCII",
        holds: |case| {
            !case.virsh.contains("libxml2 doesn't handle")
                && case.ours.contains("libxml2 doesn't handle")
                && UNKNOWN
                    .iter()
                    .any(|name| case.encoding.eq_ignore_ascii_case(name))
        },
    },
    Reason {
        text: "glibc's IBM864 has an Arabic sign for per cent in place of ASCII's: it is decoded as ICU's",
        holds: |case| {
            ["864", "cp864", "csibm864", "ibm864"].contains(&plain(&case.encoding).as_str())
        },
    },
    Reason {
        text: "an East Asian encoding of IBM or Hong Kong is decoded as the closest one of Windows or of browsers",
        holds: |case| !case.is_utf8 && is_close(&case.encoding),
    },
];

/// Whether the text has an escape of a byte beyond ASCII.
fn has_high_escape(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.windows(3).any(|escape| {
        matches!(escape[0], b'|' | b'%')
            && matches!(escape[1], b'8' | b'9' | b'a'..=b'f' | b'A'..=b'F')
            && escape[2].is_ascii_hexdigit()
    })
}

/// What vmx does not know.
const UNKNOWN: &[&str] = &[
    "BOCU-1",
    "CESU-8",
    "EBCDIC-US",
    "EUC-TW",
    "HZ-GB-2312",
    "IBM037",
    "ISCII,version=0",
    "ISO-2022-CN",
    "ISO-2022-KR",
    "JOHAB",
    "SCSU",
    "UCS-4",
    "UTF-16",
    "UTF-16LE",
    "UTF-32",
    "UTF-7",
    "TCVN",
];

/// The kinds of vmx's table of encodings that stand for others, too.
const CLOSE: &[&str] = &[
    "cp932", "cp949", "cp950", "eucjpms", "euckr", "gb2312", "hkscs", "ibm943",
];

/// ICU's names of encodings that vmx decodes exactly, though their kinds stand for others, too.
const EXACT: &[&str] = &[
    "cp932",
    "ibm943p15a2003",
    "mskanji",
    "shiftjis",
    "sjis",
    "windows31j",
    "windows932",
    "windows949",
    "windows9492000",
    "windows950",
];

fn is_close(encoding: &str) -> bool {
    let plain = plain(encoding);
    // ICU's eight-bit JIS, which is a single-byte encoding here.
    if ["iso2022localejaversion4", "jis8"].contains(&plain.as_str()) {
        return true;
    }
    if EXACT.contains(&plain.as_str()) {
        return false;
    }
    CLOSE
        .iter()
        .any(|kind| names_of_icu(kind).any(|name| name == plain))
}

/// A name in lower case, without punctuation.
fn plain(encoding: &str) -> String {
    let plain = encoding.chars().filter(char::is_ascii_alphanumeric);
    plain.map(|c| c.to_ascii_lowercase()).collect()
}
