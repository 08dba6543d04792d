use xmltree::Element;

use crate::xml::{Build, Node, XmlError};

/// How a network card is announced to its switch: `<virtualport>`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VirtualPort {
    /// `802.1Qbg`, `802.1Qbh`, `openvswitch` or `midonet`.
    pub kind: Option<String>,
    /// The attributes of `<parameters>`, in the order of the document.
    pub parameters: Vec<(String, String)>,
    #[doc(hidden)]
    pub _more: (),
}

/// The values of `type`.
const KINDS: [&str; 4] = ["802.1Qbg", "802.1Qbh", "openvswitch", "midonet"];

impl VirtualPort {
    pub(crate) fn read(mut node: Node<'_>, needs_kind: bool) -> Result<VirtualPort, XmlError> {
        let kind = node.attr("type");
        if kind.is_none() && needs_kind {
            return Err(node.error("missing required virtualport type"));
        }
        if let Some(kind) = &kind
            && !KINDS.contains(&kind.as_str())
        {
            return Err(node.unsupported(format!("unknown virtualport type {kind}")));
        }
        let parameters = node.child("parameters");
        Ok(VirtualPort {
            kind,
            parameters: parameters.map_or_else(Vec::new, |mut all| all.all_attrs()),
            _more: (),
        })
    }

    pub(crate) fn to_element(&self) -> Element {
        let parameters = self
            .parameters
            .iter()
            .fold(Element::new("parameters"), |all, (name, value)| {
                all.attr(name, value)
            });
        let port = Element::new("virtualport").maybe_attr("type", self.kind.as_ref());
        port.children((!parameters.attributes.is_empty()).then_some(parameters))
    }
}
