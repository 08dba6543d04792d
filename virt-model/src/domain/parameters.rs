//! Parameters by which a domain is tuned, and what is read of it beside its definition.

use std::net::IpAddr;

use crate::{CpuSet, MacAddress};

/// Parameters of a domain's memory (`virDomainGetMemoryParameters`), in KiB. `None` is not told, or not changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MemoryParameters {
    /// Maximum memory of the domain.
    pub hard_limit: Option<u64>,
    /// Maximum memory while the host is short of memory.
    pub soft_limit: Option<u64>,
    /// Guaranteed minimum.
    pub min_guarantee: Option<u64>,
    /// Maximum of memory and swap together.
    pub swap_hard_limit: Option<u64>,
    #[doc(hidden)]
    pub _more: (),
}

impl MemoryParameters {
    /// The number that means no limit (`VIR_DOMAIN_MEMORY_PARAM_UNLIMITED`).
    pub const UNLIMITED: u64 = 9_007_199_254_740_991;
}

/// Parameters of the scheduler `allocation` (`virDomainGetSchedulerParameters`). `None` is not told, or not changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SchedulerParameters {
    /// The guaranteed minimum, in MHz.
    pub reservation: Option<i64>,
    /// The maximum, in MHz; -1 is no limit.
    pub limit: Option<i64>,
    /// The weight relative to other domains; -1 is low, -2 normal, -3 high.
    pub shares: Option<i32>,
    #[doc(hidden)]
    pub _more: (),
}

/// Parameters of a domain's use of NUMA nodes (`virDomainGetNumaParameters`). `None` is not told, or not changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NumaParameters {
    /// How the nodes are used.
    pub mode: Option<NumatuneMemMode>,
    /// The nodes. An empty set is all nodes.
    pub nodeset: Option<CpuSet>,
    #[doc(hidden)]
    pub _more: (),
}

/// How a domain's memory is distributed over NUMA nodes (`virDomainNumatuneMemMode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NumatuneMemMode {
    /// Only on the nodes.
    Strict = 0,
    /// On the nodes first.
    Preferred = 1,
    /// In turn on each node.
    Interleave = 2,
    /// As the threads' control groups say.
    Restrictive = 3,
}

impl NumatuneMemMode {
    /// All modes, in the order of their numbers.
    pub const ALL: [NumatuneMemMode; 4] = [
        NumatuneMemMode::Strict,
        NumatuneMemMode::Preferred,
        NumatuneMemMode::Interleave,
        NumatuneMemMode::Restrictive,
    ];

    /// libvirt's number.
    pub const fn number(self) -> u32 {
        self as u32
    }

    /// libvirt's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            NumatuneMemMode::Strict => "strict",
            NumatuneMemMode::Preferred => "preferred",
            NumatuneMemMode::Interleave => "interleave",
            NumatuneMemMode::Restrictive => "restrictive",
        }
    }
}

/// A virtual processor of a domain (`virVcpuInfo`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VcpuInfo {
    /// Its number, from 0.
    pub number: u32,
    /// Its state.
    pub state: VcpuState,
    /// The processor time that it has used, in nanoseconds; 0 if it is not known.
    pub cpu_time: u64,
    /// The host's processor that it runs on, if that is known.
    pub cpu: Option<u32>,
    #[doc(hidden)]
    pub _more: (),
}

/// The state of a virtual processor (`virVcpuState`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum VcpuState {
    /// Is off.
    #[default]
    Offline = 0,
    /// Runs.
    Running = 1,
    /// Is blocked on a resource.
    Blocked = 2,
}

/// Who tells the addresses of a domain (`virDomainInterfaceAddressesSource`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InterfaceAddressesSource {
    /// The leases of libvirt's DHCP servers.
    Lease = 0,
    /// The guest agent.
    Agent = 1,
    /// The host's ARP table.
    Arp = 2,
}

impl InterfaceAddressesSource {
    /// libvirt's number.
    pub const fn number(self) -> u32 {
        self as u32
    }
}

/// A network interface of a guest (`virDomainInterface`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DomainInterface {
    /// Its name.
    pub name: String,
    /// Its hardware address, if it is told.
    pub hwaddr: Option<MacAddress>,
    /// Its addresses.
    pub addrs: Vec<DomainIpAddress>,
    #[doc(hidden)]
    pub _more: (),
}

/// An address of a guest's network interface (`virDomainIPAddress`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DomainIpAddress {
    /// The address.
    pub addr: IpAddr,
    /// The number of bits of the network's part; 0 if it is not told.
    pub prefix: u32,
}

/// A part of a domain's metadata (`virDomainMetadataType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MetadataType {
    /// `<description>`.
    Description = 0,
    /// `<title>`.
    Title = 1,
    /// An element of a program in `<metadata>`.
    Element = 2,
}

impl MetadataType {
    /// libvirt's number.
    pub const fn number(self) -> u32 {
        self as u32
    }
}
