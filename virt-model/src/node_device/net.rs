use xmltree::Element;

use super::{NodeDeviceDef, capability::within};
use crate::{
    interface::Link,
    words::words,
    xml::{Build, Node, XmlError},
};

/// A network device.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NetCapability {
    /// The name of the network interface.
    pub interface: String,
    /// The hardware address, as the document has it.
    pub address: Option<String>,
    /// The link.
    pub link: Link,
    /// What the device does itself, each once, in libvirt's order.
    pub features: Vec<NetFeature>,
    /// The kind of network.
    pub kind: Option<NetType>,
    #[doc(hidden)]
    pub _more: (),
}

words! {
    /// The kind of a network device.
    pub enum NetType {
        /// Ethernet.
        Ethernet = "80203",
        /// Wireless LAN.
        Wireless = "80211",
    }
}

words! {
    /// What a network device can do itself (libvirt's `virNetDevFeature`).
    pub enum NetFeature {
        Rx = "rx",
        Tx = "tx",
        Sg = "sg",
        Tso = "tso",
        Gso = "gso",
        Gro = "gro",
        Lro = "lro",
        Rxvlan = "rxvlan",
        Txvlan = "txvlan",
        Ntuple = "ntuple",
        Rxhash = "rxhash",
        Rdma = "rdma",
        Txudptnl = "txudptnl",
        Switchdev = "switchdev",
    }
}

impl NetCapability {
    pub(super) fn read(
        node: &mut Node<'_>,
        def: &NodeDeviceDef,
    ) -> Result<NetCapability, XmlError> {
        let Some(interface) = node.text_of("interface") else {
            return Err(def.error(node, "no network interface supplied"));
        };
        let mut net = NetCapability {
            interface,
            address: node.text_of("address"),
            ..NetCapability::default()
        };
        for mut feature in node.children("feature") {
            let Some(name) = feature.attr("name") else {
                return Err(feature.error("missing network device feature name"));
            };
            let known = NetFeature::from_word(&name);
            net.features.push(known.ok_or_else(|| {
                feature.error(format!("unknown network device feature '{name}'"))
            })?);
        }
        net.features.sort();
        net.features.dedup();
        if let Some(mut capability) = node.child("capability")
            && let Some(kind) = capability.attr("type")
        {
            net.kind =
                Some(NetType::from_word(&kind).ok_or_else(|| {
                    def.unsupported(&capability, "invalid network type supplied")
                })?);
        }
        if let Some(mut link) = node.child("link") {
            net.link = Link {
                speed: link.number("speed")?.unwrap_or(0),
                state: link.word("state")?,
            };
        }
        Ok(net)
    }

    pub(super) fn write(&self, element: Element) -> Element {
        let features = self.features.iter();
        element
            .maybe_text("interface", Some(&self.interface))
            .maybe_text("address", self.address.as_ref())
            .children(self.link.to_element())
            .children(features.map(|feature| Element::new("feature").attr("name", feature)))
            .children(self.kind.map(|kind| within(kind.as_str())))
    }
}
