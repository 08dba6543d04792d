//! What libvirt adds to every definition, whatever it is made from.

use virt_model::DomainDef;

use crate::VmxError;

/// Adds what libvirt does: controllers that disks need, the console that every first serial port is.
pub(super) fn complete(def: &mut DomainDef) -> Result<(), VmxError> {
    def.post_parse(&crate::defaults())
        .map_err(|error| VmxError::new(error.number(), error.message()))
}
