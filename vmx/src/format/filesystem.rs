use virt_model::DomainDef;
use virt_model::domain::FilesystemType;

use super::Writer;
use super::validate::no_source;
use crate::VmxError;

impl Writer<'_> {
    /// Writes shared folders.
    pub(super) fn filesystems(&mut self, def: &DomainDef) -> Result<(), VmxError> {
        let filesystems = &def.devices.filesystems;
        if filesystems.is_empty() {
            return Ok(());
        }
        self.line("isolation.tools.hgfs.disable", "false");
        self.line("sharedFolder.maxNum", filesystems.len());
        for (index, filesystem) in filesystems.iter().enumerate() {
            let key = |name: &str| format!("sharedFolder{index}.{name}");
            if filesystem.kind != FilesystemType::Mount {
                return Err(
                    VmxError::unsupported("Only 'mount' filesystem type is supported")
                        .with_key(key("hostPath"))
                        .with_value(filesystem.kind.as_str()),
                );
            }
            self.line(&key("present"), "true");
            self.line(&key("enabled"), "true");
            self.line(&key("readAccess"), "true");
            self.line(&key("writeAccess"), !filesystem.readonly);
            let Some(source) = &filesystem.source else {
                return Err(no_source(&filesystem.target).with_key(key("hostPath")));
            };
            self.text(&key("hostPath"), source);
            self.text(&key("guestName"), &filesystem.target);
        }
        Ok(())
    }
}
