use virt_model::DomainDef;
use virt_model::domain::{Video, VideoModel};

use super::reader::Reader;
use crate::VmxError;

impl Reader<'_> {
    /// The video card, which every domain has.
    pub(super) fn video(&mut self, def: &mut DomainDef) -> Result<(), VmxError> {
        const DEFAULT: i64 = 4 << 20;
        let bytes = self.long("svga.vramSize", DEFAULT)?;
        // libvirt keeps 32 bits.
        let kib = (bytes as u64).div_ceil(1024) as u32;
        def.devices.videos.push(Video {
            model: VideoModel::Vmvga,
            vram: Some(match kib {
                0 => 4096,
                _ => kib.checked_next_power_of_two().unwrap_or_default(),
            }),
            primary: true,
            ..Video::default()
        });
        Ok(())
    }
}
