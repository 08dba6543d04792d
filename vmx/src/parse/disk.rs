use std::ops::ControlFlow;

use virt_model::DomainDef;
use virt_model::domain::{
    Address, CacheMode, Controller, ControllerType, DeviceInfo, Disk, DiskBus, DiskDevice,
    DiskSource, StartupPolicy,
};

use super::reader::Reader;
use crate::names::Missing;
use crate::{LibvirtVersion, Slot, VmxError};

impl Reader<'_> {
    /// Reads disks, CD-ROM and floppy drives, with their controllers.
    pub(super) fn disks(&mut self, def: &mut DomainDef) -> Result<(), VmxError> {
        self.bus(def, DiskBus::Scsi, ControllerType::Scsi)?;
        self.bus(def, DiskBus::Sata, ControllerType::Sata)?;
        for bus in 0..2 {
            for unit in 0..2 {
                let slot = Slot::new(DiskBus::Ide, bus, unit);
                let disk = self.slot(slot)?;
                self.slots.extend(disk.is_some().then_some(slot));
                def.devices.disks.extend(disk);
            }
        }
        for unit in 0..2 {
            let disk = self.floppy(unit)?;
            self.slots
                .extend(disk.is_some().then_some(Slot::new(DiskBus::Fdc, 0, unit)));
            def.devices.disks.extend(disk);
        }
        if self.since(LibvirtVersion::V11_5) {
            self.bus(def, DiskBus::Nvme, ControllerType::Nvme)?;
        }
        if self.lenient() && !self.options.libvirts_disk_names {
            self.distinct_names(def);
        }
        Ok(())
    }

    /// Reads the four controllers of a bus, and their disks.
    fn bus(
        &mut self,
        def: &mut DomainDef,
        bus: DiskBus,
        kind: ControllerType,
    ) -> Result<(), VmxError> {
        let mut models: [Option<String>; 4] = Default::default();
        let mut last = None;
        for (index, model) in (0..).zip(&mut models) {
            let Some(controller) = self.controller(def, kind, index)? else {
                continue;
            };
            *model = controller.model;
            let slots = Slot::all(bus, self.hardware(), self.options.libvirt);
            for slot in slots.filter(|slot| slot.controller == index) {
                let disk = self.slot(slot)?;
                self.slots.extend(disk.is_some().then_some(slot));
                if let Some(Address::Drive(address)) =
                    disk.as_ref().and_then(|disk| disk.info.address.as_ref())
                {
                    last = Some(address.controller);
                }
                def.devices.disks.extend(disk);
            }
        }
        // libvirt up to 12.5.0 adds the controllers up to the last one with a disk. NVMe controllers
        // are added at the end, by virDomainDefPostParse.
        let explicit = !self.since(LibvirtVersion::Newest) && bus != DiskBus::Nvme;
        if let (true, Some(last)) = (explicit, last) {
            for index in 0..=last {
                def.devices.controllers.push(Controller {
                    model: models.get(index as usize).cloned().flatten(),
                    ..Controller::new(kind, index)
                });
            }
        }
        Ok(())
    }

    /// The device name and the address of a disk.
    fn attach(&self, disk: &mut Disk, slot: Slot) {
        let (dev, address) = slot.names(self.hardware(), self.options.libvirt);
        disk.target.bus = slot.bus;
        disk.target.dev = dev;
        disk.info = DeviceInfo::at(Address::Drive(address));
    }

    /// The `virtualHW.version`. libvirt accepts any number from 4 on.
    fn hardware(&self) -> u32 {
        u32::try_from(self.hardware.max(0)).unwrap_or(u32::MAX)
    }

    /// Reads the device in a slot of a bus, if there is one.
    fn slot(&mut self, slot: Slot) -> Result<Option<Disk>, VmxError> {
        let Some(keys) = self.keys(slot)? else {
            return Ok(None);
        };
        let mut disk = match self.hard_disk(&keys)? {
            ControlFlow::Break(disk) => disk,
            ControlFlow::Continue(()) if slot.bus == DiskBus::Nvme => {
                let message = "no disk, and NVMe has no other drives; the slot is left out";
                self.warn(&keys.file_name_key, message);
                None
            }
            ControlFlow::Continue(()) => self.cdrom(&keys)?,
        };
        if let Some(disk) = &mut disk {
            self.attach(disk, slot);
        }
        Ok(disk)
    }

    /// The keys of a device that is present and that libvirt does not ignore.
    fn keys(&mut self, slot: Slot) -> Result<Option<Keys>, VmxError> {
        let device = slot.to_string();
        let key = |name: &str| format!("{device}.{name}");
        let present = self.boolean(&key("present"), false)?;
        let connected = self.starts_connected(&device)?;
        if !present {
            return Ok(None);
        }
        self.carried(&device);
        let device_type = self
            .string(&key("deviceType"))
            .map(|text| text.into_owned());
        if self.boolean(&key("clientDevice"), false)? {
            let message = "a drive of the computer that the client runs on; it is left out";
            self.warn(&key("clientDevice"), message);
            return Ok(None);
        }
        let mut file_name_key = key("fileName");
        let mut file_name = self.text(&file_name_key);
        if file_name.is_none() && self.lenient() {
            // ESX 2 had another key for it.
            file_name = self.text(&key("name"));
            if file_name.is_some() {
                file_name_key = key("name");
            }
        }
        if self.lenient() {
            file_name = file_name.map(|name| match name.trim() {
                "" => String::new(),
                name if name.eq_ignore_ascii_case(EMPTY) => EMPTY.to_owned(),
                _ => name,
            });
        }
        let is_empty =
            |name: &str| name.is_empty() || name == EMPTY || name.eq_ignore_ascii_case(AUTO);
        if !connected && !file_name.as_deref().is_none_or(is_empty) {
            self.warn_unconnected(&device);
        }
        Ok(Some(Keys {
            shareable: self.is_shared(&device),
            bus: slot.bus,
            device_type_key: key("deviceType"),
            device_type,
            transient: self.is_transient(&key("mode")),
            file_type: self.string(&key("fileType")).map(|text| text.into_owned()),
            file_name,
            file_name_key,
            write_through: self.boolean(&key("writeThrough"), false)?,
        }))
    }

    /// Whether other machines write to the disk in a slot, too: it says so itself, or its controller shares its bus. libvirt reads
    /// neither.
    fn is_shared(&self, device: &str) -> bool {
        if !self.lenient() {
            return false;
        }
        let is = |key: String, words: &[&str]| {
            let found = self.string(&key).unwrap_or_default();
            words
                .iter()
                .any(|word| found.trim().eq_ignore_ascii_case(word))
        };
        let controller = device.split(':').next().unwrap_or_default();
        is(
            format!("{device}.sharing"),
            &["multi-writer", "sharingMultiWriter"],
        ) || is(format!("{controller}.sharedBus"), &["virtual", "physical"])
    }

    /// Whether a disk forgets its changes when the machine is switched off. Definitions have no other modes.
    fn is_transient(&self, key: &str) -> bool {
        let mode = self.file.get(key);
        let is_transient =
            mode.is_some_and(|mode| mode.eq_ignore_ascii_case("independent-nonpersistent"));
        is_transient && self.string(key).is_some()
    }

    /// Reads the slot as a hard disk. It goes on if the slot may be a CD-ROM drive.
    fn hard_disk(&mut self, keys: &Keys) -> Result<ControlFlow<Option<Disk>>, VmxError> {
        let Some(file_name) = keys.file_name.as_deref() else {
            return Ok(ControlFlow::Continue(()));
        };
        let is = |name: &str| keys.is_type(name);
        if ends_with(file_name, ".iso")
            || file_name == EMPTY
            || is("atapi-cdrom")
            || is("cdrom-raw")
            || is("cdrom-image")
            || is("scsi-passthru") && file_name.starts_with(HOST_CDROM)
        {
            return Ok(ControlFlow::Continue(()));
        }
        if !ends_with(file_name, ".vmdk") {
            return self.other_disk(keys, file_name);
        }
        let own = match keys.bus {
            DiskBus::Scsi => Some("scsi-hardDisk"),
            DiskBus::Ide => Some("ata-hardDisk"),
            _ => None,
        };
        if let (Some(own), Some(found)) = (own, &keys.device_type)
            && !is(own)
            && !is("disk")
        {
            let accepted = format!("'{own}' or 'disk'");
            let error = self.expecting(&keys.device_type_key, &accepted, found);
            self.tolerate(error, "it is read as a disk")?;
        }
        let source = self.file_name(&keys.file_name_key, file_name, Missing::Refused)?;
        let disk = keys.disk(DiskDevice::Disk, DiskSource::File(source));
        Ok(ControlFlow::Break(Some(disk)))
    }

    /// Reads a disk that is not a `.vmdk`, which libvirt refuses.
    fn other_disk(
        &mut self,
        keys: &Keys,
        file_name: &str,
    ) -> Result<ControlFlow<Option<Disk>>, VmxError> {
        if self.lenient() && file_name.eq_ignore_ascii_case(AUTO) {
            if keys.bus == DiskBus::Nvme {
                return Ok(ControlFlow::Continue(()));
            }
            if keys.is_hard_disk() {
                let message = "it is read as a CD-ROM drive of the host";
                self.tolerate(self.unhandled(keys), message)?;
            }
            // A drive of the host, whatever else the slot's type is.
            let drive = self.drive(keys, DiskDevice::Cdrom)?;
            return Ok(ControlFlow::Break(Some(drive)));
        }
        let error = self.unhandled(keys);
        if file_name.is_empty() {
            self.tolerate(error, "the slot is left out")?;
            return Ok(ControlFlow::Break(None));
        }
        if ["/dev/", "/vmfs/devices/", r"\\.\"]
            .iter()
            .any(|prefix| file_name.starts_with(prefix))
        {
            self.tolerate(error, "it is read as a disk of the host")?;
            let source = DiskSource::Block(Some(file_name.to_owned()));
            let disk = keys.disk(DiskDevice::Disk, source);
            return Ok(ControlFlow::Break(Some(disk)));
        }
        if self.lenient() && keys.is_type("scsi-passthru") {
            return Ok(ControlFlow::Continue(()));
        }
        self.tolerate(error, "it is read as a disk's image")?;
        let source = self.file_name(&keys.file_name_key, file_name, Missing::Refused)?;
        let disk = keys.disk(DiskDevice::Disk, DiskSource::File(source));
        Ok(ControlFlow::Break(Some(disk)))
    }

    /// Reads the slot as a CD-ROM drive. None if libvirt ignores it.
    fn cdrom(&mut self, keys: &Keys) -> Result<Option<Disk>, VmxError> {
        let file_name = keys.file_name.as_deref();
        let is = |name: &str| keys.is_type(name);
        let empty = match file_name {
            Some("") => self.since(LibvirtVersion::V11_3),
            name => name == Some(EMPTY),
        };
        if file_name.is_some_and(|name| ends_with(name, ".vmdk")) {
            let message = "a CD-ROM drive with a disk in it; it is left out";
            self.warn(&keys.file_name_key, message);
            return Ok(None);
        }
        if let Some(name) = file_name.filter(|name| ends_with(name, ".iso")) {
            self.check_image(keys)?;
            let source = self.file_name(&keys.file_name_key, name, Missing::Allowed)?;
            if source.is_none() {
                self.warn(
                    &keys.file_name_key,
                    "the datastore is not known; the drive is empty",
                );
            }
            return Ok(Some(keys.cdrom(DiskSource::File(source))));
        }
        if is("atapi-cdrom") {
            return Ok(Some(self.drive(keys, DiskDevice::Cdrom)?));
        }
        // The guest sends its commands to the host's drive.
        if is("cdrom-raw") {
            return Ok(Some(self.drive(keys, DiskDevice::Lun)?));
        }
        if keys.bus == DiskBus::Scsi && is("scsi-passthru") {
            if file_name.is_some_and(|name| name.starts_with(HOST_CDROM)) {
                let source = DiskSource::Block(keys.file_name.clone());
                let mut disk = keys.cdrom(source);
                disk.device = DiskDevice::Lun;
                return Ok(Some(disk));
            }
            let message = "a device of the host, which is no drive; it is left out";
            self.warn(&keys.device_type_key, message);
            return Ok(None);
        }
        if empty {
            if self.lenient() && keys.is_hard_disk() {
                let message = "a disk without a file; the slot is left out";
                self.warn(&keys.file_name_key, message);
                return Ok(None);
            }
            self.check_image(keys)?;
            return Ok(Some(keys.cdrom(DiskSource::File(None))));
        }
        self.other_cdrom(keys)
    }

    /// A CD-ROM drive of the host.
    fn drive(&mut self, keys: &Keys, mut device: DiskDevice) -> Result<Disk, VmxError> {
        let name = keys.file_name.as_deref();
        let automatic = name.is_some_and(|name| name.eq_ignore_ascii_case(AUTO));
        let is_name = |name: &&str| self.is_name(name) && !(self.lenient() && *name == EMPTY);
        let name = name.filter(|name| !automatic && is_name(name));
        if self.lenient() && device == DiskDevice::Lun && name.is_none() && !automatic {
            // libvirt defines no such device.
            let key = &keys.file_name_key;
            match keys.file_name.as_deref() {
                Some(EMPTY) => {
                    self.warn(key, "no drive of the host; the drive is empty");
                }
                _ => self.lacks(key, "the drive is empty")?,
            }
            device = DiskDevice::Cdrom;
        }
        Ok(Disk {
            device,
            startup_policy: automatic.then_some(StartupPolicy::Optional),
            ..keys.cdrom(DiskSource::Block(name.map(str::to_owned)))
        })
    }

    /// Reads a CD-ROM drive with another source, which libvirt refuses.
    fn other_cdrom(&mut self, keys: &Keys) -> Result<Option<Disk>, VmxError> {
        let error = self.unhandled(keys);
        if !keys.is_type("cdrom-image") {
            self.tolerate(error, "the slot is left out")?;
            return Ok(None);
        }
        match keys.file_name.as_deref() {
            None | Some("") => {
                self.tolerate(error, "the drive is empty")?;
                Ok(Some(keys.cdrom(DiskSource::File(None))))
            }
            Some(name) if name.eq_ignore_ascii_case(AUTO) => {
                self.tolerate(error, "it is read as a drive of the host")?;
                Ok(Some(self.drive(keys, DiskDevice::Cdrom)?))
            }
            Some(name) => {
                self.tolerate(error, "it is read as an image")?;
                let source = self.file_name(&keys.file_name_key, name, Missing::Allowed)?;
                Ok(Some(keys.cdrom(DiskSource::File(source))))
            }
        }
    }

    fn check_image(&mut self, keys: &Keys) -> Result<(), VmxError> {
        match &keys.device_type {
            Some(found) if !keys.is_type("cdrom-image") => {
                let error = self.expecting(&keys.device_type_key, "'cdrom-image'", found);
                self.tolerate(error, "it is read as an image")
            }
            _ => Ok(()),
        }
    }

    fn floppy(&mut self, unit: u32) -> Result<Option<Disk>, VmxError> {
        let slot = Slot::new(DiskBus::Fdc, 0, unit);
        let Some(keys) = self.keys(slot)? else {
            return Ok(None);
        };
        let kind = keys.file_type.as_deref().unwrap_or_default();
        let source = if kind.eq_ignore_ascii_case("device") {
            DiskSource::Block(self.floppy_name(&keys))
        } else if kind.eq_ignore_ascii_case("file") {
            DiskSource::File(self.floppy_image(&keys)?)
        } else {
            let error = self.unhandled(&keys);
            let name = keys.file_name.as_deref().unwrap_or_default();
            if [".flp", ".img", ".ima", ".vfd"]
                .iter()
                .any(|suffix| ends_with(name, suffix))
            {
                self.tolerate(error, "it is read as an image")?;
                DiskSource::File(self.floppy_image(&keys)?)
            } else {
                self.tolerate(error, "it is read as a drive of the host")?;
                DiskSource::Block(self.floppy_name(&keys))
            }
        };
        let mut disk = Disk {
            device: DiskDevice::Floppy,
            source,
            ..Disk::default()
        };
        self.attach(&mut disk, slot);
        Ok(Some(disk))
    }

    /// The name of a floppy drive or image, if it has one.
    fn floppy_name(&self, keys: &Keys) -> Option<String> {
        let is_none =
            |name: &str| name.is_empty() || name == EMPTY || name.eq_ignore_ascii_case(AUTO);
        let name = keys.file_name.as_deref();
        let name = name.filter(|name| !self.lenient() || !is_none(name));
        name.map(str::to_owned)
    }

    fn floppy_image(&mut self, keys: &Keys) -> Result<Option<String>, VmxError> {
        match &self.floppy_name(keys) {
            Some(name) => self.file_name(&keys.file_name_key, name, Missing::Refused),
            None => Ok(None),
        }
    }

    fn unhandled(&self, keys: &Keys) -> VmxError {
        let found = keys.file_name.as_deref().unwrap_or("<null>");
        let device_type = keys.device_type.as_deref().unwrap_or("unknown");
        let help = match keys.bus {
            DiskBus::Fdc => "write a fileType of 'device' or 'file'",
            DiskBus::Nvme => "write the name of a .vmdk file",
            _ => "write the name of a .vmdk or .iso file, or the deviceType of a CD-ROM drive",
        };
        self.error(
            &keys.file_name_key,
            format!(
                "Invalid or not yet handled value '{found}' for VMX entry '{}' for device type \
                 '{device_type}'",
                keys.file_name_key
            ),
        )
        .with_help(help)
    }
}

/// The file name that VMware writes for a drive without a medium.
const EMPTY: &str = "emptyBackingString";
/// The file name that VMware writes for any drive of the host.
pub(super) const AUTO: &str = "auto detect";
const HOST_CDROM: &str = "/vmfs/devices/cdrom/";

/// The keys of a slot.
struct Keys {
    bus: DiskBus,
    /// Whether other machines write to the disk, too.
    shareable: bool,
    device_type_key: String,
    device_type: Option<String>,
    transient: bool,
    file_type: Option<String>,
    file_name_key: String,
    file_name: Option<String>,
    write_through: bool,
}

impl Keys {
    fn is_type(&self, name: &str) -> bool {
        self.device_type
            .as_deref()
            .is_some_and(|found| found.eq_ignore_ascii_case(name))
    }

    fn is_hard_disk(&self) -> bool {
        let kinds = ["disk", "scsi-hardDisk", "ata-hardDisk"];
        kinds.iter().any(|kind| self.is_type(kind))
    }

    fn disk(&self, device: DiskDevice, source: DiskSource) -> Disk {
        let mut disk = Disk {
            device,
            source,
            shareable: self.shareable,
            transient: self.transient,
            ..Disk::default()
        };
        disk.driver.cache = self.write_through.then_some(CacheMode::Writethrough);
        disk
    }

    fn cdrom(&self, source: DiskSource) -> Disk {
        Disk {
            device: DiskDevice::Cdrom,
            source,
            readonly: true,
            ..Disk::default()
        }
    }
}

fn ends_with(name: &str, suffix: &str) -> bool {
    name.len() >= suffix.len()
        && name.as_bytes()[name.len() - suffix.len()..].eq_ignore_ascii_case(suffix.as_bytes())
}
