//! What the counters of one entity say at a time.

use std::f64::consts::TAU;

use vi_types::enums::{
    HostSystemConnectionState, ManagedEntityStatus, VirtualMachineConnectionState,
    VirtualMachinePowerState,
};
use vi_types::objects::{
    HostListSummaryQuickStats, VirtualDisk, VirtualEthernetCard, VirtualMachineQuickStats,
    VmfsDatastoreInfo,
};
use vi_types::{ManagedObjectReference, properties};

use super::counter::{Counter, Parts};
use crate::vmx;
use crate::world::World;
use crate::world::inventory::{host, parts};

/// The measurements of a virtual machine or of a host.
pub(crate) struct Meter {
    of_machine: bool,
    /// Makes its values differ from those of others.
    seed: u64,
    /// Names of its parts.
    cpus: Vec<String>,
    nics: Vec<String>,
    disks: Vec<String>,
    stores: Vec<String>,
    /// MHz of one of its CPUs.
    speed: f64,
    memory_mb: f64,
    has_heartbeat: bool,
    /// What its quickStats say.
    measured: Measured,
    boot: i64,
    /// Whether quickStats change with time.
    live: bool,
}

/// What quickStats say, in MHz, MB and seconds.
#[derive(Clone, Copy, Default)]
struct Measured {
    cpu: i32,
    demand: i32,
    active: i32,
    consumed: i32,
    granted: i32,
    shared: i32,
    overhead: i32,
    swapped: i32,
    ballooned: i32,
    compressed_kb: i64,
    uptime: i64,
}

/// An instance of a counter.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Part {
    /// The entity as a whole.
    Whole,
    /// One of its parts, by its index.
    One(usize),
}

impl Meter {
    /// The measurements of an entity. `None` if it has none now: it does not run, or is neither a virtual machine nor a host.
    pub(crate) fn of(world: &World, entity: &ManagedObjectReference) -> Option<Self> {
        if let Some(vm) = world.read::<properties::VirtualMachine>(entity) {
            return Self::of_machine(world, vm);
        }
        Self::of_host(world, world.read::<properties::HostSystem>(entity)?)
    }

    /// The same for a virtual machine.
    pub(crate) fn of_machine(world: &World, vm: &properties::VirtualMachine) -> Option<Self> {
        let (summary, config) = (vm.summary.as_deref()?, vm.config.as_deref()?);
        let runtime = vm.runtime.as_deref()?;
        let runs = runtime.power_state == VirtualMachinePowerState::PoweredOn
            && runtime.connection_state == VirtualMachineConnectionState::Connected;
        if !runs {
            return None;
        }
        let stats = &summary.quick_stats;
        let devices = &config.hardware.device;
        let cards = devices
            .iter()
            .filter(|device| device.is::<VirtualEthernetCard>());
        let disks = devices.iter().filter(|device| device.is::<VirtualDisk>());
        let cpu = stats.overall_cpu_usage.unwrap_or(0);
        let active = stats.guest_memory_usage.unwrap_or(0);
        let consumed = stats.host_memory_usage.unwrap_or(0);
        let boot = runtime
            .boot_time
            .as_ref()
            .and_then(|time| time.epoch_seconds().ok())
            .unwrap_or(parts::BOOT);
        Some(Self {
            of_machine: true,
            seed: seed(&config.uuid),
            cpus: (0..config.hardware.num_cpu)
                .map(|cpu| cpu.to_string())
                .collect(),
            nics: cards.map(|card| card.key.to_string()).collect(),
            disks: disks.filter_map(|disk| vmx::slot(disk, devices)).collect(),
            stores: vm
                .datastore
                .iter()
                .filter_map(|store| store_uuid(world, store))
                .collect(),
            speed: f64::from(host::MHZ),
            memory_mb: f64::from(config.hardware.memory_mb),
            has_heartbeat: stats.guest_heartbeat_status == ManagedEntityStatus::Green,
            measured: Measured {
                cpu,
                demand: stats.overall_cpu_demand.unwrap_or(cpu + cpu / 8),
                active,
                consumed,
                granted: stats.granted_memory.unwrap_or(consumed),
                shared: stats.shared_memory.unwrap_or(0),
                overhead: stats.consumed_overhead_memory.unwrap_or(0),
                swapped: stats.swapped_memory.unwrap_or(0),
                ballooned: stats.ballooned_memory.unwrap_or(0),
                compressed_kb: stats.compressed_memory.unwrap_or(0),
                uptime: i64::from(stats.uptime_seconds.unwrap_or(0)),
            },
            boot,
            live: world.clock.is_live(),
        })
    }

    /// The same for a host.
    pub(crate) fn of_host(world: &World, host: &properties::HostSystem) -> Option<Self> {
        let summary = host.summary.as_deref()?;
        let runtime = host.runtime.as_deref()?;
        let hardware = summary.hardware.as_deref()?;
        if runtime.connection_state != HostSystemConnectionState::Connected {
            return None;
        }
        let stats = &summary.quick_stats;
        let stores = || host.datastore.iter();
        let network = host
            .config
            .as_deref()
            .and_then(|config| config.network.as_deref());
        let nics = network.into_iter().flat_map(|network| &network.pnic);
        let cpu = stats.overall_cpu_usage.unwrap_or(0);
        let consumed = stats.overall_memory_usage.unwrap_or(0);
        let boot = runtime
            .boot_time
            .as_ref()
            .and_then(|time| time.epoch_seconds().ok())
            .unwrap_or(parts::BOOT);
        let threads = hardware.num_cpu_threads.max(1);
        let whole = f64::from(hardware.cpu_mhz) * f64::from(hardware.num_cpu_cores);
        Some(Self {
            of_machine: false,
            seed: seed(&hardware.uuid),
            cpus: (0..threads).map(|thread| thread.to_string()).collect(),
            nics: nics.map(|nic| nic.device.clone()).collect(),
            disks: stores()
                .filter_map(|store| store_disk(world, store))
                .collect(),
            stores: stores()
                .filter_map(|store| store_uuid(world, store))
                .collect(),
            speed: whole / f64::from(threads),
            memory_mb: hardware.memory_size as f64 / 1024.0 / 1024.0,
            has_heartbeat: false,
            measured: Measured {
                cpu,
                demand: cpu + cpu / 8,
                active: consumed / 4,
                consumed,
                granted: consumed,
                shared: consumed / 16,
                overhead: consumed / 32,
                uptime: i64::from(stats.uptime.unwrap_or(0)),
                ..Measured::default()
            },
            boot,
            live: world.clock.is_live(),
        })
    }

    /// Writes what a virtual machine's quickStats say at a time.
    pub(crate) fn show_in_machine(&self, at: i64, stats: &mut VirtualMachineQuickStats) {
        let now = self.measured(at);
        let set = |shown: &mut Option<i32>, value: i32| {
            if let Some(shown) = shown {
                *shown = value;
            }
        };
        set(&mut stats.overall_cpu_usage, now.cpu);
        set(&mut stats.overall_cpu_demand, now.demand);
        set(&mut stats.guest_memory_usage, now.active);
        set(&mut stats.active_memory, now.active);
        set(&mut stats.host_memory_usage, now.consumed);
        set(&mut stats.granted_memory, now.granted);
        set(
            &mut stats.uptime_seconds,
            i32::try_from(now.uptime).unwrap_or(i32::MAX),
        );
    }

    /// Writes what a host's quickStats say at a time.
    pub(crate) fn show_in_host(&self, at: i64, stats: &mut HostListSummaryQuickStats) {
        let now = self.measured(at);
        stats.overall_cpu_usage = Some(now.cpu);
        stats.overall_memory_usage = Some(now.consumed);
        if let Some(uptime) = &mut stats.uptime {
            *uptime = i32::try_from(now.uptime).unwrap_or(i32::MAX);
        }
    }

    /// Whether its counters have values of that time.
    pub(crate) fn ran(&self, at: i64) -> bool {
        at >= self.boot
    }

    /// The instances of a counter that it has.
    pub(crate) fn instances(&self, counter: &Counter) -> Vec<Part> {
        let extent = counter.extent(self.of_machine);
        let needed = match counter.group {
            "net" => Some(Parts::Nics),
            "disk" => Some(Parts::Disks),
            "datastore" => Some(Parts::Stores),
            _ => None,
        };
        if needed.is_some_and(|needed| self.parts(needed).is_empty()) {
            return Vec::new();
        }
        let whole = extent.whole.then_some(Part::Whole);
        let count = extent.parts.map_or(0, |parts| self.parts(parts).len());
        whole.into_iter().chain((0..count).map(Part::One)).collect()
    }

    /// The name of an instance of a counter: empty for the whole.
    pub(crate) fn instance_name(&self, counter: &Counter, part: Part) -> &str {
        let (Part::One(index), Some(parts)) = (part, counter.extent(self.of_machine).parts) else {
            return "";
        };
        self.parts(parts).get(index).map_or("", String::as_str)
    }

    fn parts(&self, parts: Parts) -> &[String] {
        match parts {
            Parts::Cpus => &self.cpus,
            Parts::Nics => &self.nics,
            Parts::Disks => &self.disks,
            Parts::Stores => &self.stores,
        }
    }

    /// The value of an instance of a counter, of the interval that ends at a time. Both are in seconds.
    pub(crate) fn value(&self, counter: &Counter, part: Part, at: i64, interval: i64) -> i64 {
        let name = counter.name;
        let sum = |parts: &[String]| {
            let parts = (0..parts.len()).map(Part::One);
            parts
                .map(|part| self.value(counter, part, at, interval))
                .sum()
        };
        match (counter.group, part) {
            ("cpu", Part::Whole) if IS_SUM_OF_CPUS.contains(&name) => sum(&self.cpus),
            ("net", Part::Whole) => sum(&self.nics),
            ("disk", Part::Whole) if name != "maxTotalLatency" => sum(&self.disks),
            ("cpu", _) => rounded(self.cpu(name, part, at, interval as f64)),
            ("mem", _) => self.memory(name, at),
            ("net", Part::One(card)) => rounded(self.net(name, card, at, interval as f64)),
            ("disk" | "virtualDisk", _) => self.disk(name, part, at),
            ("datastore", _) => self.store(name, part, at),
            ("sys", _) => self.system(name, at, interval),
            ("rescpu", _) => rounded(self.usage(Part::Whole, at) * 10_000.0),
            ("power", _) => {
                let (idle, most) = if self.of_machine {
                    (2.0, 30.0)
                } else {
                    (120.0, 250.0)
                };
                let watt = rounded(idle + most * self.usage(Part::Whole, at));
                if name == "energy" {
                    watt * interval
                } else {
                    watt
                }
            }
            _ => 0,
        }
    }

    /// What quickStats say at a time.
    fn measured(&self, at: i64) -> Measured {
        if !self.live {
            return self.measured;
        }
        let wave = |what: &str, swing: f64| 1.0 + (self.wave(what, 0, at) - 1.0) * swing;
        let scaled =
            |value: i32, by: f64, most: f64| (f64::from(value) * by).min(most).round() as i32;
        let whole = self.speed * self.cpus.len() as f64;
        let load = wave("load", 1.0);
        Measured {
            cpu: scaled(self.measured.cpu, load, whole),
            demand: scaled(self.measured.demand, load, whole),
            active: scaled(self.measured.active, wave("active", 0.5), self.memory_mb),
            consumed: scaled(self.measured.consumed, wave("consumed", 0.05), f64::MAX),
            granted: scaled(self.measured.granted, wave("consumed", 0.05), f64::MAX),
            uptime: at - self.boot,
            ..self.measured
        }
    }

    /// The part of its CPUs that is in use, from 0 to 1.
    fn usage(&self, part: Part, at: i64) -> f64 {
        let whole = f64::from(self.measured(at).cpu) / self.speed;
        let count = self.cpus.len() as f64;
        let used = match part {
            Part::Whole => whole / count,
            // Some CPUs do more than others. The sum is the whole.
            Part::One(cpu) => {
                let share = |cpu: usize| 0.5 + self.noise("share", cpu, at);
                let all: f64 = (0..self.cpus.len()).map(share).sum();
                whole * share(cpu) / all
            }
        };
        used.clamp(0.0, 1.0)
    }

    fn cpu(&self, name: &str, part: Part, at: i64, interval: f64) -> f64 {
        let index = match part {
            Part::Whole => 0,
            Part::One(index) => index,
        };
        let milliseconds = interval * 1000.0;
        // Less than 1 %, which quickStats round to 0.
        let ready = match part {
            Part::Whole => {
                let all = (0..self.cpus.len()).map(|cpu| self.noise("ready", cpu, at));
                0.001 + 0.008 * all.sum::<f64>() / self.cpus.len() as f64
            }
            Part::One(cpu) => 0.001 + 0.008 * self.noise("ready", cpu, at),
        };
        let costop = match self.cpus.len() {
            1 => 0.0,
            _ => 0.0005 * self.noise("costop", index, at),
        };
        let used = self.usage(part, at);
        match name {
            "usage" | "utilization" => used * 10_000.0,
            "usagemhz" if part == Part::Whole => f64::from(self.measured(at).cpu),
            "usagemhz" => used * self.speed,
            "demand" => f64::from(self.measured(at).demand),
            "used" => used * milliseconds,
            "idle" | "wait" => (1.0 - used - ready - costop).max(0.0) * milliseconds,
            "ready" => ready * milliseconds,
            "readiness" => ready * 10_000.0,
            "costop" => costop * milliseconds,
            "system" => used * milliseconds / 20.0,
            "latency" => 20.0 + 100.0 * self.noise("latency", index, at),
            _ => 0.0,
        }
    }

    /// KB, KB/s or 1/100 %.
    fn memory(&self, name: &str, at: i64) -> i64 {
        let now = self.measured(at);
        let kb = |mb: i32| i64::from(mb) * 1024;
        let share = |mb: i32| rounded(f64::from(mb) / self.memory_mb.max(1.0) * 10_000.0);
        match name {
            "usage" if self.of_machine => share(now.active),
            "usage" => share(now.consumed),
            "consumed" => kb(now.consumed),
            "active" => kb(now.active),
            "granted" => kb(now.granted),
            "shared" => kb(now.shared),
            "overhead" => kb(now.overhead),
            "swapped" | "swapout" => kb(now.swapped),
            "vmmemctl" | "vmmemctltarget" => kb(now.ballooned),
            "compressed" => now.compressed_kb,
            _ => 0,
        }
    }

    fn net(&self, name: &str, card: usize, at: i64, interval: f64) -> f64 {
        let rate = |direction: &str| {
            let kb = self.size(direction, card, 20.0, 2000.0) * self.wave(direction, card, at);
            kb.round()
        };
        let (received, sent) = (rate("received"), rate("transmitted"));
        let dropped = |direction| match self.noise(direction, card, at) {
            noise if noise > 0.98 => 2.0,
            _ => 0.0,
        };
        // 700 bytes a packet.
        let packets = |kb: f64| kb * 1024.0 * interval / 700.0;
        match name {
            "usage" => received + sent,
            "received" | "bytesRx" => received,
            "transmitted" | "bytesTx" => sent,
            "packetsRx" => packets(received),
            "packetsTx" => packets(sent),
            "broadcastRx" => interval * (0.2 + self.noise("broadcast", card, at)),
            "multicastRx" => interval * (0.1 + self.noise("multicast", card, at)),
            "broadcastTx" | "multicastTx" => interval / 20.0,
            "droppedRx" => dropped("droppedRx"),
            "droppedTx" => dropped("droppedTx"),
            _ => 0.0,
        }
    }

    /// KB/s, numbers a second, ms or µs.
    fn disk(&self, name: &str, part: Part, at: i64) -> i64 {
        let Part::One(disk) = part else {
            let disks = (0..self.disks.len()).map(Part::One);
            let latencies = disks.flat_map(|disk| {
                ["totalReadLatency", "totalWriteLatency"].map(|name| self.disk(name, disk, at))
            });
            return latencies.max().unwrap_or(0);
        };
        let rate = |direction: &str| {
            rounded(self.size(direction, disk, 50.0, 4000.0) * self.wave(direction, disk, at))
        };
        let requests = |direction: &str| {
            let kb = self.size("request", disk, 4.0, 64.0);
            rounded((rate(direction) as f64 / kb).ceil())
        };
        let latency = |direction: &str| {
            let wave = self.wave(direction, disk + 1000, at);
            rounded(self.size("latency", disk, 300.0, 6000.0) * wave)
        };
        match name {
            "usage" => rate("read") + rate("write"),
            "read" => rate("read"),
            "write" => rate("write"),
            "numberReadAveraged" => requests("read"),
            "numberWriteAveraged" => requests("write"),
            "readLatencyUS" => latency("read"),
            "writeLatencyUS" => latency("write"),
            "totalReadLatency" => (latency("read") + 500) / 1000,
            "totalWriteLatency" => (latency("write") + 500) / 1000,
            _ => 0,
        }
    }

    /// What its disks do, spread over its datastores.
    fn store(&self, name: &str, part: Part, at: i64) -> i64 {
        let Part::One(store) = part else {
            return self.disk(name, Part::Whole, at);
        };
        let disks = (0..self.disks.len()).filter(|disk| disk % self.stores.len() == store);
        let values = disks.map(|disk| self.disk(name, Part::One(disk), at));
        match name.ends_with("Latency") {
            true => values.max().unwrap_or(0),
            false => values.sum(),
        }
    }

    fn system(&self, name: &str, at: i64, interval: i64) -> i64 {
        let uptime = self.measured(at).uptime;
        match name {
            "uptime" => uptime,
            // The guest starts a little later than the machine.
            "osUptime" if self.has_heartbeat => (uptime - 15).max(0),
            "heartbeat" if self.has_heartbeat => interval / 4,
            _ => 0,
        }
    }

    /// A number from `least` to `most` that stays; small ones are more frequent.
    fn size(&self, what: &str, index: usize, least: f64, most: f64) -> f64 {
        least * (most / least).powf(self.noise(what, index, 0))
    }

    /// A factor from 0.6 to 1.4 that rises and falls with time, within ten minutes to an hour.
    fn wave(&self, what: &str, index: usize, at: i64) -> f64 {
        let period = 600.0 + 3000.0 * self.noise(what, index, 1);
        let phase = self.noise(what, index, 2);
        let turns = at as f64 / period + phase;
        1.0 + 0.3 * (TAU * turns.fract()).sin() + 0.2 * (self.noise(what, index, at) - 0.5)
    }

    /// A number from 0 to 1 without a pattern.
    fn noise(&self, what: &str, index: usize, at: i64) -> f64 {
        let what = seed(what).wrapping_add(index as u64);
        let mixed = parts::mix(parts::mix(self.seed ^ what).wrapping_add(at as u64));
        (mixed >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// Counters of which the whole is the sum of the CPUs.
const IS_SUM_OF_CPUS: &[&str] = &[
    "used",
    "idle",
    "wait",
    "ready",
    "costop",
    "maxlimited",
    "swapwait",
    "system",
];

fn rounded(value: f64) -> i64 {
    value.round() as i64
}

fn seed(text: &str) -> u64 {
    text.bytes().fold(0, |number: u64, byte| {
        number.wrapping_mul(31).wrapping_add(u64::from(byte))
    })
}

/// The UUID in a datastore's URL: `ds:///vmfs/volumes/UUID/` or `/vmfs/volumes/UUID`.
fn store_uuid(world: &World, store: &ManagedObjectReference) -> Option<String> {
    let store = world.read::<properties::Datastore>(store)?;
    let url = store.summary.as_deref()?.url.trim_end_matches('/');
    url.rsplit('/').next().map(str::to_owned)
}

/// The first LUN of a datastore.
fn store_disk(world: &World, store: &ManagedObjectReference) -> Option<String> {
    let store = world.read::<properties::Datastore>(store)?;
    let info = store.info.as_ref()?.cast::<VmfsDatastoreInfo>()?;
    let extent = info.vmfs.as_deref()?.extent.first()?;
    Some(extent.disk_name.clone())
}
