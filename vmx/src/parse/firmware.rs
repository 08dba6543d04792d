use virt_model::DomainDef;
use virt_model::domain::{Firmware, FirmwareFeature};

use super::reader::Reader;
use crate::names::Missing;
use crate::{LibvirtVersion, VmxError};

impl Reader<'_> {
    /// Reads the firmware, Secure Boot and the NVRAM file.
    pub(super) fn firmware(&mut self, def: &mut DomainDef) -> Result<(), VmxError> {
        let key = "firmware";
        match self.string(key).as_deref() {
            None => {}
            Some("efi") => def.os.firmware = Some(Firmware::Efi),
            Some(value) if self.lenient() && value.eq_ignore_ascii_case("efi") => {
                def.os.firmware = Some(Firmware::Efi);
            }
            // BIOS is VMware's default; libvirt refuses the word.
            Some(value) if self.lenient() && value.eq_ignore_ascii_case("bios") => {}
            Some(value) => {
                let text = format!("VMX entry '{key}' has unknown value '{value}'");
                let error = self
                    .error(key, text)
                    .with_help("write efi, or remove the line");
                self.tolerate(error, "it is left out")?;
            }
        }
        if self.lenient() && def.os.arch.as_deref() == Some("aarch64") {
            // ARM has no BIOS.
            def.os.firmware = Some(Firmware::Efi);
        }
        if self.since(LibvirtVersion::V11_3) {
            let secure = self.boolean("uefi.secureBoot.enabled", false)?;
            if secure && def.os.firmware == Some(Firmware::Efi) {
                // VMware's one switch stands for both features of libvirt.
                def.os.firmware_features = ["enrolled-keys", "secure-boot"]
                    .map(|name| FirmwareFeature {
                        name: name.to_owned(),
                        enabled: true,
                        ..FirmwareFeature::default()
                    })
                    .to_vec();
            }
        }
        if self.since(LibvirtVersion::V12_4)
            && let Some(name) = self.text("nvram")
        {
            let nvram = self.file_name("nvram", &name, Missing::Refused)?;
            // libvirt defines no domain with such a file and BIOS, whose file has settings of VMware's BIOS only.
            let is_kept = !self.lenient() || def.os.firmware == Some(Firmware::Efi);
            def.os.nvram = nvram.filter(|_| is_kept);
        }
        Ok(())
    }
}
