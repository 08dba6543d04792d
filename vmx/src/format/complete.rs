//! What libvirt adds to every definition that it reads from a document.

use virt_model::domain::{
    Address, CharDevice, DeviceInfo, Disk, DiskDevice, DiskSource, StartupPolicy, Video, VideoModel,
};
use virt_model::{DomainDef, ErrorNumber};

use super::target;
use crate::VmxError;
use crate::parse::post;

/// The definition with what libvirt's reader adds, as far as it is written to VMX files.
pub(super) fn completed(def: &DomainDef) -> Result<DomainDef, VmxError> {
    let mut def = def.clone();
    for disk in &mut def.devices.disks {
        empty_drive(disk);
        if disk.info.address.is_some() || !target::has_drives(disk.target.bus) {
            continue;
        }
        let Some(address) = target::address(&disk.target) else {
            let text = format!(
                "Unknown disk name '{}' and no address specified",
                disk.target.dev
            );
            let help = "a name like sda, hda or fda, or an <address>";
            return Err(VmxError::new(ErrorNumber::XmlError, text).with_help(help));
        };
        disk.info = DeviceInfo {
            address: Some(Address::Drive(address)),
            ..std::mem::take(&mut disk.info)
        };
    }
    if def.memory == 0 {
        let text = "Memory size must be specified via <memory> or in the <numa> configuration";
        return Err(VmxError::new(ErrorNumber::XmlError, text).with_key("memsize"));
    }
    post::complete(&mut def);
    let devices = &mut def.devices;
    // A console alone is the first serial port.
    if let ([], [console, ..]) = (&devices.serials[..], &devices.consoles[..])
        && matches!(console.target_type.as_deref(), None | Some("serial"))
    {
        devices
            .serials
            .push(CharDevice::new(console.source.clone(), 0));
    }
    if !devices.graphics.is_empty() && devices.videos.is_empty() {
        devices.videos.push(Video::default());
    }
    for video in &mut devices.videos {
        if video.model == VideoModel::Default {
            video.model = VideoModel::Vmvga;
        }
        let vram = video.vram.filter(|kib| *kib > 0).unwrap_or(4096);
        video.vram = Some(vram.checked_next_power_of_two().unwrap_or_default());
    }
    Ok(def)
}

/// A drive without a medium is one of images, whatever its document says.
fn empty_drive(disk: &mut Disk) {
    let nothing = match &disk.source {
        DiskSource::File(_) => false,
        DiskSource::Network(disk) => disk.is_none(),
        DiskSource::Volume(disk) => disk.is_none(),
        source => {
            matches!(source, DiskSource::Block(_) | DiskSource::Dir(_)) && source.path().is_none()
        }
    };
    let removable = matches!(disk.device, DiskDevice::Cdrom | DiskDevice::Floppy);
    if nothing && removable && disk.startup_policy != Some(StartupPolicy::Optional) {
        disk.source = DiskSource::File(None);
    }
}
