//! Sound cards.

use super::DeviceInfo;

/// A sound card.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sound {
    /// The model: `es1370`, `ich9`, `sb16`, ….
    pub model: String,
    /// Address, alias.
    pub info: DeviceInfo,
}
