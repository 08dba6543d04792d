//! A domain in a snapshot.

use std::sync::Arc;

use vi_types::{DateTime, ManagedObjectReference, enums::ManagedEntityStatus};
use virt_model::{DomainState, StateReason, Uuid};

use super::{
    CounterValue, MonitoredAlarm, MonitoredDisk, MonitoredInterface, MonitoredVcpu, value_of,
};
use crate::question::Question;

/// A domain of a server.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct MonitoredDomain {
    /// The server's reference of the virtual machine.
    pub moref: ManagedObjectReference,
    /// libvirt's name.
    pub name: String,
    /// libvirt's UUID; nil if the machine's configuration cannot be read.
    pub uuid: Uuid,
    /// libvirt's id; `None` if the domain is off.
    pub id: Option<i32>,
    /// The state, as in lists. It is the last known one while the server does not reach the domain's host.
    pub state: DomainState,
    /// The reason of the state, which the server does not keep: always unknown.
    pub reason: StateReason,
    /// Whether the server reaches the domain's host and files. If not, `usage` is empty.
    pub is_connected: bool,
    /// Whether it is a template.
    pub is_template: bool,
    /// How it is, in the server's colours.
    pub status: ManagedEntityStatus,

    /// The host's reference.
    pub host: Option<ManagedObjectReference>,
    /// The host's name.
    pub host_name: Arc<str>,
    /// The name of the host's cluster; empty if it is in none.
    pub cluster: Arc<str>,
    /// The path of the datacenter, without the root folder; `ha-datacenter` on a host.
    pub datacenter: Arc<str>,
    /// The path of the folder within the datacenter; empty for its top, and for the domains of a vApp.
    pub folder: Arc<str>,
    /// The resource pool's name.
    pub resource_pool: Arc<str>,
    /// The VMX file: `[ssd] web01/web01.vmx`.
    pub config_file: String,
    /// The name of the datastore of the VMX file.
    pub datastore: String,

    /// The number of processors.
    pub vcpus: u32,
    /// The configured memory.
    pub max_memory_kib: u64,
    /// The memory that the balloon leaves to the guest: libvirt's `balloon.current`. The configured one without a balloon.
    pub memory_kib: u64,
    /// The guest's operating system, as configured: `Debian GNU/Linux 12 (64-bit)`.
    pub guest_os: String,
    /// What the host lets it use at most.
    pub max_cpu_mhz: Option<u64>,
    /// When it was started, by the host's clock.
    pub boot_time: Option<DateTime>,
    /// Bytes of its files. The server may have counted them hours ago.
    pub committed_bytes: Option<u64>,
    /// Bytes by which its thin disks may still grow.
    pub uncommitted_bytes: Option<u64>,
    /// Whether its disks have files to be consolidated.
    pub needs_consolidation: bool,

    /// What the host says about its use of resources.
    pub usage: DomainUsage,
    /// What the guest's tools say.
    pub guest: MonitoredGuest,
    /// The question that it waits for.
    pub question: Option<Question>,
    /// Its snapshots, each before its children.
    pub snapshots: Vec<MonitoredSnapshot>,
    /// Its triggered alarms.
    pub alarms: Vec<MonitoredAlarm>,

    /// When the newest sample was taken, by the host's clock; `None` if there is none.
    pub sampled: Option<DateTime>,
    /// The newest sample, by counter.
    pub counters: Vec<CounterValue>,
    /// Total time of its processors: libvirt's `cpu.time`.
    pub cpu_time_ns: Option<u64>,
    /// Total time of the host's kernel for it: libvirt's `cpu.system`.
    pub cpu_system_ns: Option<u64>,
    /// Its processors; empty without samples of devices.
    pub processors: Vec<MonitoredVcpu>,
    /// Its disks, in the order of libvirt's definition.
    pub disks: Vec<MonitoredDisk>,
    /// Its network interfaces.
    pub interfaces: Vec<MonitoredInterface>,
}

impl MonitoredDomain {
    /// The newest value of a counter, in the API's unit.
    pub fn counter(&self, name: &str) -> Option<i64> {
        value_of(&self.counters, name)
    }

    /// Used processor time as a part of all its processors' time, 0 to 1: by the newest sample, or else by `usage` and
    /// `max_cpu_mhz`.
    pub fn cpu_ratio(&self) -> Option<f64> {
        if let Some(hundredths) = self.counter("cpu.usage.average") {
            return Some(hundredths as f64 / 10_000.0);
        }
        let most = self.max_cpu_mhz.filter(|most| *most > 0)?;
        Some(self.usage.cpu_mhz? as f64 / most as f64)
    }

    /// Bytes read from disks a second, of all of them.
    pub fn read_bytes_rate(&self) -> Option<f64> {
        let disks = self.disks.iter().map(|disk| disk.read_bytes_rate);
        sum(disks).or_else(|| self.kilobytes("disk.read.average"))
    }

    /// Bytes written to disks a second, of all of them.
    pub fn write_bytes_rate(&self) -> Option<f64> {
        let disks = self.disks.iter().map(|disk| disk.write_bytes_rate);
        sum(disks).or_else(|| self.kilobytes("disk.write.average"))
    }

    /// Bytes received a second, by all interfaces.
    pub fn rx_bytes_rate(&self) -> Option<f64> {
        let cards = self.interfaces.iter().map(|card| card.rx_bytes_rate);
        sum(cards).or_else(|| self.kilobytes("net.received.average"))
    }

    /// Bytes sent a second, by all interfaces.
    pub fn tx_bytes_rate(&self) -> Option<f64> {
        let cards = self.interfaces.iter().map(|card| card.tx_bytes_rate);
        sum(cards).or_else(|| self.kilobytes("net.transmitted.average"))
    }

    /// A counter of kilobytes a second, in bytes.
    fn kilobytes(&self, counter: &str) -> Option<f64> {
        self.counter(counter).map(|value| value as f64 * 1024.0)
    }
}

/// The sum of those that are known; `None` if none is.
fn sum(rates: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    rates.flatten().reduce(|sum, rate| sum + rate)
}

/// How a domain uses its host's resources: the host's own statistics (`summary.quickStats`), which it renews every 20
/// seconds. All are `None` for a domain that does not run.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct DomainUsage {
    /// Used processor time, in cycles.
    pub cpu_mhz: Option<u64>,
    /// What it would use if nothing limited it.
    pub cpu_demand_mhz: Option<u64>,
    /// The part of the time in which it could run and got no processor, 0 to 1 (hosts since 7.0).
    pub cpu_readiness_ratio: Option<f64>,
    /// Memory that the guest has touched recently.
    pub guest_memory_kib: Option<u64>,
    /// Memory that it takes of the host: libvirt's `balloon.rss`.
    pub host_memory_kib: Option<u64>,
    /// Memory that the balloon has taken from the guest.
    pub ballooned_kib: Option<u64>,
    /// Memory that the host has swapped out.
    pub swapped_kib: Option<u64>,
    /// Memory that the host has compressed.
    pub compressed_kib: Option<u64>,
    /// Memory that it shares with others.
    pub shared_kib: Option<u64>,
    /// Memory that it shares with nobody.
    pub private_kib: Option<u64>,
    /// Memory that the host needs for running it.
    pub overhead_kib: Option<u64>,
    /// Time since it was started.
    pub uptime_seconds: Option<u64>,
}

/// What a guest's tools say. Empty if they have never run.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct MonitoredGuest {
    /// `guestToolsRunning`, `guestToolsNotRunning`, `guestToolsExecutingScripts`.
    pub tools_running: Option<String>,
    /// Their version: `12352`.
    pub tools_version: Option<String>,
    /// How their version is: `guestToolsCurrent`, `guestToolsNeedUpgrade`, `guestToolsNotInstalled` …
    pub tools_version_status: Option<String>,
    /// Both in one word of older APIs: `toolsOk`, `toolsOld`, `toolsNotRunning`, `toolsNotInstalled`.
    pub tools_status: Option<String>,
    /// `running`, `notRunning`, `standby`, `shuttingDown`, `resetting`, `unknown`.
    pub state: Option<String>,
    /// The guest's name.
    pub host_name: Option<String>,
    /// Its first address.
    pub ip_address: Option<String>,
    /// The mounted file systems.
    pub disks: Vec<MonitoredGuestDisk>,
}

/// A mounted file system of a guest.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct MonitoredGuestDisk {
    /// Where it is mounted: `/`, `C:\`.
    pub path: String,
    /// Its size.
    pub capacity_bytes: u64,
    /// What is free of it.
    pub free_bytes: u64,
}

/// A snapshot of a domain.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct MonitoredSnapshot {
    /// Its name, as libvirt has it.
    pub name: String,
    /// When it was made, by the host's clock.
    pub created: DateTime,
    /// How many snapshots are above it.
    pub depth: u32,
}
