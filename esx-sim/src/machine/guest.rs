//! Guests: reports of VMware Tools, and names of operating systems.

use vi_types::enums::VirtualMachineToolsStatus;
use vi_types::objects::{
    GuestDiskInfo, GuestInfo, GuestNicInfo, GuestScreenInfo, GuestStackInfo, NetDnsConfigInfo,
    NetIpConfigInfo, NetIpConfigInfoIpAddress, NetIpRouteConfigInfo, NetIpRouteConfigInfoGateway,
    NetIpRouteConfigInfoIpRoute, VirtualDisk, VirtualEthernetCard,
    VirtualEthernetCardNetworkBackingInfo, VirtualMachineConfigInfo, VirtualMachineGuestSummary,
};
use vi_types::properties;

use super::device;
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

/// The operating systems that are known: ids and names.
pub(crate) fn known() -> impl Iterator<Item = (&'static str, &'static str)> {
    NAMES.iter().copied()
}

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
    let is_windows = (vm.config.as_deref()).is_some_and(|config| is_windows(&config.guest_id));
    // Linux distributions have packages of their own, which the host does not upgrade.
    let (version_status, install_type) = match (has_tools, is_windows) {
        (true, false) => ("guestToolsUnmanaged", "guestToolsTypeOpenVMTools"),
        (true, true) => ("guestToolsCurrent", "guestToolsTypeMSI"),
        (false, _) => ("guestToolsNotInstalled", "guestToolsTypeUnknown"),
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
        tools_install_type: world.since("6.5").then(|| install_type.to_owned()),
        screen: Some(
            GuestScreenInfo {
                width: 1024,
                height: 768,
                ..GuestScreenInfo::default()
            }
            .into(),
        ),
        guest_state: match has_tools && is_on {
            true => "running".to_owned(),
            false => "notRunning".to_owned(),
        },
        app_heartbeat_status: world.since("4.1").then(|| "appStatusGray".to_owned()),
        app_state: world.since("5.5").then(|| "none".to_owned()),
        guest_kernel_crashed: world.since("6.0").then_some(false),
        guest_state_change_supported: world.since("6.0").then_some(has_tools && is_on),
        guest_operations_ready: world.since("5.0").then_some(has_tools && is_on),
        interactive_guest_operations_ready: world.since("5.0").then_some(false),
        ..GuestInfo::default()
    };
    match vm.config.as_deref() {
        Some(config) if has_tools && is_on => told(world, config, silent),
        _ => silent,
    }
}

fn is_windows(guest: &str) -> bool {
    guest.starts_with("win")
}

/// Adds the reports of running tools.
fn told(world: &World, config: &VirtualMachineConfigInfo, silent: GuestInfo) -> GuestInfo {
    let is_windows = is_windows(&config.guest_id);
    let paths = match is_windows {
        true => ["C:\\", "D:\\"],
        false => ["/", "/srv"],
    };
    let system = if is_windows { "NTFS" } else { "ext4" };
    let devices = &config.hardware.device;
    let disks = devices
        .iter()
        .filter_map(|device| device.cast::<VirtualDisk>());
    let disk = |(disk, path): (&VirtualDisk, &str)| GuestDiskInfo {
        disk_path: text(path),
        capacity: Some(disk.capacity_in_kb << 10),
        free_space: Some((disk.capacity_in_kb << 10) / 3),
        filesystem_type: world.since("7.0").then(|| system.to_owned()),
        ..GuestDiskInfo::default()
    };
    let cards = devices
        .iter()
        .filter_map(|device| device.cast::<VirtualEthernetCard>());
    let net: Vec<_> = cards.map(|card| nic(world, card)).collect();
    let name = config.name.replace("%2f", "-");
    let mut addresses = net.iter().flat_map(|nic| nic.ip_address.first());
    let address = addresses.next().cloned();
    let stack = address.as_deref().map(|address| stack(&name, address));
    GuestInfo {
        guest_id: Some(config.guest_id.clone()),
        guest_family: text(if is_windows {
            "windowsGuest"
        } else {
            "linuxGuest"
        }),
        guest_full_name: Some(config.guest_full_name.clone()),
        host_name: Some(format!("{name}.{DOMAIN}")),
        ip_address: address,
        net,
        ip_stack: stack.filter(|_| world.since("4.1")).into_iter().collect(),
        disk: disks.zip(paths).map(disk).collect(),
        ..silent
    }
}

/// The domain of all guests.
const DOMAIN: &str = "example.com";

/// A network card as the guest sees it. Its addresses are made of its MAC address: one of IPv4, and of IPv6 a global one
/// and one of the link. A card that is not connected has none.
fn nic(world: &World, card: &VirtualEthernetCard) -> GuestNicInfo {
    let backing = card.backing.as_ref();
    let named = backing.and_then(|backing| {
        let named = backing.cast::<VirtualEthernetCardNetworkBackingInfo>();
        let named = named.map(|named| named.device_name.clone());
        named.or_else(|| {
            let network = device::network(world, None, backing)?;
            world.name(&network).map(str::to_owned)
        })
    });
    let mac = card.mac_address.as_deref().unwrap_or_default();
    let connected = (card.connectable.as_deref()).is_none_or(|info| info.connected);
    let silent = GuestNicInfo {
        network: named,
        mac_address: Some(mac.to_owned()),
        connected,
        device_config_id: card.key,
        ..GuestNicInfo::default()
    };
    if !connected {
        return silent;
    }
    let [a, b, c, d, e, f] = bytes(mac);
    let address = format!("10.{d}.{e}.{f}");
    // The lower half of both is made of the MAC address (RFC 4291, appendix A).
    let [a, b] = [
        u16::from_be_bytes([a ^ 2, b]),
        u16::from_be_bytes([c, 0xff]),
    ];
    let [c, d] = [u16::from_be_bytes([0xfe, d]), u16::from_be_bytes([e, f])];
    let own = format!("{a:x}:{b:x}:{c:x}:{d:x}");
    let (global, link) = (format!("2001:db8::{own}"), format!("fe80::{own}"));
    let ip = |address: &str, prefix_length, origin: &str| NetIpConfigInfoIpAddress {
        ip_address: address.to_owned(),
        prefix_length,
        origin: text(origin),
        state: text("preferred"),
        ..NetIpConfigInfoIpAddress::default()
    };
    let config = || {
        NetIpConfigInfo {
            ip_address: vec![
                ip(&address, 16, "dhcp"),
                ip(&global, 64, "linklayer"),
                ip(&link, 64, "linklayer"),
            ],
            ..NetIpConfigInfo::default()
        }
        .into()
    };
    GuestNicInfo {
        ip_config: world.since("4.1").then(config),
        ip_address: vec![address, global, link],
        ..silent
    }
}

/// The bytes of a MAC address; zero for what is none.
fn bytes(mac: &str) -> [u8; 6] {
    let mut bytes = [0; 6];
    for (byte, part) in bytes.iter_mut().zip(mac.split(':')) {
        *byte = u8::from_str_radix(part, 16).unwrap_or(0);
    }
    bytes
}

/// Names and routes of a guest with that address.
fn stack(name: &str, address: &str) -> GuestStackInfo {
    let parts: Vec<_> = address.split('.').collect();
    let network = parts.get(..2).unwrap_or_default().join(".");
    let route =
        |network: String, prefix_length, gateway: Option<String>| NetIpRouteConfigInfoIpRoute {
            network,
            prefix_length,
            gateway: NetIpRouteConfigInfoGateway {
                ip_address: gateway,
                device: text("0"),
                ..NetIpRouteConfigInfoGateway::default()
            },
            ..NetIpRouteConfigInfoIpRoute::default()
        };
    let gateway = format!("{network}.0.1");
    GuestStackInfo {
        dns_config: Some(
            NetDnsConfigInfo {
                dhcp: true,
                host_name: name.to_owned(),
                domain_name: DOMAIN.to_owned(),
                ip_address: vec![gateway.clone()],
                search_domain: vec![DOMAIN.to_owned()],
                ..NetDnsConfigInfo::default()
            }
            .into(),
        ),
        ip_route_config: Some(
            NetIpRouteConfigInfo {
                ip_route: vec![
                    route("0.0.0.0".to_owned(), 0, Some(gateway)),
                    route(format!("{network}.0.0"), 16, None),
                ],
                ..NetIpRouteConfigInfo::default()
            }
            .into(),
        ),
        ..GuestStackInfo::default()
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
