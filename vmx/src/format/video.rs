use virt_model::DomainDef;
use virt_model::domain::VideoModel;

use super::Writer;
use crate::VmxError;

impl Writer<'_> {
    /// Writes the video card's memory, in bytes. VMware wants a multiple of 64 KiB.
    pub(super) fn video(&mut self, def: &DomainDef) -> Result<(), VmxError> {
        let key = "svga.vramSize";
        let [video, rest @ ..] = def.devices.videos.as_slice() else {
            return Ok(());
        };
        if !rest.is_empty() {
            let text = "No support for multiple video devices";
            return Err(VmxError::internal(text).with_key(key));
        }
        if self.lenient() && video.model == VideoModel::None {
            self.line("svga.present", "FALSE");
            return Ok(());
        }
        if video.model != VideoModel::Vmvga {
            return Err(VmxError::unsupported(format!(
                "Unsupported video device type '{}'",
                video.model
            ))
            .with_key(key)
            .with_help("use model 'vmvga'"));
        }
        if video.heads.is_some_and(|heads| heads > 1) {
            let text = "Multi-head video devices are unsupported";
            return Err(VmxError::unsupported(text).with_key(key));
        }
        let kib = u64::from(video.vram.unwrap_or_default());
        self.line(key, kib.div_ceil(64) * 64 * 1024);
        Ok(())
    }
}
