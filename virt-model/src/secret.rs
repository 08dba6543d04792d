//! A secret's definition: libvirt's `<secret>` document, and how other documents name secrets.
//!
//! A definition never has the secret's value.

mod lookup;

use xmltree::Element;

use crate::{
    Document, ErrorNumber, Uuid,
    flags::NoFlags,
    words::words,
    xml::{self, Build, Node, Tree, XmlError, broken, yes_no},
};

pub use lookup::SecretLookup;

words! {
    /// What a secret is for (`virSecretUsageType`).
    pub enum SecretUsageType {
        None = "none",
        Volume = "volume",
        Ceph = "ceph",
        Iscsi = "iscsi",
        Tls = "tls",
        Vtpm = "vtpm",
    }
}

impl SecretUsageType {
    /// libvirt's number.
    pub const fn number(self) -> u32 {
        self as u32
    }
}

/// A secret's definition (libvirt's `virSecretDef`).
///
/// ```
/// use virt_model::{Document, SecretDef, secret::SecretUsage};
///
/// let secret = SecretDef {
///     uuid: Some("0a81f5b2-8403-7b23-c8d6-21ccc2f80d6f".parse()?),
///     description: Some("CHAP of the array".to_owned()),
///     usage: Some(SecretUsage::Iscsi("array".to_owned())),
///     ..SecretDef::default()
/// };
/// assert_eq!(
///     secret.to_xml(Default::default()),
///     "\
/// <secret ephemeral='no' private='no'>
///   <uuid>0a81f5b2-8403-7b23-c8d6-21ccc2f80d6f</uuid>
///   <description>CHAP of the array</description>
///   <usage type='iscsi'>
///     <target>array</target>
///   </usage>
/// </secret>
/// "
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SecretDef {
    /// Whether the secret is kept in memory only.
    pub ephemeral: bool,
    /// Whether the value is never shown.
    pub private: bool,
    /// The UUID. None: still to be chosen.
    pub uuid: Option<Uuid>,
    /// A description for people.
    pub description: Option<String>,
    /// What the secret is for.
    pub usage: Option<SecretUsage>,
    #[doc(hidden)]
    pub _more: (),
}

/// What a secret is for, with the id that other documents name it by: `<usage>`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecretUsage {
    /// The volume with that path.
    Volume(String),
    /// A Ceph cluster; the id is free.
    Ceph(String),
    /// An iSCSI target; the id is free.
    Iscsi(String),
    /// A private key of TLS; the id is free.
    Tls(String),
    /// A virtual TPM; the id is free.
    Vtpm(String),
}

impl SecretUsage {
    /// The type.
    pub const fn kind(&self) -> SecretUsageType {
        match self {
            SecretUsage::Volume(_) => SecretUsageType::Volume,
            SecretUsage::Ceph(_) => SecretUsageType::Ceph,
            SecretUsage::Iscsi(_) => SecretUsageType::Iscsi,
            SecretUsage::Tls(_) => SecretUsageType::Tls,
            SecretUsage::Vtpm(_) => SecretUsageType::Vtpm,
        }
    }

    /// The id.
    pub fn id(&self) -> &str {
        match self {
            SecretUsage::Volume(id)
            | SecretUsage::Ceph(id)
            | SecretUsage::Iscsi(id)
            | SecretUsage::Tls(id)
            | SecretUsage::Vtpm(id) => id,
        }
    }

    /// libvirt's `virSecretDefParseUsage`. None for the type `none`.
    fn read(mut node: Node<'_>) -> Result<Option<SecretUsage>, XmlError> {
        let Some(word) = node.filled("type") else {
            return Err(node.error("unknown secret usage type"));
        };
        let Some(kind) = SecretUsageType::from_word(&word) else {
            return Err(node.unsupported(format!("unknown secret usage type {word}")));
        };
        let (child, make, missing): (_, fn(String) -> SecretUsage, _) = match kind {
            SecretUsageType::None => return Ok(None),
            SecretUsageType::Volume => (
                "volume",
                SecretUsage::Volume,
                "volume usage specified, but volume path is missing",
            ),
            SecretUsageType::Ceph => (
                "name",
                SecretUsage::Ceph,
                "Ceph usage specified, but name is missing",
            ),
            SecretUsageType::Iscsi => (
                "target",
                SecretUsage::Iscsi,
                "iSCSI usage specified, but target is missing",
            ),
            SecretUsageType::Tls => (
                "name",
                SecretUsage::Tls,
                "TLS usage specified, but name is missing",
            ),
            SecretUsageType::Vtpm => (
                "name",
                SecretUsage::Vtpm,
                "vTPM usage specified, but name is missing",
            ),
        };
        match node.text_of(child) {
            Some(id) => Ok(Some(make(id))),
            None => Err(node.fail(ErrorNumber::InternalError, missing)),
        }
    }

    fn to_element(&self) -> Element {
        let name = match self {
            SecretUsage::Volume(_) => "volume",
            SecretUsage::Iscsi(_) => "target",
            SecretUsage::Ceph(_) | SecretUsage::Tls(_) | SecretUsage::Vtpm(_) => "name",
        };
        Element::new("usage")
            .attr("type", self.kind())
            .child(Element::new(name).text(self.id()))
    }
}

impl Document for SecretDef {
    const ROOT: &'static str = "secret";
    type Flags = NoFlags;

    /// libvirt 9.0's `virSecretDefParse`.
    fn read(node: &mut Node<'_>) -> Result<SecretDef, XmlError> {
        let mut yes = |name: &str| match node.filled(name).as_deref() {
            None | Some("no") => Ok(false),
            Some("yes") => Ok(true),
            Some(_) => Err(node.error(format!("invalid value of '{name}'"))),
        };
        Ok(SecretDef {
            ephemeral: yes("ephemeral")?,
            private: yes("private")?,
            uuid: xml::read_uuid(node.child("uuid"))?,
            description: node.text_of("description"),
            usage: match node.child("usage") {
                Some(usage) => SecretUsage::read(usage)?,
                None => None,
            },
            _more: (),
        })
    }

    fn tree(&self, _: NoFlags) -> Tree {
        let root = broken(
            Element::new(SecretDef::ROOT)
                .attr("ephemeral", yes_no(self.ephemeral))
                .attr("private", yes_no(self.private))
                .maybe_text("uuid", self.uuid)
                .maybe_text("description", self.description.as_ref())
                .children(self.usage.as_ref().map(SecretUsage::to_element)),
        );
        Tree(root)
    }
}
