use std::pin::pin;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use esx_driver::vi_types::DateTime;
use esx_driver::{HistoryEvent, HistoryFilter, HistoryValue};
use jiff::{Timestamp, civil, tz::TimeZone};
use serde::Serialize;

use crate::answer::{self, Format};
use crate::commands::domain_arg::{Any, Keys as _};
use crate::commands::event_loop::stamp;
use crate::commands::number::Number;
use crate::commands::options::{check_exclusive, check_text};
use crate::commands::{Command, domain_arg};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::{Ui, foreign};

/// The host's own event history
///
/// Print what the host has written about everything that happened: logins, tasks, power, configuration, questions, failures.
/// Oldest first, a line for each event. An ESX host keeps its last 1,000 events or fewer and forgets them when it restarts; a
/// vCenter keeps those of some weeks, and shows those of the connection's host and its domains here. A time is a date
/// (2024-03-02), a date and a time in UTC (2024-03-02T08:00:00), a time with an offset (2024-03-02T08:00:00+01:00), or how long
/// ago by the host's clock (90s, 10m, 2h, 1d).
#[derive(Debug, clap::Args)]
pub(crate) struct Events {
    /// only events about this domain (name, id or uuid)
    #[arg(long, value_name = "domain")]
    domain: Option<String>,

    /// only events at this time or later
    #[arg(long, value_name = "time")]
    since: Option<String>,

    /// only events at this time or earlier
    #[arg(long, value_name = "time")]
    until: Option<String>,

    /// only the newest so many events
    #[arg(long, value_name = "number", value_parser = Number::parser())]
    limit: Option<Number>,

    /// go on with what happens, until Ctrl-C; without --since and --limit only that
    #[arg(long)]
    follow: bool,

    /// only events of these types: classes of the VI API (VmPoweredOnEvent; VmEvent for all about domains) and ids of extended
    /// events (esx.problem.net.connectivity.lost)
    #[arg(value_name = "type", value_parser = TypeName, hide_possible_values = true)]
    r#type: Vec<String>,
}

/// A type of events. Any name is read, so that an unknown one is refused with advice; the known ones are for completion.
#[derive(Debug, Clone)]
struct TypeName;

impl TypedValueParser for TypeName {
    type Value = String;

    fn parse_ref(
        &self,
        command: &clap::Command,
        arg: Option<&clap::Arg>,
        value: &std::ffi::OsStr,
    ) -> Result<String, clap::Error> {
        StringValueParser::new().parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(
            HistoryFilter::type_names().map(PossibleValue::new),
        ))
    }
}

/// An event's JSON document.
#[derive(Debug, Serialize)]
struct Line<'a> {
    time: String,
    key: i32,
    chain: i32,
    event: &'a str,
    user: &'a str,
    domain: Option<&'a str>,
    host: Option<&'a str>,
    message: Option<&'a str>,
    properties: &'a HistoryValue,
}

impl Command for Events {
    fn check(&self) -> Result<(), Failure> {
        let follow = ("follow", self.follow);
        check_exclusive([("until", self.until.is_some()), follow])?;
        self.limit()?;
        self.filter()?;
        for (option, text) in [("since", &self.since), ("until", &self.until)] {
            check_text(option, text.as_deref())?;
            text.as_deref()
                .map(|text| When::read(option, text))
                .transpose()?;
        }
        Ok(())
    }

    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let mut filter = self.filter()?;
        if let Some(domain) = &self.domain {
            domain_arg::check(domain)?;
            filter = filter.domain(&domain_arg::find(connection, domain, Any::KEYS).await?);
        }
        if let Some(since) = &self.since {
            filter = filter.since(When::read("since", since)?.time(connection).await?);
        }
        if let Some(until) = &self.until {
            filter = filter.until(When::read("until", until)?.time(connection).await?);
        }
        let mut history = connection.history(filter).await?;
        match self.limit()? {
            Some(limit) => print(ui, &history.newest(limit).await?)?,
            None if self.follow && self.since.is_none() => {}
            None => loop {
                let page = history.next_page().await?;
                if page.is_empty() {
                    break;
                }
                print(ui, &page)?;
            },
        }
        if !self.follow {
            return Ok(history.close().await?);
        }
        let mut follow = history.follow();
        let interruption = ui.interruption();
        let mut interrupted = pin!(interruption.comes());
        loop {
            tokio::select! {
                event = follow.next() => match event {
                    Some(event) => print(ui, &[event?])?,
                    // It has ended with an error.
                    None => break,
                },
                () = &mut interrupted => {
                    ui.accept_interruption();
                    break;
                }
            }
        }
        follow.close().await;
        Ok(())
    }
}

impl Events {
    fn limit(&self) -> Result<Option<usize>, Failure> {
        let limit = self.limit.as_ref().map(|limit| limit.read("limit"));
        limit.transpose()
    }

    fn filter(&self) -> Result<HistoryFilter, Failure> {
        let mut filter = HistoryFilter::new();
        // Several may also be one word, separated by commas.
        for name in self.r#type.iter().flat_map(|names| names.split(',')) {
            check_text("type", Some(name))?;
            filter = filter.event_type(name)?;
        }
        Ok(filter)
    }
}

fn print(ui: &Ui, events: &[HistoryEvent]) -> Result<(), Failure> {
    let texts = events.iter().map(|event| text(event, ui.format()));
    Ok(ui.print(&texts.collect::<String>())?)
}

fn text(event: &HistoryEvent, format: Format) -> String {
    let time = timestamp(&event.time);
    if format == Format::Text {
        let user = match event.user.as_str() {
            "" => String::new(),
            user => format!(" ({})", foreign::line(user)),
        };
        // An event has one line.
        let message = event.message.as_deref().unwrap_or_default();
        let message = message.trim_end().replace(['\n', '\r', '\t'], " ");
        let (id, message) = (foreign::line(&event.id), foreign::line(&message));
        return format!("{}: {id}{user}: {message}\n", stamp(time));
    }
    let line = Line {
        time: time.to_string(),
        key: event.key,
        chain: event.chain,
        event: &event.id,
        user: &event.user,
        domain: event.domain.as_deref(),
        host: event.host.as_deref(),
        message: event.message.as_deref(),
        properties: &event.properties,
    };
    answer::json_line("virt-esx/host-event/1", &line)
}

fn timestamp(time: &DateTime) -> Timestamp {
    let nanoseconds = i32::try_from(time.subsecond_nanoseconds()).unwrap_or_default();
    let seconds = time.epoch_seconds().unwrap_or_default();
    Timestamp::new(seconds, nanoseconds).unwrap_or_default()
}

/// A point in time on the command line.
#[derive(Debug, Clone, Copy, PartialEq)]
enum When {
    /// Seconds since 1970.
    At(i64),
    /// Seconds before now.
    Ago(i64),
}

impl When {
    /// Reads the value of an option.
    fn read(option: &str, text: &str) -> Result<Self, Failure> {
        let at = |time: Timestamp| Self::At(time.as_second());
        let utc = |time: civil::DateTime| Some(at(time.to_zoned(TimeZone::UTC).ok()?.timestamp()));
        let absolute = || {
            let time = text.parse().ok().map(at);
            let without_zone = || utc(text.parse().ok()?);
            let date = || utc(text.parse::<civil::Date>().ok()?.at(0, 0, 0, 0));
            time.or_else(without_zone).or_else(date)
        };
        ago(text).map(Self::Ago).or_else(absolute).ok_or_else(|| {
            Failure::new(format!(
                "Invalid time '{text}' for --{option} (expected a date, a time such as 2024-03-02T08:00:00, or how long ago, \
                 such as 90s, 10m, 2h or 1d)"
            ))
        })
    }

    async fn time(self, connection: &Connection) -> Result<DateTime, Failure> {
        Ok(match self {
            Self::At(seconds) => DateTime::from_epoch_seconds(seconds),
            Self::Ago(seconds) => {
                let now = connection.server_time().await?.epoch_seconds();
                let now = now.map_err(|error| {
                    Failure::new(format!("The server's time cannot be read: {error}"))
                })?;
                DateTime::from_epoch_seconds(now.saturating_sub(seconds))
            }
        })
    }
}

/// The seconds of a text like `10m`.
fn ago(text: &str) -> Option<i64> {
    let unit = text.chars().last()?;
    let number: i64 = text.strip_suffix(unit)?.parse().ok()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 604_800,
        _ => return None,
    };
    number.checked_mul(seconds).filter(|seconds| *seconds >= 0)
}

#[cfg(test)]
mod tests {
    use super::When::{self, Ago, At};

    #[test]
    fn times_are_read() {
        let day = 1_709_337_600;
        for (text, expected) in [
            ("2024-03-02", Some(At(day))),
            ("2024-03-02T08:00:00", Some(At(day + 28_800))),
            ("2024-03-02 08:00", Some(At(day + 28_800))),
            ("2024-03-02T08:00:00Z", Some(At(day + 28_800))),
            ("2024-03-02T08:00:00.5+01:00", Some(At(day + 25_200))),
            ("90s", Some(Ago(90))),
            ("10m", Some(Ago(600))),
            ("2h", Some(Ago(7_200))),
            ("1d", Some(Ago(86_400))),
            ("2w", Some(Ago(1_209_600))),
            ("-1h", None),
            ("1y", None),
            ("h", None),
            ("yesterday", None),
            ("2024-13-01", None),
        ] {
            assert_eq!(When::read("since", text).ok(), expected, "{text}");
        }
    }
}
