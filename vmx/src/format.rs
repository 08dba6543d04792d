//! Writes VMX files.
//!
//! Comments that say what libvirt does are about src/vmx/vmx.c of libvirt 9.0.0 and later, unless they
//! name another place.

mod complete;
mod controller;
mod cpu;
mod disk;
mod ethernet;
mod filesystem;
mod firmware;
mod graphics;
mod identity;
mod loss;
mod memory;
mod parallel;
mod ports;
mod serial;
mod slot;
mod tpm;
mod usb;
mod validate;
mod video;

use std::borrow::Cow;
use std::fmt::Display;

use virt_model::DomainDef;
use virt_model::domain::{BootDevice, ClockOffset, DiskBus, DiskDevice};

use crate::escape::PIPE;
use crate::names::FileNameError;
use crate::parse::in_order;
use crate::{FileNames, FormatOptions, LibvirtVersion, Mode, Slot, VmxError, Warning};

/// Converts a definition into a VMX file.
///
/// The definition is completed first ([`DomainDef::post_parse`]): with addresses of disks, controllers
/// that disks need, and a video card for `<graphics>`. VMware chooses the UUID of a domain without one
/// and the MAC address of a network card without one. Disks are written in the order of the definition,
/// which is libvirt's order if the definition was read from a document.
///
/// Devices that libvirt's VMX files cannot have are left out, as libvirt does; [`to_file`] tells of them.
///
/// # Beyond libvirt
/// In [`Mode::Lenient`] the file is the same as libvirt's wherever libvirt writes a valid one. These are
/// written too, though libvirt refuses them:
///
/// - disks and CD-ROM drives on SATA (virtual hardware 10 and higher) and disks on NVMe (13 and
///   higher), with their controllers;
/// - disks on USB;
/// - disks whose address differs from the one that their device name tells; the address counts;
/// - SCSI units up to 64, on virtual hardware 13 and higher;
/// - CD-ROM images with any suffix;
/// - ten network cards on virtual hardware 6, where libvirt allows four;
/// - a SCSI controller of model `auto` whose model [`FileNames::scsi_model`] does not know; VMware
///   chooses it;
/// - a `<cpu>` without a topology;
/// - a disk and a CD-ROM drive with the same device name, on SCSI and SATA;
/// - a serial or parallel port without a device, and a TCP port without a local address;
/// - guests on `aarch64`.
///
/// The file also has what libvirt drops and VMX files have keys for: the BIOS's UUID beside the domain's own, the generation ID,
/// Secure Boot, `writethrough` on IDE, disks that machines share, cards that are not connected, boot order, the disk to boot from,
/// clock, a missing high precision timer or video card, 3D, ports of type `null`, and controllers without disks or with a place on the
/// PCI bus.
///
/// Quotes and line ends in values are written as `|22` and `|0a`, as VMware does. libvirt writes them
/// unescaped, which makes the file invalid.
///
/// Two devices at one address are refused.
///
/// ```
/// use vmx::virt_model::DomainDef;
/// use vmx::{FormatOptions, names::Folder};
///
/// let mut def = DomainDef::new("vmware", "web");
/// def.memory = 512 * 1024;
/// let file = vmx::format(&def, &Folder::default(), &FormatOptions::new(13)).unwrap();
/// assert!(file.contains("displayName = \"web\"\nmemsize = \"512\"\n"));
/// ```
///
/// # Errors
/// In [`Mode::Strict`] libvirt's error, for everything that libvirt refuses. In [`Mode::Lenient`] an
/// error for everything that VMware does not have.
pub fn format(
    def: &DomainDef,
    names: &dyn FileNames,
    options: &FormatOptions,
) -> Result<String, VmxError> {
    Ok(written(def, names, options)?.1)
}

/// A VMX file that was made of a definition, and what it lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Formatted {
    /// The file.
    pub text: String,
    /// What the file lacks or has differently, by lines of the definition's document. Always empty in [`Mode::Strict`].
    pub warnings: Vec<Warning>,
}

/// Converts a definition into a VMX file, as [`format()`] does, and tells what of the definition the file does not have. For that it
/// is read back.
///
/// ```
/// use vmx::virt_model::DomainDef;
/// use vmx::{FormatOptions, names::Folder};
///
/// let mut def = DomainDef::new("vmware", "web");
/// def.memory = 512 * 1024;
/// def.features.pae = true;
/// let made = vmx::to_file(&def, &Folder::default(), &FormatOptions::new(13)).unwrap();
/// assert!(made.warnings[0].message.starts_with("<pae/> has no place in a VMX file"));
/// ```
///
/// # Errors
/// As for [`format()`].
pub fn to_file(
    def: &DomainDef,
    names: &dyn FileNames,
    options: &FormatOptions,
) -> Result<Formatted, VmxError> {
    let (def, text) = written(def, names, options)?;
    let warnings = match options.mode {
        Mode::Strict => Vec::new(),
        Mode::Lenient => loss::losses(&def, &text, names, options)?,
    };
    Ok(Formatted { text, warnings })
}

/// The complete definition, and its file.
fn written(
    def: &DomainDef,
    names: &dyn FileNames,
    options: &FormatOptions,
) -> Result<(DomainDef, String), VmxError> {
    if options.mode == Mode::Strict {
        validate::check_known(def, options.libvirt)?;
    }
    let def = complete::completed(def, options.mode)?;
    if options.mode == Mode::Strict {
        validate::check(&def)?;
    }
    let mut writer = Writer {
        out: String::new(),
        names,
        options,
    };
    writer.domain(&def)?;
    let text = writer.out;
    Ok((def, text))
}

/// A file being written. Each device has its own module.
struct Writer<'a> {
    out: String,
    names: &'a dyn FileNames,
    options: &'a FormatOptions,
}

impl Writer<'_> {
    /// Writes everything in libvirt's order, so that the first error is the one that libvirt gives.
    fn domain(&mut self, def: &DomainDef) -> Result<(), VmxError> {
        if def.virt_type != "vmware" {
            return Err(VmxError::internal(format!(
                "Expecting virt type to be 'vmware' but found '{}'",
                def.virt_type
            )));
        }
        self.line(".encoding", "UTF-8");
        self.line("config.version", 8);
        self.line("virtualHW.version", self.options.hardware_version);
        self.machine(def)?;
        self.identity(def);
        self.memory(def);
        self.processors(def)?;
        self.graphics(def)?;
        let controllers = self.disks(def)?;
        self.filesystems(def)?;
        self.interfaces(def)?;
        self.tpm(def)?;
        self.video(def)?;
        self.serials(def)?;
        self.parallels(def)?;
        self.firmware(def);
        self.beyond_libvirt(def)?;
        self.bridges(controllers);
        Ok(())
    }

    /// Writes what every machine of virtual hardware 7 and higher has: PCI bridges, if there are
    /// controllers, and VMCI.
    fn bridges(&mut self, controllers: bool) {
        if self.options.hardware_version < 7 {
            return;
        }
        if controllers {
            self.line("pciBridge0.present", "true");
            for number in 4..8 {
                let bridge = format!("pciBridge{number}");
                self.line(&format!("{bridge}.present"), "true");
                self.line(&format!("{bridge}.virtualDev"), "pcieRootPort");
                self.line(&format!("{bridge}.functions"), 8);
            }
        }
        self.line("vmci0.present", "true");
    }

    /// Writes what libvirt drops, and VMX files have keys for.
    fn beyond_libvirt(&mut self, def: &DomainDef) -> Result<(), VmxError> {
        if !self.lenient() {
            return Ok(());
        }
        let mut features = def.os.firmware_features.iter();
        if features.any(|feature| feature.name == "secure-boot" && feature.enabled) {
            self.line("uefi.secureBoot.enabled", "TRUE");
        }
        if let Some(id) = def.genid {
            let number = u128::from_be_bytes(*id.as_bytes());
            self.line("vm.genid", (number >> 64) as i64);
            self.line("vm.genidX", number as i64);
        }
        // VMware begins with the disk, too.
        if !matches!(def.os.boot.as_slice(), [] | [BootDevice::HardDisk]) {
            let words = def.os.boot.iter().map(|device| match device {
                BootDevice::Cdrom => "cdrom",
                BootDevice::Floppy => "floppy",
                BootDevice::Network => "net",
                _ => "hdd",
            });
            let words: Vec<_> = words.collect();
            self.line("bios.bootOrder", words.join(","));
        }
        if let Some(slot) = self.boots_from(def)? {
            self.line("bios.hddOrder", slot);
        }
        let mut timers = def.clock.timers.iter();
        if timers.any(|timer| timer.name == "hpet" && timer.present == Some(false)) {
            self.line("hpet0.present", "FALSE");
        }
        let clock = &def.clock;
        let seconds = clock
            .adjustment
            .as_ref()
            .and_then(|text| text.parse::<i32>().ok());
        match (clock.offset, seconds, clock.start) {
            (ClockOffset::Variable, Some(seconds), _)
                if seconds != 0 && clock.basis.as_deref() != Some("localtime") =>
            {
                self.line("rtc.diffFromUTC", seconds);
            }
            (ClockOffset::Absolute, _, Some(start)) if start > 0 => {
                self.line("rtc.startTime", start);
            }
            _ => {}
        }
        let mut videos = def.devices.videos.iter();
        if videos.any(|video| video.accel3d == Some(true)) {
            self.line("mks.enable3d", "TRUE");
        }
        Ok(())
    }

    /// The slot of the disk that the machine boots from, if it is not the one in the first slot: SCSI and SATA disks have names
    /// with the same letters, and the first name is the first disk.
    fn boots_from(&self, def: &DomainDef) -> Result<Option<Slot>, VmxError> {
        let mut disks = Vec::new();
        for disk in &def.devices.disks {
            let is_counted = matches!(disk.target.bus, DiskBus::Scsi | DiskBus::Sata);
            if is_counted && disk.device == DiskDevice::Disk {
                disks.push((in_order(&disk.target.dev), self.slot(disk)?));
            }
        }
        let place = |slot: &Slot| (slot.bus != DiskBus::Scsi, *slot);
        let by_name = disks.iter().min_by_key(|(name, slot)| (*name, place(slot)));
        let by_slot = disks.iter().map(|(_, slot)| *slot).min_by_key(place);
        Ok(by_name
            .map(|(_, slot)| *slot)
            .filter(|slot| Some(*slot) != by_slot))
    }

    fn lenient(&self) -> bool {
        self.options.mode == Mode::Lenient
    }

    /// Whether the libvirt version to reproduce is `version` or newer.
    fn since(&self, version: LibvirtVersion) -> bool {
        self.options.libvirt >= version
    }

    /// Writes a line whose value needs no escaping.
    fn line(&mut self, key: &str, value: impl Display) {
        self.out.push_str(&format!("{key} = \"{value}\"\n"));
    }

    /// Writes a line with a text of the definition. libvirt does not escape it.
    fn text(&mut self, key: &str, value: &str) {
        if self.lenient() {
            self.line(key, readable(value));
        } else {
            self.line(key, value);
        }
    }

    /// Writes a line with a file name; `source` is the definition's form of the name.
    fn file_name(&mut self, key: &str, source: &str) -> Result<(), VmxError> {
        let name = self.names.format(source).map_err(|error| {
            let FileNameError { number, message } = error;
            VmxError::new(number, message)
                .with_key(key)
                .with_value(source)
        })?;
        self.text(key, &name);
        Ok(())
    }
}

/// A text in a form that VMware reads back: unchanged if possible, else escaped.
fn readable(text: &str) -> Cow<'_, str> {
    let special = |c: char| c == '"' || c.is_ascii_control();
    let itself = |unescaped: Cow<'_, str>| unescaped == text;
    if !text.contains(special) && PIPE.unescape(text).map_or(true, itself) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '|' => out.push_str("|7c"),
            c if special(c) => out.push_str(&format!("|{:02x}", u32::from(c))),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}
