//! Port groups of distributed switches.

use vi_types::objects::{
    BoolPolicy, DvPortSetting, DvPortgroupConfigInfo, DvPortgroupConfigSpec,
    DvPortgroupCreatedEvent, DvPortgroupPolicy, DvPortgroupReconfiguredEvent,
    DvPortgroupRenamedEvent, DvsFault, DvsSecurityPolicy, DvsTrafficShapingPolicy, LongPolicy,
    NetworkSummary, NumericRange, StringPolicy, VMwareDvsPortSetting, VMwareDvsPortgroupPolicy,
    VMwareUplinkPortOrderPolicy, VmwareDistributedVirtualSwitchTrunkVlanSpec,
    VmwareDistributedVirtualSwitchVlanIdSpec, VmwareUplinkPortTeamingPolicy,
};
use vi_types::{ManagedObjectReference, Poly, SoapFault, properties};

use super::{GROUP, Switch, UPLINKS, port, read, show, uplink_names};
use crate::fault;
use crate::host_network;
use crate::machine::config::{escaped, namesake};
use crate::objects::managed_entity::check_name;
use crate::world::inventory::parts::{entity, text};
use crate::world::inventory::{datacenter_of, folders};
use crate::world::{World, container_view};

/// A port group.
type Group = properties::DistributedVirtualPortgroup;

/// Ports of a new port group, if nobody says otherwise.
const PORTS: i32 = 8;

const STATIC: &str = "earlyBinding";
const EPHEMERAL: &str = "ephemeral";

/// Makes port groups: all or none.
///
/// # Errors
/// - `InvalidName`, `DuplicateName` for their names.
/// - `InvalidArgument` for types, numbers of ports and VLANs that there are not.
/// - `DvsFault` for more ports than the switch can have.
pub(crate) fn add(
    world: &mut World,
    switch: &ManagedObjectReference,
    specs: &[DvPortgroupConfigSpec],
) -> Result<Vec<ManagedObjectReference>, SoapFault> {
    check_add(world, switch, specs)?;
    let mut made = Vec::new();
    for spec in specs {
        made.push(make(world, switch, spec, false)?);
    }
    show(world, switch);
    container_view::refresh(world);
    Ok(made)
}

fn check_add(
    world: &World,
    switch: &ManagedObjectReference,
    specs: &[DvPortgroupConfigSpec],
) -> Result<(), SoapFault> {
    let state = read(world, switch)?;
    let folder = state.parent.clone().unwrap_or_default();
    let mut ports = state.config.as_ref().map_or(0, |config| config.num_ports);
    let most = state.config.as_ref().map_or(0, |config| config.max_ports);
    for (index, spec) in specs.iter().enumerate() {
        let name = spec.name.as_deref().unwrap_or_default();
        check_name(name)?;
        if let Some(other) = namesake(world, &folder, name) {
            return Err(fault::duplicate_name(name, &other));
        }
        if specs[..index].iter().any(|one| one.name == spec.name) {
            return Err(fault::duplicate_name(name, switch));
        }
        check_spec(spec)?;
        ports += spec.num_ports.unwrap_or(PORTS);
    }
    match ports > most {
        true => Err(too_many_ports()),
        false => Ok(()),
    }
}

fn check_spec(spec: &DvPortgroupConfigSpec) -> Result<(), SoapFault> {
    let kind = spec.r#type.as_deref();
    if kind.is_some_and(|kind| ![STATIC, "lateBinding", EPHEMERAL].contains(&kind)) {
        return Err(fault::invalid_argument("spec.type"));
    }
    if spec
        .num_ports
        .is_some_and(|ports| !(0..=8192).contains(&ports))
    {
        return Err(fault::invalid_argument("spec.numPorts"));
    }
    match &spec.default_port_config {
        Some(setting) => check_setting(setting),
        None => Ok(()),
    }
}

/// Checks the VLANs of a setting.
pub(super) fn check_setting(setting: &Poly<DvPortSetting>) -> Result<(), SoapFault> {
    let own = setting.cast::<VMwareDvsPortSetting>();
    let Some(vlan) = own.and_then(|own| own.vlan.as_ref()) else {
        return Ok(());
    };
    let is_one = |id: &i32| (0..=4094).contains(id);
    let one = vlan.cast::<VmwareDistributedVirtualSwitchVlanIdSpec>();
    let trunk = vlan.cast::<VmwareDistributedVirtualSwitchTrunkVlanSpec>();
    let is_range = |range: &NumericRange| {
        is_one(&range.start) && is_one(&range.end) && range.start <= range.end
    };
    let is_valid = one.is_none_or(|one| is_one(&one.vlan_id))
        && trunk.is_none_or(|trunk| trunk.vlan_id.iter().all(is_range));
    match is_valid {
        true => Ok(()),
        false => Err(fault::invalid_argument("spec.defaultPortConfig.vlan")),
    }
}

fn too_many_ports() -> SoapFault {
    SoapFault::new(
        DvsFault::default(),
        "The distributed switch cannot have so many ports.",
    )
}

/// Makes a checked port group.
pub(super) fn make(
    world: &mut World,
    switch: &ManagedObjectReference,
    spec: &DvPortgroupConfigSpec,
    uplink: bool,
) -> Result<ManagedObjectReference, SoapFault> {
    let state = read(world, switch)?;
    let base = state
        .config
        .as_ref()
        .map(|config| config.default_port_config.clone());
    let base = base.unwrap_or_default();
    let folder = state.parent.clone().unwrap_or_default();
    let first = port::next_key(world, state);
    let setting = match &spec.default_port_config {
        Some(setting) => merged(&base, setting),
        None if uplink => trunk(&base),
        None => base,
    };
    let value = world.next_value("dvportgroup-");
    let name = spec.name.clone().unwrap_or_default();
    let kind = spec.r#type.clone().unwrap_or_else(|| STATIC.to_owned());
    let ports = match kind == EPHEMERAL || uplink {
        true => 0,
        false => spec.num_ports.unwrap_or(PORTS),
    };
    let reference = ManagedObjectReference::new(GROUP, value.clone());
    let expands = !uplink && kind == STATIC;
    let config = DvPortgroupConfigInfo {
        key: value.clone(),
        name: name.clone(),
        num_ports: ports,
        distributed_virtual_switch: Some(switch.clone()),
        default_port_config: Some(setting),
        description: spec.description.clone(),
        r#type: kind,
        backing_type: text("standard").filter(|_| world.since("7.0.0.0")),
        policy: spec
            .policy
            .clone()
            .unwrap_or_else(|| default_policy().into()),
        port_name_format: spec.port_name_format.clone(),
        scope: spec.scope.clone(),
        config_version: text("0"),
        auto_expand: world
            .since("5.0")
            .then_some(spec.auto_expand.unwrap_or(expands && world.since("5.1"))),
        uplink: world.since("6.5").then_some(uplink),
        ..DvPortgroupConfigInfo::default()
    };
    let keys = (0..u32::try_from(ports).unwrap_or(0)).map(|index| (first + index).to_string());
    let group = Group {
        base: properties::Network {
            base: entity(&escaped(&name), Some(&folder)),
            summary: Some(
                NetworkSummary {
                    network: Some(reference),
                    name: name.clone(),
                    accessible: false,
                    ip_pool_name: text(""),
                    ..NetworkSummary::default()
                }
                .into(),
            ),
            ..properties::Network::default()
        },
        key: Some(value.clone()),
        config: Some(config.into()),
        port_keys: keys.collect(),
        ..Group::default()
    };
    let made = world.add(value, group);
    folders::put(world, &folder, &made);
    if let Some(datacenter) = datacenter_of(world, switch) {
        world.change(&datacenter, |datacenter: &mut properties::Datacenter| {
            datacenter.network.push(made.clone());
        });
    }
    world.change(switch, |switch: &mut Switch| {
        switch.portgroup.push(made.clone())
    });
    world.log(&made, DvPortgroupCreatedEvent::default());
    Ok(made)
}

/// Changes a port group.
///
/// # Errors
/// - `ConcurrentAccess` for another version of its configuration.
/// - `InvalidName`, `DuplicateName` for its name.
/// - `InvalidArgument` for a number of ports or a VLAN that there is not.
/// - `DvsFault` for fewer ports than are connected, and for more than the switch can have.
pub(crate) fn reconfigure(
    world: &mut World,
    group: &ManagedObjectReference,
    spec: &DvPortgroupConfigSpec,
) -> Result<(), SoapFault> {
    let state = world.read::<Group>(group);
    let state = state.ok_or_else(|| fault::managed_object_not_found(group))?;
    let config = state.config.as_deref().cloned().unwrap_or_default();
    if spec.config_version.is_some() && spec.config_version != config.config_version {
        return Err(fault::concurrent_change());
    }
    if let Some(name) = &spec.name {
        check_name(name)?;
        let folder = state.parent.clone().unwrap_or_default();
        match namesake(world, &folder, name) {
            Some(other) if other != *group => return Err(fault::duplicate_name(name, &other)),
            _ => {}
        }
    }
    check_spec(spec)?;
    let Some(switch) = config.distributed_virtual_switch.clone() else {
        return Err(fault::not_supported());
    };
    let used = port::used(world, group);
    let mut keys = state.port_keys.clone();
    if let Some(ports) = spec.num_ports {
        let wanted = usize::try_from(ports).unwrap_or(0);
        if wanted < used.len() {
            return Err(too_many_ports());
        }
        // Those without a connection go first.
        while keys.len() > wanted {
            let free = keys
                .iter()
                .rposition(|key| !used.iter().any(|(one, _)| one == key));
            let Some(free) = free else { break };
            keys.remove(free);
        }
        let mut next = port::next_key(world, read(world, &switch)?);
        while keys.len() < wanted {
            keys.push(next.to_string());
            next += 1;
        }
    }
    let renamed = spec.name.clone().filter(|name| *name != config.name);
    let ports = i32::try_from(keys.len()).unwrap_or(i32::MAX);
    world.change(group, |group: &mut Group| {
        group.port_keys = keys;
        if let Some(name) = &renamed {
            group.name = Some(escaped(name));
            if let Some(summary) = group.summary.as_mut() {
                summary.name.clone_from(name);
            }
        }
        let Some(config) = group.config.as_deref_mut() else {
            return;
        };
        let version = config.config_version.as_deref().unwrap_or("0");
        let version = version.parse::<u32>().unwrap_or(0);
        config.config_version = Some(version.wrapping_add(1).to_string());
        config.num_ports = ports;
        if let Some(name) = &renamed {
            config.name.clone_from(name);
        }
        if let Some(setting) = &spec.default_port_config {
            let base = config.default_port_config.clone().unwrap_or_default();
            config.default_port_config = Some(merged(&base, setting));
        }
        if spec.description.is_some() {
            config.description.clone_from(&spec.description);
        }
        if let Some(kind) = &spec.r#type {
            config.r#type.clone_from(kind);
        }
        if let Some(policy) = &spec.policy {
            config.policy = policy.clone();
        }
        if config.auto_expand.is_some() {
            config.auto_expand = spec.auto_expand.or(config.auto_expand);
        }
    });
    show(world, &switch);
    match renamed {
        Some(new_name) => {
            let event = DvPortgroupRenamedEvent {
                old_name: config.name,
                new_name,
                ..DvPortgroupRenamedEvent::default()
            };
            world.log(group, event);
        }
        None => {
            let event = DvPortgroupReconfiguredEvent {
                config_spec: spec.clone(),
                ..DvPortgroupReconfiguredEvent::default()
            };
            world.log(group, event);
        }
    }
    Ok(())
}

/// Checks that a port group can be removed.
///
/// # Errors
/// - `ResourceInUse` if a machine or an interface of a host is in it.
/// - `NotSupported` for that of the uplinks.
pub(crate) fn check_unused(world: &World, group: &ManagedObjectReference) -> Result<(), SoapFault> {
    let state = world.read::<Group>(group);
    let state = state.ok_or_else(|| fault::managed_object_not_found(group))?;
    if is_uplink(world, group) {
        return Err(fault::not_supported());
    }
    match port::used(world, group).is_empty() && state.vm.is_empty() {
        true => Ok(()),
        false => {
            let name = state.name.as_deref().unwrap_or_default();
            Err(fault::resource_in_use(GROUP, name))
        }
    }
}

/// Takes a port group out of the inventory, its switch and its hosts.
pub(super) fn take_out(world: &mut World, group: &ManagedObjectReference) {
    let hosts = hosts(world, group);
    let switch = switch_of(world, group);
    for host in hosts {
        world.change(&host, |host: &mut properties::HostSystem| {
            host.network.retain(|one| one != group);
        });
    }
    if let Some(switch) = switch {
        world.change(&switch, |switch: &mut Switch| {
            switch.portgroup.retain(|one| one != group);
        });
    }
    host_network::remove_network(world, group);
}

/// The switch of a port group.
pub(super) fn switch_of(
    world: &World,
    group: &ManagedObjectReference,
) -> Option<ManagedObjectReference> {
    let config = world.read::<Group>(group)?.config.as_deref()?;
    config.distributed_virtual_switch.clone()
}

/// The hosts of a port group.
pub(super) fn hosts(world: &World, group: &ManagedObjectReference) -> Vec<ManagedObjectReference> {
    world
        .read::<Group>(group)
        .map_or(Vec::new(), |group| group.host.clone())
}

/// Whether a port group is that of its switch's uplinks.
pub(super) fn is_uplink(world: &World, group: &ManagedObjectReference) -> bool {
    let switch = switch_of(world, group);
    let switch = switch.and_then(|switch| world.read::<Switch>(&switch));
    let config = switch.and_then(|switch| switch.config.as_ref());
    config.is_some_and(|config| config.uplink_portgroup.contains(group))
}

/// The key of the port group of a switch's uplinks.
pub(super) fn uplink_group(world: &World, switch: &ManagedObjectReference) -> Option<String> {
    let config = world.read::<Switch>(switch)?.config.as_ref()?;
    Some(config.uplink_portgroup.first()?.value.clone())
}

/// Gives the port group of the uplinks the ports of all hosts.
pub(super) fn show_uplinks(world: &mut World, switch: &ManagedObjectReference) {
    let Some(state) = world.read::<Switch>(switch) else {
        return;
    };
    let Some(config) = &state.config else { return };
    let members = config
        .host
        .iter()
        .flat_map(|member| &member.uplink_port_key);
    let keys: Vec<_> = members.cloned().collect();
    let Some(group) = config.uplink_portgroup.first().cloned() else {
        return;
    };
    let names = uplink_names(state);
    world.change(&group, |group: &mut Group| {
        if let Some(config) = group.config.as_deref_mut() {
            config.num_ports = i32::try_from(keys.len()).unwrap_or(i32::MAX);
            let setting = config.default_port_config.as_mut();
            let setting = setting.and_then(|setting| setting.cast_mut::<VMwareDvsPortSetting>());
            if let Some(teaming) = setting.and_then(|own| own.uplink_teaming_policy.as_mut())
                && let Some(order) = teaming.uplink_port_order.as_mut()
            {
                order.active_uplink_port = names;
            }
        }
        group.port_keys = keys;
    });
}

/// Lists a port group in the hosts of its switch, and these in the port group.
pub(super) fn show_hosts(
    world: &mut World,
    group: &ManagedObjectReference,
    hosts: &[ManagedObjectReference],
) {
    let before = self::hosts(world, group);
    if before == hosts {
        return;
    }
    world.change(group, |group: &mut Group| {
        group.host = hosts.to_vec();
        if let Some(summary) = group.summary.as_mut() {
            summary.accessible = !hosts.is_empty();
        }
    });
    for left in before.iter().filter(|host| !hosts.contains(host)) {
        world.change(left, |host: &mut properties::HostSystem| {
            host.network.retain(|one| one != group);
        });
        host_network::show_compute(world, left);
    }
    for joined in hosts.iter().filter(|host| !before.contains(host)) {
        world.change(joined, |host: &mut properties::HostSystem| {
            host.network.push(group.clone());
        });
        host_network::show_compute(world, joined);
    }
}

fn yes_or_no(value: bool) -> Option<Box<BoolPolicy>> {
    let policy = BoolPolicy {
        value: Some(value),
        ..BoolPolicy::default()
    };
    Some(policy.into())
}

fn words(value: &str) -> Option<Box<StringPolicy>> {
    let policy = StringPolicy {
        value: text(value),
        ..StringPolicy::default()
    };
    Some(policy.into())
}

fn number(value: i64) -> Option<Box<LongPolicy>> {
    let policy = LongPolicy {
        value: Some(value),
        ..LongPolicy::default()
    };
    Some(policy.into())
}

/// The setting of a new switch's ports: no VLAN, no limits.
pub(super) fn default_setting() -> VMwareDvsPortSetting {
    let unlimited = || DvsTrafficShapingPolicy {
        enabled: yes_or_no(false),
        average_bandwidth: number(100_000_000),
        peak_bandwidth: number(100_000_000),
        burst_size: number(104_857_600),
        ..DvsTrafficShapingPolicy::default()
    };
    VMwareDvsPortSetting {
        base: DvPortSetting {
            blocked: yes_or_no(false),
            in_shaping_policy: Some(unlimited().into()),
            out_shaping_policy: Some(unlimited().into()),
            ..DvPortSetting::default()
        },
        vlan: Some(VmwareDistributedVirtualSwitchVlanIdSpec::default().into()),
        uplink_teaming_policy: Some(
            VmwareUplinkPortTeamingPolicy {
                policy: words("loadbalance_srcid"),
                reverse_policy: yes_or_no(true),
                notify_switches: yes_or_no(true),
                rolling_order: yes_or_no(false),
                uplink_port_order: Some(
                    VMwareUplinkPortOrderPolicy {
                        active_uplink_port: UPLINKS.map(str::to_owned).to_vec(),
                        ..VMwareUplinkPortOrderPolicy::default()
                    }
                    .into(),
                ),
                ..VmwareUplinkPortTeamingPolicy::default()
            }
            .into(),
        ),
        security_policy: Some(
            DvsSecurityPolicy {
                allow_promiscuous: yes_or_no(false),
                mac_changes: yes_or_no(false),
                forged_transmits: yes_or_no(false),
                ..DvsSecurityPolicy::default()
            }
            .into(),
        ),
        ..VMwareDvsPortSetting::default()
    }
}

/// The setting of uplinks, which have all VLANs.
fn trunk(base: &Poly<DvPortSetting>) -> Poly<DvPortSetting> {
    let all = NumericRange {
        start: 0,
        end: 4094,
        ..NumericRange::default()
    };
    let trunk = VmwareDistributedVirtualSwitchTrunkVlanSpec {
        vlan_id: vec![all],
        ..VmwareDistributedVirtualSwitchTrunkVlanSpec::default()
    };
    let over = VMwareDvsPortSetting {
        vlan: Some(trunk.into()),
        ..VMwareDvsPortSetting::default()
    };
    merged(base, &over.into())
}

fn default_policy() -> VMwareDvsPortgroupPolicy {
    VMwareDvsPortgroupPolicy {
        base: DvPortgroupPolicy {
            block_override_allowed: true,
            port_config_reset_at_disconnect: true,
            ..DvPortgroupPolicy::default()
        },
        ..VMwareDvsPortgroupPolicy::default()
    }
}

/// A setting with everything that another one sets.
pub(super) fn merged(
    base: &Poly<DvPortSetting>,
    over: &Poly<DvPortSetting>,
) -> Poly<DvPortSetting> {
    fn put<T: Clone>(slot: &mut Option<T>, value: &Option<T>) {
        if value.is_some() {
            slot.clone_from(value);
        }
    }
    let mut setting = base
        .cast::<VMwareDvsPortSetting>()
        .cloned()
        .unwrap_or_default();
    put(&mut setting.base.blocked, &over.blocked);
    put(&mut setting.base.in_shaping_policy, &over.in_shaping_policy);
    put(
        &mut setting.base.out_shaping_policy,
        &over.out_shaping_policy,
    );
    let key = &over.network_resource_pool_key;
    put(&mut setting.base.network_resource_pool_key, key);
    if let Some(over) = over.cast::<VMwareDvsPortSetting>() {
        put(&mut setting.vlan, &over.vlan);
        put(
            &mut setting.uplink_teaming_policy,
            &over.uplink_teaming_policy,
        );
        put(&mut setting.security_policy, &over.security_policy);
        put(&mut setting.ipfix_enabled, &over.ipfix_enabled);
        put(&mut setting.tx_uplink, &over.tx_uplink);
    }
    setting.into()
}
