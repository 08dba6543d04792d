//! virsh's group "Snapshot".

mod create;
mod definition;
mod lookup;
mod snapshot_create;
mod snapshot_create_as;
mod snapshot_current;
mod snapshot_delete;
mod snapshot_dumpxml;
mod snapshot_edit;
mod snapshot_info;
mod snapshot_list;
mod snapshot_parent;
mod snapshot_revert;
mod specification;

use super::{Group, Row};

/// The group's commands.
pub(crate) static GROUP: Group = Group {
    title: "Snapshot",
    keyword: "snapshot",
    rows: &[
        Row::command::<snapshot_create::SnapshotCreate>("snapshot-create"),
        Row::command::<snapshot_create_as::SnapshotCreateAs>("snapshot-create-as"),
        Row::command::<snapshot_current::SnapshotCurrent>("snapshot-current"),
        Row::command::<snapshot_delete::SnapshotDelete>("snapshot-delete"),
        Row::query::<snapshot_dumpxml::SnapshotDumpxml>("snapshot-dumpxml"),
        Row::command::<snapshot_edit::SnapshotEdit>("snapshot-edit"),
        Row::query::<snapshot_info::SnapshotInfo>("snapshot-info"),
        Row::query::<snapshot_list::SnapshotList>("snapshot-list"),
        Row::query::<snapshot_parent::SnapshotParent>("snapshot-parent"),
        Row::command::<snapshot_revert::SnapshotRevert>("snapshot-revert"),
    ],
};
