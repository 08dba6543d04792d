//! libvirt's ESX driver: domains of VMware ESX(i) hosts and vCenters.
//!
//! ```no_run
//! use esx_driver::{Connect, EsxUri, auth::NoQuestions, virt_model::DomainFilter};
//!
//! # async fn run() -> esx_driver::Result<()> {
//! let uri: EsxUri = "esx://root@esx1.example.com/".parse()?;
//! let connect = Connect::open(&uri, &NoQuestions).await?;
//! for entry in connect.list_all_domains(DomainFilter::ACTIVE).await? {
//!     tracing::info!(name = entry.domain.name(), state = %entry.state);
//! }
//! connect.close().await?;
//! # Ok(()) }
//! ```
//!
//! - [`EsxUri`] says which server, [`auth`] who logs in;
//! - [`Connect`] is a connection: the server, its host, the host's domains;
//! - [`Domain`] is one domain;
//! - [`Operation`] is something that is done to a domain, and may take time;
//! - [`question`] says who answers the host's questions meanwhile;
//! - [`bulk`] does something to many domains;
//! - [`Error`] says why something failed, in libvirt's words and numbers where it has them.
//!
//! Names, numbers and texts are libvirt's; [`virt_model`] has its values.
//!
//! # Not as in libvirt, on purpose
//!
//! - libvirt asks before every call whether the session is still there, and looks a domain up by
//!   its UUID first. Here a session that has ended is renewed when a call finds that out, and a
//!   domain is known by the server's reference.
//! - Capabilities are read when they are asked for, not when a connection is opened.
//! - [`Connect::is_alive`] asks the server.
//! - Every name in the path of a `vpx://` URI must be there; libvirt passes over those it does not
//!   find. Names are found with `/`, `\` and `%` hidden as the server has them, and as people write
//!   them.
//! - A domain keeps its UUID while its virtual machine's status is not green, if the server gives
//!   it.
//! - Listings say which virtual machines they [leave out](DomainList::skipped); a name that cannot
//!   be read hinders no search for another.
//! - The checkpoint filters of listings are heeded: there are no checkpoints.
//! - Servers older than API 4.0 have no instance UUIDs: their domains are identified as with
//!   `legacy_uuid=1`.
//! - A question is seen at once while a task is waited for, and its text is what is reported, whatever comes of the
//!   attempt to cancel the task; what became of the task is the error's [advice](Error::advice). A task that a question
//!   blocked before the call is waited for once the question is answered, as libvirt's README has it; its code reports
//!   it as pending.
//! - Nothing is started twice: without a reply to the call that starts a task the task is looked for, and if it is not
//!   found the error is [`ErrorKind::InDoubt`].
//! - There are no managed saves: [suspending](Domain::suspend) a domain writes its memory to disk, and libvirt's ESX
//!   driver calls that paused. [`Domain::has_managed_save_image`] is always false.
//! - What [`EsxUri`] says of URIs.

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
pub use domain::{AutostartSettings, Domain, DomainEntry, DomainList, SkippedDomain};
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
    CreateFlags, DefineFlags, DestroyFlags, RebootFlags, ShutdownFlags, UndefineFlags,
};
