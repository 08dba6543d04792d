//! Completes definitions as libvirt does after it has read a document.

use virt_model::domain::{Disk, DiskDevice, DiskSource};
use virt_model::{DomainDef, ErrorNumber};

use super::validate::of_document;
use crate::{Mode, VmxError};

/// The definition with everything that libvirt's reader adds.
pub(super) fn completed(def: &DomainDef, mode: Mode) -> Result<DomainDef, VmxError> {
    let mut def = def.clone();
    if mode == Mode::Lenient {
        def.devices.disks.iter_mut().for_each(empty_drive);
    }
    for interface in &mut def.devices.interfaces {
        // Names that libvirt generated for a running domain; its reader (domain_conf.c) drops them.
        interface
            .target_dev
            .take_if(|dev| GENERATED.iter().any(|prefix| dev.starts_with(prefix)));
    }
    def.post_parse(&crate::defaults()).map_err(of_document)?;
    if def.memory == 0 {
        let text = "Memory size must be specified via <memory> or in the <numa> configuration";
        return Err(VmxError::new(ErrorNumber::XmlError, text).with_key("memsize"));
    }
    Ok(def)
}

/// Gives a drive without a medium the source type `file`. Without a source the type means nothing, and
/// the writer knows empty drives of this type only.
fn empty_drive(disk: &mut Disk) {
    let nothing = match &disk.source {
        DiskSource::Block(path) | DiskSource::Dir(path) => path.is_none(),
        DiskSource::Network(disk) => disk.is_none(),
        DiskSource::Volume(disk) => disk.is_none(),
        _ => false,
    };
    let removable = matches!(disk.device, DiskDevice::Cdrom | DiskDevice::Floppy);
    if nothing && removable && disk.startup_policy.is_none() {
        disk.source = DiskSource::File(None);
    }
}

const GENERATED: [&str; 3] = ["vnet", "macvtap", "macvlan"];
