//! virsh's group "Domain Management".

mod action;
mod autostart;
mod define;
mod destroy;
mod domid;
mod domname;
mod domuuid;
mod domxml_from_native;
mod domxml_to_native;
mod dumpxml;
mod reboot;
mod reset;
mod resume;
mod shutdown;
mod shutdown_mode;
mod start;
mod suspend;
mod undefine;

use super::{Group, Row};

/// The group's commands.
pub(crate) static GROUP: Group = Group {
    title: "Domain Management",
    keyword: "domain",
    rows: &[
        Row::command::<autostart::Autostart>("autostart"),
        Row::command::<define::Define>("define"),
        Row::command::<destroy::Destroy>("destroy"),
        Row::query::<domid::Domid>("domid"),
        Row::query::<domname::Domname>("domname"),
        Row::query::<domuuid::Domuuid>("domuuid"),
        Row::query::<domxml_from_native::DomxmlFromNative>("domxml-from-native"),
        Row::query::<domxml_to_native::DomxmlToNative>("domxml-to-native"),
        Row::query::<dumpxml::Dumpxml>("dumpxml"),
        Row::command::<reboot::Reboot>("reboot"),
        Row::command::<reset::Reset>("reset"),
        Row::command::<resume::Resume>("resume"),
        Row::command::<shutdown::Shutdown>("shutdown"),
        Row::command::<start::Start>("start"),
        Row::command::<suspend::Suspend>("suspend"),
        Row::query::<undefine::Undefine>("undefine"),
    ],
};
