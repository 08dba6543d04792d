//! Splits a text into commands and words by the rules of virsh 9.0.0.
//!
//! Blanks and tabs separate words; `;` and line ends separate commands. `#` at the start of a word starts a
//! comment up to the end of the line. `'…'` is literal; its closing quote may be missing. In `"…"` and
//! outside of quotes, a backslash makes the next character literal. Outside of quotes, a backslash at the end of
//! a line continues the line.

use std::ffi::OsString;
use std::iter::Peekable;
use std::str::CharIndices;

use crate::failure::Failure;

/// The commands of a text, each as its words; none of them is empty.
///
/// # Errors
/// A mistake anywhere in the text: virsh runs none of its commands then.
pub(crate) fn split(text: &str) -> Result<Vec<Vec<OsString>>, Failure> {
    let mut scanner = Scanner::new(text);
    let mut commands = Vec::new();
    let mut words = Vec::new();
    while let Some(token) = scanner.next() {
        match token {
            Token::End => commands.push(std::mem::take(&mut words)),
            Token::Word {
                mistake: Some(mistake),
                ..
            } => return Err(Failure::new(mistake)),
            Token::Word { text, .. } => words.push(OsString::from(text)),
        }
    }
    commands.push(words);
    commands.retain(|words| !words.is_empty());
    Ok(commands)
}

/// The last command of a text that is being typed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Unfinished {
    /// Its words before the last one.
    pub(crate) words: Vec<String>,
    /// The last word; empty if the text ends in a blank.
    pub(crate) word: String,
    /// Where the last word begins, in bytes.
    pub(crate) start: usize,
}

/// Finds the last command and word of a text that is being typed.
pub(crate) fn unfinished(text: &str) -> Unfinished {
    let mut scanner = Scanner::new(text);
    let mut words = Vec::new();
    let mut last = None;
    while let Some(token) = scanner.next() {
        match token {
            Token::End => {
                words.clear();
                last = None;
            }
            Token::Word {
                text, start, end, ..
            } => {
                words.extend(last.replace((text, start, end)).map(|(text, ..)| text));
            }
        }
    }
    match last {
        Some((word, start, end)) if end == text.len() => Unfinished { words, word, start },
        last => {
            words.extend(last.map(|(text, ..)| text));
            Unfinished {
                words,
                word: String::new(),
                start: text.len(),
            }
        }
    }
}

/// `word` in quotes if [`split`] would change it otherwise.
pub(crate) fn quoted(word: &str) -> String {
    let is_plain = |c: char| !c.is_whitespace() && !matches!(c, '\'' | '"' | '\\' | ';');
    match word.chars().all(is_plain) && !word.starts_with('#') && !word.is_empty() {
        true => word.to_owned(),
        false => {
            let escaped = word.replace('\\', "\\\\").replace('"', "\\\"");
            format!("\"{escaped}\"")
        }
    }
}

/// The words and ends of commands in a text.
struct Scanner<'a> {
    text: &'a str,
    rest: Peekable<CharIndices<'a>>,
}

enum Token {
    /// A command's end.
    End,
    Word {
        text: String,
        /// Where it is, in bytes.
        start: usize,
        end: usize,
        mistake: Option<&'static str>,
    },
}

impl<'a> Scanner<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            rest: text.char_indices().peekable(),
        }
    }

    fn next(&mut self) -> Option<Token> {
        while let Some((start, next)) = self.rest.peek().copied() {
            match next {
                ' ' | '\t' => drop(self.rest.next()),
                '#' => while self.rest.next_if(|(_, next)| *next != '\n').is_some() {},
                ';' | '\n' => {
                    self.rest.next();
                    return Some(Token::End);
                }
                _ => {
                    if let Some(word) = self.word(start) {
                        return Some(word);
                    }
                }
            }
        }
        None
    }

    /// The word that begins here; nothing if it is only a line's continuation.
    fn word(&mut self, start: usize) -> Option<Token> {
        let mut word = None::<String>;
        let mut mistake = None;
        while let Some(next) = self.next_if(|next| !matches!(next, ' ' | '\t' | ';' | '\n')) {
            match next {
                '\'' => {
                    let word = word.get_or_insert_default();
                    let quoted = self.rest.by_ref().map(|(_, next)| next);
                    word.extend(quoted.take_while(|next| *next != '\''));
                }
                '"' => {
                    let is_closed = self.quoted(word.get_or_insert_default());
                    mistake = mistake.or((!is_closed).then_some("missing \""));
                }
                '\\' => match self.rest.next() {
                    Some((_, '\n')) => {}
                    Some((_, next)) => word.get_or_insert_default().push(next),
                    None => mistake = mistake.or(Some("dangling \\")),
                },
                _ => word.get_or_insert_default().push(next),
            }
        }
        if word.is_none() && mistake.is_none() {
            return None;
        }
        Some(Token::Word {
            text: word.unwrap_or_default(),
            start,
            end: self.rest.peek().map_or(self.text.len(), |(at, _)| *at),
            mistake,
        })
    }

    /// What follows a double quote, up to the next one; whether there is one.
    fn quoted(&mut self, word: &mut String) -> bool {
        while let Some((_, next)) = self.rest.next() {
            match next {
                '"' => return true,
                '\\' => word.extend(self.rest.next().map(|(_, next)| next)),
                _ => word.push(next),
            }
        }
        false
    }

    fn next_if(&mut self, is_wanted: impl Fn(char) -> bool) -> Option<char> {
        let next = self.rest.next_if(|(_, next)| is_wanted(*next));
        next.map(|(_, next)| next)
    }
}

#[cfg(test)]
mod tests {
    use super::{Unfinished, quoted, split, unfinished};

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

    #[test]
    fn the_end_of_a_text() {
        for (text, words, word, start) in [
            ("", "", "", 0),
            ("li", "", "li", 0),
            ("list ", "list", "", 5),
            ("list --a", "list", "--a", 5),
            ("a; b c", "b", "c", 5),
            ("a; ", "", "", 3),
            ("a 'b c", "a", "b c", 2),
            ("a \"b c", "a", "b c", 2),
            ("a b\\ c", "a", "b c", 2),
            ("a ü\\", "a", "ü", 2),
        ] {
            let words = words.split_terminator(' ').map(str::to_owned).collect();
            let word = word.to_owned();
            let expected = Unfinished { words, word, start };
            assert_eq!(unfinished(text), expected, "{text:?}");
        }
    }

    #[test]
    fn quoted_words_are_read_as_they_were() {
        for word in ["a", "", "a b", "it's", "\"a\\b\"", ";", "#a", "ü/%"] {
            let read = split(&quoted(word)).unwrap();
            assert_eq!(read, [[std::ffi::OsString::from(word)]], "{word:?}");
        }
        assert_eq!(quoted("build/ci"), "build/ci");
    }
}
