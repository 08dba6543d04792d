//! How a host's networks change: switches, port groups, interfaces, addresses and routes.
//!
//! An [`Edit`] is a copy of a host's networks that changes step by step. The host gets it when all steps have succeeded, so a
//! call that fails changes nothing. What can be worked out of the rest ([`derive`](Edit::derive)) is never set by a step.

mod address;
mod configuration;
mod interface;
mod network;
mod policy;
mod port_group;
mod proxy;
mod routes;
mod switch;

use vi_types::enums::TaskInfoState;
use vi_types::objects::{HostNetworkInfo, HostVirtualNic, PhysicalNic, TaskEvent, TaskInfo};
use vi_types::{ManagedObjectReference, SoapFault, properties};

pub(crate) use self::address::only_link;
pub(crate) use self::configuration::{Mode, configuration};
pub(crate) use self::interface::{DEFAULT_STACK, Kind, port_key};
pub(crate) use self::network::{
    enter as enter_network, remove as remove_network, show as show_networks, show_compute,
};
pub(crate) use self::policy::{TEAMING, merged};
pub(crate) use self::proxy::nics as distributed_nics;
pub(crate) use self::routes::{derive_routes, stacks};
use crate::distributed;
use crate::fault;
use crate::world::World;
use crate::world::inventory::ServerKind;

/// A host's networks while they change.
pub(crate) struct Edit<'a> {
    world: &'a World,
    host: &'a ManagedObjectReference,
    pub(crate) info: HostNetworkInfo,
}

/// Changes the networks of a host: as a whole or, if a step fails, not at all. `call` is the end of the `descriptionId` of
/// the event that tells of it, such as `addVirtualSwitch`.
///
/// # Errors
/// - Those of the steps.
/// - `NotSupported` for a host without networks.
/// - `PlatformConfigFault` if the host of a vCenter would not be reachable any more. From 5.1 on, such changes are rolled
///   back, unless the setting `config.vpxd.network.rollback` says otherwise.
pub(crate) fn change<R>(
    world: &mut World,
    host: &ManagedObjectReference,
    call: &str,
    steps: impl FnOnce(&mut Edit<'_>) -> Result<R, SoapFault>,
) -> Result<R, SoapFault> {
    let before = info(world, host).ok_or_else(fault::not_supported)?;
    let mut edit = Edit {
        world,
        host,
        info: before.clone(),
    };
    let result = steps(&mut edit)?;
    edit.check_uplinks()?;
    edit.check_reachable(before)?;
    edit.derive();
    let info = edit.info;
    set(world, host, info);
    distributed::take_backings(world, host);
    log(world, host, call);
    Ok(result)
}

/// The same for a change that nothing hinders: one at the host itself, or of its cables.
///
/// # Errors
/// Those of the change.
pub(crate) fn force<E>(
    world: &mut World,
    host: &ManagedObjectReference,
    change: impl FnOnce(&mut Edit<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let info = info(world, host).cloned().unwrap_or_default();
    let mut edit = Edit { world, host, info };
    change(&mut edit)?;
    edit.derive();
    let info = edit.info;
    set(world, host, info);
    log(world, host, "updateNetworkConfig");
    Ok(())
}

/// Changes what the vCenter writes into a host's networks.
pub(crate) fn adjust(
    world: &mut World,
    host: &ManagedObjectReference,
    adjust: impl FnOnce(&mut HostNetworkInfo),
) {
    if let Some(mut info) = info(world, host).cloned() {
        adjust(&mut info);
        set(world, host, info);
    }
}

/// Looks at the networks of a host as a change would see them.
///
/// # Errors
/// Those of `look`, and `NotSupported` for a host without networks.
pub(crate) fn look<R>(
    world: &World,
    host: &ManagedObjectReference,
    look: impl FnOnce(&Edit<'_>) -> Result<R, SoapFault>,
) -> Result<R, SoapFault> {
    let info = info(world, host).ok_or_else(fault::not_supported)?.clone();
    look(&Edit { world, host, info })
}

/// `HostSystem.config.network`.
pub(crate) fn info<'a>(
    world: &'a World,
    host: &ManagedObjectReference,
) -> Option<&'a HostNetworkInfo> {
    let host = world.read::<properties::HostSystem>(host)?;
    host.config.as_deref()?.network.as_deref()
}

/// Gives a host its networks, in all properties that show them.
fn set(world: &mut World, host: &ManagedObjectReference, info: HostNetworkInfo) {
    let system = world.change(host, |host: &mut properties::HostSystem| {
        if let Some(config) = host.config.as_deref_mut() {
            config.network = Some(info.clone().into());
        }
        if let Some(summary) = host.summary.as_deref_mut()
            && let Some(hardware) = summary.hardware.as_deref_mut()
        {
            hardware.num_nics = i32::try_from(info.pnic.len()).unwrap_or(i32::MAX);
        }
        host.config_manager.as_deref()?.network_system.clone()
    });
    if let Some(system) = system.flatten() {
        world.change(&system, |system: &mut properties::HostNetworkSystem| {
            show_system(system, info);
        });
    }
    show_networks(world, host);
}

/// Lets a host's network system show the host's networks.
pub(crate) fn show_system(system: &mut properties::HostNetworkSystem, info: HostNetworkInfo) {
    system.network_config = Some(configuration(&info).into());
    system.dns_config.clone_from(&info.dns_config);
    system.ip_route_config.clone_from(&info.ip_route_config);
    system
        .console_ip_route_config
        .clone_from(&info.console_ip_route_config);
    system.network_info = Some(info.into());
}

/// Networks of a host have no events of their own, but the call that changes them has one.
fn log(world: &mut World, host: &ManagedObjectReference, call: &str) {
    let info = TaskInfo {
        description_id: format!("host.NetworkSystem.{call}"),
        entity: Some(host.clone()),
        entity_name: world.name(host).map(str::to_owned),
        state: TaskInfoState::Success,
        ..TaskInfo::default()
    };
    let event = TaskEvent {
        info,
        ..TaskEvent::default()
    };
    world.log(host, event);
}

impl Edit<'_> {
    fn since(&self, version: &str) -> bool {
        self.world.since(version)
    }

    /// Fails if two switches have one physical NIC.
    fn check_uplinks(&self) -> Result<(), SoapFault> {
        let standard = self.info.vswitch.iter().map(|switch| {
            let keys = switch.spec.bridge.as_ref();
            keys.map_or(Vec::new(), switch::devices)
        });
        let distributed = self.info.proxy_switch.iter().map(|switch| &switch.pnic);
        let distributed = distributed.map(|keys| self.devices_of(keys));
        let opaque = self.info.opaque_switch.iter().map(|switch| &switch.pnic);
        let opaque = opaque.map(|keys| self.devices_of(keys));
        let mut taken = Vec::new();
        for device in standard.chain(distributed).chain(opaque).flatten() {
            if taken.contains(&device) {
                return Err(fault::resource_in_use("PhysicalNic", &device));
            }
            taken.push(device);
        }
        Ok(())
    }

    /// The names of physical NICs by their keys.
    fn devices_of(&self, keys: &[String]) -> Vec<String> {
        let nics = self.info.pnic.iter();
        let nics = nics.filter(|nic| nic.key.as_ref().is_some_and(|key| keys.contains(key)));
        nics.map(|nic| nic.device.clone()).collect()
    }

    /// The physical NIC that a text means: its device, or its key, which libvirt sends (`esxNetworkDefineXMLFlags` of 9.0.0).
    fn nic(&self, text: &str) -> Option<&PhysicalNic> {
        let mut nics = self.info.pnic.iter();
        nics.find(|nic| nic.device == text || nic.key.as_deref() == Some(text))
    }

    fn check_reachable(&self, before: &HostNetworkInfo) -> Result<(), SoapFault> {
        if self.world.kind() == ServerKind::Esx || !self.since("5.1") {
            return Ok(());
        }
        match is_reachable(before) && !is_reachable(&self.info) {
            false => Ok(()),
            true => {
                let name = self.world.name(self.host).unwrap_or_default();
                Err(fault::platform_config(&format!(
                    "Network configuration change disconnected the host '{name}' from vCenter server and has been \
                     rolled back"
                )))
            }
        }
    }

    /// Works out what follows from the rest.
    fn derive(&mut self) {
        self.derive_switches();
        self.derive_groups();
        derive_routes(self.world, &mut self.info);
    }
}

/// Whether an interface of the host is on a switch with a physical NIC that has a link.
fn is_reachable(info: &HostNetworkInfo) -> bool {
    let linked = |keys: &[String]| {
        let mut nics = info.pnic.iter();
        nics.any(|nic| {
            nic.link_speed.is_some() && nic.key.as_ref().is_some_and(|key| keys.contains(key))
        })
    };
    let has_way_out = |nic: &HostVirtualNic| {
        if let Some(port) = nic.spec.distributed_virtual_port.as_deref() {
            let mut switches = info.proxy_switch.iter();
            return switches
                .any(|switch| switch.dvs_uuid == port.switch_uuid && linked(&switch.pnic));
        }
        if nic.spec.opaque_network.is_some() {
            return info.opaque_switch.iter().any(|switch| linked(&switch.pnic));
        }
        let mut groups = info.portgroup.iter();
        let group = groups.find(|group| group.spec.name == nic.portgroup);
        let Some(group) = group else { return false };
        info.vswitch.iter().any(|switch| {
            let bridge = switch.spec.bridge.as_ref();
            let devices = bridge.map_or(Vec::new(), switch::devices);
            let mut nics = info.pnic.iter();
            switch.name == group.spec.vswitch_name
                && nics.any(|nic| nic.link_speed.is_some() && devices.contains(&nic.device))
        })
    };
    // The first one is the management's, on which a vCenter reaches the host.
    info.vnic.first().is_some_and(has_way_out)
}
