//! virsh's group "Node Device".

mod change;
mod nodedev_detach;
mod nodedev_dumpxml;
mod nodedev_event;
mod nodedev_info;
mod nodedev_list;
mod nodedev_reattach;
mod nodedev_reset;

use super::{Group, Row};

/// The group's commands.
pub(crate) static GROUP: Group = Group {
    title: "Node Device",
    keyword: "nodedev",
    rows: &[
        Row::command::<nodedev_detach::NodedevDetach>("nodedev-detach").alias("nodedev-dettach"),
        Row::query::<nodedev_dumpxml::NodedevDumpxml>("nodedev-dumpxml"),
        Row::command::<nodedev_event::NodedevEvent>("nodedev-event"),
        Row::query::<nodedev_info::NodedevInfo>("nodedev-info"),
        Row::query::<nodedev_list::NodedevList>("nodedev-list"),
        Row::command::<nodedev_reattach::NodedevReattach>("nodedev-reattach"),
        Row::command::<nodedev_reset::NodedevReset>("nodedev-reset"),
    ],
};
