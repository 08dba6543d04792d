//! Hosts, datastores and resource pools in a snapshot.

use std::sync::Arc;

use vi_types::enums::{HostSystemConnectionState, HostSystemPowerState, ManagedEntityStatus};
use vi_types::{DateTime, ManagedObjectReference};

use super::{CounterValue, MonitoredAlarm, value_of};

/// A host of a server.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct MonitoredHost {
    /// The server's reference.
    pub moref: ManagedObjectReference,
    /// The name in the inventory.
    pub name: Arc<str>,
    /// The name of its cluster; empty if it is in none.
    pub cluster: Arc<str>,
    /// The path of the datacenter, without the root folder.
    pub datacenter: Arc<str>,
    /// Whether the vCenter reaches it.
    pub connection_state: HostSystemConnectionState,
    /// Whether it is on.
    pub power_state: HostSystemPowerState,
    /// `none`, `entering`, `exiting` or `in`.
    pub standby_mode: Option<String>,
    /// Whether it is in maintenance mode.
    pub in_maintenance: bool,
    /// How it is, in the server's colours.
    pub status: ManagedEntityStatus,
    /// When it was started, by its clock.
    pub boot_time: Option<DateTime>,

    /// The manufacturer.
    pub vendor: String,
    /// The model.
    pub model: String,
    /// The kind of processors.
    pub cpu_model: String,
    /// The UUID of its hardware.
    pub uuid: String,
    /// The product: `VMware ESXi 8.0.2 build-22380479`.
    pub product: String,
    /// The product's version: `8.0.2`.
    pub version: String,
    /// The product's build: `22380479`.
    pub build: String,
    /// Processors in sockets.
    pub cpu_packages: u32,
    /// Cores of all processors.
    pub cpu_cores: u32,
    /// Threads of all cores.
    pub cpu_threads: u32,
    /// The frequency of a core.
    pub core_mhz: u64,
    /// The memory.
    pub memory_bytes: u64,

    /// Used processor time of all cores, in cycles.
    pub cpu_usage_mhz: Option<u64>,
    /// Used memory.
    pub memory_usage_kib: Option<u64>,
    /// Time since it was started.
    pub uptime_seconds: Option<u64>,
    /// The number of domains on it.
    pub domains: u32,
    /// Its triggered alarms.
    pub alarms: Vec<MonitoredAlarm>,
    /// When the newest sample was taken, by its clock; `None` if there is none.
    pub sampled: Option<DateTime>,
    /// The newest sample, by counter.
    pub counters: Vec<CounterValue>,
}

impl MonitoredHost {
    /// Whether it is on and can be reached, so that there is something to measure.
    pub(in crate::monitor) fn is_measured(&self) -> bool {
        self.connection_state == HostSystemConnectionState::Connected
            // Hosts before API 2.5 do not tell.
            && self.power_state != HostSystemPowerState::PoweredOff
            && self.power_state != HostSystemPowerState::StandBy
    }

    /// The newest value of a counter, in the API's unit.
    pub fn counter(&self, name: &str) -> Option<i64> {
        value_of(&self.counters, name)
    }

    /// What all cores can do together.
    pub fn max_cpu_mhz(&self) -> u64 {
        self.core_mhz * u64::from(self.cpu_cores)
    }
}

/// A datastore of a server: libvirt's storage pool.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct MonitoredDatastore {
    /// The server's reference.
    pub moref: ManagedObjectReference,
    /// The name.
    pub name: Arc<str>,
    /// The path of the datacenter, without the root folder.
    pub datacenter: Arc<str>,
    /// The name of the cluster of datastores that it is in; empty if it is in none.
    pub cluster: Arc<str>,
    /// `VMFS`, `NFS`, `vsan` …
    pub kind: String,
    /// The server's locator: `ds:///vmfs/volumes/…/`.
    pub url: String,
    /// Its size.
    pub capacity_bytes: u64,
    /// What is free of it.
    pub free_bytes: u64,
    /// By how much thin disks on it may still grow.
    pub uncommitted_bytes: Option<u64>,
    /// Whether a host reaches it. If not, the sizes are those of before.
    pub is_accessible: bool,
    /// `normal`, `enteringMaintenance` or `inMaintenance`.
    pub maintenance_mode: Option<String>,
    /// How it is, in the server's colours.
    pub status: ManagedEntityStatus,
    /// How many hosts have mounted it.
    pub hosts: u32,
    /// How many domains have files on it.
    pub domains: u32,
    /// Its triggered alarms.
    pub alarms: Vec<MonitoredAlarm>,
}

/// A resource pool of a server.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct MonitoredResourcePool {
    /// The server's reference.
    pub moref: ManagedObjectReference,
    /// The name; that of the pool at the top is `Resources`.
    pub name: Arc<str>,
    /// The names of the pools above it and its own, with slashes between them.
    pub path: Arc<str>,
    /// The name of its cluster or, outside of clusters, of its host.
    pub owner: Arc<str>,
    /// The path of the datacenter, without the root folder.
    pub datacenter: Arc<str>,
    /// How it is, in the server's colours.
    pub status: ManagedEntityStatus,
    /// Its processor time, in MHz.
    pub cpu_mhz: ResourcePoolUsage,
    /// Its memory, in bytes.
    pub memory_bytes: ResourcePoolUsage,
    /// The number of domains in it, without those in pools below.
    pub domains: u32,
    /// Its triggered alarms.
    pub alarms: Vec<MonitoredAlarm>,
}

/// How a resource pool uses a resource.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct ResourcePoolUsage {
    /// What is used now.
    pub usage: u64,
    /// What can be used at most.
    pub limit: u64,
    /// What is reserved for it.
    pub reservation: u64,
    /// What of the reservation is given to domains and pools in it.
    pub reservation_used: u64,
    /// What of the reservation a domain can still get.
    pub reservation_left: u64,
}
