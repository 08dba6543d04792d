//! libvirt's values and XML documents.
//!
//! No hypervisor's words and no I/O: what `src/conf` and the public headers are to libvirt.
//! Numbers, names and texts are libvirt's, so that a program can compare them with those it
//! knows from libvirt's C API.

mod capabilities;
mod domain;
mod error;
mod filter;
mod node;
mod uuid;
mod version;
pub mod xml;

pub use capabilities::{Capabilities, CapabilitiesGuest};
pub use domain::{DomainInfo, DomainState, StateReason};
pub use error::{ErrorDomain, ErrorNumber};
pub use filter::DomainFilter;
pub use node::NodeInfo;
pub use uuid::{ParseUuidError, Uuid};
pub use version::{LibVersion, ParseVersionError};
