//! virsh's group "Storage Pool".

mod pool_event;

use super::{Group, Row};

/// The group's commands.
pub(crate) static GROUP: Group = Group {
    title: "Storage Pool",
    keyword: "pool",
    rows: &[Row::command::<pool_event::PoolEvent>("pool-event")],
};
