//! A host's part of distributed switches.

use vi_types::SoapFault;
use vi_types::objects::{
    DistributedVirtualSwitchHostMemberPnicBacking, HostProxySwitch, HostProxySwitchConfig,
};

use super::Edit;
use crate::fault;

impl Edit<'_> {
    /// The index of the host's part of a distributed switch.
    pub(super) fn proxy(&self, uuid: &str) -> Option<usize> {
        let mut switches = self.info.proxy_switch.iter();
        switches.position(|switch| switch.dvs_uuid.eq_ignore_ascii_case(uuid))
    }

    /// Gives a host's part of a distributed switch other physical NICs.
    ///
    /// # Errors
    /// - `NotFound` if the host has no part of the switch.
    /// - `PlatformConfigFault` for a physical NIC that the host does not have, and for more of them than the switch has uplinks.
    pub(super) fn update_proxy(&mut self, asked: &HostProxySwitchConfig) -> Result<(), SoapFault> {
        let index = self.proxy(&asked.uuid).ok_or_else(fault::not_found)?;
        let Some(spec) = asked.spec.as_deref() else {
            return Err(fault::invalid_argument("config.proxySwitch.spec"));
        };
        let backing = spec.backing.as_ref();
        let backing = backing
            .and_then(|backing| backing.cast::<DistributedVirtualSwitchHostMemberPnicBacking>());
        let mut backing = backing.cloned().unwrap_or_default();
        let mut keys = Vec::new();
        for nic in &backing.pnic_spec {
            match self.nic(&nic.pnic_device) {
                Some(found) => keys.extend(found.key.clone()),
                None => {
                    return Err(fault::platform_config(&format!(
                        "Unable to add the physical NIC {} to the distributed switch {}: the host has no such NIC",
                        nic.pnic_device, self.info.proxy_switch[index].dvs_name
                    )));
                }
            }
        }
        let switch = &mut self.info.proxy_switch[index];
        assign_uplinks(switch, &mut backing)?;
        switch.pnic = keys;
        switch.spec.backing = Some(backing.into());
        Ok(())
    }
}

/// Gives physical NICs without an uplink port the first free ones of a switch.
///
/// # Errors
/// `PlatformConfigFault` if there are not enough.
pub(crate) fn assign_uplinks(
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
