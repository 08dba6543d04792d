//! What libvirt adds to every definition that it reads from a document.

use virt_model::domain::{Address, DeviceInfo, Video, VideoModel};
use virt_model::{DomainDef, ErrorNumber};

use super::target;
use crate::VmxError;
use crate::parse::post;

/// The definition with what libvirt's reader adds, as far as it is written to VMX files.
pub(super) fn completed(def: &DomainDef) -> Result<DomainDef, VmxError> {
    let mut def = def.clone();
    for disk in &mut def.devices.disks {
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
    post::complete(&mut def);
    let devices = &mut def.devices;
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
