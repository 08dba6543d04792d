//! What performance counters say of one object: newest values, rates and totals. No I/O.

use std::collections::HashMap;

use vi_types::{DateTime, ManagedObjectReference};

use super::counters::{Counter, Part, SLOTS, Scale, card, disk, processor};
use super::query::Question;
use super::samples::{Samples, Series};
use super::snapshot::{CounterValue, MonitoredDomain, MonitoredVcpu};

/// The measurements of an object.
#[derive(Debug)]
pub(super) struct Measures {
    /// Whether it was never asked for.
    is_new: bool,
    /// The time of the newest sample that was taken in, in seconds since 1970 by the host's clock. Later ones are asked for.
    pub(super) last: Option<i64>,
    /// How many times in a row the server had no newer samples.
    silent: u32,
    /// The newest sample, if it still counts.
    pub(super) sampled: Option<DateTime>,
    /// Its values of the object as a whole.
    pub(super) counters: Vec<CounterValue>,
    processors: Tracks,
    cards: Tracks,
    disks: Tracks,
}

impl Default for Measures {
    fn default() -> Self {
        Self {
            is_new: true,
            last: None,
            silent: 0,
            sampled: None,
            counters: Vec::new(),
            processors: Tracks::new(),
            cards: Tracks::new(),
            disks: Tracks::new(),
        }
    }
}

/// The measurements of parts, by instance.
type Tracks = HashMap<String, Track>;

/// The measurements of a part, by slot.
#[derive(Debug, Default)]
struct Track {
    rates: [Option<f64>; SLOTS],
    totals: [Option<u64>; SLOTS],
}

/// After how many polls without an answer the time of the last sample is not believed any more: 5 minutes of them. The domain
/// may have moved to a host whose clock is behind.
const SILENCE: u32 = 15;

impl Measures {
    /// What to ask about the object. `newest` is the time of the newest sample of any object so far: an object that comes
    /// later has done nothing before it.
    pub(super) fn question(
        &mut self,
        entity: &ManagedObjectReference,
        newest: Option<i64>,
    ) -> Question {
        if self.is_new {
            self.is_new = false;
            self.last = newest;
        }
        Question {
            entity: entity.clone(),
            after: self.last,
        }
    }

    /// Takes in what a server has answered, and returns how many samples were new.
    ///
    /// The first samples ever only give rates: what happened before the monitor began does not count.
    pub(super) fn take(&mut self, samples: &Samples<'_>) -> u64 {
        let last = self.last;
        let is_new = |time: i64| last.is_none_or(|last| time > last);
        let new: Vec<usize> = (0..samples.times.len())
            .filter(|&at| samples.times[at].seconds.is_some_and(is_new))
            .collect();
        let newest = new.iter().filter_map(|&at| samples.times[at].seconds).max();
        let Some(newest) = newest else {
            return 0;
        };
        self.silent = 0;
        self.forget_rates();
        let context = Context {
            samples,
            new: &new,
            counts: last.is_some(),
            requests: samples.requests(),
        };
        for series in &samples.series {
            self.take_series(series, &context);
        }
        self.last = Some(newest);
        self.sampled = Some(DateTime::from_epoch_seconds(newest));
        new.len() as u64
    }

    fn take_series(&mut self, series: &Series<'_>, context: &Context<'_>) {
        let Counter {
            name,
            is_shown,
            track,
        } = series.counter;
        if *is_shown
            && series.is_whole()
            && let Some((_, value)) = context.valid(series).last()
        {
            let counter = name;
            self.counters.push(CounterValue { counter, value });
        }
        if let Some((part, slot, scale)) = *track {
            let tracks = match part {
                Part::Processor => &mut self.processors,
                Part::Card => &mut self.cards,
                Part::Disk => &mut self.disks,
            };
            if !tracks.contains_key(series.instance) {
                tracks.insert(series.instance.to_owned(), Track::default());
            }
            if let Some(track) = tracks.get_mut(series.instance) {
                track.take(slot, scale, series, context);
            }
        }
    }

    /// The server had nothing new of the object although it runs.
    pub(super) fn nothing_new(&mut self) {
        self.silent += 1;
        if self.silent > SILENCE {
            self.silent = 0;
            self.last = None;
            self.stop();
        }
    }

    /// Forgets what is only true of an object that runs. Totals stay.
    pub(super) fn stop(&mut self) {
        self.sampled = None;
        self.forget_rates();
    }

    fn forget_rates(&mut self) {
        self.counters.clear();
        let tracks = self.processors.values_mut();
        let tracks = tracks
            .chain(self.cards.values_mut())
            .chain(self.disks.values_mut());
        tracks.for_each(|track| track.rates = Default::default());
    }

    /// Adds the measurements to a domain that has its devices already.
    pub(super) fn show(&self, domain: &mut MonitoredDomain) {
        domain.sampled = self.sampled.clone();
        domain.counters.clone_from(&self.counters);
        if let Some(all) = self.processors.get("") {
            domain.cpu_time_ns = all.totals[processor::TIME];
            domain.cpu_system_ns = all.totals[processor::SYSTEM];
        }
        for shown in &mut domain.disks {
            let Some(Track { rates, totals }) = self.disks.get(&shown.instance) else {
                continue;
            };
            shown.read_bytes_rate = rates[disk::READ_BYTES];
            shown.write_bytes_rate = rates[disk::WRITE_BYTES];
            shown.read_requests_rate = rates[disk::READ_REQUESTS];
            shown.write_requests_rate = rates[disk::WRITE_REQUESTS];
            shown.read_latency_seconds = rates[disk::READ_TIME];
            shown.write_latency_seconds = rates[disk::WRITE_TIME];
            shown.read_bytes = totals[disk::READ_BYTES];
            shown.write_bytes = totals[disk::WRITE_BYTES];
            shown.read_requests = totals[disk::READ_REQUESTS];
            shown.write_requests = totals[disk::WRITE_REQUESTS];
            shown.read_time_ns = totals[disk::READ_TIME];
            shown.write_time_ns = totals[disk::WRITE_TIME];
        }
        for shown in &mut domain.interfaces {
            let Some(Track { rates, totals }) = self.cards.get(&shown.instance) else {
                continue;
            };
            shown.rx_bytes_rate = rates[card::RX_BYTES];
            shown.tx_bytes_rate = rates[card::TX_BYTES];
            shown.rx_packets_rate = rates[card::RX_PACKETS];
            shown.tx_packets_rate = rates[card::TX_PACKETS];
            shown.rx_bytes = totals[card::RX_BYTES];
            shown.tx_bytes = totals[card::TX_BYTES];
            shown.rx_packets = totals[card::RX_PACKETS];
            shown.tx_packets = totals[card::TX_PACKETS];
            shown.rx_dropped = totals[card::RX_DROPPED];
            shown.tx_dropped = totals[card::TX_DROPPED];
        }
        let vcpus = self.processors.iter().filter_map(|(instance, track)| {
            Some(MonitoredVcpu {
                number: instance.parse().ok()?,
                usage_ratio: track.rates[processor::TIME],
                time_ns: track.totals[processor::TIME],
                ready_ns: track.totals[processor::READY],
                idle_ns: track.totals[processor::IDLE],
                wait_ns: track.totals[processor::WAIT],
            })
        });
        domain.processors.extend(vcpus);
        domain.processors.sort_by_key(|vcpu| vcpu.number);
    }
}

/// What is known of an answer while its series are taken in.
struct Context<'a> {
    samples: &'a Samples<'a>,
    /// The places of new samples.
    new: &'a [usize],
    /// Whether they are added to totals.
    counts: bool,
    /// The series of requests a second, by instance and slot.
    requests: HashMap<(&'a str, usize), &'a Series<'a>>,
}

impl Context<'_> {
    /// The places and values of the new samples that were not missed: the host writes -1 for one that was.
    fn valid<'s>(&'s self, series: &'s Series<'_>) -> impl Iterator<Item = (usize, i64)> + 's {
        let value = |&at: &usize| Some((at, series.values.get(at).copied()?));
        self.new
            .iter()
            .filter_map(value)
            .filter(|(_, value)| *value >= 0)
    }
}

impl Track {
    fn take(&mut self, slot: usize, scale: Scale, series: &Series<'_>, context: &Context<'_>) {
        let total = self.totals[slot].get_or_insert(0);
        let of_requests = match scale {
            Scale::Latency(slot) => context.requests.get(&(series.instance, slot)).copied(),
            _ => None,
        };
        for (at, value) in context.valid(series) {
            let seconds = u64::from(context.samples.times[at].length);
            let number = value.unsigned_abs();
            let (rate, part) = match scale {
                Scale::Kilobytes => {
                    let bytes = number.saturating_mul(1024);
                    (bytes as f64, bytes.saturating_mul(seconds))
                }
                Scale::PerSecond => (number as f64, number.saturating_mul(seconds)),
                Scale::Number => (number as f64 / seconds.max(1) as f64, number),
                Scale::Milliseconds => {
                    let ratio = number as f64 / (seconds.max(1) as f64 * 1000.0);
                    (ratio, number.saturating_mul(NS_OF_MS))
                }
                Scale::Latency(_) => {
                    let requests = of_requests.and_then(|series| series.values.get(at));
                    let requests = requests.and_then(|number| u64::try_from(*number).ok());
                    let requests = requests.unwrap_or(0).saturating_mul(seconds);
                    let time = number.saturating_mul(NS_OF_MS).saturating_mul(requests);
                    (number as f64 / 1000.0, time)
                }
            };
            self.rates[slot] = Some(rate);
            if context.counts {
                *total = total.saturating_add(part);
            }
        }
    }
}

const NS_OF_MS: u64 = 1_000_000;

#[cfg(test)]
mod tests;
