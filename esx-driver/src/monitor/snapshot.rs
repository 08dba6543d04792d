//! What a monitor knows of a server at one moment.

mod device;
mod domain;
mod entity;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use vi_types::DateTime;
use vi_types::ManagedObjectReference;
use vi_types::enums::ManagedEntityStatus;

pub use self::device::{MonitoredDisk, MonitoredInterface, MonitoredVcpu};
pub use self::domain::{
    DomainUsage, MonitoredDomain, MonitoredGuest, MonitoredGuestDisk, MonitoredSnapshot,
};
pub use self::entity::{
    MonitoredDatastore, MonitoredHost, MonitoredResourcePool, ResourcePoolUsage,
};
use crate::Error;

/// A picture of a server: everything that a [`Monitor`](super::Monitor) knows at one moment.
///
/// Numbers have their units in their names: `_kib` are 1,024 bytes as in libvirt, `_mhz` 1,000,000 cycles a second. What the
/// server does not tell is `None`. Programs make snapshots of their own for tests by changing [`MonitorSnapshot::default`].
///
/// **Rates** are those of the newest sample that the server has, which is the mean of 20 seconds. **Totals** are made by the
/// monitor, since the API has no counters that only grow: they begin at 0 with the monitor, each sample is added once, and
/// they never become smaller. A sample that the server no longer has (it keeps an hour) is not invented.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct MonitorSnapshot {
    /// The number of the snapshot: each has a larger one than those before it.
    pub number: u64,
    /// When it was made, by this machine's clock.
    pub time: SystemTime,
    /// Whether the server can be reached.
    pub connection: MonitorConnection,
    /// The last poll: when it was, and what it cost.
    pub poll: MonitorPoll,
    /// How many requests the connection has made since the monitor began, also those of others.
    pub requests: u64,
    /// The domains, by name.
    pub domains: Vec<Arc<MonitoredDomain>>,
    /// The hosts, by name.
    pub hosts: Vec<Arc<MonitoredHost>>,
    /// The datastores, which are libvirt's storage pools, by name.
    pub datastores: Vec<Arc<MonitoredDatastore>>,
    /// The resource pools, by name.
    pub resource_pools: Vec<Arc<MonitoredResourcePool>>,
}

impl MonitorSnapshot {
    /// How old the polled numbers were at `now`; `None` before the first poll.
    pub fn age(&self, now: SystemTime) -> Option<Duration> {
        let time = self.poll.time?;
        // A clock that was set back.
        Some(now.duration_since(time).unwrap_or_default())
    }

    /// The domain of that virtual machine.
    pub fn domain(&self, moref: &ManagedObjectReference) -> Option<&Arc<MonitoredDomain>> {
        self.domains.iter().find(|domain| domain.moref == *moref)
    }
}

impl Default for MonitorSnapshot {
    /// Nothing, made in 1970.
    fn default() -> Self {
        Self {
            number: 0,
            time: SystemTime::UNIX_EPOCH,
            connection: MonitorConnection::default(),
            poll: MonitorPoll::default(),
            requests: 0,
            domains: Vec::new(),
            hosts: Vec::new(),
            datastores: Vec::new(),
            resource_pools: Vec::new(),
        }
    }
}

/// Whether a monitor reaches its server.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub enum MonitorConnection {
    /// The last requests were answered.
    #[default]
    Connected,
    /// The server does not answer, or refuses. The snapshot has what was known before. The monitor goes on trying.
    Lost {
        /// When that was noticed, by this machine's clock.
        since: SystemTime,
        /// The last error.
        error: Arc<Error>,
    },
}

impl MonitorConnection {
    /// The error, if the server is lost.
    pub fn error(&self) -> Option<&Arc<Error>> {
        match self {
            Self::Connected => None,
            Self::Lost { error, .. } => Some(error),
        }
    }
}

/// The last poll of a monitor that was answered: the numbers of which the server reports no changes.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct MonitorPoll {
    /// How many polls were answered, with this one.
    pub number: u64,
    /// When it was answered, by this machine's clock; `None` before the first one.
    pub time: Option<SystemTime>,
    /// How long it took.
    pub duration: Duration,
    /// How many requests the connection made meanwhile, also those of others.
    pub requests: u64,
    /// How many bytes of answers it received meanwhile, uncompressed.
    pub bytes: u64,
    /// How many samples of counters were new.
    pub samples: u64,
    /// Why there are no counters or not all, if there are none or not all.
    pub problem: Option<Arc<Error>>,
}

/// An alarm that a vCenter has triggered for an object.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct MonitoredAlarm {
    /// The vCenter's reference of the alarm: `alarm-6`.
    pub alarm: String,
    /// How bad it is: yellow or red.
    pub status: ManagedEntityStatus,
    /// When it was triggered, by the vCenter's clock.
    pub time: DateTime,
    /// Whether somebody has acknowledged it.
    pub acknowledged: bool,
}

/// The newest value of a performance counter of a whole object, in the API's unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct CounterValue {
    /// The counter: `cpu.ready.summation`.
    pub counter: &'static str,
    /// The value: percents are hundredths of one, kilobytes 1,024 bytes; a summation is that of 20 seconds.
    pub value: i64,
}

/// The value of a counter among `values`.
fn value_of(values: &[CounterValue], counter: &str) -> Option<i64> {
    let found = values.iter().find(|value| value.counter == counter);
    found.map(|found| found.value)
}
