//! Node devices: what a host is made of.

mod list;
mod name;
mod passthrough;
mod pci;
mod read;
mod storage;
mod tree;

use std::fmt;

use virt_model::{
    Document as _, ErrorDomain, ErrorNumber, NodeDeviceDef, flags::NoFlags,
    node_device::NodeDeviceCapabilityType,
};

pub(crate) use self::name::{adapter_name, lun_name, nic_name, pci_name};
pub use self::passthrough::Passthrough;
use crate::{Connect, Error, ErrorKind, Result, What};

/// A device of a host: libvirt's `virNodeDevice`.
///
/// A cheap clone that talks to a server through its [`Connect`]. Devices have libvirt's names (node_device_udev.c, 9.0.0),
/// made of what the host says of them, and are a tree by their parents:
///
/// | device | VI property | example | parent |
/// |---|---|---|---|
/// | the host | `hardware.systemInfo`, `biosInfo` | `computer` | |
/// | PCI device | `hardware.pciDevice` | `pci_0000_03_00_0` | its bridge, or the host |
/// | storage adapter | `config.storageDevice.hostBusAdapter` | `scsi_host32` for vmhba32 | its PCI device, or the host |
/// | target | `config.storageDevice.scsiTopology` | `scsi_target32_0_1` | its adapter |
/// | unit of a target | `config.storageDevice.scsiTopology` | `scsi_32_0_1_0` | its target |
/// | disk or drive | `config.storageDevice.scsiLun` | `block_naa_600508b1001c4d6e` | the first unit that it is |
/// | network card | `config.network.pnic` | `net_vmnic0_00_50_56_01_02_03` | its PCI device, or the host |
/// | graphics card | `config.graphicsInfo` | `drm_card0` | its PCI device, or the host |
///
/// A disk that is reached over several paths is one device, as it is to the host. (libvirt's ESX driver has no node
/// devices.)
#[derive(Clone)]
pub struct NodeDevice {
    connect: Connect,
    name: String,
    parent: Option<String>,
    capabilities: Vec<NodeDeviceCapabilityType>,
}

impl NodeDevice {
    fn of(connect: &Connect, def: &NodeDeviceDef) -> NodeDevice {
        NodeDevice {
            connect: connect.clone(),
            name: def.name.clone(),
            parent: def.parent.clone(),
            capabilities: def.capability_types(),
        }
    }

    /// The name.
    #[doc(alias = "virNodeDeviceGetName")]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name of the device that it is attached to, as it was when the device was found. None: it is the host.
    #[doc(alias = "virNodeDeviceGetParent")]
    pub fn parent(&self) -> Option<&str> {
        self.parent.as_deref()
    }

    /// What the device is, as it was when the device was found.
    #[doc(alias("virNodeDeviceNumOfCaps", "virNodeDeviceListCaps"))]
    pub fn capabilities(&self) -> &[NodeDeviceCapabilityType] {
        &self.capabilities
    }

    /// The connection.
    pub fn connect(&self) -> &Connect {
        &self.connect
    }

    /// Whether the device is active: always, without a request. A host tells of no others.
    #[doc(alias = "virNodeDeviceIsActive")]
    pub fn is_active(&self) -> bool {
        true
    }

    /// Whether the device is persistent: always, without a request.
    #[doc(alias = "virNodeDeviceIsPersistent")]
    pub fn is_persistent(&self) -> bool {
        true
    }

    /// Whether the device starts with its host: always, without a request.
    #[doc(alias = "virNodeDeviceGetAutostart")]
    pub fn autostart(&self) -> bool {
        true
    }

    /// The definition: one request (two on servers with an API from 4.0 to 5.1).
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if the host does not have the device any more; [`ErrorKind::Property`] if the user may not
    /// read the host's devices.
    pub async fn definition(&self) -> Result<NodeDeviceDef> {
        let mut devices = self.connect.node_devices().await?.definitions().into_iter();
        let found = devices.find(|device| device.name == self.name);
        found.ok_or_else(|| no_device(&self.name))
    }

    /// The definition as libvirt's XML document.
    ///
    /// # Errors
    /// As [`definition`](NodeDevice::definition).
    #[doc(alias = "virNodeDeviceGetXMLDesc")]
    pub async fn xml_desc(&self) -> Result<String> {
        Ok(self.definition().await?.to_xml(NoFlags::NONE))
    }
}

impl fmt::Debug for NodeDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodeDevice")
            .field("name", &self.name)
            .field("parent", &self.parent)
            .finish_non_exhaustive()
    }
}

/// libvirt's text (nodeDeviceObjFindByName of node_device_driver.c, 9.0.0).
fn no_device(name: &str) -> Error {
    missing(format!("no node device with matching name '{name}'"))
}

fn missing(message: String) -> Error {
    let kind = ErrorKind::NotFound(What::NodeDevice);
    Error::new(kind, ErrorNumber::NoNodeDevice, message).in_part(ErrorDomain::NodeDev)
}
