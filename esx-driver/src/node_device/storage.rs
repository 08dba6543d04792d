//! Storage adapters, their targets, and the disks and drives.

use vi_types::{
    Poly,
    objects::{
        HostFibreChannelHba, HostFibreChannelTargetTransport, HostHostBusAdapter, HostScsiDisk,
        HostScsiTopologyTarget, ScsiLun,
    },
};
use virt_model::{
    NodeDeviceDef,
    node_device::{
        FcHost, FcRemotePort, NodeDeviceCapability, Removable, ScsiHost, ScsiTarget, ScsiUnit,
        StorageCapability,
    },
};

use super::{
    name::{COMPUTER, adapter_name, lun_name, parent_name},
    read::Devices,
};

/// Where a target is.
#[derive(Debug, Clone, Copy)]
struct Place {
    host: u32,
    bus: u32,
    target: u32,
}

impl Devices {
    /// A storage adapter.
    pub(super) fn adapter_device(&self, adapter: &Poly<HostHostBusAdapter>) -> NodeDeviceDef {
        let fibre = adapter.cast::<HostFibreChannelHba>();
        let host = ScsiHost {
            host: number(&adapter.device),
            fc_host: fibre.map(|fibre| FcHost {
                wwnn: wwn(fibre.node_world_wide_name),
                wwpn: wwn(fibre.port_world_wide_name),
                fabric_wwn: None,
            }),
            ..ScsiHost::default()
        };
        let name = adapter_name(adapter);
        let parent = parent_name(adapter.pci.as_deref());
        NodeDeviceDef::new(name, parent, NodeDeviceCapability::ScsiHost(host))
    }

    /// The targets of all adapters, the units of each behind it; and the disks and drives behind them.
    pub(super) fn scsi_devices(&self) -> Vec<NodeDeviceDef> {
        let mut devices = Vec::new();
        // The disk or drive, and the unit that it is on its first path.
        let mut parents: Vec<(&str, String)> = Vec::new();
        for path in &self.paths {
            let mut adapters = self.adapters.iter();
            let is_own = |adapter: &&Poly<HostHostBusAdapter>| {
                adapter.key.as_deref() == Some(&*path.adapter)
            };
            let Some(adapter) = adapters.find(is_own) else {
                continue;
            };
            for target in &path.target {
                let place = Place {
                    host: number(&adapter.device),
                    bus: channel(&target.key),
                    target: u32::try_from(target.target).unwrap_or(0),
                };
                let target_device = target_device(place, target, adapter_name(adapter));
                let target_name = target_device.name.clone();
                devices.push(target_device);
                for unit in &target.lun {
                    let lun = self.lun(&unit.scsi_lun);
                    let lun_number = u32::try_from(unit.lun).unwrap_or(0);
                    let device = unit_device(place, lun_number, lun, target_name.clone());
                    if !parents.iter().any(|(key, _)| *key == unit.scsi_lun) {
                        parents.push((&unit.scsi_lun, device.name.clone()));
                    }
                    devices.push(device);
                }
            }
        }
        for lun in &self.luns {
            let mut parents = parents.iter();
            let parent = parents.find(|(key, _)| is_lun(lun, key));
            let parent = parent.map_or(COMPUTER, |(_, parent)| parent);
            devices.extend(block_device(lun, parent));
        }
        devices
    }

    fn lun(&self, key: &str) -> Option<&Poly<ScsiLun>> {
        self.luns.iter().find(|lun| is_lun(lun, key))
    }
}

/// Whether a path leads to the unit. API 2.5 has no keys, and means the UUID.
fn is_lun(lun: &ScsiLun, key: &str) -> bool {
    lun.key.as_deref().unwrap_or(&lun.uuid) == key
}

fn target_device(place: Place, target: &HostScsiTopologyTarget, parent: String) -> NodeDeviceDef {
    let Place {
        host,
        bus,
        target: number,
    } = place;
    let transport = target.transport.as_ref();
    let fibre = transport.and_then(|any| any.cast::<HostFibreChannelTargetTransport>());
    let capability = ScsiTarget {
        name: format!("target{host}:{bus}:{number}"),
        fc_remote_port: fibre.map(|fibre| FcRemotePort {
            rport: format!("rport-{host}:{bus}-{number}"),
            wwpn: wwn(fibre.port_world_wide_name),
        }),
        ..ScsiTarget::default()
    };
    let name = format!("scsi_target{host}_{bus}_{number}");
    NodeDeviceDef::new(name, parent, NodeDeviceCapability::ScsiTarget(capability))
}

fn unit_device(
    place: Place,
    number: u32,
    lun: Option<&Poly<ScsiLun>>,
    parent: String,
) -> NodeDeviceDef {
    let Place { host, bus, target } = place;
    let unit = ScsiUnit {
        host,
        bus,
        target,
        lun: number,
        kind: lun.and_then(|lun| kind(&lun.lun_type)).map(str::to_owned),
        ..ScsiUnit::default()
    };
    let name = format!("scsi_{host}_{bus}_{target}_{number}");
    NodeDeviceDef::new(name, parent, NodeDeviceCapability::Scsi(unit))
}

/// A disk or drive.
fn block_device(lun: &Poly<ScsiLun>, parent: &str) -> Option<NodeDeviceDef> {
    let name = lun_name(lun)?;
    let disk = lun.cast::<HostScsiDisk>();
    let path = disk.map_or(&lun.base.device_name, |disk| &disk.device_path);
    let size = |disk: &HostScsiDisk| {
        let block = u64::try_from(disk.capacity.block_size).ok()?;
        let count = u64::try_from(disk.capacity.block).ok()?;
        Some((block.checked_mul(count)?, block, count))
    };
    let (size, logical_block_size, num_blocks) = disk.and_then(size).unwrap_or_default();
    let storage = StorageCapability {
        block: path.clone(),
        bus: Some("scsi".to_owned()),
        drive_type: Some(if disk.is_some() { "disk" } else { "cdrom" }.to_owned()),
        model: filled(lun.model.as_deref()),
        vendor: filled(lun.vendor.as_deref()),
        // What hosts say of a disk whose number they cannot read.
        serial: filled(lun.serial_number.as_deref()).filter(|serial| serial != "unavailable"),
        size,
        logical_block_size,
        num_blocks,
        // Hosts do not tell whether there is a medium.
        removable: disk.is_none().then(Removable::default),
        ..StorageCapability::default()
    };
    let mut def = NodeDeviceDef::new(name, parent, NodeDeviceCapability::Storage(storage));
    def.devnode = filled(Some(path));
    Some(def)
}

/// libvirt's word (udevProcessSCSIDevice of node_device_udev.c, 9.0.0) for a type of units.
fn kind(lun_type: &str) -> Option<&'static str> {
    Some(match lun_type {
        "disk" => "disk",
        "tape" => "tape",
        "printer" => "printer",
        "processor" => "processor",
        "worm" => "worm",
        "cdrom" => "cdrom",
        "scanner" => "scanner",
        "opticalDevice" => "mod",
        "mediaChanger" => "changer",
        "enclosure" => "enclosure",
        "storageArrayController" => "raid",
        _ => return None,
    })
}

/// The number of an adapter: 32 for vmhba32.
fn number(device: &str) -> u32 {
    let number = device.trim_start_matches(|c: char| !c.is_ascii_digit());
    number.parse().unwrap_or(0)
}

/// The channel of a target, which only its key tells: `key-vim.host.ScsiTopology.Target-vmhba1:0:3`.
fn channel(key: &str) -> u32 {
    let mut parts = key.rsplit(':');
    let (_, channel) = (parts.next(), parts.next());
    channel.and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// A world wide name, as libvirt writes it.
fn wwn(name: i64) -> String {
    format!("{:016x}", name.cast_unsigned())
}

/// A text without the spaces that SCSI fills up with; `None` if nothing is left.
pub(super) fn filled(text: Option<&str>) -> Option<String> {
    let text = text?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels() {
        for (key, expected) in [
            ("key-vim.host.ScsiTopology.Target-vmhba1:2:3", 2),
            ("key-vim.host.ScsiTopology.Target-vmhba1:0:3", 0),
            ("key", 0),
            ("a:b:c", 0),
        ] {
            assert_eq!(channel(key), expected, "{key}");
        }
        assert_eq!(number("vmhba32"), 32);
        assert_eq!(number("other"), 0);
    }
}
