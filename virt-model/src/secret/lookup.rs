use xmltree::Element;

use crate::{
    Uuid,
    xml::{Build, Node, XmlError},
};

/// How a document names a secret (libvirt's `virSecretLookupTypeDef`): attributes of `<secret>`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecretLookup {
    /// By its UUID.
    Uuid(Uuid),
    /// By the id of its usage.
    Usage(String),
}

impl SecretLookup {
    /// libvirt's `virSecretLookupParseSecret`.
    pub(crate) fn read(node: &mut Node<'_>) -> Result<SecretLookup, XmlError> {
        match (node.attr("uuid"), node.attr("usage")) {
            (None, None) => Err(node.error("missing secret uuid or usage attribute")),
            (Some(_), Some(_)) => Err(node.error("either secret uuid or usage expected")),
            (None, Some(usage)) => Ok(SecretLookup::Usage(usage)),
            (Some(uuid), None) => match uuid.parse() {
                Ok(uuid) => Ok(SecretLookup::Uuid(uuid)),
                Err(_) => Err(node.error(format!("invalid secret uuid '{uuid}'"))),
            },
        }
    }

    /// Adds the attribute to `<secret>`.
    pub(crate) fn write(&self, element: Element) -> Element {
        match self {
            SecretLookup::Uuid(uuid) => element.attr("uuid", uuid),
            SecretLookup::Usage(usage) => element.attr("usage", usage),
        }
    }
}
