use std::net::IpAddr;

use xmltree::Element;

use super::NetworkDef;
use crate::{
    ErrorNumber,
    xml::{Build, Node, XmlError, decimal, yes_no},
};

/// How addresses are translated: `<nat>`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Nat {
    /// Whether IPv6 addresses are translated too.
    pub ipv6: Option<bool>,
    /// The first and the last address that guests are shown by.
    pub addresses: Option<(IpAddr, IpAddr)>,
    /// The first and the last port.
    pub ports: Option<(u16, u16)>,
    #[doc(hidden)]
    pub _more: (),
}

impl Nat {
    pub(super) fn read(mut node: Node<'_>, network: &NetworkDef) -> Result<Nat, XmlError> {
        let name = &network.name;
        let ipv6 = node.yes_no("ipv6")?;
        for element in ["address", "port"] {
            if node.count(element) > 1 {
                return Err(node.error(format!(
                    "Only one <{element}> element is allowed in <nat> in <forward> in network {name}"
                )));
            }
        }
        let addresses = match node.child("address") {
            Some(mut address) => {
                let mut end = |which: &str| {
                    let text = address.filled(which);
                    text.ok_or_else(|| {
                        address.error(format!(
                            "missing '{which}' attribute in <address> element in <nat> in <forward> \
                             in network {name}"
                        ))
                    })
                };
                let (start, end) = (end("start")?, end("end")?);
                let parse = |which, text: &str| {
                    text.parse::<IpAddr>().map_err(|_| {
                        address.error(format!(
                            "Bad ipv4 {which} address '{text}' in <nat> in <forward> in network '{name}'"
                        ))
                    })
                };
                Some((parse("start", &start)?, parse("end", &end)?))
            }
            None => None,
        };
        let ports = match node.child("port") {
            Some(mut port) => {
                let mut end = |which: &str, least: u16| {
                    let number = port.filled(which).and_then(|text| decimal(&text));
                    number.filter(|number| *number >= least).ok_or_else(|| {
                        port.fail(
                            ErrorNumber::XmlDetail,
                            format!(
                                "Missing or invalid '{which}' attribute in <port> in <nat> in \
                                 <forward> in network {name}"
                            ),
                        )
                    })
                };
                let start = end("start", 1)?;
                Some((start, end("end", start)?))
            }
            None => None,
        };
        Ok(Nat {
            ipv6,
            addresses,
            ports,
            _more: (),
        })
    }

    /// None if it says nothing.
    pub(super) fn to_element(&self) -> Option<Element> {
        let range = |name, start: String, end: String| {
            Element::new(name).attr("start", start).attr("end", end)
        };
        let addresses = self.addresses;
        let addresses = addresses.map(|(a, b)| range("address", a.to_string(), b.to_string()));
        let ports = self.ports;
        let ports = ports.map(|(a, b)| range("port", a.to_string(), b.to_string()));
        let is_empty = self.ipv6.is_none() && addresses.is_none() && ports.is_none();
        (!is_empty).then(|| {
            Element::new("nat")
                .maybe_attr("ipv6", self.ipv6.map(yes_no))
                .children(addresses)
                .children(ports)
        })
    }
}
