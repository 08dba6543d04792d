//! What performance counters say of one object: newest values, rates and totals.

use vi_types::DateTime;

use super::snapshot::{CounterValue, MonitoredDomain};

/// The measurements of an object.
#[derive(Debug, Default)]
pub(super) struct Measures {
    /// The time of the newest sample, by the host's clock.
    pub(super) sampled: Option<DateTime>,
    /// The newest sample of the object as a whole.
    pub(super) counters: Vec<CounterValue>,
}

impl Measures {
    /// Forgets what is only true of an object that runs. Totals stay.
    pub(super) fn stop(&mut self) {
        self.sampled = None;
        self.counters.clear();
    }

    pub(super) fn show(&self, domain: &mut MonitoredDomain) {
        domain.sampled = self.sampled;
        domain.counters.clone_from(&self.counters);
    }
}
