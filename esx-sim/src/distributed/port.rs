//! Ports of distributed switches, and who is connected to them.

use vi_types::objects::{
    DistributedVirtualPort, DistributedVirtualSwitchPortConnectee,
    DistributedVirtualSwitchPortConnection, DistributedVirtualSwitchPortCriteria, DvPortConfigInfo,
    DvPortState, DvPortStatus, VirtualEthernetCard,
    VirtualEthernetCardDistributedVirtualPortBackingInfo,
};
use vi_types::{ManagedObjectReference, properties};

use super::{GROUP, Switch, by_uuid, group, is_same_uuid, uplink_names};
use crate::host_network;
use crate::world::World;
use crate::world::inventory::parts::{made_time, mix, text};

type Group = properties::DistributedVirtualPortgroup;

/// Who is connected to a port.
#[derive(Clone)]
pub(crate) struct Connectee {
    pub(super) host: Option<ManagedObjectReference>,
    entity: ManagedObjectReference,
    nic: String,
    kind: &'static str,
    address: Option<String>,
    cookie: Option<i32>,
}

/// The connected ports of a port group, with who is there.
pub(super) fn used(world: &World, group: &ManagedObjectReference) -> Vec<(String, Connectee)> {
    let Some(state) = world.read::<Group>(group) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for vm in &state.vm {
        let Some(machine) = world.read::<properties::VirtualMachine>(vm) else {
            continue;
        };
        let host = machine
            .runtime
            .as_deref()
            .and_then(|runtime| runtime.host.clone());
        let config = machine.config.as_deref();
        for device in config
            .into_iter()
            .flat_map(|config| &config.hardware.device)
        {
            let Some(card) = device.cast::<VirtualEthernetCard>() else {
                continue;
            };
            let Some(port) = port_of(card) else { continue };
            if port.portgroup_key.as_deref() == Some(&*group.value)
                && let Some(key) = &port.port_key
            {
                let connectee = Connectee {
                    host: host.clone(),
                    entity: vm.clone(),
                    nic: card.key.to_string(),
                    kind: "vmVnic",
                    address: card.mac_address.clone(),
                    cookie: port.connection_cookie,
                };
                found.push((key.clone(), connectee));
            }
        }
    }
    for host in &state.host {
        let info = host_network::info(world, host);
        for nic in info.into_iter().flat_map(|info| &info.vnic) {
            let port = nic.spec.distributed_virtual_port.as_deref();
            let port = port.filter(|port| port.portgroup_key.as_deref() == Some(&*group.value));
            if let Some(port) = port
                && let Some(key) = &port.port_key
            {
                let connectee = Connectee {
                    host: Some(host.clone()),
                    entity: host.clone(),
                    nic: nic.device.clone(),
                    kind: "hostVmkVnic",
                    address: nic.spec.mac.clone(),
                    cookie: port.connection_cookie,
                };
                found.push((key.clone(), connectee));
            }
        }
    }
    found
}

/// The physical NICs at a switch's uplinks.
fn uplinks(world: &World, switch: &Switch) -> Vec<(String, Connectee)> {
    let uuid = switch.uuid.as_deref().unwrap_or_default();
    let mut found = Vec::new();
    for host in super::members::hosts(switch) {
        let Some(info) = host_network::info(world, &host) else {
            continue;
        };
        for proxy in info
            .proxy_switch
            .iter()
            .filter(|proxy| proxy.dvs_uuid == uuid)
        {
            for nic in host_network::distributed_nics(proxy) {
                let Some(key) = nic.uplink_port_key else {
                    continue;
                };
                let mut cards = info.pnic.iter();
                let card = cards.find(|card| card.device == nic.pnic_device);
                let connectee = Connectee {
                    host: Some(host.clone()),
                    entity: host.clone(),
                    address: card.map(|card| card.mac.clone()),
                    nic: nic.pnic_device,
                    kind: "pnic",
                    cookie: nic.connection_cookie,
                };
                found.push((key, connectee));
            }
        }
    }
    found
}

/// The port of a card on a distributed switch.
pub(crate) fn port_of(
    card: &VirtualEthernetCard,
) -> Option<&DistributedVirtualSwitchPortConnection> {
    let backing = card.backing.as_ref()?;
    let backing = backing.cast::<VirtualEthernetCardDistributedVirtualPortBackingInfo>()?;
    Some(&backing.port)
}

/// Whether a machine or an interface of a host is in a port group.
pub(super) fn is_used_by(
    world: &World,
    group: &ManagedObjectReference,
    host: &ManagedObjectReference,
) -> bool {
    let used = used(world, group);
    used.iter().any(|(_, one)| one.host.as_ref() == Some(host))
}

/// A key that no port of a switch has.
pub(super) fn next_key(world: &World, switch: &Switch) -> u32 {
    let groups = switch
        .portgroup
        .iter()
        .filter_map(|group| world.read::<Group>(group));
    let keys = groups.flat_map(|group| &group.port_keys);
    let members = switch.config.iter().flat_map(|config| &config.host);
    let uplinks = members.flat_map(|member| &member.uplink_port_key);
    let numbers = keys
        .chain(uplinks)
        .filter_map(|key| key.parse::<u32>().ok());
    numbers.max().map_or(0, |last| last + 1)
}

/// The port that a card or an interface of a host gets; `taken` are ports of the switch that others get at the same time, and
/// `own` is the machine or host whose ports count as free. `None` if the host has no part of the switch, if there is no such
/// port group or port, or no free one.
pub(crate) fn connect(
    world: &World,
    host: &ManagedObjectReference,
    asked: &DistributedVirtualSwitchPortConnection,
    own: &ManagedObjectReference,
    taken: &[String],
) -> Option<DistributedVirtualSwitchPortConnection> {
    let info = host_network::info(world, host)?;
    let mut proxies = info.proxy_switch.iter();
    proxies.find(|proxy| is_same_uuid(&proxy.dvs_uuid, &asked.switch_uuid))?;
    let reference = by_uuid(world, &asked.switch_uuid)?;
    let switch = world.read::<Switch>(&reference)?;
    let mut groups = switch.portgroup.iter();
    let wanted = asked.port_key.as_deref().filter(|key| !key.is_empty());
    let group = groups.find(|group| match asked.portgroup_key.as_deref() {
        Some(key) => group.value == key,
        None => world.read::<Group>(group).is_some_and(|group| {
            wanted.is_some_and(|key| group.port_keys.iter().any(|one| one == key))
        }),
    })?;
    if group::is_uplink(world, group) {
        return None;
    }
    let state = world.read::<Group>(group)?;
    let config = state.config.as_deref()?;
    let used = used(world, group);
    let is_free = |key: &str| {
        let mut used = used.iter();
        !used.any(|(one, who)| one == key && who.entity != *own)
            && !taken.iter().any(|one| one == key)
    };
    let is_known = |key: &str| state.port_keys.iter().any(|one| one == key);
    let grows = config.r#type == "ephemeral" || config.auto_expand == Some(true);
    let key = match wanted {
        Some(key) if is_free(key) && (is_known(key) || config.r#type == "ephemeral") => {
            Some(key.to_owned())
        }
        // Whoever names a port only wants that one; a copy of a machine or a file may have any in its group.
        Some(_) if asked.portgroup_key.is_none() => return None,
        _ => {
            let mut keys = state.port_keys.iter();
            keys.find(|key| is_free(key) && !used.iter().any(|(one, _)| one == *key))
                .cloned()
        }
    };
    let key = match key {
        Some(key) => key,
        None if grows => {
            let next = next_key(world, switch);
            let mut keys = (next..).map(|key| key.to_string());
            keys.find(|key| is_free(key))?
        }
        None => return None,
    };
    let number = key.parse::<u64>().unwrap_or(0);
    let cookie = mix(number ^ super::digits(&group.value) << 32) as u32 & 0x7fff_ffff;
    Some(DistributedVirtualSwitchPortConnection {
        switch_uuid: switch.uuid.clone()?,
        portgroup_key: Some(group.value.clone()),
        connection_cookie: i32::try_from(cookie).ok(),
        port_key: Some(key),
        ..DistributedVirtualSwitchPortConnection::default()
    })
}

/// Works out the ports of a network after machines or interfaces have come or gone, if it is a distributed one.
pub(crate) fn machines_changed(world: &mut World, network: &ManagedObjectReference) {
    if network.r#type != GROUP {
        return;
    }
    let Some(state) = world.read::<Group>(network) else {
        return;
    };
    let used = used(world, network);
    let is_ephemeral = state
        .config
        .as_deref()
        .is_some_and(|config| config.r#type == "ephemeral");
    let mut keys = match is_ephemeral {
        true => Vec::new(),
        false => state.port_keys.clone(),
    };
    for (key, _) in used {
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    if keys != state.port_keys {
        world.change(network, |group: &mut Group| {
            if let Some(config) = group.config.as_deref_mut() {
                config.num_ports = i32::try_from(keys.len()).unwrap_or(i32::MAX);
            }
            group.port_keys = keys;
        });
    }
    if let Some(switch) = group::switch_of(world, network) {
        super::show_summary(world, &switch);
    }
}

/// The ports of a switch that fit.
pub(crate) fn fetch(
    world: &World,
    reference: &ManagedObjectReference,
    criteria: Option<&DistributedVirtualSwitchPortCriteria>,
) -> Vec<DistributedVirtualPort> {
    let Some(switch) = world.read::<Switch>(reference) else {
        return Vec::new();
    };
    let names = uplink_names(switch);
    let mut found = Vec::new();
    for group in &switch.portgroup {
        let Some(state) = world.read::<Group>(group) else {
            continue;
        };
        let is_uplink = group::is_uplink(world, group);
        let used = match is_uplink {
            true => uplinks(world, switch),
            false => used(world, group),
        };
        for (index, key) in state.port_keys.iter().enumerate() {
            let who = used.iter().find(|(one, _)| one == key).map(|(_, who)| who);
            if criteria.is_some_and(|criteria| !fits(criteria, group, key, is_uplink, who)) {
                continue;
            }
            let name = names.get(index % names.len().max(1));
            let name = name.filter(|_| is_uplink).cloned();
            found.push(port(switch, group, key, name, who));
        }
    }
    found
}

fn fits(
    criteria: &DistributedVirtualSwitchPortCriteria,
    group: &ManagedObjectReference,
    key: &str,
    is_uplink: bool,
    who: Option<&Connectee>,
) -> bool {
    let is_in = criteria.portgroup_key.contains(&group.value);
    let is_inside = criteria.inside.unwrap_or(true);
    let host = who.and_then(|who| who.host.as_ref());
    criteria
        .connected
        .is_none_or(|connected| connected == who.is_some())
        && criteria.active.is_none_or(|active| active == who.is_some())
        && criteria
            .uplink_port
            .is_none_or(|uplink| uplink == is_uplink)
        && (criteria.portgroup_key.is_empty() || is_in == is_inside)
        && (criteria.port_key.is_empty() || criteria.port_key.iter().any(|one| one == key))
        && (criteria.host.is_empty() || host.is_some_and(|host| criteria.host.contains(host)))
}

fn port(
    switch: &Switch,
    group: &ManagedObjectReference,
    key: &str,
    name: Option<String>,
    who: Option<&Connectee>,
) -> DistributedVirtualPort {
    let status = DvPortStatus {
        link_up: who.is_some(),
        mac_address: who.and_then(|who| who.address.clone()),
        ..DvPortStatus::default()
    };
    DistributedVirtualPort {
        key: key.to_owned(),
        config: DvPortConfigInfo {
            name,
            config_version: "0".to_owned(),
            ..DvPortConfigInfo::default()
        },
        dvs_uuid: switch.uuid.clone().unwrap_or_default(),
        portgroup_key: text(&group.value),
        proxy_host: who.and_then(|who| who.host.clone()),
        connectee: who.map(|who| {
            DistributedVirtualSwitchPortConnectee {
                connected_entity: Some(who.entity.clone()),
                nic_key: Some(who.nic.clone()),
                r#type: text(who.kind),
                address_hint: who.address.clone(),
                ..DistributedVirtualSwitchPortConnectee::default()
            }
            .into()
        }),
        state: Some(
            DvPortState {
                runtime_info: Some(status.into()),
                ..DvPortState::default()
            }
            .into(),
        ),
        connection_cookie: who.and_then(|who| who.cookie),
        last_status_change: made_time(),
        ..DistributedVirtualPort::default()
    }
}
