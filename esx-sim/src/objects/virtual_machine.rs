//! VirtualMachine: methods by theme.

mod clone;
mod configuration;
mod migration;
mod power;
mod registration;
mod screenshot;
mod snapshots;

use crate::call::Row;

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    let rows = [
        clone::rows(),
        configuration::rows(),
        migration::rows(),
        power::rows(),
        registration::rows(),
        screenshot::rows(),
        snapshots::rows(),
    ];
    rows.into_iter().flatten().collect()
}
