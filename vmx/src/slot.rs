//! Places of disks and drives in a virtual machine, and what definitions call them.

use std::fmt;
use std::str::FromStr;

use virt_model::LibvirtVersion;
use virt_model::domain::{DiskBus, DriveAddress};

/// A place for a disk or drive: `scsi0:1`, `ide1:0`, `floppy0`.
///
/// [`Display`](fmt::Display) is the prefix of the device's keys in a VMX file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot {
    /// The bus.
    pub bus: DiskBus,
    /// The controller, or the bus for IDE; 0 for floppies.
    pub controller: u32,
    /// The unit on the controller.
    pub unit: u32,
}

impl Slot {
    /// The slot with these numbers.
    pub const fn new(bus: DiskBus, controller: u32, unit: u32) -> Slot {
        Slot {
            bus,
            controller,
            unit,
        }
    }

    /// The device name and the address that a definition has for the slot, if it is read from a VMX file with that
    /// `virtualHW.version` as that libvirt version reads it.
    ///
    /// ```
    /// use vmx::virt_model::{LibvirtVersion, domain::DiskBus};
    /// use vmx::Slot;
    ///
    /// let (dev, address) = Slot::new(DiskBus::Ide, 1, 0).names(13, LibvirtVersion::Newest);
    /// assert_eq!((dev.as_str(), address.bus, address.unit), ("hdc", 1, 0));
    /// ```
    pub fn names(self, hardware: u32, libvirt: LibvirtVersion) -> (String, DriveAddress) {
        let Slot {
            bus,
            controller,
            unit,
        } = self;
        let per_controller = scsi_width(hardware, libvirt) - 1;
        let (prefix, index) = match bus {
            DiskBus::Scsi => {
                // libvirt before 12.4.0 counts 15 disks per controller in device names, also on wide
                // controllers, and derives the address from the name. The address then differs from the
                // file's.
                let counted = match libvirt >= LibvirtVersion::V12_4 {
                    true => per_controller,
                    false => 15,
                };
                ("sd", controller * counted + unit - u32::from(unit > 7))
            }
            DiskBus::Sata => ("sd", controller * SATA_UNITS + unit),
            DiskBus::Ide => ("hd", controller * 2 + unit),
            _ => ("fd", unit),
        };
        let address = match bus {
            DiskBus::Scsi => {
                let unit = index % per_controller;
                let unit = unit + u32::from(unit >= 7);
                DriveAddress::new(index / per_controller, 0, unit)
            }
            // libvirt gives a SATA controller 6 ports; VMware's has 30.
            DiskBus::Sata => DriveAddress::new(index / 6, 0, index % 6),
            DiskBus::Ide => DriveAddress::new(0, index / 2, index % 2),
            DiskBus::Nvme => DriveAddress::new(controller, 0, unit),
            _ => DriveAddress::new(0, 0, index),
        };
        let dev = match bus {
            DiskBus::Nvme => format!("nvme{controller}n{}", unit + 1),
            _ => format!("{prefix}{}", letters(index)),
        };
        (dev, address)
    }

    /// All slots of a bus that a machine with that `virtualHW.version` has.
    pub fn all(bus: DiskBus, hardware: u32, libvirt: LibvirtVersion) -> impl Iterator<Item = Slot> {
        let (controllers, units) = match bus {
            DiskBus::Scsi => (4, scsi_width(hardware, libvirt)),
            DiskBus::Sata => (4, SATA_UNITS),
            DiskBus::Nvme => (4, NVME_UNITS),
            DiskBus::Ide => (2, 2),
            DiskBus::Fdc => (1, 2),
            _ => (0, 0),
        };
        // Unit 7 is the controller itself.
        let own = (bus == DiskBus::Scsi).then_some(7);
        let slots = (0..controllers)
            .flat_map(move |controller| (0..units).map(move |unit| (controller, unit)));
        slots
            .filter(move |(_, unit)| Some(*unit) != own)
            .map(move |(controller, unit)| Slot::new(bus, controller, unit))
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Slot {
            bus,
            controller,
            unit,
        } = self;
        match bus {
            DiskBus::Fdc => write!(f, "floppy{unit}"),
            _ => write!(f, "{bus}{controller}:{unit}"),
        }
    }
}

/// The text is no slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no slot of a disk or drive")]
#[non_exhaustive]
pub struct NoSlot;

impl FromStr for Slot {
    type Err = NoSlot;

    fn from_str(text: &str) -> Result<Slot, NoSlot> {
        let number = |digits: &str| match digits.bytes().all(|byte| byte.is_ascii_digit()) {
            true => digits.parse::<u32>().map_err(|_| NoSlot),
            false => Err(NoSlot),
        };
        if let Some(unit) = text.strip_prefix("floppy") {
            return Ok(Slot::new(DiskBus::Fdc, 0, number(unit)?));
        }
        for bus in [DiskBus::Scsi, DiskBus::Ide, DiskBus::Sata, DiskBus::Nvme] {
            if let Some(place) = text.strip_prefix(bus.as_str()) {
                let (controller, unit) = place.split_once(':').ok_or(NoSlot)?;
                return Ok(Slot::new(bus, number(controller)?, number(unit)?));
            }
        }
        Err(NoSlot)
    }
}

/// The number of units of a SCSI bus, including the controller's own.
pub(crate) fn scsi_width(hardware: u32, libvirt: LibvirtVersion) -> u32 {
    match hardware {
        13.. if libvirt >= LibvirtVersion::V12_5 => 65,
        13.. => 64,
        _ => 16,
    }
}

/// Ports of VMware's SATA controller.
pub(crate) const SATA_UNITS: u32 = 30;

/// Units of VMware's NVMe controller.
pub(crate) const NVME_UNITS: u32 = 15;

/// The letters of a device name: a … z, aa, ab, ….
pub(crate) fn letters(index: u32) -> String {
    let mut letters = Vec::new();
    let mut rest = index + 1;
    while rest > 0 {
        rest -= 1;
        // The remainder is below 26.
        letters.push(char::from(b'a' + (rest % 26) as u8));
        rest /= 26;
    }
    letters.iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_read_back() {
        for bus in [
            DiskBus::Scsi,
            DiskBus::Sata,
            DiskBus::Nvme,
            DiskBus::Ide,
            DiskBus::Fdc,
        ] {
            for slot in Slot::all(bus, 13, LibvirtVersion::Newest) {
                assert_eq!(slot.to_string().parse(), Ok(slot));
            }
        }
        for text in ["scsi0", "scsi0:", "scsi+0:1", "floppy", "usb0:1", ""] {
            assert_eq!(text.parse::<Slot>(), Err(NoSlot), "{text}");
        }
    }

    #[test]
    fn no_two_slots_of_a_bus_have_one_name() {
        for (bus, count) in [
            (DiskBus::Scsi, 256),
            (DiskBus::Sata, 120),
            (DiskBus::Nvme, 60),
            (DiskBus::Ide, 4),
            (DiskBus::Fdc, 2),
        ] {
            let slots = Slot::all(bus, 13, LibvirtVersion::Newest);
            let names = slots.map(|slot| slot.names(13, LibvirtVersion::Newest).0);
            let names: std::collections::BTreeSet<String> = names.collect();
            assert_eq!(names.len(), count, "{bus}");
        }
    }
}
