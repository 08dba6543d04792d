use std::net::IpAddr;

use xmltree::Element;

use super::{NetworkDef, address};
use crate::{
    ErrorNumber, MacAddress,
    words::words,
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
    /// The folder that guests read files from when they boot.
    pub tftp_root: Option<String>,
    /// The ranges from which addresses are given to guests.
    pub dhcp_ranges: Vec<DhcpRange>,
    /// The addresses of certain guests.
    pub dhcp_hosts: Vec<DhcpHost>,
    /// The file that guests boot.
    pub bootp: Option<Bootp>,
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
    /// How long a guest has an address.
    pub lease: Option<DhcpLease>,
}

/// How long a guest has an address: `<lease>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DhcpLease {
    /// The time; 0: for ever.
    pub expiry: u64,
    /// Its unit.
    pub unit: LeaseUnit,
}

words! {
    /// The unit of a time.
    #[derive(Default)]
    pub enum LeaseUnit {
        Seconds = "seconds",
        #[default]
        Minutes = "minutes",
        Hours = "hours",
    }
}

/// The file that guests boot: `<bootp>`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bootp {
    /// The name of the file.
    pub file: String,
    /// The server that has it.
    pub server: Option<IpAddr>,
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
    /// How long the guest has the address.
    pub lease: Option<DhcpLease>,
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
        if let Some(mut tftp) = node.child("tftp") {
            ip.tftp_root = tftp.filled("root");
        }
        if let Some(mut dhcp) = node.child("dhcp") {
            let prefix = address::prefix(address, ip.netmask, ip.prefix);
            for range in dhcp.children("range") {
                let range = DhcpRange::read(range, network, address, prefix)?;
                ip.dhcp_ranges.push(range);
            }
            for host in dhcp.children("host") {
                let host = DhcpHost::read(host, network, address.is_ipv6())?;
                ip.dhcp_hosts.push(host);
            }
            if let Some(bootp) = dhcp.child("bootp") {
                ip.bootp = Bootp::read(bootp)?;
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
        let ranges = self.dhcp_ranges.iter().map(|range| {
            Element::new("range")
                .attr("start", range.start)
                .attr("end", range.end)
                .children(range.lease.map(DhcpLease::to_element))
        });
        let hosts = self.dhcp_hosts.iter().map(|host| {
            Element::new("host")
                .maybe_attr("mac", host.mac)
                .maybe_attr("id", host.id.as_ref())
                .maybe_attr("name", host.name.as_ref())
                .maybe_attr("ip", host.ip)
                .children(host.lease.map(DhcpLease::to_element))
        });
        let bootp = self.bootp.as_ref().map(|bootp| {
            Element::new("bootp")
                .attr("file", &bootp.file)
                .maybe_attr("server", bootp.server)
        });
        let dhcp = Element::new("dhcp")
            .children(ranges)
            .children(hosts)
            .children(bootp);
        let tftp = self.tftp_root.as_ref();
        let tftp = tftp.map(|root| Element::new("tftp").attr("root", root));
        broken(
            Element::new("ip")
                .maybe_attr("family", family)
                .maybe_attr("address", self.address)
                .maybe_attr("netmask", self.netmask)
                .maybe_attr("prefix", self.prefix)
                .maybe_attr("localPtr", self.local_ptr.map(yes_no))
                .children(tftp)
                .children((!dhcp.children.is_empty()).then_some(dhcp)),
        )
    }
}

impl DhcpRange {
    /// The range between these addresses, both included.
    pub fn new(start: IpAddr, end: IpAddr) -> DhcpRange {
        DhcpRange {
            start,
            end,
            lease: None,
        }
    }

    /// Reads a range of the network of `address`.
    fn read(
        mut node: Node<'_>,
        network: &NetworkDef,
        address: IpAddr,
        prefix: u32,
    ) -> Result<DhcpRange, XmlError> {
        let mut end = |name: &str| {
            let Some(text) = node.filled(name) else {
                return Err(node.error(format!(
                    "Missing '{name}' attribute in dhcp range for network '{}'",
                    network.name
                )));
            };
            text.parse().map_err(|_| cannot_parse(&node, &text))
        };
        let (start, end) = (end("start")?, end("end")?);
        let checked = address::check_range(start, end, address, prefix);
        checked.map_err(|message| node.fail(ErrorNumber::InternalError, message))?;
        Ok(DhcpRange {
            start,
            end,
            lease: DhcpLease::read(&mut node)?,
        })
    }
}

impl DhcpHost {
    fn read(mut node: Node<'_>, network: &NetworkDef, is_ipv6: bool) -> Result<DhcpHost, XmlError> {
        let of = &network.name;
        if is_ipv6 && let Some(text) = node.filled("mac") {
            return Err(node.error(format!(
                "Invalid to specify MAC address '{text}' in network '{of}' IPv6 static host definition"
            )));
        }
        let mac: Option<MacAddress> = match node.filled("mac") {
            Some(text) => Some(text.parse().map_err(|_| {
                node.error(format!(
                    "Cannot parse MAC address '{text}' in network '{}'",
                    network.name
                ))
            })?),
            None => None,
        };
        if let Some(mac) = mac.filter(MacAddress::is_multicast) {
            return Err(node.error(format!(
                "expected unicast mac address, found multicast '{mac}' in network '{of}'"
            )));
        }
        let (id, name) = (node.filled("id"), node.attr("name"));
        if name.as_deref() == Some("") {
            return Err(node.error(format!("Cannot use host name '' in network '{of}'")));
        }
        let (protocol, key, has_key) = match is_ipv6 {
            true => ("IPv6", "id", id.is_some()),
            false => ("IPv4", "mac", mac.is_some()),
        };
        if !has_key && name.is_none() {
            return Err(node.error(format!(
                "Static host definition in {protocol} network '{of}' must have {key} or name \
                 attribute"
            )));
        }
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
            lease: DhcpLease::read(&mut node)?,
            _more: (),
        })
    }
}

fn cannot_parse(node: &Node<'_>, text: &str) -> XmlError {
    node.error(format!("Cannot parse IP address '{text}'"))
}

impl DhcpLease {
    /// Reads the `<lease>` of a range or guest.
    fn read(node: &mut Node<'_>) -> Result<Option<DhcpLease>, XmlError> {
        let Some(mut node) = node.child("lease") else {
            return Ok(None);
        };
        let Some(expiry) = node.number("expiry")? else {
            return Ok(None);
        };
        let unit = node.word("unit")?.unwrap_or_default();
        let least = match unit {
            LeaseUnit::Seconds => 120,
            LeaseUnit::Minutes => 2,
            LeaseUnit::Hours => 1,
        };
        if expiry > 0 && expiry < least {
            let message = "The minimum lease time should be greater than 2 minutes";
            return Err(node.unsupported(message));
        }
        Ok(Some(DhcpLease { expiry, unit }))
    }

    fn to_element(self) -> Element {
        Element::new("lease")
            .attr("expiry", self.expiry)
            .maybe_attr("unit", (self.expiry > 0).then_some(self.unit))
    }
}

impl Bootp {
    /// None if it names no file.
    fn read(mut node: Node<'_>) -> Result<Option<Bootp>, XmlError> {
        let (file, server) = (node.filled("file"), node.filled("server"));
        let Some(file) = file else {
            return Ok(None);
        };
        let server = match server {
            // libvirt looks the name up; ours reads addresses only.
            Some(text) => Some(text.parse().map_err(|_| {
                let message =
                    format!("Cannot parse socket address '{text}': Name or service not known");
                node.fail(ErrorNumber::SystemError, message)
            })?),
            None => None,
        };
        Ok(Some(Bootp { file, server }))
    }
}
