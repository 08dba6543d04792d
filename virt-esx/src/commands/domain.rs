//! virsh's group "Domain Management".

mod action;
mod attach_disk;
mod attach_interface;
mod autostart;
mod blkdeviotune;
mod change_media;
mod clone;
mod define;
mod destroy;
mod detach_disk;
mod detach_interface;
mod device_address;
mod device_change;
mod domdisplay;
mod domid;
mod domif_setlink;
mod domjobabort;
mod domjobinfo;
mod domname;
mod dompmsuspend;
mod dompmwakeup;
mod domuuid;
mod domxml_from_native;
mod domxml_to_native;
mod drive;
mod dumpxml;
mod migrate;
mod network_card;
mod reboot;
mod reset;
mod resume;
mod screenshot;
mod shutdown;
mod shutdown_mode;
mod start;
mod suspend;
mod ttyconsole;
mod undefine;
mod vncdisplay;

use super::{Group, Row};

/// The group's commands.
pub(crate) static GROUP: Group = Group {
    title: "Domain Management",
    keyword: "domain",
    rows: &[
        Row::command::<attach_disk::AttachDisk>("attach-disk")
            .renamed("--shareable=--mode=shareable"),
        Row::command::<attach_interface::AttachInterface>("attach-interface"),
        Row::command::<autostart::Autostart>("autostart"),
        Row::command::<change_media::ChangeMedia>("change-media"),
        Row::command::<clone::Clone>("clone"),
        Row::command::<define::Define>("define"),
        Row::command::<destroy::Destroy>("destroy"),
        Row::command::<detach_disk::DetachDisk>("detach-disk"),
        Row::command::<detach_interface::DetachInterface>("detach-interface"),
        Row::query::<domid::Domid>("domid"),
        Row::command::<domif_setlink::DomifSetlink>("domif-setlink")
            .renamed("--persistent=--config"),
        Row::query::<blkdeviotune::Blkdeviotune>("blkdeviotune").renamed(blkdeviotune::RENAMED),
        Row::query::<domdisplay::Domdisplay>("domdisplay"),
        Row::query::<domjobabort::Domjobabort>("domjobabort"),
        Row::query::<domjobinfo::Domjobinfo>("domjobinfo"),
        Row::query::<domname::Domname>("domname"),
        Row::query::<dompmsuspend::Dompmsuspend>("dompmsuspend"),
        Row::query::<dompmwakeup::Dompmwakeup>("dompmwakeup"),
        Row::query::<domuuid::Domuuid>("domuuid"),
        Row::query::<domxml_from_native::DomxmlFromNative>("domxml-from-native"),
        Row::query::<domxml_to_native::DomxmlToNative>("domxml-to-native"),
        Row::query::<dumpxml::Dumpxml>("dumpxml"),
        Row::command::<migrate::Migrate>("migrate"),
        Row::command::<reboot::Reboot>("reboot"),
        Row::command::<reset::Reset>("reset"),
        Row::command::<resume::Resume>("resume"),
        Row::command::<screenshot::Screenshot>("screenshot"),
        Row::command::<shutdown::Shutdown>("shutdown"),
        Row::command::<start::Start>("start"),
        Row::command::<suspend::Suspend>("suspend"),
        Row::command::<ttyconsole::Ttyconsole>("ttyconsole"),
        Row::query::<undefine::Undefine>("undefine"),
        Row::query::<vncdisplay::Vncdisplay>("vncdisplay"),
    ],
};
