//! Completes definitions as libvirt completes every one.

use virt_model::DomainDef;

use crate::VmxError;

/// Adds what libvirt adds: controllers that disks need, and the console for the first serial port.
pub(super) fn complete(def: &mut DomainDef) -> Result<(), VmxError> {
    def.post_parse(&crate::defaults())
        .map_err(|error| VmxError::new(error.number(), error.message()))
}
