use serde::Serialize;

use crate::ui::foreign;

/// What a command that prints once answers: a value that can be printed as virsh's text or as JSON.
///
/// The serialised shape is an interface: adding a member is a compatible change, anything else
/// takes the next number in `SCHEMA`. `json.md` describes the shapes.
pub(crate) trait Answer: Serialize {
    /// Name and version of the JSON document, such as `virt-esx/domains/1`.
    const SCHEMA: &'static str;

    /// The text virsh prints, without the empty line it ends every command with.
    ///
    /// `quiet` leaves out what virsh leaves out with `-q`: table headers and sums.
    fn text(&self, quiet: bool) -> String;

    /// Whether the text is a document, or a list of names for programs: it is printed as it is then, whatever a terminal does
    /// with it.
    fn is_document(&self) -> bool {
        false
    }

    /// The answer as JSON lines if it is a list: one [line](json_line) for each item. Anything else
    /// is one line.
    fn json_lines(&self) -> Option<String> {
        None
    }
}

/// The form of what a command prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum Format {
    /// virsh's text
    #[default]
    Text,
    /// one JSON document; its member `schema` names its shape and version
    Json,
    /// JSON lines: one JSON object a line, for each item of a list or stream
    Jsonl,
}

/// A JSON document of several lines.
pub(crate) fn json<T: Serialize>(schema: &'static str, value: &T) -> String {
    write(serde_json::to_string_pretty(&Document { schema, value }))
}

/// A JSON document on one line.
pub(crate) fn json_line<T: Serialize>(schema: &'static str, value: &T) -> String {
    write(serde_json::to_string(&Document { schema, value }))
}

/// The items of a list as JSON documents, one a line.
pub(crate) fn json_lines<T: Serialize>(schema: &'static str, items: &[T]) -> String {
    items.iter().map(|item| json_line(schema, item)).collect()
}

#[derive(Serialize)]
struct Document<'a, T> {
    schema: &'static str,
    #[serde(flatten)]
    value: &'a T,
}

fn write(text: serde_json::Result<String>) -> String {
    #[expect(
        clippy::expect_used,
        reason = "answers are structs of strings, numbers and lists"
    )]
    let mut text = text.expect("an answer is a JSON object");
    text.push('\n');
    foreign::json(text)
}

/// A line that says what was done, which virsh leaves out with `-q`.
pub(crate) fn unless_quiet(quiet: bool, line: impl FnOnce() -> String) -> String {
    match quiet {
        true => String::new(),
        false => line(),
    }
}

/// A line of a list of properties: the title padded to `width`, a blank, the value.
pub(crate) fn property(width: usize, title: &str, value: impl std::fmt::Display) -> String {
    let value = value.to_string();
    format!("{title:<width$} {}\n", foreign::line(&value))
}
