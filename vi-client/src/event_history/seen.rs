//! Which events a reader has seen.

use std::collections::{HashMap, VecDeque};

use vi_types::Poly;
use vi_types::objects::Event;

use super::event_type;

/// How many of the newest events are remembered one by one: more than happen until an answer arrives.
const REMEMBERED: usize = 5_000;

/// What a reader has seen: everything up to the newest event.
///
/// Keys grow, but an ESX host begins again at 0 when it restarts. So an event with an older key is new if another event had
/// its key, or if it happened after everything that was seen.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// The newest events by their keys.
    events: HashMap<i32, Fingerprint>,
    /// Their keys, in the order in which they were seen.
    order: VecDeque<i32>,
    last: Option<i32>,
    /// The time of the newest event.
    time: Time,
}

/// Seconds and nanoseconds.
type Time = (i64, u32);

/// What tells events with the same key apart.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Fingerprint {
    time: Time,
    ty: String,
}

impl Seen {
    /// Whether the server's history is another one than before, as after a restart, judged by its newest events.
    ///
    /// An older event that was seen is no sign of that: while the latest page was on its way, later events were read.
    pub(super) fn is_other_history(&self, newest: &[Poly<Event>]) -> bool {
        let differs = |event: &Poly<Event>| {
            let known = self.events.get(&event.key);
            known.is_some_and(|known| *known != fingerprint(event))
        };
        let ends_earlier =
            |key: &i32| self.last.is_some_and(|last| *key < last) && !self.events.contains_key(key);
        let newest_key = newest.iter().map(|event| event.key).max();
        newest_key.as_ref().is_some_and(ends_earlier) || newest.iter().any(differs)
    }

    pub(super) fn is_new(&self, event: &Poly<Event>) -> bool {
        let Some(last) = self.last else { return true };
        match self.events.get(&event.key) {
            Some(known) => *known != fingerprint(event),
            None => event.key > last || time(event) > self.time,
        }
    }

    /// Forgets everything, for another history.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn add_all(&mut self, events: &[Poly<Event>]) {
        for event in events {
            self.add(event);
        }
    }

    pub(super) fn add(&mut self, event: &Poly<Event>) {
        if self.events.insert(event.key, fingerprint(event)).is_none() {
            self.order.push_back(event.key);
        }
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.events.remove(&oldest);
        }
        self.last = self.last.max(Some(event.key));
        self.time = self.time.max(time(event));
    }

    /// The event that happened last.
    pub(super) fn newest_time(&self) -> Option<Time> {
        self.last.map(|_| self.time)
    }
}

fn time(event: &Poly<Event>) -> Time {
    let time = &event.created_time;
    // One whose time cannot be read is older than all others.
    let seconds = time.epoch_seconds().unwrap_or(i64::MIN);
    (seconds, time.subsecond_nanoseconds())
}

fn fingerprint(event: &Poly<Event>) -> Fingerprint {
    Fingerprint {
        time: time(event),
        ty: event_type(event).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use vi_types::DateTime;
    use vi_types::objects::{VmPoweredOffEvent, VmPoweredOnEvent};

    use super::*;

    fn event(key: i32, seconds: i64) -> Poly<Event> {
        let mut event = Poly::<Event>::from(VmPoweredOnEvent::default());
        event.key = key;
        event.created_time = DateTime::from_epoch_seconds(seconds);
        event
    }

    fn seen(events: &[Poly<Event>]) -> Seen {
        let mut seen = Seen::default();
        seen.add_all(events);
        seen
    }

    #[test]
    fn newer_keys_are_new_and_older_ones_are_not() {
        let known = seen(&[event(5, 100), event(6, 100)]);
        for (key, seconds, is_new) in [
            (5, 100, false),
            (6, 100, false),
            (7, 100, true),
            // The clock was set back.
            (7, 50, true),
            (4, 99, false),
            // Another history.
            (4, 101, true),
            (5, 101, true),
            (5, 99, true),
        ] {
            assert_eq!(
                known.is_new(&event(key, seconds)),
                is_new,
                "{key} at {seconds}"
            );
        }
        let mut other = Poly::<Event>::from(VmPoweredOffEvent::default());
        other.key = 6;
        other.created_time = DateTime::from_epoch_seconds(100);
        assert!(known.is_new(&other), "another event with this key");
        assert!(seen(&[]).is_new(&event(0, 0)));
    }

    #[test]
    fn a_history_is_another_one_if_it_ends_earlier_or_differs() {
        let known = seen(&[event(5, 100), event(6, 110)]);
        for (newest, is_other) in [
            (vec![], false),
            (vec![event(5, 100), event(6, 110)], false),
            (vec![event(6, 110), event(7, 120)], false),
            // Made before the newest event.
            (vec![event(5, 100)], false),
            (vec![event(5, 120)], true),
            (vec![event(3, 120)], true),
            (vec![event(8, 130), event(9, 140)], false),
            (vec![event(0, 120), event(1, 121)], true),
            (vec![event(6, 130), event(7, 140)], true),
        ] {
            assert_eq!(known.is_other_history(&newest), is_other, "{newest:?}");
        }
    }

    #[test]
    fn only_the_newest_events_are_remembered() {
        let count = REMEMBERED as i32;
        let events: Vec<_> = (0..count + 500)
            .map(|key| event(key, i64::from(key)))
            .collect();
        let known = seen(&events);
        assert_eq!(known.events.len(), REMEMBERED);
        assert!(!known.is_new(&event(3, 3)));
        assert!(
            known.is_new(&event(count, 7)),
            "another event with this key"
        );
    }
}
