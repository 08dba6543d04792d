//! virsh's group "Domain Monitoring".

mod domblkerror;
mod domblkinfo;
mod domblklist;
mod domcontrol;
mod domif_getlink;
mod domifaddr;
mod domiflist;
mod dominfo;
mod dommemstat;
mod domstate;
mod domstats;
mod list;
mod watch;

use super::{Group, Row};

/// The group's commands.
pub(crate) static GROUP: Group = Group {
    title: "Domain Monitoring",
    keyword: "monitor",
    rows: &[
        Row::query::<domblkerror::Domblkerror>("domblkerror"),
        Row::query::<domblkinfo::Domblkinfo>("domblkinfo"),
        Row::query::<domblklist::Domblklist>("domblklist"),
        Row::query::<domcontrol::Domcontrol>("domcontrol"),
        Row::query::<domif_getlink::DomifGetlink>("domif-getlink").renamed("--persistent=--config"),
        Row::query::<domifaddr::Domifaddr>("domifaddr"),
        Row::query::<domiflist::Domiflist>("domiflist"),
        Row::command::<dominfo::Dominfo>("dominfo"),
        Row::query::<dommemstat::Dommemstat>("dommemstat"),
        Row::query::<domstate::Domstate>("domstate"),
        Row::query::<domstats::Domstats>("domstats"),
        Row::command::<list::List>("list"),
        Row::command::<watch::Watch>("watch"),
    ],
};
