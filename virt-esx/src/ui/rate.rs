//! How fast a transfer is, and how long it will take.

use std::collections::VecDeque;
use std::time::Duration;

use crate::commands::size::pretty;

/// The rate is that of the last so many seconds.
const WINDOW: Duration = Duration::from_secs(10);

/// The bytes that were there at some points of time.
#[derive(Debug, Default)]
pub(super) struct Rate {
    samples: VecDeque<(Duration, u64)>,
}

impl Rate {
    /// Notes that `done` bytes are there at the time `at` since the beginning.
    pub(super) fn add(&mut self, at: Duration, done: u64) {
        self.samples.push_back((at, done));
        // The last sample at the window's beginning stays.
        while let Some((second, _)) = self.samples.get(1)
            && *second + WINDOW <= at
        {
            self.samples.pop_front();
        }
    }

    /// The rate of the last seconds; none before there are two different points of time.
    pub(super) fn bytes_per_second(&self) -> Option<u64> {
        let (begin, before) = self.samples.front()?;
        let (end, now) = self.samples.back()?;
        let nanoseconds = end.checked_sub(*begin)?.as_nanos();
        let bytes = u128::from(now.saturating_sub(*before));
        let rate = (bytes * 1_000_000_000).checked_div(nanoseconds)?;
        rate.try_into().ok()
    }

    /// How long the rest of `total` bytes takes at this rate; none while nothing comes.
    pub(super) fn seconds_left(&self, total: u64) -> Option<u64> {
        let (_, done) = self.samples.back()?;
        let rate = self.bytes_per_second().filter(|rate| *rate > 0)?;
        Some(total.saturating_sub(*done).div_ceil(rate))
    }
}

/// What stands behind the bar of a transfer.
pub(super) fn line(done: u64, total: u64, rate: Option<u64>) -> String {
    let sizes = format!("{} of {}", pretty(done, 2), pretty(total, 2));
    match rate {
        None => sizes,
        Some(0) => format!("{sizes}, stalled"),
        Some(rate) => {
            let left = clock(total.saturating_sub(done).div_ceil(rate));
            format!("{sizes}, {}/s, {left} left", pretty(rate, 2))
        }
    }
}

/// Seconds as minutes and seconds, and hours if there are any.
fn clock(seconds: u64) -> String {
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Rate, line};

    #[test]
    fn the_rate_is_that_of_the_last_seconds() {
        let mut rate = Rate::default();
        assert_eq!(rate.bytes_per_second(), None);
        assert_eq!(rate.seconds_left(100), None);
        let mut sample = |seconds, done| {
            rate.add(Duration::from_secs(seconds), done);
            (rate.bytes_per_second(), rate.seconds_left(10_000))
        };
        assert_eq!(sample(0, 500), (None, None));
        assert_eq!(sample(1, 1500), (Some(1000), Some(9)));
        assert_eq!(sample(5, 3000), (Some(500), Some(14)));
        // The first samples are too old.
        assert_eq!(sample(15, 5000), (Some(200), Some(25)));
        assert_eq!(sample(25, 5000), (Some(0), None));
        assert_eq!(sample(26, 10_000), (Some(454), Some(0)));
    }

    #[test]
    fn the_line_has_rate_and_rest() {
        for (done, total, rate, expected) in [
            (0, 0, None, "0.00 B of 0.00 B"),
            (1 << 20, 1 << 30, None, "1.00 MiB of 1.00 GiB"),
            (1 << 20, 1 << 30, Some(0), "1.00 MiB of 1.00 GiB, stalled"),
            (
                1 << 29,
                1 << 30,
                Some(100 << 20),
                "512.00 MiB of 1.00 GiB, 100.00 MiB/s, 0:06 left",
            ),
            (
                0,
                4 << 40,
                Some(100 << 20),
                "0.00 B of 4.00 TiB, 100.00 MiB/s, 11:39:04 left",
            ),
            (5, 5, Some(5), "5.00 B of 5.00 B, 5.00 B/s, 0:00 left"),
        ] {
            assert_eq!(line(done, total, rate), expected);
        }
    }
}
