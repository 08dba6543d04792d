//! A host's part of distributed switches.

use vi_types::objects::{
    DistributedVirtualSwitchHostMemberBacking, DistributedVirtualSwitchHostMemberPnicBacking,
    DistributedVirtualSwitchHostMemberPnicSpec, HostProxySwitch, HostProxySwitchConfig,
    HostVirtualNic,
};
use vi_types::{Poly, SoapFault};

use super::Edit;
use crate::distributed::is_same_uuid;
use crate::fault;

impl Edit<'_> {
    /// The index of the host's part of a distributed switch.
    pub(super) fn proxy(&self, uuid: &str) -> Option<usize> {
        let mut switches = self.info.proxy_switch.iter();
        switches.position(|switch| is_same_uuid(&switch.dvs_uuid, uuid))
    }

    /// Gives a host's part of a distributed switch other physical NICs.
    ///
    /// # Errors
    /// - `NotFound` if the host has no part of the switch.
    /// - `PlatformConfigFault` for a physical NIC that the host does not have, and for more of them than the switch has uplinks.
    pub(super) fn update_proxy(&mut self, asked: &HostProxySwitchConfig) -> Result<(), SoapFault> {
        let Some(spec) = asked.spec.as_deref() else {
            return Err(fault::invalid_argument("config.proxySwitch.spec"));
        };
        let nothing = || DistributedVirtualSwitchHostMemberPnicBacking::default().into();
        let backing = spec.backing.clone().unwrap_or_else(nothing);
        self.set_distributed_nics(&asked.uuid, backing)
    }

    /// The same by the switch's UUID.
    ///
    /// # Errors
    /// Those of [`update_proxy`](Self::update_proxy).
    pub(crate) fn set_distributed_nics(
        &mut self,
        uuid: &str,
        backing: Poly<DistributedVirtualSwitchHostMemberBacking>,
    ) -> Result<(), SoapFault> {
        let index = self.proxy(uuid).ok_or_else(fault::not_found)?;
        let backing = backing.cast::<DistributedVirtualSwitchHostMemberPnicBacking>();
        let mut backing = backing.cloned().unwrap_or_default();
        let mut keys = Vec::new();
        for nic in &backing.pnic_spec {
            match self.nic(&nic.pnic_device) {
                Some(found) => keys.extend(found.key.clone()),
                None => return Err(no_nic(&nic.pnic_device)),
            }
        }
        let switch = &mut self.info.proxy_switch[index];
        assign_uplinks(switch, &mut backing)?;
        switch.pnic = keys;
        switch.spec.backing = Some(backing.into());
        Ok(())
    }

    /// Gives a host a part of a distributed switch.
    ///
    /// # Errors
    /// Those of [`set_distributed_nics`](Self::set_distributed_nics).
    pub(crate) fn join_distributed(
        &mut self,
        proxy: HostProxySwitch,
        backing: Poly<DistributedVirtualSwitchHostMemberBacking>,
    ) -> Result<(), SoapFault> {
        let uuid = proxy.dvs_uuid.clone();
        self.info.proxy_switch.push(proxy);
        self.set_distributed_nics(&uuid, backing)
    }

    /// Takes its part of a distributed switch from a host.
    ///
    /// # Errors
    /// - `NotFound` if the host has no part of the switch.
    /// - `ResourceInUse` if an interface of the host is on it.
    pub(crate) fn leave_distributed(&mut self, uuid: &str) -> Result<(), SoapFault> {
        let index = self.proxy(uuid).ok_or_else(fault::not_found)?;
        let is_on_it = |nic: &HostVirtualNic| {
            let port = nic.spec.distributed_virtual_port.as_deref();
            port.is_some_and(|port| is_same_uuid(&port.switch_uuid, uuid))
        };
        if self.info.vnic.iter().any(is_on_it) {
            let name = &self.info.proxy_switch[index].dvs_name;
            return Err(fault::resource_in_use("HostProxySwitch", name));
        }
        self.info.proxy_switch.remove(index);
        Ok(())
    }

    /// Checks that physical NICs can go to the host's part of a distributed switch.
    ///
    /// # Errors
    /// - `PlatformConfigFault` for one that the host does not have.
    /// - `ResourceInUse` for one of another switch.
    pub(crate) fn check_free(&self, uuid: &str, devices: &[String]) -> Result<(), SoapFault> {
        for device in devices {
            let Some(nic) = self.nic(device) else {
                return Err(no_nic(device));
            };
            let bridges = self.info.vswitch.iter().flat_map(|one| &one.spec.bridge);
            let mut taken = bridges.flat_map(super::switch::devices);
            let others = self.info.proxy_switch.iter();
            let mut others = others.filter(|one| !is_same_uuid(&one.dvs_uuid, uuid));
            let key = nic.key.clone().unwrap_or_default();
            if taken.any(|one| one == nic.device) || others.any(|one| one.pnic.contains(&key)) {
                return Err(fault::resource_in_use("PhysicalNic", device));
            }
        }
        Ok(())
    }
}

fn no_nic(device: &str) -> SoapFault {
    fault::platform_config(&format!(
        "Unable to add the physical NIC {device} to a distributed switch: the host has no such NIC"
    ))
}

/// The physical NICs of a host's part of a distributed switch.
pub(crate) fn nics(proxy: &HostProxySwitch) -> Vec<DistributedVirtualSwitchHostMemberPnicSpec> {
    let backing = proxy.spec.backing.as_ref();
    let backing =
        backing.and_then(|backing| backing.cast::<DistributedVirtualSwitchHostMemberPnicBacking>());
    backing.map_or(Vec::new(), |backing| backing.pnic_spec.clone())
}

/// Gives physical NICs without an uplink port the first free ones of a switch.
///
/// # Errors
/// `PlatformConfigFault` if there are not enough.
fn assign_uplinks(
    switch: &HostProxySwitch,
    backing: &mut DistributedVirtualSwitchHostMemberPnicBacking,
) -> Result<(), SoapFault> {
    let nics = backing.pnic_spec.iter();
    let mut taken: Vec<_> = nics.filter_map(|nic| nic.uplink_port_key.clone()).collect();
    for nic in &mut backing.pnic_spec {
        if nic.uplink_port_key.is_some() {
            continue;
        }
        let mut ports = switch.uplink_port.iter();
        let free = ports.find(|port| !taken.contains(&port.key));
        let free = free.ok_or_else(|| {
            fault::platform_config(&format!(
                "The distributed switch {} has no uplink for the physical NIC {}",
                switch.dvs_name, nic.pnic_device
            ))
        })?;
        taken.push(free.key.clone());
        nic.uplink_port_key = Some(free.key.clone());
    }
    Ok(())
}
