use serde::Serialize;

use crate::failure::Failure;

/// What a command answers: a value that can be shown as virsh's text or as a JSON document.
///
/// The serialised shape is an interface: adding a member is a compatible change, anything else
/// takes the next number in `SCHEMA`. The shapes are described in `json.md`.
pub(crate) trait Answer: Serialize {
    /// Name and version of the JSON document, such as `virt-esx/domains/1`.
    const SCHEMA: &'static str;

    /// The text virsh prints, without the empty line it ends every command with.
    ///
    /// `quiet` leaves out what virsh leaves out with `-q`: table headers and sums.
    fn text(&self, quiet: bool) -> String;

    /// What failed of a command that does something to several domains, each for itself.
    fn failures(&self) -> Vec<&Failure> {
        Vec::new()
    }

    /// Whether Ctrl-C ended it before it was complete.
    fn was_interrupted(&self) -> bool {
        false
    }
}

/// The form an answer is printed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum Format {
    /// virsh's text
    #[default]
    Text,
    /// one JSON document, whose member `schema` names its shape and version
    Json,
}

/// Everything a run prints for `answer`.
pub(crate) fn render<A: Answer>(answer: &A, format: Format, quiet: bool) -> String {
    match format {
        Format::Text => closed(answer.text(quiet), quiet),
        Format::Json => json(answer),
    }
}

/// `text` with the empty line virsh ends every command with, unless it is quiet.
pub(crate) fn closed(mut text: String, quiet: bool) -> String {
    if !quiet {
        text.push('\n');
    }
    text
}

fn json<A: Answer>(answer: &A) -> String {
    #[derive(Serialize)]
    struct Document<'a, A> {
        schema: &'static str,
        #[serde(flatten)]
        answer: &'a A,
    }
    #[expect(
        clippy::expect_used,
        reason = "answers are structs of strings, numbers and lists"
    )]
    let mut text = serde_json::to_string_pretty(&Document {
        schema: A::SCHEMA,
        answer,
    })
    .expect("an answer is a JSON object");
    text.push('\n');
    text
}

/// A line of a list of properties: the title padded to `width`, a blank, the value.
pub(crate) fn property(width: usize, title: &str, value: impl std::fmt::Display) -> String {
    format!("{title:<width$} {value}\n")
}
