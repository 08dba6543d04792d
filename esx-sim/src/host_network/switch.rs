//! Virtual switches of a host.

use vi_types::objects::{
    HostVirtualSwitchAutoBridge, HostVirtualSwitchBondBridge, HostVirtualSwitchBridge,
    HostVirtualSwitchSimpleBridge, HostVirtualSwitchSpec,
};
use vi_types::{Poly, SoapFault};

use super::{Edit, merged, policy};
use crate::fault;
use crate::world::inventory::network;

/// The longest name of a switch, in characters (API reference of `HostVirtualSwitch.name`).
const LONGEST_NAME: usize = 32;

/// The most ports of a switch: 4,088 of ESX 5.x and earlier, and some of the host's own.
const MOST_PORTS: i32 = 4096;

/// The sizes of packets that switches and interfaces can have, in bytes.
pub(super) const MTU: std::ops::RangeInclusive<i32> = 1280..=9000;

/// The physical NICs of a bridge.
pub(super) fn devices(bridge: &Poly<HostVirtualSwitchBridge>) -> Vec<String> {
    if let Some(bond) = bridge.cast::<HostVirtualSwitchBondBridge>() {
        return bond.nic_device.clone();
    }
    match bridge.cast::<HostVirtualSwitchSimpleBridge>() {
        Some(simple) => vec![simple.nic_device.clone()],
        None => Vec::new(),
    }
}

impl Edit<'_> {
    /// Makes a switch. Without a specification it has no physical NIC.
    ///
    /// # Errors
    /// - `InvalidArgument` for a name, number of ports, size of packets or policy that a switch cannot have.
    /// - `AlreadyExists` if there is a switch of that name.
    /// - `PlatformConfigFault` for a physical NIC that the host does not have.
    pub(crate) fn add_switch(
        &mut self,
        name: &str,
        spec: Option<&HostVirtualSwitchSpec>,
    ) -> Result<(), SoapFault> {
        if name.is_empty() || name.chars().count() > LONGEST_NAME {
            return Err(fault::invalid_argument("vswitchName"));
        }
        if self.info.vswitch.iter().any(|switch| switch.name == name) {
            return Err(fault::already_exists(name));
        }
        self.info.vswitch.push(network::bare_switch(name));
        match spec {
            Some(spec) => self.update_switch(name, spec),
            None => Ok(()),
        }
    }

    /// Changes a switch. Without a bridge it has no physical NIC; other members that are unset stay as they are.
    ///
    /// # Errors
    /// - `NotFound` without such a switch.
    /// - Those of [`add_switch`](Self::add_switch).
    pub(crate) fn update_switch(
        &mut self,
        name: &str,
        spec: &HostVirtualSwitchSpec,
    ) -> Result<(), SoapFault> {
        let index = self.switch(name)?;
        if !(1..=MOST_PORTS).contains(&spec.num_ports) {
            return Err(fault::invalid_argument("spec.numPorts"));
        }
        if spec.mtu.is_some_and(|mtu| !MTU.contains(&mtu)) {
            return Err(fault::invalid_argument("spec.mtu"));
        }
        let bridge = match &spec.bridge {
            Some(bridge) => Some(self.bridge(name, bridge)?),
            None => None,
        };
        let devices = bridge.as_ref().map_or(Vec::new(), devices);
        if let Some(asked) = spec.policy.as_deref() {
            policy::check(asked, "spec.policy")?;
            let named = policy::nics(asked).unwrap_or_default();
            if named.iter().any(|nic| !devices.contains(nic)) {
                return Err(fault::invalid_argument("spec.policy.nicTeaming.nicOrder"));
            }
        }
        let switch = &mut self.info.vswitch[index];
        let before = switch.spec.policy.take().unwrap_or_default();
        let mut after = match spec.policy.as_deref() {
            Some(asked) => merged(&before, asked),
            None => *before,
        };
        policy::order(&mut after, &devices);
        switch.spec.policy = Some(after.into());
        switch.spec.bridge = bridge;
        switch.spec.num_ports = spec.num_ports;
        if let Some(mtu) = spec.mtu {
            switch.spec.mtu = Some(mtu);
            switch.mtu = Some(mtu);
        }
        Ok(())
    }

    /// Removes a switch with its port groups.
    ///
    /// # Errors
    /// - `NotFound` without such a switch.
    /// - `ResourceInUse` if an interface of the host or a running machine is on it.
    pub(crate) fn remove_switch(&mut self, name: &str) -> Result<(), SoapFault> {
        let index = self.switch(name)?;
        let groups = self.info.portgroup.iter();
        let groups = groups.filter(|group| group.spec.vswitch_name == name);
        if groups
            .into_iter()
            .any(|group| self.is_used(&group.spec.name))
        {
            return Err(fault::resource_in_use("HostVirtualSwitch", name));
        }
        let groups = &mut self.info.portgroup;
        groups.retain(|group| group.spec.vswitch_name != name);
        self.info.vswitch.remove(index);
        Ok(())
    }

    /// The index of a switch.
    pub(super) fn switch(&self, name: &str) -> Result<usize, SoapFault> {
        let mut switches = self.info.vswitch.iter();
        let found = switches.position(|switch| switch.name == name);
        found.ok_or_else(fault::not_found)
    }

    /// A bridge with the devices of its physical NICs.
    fn bridge(
        &self,
        switch: &str,
        asked: &Poly<HostVirtualSwitchBridge>,
    ) -> Result<Poly<HostVirtualSwitchBridge>, SoapFault> {
        let device = |text: &String| match self.nic(text) {
            Some(nic) => Ok(nic.device.clone()),
            None => Err(fault::platform_config(&format!(
                "Unable to add the physical NIC {text} to the virtual switch {switch}: the host has no such NIC"
            ))),
        };
        if let Some(bond) = asked.cast::<HostVirtualSwitchBondBridge>() {
            let devices: Result<Vec<_>, _> = bond.nic_device.iter().map(device).collect();
            let bond = HostVirtualSwitchBondBridge {
                nic_device: devices?,
                ..bond.clone()
            };
            return Ok(bond.into());
        }
        if let Some(simple) = asked.cast::<HostVirtualSwitchSimpleBridge>() {
            let device = device(&simple.nic_device)?;
            let simple = HostVirtualSwitchSimpleBridge {
                nic_device: device,
                ..HostVirtualSwitchSimpleBridge::default()
            };
            return Ok(simple.into());
        }
        match asked.is::<HostVirtualSwitchAutoBridge>() {
            // Only hosted products choose by themselves.
            true => Err(fault::not_supported()),
            false => Err(fault::invalid_argument("spec.bridge")),
        }
    }

    /// Lists port groups and physical NICs in their switches.
    pub(super) fn derive_switches(&mut self) {
        let (groups, nics) = (&self.info.portgroup, &self.info.pnic);
        for switch in &mut self.info.vswitch {
            let own = groups.iter();
            let own = own.filter(|group| group.spec.vswitch_name == switch.name);
            switch.portgroup = own.filter_map(|group| group.key.clone()).collect();
            let devices = switch.spec.bridge.as_ref().map_or(Vec::new(), devices);
            // A card that was pulled out still is in the switch's configuration, and in its list.
            let keys = devices.iter().map(|device| {
                let nic = nics.iter().find(|nic| nic.device == *device);
                let key = nic.and_then(|nic| nic.key.clone());
                key.unwrap_or_else(|| network::nic_key(device))
            });
            switch.pnic = keys.collect();
        }
    }
}
