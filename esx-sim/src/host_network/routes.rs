//! Names, routes and TCP/IP stacks of a host, and the links of its physical NICs.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use vi_types::objects::{
    HostDnsConfig, HostDnsConfigSpec, HostIpRouteConfig, HostIpRouteConfigSpec, HostIpRouteEntry,
    HostIpRouteTableConfig, HostIpRouteTableInfo, HostNetStackInstance, HostNetworkInfo,
    HostVirtualNicConnection, PhysicalNicHintInfo, PhysicalNicLinkInfo, PhysicalNicNameHint,
};
use vi_types::{Poly, SoapFault};

use super::interface::DEFAULT_STACK;
use super::{Edit, Kind, address};
use crate::fault;
use crate::world::World;
use crate::world::inventory::parts::text;

/// The gateway of networks that an interface is on.
const CONNECTED: &str = "0.0.0.0";

impl Edit<'_> {
    /// Sets the host's name and its name servers.
    ///
    /// # Errors
    /// - `NotFound` for an interface that the host does not have.
    /// - `InvalidArgument` for a name that a host cannot have, a server whose address is none, and for DHCP without an
    ///   interface.
    pub(crate) fn set_dns(&mut self, asked: &Poly<HostDnsConfig>) -> Result<(), SoapFault> {
        let mut dns = HostDnsConfig::clone(asked);
        if let Some(connection) = asked
            .cast::<HostDnsConfigSpec>()
            .and_then(|asked| asked.virtual_nic_connection.as_deref())
        {
            dns.virtual_nic_device = Some(self.connected(connection)?);
        }
        let is_word = |word: &str| {
            let letters = word.chars();
            let mut odd = letters.filter(|c| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_'));
            !word.is_empty() && word.len() < 64 && odd.next().is_none()
        };
        if !dns.host_name.split('.').all(is_word) {
            return Err(fault::invalid_argument("config.hostName"));
        }
        if dns.address.iter().any(|one| one.parse::<IpAddr>().is_err()) {
            return Err(fault::invalid_argument("config.address"));
        }
        match &dns.virtual_nic_device {
            Some(device) => self.check_interface(device)?,
            None if dns.dhcp => return Err(fault::invalid_argument("config.virtualNicDevice")),
            None => {}
        }
        self.info.dns_config = Some(dns.into());
        Ok(())
    }

    /// Sets the gateways of the kernel's interfaces, or of the service console's.
    ///
    /// # Errors
    /// - `InvalidArgument` for a gateway whose address is none.
    /// - `PlatformConfigFault` for an interface that the host does not have, and for a gateway that is on no network of the
    ///   host.
    pub(crate) fn set_gateways(
        &mut self,
        kind: Kind,
        asked: &Poly<HostIpRouteConfig>,
    ) -> Result<(), SoapFault> {
        let mut routes = HostIpRouteConfig::clone(asked);
        if let Some(spec) = asked.cast::<HostIpRouteConfigSpec>() {
            if let Some(connection) = spec.gateway_device_connection.as_deref() {
                routes.gateway_device = Some(self.connected(connection)?);
            }
            if let Some(connection) = spec.ip_v6_gateway_device_connection.as_deref() {
                routes.ip_v6_gateway_device = Some(self.connected(connection)?);
            }
        }
        routes.default_gateway.take_if(|gateway| gateway.is_empty());
        routes
            .ip_v6_default_gateway
            .take_if(|gateway| gateway.is_empty());
        if let Some(gateway) = &routes.default_gateway {
            let gateway = gateway.parse::<Ipv4Addr>();
            let gateway = gateway.map_err(|_| fault::invalid_argument("config.defaultGateway"))?;
            if !self.reaches(kind, gateway) {
                return Err(fault::platform_config(&format!(
                    "The gateway {gateway} is on no network of the host"
                )));
            }
        }
        if let Some(gateway) = &routes.ip_v6_default_gateway
            && gateway.parse::<Ipv6Addr>().is_err()
        {
            return Err(fault::invalid_argument("config.ipV6DefaultGateway"));
        }
        for device in [&routes.gateway_device, &routes.ip_v6_gateway_device] {
            if let Some(device) = device
                && self.check_interface(device).is_err()
            {
                return Err(fault::platform_config(&format!(
                    "The host has no interface {device}"
                )));
            }
        }
        match kind {
            Kind::Kernel => self.info.ip_route_config = Some(routes.into()),
            Kind::Console if self.since("5.0") => return Err(fault::not_supported()),
            Kind::Console => self.info.console_ip_route_config = Some(routes.into()),
        }
        Ok(())
    }

    /// Adds and removes static routes.
    ///
    /// # Errors
    /// - `InvalidArgument` for what is no network, gateway or operation.
    /// - `PlatformConfigFault` for a route that is there already, or is not there.
    pub(crate) fn change_routes(
        &mut self,
        asked: &HostIpRouteTableConfig,
    ) -> Result<(), SoapFault> {
        let mut table = self.info.route_table_info.take().unwrap_or_default();
        let v4 = asked.ip_route.iter().map(|op| (op, false));
        let v6 = asked.ipv6_route.iter().map(|op| (op, true));
        for (op, is_v6) in v4.chain(v6) {
            let (route, list) = (
                &op.route,
                match is_v6 {
                    true => &mut table.ipv6_route,
                    false => &mut table.ip_route,
                },
            );
            let is_address = |text: &str| match text.parse::<IpAddr>() {
                Ok(address) => address.is_ipv6() == is_v6,
                Err(_) => false,
            };
            let longest = if is_v6 { 128 } else { 32 };
            let is_route = is_address(&route.network)
                && is_address(&route.gateway)
                && (0..=longest).contains(&route.prefix_length);
            if !is_route {
                return Err(fault::invalid_argument("config.ipRoute"));
            }
            let mut known = list.iter();
            let known = known.position(|one| {
                one.network == route.network && one.prefix_length == route.prefix_length
            });
            let name = format!("{}/{}", route.network, route.prefix_length);
            match (op.change_operation.as_str(), known) {
                ("add", None) => list.push(route.clone()),
                ("add", Some(_)) => {
                    return Err(fault::platform_config(&format!(
                        "There is a route to {name} already"
                    )));
                }
                ("remove", Some(index)) => {
                    list.remove(index);
                }
                ("remove", None) => {
                    return Err(fault::platform_config(&format!(
                        "There is no route to {name}"
                    )));
                }
                ("ignore", _) => {}
                _ => return Err(fault::invalid_argument("config.ipRoute.changeOperation")),
            }
        }
        self.info.route_table_info = Some(table);
        Ok(())
    }

    /// Sets the speed of a physical NIC; without one it agrees on one with the other end.
    ///
    /// # Errors
    /// - `NotFound` without such a NIC.
    /// - `PlatformConfigFault` for a speed that it does not have.
    pub(crate) fn set_speed(
        &mut self,
        device: &str,
        speed: Option<&PhysicalNicLinkInfo>,
    ) -> Result<(), SoapFault> {
        let mut nics = self.info.pnic.iter_mut();
        let nic = nics.find(|nic| nic.device == device);
        let nic = nic.ok_or_else(fault::not_found)?;
        if let Some(speed) = speed
            && !nic.valid_link_specification.contains(speed)
        {
            let duplex = if speed.duplex { "full" } else { "half" };
            return Err(fault::platform_config(&format!(
                "The physical NIC {device} cannot have {} Mbit/s, {duplex} duplex",
                speed.speed_mb
            )));
        }
        nic.spec.link_speed = speed.cloned().map(Box::new);
        if nic.link_speed.is_some() {
            let fastest = nic.valid_link_specification.iter();
            let fastest = fastest.max_by_key(|one| (one.speed_mb, one.duplex));
            nic.link_speed = speed.or(fastest).cloned().map(Box::new);
        }
        Ok(())
    }

    /// What physical NICs hear of the networks that they are on: VLANs of their port groups.
    ///
    /// # Errors
    /// `NotFound` without one of these NICs.
    pub(crate) fn hints(&self, devices: &[String]) -> Result<Vec<PhysicalNicHintInfo>, SoapFault> {
        let is_there = |device: &&String| self.info.pnic.iter().any(|nic| nic.device == **device);
        if !devices.iter().all(|device| is_there(&device)) {
            return Err(fault::not_found());
        }
        let nics = self.info.pnic.iter();
        let nics = nics.filter(|nic| devices.is_empty() || devices.contains(&nic.device));
        let hints = nics.map(|nic| {
            let groups = self.info.portgroup.iter().filter(|group| {
                let switch = self.switch(&group.spec.vswitch_name);
                let switch = switch.ok().and_then(|index| self.info.vswitch.get(index));
                let bridge = switch.and_then(|switch| switch.spec.bridge.as_ref());
                let devices = bridge.map_or(Vec::new(), super::switch::devices);
                nic.link_speed.is_some() && devices.contains(&nic.device)
            });
            let network = groups.map(|group| {
                let mut hint = PhysicalNicNameHint {
                    network: group.spec.name.clone(),
                    ..PhysicalNicNameHint::default()
                };
                hint.vlan_id = Some(group.spec.vlan_id);
                hint
            });
            PhysicalNicHintInfo {
                device: nic.device.clone(),
                network: network.collect(),
                ..PhysicalNicHintInfo::default()
            }
        });
        Ok(hints.collect())
    }

    fn check_interface(&self, device: &str) -> Result<(), SoapFault> {
        let mut all = self.info.vnic.iter().chain(&self.info.console_vnic);
        match all.any(|nic| nic.device == device) {
            true => Ok(()),
            false => Err(fault::not_found()),
        }
    }

    /// The interface that is connected so.
    fn connected(&self, connection: &HostVirtualNicConnection) -> Result<String, SoapFault> {
        let mut all = self.info.vnic.iter().chain(&self.info.console_vnic);
        let port = connection.dv_port.as_deref();
        let found = all.find(|nic| match port {
            Some(port) => nic
                .spec
                .distributed_virtual_port
                .as_deref()
                .is_some_and(|own| {
                    own.switch_uuid == port.switch_uuid && own.port_key == port.port_key
                }),
            None => connection.portgroup.as_ref() == Some(&nic.portgroup),
        });
        Ok(found.ok_or_else(fault::not_found)?.device.clone())
    }

    /// Whether an address is on a network of an interface.
    fn reaches(&self, kind: Kind, address: Ipv4Addr) -> bool {
        let mut networks = kind.list(&self.info).iter().filter_map(|nic| {
            let ip = nic.spec.ip.as_deref()?;
            let mask = ip.subnet_mask.as_deref()?;
            let own = address::network(ip.ip_address.as_deref()?, mask)?;
            Some(address::network(&address.to_string(), mask)? == own)
        });
        networks.any(|is_on_it| is_on_it)
    }
}

/// The TCP/IP stacks of a host; before 5.5, hosts had only one, without a name.
pub(crate) fn stacks(world: &World) -> Vec<HostNetStackInstance> {
    let stack = |key: &str| HostNetStackInstance {
        key: text(key),
        name: text(key),
        requested_max_number_of_connections: Some(11_000),
        congestion_control_algorithm: text("newreno"),
        ip_v6_enabled: Some(true),
        ..HostNetStackInstance::default()
    };
    let mut keys = Vec::new();
    keys.extend(world.since("5.5").then_some(DEFAULT_STACK));
    if world.since("6.0") {
        keys.extend(["vmotion", "vSphereProvisioning"]);
    }
    keys.into_iter().map(stack).collect()
}

/// Works out the routes of a host, and lets its default stack show them.
pub(crate) fn derive_routes(world: &World, info: &mut HostNetworkInfo) {
    let gateways = info.ip_route_config.clone();
    let gateways = gateways.map(|gateways| HostIpRouteConfig::clone(&gateways));
    let gateways = gateways.unwrap_or_default();
    for stack in &mut info.net_stack_instance {
        if stack.key.as_deref() == Some(DEFAULT_STACK) {
            stack.dns_config.clone_from(&info.dns_config);
            stack.ip_route_config.clone_from(&info.ip_route_config);
        }
    }
    if !world.since("4.0") {
        return;
    }
    let before = info.route_table_info.take().unwrap_or_default();
    let entry =
        |network: String, prefix_length, gateway: &str, device: Option<&String>| HostIpRouteEntry {
            network,
            prefix_length,
            gateway: gateway.to_owned(),
            device_name: device.filter(|_| world.since("4.1")).cloned(),
            ..HostIpRouteEntry::default()
        };
    let networks: Vec<_> = info
        .vnic
        .iter()
        .filter_map(|nic| {
            let ip = nic.spec.ip.as_deref()?;
            let (network, length) =
                address::network(ip.ip_address.as_deref()?, ip.subnet_mask.as_deref()?)?;
            Some((network, length, &nic.device))
        })
        .collect();
    let through = |gateway: &str| {
        let gateway = gateway.parse::<Ipv4Addr>().ok()?;
        let mut networks = networks.iter();
        let found = networks.find(|(network, length, _)| {
            let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
            gateway.to_bits() & mask == network.to_bits()
        });
        found.map(|(.., device)| *device)
    };
    let mut routes = Vec::new();
    if let Some(gateway) = &gateways.default_gateway {
        let device = gateways
            .gateway_device
            .as_ref()
            .or_else(|| through(gateway));
        routes.push(entry(CONNECTED.to_owned(), 0, gateway, device));
    }
    for (network, length, device) in &networks {
        let length = i32::try_from(*length).unwrap_or(0);
        routes.push(entry(network.to_string(), length, CONNECTED, Some(device)));
    }
    for route in before.ip_route.iter().filter(|route| is_static(route)) {
        let device = through(&route.gateway);
        let network = route.network.clone();
        routes.push(entry(network, route.prefix_length, &route.gateway, device));
    }
    let mut table = HostIpRouteTableInfo {
        ip_route: routes,
        ..HostIpRouteTableInfo::default()
    };
    if info.ip_v6_enabled == Some(true) {
        if let Some(gateway) = &gateways.ip_v6_default_gateway {
            let device = gateways.ip_v6_gateway_device.as_ref();
            table
                .ipv6_route
                .push(entry("::".to_owned(), 0, gateway, device));
        }
        let own = before.ipv6_route.into_iter().filter(is_static);
        table.ipv6_route.extend(own);
    }
    info.route_table_info = Some(table.into());
}

/// Whether somebody has set a route: it is neither that of a network of the host nor the default one.
pub(super) fn is_static(route: &HostIpRouteEntry) -> bool {
    route.gateway != CONNECTED && route.prefix_length != 0
}
