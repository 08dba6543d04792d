//! The names of disks' targets, and the addresses that libvirt takes from them.

use virt_model::domain::{DiskBus, DiskTarget, DriveAddress};

/// The address that libvirt gives to a disk of this target; none if the name says no number.
pub(super) fn address(target: &DiskTarget) -> Option<DriveAddress> {
    if target.bus == DiskBus::Nvme {
        let (controller, namespace) = target.dev.strip_prefix("nvme")?.split_once('n')?;
        let namespace: u32 = namespace.parse().ok()?;
        let unit = namespace.checked_sub(1)?;
        return Some(DriveAddress::new(controller.parse().ok()?, 0, unit));
    }
    let index = target.index()?;
    Some(match target.bus {
        DiskBus::Scsi => scsi(index),
        DiskBus::Ide => DriveAddress::new(index / 4, index % 4 / 2, index % 2),
        // libvirt gives a SATA controller six ports, VMware thirty.
        DiskBus::Sata => DriveAddress::new(index / 6, 0, index % 6),
        DiskBus::Fdc => DriveAddress::new(index / 2, 0, index % 2),
        _ => DriveAddress::default(),
    })
}

/// The place of the SCSI disk of that number: fifteen a controller, which is unit 7 itself.
pub(super) fn scsi(index: u32) -> DriveAddress {
    let unit = index % 15;
    DriveAddress::new(index / 15, 0, unit + u32::from(unit >= 7))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_follow_from_names() {
        for (bus, dev, expected) in [
            (DiskBus::Scsi, "sdg", Some((0, 0, 6))),
            (DiskBus::Scsi, "sdh", Some((0, 0, 8))),
            (DiskBus::Scsi, "sdo", Some((0, 0, 15))),
            (DiskBus::Scsi, "sdp", Some((1, 0, 0))),
            (DiskBus::Ide, "hdd", Some((0, 1, 1))),
            (DiskBus::Ide, "hde", Some((1, 0, 0))),
            (DiskBus::Sata, "sdg", Some((1, 0, 0))),
            (DiskBus::Fdc, "fdb", Some((0, 0, 1))),
            (DiskBus::Nvme, "nvme1n3", Some((1, 0, 2))),
            (DiskBus::Nvme, "nvme1n0", None),
            (DiskBus::Nvme, "sda", None),
        ] {
            let target = DiskTarget {
                dev: dev.to_owned(),
                bus,
                ..DiskTarget::default()
            };
            let expected = expected.map(|(c, b, u)| DriveAddress::new(c, b, u));
            assert_eq!(address(&target), expected, "{bus} {dev}");
        }
    }
}
