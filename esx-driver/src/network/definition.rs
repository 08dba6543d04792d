//! A network's definition, made from the properties of its switch.

use std::collections::{HashMap, HashSet};

use vi_client::{
    property_set,
    retrieve::{ObjectProperties, PropertySet as _, Retrieve, Selection},
};
use vi_types::{
    ManagedObjectReference, Poly,
    objects::{
        DvPortSetting, HostNetworkInfo, HostOpaqueNetworkInfo, HostOpaqueSwitch, HostPortGroup,
        HostProxySwitch, HostVirtualSwitch, PhysicalNic,
    },
    properties::HostSystem,
};
use virt_model::{
    Document as _, ErrorNumber, NetworkDef,
    flags::NetworkXmlFlags,
    network::{Forward, ForwardMode, PortGroup},
};
use vmx::escape::PERCENT;

use super::{
    Kind, Network, one_of_uuid,
    port_group::{bandwidth, of_distributed, of_host},
    switches::{self, Switch, carries_opaque},
};
use crate::{Connect, Error, ErrorKind, Result, connect::no_host};

property_set! {
    pub(super) struct HostNetwork: HostSystem {
        pub(super) standard: Vec<HostVirtualSwitch> = config.network.vswitch,
        pub(super) nics: Vec<PhysicalNic> = config.network.pnic,
        pub(super) port_groups: Vec<HostPortGroup> = config.network.portgroup,
        pub(super) distributed: Vec<HostProxySwitch> = config.network.proxy_switch,
        pub(super) opaque: Vec<HostOpaqueSwitch> = config.network.opaque_switch,
        pub(super) opaque_networks: Vec<HostOpaqueNetworkInfo> = config.network.opaque_network,
    }
}

property_set! {
    struct Name: Network {
        name: String = name,
    }
}

property_set! {
    // Only what is used: the whole of it is long, and servers leave out some of it that they must not, as govmomi's vcsim does
    // once a port group has been changed.
    pub(super) struct GroupConfig: DistributedVirtualPortgroup {
        name: String = name,
        pub(super) key: String = config.key,
        pub(super) switch: Option<ManagedObjectReference> = config.distributed_virtual_switch,
        pub(super) setting: Option<Poly<DvPortSetting>> = config.default_port_config,
        pub(super) version: Option<String> = config.config_version,
        uplink: Option<bool> = config.uplink,
    }
}

property_set! {
    struct DistributedSwitch: DistributedVirtualSwitch {
        uuid: String = uuid,
    }
}

/// What a host has, and the objects of its networks.
pub(super) struct Found {
    pub(super) host: HostNetwork,
    /// The names of the port groups that virtual machines can use.
    pub(super) usable: HashSet<String>,
    /// Port groups of distributed switches, by their plain names, with those of uplinks.
    pub(super) groups: Vec<FoundGroup>,
    /// The UUIDs of the switches that these are of, by the switches' objects.
    uuids: HashMap<ManagedObjectReference, String>,
}

/// A port group of a distributed switch.
pub(super) struct FoundGroup {
    pub(super) reference: ManagedObjectReference,
    pub(super) name: String,
    pub(super) config: GroupConfig,
}

impl Network {
    /// The network's definition: one request.
    ///
    /// A switch with physical network cards is a bridge to them. Port groups are listed if virtual machines can use them:
    /// those of a distributed switch if the connection is one to its vCenter, and the networks of an opaque switch.
    /// The VLAN 4095 stands for all of them.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if the switch does not exist any more; [`ErrorKind::Property`] if the user may not read
    /// the host's network; [`ErrorKind::UnexpectedValue`] if the switch has a network card or port group that the host
    /// does not have.
    pub async fn definition(&self) -> Result<NetworkDef> {
        let found = self.connect.host_network().await?;
        let host = &found.host;
        match found.switch(self)? {
            Switch::Standard(switch) => {
                standard(switch, &host.nics, &host.port_groups, &found.usable)
            }
            Switch::Distributed(switch) => {
                let mut def = distributed(switch, &host.nics)?;
                let groups = found.groups_of(switch).filter(|group| !group.is_uplink());
                def.port_groups.extend(groups.map(FoundGroup::definition));
                if carries_opaque(switch) {
                    add_opaque(&mut def, None, &host.opaque_networks);
                }
                Ok(def)
            }
            Switch::Opaque(switch) => opaque(switch, &host.nics, &host.opaque_networks),
            Switch::Network(network) => Ok(opaque_network(network)),
        }
    }

    /// The network's definition as libvirt's XML document; see [`definition`](Network::definition).
    ///
    /// As in libvirt's ESX driver no flag changes the document.
    ///
    /// # Errors
    /// As [`definition`](Network::definition).
    #[doc(alias = "virNetworkGetXMLDesc")]
    pub async fn xml_desc(&self, flags: NetworkXmlFlags) -> Result<String> {
        Ok(self.definition().await?.to_xml(flags))
    }
}

impl Connect {
    /// The host's network, and the objects of its networks: one request.
    pub(super) async fn host_network(&self) -> Result<Found> {
        Ok(self.host_network_with(&[]).await?.0)
    }

    /// The same, and all that was read of the host, with other properties of it.
    pub(super) async fn host_network_with(
        &self,
        others: &'static [String],
    ) -> Result<(Found, ObjectProperties)> {
        let host_system = self.host_system().await?;
        let mut networks = Selection::along(|host: &HostSystem| &host.network);
        let mut request = Retrieve::from(host_system)
            .properties(HostNetwork::TYPE, self.known_paths(HostNetwork::paths()))
            .properties(HostNetwork::TYPE, others)
            .set::<Name>();
        if self.client().api_version().at_least(4, 0) {
            let switch = "config.distributedVirtualSwitch";
            networks = networks.select(Selection::traverse(GroupConfig::TYPE, switch));
            request = request
                .properties(GroupConfig::TYPE, self.known_paths(GroupConfig::paths()))
                .set::<DistributedSwitch>();
        }
        let request = request.select(networks);
        let mut host = None;
        let mut usable = HashSet::new();
        let mut groups = Vec::new();
        let mut uuids = HashMap::new();
        for mut found in self.client().retrieve(&request).await? {
            if found.object == *host_system {
                // A list that the user may not read is not taken for an empty one.
                if let Some(problem) = found.problems().next() {
                    return Err(Error::missing_property(problem));
                }
                let all = found.clone();
                let properties = HostNetwork::from_properties(&mut found);
                host = Some((properties.map_err(Error::missing_property)?, all));
            } else if found.object.r#type == GroupConfig::TYPE {
                // One that the user may not read is left out.
                if let Ok(config) = GroupConfig::from_properties(&mut found) {
                    groups.push(FoundGroup {
                        reference: found.object.clone(),
                        name: plain(&config.name),
                        config,
                    });
                }
            } else if found.object.r#type.ends_with(DistributedSwitch::TYPE) {
                if let Ok(switch) = DistributedSwitch::from_properties(&mut found) {
                    uuids.insert(found.object.clone(), switch.uuid);
                }
            } else if let Ok(Name { name }) = Name::from_properties(&mut found) {
                // Inventory names have `/`, `\` and `%` escaped; names of port groups have not. libvirt 9.0 compares
                // them without unescaping, and so leaves such port groups out.
                usable.insert(plain(&name));
                usable.insert(name);
            }
        }
        let (host, all) = host.ok_or_else(no_host)?;
        let found = Found {
            host,
            usable,
            groups,
            uuids,
        };
        Ok((found, all))
    }
}

impl Found {
    /// The switch of a network: by its UUID. Standard switches are never renamed, so those have its name, too; if a server has
    /// several others with the UUID, the name tells which.
    pub(super) fn switch(&self, network: &Network) -> Result<Switch<'_>> {
        let mut meant: Vec<_> = self.switches().collect();
        meant.retain(|switch| switch.uuid() == network.uuid);
        if network.kind == Kind::Standard || meant.len() > 1 {
            meant.retain(|switch| switch.name() == network.name);
        }
        one_of_uuid(network.uuid, &meant, Switch::name)
    }

    /// All switches of the host.
    pub(super) fn switches(&self) -> impl Iterator<Item = Switch<'_>> {
        let host = &self.host;
        switches::all(
            &host.standard,
            &host.distributed,
            &host.opaque,
            &host.opaque_networks,
        )
    }

    /// The port groups of a distributed switch, with that of its uplinks.
    pub(super) fn groups_of(&self, switch: &HostProxySwitch) -> impl Iterator<Item = &FoundGroup> {
        let groups = self.groups.iter();
        groups.filter(|group| self.uuid_of(group) == Some(&switch.dvs_uuid))
    }

    /// The UUID of a port group's switch.
    fn uuid_of(&self, group: &FoundGroup) -> Option<&str> {
        let switch = group.config.switch.as_ref()?;
        match &self.host.distributed[..] {
            // Also if the user may not read the switch.
            [only] => Some(&only.dvs_uuid),
            _ => self.uuids.get(switch).map(String::as_str),
        }
    }
}

impl FoundGroup {
    pub(super) fn definition(&self) -> PortGroup {
        of_distributed(&self.name, self.config.setting.as_ref())
    }

    /// Whether it is of the switch's uplinks, and so none of virtual machines.
    pub(super) fn is_uplink(&self) -> bool {
        // Servers before 6.0 do not say; they name the group.
        match self.config.uplink {
            Some(uplink) => uplink,
            None => is_of_uplinks(&self.name),
        }
    }
}

/// Whether a port group is one of uplinks, by its name as vCenters make it.
fn is_of_uplinks(name: &str) -> bool {
    name.contains("-DVUplinks-")
}

/// A port group of a distributed switch, by its name in the inventory; `None` for that of the uplinks.
pub(crate) fn distributed_group(
    name: &str,
    setting: Option<&Poly<DvPortSetting>>,
) -> Option<PortGroup> {
    let name = plain(name);
    (!is_of_uplinks(&name)).then(|| of_distributed(&name, setting))
}

/// The networks of a host, in its order, with their definitions. Those list all port groups of the host, and are `None` if
/// a switch has a network card or port group that the host does not have. `distributed_groups` are the port groups of
/// distributed switches, with the switches' UUIDs.
pub(crate) fn networks(
    connect: &Connect,
    host: &HostNetworkInfo,
    distributed_groups: &[(String, PortGroup)],
) -> Vec<(Network, Option<NetworkDef>)> {
    let groups = host.portgroup.iter();
    let all = groups.map(|group| group.spec.name.clone()).collect();
    let switches = switches::all(
        &host.vswitch,
        &host.proxy_switch,
        &host.opaque_switch,
        &host.opaque_network,
    );
    let networks = switches.map(|switch| {
        let def = match switch {
            Switch::Standard(switch) => standard(switch, &host.pnic, &host.portgroup, &all).ok(),
            Switch::Distributed(switch) => {
                let own = distributed_groups.iter();
                let own = own.filter(|(uuid, _)| *uuid == switch.dvs_uuid);
                distributed(switch, &host.pnic).ok().map(|mut def| {
                    def.port_groups.extend(own.map(|(_, group)| group.clone()));
                    def
                })
            }
            Switch::Opaque(switch) => opaque(switch, &host.pnic, &host.opaque_network).ok(),
            Switch::Network(network) => Some(opaque_network(network)),
        };
        (switch.network(connect), def)
    });
    networks.collect()
}

/// The definition of a switch of the host. Port groups that are not `usable` are the host's own, such as the one for
/// its management.
fn standard(
    switch: &HostVirtualSwitch,
    nics: &[PhysicalNic],
    port_groups: &[HostPortGroup],
    usable: &HashSet<String>,
) -> Result<NetworkDef> {
    let mut def = bridged(&switch.name, Switch::Standard(switch), &switch.pnic, nics)?;
    def.bandwidth = switch.spec.policy.as_deref().and_then(bandwidth);
    for key in &switch.portgroup {
        let mut port_groups = port_groups.iter();
        let group = port_groups.find(|group| group.key.as_ref() == Some(key));
        let group = group.ok_or_else(|| missing("HostPortGroup", key))?;
        // What looks like an escape in a port group's name is not escaped once more.
        if is_usable(&group.spec.name, usable) {
            def.port_groups.push(of_host(&group.spec));
        }
    }
    Ok(def)
}

/// Whether machines can use a host's port group.
pub(super) fn is_usable(name: &str, usable: &HashSet<String>) -> bool {
    usable.contains(name) || usable.contains(&plain(name))
}

/// A distributed switch without its port groups.
fn distributed(switch: &HostProxySwitch, nics: &[PhysicalNic]) -> Result<NetworkDef> {
    let name = &switch.dvs_name;
    bridged(name, Switch::Distributed(switch), &switch.pnic, nics)
}

fn opaque(
    switch: &HostOpaqueSwitch,
    nics: &[PhysicalNic],
    networks: &[HostOpaqueNetworkInfo],
) -> Result<NetworkDef> {
    let name = switch.name.as_deref().unwrap_or(&switch.key);
    let mut def = bridged(name, Switch::Opaque(switch), &switch.pnic, nics)?;
    let zones = zones_of(switch);
    add_opaque(&mut def, Some(&zones), networks);
    Ok(def)
}

fn opaque_network(network: &HostOpaqueNetworkInfo) -> NetworkDef {
    let mut def = NetworkDef::new(&network.opaque_network_name);
    def.uuid = Some(Switch::Network(network).uuid());
    def.bridge.stp = false;
    def
}

/// Adds opaque networks as port groups: those of the zones, and those that name no zone.
fn add_opaque(
    def: &mut NetworkDef,
    zones: Option<&HashSet<&str>>,
    networks: &[HostOpaqueNetworkInfo],
) {
    let groups = of_zones(zones, networks)
        .into_iter()
        .map(|network| PortGroup::new(&network.opaque_network_name));
    def.port_groups.extend(groups);
}

/// The opaque networks of a switch with those zones; of one that does not tell its zones, all of them.
pub(super) fn of_zones<'a>(
    zones: Option<&HashSet<&str>>,
    networks: &'a [HostOpaqueNetworkInfo],
) -> Vec<&'a HostOpaqueNetworkInfo> {
    let own = networks.iter().filter(|network| {
        let mut own = network.pnic_zone.iter();
        network.pnic_zone.is_empty()
            || zones.is_none_or(|zones| own.any(|zone| zones.contains(zone.as_str())))
    });
    own.collect()
}

pub(super) fn zones_of(switch: &HostOpaqueSwitch) -> HashSet<&str> {
    let zones = switch.pnic_zone.iter();
    zones.map(|zone| zone.key.as_str()).collect()
}

/// A bridge to network cards, by their keys; without any, an isolated network.
fn bridged(
    name: &str,
    switch: Switch<'_>,
    keys: &[String],
    nics: &[PhysicalNic],
) -> Result<NetworkDef> {
    let mut def = NetworkDef::new(name);
    def.uuid = Some(switch.uuid());
    let mut devices = Vec::new();
    for key in keys {
        let mut nics = nics.iter();
        let nic = nics.find(|nic| nic.key.as_ref() == Some(key));
        devices.push(
            nic.ok_or_else(|| missing("PhysicalNic", key))?
                .device
                .clone(),
        );
    }
    match devices.is_empty() {
        true => def.bridge.stp = false,
        false => def.forward = Some(Forward::to(ForwardMode::Bridge, devices)),
    }
    Ok(def)
}

/// A name of the inventory without its escapes.
fn plain(name: &str) -> String {
    match PERCENT.unescape(name) {
        Ok(plain) => plain.into_owned(),
        Err(_) => name.to_owned(),
    }
}

fn missing(what: &str, key: &str) -> Error {
    let message = format!("Could not find {what} with key '{key}'");
    Error::new(
        ErrorKind::UnexpectedValue,
        ErrorNumber::InternalError,
        message,
    )
}
