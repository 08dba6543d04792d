//! The hosts of a distributed switch.

use vi_types::objects::{
    DistributedVirtualSwitchHostMember, DistributedVirtualSwitchHostMemberConfigInfo,
    DistributedVirtualSwitchHostMemberConfigSpec, DistributedVirtualSwitchHostMemberPnicBacking,
    DistributedVirtualSwitchHostMemberRuntimeState, DvsHostJoinedEvent, DvsHostLeftEvent,
    DvsOperationBulkFault, DvsOperationBulkFaultFaultOnHost, HostProxySwitch, KeyValue,
    VMwareDvsConfigInfo,
};
use vi_types::{ManagedObjectReference, Poly, SoapFault, properties};

use super::{Switch, group, is_near, port, read, uplink_names};
use crate::fault;
use crate::host_network;
use crate::task::localized;
use crate::world::World;

/// Ports of a host's proxy.
const PROXY_PORTS: i32 = 512;

/// The hosts of a switch.
pub(super) fn hosts(switch: &Switch) -> Vec<ManagedObjectReference> {
    let members = switch.config.iter().flat_map(|config| &config.host);
    members
        .filter_map(|member| member.config.host.clone())
        .collect()
}

/// Checks hosts that come, change and go. `place` is a place in the switch's datacenter.
pub(super) fn check(
    world: &World,
    place: &ManagedObjectReference,
    switch: Option<&ManagedObjectReference>,
    specs: &[DistributedVirtualSwitchHostMemberConfigSpec],
) -> Result<(), SoapFault> {
    let state = switch.and_then(|switch| world.read::<Switch>(switch));
    let members = state.map_or(Vec::new(), hosts);
    for (index, spec) in specs.iter().enumerate() {
        let host = &spec.host;
        if world.read::<properties::HostSystem>(host).is_none() {
            return Err(fault::managed_object_not_found(host));
        }
        let name = world.name(host).unwrap_or_default();
        let is_member = members.contains(host);
        let is_twice = specs[..index].iter().any(|one| one.host == *host);
        match spec.operation.as_str() {
            _ if is_twice => return Err(fault::invalid_argument("spec.host")),
            "add" if is_member => return Err(fault::already_exists(name)),
            "add" if !is_near(world, host, place) => {
                return Err(fault::invalid_argument("spec.host"));
            }
            "add" => {}
            "edit" | "remove" if !is_member => return Err(fault::not_found()),
            "edit" => {}
            "remove" => {
                let groups = state.iter().flat_map(|state| &state.portgroup);
                for group in groups {
                    if port::is_used_by(world, group, host) {
                        return Err(fault::resource_in_use("HostSystem", name));
                    }
                }
            }
            _ => return Err(fault::invalid_argument("spec.host.operation")),
        }
        check_nics(world, switch, spec)?;
    }
    Ok(())
}

/// Checks the physical NICs of a host on a switch: the host has them, and no other switch has.
fn check_nics(
    world: &World,
    switch: Option<&ManagedObjectReference>,
    spec: &DistributedVirtualSwitchHostMemberConfigSpec,
) -> Result<(), SoapFault> {
    let uuid = switch.and_then(|switch| world.read::<Switch>(switch));
    let uuid = uuid
        .and_then(|switch| switch.uuid.clone())
        .unwrap_or_default();
    let nics: Vec<_> = backing(spec.backing.as_ref())
        .pnic_spec
        .into_iter()
        .map(|nic| nic.pnic_device)
        .collect();
    let checked = host_network::look(world, &spec.host, |edit| edit.check_free(&uuid, &nics));
    checked.map_err(|fault| on_host(&spec.host, fault))
}

/// The fault of a host, as that of the switch.
fn on_host(host: &ManagedObjectReference, fault: SoapFault) -> SoapFault {
    let text = fault.string.clone();
    let failed = DvsOperationBulkFaultFaultOnHost {
        host: host.clone(),
        fault: localized(fault),
        ..DvsOperationBulkFaultFaultOnHost::default()
    };
    let bulk = DvsOperationBulkFault {
        host_fault: vec![failed],
        ..DvsOperationBulkFault::default()
    };
    SoapFault::new(
        bulk,
        format!("The operation on the distributed switch failed on a host: {text}"),
    )
}

fn backing(
    backing: Option<&Poly<vi_types::objects::DistributedVirtualSwitchHostMemberBacking>>,
) -> DistributedVirtualSwitchHostMemberPnicBacking {
    let nics =
        backing.and_then(|backing| backing.cast::<DistributedVirtualSwitchHostMemberPnicBacking>());
    nics.cloned().unwrap_or_default()
}

/// Lets checked hosts come, change and go.
pub(super) fn apply(
    world: &mut World,
    switch: &ManagedObjectReference,
    specs: &[DistributedVirtualSwitchHostMemberConfigSpec],
) -> Result<(), SoapFault> {
    for spec in specs {
        let host = &spec.host;
        match spec.operation.as_str() {
            "remove" => leave(world, switch, host)?,
            "add" => join(world, switch, spec)?,
            _ => edit(world, switch, spec)?,
        }
    }
    // Once for all, as it looks at all hosts.
    if specs.iter().any(|spec| spec.operation != "edit") {
        super::show(world, switch);
    }
    Ok(())
}

fn leave(
    world: &mut World,
    switch: &ManagedObjectReference,
    host: &ManagedObjectReference,
) -> Result<(), SoapFault> {
    let uuid = read(world, switch)?.uuid.clone().unwrap_or_default();
    host_network::change(world, host, "updateNetworkConfig", |edit| {
        edit.leave_distributed(&uuid)
    })?;
    world.change(switch, |state: &mut Switch| {
        if let Some(config) = state.config.as_mut() {
            config
                .host
                .retain(|member| member.config.host.as_ref() != Some(host));
        }
    });
    let event = DvsHostLeftEvent {
        host_left: world.host_argument(host),
        ..DvsHostLeftEvent::default()
    };
    world.log(switch, event);
    Ok(())
}

fn join(
    world: &mut World,
    switch: &ManagedObjectReference,
    spec: &DistributedVirtualSwitchHostMemberConfigSpec,
) -> Result<(), SoapFault> {
    let state = read(world, switch)?;
    let names = uplink_names(state);
    let mut next = port::next_key(world, state);
    let keys: Vec<_> = names
        .iter()
        .map(|_| {
            next += 1;
            (next - 1).to_string()
        })
        .collect();
    let product = state
        .config
        .as_ref()
        .map(|config| config.product_info.clone());
    let most = spec.max_proxy_switch_ports.unwrap_or(PROXY_PORTS);
    let member = DistributedVirtualSwitchHostMember {
        runtime_state: world.since("5.0").then(|| {
            DistributedVirtualSwitchHostMemberRuntimeState {
                current_max_proxy_switch_ports: most,
                ..DistributedVirtualSwitchHostMemberRuntimeState::default()
            }
            .into()
        }),
        config: DistributedVirtualSwitchHostMemberConfigInfo {
            host: Some(spec.host.clone()),
            max_proxy_switch_ports: most,
            backing: backing(spec.backing.as_ref()).into(),
            ..DistributedVirtualSwitchHostMemberConfigInfo::default()
        },
        product_info: product.map(Box::new),
        uplink_port_key: keys.clone(),
        status: "up".to_owned(),
        ..DistributedVirtualSwitchHostMember::default()
    };
    let ports = keys.iter().zip(&names).map(|(key, name)| KeyValue {
        key: key.clone(),
        value: name.clone(),
        ..KeyValue::default()
    });
    let uuid = state.uuid.clone().unwrap_or_default();
    let proxy = HostProxySwitch {
        key: format!("key-vim.host.ProxySwitch-{}", switch.value),
        dvs_uuid: uuid.clone(),
        num_ports: 2560,
        config_num_ports: world.since("5.0").then_some(most),
        num_ports_available: 2560,
        uplink_port: ports.collect(),
        network_reservation_supported: world.since("5.5").then_some(false),
        ..HostProxySwitch::default()
    };
    world.change(switch, |state: &mut Switch| {
        if let Some(config) = state.config.as_mut() {
            config.host.push(member);
        }
    });
    let nics = backing(spec.backing.as_ref());
    host_network::change(world, &spec.host, "updateNetworkConfig", |edit| {
        edit.join_distributed(proxy, nics.into())
    })?;
    take_backings(world, &spec.host);
    let event = DvsHostJoinedEvent {
        host_joined: world.host_argument(&spec.host),
        ..DvsHostJoinedEvent::default()
    };
    world.log(switch, event);
    Ok(())
}

fn edit(
    world: &mut World,
    switch: &ManagedObjectReference,
    spec: &DistributedVirtualSwitchHostMemberConfigSpec,
) -> Result<(), SoapFault> {
    let uuid = read(world, switch)?.uuid.clone().unwrap_or_default();
    if spec.backing.is_some() {
        let nics = backing(spec.backing.as_ref());
        host_network::change(world, &spec.host, "updateNetworkConfig", |edit| {
            edit.set_distributed_nics(&uuid, nics.into())
        })?;
        take_backings(world, &spec.host);
    }
    world.change(switch, |state: &mut Switch| {
        let members = state.config.iter_mut().flat_map(|config| &mut config.host);
        for member in members {
            if member.config.host.as_ref() == Some(&spec.host)
                && let Some(most) = spec.max_proxy_switch_ports
            {
                member.config.max_proxy_switch_ports = most;
            }
        }
    });
    Ok(())
}

/// Lets the switches of a host know the physical NICs that the host has on them: the host may have changed them by itself.
pub(crate) fn take_backings(world: &mut World, host: &ManagedObjectReference) {
    let Some(info) = host_network::info(world, host) else {
        return;
    };
    let proxies: Vec<_> = info
        .proxy_switch
        .iter()
        .map(|proxy| (proxy.dvs_uuid.clone(), backing(proxy.spec.backing.as_ref())))
        .collect();
    for (uuid, mut nics) in proxies {
        let Some(switch) = super::by_uuid(world, &uuid) else {
            continue;
        };
        let group = group::uplink_group(world, &switch);
        for nic in &mut nics.pnic_spec {
            nic.uplink_portgroup_key.clone_from(&group);
        }
        let state = world.read::<Switch>(&switch);
        let members = state.iter().flat_map(|state| &state.config);
        let mut members = members.flat_map(|config| &config.host);
        let member = members.find(|member| member.config.host.as_ref() == Some(host));
        if member.is_none_or(|member| backing(Some(&member.config.backing)) == nics) {
            continue;
        }
        world.change(&switch, |state: &mut Switch| {
            let members = state.config.iter_mut().flat_map(|config| &mut config.host);
            for member in members {
                if member.config.host.as_ref() == Some(host) {
                    member.config.backing = nics.clone().into();
                }
            }
        });
    }
}

/// Lets the hosts' proxies show the switch's name and the size of its packets.
pub(super) fn show_proxies(world: &mut World, switch: &ManagedObjectReference) {
    let Some(state) = world.read::<Switch>(switch) else {
        return;
    };
    let Some(config) = &state.config else { return };
    let (uuid, name) = (config.uuid.clone(), config.name.clone());
    let mtu = config
        .cast::<VMwareDvsConfigInfo>()
        .map(|config| config.max_mtu);
    for host in hosts(state) {
        let info = host_network::info(world, &host);
        let mut proxies = info.into_iter().flat_map(|info| &info.proxy_switch);
        let proxy = proxies.find(|proxy| proxy.dvs_uuid == uuid);
        if proxy.is_some_and(|proxy| proxy.dvs_name != name || proxy.mtu != mtu) {
            host_network::adjust(world, &host, |info| {
                let mut proxies = info.proxy_switch.iter_mut();
                if let Some(proxy) = proxies.find(|proxy| proxy.dvs_uuid == uuid) {
                    proxy.dvs_name.clone_from(&name);
                    proxy.mtu = mtu;
                }
            });
        }
    }
}
