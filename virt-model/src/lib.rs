//! libvirt's values and XML documents.
//!
//! The crate is what `src/conf` and the public headers are to libvirt: definitions, states, flags
//! and error numbers, without a hypervisor and without I/O. Numbers, names and texts are libvirt's,
//! so that programs can compare them with those of libvirt's C API.
//!
//! ```
//! use virt_model::{Document, DomainDef};
//!
//! let read = DomainDef::read_xml(
//!     "<domain type='kvm'><name>web</name><memory unit='MiB'>512</memory>
//!        <os><type>hvm</type></os><devices><rng model='virtio'/></devices></domain>",
//! )?;
//! assert_eq!(read.document.memory, 512 * 1024);
//! assert_eq!(read.unmodelled, ["/domain/devices/rng"]);
//! # Ok::<(), virt_model::XmlError>(())
//! ```
//!
//! - [`Document`] reads and writes a definition: [`DomainDef`], [`NetworkDef`], [`SnapshotDef`],
//!   [`StoragePoolDef`], [`StorageVolDef`], [`SecretDef`], [`InterfaceDef`],
//!   [`NodeDeviceDef`], [`SysinfoDef`], [`DomainCapabilitiesDef`].
//! - [`DomainDef::post_parse`] completes a domain, [`DomainDef::validate`] checks it, as libvirt does
//!   before a driver sees it.
//! - [`event`] has the kinds of events and their details.
//! - [`flags`] has the flags of libvirt's functions.
//! - [`DomainState`], [`LifecycleEvent`], [`ErrorNumber`] and the like are values of libvirt's API.
//!
//! # Building definitions
//!
//! Definitions and their parts get new fields in minor releases. A hidden field `_more` makes
//! literals end in `..Default::default()`, so that a new field breaks nobody:
//!
//! ```
//! use virt_model::domain::{Disk, DiskBus, DiskSource, DiskTarget};
//!
//! let disk = Disk {
//!     source: DiskSource::File(Some("/images/web.qcow2".to_owned())),
//!     target: DiskTarget {
//!         dev: "vda".to_owned(),
//!         bus: DiskBus::Virtio,
//!         ..DiskTarget::default()
//!     },
//!     ..Disk::default()
//! };
//! assert_eq!(disk.source.path(), Some("/images/web.qcow2"));
//! ```
//!
//! Results, such as [`Read`], and enums are `#[non_exhaustive]`. Structs whose fields libvirt has
//! fixed for good (addresses, [`DomainInfo`], [`NodeInfo`]) have neither.

mod capabilities;
mod cpu_set;
mod document;
pub mod domain;
pub mod domain_capabilities;
mod error;
pub mod event;
pub mod flags;
pub mod interface;
mod libvirt_version;
mod mac;
mod netdev;
pub mod network;
mod node;
pub mod node_device;
pub mod secret;
mod size;
pub mod snapshot;
mod storage;
pub mod storage_pool;
pub mod storage_vol;
pub mod sysinfo;
mod typed_param;
mod uuid;
mod validate;
mod version;
mod words;
pub mod xml;

pub use capabilities::{Capabilities, CapabilitiesGuest};
pub use cpu_set::{CpuSet, ParseCpuSetError};
pub use document::{Document, Read};
pub use domain::{DomainDef, DomainInfo, DomainState, StateReason};
pub use domain_capabilities::DomainCapabilitiesDef;
pub use error::{ErrorDomain, ErrorNumber};
pub use event::LifecycleEvent;
pub use flags::{
    BlockResizeFlags, CreateFlags, DefineFlags, DestroyFlags, DeviceModifyFlags, DomainFilter,
    DomainXmlFlags, ExclusiveFlags, HostnameFlags, InterfaceDefineFlags, InterfaceFilter,
    InterfaceXmlFlags, JobStatsFlags, MemoryModFlags, MigrateFlags, ModificationImpact,
    NetworkCreateFlags, NetworkDefineFlags, NetworkFilter, NetworkUpdateCommand,
    NetworkUpdateFlags, NetworkUpdateSection, NetworkXmlFlags, NoFlags, NodeDeviceCreateFlags,
    NodeDeviceDefineFlags, NodeDeviceFilter, RebootFlags, SecretDefineFlags, SecretFilter,
    ShutdownFlags, SnapshotCreateFlags, SnapshotDeleteFlags, SnapshotListFlags,
    SnapshotRevertFlags, SnapshotXmlFlags, StatsFlags, StatsTypes, StoragePoolBuildFlags,
    StoragePoolCreateFlags, StoragePoolDefineFlags, StoragePoolDeleteFlags, StoragePoolFilter,
    StoragePoolXmlFlags, StorageVolCreateFlags, StorageVolDeleteFlags, StorageVolDownloadFlags,
    StorageVolInfoFlags, StorageVolParseFlags, StorageVolResizeFlags, StorageVolUploadFlags,
    UndefineFlags, UnsupportedFlags, VcpuFlags,
};
pub use interface::InterfaceDef;
pub use libvirt_version::{LibvirtVersion, ParseLibvirtVersionError};
pub use mac::{MacAddress, ParseMacAddressError};
pub use netdev::{Bandwidth, BandwidthRate, NativeVlanMode, VirtualPort, Vlan, VlanTag};
pub use network::NetworkDef;
pub use node::{NodeCpuMap, NodeCpuStats, NodeInfo, NodeMemoryStats, NodeSuspendTarget};
pub use node_device::NodeDeviceDef;
pub use secret::SecretDef;
pub use snapshot::SnapshotDef;
pub use storage::StoragePermissions;
pub use storage_pool::{StoragePoolDef, StoragePoolInfo, StoragePoolState, StoragePoolType};
pub use storage_vol::{StorageVolDef, StorageVolInfo, StorageVolType, StorageVolWipeAlgorithm};
pub use sysinfo::SysinfoDef;
pub use typed_param::{ParamValue, TypedParam};
pub use uuid::{ParseUuidError, Uuid};
pub use version::{LibVersion, ParseVersionError};
pub use xml::XmlError;

/// The README's examples, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
