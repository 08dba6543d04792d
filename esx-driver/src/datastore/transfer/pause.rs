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
    const MOST_BROKEN: u32 = 5;
    /// The same for a server that has no room: about two minutes.
    const MOST_BUSY: u32 = 10;

    /// Something has arrived.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }

    /// How long to wait before the next request; `None` if it is time to give up.
    pub(super) fn after(&mut self, failure: Failure) -> Option<Duration> {
        let failures = self.failures;
        self.failures += 1;
        match failure {
            Failure::Final => None,
            // After a transfer that went well so far, the next connection most likely does too.
            Failure::Broken if failures == 0 => Some(Duration::ZERO),
            Failure::Broken if failures < Self::MOST_BROKEN => {
                Some(Duration::from_millis(250 << failures))
            }
            Failure::Busy if failures < Self::MOST_BUSY => Some(Self::busy(failures)),
            Failure::Broken | Failure::Busy => None,
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
