use virt_model::DomainDef;
use virt_model::domain::{
    Address, CacheMode, Controller, ControllerType, DeviceInfo, Disk, DiskBus, DiskDevice,
    DiskSource, DriveAddress, StartupPolicy,
};

use super::check;

pub(super) fn file(name: &str) -> DiskSource {
    DiskSource::File(Some(format!("[fast] {name}")))
}

pub(super) fn block(name: &str) -> DiskSource {
    DiskSource::Block(Some(name.to_owned()))
}

/// A disk and its target: bus and name.
pub(super) fn disk(device: DiskDevice, source: DiskSource, target: &str) -> Disk {
    let bus = match target.split_at(2) {
        ("sd", _) => DiskBus::Scsi,
        ("hd", _) => DiskBus::Ide,
        _ => DiskBus::Fdc,
    };
    Disk::new(device, source, target, bus)
}

pub(super) fn model(index: u32, model: &str) -> Controller {
    Controller {
        model: Some(model.to_owned()),
        ..Controller::new(ControllerType::Scsi, index)
    }
}

/// Checks the lines of one device of a bus that doesn't add others.
#[track_caller]
fn check_disk(disk: Disk, prefix: &str, expected: &[&str]) {
    let mut lines = Vec::new();
    if let Some(controller) = prefix.strip_prefix("scsi") {
        let controller = controller.split(':').next().unwrap();
        lines.push(format!("scsi{controller}.present = \"true\""));
    }
    lines.push(format!("{prefix}.present = \"true\""));
    for line in expected {
        lines.push(format!("{prefix}.{line}"));
    }
    if prefix.starts_with("floppy") {
        lines.push(format!("-{prefix}.present = \"false\""));
    }
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    check(|def| def.devices.disks.push(disk), &lines);
}

#[test]
fn hard_disks() {
    let source = || file("web/data.VMDK");
    let name = r#"fileName = "/vol/fast/web/data.VMDK""#;
    let scsi = r#"deviceType = "scsi-hardDisk""#;
    let ide = r#"deviceType = "ata-hardDisk""#;
    for (target, prefix, kind) in [
        ("sda", "scsi0:0", scsi),
        ("sdg", "scsi0:6", scsi),
        ("sdh", "scsi0:8", scsi),
        ("sdo", "scsi0:15", scsi),
        ("sdp", "scsi1:0", scsi),
        ("sdbh", "scsi3:15", scsi),
        ("sdb1", "scsi0:1", scsi),
        ("hda", "ide0:0", ide),
        ("hdd", "ide1:1", ide),
    ] {
        check_disk(
            disk(DiskDevice::Disk, source(), target),
            prefix,
            &[kind, name],
        );
    }
}

#[test]
fn cache_and_mode() {
    let with = |target: &str, edit: fn(&mut Disk)| {
        let mut disk = disk(DiskDevice::Disk, file("a.vmdk"), target);
        edit(&mut disk);
        disk
    };
    let scsi = [
        r#"deviceType = "scsi-hardDisk""#,
        r#"fileName = "/vol/fast/a.vmdk""#,
    ];
    let ide = [r#"deviceType = "ata-hardDisk""#, scsi[1]];
    let through: fn(&mut Disk) = |disk| disk.driver.cache = Some(CacheMode::Writethrough);
    check_disk(
        with("sda", through),
        "scsi0:0",
        &[scsi[0], scsi[1], r#"writeThrough = "true""#],
    );
    check_disk(with("hda", through), "ide0:0", &ide);
    check_disk(
        with("hda", |disk| disk.driver.cache = Some(CacheMode::None)),
        "ide0:0",
        &ide,
    );
    check_disk(
        with("sda", |disk| disk.driver.cache = Some(CacheMode::Default)),
        "scsi0:0",
        &scsi,
    );
    let mode = r#"mode = "independent-nonpersistent""#;
    check_disk(
        with("hdb", |disk| disk.transient = true),
        "ide0:1",
        &[ide[0], ide[1], mode],
    );
    check_disk(
        with("sda", |disk| {
            disk.transient = true;
            disk.driver.cache = Some(CacheMode::Writethrough);
        }),
        "scsi0:0",
        &[scsi[0], scsi[1], r#"writeThrough = "true""#, mode],
    );
}

#[test]
fn cdrom_drives() {
    let auto = |device| {
        let mut disk = disk(device, DiskSource::Block(None), "hdc");
        disk.startup_policy = Some(StartupPolicy::Optional);
        disk
    };
    let detect = [r#"autodetect = "true""#, r#"fileName = "auto detect""#];
    let cdrom = |source, target| disk(DiskDevice::Cdrom, source, target);
    let lun = |source, target| disk(DiskDevice::Lun, source, target);
    check_disk(
        cdrom(file("iso/x.iso"), "hdc"),
        "ide1:0",
        &[
            r#"deviceType = "cdrom-image""#,
            r#"fileName = "/vol/fast/iso/x.iso""#,
        ],
    );
    let empty = [
        r#"deviceType = "cdrom-image""#,
        r#"fileName = "emptyBackingString""#,
    ];
    check_disk(cdrom(DiskSource::File(None), "sdb"), "scsi0:1", &empty);
    check_disk(
        cdrom(block("/dev/sr0"), "sda"),
        "scsi0:0",
        &[r#"deviceType = "atapi-cdrom""#, r#"fileName = "/dev/sr0""#],
    );
    // libvirt's word is wrong here.
    let mut required = cdrom(DiskSource::Block(None), "hdc");
    required.startup_policy = Some(StartupPolicy::Requisite);
    for disk in [cdrom(DiskSource::Block(None), "hdc"), required] {
        check_disk(
            disk,
            "ide1:0",
            &[r#"deviceType = "atapi-cdrom""#, r#"fileName = "(null)""#],
        );
    }
    check_disk(
        lun(DiskSource::Block(None), "sda"),
        "scsi0:0",
        &[r#"deviceType = "cdrom-raw""#, r#"fileName = "(null)""#],
    );
    check_disk(
        auto(DiskDevice::Cdrom),
        "ide1:0",
        &[r#"deviceType = "atapi-cdrom""#, detect[0], detect[1]],
    );
    check_disk(
        auto(DiskDevice::Lun),
        "ide1:0",
        &[r#"deviceType = "cdrom-raw""#, detect[0], detect[1]],
    );
    check_disk(
        lun(block("/dev/sr0"), "sda"),
        "scsi0:0",
        &[r#"deviceType = "cdrom-raw""#, r#"fileName = "/dev/sr0""#],
    );
    let host = "/vmfs/devices/cdrom/x";
    check_disk(
        lun(block(host), "sda"),
        "scsi0:0",
        &[
            r#"deviceType = "scsi-passthru""#,
            r#"fileName = "/vmfs/devices/cdrom/x""#,
        ],
    );
    check_disk(
        lun(block(host), "hda"),
        "ide0:0",
        &[
            r#"deviceType = "cdrom-raw""#,
            r#"fileName = "/vmfs/devices/cdrom/x""#,
        ],
    );
}

#[test]
fn floppy_drives() {
    let floppy = |source, target| disk(DiskDevice::Floppy, source, target);
    check_disk(
        floppy(file("a.flp"), "fda"),
        "floppy0",
        &[r#"fileType = "file""#, r#"fileName = "/vol/fast/a.flp""#],
    );
    check_disk(
        floppy(block("/dev/fd0"), "fdb"),
        "floppy1",
        &[r#"fileType = "device""#, r#"fileName = "/dev/fd0""#],
    );
    check_disk(
        floppy(DiskSource::File(None), "fda"),
        "floppy0",
        &[r#"fileType = "file""#],
    );
    check_disk(
        floppy(DiskSource::Block(None), "fda"),
        "floppy0",
        &[r#"fileType = "device""#],
    );
    let mut auto = floppy(DiskSource::Block(None), "fda");
    auto.startup_policy = Some(StartupPolicy::Optional);
    check_disk(auto, "floppy0", &[r#"fileType = "device""#]);
}

/// The controllers' lines for disks, whose sources are `disk.vmdk` or that with a model in it.
#[track_caller]
fn check_controllers(targets: &[&str], controllers: Vec<Controller>, expected: &[&str]) {
    let mut lines: Vec<String> = expected.iter().map(|line| (*line).to_owned()).collect();
    let mut disks = Vec::new();
    for (i, target) in targets.iter().enumerate() {
        let name = match target.split_once('=') {
            Some((_, model)) => format!("{model}{i}.vmdk"),
            None => format!("{i}.vmdk"),
        };
        let target = target.split('=').next().unwrap();
        let disk = disk(DiskDevice::Disk, file(&name), target);
        disks.push(disk);
    }
    let edit = |def: &mut DomainDef| {
        def.devices.disks = disks;
        def.devices.controllers = controllers;
    };
    let mut def = super::simple();
    edit(&mut def);
    let found = super::difference(&def, &super::strict(4)).unwrap();
    let found: Vec<String> = found
        .into_iter()
        .filter(|line| line.starts_with("scsi") && !line.contains(':'))
        .collect();
    lines.sort();
    let mut sorted = found.clone();
    sorted.sort();
    assert_eq!(sorted, lines);
}

#[test]
fn controllers() {
    let present = r#"scsi0.present = "true""#;
    check_controllers(&["sda"], vec![], &[present]);
    check_controllers(&["hda"], vec![model(0, "lsilogic")], &[]);
    for (word, expected) in [
        ("buslogic", "buslogic"),
        ("lsilogic", "lsilogic"),
        ("lsisas1068", "lsisas1068"),
        ("vmpvscsi", "pvscsi"),
    ] {
        let line = format!("scsi0.virtualDev = \"{expected}\"");
        check_controllers(&["sda"], vec![model(0, word)], &[present, &line]);
    }
    // VMware lacks the model, but the controller is not written.
    check_controllers(
        &["sda", "sdp"],
        vec![model(1, "lsilogic"), model(2, "virtio-scsi")],
        &[
            present,
            r#"scsi1.present = "true""#,
            r#"scsi1.virtualDev = "lsilogic""#,
        ],
    );
    check_controllers(
        &["sda=vmpvscsi", "sdb=vmpvscsi"],
        vec![model(0, "auto")],
        &[present, r#"scsi0.virtualDev = "pvscsi""#],
    );
}

#[test]
fn the_name_of_a_driver_is_a_model() {
    let with_driver = |controllers: Vec<Controller>, expected: &[&str]| {
        let mut disk = disk(DiskDevice::Disk, file("a.vmdk"), "sda");
        disk.driver.name = Some("BusLogic".to_owned());
        let mut lines = vec![r#"scsi0.present = "true""#];
        lines.extend(expected);
        lines.extend([
            r#"scsi0:0.present = "true""#,
            r#"scsi0:0.deviceType = "scsi-hardDisk""#,
            r#"scsi0:0.fileName = "/vol/fast/a.vmdk""#,
        ]);
        check(
            |def| {
                def.devices.disks.push(disk);
                def.devices.controllers = controllers;
            },
            &lines,
        );
    };
    let line = r#"scsi0.virtualDev = "buslogic""#;
    with_driver(vec![], &[line]);
    with_driver(vec![model(0, "buslogic")], &[line]);
    // The first controller with that index gets the model, whatever its type.
    with_driver(
        vec![
            Controller::new(ControllerType::Ide, 0),
            Controller::new(ControllerType::Scsi, 0),
        ],
        &[],
    );
    // On other buses the name is ignored.
    let mut ide = disk(DiskDevice::Disk, file("a.vmdk"), "hda");
    ide.driver.name = Some("any".to_owned());
    check_disk(
        ide,
        "ide0:0",
        &[
            r#"deviceType = "ata-hardDisk""#,
            r#"fileName = "/vol/fast/a.vmdk""#,
        ],
    );
}

#[test]
fn an_address_that_fits() {
    let mut disk = disk(DiskDevice::Disk, file("a.vmdk"), "sdq");
    let mut address = DriveAddress::new(1, 0, 1);
    address.target = 9;
    disk.info = DeviceInfo::at(Address::Drive(address));
    check_disk(
        disk,
        "scsi1:1",
        &[
            r#"deviceType = "scsi-hardDisk""#,
            r#"fileName = "/vol/fast/a.vmdk""#,
        ],
    );
}
