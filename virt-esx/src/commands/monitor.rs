//! virsh's group "Domain Monitoring".

mod dominfo;
mod domstate;
mod list;

use super::{Group, Row};

/// The group's commands.
pub(crate) static GROUP: Group = Group {
    title: "Domain Monitoring",
    keyword: "monitor",
    rows: &[
        Row::query::<dominfo::Dominfo>("dominfo"),
        Row::query::<domstate::Domstate>("domstate"),
        Row::query::<list::List>("list"),
    ],
};
