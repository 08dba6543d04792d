//! virsh's group "Virsh itself", and what virt-esx itself has besides.

mod completion;
mod man;

use super::{Group, Row, help};

/// The group's commands.
pub(crate) static GROUP: Group = Group {
    title: "virt-esx itself",
    keyword: "virsh",
    rows: &[
        Row::local::<completion::Completion>("completion"),
        Row::session::<help::Help>("help"),
        Row::local::<man::Man>("man"),
    ],
};
