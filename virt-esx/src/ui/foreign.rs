//! Text of others for people: what servers, files, the command line and the environment say is shown on a terminal, and must
//! not command it.
//!
//! Everything that is printed as text goes through [`text`] at the output's boundary ([`Ui::print`](super::Ui::print),
//! [`Terminal::tell`](super::Terminal::tell)), so that no command can forget it. What may have line ends of its own goes
//! through [`line`] (values of properties, names in sentences) or [`lines`] (messages) before, so that it cannot pretend to
//! be a line of ours. Documents, the contents of files and lists of names are printed as they are.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The most characters of a message that are shown.
const LONGEST: usize = 2000;

/// Whether a terminal does not print a character but does something: control characters, those of C1 too; those that change
/// the direction of the text around them, by which a text reads otherwise than it is; and the ends of lines and paragraphs.
pub(crate) fn is_command(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A text that has lines of ours: everything that a terminal would do is written as `\xNN`, except ends of lines and tabs.
pub(crate) fn text(text: &str) -> Cow<'_, str> {
    escaped(text, |character| {
        is_command(character) && !matches!(character, '\n' | '\t')
    })
}

/// A text that is a part of a line of ours.
pub(crate) fn line(text: &str) -> Cow<'_, str> {
    match shortened(Cow::Borrowed(text)) {
        Cow::Borrowed(text) => escaped(text, is_command),
        Cow::Owned(text) => Cow::Owned(escaped(&text, is_command).into_owned()),
    }
}

/// A message that may have several lines, those behind the first one indented: none of them looks like a line of ours.
pub(crate) fn lines(text: &str) -> Cow<'_, str> {
    match shortened(Cow::Borrowed(text)) {
        Cow::Borrowed(text) => whole_lines(text),
        Cow::Owned(text) => Cow::Owned(whole_lines(&text).into_owned()),
    }
}

/// The same, however long it is.
pub(crate) fn whole_lines(text: &str) -> Cow<'_, str> {
    if !text.contains(is_command) {
        return Cow::Borrowed(text);
    }
    let shown = text.replace("\r\n", "\n");
    let shown = self::text(&shown).replace('\n', "\n    ");
    // An empty line needs no blanks, and none follow the last end.
    let mut shown = shown.replace("\n    \n", "\n\n");
    if shown.ends_with("\n    ") {
        shown.truncate(shown.len() - 4);
    }
    Cow::Owned(shown)
}

/// A JSON text whose strings have nothing that a terminal would do: JSON has escapes for that, which mean the same.
pub(crate) fn json(text: String) -> String {
    // Control characters up to U+001F are escaped already; outside of strings there are ends of lines only.
    let is_escaped = |character: char| is_command(character) && character > '\u{1f}';
    if !text.contains(is_escaped) {
        return text;
    }
    let mut out = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match is_escaped(character) {
            // All of them are in the first plane. Writing to a string cannot fail.
            true => drop(write!(out, "\\u{:04x}", u32::from(character))),
            false => out.push(character),
        }
    }
    out
}

fn escaped(text: &str, is_escaped: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match is_escaped(character) {
            true => push_escaped(&mut out, character),
            false => out.push(character),
        }
    }
    Cow::Owned(out)
}

/// Writes a character byte by byte as `\xNN`, as virsh's tables do.
pub(crate) fn push_escaped(out: &mut String, character: char) {
    for byte in character.encode_utf8(&mut [0; 4]).bytes() {
        // Writing to a string cannot fail.
        let _ = write!(out, "\\x{byte:02x}");
    }
}

/// The beginning of a text that nobody reads to its end, and its length.
fn shortened(text: Cow<'_, str>) -> Cow<'_, str> {
    // Characters are at least as many bytes.
    if text.len() <= LONGEST {
        return text;
    }
    let Some((end, _)) = text.char_indices().nth(LONGEST) else {
        return text;
    };
    let length = grouped(text.chars().count());
    Cow::Owned(format!("{}... ({length} characters)", &text[..end]))
}

/// A number as people read it: 1,234,567.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_does_is_left() {
        for (from, in_text, in_line, in_lines) in [
            (
                "plain é 漢字 \u{200d}",
                "plain é 漢字 \u{200d}",
                "plain é 漢字 \u{200d}",
                "plain é 漢字 \u{200d}",
            ),
            (
                "a\x1b]0;x\x07b",
                r"a\x1b]0;x\x07b",
                r"a\x1b]0;x\x07b",
                r"a\x1b]0;x\x07b",
            ),
            (
                "a\nerror: b",
                "a\nerror: b",
                r"a\x0aerror: b",
                "a\n    error: b",
            ),
            (
                "a\r\n\r\nb\r\n",
                "a\\x0d\n\\x0d\nb\\x0d\n",
                r"a\x0d\x0a\x0d\x0ab\x0d\x0a",
                "a\n\n    b\n",
            ),
            ("a\rb", r"a\x0db", r"a\x0db", r"a\x0db"),
            ("a\tb", "a\tb", r"a\x09b", "a\tb"),
            (
                "\x7f\u{9b}31m",
                r"\x7f\xc2\x9b31m",
                r"\x7f\xc2\x9b31m",
                r"\x7f\xc2\x9b31m",
            ),
            (
                "\u{202e}x\u{2069}\u{2028}",
                r"\xe2\x80\xaex\xe2\x81\xa9\xe2\x80\xa8",
                r"\xe2\x80\xaex\xe2\x81\xa9\xe2\x80\xa8",
                r"\xe2\x80\xaex\xe2\x81\xa9\xe2\x80\xa8",
            ),
            (r"C:\xampp", r"C:\xampp", r"C:\xampp", r"C:\xampp"),
            ("", "", "", ""),
        ] {
            assert_eq!(text(from), in_text, "{from:?}");
            assert_eq!(line(from), in_line, "{from:?}");
            assert_eq!(lines(from), in_lines, "{from:?}");
            // What went through once may go through again.
            assert_eq!(text(&text(from)), in_text, "{from:?}");
            assert_eq!(text(&line(from)), in_line, "{from:?}");
        }
    }

    #[test]
    fn json_says_the_same() {
        let names = "\x1b\x07\n\t\u{7f}\u{80}\u{9b}\u{9f}\u{a0}\u{2028}\u{202e}\u{2066}é😀\\\"";
        let plain = serde_json::to_string(names).unwrap();
        let shown = json(plain.clone());
        assert!(!shown.contains(is_command), "{shown}");
        assert!(shown.contains(r"\u007f\u0080\u009b\u009f"), "{shown}");
        assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), names);
        assert_eq!(json("{\n  \"a\": 1\n}\n".to_owned()), "{\n  \"a\": 1\n}\n");
    }

    #[test]
    fn long_texts_are_cut() {
        let long = "é".repeat(1_234_567);
        for cut in [line(&long), lines(&long)] {
            assert!(
                cut.ends_with("é... (1,234,567 characters)"),
                "{}",
                cut.len()
            );
            assert_eq!(cut.chars().count(), LONGEST + 26);
        }
        let short = "é".repeat(LONGEST);
        assert_eq!(line(&short), short);
    }
}
