//! Distributed switches: switches of a vCenter that its hosts have parts of.
//!
//! A switch knows its hosts and their physical NICs, a host has a proxy of it (`config.network.proxySwitch`), and a port group
//! is a network of all of these hosts. [`show`] works out what follows. Who is connected to a port is found at the cards of
//! machines, the interfaces of hosts and their physical NICs, so nothing can contradict them.

mod group;
mod members;
mod port;

use vi_types::objects::{
    DistributedVirtualSwitchProductSpec, DvPortgroupConfigSpec, DvsCapability, DvsConfigSpec,
    DvsContactInfo, DvsNameArrayUplinkPortPolicy, DvsPolicy, DvsSummary, DvsUplinkPortPolicy,
    LinkDiscoveryProtocolConfig, VMwareDvsConfigInfo, VMwareDvsConfigSpec,
};
use vi_types::{ManagedObjectReference, Poly, SoapFault, properties};

pub(crate) use self::group::{add as add_groups, check_unused, reconfigure as reconfigure_group};
pub(crate) use self::members::take_backings;
pub(crate) use self::port::{connect, fetch, machines_changed, port_of};
use crate::event::lifecycle;
use crate::fault;
use crate::host_network;
use crate::machine::config::{escaped, namesake};
use crate::objects::managed_entity::check_name;
use crate::version::ApiVersion;
use crate::world::inventory::parts::{entity, made_time, text, uuid};
use crate::world::inventory::{datacenter_of, folders};
use crate::world::{World, container_view};

/// The most ports of a switch, if nobody says otherwise.
const MOST_PORTS: i32 = i32::MAX;

/// The names of uplinks, if nobody says otherwise.
const UPLINKS: [&str; 4] = ["dvUplink1", "dvUplink2", "dvUplink3", "dvUplink4"];

/// A distributed switch.
pub(crate) type Switch = properties::DistributedVirtualSwitch;

/// The kind of switches that there are.
pub(crate) const SWITCH: &str = "VmwareDistributedVirtualSwitch";

/// The port groups.
pub(crate) const GROUP: &str = "DistributedVirtualPortgroup";

/// Makes a switch in a network folder, with a port group for its uplinks.
///
/// # Errors
/// - `InvalidName`, `DuplicateName` for its name.
/// - `NotSupported` for a folder that takes no networks, and on a host.
/// - `InvalidArgument` for a product version that there is not.
/// - Those of [`reconfigure`].
pub(crate) fn create(
    world: &mut World,
    folder: &ManagedObjectReference,
    spec: &Poly<DvsConfigSpec>,
    product: Option<&DistributedVirtualSwitchProductSpec>,
) -> Result<ManagedObjectReference, SoapFault> {
    check_create(world, folder, spec, product)?;
    let name = spec.name.clone().unwrap_or_default();
    let value = world.next_value("dvs-");
    let number = digits(&value);
    let switch_uuid = spaced(&uuid(0x5017, number));
    let product = products(world, None).into_iter().find(|one| {
        product.is_none_or(|asked| asked.version.is_none() || asked.version == one.version)
    });
    let product = product.unwrap_or_default();
    let config = VMwareDvsConfigInfo {
        base: vi_types::objects::DvsConfigInfo {
            uuid: switch_uuid.clone(),
            name: name.clone(),
            max_ports: MOST_PORTS,
            uplink_port_policy: uplinks(&UPLINKS.map(str::to_owned)),
            default_port_config: group::default_setting().into(),
            product_info: product.clone(),
            policy: Some(
                DvsPolicy {
                    auto_pre_install_allowed: Some(false),
                    auto_upgrade_allowed: Some(false),
                    partial_upgrade_allowed: Some(false),
                    ..DvsPolicy::default()
                }
                .into(),
            ),
            config_version: "0".to_owned(),
            contact: DvsContactInfo::default(),
            create_time: made_time(),
            network_resource_management_enabled: world.since("4.1").then_some(true),
            default_proxy_switch_max_num_ports: world.since("5.1").then_some(512),
            ..Default::default()
        },
        max_mtu: 1500,
        link_discovery_protocol_config: Some(
            LinkDiscoveryProtocolConfig {
                protocol: "cdp".to_owned(),
                operation: "listen".to_owned(),
                ..LinkDiscoveryProtocolConfig::default()
            }
            .into(),
        ),
        ..VMwareDvsConfigInfo::default()
    };
    let state = properties::VmwareDistributedVirtualSwitch {
        base: Switch {
            base: entity(&escaped(&name), Some(folder)),
            uuid: Some(switch_uuid.clone()),
            capability: Some(
                DvsCapability {
                    dvs_operation_supported: Some(true),
                    dv_port_group_operation_supported: Some(true),
                    dv_port_operation_supported: Some(true),
                    ..DvsCapability::default()
                }
                .into(),
            ),
            summary: Some(
                DvsSummary {
                    name: name.clone(),
                    uuid: switch_uuid,
                    product_info: Some(product.into()),
                    ..DvsSummary::default()
                }
                .into(),
            ),
            config: Some(Poly::new(config)),
            ..Switch::default()
        },
        ..properties::VmwareDistributedVirtualSwitch::default()
    };
    let made = world.add(value, state);
    folders::put(world, folder, &made);
    let event = vi_types::objects::DvsCreatedEvent {
        parent: lifecycle::folder_argument(world, folder),
        ..Default::default()
    };
    world.log(&made, event);
    let uplinks = DvPortgroupConfigSpec {
        name: Some(format!("{name}-DVUplinks-{number}")),
        num_ports: Some(0),
        ..DvPortgroupConfigSpec::default()
    };
    let uplinks = group::make(world, &made, &uplinks, true)?;
    world.change(&made, |switch: &mut Switch| {
        if let Some(config) = switch.config.as_mut() {
            config.uplink_portgroup = vec![uplinks];
        }
    });
    apply(world, &made, spec)?;
    container_view::refresh(world);
    Ok(made)
}

/// Checks what [`create`] checks before it begins.
pub(crate) fn check_create(
    world: &World,
    folder: &ManagedObjectReference,
    spec: &Poly<DvsConfigSpec>,
    product: Option<&DistributedVirtualSwitchProductSpec>,
) -> Result<(), SoapFault> {
    let name = spec.name.as_deref().unwrap_or_default();
    check_name(name)?;
    let state = world.read::<properties::Folder>(folder);
    let takes = state.is_some_and(|state| state.child_type.iter().any(|ty| ty == "Network"));
    if !takes || !is_there(world) {
        return Err(fault::not_supported());
    }
    if let Some(other) = namesake(world, folder, name) {
        return Err(fault::duplicate_name(name, &other));
    }
    if let Some(version) = product.and_then(|product| product.version.as_deref()) {
        let mut known = products(world, None).into_iter();
        if !known.any(|one| one.version.as_deref() == Some(version)) {
            return Err(fault::invalid_argument("spec.productInfo"));
        }
    }
    check(world, folder, None, spec)
}

/// Changes a switch.
///
/// # Errors
/// - `ConcurrentAccess` for another version of its configuration.
/// - `InvalidName`, `DuplicateName` for its name.
/// - `InvalidArgument` for values that a switch cannot have.
/// - `LimitExceeded` for fewer ports than there are.
/// - `ManagedObjectNotFound`, `AlreadyExists`, `NotFound`, `ResourceInUse` for hosts that come and go, `DvsOperationBulkFault`
///   for their physical NICs.
pub(crate) fn reconfigure(
    world: &mut World,
    switch: &ManagedObjectReference,
    spec: &Poly<DvsConfigSpec>,
) -> Result<(), SoapFault> {
    check_reconfigure(world, switch, spec)?;
    apply(world, switch, spec)?;
    let event = vi_types::objects::DvsReconfiguredEvent {
        config_spec: spec.clone(),
        ..Default::default()
    };
    world.log(switch, event);
    container_view::refresh(world);
    Ok(())
}

/// Checks what [`reconfigure`] checks before it begins.
pub(crate) fn check_reconfigure(
    world: &World,
    switch: &ManagedObjectReference,
    spec: &Poly<DvsConfigSpec>,
) -> Result<(), SoapFault> {
    let state = read(world, switch)?;
    let config = state.config.as_ref();
    let version = config.map(|config| &config.config_version);
    if spec.config_version.is_some() && spec.config_version.as_ref() != version {
        return Err(fault::concurrent_change());
    }
    let folder = state.parent.clone().unwrap_or_default();
    if let Some(name) = &spec.name {
        check_name(name)?;
        match namesake(world, &folder, name) {
            Some(other) if other != *switch => return Err(fault::duplicate_name(name, &other)),
            _ => {}
        }
    }
    let ports = config.map_or(0, |config| config.num_ports);
    if spec.max_ports.is_some_and(|most| most < ports) {
        return Err(fault::limit_exceeded("spec.maxPorts", ports));
    }
    check(world, switch, Some(switch), spec)
}

fn check(
    world: &World,
    place: &ManagedObjectReference,
    switch: Option<&ManagedObjectReference>,
    spec: &Poly<DvsConfigSpec>,
) -> Result<(), SoapFault> {
    if let Some(own) = spec.cast::<VMwareDvsConfigSpec>()
        && own.max_mtu.is_some_and(|mtu| !(1280..=9000).contains(&mtu))
    {
        return Err(fault::invalid_argument("spec.maxMtu"));
    }
    if let Some(policy) = &spec.uplink_port_policy {
        let names = policy.cast::<DvsNameArrayUplinkPortPolicy>();
        if names.is_none_or(|policy| policy.uplink_port_name.is_empty()) {
            return Err(fault::invalid_argument("spec.uplinkPortPolicy"));
        }
    }
    if let Some(setting) = &spec.default_port_config {
        group::check_setting(setting)?;
    }
    members::check(world, place, switch, &spec.host)
}

/// Makes a switch what a checked specification says.
fn apply(
    world: &mut World,
    switch: &ManagedObjectReference,
    spec: &Poly<DvsConfigSpec>,
) -> Result<(), SoapFault> {
    world.change(switch, |state: &mut Switch| {
        if let Some(name) = &spec.name {
            state.name = Some(escaped(name));
        }
        let Some(config) = state.config.as_mut() else {
            return;
        };
        let version = config.config_version.parse::<u32>().unwrap_or(0);
        config.config_version = version.wrapping_add(1).to_string();
        if let Some(name) = &spec.name {
            config.name.clone_from(name);
        }
        if let Some(most) = spec.max_ports {
            config.max_ports = most;
        }
        if let Some(policy) = &spec.uplink_port_policy {
            config.uplink_port_policy = policy.clone();
        }
        if let Some(setting) = &spec.default_port_config {
            let merged = group::merged(&config.default_port_config, setting);
            config.default_port_config = merged;
        }
        if spec.description.is_some() {
            config.description.clone_from(&spec.description);
        }
        if let Some(contact) = spec.contact.as_deref() {
            config.contact = contact.clone();
        }
        if let (Some(own), Some(config)) = (
            spec.cast::<VMwareDvsConfigSpec>(),
            config.cast_mut::<VMwareDvsConfigInfo>(),
        ) {
            config.max_mtu = own.max_mtu.unwrap_or(config.max_mtu);
            if own.link_discovery_protocol_config.is_some() {
                let discovery = &mut config.link_discovery_protocol_config;
                discovery.clone_from(&own.link_discovery_protocol_config);
            }
        }
    });
    members::apply(world, switch, &spec.host)?;
    show(world, switch);
    Ok(())
}

/// Removes a switch with its port groups and the hosts' proxies.
///
/// # Errors
/// `ResourceInUse` if a machine or an interface of a host is on it.
pub(crate) fn remove(world: &mut World, switch: &ManagedObjectReference) -> Result<(), SoapFault> {
    check_remove(world, switch)?;
    let state = read(world, switch)?;
    let groups = state.portgroup.clone();
    let hosts = members::hosts(state);
    let id = state.uuid.clone().unwrap_or_default();
    world.log(switch, vi_types::objects::DvsDestroyedEvent::default());
    for host in &hosts {
        host_network::change(world, host, "updateNetworkConfig", |edit| {
            edit.leave_distributed(&id)
        })?;
    }
    for group in &groups {
        group::take_out(world, group);
    }
    folders::take_out(world, switch);
    world.remove(switch);
    for host in &hosts {
        host_network::show_compute(world, host);
    }
    container_view::refresh(world);
    Ok(())
}

/// Checks what [`remove`] checks.
pub(crate) fn check_remove(
    world: &World,
    switch: &ManagedObjectReference,
) -> Result<(), SoapFault> {
    let state = read(world, switch)?;
    let used = state.portgroup.iter();
    for group in used.filter(|group| !group::is_uplink(world, group)) {
        if check_unused(world, group).is_err() {
            let name = world.name(switch).unwrap_or_default();
            return Err(fault::resource_in_use(SWITCH, name));
        }
    }
    Ok(())
}

/// Removes a port group.
///
/// # Errors
/// - `ResourceInUse` if a machine or an interface of a host is in it.
/// - `NotSupported` for that of the uplinks.
pub(crate) fn remove_group(
    world: &mut World,
    group: &ManagedObjectReference,
) -> Result<(), SoapFault> {
    check_unused(world, group)?;
    let hosts = group::hosts(world, group);
    world.log(
        group,
        vi_types::objects::DvPortgroupDestroyedEvent::default(),
    );
    let switch = group::switch_of(world, group);
    group::take_out(world, group);
    if let Some(switch) = switch {
        show(world, &switch);
    }
    for host in &hosts {
        host_network::show_compute(world, host);
    }
    container_view::refresh(world);
    Ok(())
}

/// Gives a switch or port group another name.
pub(crate) fn rename(
    world: &mut World,
    object: &ManagedObjectReference,
    name: &str,
) -> Result<(), SoapFault> {
    if object.r#type == GROUP {
        let spec = DvPortgroupConfigSpec {
            name: Some(name.to_owned()),
            ..DvPortgroupConfigSpec::default()
        };
        return reconfigure_group(world, object, &spec);
    }
    let spec = Poly::new(DvsConfigSpec {
        name: Some(name.to_owned()),
        ..DvsConfigSpec::default()
    });
    let old_name = read(world, object)?
        .config
        .as_ref()
        .map(|config| config.name.clone());
    check_reconfigure(world, object, &spec)?;
    apply(world, object, &spec)?;
    let event = vi_types::objects::DvsRenamedEvent {
        old_name: old_name.unwrap_or_default(),
        new_name: name.to_owned(),
        ..Default::default()
    };
    world.log(object, event);
    Ok(())
}

/// Works out what follows from a switch's configuration and its hosts: the ports, the hosts of its port groups, the networks of
/// the hosts, their proxies, and the summary.
pub(crate) fn show(world: &mut World, switch: &ManagedObjectReference) {
    let Some(state) = world.read::<Switch>(switch) else {
        return;
    };
    let (hosts, groups) = (members::hosts(state), state.portgroup.clone());
    group::show_uplinks(world, switch);
    for group in &groups {
        group::show_hosts(world, group, &hosts);
    }
    members::show_proxies(world, switch);
    show_summary(world, switch);
}

/// Works out a switch's number of ports and its summary.
fn show_summary(world: &mut World, switch: &ManagedObjectReference) {
    let Some(state) = world.read::<Switch>(switch) else {
        return;
    };
    let (mut ports, mut names, mut machines) = (0, Vec::new(), Vec::new());
    for group in &state.portgroup {
        let Some(group) = world.read::<properties::DistributedVirtualPortgroup>(group) else {
            continue;
        };
        let config = group.config.as_deref();
        ports += config.map_or(0, |config| config.num_ports);
        names.extend(config.map(|config| config.name.clone()));
        for vm in &group.vm {
            if !machines.contains(vm) {
                machines.push(vm.clone());
            }
        }
    }
    let hosts = members::hosts(state);
    let since_5_5 = world.since("5.5");
    world.change(switch, |state: &mut Switch| {
        let Some(config) = state.config.as_mut() else {
            return;
        };
        config.num_ports = ports;
        if let Some(summary) = state.summary.as_deref_mut() {
            summary.name.clone_from(&config.name);
            summary.description.clone_from(&config.description);
            summary.num_ports = ports;
            summary.portgroup_name = names;
            summary.vm = machines;
            summary.num_hosts = since_5_5.then(|| i32::try_from(hosts.len()).unwrap_or(0));
            summary.host_member.clone_from(&hosts);
            summary.host = hosts;
        }
    });
}

/// The products that switches can be of, the newest first.
pub(crate) fn products(
    world: &World,
    recommended: Option<bool>,
) -> Vec<DistributedVirtualSwitchProductSpec> {
    let product = |version: &str| DistributedVirtualSwitchProductSpec {
        name: text("DVS"),
        vendor: text("VMware, Inc."),
        version: text(version),
        build: text(world.release().vcenter_build),
        forwarding_class: text("etherswitch"),
        ..DistributedVirtualSwitchProductSpec::default()
    };
    let versions = [
        ("8.0.0.0", "8.0.0"),
        ("7.0.0.0", "7.0.0"),
        ("6.7", "6.6.0"),
        ("6.5", "6.5.0"),
        ("6.0", "6.0.0"),
        ("5.5", "5.5.0"),
        ("5.1", "5.1.0"),
        ("5.0", "5.0.0"),
        ("4.1", "4.1.0"),
        ("4.0", "4.0"),
    ];
    let known = versions.into_iter().filter(|(since, _)| world.since(since));
    let most = if recommended == Some(true) {
        1
    } else {
        usize::MAX
    };
    known
        .map(|(_, version)| product(version))
        .take(most)
        .collect()
}

/// The switch with a UUID, however it is written.
pub(crate) fn by_uuid(world: &World, uuid: &str) -> Option<ManagedObjectReference> {
    let mut all = world.all(SWITCH);
    let found = all.find(|switch| {
        let state = world.read::<Switch>(switch);
        let own = state.and_then(|state| state.uuid.as_deref());
        own.is_some_and(|own| is_same_uuid(own, uuid))
    });
    found.cloned()
}

/// Whether two texts are one UUID: VMware writes pairs of digits with blanks between them, libvirt writes dashes.
pub(crate) fn is_same_uuid(a: &str, b: &str) -> bool {
    let digits = |text: &str| -> String {
        let digits = text.chars().filter(char::is_ascii_hexdigit);
        digits.map(|digit| digit.to_ascii_lowercase()).collect()
    };
    digits(a) == digits(b)
}

/// Whether the server has such switches: a vCenter from 4.0 on.
fn is_there(world: &World) -> bool {
    world.kind() == crate::world::inventory::ServerKind::VCenter
        && world.release().version() >= ApiVersion::V4_0
}

/// A switch.
fn read<'a>(world: &'a World, switch: &ManagedObjectReference) -> Result<&'a Switch, SoapFault> {
    let state = world.read::<Switch>(switch);
    state.ok_or_else(|| fault::managed_object_not_found(switch))
}

fn uplinks(names: &[String]) -> Poly<DvsUplinkPortPolicy> {
    DvsNameArrayUplinkPortPolicy {
        uplink_port_name: names.to_vec(),
        ..DvsNameArrayUplinkPortPolicy::default()
    }
    .into()
}

/// The names of a switch's uplinks; each host has all of them.
fn uplink_names(switch: &Switch) -> Vec<String> {
    let policy = switch
        .config
        .as_ref()
        .map(|config| &config.uplink_port_policy);
    let names = policy.and_then(|policy| policy.cast::<DvsNameArrayUplinkPortPolicy>());
    names.map_or(Vec::new(), |policy| policy.uplink_port_name.clone())
}

/// The number at the end of a reference's value.
fn digits(value: &str) -> u64 {
    let number = value.rsplit('-').next().unwrap_or_default();
    number.parse().unwrap_or(0)
}

/// `50 17 97 58 35 de 1c 97-1d 0b 14 e4 db 01 8f ed`.
fn spaced(uuid: &str) -> String {
    crate::vmx::spaced(uuid)
}

/// Whether an object of the inventory is in the datacenter of another one.
fn is_near(world: &World, a: &ManagedObjectReference, b: &ManagedObjectReference) -> bool {
    datacenter_of(world, a) == datacenter_of(world, b)
}
