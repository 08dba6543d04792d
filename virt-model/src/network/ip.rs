use std::net::IpAddr;

use xmltree::Element;

use super::NetworkDef;
use crate::{
    MacAddress,
    xml::{Build, Node, XmlError, broken, yes_no},
};

/// An address of the host in a network: `<ip>`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NetworkIp {
    /// The address. None only in a value that is not complete yet.
    pub address: Option<IpAddr>,
    /// Whether the document names the family of an IPv4 address; that of IPv6 is always named.
    pub names_family: bool,
    /// The netmask. At most one of netmask and prefix is set.
    pub netmask: Option<IpAddr>,
    /// The length of the network's prefix, in bits.
    pub prefix: Option<u32>,
    /// Whether addresses of the network are looked up in the network itself only.
    pub local_ptr: Option<bool>,
    /// The ranges from which addresses are given to guests.
    pub dhcp_ranges: Vec<DhcpRange>,
    /// The addresses of certain guests.
    pub dhcp_hosts: Vec<DhcpHost>,
    #[doc(hidden)]
    pub _more: (),
}

/// A range of addresses: `<range>` of `<dhcp>`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DhcpRange {
    /// The first address.
    pub start: IpAddr,
    /// The last address.
    pub end: IpAddr,
}

/// The address of a guest: `<host>` of `<dhcp>`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DhcpHost {
    /// The guest's hardware address.
    pub mac: Option<MacAddress>,
    /// The guest's client ID.
    pub id: Option<String>,
    /// The guest's name.
    pub name: Option<String>,
    /// The address it gets.
    pub ip: Option<IpAddr>,
    #[doc(hidden)]
    pub _more: (),
}

impl NetworkIp {
    pub(super) fn read(mut node: Node<'_>, network: &NetworkDef) -> Result<NetworkIp, XmlError> {
        let name = &network.name;
        let in_network =
            |node: &Node<'_>, message: String| node.error(format!("{message} in network '{name}'"));
        let Some(text) = node.filled("address") else {
            return Err(in_network(
                &node,
                "Missing required address attribute".to_owned(),
            ));
        };
        let Ok(address) = text.parse::<IpAddr>() else {
            return Err(in_network(&node, format!("Invalid address '{text}'")));
        };
        let family = node.filled("family");
        match (family.as_deref(), address.is_ipv4()) {
            (None | Some("ipv4"), true) | (Some("ipv6"), false) => {}
            (None, false) => {
                return Err(node.unsupported(format!(
                    "no family specified for non-IPv4 address '{text}' in network '{name}'"
                )));
            }
            (Some("ipv4"), false) => {
                return Err(node.unsupported(format!(
                    "family 'ipv4' specified for non-IPv4 address '{text}' in network '{name}'"
                )));
            }
            (Some("ipv6"), true) => {
                return Err(node.unsupported(format!(
                    "family 'ipv6' specified for non-IPv6 address '{text}' in network '{name}'"
                )));
            }
            (Some(other), _) => {
                return Err(in_network(&node, format!("Unrecognized family '{other}'")));
            }
        }
        let prefix = node.number("prefix")?;
        let netmask = match node.filled("netmask") {
            Some(_) if address.is_ipv6() => {
                return Err(node.unsupported(format!(
                    "netmask not allowed for IPv6 address '{text}' in network '{name}'"
                )));
            }
            Some(_) if prefix.is_some() => {
                return Err(node.unsupported(format!(
                    "Network '{name}' IP address cannot have both a prefix and a netmask"
                )));
            }
            Some(mask) => match mask.parse() {
                Ok(mask) => Some(mask),
                Err(_) => return Err(in_network(&node, format!("Invalid netmask '{mask}'"))),
            },
            None => None,
        };
        let (protocol, bits) = if address.is_ipv4() {
            ("IPv4", 32)
        } else {
            ("IPv6", 128)
        };
        if let Some(prefix) = prefix
            && prefix > bits
        {
            return Err(node.unsupported(format!(
                "Invalid {protocol} prefix '{prefix}' in network '{name}'"
            )));
        }
        let mut ip = NetworkIp {
            address: Some(address),
            names_family: family.is_some(),
            netmask,
            prefix,
            local_ptr: node.yes_no("localPtr")?,
            ..NetworkIp::default()
        };
        if let Some(mut dhcp) = node.child("dhcp") {
            for range in dhcp.children("range") {
                ip.dhcp_ranges.push(DhcpRange::read(range, network)?);
            }
            for host in dhcp.children("host") {
                ip.dhcp_hosts.push(DhcpHost::read(host, network)?);
            }
        }
        Ok(ip)
    }

    pub(super) fn to_element(&self) -> Element {
        let is_ipv6 = self.address.is_some_and(|address| address.is_ipv6());
        let family = match (is_ipv6, self.names_family) {
            (true, _) => Some("ipv6"),
            (false, true) => Some("ipv4"),
            (false, false) => None,
        };
        let dhcp = Element::new("dhcp")
            .children(self.dhcp_ranges.iter().map(|range| {
                Element::new("range")
                    .attr("start", range.start)
                    .attr("end", range.end)
            }))
            .children(self.dhcp_hosts.iter().map(|host| {
                Element::new("host")
                    .maybe_attr("mac", host.mac)
                    .maybe_attr("id", host.id.as_ref())
                    .maybe_attr("name", host.name.as_ref())
                    .maybe_attr("ip", host.ip)
            }));
        broken(
            Element::new("ip")
                .maybe_attr("family", family)
                .maybe_attr("address", self.address)
                .maybe_attr("netmask", self.netmask)
                .maybe_attr("prefix", self.prefix)
                .maybe_attr("localPtr", self.local_ptr.map(yes_no))
                .children((!dhcp.children.is_empty()).then_some(dhcp)),
        )
    }
}

impl DhcpRange {
    /// The range between these addresses, both included.
    pub fn new(start: IpAddr, end: IpAddr) -> DhcpRange {
        DhcpRange { start, end }
    }

    fn read(mut node: Node<'_>, network: &NetworkDef) -> Result<DhcpRange, XmlError> {
        let mut end = |name: &str| {
            let Some(text) = node.filled(name) else {
                return Err(node.error(format!(
                    "Missing '{name}' attribute in dhcp range for network '{}'",
                    network.name
                )));
            };
            text.parse().map_err(|_| cannot_parse(&node, &text))
        };
        Ok(DhcpRange {
            start: end("start")?,
            end: end("end")?,
        })
    }
}

impl DhcpHost {
    fn read(mut node: Node<'_>, network: &NetworkDef) -> Result<DhcpHost, XmlError> {
        let mac = match node.filled("mac") {
            Some(text) => Some(text.parse().map_err(|_| {
                node.error(format!(
                    "Cannot parse MAC address '{text}' in network '{}'",
                    network.name
                ))
            })?),
            None => None,
        };
        let (id, name) = (node.filled("id"), node.filled("name"));
        let Some(text) = node.filled("ip") else {
            return Err(node.error(format!(
                "Missing IP address in static host definition for network '{}'",
                network.name
            )));
        };
        let ip = text.parse().map_err(|_| cannot_parse(&node, &text))?;
        Ok(DhcpHost {
            mac,
            id,
            name,
            ip: Some(ip),
            _more: (),
        })
    }
}

fn cannot_parse(node: &Node<'_>, text: &str) -> XmlError {
    node.error(format!("Cannot parse IP address '{text}'"))
}
