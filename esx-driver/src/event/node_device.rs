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
/// [`Update`](NodeDeviceEventDetail::Update). The devices and their names, which follow libvirt's
/// (node_device_udev.c, 9.0.0):
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
        let nics = self.nics.iter().map(|nic| {
            let name = format!("net_{}_{}", nic.device, nic.mac.to_ascii_lowercase());
            (plain(&name), Device::Nic(nic))
        });
        let adapters = self.adapters.iter().map(|adapter| {
            let number = adapter.device.trim_start_matches("vmhba");
            (
                plain(&format!("scsi_host{number}")),
                Device::Adapter(adapter),
            )
        });
        let luns = self.luns.iter().map(|lun| {
            let name = lun.canonical_name.as_deref();
            let name = name.unwrap_or(&lun.device_name);
            (plain(&format!("block_{name}")), Device::Lun(lun))
        });
        pci.chain(nics).chain(adapters).chain(luns).collect()
    }
}

/// The name of a PCI device from its address, `0000:03:00.0`. Old hosts leave out the domain.
fn pci_name(address: &str) -> String {
    let domain = match address.matches(':').count() {
        1 => "0000:",
        _ => "",
    };
    plain(&format!("pci_{domain}{}", address.to_ascii_lowercase()))
}

/// As libvirt does it, everything but letters and digits becomes `_`.
fn plain(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    name.chars().map(plain).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (address, expected) in [
            ("0000:03:00.0", "pci_0000_03_00_0"),
            ("0000:1F:0a.7", "pci_0000_1f_0a_7"),
            ("03:00.0", "pci_0000_03_00_0"),
        ] {
            assert_eq!(pci_name(address), expected);
        }
    }
}
