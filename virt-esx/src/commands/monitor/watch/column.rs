//! The columns of the table: what stands in them, how wide they are, and how they are sorted.

use std::cmp::Ordering;

use super::picture::Row;
use crate::commands::state;

/// A column of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Column {
    Name,
    State,
    Cpu,
    Memory,
    Read,
    Write,
    Receive,
    Send,
    Uptime,
    Host,
}

/// The columns that go together when the terminal is narrow; the first ones go first.
const DISPENSABLE: [&[Column]; 7] = [
    &[Column::Host],
    &[Column::Uptime],
    &[Column::Read, Column::Write],
    &[Column::Receive, Column::Send],
    &[Column::Memory],
    &[Column::Cpu],
    &[Column::State],
];

/// A name gets this much before columns go.
const NARROWEST_NAME: u16 = 12;

impl Column {
    /// All columns from left to right.
    pub(super) const ALL: [Self; 10] = [
        Self::Name,
        Self::State,
        Self::Cpu,
        Self::Memory,
        Self::Read,
        Self::Write,
        Self::Receive,
        Self::Send,
        Self::Uptime,
        Self::Host,
    ];

    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Name => "Name",
            Self::State => "State",
            Self::Cpu => "CPU%",
            Self::Memory => "Memory",
            Self::Read => "Rd/s",
            Self::Write => "Wr/s",
            Self::Receive => "Rx/s",
            Self::Send => "Tx/s",
            Self::Uptime => "Uptime",
            Self::Host => "Host",
        }
    }

    /// Whether numbers stand in it, the largest of which come first.
    pub(super) fn is_number(self) -> bool {
        !matches!(self, Self::Name | Self::State | Self::Host)
    }

    /// The width of all but the name.
    fn width(self) -> u16 {
        match self {
            // "shut off"; "in shutdown" and "pmsuspended" are cut off.
            Self::State => 9,
            // "100.0", and the mark of sorting behind the title
            Self::Cpu => 6,
            // "1023M/1024G"
            Self::Memory => 11,
            Self::Read | Self::Write | Self::Receive | Self::Send => 6,
            Self::Uptime => 7,
            Self::Host | Self::Name => 20,
        }
    }

    /// The text of a cell.
    pub(super) fn text(self, row: &Row) -> String {
        let rate = |rate: Option<f64>| rate.map_or_else(unknown, size);
        match self {
            Self::Name => row.name.clone(),
            Self::State => state::word(row.state).to_owned(),
            Self::Host => row.host.clone(),
            Self::Cpu => row
                .cpu
                .map_or_else(unknown, |ratio| format!("{:.1}", ratio * 100.0)),
            Self::Memory => {
                let used = row.memory.map_or_else(unknown, kib);
                format!("{used}/{}", kib(row.max_memory))
            }
            Self::Read => rate(row.read),
            Self::Write => rate(row.written),
            Self::Receive => rate(row.received),
            Self::Send => rate(row.sent),
            Self::Uptime => row.uptime.map_or_else(unknown, duration),
        }
    }

    /// The order of two rows by this column: texts from A to Z, large numbers before small ones, unknown numbers last.
    pub(super) fn order(self, one: &Row, other: &Row) -> Ordering {
        let numbers = |number: fn(&Row) -> Option<f64>| {
            let number = |row| number(row).unwrap_or(-1.0);
            number(other).total_cmp(&number(one))
        };
        match self {
            Self::Name => Ordering::Equal,
            Self::State => one.state.number().cmp(&other.state.number()),
            Self::Host => one.host.cmp(&other.host),
            Self::Cpu => numbers(|row| row.cpu),
            Self::Memory => numbers(|row| row.memory.map(|kib| kib as f64)),
            Self::Read => numbers(|row| row.read),
            Self::Write => numbers(|row| row.written),
            Self::Receive => numbers(|row| row.received),
            Self::Send => numbers(|row| row.sent),
            Self::Uptime => numbers(|row| row.uptime.map(|seconds| seconds as f64)),
        }
    }
}

/// The columns that fit in `width`, each with its width, between which there is a blank. `longest` is the widest name.
pub(super) fn layout(width: u16, longest: u16, has_hosts: bool) -> Vec<(Column, u16)> {
    let mut columns = Column::ALL.to_vec();
    if !has_hosts {
        columns.retain(|column| *column != Column::Host);
    }
    let name = longest.clamp(4, NARROWEST_NAME);
    let mut dispensable = DISPENSABLE.iter();
    let others = loop {
        let others = columns.iter().filter(|column| **column != Column::Name);
        let others: u16 = others.map(|column| column.width() + 1).sum();
        if name + others <= width {
            break others;
        }
        match dispensable.next() {
            Some(group) => columns.retain(|column| !group.contains(column)),
            None => break 0,
        }
    };
    let name = longest.clamp(4, width.saturating_sub(others).max(4));
    let widths = columns.into_iter().map(|column| match column {
        Column::Name => (column, name),
        column => (column, column.width()),
    });
    widths.collect()
}

/// A number of KiB in at most 5 characters.
fn kib(kib: u64) -> String {
    size(kib as f64 * 1024.0)
}

/// A number of bytes in at most 5 characters, with the prefixes of powers of 1024.
pub(super) fn size(bytes: f64) -> String {
    let mut number = bytes.max(0.0);
    let mut prefixes = "KMGTPE".chars();
    let mut prefix = None;
    while number >= 999.5
        && let Some(next) = prefixes.next()
    {
        number /= 1024.0;
        prefix = Some(next);
    }
    match prefix {
        Some(prefix) if number < 9.95 => format!("{number:.1}{prefix}"),
        Some(prefix) => format!("{number:.0}{prefix}"),
        None => format!("{number:.0}"),
    }
}

/// Seconds in at most 7 characters.
pub(super) fn duration(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match () {
        () if days > 99 => format!("{days}d"),
        () if days > 0 => format!("{days}d {}h", hours % 24),
        () if hours > 0 => format!("{hours}h {:02}m", minutes % 60),
        () if minutes > 0 => format!("{minutes}m {:02}s", seconds % 60),
        () => format!("{seconds}s"),
    }
}

fn unknown() -> String {
    "-".to_owned()
}

#[cfg(test)]
mod tests {
    use super::{Column, duration, layout, size};

    #[test]
    fn sizes_are_short() {
        for (bytes, text) in [
            (0.0, "0"),
            (0.4, "0"),
            (999.0, "999"),
            (1000.0, "1.0K"),
            (1536.0, "1.5K"),
            (10_240.0, "10K"),
            (1_023_000.0, "999K"),
            (1_048_576.0, "1.0M"),
            (4_294_967_296.0, "4.0G"),
            (-1.0, "0"),
        ] {
            assert_eq!(size(bytes), text, "{bytes}");
        }
    }

    #[test]
    fn durations_have_two_parts() {
        for (seconds, text) in [
            (0, "0s"),
            (61, "1m 01s"),
            (3_600, "1h 00m"),
            (86_399, "23h 59m"),
            (90_000, "1d 1h"),
            (8_640_000, "100d"),
        ] {
            assert_eq!(duration(seconds), text);
        }
    }

    #[test]
    fn columns_go_when_there_is_no_room() {
        use Column::{Cpu, Memory, Name, Read, Receive, Send, State, Uptime, Write};

        let columns = |width| {
            let layout = layout(width, 30, false).into_iter();
            layout.map(|(column, _)| column).collect::<Vec<_>>()
        };
        let all = vec![Name, State, Cpu, Memory, Read, Write, Receive, Send, Uptime];
        assert_eq!(columns(200), all);
        assert_eq!(columns(77), all);
        assert_eq!(columns(76), &all[..8]);
        assert_eq!(columns(60), [Name, State, Cpu, Memory, Receive, Send]);
        assert_eq!(columns(41), [Name, State, Cpu, Memory]);
        assert_eq!(columns(40), [Name, State, Cpu]);
        assert_eq!(columns(21), [Name]);
        assert_eq!(columns(3), [Name]);
        assert_eq!(layout(200, 30, true).last(), Some(&(Column::Host, 20)));
        assert_eq!(layout(20, 30, false), [(Name, 20)]);
        assert_eq!(layout(200, 6, false)[0], (Name, 6));
    }
}
