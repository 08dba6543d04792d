//! Serial and parallel ports, consoles and channels.

use xmltree::Element;

use super::DeviceInfo;
use crate::{
    DomainXmlFlags,
    words::words,
    xml::{Build, Node, XmlError, decimal, on_off},
};

words! {
    /// Which side of a socket the domain is.
    #[derive(Default)]
    pub enum SocketMode {
        #[default]
        Connect = "connect",
        Bind = "bind",
    }
}

words! {
    /// The protocol of a TCP connection.
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
    /// The end on the host.
    pub source: CharSource,
    /// The type of the guest's end, `type` of `<target>`: `isa-serial`, `serial`, `virtio`, ….
    pub target_type: Option<String>,
    /// The name of a channel in the guest.
    pub target_name: Option<String>,
    /// The number of the port. None for ports and consoles: not chosen yet.
    pub target_port: Option<u32>,
    /// The model of the guest's end.
    pub target_model: Option<String>,
    /// The address and the alias.
    pub info: DeviceInfo,
    #[doc(hidden)]
    pub _more: (),
}

impl CharDevice {
    /// A port with that number.
    pub fn new(source: CharSource, port: u32) -> CharDevice {
        CharDevice {
            source,
            target_port: Some(port),
            ..CharDevice::default()
        }
    }
}

/// The end of a character device on the host.
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
        /// The path, for a running domain.
        path: Option<String>,
    },
    /// A device of the host.
    Dev {
        /// The path.
        path: Option<String>,
    },
    /// A file.
    File {
        /// The path.
        path: Option<String>,
        /// Whether output is appended to the file's content.
        append: Option<bool>,
    },
    /// A named pipe.
    Pipe {
        /// The path.
        path: Option<String>,
    },
    /// The standard input and output of the hypervisor.
    Stdio,
    /// UDP packets.
    Udp {
        /// The local address.
        bind_host: Option<String>,
        /// The local port.
        bind_service: Option<String>,
        /// The remote address.
        connect_host: Option<String>,
        /// The remote port.
        connect_service: Option<String>,
    },
    /// A TCP connection.
    Tcp {
        /// Which side the domain is.
        mode: SocketMode,
        /// The address.
        host: Option<String>,
        /// The port, a number or the name of a service.
        service: Option<String>,
        /// The protocol.
        protocol: TcpProtocol,
    },
    /// A Unix socket.
    Unix {
        /// Which side the domain is.
        mode: SocketMode,
        /// The path.
        path: Option<String>,
    },
    /// SPICE's agent channel.
    SpiceVmc,
    /// A named channel of SPICE.
    SpicePort {
        /// The name.
        channel: Option<String>,
    },
    /// A null modem device.
    Nmdm {
        /// The device of this domain.
        master: Option<String>,
        /// The device at the other end.
        slave: Option<String>,
    },
}

impl CharSource {
    /// The type, the attribute `type` of the device.
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

impl CharDevice {
    /// None for a type that is not modelled.
    pub(super) fn read(mut node: Node<'_>) -> Result<Option<CharDevice>, XmlError> {
        let kind = node.attr("type").unwrap_or_else(|| "pty".to_owned());
        if matches!(kind.as_str(), "dbus" | "qemu-vdagent") {
            node.unmodelled();
            return Ok(None);
        }
        let mut target = node.child("target");
        let mut of_target = |name| target.as_mut().and_then(|target| target.attr(name));
        let (target_type, target_name) = (of_target("type"), of_target("name"));
        let target_type = target_type.filter(|kind| node.name != "console" || kind != "none");
        check_target_type(&node, target.is_some(), target_type.as_deref())?;
        let (target_port, target_model) = match &mut target {
            Some(target) => (read_port(target)?, target.attr_of("model", "name")),
            None => (None, None),
        };
        Ok(Some(CharDevice {
            source: CharSource::read(&kind, &mut node)?,
            target_type,
            target_name,
            target_port,
            target_model,
            info: DeviceInfo::read(&mut node)?,
            _more: (),
        }))
    }

    /// Makes the element `name`: `serial`, `parallel`, `console` or `channel`.
    pub(super) fn to_element(&self, name: &str, flags: DomainXmlFlags) -> Element {
        let model = self.target_model.as_ref();
        let target = Element::new("target")
            .maybe_attr("type", self.target_type.as_ref())
            .maybe_attr("name", self.target_name.as_ref())
            .maybe_attr("port", self.target_port)
            .children(model.map(|model| Element::new("model").attr("name", model)));
        let has_target = !target.attributes.is_empty() || !target.children.is_empty();
        let device = Element::new(name).attr("type", self.source.kind());
        self.source
            .write(device, flags)
            .children(has_target.then_some(target))
            .children(self.info.to_elements(flags))
    }
}

/// Reads the number of a port. As in libvirt it has 32 bits, and -1 means none.
fn read_port(target: &mut Node<'_>) -> Result<Option<u32>, XmlError> {
    let Some(text) = target.attr("port") else {
        return Ok(None);
    };
    let port = decimal::<u32>(&text).or_else(|| Some(decimal::<i32>(&text)?.cast_unsigned()));
    match port {
        Some(port) => Ok(Some(port).filter(|&port| port != u32::MAX)),
        None => Err(target.error(format!("Invalid port number: {text}"))),
    }
}

/// Whether the device `name` may have a target of type `kind`.
fn check_target_type(
    device: &Node<'_>,
    has_target: bool,
    target_type: Option<&str>,
) -> Result<(), XmlError> {
    let known: &[&str] = match device.name.as_str() {
        "console" => &[
            "none", "serial", "xen", "uml", "virtio", "lxc", "openvz", "sclp", "sclplm",
        ],
        "channel" if !has_target => {
            return Err(device.error("target type must be specified for channel device"));
        }
        "channel" => &["none", "guestfwd", "virtio", "xen"],
        "serial" => &[
            "none",
            "isa-serial",
            "usb-serial",
            "pci-serial",
            "spapr-vio-serial",
            "system-serial",
            "sclp-serial",
            "isa-debug",
        ],
        _ => return Ok(()),
    };
    if target_type.is_none() && device.name != "channel" {
        return Ok(());
    }
    let found = target_type.unwrap_or("(null)");
    if known.contains(&found) {
        return Ok(());
    }
    Err(device.unsupported(format!(
        "unknown target type '{found}' specified for character device"
    )))
}

impl CharSource {
    /// Reads `<source>` and `<protocol>`.
    fn read(kind: &str, device: &mut Node<'_>) -> Result<CharSource, XmlError> {
        if device.count("protocol") > 1 {
            return Err(device.error("only one protocol element is allowed for character device"));
        }
        if kind == "udp" {
            return CharSource::read_udp(device);
        }
        if device.count("source") > 1 {
            return Err(device.error("only one source element is allowed for character device"));
        }
        let mut source = device.child("source");
        let mut of_source = |name| source.as_mut().and_then(|source| source.attr(name));
        Ok(match kind {
            "null" => CharSource::Null,
            "vc" => CharSource::Vc,
            "pty" => CharSource::Pty {
                path: of_source("path"),
            },
            "dev" => CharSource::Dev {
                path: of_source("path"),
            },
            "file" => CharSource::File {
                path: of_source("path"),
                append: match &mut source {
                    Some(source) => source.on_off("append")?,
                    None => None,
                },
            },
            "pipe" => CharSource::Pipe {
                path: of_source("path"),
            },
            "stdio" => CharSource::Stdio,
            "tcp" => CharSource::Tcp {
                host: of_source("host"),
                service: of_source("service"),
                mode: SocketMode::read(&mut source)?,
                protocol: match device.child("protocol") {
                    Some(mut protocol) => protocol
                        .old_word("type", "Unknown protocol")?
                        .unwrap_or_default(),
                    None => TcpProtocol::default(),
                },
            },
            "unix" => CharSource::Unix {
                path: of_source("path"),
                mode: SocketMode::read(&mut source)?,
            },
            "spicevmc" => CharSource::SpiceVmc,
            "spiceport" => CharSource::SpicePort {
                channel: of_source("channel"),
            },
            "nmdm" => CharSource::Nmdm {
                master: of_source("master"),
                slave: of_source("slave"),
            },
            _ => {
                return Err(device.unsupported(format!(
                    "unknown type presented to host for character device: {kind}"
                )));
            }
        })
    }

    fn read_udp(device: &mut Node<'_>) -> Result<CharSource, XmlError> {
        let (mut bind, mut connect) = ((None, None), (None, None));
        for mut source in device.children("source") {
            let end = match source.word("mode")?.unwrap_or_default() {
                SocketMode::Bind => &mut bind,
                SocketMode::Connect => &mut connect,
            };
            *end = (source.attr("host"), source.attr("service"));
        }
        Ok(CharSource::Udp {
            bind_host: bind.0,
            bind_service: bind.1,
            connect_host: connect.0,
            connect_service: connect.1,
        })
    }

    /// Adds `<source>` and `<protocol>`.
    fn write(&self, device: Element, flags: DomainXmlFlags) -> Element {
        let source = Element::new("source");
        let source = match self {
            CharSource::Null | CharSource::Vc | CharSource::Stdio | CharSource::SpiceVmc => source,
            // The path of a pseudo terminal is known while the domain runs only.
            CharSource::Pty { .. } if flags.contains(DomainXmlFlags::INACTIVE) => source,
            CharSource::Pty { path } | CharSource::Dev { path } | CharSource::Pipe { path } => {
                source.maybe_attr("path", path.as_ref())
            }
            CharSource::File { path, append } => source
                .maybe_attr("path", path.as_ref())
                .maybe_attr("append", append.map(on_off)),
            CharSource::Udp {
                bind_host,
                bind_service,
                connect_host,
                connect_service,
            } => {
                return device
                    .children(end_of_udp("bind", bind_host, bind_service))
                    .children(end_of_udp("connect", connect_host, connect_service));
            }
            CharSource::Tcp {
                mode,
                host,
                service,
                protocol,
            } => {
                let source = source
                    .attr("mode", *mode)
                    .maybe_attr("host", host.as_ref())
                    .maybe_attr("service", service.as_ref());
                return device
                    .child(source)
                    .child(Element::new("protocol").attr("type", *protocol));
            }
            CharSource::Unix { mode, path } => {
                source.attr("mode", *mode).maybe_attr("path", path.as_ref())
            }
            CharSource::SpicePort { channel } => source.maybe_attr("channel", channel.as_ref()),
            CharSource::Nmdm { master, slave } => source
                .maybe_attr("master", master.as_ref())
                .maybe_attr("slave", slave.as_ref()),
        };
        let found = !source.attributes.is_empty();
        device.children(found.then_some(source))
    }
}

impl SocketMode {
    fn read(source: &mut Option<Node<'_>>) -> Result<SocketMode, XmlError> {
        match source {
            Some(source) => Ok(source.word("mode")?.unwrap_or_default()),
            None => Ok(SocketMode::default()),
        }
    }
}

fn end_of_udp(mode: &str, host: &Option<String>, service: &Option<String>) -> Option<Element> {
    (host.is_some() || service.is_some()).then(|| {
        Element::new("source")
            .attr("mode", mode)
            .maybe_attr("host", host.as_ref())
            .maybe_attr("service", service.as_ref())
    })
}
