use virt_model::DomainDef;
use virt_model::domain::{Firmware, TpmBackend};

use super::Writer;
use crate::{LibvirtVersion, VmxError};

impl Writer<'_> {
    /// Writes the virtual TPM. libvirt before 12.4.0 ignores it.
    pub(super) fn tpm(&mut self, def: &DomainDef) -> Result<(), VmxError> {
        let [tpm, rest @ ..] = def.devices.tpms.as_slice() else {
            return Ok(());
        };
        if !self.since(LibvirtVersion::V12_4) {
            return Ok(());
        }
        let refused = |text: &str| Err(VmxError::unsupported(text).with_key("vtpm.present"));
        if !rest.is_empty() {
            return refused("VMware only supports a single TPM device");
        }
        if self.options.hardware_version < 14 {
            return refused("vTPM requires virtual hardware version 14 or higher");
        }
        if def.os.firmware != Some(Firmware::Efi) {
            return refused("vTPM requires EFI firmware");
        }
        let version2 = match &tpm.backend {
            TpmBackend::Emulator { version, .. } => version.as_deref() == Some("2.0"),
            _ => false,
        };
        if !version2 || tpm.model.as_deref() != Some("tpm-crb") {
            return refused("VMware driver only supports TPM 2.0 with the CRB model");
        }
        self.line("vtpm.present", "TRUE");
        Ok(())
    }
}
