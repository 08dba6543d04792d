//! What libvirt adds to every definition after reading it, from a document or from a native
//! configuration (`virDomainDefPostParse`).

use std::collections::BTreeSet;

use super::{
    Address, CharDevice, Controller, ControllerType, Disk, DiskBus, DomainDef, Video, VideoModel,
};
use crate::{ErrorNumber, XmlError};

/// What a hypervisor's driver adds to definitions and accepts in them (libvirt's
/// `virDomainDefParserConfig`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defaults {
    /// The architecture of a definition without one. None: it stays without one.
    pub arch: Option<String>,
    /// The model of a video card without one.
    pub video: VideoModel,
    /// Units of a SCSI controller, including unit 7, which is the controller itself: 8 on a narrow bus,
    /// 16 on a wide one.
    pub scsi_units: u32,
    /// Whether models of network cards are accepted that [`Interface::known_model`] does not know
    /// (`VIR_DOMAIN_DEF_FEATURE_NET_MODEL_STRING`).
    ///
    /// [`Interface::known_model`]: super::Interface::known_model
    pub any_net_model: bool,
    #[doc(hidden)]
    pub _more: (),
}

impl Default for Defaults {
    fn default() -> Defaults {
        Defaults {
            arch: None,
            video: VideoModel::Default,
            scsi_units: 8,
            any_net_model: false,
            _more: (),
        }
    }
}

/// The largest number of controllers that are added. libvirt has no limit: it adds every controller
/// below the highest index in use.
const MAX_CONTROLLERS: u32 = 256;

impl DomainDef {
    /// Completes a definition as libvirt completes every one: adds the architecture, addresses of disks
    /// and the controllers for them, numbers of ports, the console for the first serial port, and video
    /// cards.
    ///
    /// A complete definition does not change. The UUID and MAC addresses, which libvirt chooses at
    /// random, are not added.
    ///
    /// # Errors
    /// If a disk has no address and its name does not tell one, or if the index of its controller is too
    /// large.
    pub fn post_parse(&mut self, defaults: &Defaults) -> Result<(), XmlError> {
        if self.os.arch.is_none() {
            self.os.arch.clone_from(&defaults.arch);
        }
        for disk in &mut self.devices.disks {
            place(disk, defaults)?;
        }
        self.add_controllers()?;
        self.number_ports();
        self.add_console();
        self.complete_videos(defaults);
        Ok(())
    }

    /// Adds the controllers that disks need, and all controllers with smaller indices.
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
            // libvirt keeps the index in an int; above 2^31 it is negative, and libvirt adds nothing.
            let Some(last) = used.filter(|&index| i32::try_from(index).is_ok()).max() else {
                continue;
            };
            if last >= MAX_CONTROLLERS {
                return Err(XmlError::new(
                    ErrorNumber::XmlError,
                    format!(
                        "{bus} controller index {last} out of [0..{}] range",
                        MAX_CONTROLLERS - 1
                    ),
                ));
            }
            let alike = self
                .devices
                .controllers
                .iter()
                .filter(|known| known.kind == kind);
            let known: BTreeSet<u32> = alike.map(|known| known.index).collect();
            for index in (0..=last).filter(|index| !known.contains(index)) {
                // libvirt appends the controllers that it adds.
                let added = Controller::new(kind, index);
                self.devices.controllers.push(added);
            }
        }
        Ok(())
    }

    /// Numbers the ports without a number.
    fn number_ports(&mut self) {
        // As in libvirt 9.0, serial ports continue after the largest number of all, parallel ports
        // after the largest number so far.
        let known = self.devices.serials.iter();
        let known = known.filter_map(|port| port.target_port);
        let mut next = known.max().map_or(0, |last| last.wrapping_add(1));
        for port in &mut self.devices.serials {
            if port.target_port.is_none() {
                port.target_port = Some(next);
                next = next.wrapping_add(1);
            }
        }
        let mut next = 0;
        for port in &mut self.devices.parallels {
            let number = *port.target_port.get_or_insert(next);
            next = next.max(number.saturating_add(1));
        }
        for (port, console) in (0..).zip(&mut self.devices.consoles) {
            console.target_port.get_or_insert(port);
            if console.target_type.is_none() {
                console.target_type = Some("serial".to_owned());
            }
        }
    }

    /// Makes the first serial port and the first console one device
    /// (libvirt's `virDomainDefAddConsoleCompat`).
    fn add_console(&mut self) {
        let devices = &mut self.devices;
        let serial_console =
            |console: &CharDevice| console.target_type.as_deref() == Some("serial");
        if devices.serials.is_empty() {
            let console = devices.consoles.first();
            if let Some(console) = console.filter(|console| serial_console(console)) {
                devices.serials.push(CharDevice {
                    target_type: None,
                    target_port: Some(0),
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

    /// Adds a video card for graphics, makes the first card the primary one, and sets memory sizes.
    fn complete_videos(&mut self, defaults: &Defaults) {
        let videos = &mut self.devices.videos;
        if videos.is_empty() && !self.devices.graphics.is_empty() {
            videos.push(Video::default());
        }
        for video in videos.iter_mut() {
            complete_video(video, &self.virt_type, defaults);
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

/// Chooses the model of a video card of a domain of that type, and its memory size.
pub(super) fn complete_video(video: &mut Video, virt_type: &str, defaults: &Defaults) {
    if video.model == VideoModel::Default {
        video.model = defaults.video;
    }
    video.vram = match video.vram {
        None | Some(0) => usual_vram(video.model, virt_type),
        // libvirt's rounding to a power of two overflows to 0, which it reads as unset.
        Some(vram) => vram
            .checked_next_power_of_two()
            .or_else(|| usual_vram(video.model, virt_type)),
    };
}

/// Gives a disk the address that its name tells.
pub(super) fn place(disk: &mut Disk, defaults: &Defaults) -> Result<(), XmlError> {
    if disk.info.address.is_some() {
        return Ok(());
    }
    let target = &disk.target;
    let Some(address) = target.address(defaults.scsi_units) else {
        return Err(XmlError::new(
            ErrorNumber::XmlError,
            format!(
                "Unknown disk name '{}' and no address specified",
                target.dev
            ),
        ));
    };
    let has_drives = matches!(
        target.bus,
        DiskBus::Nvme | DiskBus::Scsi | DiskBus::Ide | DiskBus::Fdc | DiskBus::Sata
    );
    if has_drives {
        disk.info.address = Some(Address::Drive(address));
    }
    Ok(())
}

/// The default memory of a video card, in KiB (libvirt's `virDomainVideoDefaultRAM`).
fn usual_vram(model: VideoModel, virt_type: &str) -> Option<u32> {
    match model {
        VideoModel::Vmvga if virt_type == "vmware" => Some(4 << 10),
        VideoModel::Vmvga | VideoModel::Vga | VideoModel::Cirrus => Some(16 << 10),
        VideoModel::Qxl => Some(64 << 10),
        VideoModel::Xen => Some(4 << 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::DriveAddress;
    use super::*;
    use crate::{Document, DomainXmlFlags};

    /// Compares the devices before and after, both as `<devices>` has them.
    fn vmware() -> Defaults {
        Defaults {
            arch: Some("i686".to_owned()),
            video: VideoModel::Vmvga,
            scsi_units: 16,
            ..Defaults::default()
        }
    }

    #[track_caller]
    fn check(devices: &str, expected: &[&str]) {
        let mut def = read(devices);
        def.post_parse(&vmware()).unwrap();
        let written = def.to_xml(DomainXmlFlags::SECURE);
        let inside = written.split("<devices>\n").nth(1).unwrap();
        let inside = inside.split("  </devices>").next().unwrap();
        let lines: Vec<&str> = inside.lines().map(str::trim).collect();
        assert_eq!(lines, expected);

        let complete = def.clone();
        def.post_parse(&vmware()).unwrap();
        assert_eq!(def, complete);
        assert_eq!(
            DomainDef::from_xml(&written).unwrap().devices,
            complete.devices
        );
    }

    fn read(devices: &str) -> DomainDef {
        let document = format!(
            "<domain type='vmware'><name>n</name><memory>1</memory><os><type>hvm</type></os>\
             <devices>{devices}</devices></domain>"
        );
        DomainDef::from_xml(&document).unwrap()
    }

    #[track_caller]
    fn check_place(dev: &str, bus: &str, scsi_units: u32, expected: Option<[u32; 3]>) {
        let disk = format!("<disk><source file='a'/><target dev='{dev}' bus='{bus}'/></disk>");
        let mut def = read(&disk);
        let defaults = Defaults {
            scsi_units,
            ..vmware()
        };
        let done = def.post_parse(&defaults);
        let expected =
            expected.map(|[controller, bus, unit]| DriveAddress::new(controller, bus, unit));
        let found = match def.devices.disks[0].info.address {
            Some(Address::Drive(address)) => Some(address),
            _ => None,
        };
        assert_eq!(done.ok().and(found), expected, "{dev} on {bus}");
    }

    #[test]
    fn places_of_disks() {
        check_place("sda", "scsi", 16, Some([0, 0, 0]));
        check_place("sdg", "scsi", 16, Some([0, 0, 6]));
        check_place("sdh", "scsi", 16, Some([0, 0, 8]));
        check_place("sdo", "scsi", 16, Some([0, 0, 15]));
        check_place("sdp", "scsi", 16, Some([1, 0, 0]));
        check_place("sdp", "scsi", 64, Some([0, 0, 16]));
        check_place("sdbl", "scsi", 64, Some([1, 0, 0]));
        check_place("sdbm", "scsi", 65, Some([1, 0, 0]));
        check_place("hda", "ide", 16, Some([0, 0, 0]));
        check_place("hdd", "ide", 16, Some([0, 1, 1]));
        check_place("hde1", "ide", 16, Some([1, 0, 0]));
        check_place("fdb", "fdc", 16, Some([0, 0, 1]));
        check_place("sdg", "sata", 16, Some([1, 0, 0]));
        check_place("nvme1n2", "nvme", 16, Some([1, 0, 1]));
        for (dev, bus) in [
            ("disk", "scsi"),
            ("sd", "scsi"),
            ("sdA", "scsi"),
            ("sdaaaaaaaaaaaa", "ide"),
            ("nvme0", "nvme"),
            ("nvme0n0", "nvme"),
            // Too large an index of a controller.
            ("sdzzzzz", "scsi"),
            ("nvme2000000000n1", "nvme"),
        ] {
            check_place(dev, bus, 16, None);
        }
    }

    #[test]
    fn a_place_that_cannot_be_told() {
        let mut def = read("<disk><source file='a'/><target dev='tape' bus='scsi'/></disk>");
        let error = def.post_parse(&vmware()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "XML error: Unknown disk name 'tape' and no address specified"
        );
    }

    #[test]
    fn no_place_on_other_buses() {
        let disk = "<disk><source file='a'/><target dev='vda' bus='virtio'/></disk>";
        let mut def = read(disk);
        def.post_parse(&vmware()).unwrap();
        assert_eq!(
            def,
            DomainDef {
                os: def.os.clone(),
                ..read(disk)
            }
        );
    }

    #[test]
    fn controllers_of_disks() {
        let disk = |controller: u32, dev: &str, bus: &str| {
            format!(
                "<disk device='cdrom'><target dev='{dev}' bus='{bus}'/>\
                 <address type='drive' controller='{controller}'/></disk>"
            )
        };
        let devices = disk(0, "hda", "ide") + &disk(2, "sda", "scsi") + &disk(0, "fda", "fdc");
        let mut def = read(&format!(
            "{devices}<controller type='scsi' index='1' model='lsilogic'/><controller type='usb' index='0'/>"
        ));
        def.post_parse(&vmware()).unwrap();
        let found = def.devices.controllers.iter();
        let found: Vec<_> = found
            .map(|controller| (controller.kind.as_str(), controller.index))
            .collect();
        assert_eq!(
            found,
            [
                ("scsi", 1),
                ("usb", 0),
                ("scsi", 0),
                ("scsi", 2),
                ("fdc", 0),
                ("ide", 0)
            ]
        );
        assert_eq!(
            def.devices.controllers[0].model.as_deref(),
            Some("lsilogic")
        );
    }

    #[test]
    fn the_first_serial_port_is_a_console() {
        check(
            "<serial type='null'/><serial type='vc'><target port='4'/></serial><serial type='stdio'/>",
            &[
                "<serial type='null'>",
                "<target port='5'/>",
                "</serial>",
                "<serial type='vc'>",
                "<target port='4'/>",
                "</serial>",
                "<serial type='stdio'>",
                "<target port='6'/>",
                "</serial>",
                "<console type='null'>",
                "<target type='serial' port='5'/>",
                "</console>",
            ],
        );
        for target in [
            "",
            "<target type='serial' port='1'/>",
            "<target type='none'/>",
        ] {
            check(
                &format!("<console type='null'>{target}</console>"),
                &[
                    "<serial type='null'>",
                    "<target port='0'/>",
                    "</serial>",
                    "<console type='null'>",
                    "<target type='serial' port='0'/>",
                    "</console>",
                ],
            );
        }
        check(
            "<console type='null'/>",
            &[
                "<serial type='null'>",
                "<target port='0'/>",
                "</serial>",
                "<console type='null'>",
                "<target type='serial' port='0'/>",
                "</console>",
            ],
        );
        check(
            "<serial type='null'/><console type='vc'><target type='virtio'/></console>",
            &[
                "<serial type='null'>",
                "<target port='0'/>",
                "</serial>",
                "<console type='vc'>",
                "<target type='virtio' port='0'/>",
                "</console>",
            ],
        );
    }

    #[test]
    fn numbers_of_parallel_ports() {
        check(
            "<parallel type='null'/><parallel type='vc'><target port='1'/></parallel>\
             <parallel type='null'/>",
            &[
                "<parallel type='null'>",
                "<target port='0'/>",
                "</parallel>",
                "<parallel type='vc'>",
                "<target port='1'/>",
                "</parallel>",
                "<parallel type='null'>",
                "<target port='2'/>",
                "</parallel>",
            ],
        );
    }

    #[test]
    fn video_cards() {
        let card = |vram| format!("<model type='vmvga' vram='{vram}' primary='yes'/>");
        let graphics = "<graphics type='sdl'/>";
        check(graphics, &[graphics, "<video>", &card(4096), "</video>"]);
        check(
            "<video><model vram='5000'/></video>",
            &["<video>", &card(8192), "</video>"],
        );
        check(
            "<video><model vram='4294967295'/></video>",
            &["<video>", &card(4096), "</video>"],
        );
        check(
            "<video><model type='vga'/></video><video><model type='vmvga' vram='1' primary='yes'/></video>",
            &[
                "<video>",
                &card(1),
                "</video>",
                "<video>",
                "<model type='vga' vram='16384'/>",
                "</video>",
            ],
        );
    }

    #[test]
    fn the_architecture() {
        let mut def = read("");
        def.post_parse(&vmware()).unwrap();
        assert_eq!(def.os.arch.as_deref(), Some("i686"));
        def.os.arch = Some("x86_64".to_owned());
        def.post_parse(&vmware()).unwrap();
        assert_eq!(def.os.arch.as_deref(), Some("x86_64"));
    }
}
