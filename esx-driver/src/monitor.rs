//! A live picture of a server: what a monitoring system, or a table that people look at, needs of all its domains, hosts,
//! datastores and resource pools.

mod counters;
mod inventory;
mod measure;
mod picture;
mod query;
mod runner;
mod samples;
mod snapshot;
mod table;
mod usage;
mod watched;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{oneshot, watch};

pub use self::snapshot::{
    CounterValue, DomainUsage, MonitorConnection, MonitorPoll, MonitorSnapshot, MonitoredAlarm,
    MonitoredDatastore, MonitoredDisk, MonitoredDomain, MonitoredGuest, MonitoredGuestDisk,
    MonitoredHost, MonitoredInterface, MonitoredResourcePool, MonitoredSnapshot, MonitoredVcpu,
    ResourcePoolUsage,
};
use crate::{Connect, Domain, Result};

/// What a [`Monitor`] is to know, and how often it asks for numbers.
///
/// ```
/// use std::time::Duration;
/// use esx_driver::MonitorOptions;
///
/// let mut options = MonitorOptions::default();
/// options.interval = Duration::from_secs(60);
/// options.resource_pools = false;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MonitorOptions {
    /// How often numbers are read of which the server reports no changes (default: 20 seconds, in which hosts renew them).
    /// Counters are read every 20 seconds at most.
    pub interval: Duration,
    /// Counters of whole domains and hosts: [`MonitoredDomain::counters`] and the totals of processor time.
    pub counters: bool,
    /// Disks, network interfaces and processors of domains, with their counters if there are `counters`.
    pub devices: bool,
    /// What the tools in guests say: [`MonitoredDomain::guest`].
    pub guests: bool,
    /// Snapshots of domains.
    pub snapshots: bool,
    /// Alarms of domains.
    pub alarms: bool,
    /// Datastores.
    pub datastores: bool,
    /// Resource pools.
    pub resource_pools: bool,
}

impl Default for MonitorOptions {
    /// Everything, every 20 seconds.
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(20),
            counters: true,
            devices: true,
            guests: true,
            snapshots: true,
            alarms: true,
            datastores: true,
            resource_pools: true,
        }
    }
}

impl MonitorOptions {
    /// What a table of domains needs, every `interval`: states, questions, use of processors and memory, rates of disks and
    /// networks.
    pub fn table(interval: Duration) -> Self {
        Self {
            interval,
            guests: false,
            snapshots: false,
            alarms: false,
            datastores: false,
            resource_pools: false,
            ..Self::default()
        }
    }
}

/// A live picture of a server, kept up to date in the background: all domains, hosts, datastores and resource pools of the
/// host or, on a vCenter, of all its hosts.
///
/// The server reports changes of properties as they happen. What it does not report is read at an
/// [interval](MonitorOptions::interval): the hosts' statistics with one request (one a page if the server answers in pages),
/// counters with one request for about a thousand domains. So a server with 2,000 domains gets less than 12 requests a
/// minute, and one for each batch of changes.
///
/// A lost server is no error: the [snapshot](MonitorSnapshot::connection) says so, and the monitor goes on when the server is
/// back.
///
/// ```no_run
/// # async fn run(connect: &esx_driver::Connect) -> esx_driver::Result<()> {
/// use esx_driver::{Monitor, MonitorOptions};
///
/// let monitor = Monitor::start(connect, MonitorOptions::default()).await?;
/// let mut snapshot = monitor.snapshot();
/// while let Some(next) = monitor.changed(snapshot.number).await {
///     snapshot = next;
///     for domain in &snapshot.domains {
///         tracing::info!(domain.name, state = %domain.state, cpu = domain.cpu_ratio());
///     }
/// }
/// # Ok(()) }
/// ```
///
/// A monitor that is dropped ends in the background.
pub struct Monitor {
    connect: Connect,
    snapshots: watch::Receiver<Arc<MonitorSnapshot>>,
    /// Dropping it ends the background task.
    stop: oneshot::Sender<()>,
    task: tokio::task::JoinHandle<()>,
}

impl Monitor {
    /// Starts to watch a server, and returns when everything was read once.
    ///
    /// # Errors
    /// Those of the requests: nothing of the server is known then. Counters that cannot be read are no error, see
    /// [`MonitorPoll::problem`].
    pub async fn start(connect: &Connect, options: MonitorOptions) -> Result<Monitor> {
        let runner = runner::Runner::start(connect.clone(), options).await?;
        let snapshots = runner.snapshots();
        let (stop, is_stopped) = oneshot::channel();
        let task = tokio::spawn(runner.run(is_stopped));
        Ok(Monitor {
            connect: connect.clone(),
            snapshots,
            stop,
            task,
        })
    }

    /// What is known now. Never asks the server.
    pub fn snapshot(&self) -> Arc<MonitorSnapshot> {
        self.snapshots.borrow().clone()
    }

    /// Waits for a snapshot that is newer than number `seen`; `None` if there will be none, because the monitor has ended.
    pub async fn changed(&self, seen: u64) -> Option<Arc<MonitorSnapshot>> {
        let mut snapshots = self.snapshots.clone();
        let newer = snapshots.wait_for(|snapshot| snapshot.number > seen).await;
        newer.ok().map(|snapshot| snapshot.clone())
    }

    /// The connection that is watched.
    pub fn connect(&self) -> &Connect {
        &self.connect
    }

    /// The domain of a snapshot as a handle, to do something with it.
    pub fn domain(&self, domain: &MonitoredDomain) -> Domain {
        Domain::new(
            &self.connect,
            domain.moref.clone(),
            &domain.name,
            domain.uuid,
            domain.id,
        )
    }

    /// Ends watching, and returns when the server has forgotten it.
    pub async fn close(self) {
        drop(self.stop);
        if let Err(error) = self.task.await {
            tracing::warn!(%error, "a monitor ended early");
        }
    }
}

impl fmt::Debug for Monitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Monitor")
            .field("connect", &self.connect)
            .field("snapshot", &self.snapshots.borrow().number)
            .finish_non_exhaustive()
    }
}
