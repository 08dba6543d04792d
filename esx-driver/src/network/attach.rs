//! Which networks the cards of definitions mean.
//!
//! | document | network |
//! |---|---|
//! | `<interface type='bridge'>` with a port group's name | the host's port group, else that of a distributed switch, or an opaque network |
//! | `<interface type='network'>` with the name or UUID of a network, and `portgroup` | that port group of that network; it can be left out if the network has only one |
//! | `<interface type='network'>` with the id of an opaque network, as documents of domains have it | that one |
//!
//! What is found is written as libvirt writes it: `bridge` for the host's port groups, `vds` for ports of distributed switches.

use std::collections::HashSet;

use vi_client::retrieve::PropertySet;
use vi_types::objects::{
    DistributedVirtualSwitchPortConnection, HostOpaqueNetworkInfo, HostProxySwitch,
};
use virt_model::{
    ErrorNumber,
    domain::{Interface, InterfaceSource, VdsSource},
};

use super::{
    definition::{Found, is_usable, of_zones, zones_of},
    no_network,
    switches::{Switch, carries_opaque},
};
use crate::{Connect, Error, ErrorKind, Result, What, connect::ProductLine, near::Near};

impl Connect {
    /// Lets cards name their networks as the host does. Those among `known` stay as they are: the host has them.
    ///
    /// No request for a host's bridges, which are the host's port groups. One for bridges on a vCenter and for networks. With
    /// `libvirt=` in the URI nothing is done.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if there is no such network or port group; [`ErrorKind::Ambiguous`] if there are several;
    /// [`ErrorKind::Unsupported`] for a distributed switch of a host without its vCenter.
    pub(crate) async fn find_networks(
        &self,
        cards: &mut [Interface],
        known: &[Interface],
    ) -> Result<()> {
        if self.uri().libvirt().is_some() {
            return Ok(());
        }
        let is_vcenter = self.product().line == ProductLine::Vpx;
        let is_open = |card: &Interface| match &card.source {
            InterfaceSource::Network { .. } => true,
            InterfaceSource::Bridge { .. } => is_vcenter,
            _ => false,
        };
        let cards = cards.iter_mut();
        let mut open: Vec<_> = cards
            .filter(|card| is_open(card) && !known.contains(card))
            .collect();
        if open.is_empty() {
            return Ok(());
        }
        let found = self.host_network().await?;
        open.retain(|card| match &card.source {
            InterfaceSource::Bridge { bridge } => !found.has_group(bridge),
            _ => true,
        });
        for card in open {
            let source = match &card.source {
                InterfaceSource::Bridge { bridge } => found.of_bridge(bridge)?,
                InterfaceSource::Network { network, portgroup } => {
                    Some(found.of_network(network, portgroup.as_deref())?)
                }
                _ => None,
            };
            if let Some(source) = source {
                card.source = source;
            }
        }
        Ok(())
    }
}

impl Connect {
    /// Of a vCenter's host, other properties and its networks, in which a port group may be looked for: one request. `None`
    /// without a vCenter, for which a host has no distributed switches.
    ///
    /// # Errors
    /// As [`read_complete`](Connect::read_complete).
    pub(crate) async fn with_ports<P: PropertySet>(&self) -> Result<Option<(P, Ports)>> {
        if self.product().line != ProductLine::Vpx {
            return Ok(None);
        }
        let (found, mut host) = self.host_network_with(P::paths()).await?;
        let others = P::from_properties(&mut host).map_err(Error::missing_property)?;
        Ok(Some((others, Ports(found))))
    }
}

/// The port groups of a host's distributed switches, for interfaces of its kernel.
pub(crate) struct Ports(Found);

impl Ports {
    /// The names of the port groups.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let Ports(found) = self;
        let switches = found.host.distributed.iter();
        let groups = switches.flat_map(|switch| found.groups_of(switch));
        let groups = groups.filter(|group| !group.is_uplink());
        groups.map(|group| group.name.as_str())
    }

    /// A port of the port group of that name; `None` if there is none.
    ///
    /// # Errors
    /// [`ErrorKind::Ambiguous`] if several switches have one.
    pub(crate) fn port_in(
        &self,
        name: &str,
    ) -> Result<Option<DistributedVirtualSwitchPortConnection>> {
        let Ports(found) = self;
        let mut meant = Vec::new();
        for switch in &found.host.distributed {
            let groups = found.groups_of(switch);
            let named = groups.filter(|group| !group.is_uplink() && group.name == name);
            meant.extend(named.map(|group| (switch, group)));
        }
        match &meant[..] {
            [] => Ok(None),
            [(switch, group)] => Ok(Some(DistributedVirtualSwitchPortConnection {
                switch_uuid: switch.dvs_uuid.clone(),
                portgroup_key: Some(group.config.key.clone()),
                ..DistributedVirtualSwitchPortConnection::default()
            })),
            several => {
                let switches: Vec<_> = several
                    .iter()
                    .map(|(switch, _)| format!("'{}'", switch.dvs_name))
                    .collect();
                let message = format!("several switches have a port group '{name}'");
                let advice = format!("it is one of {}; rename one of them", switches.join(", "));
                Err(ambiguous(message).advise(advice))
            }
        }
    }
}

impl Found {
    /// Whether one of the host's own switches has a port group of that name.
    fn has_group(&self, name: &str) -> bool {
        let mut groups = self.host.port_groups.iter();
        groups.any(|group| group.spec.name == name)
    }

    /// The port group of a distributed switch or the opaque network of that name; `None` if there is none, which the host
    /// then says better.
    fn of_bridge(&self, name: &str) -> Result<Option<InterfaceSource>> {
        let host = &self.host;
        let mut meant = Vec::new();
        for switch in &host.distributed {
            let named = self.ports_of(switch).filter(|(known, _)| *known == name);
            meant.extend(named.map(|(_, port)| {
                let of = format!(
                    "'{}' ({})",
                    switch.dvs_name,
                    Switch::Distributed(switch).uuid()
                );
                (port, of)
            }));
        }
        let opaque = host.opaque_networks.iter();
        for network in opaque.filter(|network| network.opaque_network_name == name) {
            let of = format!("the opaque network {}", network.opaque_network_id);
            meant.push((source_of(network)?, of));
        }
        match &meant[..] {
            [] => Ok(None),
            [(source, _)] => Ok(Some(source.clone())),
            several => {
                let switches: Vec<_> = several.iter().map(|(_, of)| of.as_str()).collect();
                Err(
                    ambiguous(format!("several switches have a port group '{name}'")).advise(
                        format!(
                            "it is one of {}; <interface type='network'> with \
                         <source network='NAME or UUID' portgroup='{name}'/> tells which",
                            switches.join(", ")
                        ),
                    ),
                )
            }
        }
    }

    fn of_network(&self, name: &str, group: Option<&str>) -> Result<InterfaceSource> {
        let host = &self.host;
        let mut opaque = host.opaque_networks.iter();
        if let Some(network) = opaque.find(|one| one.opaque_network_id.eq_ignore_ascii_case(name))
            && group.is_none_or(|group| group == network.opaque_network_name)
        {
            return source_of(network);
        }
        match self.switch_named(name)? {
            Switch::Standard(switch) => {
                let groups = host.port_groups.iter().filter(|group| {
                    group.spec.vswitch_name == switch.name
                        && is_usable(&group.spec.name, &self.usable)
                });
                let all = groups.map(|group| {
                    let name = &group.spec.name;
                    let bridge = name.clone();
                    (name.as_str(), Ok(InterfaceSource::Bridge { bridge }))
                });
                choose(name, group, all.collect())
            }
            Switch::Distributed(switch) => {
                let ports = self.ports_of(switch);
                let mut all: Vec<_> = ports.map(|(name, port)| (name, Ok(port))).collect();
                if carries_opaque(switch) {
                    all.extend(sources(of_zones(None, &host.opaque_networks)));
                }
                if all.is_empty() && self.groups.is_empty() {
                    let message = format!(
                        "the port groups of network '{name}' are known to its vCenter only"
                    );
                    return Err(Error::new(
                        ErrorKind::Unsupported,
                        ErrorNumber::OperationUnsupported,
                        message,
                    )
                    .advise("connect to the vCenter: vpx://VCENTER/DATACENTER/CLUSTER/HOST"));
                }
                choose(name, group, all)
            }
            Switch::Opaque(switch) => {
                let zones: HashSet<&str> = zones_of(switch);
                let networks = of_zones(Some(&zones), &host.opaque_networks);
                choose(name, group, sources(networks).collect())
            }
            Switch::Network(network) => choose(name, group, sources(vec![network]).collect()),
        }
    }

    /// The switch of that name or UUID: a standard one before others, as in lookups.
    fn switch_named(&self, name: &str) -> Result<Switch<'_>> {
        let uuid = name.parse().ok();
        let mut near = Near::new(name);
        let mut meant = Vec::new();
        for switch in self.switches() {
            if switch.name() == name {
                if let Switch::Standard(_) = switch {
                    return Ok(switch);
                }
                meant.push(switch);
            } else if Some(switch.uuid()) == uuid {
                return Ok(switch);
            } else {
                near.consider(switch.name());
            }
        }
        match &meant[..] {
            [switch] => Ok(*switch),
            // libvirt's text (virNetworkLookupByName of its other drivers, 9.0.0).
            [] => Err(near.advise(no_network(format!(
                "no network with matching name '{name}'"
            )))),
            several => {
                let uuids: Vec<_> = several.iter().map(|one| one.uuid().to_string()).collect();
                Err(
                    ambiguous(format!("several networks have the name '{name}'"))
                        .advise(format!("name one by its UUID: {}", uuids.join(", "))),
                )
            }
        }
    }

    /// The port groups of a distributed switch that machines can use, by their names. A port is any one: the server chooses it.
    fn ports_of(&self, switch: &HostProxySwitch) -> impl Iterator<Item = (&str, InterfaceSource)> {
        let uuid = Switch::Distributed(switch).uuid();
        let groups = self.groups_of(switch).filter(|group| !group.is_uplink());
        groups.map(move |group| {
            let port = VdsSource {
                switch_id: uuid,
                portgroup_id: Some(group.config.key.clone()),
                ..VdsSource::default()
            };
            (&*group.name, InterfaceSource::Vds(port))
        })
    }
}

fn sources(
    networks: Vec<&HostOpaqueNetworkInfo>,
) -> impl Iterator<Item = (&str, Result<InterfaceSource>)> {
    let networks = networks.into_iter();
    networks.map(|network| (&*network.opaque_network_name, source_of(network)))
}

/// An opaque network by its id, as documents have it.
fn source_of(network: &HostOpaqueNetworkInfo) -> Result<InterfaceSource> {
    let (id, kind) = (&network.opaque_network_id, &network.opaque_network_type);
    if kind != vmx::OPAQUE_NETWORK || id.parse::<virt_model::Uuid>().is_err() {
        return Err(Error::new(
            ErrorKind::Unsupported,
            ErrorNumber::ConfigUnsupported,
            format!(
                "the opaque network '{}' has the type '{kind}' and the id '{id}', which documents cannot name",
                network.opaque_network_name
            ),
        ));
    }
    Ok(InterfaceSource::Network {
        network: id.clone(),
        portgroup: None,
    })
}

/// The port group that is asked for, or the only one.
fn choose(
    network: &str,
    asked: Option<&str>,
    all: Vec<(&str, Result<InterfaceSource>)>,
) -> Result<InterfaceSource> {
    let names: Vec<_> = all.iter().map(|(name, _)| format!("'{name}'")).collect();
    let names = match names.len() {
        0 => "none".to_owned(),
        1..=MOST => names.join(", "),
        more => format!("{} and {} more", names[..MOST].join(", "), more - MOST),
    };
    let mut near = Near::new(asked.unwrap_or_default());
    let mut meant = Vec::new();
    for (name, source) in all {
        match asked.is_none_or(|asked| asked == name) {
            true => meant.push(source),
            false => near.consider(name),
        }
    }
    let are = format!("those that domains can use: {names}");
    match (asked, meant.len(), meant.pop()) {
        (_, 1, Some(source)) => source,
        (Some(asked), 0, _) => {
            let error = no_group(format!("network '{network}' has no port group '{asked}'"));
            Err(match near.best() {
                Some(_) => near.advise(error),
                None => error.advise(are),
            })
        }
        (None, 0, _) => Err(no_group(format!(
            "network '{network}' has no port group that domains can use"
        ))),
        (Some(asked), ..) => Err(ambiguous(format!(
            "network '{network}' has several port groups '{asked}'"
        ))
        .advise("name an opaque network by its id")),
        (None, ..) => Err(ambiguous(format!(
            "network '{network}' has several port groups, and the definition names none"
        ))
        .advise(format!(
            "<source network=... portgroup=.../> names one; {are}"
        ))),
    }
}

/// How many names an error lists.
const MOST: usize = 10;

fn no_group(message: String) -> Error {
    let kind = ErrorKind::NotFound(What::PortGroup);
    Error::new(kind, ErrorNumber::ConfigUnsupported, message)
}

fn ambiguous(message: String) -> Error {
    Error::new(ErrorKind::Ambiguous, ErrorNumber::OperationFailed, message)
}
