//! All devices of a host, and one by its name or WWN.

use virt_model::{
    flags::{NodeDeviceFilter, refuse_unknown},
    node_device::{NodeDeviceCapability, NodeDeviceCapabilityType, ScsiHost},
};

use super::{NodeDevice, missing, no_device};
use crate::{Connect, Result, near::Near};

impl Connect {
    /// The host's devices that `filter` admits, the host itself first: one request (two on servers with an API from 4.0
    /// to 5.1). All devices are active.
    ///
    /// # Errors
    /// [`ErrorKind::UnsupportedFlags`](crate::ErrorKind::UnsupportedFlags) for bits that libvirt does not have;
    /// [`ErrorKind::Property`](crate::ErrorKind::Property) if the user may not read the host's devices.
    #[doc(alias = "virConnectListAllNodeDevices")]
    pub async fn list_all_node_devices(&self, filter: NodeDeviceFilter) -> Result<Vec<NodeDevice>> {
        let known = NodeDeviceFilter::FILTERS_ALL;
        refuse_unknown(filter, known, "connectListAllNodeDevices")?;
        let devices = self.node_devices().await?.definitions().into_iter();
        let admitted = devices.filter(|def| filter.admits_device(&def.capability_types(), true));
        Ok(admitted.map(|def| NodeDevice::of(self, &def)).collect())
    }

    /// The number of devices; with `cap`, of those with that capability, of which there are none if libvirt does not have
    /// it. One request.
    ///
    /// # Errors
    /// As [`list_all_node_devices`](Connect::list_all_node_devices).
    #[doc(alias = "virNodeNumOfDevices")]
    pub async fn node_num_of_devices(&self, cap: Option<&str>) -> Result<usize> {
        Ok(self.node_list_devices(cap).await?.len())
    }

    /// The names of the devices; with `cap`, of those with that capability. One request.
    ///
    /// # Errors
    /// As [`list_all_node_devices`](Connect::list_all_node_devices).
    #[doc(alias = "virNodeListDevices")]
    pub async fn node_list_devices(&self, cap: Option<&str>) -> Result<Vec<String>> {
        let devices = self.list_all_node_devices(NodeDeviceFilter::NONE).await?;
        let mut devices = devices;
        if let Some(cap) = cap {
            let wanted = NodeDeviceCapabilityType::from_word(cap);
            devices.retain(|device| wanted.is_some_and(|kind| device.capabilities.contains(&kind)));
        }
        Ok(devices.into_iter().map(|device| device.name).collect())
    }

    /// The device of that name: one request.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is none; as
    /// [`list_all_node_devices`](Connect::list_all_node_devices).
    #[doc(alias = "virNodeDeviceLookupByName")]
    pub async fn node_device_lookup_by_name(&self, name: &str) -> Result<NodeDevice> {
        let mut devices = self.list_all_node_devices(NodeDeviceFilter::NONE).await?;
        if let Some(found) = devices.iter().position(|device| device.name == name) {
            return Ok(devices.swap_remove(found));
        }
        let mut near = Near::new(name);
        devices.iter().for_each(|other| near.consider(&other.name));
        Err(near.advise(no_device(name)))
    }

    /// The adapter of Fibre Channel with these world wide names of its node and port, 16 hexadecimal digits each: one
    /// request.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is none; as
    /// [`list_all_node_devices`](Connect::list_all_node_devices).
    #[doc(alias = "virNodeDeviceLookupSCSIHostByWWN")]
    pub async fn node_device_lookup_scsi_host_by_wwn(
        &self,
        wwnn: &str,
        wwpn: &str,
    ) -> Result<NodeDevice> {
        let is_wanted = |host: &ScsiHost| {
            let fibre = host.fc_host.as_ref();
            fibre.is_some_and(|fibre| {
                fibre.wwnn.eq_ignore_ascii_case(wwnn) && fibre.wwpn.eq_ignore_ascii_case(wwpn)
            })
        };
        let devices = self.node_devices().await?.definitions();
        let found = devices.iter().find(|def| {
            let mut capabilities = def.capabilities.iter();
            capabilities.any(|capability| match capability {
                NodeDeviceCapability::ScsiHost(host) => is_wanted(host),
                _ => false,
            })
        });
        let found = found.map(|def| NodeDevice::of(self, def));
        found.ok_or_else(|| {
            missing(format!(
                "no node device with matching wwnn '{wwnn}' and wwpn '{wwpn}'"
            ))
        })
    }
}
