use std::net::IpAddr;

use xmltree::Element;

use super::NetworkDef;
use crate::{
    ErrorNumber,
    xml::{Build, Node, XmlError, decimal, yes_no},
};

/// The DNS server of a network: `<dns>`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Dns {
    /// Whether there is a server; there is if a document does not say.
    pub enable: Option<bool>,
    /// Whether names without a domain are asked for elsewhere.
    pub forward_plain_names: Option<bool>,
    /// Other servers that are asked.
    pub forwarders: Vec<DnsForwarder>,
    /// Texts.
    pub txts: Vec<DnsTxt>,
    /// Services.
    pub srvs: Vec<DnsSrv>,
    /// Names of addresses.
    pub hosts: Vec<DnsHost>,
    #[doc(hidden)]
    pub _more: (),
}

/// A server that is asked: `<forwarder>`. One of both is set at least.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DnsForwarder {
    /// The domain whose names it is asked for. None: all.
    pub domain: Option<String>,
    /// The address of the server. None: those of the host.
    pub addr: Option<IpAddr>,
}

/// A text: `<txt>`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DnsTxt {
    /// The name.
    pub name: String,
    /// The text.
    pub value: String,
}

/// A service: `<srv>`. A zero means that the attribute is absent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DnsSrv {
    /// The name of the service.
    pub service: String,
    /// The protocol.
    pub protocol: String,
    /// The domain.
    pub domain: Option<String>,
    /// The host that has the service.
    pub target: Option<String>,
    /// The port.
    pub port: u32,
    /// Which host is tried first.
    pub priority: u32,
    /// How often a host is tried among those of one priority.
    pub weight: u32,
    #[doc(hidden)]
    pub _more: (),
}

/// The names of an address: `<host>`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DnsHost {
    /// The address.
    pub ip: IpAddr,
    /// The names; at least one.
    pub names: Vec<String>,
}

impl Dns {
    pub(super) fn read(mut node: Node<'_>, network: &NetworkDef) -> Result<Dns, XmlError> {
        let mut dns = Dns {
            enable: node.yes_no("enable")?,
            forward_plain_names: node.yes_no("forwardPlainNames")?,
            ..Dns::default()
        };
        for forwarder in node.children("forwarder") {
            dns.forwarders.push(DnsForwarder::read(forwarder, network)?);
        }
        for host in node.children("host") {
            dns.hosts.push(DnsHost::read(host, network)?);
        }
        for srv in node.children("srv") {
            dns.srvs.push(DnsSrv::read(srv, network)?);
        }
        for txt in node.children("txt") {
            dns.txts.push(DnsTxt::read(txt, network)?);
        }
        let has_data = dns.has_data();
        if dns.enable == Some(false) && has_data {
            let message = format!("Extra data in disabled network '{}'", network.name);
            return Err(node.error(message));
        }
        Ok(dns)
    }

    fn has_data(&self) -> bool {
        !(self.forwarders.is_empty()
            && self.txts.is_empty()
            && self.srvs.is_empty()
            && self.hosts.is_empty())
    }

    /// None if it says nothing.
    pub(super) fn to_element(&self) -> Option<Element> {
        if self.enable.is_none() && self.forward_plain_names.is_none() && !self.has_data() {
            return None;
        }
        let forwarders = self.forwarders.iter().map(|forwarder| {
            Element::new("forwarder")
                .maybe_attr("domain", forwarder.domain.as_ref())
                .maybe_attr("addr", forwarder.addr)
        });
        let txts = self.txts.iter().map(|txt| {
            Element::new("txt")
                .attr("name", &txt.name)
                .attr("value", &txt.value)
        });
        let hosts = self.hosts.iter().map(|host| {
            let names = host.names.iter();
            Element::new("host")
                .attr("ip", host.ip)
                .children(names.map(|name| Element::new("hostname").text(name)))
        });
        Some(
            Element::new("dns")
                .maybe_attr("enable", self.enable.map(yes_no))
                .maybe_attr("forwardPlainNames", self.forward_plain_names.map(yes_no))
                .children(forwarders)
                .children(txts)
                .children(self.srvs.iter().map(DnsSrv::to_element))
                .children(hosts),
        )
    }
}

impl DnsForwarder {
    fn read(mut node: Node<'_>, network: &NetworkDef) -> Result<DnsForwarder, XmlError> {
        let (addr, domain) = (node.attr("addr"), node.attr("domain"));
        if addr.is_none() && domain.is_none() {
            return Err(node
                .error("Invalid forwarder element, must contain at least one of addr or domain"));
        }
        let addr = match addr {
            Some(text) => Some(text.parse().map_err(|_| {
                node.error(format!(
                    "Invalid forwarder IP address '{text}' in network '{}'",
                    network.name
                ))
            })?),
            None => None,
        };
        Ok(DnsForwarder { domain, addr })
    }
}

impl DnsTxt {
    fn read(mut node: Node<'_>, network: &NetworkDef) -> Result<DnsTxt, XmlError> {
        let of = &network.name;
        let Some(name) = node.attr("name") else {
            let message =
                format!("missing required name attribute in DNS TXT record of network {of}");
            return Err(detail(&node, message));
        };
        if name.contains(' ') {
            let message =
                format!("prohibited character in DNS TXT record name '{name}' of network {of}");
            return Err(detail(&node, message));
        }
        let Some(value) = node.attr("value") else {
            return Err(detail(
                &node,
                format!(
                    "missing required value attribute in DNS TXT record named '{name}' of network {of}"
                ),
            ));
        };
        Ok(DnsTxt { name, value })
    }
}

impl DnsSrv {
    fn read(mut node: Node<'_>, network: &NetworkDef) -> Result<DnsSrv, XmlError> {
        let of = &network.name;
        let Some(service) = node.attr("service") else {
            return Err(detail(
                &node,
                format!("missing required service attribute in DNS SRV record of network '{of}'"),
            ));
        };
        let Some(protocol) = node.attr("protocol") else {
            return Err(detail(
                &node,
                format!(
                    "missing required protocol attribute in DNS SRV record '{service}' of network '{of}'"
                ),
            ));
        };
        let target = node.filled("target");
        let domain = node.filled("domain");
        // The port must be one; the others may be zero.
        let mut number = |name: &str, word: &str, least: u32| match node.attr(name) {
            None => Ok(0),
            Some(_) if target.is_none() => Err(detail(
                &node,
                format!(
                    "DNS SRV {name} attribute not permitted without target for service \
                     '{service}' in network '{of}'"
                ),
            )),
            Some(text) => match decimal::<u32>(&text) {
                Some(number) if (least..=65535).contains(&number) => Ok(number),
                _ => Err(detail(
                    &node,
                    format!(
                        "{word} DNS SRV {name} attribute for service '{service}' in network '{of}'"
                    ),
                )),
            },
        };
        Ok(DnsSrv {
            port: number("port", "invalid", 1)?,
            priority: number("priority", "Invalid", 0)?,
            weight: number("weight", "invalid", 0)?,
            service,
            protocol,
            domain,
            target,
            _more: (),
        })
    }

    fn to_element(&self) -> Element {
        let set = |value: u32| Some(value).filter(|&value| value > 0);
        let element = Element::new("srv")
            .attr("service", &self.service)
            .attr("protocol", &self.protocol)
            .maybe_attr("domain", self.domain.as_ref())
            .maybe_attr("target", self.target.as_ref());
        element
            .maybe_attr("port", set(self.port))
            .maybe_attr("priority", set(self.priority))
            .maybe_attr("weight", set(self.weight))
    }
}

impl DnsHost {
    /// The names of an address.
    pub fn new(ip: IpAddr, names: Vec<String>) -> DnsHost {
        DnsHost { ip, names }
    }

    fn read(mut node: Node<'_>, network: &NetworkDef) -> Result<DnsHost, XmlError> {
        let of = &network.name;
        let fail = |node: &Node<'_>, message: &str| {
            detail(node, format!("{message} in network '{of}' DNS HOST record"))
        };
        let Some(text) = node.attr("ip") else {
            return Err(fail(&node, "Missing IP address"));
        };
        let Ok(ip) = text.parse() else {
            return Err(fail(&node, "Invalid IP address"));
        };
        let names = node.children("hostname").into_iter();
        let names = names.map(|name| name.text().to_owned());
        let names: Vec<String> = names.filter(|name| !name.is_empty()).collect();
        match names.is_empty() {
            true => Err(fail(&node, "Missing hostname")),
            false => Ok(DnsHost { ip, names }),
        }
    }
}

/// An error that libvirt gives without words before it.
fn detail(node: &Node<'_>, message: String) -> XmlError {
    node.fail(ErrorNumber::XmlDetail, message)
}
