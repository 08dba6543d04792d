//! The disks and network cards of a domain, with the names by which the host measures them.

use vi_types::Poly;
use vi_types::objects::{
    VirtualDevice, VirtualDeviceDeviceBackingInfo, VirtualDisk, VirtualEthernetCard,
    VirtualEthernetCardDistributedVirtualPortBackingInfo,
};
use virt_model::LibvirtVersion;

use super::device::Name;
use super::{block, disks};

/// A disk.
pub(crate) struct MeasuredDisk {
    /// libvirt's name: `sda`.
    pub(crate) target: String,
    /// The instance of the counters of `virtualDisk`: `scsi0:0`.
    pub(crate) instance: String,
    pub(crate) source: Option<String>,
    pub(crate) capacity: u64,
}

/// A network card.
pub(crate) struct MeasuredCard {
    /// `ethernet0`.
    pub(crate) name: String,
    /// The instance of the counters of `net`: the device's key, `4000`.
    pub(crate) instance: String,
    pub(crate) mac: Option<String>,
    /// The network, or the key of the port group of a distributed switch.
    pub(crate) source: Option<String>,
    pub(crate) is_connected: bool,
}

/// The disks among `devices`, in the order of libvirt's definition. `version` is the machine's `config.version`.
pub(crate) fn measured_disks(
    devices: &[Poly<VirtualDevice>],
    version: Option<&str>,
    libvirt: LibvirtVersion,
) -> Vec<MeasuredDisk> {
    let drives = disks::drives(devices, version, libvirt).into_iter();
    let disk = |drive: disks::Drive<'_>| {
        let disk: &VirtualDisk = drive.disk()?;
        Some(MeasuredDisk {
            instance: Name::of(drive.device, devices)?.to_string(),
            source: drive.source.map(str::to_owned),
            capacity: block::capacity(disk),
            target: drive.target,
        })
    };
    drives.filter_map(disk).collect()
}

/// The network cards among `devices`, in the server's order.
pub(crate) fn measured_cards(devices: &[Poly<VirtualDevice>]) -> Vec<MeasuredCard> {
    let card = |device: &Poly<VirtualDevice>| {
        let card: &VirtualEthernetCard = device.cast()?;
        let backing = device.backing.as_ref();
        let network = backing
            .and_then(|backing| backing.cast::<VirtualDeviceDeviceBackingInfo>())
            .map(|network| network.device_name.clone());
        let port_group = || {
            let backing =
                backing?.cast::<VirtualEthernetCardDistributedVirtualPortBackingInfo>()?;
            backing.port.portgroup_key.clone()
        };
        let connection = device.connectable.as_deref();
        Some(MeasuredCard {
            name: Name::of(device, devices)?.to_string(),
            instance: device.key.to_string(),
            mac: card.mac_address.clone(),
            source: network.or_else(port_group).filter(|name| !name.is_empty()),
            is_connected: connection.is_some_and(|connection| connection.connected),
        })
    };
    devices.iter().filter_map(card).collect()
}
