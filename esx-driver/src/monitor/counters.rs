//! The performance counters that a monitor asks for, and their ids on a server.
//!
//! The mapping of counters to libvirt's numbers is ours. The API has no counters that only grow: a sample is the mean or the
//! sum of 20 seconds.

use std::collections::HashMap;

use vi_client::Client;
use vi_types::ManagedObjectReference;
use vi_types::methods::QueryAvailablePerfMetric;
use vi_types::objects::PerfMetricId;

pub(super) use crate::connect::counters::SAMPLE_SECONDS;
use crate::{Result, connect::counters};

/// How many samples of an object a host keeps: an hour of them.
pub(super) const KEPT_SAMPLES: i32 = 180;

/// A counter, and what it is for.
#[derive(Debug)]
pub(super) struct Counter {
    /// Group, name and rollup: `cpu.usage.average`.
    pub(super) name: &'static str,
    /// Whether snapshots have its newest value of the whole object.
    pub(super) is_shown: bool,
    /// What is integrated of it, of the whole object or of each device.
    pub(super) track: Option<(Part, usize, Scale)>,
}

/// What a counter measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Processors; the instance `""` is all of them.
    Processor,
    /// Network cards, by the devices' keys.
    Card,
    /// Disks, by names such as `scsi0:0`.
    Disk,
}

/// How a value becomes a rate and a part of a total.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scale {
    /// KiB a second: bytes.
    Kilobytes,
    /// Number a second.
    PerSecond,
    /// Number in the sample.
    Number,
    /// Milliseconds in the sample: a ratio, and nanoseconds.
    Milliseconds,
    /// Mean milliseconds of a request: seconds, and nanoseconds of all requests, which this slot counts a second.
    Latency(usize),
}

/// How many slots a part has at most.
pub(super) const SLOTS: usize = 6;

/// Slots of [`Part::Processor`].
pub(super) mod processor {
    pub(in crate::monitor) const TIME: usize = 0;
    pub(in crate::monitor) const READY: usize = 1;
    pub(in crate::monitor) const IDLE: usize = 2;
    pub(in crate::monitor) const WAIT: usize = 3;
    pub(in crate::monitor) const SYSTEM: usize = 4;
}

/// Slots of [`Part::Card`].
pub(super) mod card {
    pub(in crate::monitor) const RX_BYTES: usize = 0;
    pub(in crate::monitor) const TX_BYTES: usize = 1;
    pub(in crate::monitor) const RX_PACKETS: usize = 2;
    pub(in crate::monitor) const TX_PACKETS: usize = 3;
    pub(in crate::monitor) const RX_DROPPED: usize = 4;
    pub(in crate::monitor) const TX_DROPPED: usize = 5;
}

/// Slots of [`Part::Disk`].
pub(super) mod disk {
    pub(in crate::monitor) const READ_BYTES: usize = 0;
    pub(in crate::monitor) const WRITE_BYTES: usize = 1;
    pub(in crate::monitor) const READ_REQUESTS: usize = 2;
    pub(in crate::monitor) const WRITE_REQUESTS: usize = 3;
    pub(in crate::monitor) const READ_TIME: usize = 4;
    pub(in crate::monitor) const WRITE_TIME: usize = 5;
}

const fn shown(name: &'static str) -> Counter {
    Counter {
        name,
        is_shown: true,
        track: None,
    }
}

const fn tracked(name: &'static str, part: Part, slot: usize, scale: Scale) -> Counter {
    Counter {
        name,
        is_shown: false,
        track: Some((part, slot, scale)),
    }
}

const fn both(name: &'static str, part: Part, slot: usize, scale: Scale) -> Counter {
    Counter {
        name,
        is_shown: true,
        track: Some((part, slot, scale)),
    }
}

/// The counters of virtual machines: those of vmware_exporter 0.18.4, and those of libvirt's numbers.
static OF_DOMAINS: [Counter; 37] = [
    shown("cpu.usage.average"),
    shown("cpu.usagemhz.average"),
    shown("cpu.demand.average"),
    shown("cpu.maxlimited.summation"),
    shown("cpu.costop.summation"),
    both(
        "cpu.used.summation",
        Part::Processor,
        processor::TIME,
        Scale::Milliseconds,
    ),
    both(
        "cpu.ready.summation",
        Part::Processor,
        processor::READY,
        Scale::Milliseconds,
    ),
    both(
        "cpu.idle.summation",
        Part::Processor,
        processor::IDLE,
        Scale::Milliseconds,
    ),
    tracked(
        "cpu.wait.summation",
        Part::Processor,
        processor::WAIT,
        Scale::Milliseconds,
    ),
    tracked(
        "cpu.system.summation",
        Part::Processor,
        processor::SYSTEM,
        Scale::Milliseconds,
    ),
    shown("mem.usage.average"),
    shown("mem.consumed.average"),
    shown("mem.active.average"),
    shown("mem.swapped.average"),
    shown("mem.vmmemctl.average"),
    shown("disk.maxTotalLatency.latest"),
    shown("disk.usage.average"),
    shown("disk.read.average"),
    shown("disk.write.average"),
    shown("net.received.average"),
    shown("net.transmitted.average"),
    shown("net.multicastRx.summation"),
    shown("net.multicastTx.summation"),
    shown("net.broadcastRx.summation"),
    shown("net.broadcastTx.summation"),
    both(
        "net.droppedRx.summation",
        Part::Card,
        card::RX_DROPPED,
        Scale::Number,
    ),
    both(
        "net.droppedTx.summation",
        Part::Card,
        card::TX_DROPPED,
        Scale::Number,
    ),
    tracked(
        "net.bytesRx.average",
        Part::Card,
        card::RX_BYTES,
        Scale::Kilobytes,
    ),
    tracked(
        "net.bytesTx.average",
        Part::Card,
        card::TX_BYTES,
        Scale::Kilobytes,
    ),
    tracked(
        "net.packetsRx.summation",
        Part::Card,
        card::RX_PACKETS,
        Scale::Number,
    ),
    tracked(
        "net.packetsTx.summation",
        Part::Card,
        card::TX_PACKETS,
        Scale::Number,
    ),
    tracked(
        "virtualDisk.read.average",
        Part::Disk,
        disk::READ_BYTES,
        Scale::Kilobytes,
    ),
    tracked(
        "virtualDisk.write.average",
        Part::Disk,
        disk::WRITE_BYTES,
        Scale::Kilobytes,
    ),
    tracked(
        "virtualDisk.numberReadAveraged.average",
        Part::Disk,
        disk::READ_REQUESTS,
        Scale::PerSecond,
    ),
    tracked(
        "virtualDisk.numberWriteAveraged.average",
        Part::Disk,
        disk::WRITE_REQUESTS,
        Scale::PerSecond,
    ),
    tracked(
        "virtualDisk.totalReadLatency.average",
        Part::Disk,
        disk::READ_TIME,
        Scale::Latency(disk::READ_REQUESTS),
    ),
    tracked(
        "virtualDisk.totalWriteLatency.average",
        Part::Disk,
        disk::WRITE_TIME,
        Scale::Latency(disk::WRITE_REQUESTS),
    ),
];

/// The counters of hosts: those of vmware_exporter 0.18.4, and some more that people ask for.
static OF_HOSTS: [Counter; 30] = [
    shown("cpu.usage.average"),
    shown("cpu.usagemhz.average"),
    shown("cpu.demand.average"),
    shown("cpu.used.summation"),
    shown("cpu.ready.summation"),
    shown("cpu.idle.summation"),
    shown("cpu.costop.summation"),
    shown("cpu.swapwait.summation"),
    shown("disk.read.average"),
    shown("disk.write.average"),
    shown("disk.maxTotalLatency.latest"),
    shown("mem.usage.average"),
    shown("mem.consumed.average"),
    shown("mem.active.average"),
    shown("mem.latency.average"),
    shown("mem.swapin.average"),
    shown("mem.swapinRate.average"),
    shown("mem.swapout.average"),
    shown("mem.swapoutRate.average"),
    shown("mem.vmmemctl.average"),
    shown("net.bytesRx.average"),
    shown("net.bytesTx.average"),
    shown("net.usage.average"),
    shown("net.droppedRx.summation"),
    shown("net.droppedTx.summation"),
    shown("net.errorsRx.summation"),
    shown("net.errorsTx.summation"),
    shown("power.power.average"),
    shown("rescpu.actav1.latest"),
    shown("sys.uptime.latest"),
];

/// What to ask of a kind of object.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted {
    /// Ids and instances, as they are asked for.
    pub(super) metrics: Vec<PerfMetricId>,
    counters: HashMap<i32, &'static Counter>,
}

impl Wanted {
    fn new(ids: &HashMap<String, i32>, counters: &'static [Counter], devices: bool) -> Wanted {
        let mut wanted = Wanted::default();
        for counter in counters {
            let is_whole = counter.is_shown
                || matches!(
                    counter.track,
                    Some((Part::Processor, processor::TIME | processor::SYSTEM, _))
                );
            // What the server does not have is not asked for.
            let Some(&id) = ids.get(counter.name).filter(|_| is_whole || devices) else {
                continue;
            };
            // All instances, and the whole.
            let has_devices = devices && counter.track.is_some();
            wanted.metrics.push(PerfMetricId {
                counter_id: id,
                instance: if has_devices { "*" } else { "" }.to_owned(),
                ..PerfMetricId::default()
            });
            wanted.counters.insert(id, counter);
        }
        wanted
    }

    #[cfg(test)]
    pub(super) fn of_domains(ids: &HashMap<String, i32>) -> Wanted {
        Wanted::new(ids, &OF_DOMAINS, true)
    }

    /// The counter with that id.
    pub(super) fn counter(&self, id: i32) -> Option<&'static Counter> {
        self.counters.get(&id).copied()
    }

    /// Asks only for what the server has of an object.
    pub(super) fn narrow(&mut self, available: &[PerfMetricId]) {
        let has = |id: &i32| available.iter().any(|metric| metric.counter_id == *id);
        self.metrics.retain(|metric| has(&metric.counter_id));
        self.counters.retain(|id, _| has(id));
    }
}

/// The counters of a server.
#[derive(Debug, Clone, Default)]
pub(super) struct Catalogue {
    pub(super) domains: Wanted,
    pub(super) hosts: Wanted,
}

impl Catalogue {
    pub(super) fn wanted(&self, entity: &ManagedObjectReference) -> &Wanted {
        match entity.r#type.as_str() {
            "HostSystem" => &self.hosts,
            _ => &self.domains,
        }
    }

    pub(super) fn wanted_mut(&mut self, entity: &ManagedObjectReference) -> &mut Wanted {
        match entity.r#type.as_str() {
            "HostSystem" => &mut self.hosts,
            _ => &mut self.domains,
        }
    }
}

/// Finds the counters among those that the server has: one request.
pub(super) async fn read(client: &Client, devices: bool) -> Result<Catalogue> {
    let ids = counters::ids(client).await?;
    Ok(Catalogue {
        domains: Wanted::new(&ids, &OF_DOMAINS, devices),
        hosts: Wanted::new(&ids, &OF_HOSTS, false),
    })
}

/// Asks which counters an object has: one request.
pub(super) async fn available(
    client: &Client,
    entity: &ManagedObjectReference,
) -> Result<Vec<PerfMetricId>> {
    let request = QueryAvailablePerfMetric {
        entity: entity.clone(),
        interval_id: Some(SAMPLE_SECONDS),
        ..QueryAvailablePerfMetric::default()
    };
    Ok(client.call(&request).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The ids of a server that has these counters, from 1.
    fn ids(names: &[&str]) -> HashMap<String, i32> {
        let names = names.iter().map(|name| (*name).to_owned());
        names.zip(1..).collect()
    }

    fn asked(wanted: &Wanted) -> Vec<String> {
        let metrics = wanted.metrics.iter();
        let metric = |metric: &PerfMetricId| format!("{}{}", metric.counter_id, metric.instance);
        metrics.map(metric).collect()
    }

    #[test]
    fn only_what_the_server_has_is_asked_for() {
        let ids = ids(&[
            "cpu.usage.average",
            "cpu.used.summation",
            "cpu.ready.summation",
            "net.bytesRx.average",
            "cpu.corecount.usage.average",
        ]);
        let devices = Wanted::new(&ids, &OF_DOMAINS, true);
        assert_eq!(asked(&devices), ["1", "2*", "3*", "4*"]);
        assert_eq!(devices.counter(4).unwrap().name, "net.bytesRx.average");
        assert!(devices.counter(5).is_none());
        // What is only of devices is left out without them.
        let mut whole = Wanted::new(&ids, &OF_DOMAINS, false);
        assert_eq!(asked(&whole), ["1", "2", "3"]);
        let metric = PerfMetricId {
            counter_id: 3,
            ..PerfMetricId::default()
        };
        whole.narrow(&[metric]);
        assert_eq!(asked(&whole), ["3"]);
        assert!(whole.counter(1).is_none());
    }

    #[test]
    fn slots_are_taken_once() {
        let mut taken: Vec<_> = OF_DOMAINS
            .iter()
            .filter_map(|counter| counter.track)
            .map(|(part, slot, _)| format!("{part:?} {slot}"))
            .collect();
        assert_eq!(taken.len(), 17);
        taken.sort();
        taken.dedup();
        assert_eq!(taken.len(), 17);
    }
}
