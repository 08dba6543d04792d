//! Video cards.

use xmltree::Element;

use super::DeviceInfo;
use crate::{
    DomainXmlFlags, ErrorNumber,
    words::words,
    xml::{Build, Node, XmlError, decimal, yes_no},
};

words! {
    /// The model of a video card.
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
    /// The model.
    pub model: VideoModel,
    /// The size of qxl's second memory bar.
    pub ram: Option<u32>,
    /// The size of the video memory.
    pub vram: Option<u32>,
    /// The size of qxl's 64-bit memory bar.
    pub vram64: Option<u32>,
    /// The size of qxl's VGA framebuffer.
    pub vgamem: Option<u32>,
    /// The number of screens.
    pub heads: Option<u32>,
    /// Whether this is the primary card.
    pub primary: bool,
    /// Whether the guest can use 3D acceleration.
    pub accel3d: Option<bool>,
    /// Whether the guest can use 2D acceleration.
    pub accel2d: Option<bool>,
    /// The address and the alias.
    pub info: DeviceInfo,
    #[doc(hidden)]
    pub _more: (),
}

impl Video {
    pub(super) fn read(mut node: Node<'_>) -> Result<Video, XmlError> {
        let mut video = Video {
            info: DeviceInfo::read(&mut node)?,
            ..Video::default()
        };
        if let Some(mut model) = node.child("model") {
            if let Some(kind) = model.old_filled_word("type", "unknown video model")? {
                video.model = kind;
            }
            let mut size = |name| match model.filled(name) {
                Some(text) => decimal(&text).map(Some).ok_or_else(|| {
                    let message = format!("cannot parse video {name} '{text}'");
                    match name {
                        "heads" => model.fail(ErrorNumber::InternalError, message),
                        _ => model.error(message),
                    }
                }),
                None => Ok(None),
            };
            video.ram = size("ram")?;
            video.vram = size("vram")?;
            video.vram64 = size("vram64")?;
            video.vgamem = size("vgamem")?;
            video.heads = size("heads")?;
            video.primary = model.attr("primary").is_some_and(|word| word == "yes");
            if let Some(mut acceleration) = model.child("acceleration") {
                video.accel3d = acceleration.yes_no("accel3d")?;
                video.accel2d = acceleration.yes_no("accel2d")?;
            }
        }
        Ok(video)
    }

    pub(super) fn to_element(&self, flags: DomainXmlFlags) -> Element {
        let acceleration = Element::new("acceleration")
            .maybe_attr("accel3d", self.accel3d.map(yes_no))
            .maybe_attr("accel2d", self.accel2d.map(yes_no));
        let accelerated = !acceleration.attributes.is_empty();
        let model = Element::new("model")
            .attr("type", self.model)
            .maybe_attr("ram", self.ram)
            .maybe_attr("vram", self.vram)
            .maybe_attr("vram64", self.vram64)
            .maybe_attr("vgamem", self.vgamem)
            .maybe_attr("heads", self.heads)
            .maybe_attr("primary", self.primary.then_some("yes"))
            .children(accelerated.then_some(acceleration));
        Element::new("video")
            .child(model)
            .children(self.info.to_elements(flags))
    }
}
