use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::FmtContext;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::registry::LookupSpan;

use crate::ui::{Stderr, foreign};

/// The name of a span in which warnings are shown with `--verbose` only, for what a command reads without showing it.
pub(crate) const INCIDENTAL: &str = "incidental";

/// How many warnings of one kind are shown without `--verbose`: a server with a problem has it with each of its machines.
const SHOWN: usize = 20;

/// Prints the libraries' messages on the standard error: warnings, with `verbose` times `--verbose`
/// more, with `quiet` only errors; in `file`, too, if there is one. With `sums`, many warnings of one kind are summed up when what is returned is dropped.
pub(crate) fn start(
    verbose: u8,
    quiet: bool,
    sums: bool,
    stderr: Stderr,
    file: Option<File>,
) -> Sums {
    let level = match verbose {
        0 if quiet => LevelFilter::ERROR,
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let counts = Arc::new(Counts::default());
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(Sinks {
            stderr: stderr.clone(),
            file: file.map(Arc::new),
        })
        .event_format(Lines {
            is_verbose: verbose > 0,
            counts: sums.then(|| Arc::clone(&counts)),
        })
        .init();
    Sums { counts, stderr }
}

/// Where messages go.
#[derive(Clone)]
struct Sinks {
    stderr: Stderr,
    file: Option<Arc<File>>,
}

impl Write for Sinks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(mut file) = self.file.as_deref() {
            // A message that cannot be kept is shown all the same.
            let _ = file.write_all(bytes);
        }
        self.stderr.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Sinks {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// A place of the program: its file and line.
type Place = (Option<&'static str>, Option<u32>);

/// The warnings of each place: their number, and what the first one said.
#[derive(Default)]
struct Counts(Mutex<BTreeMap<Place, (usize, String)>>);

impl Counts {
    /// Counts a warning, and says if it is to be shown.
    fn show(&self, event: &Event<'_>) -> bool {
        let place = (event.metadata().file(), event.metadata().line());
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (count, _) = counts.entry(place).or_insert_with(|| {
            let mut message = Message(String::new());
            event.record(&mut message);
            (0, message.0)
        });
        *count += 1;
        *count <= SHOWN
    }
}

/// What a message says, without its fields.
struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}

/// Tells how many warnings were not shown.
pub(crate) struct Sums {
    counts: Arc<Counts>,
    stderr: Stderr,
}

impl Drop for Sums {
    fn drop(&mut self) {
        let counts = self.counts.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (count, first) in counts.values() {
            if *count > SHOWN {
                let more = count - SHOWN;
                let text = format!("warning: and {more} more: {first}\n");
                self.stderr.0.tell(&text);
            }
        }
    }
}

/// `warning: MESSAGE`, one line an event, as the `error: ` lines of the command itself.
struct Lines {
    is_verbose: bool,
    counts: Option<Arc<Counts>>,
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
        if !self.is_verbose && level == "warning" {
            let mut spans = context.event_scope().into_iter().flatten();
            if spans.any(|span| span.name() == INCIDENTAL) {
                return Ok(());
            }
            if self
                .counts
                .as_ref()
                .is_some_and(|counts| !counts.show(event))
            {
                return Ok(());
            }
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
