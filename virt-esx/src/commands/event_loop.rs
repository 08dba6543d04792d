//! What the commands that wait for events share: their options, virsh's checks, and the wait.

use std::pin::pin;
use std::time::Duration;

use futures_util::{Stream, StreamExt as _};
use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;

use super::number::Number;
use super::options;
use crate::answer::{self, Answer, Format};
use crate::failure::Failure;
use crate::ui::Ui;

/// The options behind `--event`: `#[command(flatten)] waiting: Waiting`.
#[derive(Debug, clap::Args)]
pub(crate) struct Waiting {
    /// loop until timeout or interrupt, rather than one-shot
    #[arg(long = "loop")]
    is_loop: bool,

    /// timeout seconds
    #[arg(value_name = "timeout", value_parser = Number::parser())]
    timeout: Option<Number>,

    /// list valid event types
    #[arg(long)]
    pub(crate) list: bool,

    /// show timestamp for each printed event
    #[arg(long)]
    timestamp: bool,
}

/// A kind of events.
pub(crate) trait Kind: Copy {
    /// The kinds that virsh's `--list` lists, and behind them our own, in that order.
    fn listed() -> Vec<Self>;

    /// virsh's name.
    fn name(self) -> &'static str;
}

/// What a command waits for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Wanted<K> {
    /// Nothing: it prints the kinds.
    List,
    /// Events of this kind.
    One(K),
}

impl Waiting {
    /// What `--list` or `--event` want, for the commands in which `--list` simply wins over `--event`.
    ///
    /// # Errors
    /// virsh's texts, in the order of its checks.
    pub(crate) fn wanted<K: Kind>(&self, event: Option<&str>) -> Result<Wanted<K>, Failure> {
        if self.list {
            return Ok(Wanted::List);
        }
        let event =
            event.ok_or_else(|| Failure::new("either --list or --event <type> is required"))?;
        let kind = kind(event)?;
        self.check_timeout()?;
        Ok(Wanted::One(kind))
    }

    /// Refuses a time-out that virsh does not take.
    pub(crate) fn check_timeout(&self) -> Result<(), Failure> {
        self.timeout().map(drop)
    }

    fn timeout(&self) -> Result<Option<Duration>, Failure> {
        let seconds = self.timeout.as_ref().map(|text| text.seconds("timeout"));
        Ok(seconds.transpose()?.map(Duration::from_secs))
    }

    /// How events are printed.
    pub(crate) fn printer(&self, ui: &Ui) -> Printer {
        Printer {
            format: ui.format(),
            timestamp: self.timestamp,
        }
    }

    /// Prints the texts of `events` until the first one, the time-out or Ctrl-C, and then virsh's lines about the end.
    ///
    /// # Errors
    /// When the events end with an error, or the output cannot be written.
    pub(crate) async fn follow(
        &self,
        ui: &Ui,
        events: impl Stream<Item = Result<String, Failure>>,
    ) -> Result<(), Failure> {
        let timeout = self.timeout()?;
        let timeout = async move {
            match timeout {
                Some(timeout) => tokio::time::sleep(timeout).await,
                None => std::future::pending().await,
            }
        };
        let interruption = ui.interruption();
        let (mut events, mut timeout) = (pin!(events), pin!(timeout));
        let mut interrupted = pin!(interruption.comes());
        let mut count: u64 = 0;
        let end = loop {
            tokio::select! {
                event = events.next() => {
                    let Some(event) = event else {
                        // Streams of events end with an error.
                        break None;
                    };
                    ui.print(&event?)?;
                    count += 1;
                    if !self.is_loop {
                        break None;
                    }
                },
                () = &mut timeout => break Some("event loop timed out"),
                () = &mut interrupted => {
                    ui.accept_interruption();
                    break Some("event loop interrupted");
                }
            }
        };
        if let Some(end) = end {
            ui.line(end)?;
        }
        ui.line(format!("events received: {count}"))?;
        if count == 0 {
            // virsh says no more than that.
            ui.fail("");
        }
        Ok(())
    }
}

/// Warns about events that were not printed, because more came than could be written.
pub(crate) fn tell_dropped(ui: &Ui, dropped: u64) {
    if dropped > 0 {
        ui.warn(format!("{dropped} events were dropped"));
    }
}

/// The kind that virsh calls so.
///
/// # Errors
/// virsh's texts if there is none.
pub(crate) fn kind<K: Kind>(name: &str) -> Result<K, Failure> {
    options::check_text("event", Some(name))?;
    let mut kinds = K::listed().into_iter();
    kinds
        .find(|kind| kind.name() == name)
        .ok_or_else(|| Failure::new(format!("unknown event type {name}")))
}

/// Prints the kinds.
pub(crate) fn print_kinds<K: Kind>(ui: &Ui) -> Result<(), Failure> {
    let types = K::listed().into_iter().map(K::name).collect();
    Ok(ui.answer(&Types { types })?)
}

/// Makes texts of events.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Printer {
    format: Format,
    timestamp: bool,
}

/// An event as a JSON document.
#[derive(Debug, Serialize)]
pub(crate) struct Line<T> {
    /// When it was told, in UTC.
    time: String,
    event: &'static str,
    #[serde(flatten)]
    rest: T,
}

impl Printer {
    /// The text of an event that was told at `now`: virsh's `text` without a time, or a line of JSON that is made of
    /// `rest`.
    pub(crate) fn print<K: Kind, T: Serialize>(
        self,
        now: Timestamp,
        schema: &'static str,
        kind: K,
        rest: T,
        text: &str,
    ) -> String {
        match (self.format, self.timestamp) {
            (Format::Text, false) => text.to_owned(),
            (Format::Text, true) => format!("{}: {text}", stamp(now)),
            (Format::Json | Format::Jsonl, _) => {
                let (time, event) = (format!("{now:.3}"), kind.name());
                answer::json_line(schema, &Line { time, event, rest })
            }
        }
    }
}

/// The time as libvirt writes it: in UTC, with milliseconds (`virTimeStringNow`).
pub(crate) fn stamp(time: Timestamp) -> String {
    let time = time.to_zoned(TimeZone::UTC);
    time.strftime("%Y-%m-%d %H:%M:%S%.3f+0000").to_string()
}

/// The kinds of events.
#[derive(Debug, Serialize)]
struct Types {
    types: Vec<&'static str>,
}

impl Answer for Types {
    const SCHEMA: &'static str = "virt-esx/event-types/1";

    fn text(&self, _quiet: bool) -> String {
        self.types.iter().map(|name| format!("{name}\n")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::stamp;

    #[test]
    fn a_time_has_milliseconds() {
        let time = "2024-03-02T08:00:00.0501Z".parse().unwrap();
        assert_eq!(stamp(time), "2024-03-02 08:00:00.050+0000");
    }
}
