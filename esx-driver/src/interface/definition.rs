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

use super::{Interface, Kind, no_interface};
use crate::{Error, ErrorKind, Result, connect::no_host};

property_set! {
    pub(super) struct HostInterfaces: HostSystem {
        pub(super) nics: Vec<PhysicalNic> = config.network.pnic,
        pub(super) vnics: Vec<HostVirtualNic> = config.network.vnic,
        pub(super) console: Vec<HostVirtualNic> = config.network.console_vnic,
        pub(super) switches: Vec<HostVirtualSwitch> = config.network.vswitch,
        pub(super) port_groups: Vec<HostPortGroup> = config.network.portgroup,
        pub(super) routes: Option<Poly<HostIpRouteConfig>> = config.network.ip_route_config,
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

    /// The default gateways of the kernel, of IPv4 and IPv6.
    fn gateways(&self) -> [Option<&str>; 2] {
        let routes = self.routes.as_deref();
        [
            routes.and_then(|routes| routes.default_gateway.as_deref()),
            routes.and_then(|routes| routes.ip_v6_default_gateway.as_deref()),
        ]
        .map(|gateway| gateway.filter(|gateway| !gateway.is_empty()))
    }

    fn def(&self, interface: &Interface, inactive: bool) -> Result<Option<InterfaceDef>> {
        let name = &interface.name;
        match interface.kind {
            Kind::Physical => {
                let nic = self.nics.iter().find(|nic| nic.device == *name);
                let def = nic.map(|nic| {
                    let mut def = started(InterfaceDef::ethernet(&nic.device));
                    def.mac = Some(nic.mac.clone());
                    if let Some(ip) = &nic.spec.ip {
                        def.protocols = protocols(ip, [None, None], inactive)?;
                    }
                    Ok(def)
                });
                def.transpose()
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
                        def.protocols = protocols(ip, self.gateways(), inactive)?;
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
        let connect = &self.connect;
        let host: Option<HostInterfaces> = connect.read_complete(connect.host_system()).await?;
        let host = host.ok_or_else(no_host)?;
        let def = host.def(self, inactive)?;
        def.ok_or_else(|| no_interface("name", &self.name))
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

/// What an interface has of IPv4 and IPv6. As in libvirt's ESX driver there is always something of IPv4.
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
    let mut protocols = vec![ipv4];
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
            let is_own = found
                .origin
                .as_deref()
                .is_none_or(|origin| origin == "manual");
            if is_own || !inactive {
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
fn same_network(one: &str, other: &str, prefix: u32) -> bool {
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
