//! What a host says of its devices.

use vi_client::property_set;
use vi_types::{
    Poly,
    objects::{
        HostBiosInfo, HostGraphicsInfo, HostHostBusAdapter, HostPciDevice, HostPciPassthruInfo,
        HostScsiTopologyInterface, HostSystemInfo, PhysicalNic, ScsiLun,
    },
};

use crate::{Connect, Result, connect::no_host};

property_set! {
    /// A host's devices.
    pub(super) struct Devices: HostSystem {
        pub(super) system: Option<HostSystemInfo> = hardware.system_info,
        pub(super) firmware: Option<HostBiosInfo> = hardware.bios_info,
        pub(super) pci: Vec<HostPciDevice> = hardware.pci_device,
        pub(super) passthrough: Vec<Poly<HostPciPassthruInfo>> = config.pci_passthru_info,
        pub(super) graphics: Vec<HostGraphicsInfo> = config.graphics_info,
        pub(super) nics: Vec<PhysicalNic> = config.network.pnic,
        pub(super) adapters: Vec<Poly<HostHostBusAdapter>> = config.storage_device.host_bus_adapter,
        pub(super) luns: Vec<Poly<ScsiLun>> = config.storage_device.scsi_lun,
        pub(super) paths: Vec<HostScsiTopologyInterface> = config.storage_device.scsi_topology.adapter,
    }
}

property_set! {
    /// The same without what servers have since API 4.0 and 5.5: a server refuses to read a property that it does not
    /// know.
    struct OldDevices: HostSystem {
        system: Option<HostSystemInfo> = hardware.system_info,
        firmware: Option<HostBiosInfo> = hardware.bios_info,
        pci: Vec<HostPciDevice> = hardware.pci_device,
        nics: Vec<PhysicalNic> = config.network.pnic,
        adapters: Vec<Poly<HostHostBusAdapter>> = config.storage_device.host_bus_adapter,
        luns: Vec<Poly<ScsiLun>> = config.storage_device.scsi_lun,
        paths: Vec<HostScsiTopologyInterface> = config.storage_device.scsi_topology.adapter,
    }
}

property_set! {
    /// What can be passed through to domains, since API 4.0.
    pub(super) struct PassedThrough: HostSystem {
        passthrough: Vec<Poly<HostPciPassthruInfo>> = config.pci_passthru_info,
    }
}

impl Connect {
    /// The host's devices: one request; two on servers with an API from 4.0 to 5.1.
    pub(super) async fn node_devices(&self) -> Result<Devices> {
        let (host, version) = (self.host_system().await?, self.client().api_version());
        if version.at_least(5, 5) {
            let found: Option<Devices> = self.read_complete(host).await?;
            return found.ok_or_else(no_host);
        }
        let found: Option<OldDevices> = self.read_complete(host).await?;
        let old = found.ok_or_else(no_host)?;
        let passthrough = match version.at_least(4, 0) {
            true => self.pci_passthrough().await?,
            false => Vec::new(),
        };
        Ok(Devices {
            system: old.system,
            firmware: old.firmware,
            pci: old.pci,
            passthrough,
            graphics: Vec::new(),
            nics: old.nics,
            adapters: old.adapters,
            luns: old.luns,
            paths: old.paths,
        })
    }

    /// What of the host can be passed through to domains: one request.
    pub(super) async fn pci_passthrough(&self) -> Result<Vec<Poly<HostPciPassthruInfo>>> {
        let found: Option<PassedThrough> = self.read_complete(self.host_system().await?).await?;
        Ok(found.ok_or_else(no_host)?.passthrough)
    }
}
