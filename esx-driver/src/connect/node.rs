//! What the host says about itself: libvirt's `virNode…` functions, and others that describe the host.

use vi_client::{property_set, retrieve::PropertySet};
use vi_types::objects::HostCpuIdInfo;
use virt_model::{Capabilities, CapabilitiesGuest, ErrorNumber, NodeInfo, Uuid};

use super::{Connect, node_stats::Memory, processor};
use crate::{Error, ErrorKind, Result};

property_set! {
    struct DnsConfig: HostSystem {
        host_name: Option<String> = config.network.dns_config.host_name,
        domain_name: Option<String> = config.network.dns_config.domain_name,
    }
}

property_set! {
    struct Hardware: HostSystem {
        hz: i64 = hardware.cpu_info.hz,
        cores: i16 = hardware.cpu_info.num_cpu_cores,
        packages: i16 = hardware.cpu_info.num_cpu_packages,
        threads: i16 = hardware.cpu_info.num_cpu_threads,
        memory: i64 = hardware.memory_size,
        numa_nodes: Option<i32> = hardware.numa_info.num_nodes,
        model: Option<String> = summary.hardware.cpu_model,
    }
}

property_set! {
    struct Identity: HostSystem {
        uuid: Option<String> = hardware.system_info.uuid,
        features: Vec<HostCpuIdInfo> = hardware.cpu_feature,
    }
}

property_set! {
    struct Motion: HostSystem {
        is_supported: bool = capability.vmotion_supported,
    }
}

property_set! {
    struct Limits: HostSystem {
        max_vcpus: i32 = capability.max_supported_vcpus,
    }
}

impl Connect {
    /// The host's name and DNS domain; for `vpx://` too these are the host's, not the vCenter's.
    ///
    /// # Errors
    /// [`ErrorKind::Property`] if the host has no name.
    #[doc(alias = "virConnectGetHostname")]
    pub async fn hostname(&self) -> Result<String> {
        let dns: DnsConfig = self.host_properties().await?;
        let host = dns
            .host_name
            .filter(|name| !name.is_empty())
            .ok_or_else(|| {
                Error::new(
                    ErrorKind::Property,
                    ErrorNumber::InternalError,
                    "Missing or empty 'hostName' property",
                )
            })?;
        Ok(match dns.domain_name.filter(|name| !name.is_empty()) {
            Some(domain) => format!("{host}.{domain}"),
            None => host,
        })
    }

    /// The host's processors and memory.
    ///
    /// # Errors
    /// [`ErrorKind::Property`] if the server does not give them.
    #[doc(alias = "virNodeGetInfo")]
    pub async fn node_info(&self) -> Result<NodeInfo> {
        let hardware: Hardware = self.host_properties().await?;
        let count = |number: i32| u32::try_from(number).unwrap_or(0);
        let (cores, packages, threads) = (
            count(hardware.cores.into()),
            count(hardware.packages.into()),
            count(hardware.threads.into()),
        );
        Ok(NodeInfo {
            model: processor::model(&hardware.model.unwrap_or_default()),
            memory: u64::try_from(hardware.memory).unwrap_or(0) / 1024,
            cpus: cores,
            mhz: u32::try_from(hardware.hz / 1_000_000).unwrap_or(0),
            nodes: count(hardware.numa_nodes.unwrap_or(0)),
            sockets: packages,
            cores: cores.checked_div(packages).unwrap_or(0),
            threads: threads.checked_div(cores).unwrap_or(0),
        })
    }

    /// What the host can run.
    ///
    /// Reads the host at each call. libvirt 9.0.0 (esxCapsInit of esx_driver.c) reads it once, when the connection is
    /// opened.
    ///
    /// # Errors
    /// [`ErrorKind::Property`] if the server does not say whether the processors have the 64-bit mode.
    #[doc(alias = "virConnectGetCapabilities")]
    pub async fn capabilities(&self) -> Result<Capabilities> {
        let identity: Identity = self.host_properties().await?;
        let long_mode = long_mode(&identity.features)?;
        let guest = |arch: &str, wordsize| CapabilitiesGuest {
            os_type: "hvm".to_owned(),
            arch: arch.to_owned(),
            wordsize,
            domain_types: vec!["vmware".to_owned()],
            ..CapabilitiesGuest::default()
        };
        let mut guests = vec![guest("i686", 32)];
        if long_mode {
            guests.push(guest("x86_64", 64));
        }
        Ok(Capabilities {
            // libvirt 9.0.0 (esxLookupHostSystemBiosUuid) also takes an invalid UUID for none.
            host_uuid: identity
                .uuid
                .and_then(|uuid| uuid.parse().ok())
                .unwrap_or(Uuid::NIL),
            host_arch: if long_mode { "x86_64" } else { "i686" }.to_owned(),
            migration_transports: vec!["vpxmigr".to_owned()],
            guests,
            ..Capabilities::default()
        })
    }

    /// The host's memory that is not in use, in bytes.
    ///
    /// # Errors
    /// [`ErrorKind::Property`] if the server does not give it.
    #[doc(alias = "virNodeGetFreeMemory")]
    pub async fn free_memory(&self) -> Result<u64> {
        let memory: Memory = self.host_properties().await?;
        memory.free().ok_or_else(|| {
            Error::new(
                ErrorKind::Property,
                ErrorNumber::InternalError,
                "Missing 'summary.quickStats.overallMemoryUsage' property",
            )
        })
    }

    /// The maximum number of virtual processors of a domain on this host. `kind` is the type of the hypervisor; there is
    /// only `vmware`.
    ///
    /// # Errors
    /// [`ErrorKind::Argument`] for another type; [`ErrorKind::Property`] if the server does not give the number.
    #[doc(alias = "virConnectGetMaxVcpus")]
    pub async fn max_vcpus(&self, kind: Option<&str>) -> Result<u32> {
        if let Some(other) = kind.filter(|kind| *kind != "vmware") {
            // libvirt's text (qemuConnectGetMaxVcpus, 9.0.0).
            let message = format!("unknown type '{other}'");
            let error = Error::new(ErrorKind::Argument, ErrorNumber::InvalidArg, message);
            return Err(error.advise("'vmware'"));
        }
        let limits: Limits = self.host_properties().await?;
        Ok(u32::try_from(limits.max_vcpus).unwrap_or(0))
    }

    /// Whether domains can be migrated from and to this connection's host in libvirt's way (its feature `MIGRATION_V1`): the
    /// connection has a vCenter, and the host can do vMotion. One request if there is a vCenter.
    ///
    /// # Errors
    /// [`ErrorKind::Property`] if the server does not say whether the host can do vMotion.
    #[doc(alias = "virConnectSupportsFeature")]
    pub async fn supports_migration(&self) -> Result<bool> {
        if !self.is_managed() {
            return Ok(false);
        }
        let motion: Motion = self.host_properties().await?;
        Ok(motion.is_supported)
    }

    /// Properties of the host of this connection.
    pub(super) async fn host_properties<P: PropertySet>(&self) -> Result<P> {
        let found = self
            .client()
            .read_opt::<P>(self.host_system().await?)
            .await?;
        found.ok_or_else(no_host)
    }
}

/// The host of the connection does not exist any more.
pub(crate) fn no_host() -> Error {
    let message = "Could not lookup 'HostSystem' from 'HostSystem'";
    Error::new(ErrorKind::Property, ErrorNumber::InternalError, message)
}

/// Whether the processors have the 64-bit mode.
pub(crate) fn long_mode(features: &[HostCpuIdInfo]) -> Result<bool> {
    // CPUID leaf 0x80000001, as a signed number: the API has no unsigned ones.
    const LEAF: i32 = i32::MIN + 1;
    let edx = features
        .iter()
        .find(|feature| feature.level == LEAF)
        .and_then(|feature| feature.edx.as_deref());
    match edx {
        Some(edx) => processor::has_long_mode(edx),
        None => Err(Error::new(
            ErrorKind::Property,
            ErrorNumber::InternalError,
            "Missing CPUID leaf 0x80000001 in 'hardware.cpuFeature' property",
        )),
    }
}
