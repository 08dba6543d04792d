//! libvirt's ESX driver: domains, snapshots, networks and events of VMware ESX(i) hosts and vCenters.
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
//! - An [`EsxUri`] names a server; [`auth`] supplies the credentials.
//! - A [`Connect`] is a connection to a server and one host of it.
//! - [`Domain`], [`DomainSnapshot`] and [`Network`] are handles: cheap clones that talk to the server.
//! - [`DomainEvents`] is a stream of what happens to domains.
//! - Every call that changes something returns an [`Operation`], which runs when it is awaited; [`bulk`] runs many.
//! - A [`policy`] answers the host's [questions](question) while an operation runs.
//! - An [`Error`] has a kind to match on, libvirt's error number, and libvirt's wording where libvirt has one.
//!
//! Names, numbers and texts are libvirt's; their types are in [`virt_model`].
//!
//! # Differences from libvirt's ESX driver
//!
//! Connections:
//! - Before every call libvirt checks that the session exists, and looks the domain up by its UUID. Here a call that
//!   finds the session expired logs in again, and a handle keeps the server's reference.
//! - Capabilities are read when they are asked for, not when the connection is opened.
//! - [`Connect::is_alive`] sends a request to the server.
//! - Every name in the path of a `vpx://` URI must exist; libvirt skips names that do not. Names match whether or not
//!   `/`, `\` and `%` in them are escaped as the server escapes them.
//! - For the differences of URIs see [`EsxUri`].
//!
//! Domains:
//! - A domain keeps its UUID while the status of its virtual machine is not green, if the server returns the UUID.
//! - Lists name the virtual machines that they [leave out](DomainList::skipped). An unreadable name does not stop the
//!   search for another name.
//! - Lists obey the checkpoint filters: no domain has a checkpoint.
//! - Servers older than API 4.0 have no instance UUIDs. Their domains are identified as with `legacy_uuid=1`.
//! - There are no managed saves. [Suspending](Domain::suspend) a domain writes its memory to disk; libvirt's ESX driver
//!   calls that paused. [`Domain::has_managed_save_image`] is always false.
//!
//! Operations:
//! - A question that comes up while a task runs is seen at once. The error has the question's text, whether or not the
//!   task could be cancelled; its [advice](Error::advice) says what became of the task.
//! - A task that a question blocked before the call is awaited once the question is answered, as libvirt's README says;
//!   libvirt's code reports it as pending.
//! - A task is started once. If the call that starts it gets no reply, the driver looks for the task; if it finds none,
//!   the error is [`ErrorKind::InDoubt`].
//!
//! Snapshots, networks, events:
//! - A snapshot is identified by the server's reference, so snapshots of the same name are told apart.
//! - A pending question or task of the domain stops [reverting](DomainSnapshot::revert) to a snapshot and
//!   [deleting](DomainSnapshot::delete) one; libvirt checks that only before it takes a snapshot.
//! - [`Domain::list_all_snapshots`] and [`Connect::domain_events`] exist; libvirt's ESX driver has neither.
//! - A port group whose name the server escapes (`a/b`) is listed in its network's document; libvirt leaves it out.
//! - Switches, snapshots and port groups that the user may not read are an error; libvirt reports that there are none.

pub mod auth;
pub mod bulk;
mod connect;
mod datastore;
mod document;
mod domain;
mod engine;
mod error;
mod event;
mod inventory;
mod near;
mod network;
mod operation;
pub mod policy;
pub mod question;
mod snapshot;
mod uri;

pub use connect::{Connect, OpenOptions};
pub use datastore::DatastorePath;
pub use domain::{
    AutostartSettings, CloneOptions, Domain, DomainEntry, DomainList, DomainStatsRecord,
    MigrateParameters, MigratePriority, Screenshot, SkippedDomain,
};
pub use engine::{Progress, ProgressState};
pub use error::{Error, ErrorKind, Result, What};
pub use event::{DomainEvents, DomainLifecycleEvent};
pub use network::Network;
pub use operation::Operation;
pub use snapshot::{DomainSnapshot, SnapshotEntry};
pub use uri::{EsxUri, Scheme, Transport, VCenter};

pub use futures_core::Stream;
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
