//! What a document makes of a host's interfaces, without asking the host.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use tracing::warn;
use vi_types::objects::{
    DistributedVirtualSwitchPortConnection, HostIpConfig, HostIpConfigIpV6Address,
    HostIpConfigIpV6AddressConfiguration, HostIpRouteConfig, HostVirtualNic,
    HostVirtualNicIpRouteSpec, HostVirtualNicSpec, PhysicalNic, PhysicalNicLinkInfo,
};
use virt_model::{
    ErrorNumber, InterfaceDef, MacAddress,
    interface::{Bridge, InterfaceKind, InterfaceType, LinkState, Protocol, ProtocolFamily},
};

use super::{
    calls::{Owner, Place},
    definition::{HostInterfaces, is_same_address, own_routes, same_network},
};
use crate::{Error, ErrorKind, Result, What, near::Near};

/// What becomes of an interface.
pub(super) struct Plan {
    /// Its name.
    pub(super) device: String,
    pub(super) owner: Owner,
    /// What is done, if anything.
    pub(super) step: Step,
    /// The gateways that the host gets, if they change.
    pub(super) gateways: Option<HostIpRouteConfig>,
}

/// What is done with an interface.
pub(super) enum Step {
    /// It is as it has to be.
    Nothing,
    /// A network card gets another speed.
    Speed(PhysicalNicLinkInfo),
    /// An interface of the kernel changes; and how it changes back.
    Update(HostVirtualNicSpec, HostVirtualNicSpec),
    /// An interface of the kernel is made at a place.
    Add(Place, HostVirtualNicSpec),
}

impl Plan {
    /// What a document makes of the interfaces of a host. `port` is a port of the port group that the document names, if
    /// that is one of a distributed switch.
    ///
    /// # Errors
    /// What the host does not have, or cannot do.
    pub(super) fn of(
        def: &InterfaceDef,
        host: &HostInterfaces,
        port: Option<DistributedVirtualSwitchPortConnection>,
    ) -> Result<Plan> {
        match &def.kind {
            InterfaceKind::Bridge(bridge) => {
                let place = match port {
                    Some(port) => Place::Port(port),
                    None if host.has_group(&def.name) => Place::Group(def.name.clone()),
                    None => return Err(host.no_group(&def.name, None)),
                };
                Plan::in_group(def, bridge, &place, host)
            }
            InterfaceKind::Ethernet => Plan::of_card(def, host),
            InterfaceKind::Bond(_) => Err(refused(format!(
                "a bond is a switch with several network cards: '{}' cannot be defined as an interface",
                def.name
            ))
            .advise("net-define makes such a switch, and net-update changes its network cards")),
            _ => Err(refused(format!(
                "interfaces of the type '{}' cannot be defined",
                def.interface_type()
            ))
            .advise("VLANs are those of port groups, which net-update changes")),
        }
    }

    /// An interface that exists.
    fn of_card(def: &InterfaceDef, host: &HostInterfaces) -> Result<Plan> {
        let name = &def.name;
        if let Some(nic) = host.kernel_named(name) {
            return Plan::change(nic, None, def, def.mac.as_deref(), host);
        }
        let mut nics = host.nics.iter();
        if let Some(nic) = nics.find(|nic| nic.device == *name) {
            return Plan::of_physical(nic, def, host);
        }
        let mut near = Near::new(name);
        for nic in host.kernel() {
            near.consider(&nic.device);
        }
        let message = format!("the host has no interface '{name}'");
        let kind = ErrorKind::NotFound(What::Interface);
        let error = near.advise(Error::new(kind, ErrorNumber::NoInterface, message));
        Err(error.advise_also(
            "a new interface is made in a port group: <interface type='bridge' name='PORT GROUP'> … <bridge>\
             <interface type='ethernet' name='vmk1'/></bridge></interface>",
        ))
    }

    /// A network card, of which only the speed can be set.
    fn of_physical(nic: &PhysicalNic, def: &InterfaceDef, host: &HostInterfaces) -> Result<Plan> {
        let name = &nic.device;
        let refused = |what: &str, whose: &str| {
            let message = format!("the network card '{name}' has no {what} of its own");
            Err(refused(message).advise(format!("it is that of {whose}")))
        };
        check_mac(name, def.mac.as_deref(), Some(&nic.mac))?;
        let has = |protocol: &Protocol| {
            protocol.autoconf
                || protocol.dhcp.is_some()
                || !protocol.ips.is_empty()
                || protocol.gateway.is_some()
        };
        // A document that was read from the host can be given back.
        let own = host.physical(nic, false)?;
        if def.protocols.iter().any(has) && def.protocols != own.protocols {
            return refused("address", "an interface of the kernel, such as vmk0");
        }
        if def.mtu > 0 {
            return refused("mtu", "its switch");
        }
        if matches!(
            def.link.state,
            Some(LinkState::Down | LinkState::NotPresent | LinkState::LowerLayerDown)
        ) {
            return Err(self::refused(format!(
                "a host cannot take down the link of its network card '{name}'"
            )));
        }
        let speed = i32::try_from(def.link.speed).unwrap_or(i32::MAX);
        let set = nic.spec.link_speed.as_deref();
        let step = match speed {
            0 => Step::Nothing,
            speed if set.is_some_and(|set| set.speed_mb == speed) => Step::Nothing,
            speed => Step::Speed(PhysicalNicLinkInfo {
                speed_mb: speed,
                duplex: true,
                ..PhysicalNicLinkInfo::default()
            }),
        };
        Ok(Plan {
            device: name.clone(),
            owner: Owner::Kernel,
            step,
            gateways: None,
        })
    }

    /// An interface in a port group: it is made there, goes there, or is there.
    fn in_group(
        def: &InterfaceDef,
        bridge: &Bridge,
        place: &Place,
        host: &HostInterfaces,
    ) -> Result<Plan> {
        let group = &def.name;
        let card = match bridge.interfaces.as_slice() {
            [card] => card,
            _ => {
                return Err(refused(format!(
                    "the port group '{group}' can have one interface of the kernel, and needs it in <bridge>"
                )));
            }
        };
        if card.interface_type() != InterfaceType::Ethernet {
            return Err(refused(format!(
                "the port group '{group}' cannot have an interface of the type '{}'",
                card.interface_type()
            )));
        }
        if host.nics.iter().any(|nic| nic.device == card.name) {
            return Err(refused(format!(
                "the network card '{}' is one of a switch, not of the port group '{group}'",
                card.name
            ))
            .advise("net-define makes a switch with network cards, and net-update changes them"));
        }
        if bridge.stp == Some(true) || bridge.delay.is_some() {
            warn!("<bridge stp=... delay=...> is ignored: switches of hosts do not have them");
        }
        let known = host.kernel_named(&card.name);
        // Those of distributed switches have many ports.
        let mut others = host.kernel().filter(|_| matches!(place, Place::Group(_)));
        if let Some(other) = others
            .find(|nic| place.has(nic) && known.is_none_or(|known| known.device != nic.device))
        {
            let message = format!(
                "the port group '{group}' has the interface '{}' already",
                other.device
            );
            let number = ErrorNumber::OperationInvalid;
            return Err(Error::new(ErrorKind::WrongState, number, message)
                .advise("a port group takes one interface: net-update makes another port group"));
        }
        match known {
            Some(nic) => Plan::change(nic, Some(place), def, card.mac.as_deref(), host),
            None => Plan::new_in(place, &card.name, def, card.mac.as_deref(), host),
        }
    }

    /// An interface that is made.
    fn new_in(
        place: &Place,
        name: &str,
        def: &InterfaceDef,
        mac: Option<&str>,
        host: &HostInterfaces,
    ) -> Result<Plan> {
        let owner = Owner::of(name);
        let names = (0_u32..).map(|number| format!("{}{number}", owner.prefix()));
        let next = names
            .into_iter()
            .find(|name| host.kernel_named(name).is_none());
        if let Some(next) = next.filter(|next| next != name) {
            return Err(refused(format!(
                "the host's next interface is '{next}', not '{name}'"
            ))
            .advise("hosts choose the names of their interfaces: the first that is free"));
        }
        if let Some(mac) = mac
            && mac.parse::<MacAddress>().is_err()
        {
            return Err(refused(format!("'{mac}' is no hardware address")));
        }
        let own = HostIpConfig::default();
        let (ip, _) = addresses(&own, def)?;
        let spec = HostVirtualNicSpec {
            ip: Some(ip.unwrap_or_default().into()),
            mac: mac.map(str::to_owned),
            mtu: mtu(def)?,
            ..HostVirtualNicSpec::default()
        };
        let gateways = gateways(name, def, host.routes(owner))?;
        Ok(Plan {
            device: name.to_owned(),
            owner,
            step: Step::Add(place.clone(), spec),
            gateways,
        })
    }

    /// An interface that changes as the document says. What the document does not say stays.
    fn change(
        nic: &HostVirtualNic,
        place: Option<&Place>,
        def: &InterfaceDef,
        mac: Option<&str>,
        host: &HostInterfaces,
    ) -> Result<Plan> {
        check_mac(&nic.device, mac, nic.spec.mac.as_deref())?;
        let mut spec = HostVirtualNicSpec::default();
        let mut back = HostVirtualNicSpec::default();
        let mut changes = false;
        if let Some(mtu) = mtu(def)?
            && nic.spec.mtu != Some(mtu)
        {
            (spec.mtu, back.mtu) = (Some(mtu), nic.spec.mtu);
            changes = true;
        }
        if let Some(place) = place
            && !place.has(nic)
        {
            place.put(&mut spec);
            back.portgroup = Some(nic.portgroup.clone()).filter(|group| !group.is_empty());
            // What is on a distributed or opaque switch goes back to it.
            back.distributed_virtual_port
                .clone_from(&nic.spec.distributed_virtual_port);
            back.opaque_network.clone_from(&nic.spec.opaque_network);
            changes = true;
        }
        let own = nic.spec.ip.as_deref().cloned().unwrap_or_default();
        if let (Some(ip), before) = addresses(&own, def)? {
            (spec.ip, back.ip) = (Some(ip.into()), Some(before.into()));
            changes = true;
        }
        let owner = Owner::of(&nic.device);
        // An interface in a stack of its own, or with gateways of its own, does not use the host's.
        let own = own_routes(nic);
        let is_alone = own.is_some() || !HostInterfaces::is_in_default_stack(nic);
        let before = match is_alone {
            true => own.cloned().unwrap_or_default(),
            false => host.routes(owner),
        };
        let mut gateways = gateways(&nic.device, def, before.clone())?;
        if is_alone && let Some(after) = gateways.take() {
            (spec.ip_route_spec, back.ip_route_spec) = (Some(of_nic(after)), Some(of_nic(before)));
            changes = true;
        }
        Ok(Plan {
            device: nic.device.clone(),
            owner,
            step: match changes {
                true => Step::Update(spec, back),
                false => Step::Nothing,
            },
            gateways,
        })
    }
}

pub(super) fn refused(message: String) -> Error {
    Error::new(
        ErrorKind::Definition,
        ErrorNumber::ConfigUnsupported,
        message,
    )
}

fn check_mac(device: &str, wanted: Option<&str>, own: Option<&str>) -> Result<()> {
    match (wanted, own) {
        (Some(wanted), Some(own)) if !wanted.eq_ignore_ascii_case(own) => Err(refused(format!(
            "the hardware address of the interface '{device}' cannot be changed from {own} to {wanted}"
        ))),
        _ => Ok(()),
    }
}

/// The size of packets that a document asks for.
fn mtu(def: &InterfaceDef) -> Result<Option<i32>> {
    let mtu = Some(def.mtu).filter(|mtu| *mtu > 0).map(i32::try_from);
    mtu.transpose()
        .map_err(|_| refused(format!("the mtu {} is too large", def.mtu)))
}

/// The change of addresses that a document asks for, if it asks for any, and the change that takes it back.
fn addresses(
    own: &HostIpConfig,
    def: &InterfaceDef,
) -> Result<(Option<HostIpConfig>, HostIpConfig)> {
    let set = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let before = HostIpConfig {
        ip_address: set(&own.ip_address),
        subnet_mask: set(&own.subnet_mask),
        ip_v6_config: None,
        ..own.clone()
    };
    let mut wanted = before.clone();
    let mut back = before.clone();
    if let Some(ipv4) = def.protocol(ProtocolFamily::Ipv4) {
        wanted.dhcp = ipv4.dhcp.is_some();
        let address = match ipv4.ips.as_slice() {
            // An address that came by DHCP stays, and is not asked for.
            _ if wanted.dhcp && own.dhcp => set(&own.ip_address).zip(set(&own.subnet_mask)),
            _ if wanted.dhcp => None,
            [] => None,
            [one] => Some((one.address.clone(), netmask(&one.address, one.prefix)?)),
            _ => {
                return Err(refused(format!(
                    "the interface '{}' can have one IPv4 address only",
                    def.name
                )));
            }
        };
        (wanted.ip_address, wanted.subnet_mask) = address.unzip();
    }
    let mut changes = wanted != before;
    if let Some(ipv6) = def.protocol(ProtocolFamily::Ipv6) {
        let nothing = HostIpConfigIpV6AddressConfiguration::default();
        let known = own.ip_v6_config.as_deref().unwrap_or(&nothing);
        let now = settings(
            known.auto_configuration_enabled == Some(true),
            known.dhcp_v6_enabled == Some(true),
        );
        let asked = settings(ipv6.autoconf, ipv6.dhcp.is_some());
        let (steps, steps_back) = ipv6_steps(known, ipv6)?;
        if now != asked || !steps.is_empty() {
            wanted.ip_v6_config = Some(Box::new(HostIpConfigIpV6AddressConfiguration {
                ip_v6_address: steps,
                ..asked
            }));
            back.ip_v6_config = Some(Box::new(HostIpConfigIpV6AddressConfiguration {
                ip_v6_address: steps_back,
                ..now
            }));
            changes = true;
        }
    }
    Ok((changes.then_some(wanted), back))
}

fn settings(autoconf: bool, dhcp: bool) -> HostIpConfigIpV6AddressConfiguration {
    HostIpConfigIpV6AddressConfiguration {
        auto_configuration_enabled: Some(autoconf),
        dhcp_v6_enabled: Some(dhcp),
        ..HostIpConfigIpV6AddressConfiguration::default()
    }
}

/// Whether somebody has set an address: it came neither from a router nor by DHCP.
pub(super) fn is_manual(address: &HostIpConfigIpV6Address) -> bool {
    let origin = address.origin.as_deref();
    origin.is_none_or(|origin| origin == "manual")
}

type Steps = Vec<HostIpConfigIpV6Address>;

/// The IPv6 addresses that are removed and added, and those that are to take it back.
fn ipv6_steps(
    known: &HostIpConfigIpV6AddressConfiguration,
    wanted: &Protocol,
) -> Result<(Steps, Steps)> {
    let step = |address: &str, prefix_length, operation: &str| HostIpConfigIpV6Address {
        ip_address: address.to_owned(),
        prefix_length,
        operation: Some(operation.to_owned()),
        ..HostIpConfigIpV6Address::default()
    };
    let (mut add, mut remove) = (Vec::new(), Vec::new());
    for ip in &wanted.ips {
        if ip.address.parse::<Ipv6Addr>().is_err() {
            return Err(refused(format!("'{}' is no IPv6 address", ip.address)));
        }
        if !(1..=128).contains(&ip.prefix) {
            return Err(refused(format!(
                "the address {} needs a prefix of 1 to 128 bits",
                ip.address
            )));
        }
        let mut known = known.ip_v6_address.iter();
        let stays = known.any(|known| {
            is_same_address(&known.ip_address, &ip.address)
                && (known.prefix_length == ip.prefix || !is_manual(known))
        });
        if !stays {
            add.push((&ip.address, ip.prefix));
        }
    }
    for old in known.ip_v6_address.iter().filter(|old| is_manual(old)) {
        let mut wanted = wanted.ips.iter();
        let stays = wanted.any(|ip| {
            is_same_address(&ip.address, &old.ip_address) && ip.prefix == old.prefix_length
        });
        if !stays {
            remove.push((&old.ip_address, old.prefix_length));
        }
    }
    let steps = |remove: &[(&String, i32)], add: &[(&String, i32)]| {
        let removed = remove
            .iter()
            .map(|(address, prefix)| step(address, *prefix, "remove"));
        let added = add
            .iter()
            .map(|(address, prefix)| step(address, *prefix, "add"));
        removed.chain(added).collect::<Vec<_>>()
    };
    Ok((steps(&remove, &add), steps(&add, &remove)))
}

/// Gateways of an interface of its own.
fn of_nic(routes: HostIpRouteConfig) -> Box<HostVirtualNicIpRouteSpec> {
    let spec = HostVirtualNicIpRouteSpec {
        ip_route_config: Some(routes.into()),
        ..HostVirtualNicIpRouteSpec::default()
    };
    spec.into()
}

/// The gateways that a host or an interface gets by a document in the place of those `before`; `None` if they stay.
fn gateways(
    device: &str,
    def: &InterfaceDef,
    before: HostIpRouteConfig,
) -> Result<Option<HostIpRouteConfig>> {
    let mut after = before.clone();
    for protocol in &def.protocols {
        let Some(gateway) = &protocol.gateway else {
            continue;
        };
        let family = protocol.family;
        let parsed = gateway.parse::<IpAddr>().ok();
        let parsed = parsed.filter(|parsed| parsed.is_ipv6() == (family == ProtocolFamily::Ipv6));
        let Some(parsed) = parsed else {
            return Err(refused(format!("'{gateway}' is no {family} address")));
        };
        let is_static = protocol.dhcp.is_none() && !protocol.autoconf;
        let mut ips = protocol.ips.iter();
        let reaches =
            ips.any(|ip| same_network(&ip.address, gateway, u32::try_from(ip.prefix).unwrap_or(0)));
        let is_of_link = matches!(parsed, IpAddr::V6(address) if address.is_unicast_link_local());
        if is_static && !reaches && !is_of_link {
            return Err(refused(format!(
                "the gateway {gateway} is on no network of the interface '{device}'"
            )));
        }
        let (own, own_device) = match parsed {
            IpAddr::V4(_) => (&mut after.default_gateway, &mut after.gateway_device),
            IpAddr::V6(_) => (
                &mut after.ip_v6_default_gateway,
                &mut after.ip_v6_gateway_device,
            ),
        };
        let is_it = own
            .as_deref()
            .is_some_and(|own| is_same_address(own, gateway));
        if !is_it {
            *own = Some(gateway.clone());
            // Only a gateway of the link says nothing without its interface.
            let needs_device = is_of_link || own_device.is_some();
            *own_device = needs_device.then(|| device.to_owned());
        }
    }
    Ok((after != before).then_some(after))
}

/// The netmask of a prefix, if it is that of an IPv4 address.
fn netmask(address: &str, prefix: i32) -> Result<String> {
    if address.parse::<Ipv4Addr>().is_err() {
        return Err(refused(format!("'{address}' is no IPv4 address")));
    }
    match u32::try_from(prefix) {
        Ok(prefix @ 1..=32) => Ok(Ipv4Addr::from_bits(u32::MAX << (32 - prefix)).to_string()),
        _ => Err(refused(format!(
            "the address {address} needs a prefix of 1 to 32 bits"
        ))),
    }
}
