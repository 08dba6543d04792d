//! The calls whose answers are waited for.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The methods of the calls that are under way, in the order in which they were sent.
#[derive(Debug, Default)]
pub(super) struct Pending(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    last: u64,
    methods: BTreeMap<u64, &'static str>,
}

/// A call that is under way until this is dropped.
pub(super) struct UnderWay<'a> {
    pending: &'a Pending,
    id: u64,
}

impl Pending {
    /// A call begins.
    pub(super) fn begin(&self, method: &'static str) -> UnderWay<'_> {
        let mut state = self.lock();
        state.last += 1;
        let id = state.last;
        state.methods.insert(id, method);
        UnderWay { pending: self, id }
    }

    /// The methods, the oldest call first.
    pub(super) fn methods(&self) -> Vec<&'static str> {
        self.lock().methods.values().copied().collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.pending.lock().methods.remove(&self.id);
    }
}
