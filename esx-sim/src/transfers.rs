//! Transfers of files: how many there may be at the same time, and how fast they are.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};
use vi_types::ManagedObjectReference;

/// What limits the transfers of files.
#[derive(Debug, Default)]
pub(crate) struct Transfers {
    /// The most at the same time on each host, and through a vCenter.
    pub(crate) most: Option<usize>,
    /// Bytes a second of each.
    pub(crate) rate: Option<u64>,
    /// How many there are, by host; those through the server itself have none.
    now: HashMap<Option<ManagedObjectReference>, Arc<AtomicUsize>>,
}

impl Transfers {
    /// Begins one, unless there are too many.
    pub(crate) fn begin(&mut self, host: Option<&ManagedObjectReference>) -> Option<Transfer> {
        let now = self.now.entry(host.cloned()).or_default();
        let transfer = Transfer(Arc::clone(now));
        let others = now.fetch_add(1, Ordering::Relaxed);
        self.most
            .is_none_or(|most| others < most)
            .then_some(transfer)
    }

    /// How fast one that begins now is.
    pub(crate) fn pace(&self) -> Option<Pace> {
        self.rate.map(Pace::new)
    }
}

/// A transfer; it is counted until this is dropped.
#[derive(Debug)]
pub(crate) struct Transfer(Arc<AtomicUsize>);

impl Drop for Transfer {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Bytes a second.
#[derive(Debug)]
pub(crate) struct Pace {
    rate: u64,
    begun: Instant,
    /// Bytes so far.
    done: u64,
    waiting: Option<Pin<Box<Sleep>>>,
}

impl Pace {
    fn new(rate: u64) -> Self {
        Self {
            rate: rate.max(1),
            begun: Instant::now(),
            done: 0,
            waiting: None,
        }
    }

    /// How many of that many bytes go at once: those of a twentieth of a second.
    pub(crate) fn piece(&self, bytes: u64) -> u64 {
        bytes.min((self.rate / 20).max(1))
    }

    /// When so many more bytes are done.
    fn due(&self, bytes: u64) -> Instant {
        let micros = u128::from(self.done + bytes) * 1_000_000 / u128::from(self.rate);
        self.begun + Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
    }

    /// Waits until that many more bytes may be done.
    pub(crate) fn poll(&mut self, bytes: u64, context: &mut Context<'_>) -> Poll<()> {
        let due = self.due(bytes);
        let waiting = self
            .waiting
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(due)));
        let poll = waiting.as_mut().poll(context);
        if poll.is_ready() {
            self.waiting = None;
        }
        poll
    }

    /// Counts bytes that are done.
    pub(crate) fn count(&mut self, bytes: u64) {
        self.done += bytes;
    }

    /// Counts bytes that have arrived, and waits until they may.
    pub(crate) async fn take(&mut self, bytes: u64) {
        tokio::time::sleep_until(self.due(bytes)).await;
        self.count(bytes);
    }
}
