//! Errors, with libvirt's texts.

use virt_model::DomainDef;
use virt_model::domain::{
    Address, CacheMode, CharDevice, CharSource, Controller, ControllerType, Cpu, CpuMode,
    CpuTopology, DeviceInfo, Disk, DiskBus, DiskDevice, DiskSource, DriveAddress, Filesystem,
    FilesystemType, Firmware, Graphics, GraphicsType, Interface, InterfaceSource, NetworkDisk,
    PciAddress, SmbiosMode, Tpm, TpmBackend, Vcpu, VdsSource, Video, VideoModel, VolumeDisk,
};
use vmx::LibvirtVersion;

use super::devices::{bridge, card, path};
use super::disks::{block, disk, file, model};
use super::{as_libvirt, check_with, refused, strict};

#[track_caller]
fn check(edit: impl FnOnce(&mut DomainDef), expected: &str) {
    refused(&strict(7), edit, expected);
}

#[track_caller]
fn check_disk(disk: Disk, expected: &str) {
    check(|def| def.devices.disks.push(disk), expected);
}

fn at(mut disk: Disk, controller: u32, bus: u32, unit: u32) -> Disk {
    let address = DriveAddress::new(controller, bus, unit);
    disk.info = DeviceInfo::at(Address::Drive(address));
    disk
}

fn on(bus: DiskBus, device: DiskDevice, source: DiskSource, dev: &str) -> Disk {
    Disk::new(device, source, dev, bus)
}

fn vmdk(target: &str) -> Disk {
    disk(DiskDevice::Disk, file("a.vmdk"), target)
}

#[test]
fn the_domain() {
    check(
        |def| def.virt_type = "kvm".to_owned(),
        "invalid argument: could not find capabilities for arch=i686 domaintype=kvm ",
    );
    check(
        |def| def.os.arch = Some("aarch64".to_owned()),
        "invalid argument: could not find capabilities for arch=aarch64 domaintype=vmware ",
    );
    check(
        |def| def.os.os_type = "linux".to_owned(),
        "invalid argument: could not find capabilities for ostype=linux arch=i686 \
         domaintype=vmware ",
    );
    check(
        |def| def.virt_type = "none".to_owned(),
        "internal error: Expecting virt type to be 'vmware' but found 'none'",
    );
    check(
        |def| def.os.smbios = Some(SmbiosMode::Sysinfo),
        "unsupported configuration: Unsupported SMBIOS mode 'sysinfo'",
    );
    check(
        |def| def.memory = 0,
        "XML error: Memory size must be specified via <memory> or in the <numa> configuration",
    );
}

/// Older versions refuse what libvirt's reader learned later; the newest accepts it.
#[test]
fn what_libvirt_did_not_know() {
    let check = |edit: fn(&mut DomainDef), expected: &str| {
        refused(&as_libvirt(LibvirtVersion::V9_0, 14), edit, expected);
        let mut def = super::simple();
        edit(&mut def);
        let found = super::format(&def, &super::strict(14)).map_err(|error| error.to_string());
        assert_ne!(found, Err(expected.to_owned()));
    };
    check(
        |def| def.os.nvram = Some("[fast] a.nvram".to_owned()),
        "no loader path specified and firmware auto selection disabled",
    );
    check(
        |def| {
            let disk = on(DiskBus::Nvme, DiskDevice::Disk, file("a.vmdk"), "nvme0n1");
            def.devices.disks.push(disk);
        },
        "XML error: Invalid value for attribute 'bus' in element 'target': 'nvme'.",
    );
    check(
        |def| {
            let nvme = Controller::new(ControllerType::Nvme, 0);
            def.devices.controllers.push(nvme);
        },
        "XML error: Invalid value for attribute 'type' in element 'controller': 'nvme'.",
    );
    check(
        |def| {
            let source = InterfaceSource::Vds(VdsSource::default());
            let card = Interface {
                source,
                ..Interface::default()
            };
            def.devices.interfaces.push(card);
        },
        "XML error: Missing required attribute 'portgroupid' in element 'source'",
    );
}

#[test]
fn bounds_of_shares() {
    for (shares, ok) in [
        (0, true),
        (1, false),
        (2, true),
        (262_144, true),
        (262_145, false),
    ] {
        let mut def = super::simple();
        def.cpu_tune.shares = Some(shares);
        let found = super::format(&def, &super::strict(7)).map_err(|error| error.to_string());
        let text =
            "unsupported configuration: Value of cputune 'shares' must be in range [2, 262144]";
        assert_eq!(found.is_ok(), ok, "{shares}");
        assert!(ok || found == Err(text.to_owned()), "{shares}");
    }
}

#[test]
fn processors() {
    check(
        |def| {
            def.cpu = Some(Cpu {
                topology: Some(CpuTopology {
                    sockets: 65536,
                    cores: 65536,
                    ..CpuTopology::default()
                }),
                ..Cpu::default()
            });
        },
        "unsupported configuration: cpu topology results in more than 4294967295 cpus",
    );
    check(
        |def| {
            def.cpu = Some(Cpu {
                topology: Some(CpuTopology {
                    cores: u32::MAX,
                    ..CpuTopology::default()
                }),
                ..Cpu::default()
            });
        },
        "internal error: Expecting domain XML CPU sockets per core as 1 but found -1",
    );
    check(
        |def| {
            def.vcpu = Vcpu::new(4);
            def.vcpu.current = Some(2);
        },
        "unsupported configuration: No support for domain XML entry 'vcpu' attribute 'current'",
    );
    check(
        |def| def.vcpu = Vcpu::new(0),
        "internal error: Expecting domain XML entry 'vcpu' to be greater than 0",
    );
    check(
        |def| {
            def.vcpu = Vcpu::new(3);
            def.vcpu.cpuset = Some([4, 5].into_iter().collect());
        },
        "internal error: Expecting domain XML attribute 'cpuset' of entry 'vcpu' to contain at \
         least 3 CPU(s)",
    );
    let topology = |edit: fn(&mut CpuTopology)| {
        move |def: &mut DomainDef| {
            let mut topology = CpuTopology::default();
            edit(&mut topology);
            def.cpu = Some(Cpu {
                topology: Some(topology),
                ..Cpu::default()
            });
        }
    };
    check(
        topology(|topology| topology.threads = 2),
        "unsupported configuration: Only 1 thread per core is supported",
    );
    check(
        |def| def.cpu = Some(Cpu::default()),
        "unsupported configuration: Only 1 thread per core is supported",
    );
    check(
        topology(|topology| topology.dies = Some(2)),
        "unsupported configuration: Only 1 die per socket is supported",
    );
    check(
        topology(|topology| topology.clusters = Some(2)),
        "unsupported configuration: Only 1 cluster per die is supported",
    );
    check(
        topology(|topology| topology.cores = 2),
        "internal error: Expecting domain XML CPU sockets per core as 1 but found 2",
    );
    check(
        |def| {
            def.cpu = Some(Cpu {
                mode: CpuMode::HostPassthrough,
                ..Cpu::default()
            });
        },
        "internal error: Expecting domain XML CPU mode 'custom' but found 'host-passthrough'",
    );
}

#[test]
fn targets_and_addresses() {
    check_disk(
        on(DiskBus::Scsi, DiskDevice::Disk, file("a.vmdk"), "foo"),
        "XML error: Unknown disk name 'foo' and no address specified",
    );
    check_disk(
        at(
            on(DiskBus::Scsi, DiskDevice::Disk, file("a.vmdk"), "foo"),
            0,
            0,
            0,
        ),
        "internal error: Invalid harddisk device name: foo",
    );
    check_disk(
        at(
            on(DiskBus::Scsi, DiskDevice::Cdrom, file("a.iso"), "foo"),
            0,
            0,
            0,
        ),
        "internal error: Could not verify disk address",
    );
    check_disk(
        on(DiskBus::Fdc, DiskDevice::Floppy, file("a.flp"), "sda"),
        "internal error: Invalid floppy device name: sda",
    );
    check_disk(
        on(DiskBus::Scsi, DiskDevice::Floppy, file("a.flp"), "fda"),
        "internal error: Invalid bus type 'scsi' for floppy disk",
    );
    check_disk(
        on(DiskBus::Fdc, DiskDevice::Disk, file("a.vmdk"), "fda"),
        "internal error: Invalid bus type 'fdc' for disk",
    );
    let starts = |prefix: &str| {
        format!(
            "internal error: Expecting domain XML attribute 'dev' of entry 'devices/disk/target' \
             to start with '{prefix}'"
        )
    };
    check_disk(
        on(DiskBus::Scsi, DiskDevice::Disk, file("a.vmdk"), "hda"),
        &starts("sd"),
    );
    check_disk(
        on(DiskBus::Ide, DiskDevice::Disk, file("a.vmdk"), "sda"),
        &starts("hd"),
    );
    for (disk, expected) in [
        (
            at(vmdk("sda"), 0, 0, 1),
            "0:0:1 doesn't match target device 'sda'",
        ),
        (
            at(vmdk("sda"), 0, 1, 0),
            "0:1:0 doesn't match target device 'sda'",
        ),
        (
            at(vmdk("hdc"), 0, 0, 0),
            "0:0:0 doesn't match target device 'hdc'",
        ),
    ] {
        check_disk(disk, &format!("internal error: Disk address {expected}"));
    }
    for (disk, expected) in [
        (vmdk("sdbi"), "SCSI controller index 4 out of [0..3] range"),
        (vmdk("hde"), "IDE controller index 1 out of [0] range"),
        (
            disk(DiskDevice::Floppy, file("a.flp"), "fdc"),
            "FDC controller index 1 out of [0] range",
        ),
    ] {
        check_disk(disk, &format!("internal error: {expected}"));
    }
    let mut pci = vmdk("sda");
    pci.info = DeviceInfo::at(Address::Pci(PciAddress::new(0, 3, 0)));
    check_disk(
        pci.clone(),
        "unsupported configuration: Invalid address type 'pci' for the disk 'sda' with the bus \
         type 'scsi'",
    );
    pci.target.bus = DiskBus::Virtio;
    pci.target.dev = "vda".to_owned();
    check_disk(
        pci,
        "unsupported configuration: Unsupported disk address type 'pci'",
    );
}

#[test]
fn buses() {
    let unsupported = |what: &str| format!("unsupported configuration: Unsupported {what}");
    let one = |bus, dev| on(bus, DiskDevice::Disk, file("a.vmdk"), dev);
    check_disk(one(DiskBus::Sata, "sda"), &unsupported("bus type 'sata'"));
    check_disk(
        one(DiskBus::Nvme, "nvme0n1"),
        &unsupported("bus type 'nvme'"),
    );
    check_disk(
        one(DiskBus::Virtio, "vda"),
        &unsupported("disk address type 'none'"),
    );
    check_disk(
        one(DiskBus::Usb, "sda"),
        &unsupported("disk address type 'none'"),
    );
    check_disk(
        at(one(DiskBus::Virtio, "vda"), 0, 0, 0),
        &unsupported("bus type 'virtio'"),
    );
}

#[test]
fn sources_of_disks() {
    let unsupported = |what: &str| format!("unsupported configuration: {what}");
    let nbd = || DiskSource::Network(Some(NetworkDisk::default()));
    check_disk(
        disk(DiskDevice::Disk, DiskSource::File(None), "sda"),
        "missing source information for device sda",
    );
    // libvirt's words for the device and the type are wrong.
    check_disk(
        disk(DiskDevice::Disk, block("/dev/sdz"), "sda"),
        &unsupported("scsi none 'sda' has an unsupported type 'lease'"),
    );
    check_disk(
        disk(DiskDevice::Disk, nbd(), "hda"),
        &unsupported(
            "ide none 'hda' has unsupported type 'interface', expecting 'file' or 'block'",
        ),
    );
    check_disk(
        disk(
            DiskDevice::Cdrom,
            DiskSource::Dir(Some("/x".to_owned())),
            "hda",
        ),
        &unsupported(
            "ide disk 'hda' has unsupported type 'filesystem', expecting 'file' or 'block'",
        ),
    );
    check_disk(
        disk(
            DiskDevice::Lun,
            DiskSource::Volume(Some(VolumeDisk::default())),
            "sda",
        ),
        &unsupported(
            "scsi filesystem 'sda' has unsupported type 'input', expecting 'file' or 'block'",
        ),
    );
    check_disk(
        disk(DiskDevice::Lun, file("a.iso"), "sda"),
        &unsupported("disk device='lun' is only valid for block type disk source"),
    );
    check_disk(
        disk(DiskDevice::Lun, DiskSource::File(None), "sda"),
        &unsupported("disk device='lun' is only valid for block type disk source"),
    );
    check_disk(
        disk(DiskDevice::Disk, DiskSource::Block(None), "sda"),
        "missing source information for device sda",
    );
    check_disk(
        disk(DiskDevice::Floppy, nbd(), "fda"),
        &unsupported("Floppy 'fda' has unsupported type 'network', expecting 'file' or 'block'"),
    );
    check_disk(
        disk(DiskDevice::Disk, file("a.img"), "sda"),
        "internal error: Image file for scsi none 'sda' has unsupported suffix, expecting '.vmdk'",
    );
    check_disk(
        disk(DiskDevice::Cdrom, file("a.img"), "hda"),
        "internal error: Image file for ide disk 'hda' has unsupported suffix, expecting '.iso'",
    );
    check_disk(
        disk(
            DiskDevice::Disk,
            DiskSource::File(Some("a.vmdk".to_owned())),
            "sda",
        ),
        "internal error: Could not handle file name 'a.vmdk'",
    );
    let mut cached = vmdk("sda");
    cached.driver.cache = Some(CacheMode::Writeback);
    check_disk(
        cached,
        &unsupported("scsi harddisk 'sda' has unsupported cache mode 'writeback'"),
    );
}

#[test]
fn two_disks_in_one_place() {
    check(
        |def| {
            let cdrom = disk(DiskDevice::Cdrom, DiskSource::File(None), "sda");
            def.devices.disks = vec![vmdk("sda"), cdrom];
        },
        "XML error: target 'sda' duplicated for disk sources '[fast] a.vmdk' and '<null>'",
    );
    check(
        |def| def.devices.disks = vec![vmdk("sda"), vmdk("sda1")],
        "unsupported configuration: Found duplicate drive address for disk with target name 'sda' \
         controller='0' bus='0' target='0' unit='0'",
    );
}

#[test]
fn controllers() {
    let with = |controllers: Vec<Controller>, names: &'static [&str]| {
        move |def: &mut DomainDef| {
            for (name, target) in names.iter().zip(["sda", "sdb"]) {
                let disk = disk(DiskDevice::Disk, file(name), target);
                def.devices.disks.push(disk);
            }
            def.devices.controllers = controllers;
        }
    };
    let expecting = |found: &str| {
        format!(
            "internal error: Expecting domain XML attribute 'model' of entry 'controller' to be \
             'buslogic' or 'lsilogic' or 'lsisas1068' or 'vmpvscsi' but found '{found}'"
        )
    };
    check(
        with(vec![model(0, "virtio-scsi")], &["a.vmdk"]),
        &expecting("virtio-scsi"),
    );
    check(
        with(vec![model(0, "lsilogic"), model(0, "auto")], &["a.vmdk"]),
        "XML error: Multiple 'scsi' controllers with index '0'",
    );
    check(
        with(vec![model(0, "auto")], &["a.vmdk"]),
        &expecting("auto"),
    );
    check(
        with(vec![model(0, "auto")], &["lsilogic.vmdk", "vmpvscsi.vmdk"]),
        "internal error: Disks on SCSI controller 0 have inconsistent controller models, cannot \
         autodetect model",
    );
}

#[test]
fn names_of_drivers() {
    let with = |driver: &str, controllers: Vec<Controller>| {
        let mut disk = vmdk("sda");
        disk.driver.name = Some(driver.to_owned());
        move |def: &mut DomainDef| {
            def.devices.disks.push(disk);
            def.devices.controllers = controllers;
        }
    };
    check(
        with("Qemu", vec![]),
        "internal error: Unknown driver name 'Qemu'",
    );
    check(
        with("LSILogic", vec![model(0, "buslogic")]),
        "internal error: Inconsistent SCSI controller model ('LSILogic' is not 'buslogic') for \
         SCSI controller index 0",
    );
    // Of another type, but with that index.
    let usb = Controller {
        model: Some("buslogic".to_owned()),
        ..Controller::new(ControllerType::Usb, 0)
    };
    check(
        with("lsilogic", vec![usb]),
        "internal error: Inconsistent SCSI controller model ('lsilogic' is not 'buslogic') for \
         SCSI controller index 0",
    );
}

#[test]
fn screens() {
    check(
        |def| {
            def.devices.graphics.push(Graphics {
                kind: GraphicsType::Spice,
                ..Graphics::default()
            });
        },
        "unsupported configuration: Unsupported graphics type 'spice'",
    );
    let video = |model, heads| Video {
        model,
        heads,
        ..Video::default()
    };
    let first = Video {
        primary: true,
        ..Video::default()
    };
    check(
        |def| def.devices.videos = vec![first.clone(), first],
        "unsupported configuration: Only one primary video device is supported",
    );
    check(
        |def| def.devices.videos = vec![Video::default(), Video::default()],
        "internal error: No support for multiple video devices",
    );
    check(
        |def| def.devices.videos = vec![video(VideoModel::Qxl, None)],
        "unsupported configuration: Unsupported video device type 'qxl'",
    );
    check(
        |def| def.devices.videos = vec![video(VideoModel::Vmvga, Some(2))],
        "unsupported configuration: Multi-head video devices are unsupported",
    );
}

#[test]
fn shared_folders() {
    let folder = |kind, source| Filesystem {
        kind,
        source,
        target: "share".to_owned(),
        ..Filesystem::default()
    };
    check(
        |def| {
            def.devices.filesystems = vec![folder(FilesystemType::File, path("/x"))];
        },
        "unsupported configuration: Only 'mount' filesystem type is supported",
    );
    check(
        |def| def.devices.filesystems = vec![folder(FilesystemType::Mount, None)],
        "missing source information for device share",
    );
}

#[test]
fn network_cards() {
    let mac = "00:0c:29:01:02:03";
    let cards = |count: usize| {
        move |def: &mut DomainDef| {
            def.devices.interfaces = vec![card(mac, InterfaceSource::Null); count];
        }
    };
    refused(
        &strict(6),
        cards(5),
        "internal error: Ethernet controller index 4 out of [0..3] range",
    );
    check(
        cards(11),
        "internal error: Ethernet controller index 10 out of [0..9] range",
    );
    let modelled = |model: &str| {
        let mut interface = card(mac, bridge("lab"));
        interface.model = Some(model.to_owned());
        move |def: &mut DomainDef| def.devices.interfaces.push(interface)
    };
    check(
        modelled("VirtIO"),
        "internal error: Expecting domain XML entry 'devices/interface/model' to be 'vlance' or \
         'vmxnet' or 'vmxnet2' or 'vmxnet3' or 'e1000' or 'e1000e' but found 'virtio'",
    );
    check(
        modelled("p c"),
        "invalid argument: Model name contains invalid characters",
    );
    check(
        modelled("pcnet"),
        "unsupported configuration: driver does not support net model 'pcnet'",
    );
    let network = InterfaceSource::Network {
        network: "default".to_owned(),
        portgroup: None,
    };
    let direct = InterfaceSource::Direct {
        dev: "eth0".to_owned(),
        mode: None,
    };
    for source in [
        network,
        direct,
        InterfaceSource::Ethernet,
        InterfaceSource::Hostdev,
    ] {
        let expected = format!(
            "unsupported configuration: Unsupported net type '{}'",
            source.kind()
        );
        check(
            |def| def.devices.interfaces.push(card(mac, source)),
            &expected,
        );
    }
}

#[test]
fn ports() {
    let dev = || CharSource::Dev { path: path("/x") };
    check(
        |def| def.devices.serials = vec![CharDevice::new(dev(), 4)],
        "internal error: Serial port index 4 out of [0..3] range",
    );
    check(
        |def| def.devices.parallels = vec![CharDevice::new(dev(), 3)],
        "internal error: Parallel port index 3 out of [0..2] range",
    );
    for (source, kind) in [
        (CharSource::Null, "null"),
        (CharSource::Pty { path: None }, "pty"),
        (CharSource::Stdio, "stdio"),
    ] {
        let expected =
            format!("unsupported configuration: Unsupported character device type '{kind}'");
        let serial = source.clone();
        check(
            |def| def.devices.serials = vec![CharDevice::new(serial, 0)],
            &expected,
        );
        check(
            |def| def.devices.parallels = vec![CharDevice::new(source, 0)],
            &expected,
        );
    }
    check(
        |def| {
            let pipe = CharSource::Pipe { path: path("/x") };
            def.devices.parallels = vec![CharDevice::new(pipe, 0)];
        },
        "unsupported configuration: Unsupported character device type 'pipe'",
    );
    check(
        |def| {
            def.devices.serials = vec![CharDevice::new(CharSource::Dev { path: None }, 0)];
        },
        "internal error: Missing source path attribute for char device",
    );
}

#[test]
fn tpm() {
    let add = |count: usize, firmware, model: &str, version: &str| {
        let tpm = Tpm {
            model: Some(model.to_owned()),
            backend: TpmBackend::Emulator {
                version: Some(version.to_owned()),
                persistent_state: None,
            },
            ..Tpm::default()
        };
        move |def: &mut DomainDef| {
            def.os.firmware = firmware;
            def.devices.tpms = vec![tpm; count];
        }
    };
    let efi = Some(Firmware::Efi);
    let good = ("tpm-crb", "2.0");
    let wrong = "VMware driver only supports TPM 2.0 with the CRB model";
    for (hardware, edit, expected) in [
        (
            14,
            add(2, efi, good.0, good.1),
            "VMware only supports a single TPM device",
        ),
        (
            13,
            add(1, efi, good.0, good.1),
            "vTPM requires virtual hardware version 14 or higher",
        ),
        (
            14,
            add(1, None, good.0, good.1),
            "vTPM requires EFI firmware",
        ),
        (14, add(1, efi, "tpm-tis", "2.0"), wrong),
        (14, add(1, efi, "tpm-crb", "1.2"), wrong),
    ] {
        let expected = format!("unsupported configuration: {expected}");
        refused(&strict(hardware), edit, &expected);
    }
    check_with(
        &as_libvirt(LibvirtVersion::V11_10, 4),
        add(2, None, "tpm-tis", "1.2"),
        &[],
    );
}

#[test]
fn the_first_error_in_the_order_of_the_file_counts() {
    check(
        |def| {
            def.os.smbios = Some(SmbiosMode::Sysinfo);
            def.vcpu = Vcpu::new(0);
        },
        "unsupported configuration: Unsupported SMBIOS mode 'sysinfo'",
    );
    // libvirt checks all disks before it writes the first.
    check(
        |def| {
            let image = disk(DiskDevice::Disk, file("a.img"), "sda");
            def.devices.disks = vec![image, at(vmdk("sdb"), 0, 0, 2)];
        },
        "internal error: Disk address 0:0:2 doesn't match target device 'sdb'",
    );
}
