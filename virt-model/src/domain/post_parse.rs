//! What libvirt adds to every definition after it has been read, whatever it is read from.

use std::collections::BTreeSet;

use super::{
    Address, CharDevice, Controller, ControllerType, Disk, DiskBus, DomainDef, DriveAddress, Video,
    VideoModel,
};
use crate::{ErrorNumber, XmlError};

/// What a driver's definitions have when they don't say otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defaults {
    /// The architecture.
    pub arch: String,
    /// The model of a video card.
    pub video: VideoModel,
    /// Places on a SCSI bus, with that of the controller (number 7): 8 of a narrow bus, 16 of a
    /// wide one, 64 or 65 of virtual hardware from version 13 on.
    pub scsi_units: u32,
}

impl Defaults {
    /// Those of VMware's drivers.
    pub fn vmware() -> Defaults {
        Defaults {
            arch: "i686".to_owned(),
            video: VideoModel::Vmvga,
            scsi_units: 16,
        }
    }
}

/// Controllers that a bus of disks may have here; libvirt makes all that are below the highest.
const MAX_CONTROLLERS: u32 = 256;

impl DomainDef {
    /// Completes a definition as libvirt completes every one: the architecture, the disks' places
    /// on their buses and the controllers for them, numbers of ports, the console that the first
    /// serial port is, and video cards.
    ///
    /// A definition that has been completed stays as it is. What has to be chosen at random (UUID
    /// and MAC addresses) stays open.
    ///
    /// # Errors
    /// When a disk's place follows neither from an address nor from its name, or is on a
    /// controller whose number is out of bounds.
    pub fn post_parse(&mut self, defaults: &Defaults) -> Result<(), XmlError> {
        self.os.arch.get_or_insert_with(|| defaults.arch.clone());
        for disk in &mut self.devices.disks {
            place(disk, defaults)?;
        }
        self.add_controllers()?;
        self.number_ports();
        self.add_console();
        self.complete_videos(defaults);
        Ok(())
    }

    /// Adds the controllers that disks need, and those below them.
    fn add_controllers(&mut self) -> Result<(), XmlError> {
        for (bus, kind) in [
            (DiskBus::Scsi, ControllerType::Scsi),
            (DiskBus::Fdc, ControllerType::Fdc),
            (DiskBus::Ide, ControllerType::Ide),
            (DiskBus::Sata, ControllerType::Sata),
            (DiskBus::Nvme, ControllerType::Nvme),
        ] {
            let disks = self.devices.disks.iter();
            let used = disks.filter_map(|disk| match disk.info.address {
                Some(Address::Drive(address)) if disk.target.bus == bus => Some(address.controller),
                _ => None,
            });
            let Some(last) = used.max() else { continue };
            if last >= MAX_CONTROLLERS {
                return Err(XmlError::new(
                    ErrorNumber::XmlError,
                    format!(
                        "{bus} controller index {last} out of [0..{}] range",
                        MAX_CONTROLLERS - 1
                    ),
                ));
            }
            let controllers = &mut self.devices.controllers;
            let alike = controllers.iter().filter(|known| known.kind == kind);
            let known: BTreeSet<u32> = alike.map(|known| known.index).collect();
            for index in (0..=last).filter(|index| !known.contains(index)) {
                insert(controllers, Controller::new(kind, index));
            }
        }
        Ok(())
    }

    /// Gives numbers to ports that have none.
    fn number_ports(&mut self) {
        for ports in [&mut self.devices.serials, &mut self.devices.parallels] {
            let mut next = 0;
            for port in ports {
                let number = *port.target_port.get_or_insert(next);
                next = next.max(number.saturating_add(1));
            }
        }
        for (port, console) in (0..).zip(&mut self.devices.consoles) {
            console.target_port.get_or_insert(port);
            if console.target_type.is_none() {
                console.target_type = Some("serial".to_owned());
            }
        }
    }

    /// The first serial port is a console, and a console on a serial port is the first one.
    fn add_console(&mut self) {
        let devices = &mut self.devices;
        let serial_console =
            |console: &CharDevice| console.target_type.as_deref() == Some("serial");
        if devices.serials.is_empty() {
            let console = devices.consoles.first();
            if let Some(console) = console.filter(|console| serial_console(console)) {
                devices.serials.push(CharDevice {
                    target_type: None,
                    ..console.clone()
                });
            }
        }
        let Some(serial) = devices.serials.first() else {
            return;
        };
        let alias = CharDevice {
            target_type: Some("serial".to_owned()),
            target_model: None,
            ..serial.clone()
        };
        match devices.consoles.first_mut() {
            None => devices.consoles.push(alias),
            Some(console) if serial_console(console) => *console = alias,
            Some(_) => {}
        }
    }

    /// A screen needs a card, the first card is the primary one, and all have memory.
    fn complete_videos(&mut self, defaults: &Defaults) {
        let videos = &mut self.devices.videos;
        if videos.is_empty() && !self.devices.graphics.is_empty() {
            videos.push(Video::default());
        }
        for video in videos.iter_mut() {
            if video.model == VideoModel::Default {
                video.model = defaults.video;
            }
            video.vram = match video.vram {
                None | Some(0) => usual_vram(video.model, &self.virt_type),
                Some(vram) => vram.checked_next_power_of_two().or(Some(vram)),
            };
        }
        match videos.iter().position(|video| video.primary) {
            Some(primary) => videos[..=primary].rotate_right(1),
            None => videos
                .iter_mut()
                .take(1)
                .for_each(|first| first.primary = true),
        }
    }
}

/// Gives a disk the place on its bus that its name says.
fn place(disk: &mut Disk, defaults: &Defaults) -> Result<(), XmlError> {
    if disk.info.address.is_some() {
        return Ok(());
    }
    let dev = &disk.target.dev;
    let found = match disk.target.bus {
        DiskBus::Nvme => nvme(dev),
        DiskBus::Scsi => disk_index(dev).map(|index| scsi(index, defaults.scsi_units)),
        DiskBus::Ide => {
            disk_index(dev).map(|index| DriveAddress::new(index / 4, index % 4 / 2, index % 2))
        }
        DiskBus::Fdc => disk_index(dev).map(|index| DriveAddress::new(index / 2, 0, index % 2)),
        DiskBus::Sata => disk_index(dev).map(|index| DriveAddress::new(index / 6, 0, index % 6)),
        // Not a bus of drives.
        _ => return Ok(()),
    };
    let Some(address) = found else {
        return Err(XmlError::new(
            ErrorNumber::XmlError,
            format!("Unknown disk name '{dev}' and no address specified"),
        ));
    };
    disk.info.address = Some(Address::Drive(address));
    Ok(())
}

/// The place of the disk of that index on buses of so many units.
fn scsi(index: u32, units: u32) -> DriveAddress {
    let disks = units.max(2) - 1;
    let unit = index % disks;
    // Unit 7 is the controller.
    let unit = if unit >= 7 { unit + 1 } else { unit };
    DriveAddress::new(index / disks, 0, unit)
}

/// The number of a disk of that name: `sda` is 0, `sdaa` is 26; a number at the end is a
/// partition's.
fn disk_index(dev: &str) -> Option<u32> {
    let prefixes = ["fd", "hd", "vd", "sd", "xvd", "ubd"];
    let letters = prefixes
        .iter()
        .find_map(|prefix| dev.strip_prefix(prefix))?;
    let letters = letters.trim_end_matches(|c: char| c.is_ascii_digit());
    let mut after: u32 = 0;
    for letter in letters.bytes() {
        if !letter.is_ascii_lowercase() {
            return None;
        }
        let digit = u32::from(letter - b'a') + 1;
        after = after.checked_mul(26)?.checked_add(digit)?;
    }
    after.checked_sub(1)
}

/// The place of an NVMe disk: `nvme1n2` is unit 1 of controller 1.
fn nvme(dev: &str) -> Option<DriveAddress> {
    let (controller, namespace) = dev.strip_prefix("nvme")?.split_once('n')?;
    let unit = namespace.parse::<u32>().ok()?.checked_sub(1)?;
    Some(DriveAddress::new(controller.parse().ok()?, 0, unit))
}

/// The memory of a card that doesn't say, in KiB.
fn usual_vram(model: VideoModel, virt_type: &str) -> Option<u32> {
    match model {
        VideoModel::Vmvga if virt_type == "vmware" => Some(4 << 10),
        VideoModel::Vmvga | VideoModel::Vga | VideoModel::Cirrus => Some(16 << 10),
        VideoModel::Qxl => Some(64 << 10),
        VideoModel::Xen => Some(4 << 10),
        _ => None,
    }
}

/// Puts a controller behind those of its kind with lower indices, or at the end.
fn insert(controllers: &mut Vec<Controller>, controller: Controller) {
    let alike = |known: &Controller| known.kind == controller.kind;
    let higher = controllers
        .iter()
        .position(|known| alike(known) && known.index > controller.index);
    let behind = || controllers.iter().rposition(alike).map(|last| last + 1);
    let at = higher.or_else(behind).unwrap_or(controllers.len());
    controllers.insert(at, controller);
}
