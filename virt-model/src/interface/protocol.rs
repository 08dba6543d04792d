use xmltree::Element;

use crate::{
    words::words,
    xml::{Build, Node, XmlError, broken, yes_no},
};

words! {
    /// A family of addresses.
    #[derive(Default)]
    pub enum ProtocolFamily {
        #[default]
        Ipv4 = "ipv4",
        Ipv6 = "ipv6",
    }
}

/// What an interface has of a family of addresses: `<protocol>`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Protocol {
    /// The family.
    pub family: ProtocolFamily,
    /// Whether the interface makes addresses from what routers announce; IPv6 only.
    pub autoconf: bool,
    /// Whether and how addresses come by DHCP.
    pub dhcp: Option<Dhcp>,
    /// The addresses.
    pub ips: Vec<InterfaceIp>,
    /// The gateway, as the document has it.
    pub gateway: Option<String>,
    #[doc(hidden)]
    pub _more: (),
}

/// Addresses come by DHCP: `<dhcp>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Dhcp {
    /// Whether the name servers come by DHCP too. None: a document that does not say.
    pub peer_dns: Option<bool>,
}

/// An address: `<ip>`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InterfaceIp {
    /// The address, as the document has it: libvirt does not read it as an address.
    pub address: String,
    /// The length of the prefix, in bits; 0 if the document does not say.
    pub prefix: i32,
}

impl InterfaceIp {
    /// The address with a prefix of that length.
    pub fn new(address: impl ToString, prefix: i32) -> InterfaceIp {
        InterfaceIp {
            address: address.to_string(),
            prefix,
        }
    }
}

impl Protocol {
    /// IPv4 with one address.
    pub fn ipv4(address: impl ToString, prefix: i32) -> Protocol {
        Protocol {
            ips: vec![InterfaceIp::new(address, prefix)],
            ..Protocol::default()
        }
    }

    pub(super) fn read(mut node: Node<'_>) -> Result<Protocol, XmlError> {
        let Some(word) = node.attr("family") else {
            return Err(node.error("protocol misses the family attribute"));
        };
        let Some(family) = ProtocolFamily::from_word(&word) else {
            return Err(node.error(format!("unsupported protocol family '{word}'")));
        };
        let mut protocol = Protocol {
            family,
            ..Protocol::default()
        };
        if family == ProtocolFamily::Ipv6 {
            protocol.autoconf = node.has("autoconf");
        }
        if let Some(mut dhcp) = node.child("dhcp") {
            let peer_dns = dhcp.yes_no("peerdns")?;
            protocol.dhcp = Some(Dhcp { peer_dns });
        }
        for mut ip in node.children("ip") {
            // libvirt leaves out what has no address, and does not look at its prefix.
            match ip.filled("address") {
                Some(address) => protocol.ips.push(InterfaceIp {
                    address,
                    prefix: ip.number("prefix")?.unwrap_or(0),
                }),
                None => ip.unmodelled(),
            }
        }
        let route = node.child("route");
        protocol.gateway = route.and_then(|mut route| route.filled("gateway"));
        Ok(protocol)
    }

    pub(super) fn to_element(&self) -> Element {
        let dhcp = self
            .dhcp
            .map(|dhcp| Element::new("dhcp").maybe_attr("peerdns", dhcp.peer_dns.map(yes_no)));
        let ips = self.ips.iter().map(|ip| {
            Element::new("ip")
                .attr("address", &ip.address)
                .maybe_attr("prefix", Some(ip.prefix).filter(|prefix| *prefix != 0))
        });
        let gateway = self.gateway.as_ref();
        broken(
            Element::new("protocol")
                .attr("family", self.family)
                .children(self.autoconf.then(|| Element::new("autoconf")))
                .children(dhcp)
                .children(ips)
                .children(gateway.map(|gateway| Element::new("route").attr("gateway", gateway))),
        )
    }
}
