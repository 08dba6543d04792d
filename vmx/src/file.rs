mod charset;
mod syntax;

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt::{self, Formatter};
use std::ops::Range;

use crate::{LibvirtVersion, Position, VmxError, Warning};
use charset::Charset;

/// A VMX file: its keys and values, with comments and layout.
///
/// Lookup ignores the case of keys; of several equal keys the first one counts. The file's bytes are
/// kept, so an edit changes nothing but its own value. Values are decoded on access, with the encoding
/// that `.encoding` names.
///
/// ```
/// # fn main() -> Result<(), vmx::VmxError> {
/// let mut file = vmx::VmxFile::read("# mine\nmemsize = \"512\"\nnumvcpus = \"2\"\n")?;
/// assert_eq!(file.get("memSize").as_deref(), Some("512"));
/// file.set("memsize", "1024")?;
/// file.set("displayName", "web")?;
/// assert_eq!(
///     file.as_bytes(),
///     b"# mine\nmemsize = \"1024\"\nnumvcpus = \"2\"\ndisplayName = \"web\"\n"
/// );
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct VmxFile {
    /// The whole file.
    text: Vec<u8>,
    charset: Charset,
    /// The assignments, in the order of the file.
    slots: Vec<Slot>,
    /// Indices into `slots`, sorted by key without regard to case, then by their order in the file.
    by_key: Vec<u32>,
    warnings: Vec<Warning>,
}

/// The position of an assignment in the text. 32-bit offsets bound the memory that a hostile file
/// costs: 32 bytes for each assignment, which has at least 3 bytes itself.
#[derive(Debug, Clone, Copy)]
struct Slot {
    key: u32,
    key_end: u32,
    /// The value without its quotes.
    value: u32,
    value_end: u32,
    line: u32,
    /// The start of the line.
    line_start: u32,
    /// The number of quotes before the value: 0, 1 or 3.
    opening: u8,
    /// The number of quotes after the value: the same, or 0 if they are missing.
    closing: u8,
}

impl Slot {
    /// The value with its quotes.
    fn quoted(&self) -> Range<usize> {
        (self.value - u32::from(self.opening)) as usize
            ..(self.value_end + u32::from(self.closing)) as usize
    }
}

/// One assignment of a [`VmxFile`].
#[derive(Clone, Copy)]
pub struct Entry<'a> {
    file: &'a VmxFile,
    slot: Slot,
}

impl VmxFile {
    /// An empty file in UTF-8.
    pub fn new() -> VmxFile {
        VmxFile {
            text: Vec::new(),
            charset: Charset::Utf8,
            slots: Vec::new(),
            by_key: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Reads a file as VMware does, including values without quotes, `;` and `//` comments, a byte order
    /// mark and stray bytes. [`warnings`](VmxFile::warnings) reports what was skipped.
    ///
    /// # Errors
    /// If the text is larger than 1 GiB.
    pub fn read(bytes: impl Into<Vec<u8>>) -> Result<VmxFile, VmxError> {
        let mut file = VmxFile::new();
        file.text = checked_size(bytes.into())?;
        let (slots, warnings) = syntax::lenient(&file.text);
        file.slots = slots;
        file.warnings = warnings;
        file.index();
        let label = file.get(".encoding").map(Cow::into_owned);
        let (charset, warning) = Charset::lenient(label.as_deref(), &file.text);
        file.charset = charset;
        if let Some(message) = warning {
            let warning = file.warning(".encoding", message);
            file.warnings.insert(0, warning);
        }
        Ok(file)
    }

    /// Reads a file as that version of libvirt does.
    ///
    /// # Errors
    /// libvirt's error: `memory conf:LINE: …` for syntax that libvirt does not have, and an error for an
    /// `.encoding` that is not known or does not fit.
    pub fn read_strict(
        bytes: impl Into<Vec<u8>>,
        libvirt: LibvirtVersion,
    ) -> Result<VmxFile, VmxError> {
        let mut file = VmxFile::new();
        file.text = checked_size(bytes.into())?;
        file.slots = syntax::strict(&file.text, libvirt)?;
        file.index();
        let label = file.get(".encoding").map(Cow::into_owned);
        let text = c_string(&file.text);
        let (charset, length) = Charset::strict(label.as_deref(), text).map_err(|error| {
            let position = file.find(".encoding").map(|entry| entry.position());
            error.with_key(".encoding").with_position(position)
        })?;
        if length < text.len() {
            file.slots = syntax::strict(&text[..length], libvirt)?;
            file.index();
        }
        file.charset = charset;
        Ok(file)
    }

    /// The file's bytes, with the edits.
    pub fn as_bytes(&self) -> &[u8] {
        &self.text
    }

    /// What [`read`](VmxFile::read) skipped.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// The name of the encoding of values: `UTF-8`, `windows-1252`, `Shift_JIS`, …
    pub fn encoding(&self) -> &'static str {
        self.charset.name()
    }

    /// All assignments, in the order of the file, including repeated keys.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = Entry<'_>> {
        self.slots.iter().map(|slot| Entry {
            file: self,
            slot: *slot,
        })
    }

    /// The value of `key`. Escapes are not resolved.
    pub fn get(&self, key: &str) -> Option<Cow<'_, str>> {
        self.find(key).map(|entry| entry.value())
    }

    /// The first assignment of `key`, which is the one that counts.
    pub fn find(&self, key: &str) -> Option<Entry<'_>> {
        self.all(key).next()
    }

    /// Every assignment of `key`, in the order of the file; the first counts.
    pub fn all<'a>(&'a self, key: &str) -> impl Iterator<Item = Entry<'a>> + use<'a> {
        let range = self.range(key);
        self.by_key[range].iter().map(|slot| Entry {
            file: self,
            slot: self.slots[*slot as usize],
        })
    }

    /// All assignments whose key starts with `prefix` in any case, sorted by key only.
    pub fn starting_with<'a>(
        &'a self,
        prefix: &'a str,
    ) -> impl Iterator<Item = Entry<'a>> + use<'a> {
        let from = self
            .by_key
            .partition_point(|slot| compare(self.key_of(*slot), prefix.as_bytes()).is_lt());
        self.by_key[from..]
            .iter()
            .take_while(move |slot| {
                let key = self.key_of(**slot);
                key.len() >= prefix.len()
                    && key[..prefix.len()].eq_ignore_ascii_case(prefix.as_bytes())
            })
            .map(|slot| Entry {
                file: self,
                slot: self.slots[*slot as usize],
            })
    }

    /// Sets the value of `key`: replaces the value that counts, or appends a line. Quotes, line ends and
    /// other control characters, which a value cannot hold, are written as `|22`, `|0a`, ….
    ///
    /// # Errors
    /// If `key` is not a valid key, or the file's encoding lacks a character of `value`.
    pub fn set(&mut self, key: &str, value: &str) -> Result<(), VmxError> {
        if !is_key(key.as_bytes()) {
            return Err(
                VmxError::internal(format!("'{key}' is no key of a VMX file"))
                    .with_key(key)
                    .with_help(
                        "use letters, digits and `_ : . - *`, with a letter or a `.` in front",
                    ),
            );
        }
        let quotable = quotable(value);
        let bytes = self.charset.encode(&quotable).ok_or_else(|| {
            VmxError::internal(format!(
                "'{value}' cannot be written in {}",
                self.encoding()
            ))
            .with_key(key)
            .with_value(value)
        })?;
        match self.range(key).next() {
            Some(at) => self.replace(self.by_key[at], &bytes),
            None => self.append(key, &bytes),
        }
        Ok(())
    }

    /// Removes all assignments of `key`, with their lines if nothing else is on them. Tells whether there
    /// was one.
    pub fn remove(&mut self, key: &str) -> bool {
        let mut doomed: Vec<u32> = self.by_key[self.range(key)].to_vec();
        doomed.sort_unstable_by(|a, b| b.cmp(a));
        for index in &doomed {
            self.cut(*index as usize);
        }
        if !doomed.is_empty() {
            self.slots = syntax::lenient(&self.text).0;
            self.index();
        }
        !doomed.is_empty()
    }

    /// The first assignment that counts and whose value is not UTF-8, though the file does not name another
    /// encoding.
    pub(crate) fn not_utf8(&self) -> Option<Entry<'_>> {
        if self.charset != Charset::Utf8 || std::str::from_utf8(&self.text).is_ok() {
            return None;
        }
        let mut entries = self.entries();
        entries.find(|entry| std::str::from_utf8(entry.value_bytes()).is_err() && entry.counts())
    }

    /// Pairs of the assignment that counts and one that repeats its key, sorted by key.
    pub(crate) fn repeated(&self) -> impl Iterator<Item = (Entry<'_>, Entry<'_>)> {
        let entry = |slot: u32| Entry {
            file: self,
            slot: self.slots[slot as usize],
        };
        let mut first = None;
        self.by_key.iter().filter_map(move |slot| {
            let same = |first: &u32| compare(self.key_of(*first), self.key_of(*slot)).is_eq();
            match first.filter(same) {
                Some(first) => Some((entry(first), entry(*slot))),
                None => {
                    first = Some(*slot);
                    None
                }
            }
        })
    }

    /// A warning about the value of `key`.
    pub(crate) fn warning(&self, key: &str, message: impl Into<String>) -> Warning {
        let entry = self.find(key);
        Warning {
            position: entry.map(|entry| entry.position()),
            key: Some(entry.map_or(key, |entry| entry.key()).to_owned()),
            message: message.into(),
            left_out: false,
        }
    }

    fn key_of(&self, slot: u32) -> &[u8] {
        let slot = self.slots[slot as usize];
        &self.text[slot.key as usize..slot.key_end as usize]
    }

    /// The range of `key`'s assignments in `by_key`.
    fn range(&self, key: &str) -> Range<usize> {
        let key = key.as_bytes();
        let from = self
            .by_key
            .partition_point(|slot| compare(self.key_of(*slot), key).is_lt());
        let count =
            self.by_key[from..].partition_point(|slot| compare(self.key_of(*slot), key).is_eq());
        from..from + count
    }

    fn index(&mut self) {
        // There are fewer assignments than bytes, and at most 1 GiB of bytes.
        let mut by_key: Vec<u32> = (0..self.slots.len() as u32).collect();
        by_key.sort_by(|a, b| compare(self.key_of(*a), self.key_of(*b)));
        self.by_key = by_key;
    }

    fn replace(&mut self, index: u32, value: &[u8]) {
        let index = index as usize;
        let range = self.slots[index].quoted();
        let start = range.start as u32;
        let quoted = [b"\"", value, b"\""].concat();
        self.splice(range, &quoted);
        let slot = &mut self.slots[index];
        slot.value = start + 1;
        slot.value_end = slot.value + value.len() as u32;
        slot.opening = 1;
        slot.closing = 1;
    }

    fn append(&mut self, key: &str, value: &[u8]) {
        let line_end: &[u8] = match self.text.iter().position(|byte| *byte == b'\n') {
            Some(at) if at > 0 && self.text[at - 1] == b'\r' => b"\r\n",
            _ => b"\n",
        };
        // Not all programs read on after a NUL. Files that a crash cut short end in NULs.
        let end = self.text.trim_ascii_end().len();
        let end = self.text[..end]
            .iter()
            .rposition(|byte| *byte != 0)
            .map_or(0, |last| last + 1);
        // A value may consist of NULs.
        let assigned = self.slots.last().map_or(0, |last| last.quoted().end);
        let end = end.max(assigned);
        if end < self.text.len() && self.text[end..].contains(&0) {
            self.text.truncate(end);
        }
        if !self.text.is_empty() && !self.text.ends_with(b"\n") {
            self.text.extend_from_slice(line_end);
        }
        let line = self.slots.last().map_or(1, |last| {
            let behind = &self.text[last.value_end as usize..];
            last.line + behind.iter().filter(|byte| **byte == b'\n').count() as u32
        });
        let start = self.text.len() as u32;
        let value_start = start + key.len() as u32 + 4;
        let slot = Slot {
            key: start,
            key_end: start + key.len() as u32,
            value: value_start,
            value_end: value_start + value.len() as u32,
            line,
            line_start: start,
            opening: 1,
            closing: 1,
        };
        self.text.extend_from_slice(key.as_bytes());
        self.text.extend_from_slice(b" = \"");
        self.text.extend_from_slice(value);
        self.text.push(b'"');
        self.text.extend_from_slice(line_end);
        let at = self.range(key).end;
        self.slots.push(slot);
        self.by_key.insert(at, self.slots.len() as u32 - 1);
    }

    /// Removes an assignment from the text. The caller parses the text again afterwards.
    fn cut(&mut self, index: usize) {
        let slot = self.slots[index];
        let mut from = slot.key as usize;
        let mut to = slot.quoted().end;
        let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r');
        let line_start = self.text[..from]
            .iter()
            .rposition(|byte| !blank(byte))
            .map_or(0, |last| last + 1);
        let line_end = to
            + self.text[to..]
                .iter()
                .take_while(|byte| blank(byte))
                .count();
        let begins = line_start == 0 || self.text[line_start - 1] == b'\n';
        let ends = self.text.get(line_end).is_none_or(|byte| *byte == b'\n');
        if begins && ends {
            from = line_start;
            to = (line_end + 1).min(self.text.len());
        } else if self.text.get(line_end) == Some(&b';') {
            to = line_end + 1;
        }
        self.splice(from..to, b"");
    }

    /// Replaces `range` by `bytes`, and shifts the slots after it.
    fn splice(&mut self, range: Range<usize>, bytes: &[u8]) {
        let end = range.end as u32;
        let grown = bytes.len() as i64 - range.len() as i64;
        self.text.splice(range, bytes.iter().copied());
        // The text has at most 1 GiB, and edits are small, so the sums fit.
        let moved = |offset: u32| (i64::from(offset) + grown) as u32;
        for slot in self.slots.iter_mut().rev() {
            if slot.key < end {
                break;
            }
            slot.key = moved(slot.key);
            slot.key_end = moved(slot.key_end);
            slot.value = moved(slot.value);
            slot.value_end = moved(slot.value_end);
            if slot.line_start >= end {
                slot.line_start = moved(slot.line_start);
            }
        }
    }
}

impl Default for VmxFile {
    fn default() -> VmxFile {
        VmxFile::new()
    }
}

impl fmt::Debug for VmxFile {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.entries().map(|entry| (entry.key(), entry.value())))
            .finish()
    }
}

impl<'a> Entry<'a> {
    /// The key, as the file writes it.
    pub fn key(&self) -> &'a str {
        let key = &self.file.text[self.slot.key as usize..self.slot.key_end as usize];
        // Both readers accept ASCII keys only.
        std::str::from_utf8(key).unwrap_or_default()
    }

    /// The decoded value. Escapes are not resolved. Bytes that are not text become U+FFFD.
    pub fn value(&self) -> Cow<'a, str> {
        self.file.charset.decode(self.value_bytes())
    }

    /// The position. Its byte range is that of the value.
    pub fn position(&self) -> Position {
        Position {
            line: self.slot.line as usize,
            column: (self.slot.key - self.slot.line_start) as usize + 1,
            bytes: self.slot.value as usize..self.slot.value_end as usize,
        }
    }

    /// A number that no other assignment of the file has.
    pub(crate) fn id(&self) -> u32 {
        self.slot.key
    }

    /// Whether this is the first assignment of its key, which is the one that counts.
    pub(crate) fn counts(&self) -> bool {
        let first = self.file.find(self.key());
        first.is_some_and(|first| first.slot.key == self.slot.key)
    }

    pub(crate) fn value_bytes(&self) -> &'a [u8] {
        &self.file.text[self.slot.value as usize..self.slot.value_end as usize]
    }
}

impl fmt::Debug for Entry<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {:?}", self.key(), self.value())
    }
}

/// The part of a text that C code sees: everything before the first NUL.
fn c_string(text: &[u8]) -> &[u8] {
    match text.iter().position(|byte| *byte == 0) {
        Some(end) => &text[..end],
        None => text,
    }
}

fn checked_size(text: Vec<u8>) -> Result<Vec<u8>, VmxError> {
    const LIMIT: usize = 1 << 30;
    if text.len() > LIMIT {
        return Err(VmxError::internal(format!(
            "a text of {} bytes is no VMX file: they are smaller than 1 GiB",
            text.len()
        )));
    }
    Ok(text)
}

/// Compares keys by bytes, with letters in lower case.
fn compare(a: &[u8], b: &[u8]) -> Ordering {
    let lower = |byte: &u8| byte.to_ascii_lowercase();
    a.iter().map(lower).cmp(b.iter().map(lower))
}

/// Whether both readers accept this key.
fn is_key(key: &[u8]) -> bool {
    let first = key
        .first()
        .is_some_and(|c| c.is_ascii_alphabetic() || *c == b'.');
    first
        && key
            .iter()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, b'_' | b':' | b'.' | b'-' | b'*'))
}

/// `value` with the characters escaped that would end it.
fn quotable(value: &str) -> Cow<'_, str> {
    let ends = |c: char| c == '"' || c.is_ascii_control() && c != '\t';
    if !value.contains(ends) {
        return Cow::Borrowed(value);
    }
    let mut out = String::with_capacity(value.len() + 8);
    for c in value.chars() {
        if ends(c) {
            out.push_str(&format!("|{:02x}", u32::from(c)));
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Checks the assignments that VMware reads, and the number of warnings.
    #[track_caller]
    fn lenient(text: impl AsRef<[u8]>, expected: &[(&str, &str)], warnings: usize) {
        let file = VmxFile::read(text.as_ref()).unwrap();
        let found: Vec<_> = file
            .entries()
            .map(|entry| (entry.key(), entry.value()))
            .collect();
        let found: Vec<_> = found.iter().map(|(key, value)| (*key, &**value)).collect();
        assert_eq!(found, expected);
        assert_eq!(file.warnings().len(), warnings, "{:?}", file.warnings());
        assert_eq!(file.as_bytes(), text.as_ref());
    }

    #[track_caller]
    fn strict(text: &str, expected: Result<&[(&str, &str)], &str>) {
        match (VmxFile::read_strict(text, LibvirtVersion::Newest), expected) {
            (Ok(file), Ok(expected)) => {
                let found: Vec<_> = file
                    .entries()
                    .map(|entry| (entry.key(), entry.value()))
                    .collect();
                let found: Vec<_> = found.iter().map(|(key, value)| (*key, &**value)).collect();
                assert_eq!(found, expected);
            }
            (Err(error), Err(expected)) => assert_eq!(error.message(), expected),
            (found, expected) => panic!("{found:?} instead of {expected:?}"),
        }
    }

    #[track_caller]
    fn edited(text: &str, key: &str, value: &str, expected: &str) {
        let mut file = VmxFile::read(text).unwrap();
        file.set(key, value).unwrap();
        assert_eq!(String::from_utf8_lossy(file.as_bytes()), expected);
        let again = VmxFile::read(file.as_bytes()).unwrap();
        assert_eq!(format!("{file:?}"), format!("{again:?}"));
        assert_eq!(
            file.find(key).map(|entry| entry.position()),
            again.find(key).map(|entry| entry.position())
        );
    }

    #[test]
    fn libvirts_grammar() {
        strict("a = \"1\"\n", Ok(&[("a", "1")]));
        strict(".a:b-c_d.e = '1'", Ok(&[(".a:b-c_d.e", "1")]));
        strict(
            "#!/x\n\r\n\ta=\"1\" # c\r\nb=\"\"",
            Ok(&[("a", "1"), ("b", "")]),
        );
        strict(
            "a=\"1\";b=\"2\"; \n c=\"3\"",
            Ok(&[("a", "1"), ("b", "2"), ("c", "3")]),
        );
        strict("a = \"\"\"x\"\ny\"\"\"\n", Ok(&[("a", "x\"\ny")]));
        strict("a.*.b = \"1\"", Ok(&[("a.*.b", "1")]));
        strict("a = \"1\"\0b", Ok(&[("a", "1")]));
    }

    #[test]
    fn libvirts_syntax_errors() {
        for (text, line, message) in [
            (" \n\n", 3, "expecting a name"),
            ("a=\"1\"\n;b=\"2\"", 2, "expecting a name"),
            ("a=\"1\"\n1=\"2\"", 2, "expecting a name"),
            ("a \"1\"", 1, "expecting an assignment"),
            ("a=\"1\" b=\"2\"", 1, "expecting a separator"),
            ("\na=\"1\nb=\"2\"", 2, "unterminated string"),
            ("a='1\"", 1, "unterminated string"),
            ("a=\"\"\"1\n2\"", 2, "unterminated string"),
            ("a=1", 1, "numbers not allowed in VMX format"),
            ("a=-1", 1, "numbers not allowed in VMX format"),
            ("a=[\"1\"]", 1, "lists not allowed in VMX format"),
            ("a=x", 1, "expecting a value"),
            ("a=", 1, "expecting a value"),
            ("\u{feff}a=\"1\"", 1, "expecting a name"),
        ] {
            strict(text, Err(&format!("memory conf:{line}: {message}")));
        }
        let error = VmxFile::read_strict("a.*=\"1\"", LibvirtVersion::V9_0).unwrap_err();
        assert_eq!(error.message(), "memory conf:1: expecting an assignment");
        assert_eq!((error.line(), error.column()), (Some(1), Some(3)));
        assert!(error.help().is_some());
    }

    #[test]
    fn what_vmware_reads() {
        lenient(
            "a = \"1\"\r\nb=2\rc = x y # z\n",
            &[("a", "1"), ("b", "2"), ("c", "x y")],
            0,
        );
        lenient("; a = \"1\"\n// b = \"2\"\n# c\n", &[], 0);
        lenient("\u{feff}a = \"1\" ; c\n", &[("a", "1")], 0);
        lenient(
            "a='1';b=\"2\" ; c = 3\n",
            &[("a", "1"), ("b", "2"), ("c", "3")],
            0,
        );
        lenient("a = it's\n", &[("a", "it's")], 0);
        lenient("a =\nb = \"\"\n", &[("a", ""), ("b", "")], 0);
        lenient("a = \"1\"\n\0\0\0\0", &[("a", "1")], 0);
        lenient(
            "a = \"\"\"x\"\ny\"\"\"\nb = \"\"\"\n",
            &[("a", "x\"\ny"), ("b", "\"")],
            1,
        );
        lenient("guestinfo.a/b = \"1\"", &[("guestinfo.a/b", "1")], 0);
    }

    #[test]
    fn what_cannot_be_understood_is_told() {
        lenient("a = \"1\"x\"\n", &[("a", "1\"x")], 1);
        lenient("a = \"1\" x\n", &[("a", "1")], 1);
        lenient("a = \"1\nb = \"2\"\n", &[("a", "1"), ("b", "2")], 1);
        lenient("a\n = 1\nb c = 2\n\"a\" = 1\n", &[], 4);
        lenient(b"a = \"\xe4\"\n", &[("a", "ä")], 1);
        let file = VmxFile::read("x\n".repeat(1000)).unwrap();
        assert_eq!(file.warnings().len(), 101);
        assert_eq!(
            file.warnings()[100].to_string(),
            "900 more lines that are not understood"
        );
    }

    #[test]
    fn keys_in_any_case_and_the_first_of_several() {
        let file = VmxFile::read("B = \"1\"\na = \"2\"\nb = \"3\"\nab = \"4\"\n").unwrap();
        assert_eq!(file.get("b").as_deref(), Some("1"));
        assert_eq!(file.all("b").count(), 2);
        assert_eq!(file.get("c"), None);
        let keys: Vec<_> = file.starting_with("A").map(|entry| entry.key()).collect();
        assert_eq!(keys, ["a", "ab"]);
        assert_eq!(file.find("AB").unwrap().position().line, 4);
    }

    #[test]
    fn edits_touch_nothing_else() {
        edited(
            "# c\r\n a = \"1\" # d\r\nb = 2",
            "A",
            "x",
            "# c\r\n a = \"x\" # d\r\nb = 2",
        );
        edited(
            "a = 1 # c\nb = \"2\"\n",
            "a",
            "x y",
            "a = \"x y\" # c\nb = \"2\"\n",
        );
        edited("a = \"1\nb = \"2\"\n", "a", "x", "a = \"x\"\nb = \"2\"\n");
        edited("a = '1'\n", "a", "it's", "a = \"it's\"\n");
        edited("a = \"\"\"1\n2\"\"\"\n", "a", "3", "a = \"3\"\n");
        edited("a = \"1\"\na = \"2\"\n", "a", "3", "a = \"3\"\na = \"2\"\n");
        edited("a = \"1\"\n", "a", "\"\n|7c", "a = \"|22|0a|7c\"\n");
    }

    #[test]
    fn new_keys_go_to_the_end() {
        edited("", "a", "1", "a = \"1\"\n");
        edited("a = \"1\"", "b", "2", "a = \"1\"\nb = \"2\"\n");
        edited(
            "a = \"1\"\r\n\r\n",
            "b",
            "2",
            "a = \"1\"\r\n\r\nb = \"2\"\r\n",
        );
        edited("a = \"1\"\n\0\0", "b", "2", "a = \"1\"\nb = \"2\"\n");
    }

    #[test]
    fn removing() {
        let mut file = VmxFile::read("#\n a = \"1\" \r\nb = 2 ; A = \"3\";c=4\n").unwrap();
        assert!(file.remove("a"));
        assert!(!file.remove("a"));
        assert_eq!(String::from_utf8_lossy(file.as_bytes()), "#\nb = 2 ; c=4\n");
        assert_eq!(file.find("c").unwrap().position().line, 2);
    }

    #[test]
    fn values_in_the_files_encoding() {
        let mut file =
            VmxFile::read(b".encoding = \"Shift_JIS\"\ndisplayName = \"\x83\x5c\"\n").unwrap();
        assert_eq!(file.encoding(), "Shift_JIS");
        assert_eq!(file.get("displayName").as_deref(), Some("ソ"));
        file.set("displayName", "標準").unwrap();
        assert!(file.as_bytes().ends_with(b"\"\x95\x57\x8f\x80\"\n"));
        let error = file.set("displayName", "é😀").unwrap_err();
        assert_eq!(error.message(), "'é😀' cannot be written in Shift_JIS");
        let error = file.set("no key", "").unwrap_err();
        assert_eq!(error.message(), "'no key' is no key of a VMX file");
    }

    #[test]
    fn hostile_texts_take_linear_time() {
        let size = 4 << 20;
        for pattern in [
            "\"",
            "a=",
            "a=\"\"\"",
            "a=\"\"",
            "=;",
            "a=1;",
            "x\n",
            "\0",
            "a='",
            "a=\"x\";;",
        ] {
            let text = pattern.repeat(size / pattern.len());
            let file = VmxFile::read(text.as_bytes()).unwrap();
            assert_eq!(file.as_bytes(), text.as_bytes());
            let _ = VmxFile::read_strict(text, LibvirtVersion::Newest);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_print_back(bytes: Vec<u8>) {
            let file = VmxFile::read(bytes.clone()).unwrap();
            prop_assert_eq!(file.as_bytes(), &bytes);
            let _ = VmxFile::read_strict(bytes, LibvirtVersion::Newest);
        }

        #[test]
        fn what_libvirt_reads_vmware_reads_alike(
            lines in prop::collection::vec(
                "( |\t)?[a-zA-Z.][a-c0-9:._-]{0,3} ?= ?(\"[^\"\r\n\0]{0,6}\"|'[^'\"\r\n\0]{0,6}')( #x)?(;|\n|\r\n)",
                0..8,
            ),
        ) {
            let text = lines.concat();
            if let Ok(strict) = VmxFile::read_strict(text.clone(), LibvirtVersion::Newest) {
                let lenient = VmxFile::read(text).unwrap();
                prop_assert_eq!(format!("{strict:?}"), format!("{lenient:?}"));
            }
        }

        #[test]
        fn an_edit_keeps_the_rest(
            before in "([a-j]{1,3} ?= ?(\"[^\"\r\n\0]{0,5}\"|[a-z0-9]{0,4}|\"[a-z]{0,3})( ?[;#][a-z ]{0,4})?\r?\n){0,5}",
            value: String,
            after in "([a-j]{1,3} = \"[^\"\r\n\0]{0,5}\"\n){0,5}",
        ) {
            let text = format!("{before}Key = \"old\"\n{after}");
            let mut file = VmxFile::read(text).unwrap();
            let others = |file: &VmxFile| -> Vec<(String, String)> {
                let others = file.entries().filter(|entry| entry.key() != "Key");
                others.map(|entry| (entry.key().to_owned(), entry.value().into_owned())).collect()
            };
            let expected = others(&file);
            file.set("key", &value).unwrap();
            let written = file.get("key").unwrap().into_owned();
            let new = format!("{before}Key = \"{written}\"\n{after}");
            prop_assert_eq!(String::from_utf8_lossy(file.as_bytes()), new.as_str());
            prop_assert_eq!(others(&file), expected.clone());
            let again = VmxFile::read(file.as_bytes()).unwrap();
            prop_assert_eq!(others(&again), expected);
        }
    }
}
