//! virsh's group "Node Device".

mod nodedev_event;

use super::{Group, Row};

/// The group's commands.
pub(crate) static GROUP: Group = Group {
    title: "Node Device",
    keyword: "nodedev",
    rows: &[Row::command::<nodedev_event::NodedevEvent>("nodedev-event")],
};
