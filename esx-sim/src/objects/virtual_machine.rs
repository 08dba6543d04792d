//! VirtualMachine: methods by theme.

mod configuration;
mod power;
mod registration;
mod snapshots;

use crate::call::Row;

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    let rows = [configuration::rows(), power::rows(), registration::rows(), snapshots::rows()];
    rows.into_iter().flatten().collect()
}
