//! Guests: reports of VMware Tools, and names of operating systems.

use vi_types::enums::VirtualMachineToolsStatus;
use vi_types::objects::{
    GuestDiskInfo, GuestInfo, GuestNicInfo, GuestScreenInfo, NetIpConfigInfo,
    NetIpConfigInfoIpAddress, VirtualDisk, VirtualEthernetCard,
    VirtualEthernetCardNetworkBackingInfo, VirtualMachineConfigInfo, VirtualMachineGuestSummary,
};
use vi_types::properties;

use crate::world::World;
use crate::world::inventory::parts::text;

/// Operating systems by their ids, with the names that VMware shows.
const NAMES: &[(&str, &str)] = &[
    ("centos7_64Guest", "CentOS 7 (64-bit)"),
    ("centos8_64Guest", "CentOS 8 (64-bit)"),
    ("debian10_64Guest", "Debian GNU/Linux 10 (64-bit)"),
    ("debian11_64Guest", "Debian GNU/Linux 11 (64-bit)"),
    ("debian12_64Guest", "Debian GNU/Linux 12 (64-bit)"),
    ("freebsd13_64Guest", "FreeBSD 13 (64-bit)"),
    ("otherGuest", "Other (32-bit)"),
    ("otherGuest64", "Other (64-bit)"),
    ("other3xLinux64Guest", "Other 3.x Linux (64-bit)"),
    ("other4xLinux64Guest", "Other 4.x Linux (64-bit)"),
    ("other5xLinux64Guest", "Other 5.x or later Linux (64-bit)"),
    ("otherLinux64Guest", "Other Linux (64-bit)"),
    ("otherLinuxGuest", "Other Linux (32-bit)"),
    ("rhel8_64Guest", "Red Hat Enterprise Linux 8 (64-bit)"),
    ("rhel9_64Guest", "Red Hat Enterprise Linux 9 (64-bit)"),
    ("ubuntu64Guest", "Ubuntu Linux (64-bit)"),
    (
        "windows2019srv_64Guest",
        "Microsoft Windows Server 2019 (64-bit)",
    ),
    (
        "windows2019srvNext_64Guest",
        "Microsoft Windows Server 2022 (64-bit)",
    ),
    ("windows9_64Guest", "Microsoft Windows 10 (64-bit)"),
];

/// The name of an operating system, or its id if it is unknown.
pub(super) fn full_name(id: &str) -> String {
    let found = NAMES.iter().find(|(known, _)| *known == id);
    found.map_or(id, |(_, name)| name).to_owned()
}

/// Whether VMware Tools are installed in the guest.
pub(super) fn has_tools(vm: &properties::VirtualMachine) -> bool {
    let tools = vm
        .config
        .as_deref()
        .and_then(|config| config.tools.as_deref());
    let version = tools.and_then(|tools| tools.tools_version);
    version.is_some_and(|version| version != 0)
}

/// Whether a machine's VMware Tools run.
pub(crate) fn is_tools_running(vm: &properties::VirtualMachine) -> bool {
    let guest = vm.guest.as_deref();
    match guest.and_then(|guest| guest.tools_running_status.as_deref()) {
        Some(status) => status == "guestToolsRunning",
        // VI API 2.5 has no other property for it.
        None => matches!(
            guest.and_then(|guest| guest.tools_status.as_ref()),
            Some(VirtualMachineToolsStatus::ToolsOk | VirtualMachineToolsStatus::ToolsOld)
        ),
    }
}

/// `VirtualMachine.guest` of a machine that is on or not.
pub(super) fn info(world: &World, vm: &properties::VirtualMachine, is_on: bool) -> GuestInfo {
    let has_tools = has_tools(vm);
    let version_status = match has_tools {
        true => "guestToolsUnmanaged",
        false => "guestToolsNotInstalled",
    };
    let running_status = match has_tools && is_on {
        true => "guestToolsRunning",
        false => "guestToolsNotRunning",
    };
    let tools = vm
        .config
        .as_deref()
        .and_then(|config| config.tools.as_deref());
    let version = tools.and_then(|tools| tools.tools_version).unwrap_or(0);
    let silent = GuestInfo {
        tools_status: Some(match (has_tools, is_on) {
            (false, _) => VirtualMachineToolsStatus::ToolsNotInstalled,
            (true, false) => VirtualMachineToolsStatus::ToolsNotRunning,
            (true, true) => VirtualMachineToolsStatus::ToolsOk,
        }),
        tools_version_status: world.since("4.0").then(|| version_status.to_owned()),
        tools_version_status2: world.since("5.0").then(|| version_status.to_owned()),
        tools_running_status: world.since("4.0").then(|| running_status.to_owned()),
        tools_version: Some(version.to_string()),
        screen: Some(
            GuestScreenInfo {
                width: 1024,
                height: 768,
                ..GuestScreenInfo::default()
            }
            .into(),
        ),
        guest_state: if is_on { "running" } else { "notRunning" }.to_owned(),
        app_heartbeat_status: world.since("4.1").then(|| "appStatusGray".to_owned()),
        app_state: world.since("5.5").then(|| "none".to_owned()),
        guest_operations_ready: world.since("5.0").then_some(has_tools && is_on),
        interactive_guest_operations_ready: world.since("5.0").then_some(false),
        ..GuestInfo::default()
    };
    match vm.config.as_deref() {
        Some(config) if has_tools && is_on => told(world, config, silent),
        _ => silent,
    }
}

/// Adds the reports of running tools.
fn told(world: &World, config: &VirtualMachineConfigInfo, silent: GuestInfo) -> GuestInfo {
    let is_windows = config.guest_id.starts_with("win");
    let paths = match is_windows {
        true => ["C:\\", "D:\\"],
        false => ["/", "/srv"],
    };
    let devices = &config.hardware.device;
    let disks = devices
        .iter()
        .filter_map(|device| device.cast::<VirtualDisk>());
    let disk = |(disk, path): (&VirtualDisk, &str)| GuestDiskInfo {
        disk_path: text(path),
        capacity: Some(disk.capacity_in_kb << 10),
        free_space: Some((disk.capacity_in_kb << 10) / 3),
        ..GuestDiskInfo::default()
    };
    let cards = devices
        .iter()
        .filter_map(|device| device.cast::<VirtualEthernetCard>());
    let net: Vec<_> = cards.map(|card| nic(world, card)).collect();
    GuestInfo {
        guest_id: Some(config.guest_id.clone()),
        guest_family: text(if is_windows {
            "windowsGuest"
        } else {
            "linuxGuest"
        }),
        guest_full_name: Some(config.guest_full_name.clone()),
        host_name: Some(format!("{}.example.com", config.name.replace("%2f", "-"))),
        ip_address: net.first().and_then(|nic| nic.ip_address.first().cloned()),
        net,
        disk: disks.zip(paths).map(disk).collect(),
        ..silent
    }
}

/// A network card as the guest sees it. Its addresses are made of its MAC address.
fn nic(world: &World, card: &VirtualEthernetCard) -> GuestNicInfo {
    let backing = card.backing.as_ref();
    let network =
        backing.and_then(|backing| backing.cast::<VirtualEthernetCardNetworkBackingInfo>());
    let mac = card.mac_address.as_deref().unwrap_or_default();
    let number = |index| {
        let part = mac.split(':').nth(index);
        part.and_then(|part| u8::from_str_radix(part, 16).ok())
            .unwrap_or(0)
    };
    let [nic, a, b] = [number(3), number(4), number(5)];
    let address = format!("10.{nic}.{a}.{b}");
    let link_local = format!("fe80::250:56ff:fe{nic:02x}:{a:02x}{b:02x}");
    let ip = |address: &str, prefix_length| NetIpConfigInfoIpAddress {
        ip_address: address.to_owned(),
        prefix_length,
        state: text("preferred"),
        ..NetIpConfigInfoIpAddress::default()
    };
    let config = || {
        NetIpConfigInfo {
            ip_address: vec![ip(&address, 16), ip(&link_local, 64)],
            ..NetIpConfigInfo::default()
        }
        .into()
    };
    GuestNicInfo {
        network: network.map(|network| network.device_name.clone()),
        ip_config: world.since("4.1").then(config),
        mac_address: Some(mac.to_owned()),
        connected: true,
        device_config_id: card.key,
        ip_address: vec![address, link_local],
        ..GuestNicInfo::default()
    }
}

/// `summary.guest`.
pub(super) fn summary(guest: &GuestInfo) -> VirtualMachineGuestSummary {
    VirtualMachineGuestSummary {
        guest_id: guest.guest_id.clone(),
        guest_full_name: guest.guest_full_name.clone(),
        tools_status: guest.tools_status.clone(),
        tools_version_status: guest.tools_version_status.clone(),
        tools_version_status2: guest.tools_version_status2.clone(),
        tools_running_status: guest.tools_running_status.clone(),
        host_name: guest.host_name.clone(),
        ip_address: guest.ip_address.clone(),
        ..VirtualMachineGuestSummary::default()
    }
}
