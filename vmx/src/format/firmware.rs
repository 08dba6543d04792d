use virt_model::DomainDef;
use virt_model::domain::Firmware;

use super::Writer;
use crate::LibvirtVersion;

impl Writer<'_> {
    /// Writes the firmware and the NVRAM file.
    pub(super) fn firmware(&mut self, def: &DomainDef) {
        if def.os.firmware == Some(Firmware::Efi) {
            self.line("firmware", "efi");
        }
        if !self.since(LibvirtVersion::V12_4) {
            return;
        }
        if let Some(nvram) = &def.os.nvram {
            // libvirt leaves the line out if it cannot translate the name. VMware then makes a new
            // file.
            if let Ok(name) = self.names.format(nvram) {
                self.text("nvram", &name);
            }
        }
    }
}
