//! An interface's definition.

use std::net::{IpAddr, Ipv4Addr};

use vi_client::property_set;
use vi_types::{
    Poly,
    objects::{
        HostIpConfig, HostIpRouteConfig, HostPortGroup, HostVirtualNic, HostVirtualSwitch,
        PhysicalNic,
    },
};
use virt_model::{
    Document as _, ErrorNumber, InterfaceDef,
    flags::{InterfaceXmlFlags, refuse_unknown},
    interface::{BondMode, Dhcp, InterfaceIp, Protocol, ProtocolFamily, StartMode},
};

use super::{Interface, Kind, calls::Owner, no_interface, plan::is_manual};
use crate::{Connect, Error, ErrorKind, Result, What, near::Near, network::Ports};

property_set! {
    pub(super) struct HostInterfaces: HostSystem {
        pub(super) nics: Vec<PhysicalNic> = config.network.pnic,
        pub(super) vnics: Vec<HostVirtualNic> = config.network.vnic,
        pub(super) console: Vec<HostVirtualNic> = config.network.console_vnic,
        pub(super) switches: Vec<HostVirtualSwitch> = config.network.vswitch,
        pub(super) port_groups: Vec<HostPortGroup> = config.network.portgroup,
        routes: Option<Poly<HostIpRouteConfig>> = config.network.ip_route_config,
        console_routes: Option<Poly<HostIpRouteConfig>> = config.network.console_ip_route_config,
    }
}

impl HostInterfaces {
    /// The switches with two or more cards, with their cards. A card that the host does not have any more is left out.
    pub(super) fn bonds(&self) -> impl Iterator<Item = (&HostVirtualSwitch, Vec<&PhysicalNic>)> {
        self.switches.iter().filter_map(|switch| {
            let card = |key: &String| self.nics.iter().find(|nic| nic.key.as_ref() == Some(key));
            let cards: Vec<_> = switch.pnic.iter().filter_map(card).collect();
            (cards.len() > 1).then_some((switch, cards))
        })
    }

    /// The interfaces of the kernel, and those of the service console of old hosts.
    pub(super) fn kernel(&self) -> impl Iterator<Item = &HostVirtualNic> {
        self.vnics.iter().chain(&self.console)
    }

    /// All interfaces: network cards, bonds, and those of the kernel; each in the host's order.
    pub(super) fn interfaces(&self, connect: &Connect) -> impl Iterator<Item = Interface> {
        let interface = |name: &str, mac: Option<&str>, kind| Interface {
            connect: connect.clone(),
            name: name.to_owned(),
            mac: mac.map(str::to_owned),
            kind,
        };
        let cards = self.nics.iter();
        let cards = cards.map(move |nic| interface(&nic.device, Some(&nic.mac), Kind::Physical));
        let bonds = self.bonds().map(move |(switch, cards)| {
            let mac = cards.first().map(|nic| nic.mac.as_str());
            interface(&switch.name, mac, Kind::Bond)
        });
        let kernel = self.kernel();
        let kernel =
            kernel.map(move |nic| interface(&nic.device, nic.spec.mac.as_deref(), Kind::Kernel));
        cards.chain(bonds).chain(kernel)
    }

    /// The interface of the kernel of that name, in upper or lower case.
    pub(super) fn kernel_named(&self, name: &str) -> Option<&HostVirtualNic> {
        let mut nics = self.kernel();
        nics.find(|nic| nic.device.eq_ignore_ascii_case(name))
    }

    /// Whether one of the host's standard switches has a port group of that name.
    pub(super) fn has_group(&self, name: &str) -> bool {
        let mut groups = self.port_groups.iter();
        groups.any(|group| group.spec.name == name)
    }

    /// There is no port group of that name. `distributed` are those of distributed switches, if they are known.
    pub(super) fn no_group(&self, name: &str, distributed: Option<&Ports>) -> Error {
        let mut near = Near::new(name);
        for group in &self.port_groups {
            near.consider(&group.spec.name);
        }
        for group in distributed.into_iter().flat_map(Ports::names) {
            near.consider(group);
        }
        let switch = match distributed {
            Some(_) => "a standard or distributed switch",
            None => "a standard switch",
        };
        let message = format!("the host has no port group '{name}' of {switch}");
        let kind = ErrorKind::NotFound(What::PortGroup);
        let error = near.advise(Error::new(kind, ErrorNumber::NoNetwork, message));
        match distributed {
            Some(_) => error,
            None => {
                error.advise_also("port groups of distributed switches are known to a vCenter only")
            }
        }
    }

    /// The host's gateways.
    pub(super) fn routes(&self, owner: Owner) -> HostIpRouteConfig {
        let routes = match owner {
            Owner::Kernel => &self.routes,
            Owner::Console => &self.console_routes,
        };
        let routes = routes.as_deref().cloned();
        routes.unwrap_or_default()
    }

    /// Whether the host's gateways are those of an interface. Hosts since 5.5 may have several TCP/IP stacks.
    pub(super) fn is_in_default_stack(nic: &HostVirtualNic) -> bool {
        let stack = nic.spec.net_stack_instance_key.as_deref();
        stack.is_none_or(|stack| stack == DEFAULT_STACK)
    }

    /// The gateways of an interface: its own, if it has some, else those of its TCP/IP stack; of IPv4 and IPv6.
    fn gateways(&self, nic: &HostVirtualNic) -> [Option<String>; 2] {
        let routes = match own_routes(nic) {
            Some(routes) => routes.clone(),
            None if HostInterfaces::is_in_default_stack(nic) => self.routes(Owner::of(&nic.device)),
            None => return [None, None],
        };
        [routes.default_gateway, routes.ip_v6_default_gateway]
            .map(|gateway| gateway.filter(|gateway| !gateway.is_empty()))
    }

    /// The definition of a network card.
    pub(super) fn physical(&self, nic: &PhysicalNic, inactive: bool) -> Result<InterfaceDef> {
        let mut def = started(InterfaceDef::ethernet(&nic.device));
        def.mac = Some(nic.mac.clone());
        let nothing = HostIpConfig::default();
        let ip = nic.spec.ip.as_deref().unwrap_or(&nothing);
        def.protocols = protocols(ip, [None, None], inactive)?;
        Ok(def)
    }

    fn def(&self, interface: &Interface, inactive: bool) -> Result<Option<InterfaceDef>> {
        let name = &interface.name;
        match interface.kind {
            Kind::Physical => {
                let nic = self.nics.iter().find(|nic| nic.device == *name);
                nic.map(|nic| self.physical(nic, inactive)).transpose()
            }
            Kind::Bond => {
                let mut bonds = self.bonds();
                let bond = bonds.find(|(switch, _)| switch.name == *name);
                Ok(bond.map(|(switch, cards)| {
                    let cards = cards.iter().map(|nic| nic.device.as_str());
                    let mut def = started(InterfaceDef::bond(name, mode(switch), cards));
                    def.mtu = mtu(switch.mtu);
                    def
                }))
            }
            Kind::Kernel => {
                let nic = self.kernel().find(|nic| nic.device == *name);
                let def = nic.map(|nic| {
                    let mut def = started(InterfaceDef::ethernet(&nic.device));
                    def.mac.clone_from(&nic.spec.mac);
                    def.mtu = mtu(nic.spec.mtu);
                    if let Some(ip) = &nic.spec.ip {
                        let gateways = self.gateways(nic);
                        let gateways = gateways.each_ref().map(Option::as_deref);
                        def.protocols = protocols(ip, gateways, inactive)?;
                    }
                    Ok(def)
                });
                def.transpose()
            }
        }
    }
}

impl Interface {
    /// The interface's definition: one request.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if the interface does not exist any more; [`ErrorKind::Property`] if the user may not read
    /// the host's network; [`ErrorKind::UnexpectedValue`] for a netmask that is none.
    pub async fn definition(&self) -> Result<InterfaceDef> {
        self.read(false).await
    }

    /// The interface's definition as libvirt's XML document: one request. It has the addresses of both families, the
    /// size of packets, and the gateway of an interface that reaches it. With [`InterfaceXmlFlags::INACTIVE`], an
    /// address that came by DHCP or from a router is not written.
    ///
    /// # Errors
    /// [`ErrorKind::UnsupportedFlags`] for other flags; as [`definition`](Interface::definition).
    #[doc(alias = "virInterfaceGetXMLDesc")]
    pub async fn xml_desc(&self, flags: InterfaceXmlFlags) -> Result<String> {
        refuse_unknown(flags, InterfaceXmlFlags::INACTIVE, "esxInterfaceGetXMLDesc")?;
        let inactive = flags.contains(InterfaceXmlFlags::INACTIVE);
        Ok(self.read(inactive).await?.to_xml(flags))
    }

    async fn read(&self, inactive: bool) -> Result<InterfaceDef> {
        let host = self.connect.host_interfaces().await?;
        let def = host.def(self, inactive)?;
        def.ok_or_else(|| no_interface("name", &self.name))
    }
}

/// The gateways that an interface has of its own, since API 6.5.
pub(super) fn own_routes(nic: &HostVirtualNic) -> Option<&HostIpRouteConfig> {
    let routes = nic.spec.ip_route_spec.as_deref()?;
    routes.ip_route_config.as_deref()
}

/// The TCP/IP stack whose gateways are those of the host.
const DEFAULT_STACK: &str = "defaultTcpipStack";

/// Whether two texts are the same address, in whatever form.
pub(super) fn is_same_address(one: &str, other: &str) -> bool {
    match (one.parse::<IpAddr>(), other.parse::<IpAddr>()) {
        (Ok(one), Ok(other)) => one == other,
        _ => one == other,
    }
}

/// Every interface of a host is started with it.
fn started(mut def: InterfaceDef) -> InterfaceDef {
    def.start_mode = Some(StartMode::OnBoot);
    def
}

fn mtu(mtu: Option<i32>) -> u64 {
    u64::try_from(mtu.unwrap_or(0)).unwrap_or(0)
}

/// The mode of a bond that is most like how a switch chooses the card for a packet. Linux has no mode that chooses by the
/// virtual port, as switches do unless they are told otherwise.
fn mode(switch: &HostVirtualSwitch) -> Option<BondMode> {
    let policy = switch.spec.policy.as_ref()?;
    let teaming = policy.nic_teaming.as_ref()?;
    match teaming.policy.as_deref()? {
        "failover_explicit" => Some(BondMode::ActiveBackup),
        "loadbalance_ip" | "loadbalance_srcmac" => Some(BondMode::BalanceXor),
        _ => None,
    }
}

/// What an interface has of IPv4 and IPv6.
fn protocols(
    ip: &HostIpConfig,
    [gateway4, gateway6]: [Option<&str>; 2],
    inactive: bool,
) -> Result<Vec<Protocol>> {
    let mut ipv4 = Protocol::default();
    if ip.dhcp {
        ipv4.dhcp = Some(Dhcp {
            peer_dns: Some(false),
        });
    }
    let set = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    if let (Some(address), Some(mask)) = (set(&ip.ip_address), set(&ip.subnet_mask))
        && !(ip.dhcp && inactive)
    {
        let prefix = prefix(&mask)?;
        let reaches = gateway4.is_some_and(|gateway| same_network(&address, gateway, prefix));
        ipv4.gateway = gateway4.filter(|_| reaches).map(str::to_owned);
        ipv4.ips
            .push(InterfaceIp::new(address, prefix.cast_signed()));
    }
    let mut protocols = Vec::new();
    if ipv4.dhcp.is_some() || !ipv4.ips.is_empty() {
        protocols.push(ipv4);
    }
    if let Some(config) = &ip.ip_v6_config {
        let mut ipv6 = Protocol {
            family: ProtocolFamily::Ipv6,
            autoconf: config.auto_configuration_enabled == Some(true),
            ..Protocol::default()
        };
        if config.dhcp_v6_enabled == Some(true) {
            ipv6.dhcp = Some(Dhcp {
                peer_dns: Some(false),
            });
        }
        for found in &config.ip_v6_address {
            if is_manual(found) || !inactive {
                ipv6.ips
                    .push(InterfaceIp::new(&found.ip_address, found.prefix_length));
            }
        }
        let reaches = |gateway: &&str| {
            let mut addresses = config.ip_v6_address.iter();
            addresses.any(|found| {
                let prefix = u32::try_from(found.prefix_length).unwrap_or(128);
                same_network(&found.ip_address, gateway, prefix)
            })
        };
        ipv6.gateway = gateway6.filter(reaches).map(str::to_owned);
        if ipv6.autoconf || ipv6.dhcp.is_some() || !ipv6.ips.is_empty() {
            protocols.push(ipv6);
        }
    }
    Ok(protocols)
}

/// The bits of a netmask.
fn prefix(mask: &str) -> Result<u32> {
    let parsed = mask.parse::<Ipv4Addr>().map_err(|_| {
        let message = format!("Could not parse the netmask '{mask}' of the host");
        Error::new(
            ErrorKind::UnexpectedValue,
            ErrorNumber::InternalError,
            message,
        )
    })?;
    Ok(parsed.to_bits().count_ones())
}

/// Whether two addresses are in one network. What is no address is in none.
pub(super) fn same_network(one: &str, other: &str, prefix: u32) -> bool {
    match (one.parse(), other.parse()) {
        (Ok(IpAddr::V4(one)), Ok(IpAddr::V4(other))) => {
            let shift = 32 - prefix.min(32);
            (one.to_bits() ^ other.to_bits())
                .checked_shr(shift)
                .unwrap_or(0)
                == 0
        }
        (Ok(IpAddr::V6(one)), Ok(IpAddr::V6(other))) => {
            let shift = 128 - prefix.min(128);
            (one.to_bits() ^ other.to_bits())
                .checked_shr(shift)
                .unwrap_or(0)
                == 0
        }
        _ => false,
    }
}
