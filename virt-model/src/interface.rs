//! The definition of a host's interface: libvirt's `<interface>` document.

mod bond;
mod protocol;

use xmltree::Element;

use crate::{
    Document, InterfaceXmlFlags,
    words::words,
    xml::{Build, Node, Tree, XmlError, broken, decimal, on_off},
};

pub use bond::{ArpMonitor, ArpValidate, Bond, BondMode, MiiCarrier, MiiMonitor};
pub use protocol::{Dhcp, InterfaceIp, Protocol, ProtocolFamily};

/// The definition of a host's interface (libvirt's `virInterfaceDef`).
///
/// ```
/// use virt_model::{Document, InterfaceDef, interface::{StartMode, Protocol}};
///
/// let interface = InterfaceDef {
///     start_mode: Some(StartMode::OnBoot),
///     protocols: vec![Protocol::ipv4("192.168.0.5", 24)],
///     mac: Some("00:50:56:01:02:03".to_owned()),
///     ..InterfaceDef::ethernet("vmk0")
/// };
/// assert_eq!(
///     interface.to_xml(Default::default()),
///     "\
/// <interface type='ethernet' name='vmk0'>
///   <start mode='onboot'/>
///   <protocol family='ipv4'>
///     <ip address='192.168.0.5' prefix='24'/>
///   </protocol>
///   <mac address='00:50:56:01:02:03'/>
/// </interface>
/// "
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InterfaceDef {
    /// The name.
    pub name: String,
    /// When the interface is started. None: a document that does not say.
    pub start_mode: Option<StartMode>,
    /// The maximum transmission unit, in bytes; 0 if the document does not say.
    pub mtu: u64,
    /// What the interface has of each family of addresses.
    pub protocols: Vec<Protocol>,
    /// The hardware address of an [`InterfaceKind::Ethernet`], as the document has it: libvirt does
    /// not read it as an address.
    pub mac: Option<String>,
    /// The link of an [`InterfaceKind::Ethernet`].
    pub link: Link,
    /// What the interface is.
    pub kind: InterfaceKind,
    #[doc(hidden)]
    pub _more: (),
}

words! {
    /// When an interface is started.
    pub enum StartMode {
        None = "none",
        OnBoot = "onboot",
        Hotplug = "hotplug",
    }
}

words! {
    /// The state of a link, in the words of RFC 2863.
    pub enum LinkState {
        Unknown = "unknown",
        NotPresent = "notpresent",
        Down = "down",
        LowerLayerDown = "lowerlayerdown",
        Testing = "testing",
        Dormant = "dormant",
        Up = "up",
    }
}

/// The link of a network device: `<link>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Link {
    /// The speed, in Mbit/s; 0 if it is not known.
    pub speed: u32,
    /// The state.
    pub state: Option<LinkState>,
}

words! {
    /// The type of an interface (libvirt's `virInterfaceType`).
    pub enum InterfaceType {
        Ethernet = "ethernet",
        Bridge = "bridge",
        Bond = "bond",
        Vlan = "vlan",
    }
}

/// What an interface is, with what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum InterfaceKind {
    /// A network card.
    #[default]
    Ethernet,
    /// A bridge.
    Bridge(Bridge),
    /// Several network cards as one.
    Bond(Bond),
    /// A VLAN of another interface.
    Vlan(VlanInterface),
}

/// A bridge of a host: `<bridge>`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bridge {
    /// Whether the spanning tree protocol is on.
    pub stp: Option<bool>,
    /// The forward delay, in seconds, as the document has it.
    pub delay: Option<String>,
    /// The interfaces in the bridge.
    pub interfaces: Vec<InterfaceDef>,
    #[doc(hidden)]
    pub _more: (),
}

/// The VLAN of another interface: `<vlan>`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VlanInterface {
    /// The tag, as the document has it.
    pub tag: String,
    /// The name of the other interface.
    pub interface: String,
    #[doc(hidden)]
    pub _more: (),
}

impl Link {
    /// None if nothing is known of it.
    pub(crate) fn to_element(self) -> Option<Element> {
        let link = Element::new("link")
            .maybe_attr("speed", Some(self.speed).filter(|speed| *speed > 0))
            .maybe_attr("state", self.state);
        (!link.attributes.is_empty()).then_some(link)
    }
}

impl InterfaceKind {
    /// The type.
    pub const fn interface_type(&self) -> InterfaceType {
        match self {
            InterfaceKind::Ethernet => InterfaceType::Ethernet,
            InterfaceKind::Bridge(_) => InterfaceType::Bridge,
            InterfaceKind::Bond(_) => InterfaceType::Bond,
            InterfaceKind::Vlan(_) => InterfaceType::Vlan,
        }
    }
}

impl InterfaceDef {
    /// A network card of that name.
    pub fn ethernet(name: impl Into<String>) -> InterfaceDef {
        InterfaceDef {
            name: name.into(),
            ..InterfaceDef::default()
        }
    }

    /// Several network cards, of these names, as one.
    pub fn bond<I>(name: impl Into<String>, mode: Option<BondMode>, cards: I) -> InterfaceDef
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        let cards = cards.into_iter();
        InterfaceDef {
            name: name.into(),
            kind: InterfaceKind::Bond(Bond {
                mode,
                interfaces: cards.map(InterfaceDef::ethernet).collect(),
                ..Bond::default()
            }),
            ..InterfaceDef::default()
        }
    }

    /// The type.
    pub const fn interface_type(&self) -> InterfaceType {
        self.kind.interface_type()
    }

    /// What the interface has of that family.
    pub fn protocol(&self, family: ProtocolFamily) -> Option<&Protocol> {
        let mut protocols = self.protocols.iter();
        protocols.find(|protocol| protocol.family == family)
    }

    /// Reads an interface within one of type `parent`; a document's own interface has no parent.
    ///
    /// The checks and their order are those of libvirt 9.0's `virInterfaceDefParseXML`, observed with
    /// the test driver.
    fn read_in(
        node: &mut Node<'_>,
        parent: Option<InterfaceType>,
    ) -> Result<InterfaceDef, XmlError> {
        let Some(kind) = node.word::<InterfaceType>("type")? else {
            return Err(node.missing("type"));
        };
        let allowed = match parent {
            None => true,
            Some(InterfaceType::Bond) => kind == InterfaceType::Ethernet,
            Some(_) => kind != InterfaceType::Bridge,
        };
        if !allowed {
            return Err(node.error(format!("interface has unsupported type '{kind}'")));
        }
        let Some(name) = node.filled("name") else {
            return Err(node.error("interface has no name"));
        };
        let mut def = InterfaceDef::ethernet(name);
        if kind == InterfaceType::Ethernet {
            def.mac = node.child("mac").and_then(|mut mac| mac.filled("address"));
            if let Some(mut link) = node.child("link") {
                def.link = Link {
                    speed: link.number("speed")?.unwrap_or(0),
                    state: link.word("state")?,
                };
            }
        }
        if parent.is_none() {
            def.read_common(node)?;
        }
        def.kind = match kind {
            InterfaceType::Ethernet => InterfaceKind::Ethernet,
            InterfaceType::Bridge => InterfaceKind::Bridge(Bridge::read(part(node, "bridge")?)?),
            InterfaceType::Bond => InterfaceKind::Bond(Bond::read(part(node, "bond")?)?),
            InterfaceType::Vlan => InterfaceKind::Vlan(VlanInterface::read(part(node, "vlan")?)?),
        };
        Ok(def)
    }

    /// Reads what only the outermost interface has.
    fn read_common(&mut self, node: &mut Node<'_>) -> Result<(), XmlError> {
        if let Some(mut start) = node.child("start")
            && let Some(word) = start.filled("mode")
        {
            self.start_mode = Some(
                StartMode::from_word(&word)
                    .ok_or_else(|| start.error(format!("unknown interface startmode {word}")))?,
            );
        }
        if let Some(mut mtu) = node.child("mtu")
            && let Some(size) = mtu.filled("size")
        {
            // libvirt refuses it without a word.
            self.mtu = decimal(&size)
                .ok_or_else(|| mtu.error(format!("interface mtu value '{size}' is improper")))?;
        }
        for protocol in node.children("protocol") {
            self.protocols.push(Protocol::read(protocol)?);
        }
        Ok(())
    }

    fn to_element(&self) -> Element {
        let ethernet = self.kind == InterfaceKind::Ethernet;
        let link = self.link.to_element().filter(|_| ethernet);
        let mac = self.mac.as_ref().filter(|_| ethernet);
        let of = |name, attribute, value: Option<String>| {
            value.map(|value| Element::new(name).attr(attribute, value))
        };
        let mtu = Some(self.mtu).filter(|mtu| *mtu > 0);
        let part = match &self.kind {
            InterfaceKind::Ethernet => None,
            InterfaceKind::Bridge(bridge) => Some(bridge.to_element()),
            InterfaceKind::Bond(bond) => Some(bond.to_element()),
            InterfaceKind::Vlan(vlan) => Some(vlan.to_element()),
        };
        broken(
            Element::new("interface")
                .attr("type", self.interface_type())
                .attr("name", &self.name)
                .children(of("start", "mode", self.start_mode.map(|m| m.to_string())))
                .children(of("mtu", "size", mtu.map(|mtu| mtu.to_string())))
                .children(self.protocols.iter().map(Protocol::to_element))
                .children(link)
                .children(of("mac", "address", mac.cloned()))
                .children(part),
        )
    }
}

impl Document for InterfaceDef {
    const ROOT: &'static str = "interface";
    type Flags = InterfaceXmlFlags;

    fn read(node: &mut Node<'_>) -> Result<InterfaceDef, XmlError> {
        InterfaceDef::read_in(node, None)
    }

    fn tree(&self, _: InterfaceXmlFlags) -> Tree {
        Tree(self.to_element())
    }
}

/// Takes the child that an interface of the type of that name must have.
fn part<'r>(node: &mut Node<'r>, name: &str) -> Result<Node<'r>, XmlError> {
    node.child(name)
        .ok_or_else(|| node.error(format!("{name} interface misses the {name} element")))
}

/// Reads the interfaces within one of type `parent`.
fn read_all(node: &mut Node<'_>, parent: InterfaceType) -> Result<Vec<InterfaceDef>, XmlError> {
    let interfaces = node.children("interface").into_iter();
    interfaces
        .map(|mut node| InterfaceDef::read_in(&mut node, Some(parent)))
        .collect()
}

impl Bridge {
    fn read(mut node: Node<'_>) -> Result<Bridge, XmlError> {
        let stp = match node.attr("stp").as_deref() {
            Some("on") => Some(true),
            Some("off") => Some(false),
            // libvirt takes other words for none.
            _ => None,
        };
        Ok(Bridge {
            stp,
            delay: node.filled("delay"),
            interfaces: read_all(&mut node, InterfaceType::Bridge)?,
            _more: (),
        })
    }

    fn to_element(&self) -> Element {
        broken(
            Element::new("bridge")
                .maybe_attr("stp", self.stp.map(on_off))
                .maybe_attr("delay", self.delay.as_ref())
                .children(self.interfaces.iter().map(InterfaceDef::to_element)),
        )
    }
}

impl VlanInterface {
    fn read(mut node: Node<'_>) -> Result<VlanInterface, XmlError> {
        let Some(tag) = node.filled("tag") else {
            return Err(node.error("vlan interface misses the tag attribute"));
        };
        let interface = node.child("interface");
        let Some(interface) = interface.and_then(|mut node| node.filled("name")) else {
            return Err(node.error("vlan interface misses name attribute"));
        };
        Ok(VlanInterface {
            tag,
            interface,
            _more: (),
        })
    }

    fn to_element(&self) -> Element {
        let interface = Element::new("interface").attr("name", &self.interface);
        Element::new("vlan").attr("tag", &self.tag).child(interface)
    }
}
