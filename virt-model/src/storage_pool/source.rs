use xmltree::Element;

use super::{StoragePoolAdapter, StoragePoolFormat, StoragePoolType};
use crate::{
    Read,
    document::read_root,
    secret::SecretLookup,
    storage::sanitize_path,
    words::words,
    xml::{self, Build, Node, XmlError, broken, yes_no},
};

words! {
    /// How a user proves who they are (libvirt's `virStorageAuthType`).
    pub enum StoragePoolAuthType {
        Chap = "chap",
        Ceph = "ceph",
    }
}

/// Where a pool's storage is: `<source>`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StoragePoolSource {
    /// The servers.
    pub hosts: Vec<StoragePoolHost>,
    /// The devices; of iSCSI, the target.
    pub devices: Vec<StoragePoolDevice>,
    /// The directory of a server.
    pub dir: Option<String>,
    /// The adapter of SCSI.
    pub adapter: Option<StoragePoolAdapter>,
    /// The name of a volume group, pool or cluster.
    pub name: Option<String>,
    /// The name (IQN) of the initiator of iSCSI.
    pub initiator: Option<String>,
    /// The format.
    pub format: Option<StoragePoolFormat>,
    /// Who logs in.
    pub auth: Option<StoragePoolAuth>,
    /// The version of NFS, as it is given to `mount`.
    pub protocol_version: Option<String>,
    /// Who made the device.
    pub vendor: Option<String>,
    /// The device's product name.
    pub product: Option<String>,
    #[doc(hidden)]
    pub _more: (),
}

/// A server: `<host>`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StoragePoolHost {
    /// The name or address.
    pub name: String,
    /// The port; 0: the protocol's own, which is not written. libvirt keeps any number.
    pub port: i32,
    #[doc(hidden)]
    pub _more: (),
}

/// A device: `<device>`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StoragePoolDevice {
    /// The path, or the name (IQN) of a target.
    pub path: String,
    /// Whether there is a `p` between the device's name and the number of a partition.
    pub part_separator: Option<bool>,
    #[doc(hidden)]
    pub _more: (),
}

/// Who logs in, and the secret that proves it: `<auth>`. The secret's value is elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoragePoolAuth {
    /// The method.
    pub kind: StoragePoolAuthType,
    /// The user.
    pub username: String,
    /// The secret's usage type, which libvirt keeps as it is.
    pub secret_type: Option<String>,
    /// The secret.
    pub secret: SecretLookup,
}

/// The document `<sources>`: where pools of that type could be (libvirt's `virStoragePoolSourceListFormat`).
///
/// ```
/// use virt_model::{
///     StoragePoolType,
///     storage_pool::{StoragePoolHost, StoragePoolSource, sources_to_xml},
/// };
///
/// let source = StoragePoolSource {
///     hosts: vec![StoragePoolHost::new("san")],
///     ..StoragePoolSource::default()
/// };
/// assert_eq!(
///     sources_to_xml(StoragePoolType::Iscsi, &[source]),
///     "\
/// <sources>
///   <source>
///     <host name='san'/>
///   </source>
/// </sources>
/// "
/// );
/// ```
pub fn sources_to_xml(kind: StoragePoolType, sources: &[StoragePoolSource]) -> String {
    let sources = sources.iter().map(|source| source.to_element(kind));
    xml::to_string(&broken(Element::new("sources").children(sources)))
}

impl StoragePoolSource {
    /// Reads a document `<source>`, which is a part of a pool's document (libvirt's
    /// `virStoragePoolDefParseSourceString`). What pools of the type need besides is not checked.
    ///
    /// # Errors
    /// As for [`Document::read_xml`](crate::Document::read_xml).
    pub fn read_xml(xml: &str, kind: StoragePoolType) -> Result<Read<StoragePoolSource>, XmlError> {
        read_root(xml, "source", |node| StoragePoolSource::read(node, kind))
    }

    /// libvirt 9.0's `virStoragePoolDefParseSource`.
    pub(super) fn read(
        node: &mut Node<'_>,
        kind: StoragePoolType,
    ) -> Result<StoragePoolSource, XmlError> {
        let mut source = StoragePoolSource {
            name: node.text_of("name"),
            ..StoragePoolSource::default()
        };
        if kind == StoragePoolType::Rbd && source.name.is_none() {
            return Err(node.error("element 'name' is mandatory for RBD pool"));
        }
        source.format = read_format(node, kind)?;
        for mut host in node.children("host") {
            let Some(name) = host.attr("name") else {
                return Err(host.error("missing storage pool host name"));
            };
            source.hosts.push(StoragePoolHost {
                name,
                port: host.number("port")?.unwrap_or_default(),
                _more: (),
            });
        }
        for mut device in node.children("device") {
            let Some(path) = device.attr("path") else {
                return Err(device.error("missing storage pool source device path"));
            };
            source.devices.push(StoragePoolDevice {
                path,
                part_separator: device.yes_no("part_separator")?,
                _more: (),
            });
        }
        if let Some(mut initiator) = node.child("initiator")
            && let Some(mut iqn) = initiator.child("iqn")
        {
            source.initiator = iqn.filled("name");
        }
        source.dir = match node.child("dir") {
            Some(mut dir) => dir.filled("path").map(|path| sanitize_path(&path)),
            None => None,
        };
        if let Some(adapter) = node.child("adapter") {
            source.adapter = StoragePoolAdapter::read(adapter)?;
        }
        if let Some(auth) = node.child("auth") {
            source.auth = Some(StoragePoolAuth::read(auth)?);
        }
        if let Some(mut protocol) = node.child("protocol") {
            source.protocol_version = protocol.filled("ver");
        }
        if source.protocol_version.is_some() {
            check_protocol_version(node, kind, source.format)?;
        }
        let mut name_of = |child| node.child(child).and_then(|mut node| node.filled("name"));
        source.vendor = name_of("vendor");
        source.product = name_of("product");
        Ok(source)
    }

    pub(super) fn to_element(&self, kind: StoragePoolType) -> Element {
        let uses = kind.uses();
        let hosts = self.hosts.iter().filter(|_| uses.hosts).map(|host| {
            Element::new("host")
                .attr("name", &host.name)
                .maybe_attr("port", Some(host.port).filter(|port| *port != 0))
        });
        let devices = self.devices.iter().filter(|_| uses.devices);
        let devices = devices.map(|device| {
            Element::new("device")
                .attr("path", &device.path)
                .maybe_attr("part_separator", device.part_separator.map(yes_no))
        });
        let with = |element, attribute, value: Option<&str>| {
            value.map(|value| Element::new(element).attr(attribute, value))
        };
        let initiator = with("iqn", "name", self.initiator.as_deref());
        let initiator = initiator.filter(|_| uses.initiator);
        let format = self.format.filter(|_| !kind.formats().is_empty());
        let adapter = self.adapter.as_ref().filter(|_| uses.adapter);
        broken(
            Element::new("source")
                .children(hosts)
                .children(devices)
                .children(with("dir", "path", self.dir.as_deref()).filter(|_| uses.dir))
                .children(adapter.map(StoragePoolAdapter::to_element))
                .maybe_text("name", self.name.as_ref().filter(|_| uses.name))
                .children(initiator.map(|iqn| Element::new("initiator").child(iqn)))
                .children(with("format", "type", format.map(|format| format.as_str())))
                .children(self.auth.as_ref().map(StoragePoolAuth::to_element))
                .children(with("protocol", "ver", self.protocol_version.as_deref()))
                .children(with("vendor", "name", self.vendor.as_deref()))
                .children(with("product", "name", self.product.as_deref())),
        )
    }
}

/// Reads `<format>`, which pools without formats ignore.
fn read_format(
    node: &mut Node<'_>,
    kind: StoragePoolType,
) -> Result<Option<StoragePoolFormat>, XmlError> {
    if kind.formats().is_empty() {
        return Ok(None);
    }
    let Some(mut format) = node.child("format") else {
        return Ok(kind.default_format());
    };
    let Some(word) = format.filled("type") else {
        return Ok(kind.default_format());
    };
    let formats = kind.formats().iter();
    match formats.copied().find(|format| format.as_str() == word) {
        Some(known) => Ok(Some(known)),
        None => Err(format.unsupported(format!("unknown pool format type {word}"))),
    }
}

/// Only NFS has versions. libvirt takes the number of any type's format for that of a network file
/// system.
fn check_protocol_version(
    node: &Node<'_>,
    kind: StoragePoolType,
    format: Option<StoragePoolFormat>,
) -> Result<(), XmlError> {
    let number = kind
        .formats()
        .iter()
        .position(|&other| Some(other) == format);
    let name = match number {
        None | Some(0 | 1) => return Ok(()),
        Some(number) => StoragePoolType::Netfs.formats().get(number),
    };
    let name = name.map_or("(null)", |format| format.as_str());
    Err(node.unsupported(format!(
        "storage pool protocol ver unsupported for pool type '{name}'"
    )))
}

impl StoragePoolHost {
    /// The server of that name or address, at the protocol's own port.
    pub fn new(name: impl Into<String>) -> StoragePoolHost {
        StoragePoolHost {
            name: name.into(),
            ..StoragePoolHost::default()
        }
    }
}

impl StoragePoolDevice {
    /// The device at that path.
    pub fn new(path: impl Into<String>) -> StoragePoolDevice {
        StoragePoolDevice {
            path: path.into(),
            ..StoragePoolDevice::default()
        }
    }
}

impl StoragePoolAuth {
    /// A login of that user.
    pub fn new(
        kind: StoragePoolAuthType,
        username: impl Into<String>,
        secret: SecretLookup,
    ) -> StoragePoolAuth {
        StoragePoolAuth {
            kind,
            username: username.into(),
            secret_type: None,
            secret,
        }
    }

    /// libvirt's `virStorageAuthDefParse`, and the check of `virStoragePoolDefParseSource`.
    fn read(mut node: Node<'_>) -> Result<StoragePoolAuth, XmlError> {
        let Some(username) = node.filled("username") else {
            return Err(node.error("missing username for auth"));
        };
        // A disk may say `none`; a pool may not.
        let kind = match node.filled("type") {
            Some(word) if word != "none" => match StoragePoolAuthType::from_word(&word) {
                None => return Err(node.unsupported(format!("unknown auth type '{word}'"))),
                kind => kind,
            },
            _ => None,
        };
        let Some(mut secret) = node.child("secret") else {
            return Err(node.error("Missing <secret> element in auth"));
        };
        let secret_type = secret.attr("type");
        let secret = SecretLookup::read(&mut secret)?;
        match kind {
            None => Err(node.unsupported("storage pool missing auth type")),
            Some(kind) => Ok(StoragePoolAuth {
                kind,
                username,
                secret_type,
                secret,
            }),
        }
    }

    fn to_element(&self) -> Element {
        let secret = Element::new("secret").maybe_attr("type", self.secret_type.as_ref());
        Element::new("auth")
            .attr("type", self.kind)
            .attr("username", &self.username)
            .child(self.secret.write(secret))
    }
}
