use std::fmt;

use xmltree::Element;

use super::{Encryption, StorageVolFormat, format};
use crate::{
    StoragePermissions, StoragePoolType, size,
    xml::{Build, Node, XmlError, broken, decimal},
};

/// Where the host shows a volume, and what it is like: `<target>`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StorageVolTarget {
    /// The path. None: the driver finds it.
    pub path: Option<String>,
    /// The format. None: volumes of the pool have none.
    pub format: Option<StorageVolFormat>,
    /// Who may use it.
    pub permissions: StoragePermissions,
    /// When it was used. libvirt writes this, and does not read it.
    pub timestamps: Option<StorageVolTimestamps>,
    /// How it is encrypted.
    pub encryption: Option<Encryption>,
    /// The version of the format, such as `1.1`.
    pub compat: Option<String>,
    /// The size of the format's clusters, in bytes; 0: the format's default.
    pub cluster_size: u64,
    /// Features of the format.
    pub features: Option<StorageVolFeatures>,
    /// Whether the file is not to be copied on write. libvirt reads it, and does not write it.
    pub nocow: bool,
    #[doc(hidden)]
    pub _more: (),
}

/// Features of a volume's format: `<features>`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StorageVolFeatures {
    /// Whether the counts of references are written late.
    pub lazy_refcounts: bool,
    /// Whether there are subclusters.
    pub extended_l2: bool,
    #[doc(hidden)]
    pub _more: (),
}

/// When a volume was used: `<timestamps>`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StorageVolTimestamps {
    /// When it was read.
    pub atime: Option<Timestamp>,
    /// When its content changed.
    pub mtime: Option<Timestamp>,
    /// When its content, owner or permissions changed.
    pub ctime: Option<Timestamp>,
    /// When it was made.
    pub btime: Option<Timestamp>,
    #[doc(hidden)]
    pub _more: (),
}

/// A time since the epoch. [`Display`](fmt::Display) writes `seconds.nanoseconds`, or only the seconds if
/// the rest is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp {
    /// Seconds.
    pub seconds: u64,
    /// Nanoseconds, below 1 000 000 000.
    pub nanoseconds: u32,
}

impl StorageVolTarget {
    pub(super) fn read(
        node: Option<Node<'_>>,
        pool: Option<StoragePoolType>,
    ) -> Result<StorageVolTarget, XmlError> {
        let mut target = StorageVolTarget::default();
        let Some(mut node) = node else {
            let formats = pool.map(StoragePoolType::volume_formats);
            target.format = formats.and_then(|formats| formats.first().copied());
            return Ok(target);
        };
        target.path = node.text_of("path");
        target.format = format::read(&mut node, pool)?;
        target.permissions = StoragePermissions::read(node.child("permissions"))?;
        target.encryption = node.child("encryption").map(Encryption::read).transpose()?;
        target.compat = node.text_of("compat");
        if let Some(compat) = &target.compat
            && !is_version(compat)
        {
            return Err(node.error("forbidden characters in 'compat' attribute"));
        }
        target.nocow = node.has("nocow");
        target.cluster_size = read_cluster_size(&mut node)?;
        for features in node.children("features") {
            let known = target.features.get_or_insert_default();
            known.read(features)?;
            // Only this version has features.
            target.compat.get_or_insert_with(|| "1.1".to_owned());
        }
        target.timestamps = node
            .child("timestamps")
            .and_then(StorageVolTimestamps::read);
        Ok(target)
    }

    pub(super) fn to_element(&self) -> Element {
        let size = Some(self.cluster_size).filter(|size| *size != 0);
        let size = size.map(|size| Element::new("clusterSize").attr("unit", "B").text(size));
        let timestamps = self.timestamps.as_ref();
        broken(
            Element::new("target")
                .maybe_text("path", self.path.as_ref())
                .children(self.format.map(StorageVolFormat::to_element))
                .children(self.permissions.to_element())
                .children(timestamps.map(StorageVolTimestamps::to_element))
                .children(self.encryption.as_ref().map(Encryption::to_element))
                .maybe_text("compat", self.compat.as_ref())
                .children(size)
                .children(self.features.as_ref().map(StorageVolFeatures::to_element)),
        )
    }
}

/// Reads `<clusterSize>`; 0 if it is absent or empty.
fn read_cluster_size(node: &mut Node<'_>) -> Result<u64, XmlError> {
    let Some(mut size) = node.child("clusterSize") else {
        return Ok(0);
    };
    let unit = size.filled("unit");
    let text = size.text();
    if text.is_empty() {
        return Ok(0);
    }
    match decimal(text) {
        Some(number) => size::scale(&size, number, unit.as_deref(), "", u64::MAX),
        None => Err(size.error(format!(
            "Invalid value '{text}' for element or attribute './target/clusterSize'"
        ))),
    }
}

/// Whether a text is two numbers and a point between them (libvirt's `virStorageFileCheckCompat`).
fn is_version(text: &str) -> bool {
    let is_number = |part: &str| {
        let number = decimal::<i64>(part);
        number.is_some_and(|number| number.unsigned_abs() <= u32::MAX.into())
    };
    text.split_once('.')
        .is_some_and(|(major, minor)| is_number(major) && is_number(minor))
}

impl StorageVolFeatures {
    fn read(&mut self, mut node: Node<'_>) -> Result<(), XmlError> {
        for feature in node.all_children() {
            match feature.name.as_str() {
                "lazy_refcounts" => self.lazy_refcounts = true,
                "extended_l2" => self.extended_l2 = true,
                other => {
                    return Err(feature.unsupported(format!("unsupported feature {other}")));
                }
            }
        }
        Ok(())
    }

    fn to_element(&self) -> Element {
        let feature = |has: bool, name| has.then(|| Element::new(name));
        Element::new("features")
            .children(feature(self.lazy_refcounts, "lazy_refcounts"))
            .children(feature(self.extended_l2, "extended_l2"))
    }
}

impl StorageVolTimestamps {
    /// What cannot be understood is no error, because libvirt does not read it. None if there is no
    /// time.
    pub(super) fn read(mut node: Node<'_>) -> Option<StorageVolTimestamps> {
        let mut time = |name| {
            let child = node.child(name)?;
            let time = Timestamp::read(child.text());
            if time.is_none() {
                child.unmodelled();
            }
            time
        };
        let times = StorageVolTimestamps {
            atime: time("atime"),
            mtime: time("mtime"),
            ctime: time("ctime"),
            btime: time("btime"),
            _more: (),
        };
        (times != StorageVolTimestamps::default()).then_some(times)
    }

    pub(super) fn to_element(&self) -> Element {
        Element::new("timestamps")
            .maybe_text("atime", self.atime)
            .maybe_text("mtime", self.mtime)
            .maybe_text("ctime", self.ctime)
            .maybe_text("btime", self.btime)
    }
}

impl Timestamp {
    fn read(text: &str) -> Option<Timestamp> {
        let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
        if fraction.len() > 9 || !fraction.bytes().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        Some(Timestamp {
            seconds: seconds.parse().ok()?,
            nanoseconds: format!("{fraction:0<9}").parse().ok()?,
        })
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.nanoseconds {
            0 => write!(f, "{}", self.seconds),
            nanoseconds => write!(f, "{}.{nanoseconds:09}", self.seconds),
        }
    }
}
