//! HostDatastoreSystem: how a host gets datastores, and loses them.

use crate::call::Row;

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    vec![]
}
