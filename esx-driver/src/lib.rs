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
//! - [`Error`] says why something failed, in libvirt's words and numbers where it has them.
//!
//! Names, numbers and texts are libvirt's; [`virt_model`] has its values.

pub mod auth;
mod connect;
mod domain;
mod error;
mod inventory;
mod uri;

pub use connect::{Connect, OpenOptions};
pub use domain::{Domain, DomainEntry, DomainList, SkippedDomain};
pub use error::{Error, ErrorKind, Result};
pub use uri::{EsxUri, Scheme, Transport, VCenter};

pub use vi_client;
pub use virt_model;
