//! The time of a simulated server.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use vi_types::DateTime;

use crate::session;

/// The system's time, until somebody stops or advances it.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    /// Where it stands, in seconds since 1970, if it does not run.
    stopped: Option<i64>,
    /// Seconds it is ahead of the system's time while it runs.
    ahead: i64,
    /// Whether measurements follow it.
    live: bool,
}

impl Clock {
    /// Seconds since 1970.
    pub(crate) fn seconds(&self) -> i64 {
        let running = || session::seconds().saturating_add(self.ahead);
        self.stopped.unwrap_or_else(running)
    }

    /// Microseconds since 1970. They pass even while it does not run, within its second.
    pub(crate) fn microseconds(&self) -> i64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.map_or(0, |now| i64::try_from(now.as_micros()).unwrap_or(i64::MAX));
        let seconds = |seconds: i64| seconds.saturating_mul(1_000_000);
        match self.stopped {
            Some(at) => seconds(at).saturating_add(now % 1_000_000),
            None => now.saturating_add(seconds(self.ahead)),
        }
    }

    pub(crate) fn now(&self) -> DateTime {
        DateTime::from_epoch_seconds(self.seconds())
    }

    /// From now on it is that time, until it is advanced.
    pub(crate) fn stop(&mut self, at: &DateTime) {
        self.stopped = at.epoch_seconds().ok();
    }

    pub(crate) fn advance(&mut self, by: Duration) {
        let by = i64::try_from(by.as_secs()).unwrap_or(i64::MAX);
        match &mut self.stopped {
            Some(at) => *at = at.saturating_add(by),
            None => self.ahead = self.ahead.saturating_add(by),
        }
    }

    pub(crate) fn set_live(&mut self, live: bool) {
        self.live = live;
    }

    pub(crate) fn is_live(&self) -> bool {
        self.live
    }
}
