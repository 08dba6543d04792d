//! A volume's definition: libvirt's `<volume>` document, and a volume's sizes.

mod encryption;
mod format;
mod info;
mod source;
mod target;

use xmltree::Element;

use crate::{
    Document, Read, StoragePermissions, StoragePoolType,
    document::read_root,
    flags::{NoFlags, StorageVolParseFlags},
    storage::{read_shown_size, read_size},
    xml::{Build, Node, Tree, XmlError},
};

pub use encryption::{
    Encryption, EncryptionCipher, EncryptionEngine, EncryptionFormat, EncryptionIvgen,
};
pub use format::StorageVolFormat;
pub use info::{StorageVolInfo, StorageVolType, StorageVolWipeAlgorithm};
pub use source::{StorageVolDevice, StorageVolExtent};
pub use target::{StorageVolFeatures, StorageVolTarget, StorageVolTimestamps, Timestamp};

/// A volume's definition (libvirt's `virStorageVolDef`).
///
/// Which formats there are depends on the pool's type: [`StorageVolDef::read_xml_in`] checks them as
/// libvirt does, and fills in the default. [`Document::read_xml`] knows no pool: it takes every format,
/// and leaves out a missing one.
///
/// ```
/// use virt_model::{
///     Document, StorageVolDef,
///     storage_vol::{StorageVolFormat, StorageVolTarget},
/// };
///
/// let volume = StorageVolDef {
///     key: Some("6000c29b-7e0d-4b7d-8f6c-2f5a9c3e1d42".to_owned()),
///     capacity: 1 << 30,
///     allocation: 0,
///     target: StorageVolTarget {
///         path: Some("[fast] web/web.vmdk".to_owned()),
///         format: Some(StorageVolFormat::Vmdk),
///         ..StorageVolTarget::default()
///     },
///     ..StorageVolDef::new("web/web.vmdk")
/// };
/// assert_eq!(
///     volume.to_xml(Default::default()),
///     "\
/// <volume type='file'>
///   <name>web/web.vmdk</name>
///   <key>6000c29b-7e0d-4b7d-8f6c-2f5a9c3e1d42</key>
///   <capacity unit='bytes'>1073741824</capacity>
///   <allocation unit='bytes'>0</allocation>
///   <target>
///     <path>[fast] web/web.vmdk</path>
///     <format type='vmdk'/>
///   </target>
/// </volume>
/// "
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StorageVolDef {
    /// The name.
    pub name: String,
    /// The key. None: the driver finds it.
    pub key: Option<String>,
    /// The type.
    pub kind: StorageVolType,
    /// The devices of the pool that the volume is on. libvirt writes them, and does not read them.
    pub source: Vec<StorageVolDevice>,
    /// The size that a guest sees, in bytes.
    pub capacity: u64,
    /// How much of the pool is in use, in bytes. A document that was read and does not say has the
    /// capacity here.
    pub allocation: u64,
    /// The length of the file, in bytes. libvirt writes it, and does not read it.
    pub physical: Option<u64>,
    /// Where the host shows the volume, and what it is like.
    pub target: StorageVolTarget,
    /// The volume that this one has the difference to.
    pub backing_store: Option<StorageVolBackingStore>,
    #[doc(hidden)]
    pub _more: (),
}

/// The volume that another one has the difference to: `<backingStore>`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StorageVolBackingStore {
    /// The path.
    pub path: String,
    /// The format.
    pub format: Option<StorageVolFormat>,
    /// Who may use it.
    pub permissions: StoragePermissions,
    /// When it was used. libvirt writes this, and does not read it.
    pub timestamps: Option<StorageVolTimestamps>,
    #[doc(hidden)]
    pub _more: (),
}

impl StorageVolDef {
    /// A volume of that name.
    pub fn new(name: impl Into<String>) -> StorageVolDef {
        StorageVolDef {
            name: name.into(),
            ..StorageVolDef::default()
        }
    }

    /// Reads the document of a volume in a pool of that type, as libvirt's `virStorageVolDefParse`
    /// does: with the pool's formats.
    ///
    /// ```
    /// use virt_model::{StoragePoolType, StorageVolDef, flags::StorageVolParseFlags};
    ///
    /// let xml = "<volume><name>v</name><capacity unit='M'>1</capacity>
    ///              <target><format type='qcow3'/></target></volume>";
    /// let flags = StorageVolParseFlags::NONE;
    /// let error = StorageVolDef::read_xml_in(StoragePoolType::Dir, flags, xml).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "unsupported configuration: unknown volume format type qcow3"
    /// );
    /// ```
    ///
    /// # Errors
    /// As for [`Document::read_xml`].
    pub fn read_xml_in(
        pool: StoragePoolType,
        flags: StorageVolParseFlags,
        xml: &str,
    ) -> Result<Read<StorageVolDef>, XmlError> {
        read_root(xml, StorageVolDef::ROOT, |node| {
            StorageVolDef::read_in(node, Some(pool), flags)
        })
    }

    /// The checks and their order are those of libvirt 9.0's `virStorageVolDefParseXML`, observed with
    /// the test driver.
    fn read_in(
        node: &mut Node<'_>,
        pool: Option<StoragePoolType>,
        flags: StorageVolParseFlags,
    ) -> Result<StorageVolDef, XmlError> {
        let Some(name) = node.text_of("name") else {
            return Err(node.error("missing volume name element"));
        };
        let mut def = StorageVolDef::new(name);
        def.key = node.text_of("key");
        let kind = node.old_filled_word("type", "unknown volume type")?;
        def.kind = kind.unwrap_or_default();
        if let Some(backing_store) = node.child("backingStore") {
            def.backing_store = StorageVolBackingStore::read(backing_store, pool)?;
        }
        def.capacity = match read_size(node.child("capacity"))? {
            Some(capacity) => capacity,
            None if flags.contains(StorageVolParseFlags::NO_CAPACITY) => 0,
            None if flags.contains(StorageVolParseFlags::OPT_CAPACITY)
                && def.backing_store.is_some() =>
            {
                0
            }
            None => return Err(node.error("missing capacity element")),
        };
        def.allocation = read_size(node.child("allocation"))?.unwrap_or(def.capacity);
        def.target = StorageVolTarget::read(node.child("target"), pool)?;
        def.physical = read_shown_size(node.child("physical"));
        if let Some(source) = node.child("source") {
            def.source = source::read(source);
        }
        Ok(def)
    }
}

impl Document for StorageVolDef {
    const ROOT: &'static str = "volume";
    type Flags = NoFlags;

    fn read(node: &mut Node<'_>) -> Result<StorageVolDef, XmlError> {
        StorageVolDef::read_in(node, None, StorageVolParseFlags::NONE)
    }

    fn tree(&self, _: NoFlags) -> Tree {
        let size = |name, bytes: u64| Element::new(name).attr("unit", "bytes").text(bytes);
        let backing_store = self.backing_store.as_ref();
        let root = Element::new(StorageVolDef::ROOT)
            .attr("type", self.kind)
            .maybe_text("name", Some(&self.name))
            .maybe_text("key", self.key.as_ref())
            .children(source::to_element(&self.source))
            .child(size("capacity", self.capacity))
            .child(size("allocation", self.allocation))
            .children(self.physical.map(|bytes| size("physical", bytes)))
            .child(self.target.to_element())
            .children(backing_store.map(StorageVolBackingStore::to_element));
        Tree(root)
    }
}

impl StorageVolBackingStore {
    /// None if there is no path.
    fn read(
        mut node: Node<'_>,
        pool: Option<StoragePoolType>,
    ) -> Result<Option<StorageVolBackingStore>, XmlError> {
        let Some(path) = node.text_of("path") else {
            return Ok(None);
        };
        Ok(Some(StorageVolBackingStore {
            path,
            format: format::read(&mut node, pool)?,
            permissions: StoragePermissions::read(node.child("permissions"))?,
            timestamps: node
                .child("timestamps")
                .and_then(StorageVolTimestamps::read),
            _more: (),
        }))
    }

    fn to_element(&self) -> Element {
        let timestamps = self.timestamps.as_ref();
        Element::new("backingStore")
            .maybe_text("path", Some(&self.path))
            .children(self.format.map(StorageVolFormat::to_element))
            .children(self.permissions.to_element())
            .children(timestamps.map(StorageVolTimestamps::to_element))
    }
}
