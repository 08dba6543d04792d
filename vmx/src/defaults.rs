use virt_model::domain::{Defaults, VideoModel};

/// Places on a SCSI bus that libvirt counts with, whatever the virtual hardware has.
pub(crate) const SCSI_UNITS: u32 = 16;

/// What libvirt's drivers for VMware add to definitions and accept in them (libvirt's
/// `virVMXDomainDefParserConfig`).
pub fn defaults() -> Defaults {
    Defaults {
        arch: Some("i686".to_owned()),
        video: VideoModel::Vmvga,
        scsi_units: SCSI_UNITS,
        ..Defaults::default()
    }
}
