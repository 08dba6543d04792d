//! Port groups of a host's switches.

use vi_types::enums::VirtualMachinePowerState::PoweredOn;
use vi_types::objects::{
    HostPortGroup, HostPortGroupPort, HostPortGroupSpec, VirtualEthernetCard,
    VirtualEthernetCardNetworkBackingInfo,
};
use vi_types::{ManagedObjectReference, SoapFault, properties};

use super::{Edit, merged, policy};
use crate::fault;
use crate::world::World;
use crate::world::inventory::network;

/// VLANs: 0 is none, 4095 all of them.
const VLANS: std::ops::RangeInclusive<i32> = 0..=4095;

impl Edit<'_> {
    /// Makes a port group.
    ///
    /// # Errors
    /// - `InvalidArgument` for an empty name, and for a VLAN or policy that there cannot be.
    /// - `AlreadyExists` if the host has a port group of that name, on whatever switch.
    /// - `NotFound` without such a switch.
    pub(crate) fn add_group(&mut self, spec: &HostPortGroupSpec) -> Result<(), SoapFault> {
        check(spec)?;
        if self
            .info
            .portgroup
            .iter()
            .any(|one| one.spec.name == spec.name)
        {
            return Err(fault::already_exists(&spec.name));
        }
        self.switch(&spec.vswitch_name)?;
        self.info.portgroup.push(HostPortGroup {
            spec: spec.clone(),
            ..network::bare_group(&spec.name, &spec.vswitch_name)
        });
        Ok(())
    }

    /// Changes a port group. What its new policy does not set it has from its switch.
    ///
    /// # Errors
    /// - `NotFound` without such a port group.
    /// - `InvalidArgument` for an empty name, for a VLAN or policy that there cannot be, and for another switch: port groups
    ///   stay where they are.
    /// - `AlreadyExists` if its new name is another one's.
    pub(crate) fn update_group(
        &mut self,
        name: &str,
        spec: &HostPortGroupSpec,
    ) -> Result<(), SoapFault> {
        let index = self.group(name)?;
        check(spec)?;
        if self.info.portgroup[index].spec.vswitch_name != spec.vswitch_name {
            self.switch(&spec.vswitch_name)?;
            return Err(fault::invalid_argument("portgrp.vswitchName"));
        }
        if spec.name != name {
            if self.group(&spec.name).is_ok() {
                return Err(fault::already_exists(&spec.name));
            }
            for nic in self.info.vnic.iter_mut().chain(&mut self.info.console_vnic) {
                if nic.portgroup == name {
                    nic.portgroup.clone_from(&spec.name);
                    nic.spec.portgroup = nic.spec.portgroup.take().map(|_| spec.name.clone());
                }
            }
        }
        let group = &mut self.info.portgroup[index];
        group.key = network::bare_group(&spec.name, &spec.vswitch_name).key;
        group.spec = spec.clone();
        Ok(())
    }

    /// Removes a port group.
    ///
    /// # Errors
    /// - `NotFound` without such a port group.
    /// - `ResourceInUse` if an interface of the host or a running machine is in it.
    pub(crate) fn remove_group(&mut self, name: &str) -> Result<(), SoapFault> {
        let index = self.group(name)?;
        if self.is_used(name) {
            return Err(fault::resource_in_use("HostPortGroup", name));
        }
        self.info.portgroup.remove(index);
        Ok(())
    }

    /// The index of a port group.
    pub(super) fn group(&self, name: &str) -> Result<usize, SoapFault> {
        let mut groups = self.info.portgroup.iter();
        let found = groups.position(|group| group.spec.name == name);
        found.ok_or_else(fault::not_found)
    }

    /// Whether an interface of the host or a running machine is in a port group.
    pub(super) fn is_used(&self, name: &str) -> bool {
        let mut interfaces = self.info.vnic.iter().chain(&self.info.console_vnic);
        interfaces.any(|nic| nic.portgroup == name) || has_cards(self.world, self.host, name)
    }

    /// Lists the ports of port groups that the host itself has, and works out their policies.
    pub(super) fn derive_groups(&mut self) {
        let info = &mut self.info;
        for group in &mut info.portgroup {
            let name = &group.spec.name;
            let mut switches = info.vswitch.iter();
            if let Some(switch) = switches.find(|one| one.name == group.spec.vswitch_name) {
                let base = switch.spec.policy.clone().unwrap_or_default();
                group.computed_policy = merged(&base, &group.spec.policy);
                group.vswitch = Some(switch.key.clone());
            }
            let port = |key, mac: &str, kind: &str| HostPortGroupPort {
                key,
                mac: vec![mac.to_owned()],
                r#type: kind.to_owned(),
                ..HostPortGroupPort::default()
            };
            let of_kind = |list: &[vi_types::objects::HostVirtualNic], kind: &str| {
                let own = list.iter().filter(|nic| nic.portgroup == *name);
                let ports = own.map(|nic| {
                    let mac = nic.spec.mac.as_deref().unwrap_or_default();
                    port(nic.port.clone(), mac, kind)
                });
                ports.collect::<Vec<_>>()
            };
            group.port = of_kind(&info.vnic, "host");
            group
                .port
                .extend(of_kind(&info.console_vnic, "systemManagement"));
        }
    }
}

fn check(spec: &HostPortGroupSpec) -> Result<(), SoapFault> {
    if spec.name.is_empty() {
        return Err(fault::invalid_argument("portgrp.name"));
    }
    if !VLANS.contains(&spec.vlan_id) {
        return Err(fault::invalid_argument("portgrp.vlanId"));
    }
    policy::check(&spec.policy, "portgrp.policy")
}

/// Whether a running machine has a connected card in a port group of a host.
fn has_cards(world: &World, host: &ManagedObjectReference, group: &str) -> bool {
    let host = world.read::<properties::HostSystem>(host);
    let machines = host.into_iter().flat_map(|host| &host.vm);
    for vm in machines {
        let Some(machine) = world.read::<properties::VirtualMachine>(vm) else {
            continue;
        };
        let runtime = machine.runtime.as_deref();
        if runtime.is_none_or(|runtime| runtime.power_state != PoweredOn) {
            continue;
        }
        let config = machine.config.as_deref();
        for device in config
            .into_iter()
            .flat_map(|config| &config.hardware.device)
        {
            let Some(card) = device.cast::<VirtualEthernetCard>() else {
                continue;
            };
            let backing = card.backing.as_ref();
            let backing =
                backing.and_then(|backing| backing.cast::<VirtualEthernetCardNetworkBackingInfo>());
            let connected = card
                .connectable
                .as_deref()
                .is_none_or(|info| info.connected);
            if connected && backing.is_some_and(|backing| backing.device_name == group) {
                return true;
            }
        }
    }
    false
}
