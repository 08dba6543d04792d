//! How the progress of tasks is shown while a command waits for them.

use std::io::{IsTerminal as _, Write as _};

use esx_driver::{Progress, ProgressState};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use serde::Serialize;

/// The options that say how.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// how progress is shown on the standard error
    #[arg(long, value_name = "FORM", value_enum, default_value_t)]
    progress: Form,
}

/// The form in which progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
enum Form {
    /// bars on a terminal, nothing elsewhere
    #[default]
    Auto,
    /// a JSON object on a line for each change
    Json,
    /// nothing
    None,
}

/// All that is in progress.
#[derive(Debug, Clone)]
pub(crate) struct Progresses {
    is_json: bool,
    is_drawn: bool,
    /// Draws nothing where nothing is to be drawn.
    bars: MultiProgress,
}

/// One domain's task.
pub(crate) struct Line {
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
    /// As the options say.
    pub(crate) fn new(options: &Options) -> Self {
        let is_drawn = options.progress == Form::Auto && std::io::stderr().is_terminal();
        let bars = MultiProgress::new();
        if !is_drawn {
            bars.set_draw_target(indicatif::ProgressDrawTarget::hidden());
        }
        Self {
            is_json: options.progress == Form::Json,
            is_drawn,
            bars,
        }
    }

    /// Shows nothing.
    pub(crate) fn hidden() -> Self {
        Self::new(&Options {
            progress: Form::None,
        })
    }

    /// Begins to show the task of the domain with this name, if anything is shown.
    pub(crate) fn begin(&self, domain: &str) -> Option<Line> {
        if !self.is_json && !self.is_drawn {
            return None;
        }
        let bar = self.bars.add(ProgressBar::new(100).with_style(style()));
        bar.set_prefix(domain.to_owned());
        Some(Line {
            domain: domain.to_owned(),
            is_json: self.is_json,
            bar,
        })
    }

    /// Does something on the terminal while nothing else is drawn there.
    pub(crate) fn suspend<T>(&self, work: impl FnOnce() -> T) -> T {
        self.bars.suspend(work)
    }
}

impl Line {
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
                // Who reads it may have gone away; the task goes on.
                let _ = writeln!(std::io::stderr().lock(), "{text}");
            }
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn style() -> ProgressStyle {
    let style = ProgressStyle::with_template("{prefix:20!} [{bar:30}] {percent:>3}% {msg}");
    style.unwrap_or_else(|_| ProgressStyle::default_bar())
}
