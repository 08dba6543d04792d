use xmltree::Element;

use crate::{
    words::words,
    xml::{Build, Node, XmlError, yes_no},
};

words! {
    /// How frames of the native VLAN are sent.
    pub enum NativeVlanMode {
        Tagged = "tagged",
        Untagged = "untagged",
    }
}

/// VLAN tags: `<vlan>`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Vlan {
    /// Whether the port is a trunk of several VLANs. With more than one tag it always is.
    pub trunk: bool,
    /// The tags; at least one.
    pub tags: Vec<VlanTag>,
    #[doc(hidden)]
    pub _more: (),
}

/// A VLAN tag.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VlanTag {
    /// The number, at most [`VlanTag::MAX_ID`].
    pub id: u32,
    /// How frames are sent, if this is the native VLAN.
    pub native_mode: Option<NativeVlanMode>,
    #[doc(hidden)]
    pub _more: (),
}

impl VlanTag {
    /// The largest number of a tag.
    pub const MAX_ID: u32 = 4095;
}

impl Vlan {
    pub(crate) fn read(mut node: Node<'_>) -> Result<Vlan, XmlError> {
        let trunk = node.attr("trunk");
        let tags = node.children("tag").into_iter().map(VlanTag::read);
        let tags = tags.collect::<Result<Vec<VlanTag>, XmlError>>()?;
        if tags.is_empty() {
            return Err(node.error(
                "missing tag id - each <vlan> must have at least one <tag id='n'/> subelement",
            ));
        }
        let trunk = match trunk.as_deref() {
            None => tags.len() > 1,
            Some("yes") => true,
            Some("no") if tags.len() > 1 => {
                return Err(node.error(
                    "invalid \"trunk='no'\" in <vlan> - trunk='yes' is required for more than \
                     one vlan tag",
                ));
            }
            Some("no") => false,
            Some(other) => {
                let message = format!("invalid \"trunk='{other}'\" in <vlan> - must be yes or no");
                return Err(node.error(message));
            }
        };
        Ok(Vlan {
            trunk,
            tags,
            _more: (),
        })
    }

    pub(crate) fn to_element(&self) -> Element {
        let trunk = self.trunk || self.tags.len() > 1;
        let tags = self.tags.iter().map(|tag| {
            Element::new("tag")
                .attr("id", tag.id)
                .maybe_attr("nativeMode", tag.native_mode)
        });
        Element::new("vlan")
            .maybe_attr("trunk", trunk.then_some(yes_no(true)))
            .children(tags)
    }
}

impl VlanTag {
    fn read(mut node: Node<'_>) -> Result<VlanTag, XmlError> {
        let Some(id) = node.number("id")? else {
            return Err(node.missing("id"));
        };
        if id > VlanTag::MAX_ID {
            let message = format!("vlan tag id {id} too large (maximum {})", VlanTag::MAX_ID);
            return Err(node.error(message));
        }
        Ok(VlanTag {
            id,
            native_mode: node.word("nativeMode")?,
            _more: (),
        })
    }
}
