//! Disks and drives of a virtual machine by libvirt's names.

use std::collections::HashMap;

use vi_types::Poly;
use vi_types::objects::{
    VirtualCdrom, VirtualController, VirtualDevice, VirtualDeviceDeviceBackingInfo,
    VirtualDeviceFileBackingInfo, VirtualDeviceRemoteDeviceBackingInfo, VirtualDisk, VirtualFloppy,
};
use virt_model::domain::DiskBus;
use virt_model::{ErrorNumber, LibvirtVersion};
use vmx::Slot;

use super::device::bus;
use crate::{Error, ErrorKind, Result, What};

/// A disk or drive.
#[derive(Debug)]
pub(super) struct Drive<'a> {
    /// libvirt's name of it: `sda`.
    pub(super) target: String,
    /// The file or device of the host; `None` if the drive is empty.
    pub(super) source: Option<&'a str>,
    pub(super) device: &'a Poly<VirtualDevice>,
    /// Where it stands in a definition: by bus, controller and unit.
    place: (u32, u32, u32),
}

impl<'a> Drive<'a> {
    /// The disk, if it is no drive for removable media.
    pub(super) fn disk(&self) -> Option<&'a VirtualDisk> {
        self.device.cast()
    }
}

/// The disks and drives among `devices`, in the order of libvirt's definition. `version` is the machine's
/// `config.version`.
pub(super) fn drives<'a>(
    devices: &'a [Poly<VirtualDevice>],
    version: Option<&str>,
    libvirt: LibvirtVersion,
) -> Vec<Drive<'a>> {
    let hardware = version.and_then(|version| version.strip_prefix("vmx-")?.parse().ok());
    let controllers: HashMap<i32, (DiskBus, u32)> = devices
        .iter()
        .filter_map(|device| {
            let controller = device.cast::<VirtualController>()?;
            let number = u32::try_from(controller.bus_number).ok()?;
            Some((device.key, (bus(device)?, number)))
        })
        .collect();
    let drive = |device: &'a Poly<VirtualDevice>| {
        let unit = device
            .unit_number
            .and_then(|unit| u32::try_from(unit).ok())?;
        // No bus has more units; a larger number would overflow the name's index.
        let unit = Some(unit).filter(|unit| *unit < 256)?;
        // A definition has no drives of clients.
        let backing = device.backing.as_ref();
        if backing.is_some_and(|backing| backing.is::<VirtualDeviceRemoteDeviceBackingInfo>()) {
            return None;
        }
        let is_floppy = device.is::<VirtualFloppy>();
        let (bus, controller) = match device.controller_key {
            _ if is_floppy => (DiskBus::Fdc, 0),
            Some(key) if device.is::<VirtualDisk>() || device.is::<VirtualCdrom>() => {
                *controllers.get(&key).filter(|(_, number)| *number < 256)?
            }
            _ => return None,
        };
        let hardware = hardware.unwrap_or(4);
        Some(Drive {
            target: Slot::new(bus, controller, unit).names(hardware, libvirt).0,
            source: source(device),
            device,
            place: (rank(bus), controller, unit),
        })
    };
    let mut drives: Vec<_> = devices.iter().filter_map(drive).collect();
    drives.sort_by_key(|drive| drive.place);
    drives
}

/// The drive of that name or source. libvirt calls a disk on SCSI and a drive on SATA both `sda`: the name means the disk.
///
/// # Errors
/// libvirt's text (`virDomainDiskByName` and its callers in 9.0.0) if there is none; [`ErrorKind::Ambiguous`] if the name means
/// several.
pub(super) fn find<'a, 'd>(drives: &'d [Drive<'a>], path: &str) -> Result<&'d Drive<'a>> {
    if let Some(found) = drives.iter().find(|drive| drive.source == Some(path)) {
        return Ok(found);
    }
    let named = || drives.iter().filter(|drive| drive.target == path);
    let disks = named().filter(|drive| drive.disk().is_some());
    let found: Vec<_> = match disks.clone().next() {
        Some(_) => disks.collect(),
        None => named().collect(),
    };
    match found.as_slice() {
        [one] => Ok(one),
        [] => Err(invalid(format!(
            "invalid path {path} not assigned to domain"
        ))),
        _ => Err(several(path)),
    }
}

/// The error for a name that several disks have, which disks on SCSI and on SATA may.
pub(super) fn several(name: &str) -> Error {
    Error::new(
        ErrorKind::Ambiguous,
        ErrorNumber::OperationFailed,
        format!("several disks are called '{name}'"),
    )
    .advise("use the disk's source")
}

pub(super) fn invalid(message: String) -> Error {
    Error::new(
        ErrorKind::NotFound(What::Device),
        ErrorNumber::InvalidArg,
        message,
    )
}

/// Where the bus stands in a definition that was read from a VMX file.
fn rank(bus: DiskBus) -> u32 {
    let order = [
        DiskBus::Scsi,
        DiskBus::Sata,
        DiskBus::Ide,
        DiskBus::Fdc,
        DiskBus::Nvme,
    ];
    (0..)
        .zip(order)
        .find_map(|(rank, other)| (other == bus).then_some(rank))
        .unwrap_or(u32::MAX)
}

fn source(device: &Poly<VirtualDevice>) -> Option<&str> {
    let backing = device.backing.as_ref()?;
    let file = backing
        .cast::<VirtualDeviceFileBackingInfo>()
        .map(|file| file.file_name.as_str());
    let of_host = || {
        let device = backing.cast::<VirtualDeviceDeviceBackingInfo>();
        device.map(|device| device.device_name.as_str())
    };
    file.or_else(of_host).filter(|name| !name.is_empty())
}
