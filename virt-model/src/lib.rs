//! libvirt's values and XML documents.
//!
//! No hypervisor's words and no I/O: what `src/conf` and the public headers are to libvirt.
//! Numbers, names and texts are libvirt's, so that a program can compare them with those it
//! knows from libvirt's C API.

mod capabilities;
mod cpu_set;
mod document;
pub mod domain;
mod error;
pub mod event;
pub mod flags;
mod libvirt_version;
mod mac;
mod netdev;
pub mod network;
mod node;
pub mod snapshot;
mod uuid;
mod validate;
mod version;
mod words;
pub mod xml;

pub use capabilities::{Capabilities, CapabilitiesGuest};
pub use cpu_set::{CpuSet, ParseCpuSetError};
pub use document::{Document, Read};
pub use domain::{DomainDef, DomainInfo, DomainState, StateReason};
pub use error::{ErrorDomain, ErrorNumber};
pub use event::DomainEvent;
pub use flags::{
    CreateFlags, DefineFlags, DestroyFlags, DomainFilter, DomainXmlFlags, NetworkDefineFlags,
    NetworkFilter, NetworkXmlFlags, RebootFlags, ShutdownFlags, SnapshotCreateFlags,
    SnapshotDeleteFlags, SnapshotListFlags, SnapshotRevertFlags, SnapshotXmlFlags, UndefineFlags,
    UnsupportedFlags,
};
pub use libvirt_version::{LibvirtVersion, ParseLibvirtVersionError};
pub use mac::{MacAddress, ParseMacAddressError};
pub use netdev::{Bandwidth, BandwidthRate, NativeVlanMode, VirtualPort, Vlan, VlanTag};
pub use network::NetworkDef;
pub use node::NodeInfo;
pub use snapshot::SnapshotDef;
pub use uuid::{ParseUuidError, Uuid};
pub use version::{LibVersion, ParseVersionError};
pub use xml::XmlError;
