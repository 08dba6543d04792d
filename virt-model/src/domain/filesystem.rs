//! Directories of the host that the guest can mount.

use xmltree::Element;

use super::DeviceInfo;
use crate::{
    DomainXmlFlags, ErrorNumber,
    words::words,
    xml::{Build, Node, XmlError},
};

words! {
    /// The type of a filesystem's source.
    #[derive(Default)]
    pub enum FilesystemType {
        #[default]
        Mount = "mount",
        Block = "block",
        File = "file",
        Template = "template",
        Ram = "ram",
        Bind = "bind",
        Volume = "volume",
    }
}

words! {
    /// How permissions of files are mapped.
    pub enum AccessMode {
        Passthrough = "passthrough",
        Mapped = "mapped",
        Squash = "squash",
    }
}

/// A directory of the host that the guest can mount.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filesystem {
    /// The type of a filesystem's source.
    pub kind: FilesystemType,
    /// How permissions of files are mapped.
    pub access_mode: Option<AccessMode>,
    /// The type of the driver, `type` of `<driver>`.
    pub driver: Option<String>,
    /// The source on the host: the attribute `dir`, `dev`, `file` or `name` of `<source>`, depending on
    /// the type.
    pub source: Option<String>,
    /// The mount point or the tag in the guest.
    pub target: String,
    /// Whether the guest may only read.
    pub readonly: bool,
    /// The address and the alias.
    pub info: DeviceInfo,
    #[doc(hidden)]
    pub _more: (),
}

impl FilesystemType {
    /// The attribute of `<source>` that holds the source.
    fn source_attribute(self) -> &'static str {
        match self {
            FilesystemType::Mount | FilesystemType::Bind => "dir",
            FilesystemType::Block => "dev",
            FilesystemType::File => "file",
            FilesystemType::Template => "name",
            FilesystemType::Ram => "usage",
            FilesystemType::Volume => "volume",
        }
    }
}

impl Filesystem {
    pub(super) fn read(mut node: Node<'_>) -> Result<Filesystem, XmlError> {
        let kind: FilesystemType = node.word("type")?.unwrap_or_default();
        let source = node.attr_of("source", kind.source_attribute());
        let target = node.attr_of("target", "dir").unwrap_or_default();
        if target.is_empty() {
            return Err(node.fail(ErrorNumber::NoTarget, source.unwrap_or_default()));
        }
        Ok(Filesystem {
            kind,
            access_mode: match node.filled("accessmode") {
                Some(mode) => Some(
                    AccessMode::from_word(&mode)
                        .ok_or_else(|| node.invalid("accessmode", &mode))?,
                ),
                None => None,
            },
            driver: node.attr_of("driver", "type"),
            source,
            target,
            readonly: node.has("readonly"),
            info: DeviceInfo::read(&mut node)?,
            _more: (),
        })
    }

    pub(super) fn to_element(&self, flags: DomainXmlFlags) -> Element {
        let driver = self.driver.as_ref();
        let source = self.source.as_ref();
        Element::new("filesystem")
            .attr("type", self.kind)
            .maybe_attr("accessmode", self.access_mode)
            .children(driver.map(|driver| Element::new("driver").attr("type", driver)))
            .children(
                source.map(|source| {
                    Element::new("source").attr(self.kind.source_attribute(), source)
                }),
            )
            .child(Element::new("target").attr("dir", &self.target))
            .children(self.readonly.then(|| Element::new("readonly")))
            .children(self.info.to_elements(flags))
    }
}
