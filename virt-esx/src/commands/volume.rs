//! virsh's group "Storage Volume".

mod definition;
mod transfer;
mod vol_clone;
mod vol_create;
mod vol_create_as;
mod vol_create_from;
mod vol_delete;
mod vol_download;
mod vol_dumpxml;
mod vol_info;
mod vol_key;
mod vol_list;
mod vol_name;
mod vol_path;
mod vol_pool;
mod vol_resize;
mod vol_upload;
mod vol_wipe;

use super::{Group, Row};

/// The group's commands.
pub(crate) static GROUP: Group = Group {
    title: "Storage Volume",
    keyword: "volume",
    rows: &[
        Row::command::<vol_clone::VolClone>("vol-clone"),
        Row::command::<vol_create_as::VolCreateAs>("vol-create-as"),
        Row::command::<vol_create::VolCreate>("vol-create"),
        Row::command::<vol_create_from::VolCreateFrom>("vol-create-from"),
        Row::command::<vol_delete::VolDelete>("vol-delete"),
        Row::command::<vol_download::VolDownload>("vol-download"),
        Row::query::<vol_dumpxml::VolDumpxml>("vol-dumpxml"),
        Row::command::<vol_info::VolInfo>("vol-info"),
        Row::query::<vol_key::VolKey>("vol-key"),
        Row::command::<vol_list::VolList>("vol-list"),
        Row::query::<vol_name::VolName>("vol-name"),
        Row::query::<vol_path::VolPath>("vol-path"),
        Row::query::<vol_pool::VolPool>("vol-pool"),
        Row::command::<vol_resize::VolResize>("vol-resize"),
        Row::command::<vol_upload::VolUpload>("vol-upload"),
        Row::command::<vol_wipe::VolWipe>("vol-wipe"),
    ],
};
