//! The metrics: what is written of a server's snapshot.
//!
//! A metric is a [`Family`] in one of the tables below, with its text for people. `docs/metrics.md` lists the same tables; a
//! test keeps it up to date.

mod connection;
mod domain;
mod host;
mod storage;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::SystemTime;

use esx_driver::MonitorSnapshot;
use esx_driver::vi_types::DateTime;

use super::format::{Format, Head, Labels, Number, Writer};

/// Where a metric's name comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Name {
    /// Another exporter has the same.
    Same,
    /// Another exporter has it with another name or unit.
    Instead(&'static str),
    /// No other exporter has it.
    Ours,
}

/// A metric of each `T`.
#[cfg_attr(
    not(test),
    allow(
        dead_code,
        reason = "the page of metrics, which a test writes, has more of them"
    )
)]
pub(crate) struct Family<T: 'static> {
    pub(crate) head: Head,
    /// The labels that its samples have besides those of `T`.
    pub(crate) labels: &'static str,
    pub(crate) name: Name,
    /// Where the value comes from, in the API's words.
    pub(crate) source: &'static str,
    samples: fn(&T, &mut Samples<'_>),
}

/// Declares a table of metrics: kind, name and labels; help; where the name and the value come from; the samples of one `T`.
macro_rules! families {
    ($(#[$doc:meta])* $table:ident: $ty:ty = $(
        $kind:ident $name:literal $({$labels:literal})? $help:literal
            $(= $same:ident)? $(instead of $other:literal)?, from $source:literal: $samples:expr;
    )*) => {
        $(#[$doc])*
        pub(crate) static $table: &[$crate::exporter::metrics::Family<$ty>] = &[$(
            $crate::exporter::metrics::Family {
                head: $crate::exporter::format::Head {
                    name: $name,
                    kind: $crate::exporter::format::Kind::$kind,
                    help: $help,
                },
                labels: concat!($($labels)?),
                name: $crate::exporter::metrics::families!(@name $($same)? $($other)?),
                source: $source,
                samples: $samples,
            },
        )*];
    };
    (@name same) => { $crate::exporter::metrics::Name::Same };
    (@name $other:literal) => { $crate::exporter::metrics::Name::Instead($other) };
    (@name) => { $crate::exporter::metrics::Name::Ours };
}
use families;

/// Takes the samples of one object.
pub(crate) struct Samples<'a> {
    writer: &'a mut Writer,
    head: &'a Head,
    is_begun: &'a mut bool,
    labels: &'a str,
    /// The further labels that this object's samples of this metric had.
    seen: Vec<Labels>,
}

impl Samples<'_> {
    /// The only sample; none if the value is not known.
    pub(crate) fn put(&mut self, value: Option<impl Into<Number>>) {
        if let Some(value) = value {
            self.write("", value.into());
        }
    }

    /// A sample with further labels; none if the value is not known. A second one with the same labels is left out, as it
    /// would make the whole document invalid.
    pub(crate) fn with(&mut self, labels: &[(&str, &str)], value: Option<impl Into<Number>>) {
        let Some(value) = value else { return };
        let labels = Labels::new(labels);
        if !self.seen.contains(&labels) {
            self.write(labels.as_str(), value.into());
            self.seen.push(labels);
        }
    }

    fn write(&mut self, more: &str, value: Number) {
        if !std::mem::replace(self.is_begun, true) {
            self.writer.head(self.head);
        }
        self.writer.sample(self.head.name, self.labels, more, value);
    }
}

/// A server to write about.
pub(crate) struct Target {
    /// Tells it from the others.
    pub(crate) name: String,
    /// Whether it answers.
    pub(crate) is_up: bool,
    /// How often it could not be reached or did not answer.
    pub(crate) errors: u64,
    /// What is known; `None` before it answered for the first time.
    pub(crate) snapshot: Option<Arc<MonitorSnapshot>>,
    /// How old the polled numbers are, in seconds.
    pub(crate) age: Option<f64>,
    /// Whether what is known is too old to be told.
    pub(crate) is_stale: bool,
}

/// What a scrape is answered with.
pub(crate) struct Scrape {
    /// When the process began, and its counters with it.
    pub(crate) started: SystemTime,
    /// Processor time of the process.
    pub(crate) cpu_seconds: Option<f64>,
    /// Memory of the process.
    pub(crate) resident_bytes: Option<u64>,
    pub(crate) targets: Vec<Target>,
}

/// Writes all metrics. The length of the last document is a guess for this one's.
pub(crate) fn render(scrape: &Scrape, format: Format, length: usize) -> String {
    let mut writer = Writer::new(format, length + length / 16 + 1024);
    table(&mut writer, connection::PROCESS, [("", scrape)].into_iter());
    let targets: Vec<_> = scrape
        .targets
        .iter()
        .map(|target| (Labels::new(&[("connection", &target.name)]), target))
        .collect();
    table(&mut writer, connection::CONNECTION, labelled(&targets));
    let known: Vec<_> = scrape
        .targets
        .iter()
        .filter(|target| !target.is_stale)
        .filter_map(|target| Some((target.name.as_str(), target.snapshot.as_deref()?)))
        .collect();
    domain::write(&mut writer, &known);
    host::write(&mut writer, &known);
    storage::write(&mut writer, &known);
    writer.finish()
}

/// Writes a table of metrics, each of all objects with their labels.
fn table<'a, T: 'static>(
    writer: &mut Writer,
    families: &[Family<T>],
    objects: impl Iterator<Item = (&'a str, &'a T)> + Clone,
) {
    for family in families {
        let mut is_begun = false;
        for (labels, object) in objects.clone() {
            let mut samples = Samples {
                writer,
                head: &family.head,
                is_begun: &mut is_begun,
                labels,
                seen: Vec::new(),
            };
            (family.samples)(object, &mut samples);
        }
    }
}

/// Objects with their labels, as [`table`] takes them.
fn labelled<'a, T>(
    objects: &'a [(Labels, &'a T)],
) -> impl Iterator<Item = (&'a str, &'a T)> + Clone {
    objects
        .iter()
        .map(|(labels, object)| (labels.as_str(), *object))
}

/// Labels that no other object has.
#[derive(Default)]
struct Unique(HashSet<Labels>);

impl Unique {
    /// The labels that `labels` makes of a name: of `name`, or if others have the same, of one with the server's reference
    /// behind it.
    fn labels(&mut self, name: &str, reference: &str, labels: impl Fn(&str) -> Labels) -> Labels {
        let plain = labels(name);
        if self.0.insert(plain.clone()) {
            return plain;
        }
        let longer = labels(&format!("{name} ({reference})"));
        self.0.insert(longer.clone());
        longer
    }
}

/// A total of nanoseconds in seconds.
fn seconds(nanoseconds: Option<u64>) -> Option<f64> {
    nanoseconds.map(|nanoseconds| nanoseconds as f64 / 1e9)
}

/// Seconds since 1970 of a server's clock; nothing if its text is no date.
fn moment(time: &DateTime) -> Option<i64> {
    time.epoch_seconds().ok()
}

/// Seconds since 1970 of this machine's clock.
fn epoch(time: Option<SystemTime>) -> Option<f64> {
    let since = time?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some(since.as_millis() as f64 / 1000.0)
}

/// KiB in bytes.
fn bytes(kib: Option<u64>) -> Option<u64> {
    kib.map(|kib| kib.saturating_mul(1024))
}

/// MHz in hertz.
fn hertz(mhz: Option<u64>) -> Option<u64> {
    mhz.map(|mhz| mhz.saturating_mul(1_000_000))
}

/// A counter in kilobytes, in bytes.
fn kilobytes(value: Option<i64>) -> Option<i64> {
    value.map(|value| value.saturating_mul(1024))
}

/// A counter in hundredths of a percent, from 0 to 1.
fn hundredths(value: Option<i64>) -> Option<f64> {
    value.map(|value| value as f64 / 10_000.0)
}

/// A counter in milliseconds, in seconds.
fn milliseconds(value: Option<i64>) -> Option<f64> {
    value.map(|value| value as f64 / 1000.0)
}

/// How many alarms of a colour there are.
fn alarms(
    alarms: &[esx_driver::MonitoredAlarm],
    status: &esx_driver::vi_types::enums::ManagedEntityStatus,
) -> Option<u64> {
    let alarms = alarms.iter().filter(|alarm| alarm.status == *status);
    u64::try_from(alarms.count()).ok()
}

#[cfg(test)]
mod tests;
