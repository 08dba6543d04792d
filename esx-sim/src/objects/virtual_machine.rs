//! VirtualMachine: methods by theme.

mod clone;
mod configuration;
mod power;
mod registration;
mod snapshots;

use crate::call::Row;

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    let rows = [clone::rows(), configuration::rows(), power::rows(), registration::rows(), snapshots::rows()];
    rows.into_iter().flatten().collect()
}
