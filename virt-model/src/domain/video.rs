//! Video cards.

use super::DeviceInfo;
use crate::words::words;

words! {
    /// What a video card is.
    #[derive(Default)]
    pub enum VideoModel {
        #[default]
        Default = "default",
        Vga = "vga",
        Cirrus = "cirrus",
        Vmvga = "vmvga",
        Xen = "xen",
        Vbox = "vbox",
        Qxl = "qxl",
        Parallels = "parallels",
        Virtio = "virtio",
        Gop = "gop",
        None = "none",
        Bochs = "bochs",
        Ramfb = "ramfb",
    }
}

/// A video card. Memory is in KiB.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Video {
    /// What it is.
    pub model: VideoModel,
    /// The second bar of memory, of qxl.
    pub ram: Option<u32>,
    /// The memory.
    pub vram: Option<u32>,
    /// The memory beyond 32 bits, of qxl.
    pub vram64: Option<u32>,
    /// The part of the memory that is VGA's, of qxl.
    pub vgamem: Option<u32>,
    /// Screens.
    pub heads: Option<u32>,
    /// Whether it is the first card.
    pub primary: bool,
    /// Whether the guest can use 3D acceleration.
    pub accel3d: Option<bool>,
    /// Whether the guest can use 2D acceleration.
    pub accel2d: Option<bool>,
    /// Address, alias.
    pub info: DeviceInfo,
}
