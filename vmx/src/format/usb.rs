use virt_model::domain::{Disk, DiskDevice, DiskSource};

use super::Writer;
use crate::VmxError;

impl Writer<'_> {
    /// Writes the disks on USB, which libvirt refuses: on USB 3, which virtual hardware 8 and higher has, or on USB 2.
    pub(super) fn usb_disks(&mut self, disks: &[Disk]) -> Result<(), VmxError> {
        if disks.is_empty() {
            return Ok(());
        }
        let is_usb_3 = self.options.hardware_version >= 8;
        let controller = if is_usb_3 { "usb_xhci" } else { "ehci" };
        if !is_usb_3 {
            self.line("usb.present", "true");
        }
        self.line(&format!("{controller}.present"), "true");
        for (port, disk) in disks.iter().enumerate() {
            let dev = &disk.target.dev;
            let source = match (&disk.source, disk.device) {
                (DiskSource::File(Some(source)), DiskDevice::Disk) => source,
                _ => {
                    let text = format!("usb {} '{dev}' is no disk with a file", disk.device);
                    return Err(VmxError::unsupported(text)
                        .with_help("use a disk of type 'file'; drives are on SCSI, SATA or IDE"));
                }
            };
            let key = |name: &str| format!("{controller}:{port}.{name}");
            self.line(&key("present"), "true");
            self.line(&key("deviceType"), "disk");
            self.file_name(&key("fileName"), source)?;
        }
        Ok(())
    }
}
