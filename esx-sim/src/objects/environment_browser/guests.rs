//! The guests that machines can have.

use vi_types::objects::GuestOsDescriptor;

use super::option::{int, most_cpus, words};
use crate::machine::guest;
use crate::machine::hardware::Hardware;
use crate::world::World;

/// Guests that came with a version of the API, by the beginnings of their ids.
const SINCE: [(&str, &str); 5] = [
    ("debian12", "8.0.0.1"),
    ("freebsd13", "7.0.1.0"),
    ("rhel9", "7.0.1.0"),
    ("other5x", "7.0.1.0"),
    ("windows2019srvNext", "7.0.1.0"),
];

/// The descriptions of the guests that a server knows.
pub(super) fn all(
    world: &World,
    hardware: Hardware,
) -> impl Iterator<Item = GuestOsDescriptor> {
    let known = guest::known().filter(|(id, _)| {
        let mut since = SINCE.iter().filter(|(start, _)| id.starts_with(start));
        since.all(|(_, since)| world.since(since))
    });
    known.map(move |(id, name)| descriptor(world, hardware, id, name))
}

fn descriptor(world: &World, hardware: Hardware, id: &str, name: &str) -> GuestOsDescriptor {
    let number = hardware.number();
    let is_windows = id.starts_with("windows");
    let is_linux = !is_windows && !id.starts_with("other") && !id.starts_with("freebsd")
        || id.contains("Linux");
    let is_wide = id.contains("64");
    let is_plain = matches!(id, "otherGuest" | "otherGuest64");
    let since = |version: &str| world.since(version);
    let (has_new_devices, has_e1000e) = (number >= 7, number >= 8);
    let controllers: Vec<_> = [
        (true, "VirtualIDEController"),
        (true, "VirtualBusLogicController"),
        (true, "VirtualLsiLogicController"),
        (has_new_devices, "VirtualLsiLogicSASController"),
        (has_new_devices, "ParaVirtualSCSIController"),
        (number >= 10 && since("5.5"), "VirtualAHCIController"),
        (number >= 13 && since("6.5"), "VirtualNVMEController"),
    ]
    .into_iter()
    .filter_map(|(is_there, name)| is_there.then_some(name))
    .collect();
    let cards: Vec<_> = [
        (!is_wide, "VirtualPCNet32"),
        (true, "VirtualE1000"),
        (has_e1000e && since("5.0"), "VirtualE1000e"),
        (has_new_devices, "VirtualVmxnet3"),
    ]
    .into_iter()
    .filter_map(|(is_there, name)| is_there.then_some(name))
    .collect();
    let scsi = match () {
        () if is_plain => "VirtualLsiLogicController",
        () if has_new_devices && is_windows => "VirtualLsiLogicSASController",
        () if has_new_devices => "ParaVirtualSCSIController",
        () => "VirtualLsiLogicController",
    };
    let card = match () {
        () if is_plain || !has_new_devices => "VirtualE1000",
        () if has_e1000e && since("5.0") && is_windows => "VirtualE1000e",
        () => "VirtualVmxnet3",
    };
    let has_efi = is_wide && number >= 8;
    let memory = hardware.most_memory_mb().min(match is_wide {
        true => i64::MAX,
        false => 64 << 10,
    });
    GuestOsDescriptor {
        id: id.to_owned(),
        family: match () {
            () if is_windows => "windowsGuest",
            () if is_linux => "linuxGuest",
            () => "otherGuestFamily",
        }
        .to_owned(),
        full_name: name.to_owned(),
        supported_max_cpus: most_cpus(hardware),
        num_supported_physical_sockets: since("5.0").then_some(most_cpus(hardware)),
        num_supported_cores_per_socket: since("5.0").then_some(most_cpus(hardware)),
        supported_min_mem_mb: 32,
        supported_max_mem_mb: i32::try_from(memory).unwrap_or(i32::MAX),
        recommended_mem_mb: if is_windows { 4096 } else { 2048 },
        recommended_color_depth: 24,
        supported_disk_controller_list: words(&controllers),
        recommended_scsi_controller: Some(scsi.to_owned()),
        recommended_disk_controller: scsi.to_owned(),
        supported_num_disks: 15,
        recommended_disk_size_mb: (if is_windows { 48 } else { 16 }) << 10,
        recommended_cdrom_controller: since("5.5").then(|| "VirtualIDEController".to_owned()),
        supported_ethernet_card: words(&cards),
        recommended_ethernet_card: Some(card.to_owned()),
        smc_required: since("5.0").then_some(false),
        supports_wake_on_lan: true,
        supports_vmi: since("4.0").then_some(false),
        supports_memory_hot_add: since("4.0").then_some(hardware.has_hot_plug()),
        supports_cpu_hot_add: since("4.0").then_some(hardware.has_hot_plug()),
        supports_cpu_hot_remove: since("4.0").then_some(false),
        supported_firmware: match since("5.0") {
            true => words(if has_efi { &["bios", "efi"] } else { &["bios"] }),
            false => Vec::new(),
        },
        recommended_firmware: since("5.0")
            .then(|| if has_efi && is_windows { "efi" } else { "bios" }.to_owned()),
        supports3_d: since("5.0").then_some(false),
        recommended3_d: since("5.1").then_some(false),
        smc_recommended: since("5.0").then_some(false),
        ich7m_recommended: since("5.0").then_some(false),
        usb_recommended: since("5.0").then_some(false),
        support_level: since("5.0").then(|| "supported".to_owned()),
        supported_for_create: since("5.0").then_some(true),
        v_ram_size_in_kb: since("5.0").then(|| int(1024, 131_072, 4096).into()),
        num_supported_floppy_devices: since("6.0").then_some(2),
        supports_pvscsi_controller_for_boot: since("6.0").then_some(has_new_devices && !is_plain),
        disk_uuid_enabled: since("6.0").then_some(false),
        supports_hot_plug_pci: since("6.0").then_some(hardware.has_hot_plug()),
        supports_secure_boot: since("6.5").then_some(has_efi && number >= 13),
        default_secure_boot: since("6.5").then_some(false),
        supports_tpm20: since("6.7").then_some(has_efi && number >= 14),
        ..GuestOsDescriptor::default()
    }
}
