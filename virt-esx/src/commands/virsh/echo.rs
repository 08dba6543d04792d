use std::borrow::Cow;

use crate::commands::SessionCommand;
use crate::commands::options::check_exclusive;
use crate::failure::Failure;
use crate::session::Session;
use crate::ui::Ui;

/// echo arguments
///
/// Print the arguments, possibly with quoting.
#[derive(Debug, clap::Args)]
pub(crate) struct Echo {
    /// escape for shell use
    #[arg(long)]
    shell: bool,

    /// escape for XML use
    #[arg(long)]
    xml: bool,

    /// split each argument on ','; ',,' is an escape sequence
    #[arg(long)]
    split: bool,

    /// output to stderr
    #[arg(long)]
    err: bool,

    /// arguments to echo
    #[arg(value_name = "string", num_args = 0..)]
    string: Vec<String>,
}

impl SessionCommand for Echo {
    async fn run(self, ui: &Ui, _: &mut Session) -> Result<(), Failure> {
        check_exclusive([("shell", self.shell), ("xml", self.xml)])?;
        let text = self.text();
        match self.err {
            true => ui.tell(&format!("error: {text}\n")),
            // The line ends as every command's output does.
            false => ui.document(&text)?,
        }
        Ok(())
    }
}

impl Echo {
    fn text(&self) -> String {
        let words = self.string.iter().map(|word| match (self.shell, self.xml) {
            (true, _) => shell_quoted(word),
            (_, true) => Cow::Owned(xml_escaped(word)),
            _ => Cow::Borrowed(word.as_str()),
        });
        match self.split {
            true => words.map(|word| parts(&word)).collect(),
            false => words.collect::<Vec<_>>().join(" "),
        }
    }
}

/// The word for a shell: in single quotes if it has a character that a shell would change.
fn shell_quoted(word: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "%+,-./:=@_".contains(c) || !c.is_ascii();
    match !word.is_empty() && word.chars().all(is_plain) {
        true => Cow::Borrowed(word),
        false => Cow::Owned(format!("'{}'", word.replace('\'', "'\\''"))),
    }
}

fn xml_escaped(word: &str) -> String {
    word.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('\'', "&apos;")
        .replace('"', "&quot;")
}

/// What commas separate, a line each; two commas are one that separates nothing.
fn parts(word: &str) -> String {
    word.replace(",,", "\0")
        .replace(',', "\n")
        .replace('\0', ",")
        + "\n"
}

#[cfg(test)]
mod tests {
    use super::{parts, shell_quoted};

    #[test]
    fn words_for_a_shell() {
        for (word, expected) in [
            ("a", "a"),
            ("", "''"),
            ("a b", "'a b'"),
            ("it's", "'it'\\''s'"),
            ("a$b*", "'a$b*'"),
        ] {
            assert_eq!(shell_quoted(word), expected);
        }
    }

    #[test]
    fn parts_stand_on_lines() {
        assert_eq!(parts("a,b,,c"), "a\nb,c\n");
    }
}
