//! The memory balloon.

use super::DeviceInfo;

/// The memory balloon, by which the host takes memory from the guest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Memballoon {
    /// The model: `virtio`, `xen`, `none`, ….
    pub model: String,
    /// Whether memory is given back when the guest is short of it.
    pub autodeflate: Option<bool>,
    /// Seconds between statistics.
    pub stats_period: Option<u32>,
    /// Address, alias.
    pub info: DeviceInfo,
}
