use virt_model::DomainDef;
use virt_model::domain::{Video, VideoModel};

use super::reader::Reader;
use crate::VmxError;

impl Reader<'_> {
    /// Reads the video card, which every domain has.
    pub(super) fn video(&mut self, def: &mut DomainDef) -> Result<(), VmxError> {
        if self.lenient() && !self.boolean("svga.present", true)? {
            def.devices.videos.push(Video {
                model: VideoModel::None,
                primary: true,
                ..Video::default()
            });
            return Ok(());
        }
        const DEFAULT: i64 = 4 << 20;
        const MOST: i64 = 1 << 40;
        let mut bytes = self.long("svga.vramSize", DEFAULT)?;
        if self.is_beyond("svga.vramSize", bytes, MOST, "4 MiB are used") {
            bytes = DEFAULT;
        } else if self.lenient() && bytes <= 0 {
            self.warn("svga.vramSize", "the card needs memory; 4 MiB are used");
            bytes = DEFAULT;
        }
        // libvirt rounds up and keeps the lower 32 bits. Completing the definition makes the size a
        // power of two.
        let kib = (bytes.wrapping_add(1023) / 1024) as u32;
        let accelerated = self.lenient() && self.boolean("mks.enable3d", false)?;
        def.devices.videos.push(Video {
            accel3d: accelerated.then_some(true),
            model: VideoModel::Vmvga,
            vram: Some(kib),
            primary: true,
            ..Video::default()
        });
        Ok(())
    }
}
