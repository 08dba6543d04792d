//! Network cards.

use xmltree::Element;

use super::DeviceInfo;
use crate::{
    DomainXmlFlags, MacAddress, Uuid,
    netdev::VirtualPort,
    words::words,
    xml::{Build, Node, XmlError, decimal, yes_no},
};

words! {
    /// The type of a network card's connection.
    #[derive(Default)]
    pub enum InterfaceType {
        User = "user",
        Ethernet = "ethernet",
        VhostUser = "vhostuser",
        Server = "server",
        Client = "client",
        Mcast = "mcast",
        Network = "network",
        #[default]
        Bridge = "bridge",
        Internal = "internal",
        Direct = "direct",
        Hostdev = "hostdev",
        Udp = "udp",
        Vdpa = "vdpa",
        Null = "null",
        Vds = "vds",
    }
}

words! {
    /// How a MAC address was chosen.
    pub enum MacType {
        Generated = "generated",
        Static = "static",
    }
}

words! {
    /// The state of the virtual cable.
    pub enum LinkState {
        Up = "up",
        Down = "down",
    }
}

/// A network card.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Interface {
    /// The connection.
    pub source: InterfaceSource,
    /// The MAC address. None: not chosen yet.
    pub mac: Option<MacAddress>,
    /// How the address was chosen.
    pub mac_type: Option<MacType>,
    /// Whether the hypervisor checks the address.
    pub mac_check: Option<bool>,
    /// How the card is announced to its switch.
    pub virtual_port: Option<VirtualPort>,
    /// Whether the card is isolated from other isolated ports.
    pub port_isolated: Option<bool>,
    /// The path of a script that connects the card.
    pub script: Option<String>,
    /// The name of the device on the host.
    pub target_dev: Option<String>,
    /// The model: `e1000`, `vmxnet3`, `virtio`, ….
    pub model: Option<String>,
    /// The state of the virtual cable.
    pub link_state: Option<LinkState>,
    /// The maximum transmission unit, in bytes.
    pub mtu: Option<u32>,
    /// The address, the alias and the place in the boot order.
    pub info: DeviceInfo,
    #[doc(hidden)]
    pub _more: (),
}

words! {
    /// Which side of a vhost-user socket a network card is.
    pub enum VhostUserMode {
        Client = "client",
        Server = "server",
    }
}

/// An address and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Socket {
    /// The address.
    pub address: String,
    /// The port. libvirt does not check its range.
    pub port: i32,
}

/// The connection of a network card.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum InterfaceSource {
    /// The host's network, with network address translation.
    User,
    /// A device that a script connects.
    Ethernet,
    /// A vhost-user socket.
    VhostUser {
        /// The socket's path on the host.
        path: String,
        /// Which side the card is.
        mode: VhostUserMode,
    },
    /// A TCP connection; the domain is the server.
    Server {
        /// The address. None: all addresses of the host.
        address: Option<String>,
        /// The port.
        port: i32,
    },
    /// A TCP connection; the domain is the client.
    Client {
        /// The address and port.
        socket: Socket,
    },
    /// A multicast group.
    Mcast {
        /// The address and port.
        socket: Socket,
    },
    /// One of libvirt's networks.
    Network {
        /// The network's name.
        network: String,
        /// A port group of the network.
        portgroup: Option<String>,
    },
    /// A bridge of the host.
    Bridge {
        /// The bridge's name.
        bridge: String,
    },
    /// An internal network of the hypervisor.
    Internal {
        /// The network's name.
        name: String,
    },
    /// A network device of the host, through macvtap.
    Direct {
        /// The name of the device.
        dev: String,
        /// `vepa`, `private`, `bridge`, `passthrough`.
        mode: Option<String>,
    },
    /// A network device of the host that is passed through. It is not modelled further.
    Hostdev,
    /// A UDP tunnel.
    Udp {
        /// The remote end.
        socket: Socket,
        /// The local end.
        local: Socket,
    },
    /// A vhost-vdpa device.
    Vdpa {
        /// The path of the device.
        dev: String,
    },
    /// No connection.
    #[default]
    Null,
    /// A port of a distributed switch.
    Vds(VdsSource),
}

impl InterfaceSource {
    /// The type, the attribute `type` of `<interface>`.
    pub fn kind(&self) -> InterfaceType {
        match self {
            InterfaceSource::User => InterfaceType::User,
            InterfaceSource::Ethernet => InterfaceType::Ethernet,
            InterfaceSource::VhostUser { .. } => InterfaceType::VhostUser,
            InterfaceSource::Server { .. } => InterfaceType::Server,
            InterfaceSource::Client { .. } => InterfaceType::Client,
            InterfaceSource::Mcast { .. } => InterfaceType::Mcast,
            InterfaceSource::Network { .. } => InterfaceType::Network,
            InterfaceSource::Bridge { .. } => InterfaceType::Bridge,
            InterfaceSource::Internal { .. } => InterfaceType::Internal,
            InterfaceSource::Direct { .. } => InterfaceType::Direct,
            InterfaceSource::Hostdev => InterfaceType::Hostdev,
            InterfaceSource::Udp { .. } => InterfaceType::Udp,
            InterfaceSource::Vdpa { .. } => InterfaceType::Vdpa,
            InterfaceSource::Null => InterfaceType::Null,
            InterfaceSource::Vds(_) => InterfaceType::Vds,
        }
    }
}

/// A port of a distributed switch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VdsSource {
    /// The UUID of the switch.
    pub switch_id: Uuid,
    /// The ID of the port; 0: none.
    pub port_id: i64,
    /// The ID of the port group.
    pub portgroup_id: Option<String>,
    /// The ID of the connection; 0: none.
    pub connection_id: i64,
    #[doc(hidden)]
    pub _more: (),
}

impl VdsSource {
    fn read(source: &mut Node<'_>) -> Result<VdsSource, XmlError> {
        let id = source.required("switchid")?;
        let Ok(switch_id) = id.parse() else {
            return Err(source.no_number("switchid", &id, "UUID"));
        };
        Ok(VdsSource {
            switch_id,
            port_id: source.number_or_hex("portid")?.unwrap_or(0),
            portgroup_id: source.attr("portgroupid"),
            connection_id: source.number_or_hex("connectionid")?.unwrap_or(0),
            _more: (),
        })
    }
}

/// The values of `mode` of [`InterfaceSource::Direct`].
const DIRECT_MODES: [&str; 4] = ["vepa", "private", "bridge", "passthrough"];

impl Interface {
    /// libvirt's spelling of a model of its list `virDomainNetModelType`. Upper and lower case are the
    /// same.
    pub fn known_model(found: &str) -> Option<&'static str> {
        const MODELS: [&str; 21] = [
            "unknown",
            "netfront",
            "rtl8139",
            "virtio",
            "e1000",
            "e1000e",
            "virtio-transitional",
            "virtio-non-transitional",
            "usb-net",
            "spapr-vlan",
            "lan9118",
            "scm91c111",
            "vlance",
            "vmxnet",
            "vmxnet2",
            "vmxnet3",
            "Am79C970A",
            "Am79C973",
            "82540EM",
            "82545EM",
            "82543GC",
        ];
        MODELS
            .into_iter()
            .find(|model| model.eq_ignore_ascii_case(found))
    }

    pub(super) fn read(mut node: Node<'_>) -> Result<Interface, XmlError> {
        let kind = node.word("type")?.unwrap_or(InterfaceType::User);
        let (mac, mac_type, mac_check) = match node.child("mac") {
            Some(mut mac) => (read_mac(&mut mac)?, mac.word("type")?, mac.yes_no("check")?),
            None => (None, None, None),
        };
        let link_state = match node.child("link") {
            Some(mut link) => link.old_filled_word("state", "unknown interface link state")?,
            None => None,
        };
        let mtu = match node.child("mtu") {
            Some(mut mtu) => match mtu.filled("size") {
                Some(size) => Some(decimal(&size).ok_or_else(|| mtu.error("malformed mtu size"))?),
                None => None,
            },
            None => None,
        };
        let port_isolated = match node.child("port") {
            Some(mut port) => port.yes_no("isolated")?,
            None => None,
        };
        Ok(Interface {
            source: InterfaceSource::read(kind, &mut node)?,
            mac,
            mac_type,
            mac_check,
            virtual_port: match node.child("virtualport") {
                Some(port) => Some(read_virtual_port(kind, port)?),
                None => None,
            },
            port_isolated,
            script: node.attr_of("script", "path"),
            target_dev: node.attr_of("target", "dev"),
            model: node
                .child("model")
                .and_then(|mut model| model.filled("type")),
            link_state,
            mtu,
            info: DeviceInfo::read(&mut node)?,
            _more: (),
        })
    }

    pub(super) fn to_element(&self, flags: DomainXmlFlags) -> Element {
        let mac = self.mac.map(|mac| {
            Element::new("mac")
                .attr("address", mac)
                .maybe_attr("type", self.mac_type)
                .maybe_attr("check", self.mac_check.map(yes_no))
        });
        Element::new("interface")
            .attr("type", self.source.kind())
            .children(mac)
            .children(self.source.to_element())
            .children(self.virtual_port.as_ref().map(VirtualPort::to_element))
            .children(with("port", "isolated", self.port_isolated.map(yes_no)))
            .children(with("script", "path", self.script.as_ref()))
            .children(with("target", "dev", self.target_dev.as_ref()))
            .children(with("model", "type", self.model.as_ref()))
            .children(with("link", "state", self.link_state))
            .children(with("mtu", "size", self.mtu))
            .children(self.info.to_elements(flags))
    }
}

fn read_mac(mac: &mut Node<'_>) -> Result<Option<MacAddress>, XmlError> {
    let Some(text) = mac.attr("address") else {
        return Ok(None);
    };
    let Ok(address) = text.parse::<MacAddress>() else {
        return Err(mac.error(format!("unable to parse mac address '{text}'")));
    };
    if address.is_multicast() {
        return Err(mac.error(format!(
            "expected unicast mac address, found multicast '{text}'"
        )));
    }
    Ok(Some(address))
}

/// Makes `<name attribute='value'/>`, if there is a value.
fn with(name: &str, attribute: &str, value: Option<impl ToString>) -> Option<Element> {
    value.map(|value| Element::new(name).attr(attribute, value))
}

impl InterfaceSource {
    /// Reads `<source>`.
    fn read(kind: InterfaceType, interface: &mut Node<'_>) -> Result<InterfaceSource, XmlError> {
        let mut found = interface.child("source");
        Ok(match (kind, found.as_mut()) {
            (InterfaceType::User, _) => InterfaceSource::User,
            (InterfaceType::Ethernet, _) => InterfaceSource::Ethernet,
            (InterfaceType::Hostdev, _) => InterfaceSource::Hostdev,
            (InterfaceType::Null, _) => InterfaceSource::Null,
            (_, None) => {
                return Err(interface.error(format!(
                    "interface type='{kind}' requires a 'source' element"
                )));
            }
            (InterfaceType::VhostUser, Some(source)) => {
                let kind = source.required("type")?;
                if kind != "unix" {
                    return Err(source.unsupported(format!(
                        "Type='{kind}' unsupported for <interface type='vhostuser'>"
                    )));
                }
                InterfaceSource::VhostUser {
                    path: source.required("path")?,
                    mode: source.word("mode")?.ok_or_else(|| source.missing("mode"))?,
                }
            }
            (InterfaceType::Server, Some(source)) => InterfaceSource::Server {
                address: source.attr("address"),
                port: port(source)?,
            },
            (InterfaceType::Client, Some(source)) => InterfaceSource::Client {
                socket: Socket::read(source)?,
            },
            (InterfaceType::Mcast, Some(source)) => InterfaceSource::Mcast {
                socket: Socket::read(source)?,
            },
            (InterfaceType::Udp, Some(source)) => {
                let socket = Socket::read(source)?;
                let mut local = source.child("local").ok_or_else(|| {
                    source.error("'<local>' element missing for 'udp' socket interface")
                })?;
                InterfaceSource::Udp {
                    socket,
                    local: Socket::read(&mut local)?,
                }
            }
            (InterfaceType::Network, Some(source)) => InterfaceSource::Network {
                network: source.required("network")?,
                portgroup: source.attr("portgroup"),
            },
            (InterfaceType::Bridge, Some(source)) => InterfaceSource::Bridge {
                bridge: source.required("bridge")?,
            },
            (InterfaceType::Internal, Some(source)) => InterfaceSource::Internal {
                name: source.required("name")?,
            },
            (InterfaceType::Direct, Some(source)) => InterfaceSource::Direct {
                dev: source.required("dev")?,
                mode: source.one_of("mode", &DIRECT_MODES)?,
            },
            (InterfaceType::Vdpa, Some(source)) => InterfaceSource::Vdpa {
                dev: source.required("dev")?,
            },
            (InterfaceType::Vds, Some(source)) => InterfaceSource::Vds(VdsSource::read(source)?),
        })
    }

    fn to_element(&self) -> Option<Element> {
        let source = Element::new("source");
        let source = match self {
            InterfaceSource::VhostUser { path, mode } => source
                .attr("type", "unix")
                .attr("path", path)
                .attr("mode", mode),
            InterfaceSource::Server { address, port } => source
                .maybe_attr("address", address.as_ref())
                .attr("port", port),
            InterfaceSource::Client { socket } | InterfaceSource::Mcast { socket } => {
                socket.write(source)
            }
            InterfaceSource::Udp { socket, local } => socket
                .write(source)
                .child(local.write(Element::new("local"))),
            InterfaceSource::Network { network, portgroup } => source
                .attr("network", network)
                .maybe_attr("portgroup", portgroup.as_ref()),
            InterfaceSource::Bridge { bridge } => source.attr("bridge", bridge),
            InterfaceSource::Internal { name } => source.attr("name", name),
            InterfaceSource::Direct { dev, mode } => {
                source.attr("dev", dev).maybe_attr("mode", mode.as_ref())
            }
            InterfaceSource::Vdpa { dev } => source.attr("dev", dev),
            InterfaceSource::Vds(vds) => source
                .attr("switchid", vds.switch_id)
                .attr("portid", vds.port_id)
                .maybe_attr("portgroupid", vds.portgroup_id.as_ref())
                .attr("connectionid", vds.connection_id),
            InterfaceSource::User
            | InterfaceSource::Ethernet
            | InterfaceSource::Hostdev
            | InterfaceSource::Null => source,
        };
        (!source.attributes.is_empty()).then_some(source)
    }
}

impl Socket {
    fn read(node: &mut Node<'_>) -> Result<Socket, XmlError> {
        Ok(Socket {
            address: node.required("address")?,
            port: port(node)?,
        })
    }

    fn write(&self, element: Element) -> Element {
        element
            .attr("address", &self.address)
            .attr("port", self.port)
    }
}

fn port(node: &mut Node<'_>) -> Result<i32, XmlError> {
    node.number("port")?.ok_or_else(|| node.missing("port"))
}

/// Reads `<virtualport>` of a card. libvirt 9.0 accepts it for some types of connections only.
fn read_virtual_port(interface: InterfaceType, node: Node<'_>) -> Result<VirtualPort, XmlError> {
    use InterfaceType::{Bridge, Direct, Hostdev, Network};
    if !matches!(interface, Network | Bridge | Direct | Hostdev) {
        return Err(node.unsupported(format!(
            "<virtualport> element unsupported for <interface type='{interface}'>"
        )));
    }
    VirtualPort::read(node, interface != Network)
}
