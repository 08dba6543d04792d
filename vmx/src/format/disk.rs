use std::collections::BTreeSet;

use virt_model::DomainDef;
use virt_model::domain::{
    CacheMode, Disk, DiskBus, DiskDevice, DiskSource, DiskType, StartupPolicy,
};

use super::Writer;
use super::controller::legacy_model;
use super::validate::no_source;
use crate::{Slot, VmxError};

impl Writer<'_> {
    /// Writes disks, CD-ROM and floppy drives, with their controllers. Tells whether there are controllers
    /// besides those that every machine has.
    pub(super) fn disks(&mut self, def: &DomainDef) -> Result<bool, VmxError> {
        // libvirt refuses disks on USB.
        let is_apart = |disk: &&Disk| self.lenient() && disk.target.bus == DiskBus::Usb;
        let (usb, disks): (Vec<&Disk>, Vec<&Disk>) = def.devices.disks.iter().partition(is_apart);
        let usb: Vec<Disk> = usb.into_iter().cloned().collect();
        let disks: Vec<Disk> = disks.into_iter().cloned().collect();
        let disks = disks.as_slice();
        let mut controllers = def.devices.controllers.clone();
        // First of all: there are few places, so that few disks go on from here.
        if self.lenient() {
            self.distinct(disks)?;
        }
        for disk in disks {
            self.verify(disk)?;
            legacy_model(disk, &mut controllers)?;
        }
        let any = self.controllers(disks, controllers)?;
        let mut floppies = [false; 2];
        for disk in disks {
            if disk.device == DiskDevice::Floppy {
                let unit = self.floppy(disk)?;
                if let Some(present) = floppies.get_mut(unit as usize) {
                    *present = true;
                }
            } else {
                self.disk(disk)?;
            }
        }
        // VMware adds a floppy drive to a machine whose file does not say that it has none.
        for (unit, present) in floppies.into_iter().enumerate() {
            if !present {
                self.line(&format!("floppy{unit}.present"), "false");
            }
        }
        self.usb_disks(&usb)?;
        Ok(any)
    }

    /// Checks that no two disks have one address. libvirt compares device names instead.
    fn distinct(&self, disks: &[Disk]) -> Result<(), VmxError> {
        let mut slots = BTreeSet::new();
        for disk in disks {
            let slot = self.slot(disk)?;
            if !slots.insert(slot) {
                let prefix = slot.to_string();
                return Err(VmxError::unsupported(format!(
                    "disk '{}' is in the same place as another one, {prefix}",
                    disk.target.dev
                ))
                .with_key(prefix)
                .with_help("give each disk a target or an address of its own"));
            }
        }
        Ok(())
    }

    /// Writes a disk, a CD-ROM drive or a device of the host.
    fn disk(&mut self, disk: &Disk) -> Result<(), VmxError> {
        let (bus, device) = (disk.target.bus, self.device_word(disk));
        let dev = &disk.target.dev;
        let kind = disk.source.kind();
        if !matches!(kind, DiskType::File | DiskType::Block) {
            let kind = self.type_word(disk);
            return Err(VmxError::unsupported(format!(
                "{bus} {device} '{dev}' has unsupported type '{kind}', expecting 'file' or 'block'"
            )));
        }
        let known = match bus {
            DiskBus::Scsi | DiskBus::Ide | DiskBus::Sata => true,
            DiskBus::Nvme => disk.device == DiskDevice::Disk,
            _ => false,
        };
        if !known {
            return Err(VmxError::unsupported(format!(
                "Unsupported bus type '{bus}' for {device}"
            )));
        }
        let slot = self.slot(disk)?;
        let device_type = self.device_type(disk)?;
        let prefix = slot.to_string();
        let key = |name: &str| format!("{prefix}.{name}");

        self.line(&key("present"), "true");
        if let Some(device_type) = device_type {
            self.line(&key("deviceType"), device_type);
        }
        match &disk.source {
            DiskSource::File(source) => self.image(disk, slot, source.as_deref())?,
            DiskSource::Block(None) if disk.startup_policy == Some(StartupPolicy::Optional) => {
                self.line(&key("autodetect"), "true");
                self.line(&key("fileName"), "auto detect");
            }
            source => match source.path() {
                Some(path) => self.text(&key("fileName"), path),
                None if self.lenient() => {}
                // libvirt does not check for a missing path, and C prints "(null)".
                None => self.line(&key("fileName"), "(null)"),
            },
        }
        // libvirt forgets the cache of IDE disks.
        if bus != DiskBus::Ide
            || self.lenient() && disk.driver.cache == Some(CacheMode::Writethrough)
        {
            self.cache(disk, slot)?;
        }
        if disk.shareable && self.lenient() && disk.device == DiskDevice::Disk {
            self.line(&key("sharing"), "multi-writer");
        }
        if disk.transient {
            self.line(&key("mode"), "independent-nonpersistent");
        }
        Ok(())
    }

    /// VMware's word for the type of a disk. In VMware's own files, disks on SATA and NVMe have none.
    fn device_type(&self, disk: &Disk) -> Result<Option<&'static str>, VmxError> {
        let file = disk.source.kind() == DiskType::File;
        Ok(Some(match (disk.device, disk.target.bus) {
            (DiskDevice::Disk, DiskBus::Scsi) if file => "scsi-hardDisk",
            (DiskDevice::Disk, DiskBus::Ide) if file => "ata-hardDisk",
            (DiskDevice::Disk, _) if file => return Ok(None),
            (DiskDevice::Cdrom, _) if file => "cdrom-image",
            (DiskDevice::Cdrom, _) => "atapi-cdrom",
            (DiskDevice::Lun, DiskBus::Scsi)
                if disk
                    .source
                    .path()
                    .is_some_and(|path| path.starts_with("/vmfs/devices/cdrom/")) =>
            {
                "scsi-passthru"
            }
            (DiskDevice::Lun, _) => "cdrom-raw",
            _ => {
                return Err(VmxError::unsupported(format!(
                    "{} {} '{}' has an unsupported type '{}'",
                    disk.target.bus,
                    self.device_word(disk),
                    disk.target.dev,
                    self.type_word(disk)
                ))
                .with_help("use a disk of type 'file', with a .vmdk file"));
            }
        }))
    }

    /// Writes the file name of a disk or CD-ROM drive.
    fn image(&mut self, disk: &Disk, slot: Slot, source: Option<&str>) -> Result<(), VmxError> {
        let key = format!("{slot}.fileName");
        let suffix = match disk.device {
            DiskDevice::Disk => ".vmdk",
            _ => ".iso",
        };
        let Some(source) = source else {
            if disk.device == DiskDevice::Cdrom {
                self.line(&key, "emptyBackingString");
                return Ok(());
            }
            return Err(no_source(&disk.target.dev).with_key(key));
        };
        let any = self.lenient() && disk.device == DiskDevice::Cdrom;
        if !any && !ends_with(source, suffix) {
            return Err(VmxError::internal(format!(
                "Image file for {} {} '{}' has unsupported suffix, expecting '{suffix}'",
                disk.target.bus,
                self.device_word(disk),
                disk.target.dev
            ))
            .with_key(key)
            .with_value(source));
        }
        self.file_name(&key, source)
    }

    fn cache(&mut self, disk: &Disk, slot: Slot) -> Result<(), VmxError> {
        let key = format!("{slot}.writeThrough");
        match disk.driver.cache {
            None | Some(CacheMode::Default) => {}
            Some(CacheMode::Writethrough) => self.line(&key, "true"),
            Some(cache) => {
                return Err(VmxError::unsupported(format!(
                    "{} harddisk '{}' has unsupported cache mode '{cache}'",
                    disk.target.bus, disk.target.dev
                ))
                .with_key(key)
                .with_help("use cache mode 'writethrough', or none"));
            }
        }
        Ok(())
    }

    /// Writes a floppy drive. Returns its number.
    fn floppy(&mut self, disk: &Disk) -> Result<u32, VmxError> {
        if self.lenient() && disk.target.bus != DiskBus::Fdc {
            return Err(VmxError::unsupported(format!(
                "Unsupported bus type '{}' for floppy",
                disk.target.bus
            ))
            .with_help("put the floppy drive on bus 'fdc'"));
        }
        let slot = self.slot(disk)?;
        let prefix = slot.to_string();
        let key = |name: &str| format!("{prefix}.{name}");
        self.line(&key("present"), "true");
        match &disk.source {
            DiskSource::File(source) => {
                self.line(&key("fileType"), "file");
                if let Some(source) = source {
                    self.file_name(&key("fileName"), source)?;
                }
            }
            DiskSource::Block(source) => {
                self.line(&key("fileType"), "device");
                if let Some(source) = source {
                    self.text(&key("fileName"), source);
                }
            }
            other => {
                return Err(VmxError::unsupported(format!(
                    "Floppy '{}' has unsupported type '{}', expecting 'file' or 'block'",
                    disk.target.dev,
                    other.kind()
                )));
            }
        }
        Ok(slot.unit)
    }

    /// The word for the type of device in errors. libvirt 9.0 looks the number up in the wrong table, that
    /// of all device types (`virDomainDeviceTypeToString`).
    fn device_word(&self, disk: &Disk) -> &'static str {
        if self.lenient() {
            return disk.device.as_str();
        }
        match disk.device {
            DiskDevice::Cdrom => "disk",
            DiskDevice::Floppy => "lease",
            DiskDevice::Lun => "filesystem",
            _ => "none",
        }
    }

    /// The word for the type of the source in errors, with the same mistake.
    fn type_word(&self, disk: &Disk) -> &'static str {
        let kind = disk.source.kind();
        if self.lenient() {
            return kind.as_str();
        }
        match kind {
            DiskType::Block => "lease",
            DiskType::Dir => "filesystem",
            DiskType::Network => "interface",
            DiskType::Volume => "input",
            DiskType::Nvme => "sound",
            DiskType::VhostUser => "video",
            DiskType::VhostVdpa => "hostdev",
            _ => "disk",
        }
    }
}

fn ends_with(name: &str, suffix: &str) -> bool {
    let start = name.len().checked_sub(suffix.len());
    start
        .and_then(|start| name.as_bytes().get(start..))
        .is_some_and(|end| end.eq_ignore_ascii_case(suffix.as_bytes()))
}
