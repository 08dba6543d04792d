//! virsh's group "Snapshot".

mod snapshot_create_as;
mod snapshot_list;
mod snapshot_revert;
mod specification;
mod tree;

use super::{Group, Row};

/// The group's commands.
pub(crate) static GROUP: Group = Group {
    title: "Snapshot",
    keyword: "snapshot",
    rows: &[
        Row::command::<snapshot_create_as::SnapshotCreateAs>("snapshot-create-as"),
        Row::query::<snapshot_list::SnapshotList>("snapshot-list"),
        Row::query::<snapshot_revert::SnapshotRevert>("snapshot-revert"),
    ],
};
