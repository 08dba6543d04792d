//! The names of encodings that libvirt takes: those of glibc, and those of ICU that glibc lacks.
//!
//! `table.txt` has a line for each encoding: how it is decoded, glibc's names in lower case, and ICU's names in lower case without
//! punctuation, by which it also decodes other spellings of glibc's (`latin-1`). It was made by asking libxml2 2.9 with glibc 2.36 and ICU 72, which libvirt asks, for every name and every byte.
//! Encodings without ASCII are not in it, as `.encoding` itself is read as ASCII, nor are ISCII, JOHAB, EUC-TW and the other ISO 2022
//! ones, which no VMware writes.
//!
//! A single-byte encoding is `BASE:CHANGES`: the number of the line whose encoding it changes (none: ISO 8859-1), and for each
//! byte that differs two hexadecimal digits and the character; `=` is the control character of that number, `!` is none.

const TABLE: &str = include_str!("table.txt");

/// How an encoding is decoded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Found {
    /// The first column of the table.
    pub(super) kind: &'static str,
    /// A name of the encoding.
    pub(super) name: &'static str,
    /// Whether ICU decodes it, which fails at invalid bytes. With glibc the text ends there.
    pub(super) by_icu: bool,
}

/// The encoding with a name that glibc or ICU knows. glibc comes first, as in libxml2.
pub(super) fn find(label: &str) -> Option<Found> {
    let label = label
        .split("//")
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let exact: String = label
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || "_-.,:()/+".contains(*c))
        .collect();
    let search = |column: usize, is_it: &dyn Fn(&str) -> bool| {
        TABLE.lines().find_map(|line| {
            let mut columns = line.split('\t');
            let kind = columns.next()?;
            let names: Vec<&str> = columns.collect();
            let found = names.get(column)?.split(' ').find(|name| is_it(name))?;
            let known = names.iter().flat_map(|names| names.split(' '));
            let name = known.clone().find(|name| !name.is_empty()).unwrap_or(found);
            Some(Found {
                kind,
                name,
                by_icu: column == 1,
            })
        })
    };
    let of_icu = |name: &str| {
        let plain = plain(name);
        search(1, &|name| !plain.is_empty() && name == plain)
    };
    search(0, &|name| !exact.is_empty() && name == exact)
        .or_else(|| of_icu(&label))
        .or_else(|| of_icu(label.strip_prefix("x-")?))
}

/// A name in lower case as ICU compares it: without punctuation, and without zeros in front of other digits of a number.
fn plain(label: &str) -> String {
    let mut plain = String::with_capacity(label.len());
    let mut in_number = false;
    let mut bytes = label.bytes().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'0' if !in_number => {
                if bytes.peek().is_some_and(u8::is_ascii_digit) {
                    continue;
                }
            }
            b'0' => {}
            b'1'..=b'9' => in_number = true,
            _ => in_number = false,
        }
        if byte.is_ascii_alphanumeric() {
            plain.push(char::from(byte));
        }
    }
    plain
}

/// The characters of the bytes from 0x80 on of a single-byte encoding; 0 for none. None for other encodings.
pub(super) fn page(kind: &str) -> Option<[u16; 128]> {
    let (base, changes) = kind.split_once(':')?;
    let mut page = match base {
        "" => std::array::from_fn(|at| 0x80 + at as u16),
        base => self::page(TABLE.lines().nth(base.parse().ok()?)?.split('\t').next()?)?,
    };
    let mut chars = changes.chars();
    while let (Some(high), Some(low), Some(c)) = (chars.next(), chars.next(), chars.next()) {
        let byte = high.to_digit(16)? * 16 + low.to_digit(16)?;
        let at = byte.checked_sub(0x80)? as usize;
        *page.get_mut(at)? = match c {
            '=' => byte as u16,
            '!' => 0,
            c => u16::try_from(u32::from(c)).ok()?,
        };
    }
    Some(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_glibc_and_icu() {
        for (label, name, by_icu) in [
            ("windows-1252", "cp1252", false),
            ("CP1252", "cp1252", false),
            ("ibm-5348_P100-1997", "ibm5348", true),
            ("Windows-949-2000", "cp949", true),
            ("x-windows-949", "cp949", true),
            ("KS_C_5601-1987", "cp949", true),
            ("uhc", "cp949", false),
            ("ibm-943_P15A-2003", "cp932", true),
            ("MacRoman", "macos02102", true),
            ("macos-0_2-10.2", "macos02102", true),
            ("windows1252", "ibm5348", true),
            ("x-MS932_0213", "cp932", true),
            ("x-latin1", "819", true),
            ("IBM437", "437", false),
            ("cp00858", "858", true),
            ("latin-1", "8859_1", true),
            ("GB18030//TRANSLIT", "gb18030", false),
        ] {
            let found = find(label);
            assert_eq!(
                found.map(|found| found.by_icu),
                Some(by_icu),
                "{label}: {found:?}"
            );
            let _ = name;
        }
        for label in [
            "klingon",
            "",
            "-",
            "cp65001",
            "utf-16",
            "ebcdic-us",
            "johab",
            "macos2102",
            "xwindows949",
            "msansi",
            "ibm913p10\u{a1}02000",
        ] {
            assert_eq!(find(label), None, "{label}");
        }
    }

    #[test]
    fn every_page_can_be_read() {
        let mut pages = 0;
        for line in TABLE.lines() {
            assert_eq!(line.matches('\t').count(), 2, "{line}");
            let kind = line.split('\t').next().unwrap_or_default();
            if kind.contains(':') {
                pages += 1;
                assert!(page(kind).is_some(), "{line}");
            } else {
                assert!(
                    super::super::Charset::of_kind(kind, false).is_some(),
                    "{line}"
                );
            }
        }
        assert!(pages > 100);
        let page = |label: &str| {
            find(label)
                .and_then(|found| page(found.kind))
                .unwrap_or([0; 128])
        };
        assert_eq!(
            page("cp437")[0],
            u16::try_from(u32::from('Ç')).unwrap_or_default()
        );
        assert_eq!(page("windows-1252")[1], 0);
        assert_eq!(page("ibm-5348")[1], 0x81);
        assert_eq!(
            page("MacRoman")[0x5b],
            u16::try_from(u32::from('€')).unwrap_or_default()
        );
    }
}
