//! virsh's group "Host Interface".

mod iface_begin;
mod iface_bridge;
mod iface_commit;
mod iface_define;
mod iface_destroy;
mod iface_dumpxml;
mod iface_edit;
mod iface_list;
mod iface_mac;
mod iface_name;
mod iface_rollback;
mod iface_start;
mod iface_unbridge;
mod iface_undefine;
mod transaction;

use super::{Group, Row};

/// The group's commands.
pub(crate) static GROUP: Group = Group {
    title: "Host Interface",
    keyword: "interface",
    rows: &[
        Row::command::<iface_begin::IfaceBegin>("iface-begin"),
        Row::command::<iface_bridge::IfaceBridge>("iface-bridge"),
        Row::command::<iface_commit::IfaceCommit>("iface-commit"),
        Row::command::<iface_define::IfaceDefine>("iface-define"),
        Row::command::<iface_destroy::IfaceDestroy>("iface-destroy"),
        Row::query::<iface_dumpxml::IfaceDumpxml>("iface-dumpxml"),
        Row::command::<iface_edit::IfaceEdit>("iface-edit"),
        Row::query::<iface_list::IfaceList>("iface-list"),
        Row::query::<iface_mac::IfaceMac>("iface-mac"),
        Row::query::<iface_name::IfaceName>("iface-name"),
        Row::command::<iface_rollback::IfaceRollback>("iface-rollback"),
        Row::command::<iface_start::IfaceStart>("iface-start"),
        Row::command::<iface_unbridge::IfaceUnbridge>("iface-unbridge"),
        Row::command::<iface_undefine::IfaceUndefine>("iface-undefine"),
    ],
};
