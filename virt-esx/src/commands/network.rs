//! virsh's group "Networking".

mod net_autostart;
mod net_create;
mod net_define;
mod net_destroy;
mod net_dumpxml;
mod net_edit;
mod net_event;
mod net_info;
mod net_list;
mod net_name;
mod net_start;
mod net_undefine;
mod net_update;
mod net_uuid;

use super::{Group, Row};

/// The group's commands.
pub(crate) static GROUP: Group = Group {
    title: "Networking",
    keyword: "network",
    rows: &[
        Row::command::<net_autostart::NetAutostart>("net-autostart"),
        Row::command::<net_create::NetCreate>("net-create"),
        Row::command::<net_define::NetDefine>("net-define"),
        Row::command::<net_destroy::NetDestroy>("net-destroy"),
        Row::query::<net_dumpxml::NetDumpxml>("net-dumpxml"),
        Row::command::<net_edit::NetEdit>("net-edit"),
        Row::command::<net_event::NetEvent>("net-event"),
        Row::query::<net_info::NetInfo>("net-info"),
        Row::query::<net_list::NetList>("net-list"),
        Row::query::<net_name::NetName>("net-name"),
        Row::command::<net_start::NetStart>("net-start"),
        Row::command::<net_undefine::NetUndefine>("net-undefine"),
        Row::command::<net_update::NetUpdate>("net-update"),
        Row::query::<net_uuid::NetUuid>("net-uuid"),
    ],
};
