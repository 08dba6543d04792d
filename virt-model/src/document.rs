use crate::{
    ErrorNumber,
    flags::Flags,
    xml::{self, Node, Tree, Unmodelled, XmlError},
};

/// A document of libvirt: a value that is read from XML and written as XML.
///
/// Only this crate implements it.
///
/// ```
/// use virt_model::{Document, DomainDef, DomainXmlFlags};
///
/// let read = DomainDef::read_xml(
///     "<domain type='vmware'><name>web</name><memory unit='MiB'>512</memory>
///        <os><type>hvm</type></os><devices><watchdog model='ib700'/></devices></domain>",
/// )?;
/// assert_eq!(read.document.memory, 512 * 1024);
/// assert_eq!(read.unmodelled, ["/domain/devices/watchdog"]);
/// let xml = read.document.to_xml(DomainXmlFlags::NONE);
/// assert!(xml.contains("<memory unit='KiB'>524288</memory>"));
/// # Ok::<(), virt_model::XmlError>(())
/// ```
pub trait Document: Sized {
    /// The name of the root element.
    const ROOT: &'static str;

    /// The flags of libvirt's function that writes the document.
    type Flags: Flags + Default;

    /// Reads the root element.
    #[doc(hidden)]
    fn read(root: &mut Node<'_>) -> Result<Self, XmlError>;

    /// Makes the root element.
    #[doc(hidden)]
    fn tree(&self, flags: Self::Flags) -> Tree;

    /// Reads a document, and reports what of it is not modelled.
    ///
    /// # Errors
    /// libvirt's error if the text is no XML, has another root element, lacks something or has an
    /// invalid value; an error of our own if it has a document type declaration, or exceeds
    /// [`xml::MAX_SIZE`], [`xml::MAX_DEPTH`] or [`xml::MAX_NODES`].
    fn read_xml(xml: &str) -> Result<Read<Self>, XmlError> {
        read_root(xml, Self::ROOT, Self::read)
    }

    /// Reads a document, and leaves out what is not modelled.
    ///
    /// # Errors
    /// As for [`Document::read_xml`].
    fn from_xml(xml: &str) -> Result<Self, XmlError> {
        Ok(Self::read_xml(xml)?.document)
    }

    /// The document's text, as libvirt writes it. Flags that do not concern the document are
    /// ignored.
    fn to_xml(&self, flags: Self::Flags) -> String {
        xml::to_string(&self.tree(flags).0)
    }
}

/// Reads a document whose root element is `name`, and reports what of it `read` did not take.
pub(crate) fn read_root<D>(
    xml: &str,
    name: &str,
    read: impl FnOnce(&mut Node<'_>) -> Result<D, XmlError>,
) -> Result<Read<D>, XmlError> {
    let root = xml::tree(xml)?;
    if root.name != name {
        return Err(XmlError::new(
            ErrorNumber::XmlError,
            format!("expecting root element of '{name}', not '{}'", root.name),
        ));
    }
    let unmodelled = Unmodelled::default();
    let document = read(&mut Node::root(root, &unmodelled))?;
    Ok(Read {
        document,
        unmodelled: unmodelled.into_inner(),
    })
}

/// A document that was read, and what of it is not modelled.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Read<D> {
    /// The document.
    pub document: D,
    /// The paths of elements and attributes that were left out, such as `/domain/devices/rng` or
    /// `/domain/devices/disk[2]/source/@index`.
    pub unmodelled: Vec<String>,
}
