use virt_model::domain::{
    Cpu, CpuTopology, Disk, DiskBus, DiskDevice, DiskSource, Firmware, Placement, SmbiosMode, Tpm,
    TpmBackend, Vcpu,
};
use virt_model::{DomainDef, Uuid};
use vmx::{LibvirtVersion, VmwareNamespace};

use super::{as_libvirt, check, check_with, format, simple, strict};

const HEAD: &str = r#".encoding = "UTF-8"
config.version = "8"
virtualHW.version = "NUMBER"
guestOS = "other"
uuid.bios = "0a 1b 2c 3d 4e 5f 40 71-82 93 a4 b5 c6 d7 e8 f9"
displayName = "web"
memsize = "8"
numvcpus = "1"
"#;

#[test]
fn the_simplest_file() {
    let floppies = "floppy0.present = \"false\"\nfloppy1.present = \"false\"\n";
    let found = format(&simple(), &strict(4)).unwrap();
    assert_eq!(found, HEAD.replace("NUMBER", "4") + floppies);
    let found = format(&simple(), &strict(7)).unwrap();
    let vmci = "vmci0.present = \"true\"\n";
    assert_eq!(found, HEAD.replace("NUMBER", "7") + floppies + vmci);
}

#[test]
fn bridges_come_with_a_scsi_controller_from_hardware_7_on() {
    let disk = |def: &mut DomainDef| {
        let source = DiskSource::File(Some("[fast] web/web.vmdk".to_owned()));
        def.devices
            .disks
            .push(Disk::new(DiskDevice::Disk, source, "sda", DiskBus::Scsi));
    };
    let mut def = simple();
    disk(&mut def);
    let found = format(&def, &strict(7)).unwrap();
    let expected = HEAD.replace("NUMBER", "7")
        + r#"scsi0.present = "true"
scsi0:0.present = "true"
scsi0:0.deviceType = "scsi-hardDisk"
scsi0:0.fileName = "/vol/fast/web/web.vmdk"
floppy0.present = "false"
floppy1.present = "false"
pciBridge0.present = "true"
pciBridge4.present = "true"
pciBridge4.virtualDev = "pcieRootPort"
pciBridge4.functions = "8"
pciBridge5.present = "true"
pciBridge5.virtualDev = "pcieRootPort"
pciBridge5.functions = "8"
pciBridge6.present = "true"
pciBridge6.virtualDev = "pcieRootPort"
pciBridge6.functions = "8"
pciBridge7.present = "true"
pciBridge7.virtualDev = "pcieRootPort"
pciBridge7.functions = "8"
vmci0.present = "true"
"#;
    assert_eq!(found, expected);
    assert!(!format(&def, &strict(6)).unwrap().contains("pciBridge"));
}

#[test]
fn identity() {
    check(
        |def| def.uuid = Some(Uuid::NIL),
        &[
            r#"uuid.action = "create""#,
            r#"-uuid.bios = "0a 1b 2c 3d 4e 5f 40 71-82 93 a4 b5 c6 d7 e8 f9""#,
        ],
    );
    check(
        |def| def.name = Some("a/b\"c|d%e\\".to_owned()),
        &[
            r#"displayName = "a%2fb|22c|7cd%25e%5c""#,
            r#"-displayName = "web""#,
        ],
    );
    // libvirt writes this file but cannot read it.
    check(
        |def| def.description = Some("say \"a|b/c\"\nagain".to_owned()),
        &[r#"annotation = "say |22a|7cb/c|22"#, r#"again""#],
    );
    // VMX files have no place for these.
    check(
        |def| {
            def.title = Some("title".to_owned());
            def.genid = def.uuid;
            def.hwuuid = Some(Uuid::from_bytes([3; 16]));
            VmwareNamespace::new("a/b", "7").put_into(def);
        },
        &[],
    );
}

#[test]
fn machine() {
    let guest = "-guestOS = \"other\"";
    check(|def| def.os.arch = Some("i686".to_owned()), &[]);
    check(
        |def| def.os.arch = Some("x86_64".to_owned()),
        &[r#"guestOS = "other-64""#, guest],
    );
    for (mode, expected) in [
        (SmbiosMode::Host, &[r#"smbios.reflecthost = "true""#][..]),
        (SmbiosMode::Emulate, &[]),
        (SmbiosMode::None, &[]),
    ] {
        check(|def| def.os.smbios = Some(mode), expected);
    }
}

#[test]
fn memory() {
    let gone = "-memsize = \"8\"";
    let size = |kib: u64| move |def: &mut DomainDef| def.memory = kib;
    check(size(16384), &[r#"memsize = "16""#, gone]);
    // The size is rounded up, so the limit is below it.
    check(
        size(219_136),
        &[r#"memsize = "216""#, r#"sched.mem.max = "214""#, gone],
    );
    check(
        size(1),
        &[r#"memsize = "4""#, r#"sched.mem.max = "1""#, gone],
    );
    let current = |kib: u64| move |def: &mut DomainDef| def.current_memory = Some(kib);
    check(current(8192), &[]);
    check(current(0), &[]);
    check(current(99_999), &[]);
    check(current(5000), &[r#"sched.mem.max = "5""#]);
    let least = |kib: u64| move |def: &mut DomainDef| def.memory_tune.min_guarantee = Some(kib);
    check(least(0), &[]);
    check(least(1025), &[r#"sched.mem.minsize = "2""#]);
}

#[test]
fn processors() {
    let two = r#"numvcpus = "2""#;
    let gone = r#"-numvcpus = "1""#;
    let vcpus = |def: &mut DomainDef, cpus: &str, shares: Option<u64>| {
        def.vcpu = Vcpu::new(2);
        def.vcpu.cpuset = Some(cpus)
            .filter(|cpus| !cpus.is_empty())
            .map(|cpus| cpus.parse().unwrap());
        def.cpu_tune.shares = shares;
    };
    check(|def| vcpus(def, "", None), &[two, gone]);
    check(
        |def| vcpus(def, "7,0-2,^1", None),
        &[two, r#"sched.cpu.affinity = "0,2,7""#, gone],
    );
    check(
        |def| {
            vcpus(def, "0-1", None);
            def.vcpu.placement = Placement::Auto;
        },
        &[two, gone],
    );
    for (shares, word) in [
        (1000, "low"),
        (2000, "normal"),
        (4000, "high"),
        (1001, "1001"),
        (0, "0"),
    ] {
        let line = format!("sched.cpu.shares = \"{word}\"");
        check(|def| vcpus(def, "", Some(shares)), &[two, &line, gone]);
    }
}

#[test]
fn topology() {
    let cpu = |sockets, cores| {
        move |def: &mut DomainDef| {
            def.vcpu = Vcpu::new(4);
            def.cpu = Some(Cpu {
                topology: Some(CpuTopology {
                    sockets,
                    cores,
                    clusters: None,
                    ..CpuTopology::default()
                }),
                ..Cpu::default()
            });
        }
    };
    let (four, gone) = (r#"numvcpus = "4""#, r#"-numvcpus = "1""#);
    check(cpu(2, 2), &[four, r#"cpuid.coresPerSocket = "2""#, gone]);
    check(cpu(4, 1), &[four, r#"cpuid.coresPerSocket = "1""#, gone]);
    // libvirt 9.0.0 does not know clusters.
    let clusters = |def: &mut DomainDef| {
        cpu(2, 2)(def);
        let topology = def.cpu.as_mut().unwrap().topology.as_mut().unwrap();
        topology.clusters = Some(2);
    };
    check_with(
        &as_libvirt(LibvirtVersion::V9_0, 4),
        clusters,
        &[four, r#"cpuid.coresPerSocket = "2""#, gone],
    );
}

#[test]
fn firmware() {
    let efi = |def: &mut DomainDef| {
        def.os.firmware = Some(Firmware::Efi);
        def.os.nvram = Some("[fast] web/web.nvram".to_owned());
    };
    let line = r#"firmware = "efi""#;
    let nvram = r#"nvram = "/vol/fast/web/web.nvram""#;
    check(|def| def.os.firmware = Some(Firmware::Bios), &[]);
    check(efi, &[line, nvram]);
    check_with(&as_libvirt(LibvirtVersion::V12_4, 4), efi, &[line, nvram]);
    check_with(&as_libvirt(LibvirtVersion::V11_10, 4), efi, &[line]);
    // The line is left out if the name cannot be translated.
    check(|def| def.os.nvram = Some("web.nvram".to_owned()), &[]);
    check(
        |def| def.os.nvram = Some("[fast] bios".to_owned()),
        &[r#"nvram = "/vol/fast/bios""#],
    );
}

#[test]
fn tpm() {
    let tpm = |def: &mut DomainDef| {
        def.os.firmware = Some(Firmware::Efi);
        def.devices.tpms.push(Tpm {
            model: Some("tpm-crb".to_owned()),
            backend: TpmBackend::Emulator {
                version: Some("2.0".to_owned()),
                persistent_state: None,
            },
            ..Tpm::default()
        });
    };
    let (vtpm, efi) = (r#"vtpm.present = "TRUE""#, r#"firmware = "efi""#);
    check_with(&strict(14), tpm, &[vtpm, efi]);
    check_with(&as_libvirt(LibvirtVersion::V12_4, 20), tpm, &[vtpm, efi]);
    check_with(&as_libvirt(LibvirtVersion::V11_10, 4), tpm, &[efi]);
}
