//! virsh's group "Host and Hypervisor".

mod capabilities;
mod freecell;
mod hostname;
mod maxvcpus;
mod nodeinfo;
mod uri;
mod version;

use super::{Group, Row};

/// The group's commands.
pub(crate) static GROUP: Group = Group {
    title: "Host and Hypervisor",
    keyword: "host",
    rows: &[
        Row::query::<capabilities::Capabilities>("capabilities"),
        Row::query::<freecell::Freecell>("freecell"),
        Row::query::<hostname::Hostname>("hostname"),
        Row::query::<maxvcpus::Maxvcpus>("maxvcpus"),
        Row::query::<nodeinfo::Nodeinfo>("nodeinfo"),
        Row::query::<uri::Uri>("uri"),
        Row::query::<version::Version>("version"),
    ],
};
