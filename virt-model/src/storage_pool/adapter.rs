use xmltree::Element;

use crate::{
    ErrorNumber,
    domain::PciAddress,
    xml::{Build, Node, XmlError, decimal, yes_no},
};

/// The adapter of a pool of type `scsi`: `<adapter>`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoragePoolAdapter {
    /// An adapter of SCSI.
    ScsiHost(StoragePoolScsiHost),
    /// A virtual adapter of Fibre Channel.
    FcHost(StoragePoolFcHost),
}

/// How an adapter of SCSI is found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoragePoolScsiHost {
    /// By its name, such as `scsi_host3`.
    Name(String),
    /// By the PCI device it belongs to, and its number there.
    Parent {
        /// The device.
        address: PciAddress,
        /// The number.
        unique_id: u32,
    },
    /// Not at all, which is an error in a document of a pool of type `scsi`.
    Missing,
}

/// A virtual adapter of Fibre Channel, by its World Wide Names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StoragePoolFcHost {
    /// The name of the parent.
    pub parent: Option<String>,
    /// The parent's node name.
    pub parent_wwnn: Option<String>,
    /// The parent's port name.
    pub parent_wwpn: Option<String>,
    /// The name of the parent's fabric.
    pub parent_fabric_wwn: Option<String>,
    /// Whether libvirt makes and removes the adapter.
    pub managed: Option<bool>,
    /// The node name.
    pub wwnn: Option<String>,
    /// The port name.
    pub wwpn: Option<String>,
    #[doc(hidden)]
    pub _more: (),
}

impl StoragePoolAdapter {
    /// libvirt's `virStorageAdapterParseXML`. None if the element says nothing.
    pub(super) fn read(mut node: Node<'_>) -> Result<Option<StoragePoolAdapter>, XmlError> {
        let kind = node.one_of("type", &["scsi_host", "fc_host"])?;
        match kind.as_deref() {
            Some("fc_host") => {
                let managed = node.yes_no("managed")?;
                Ok(Some(StoragePoolAdapter::FcHost(StoragePoolFcHost {
                    parent: node.attr("parent"),
                    parent_wwnn: node.attr("parent_wwnn"),
                    parent_wwpn: node.attr("parent_wwpn"),
                    parent_fabric_wwn: node.attr("parent_fabric_wwn"),
                    managed,
                    wwnn: node.attr("wwnn"),
                    wwpn: node.attr("wwpn"),
                    _more: (),
                })))
            }
            Some(_) => {
                let host = StoragePoolScsiHost::read(&mut node)?;
                Ok(Some(StoragePoolAdapter::ScsiHost(host)))
            }
            // The form before libvirt 1.0.5.
            None => {
                if ["wwnn", "wwpn", "parent"]
                    .iter()
                    .any(|name| node.has_attr(name))
                {
                    return Err(node.error(
                        "Use of 'wwnn', 'wwpn', and 'parent' attributes requires use of the \
                         adapter 'type'",
                    ));
                }
                if node.count("parentaddr") > 0 {
                    return Err(node
                        .error("Use of 'parentaddr' element requires use of the adapter 'type'"));
                }
                let name = node.attr("name").map(StoragePoolScsiHost::Name);
                Ok(name.map(StoragePoolAdapter::ScsiHost))
            }
        }
    }

    /// libvirt's `virStorageAdapterValidate`.
    pub(super) fn check(&self, node: &Node<'_>) -> Result<(), XmlError> {
        match self {
            StoragePoolAdapter::FcHost(host) => host.check(node),
            StoragePoolAdapter::ScsiHost(StoragePoolScsiHost::Missing) => Err(node
                .error("Either 'name' or 'parent' must be specified for the 'scsi_host' adapter")),
            StoragePoolAdapter::ScsiHost(_) => Ok(()),
        }
    }

    pub(super) fn to_element(&self) -> Element {
        let element = Element::new("adapter");
        match self {
            StoragePoolAdapter::ScsiHost(host) => {
                let element = element.attr("type", "scsi_host");
                match host {
                    StoragePoolScsiHost::Name(name) => element.attr("name", name),
                    StoragePoolScsiHost::Missing => element,
                    StoragePoolScsiHost::Parent { address, unique_id } => element.child(
                        Element::new("parentaddr")
                            .attr("unique_id", unique_id)
                            .child(address.write(Element::new("address"))),
                    ),
                }
            }
            StoragePoolAdapter::FcHost(host) => element
                .attr("type", "fc_host")
                .maybe_attr("parent", host.parent.as_ref())
                .maybe_attr("parent_wwnn", host.parent_wwnn.as_ref())
                .maybe_attr("parent_wwpn", host.parent_wwpn.as_ref())
                .maybe_attr("parent_fabric_wwn", host.parent_fabric_wwn.as_ref())
                .maybe_attr("managed", host.managed.map(yes_no))
                .maybe_attr("wwnn", host.wwnn.as_ref())
                .maybe_attr("wwpn", host.wwpn.as_ref()),
        }
    }
}

impl StoragePoolScsiHost {
    /// libvirt's `virStorageAdapterParseXMLSCSIHost`.
    fn read(node: &mut Node<'_>) -> Result<StoragePoolScsiHost, XmlError> {
        let name = node.attr("name");
        let Some(mut parent) = node.child("parentaddr") else {
            return Ok(name.map_or(StoragePoolScsiHost::Missing, StoragePoolScsiHost::Name));
        };
        let Some(mut address) = parent.child("address") else {
            return Err(parent.error("Missing scsi_host PCI address element"));
        };
        let mut address = PciAddress::read(&mut address)?;
        // libvirt reads it and does not write it.
        address.multifunction = None;
        let unique_id = parent.attr("unique_id");
        let Some(unique_id) = unique_id.and_then(|id| decimal(&id)) else {
            return Err(parent.error("Missing or invalid scsi adapter 'unique_id' value"));
        };
        if name.is_some() {
            return Err(node.error(
                "Both 'name' and 'parent' cannot be specified for the 'scsi_host' adapter",
            ));
        }
        Ok(StoragePoolScsiHost::Parent { address, unique_id })
    }
}

impl StoragePoolFcHost {
    /// libvirt's `virStorageAdapterValidateFCHost`.
    fn check(&self, node: &Node<'_>) -> Result<(), XmlError> {
        let (Some(wwnn), Some(wwpn)) = (&self.wwnn, &self.wwpn) else {
            return Err(node.error("'wwnn' and 'wwpn' must be specified for adapter type 'fchost'"));
        };
        check_wwn(node, wwnn)?;
        check_wwn(node, wwpn)?;
        match (&self.parent_wwnn, &self.parent_wwpn) {
            (Some(wwnn), None) => {
                return Err(node.error(format!(
                    "when providing parent_wwnn='{wwnn}', the parent_wwpn must also be provided"
                )));
            }
            (None, Some(wwpn)) => {
                return Err(node.error(format!(
                    "when providing parent_wwpn='{wwpn}', the parent_wwnn must also be provided"
                )));
            }
            _ => {}
        }
        let parents = [
            &self.parent_wwnn,
            &self.parent_wwpn,
            &self.parent_fabric_wwn,
        ];
        parents
            .into_iter()
            .flatten()
            .try_for_each(|wwn| check_wwn(node, wwn))
    }
}

/// libvirt's `virValidateWWN`: 16 hexadecimal digits, with or without `0x`.
fn check_wwn(node: &Node<'_>, wwn: &str) -> Result<(), XmlError> {
    let digits = wwn.strip_prefix("0x").unwrap_or(wwn);
    if digits.len() == 16 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Ok(());
    }
    Err(node.fail(ErrorNumber::InternalError, format!("Malformed wwn: {wwn}")))
}
