//! Rules that answer questions by patterns.

use std::{io, path::Path, str::FromStr};

use regex_lite::Regex;
use serde::Deserialize;
use vi_client::bounded::read_trusted_file;
use virt_model::ErrorNumber;

use crate::question::Question;
use crate::{Error, ErrorKind, Result};

/// The most bytes of a file of rules.
const LARGEST: usize = 1 << 20;

/// Answers to questions by patterns: the first rule that fits decides.
///
/// ```
/// use esx_driver::policy::Rules;
///
/// let rules = Rules::from_toml(r#"
///     [[rule]]
///     message = "msg.uuid.altered"
///     answer = "I copied it"
/// "#)?;
/// # Ok::<(), esx_driver::Error>(())
/// ```
///
#[doc = include_str!("rules.md")]
///
/// [`Question::choice`] says how an answer is found among the choices. Programs add rules with [`message`](Rules::message) and
/// [`text`](Rules::text).
#[derive(Debug, Clone, Default)]
pub struct Rules(Vec<Rule>);

#[derive(Debug, Clone)]
struct Rule {
    message: Option<Regex>,
    text: Option<Regex>,
    answer: String,
}

impl Rules {
    /// How a file of rules is written, in Markdown: for the manuals of programs that take such files.
    pub const MANUAL: &'static str = include_str!("rules.md");

    /// Adds a rule for questions with a message of this pattern, such as `msg.serial.*`.
    ///
    /// ```
    /// use esx_driver::policy::Rules;
    ///
    /// let rules = Rules::default()
    ///     .message("msg.uuid.altered", "I copied it")?
    ///     .text("(?i)serial port", "Append")?;
    /// # Ok::<(), esx_driver::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Rules`] if the pattern is invalid.
    pub fn message(self, pattern: &str, answer: impl Into<String>) -> Result<Rules> {
        self.rule(Some(pattern.to_owned()), None, answer.into())
    }

    /// Adds a rule for questions whose text this regular expression matches.
    ///
    /// # Errors
    /// As [`message`](Rules::message).
    pub fn text(self, pattern: &str, answer: impl Into<String>) -> Result<Rules> {
        self.rule(None, Some(pattern.to_owned()), answer.into())
    }

    fn rule(
        mut self,
        message: Option<String>,
        text: Option<String>,
        answer: String,
    ) -> Result<Rules> {
        let raw = Raw {
            message,
            text,
            answer,
        };
        self.0
            .push(raw.compile().map_err(|problem| invalid(&problem))?);
        Ok(self)
    }

    /// Reads rules from TOML.
    ///
    /// # Errors
    /// [`ErrorKind::Rules`]; the text names the rule.
    pub fn from_toml(text: &str) -> Result<Rules> {
        let file: File = toml::from_str(text).map_err(|error| invalid(error.to_string().trim()))?;
        let rules = file.rule.into_iter().enumerate();
        rules
            .map(|(index, raw)| {
                raw.compile()
                    .map_err(|problem| invalid(&format!("rule {}: {problem}", index + 1)))
            })
            .collect::<Result<_>>()
            .map(Rules)
    }

    /// Reads rules from a file of at most 1 MiB. If others than its owner may write it, a warning says so.
    ///
    /// # Errors
    /// [`ErrorKind::Rules`] if the file cannot be read, or if a rule is invalid.
    pub fn read(path: impl AsRef<Path>) -> Result<Rules> {
        let path = path.as_ref();
        let bytes = read_trusted_file(path, LARGEST);
        let text = bytes.and_then(|bytes| {
            String::from_utf8(bytes)
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
        });
        let text = text.map_err(|error| {
            let message = format!("Cannot read the answers file '{}': {error}", path.display());
            Error::new(ErrorKind::Rules, ErrorNumber::ConfSyntax, message).because(error)
        })?;
        Rules::from_toml(&text).map_err(|error| {
            let message = format!("{} (in '{}')", error.message(), path.display());
            Error::new(ErrorKind::Rules, ErrorNumber::ConfSyntax, message)
        })
    }

    /// The answer of the first rule that fits: a key or a label.
    pub fn answer(&self, question: &Question) -> Option<&str> {
        let rule = self.0.iter().find(|rule| rule.fits(question))?;
        Some(&rule.answer)
    }
}

impl FromStr for Rules {
    type Err = Error;

    fn from_str(text: &str) -> Result<Rules> {
        Rules::from_toml(text)
    }
}

impl Rule {
    fn fits(&self, question: &Question) -> bool {
        let message = self.message.as_ref().is_none_or(|pattern| {
            let mut ids = question.messages.iter();
            ids.any(|id| pattern.is_match(id))
        });
        let text = self
            .text
            .as_ref()
            .is_none_or(|pattern| pattern.is_match(&question.text));
        message && text
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    rule: Vec<Raw>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    message: Option<String>,
    text: Option<String>,
    answer: String,
}

impl Raw {
    fn compile(self) -> Result<Rule, String> {
        if self.message.is_none() && self.text.is_none() {
            return Err("it needs a 'message' or a 'text' to say which questions it is for".into());
        }
        let text = self.text.map(|text| {
            Regex::new(&text)
                .map_err(|error| format!("its 'text' is no regular expression: {error}"))
        });
        let message = self.message.map(|message| {
            let escaped: Vec<_> = message.split('*').map(regex_lite::escape).collect();
            let whole = format!("^(?s:{})$", escaped.join(".*"));
            Regex::new(&whole).map_err(|error| format!("its 'message' is no pattern: {error}"))
        });
        Ok(Rule {
            message: message.transpose()?,
            text: text.transpose()?,
            answer: self.answer,
        })
    }
}

fn invalid(problem: &str) -> Error {
    let message = format!("Invalid answers file: {problem}");
    Error::new(ErrorKind::Rules, ErrorNumber::ConfSyntax, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(messages: &[&str], text: &str) -> Question {
        Question {
            id: "1".to_owned(),
            text: text.to_owned(),
            choices: Vec::new(),
            default: None,
            messages: messages.iter().map(|&id| id.to_owned()).collect(),
        }
    }

    #[test]
    fn the_first_rule_that_fits_answers() {
        let rules = Rules::from_toml(
            r#"
            [[rule]]
            message = "msg.uuid.altered"
            answer = "copied"
            [[rule]]
            message = "msg.serial.*"
            text = "ttyS[0-9]"
            answer = "both"
            [[rule]]
            message = "msg.*.open"
            answer = "glob"
            [[rule]]
            text = "already exists"
            answer = "text"
            [[rule]]
            text = "(?i)SPACE"
            answer = "space"
            "#,
        )
        .unwrap();
        for (messages, text, expected) in [
            (&["msg.uuid.altered"][..], "?", Some("copied")),
            (&["msg.a", "msg.uuid.altered"], "?", Some("copied")),
            (&["msg.uuid.altered2"], "?", None),
            (&["xmsg.uuid.altered"], "?", None),
            (&["msgxuuid.altered"], "?", None),
            (&["msg.serial.file.open"], "ttyS1", Some("both")),
            (&["msg.serial.file.open"], "ttySx", Some("glob")),
            (&["msg.open"], "?", None),
            (&[], "It already exists.", Some("text")),
            (&[], "No more space", Some("space")),
            (&[], "", None),
        ] {
            let question = question(messages, text);
            assert_eq!(rules.answer(&question), expected, "{messages:?} {text:?}");
        }
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        for (text, expected) in [
            ("[[rule]]\nanswer = 'a'", "rule 1: it needs a 'message'"),
            (
                "[[rule]]\ntext='a'\nanswer='a'\n[[rule]]\ntext='('\nanswer='a'",
                "rule 2: its 'text' is no regular expression",
            ),
            ("[[rule]]\ntext = 'a'", "missing field `answer`"),
            ("[[rules]]\ntext = 'a'", "unknown field `rules`"),
            ("[[rule]]\ntext = 'a'\nanswr = 'a'", "line 3"),
            ("rule", "line 1"),
        ] {
            let error = Rules::from_toml(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Rules);
            assert!(error.to_string().contains(expected), "{error}");
        }
        let error = Rules::read("/no/such/answers.toml").unwrap_err();
        assert!(
            error.message().contains("'/no/such/answers.toml'"),
            "{error}"
        );
    }

    #[test]
    fn rules_from_code() {
        let rules = Rules::default()
            .message("msg.a*", "one")
            .unwrap()
            .text("b+", "two")
            .unwrap();
        assert_eq!(rules.answer(&question(&["msg.abc"], "bb")), Some("one"));
        assert_eq!(rules.answer(&question(&["msg.c"], "bb")), Some("two"));
        let error = Rules::default().text("(", "never").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Rules);
    }

    #[test]
    fn no_rules_answer_nothing() {
        let rules = Rules::from_toml("# nothing").unwrap();
        assert_eq!(rules.answer(&question(&["msg.a"], "?")), None);
    }
}
