//! `<graphics>`: ways to see the guest's screen.

use std::fmt;

use xmltree::Element;

use crate::{
    DomainXmlFlags, ErrorNumber,
    words::words,
    xml::{Build, Node, XmlError, decimal, yes_no},
};

words! {
    /// The protocol or program that shows a screen.
    #[derive(Default)]
    pub enum GraphicsType {
        Sdl = "sdl",
        #[default]
        Vnc = "vnc",
        Rdp = "rdp",
        Desktop = "desktop",
        Spice = "spice",
        EglHeadless = "egl-headless",
        Dbus = "dbus",
    }
}

/// A way to see the guest's screen.
///
/// `Debug` hides the password.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Graphics {
    /// The protocol or program.
    pub kind: GraphicsType,
    /// The port. None: the hypervisor chooses it.
    pub port: Option<i32>,
    /// SPICE's port for TLS.
    pub tls_port: Option<i32>,
    /// Whether the hypervisor chooses the port.
    pub autoport: bool,
    /// The port for web sockets. -1: the hypervisor chooses it.
    pub websocket: Option<i32>,
    /// The layout of the keyboard.
    pub keymap: Option<String>,
    /// The policy for several clients: `allow-exclusive`, `force-shared`, `ignore`.
    pub share_policy: Option<String>,
    /// The password. It is written with [`DomainXmlFlags::SECURE`] only.
    pub passwd: Option<String>,
    /// The time until which the password is valid.
    pub passwd_valid_to: Option<String>,
    /// Where the hypervisor listens for clients.
    pub listens: Vec<Listen>,
    #[doc(hidden)]
    pub _more: (),
}

impl Graphics {
    /// The first address at which the hypervisor listens.
    pub fn listen_address(&self) -> Option<&str> {
        match self.listens.first() {
            Some(Listen::Address { address }) => address.as_deref(),
            Some(Listen::Network { address, .. }) => address.as_deref(),
            _ => None,
        }
    }
}

impl fmt::Debug for Graphics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Graphics")
            .field("kind", &self.kind)
            .field("port", &self.port)
            .field("tls_port", &self.tls_port)
            .field("autoport", &self.autoport)
            .field("websocket", &self.websocket)
            .field("keymap", &self.keymap)
            .field("share_policy", &self.share_policy)
            .field("passwd", &self.passwd.as_ref().map(|_| "…"))
            .field("passwd_valid_to", &self.passwd_valid_to)
            .field("listens", &self.listens)
            .finish()
    }
}

/// Where the hypervisor listens for clients.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Listen {
    /// Nowhere.
    None,
    /// At an address. None: the hypervisor's default.
    Address {
        /// The address or name.
        address: Option<String>,
    },
    /// At the address of one of libvirt's networks.
    Network {
        /// The network's name.
        network: String,
        /// The address of a running domain.
        address: Option<String>,
    },
    /// At a Unix socket.
    Socket {
        /// The path. None: the hypervisor chooses it.
        socket: Option<String>,
    },
}

impl Graphics {
    pub(super) fn read(mut node: Node<'_>) -> Result<Graphics, XmlError> {
        let kind = node.word("type")?;
        let kind = kind.ok_or_else(|| node.missing("type"))?;
        let served = matches!(
            kind,
            GraphicsType::Vnc | GraphicsType::Rdp | GraphicsType::Spice
        );
        let spice = kind == GraphicsType::Spice;
        let port = match kind {
            GraphicsType::Vnc | GraphicsType::Rdp => match node.attr("port") {
                Some(text) => Some(decimal::<i32>(&text).ok_or_else(|| {
                    let message = format!("cannot parse {kind} port {text}");
                    node.fail(ErrorNumber::InternalError, message)
                })?),
                None => None,
            },
            _ if spice => node.number("port")?,
            _ => None,
        };
        let tls_port: Option<i32> = match spice {
            true => node.number("tlsPort")?,
            false => None,
        };
        let websocket = match kind {
            GraphicsType::Vnc => node.number("websocket")?,
            _ => None,
        };
        // The hypervisor chooses the port if it is -1, the old form of autoport, or if a VNC
        // server has none.
        let implied = match port {
            Some(port) => port == -1,
            None => kind == GraphicsType::Vnc,
        };
        let autoport = node.attr("autoport").map_or(implied, |word| word == "yes");
        let mut listens = Vec::new();
        let listen = match served {
            true => node.attr("listen"),
            false => None,
        };
        let mut first = listen.as_deref();
        if served {
            for child in node.children("listen") {
                listens.push(Listen::read(child, first.take())?);
            }
        }
        if listens.is_empty() && served {
            listens.push(match node.attr("socket") {
                Some(socket) => Listen::Socket {
                    socket: Some(socket),
                },
                None => Listen::Address {
                    address: listen.filter(|address| !address.is_empty()),
                },
            });
        }
        Ok(Graphics {
            kind,
            port: port.filter(|port| !matches!(port, 0 | -1)),
            tls_port: tls_port.filter(|&port| port > 0),
            autoport,
            websocket,
            keymap: node.attr("keymap"),
            share_policy: node.one_of(
                "sharePolicy",
                &["allow-exclusive", "force-shared", "ignore"],
            )?,
            passwd: node.attr("passwd"),
            passwd_valid_to: node.attr("passwdValidTo"),
            listens,
            _more: (),
        })
    }

    pub(super) fn to_element(&self, flags: DomainXmlFlags) -> Element {
        let inactive = flags.contains(DomainXmlFlags::INACTIVE);
        let graphics = Element::new("graphics").attr("type", self.kind);
        let graphics = match self.kind {
            GraphicsType::Vnc => graphics
                .maybe_attr("port", self.shown_port(self.port, "-1", inactive))
                .attr("autoport", yes_no(self.autoport))
                .maybe_attr("websocket", self.websocket),
            GraphicsType::Rdp => graphics
                .maybe_attr("port", self.shown_port(self.port, "0", inactive))
                .maybe_attr("autoport", self.autoport.then_some("yes")),
            GraphicsType::Spice => {
                let known = |port: Option<i32>| port.filter(|_| !(self.autoport && inactive));
                graphics
                    .maybe_attr("port", known(self.port))
                    .maybe_attr("tlsPort", known(self.tls_port))
                    .attr("autoport", yes_no(self.autoport))
            }
            GraphicsType::Sdl
            | GraphicsType::Desktop
            | GraphicsType::EglHeadless
            | GraphicsType::Dbus => graphics,
        };
        let listen = match self.listens.first() {
            Some(Listen::Network { .. }) if inactive => None,
            _ => self.listen_address(),
        };
        let secure = flags.contains(DomainXmlFlags::SECURE);
        let passwd = self.passwd.as_ref().filter(|_| secure);
        graphics
            .maybe_attr("listen", listen)
            .maybe_attr("keymap", self.keymap.as_ref())
            .maybe_attr("sharePolicy", self.share_policy.as_ref())
            .maybe_attr("passwd", passwd)
            .maybe_attr("passwdValidTo", self.passwd_valid_to.as_ref())
            .children(
                self.listens
                    .iter()
                    .map(|listen| listen.to_element(inactive)),
            )
    }

    /// The port to write. A port that the hypervisor chooses is known for a running domain only;
    /// otherwise `unknown` is written.
    fn shown_port(
        &self,
        port: Option<i32>,
        unknown: &'static str,
        inactive: bool,
    ) -> Option<String> {
        match port {
            Some(port) if !(self.autoport && inactive) => Some(port.to_string()),
            _ => self.autoport.then(|| unknown.to_owned()),
        }
    }
}

impl Listen {
    /// Reads the `<listen>` elements. The device's own `listen` attribute may repeat the address of the
    /// first.
    fn read(mut node: Node<'_>, listen: Option<&str>) -> Result<Listen, XmlError> {
        let kind = node.required("type")?;
        if !["none", "address", "network", "socket"].contains(&kind.as_str()) {
            return Err(node.invalid("type", &kind));
        }
        let (network, socket) = (node.filled("network"), node.filled("socket"));
        for (name, value) in [("network", &network), ("socket", &socket)] {
            if value.is_some() && kind != name {
                return Err(node.error(format!(
                    "'{name}' attribute is valid only for listen type '{name}'"
                )));
            }
        }
        if kind == "address" {
            let address = node.attr("address");
            if let (Some(address), Some(listen)) = (&address, listen)
                && address != listen
            {
                return Err(node.unsupported(format!(
                    "graphics 'listen' attribute '{listen}' must match 'address' attribute of \
                     first listen element (found '{address}')"
                )));
            }
            let address = address.or_else(|| listen.map(str::to_owned));
            return Ok(Listen::Address {
                address: address.filter(|address| !address.is_empty()),
            });
        }
        let address = node.filled("address");
        Ok(match kind.as_str() {
            "none" => Listen::None,
            "network" => Listen::Network {
                network: network.ok_or_else(|| {
                    node.error("'network' attribute is required for listen type 'network'")
                })?,
                address,
            },
            _ => Listen::Socket { socket },
        })
    }

    fn to_element(&self, inactive: bool) -> Element {
        let listen = Element::new("listen");
        match self {
            Listen::None => listen.attr("type", "none"),
            Listen::Address { address } => listen
                .attr("type", "address")
                .maybe_attr("address", address.as_ref()),
            Listen::Network { network, address } => listen
                .attr("type", "network")
                .maybe_attr("address", address.as_ref().filter(|_| !inactive))
                .attr("network", network),
            Listen::Socket { socket } => listen
                .attr("type", "socket")
                .maybe_attr("socket", socket.as_ref()),
        }
    }
}
