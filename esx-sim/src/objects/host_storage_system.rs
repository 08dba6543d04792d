//! HostStorageSystem: adapters, iSCSI targets and VMFS volumes of a host.

use crate::call::Row;

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    vec![]
}
