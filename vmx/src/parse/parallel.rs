use virt_model::DomainDef;
use virt_model::domain::{CharDevice, CharSource};

use super::reader::Reader;
use crate::VmxError;
use crate::names::Missing;

impl Reader<'_> {
    /// Reads parallel ports.
    pub(super) fn parallels(&mut self, def: &mut DomainDef) -> Result<(), VmxError> {
        for port in 0..3 {
            let source = self.parallel(port)?;
            let parallel = source.map(|source| CharDevice::new(source, port));
            def.devices.parallels.extend(parallel);
        }
        Ok(())
    }

    fn parallel(&mut self, port: u32) -> Result<Option<CharSource>, VmxError> {
        let device = format!("parallel{port}");
        let present = self.boolean(&format!("{device}.present"), false)?;
        let connected = self.starts_connected(&device)?;
        if !present {
            return Ok(None);
        }
        self.carried(&device);
        if !connected {
            self.warn_unconnected(&device);
        }
        let type_key = format!("{device}.fileType");
        let name_key = format!("{device}.fileName");
        let kind = self.essential(&type_key, "'device' is used")?;
        let name = match self.lenient() {
            true => self.text(&name_key),
            false => self.essential(&name_key, "")?,
        };
        let lower = kind.as_ref().map(|kind| kind.to_ascii_lowercase());
        let is_known = matches!(lower.as_deref(), None | Some("device" | "file"));
        if is_known && self.has_no_end(&name_key, name.as_deref())? {
            return Ok(Some(CharSource::Null));
        }
        let name = name.unwrap_or_default();
        match lower.as_deref() {
            None | Some("device") => Ok(Some(CharSource::Dev { path: Some(name) })),
            Some("file") => {
                let path = self.file_name(&name_key, &name, Missing::Refused)?;
                Ok(Some(CharSource::File { path, append: None }))
            }
            Some(_) => {
                let found = kind.unwrap_or_default();
                let error = self.expecting(&type_key, "'device' or 'file'", &found);
                self.tolerate(error, "the port is not connected")?;
                Ok(Some(CharSource::Null))
            }
        }
    }
}
