//! Mice, keyboards, tablets.

use super::DeviceInfo;
use crate::words::words;

words! {
    /// What an input device is.
    #[derive(Default)]
    pub enum InputType {
        #[default]
        Mouse = "mouse",
        Tablet = "tablet",
        Keyboard = "keyboard",
        Passthrough = "passthrough",
        Evdev = "evdev",
    }
}

words! {
    /// What an input device is attached to.
    pub enum InputBus {
        Ps2 = "ps2",
        Usb = "usb",
        Xen = "xen",
        Parallels = "parallels",
        Virtio = "virtio",
        None = "none",
    }
}

/// A mouse, keyboard or tablet.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Input {
    /// What it is.
    pub kind: InputType,
    /// What it is attached to.
    pub bus: Option<InputBus>,
    /// The model.
    pub model: Option<String>,
    /// Address, alias.
    pub info: DeviceInfo,
}
