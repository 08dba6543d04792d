//! VirtualMachine: its methods by what they are about.

mod power;
mod registration;
mod snapshots;

use crate::call::Row;

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    let rows = [power::rows(), registration::rows(), snapshots::rows()];
    rows.into_iter().flatten().collect()
}
