//! What a message holds and no XML may: bytes that are not UTF-8, control characters, references to nothing.
//!
//! Servers copy names and annotations from files and guests into their answers, in whatever encoding these had. One such
//! name must not cost the whole list, so each bad place becomes U+FFFD, and is counted.

use std::borrow::Cow;

use crate::any::Any;
use crate::error::{DecodeError, DecodeErrorKind};
use crate::object::Object;
use crate::value::View;
use crate::wire::writer::is_in_xml;

/// The places of a message that no XML may have.
///
/// Bytes that are not UTF-8, characters and references that XML forbids are read as U+FFFD. A `&` that begins no
/// reference is read as it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mended {
    /// How many there are.
    pub count: usize,
    /// The text around the first one, as it was read; it is shortened.
    pub first: String,
}

/// How many characters of a text are shown on either side of its first bad place.
const SHOWN: usize = 40;

impl Mended {
    /// Counts places of a text, the first of which is at `at`.
    #[cold]
    pub(super) fn add(&mut self, count: usize, text: &str, at: usize) {
        if self.count == 0 && count > 0 {
            self.first = around(text, at);
        }
        self.count += count;
    }

    /// Counts what was found later.
    pub(super) fn merge(&mut self, later: Self) {
        if self.count == 0 {
            self.first = later.first;
        }
        self.count += later.count;
    }
}

/// The text of the element in which a position is.
fn around(message: &str, at: usize) -> String {
    let (before, behind) = message.split_at(at);
    let start = before
        .char_indices()
        .rev()
        .take_while(|(_, character)| !matches!(character, '<' | '>'))
        .take(SHOWN)
        .last()
        .map_or(at, |(start, _)| start);
    let end = behind
        .char_indices()
        .take(SHOWN)
        .find(|(_, character)| matches!(character, '<' | '>'))
        .map(|(end, _)| end)
        .or_else(|| behind.char_indices().nth(SHOWN).map(|(end, _)| end))
        .unwrap_or(behind.len());
    message[start..at + end].trim().to_owned()
}

/// The message as text that XML may hold.
///
/// # Errors
/// If there are so many bad places that the message is no text: each becomes three bytes.
pub(super) fn text_of(message: &[u8]) -> Result<(Cow<'_, str>, Mended), DecodeError> {
    if let Ok(text) = std::str::from_utf8(message)
        && is_clean(message)
    {
        return Ok((Cow::Borrowed(text), Mended::default()));
    }
    let mut out = String::with_capacity(message.len());
    let mut mended = Mended::default();
    let mut rest = message;
    while !rest.is_empty() {
        let part = &rest[..rest.len().min(STEP)];
        let part = match part.len() < rest.len() {
            true => &part[..part.len() - cut_off(part)],
            false => part,
        };
        rest = &rest[part.len()..];
        mended.merge(append(part, &mut out));
        if mended.count > LEAST_BAD + message.len() / 8 {
            let what = format!("{} of its characters are none", mended.count);
            return Err(DecodeError::new(
                DecodeErrorKind::Malformed(what),
                message.len() - rest.len(),
            ));
        }
    }
    Ok((Cow::Owned(out), mended))
}

/// How many bytes are mended before their bad places are counted.
const STEP: usize = 64 << 10;

/// How many bad places any message may have.
const LEAST_BAD: usize = 1000;

/// Appends a part of a message to what is there of it.
pub(super) fn append(part: &[u8], out: &mut String) -> Mended {
    if let Ok(text) = std::str::from_utf8(part)
        && is_clean(part)
    {
        out.push_str(text);
        return Mended::default();
    }
    append_mended(part, out)
}

#[cold]
fn append_mended(part: &[u8], out: &mut String) -> Mended {
    let (mut count, mut first) = (0, out.len());
    let mut put = |character: Option<char>, out: &mut String| {
        let character = character.filter(|character| is_in_xml(*character));
        if character.is_none() {
            if count == 0 {
                first = out.len();
            }
            count += 1;
        }
        out.push(character.unwrap_or('\u{fffd}'));
    };
    for chunk in part.utf8_chunks() {
        chunk
            .valid()
            .chars()
            .for_each(|character| put(Some(character), out));
        if !chunk.invalid().is_empty() {
            put(None, out);
        }
    }
    let mut mended = Mended::default();
    mended.add(count, out, first);
    mended
}

/// How many bytes at the end of a part begin a character that goes on in the next part.
pub(super) fn cut_off(part: &[u8]) -> usize {
    (1..=part.len().min(3))
        .find(|length| part[part.len() - length] & 0xc0 == 0xc0)
        .filter(|length| {
            std::str::from_utf8(&part[part.len() - length..])
                .is_err_and(|error| error.error_len().is_none())
        })
        .unwrap_or(0)
}

/// Whether XML may hold every character of the text, which is UTF-8.
pub(super) fn is_clean(text: &[u8]) -> bool {
    let mut is_ascii = true;
    for chunk in text.chunks(4096) {
        // This goes over 16 bytes at a time. Most of a message has neither blanks nor other languages.
        let (least, all) = chunk.iter().fold((u8::MAX, 0), |(least, all), byte| {
            (least.min(*byte), all | byte)
        });
        is_ascii &= all < 0x80;
        let is_control = |byte: &u8| *byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r');
        if least < b' ' && chunk.iter().any(is_control) {
            return false;
        }
    }
    // U+FFFE and U+FFFF.
    is_ascii
        || !memchr::memmem::find_iter(text, b"\xef\xbf")
            .any(|at| matches!(text.get(at + 2), Some(0xbe | 0xbf)))
}

/// Undoes entities and character references, and makes every line end a line feed. The second value is how many of the
/// references were none.
pub(super) fn unescape(text: &str) -> (Cow<'_, str>, usize) {
    if memchr::memchr2(b'&', b'\r', text.as_bytes()).is_none() {
        return (Cow::Borrowed(text), 0);
    }
    let mut out = String::with_capacity(text.len());
    let (mut rest, mut bad) = (text, 0);
    while let Some(at) = memchr::memchr2(b'&', b'\r', rest.as_bytes()) {
        out.push_str(&rest[..at]);
        let special = &rest[at..];
        if let Some(after) = special.strip_prefix('\r') {
            out.push('\n');
            rest = after.strip_prefix('\n').unwrap_or(after);
            continue;
        }
        let (character, length) = match reference(special) {
            Some((Some(character), length)) => (character, length),
            Some((None, length)) => {
                bad += 1;
                ('\u{fffd}', length)
            }
            None => {
                bad += 1;
                ('&', 1)
            }
        };
        out.push(character);
        rest = &special[length..];
    }
    out.push_str(rest);
    (Cow::Owned(out), bad)
}

/// What the reference at the beginning of the text stands for, if XML may hold it, and how long it is; `None` if there
/// is no reference.
fn reference(text: &str) -> Option<(Option<char>, usize)> {
    // Leading zeros are allowed, but nobody writes many.
    let end = text.bytes().take(16).position(|byte| byte == b';')?;
    let character = match &text[1..end] {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        name => {
            let digits = name.strip_prefix('#')?;
            let (digits, radix) = digits
                .strip_prefix('x')
                .map_or((digits, 10), |digits| (digits, 16));
            let is_digit = |digit: char| digit.is_digit(radix);
            if digits.is_empty() || !digits.chars().all(is_digit) {
                return None;
            }
            u32::from_str_radix(digits, radix)
                .ok()
                .and_then(char::from_u32)
                .filter(|character| is_in_xml(*character))
        }
    };
    Some((character, end + 1))
}

/// The path of the first text in an object that XML cannot carry, such as `password`: it has a control character, U+FFFE or
/// U+FFFF. Encoded, it would be another text.
pub fn unsendable(object: &dyn Object) -> Option<String> {
    object
        .info()
        .all_fields()
        .enumerate()
        .find_map(|(index, field)| unsendable_value(object.get(index).view(), field.name))
}

fn unsendable_value(value: View<'_>, name: &str) -> Option<String> {
    let is_in_text = |text: &str| (!text.chars().all(is_in_xml)).then(|| name.to_owned());
    let within = |object: &dyn Object| Some(format!("{name}.{}", unsendable(object)?));
    match value {
        View::Text(text) | View::Enum(_, text) => is_in_text(text),
        View::Moref(reference) => is_in_text(&reference.value),
        View::Object(object) => within(object),
        View::Any(any) => match any {
            Any::String(text) | Any::Uri(text) => is_in_text(text),
            Any::Moref(reference) => is_in_text(&reference.value),
            Any::Object(object) => within(&**object),
            _ => None,
        },
        View::List(items) => items.iter().find_map(|item| unsendable_value(item, name)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_text_may_hold_is_replaced_and_counted() {
        for (message, text, count, first) in [
            (
                &b"<name>gr\xfcn</name>"[..],
                "<name>gr\u{fffd}n</name>",
                1,
                "gr\u{fffd}n",
            ),
            // A character cut short, an overlong one, a surrogate, one beyond Unicode.
            (b"<a>\xe6\x97</a>", "<a>\u{fffd}</a>", 1, "\u{fffd}"),
            (
                b"<a>\xc0\xaf</a>",
                "<a>\u{fffd}\u{fffd}</a>",
                2,
                "\u{fffd}\u{fffd}",
            ),
            (
                b"<a>x\xed\xa0\x80</a>",
                "<a>x\u{fffd}\u{fffd}\u{fffd}</a>",
                3,
                "x\u{fffd}\u{fffd}\u{fffd}",
            ),
            (
                b"<a>\x00</a><b>\x1b</b>",
                "<a>\u{fffd}</a><b>\u{fffd}</b>",
                2,
                "\u{fffd}",
            ),
            (
                b"<a>\xef\xbf\xbe\xef\xbf\xbf</a>",
                "<a>\u{fffd}\u{fffd}</a>",
                2,
                "\u{fffd}\u{fffd}",
            ),
            // These are allowed.
            (
                b"<a>\t\r\n\x7f\xc2\x85\xef\xbf\xbd</a>",
                "<a>\t\r\n\x7f\u{85}\u{fffd}</a>",
                0,
                "",
            ),
        ] {
            let (found, mended) = text_of(message).unwrap();
            assert_eq!(found, text);
            assert_eq!((mended.count, &*mended.first), (count, first), "{text}");
        }
    }

    #[test]
    fn a_bad_place_is_found_wherever_it_is() {
        for length in [0, 15, 4095, 4096, 9000] {
            let text = "a".repeat(length);
            for bad in ["\u{b}", "\u{fffe}"] {
                let message = format!("{text}{bad}{text}");
                assert_eq!(text_of(message.as_bytes()).unwrap().1.count, 1);
            }
            let message = format!("{text}ä{text}");
            assert_eq!(text_of(message.as_bytes()).unwrap().1.count, 0);
        }
    }

    #[test]
    fn references_to_nothing_are_replaced_and_other_ampersands_stay() {
        for (text, expected, bad) in [
            ("&lt;&#65;&#x42;&#x1F980;", "<AB🦀", 0),
            (
                "&#0;&#1;&#x1b;&#xFFFE;&#xd800;&#x110000;&#99999999999;",
                "\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}",
                7,
            ),
            ("AT&T", "AT&T", 1),
            ("&nope; &amp", "&nope; &amp", 2),
            ("&#+1;&#x;&#;&;", "&#+1;&#x;&#;&;", 4),
        ] {
            let (found, count) = unescape(text);
            assert_eq!((&*found, count), (expected, bad), "{text}");
        }
    }

    #[test]
    fn a_character_that_is_cut_is_told_from_a_bad_one() {
        for (part, cut) in [
            (&b"abc"[..], 0),
            (b"ab\xc3", 1),
            (b"ab\xe6\x97", 2),
            (b"ab\xf0\x9f\xa6", 3),
            (b"ab\xf0\x9f\xa6\x80", 0),
            (b"ab\xff", 0),
            (b"ab\x80", 0),
            (b"\xe6", 1),
            (b"", 0),
        ] {
            assert_eq!(cut_off(part), cut, "{part:?}");
        }
    }
}
