//! What serial and parallel ports share.

use virt_model::domain::{CharDevice, CharSource};

use crate::VmxError;

/// The ports with their numbers; those without one get, as libvirt's reader gives them, the one
/// behind the highest before them.
pub(super) fn numbered(ports: &[CharDevice]) -> impl Iterator<Item = (u32, &CharDevice)> {
    let mut next = 0;
    ports.iter().map(move |port| {
        let number = port.target_port.unwrap_or(next);
        next = next.max(number.saturating_add(1));
        (number, port)
    })
}

/// Checks the number of a port.
pub(super) fn check(kind: &str, number: u32, last: u32) -> Result<(), VmxError> {
    if number <= last {
        return Ok(());
    }
    Err(VmxError::internal(format!(
        "{kind} port index {number} out of [0..{last}] range"
    )))
}

/// The error for what a port can't be connected to.
pub(super) fn unsupported(source: &CharSource) -> VmxError {
    VmxError::unsupported(format!(
        "Unsupported character device type '{}'",
        source.kind()
    ))
}
