//! The snapshot that a command means: `virshLookupSnapshot` of virsh.

use esx_driver::{Domain, SnapshotEntry};

use crate::commands::options;
use crate::failure::Failure;

/// Whether a name and `--current` exclude each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Current {
    Alone,
    WithName,
}

/// Finds the snapshot with this name, or the current one: one request.
///
/// # Errors
/// virsh's texts.
pub(super) async fn find(
    domain: &Domain,
    name: Option<&str>,
    is_current: bool,
    current: Current,
) -> Result<SnapshotEntry, Failure> {
    options::check_text("snapshotname", name)?;
    match (name, is_current) {
        (Some(_), true) if current == Current::Alone => {
            let line = "--snapshotname and --current are mutually exclusive";
            Err(Failure::new(line))
        }
        (Some(name), _) => Ok(domain.snapshot_entry(name).await?),
        (None, true) => Ok(domain.snapshot_current_entry().await?),
        (None, false) => Err(Failure::new("--snapshotname or --current is required")),
    }
}
