//! The definition of a device of a host: libvirt's `<device>` document.

mod bus;
mod capability;
mod fields;
mod net;
mod pci;
mod scsi;
mod storage;
mod system;

use xmltree::Element;

use crate::{
    Document, ErrorNumber,
    flags::{NoFlags, NodeDeviceFilter},
    xml::{Build, Node, Tree, XmlError},
};

pub use bus::{Drm, DrmType, Mdev, UsbDevice, UsbInterface};
pub use capability::{NodeDeviceCapability, NodeDeviceCapabilityType};
pub use net::{NetCapability, NetFeature, NetType};
pub use pci::{
    IommuGroup, MdevType, PciCapability, PciExpress, PciHeader, PciLink, PciLinkSpeed,
    VirtualFunctions,
};
pub use scsi::{FcHost, FcRemotePort, ScsiHost, ScsiTarget, ScsiUnit, VportOps};
pub use storage::{Removable, StorageCapability};
pub use system::{SystemCapability, SystemFirmware, SystemHardware};

/// The definition of a device of a host (libvirt's `virNodeDeviceDef`).
///
/// ```
/// use virt_model::{Document, NodeDeviceDef, node_device::{Drm, DrmType, NodeDeviceCapability}};
///
/// let drm = NodeDeviceCapability::Drm(Drm::new(DrmType::Render));
/// let device = NodeDeviceDef::new("drm_renderD128", "pci_0000_02_00_0", drm);
/// assert_eq!(
///     device.to_xml(Default::default()),
///     "\
/// <device>
///   <name>drm_renderD128</name>
///   <parent>pci_0000_02_00_0</parent>
///   <capability type='drm'>
///     <type>render</type>
///   </capability>
/// </device>
/// "
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NodeDeviceDef {
    /// The name.
    pub name: String,
    /// The path of the device below `/sys`, or what stands for it.
    pub path: Option<String>,
    /// The path of the device's node.
    pub devnode: Option<String>,
    /// The other names of the device's node.
    pub devlinks: Vec<String>,
    /// The name of the device that this one is attached to. None: the root of the tree.
    pub parent: Option<String>,
    /// The WWNN of the parent, where a document names the parent so.
    pub parent_wwnn: Option<String>,
    /// The WWPN of the parent.
    pub parent_wwpn: Option<String>,
    /// The WWN of the parent's fabric.
    pub parent_fabric_wwn: Option<String>,
    /// The driver that has the device.
    pub driver: Option<String>,
    /// What the device is; at least one in a document that was read.
    pub capabilities: Vec<NodeDeviceCapability>,
    #[doc(hidden)]
    pub _more: (),
}

impl NodeDeviceDef {
    /// A device with one capability. An empty `parent` makes the root of the tree.
    pub fn new(
        name: impl Into<String>,
        parent: impl Into<String>,
        capability: NodeDeviceCapability,
    ) -> NodeDeviceDef {
        NodeDeviceDef {
            name: name.into(),
            parent: Some(parent.into()).filter(|parent| !parent.is_empty()),
            capabilities: vec![capability],
            ..NodeDeviceDef::default()
        }
    }

    /// The types of what the device is, those within a capability after it (libvirt's
    /// `virNodeDeviceListCaps`).
    pub fn capability_types(&self) -> Vec<NodeDeviceCapabilityType> {
        let capabilities = self.capabilities.iter();
        capabilities.flat_map(NodeDeviceCapability::types).collect()
    }

    /// Whether the device is of that type.
    pub fn has_capability(&self, kind: NodeDeviceCapabilityType) -> bool {
        self.capability_types().contains(&kind)
    }

    /// The error of something in the device, in libvirt's form.
    fn error(&self, node: &Node<'_>, message: &str) -> XmlError {
        let message = format!("{message} for '{}'", self.name);
        node.fail(ErrorNumber::InternalError, message)
    }

    fn unsupported(&self, node: &Node<'_>, message: &str) -> XmlError {
        node.unsupported(format!("{message} for '{}'", self.name))
    }

    /// Reads `<parent>`.
    fn read_parent(&mut self, mut node: Node<'_>) -> Result<(), XmlError> {
        self.parent = Some(node.text().to_owned()).filter(|parent| !parent.is_empty());
        self.parent_wwnn = node.attr("wwnn");
        self.parent_wwpn = node.attr("wwpn");
        self.parent_fabric_wwn = node.attr("fabric_wwn");
        match (&self.parent_wwnn, &self.parent_wwpn) {
            (Some(wwnn), None) => Err(node.error(format!(
                "when providing parent wwnn='{wwnn}', the wwpn must also be provided"
            ))),
            (None, Some(wwpn)) => Err(node.error(format!(
                "when providing parent wwpn='{wwpn}', the wwnn must also be provided"
            ))),
            _ => Ok(()),
        }
    }
}

impl Document for NodeDeviceDef {
    const ROOT: &'static str = "device";
    type Flags = NoFlags;

    /// The checks and their order are those of libvirt 9.0's `virNodeDeviceDefParseXML`, observed with
    /// the test driver. Its parser leaves out some of what it writes (the driver, the counts of
    /// `vport_ops`); ours reads it.
    fn read(node: &mut Node<'_>) -> Result<NodeDeviceDef, XmlError> {
        let Some(name) = node.text_of("name") else {
            return Err(node.fail(ErrorNumber::NoName, ""));
        };
        let mut def = NodeDeviceDef {
            name,
            path: node.text_of("path"),
            ..NodeDeviceDef::default()
        };
        for mut devnode in node.children("devnode") {
            match devnode.attr("type").as_deref() {
                None => return Err(devnode.missing("type")),
                Some("dev") => def.devnode = Some(devnode.text().to_owned()),
                Some("link") => def.devlinks.push(devnode.text().to_owned()),
                Some(other) => return Err(devnode.invalid("type", other)),
            }
        }
        if let Some(mut driver) = node.child("driver") {
            def.driver = driver.text_of("name");
        }
        let capabilities = node.children("capability");
        if capabilities.is_empty() {
            return Err(def.error(node, "no device capabilities"));
        }
        for capability in capabilities {
            if let Some(capability) = NodeDeviceCapability::read(capability, &def)? {
                def.capabilities.push(capability);
            }
        }
        if let Some(parent) = node.child("parent") {
            def.read_parent(parent)?;
        }
        Ok(def)
    }

    /// Where the parent is named by its WWN, that is not written: libvirt does not either.
    fn tree(&self, _: NoFlags) -> Tree {
        let devnode = |kind, path: &String| Element::new("devnode").attr("type", kind).text(path);
        let driver = self.driver.as_ref();
        let driver = driver.map(|name| Element::new("driver").maybe_text("name", Some(name)));
        Tree(
            Element::new("device")
                .maybe_text("name", Some(&self.name))
                .maybe_text("path", self.path.as_ref())
                .children(self.devnode.iter().map(|path| devnode("dev", path)))
                .children(self.devlinks.iter().map(|path| devnode("link", path)))
                .maybe_text("parent", self.parent.as_ref())
                .children(driver)
                .children(
                    self.capabilities
                        .iter()
                        .map(NodeDeviceCapability::to_element),
                ),
        )
    }
}

impl NodeDeviceFilter {
    /// Whether the list has a device with these capabilities that is active or not.
    pub fn admits_device(self, types: &[NodeDeviceCapabilityType], active: bool) -> bool {
        let is_wanted = |kind: &NodeDeviceCapabilityType| self.contains(kind.filter());
        let wanted = !self.intersects(NodeDeviceFilter::FILTERS_CAP) || types.iter().any(is_wanted);
        wanted && self.admits(NodeDeviceFilter::ACTIVE, active, NodeDeviceFilter::INACTIVE)
    }
}
