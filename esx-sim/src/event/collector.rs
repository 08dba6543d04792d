//! A collector's view of the log.

use std::collections::VecDeque;

use vi_types::Poly;
use vi_types::objects::Event;

use super::{Entry, Filter};

/// The largest page of a collector, and the most events that it gives at once.
pub(crate) const LARGEST_PAGE: usize = 1_000;

/// The size of the latest page of a new collector.
const FIRST_PAGE: usize = 10;

/// What the server remembers of a collector.
pub(crate) struct Collector {
    pub(crate) filter: Filter,
    pub(crate) page_size: usize,
    /// The key of the oldest event that `ReadNextEvents` gives next; `ReadPreviousEvents` gives older ones.
    position: i32,
}

impl Collector {
    /// A new collector stands before its oldest event.
    pub(crate) fn new(filter: Filter) -> Self {
        Self {
            filter,
            page_size: FIRST_PAGE,
            position: i32::MIN,
        }
    }

    /// Goes before the oldest event.
    pub(crate) fn rewind(&mut self) {
        self.position = i32::MIN;
    }

    /// Goes before the latest page, so that `ReadPreviousEvents` gives what is older.
    pub(crate) fn reset(&mut self, entries: &VecDeque<Entry>) {
        let latest = self.fitting(entries).rev().take(self.page_size).last();
        self.position = latest.map_or(i32::MAX, |oldest| oldest.event.key);
    }

    /// The next newer events, oldest first.
    pub(crate) fn next(&mut self, entries: &VecDeque<Entry>, most: usize) -> Vec<Poly<Event>> {
        let newer = entries.range(self.index(entries)..);
        let page: Vec<_> = newer
            .filter(|entry| self.filter.fits(entry))
            .take(most)
            .map(|entry| self.filter.shown(entry))
            .collect();
        if let Some(last) = page.last() {
            self.position = last.key.saturating_add(1);
        }
        page
    }

    /// The next older events, newest first.
    pub(crate) fn previous(&mut self, entries: &VecDeque<Entry>, most: usize) -> Vec<Poly<Event>> {
        let older = entries.range(..self.index(entries)).rev();
        let page: Vec<_> = older
            .filter(|entry| self.filter.fits(entry))
            .take(most)
            .map(|entry| self.filter.shown(entry))
            .collect();
        if let Some(last) = page.last() {
            self.position = last.key;
        }
        page
    }

    /// The latest page, newest first.
    pub(crate) fn latest(&self, entries: &VecDeque<Entry>) -> Vec<Poly<Event>> {
        let latest = self.fitting(entries).rev().take(self.page_size);
        latest.map(|entry| self.filter.shown(entry)).collect()
    }

    /// Where the position is among the events, whose keys grow.
    fn index(&self, entries: &VecDeque<Entry>) -> usize {
        entries.partition_point(|entry| entry.event.key < self.position)
    }

    fn fitting<'a>(
        &'a self,
        entries: &'a VecDeque<Entry>,
    ) -> impl DoubleEndedIterator<Item = &'a Entry> {
        entries.iter().filter(|entry| self.filter.fits(entry))
    }
}
