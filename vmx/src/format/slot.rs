//! The slot of a disk in a VMX file, such as `scsi0:1`.

use virt_model::domain::{Address, Disk, DiskBus, DiskDevice, DriveAddress};

use super::Writer;
use crate::{
    Slot, VmxError,
    defaults::SCSI_UNITS,
    slot::{NVME_UNITS, SATA_UNITS},
};

impl Writer<'_> {
    /// Checks that a disk's address is the one that its device name tells, and that VMware has it.
    pub(super) fn verify(&self, disk: &Disk) -> Result<(), VmxError> {
        if self.lenient() {
            return self.lenient_slot(disk).map(|_| ());
        }
        self.libvirts_address(disk).map(|_| ())
    }

    /// The slot of a disk in the file.
    pub(super) fn slot(&self, disk: &Disk) -> Result<Slot, VmxError> {
        if self.lenient() {
            return self.lenient_slot(disk);
        }
        // libvirt checks names twice, in domain_conf.c and in vmx.c; this is vmx.c's check.
        let (prefix, bus, most) = match disk.target.bus {
            _ if disk.device == DiskDevice::Floppy => ("fd", "Floppy", 2),
            DiskBus::Ide => ("hd", "IDE", 4),
            _ => ("sd", "SCSI", 60),
        };
        let dev = &disk.target.dev;
        if !dev.starts_with(prefix) {
            return Err(VmxError::internal(format!(
                "Expecting domain XML attribute 'dev' of entry 'devices/disk/target' to start \
                 with '{prefix}'"
            )));
        }
        let Some(index) = disk.target.index() else {
            return Err(VmxError::internal(format!(
                "Could not parse valid disk index from '{dev}'"
            )));
        };
        if index >= most {
            return Err(VmxError::internal(format!(
                "{bus} disk index (parsed from '{dev}') is too large"
            )));
        }
        Ok(match prefix {
            "fd" => Slot::new(DiskBus::Fdc, 0, index),
            "hd" => Slot::new(DiskBus::Ide, index / 2, index % 2),
            _ => {
                let address = DriveAddress::scsi(index, SCSI_UNITS);
                Slot::new(DiskBus::Scsi, address.controller, address.unit)
            }
        })
    }

    /// The address, if libvirt accepts it.
    fn libvirts_address(&self, disk: &Disk) -> Result<DriveAddress, VmxError> {
        let (address, expected) = addresses(disk)?;
        let Some(expected) = expected else {
            return Err(VmxError::internal("Could not verify disk address"));
        };
        if (address.controller, address.bus, address.unit)
            != (expected.controller, expected.bus, expected.unit)
        {
            let DriveAddress {
                controller,
                bus,
                unit,
                ..
            } = address;
            return Err(VmxError::internal(format!(
                "Disk address {}:{}:{} doesn't match target device '{}'",
                controller.cast_signed(),
                bus.cast_signed(),
                unit.cast_signed(),
                disk.target.dev
            )));
        }
        self.in_range(disk.target.bus, address, 15)?;
        Ok(address)
    }

    /// Checks that VMware has the address, with SCSI units up to `last`.
    fn in_range(&self, bus: DiskBus, address: DriveAddress, last: u32) -> Result<(), VmxError> {
        let (name, controllers, buses, units) = match bus {
            DiskBus::Scsi => ("SCSI", 3, 0, last),
            DiskBus::Ide => ("IDE", 0, 1, 1),
            DiskBus::Fdc => ("FDC", 0, 0, 1),
            DiskBus::Sata if self.lenient() => ("SATA", 3, 0, SATA_UNITS - 1),
            DiskBus::Nvme if self.lenient() => ("NVMe", 3, 0, NVME_UNITS - 1),
            _ => {
                return Err(VmxError::unsupported(format!(
                    "Unsupported bus type '{bus}'"
                )));
            }
        };
        let range = |last: u32| match last {
            0 => "[0]".to_owned(),
            last => format!("[0..{last}]"),
        };
        let check = |what: &str, index: u32, last: u32| {
            if index <= last {
                return Ok(());
            }
            Err(VmxError::internal(format!(
                "{name} {what} index {index} out of {} range",
                range(last)
            )))
        };
        check("controller", address.controller, controllers)?;
        check("bus", address.bus, buses)?;
        if bus == DiskBus::Scsi && (address.unit > last || address.unit == 7) {
            return Err(VmxError::internal(format!(
                "SCSI unit index {} out of [0..6,8..{last}] range",
                address.unit
            )));
        }
        check("unit", address.unit, units)
    }

    /// The slot for a disk's address. The device name decides instead if libvirt derived the address from
    /// the name and VMware counts units differently.
    fn lenient_slot(&self, disk: &Disk) -> Result<Slot, VmxError> {
        let (mut address, expected) = addresses(disk)?;
        let bus = disk.target.bus;
        if bus == DiskBus::Sata && expected == Some(address) {
            let index = disk.target.index().unwrap_or_default();
            address = DriveAddress::new(index / SATA_UNITS, 0, index % SATA_UNITS);
        }
        let hardware = self.options.hardware_version;
        let needed = match bus {
            DiskBus::Sata => 10,
            DiskBus::Nvme => 13,
            _ => 0,
        };
        let last = if hardware >= 13 { 64 } else { 15 };
        self.in_range(bus, address, last)?;
        if hardware < needed {
            return Err(VmxError::unsupported(format!(
                "disk '{}' on bus '{bus}' needs virtual hardware version {needed} or higher, not \
                 {hardware}",
                disk.target.dev
            ))
            .with_help("use a higher virtual hardware version, or bus 'scsi' or 'ide'"));
        }
        Ok(match bus {
            DiskBus::Ide => Slot::new(bus, address.bus, address.unit),
            _ => Slot::new(bus, address.controller, address.unit),
        })
    }
}

/// The address of a disk, and the one that its device name tells.
fn addresses(disk: &Disk) -> Result<(DriveAddress, Option<DriveAddress>), VmxError> {
    match &disk.info.address {
        Some(Address::Drive(address)) => {
            let expected = disk.target.address(SCSI_UNITS);
            Ok((*address, expected))
        }
        other => {
            let kind = other.as_ref().map_or("none", Address::kind);
            Err(
                VmxError::unsupported(format!("Unsupported disk address type '{kind}'"))
                    .with_help("put the disk on bus 'scsi', 'ide' or 'fdc'"),
            )
        }
    }
}
