//! What lenient mode writes beyond libvirt.

use virt_model::DomainDef;
use virt_model::domain::{
    Address, CacheMode, CharDevice, CharSource, Controller, ControllerType, Cpu, DeviceInfo, Disk,
    DiskBus, DiskDevice, DiskSource, DriveAddress, InterfaceSource, SocketMode, TcpProtocol,
};
use vmx::FormatOptions;

use super::devices::{bridge, card, path};
use super::disks::{block, disk, file, model};
use super::{check_with, refused};

#[track_caller]
fn check(hardware: u32, edit: impl FnOnce(&mut DomainDef), expected: &[&str]) {
    check_with(&FormatOptions::new(hardware), edit, expected);
}

/// The lines of the PCI bridges, from hardware 7 on.
fn with_bridges(lines: &[&str]) -> Vec<String> {
    let mut lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    lines.push("pciBridge0.present = \"true\"".to_owned());
    for number in 4..8 {
        for (key, value) in [
            ("present", "true"),
            ("virtualDev", "pcieRootPort"),
            ("functions", "8"),
        ] {
            lines.push(format!("pciBridge{number}.{key} = \"{value}\""));
        }
    }
    lines
}

#[track_caller]
fn check_disks(hardware: u32, disks: Vec<Disk>, expected: &[&str]) {
    let lines = with_bridges(expected);
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    check(hardware, |def| def.devices.disks = disks, &lines);
}

fn on(bus: DiskBus, device: DiskDevice, source: DiskSource, dev: &str) -> Disk {
    Disk::new(device, source, dev, bus)
}

fn at(mut disk: Disk, controller: u32, unit: u32) -> Disk {
    let address = DriveAddress::new(controller, 0, unit);
    disk.info = DeviceInfo::at(Address::Drive(address));
    disk
}

#[test]
fn sata() {
    let mut hard = on(DiskBus::Sata, DiskDevice::Disk, file("a.vmdk"), "sdae");
    hard.driver.cache = Some(CacheMode::Writethrough);
    check_disks(
        10,
        vec![
            on(DiskBus::Sata, DiskDevice::Cdrom, file("a.iso"), "sda"),
            on(DiskBus::Sata, DiskDevice::Lun, block("/dev/sr0"), "sdb"),
            hard,
        ],
        &[
            r#"sata0.present = "true""#,
            r#"sata1.present = "true""#,
            r#"sata0:0.present = "true""#,
            r#"sata0:0.deviceType = "cdrom-image""#,
            r#"sata0:0.fileName = "/vol/fast/a.iso""#,
            r#"sata0:1.present = "true""#,
            r#"sata0:1.deviceType = "cdrom-raw""#,
            r#"sata0:1.fileName = "/dev/sr0""#,
            r#"sata1:0.present = "true""#,
            r#"sata1:0.fileName = "/vol/fast/a.vmdk""#,
            r#"sata1:0.writeThrough = "true""#,
        ],
    );
    // libvirt has six ports where VMware has thirty; an address of the user's counts.
    let disk = || {
        on(
            DiskBus::Sata,
            DiskDevice::Cdrom,
            DiskSource::File(None),
            "sdg",
        )
    };
    for (disk, prefix) in [
        (disk(), "sata0:6"),
        (at(disk(), 1, 0), "sata0:6"),
        (at(disk(), 1, 7), "sata1:7"),
    ] {
        check_disks(
            10,
            vec![disk],
            &[
                &format!("{}.present = \"true\"", &prefix[..5]),
                &format!("{prefix}.present = \"true\""),
                &format!("{prefix}.deviceType = \"cdrom-image\""),
                &format!("{prefix}.fileName = \"emptyBackingString\""),
            ],
        );
    }
    refused(
        &FormatOptions::new(9),
        |def| def.devices.disks.push(disk()),
        "unsupported configuration: disk 'sdg' on bus 'sata' needs virtual hardware version 10 or \
         higher, not 9",
    );
    refused(
        &FormatOptions::new(10),
        |def| def.devices.disks.push(at(disk(), 0, 30)),
        "internal error: SATA unit index 30 out of [0..29] range",
    );
}

#[test]
fn nvme() {
    let disk = |dev: &str| on(DiskBus::Nvme, DiskDevice::Disk, file("a.vmdk"), dev);
    check_disks(
        13,
        vec![disk("nvme1n3")],
        &[
            r#"nvme1.present = "true""#,
            r#"nvme1:2.present = "true""#,
            r#"nvme1:2.fileName = "/vol/fast/a.vmdk""#,
        ],
    );
    for (hardware, disk, expected) in [
        (
            12,
            disk("nvme0n1"),
            "unsupported configuration: disk 'nvme0n1' on bus 'nvme' needs virtual hardware \
             version 13 or higher, not 12",
        ),
        (
            13,
            disk("nvme4n1"),
            "internal error: NVMe controller index 4 out of [0..3] range",
        ),
        (
            13,
            on(DiskBus::Nvme, DiskDevice::Cdrom, file("a.iso"), "nvme0n1"),
            "unsupported configuration: Unsupported bus type 'nvme' for cdrom",
        ),
    ] {
        refused(
            &FormatOptions::new(hardware),
            |def| def.devices.disks.push(disk),
            expected,
        );
    }
}

#[test]
fn sata_controllers_without_disks() {
    let sata = |index| Controller::new(ControllerType::Sata, index);
    let lines = with_bridges(&[r#"sata1.present = "true""#]);
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    check(
        10,
        |def| def.devices.controllers = vec![sata(1), sata(4)],
        &lines,
    );
    check(9, |def| def.devices.controllers = vec![sata(1)], &[]);
    // libvirt's second controller, for a disk on VMware's first one.
    let disk = on(DiskBus::Sata, DiskDevice::Cdrom, file("a.iso"), "sdg");
    check_disks(
        10,
        vec![disk],
        &[
            r#"sata0.present = "true""#,
            r#"sata0:6.present = "true""#,
            r#"sata0:6.deviceType = "cdrom-image""#,
            r#"sata0:6.fileName = "/vol/fast/a.iso""#,
        ],
    );
}

#[test]
fn an_address_counts_more_than_a_name() {
    let scsi = |unit| at(disk(DiskDevice::Disk, file("a.vmdk"), "sda"), 2, unit);
    for (hardware, unit) in [(7, 3), (13, 64), (13, 16)] {
        let prefix = format!("scsi2:{unit}");
        check_disks(
            hardware,
            vec![scsi(unit)],
            &[
                r#"scsi2.present = "true""#,
                &format!("{prefix}.present = \"true\""),
                &format!("{prefix}.deviceType = \"scsi-hardDisk\""),
                &format!("{prefix}.fileName = \"/vol/fast/a.vmdk\""),
            ],
        );
    }
    for (hardware, unit, last) in [(12, 16, 15), (13, 65, 64), (13, 7, 64)] {
        refused(
            &FormatOptions::new(hardware),
            |def| def.devices.disks.push(scsi(unit)),
            &format!("internal error: SCSI unit index {unit} out of [0..6,8..{last}] range"),
        );
    }
    refused(
        &FormatOptions::new(7),
        |def| {
            let other = disk(DiskDevice::Disk, file("b.vmdk"), "sdb");
            def.devices.disks = vec![at(other, 2, 1), scsi(1)];
        },
        "unsupported configuration: disk 'sda' is in the same place as another one, scsi2:1",
    );
}

#[test]
fn images() {
    check(
        4,
        |def| {
            let cdrom = disk(DiskDevice::Cdrom, file("a.img"), "hda");
            def.devices.disks.push(cdrom);
        },
        &[
            r#"ide0:0.present = "true""#,
            r#"ide0:0.deviceType = "cdrom-image""#,
            r#"ide0:0.fileName = "/vol/fast/a.img""#,
        ],
    );
    refused(
        &FormatOptions::new(4),
        |def| {
            let disk = disk(DiskDevice::Disk, file("a.img"), "hda");
            def.devices.disks.push(disk);
        },
        "internal error: Image file for ide disk 'hda' has unsupported suffix, expecting '.vmdk'",
    );
}

#[test]
fn ten_network_cards_on_hardware_6() {
    let cards = |count: usize| {
        move |def: &mut DomainDef| {
            let card = card("00:0c:29:01:02:03", InterfaceSource::Null);
            def.devices.interfaces = vec![card; count];
        }
    };
    let mut def = super::simple();
    cards(10)(&mut def);
    let text = super::format(&def, &FormatOptions::new(6)).unwrap();
    assert!(text.contains("ethernet9.present"));
    for (hardware, count, last) in [(5, 5, 3), (6, 11, 9), (21, 11, 9)] {
        let index = last + 1;
        refused(
            &FormatOptions::new(hardware),
            cards(count),
            &format!("internal error: Ethernet controller index {index} out of [0..{last}] range"),
        );
    }
}

#[test]
fn what_nobody_knows_is_left_to_vmware() {
    check(
        4,
        |def| {
            let disk = disk(DiskDevice::Disk, file("a.vmdk"), "sda");
            def.devices.disks.push(disk);
            def.devices.controllers.push(model(0, "auto"));
        },
        &[
            r#"scsi0.present = "true""#,
            r#"scsi0:0.present = "true""#,
            r#"scsi0:0.deviceType = "scsi-hardDisk""#,
            r#"scsi0:0.fileName = "/vol/fast/a.vmdk""#,
        ],
    );
    check(4, |def| def.cpu = Some(Cpu::default()), &[]);
    check(
        4,
        |def| {
            def.devices.serials = vec![
                CharDevice::new(CharSource::Dev { path: None }, 0),
                CharDevice::new(
                    CharSource::Tcp {
                        mode: SocketMode::Bind,
                        host: None,
                        service: path("4001"),
                        protocol: TcpProtocol::Raw,
                    },
                    1,
                ),
            ];
        },
        &[
            r#"serial0.present = "true""#,
            r#"serial0.fileType = "device""#,
            r#"serial0.yieldOnMsrRead = "true""#,
            r#"serial1.present = "true""#,
            r#"serial1.fileType = "network""#,
            r#"serial1.fileName = "tcp://:4001""#,
            r#"serial1.network.endPoint = "server""#,
            r#"serial1.yieldOnMsrRead = "true""#,
        ],
    );
}

#[test]
fn values_that_read_back() {
    for (name, written) in [
        ("a|b & ü", "a|b & ü"),
        ("say \"a\"", "say |22a|22"),
        ("a\nb|c", "a|0ab|7cc"),
        ("a|22", "a|7c22"),
    ] {
        check(
            4,
            |def| {
                let card = card("00:0c:29:0a:0b:0c", bridge(name));
                def.devices.interfaces.push(card);
            },
            &[
                r#"ethernet0.present = "true""#,
                &format!("ethernet0.networkName = \"{written}\""),
                r#"ethernet0.connectionType = "bridged""#,
                r#"ethernet0.addressType = "generated""#,
                r#"ethernet0.generatedAddress = "00:0c:29:0a:0b:0c""#,
                r#"ethernet0.generatedAddressOffset = "0""#,
            ],
        );
    }
    check(
        4,
        |def| def.description = Some("a\n\"b|c".to_owned()),
        &[r#"annotation = "a|0a|22b|7cc""#],
    );
}

#[test]
fn opaque_networks() {
    let on = |name: &str| {
        let network = InterfaceSource::Network {
            network: name.to_owned(),
            portgroup: None,
        };
        vec![card("00:0c:29:0a:0b:0c", network)]
    };
    let cards = on("0a1b2c3d-4e5f-4071-8293-a4b5c6d7e8f9");
    let lines = [
        r#"ethernet0.present = "true""#,
        r#"ethernet0.opaqueNetwork.id = "0a1b2c3d-4e5f-4071-8293-a4b5c6d7e8f9""#,
        r#"ethernet0.opaqueNetwork.type = "nsx.LogicalSwitch""#,
        r#"ethernet0.addressType = "generated""#,
        r#"ethernet0.generatedAddress = "00:0c:29:0a:0b:0c""#,
        r#"ethernet0.generatedAddressOffset = "0""#,
    ];
    check(10, |def| def.devices.interfaces = cards, &lines);
    refused(
        &FormatOptions::new(10),
        |def| def.devices.interfaces = on("default"),
        "unsupported configuration: Unsupported net type 'network'",
    );
}
