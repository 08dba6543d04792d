//! When events happen.

use vi_types::DateTime;

use crate::world::inventory::parts;

/// The clock of the event log.
pub(crate) enum Clock {
    /// The server's, to the microsecond. No two events have the same time.
    Server {
        /// Microseconds since 1970 of the last event.
        last: i64,
    },
    /// The day after the server was made, a second for every event, so that every run is the same.
    Steady {
        /// Seconds since then.
        seconds: i64,
    },
}

impl Default for Clock {
    fn default() -> Self {
        Self::Server { last: 0 }
    }
}

impl Clock {
    /// The time of the next event, at a time of the server in microseconds since 1970.
    pub(super) fn now(&mut self, time: i64) -> DateTime {
        match self {
            Self::Server { last } => {
                *last = time.max(*last + 1);
                from_microseconds(*last)
            }
            Self::Steady { seconds } => {
                *seconds += 1;
                let day = parts::MADE + 86_400;
                DateTime::from_epoch_seconds(day + *seconds)
            }
        }
    }
}

fn from_microseconds(time: i64) -> DateTime {
    let whole = DateTime::from_epoch_seconds(time.div_euclid(1_000_000));
    let text = whole.to_string();
    let fraction = format!(".{:06}Z", time.rem_euclid(1_000_000));
    // A time in UTC ends with Z.
    text.replace('Z', &fraction).parse().unwrap_or(whole)
}
