//! From the text of commands to words, as virsh 9.0.0 does it.
//!
//! Blanks and tabs separate words, `;` and line ends separate commands, `#` at a word's beginning
//! begins a comment up to the line's end. `'…'` is taken as it is and may lack its end; in `"…"` and
//! outside of quotes a backslash takes the next character as it is, and a line that ends in one goes
//! on in the next.

use std::ffi::OsString;
use std::iter::Peekable;
use std::str::Chars;

use crate::failure::Failure;

/// The commands of a text, each as its words; none of them is empty.
///
/// # Errors
/// A text with a mistake has no commands, as virsh runs none of them.
pub(crate) fn split(text: &str) -> Result<Vec<Vec<OsString>>, Failure> {
    let mut commands = Vec::new();
    let mut words = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(next) = rest.peek() {
        match next {
            ' ' | '\t' => drop(rest.next()),
            '#' => while rest.next_if(|next| *next != '\n').is_some() {},
            ';' | '\n' => {
                rest.next();
                commands.push(std::mem::take(&mut words));
            }
            _ => words.extend(word(&mut rest)?.map(OsString::from)),
        }
    }
    commands.push(words);
    commands.retain(|words| !words.is_empty());
    Ok(commands)
}

/// The word that begins here; nothing if it is only a line's continuation.
fn word(rest: &mut Peekable<Chars<'_>>) -> Result<Option<String>, Failure> {
    let mut word = None::<String>;
    while let Some(next) = rest.next_if(|next| !matches!(next, ' ' | '\t' | ';' | '\n')) {
        match next {
            '\'' => {
                let quoted = rest.by_ref().take_while(|next| *next != '\'');
                word.get_or_insert_default().extend(quoted);
            }
            '"' => quoted(rest, word.get_or_insert_default())?,
            '\\' => match rest.next() {
                Some('\n') => {}
                Some(next) => word.get_or_insert_default().push(next),
                None => return Err(Failure::new("dangling \\")),
            },
            _ => word.get_or_insert_default().push(next),
        }
    }
    Ok(word)
}

/// What follows a double quote, up to the next one.
fn quoted(rest: &mut Peekable<Chars<'_>>, word: &mut String) -> Result<(), Failure> {
    while let Some(next) = rest.next() {
        match next {
            '"' => return Ok(()),
            '\\' => word.extend(rest.next()),
            _ => word.push(next),
        }
    }
    Err(Failure::new("missing \""))
}

#[cfg(test)]
mod tests {
    use super::split;

    /// The words in brackets, the commands on lines.
    fn words(text: &str) -> String {
        match split(text) {
            Ok(commands) => {
                let shown = commands.iter().map(|words| {
                    let words = words.iter().map(|word| format!("[{}]", word.display()));
                    words.collect::<String>()
                });
                shown.collect::<Vec<_>>().join("\n")
            }
            Err(failure) => failure.to_string(),
        }
    }

    /// Each was tried with virsh 9.0.0's `echo`.
    #[test]
    fn words_and_commands() {
        for (text, expected) in [
            ("", ""),
            (" \t", ""),
            (";;", ""),
            ("list --all", "[list][--all]"),
            ("a;b\nc", "[a]\n[b]\n[c]"),
            ("a ; ; b;", "[a]\n[b]"),
            ("# a; b\nc", "[c]"),
            ("a #b; c\nd", "[a]\n[d]"),
            ("a#b \\#c d\"#\"e", "[a#b][#c][d#e]"),
            ("'a;b' \"a;b\" a\\;b", "[a;b][a;b][a;b]"),
            ("'a\\b' \"a\\b\" \"a\\\"b\" a\\ b", "[a\\b][ab][a\"b][a b]"),
            ("\"\" ''", "[][]"),
            ("\"a\"b'c'", "[abc]"),
            ("'a", "[a]"),
            ("'a\nb'", "[a\nb]"),
            ("a \\\n b\\\nc", "[a][bc]"),
            ("a; \"b", "error: missing \"\n"),
            ("a\\", "error: dangling \\\n"),
            ("größe 'ä ö'", "[größe][ä ö]"),
        ] {
            assert_eq!(words(text), expected, "{text:?}");
        }
    }
}
