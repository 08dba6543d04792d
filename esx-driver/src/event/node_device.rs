//! Events of node devices.

use std::collections::BTreeMap;

use futures_core::future::BoxFuture;
use vi_client::property_set;
use vi_types::{
    Poly,
    objects::{HostHostBusAdapter, HostPciDevice, PhysicalNic, ScsiLun},
};
use virt_model::event::{NodeDeviceEventId, NodeDeviceLifecycleEvent};

use super::callbacks::{Callbacks, Event};
use super::events::Events;
use super::follow::follow_host;
use super::source::{Running, Source};
use crate::node_device::{adapter_name, lun_name, nic_name, pci_name};
use crate::{Connect, Result};

/// Something that happened to a node device.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NodeDeviceEvent {
    /// The device's name, as libvirt makes it; see [`NodeDeviceEvents`].
    pub name: String,
    /// What happened.
    pub detail: NodeDeviceEventDetail,
}

/// What happened to a node device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum NodeDeviceEventDetail {
    /// It appeared or vanished.
    Lifecycle(NodeDeviceLifecycleEvent),
    /// Something about it changed, such as the link of a network card.
    Update,
}

/// The events of the devices of a connection's host.
///
/// A device that appears is `Created`, one that vanishes `Deleted`; any other change is an
/// [`Update`](NodeDeviceEventDetail::Update). The devices, with the names of
/// [`NodeDevice`](crate::NodeDevice)s:
///
/// | device | VI property | example |
/// |---|---|---|
/// | PCI device | `hardware.pciDevice` | `pci_0000_03_00_0` |
/// | network card | `config.network.pnic` | `net_vmnic0_00_50_56_01_02_03` |
/// | storage adapter | `config.storageDevice.hostBusAdapter` | `scsi_host32` for vmhba32 |
/// | disk or drive | `config.storageDevice.scsiLun` | `block_naa_600508b1001c4d6e` |
///
/// Three requests to begin with; a fourth waits for changes.
pub type NodeDeviceEvents = Events<NodeDeviceEvent>;

impl Connect {
    /// The events of the host's devices. No request.
    pub fn node_device_events(&self) -> NodeDeviceEvents {
        Events::of(self)
    }
}

impl Event for NodeDeviceEvent {
    type Object = String;
    type Id = NodeDeviceEventId;

    fn id(&self) -> NodeDeviceEventId {
        match self.detail {
            NodeDeviceEventDetail::Lifecycle(_) => NodeDeviceEventId::Lifecycle,
            NodeDeviceEventDetail::Update => NodeDeviceEventId::Update,
        }
    }

    fn is_about(&self, object: &String) -> bool {
        self.name == *object
    }
}

property_set! {
    struct Devices: HostSystem {
        pci: Vec<HostPciDevice> = hardware.pci_device,
        nics: Vec<PhysicalNic> = config.network.pnic,
        adapters: Vec<Poly<HostHostBusAdapter>> = config.storage_device.host_bus_adapter,
        luns: Vec<Poly<ScsiLun>> = config.storage_device.scsi_lun,
    }
}

impl Source for NodeDeviceEvent {
    fn start(
        connect: Connect,
        callbacks: Callbacks<NodeDeviceEvent>,
    ) -> BoxFuture<'static, Result<Running>> {
        Box::pin(async move { follow_host(&connect, callbacks, changes).await })
    }
}

/// What the server says about a device.
#[derive(Debug, PartialEq)]
enum Device<'a> {
    Pci(&'a HostPciDevice),
    Nic(&'a PhysicalNic),
    Adapter(&'a Poly<HostHostBusAdapter>),
    Lun(&'a Poly<ScsiLun>),
}

impl Devices {
    /// The devices by their names.
    fn by_name(&self) -> BTreeMap<String, Device<'_>> {
        let pci = self
            .pci
            .iter()
            .map(|pci| (pci_name(&pci.id), Device::Pci(pci)));
        let nics = self.nics.iter();
        let nics = nics.map(|nic| (nic_name(nic), Device::Nic(nic)));
        let adapters = self.adapters.iter();
        let adapters = adapters.map(|adapter| (adapter_name(adapter), Device::Adapter(adapter)));
        let luns = self.luns.iter();
        let luns = luns.filter_map(|lun| Some((lun_name(lun)?, Device::Lun(lun))));
        pci.chain(nics).chain(adapters).chain(luns).collect()
    }
}

/// The events that lead from one state of the host's devices to another.
fn changes(before: &Devices, now: &Devices) -> Vec<NodeDeviceEvent> {
    use NodeDeviceLifecycleEvent::{Created, Deleted};

    let (before, now) = (before.by_name(), now.by_name());
    let event = |name: &String, detail| NodeDeviceEvent {
        name: name.clone(),
        detail,
    };
    let gone = before.keys().filter(|name| !now.contains_key(*name));
    let gone = gone.map(|name| event(name, NodeDeviceEventDetail::Lifecycle(Deleted)));
    let there = now
        .iter()
        .filter_map(|(name, device)| match before.get(name) {
            None => Some(event(name, NodeDeviceEventDetail::Lifecycle(Created))),
            Some(known) if known != device => Some(event(name, NodeDeviceEventDetail::Update)),
            Some(_) => None,
        });
    gone.chain(there).collect()
}
