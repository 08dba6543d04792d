//! How the progress of tasks is shown while a command waits for them.

use std::io::IsTerminal as _;

use esx_driver::{Progress, ProgressState};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use super::Terminal;

/// The option that chooses how progress is shown.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// how to show progress on the standard error
    #[arg(long, value_name = "FORM", value_enum, default_value_t)]
    progress: Form,
}

/// The form in which progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
enum Form {
    /// bars on a terminal, nothing elsewhere
    #[default]
    Auto,
    /// one JSON object a line for each change
    Json,
    /// nothing
    None,
}

/// The progress of all tasks of a command.
#[derive(Debug, Clone)]
pub(crate) struct Progresses {
    terminal: Terminal,
    is_json: bool,
    is_drawn: bool,
}

/// The progress of one domain's task. Dropping it removes its bar.
pub(crate) struct TaskProgress {
    terminal: Terminal,
    domain: String,
    is_json: bool,
    bar: ProgressBar,
}

/// A line of `--progress json`.
#[derive(Serialize)]
struct Document<'a> {
    domain: &'a str,
    state: &'a str,
    percent: Option<u8>,
}

impl Progresses {
    /// Shows progress as the options say.
    pub(super) fn new(terminal: Terminal, options: &Options) -> Self {
        let is_drawn = options.progress == Form::Auto && std::io::stderr().is_terminal();
        if is_drawn {
            terminal
                .bars()
                .set_draw_target(ProgressDrawTarget::stderr());
        }
        Self {
            terminal,
            is_json: options.progress == Form::Json,
            is_drawn,
        }
    }

    /// Begins to show the task of the domain with this name, if anything is shown.
    pub(crate) fn begin(&self, domain: &str) -> Option<TaskProgress> {
        if !self.is_json && !self.is_drawn {
            return None;
        }
        let bar = ProgressBar::new(100).with_style(style());
        let bar = self.terminal.bars().add(bar);
        bar.set_prefix(domain.to_owned());
        Some(TaskProgress {
            terminal: self.terminal.clone(),
            domain: domain.to_owned(),
            is_json: self.is_json,
            bar,
        })
    }
}

impl TaskProgress {
    /// Shows how far the task is.
    pub(crate) fn show(&self, progress: &Progress) {
        let state = match progress.state {
            ProgressState::Queued => "queued",
            ProgressState::Running => "running",
        };
        self.bar.set_message(state.to_owned());
        self.bar.set_position(progress.percent.unwrap_or(0).into());
        if self.is_json {
            let document = Document {
                domain: &self.domain,
                state,
                percent: progress.percent,
            };
            if let Ok(text) = serde_json::to_string(&document) {
                self.terminal.tell(&format!("{text}\n"));
            }
        }
    }
}

impl Drop for TaskProgress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn style() -> ProgressStyle {
    let style = ProgressStyle::with_template("{prefix:20!} [{bar:30}] {percent:>3}% {msg}");
    style.unwrap_or_else(|_| ProgressStyle::default_bar())
}
