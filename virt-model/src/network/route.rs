use std::net::IpAddr;

use xmltree::Element;

use super::{NetworkDef, address};
use crate::xml::{Build, Node, XmlError};

/// A route to another network: `<route>`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Route {
    /// The address of the other network.
    pub address: IpAddr,
    /// The address that leads there.
    pub gateway: IpAddr,
    /// Whether the document names the family of the addresses.
    pub names_family: bool,
    /// The netmask of the other network. At most one of netmask and prefix is set.
    pub netmask: Option<IpAddr>,
    /// The length of the other network's prefix, in bits.
    pub prefix: Option<u32>,
    /// How far the other network is; at least 1.
    pub metric: Option<u32>,
}

impl Route {
    /// A route to the network of that address and prefix.
    pub fn new(address: IpAddr, prefix: u32, gateway: IpAddr) -> Route {
        Route {
            address,
            gateway,
            names_family: address.is_ipv6(),
            netmask: None,
            prefix: Some(prefix),
            metric: None,
        }
    }

    pub(super) fn read(mut node: Node<'_>, network: &NetworkDef) -> Result<Route, XmlError> {
        let family = node.filled("family");
        let (to, by) = (node.filled("address"), node.filled("gateway"));
        let mask = node.filled("netmask");
        let prefix: Option<u32> = node.number("prefix")?;
        let metric = node.number("metric")?;
        if metric == Some(0) {
            return Err(node.error(
                "Invalid value for attribute 'metric' in element 'route': Zero is not permitted",
            ));
        }
        let fail = |message: String| {
            Err(node.error(format!("{}: {message} in route definition", network.name)))
        };
        let Some(to) = to else {
            return fail("Missing required address attribute".to_owned());
        };
        let Some(by) = by else {
            return fail("Missing required gateway attribute".to_owned());
        };
        let Ok(address) = to.parse::<IpAddr>() else {
            return fail(format!("Bad network address '{to}'"));
        };
        let Ok(gateway) = by.parse::<IpAddr>() else {
            return fail(format!("Bad gateway address '{by}'"));
        };
        let netmask = match mask.as_deref().map(str::parse::<IpAddr>) {
            Some(Ok(netmask)) => Some(netmask),
            Some(Err(_)) => {
                let mask = mask.unwrap_or_default();
                return fail(format!("Bad netmask address '{mask}'"));
            }
            None => None,
        };
        match family.as_deref() {
            None | Some("ipv4") => {
                let said = match family {
                    None => "No family specified",
                    Some(_) => "IPv4 family specified",
                };
                if !address.is_ipv4() {
                    return fail(format!("{said} for non-IPv4 address '{to}'"));
                }
                if !gateway.is_ipv4() {
                    // libvirt names the address instead of the gateway.
                    return fail(format!("{said} for non-IPv4 gateway '{to}'"));
                }
            }
            Some("ipv6") => {
                if !address.is_ipv6() {
                    return fail(format!("ipv6 family specified for non-IPv6 address '{to}'"));
                }
                if netmask.is_some() {
                    return fail(format!(
                        "Specifying netmask invalid for IPv6 address '{to}'"
                    ));
                }
                if !gateway.is_ipv6() {
                    return fail(format!(
                        "ipv6 specified for non-IPv6 gateway address '{by}'"
                    ));
                }
            }
            Some(other) => return fail(format!("Unrecognized family '{other}'")),
        }
        if netmask.is_some() && prefix.is_some() {
            return Err(node.error(format!(
                "{}: Route definition cannot have both a prefix and a netmask",
                network.name
            )));
        }
        let most = address::width(address);
        if let Some(prefix) = prefix
            && prefix > most
        {
            return Err(node.error(format!(
                "{}: Invalid prefix {prefix} specified in route definition, must be 0 - {most}",
                network.name
            )));
        }
        let length = match prefix {
            Some(0) => 0,
            _ => address::prefix(address, netmask, prefix),
        };
        if !address::is_network(address, length) {
            return Err(node.error(format!(
                "{}: Address '{to}' in route definition is not a network address",
                network.name
            )));
        }
        Ok(Route {
            address,
            gateway,
            names_family: family.is_some(),
            netmask,
            prefix,
            metric,
        })
    }

    pub(super) fn to_element(&self) -> Element {
        let family = match self.address {
            IpAddr::V6(_) => Some("ipv6"),
            IpAddr::V4(_) if self.names_family => Some("ipv4"),
            IpAddr::V4(_) => None,
        };
        Element::new("route")
            .maybe_attr("family", family)
            .attr("address", self.address)
            .maybe_attr("netmask", self.netmask)
            .maybe_attr("prefix", self.prefix)
            .attr("gateway", self.gateway)
            .maybe_attr("metric", self.metric)
    }
}
