use virt_model::DomainDef;
use virt_model::domain::{Video, VideoModel};

use super::reader::Reader;
use crate::VmxError;

impl Reader<'_> {
    /// The video card, which every domain has.
    pub(super) fn video(&mut self, def: &mut DomainDef) -> Result<(), VmxError> {
        const DEFAULT: i64 = 4 << 20;
        let bytes = self.long("svga.vramSize", DEFAULT)?;
        // As C rounds up, of which libvirt keeps 32 bits; post-parsing makes it a power of two.
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
