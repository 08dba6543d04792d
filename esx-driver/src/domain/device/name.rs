//! VMware's names of devices: the prefixes of their keys in a VMX file.

use std::fmt;
use std::str::FromStr;

use vi_types::Poly;
use vi_types::objects::{
    VirtualCdrom, VirtualController, VirtualDevice, VirtualDisk, VirtualEthernetCard,
    VirtualFloppy, VirtualIdeController, VirtualMachineVideoCard, VirtualNvmeController,
    VirtualParallelPort, VirtualSataController, VirtualScsiController, VirtualScsiPassthrough,
    VirtualSerialPort, VirtualSoundCard, VirtualTpm, VirtualUsbController,
    VirtualUsbxhciController,
};
use virt_model::domain::DiskBus;
use vmx::Slot;

/// The name of a device, which no other device of the machine has: `scsi0:1`, `ethernet0`, `serial1`, `scsi0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Name {
    /// A controller for disks and drives.
    Controller(DiskBus, u32),
    /// A disk or drive.
    Disk(Slot),
    Ethernet(u32),
    Serial(u32),
    Parallel(u32),
    Usb,
    UsbXhci,
    Sound,
    Tpm,
    Video,
}

impl Name {
    /// The name of a device among all devices of its machine. `None` for a device that libvirt has no word for.
    pub(crate) fn of(device: &Poly<VirtualDevice>, all: &[Poly<VirtualDevice>]) -> Option<Name> {
        if let Some(bus) = bus(device) {
            let controller = device.cast::<VirtualController>()?;
            return Some(Name::Controller(bus, number(controller.bus_number)?));
        }
        if device.is::<VirtualDisk>()
            || device.is::<VirtualCdrom>()
            || device.is::<VirtualScsiPassthrough>()
        {
            let key = device.controller_key?;
            let controller = all.iter().find(|one| one.key == key)?;
            let bus = bus(controller)?;
            let index = number(controller.cast::<VirtualController>()?.bus_number)?;
            let unit = number(device.unit_number?)?;
            return Some(Name::Disk(Slot::new(bus, index, unit)));
        }
        // The host numbers these by their keys. vcsim chooses other keys, which are distinct too.
        let numbered = |first| number(device.key - first).or_else(|| number(device.key));
        Some(if device.is::<VirtualFloppy>() {
            Name::Disk(Slot::new(DiskBus::Fdc, 0, numbered(8000)?))
        } else if device.is::<VirtualEthernetCard>() {
            Name::Ethernet(numbered(4000)?)
        } else if device.is::<VirtualSerialPort>() {
            Name::Serial(numbered(9000)?)
        } else if device.is::<VirtualParallelPort>() {
            Name::Parallel(numbered(10_000)?)
        } else if device.is::<VirtualUsbxhciController>() {
            Name::UsbXhci
        } else if device.is::<VirtualUsbController>() {
            Name::Usb
        } else if device.is::<VirtualSoundCard>() {
            Name::Sound
        } else if device.is::<VirtualTpm>() {
            Name::Tpm
        } else if device.is::<VirtualMachineVideoCard>() {
            Name::Video
        } else {
            return None;
        })
    }
}

/// The bus of a controller for disks and drives.
pub(in crate::domain) fn bus(device: &Poly<VirtualDevice>) -> Option<DiskBus> {
    if device.is::<VirtualScsiController>() {
        Some(DiskBus::Scsi)
    } else if device.is::<VirtualIdeController>() {
        Some(DiskBus::Ide)
    } else if device.is::<VirtualSataController>() {
        Some(DiskBus::Sata)
    } else if device.is::<VirtualNvmeController>() {
        Some(DiskBus::Nvme)
    } else {
        None
    }
}

fn number(number: i32) -> Option<u32> {
    u32::try_from(number).ok()
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Name::Controller(bus, index) => write!(f, "{bus}{index}"),
            Name::Disk(slot) => slot.fmt(f),
            Name::Ethernet(index) => write!(f, "ethernet{index}"),
            Name::Serial(index) => write!(f, "serial{index}"),
            Name::Parallel(index) => write!(f, "parallel{index}"),
            Name::Usb => f.write_str("usb"),
            Name::UsbXhci => f.write_str("usb_xhci"),
            Name::Sound => f.write_str("sound"),
            Name::Tpm => f.write_str("vtpm"),
            Name::Video => f.write_str("svga"),
        }
    }
}

/// The text is no name of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoName;

impl FromStr for Name {
    type Err = NoName;

    fn from_str(text: &str) -> Result<Name, NoName> {
        if let Ok(slot) = text.parse() {
            return Ok(Name::Disk(slot));
        }
        match text {
            "usb" => return Ok(Name::Usb),
            "usb_xhci" => return Ok(Name::UsbXhci),
            "sound" => return Ok(Name::Sound),
            "vtpm" => return Ok(Name::Tpm),
            "svga" => return Ok(Name::Video),
            _ => {}
        }
        let letters = text.trim_end_matches(|c: char| c.is_ascii_digit());
        let index = text[letters.len()..].parse().map_err(|_| NoName)?;
        Ok(match letters {
            "scsi" => Name::Controller(DiskBus::Scsi, index),
            "ide" => Name::Controller(DiskBus::Ide, index),
            "sata" => Name::Controller(DiskBus::Sata, index),
            "nvme" => Name::Controller(DiskBus::Nvme, index),
            "ethernet" => Name::Ethernet(index),
            "serial" => Name::Serial(index),
            "parallel" => Name::Parallel(index),
            _ => return Err(NoName),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for text in [
            "scsi0",
            "ide1",
            "sata3",
            "nvme0",
            "scsi0:1",
            "ide1:0",
            "floppy0",
            "ethernet9",
            "serial1",
            "parallel2",
            "usb",
            "usb_xhci",
            "sound",
            "vtpm",
            "svga",
        ] {
            assert_eq!(
                text.parse::<Name>().map(|name| name.to_string()),
                Ok(text.to_owned())
            );
        }
        for text in [
            "", "scsi", "ua-disk", "net0", "ethernet", "scsi0:1x", "serial-1",
        ] {
            assert_eq!(text.parse::<Name>(), Err(NoName), "{text}");
        }
    }
}
