//! Disks, CD-ROM and floppy drives, and their controllers.

use super::{gives, gives_as, gives_no};
use vmx::LibvirtVersion;

/// The lines of a slot of a present controller.
fn slot(slot: &str, lines: &[(&str, &str)]) -> String {
    let controller = slot.split(':').next().unwrap_or_default();
    let mut text = format!("{controller}.present = \"true\"\n{slot}.present = \"true\"\n");
    for (key, value) in lines {
        text.push_str(&format!("{slot}.{key} = \"{value}\"\n"));
    }
    text
}

fn drive(controller: u32, bus: u32, unit: u32) -> String {
    format!(
        "<address type='drive' controller='{controller}' bus='{bus}' target='0' unit='{unit}'/>"
    )
}

#[test]
fn hard_disks() {
    for (kind, bus, target, address) in [
        (Some("scsi-hardDisk"), "scsi1:7", None, drive(0, 0, 0)),
        (
            Some("SCSI-HARDDISK"),
            "scsi1:8",
            Some("sdw"),
            drive(1, 0, 8),
        ),
        (Some("disk"), "scsi0:0", Some("sda"), drive(0, 0, 0)),
        (None, "scsi0:15", Some("sdo"), drive(0, 0, 15)),
        (None, "scsi0:16", None, drive(0, 0, 0)),
        (Some("rawDisk"), "sata0:7", Some("sdh"), drive(1, 0, 1)),
        (None, "sata3:29", Some("sddp"), drive(19, 0, 5)),
        (None, "sata0:30", None, drive(0, 0, 0)),
        (Some("ata-hardDisk"), "ide1:0", Some("hdc"), drive(0, 1, 0)),
        (Some("disk"), "ide0:1", Some("hdb"), drive(0, 0, 1)),
        (None, "ide2:0", None, drive(0, 0, 0)),
        (None, "nvme2:3", Some("nvme2n4"), drive(2, 0, 3)),
        (None, "nvme0:15", None, drive(0, 0, 0)),
    ] {
        let mut lines = vec![("fileName", "a b.VMDK")];
        lines.extend(kind.map(|kind| ("deviceType", kind)));
        let lines = slot(bus, &lines);
        let Some(target) = target else {
            gives_no(&lines, "<disk");
            continue;
        };
        let bus = bus.split(|c: char| c.is_ascii_digit()).next().unwrap();
        gives(
            &lines,
            &format!(
                "<disk type='file' device='disk'>
                <source file='[fast] web/a b.VMDK'/>
                <target dev='{target}' bus='{bus}'/>
                {address}
                </disk>"
            ),
        );
    }
}

#[test]
fn absent_slots() {
    for lines in [
        "scsi0:0.present = \"true\"\nscsi0:0.fileName = \"a.vmdk\"",
        "scsi0.present = \"true\"\nscsi0:0.fileName = \"a.vmdk\"",
        "ide0:0.present = \"false\"\nide0:0.fileName = \"a.vmdk\"",
        "ide0:0.present = \"true\"\nide0:0.clientDevice = \"true\"\nide0:0.fileName = \"a.vmdk\"",
        "floppy0.fileType = \"file\"\nfloppy0.fileName = \"a.flp\"",
    ] {
        gives_no(lines, "<disk");
    }
}

#[test]
fn caches_and_modes() {
    gives(
        &slot(
            "scsi0:0",
            &[("fileName", "a.vmdk"), ("writeThrough", "true")],
        ),
        "<disk type='file' device='disk'>\n<driver cache='writethrough'/>\n<source",
    );
    gives(
        &slot(
            "scsi0:0",
            &[
                ("fileName", "a.vmdk"),
                ("mode", "Independent-Nonpersistent"),
            ],
        ),
        "<target dev='sda' bus='scsi'/>\n<transient/>\n<address",
    );
    for mode in ["persistent", "independent-persistent", "undoable", ""] {
        gives_no(
            &slot("scsi0:0", &[("fileName", "a.vmdk"), ("mode", mode)]),
            "<transient/>",
        );
    }
}

#[test]
fn cdrom_drives() {
    let check = |bus: &str, lines: &[(&str, &str)], kind: &str, source: &str| {
        let part = format!("<disk {kind}>\n{source}<target");
        let lines = slot(bus, lines);
        gives(&lines, &part);
        gives(&lines, "<readonly/>");
    };
    for bus in ["scsi0:0", "sata0:0", "ide0:0"] {
        let file = "type='file' device='cdrom'";
        let image = "<source file='[fast] web/a.ISO'/>\n";
        check(bus, &[("fileName", "a.ISO")], file, image);
        check(
            bus,
            &[("fileName", "a.ISO"), ("deviceType", "CDROM-image")],
            file,
            image,
        );
        check(bus, &[("fileName", "/vmfs/volumes/gone/a.iso")], file, "");
        check(
            bus,
            &[("fileName", "/vmfs/volumes//fast//a.iso")],
            file,
            "<source file='[fast] /a.iso'/>\n",
        );
        check(bus, &[("fileName", "emptyBackingString")], file, "");
        check(
            bus,
            &[("fileName", ""), ("deviceType", "cdrom-image")],
            file,
            "",
        );

        for (kind, device) in [("atapi-cdrom", "cdrom"), ("cdrom-raw", "lun")] {
            let block = format!("type='block' device='{device}'");
            let optional = "<source startupPolicy='optional'/>\n";
            check(
                bus,
                &[("deviceType", kind), ("fileName", "Auto Detect")],
                &block,
                optional,
            );
            let own = "<source dev='/dev/sr0'/>\n";
            check(
                bus,
                &[("deviceType", kind), ("fileName", "/dev/sr0")],
                &block,
                own,
            );
            check(bus, &[("deviceType", kind)], &block, "");
        }
    }
    check(
        "scsi0:0",
        &[
            ("deviceType", "scsi-passthru"),
            ("fileName", "/vmfs/devices/cdrom/x"),
        ],
        "type='block' device='lun'",
        "<source dev='/vmfs/devices/cdrom/x'/>\n",
    );
}

#[test]
fn what_is_passed_over() {
    for lines in [
        slot(
            "scsi0:0",
            &[("deviceType", "cdrom-raw"), ("fileName", "a.vmdk")],
        ),
        slot(
            "ide0:0",
            &[("deviceType", "atapi-cdrom"), ("fileName", "a.vmdk")],
        ),
    ] {
        gives_no(&lines, "<disk");
    }
}

#[test]
fn floppies() {
    for (unit, target) in [(0, "fda"), (1, "fdb")] {
        let lines = |kind: &str, name: &str| {
            format!(
                "floppy{unit}.present = \"true\"\nfloppy{unit}.fileType = \"{kind}\"\n\
                 floppy{unit}.fileName = \"{name}\""
            )
        };
        let rest = format!(
            "<target dev='{target}' bus='fdc'/>\n{}\n</disk>",
            drive(0, 0, unit)
        );
        gives(
            &lines("File", "a.flp"),
            &format!(
                "<disk type='file' device='floppy'>\n<source file='[fast] web/a.flp'/>\n{rest}"
            ),
        );
        gives(
            &lines("device", "A:"),
            &format!("<disk type='block' device='floppy'>\n<source dev='A:'/>\n{rest}"),
        );
    }
    gives(
        "floppy0.present = \"true\"\nfloppy0.fileType = \"device\"",
        "<disk type='block' device='floppy'>\n<target",
    );
}

#[test]
fn scsi_models() {
    for (model, expected) in [
        ("BusLogic", " model='buslogic'"),
        ("lsilogic", " model='lsilogic'"),
        ("lsiSAS1068", " model='lsisas1068'"),
        ("pvscsi", " model='vmpvscsi'"),
    ] {
        gives(
            &format!("scsi2.present = \"true\"\nscsi2.virtualDev = \"{model}\""),
            &format!("<controller type='scsi' index='2'{expected}/>"),
        );
    }
    gives(
        "scsi0.present = \"true\"",
        "<controller type='scsi' index='0'/>",
    );
}

#[test]
fn pci_addresses() {
    let check = |bus: &str, number: &str, address: &str| {
        let lines = format!("{bus}0.present = \"true\"\n{bus}0.pciSlotNumber = \"{number}\"");
        gives(
            &lines,
            &format!(
                "<controller type='{bus}' index='0'>
                <address type='pci' domain='0x0000' {address}/>
                </controller>"
            ),
        );
    };
    for bus in ["scsi", "sata", "nvme"] {
        check(bus, "16", "bus='0x00' slot='0x10' function='0x0'");
        check(bus, "160", "bus='0x05' slot='0x00' function='0x0'");
        check(bus, "1184", "bus='0x05' slot='0x00' function='0x1'");
        for none in ["-1", "unlimited"] {
            let lines = format!("{bus}0.present = \"true\"\n{bus}0.pciSlotNumber = \"{none}\"");
            gives(&lines, &format!("<controller type='{bus}' index='0'/>"));
        }
    }
}

#[test]
fn the_order_of_controllers() {
    let lines = [
        slot("ide0:0", &[("fileName", "a.vmdk")]),
        slot("nvme1:0", &[("fileName", "b.vmdk")]),
        slot("sata0:6", &[("fileName", "c.vmdk")]),
        slot("scsi1:0", &[("fileName", "d.vmdk")]),
        "floppy0.present = \"true\"\nfloppy0.fileType = \"device\"\n".to_owned(),
    ];
    let controllers = |rows: &[(&str, u32)]| {
        let rows = rows
            .iter()
            .map(|(kind, index)| format!("<controller type='{kind}' index='{index}'/>"));
        rows.collect::<Vec<_>>().join("\n")
    };
    gives(
        &lines.concat(),
        &controllers(&[
            ("scsi", 1),
            ("sata", 0),
            ("nvme", 1),
            // Those that the file does not have.
            ("scsi", 0),
            ("fdc", 0),
            ("ide", 0),
            ("sata", 1),
            ("nvme", 0),
        ]),
    );
    gives_as(
        LibvirtVersion::V12_5,
        &lines.concat(),
        &controllers(&[
            ("scsi", 0),
            ("scsi", 1),
            ("sata", 0),
            ("sata", 1),
            ("fdc", 0),
            ("ide", 0),
            ("nvme", 0),
            ("nvme", 1),
        ]),
    );
    // The last disk's controller is not the highest here.
    let wide = [
        "virtualHW.version = \"14\"\n".to_owned(),
        slot("scsi1:63", &[("fileName", "a.vmdk")]),
        slot("scsi2:0", &[("fileName", "b.vmdk")]),
        slot("sata0:0", &[("fileName", "c.vmdk")]),
    ];
    gives_as(
        LibvirtVersion::V9_0,
        &wide.concat(),
        &controllers(&[("scsi", 0), ("sata", 0), ("scsi", 1)]),
    );
}

#[test]
fn wide_scsi_controllers() {
    let check = |libvirt, hardware: u32, place: &str, target: &str, address: String| {
        let lines = slot(place, &[("fileName", "a.vmdk")]);
        gives_as(
            libvirt,
            &format!("virtualHW.version = \"{hardware}\"\n{lines}"),
            &format!("<target dev='{target}' bus='scsi'/>\n{address}"),
        );
    };
    let old = LibvirtVersion::V11_10;
    check(old, 12, "scsi1:0", "sdp", drive(1, 0, 0));
    check(old, 13, "scsi1:0", "sdp", drive(0, 0, 16));
    check(old, 13, "scsi0:63", "sdbk", drive(0, 0, 63));
    check(LibvirtVersion::V12_4, 13, "scsi1:0", "sdbl", drive(1, 0, 0));
    check(
        LibvirtVersion::V12_4,
        13,
        "scsi1:63",
        "sddv",
        drive(1, 0, 63),
    );
    check(LibvirtVersion::V12_5, 13, "scsi1:0", "sdbm", drive(1, 0, 0));
    check(
        LibvirtVersion::V12_5,
        13,
        "scsi0:64",
        "sdbl",
        drive(0, 0, 64),
    );
    check(
        LibvirtVersion::Newest,
        12,
        "scsi3:15",
        "sdbh",
        drive(3, 0, 15),
    );
}
