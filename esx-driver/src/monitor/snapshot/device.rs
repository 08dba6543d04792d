//! Devices of a domain, with what the host measures of them.

/// A disk of a domain.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct MonitoredDisk {
    /// libvirt's name: `sda`.
    pub target: String,
    /// The API's name, by which it is measured: `scsi0:0`.
    pub instance: String,
    /// The newest file of its chain: `[ssd] web01/web01.vmdk`.
    pub source: Option<String>,
    /// The size that the guest sees.
    pub capacity_bytes: u64,

    /// Bytes read a second.
    pub read_bytes_rate: Option<f64>,
    /// Bytes written a second.
    pub write_bytes_rate: Option<f64>,
    /// Reading requests a second.
    pub read_requests_rate: Option<f64>,
    /// Writing requests a second.
    pub write_requests_rate: Option<f64>,
    /// The mean time of a reading request.
    pub read_latency_seconds: Option<f64>,
    /// The mean time of a writing request.
    pub write_latency_seconds: Option<f64>,

    /// Total of bytes read.
    pub read_bytes: Option<u64>,
    /// Total of bytes written.
    pub write_bytes: Option<u64>,
    /// Total of reading requests.
    pub read_requests: Option<u64>,
    /// Total of writing requests.
    pub write_requests: Option<u64>,
    /// Total time of reading requests.
    pub read_time_ns: Option<u64>,
    /// Total time of writing requests.
    pub write_time_ns: Option<u64>,
}

/// A network interface of a domain. (A host has no device for it, so libvirt's ESX driver gives it no target name.)
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct MonitoredInterface {
    /// The key of its VMX entries: `ethernet0`.
    pub name: String,
    /// The API's name, by which it is measured: `4000`.
    pub instance: String,
    /// The MAC address, as the server writes it.
    pub mac: Option<String>,
    /// The network; of a distributed switch the key of its port group.
    pub source: Option<String>,
    /// Whether its cable is plugged in.
    pub is_connected: bool,

    /// Bytes received a second.
    pub rx_bytes_rate: Option<f64>,
    /// Bytes sent a second.
    pub tx_bytes_rate: Option<f64>,
    /// Packets received a second.
    pub rx_packets_rate: Option<f64>,
    /// Packets sent a second.
    pub tx_packets_rate: Option<f64>,

    /// Total of bytes received.
    pub rx_bytes: Option<u64>,
    /// Total of bytes sent.
    pub tx_bytes: Option<u64>,
    /// Total of packets received.
    pub rx_packets: Option<u64>,
    /// Total of packets sent.
    pub tx_packets: Option<u64>,
    /// Total of received packets that were dropped.
    pub rx_dropped: Option<u64>,
    /// Total of packets to send that were dropped.
    pub tx_dropped: Option<u64>,
}

/// A processor of a domain.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct MonitoredVcpu {
    /// Its number, from 0.
    pub number: u32,
    /// The part of the time in which it ran, 0 to 1; a little more with turbo frequencies.
    pub usage_ratio: Option<f64>,

    /// Total time in which it ran: libvirt's `vcpu.N.time`.
    pub time_ns: Option<u64>,
    /// Total time in which it could run and got no processor: libvirt's `vcpu.N.delay`.
    pub ready_ns: Option<u64>,
    /// Total time in which the guest had halted it: libvirt's `vcpu.N.halted`.
    pub idle_ns: Option<u64>,
    /// Total time in which it waited for something, also when it was idle: libvirt's `vcpu.N.wait`.
    pub wait_ns: Option<u64>,
}
