//! A storage pool's definition: libvirt's `<pool>` document, and a pool's state.
//!
//! What is not modelled (options of a mount or of Ceph, which are in namespaces of their own) is named by
//! [`Document::read_xml`].

mod adapter;
mod info;
mod kind;
mod source;

use xmltree::Element;

use crate::{
    Document, ErrorNumber, StoragePermissions, StoragePoolXmlFlags, Uuid,
    storage::{read_shown_size, sanitize_path},
    xml::{Build, Node, Tree, XmlError, broken, yes_no},
};

pub use adapter::{StoragePoolAdapter, StoragePoolFcHost, StoragePoolScsiHost};
pub use info::{StoragePoolInfo, StoragePoolState};
pub use kind::{StoragePoolFormat, StoragePoolType};
pub use source::{
    StoragePoolAuth, StoragePoolAuthType, StoragePoolDevice, StoragePoolHost, StoragePoolSource,
    sources_to_xml,
};

/// A storage pool's definition (libvirt's `virStoragePoolDef`).
///
/// Of the source, libvirt writes only what pools of the type have; so does this crate.
///
/// ```
/// use virt_model::{
///     Document, StoragePermissions, StoragePoolDef, StoragePoolType,
///     storage_pool::{StoragePoolFormat, StoragePoolHost, StoragePoolSource, StoragePoolTarget},
/// };
///
/// let pool = StoragePoolDef {
///     uuid: Some("22f3f8f8-1f5b-4b4c-9c0e-6a2b8f4c7d11".parse()?),
///     capacity: 2000,
///     allocation: 500,
///     available: 1500,
///     source: StoragePoolSource {
///         hosts: vec![StoragePoolHost::new("nas.example.com")],
///         dir: Some("/export/images".to_owned()),
///         format: Some(StoragePoolFormat::Nfs),
///         ..StoragePoolSource::default()
///     },
///     target: StoragePoolTarget {
///         path: Some("/vmfs/volumes/nfs1".to_owned()),
///         permissions: StoragePermissions::zero(),
///         ..StoragePoolTarget::default()
///     },
///     ..StoragePoolDef::new(StoragePoolType::Netfs, "nfs1")
/// };
/// assert_eq!(
///     pool.to_xml(Default::default()),
///     "\
/// <pool type='netfs'>
///   <name>nfs1</name>
///   <uuid>22f3f8f8-1f5b-4b4c-9c0e-6a2b8f4c7d11</uuid>
///   <capacity unit='bytes'>2000</capacity>
///   <allocation unit='bytes'>500</allocation>
///   <available unit='bytes'>1500</available>
///   <source>
///     <host name='nas.example.com'/>
///     <dir path='/export/images'/>
///     <format type='nfs'/>
///   </source>
///   <target>
///     <path>/vmfs/volumes/nfs1</path>
///     <permissions>
///       <mode>00</mode>
///       <owner>0</owner>
///       <group>0</group>
///     </permissions>
///   </target>
/// </pool>
/// "
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StoragePoolDef {
    /// The type.
    pub kind: StoragePoolType,
    /// The name.
    pub name: String,
    /// The UUID. None: still to be chosen.
    pub uuid: Option<Uuid>,
    /// The size of the storage, in bytes. libvirt writes this and the next two, and does not read
    /// them.
    pub capacity: u64,
    /// How much of the storage is in use, in bytes.
    pub allocation: u64,
    /// How much of the storage is free, in bytes.
    pub available: u64,
    /// Whether files are copied on write; types `dir` and `fs` only.
    pub copy_on_write: Option<bool>,
    /// Where the storage is.
    pub source: StoragePoolSource,
    /// Where the host shows the storage.
    pub target: StoragePoolTarget,
    #[doc(hidden)]
    pub _more: (),
}

/// Where the host shows a pool's storage: `<target>`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StoragePoolTarget {
    /// The path. libvirt's iSCSI pools of ESX have none.
    pub path: Option<String>,
    /// Who may use it.
    pub permissions: StoragePermissions,
    #[doc(hidden)]
    pub _more: (),
}

impl StoragePoolDef {
    /// A pool of that type and name.
    pub fn new(kind: StoragePoolType, name: impl Into<String>) -> StoragePoolDef {
        StoragePoolDef {
            kind,
            name: name.into(),
            ..StoragePoolDef::default()
        }
    }

    /// Reads what the source needs, after the whole of it was read.
    fn check_source(&mut self, node: &Node<'_>) -> Result<(), XmlError> {
        let uses = self.kind.uses();
        let source = &mut self.source;
        if uses.hosts && source.hosts.is_empty() {
            return Err(node.error("missing storage pool source host name"));
        }
        if uses.dir && source.dir.is_none() {
            match self.kind {
                StoragePoolType::Gluster => source.dir = Some("/".to_owned()),
                _ => return Err(node.error("missing storage pool source path")),
            }
        }
        if uses.name && source.name.is_none() {
            source.name = Some(self.name.clone());
        }
        if uses.adapter {
            match &source.adapter {
                None => return Err(node.error("missing storage pool source adapter")),
                Some(adapter) => adapter.check(node)?,
            }
        }
        if uses.needs_device && source.devices.is_empty() {
            return Err(node.error("missing storage pool source device name"));
        }
        if self.kind == StoragePoolType::IscsiDirect && source.initiator.is_none() {
            return Err(node.unsupported("missing initiator IQN"));
        }
        Ok(())
    }
}

impl Document for StoragePoolDef {
    const ROOT: &'static str = "pool";
    type Flags = StoragePoolXmlFlags;

    /// The checks and their order are those of libvirt 9.0's `virStoragePoolDefParseXML`, observed with
    /// the test driver.
    fn read(node: &mut Node<'_>) -> Result<StoragePoolDef, XmlError> {
        let Some(kind) = node.word("type")? else {
            return Err(node.missing("type"));
        };
        let mut def = StoragePoolDef::new(kind, "");
        def.source.format = kind.default_format();
        if let Some(mut source) = node.child("source") {
            def.source = StoragePoolSource::read(&mut source, kind)?;
        }
        def.name = match (node.text_of("name"), &def.source.name) {
            (Some(name), _) => name,
            (None, Some(name)) if kind.uses().name => name.clone(),
            _ => return Err(node.error("missing pool source name element")),
        };
        if def.name.contains('/') {
            return Err(node.error(format!("name {} cannot contain '/'", def.name)));
        }
        if let Some(uuid) = node.text_of("uuid") {
            let uuid = uuid.parse();
            def.uuid = Some(uuid.map_err(|_| node.error("malformed uuid element"))?);
        }
        if let Some(mut features) = node.child("features")
            && let Some(mut cow) = features.child("cow")
        {
            def.copy_on_write = cow.yes_no("state")?;
            if def.copy_on_write.is_some()
                && !matches!(kind, StoragePoolType::Dir | StoragePoolType::Fs)
            {
                let message = "cow feature may only be used for 'fs' and 'dir' pools";
                return Err(node.fail(ErrorNumber::NoSupport, message));
            }
        }
        def.check_source(node)?;
        if kind.uses().target {
            def.target = StoragePoolTarget::read(node, &def)?;
        }
        let mut size = |name| read_shown_size(node.child(name)).unwrap_or_default();
        def.capacity = size("capacity");
        def.allocation = size("allocation");
        def.available = size("available");
        Ok(def)
    }

    fn tree(&self, _: StoragePoolXmlFlags) -> Tree {
        let size = |name, bytes: u64| Element::new(name).attr("unit", "bytes").text(bytes);
        let features = self.copy_on_write.map(|cow| {
            let cow = Element::new("cow").attr("state", yes_no(cow));
            Element::new("features").child(cow)
        });
        let target = self.kind.uses().target.then(|| self.target.to_element());
        let root = Element::new(StoragePoolDef::ROOT)
            .attr("type", self.kind)
            .maybe_text("name", Some(&self.name))
            .maybe_text("uuid", self.uuid)
            .child(size("capacity", self.capacity))
            .child(size("allocation", self.allocation))
            .child(size("available", self.available))
            .children(features)
            .child(self.source.to_element(self.kind))
            .children(target);
        Tree(root)
    }
}

impl StoragePoolTarget {
    /// A logical pool's path follows from its name, as does that of ZFS.
    fn read(root: &mut Node<'_>, def: &StoragePoolDef) -> Result<StoragePoolTarget, XmlError> {
        let mut node = root.child("target");
        let path = node.as_mut().and_then(|node| node.text_of("path"));
        let name = def.source.name.as_deref().unwrap_or_default();
        let path = match def.kind {
            StoragePoolType::Logical => Some(format!("/dev/{name}")),
            StoragePoolType::Zfs => Some(format!("/dev/zvol/{name}")),
            _ => path,
        };
        let Some(path) = path else {
            return Err(root.error("missing storage pool target path"));
        };
        let permissions = node.as_mut().and_then(|node| node.child("permissions"));
        Ok(StoragePoolTarget {
            path: Some(sanitize_path(&path)),
            permissions: StoragePermissions::read(permissions)?,
            _more: (),
        })
    }

    fn to_element(&self) -> Element {
        broken(
            Element::new("target")
                .maybe_text("path", self.path.as_ref())
                .children(self.permissions.to_element()),
        )
    }
}
