use virt_model::DomainDef;
use virt_model::domain::SmbiosMode;

use super::Writer;
use crate::VmxError;
use crate::escape::{PERCENT, PIPE};

impl Writer<'_> {
    /// Writes the architecture and SMBIOS.
    pub(super) fn machine(&mut self, def: &DomainDef) -> Result<(), VmxError> {
        let guest = match def.os.arch.as_deref() {
            None | Some("i686") => "other",
            Some("x86_64") => "other-64",
            Some("aarch64") if self.lenient() => "arm-other-64",
            Some(arch) => {
                return Err(VmxError::internal(format!(
                    "Expecting domain XML attribute 'arch' of entry 'os/type' to be 'i686' or \
                     'x86_64' but found '{arch}'"
                ))
                .with_key("guestOS")
                .with_value(arch));
            }
        };
        self.line("guestOS", guest);
        match def.os.smbios {
            None | Some(SmbiosMode::None | SmbiosMode::Emulate) => {}
            Some(SmbiosMode::Host) => self.line("smbios.reflecthost", "true"),
            Some(mode) => {
                return Err(
                    VmxError::unsupported(format!("Unsupported SMBIOS mode '{mode}'"))
                        .with_help("use mode 'host', 'emulate' or 'none'"),
                );
            }
        }
        Ok(())
    }

    /// Writes the UUID, the name and the description.
    pub(super) fn identity(&mut self, def: &DomainDef) {
        let uuid = def.uuid.filter(|uuid| !uuid.is_nil());
        let bios = def.hwuuid.filter(|_| self.lenient() && uuid.is_some());
        if let (Some(_), Some(uuid)) = (bios.filter(|bios| Some(*bios) != uuid), uuid) {
            self.line("vc.uuid", uuid.to_vmx());
        }
        match bios.or(uuid) {
            Some(uuid) => self.line("uuid.bios", uuid.to_vmx()),
            None => self.line("uuid.action", "create"),
        }
        let name = PIPE.escape(def.name.as_deref().unwrap_or_default());
        let name = PERCENT.escape(&name).into_owned();
        self.escaped("displayName", &name);
        if let Some(description) = &def.description {
            let description = PIPE.escape(description).into_owned();
            self.escaped("annotation", &description);
        }
    }

    /// Writes a line with a text whose quotes are escaped already. libvirt does not escape line ends, which
    /// end the value for every reader.
    fn escaped(&mut self, key: &str, text: &str) {
        if !self.lenient() || !text.contains(|c: char| c.is_ascii_control()) {
            return self.line(key, text);
        }
        let mut out = String::with_capacity(text.len() + 8);
        for c in text.chars() {
            if c.is_ascii_control() {
                out.push_str(&format!("|{:02x}", u32::from(c)));
            } else {
                out.push(c);
            }
        }
        self.line(key, out);
    }
}
