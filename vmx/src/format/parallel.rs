use virt_model::DomainDef;
use virt_model::domain::CharSource;

use super::validate::missing_attribute;
use super::{Writer, ports};
use crate::VmxError;

impl Writer<'_> {
    /// Writes parallel ports.
    pub(super) fn parallels(&mut self, def: &DomainDef) -> Result<(), VmxError> {
        for parallel in &def.devices.parallels {
            let port = parallel.target_port.unwrap_or_default();
            ports::check("Parallel", port, 2)?;
            let key = |name: &str| format!("parallel{port}.{name}");
            self.line(&key("present"), "true");
            match &parallel.source {
                CharSource::Dev { path } => {
                    self.line(&key("fileType"), "device");
                    if let Some(path) = path {
                        self.text(&key("fileName"), path);
                    }
                }
                CharSource::Null if self.lenient() => self.line(&key("fileType"), "device"),
                CharSource::File { path, .. } => {
                    self.line(&key("fileType"), "file");
                    let path = path.as_ref().ok_or_else(|| missing_attribute("path"))?;
                    self.file_name(&key("fileName"), path)?;
                }
                other => return Err(ports::unsupported(other)),
            }
        }
        Ok(())
    }
}
