use std::collections::BTreeMap;

use super::{internal, unsupported};
use crate::{
    ErrorNumber, XmlError,
    domain::{Address, Disk, DiskBus, DiskDevice, DiskSource},
};

pub(super) fn check(disk: &Disk) -> Result<(), XmlError> {
    let (dev, bus) = (&disk.target.dev, disk.target.bus);
    let outside = matches!(
        disk.source,
        DiskSource::Block(_) | DiskSource::Network(_) | DiskSource::Volume(_)
    );
    if disk.device == DiskDevice::Lun && !outside {
        return Err(unsupported(
            "disk device='lun' is only valid for block type disk source",
        ));
    }
    let floppy = disk.device == DiskDevice::Floppy;
    if floppy != (bus == DiskBus::Fdc) {
        let what = if floppy { "floppy disk" } else { "disk" };
        return Err(internal(format!("Invalid bus type '{bus}' for {what}")));
    }
    let named = |prefixes: &[&str]| prefixes.iter().any(|prefix| dev.starts_with(prefix));
    if floppy && !named(&["fd"]) {
        return Err(internal(format!("Invalid floppy device name: {dev}")));
    }
    if matches!(disk.device, DiskDevice::Disk | DiskDevice::Lun)
        && !named(&["hd", "sd", "vd", "xvd", "ubd", "nvme"])
    {
        return Err(internal(format!("Invalid harddisk device name: {dev}")));
    }
    if matches!(
        bus,
        DiskBus::Scsi | DiskBus::Ide | DiskBus::Fdc | DiskBus::Sata
    ) && let Some(address) = &disk.info.address
        && !matches!(address, Address::Drive(_))
    {
        return Err(unsupported(format!(
            "Invalid address type '{}' for the disk '{dev}' with the bus type '{bus}'",
            address.kind()
        )));
    }
    let local = matches!(
        disk.source,
        DiskSource::File(None) | DiskSource::Block(None) | DiskSource::Dir(None)
    );
    if disk.device == DiskDevice::Disk && local {
        return Err(XmlError::new(ErrorNumber::NoSource, dev));
    }
    Ok(())
}

/// Checks that no two disks have the same name or the same address.
pub(super) fn check_distinct(disks: &[Disk]) -> Result<(), XmlError> {
    let mut names: BTreeMap<&str, &Disk> = BTreeMap::new();
    for disk in disks {
        if let Some(first) = names.insert(&disk.target.dev, disk) {
            let path = |disk: &Disk| disk.source.path().unwrap_or("<null>").to_owned();
            let text = format!(
                "target '{}' duplicated for disk sources '{}' and '{}'",
                disk.target.dev,
                path(first),
                path(disk)
            );
            return Err(XmlError::new(ErrorNumber::XmlError, text));
        }
    }
    let mut places = BTreeMap::new();
    for disk in disks {
        let Some(Address::Drive(address)) = disk.info.address else {
            continue;
        };
        if let Some(first) = places.insert((disk.target.bus, address), disk) {
            return Err(unsupported(format!(
                "Found duplicate drive address for disk with target name '{}' controller='{}' \
                 bus='{}' target='{}' unit='{}'",
                first.target.dev, address.controller, address.bus, address.target, address.unit
            )));
        }
    }
    Ok(())
}
