use virt_model::DomainDef;
use virt_model::domain::Firmware;

use super::Writer;
use crate::LibvirtVersion;

impl Writer<'_> {
    /// Firmware and NVRAM.
    pub(super) fn firmware(&mut self, def: &DomainDef) {
        if def.os.firmware == Some(Firmware::Efi) {
            self.line("firmware", "efi");
        }
        if !self.since(LibvirtVersion::V12_4) {
            return;
        }
        if let Some(nvram) = &def.os.nvram {
            // libvirt leaves the line out when the name can't be translated: VMware makes a new
            // file then.
            if let Ok(name) = self.names.format(nvram) {
                self.text("nvram", &name);
            }
        }
    }
}
