//! Disks, CD-ROM and floppy drives.

use vi_types::Poly;
use vi_types::objects::{
    VirtualCdrom, VirtualCdromAtapiBackingInfo, VirtualCdromIsoBackingInfo,
    VirtualCdromPassthroughBackingInfo, VirtualDevice, VirtualDeviceBackingInfo,
    VirtualDeviceConnectInfo, VirtualDeviceDeviceBackingInfo, VirtualDeviceFileBackingInfo,
    VirtualDisk, VirtualDiskFlatVer2BackingInfo, VirtualDiskSeSparseBackingInfo,
    VirtualDiskSparseVer2BackingInfo, VirtualFloppy, VirtualFloppyDeviceBackingInfo,
    VirtualFloppyImageBackingInfo, VirtualScsiPassthrough, VirtualScsiPassthroughDeviceBackingInfo,
};
use virt_model::domain::DiskBus;
use vmx::Slot;

use super::{Applied, Keys, Name};

/// A disk or drive of a definition.
pub(super) struct WantedDisk<'a> {
    pub(super) keys: &'a Keys,
    pub(super) slot: Slot,
    pub(super) is_on: bool,
}

/// What the device is for the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Disk,
    Cdrom,
    Floppy,
    Passthrough,
}

impl WantedDisk<'_> {
    /// The device for the host, without key and controller.
    pub(super) fn device(&self) -> Poly<VirtualDevice> {
        let kind = self.kind();
        let base = VirtualDevice {
            backing: Some(self.backing()),
            connectable: (kind != Kind::Disk).then(|| self.connection(None).into()),
            ..VirtualDevice::default()
        };
        match kind {
            // The host reads the size from the file.
            Kind::Disk => VirtualDisk {
                base,
                ..VirtualDisk::default()
            }
            .into(),
            Kind::Cdrom => VirtualCdrom {
                base,
                ..VirtualCdrom::default()
            }
            .into(),
            Kind::Floppy => VirtualFloppy {
                base,
                ..VirtualFloppy::default()
            }
            .into(),
            Kind::Passthrough => VirtualScsiPassthrough {
                base,
                ..VirtualScsiPassthrough::default()
            }
            .into(),
        }
    }

    /// The device `old` as it is wanted.
    pub(super) fn applied(&self, old: &Poly<VirtualDevice>) -> Applied {
        let is_alike = match self.kind() {
            Kind::Disk => return self.applied_to_disk(old),
            Kind::Cdrom => old.is::<VirtualCdrom>(),
            Kind::Floppy => old.is::<VirtualFloppy>(),
            Kind::Passthrough => old.is::<VirtualScsiPassthrough>(),
        };
        if !is_alike {
            return Applied::Other;
        }
        let backing = self.backing();
        if old
            .backing
            .as_ref()
            .is_some_and(|old| is_same(old, &backing))
        {
            return Applied::Same;
        }
        let mut device = old.clone();
        device.connectable = Some(self.connection(old.connectable.as_deref()).into());
        device.backing = Some(backing);
        Applied::Edited(device)
    }

    fn applied_to_disk(&self, old: &Poly<VirtualDevice>) -> Applied {
        let file = old.backing.as_ref();
        let file = file.and_then(|backing| backing.cast::<VirtualDeviceFileBackingInfo>());
        match file {
            Some(file) if old.is::<VirtualDisk>() && file.file_name == self.file() => {}
            _ => return Applied::Other,
        }
        let mut device = old.clone();
        let Some(backing) = device.backing.as_mut() else {
            return Applied::Other;
        };
        if let Some(mode) = mode(backing) {
            let changed = match (self.is_transient(), mode == NONPERSISTENT) {
                (true, false) => Some(NONPERSISTENT),
                (false, true) => Some(PERSISTENT),
                _ => None,
            };
            if let Some(changed) = changed {
                changed.clone_into(mode);
            }
        }
        if let Some(flat) = backing.cast_mut::<VirtualDiskFlatVer2BackingInfo>() {
            let wanted = self.writes_through();
            if flat.write_through.unwrap_or(false) != wanted {
                flat.write_through = Some(wanted);
            }
        }
        Applied::unless_same(device, old)
    }

    fn kind(&self) -> Kind {
        let kind = self.value("deviceType").unwrap_or_default();
        match kind.as_str() {
            _ if self.slot.bus == DiskBus::Fdc => Kind::Floppy,
            "cdrom-image" | "atapi-cdrom" | "cdrom-raw" => Kind::Cdrom,
            "scsi-passthru" => Kind::Passthrough,
            _ => Kind::Disk,
        }
    }

    fn backing(&self) -> Poly<VirtualDeviceBackingInfo> {
        let device = self.host_device();
        match self.value("deviceType").as_deref() {
            _ if self.slot.bus == DiskBus::Fdc => match self.value("fileType").as_deref() {
                Some("file") => VirtualFloppyImageBackingInfo {
                    base: self.file_backing(),
                    ..Default::default()
                }
                .into(),
                _ => VirtualFloppyDeviceBackingInfo {
                    base: device,
                    ..Default::default()
                }
                .into(),
            },
            Some("cdrom-image") => VirtualCdromIsoBackingInfo {
                base: self.file_backing(),
                ..Default::default()
            }
            .into(),
            Some("atapi-cdrom") => VirtualCdromAtapiBackingInfo {
                base: device,
                ..Default::default()
            }
            .into(),
            Some("cdrom-raw") => VirtualCdromPassthroughBackingInfo {
                base: device,
                ..Default::default()
            }
            .into(),
            Some("scsi-passthru") => VirtualScsiPassthroughDeviceBackingInfo {
                base: device,
                ..Default::default()
            }
            .into(),
            _ => VirtualDiskFlatVer2BackingInfo {
                base: self.file_backing(),
                disk_mode: match self.is_transient() {
                    true => NONPERSISTENT.to_owned(),
                    false => PERSISTENT.to_owned(),
                },
                write_through: self.writes_through().then_some(true),
                ..VirtualDiskFlatVer2BackingInfo::default()
            }
            .into(),
        }
    }

    /// A drive without a medium is not connected. The guest may open its drive.
    fn connection(&self, old: Option<&VirtualDeviceConnectInfo>) -> VirtualDeviceConnectInfo {
        let is_empty = self.file() == NO_FILE
            && (self.value("deviceType").as_deref() == Some("cdrom-image")
                || self.value("fileType").as_deref() == Some("file"));
        let default = VirtualDeviceConnectInfo {
            allow_guest_control: true,
            ..VirtualDeviceConnectInfo::default()
        };
        VirtualDeviceConnectInfo {
            start_connected: !is_empty,
            connected: self.is_on && !is_empty,
            // The server sets it.
            status: None,
            ..old.cloned().unwrap_or(default)
        }
    }

    fn file_backing(&self) -> VirtualDeviceFileBackingInfo {
        VirtualDeviceFileBackingInfo {
            file_name: self.file(),
            ..VirtualDeviceFileBackingInfo::default()
        }
    }

    /// The name of the file as the API has it.
    fn file(&self) -> String {
        match self.value("fileName") {
            None => NO_FILE.to_owned(),
            Some(name) if name == "emptyBackingString" => NO_FILE.to_owned(),
            Some(name) => file_name(name),
        }
    }

    fn host_device(&self) -> VirtualDeviceDeviceBackingInfo {
        let any = self.keys.is(Name::Disk(self.slot), "autodetect");
        VirtualDeviceDeviceBackingInfo {
            device_name: match any {
                true => String::new(),
                false => self.value("fileName").unwrap_or_default(),
            },
            use_auto_detect: any.then_some(true),
            ..VirtualDeviceDeviceBackingInfo::default()
        }
    }

    fn is_transient(&self) -> bool {
        self.value("mode").as_deref() == Some("independent-nonpersistent")
    }

    fn writes_through(&self) -> bool {
        self.keys.is(Name::Disk(self.slot), "writeThrough")
    }

    fn value(&self, key: &str) -> Option<String> {
        self.keys.of_name(Name::Disk(self.slot), key)
    }
}

/// The API's form of a file name. Files of the host itself, such as images of VMware Tools, are on no datastore.
pub(super) fn file_name(name: String) -> String {
    match name.starts_with('/') {
        true => format!("[] {name}"),
        false => name,
    }
}

/// Whether two backings of a drive or port mean the same, whatever else the host has added to them.
pub(super) fn is_same(
    old: &Poly<VirtualDeviceBackingInfo>,
    new: &Poly<VirtualDeviceBackingInfo>,
) -> bool {
    if old.type_name() != new.type_name() {
        return false;
    }
    let files = (
        old.cast::<VirtualDeviceFileBackingInfo>(),
        new.cast::<VirtualDeviceFileBackingInfo>(),
    );
    if let (Some(old), Some(new)) = files {
        let is_empty = |name: &str| matches!(name, "" | NO_FILE);
        let are_empty = is_empty(&old.file_name) && is_empty(&new.file_name);
        return are_empty || old.file_name == new.file_name;
    }
    let devices = (
        old.cast::<VirtualDeviceDeviceBackingInfo>(),
        new.cast::<VirtualDeviceDeviceBackingInfo>(),
    );
    if let (Some(old), Some(new)) = devices {
        let any = |backing: &VirtualDeviceDeviceBackingInfo| backing.use_auto_detect == Some(true);
        return any(old) == any(new) && (any(old) || old.device_name == new.device_name);
    }
    old == new
}

/// The mode of a disk.
fn mode(backing: &mut Poly<VirtualDeviceBackingInfo>) -> Option<&mut String> {
    if backing.is::<VirtualDiskFlatVer2BackingInfo>() {
        let flat = backing.cast_mut::<VirtualDiskFlatVer2BackingInfo>();
        return flat.map(|backing| &mut backing.disk_mode);
    }
    if backing.is::<VirtualDiskSeSparseBackingInfo>() {
        let sparse = backing.cast_mut::<VirtualDiskSeSparseBackingInfo>();
        return sparse.map(|backing| &mut backing.disk_mode);
    }
    let sparse = backing.cast_mut::<VirtualDiskSparseVer2BackingInfo>();
    sparse.map(|backing| &mut backing.disk_mode)
}

const PERSISTENT: &str = "persistent";
const NONPERSISTENT: &str = "independent_nonpersistent";

/// The API's name of the image in a drive without a medium.
const NO_FILE: &str = "[]";
