//! Where the guest's screen is shown.

use std::fmt;

use crate::words::words;

words! {
    /// How a screen is shown.
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

/// Where the guest's screen is shown.
///
/// `Debug` doesn't show the password.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Graphics {
    /// How it is shown.
    pub kind: GraphicsType,
    /// The port. None: none yet, the hypervisor's choice.
    pub port: Option<i32>,
    /// The port for TLS, of SPICE.
    pub tls_port: Option<i32>,
    /// Whether the hypervisor chooses the port.
    pub autoport: bool,
    /// The port for web sockets; -1: the hypervisor's choice.
    pub websocket: Option<i32>,
    /// The layout of the keyboard.
    pub keymap: Option<String>,
    /// What happens with further clients: `allow-exclusive`, `force-shared`, `ignore`.
    pub share_policy: Option<String>,
    /// The password. Written only when secrets are asked for.
    pub passwd: Option<String>,
    /// Until when the password is valid.
    pub passwd_valid_to: Option<String>,
    /// Where clients are expected.
    pub listens: Vec<Listen>,
}

impl Graphics {
    /// The first address that clients are expected at.
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

/// Where clients are expected.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Listen {
    /// Nowhere.
    None,
    /// An address. None: the hypervisor's default.
    Address {
        /// The address or name.
        address: Option<String>,
    },
    /// The address of one of libvirt's networks.
    Network {
        /// The network's name.
        network: String,
        /// The address found, of a running domain.
        address: Option<String>,
    },
    /// A Unix socket.
    Socket {
        /// Its path. None: the hypervisor's choice.
        socket: Option<String>,
    },
}
