//! Serial and parallel ports, consoles and channels.

use super::DeviceInfo;
use crate::words::words;

words! {
    /// Which end of a socket the domain is.
    #[derive(Default)]
    pub enum SocketMode {
        #[default]
        Connect = "connect",
        Bind = "bind",
    }
}

words! {
    /// What is spoken on a TCP connection.
    #[derive(Default)]
    pub enum TcpProtocol {
        #[default]
        Raw = "raw",
        Telnet = "telnet",
        Telnets = "telnets",
        Tls = "tls",
    }
}

/// A serial or parallel port, console or channel.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CharDevice {
    /// Where its bytes go to and come from.
    pub source: CharSource,
    /// The kind of the guest's end, `type` of `<target>`: `isa-serial`, `serial`, `virtio`, ….
    pub target_type: Option<String>,
    /// The name of the guest's end, of a channel.
    pub target_name: Option<String>,
    /// The number of the port. None, of ports and consoles: still to be chosen.
    pub target_port: Option<u32>,
    /// The model of the guest's end.
    pub target_model: Option<String>,
    /// Address, alias.
    pub info: DeviceInfo,
}

impl CharDevice {
    /// A port of that number.
    pub fn new(source: CharSource, port: u32) -> CharDevice {
        CharDevice {
            source,
            target_port: Some(port),
            ..CharDevice::default()
        }
    }
}

/// Where the bytes of a port go to and come from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum CharSource {
    /// Nowhere.
    #[default]
    Null,
    /// A virtual console.
    Vc,
    /// A pseudo terminal.
    Pty {
        /// Its path, of a running domain.
        path: Option<String>,
    },
    /// A device of the host.
    Dev {
        /// Its path.
        path: Option<String>,
    },
    /// A file.
    File {
        /// Its path.
        path: Option<String>,
        /// Whether its content is kept.
        append: Option<bool>,
    },
    /// A named pipe.
    Pipe {
        /// Its path.
        path: Option<String>,
    },
    /// Standard input and output of the hypervisor.
    Stdio,
    /// UDP packets.
    Udp {
        /// The address packets come to.
        bind_host: Option<String>,
        /// The port packets come to.
        bind_service: Option<String>,
        /// The address packets go to.
        connect_host: Option<String>,
        /// The port packets go to.
        connect_service: Option<String>,
    },
    /// A TCP connection.
    Tcp {
        /// Which end the domain is.
        mode: SocketMode,
        /// The address.
        host: Option<String>,
        /// The port, a number or the name of a service.
        service: Option<String>,
        /// What is spoken.
        protocol: TcpProtocol,
    },
    /// A Unix socket.
    Unix {
        /// Which end the domain is.
        mode: SocketMode,
        /// Its path.
        path: Option<String>,
    },
    /// SPICE's virtual machine channel.
    SpiceVmc,
    /// A channel of SPICE's.
    SpicePort {
        /// Its name.
        channel: Option<String>,
    },
    /// A null modem device.
    Nmdm {
        /// The domain's end.
        master: Option<String>,
        /// The other end.
        slave: Option<String>,
    },
}

impl CharSource {
    /// The word for its kind, `type` of the device.
    pub fn kind(&self) -> &'static str {
        match self {
            CharSource::Null => "null",
            CharSource::Vc => "vc",
            CharSource::Pty { .. } => "pty",
            CharSource::Dev { .. } => "dev",
            CharSource::File { .. } => "file",
            CharSource::Pipe { .. } => "pipe",
            CharSource::Stdio => "stdio",
            CharSource::Udp { .. } => "udp",
            CharSource::Tcp { .. } => "tcp",
            CharSource::Unix { .. } => "unix",
            CharSource::SpiceVmc => "spicevmc",
            CharSource::SpicePort { .. } => "spiceport",
            CharSource::Nmdm { .. } => "nmdm",
        }
    }
}
