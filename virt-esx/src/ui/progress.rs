//! How the progress of tasks is shown while a command waits for them.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use esx_driver::{Progress, ProgressState};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::rate::{Rate, line};
use super::{Terminal, foreign};

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

/// How many tasks are done. Dropping it removes its line.
pub(crate) struct Total(ProgressBar);

impl Total {
    /// One more is done.
    pub(crate) fn advance(&self) {
        self.0.inc(1);
    }
}

impl Drop for Total {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// The progress of a task on one domain or volume, or on the host. Dropping it removes its bar.
pub(crate) struct TaskProgress {
    terminal: Terminal,
    subject: Subject,
    is_json: bool,
    bar: ProgressBar,
}

/// The progress of the transfer of a volume's content. Dropping it removes its bar.
pub(crate) struct TransferProgress {
    task: TaskProgress,
    total: u64,
    begun: Instant,
    rate: Rate,
    /// When it was last shown.
    shown: Option<Duration>,
}

/// What a task works on.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
enum Subject {
    Domain(String),
    Volume(String),
    /// The host of the connection: always true.
    Host(bool),
}

/// A line of `--progress json`.
#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    subject: &'a Subject,
    state: &'a str,
    percent: Option<u8>,
    #[serde(flatten)]
    transfer: Option<Transfer>,
}

/// What such a line has for a transfer besides.
#[derive(Serialize)]
struct Transfer {
    bytes: u64,
    total_bytes: u64,
    bytes_per_second: Option<u64>,
    seconds_left: Option<u64>,
}

impl Progresses {
    /// Shows progress as the options say.
    pub(super) fn new(terminal: Terminal, options: &Options) -> Self {
        let is_drawn =
            options.progress == Form::Auto && std::io::stderr().is_terminal() && !super::is_dumb();
        if is_drawn {
            terminal.bars().set_draw_target(super::bars::target());
        }
        Self {
            terminal,
            is_json: options.progress == Form::Json,
            is_drawn,
        }
    }

    /// Begins to show how many of so many tasks are done, if bars are drawn. Their bars stand below, as many as the terminal has
    /// lines for.
    pub(crate) fn begin_all(&self, tasks: usize) -> Option<Total> {
        if !self.is_drawn || tasks < 2 {
            return None;
        }
        let style = ProgressStyle::with_template("{pos} of {len}");
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::new(tasks as u64).with_style(style);
        let bar = self.terminal.bars().insert(0, bar);
        bar.tick();
        Some(Total(bar))
    }

    /// Begins to show the task of the domain with this name, if anything is shown.
    pub(crate) fn begin(&self, domain: &str) -> Option<TaskProgress> {
        self.begin_task(Subject::Domain(domain.to_owned()))
    }

    /// Begins to show the task on the volume with this name, if anything is shown.
    pub(crate) fn begin_volume(&self, volume: &str) -> Option<TaskProgress> {
        self.begin_task(Subject::Volume(volume.to_owned()))
    }

    /// Begins to show a task of the host, if anything is shown.
    pub(crate) fn begin_host(&self) -> Option<TaskProgress> {
        self.begin_task(Subject::Host(true))
    }

    /// Begins to show the transfer of `total` bytes of the volume with this name, if anything is shown.
    pub(crate) fn begin_transfer(&self, volume: &str, total: u64) -> Option<TransferProgress> {
        let task = self.begin_volume(volume)?;
        task.bar.set_length(total);
        Some(TransferProgress {
            task,
            total,
            begun: Instant::now(),
            rate: Rate::default(),
            shown: None,
        })
    }

    fn begin_task(&self, subject: Subject) -> Option<TaskProgress> {
        if !self.is_json && !self.is_drawn {
            return None;
        }
        let bar = ProgressBar::new(100).with_style(style());
        let bar = self.terminal.bars().add(bar);
        bar.set_prefix(foreign::line(subject.name()).into_owned());
        Some(TaskProgress {
            terminal: self.terminal.clone(),
            subject,
            is_json: self.is_json,
            bar,
        })
    }
}

impl Subject {
    fn name(&self) -> &str {
        match self {
            Self::Domain(name) | Self::Volume(name) => name,
            Self::Host(_) => "host",
        }
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
        self.print(state, progress.percent, None);
    }

    /// Prints a line of `--progress json`, if that was given.
    fn print(&self, state: &str, percent: Option<u8>, transfer: Option<Transfer>) {
        if !self.is_json {
            return;
        }
        let document = Document {
            subject: &self.subject,
            state,
            percent,
            transfer,
        };
        if let Ok(text) = serde_json::to_string(&document) {
            self.terminal.tell(&foreign::json(text + "\n"));
        }
    }
}

impl TransferProgress {
    /// Shows that `done` bytes are there, if enough time has passed since it was last shown.
    pub(crate) fn show(&mut self, done: u64) {
        let now = self.begun.elapsed();
        let pause = match self.task.is_json {
            true => Duration::from_secs(1),
            false => Duration::from_millis(100),
        };
        let is_soon = self.shown.is_some_and(|shown| now < shown + pause);
        if is_soon && done < self.total {
            return;
        }
        self.shown = Some(now);
        self.rate.add(now, done);
        let rate = self.rate.bytes_per_second();
        self.task.bar.set_position(done);
        self.task.bar.set_message(line(done, self.total, rate));
        let percent = (u128::from(done) * 100).checked_div(self.total.into());
        let transfer = Transfer {
            bytes: done,
            total_bytes: self.total,
            bytes_per_second: rate,
            seconds_left: self.rate.seconds_left(self.total),
        };
        let percent = percent.and_then(|percent| percent.try_into().ok());
        self.task.print("running", percent, Some(transfer));
    }
}

impl Drop for TaskProgress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// A line that fits the terminal: a narrow one has no room for a bar.
fn style() -> ProgressStyle {
    let terminal = terminal_size::terminal_size_of(std::io::stderr());
    let width = terminal.map_or(80, |(width, _)| width.0);
    let style = ProgressStyle::with_template(match width {
        ..64 => "{prefix:12!} {percent:>3}% {wide_msg}",
        _ => "{prefix:20!} [{bar:30}] {percent:>3}% {wide_msg}",
    });
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    match super::is_unicode() {
        true => style,
        false => style.progress_chars("#>-"),
    }
}
