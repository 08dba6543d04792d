//! How long a transfer waits before it asks again, and when it gives up.

use std::time::Duration;

use super::Failure;

/// Failures in a row, without a byte between them.
#[derive(Debug, Default)]
pub(super) struct Pauses {
    failures: u32,
}

impl Pauses {
    /// After this many broken connections in a row, without a byte between them, a transfer gives up.
    const MOST_BROKEN: usize = 5;
    /// The same for a server that has no room: about two minutes.
    const MOST_BUSY: usize = 10;

    /// Something has arrived.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }

    /// How long to wait before the next request; `None` if it is time to give up.
    pub(super) fn after(&mut self, failure: Failure) -> Option<Duration> {
        let failures = self.failures;
        let wait = self.after_or_longest(failure)?;
        (!Pauses::is_enough(failure, failures as usize + 1)).then_some(wait)
    }

    /// How long to wait before the next request, however often there was none; `None` if that would not help.
    pub(super) fn after_or_longest(&mut self, failure: Failure) -> Option<Duration> {
        let failures = self.failures;
        self.failures = failures.saturating_add(1);
        match failure {
            Failure::Final => None,
            // After a transfer that went well so far, the next connection most likely does too.
            Failure::Broken if failures == 0 => Some(Duration::ZERO),
            Failure::Broken => Some(Duration::from_millis(250 << failures.min(6))),
            Failure::Busy => Some(Self::busy(failures)),
        }
    }

    /// Whether to give up after so many failures without a byte between them.
    pub(super) fn is_enough(failure: Failure, failures: usize) -> bool {
        failures
            > match failure {
                Failure::Final => 0,
                Failure::Broken => Self::MOST_BROKEN,
                Failure::Busy => Self::MOST_BUSY,
            }
    }

    /// The pause after so many refusals in a row: 1, 2, 4, 8, and then 15 seconds.
    fn busy(failures: u32) -> Duration {
        Duration::from_secs((1 << failures.min(4)).min(15))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pauses(failure: Failure) -> Vec<u128> {
        let mut pauses = Pauses::default();
        let next = std::iter::from_fn(|| pauses.after(failure));
        next.map(|pause| pause.as_millis()).collect()
    }

    #[test]
    fn pauses_grow_and_end() {
        assert_eq!(pauses(Failure::Broken), [0, 500, 1000, 2000, 4000]);
        let busy = pauses(Failure::Busy);
        assert_eq!(busy[..5], [1000, 2000, 4000, 8000, 15000]);
        assert_eq!(busy.len(), 10);
        assert!(pauses(Failure::Final).is_empty());
        let mut pauses = Pauses::default();
        pauses.after(Failure::Broken);
        pauses.reset();
        assert_eq!(pauses.after(Failure::Broken), Some(Duration::ZERO));
    }
}
