//! virsh's group "Domain Events".

mod detail;
mod event;
mod history;

use super::{Group, Row};

/// The group's commands.
pub(crate) static GROUP: Group = Group {
    title: "Domain Events",
    keyword: "events",
    rows: &[
        Row::command::<event::Event>("event"),
        Row::command::<history::Events>("events"),
    ],
};
