//! A bounded queue that drops the oldest.

use std::collections::VecDeque;

/// How many events wait for a callback or a stream, unless it says otherwise.
///
/// Enough for every domain of a large vCenter to stop and vanish at once. A queued event is shared by all registrations
/// that want it.
pub(crate) const QUEUE: usize = 32_768;

/// At most `limit` items. A full queue drops its oldest item, since the newest says how things are now.
#[derive(Debug)]
pub(super) struct Queue<T> {
    items: VecDeque<T>,
    limit: usize,
    dropped: u64,
    /// Those dropped since the last item was taken.
    missed: u64,
}

impl<T> Queue<T> {
    /// A queue of `limit` items, at least one.
    pub(super) fn new(limit: usize) -> Self {
        Queue {
            items: VecDeque::new(),
            limit: limit.max(1),
            dropped: 0,
            missed: 0,
        }
    }

    /// Whether an item was dropped for this one, and none before since the last one was taken.
    pub(super) fn push(&mut self, item: T) -> bool {
        let is_full = self.items.len() >= self.limit;
        if is_full {
            self.items.pop_front();
            self.dropped += 1;
            self.missed += 1;
        }
        self.items.push_back(item);
        is_full && self.missed == 1
    }

    /// The next item, and how many were dropped between the one before and this one.
    pub(super) fn pop(&mut self) -> Option<(T, u64)> {
        let item = self.items.pop_front()?;
        Some((item, std::mem::take(&mut self.missed)))
    }

    /// How many items were dropped so far.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Empties the queue; its items are not counted as dropped.
    pub(super) fn clear(&mut self) -> VecDeque<T> {
        std::mem::take(&mut self.items)
    }
}

#[cfg(test)]
mod tests {
    use super::Queue;

    #[test]
    fn the_oldest_are_dropped_and_counted() {
        let mut queue = Queue::new(2);
        let pushed: Vec<_> = (1..=5).map(|item| queue.push(item)).collect();
        assert_eq!(pushed, [false, false, true, false, false]);
        assert_eq!(queue.dropped(), 3);
        assert_eq!(queue.pop(), Some((4, 3)));
        assert!(!queue.push(6));
        assert!(queue.push(7), "a new gap");
        assert_eq!(queue.pop(), Some((6, 1)));
        assert_eq!(queue.pop(), Some((7, 0)));
        assert_eq!(queue.pop(), None);
        assert_eq!(queue.dropped(), 4);
    }

    #[test]
    fn a_queue_holds_at_least_one() {
        let mut queue = Queue::new(0);
        assert!(!queue.push(1));
        assert_eq!(queue.pop(), Some((1, 0)));
    }
}
