//! The two readers of VMX text: libvirt's grammar, and VMware's lenient one.
//!
//! Both work on bytes. In every encoding that VMX files use, a byte below 0x40 is always the ASCII
//! character; quotes, `=`, `#`, `;`, blanks and line ends are below 0x40.

use virt_model::ErrorNumber;

use super::{Slot, c_string, is_key};
use crate::{LibvirtVersion, Position, VmxError, Warning};

/// Reads `text` by libvirt's grammar (`virConf` with its VMX flag).
pub(super) fn strict(text: &[u8], libvirt: LibvirtVersion) -> Result<Vec<Slot>, VmxError> {
    let mut reader = Strict {
        text: c_string(text),
        at: 0,
        line: 1,
        line_start: 0,
        stars: libvirt >= LibvirtVersion::V11_3,
    };
    let mut slots = Vec::new();
    while reader.at < reader.text.len() {
        slots.extend(reader.statement()?);
        reader.separator()?;
    }
    Ok(slots)
}

struct Strict<'a> {
    text: &'a [u8],
    at: usize,
    line: u32,
    line_start: usize,
    /// Whether keys may hold `*`.
    stars: bool,
}

impl Strict<'_> {
    /// An assignment, or a comment.
    fn statement(&mut self) -> Result<Option<Slot>, VmxError> {
        self.skip_blanks_and_line_ends();
        if self.current() == b'#' {
            self.skip_line();
            return Ok(None);
        }
        let (key, key_end) = self.name()?;
        self.skip_blanks();
        if self.current() != b'=' {
            return Err(self.error("expecting an assignment", "write a `=` behind the key"));
        }
        self.at += 1;
        self.skip_blanks();
        let (line, line_start) = (self.line, self.line_start as u32);
        let (value, value_end, quotes) = self.value()?;
        self.skip_blanks();
        if self.current() == b'#' {
            self.skip_line();
        }
        // The text has at most 1 GiB, so offsets fit into 32 bits.
        Ok(Some(Slot {
            key: key as u32,
            key_end: key_end as u32,
            value: value as u32,
            value_end: value_end as u32,
            line,
            line_start,
            opening: quotes,
            closing: quotes,
        }))
    }

    fn separator(&mut self) -> Result<(), VmxError> {
        self.skip_blanks();
        if self.at == self.text.len() {
            return Ok(());
        }
        match self.current() {
            b'\n' | b'\r' => {}
            b';' => self.at += 1,
            _ => {
                let help = "end the line behind the value, or write a `;` there";
                return Err(self.error("expecting a separator", help));
            }
        }
        self.skip_blanks_and_line_ends();
        Ok(())
    }

    fn name(&mut self) -> Result<(usize, usize), VmxError> {
        let start = self.at;
        if !self.current().is_ascii_alphabetic() && self.current() != b'.' {
            let help = "begin with a key, which begins with a letter or a `.`, or with a `#` for a comment";
            return Err(self.error("expecting a name", help));
        }
        while self.current().is_ascii_alphanumeric()
            || matches!(self.current(), b'_' | b':' | b'.' | b'-')
            || self.stars && self.current() == b'*'
        {
            self.at += 1;
        }
        Ok((start, self.at))
    }

    /// The start and end of a quoted value, and the number of quotes.
    fn value(&mut self) -> Result<(usize, usize, u8), VmxError> {
        let help = "write the value in quotes: \"...\"";
        match self.current() {
            quote @ (b'"' | b'\'') => self.string(quote),
            b'[' => Err(self.error("lists not allowed in VMX format", help)),
            b'0'..=b'9' | b'-' | b'+' => Err(self.error("numbers not allowed in VMX format", help)),
            _ => Err(self.error("expecting a value", help)),
        }
    }

    fn string(&mut self, quote: u8) -> Result<(usize, usize, u8), VmxError> {
        const TRIPLE: &[u8] = b"\"\"\"";
        let rest = &self.text[self.at..];
        if rest.len() > 6 && rest.starts_with(TRIPLE) {
            let start = self.at + 3;
            let found = find(&self.text[start..], TRIPLE).map(|end| start + end);
            let end = found.unwrap_or(self.text.len() - 2);
            let lines = self.text[start..end].iter().filter(|byte| **byte == b'\n');
            self.line += lines.count() as u32;
            self.line_start = line_start(self.text, end);
            self.at = end;
            if found.is_none() {
                return Err(self.error("unterminated string", "add closing quotes: \"\"\""));
            }
            self.at = end + 3;
            return Ok((start, end, 3));
        }
        self.at += 1;
        let start = self.at;
        let ends = |byte: &u8| *byte == quote || matches!(byte, b'\n' | b'\r');
        let length = self.text[start..].iter().position(ends);
        self.at = length.map_or(self.text.len(), |length| start + length);
        if self.current() != quote {
            let help = "add a closing quote on the same line; in values, write `\"` as `|22`";
            return Err(self.error("unterminated string", help));
        }
        let end = self.at;
        self.at += 1;
        Ok((start, end, 1))
    }

    /// The current byte; NUL at the end, as in C.
    fn current(&self) -> u8 {
        self.text.get(self.at).copied().unwrap_or_default()
    }

    fn skip_blanks(&mut self) {
        while matches!(self.current(), b' ' | b'\t') {
            self.at += 1;
        }
    }

    fn skip_blanks_and_line_ends(&mut self) {
        while matches!(self.current(), b' ' | b'\t' | b'\n' | b'\r') {
            self.at += 1;
            if self.text[self.at - 1] == b'\n' {
                self.line += 1;
                self.line_start = self.at;
            }
        }
    }

    fn skip_line(&mut self) {
        let ends = |byte: &u8| matches!(byte, b'\n' | b'\r');
        let length = self.text[self.at..].iter().position(ends);
        self.at = length.map_or(self.text.len(), |length| self.at + length);
    }

    fn error(&self, message: &str, help: &str) -> VmxError {
        let line = self.line as usize;
        VmxError::new(
            ErrorNumber::ConfSyntax,
            format!("memory conf:{line}: {message}"),
        )
        .with_position(Some(Position {
            line,
            column: self.at.saturating_sub(self.line_start) + 1,
            bytes: self.at..(self.at + 1).min(self.text.len()),
        }))
        .with_help(help)
    }
}

/// Reads `text` as VMware does, and warns of lines that make no sense.
///
/// A line is an assignment, a comment or blank. A value in quotes ends at the next quote, or at the
/// last quote of the line if other text follows. Assignments may be separated by `;`, as libvirt
/// allows. A value without quotes ends at a comment or at the end of the line.
pub(super) fn lenient(text: &[u8]) -> (Vec<Slot>, Vec<Warning>) {
    let mut reader = Lenient {
        text,
        line: 0,
        line_start: 0,
        slots: Vec::new(),
        warnings: Warnings::default(),
        triples: true,
    };
    let mut at = 0;
    if text.starts_with(b"\xef\xbb\xbf") {
        at = 3;
    }
    while at < text.len() {
        reader.line += 1;
        reader.line_start = at;
        let ends = |byte: &u8| matches!(byte, b'\n' | b'\r');
        let end = text[at..]
            .iter()
            .position(ends)
            .map_or(text.len(), |length| at + length);
        at = reader.read_line(at, end);
        // CR LF and a CR alone both end a line.
        if text.get(at) == Some(&b'\r') {
            at += 1;
        }
        if text.get(at) == Some(&b'\n') {
            at += 1;
        }
    }
    (reader.slots, reader.warnings.list)
}

struct Lenient<'a> {
    text: &'a [u8],
    line: u32,
    line_start: usize,
    slots: Vec<Slot>,
    warnings: Warnings,
    /// Whether triple quotes may still follow.
    triples: bool,
}

impl Lenient<'_> {
    /// Reads the line `at..end`. Returns the end, which is later if a value spans lines.
    fn read_line(&mut self, mut at: usize, mut end: usize) -> usize {
        loop {
            at += self.text[at..end]
                .iter()
                .take_while(|byte| blank(byte))
                .count();
            let rest = &self.text[at..end];
            if rest.is_empty() || is_comment(rest) {
                return end;
            }
            let Some(equals) = rest.iter().position(|byte| *byte == b'=') else {
                self.warn(at, end, "this line is not an assignment and is ignored");
                return end;
            };
            let key_end = at + trimmed(&rest[..equals]);
            if !is_lenient_key(&self.text[at..key_end]) {
                self.warn(
                    at,
                    end,
                    "the text before `=` is not a key; the line is ignored",
                );
                return end;
            }
            let key = at;
            at += equals + 1;
            at += self.text[at..end]
                .iter()
                .take_while(|byte| blank(byte))
                .count();

            if let Some((start, value_end)) = self.triple(at) {
                self.push(key..key_end, start..value_end, 3);
                let behind = value_end + 3;
                let lines = &self.text[start..value_end];
                let count = lines.iter().filter(|byte| **byte == b'\n').count() as u32;
                if count > 0 {
                    self.line += count;
                    self.line_start = line_start(self.text, value_end);
                }
                let ends = |byte: &u8| matches!(byte, b'\n' | b'\r');
                // Searching again behind every value would cost quadratic time.
                if lines.iter().any(ends) || behind > end {
                    end = self.text[behind..]
                        .iter()
                        .position(ends)
                        .map_or(self.text.len(), |length| behind + length);
                }
                at = behind;
            } else {
                at = self.value(key..key_end, at, end);
            }
            // A `;` may separate another assignment.
            at += self.text[at..end]
                .iter()
                .take_while(|byte| blank(byte))
                .count();
            if let Some(gap) = before_next(&self.text[at..end]) {
                at += gap;
                continue;
            }
            if self.text[at..end].first() != Some(&b';') {
                return end;
            }
            at += 1;
            let next = &self.text[at..end];
            let equals = next.iter().position(|byte| *byte == b'=');
            let assigns = equals.is_some_and(|equals| {
                let start = next.iter().take_while(|byte| blank(byte)).count();
                start <= equals && is_key(&next[start..start.max(trimmed(&next[..equals]))])
            });
            if !assigns {
                return end;
            }
        }
    }

    /// Reads a value on one line. Returns its end.
    fn value(&mut self, key: std::ops::Range<usize>, at: usize, end: usize) -> usize {
        let rest = &self.text[at..end];
        let quote = match rest.first() {
            Some(quote @ b'"') => *quote,
            Some(quote @ b'\'') if rest[1..].contains(quote) => *quote,
            _ => {
                let length = match before_statement(rest) {
                    Some(length) => {
                        if !ends_well(&rest[length..]) {
                            self.warn_key(&key, at..at + length, TWO_STATEMENTS);
                        }
                        length
                    }
                    None => unquoted(rest),
                };
                self.push(key, at..at + length, 0);
                return at + length;
            }
        };
        let start = at + 1;
        let inside = &self.text[start..end];
        let Some(first) = inside.iter().position(|byte| *byte == quote) else {
            let length = trimmed(inside);
            self.warn_key(&key, start..start + length, "the closing quote is missing");
            self.push(key, start..start + length, 1);
            if let Some(slot) = self.slots.last_mut() {
                slot.closing = 0;
            }
            return end;
        };
        let behind = &inside[first + 1..];
        let is_followed = before_next(behind).is_some() && !ends_well(behind);
        if is_followed || ends_well(behind) {
            if is_followed {
                self.warn_key(&key, start..start + first, TWO_STATEMENTS);
            }
            self.push(key, start..start + first, 1);
            return start + first + 1;
        }
        let last = inside
            .iter()
            .rposition(|byte| *byte == quote)
            .unwrap_or(first);
        if last > first && ends_well(&inside[last + 1..]) {
            self.warn_key(
                &key,
                start..start + last,
                "the value has quotes inside, which are to be written `|22`",
            );
            self.push(key, start..start + last, 1);
        } else {
            self.warn_key(&key, start..end, "the text after the value is ignored");
            self.push(key, start..start + first, 1);
        }
        end
    }

    /// The start and end of a value in triple quotes at `at`.
    fn triple(&mut self, at: usize) -> Option<(usize, usize)> {
        const TRIPLE: &[u8] = b"\"\"\"";
        let rest = &self.text[at..];
        if !self.triples || !rest.starts_with(TRIPLE) {
            return None;
        }
        let found = find(&rest[3..], TRIPLE);
        // Search only once, so that many unclosed triple quotes do not cost quadratic time.
        self.triples = found.is_some();
        found.map(|length| (at + 3, at + 3 + length))
    }

    fn push(&mut self, key: std::ops::Range<usize>, value: std::ops::Range<usize>, quotes: u8) {
        // The text has at most 1 GiB, so offsets fit into 32 bits.
        self.slots.push(Slot {
            key: key.start as u32,
            key_end: key.end as u32,
            value: value.start as u32,
            value_end: value.end as u32,
            line: self.line,
            line_start: self.line_start as u32,
            opening: quotes,
            closing: quotes,
        });
    }

    fn warn(&mut self, at: usize, end: usize, message: &str) {
        let position = Position {
            line: self.line as usize,
            column: 1,
            bytes: at..end,
        };
        self.warnings.push(position, None, message);
    }

    fn warn_key(
        &mut self,
        key: &std::ops::Range<usize>,
        bytes: std::ops::Range<usize>,
        message: &str,
    ) {
        let name = String::from_utf8_lossy(&self.text[key.clone()]).into_owned();
        let position = Position {
            line: self.line as usize,
            column: 1,
            bytes,
        };
        self.warnings.push(position, Some(name), message);
    }
}

/// Adds a warning, up to a limit: a hostile file may have millions of bad lines.
#[derive(Default)]
struct Warnings {
    list: Vec<Warning>,
    left_out: usize,
}

impl Warnings {
    const LIMIT: usize = 100;

    fn push(&mut self, position: Position, key: Option<String>, message: &str) {
        if self.list.len() < Self::LIMIT {
            self.list.push(Warning {
                position: Some(position),
                key,
                message: message.to_owned(),
                left_out: false,
            });
            return;
        }
        self.left_out += 1;
        let message = format!("{} more lines that are not understood", self.left_out);
        self.list.truncate(Self::LIMIT);
        self.list.push(Warning::new(message));
    }
}

const TWO_STATEMENTS: &str = "another key follows on the same line; both are read";

/// Whether the text begins with a key and a value, as behind a line end that got lost: the value is in quotes, or begins with a word.
fn is_statement(text: &[u8]) -> bool {
    let Some((key, value)) = statement(text) else {
        return false;
    };
    let begins = key[0].is_ascii_alphabetic() || key[0] == b'.';
    let has_value = match value.first() {
        Some(b'"') => true,
        Some(quote @ b'\'') => value[1..].contains(quote),
        _ => {
            let length = value.iter().take_while(|byte| is_of_word(byte)).count();
            length > 0 && !matches!(value.get(length), Some(b'"' | b'\'' | b'='))
        }
    };
    begins && has_value
}

/// The key and what is behind the first `=` of a text.
fn statement(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let equals = text.iter().position(|byte| *byte == b'=')?;
    let is_filled = |byte: &u8| !blank(byte);
    let start = text[..equals].iter().position(is_filled)?;
    let key = &text[start..trimmed(&text[..equals])];
    let value = &text[equals + 1..];
    let value = &value[value.iter().take_while(|byte| blank(byte)).count()..];
    is_lenient_key(key).then_some((key, value))
}

fn is_of_word(byte: &u8) -> bool {
    !is_between(byte) && !matches!(byte, b'"' | b'\'' | b'=')
}

/// What may be between two statements of one line.
fn is_between(byte: &u8) -> bool {
    blank(byte) || matches!(byte, b';' | b',')
}

/// The length of what is before the statement that follows a value on its line, if one does.
fn before_next(rest: &[u8]) -> Option<usize> {
    let gap = rest.iter().take_while(|byte| is_between(byte)).count();
    is_statement(&rest[gap..]).then_some(gap)
}

/// The length of the value without quotes at the start of `rest`, if another statement follows it.
fn before_statement(rest: &[u8]) -> Option<usize> {
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits > 0 && is_statement(&rest[digits..]) {
        return Some(digits);
    }
    let equals = rest.iter().position(|byte| *byte == b'=')?;
    let key_end = trimmed(&rest[..equals]);
    let key = rest[..key_end].iter().rposition(is_between)? + 1;
    let value = rest[..key].iter().rposition(|byte| !is_between(byte))? + 1;
    let is_whole = unquoted(&rest[..value]) == value;
    let in_quotes = statement(&rest[key..]).is_some_and(|(_, value)| value.starts_with(b"\""));
    let is_clear = in_quotes || rest[..value].iter().all(is_of_word);
    (is_whole && is_clear && is_statement(&rest[key..])).then_some(value)
}

/// The length of the unquoted value at the start of `rest`.
fn unquoted(rest: &[u8]) -> usize {
    let comment = rest
        .windows(2)
        .position(|pair| blank(&pair[0]) && matches!(pair[1], b'#' | b';'));
    let end = comment.unwrap_or(rest.len());
    let end = if rest.first().is_some_and(|byte| matches!(byte, b'#' | b';')) {
        0
    } else {
        end
    };
    trimmed(&rest[..end])
}

/// Whether only blanks or a comment follow a closing quote.
fn ends_well(rest: &[u8]) -> bool {
    let rest = &rest[rest.iter().take_while(|byte| blank(byte)).count()..];
    rest.is_empty() || rest[0] == b';' || is_comment(rest)
}

fn is_comment(line: &[u8]) -> bool {
    line[0] == b'#' || line[0] == b';' || line.starts_with(b"//")
}

/// Whether this is an ASCII word. VMware has keys such as `usb:0.x` and `guestinfo.a/b`.
fn is_lenient_key(key: &[u8]) -> bool {
    !key.is_empty()
        && key
            .iter()
            .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\''))
}

/// Blanks, and NULs, which a crash may leave.
fn blank(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t' | 0x0b | 0x0c | 0)
}

/// The length without trailing blanks.
fn trimmed(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .rposition(|byte| !blank(byte))
        .map_or(0, |last| last + 1)
}

/// The start of the line that contains `at`.
fn line_start(text: &[u8], at: usize) -> usize {
    let end = text[..at].iter().rposition(|byte| *byte == b'\n');
    end.map_or(0, |end| end + 1)
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len())
        .position(|window| window == wanted)
}
