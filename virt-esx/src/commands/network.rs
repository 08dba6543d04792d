//! virsh's group "Networking".

mod net_dumpxml;
mod net_event;
mod net_list;

use super::{Group, Row};

/// The group's commands.
pub(crate) static GROUP: Group = Group {
    title: "Networking",
    keyword: "network",
    rows: &[
        Row::query::<net_dumpxml::NetDumpxml>("net-dumpxml"),
        Row::command::<net_event::NetEvent>("net-event"),
        Row::query::<net_list::NetList>("net-list"),
    ],
};
