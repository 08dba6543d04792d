//! virsh's group "Virsh itself", and what virt-esx itself has besides.

mod cd;
mod complete;
mod completion;
mod connect;
mod echo;
mod exporter;
mod man;
mod pwd;
mod quit;

use super::{Group, Row, help};

/// The group's commands.
pub(crate) static GROUP: Group = Group {
    title: "virt-esx itself",
    keyword: "virsh",
    rows: &[
        Row::session::<cd::Cd>("cd"),
        Row::session::<complete::Complete>("complete"),
        Row::local::<completion::Completion>("completion"),
        Row::session::<connect::Connect>("connect"),
        Row::session::<echo::Echo>("echo"),
        Row::session::<quit::Quit>("exit"),
        Row::session::<exporter::Exporter>("exporter"),
        Row::session::<help::Help>("help"),
        Row::local::<man::Man>("man"),
        Row::session::<pwd::Pwd>("pwd"),
        Row::session::<quit::Quit>("quit"),
    ],
};
