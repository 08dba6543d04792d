//! `help`: virsh's list of commands by group, a group, or a command.

use std::fmt::Write as _;

use super::{GROUPS, Group, Row, SessionCommand, Work, unsupported};
use crate::cli;
use crate::failure::Failure;
use crate::session::Session;
use crate::ui::Ui;

/// print help
///
/// Prints the commands by group, the commands of a group, or a command's options.
#[derive(Debug, clap::Args)]
pub(crate) struct Help {
    /// a command, or the keyword of a group
    #[arg(value_name = "command", num_args = 0..)]
    command: Vec<String>,
}

impl SessionCommand for Help {
    async fn run(self, ui: &Ui, _: &mut Session) -> Result<(), Failure> {
        let text = text(&self.command.join(" "))?;
        Ok(ui.print(&text)?)
    }
}

/// The help of a command or group as if `help` had been given these words.
pub(crate) fn work(command: Vec<String>) -> Work {
    Work::Session {
        is_closed: Help::IS_CLOSED,
        run: Box::new(|ui, session| Box::pin(Help { command }.run(ui, session))),
    }
}

fn text(name: &str) -> Result<String, Failure> {
    if name.is_empty() {
        return Ok(format!("Grouped commands:\n\n{}", groups()));
    }
    if let Some(row) = super::find(name) {
        return Ok(cli::command_help(row));
    }
    if let Some(command) = unsupported::find(name) {
        return Ok(command.help());
    }
    let mut groups = GROUPS.iter();
    match groups.find(|group| group.keyword == name || group.title == name) {
        Some(group) => Ok(of_group(group)),
        None => Err(Failure::new(format!(
            "command or command group '{name}' doesn't exist"
        ))),
    }
}

/// All groups with their commands, in virsh's layout.
pub(crate) fn groups() -> String {
    let groups = GROUPS.iter().map(|group| of_group(group));
    groups.collect::<Vec<_>>().join("\n")
}

fn of_group(group: &Group) -> String {
    let mut text = format!(" {} (help keyword '{}'):\n", group.title, group.keyword);
    for row in group.rows {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "    {:<30} {}", row.name, about(row));
    }
    text
}

/// What a command does, in a line.
fn about(row: &Row) -> String {
    row.definition()
        .get_about()
        .map(ToString::to_string)
        .unwrap_or_default()
}
