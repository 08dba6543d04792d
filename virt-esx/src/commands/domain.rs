//! virsh's group "Domain Management".

pub(super) mod action;
mod attach_device;
mod attach_disk;
mod attach_interface;
mod autostart;
mod blkdeviotune;
mod blkiotune;
mod blockresize;
mod change_media;
mod clone;
mod create;
mod define;
mod desc;
mod destroy;
mod detach_device;
mod detach_device_alias;
mod detach_disk;
mod detach_interface;
mod device_address;
mod device_change;
mod domdisplay;
mod domhostname;
mod domid;
mod domif_setlink;
mod domjobabort;
mod domjobinfo;
mod domname;
mod dompmsuspend;
mod dompmwakeup;
mod domrename;
pub(super) mod domuuid;
mod domxml_from_native;
mod domxml_to_native;
mod drive;
mod dumpxml;
mod edit;
mod impact;
mod memtune;
mod metadata;
mod migrate;
mod network_card;
mod numatune;
mod reboot;
mod reset;
mod resume;
mod schedinfo;
mod screenshot;
mod setmaxmem;
mod setmem;
mod setvcpus;
mod shutdown;
mod shutdown_mode;
mod start;
mod suspend;
mod ttyconsole;
mod undefine;
mod update_device;
mod vcpucount;
mod vcpuinfo;
mod vcpupin;
mod vncdisplay;

use super::{Group, Row};

/// The group's commands.
pub(crate) static GROUP: Group = Group {
    title: "Domain Management",
    keyword: "domain",
    rows: &[
        Row::command::<attach_device::AttachDevice>("attach-device"),
        Row::command::<attach_disk::AttachDisk>("attach-disk")
            .renamed("--shareable=--mode=shareable"),
        Row::command::<attach_interface::AttachInterface>("attach-interface"),
        Row::command::<autostart::Autostart>("autostart"),
        Row::command::<blockresize::Blockresize>("blockresize"),
        Row::command::<change_media::ChangeMedia>("change-media"),
        Row::command::<clone::Clone>("clone"),
        Row::command::<create::Create>("create"),
        Row::command::<define::Define>("define"),
        Row::command::<desc::Desc>("desc"),
        Row::command::<destroy::Destroy>("destroy"),
        Row::command::<detach_device::DetachDevice>("detach-device"),
        Row::command::<detach_device_alias::DetachDeviceAlias>("detach-device-alias"),
        Row::command::<detach_disk::DetachDisk>("detach-disk"),
        Row::command::<detach_interface::DetachInterface>("detach-interface"),
        Row::query::<domhostname::Domhostname>("domhostname"),
        Row::query::<domid::Domid>("domid"),
        Row::command::<domif_setlink::DomifSetlink>("domif-setlink")
            .renamed("--persistent=--config"),
        Row::change::<blkdeviotune::Blkdeviotune>("blkdeviotune").renamed(blkdeviotune::RENAMED),
        Row::command::<blkiotune::Blkiotune>("blkiotune"),
        Row::query::<domdisplay::Domdisplay>("domdisplay"),
        Row::change::<domjobabort::Domjobabort>("domjobabort"),
        Row::query::<domjobinfo::Domjobinfo>("domjobinfo"),
        Row::query::<domname::Domname>("domname"),
        Row::change::<dompmsuspend::Dompmsuspend>("dompmsuspend"),
        Row::change::<dompmwakeup::Dompmwakeup>("dompmwakeup"),
        Row::change::<domrename::Domrename>("domrename"),
        Row::query::<domuuid::Domuuid>("domuuid"),
        Row::change::<domxml_from_native::DomxmlFromNative>("domxml-from-native"),
        Row::change::<domxml_to_native::DomxmlToNative>("domxml-to-native"),
        Row::query::<dumpxml::Dumpxml>("dumpxml"),
        Row::command::<memtune::Memtune>("memtune"),
        Row::command::<metadata::Metadata>("metadata"),
        Row::command::<edit::Edit>("edit"),
        Row::command::<migrate::Migrate>("migrate"),
        Row::command::<numatune::Numatune>("numatune"),
        Row::command::<reboot::Reboot>("reboot"),
        Row::command::<reset::Reset>("reset"),
        Row::command::<resume::Resume>("resume"),
        Row::command::<schedinfo::Schedinfo>("schedinfo"),
        Row::command::<screenshot::Screenshot>("screenshot"),
        Row::change::<setmaxmem::Setmaxmem>("setmaxmem").renamed("--kilobytes=--size"),
        Row::change::<setmem::Setmem>("setmem").renamed("--kilobytes=--size"),
        Row::change::<setvcpus::Setvcpus>("setvcpus"),
        Row::command::<shutdown::Shutdown>("shutdown"),
        Row::command::<start::Start>("start"),
        Row::command::<suspend::Suspend>("suspend"),
        Row::command::<ttyconsole::Ttyconsole>("ttyconsole"),
        Row::command::<undefine::Undefine>("undefine"),
        Row::query::<vcpucount::Vcpucount>("vcpucount"),
        Row::query::<vcpuinfo::Vcpuinfo>("vcpuinfo"),
        Row::command::<vcpupin::Vcpupin>("vcpupin"),
        Row::command::<update_device::UpdateDevice>("update-device"),
        Row::query::<vncdisplay::Vncdisplay>("vncdisplay"),
    ],
};
