use virt_model::DomainDef;
use virt_model::domain::{Video, VideoModel};

use super::reader::Reader;
use crate::VmxError;

impl Reader<'_> {
    /// Reads the video card, which every domain has.
    pub(super) fn video(&mut self, def: &mut DomainDef) -> Result<(), VmxError> {
        const DEFAULT: i64 = 4 << 20;
        let bytes = self.long("svga.vramSize", DEFAULT)?;
        // libvirt rounds up and keeps the lower 32 bits. Completing the definition makes the size a
        // power of two.
        let kib = (bytes.wrapping_add(1023) / 1024) as u32;
        def.devices.videos.push(Video {
            model: VideoModel::Vmvga,
            vram: Some(kib),
            primary: true,
            ..Video::default()
        });
        Ok(())
    }
}
