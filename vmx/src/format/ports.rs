//! Code that serial and parallel ports share.

use virt_model::domain::CharSource;

use crate::VmxError;

/// Checks the number of a port.
pub(super) fn check(kind: &str, number: u32, last: u32) -> Result<(), VmxError> {
    if number <= last {
        return Ok(());
    }
    Err(VmxError::internal(format!(
        "{kind} port index {} out of [0..{last}] range",
        number.cast_signed()
    )))
}

/// The error for a source that a port cannot have.
pub(super) fn unsupported(source: &CharSource) -> VmxError {
    VmxError::unsupported(format!(
        "Unsupported character device type '{}'",
        source.kind()
    ))
}
