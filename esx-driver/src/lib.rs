//! libvirt's ESX driver: domains, snapshots, networks, storage and events of VMware ESX(i) hosts and vCenters.
//!
//! ```no_run
//! use esx_driver::{Connect, EsxUri, auth::NoPrompts, virt_model::DomainFilter};
//!
//! # async fn run() -> esx_driver::Result<()> {
//! let uri: EsxUri = "esx://root@esx1.example.com/".parse()?;
//! let connect = Connect::open(&uri, &NoPrompts).await?;
//! for entry in connect.list_all_domains(DomainFilter::ACTIVE).await? {
//!     tracing::info!(name = entry.domain.name(), state = %entry.state);
//! }
//! connect.close().await?;
//! # Ok(()) }
//! ```
//!
//! The futures run on tokio, in a runtime with its network and clock (`enable_all`, or `#[tokio::main]` with tokio's features `macros`
//! and `rt`).
//!
//! - An [`EsxUri`] names a server; [`auth`] supplies the credentials.
//! - A [`Connect`] is a connection to a server and one host of it.
//! - [`Domain`], [`DomainSnapshot`], [`Network`], [`Interface`], [`NodeDevice`], [`StoragePool`] and [`StorageVol`] are
//!   handles: cheap clones that talk to the server.
//! - A [`Secret`] is a password that definitions name; the connection keeps it in memory.
//! - [`DomainEvents`] tells callbacks and streams what happens to domains.
//! - A [`Connect`] also has what libvirt does not: the host's [health](Connect::host_health),
//!   [licences](Connect::host_licenses), [logs](Connect::host_logs), [services](Connect::host_services),
//!   [firewall](Connect::host_firewall) and [clock](Connect::host_time).
//! - A [`History`] is what the host has written about everything that happened.
//! - A [`Monitor`] has a live picture of a server, with measurements.
//! - Every call that changes something returns an [`Operation`], which runs when it is awaited; [`bulk`] runs many.
//! - A [`policy`] answers the host's [questions](question) while an operation runs.
//! - An [`Error`] has a kind to match on, libvirt's error number, and libvirt's wording where libvirt has one.
//!
//! Names, numbers and texts are libvirt's; their types are in [`virt_model`].
//!
//! # Differences from libvirt's ESX driver
//!
//! What libvirt's driver has works as there, and much else exists; `docs/differences.md` in the repository lists where
//! something is deliberately different, and why. `docs/parity.md` lists libvirt's functions. What a reader has to know:
//!
//! - A handle keeps the server's reference, so domains with the same UUID, or snapshots of the same name, are not confused.
//! - A call that changes something is sent once. If there is no reply, the driver looks for what came of it; the error
//!   [`ErrorKind::InDoubt`] says that nobody knows.
//! - There are no managed saves: [suspending](Domain::suspend) a domain writes its memory to disk, and libvirt's ESX driver
//!   calls that paused.
//! - For the differences of URIs see [`EsxUri`].

pub mod auth;
pub mod bulk;
mod connect;
mod datastore;
mod derived_uuid;
mod document;
mod domain;
mod engine;
mod error;
mod event;
mod history;
mod host;
mod interface;
mod inventory;
mod monitor;
mod near;
mod network;
mod node_device;
mod operation;
pub mod policy;
pub mod question;
mod secret;
mod snapshot;
mod storage_pool;
mod storage_volume;
mod store;
mod undo;
mod uri;

pub use connect::{Connect, OpenOptions};
pub use datastore::{
    DatastorePath, DownloadOptions, FileDownload, Piece, Sha256, UploadOptions, Uploaded,
};
pub use domain::{
    AutostartSettings, CloneOptions, Domain, DomainConfiguration, DomainEntry, DomainList,
    DomainPower, DomainRow, DomainSize, DomainStatsRecord, MigrateParameters, MigratePriority,
    NoProperties, Screenshot, SkippedDomain,
};
pub use engine::{Progress, ProgressState};
pub use error::{Error, ErrorKind, Result, What};
pub use event::{
    CallbackId, Deregistered, DomainEvent, DomainEventDetail, DomainEventStream, DomainEvents,
    Event, EventStream, Events, NetworkEvent, NetworkEventDetail, NetworkEvents, NodeDeviceEvent,
    NodeDeviceEventDetail, NodeDeviceEvents, QuestionEvent, SecretEvent, SecretEventDetail,
    SecretEvents, StoragePoolEvent, StoragePoolEventDetail, StoragePoolEvents,
};
pub use history::{History, HistoryEvent, HistoryFilter, HistoryFollow, HistoryValue};
pub use host::{
    HealthReading, HealthState, HostClock, HostElement, HostElementKind, HostFirewall,
    HostFirewallAllowed, HostFirewallDirection, HostFirewallPort, HostFirewallRule,
    HostFirewallRuleset, HostHealth, HostLicense, HostLicenseFeature, HostLog, HostLogFollow,
    HostLogLines, HostMaintenance, HostSensor, HostService, HostServicePolicy, HostTime,
    HostTimeTest, LicenseKey, MaintenanceDomain, MaintenanceException, MaintenanceObstacle,
    MaintenanceOptions, MaintenanceState, VsanEvacuation,
};
pub use interface::Interface;
pub use monitor::{
    CounterValue, DomainUsage, Monitor, MonitorConnection, MonitorOptions, MonitorPoll,
    MonitorSnapshot, MonitoredAlarm, MonitoredDatastore, MonitoredDisk, MonitoredDomain,
    MonitoredGuest, MonitoredGuestDisk, MonitoredHost, MonitoredInterface, MonitoredResourcePool,
    MonitoredSnapshot, MonitoredVcpu, ResourcePoolUsage,
};
pub use network::Network;
pub use node_device::{NodeDevice, Passthrough};
pub use operation::Operation;
pub use secret::Secret;
pub use snapshot::{DomainSnapshot, SnapshotEntry};
pub use storage_pool::{StoragePool, StoragePoolEntry};
pub use storage_volume::{StorageVol, StorageVolEntry};
pub use store::{FolderStore, Store};
pub use uri::{EsxUri, Scheme, Transport, VCenter};

pub use futures_core::Stream;
pub use vi_client::UploadSource;
pub use vi_client::{self, vi_types};
pub use virt_model;
pub use virt_model::flags::{
    BlockResizeFlags, CreateFlags, DefineFlags, DestroyFlags, DeviceModifyFlags, MigrateFlags,
    RebootFlags, ShutdownFlags, UndefineFlags,
};

/// The README's example is compiled as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
