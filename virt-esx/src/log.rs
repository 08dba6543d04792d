use std::fmt;

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::FmtContext;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::registry::LookupSpan;

use crate::ui::{Stderr, foreign};

/// The name of a span in which warnings are shown with `--verbose` only, for what a command reads without showing it.
pub(crate) const INCIDENTAL: &str = "incidental";

/// Prints the libraries' messages on the standard error: warnings, with `verbose` times `--verbose`
/// more, with `quiet` only errors.
pub(crate) fn start(verbose: u8, quiet: bool, stderr: Stderr) {
    let level = match verbose {
        0 if quiet => LevelFilter::ERROR,
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(stderr)
        .event_format(Lines {
            is_verbose: verbose > 0,
        })
        .init();
}

/// `warning: MESSAGE`, one line an event, as the `error: ` lines of the command itself.
struct Lines {
    is_verbose: bool,
}

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let level = match *event.metadata().level() {
            Level::ERROR => "error",
            Level::WARN => "warning",
            Level::INFO => "info",
            Level::DEBUG => "debug",
            Level::TRACE => "trace",
        };
        let mut spans = context.event_scope().into_iter().flatten();
        if !self.is_verbose && level == "warning" && spans.any(|span| span.name() == INCIDENTAL) {
            return Ok(());
        }
        let mut text = String::new();
        context.format_fields(Writer::new(&mut text), event)?;
        // What is logged for people who look for a mistake is not cut.
        let is_whole = matches!(level, "info" | "debug" | "trace");
        let text = match is_whole {
            true => foreign::whole_lines(&text),
            false => foreign::lines(&text),
        };
        writeln!(writer, "{level}: {text}")
    }
}
