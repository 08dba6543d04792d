#![doc = include_str!("../README.md")]
//! # Faults and typed references
//!
//! A reference of [`vi_types::references`] has the API's methods as functions, which make requests, and [`match_fault!`]
//! matches the faults that a method declares:
//!
//! ```no_run
//! use vi_client::{Client, Error, match_fault};
//! use vi_client::vi_types::{ManagedObjectReference, methods, objects, references};
//!
//! # async fn run(client: &Client, found: ManagedObjectReference) -> Result<(), Error> {
//! let Some(vm) = references::VirtualMachine::from_moref(found) else { return Ok(()) };
//! if let Err(error) = client.run(&vm.power_on_vm_task()).await {
//!     match_fault!(&error, methods::PowerOnVmTask {
//!         objects::TaskInProgress as fault => tracing::info!(task = %fault.task, "another task is running"),
//!         objects::InvalidState as _ => tracing::info!("already running"),
//!         _ => return Err(error),
//!     });
//! }
//! # Ok(()) }
//! ```
//!
//! A call that needs a newer version of the API than the server's is not sent: [`Error::TooNew`] names the feature.
//!
//! # Contents
//!
//! - [`Client`]: calls, login, renewal of the session;
//! - [`retrieve`]: reading properties of one object or of many;
//! - [`task`]: starting tasks and waiting for them;
//! - [`Watch`]: changes of properties, as they happen;
//! - [`event_history`]: what has happened on the server, page by page, and what happens; [`ObjectWatch`]: the same as a [`PropertySet`](retrieve::PropertySet),
//!   with a shared snapshot;
//! - [`Files`]: files on datastores, streamed in both directions;
//! - [`bounded`]: files of this computer, read up to a limit;
//! - [`transport`]: HTTP(S), a function in the same process, a recording.

pub mod bounded;
mod client;
mod error;
pub mod event_history;
mod limits;
mod password;
pub mod retrieve;
mod rounds;
mod since;
pub mod task;
pub mod transport;
mod version;
mod watch;

pub use client::{
    Client, DatastoreFile, Download, FileHead, FilePart, FileRange, FileVersion, Files, Options,
    Sent, Traffic, UploadSource,
};
pub use error::{Error, UnexpectedResponse};
pub use limits::Limits;
pub use password::Password;
pub use rounds::Rounds;
pub use since::{Feature, TooNew};
pub use version::{ApiVersion, Negotiation};
pub use watch::{Connection, ConnectionState, ObjectChange, ObjectWatch, Watch, WatchedObjects};

// The crates whose types are in this crate's signatures, so that users need no dependency of the same version.
pub use bytes;
pub use http;
pub use http_body;
pub use vi_types;
