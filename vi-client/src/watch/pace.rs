//! How fast the server is asked.

use std::time::Duration;

use tokio::time::Instant;

/// Limits calls to 50 a second, after a burst of 50.
///
/// A server with many changes answers at once. Waiting a little longer brings more changes in one answer, which costs both
/// sides less. Short tasks need a few calls in a row, which the burst allows.
#[derive(Debug)]
pub(super) struct Pace {
    /// When the calls so far would have been sent, if they had been sent evenly.
    even: Instant,
}

const INTERVAL: Duration = Duration::from_millis(20);
const BURST: u32 = 50;

impl Pace {
    pub(super) fn new() -> Self {
        Self {
            even: Instant::now(),
        }
    }

    /// When the next call may be sent; `None` for now.
    pub(super) fn next(&mut self, now: Instant) -> Option<Instant> {
        let even = self.even.max(now);
        self.even = even + INTERVAL;
        let earliest = even.checked_sub(INTERVAL * BURST)?;
        (earliest > now).then_some(earliest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_not_slowed_down_and_a_flood_is() {
        let mut pace = Pace::new();
        let start = pace.even;
        let mut now = start;
        let mut sent = Vec::new();
        while now < start + Duration::from_secs(10) {
            now = pace.next(now).unwrap_or(now);
            sent.push(now - start);
        }
        let within = |time| sent.iter().filter(|sent| **sent < time).count();
        assert_eq!(within(Duration::from_millis(1)), 51);
        let rest = within(Duration::from_secs(10)) - 51;
        assert!((450..=500).contains(&rest), "{rest}");
        // After a rest, a new burst.
        now += Duration::from_secs(10);
        assert_eq!(pace.next(now), None);
    }
}
