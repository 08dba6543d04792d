//! Hostile files.

use proptest::prelude::*;
use virt_model::DomainDef;
use virt_model::domain::{DiskDevice, DiskSource};
use virt_model::{Document, DomainXmlFlags};
use vmx::names::Folder;
use vmx::{LibvirtVersion, ParseOptions};

/// Reads a file in every mode. Nothing may panic, and every definition can be written.
fn read_all(text: &[u8]) {
    for libvirt in [LibvirtVersion::V9_0, LibvirtVersion::Newest] {
        for options in [ParseOptions::strict(), ParseOptions::default()] {
            let options = options.as_libvirt(libvirt);
            if let Ok(parsed) = vmx::parse(text, &Folder::default(), &options) {
                let _ = parsed.domain.to_xml(DomainXmlFlags::SECURE);
            }
        }
    }
}

#[test]
fn ten_thousand_disks() {
    let mut text = super::file("");
    for unit in 0..10_000 {
        text.push_str(&format!(
            "scsi0:{unit}.present = \"true\"\nscsi0:{unit}.fileName = \"{unit}.vmdk\"\n"
        ));
    }
    text.push_str("scsi0.present = \"true\"\n");
    let parsed = vmx::to_domain(text.as_str()).unwrap();
    assert_eq!(parsed.domain.devices.disks.len(), 15);
    assert_eq!(parsed.warnings.len(), 200);
    read_all(text.as_bytes());
}

#[test]
fn numbers_that_loops_would_count_to() {
    read_all(super::file("ethernet2147483646.present = \"true\"").as_bytes());
    let folders =
        "isolation.tools.hgfs.disable = \"false\"\nsharedFolder.maxNum = \"9223372036854775807\"";
    read_all(super::file(folders).as_bytes());
    for key in [
        "memsize",
        "numvcpus",
        "svga.vramSize",
        "vm.genid",
        "scsi0.pciSlotNumber",
        "sched.mem.max",
    ] {
        for number in ["9223372036854775804", "-9223372036854775808", "4294967296"] {
            let lines = format!(
                "scsi0.present = \"true\"\nnumvcpus = \"1\"\ncpuid.coresPerSocket = \"1\"\n{key} = \"{number}\""
            );
            read_all(super::file(&lines).as_bytes());
        }
    }
}

#[test]
fn a_long_line_and_many_short_ones() {
    let size = 2 << 20;
    for pattern in [
        "a=\"1\"\n",
        "ethernet1.x=\"\"\n",
        "scsi0:0.present=\"true\";",
        "x",
        "\"",
        "%",
    ] {
        let mut text = super::file("annotation = \"");
        text.push_str(&pattern.repeat(size / pattern.len()));
        read_all(text.as_bytes());
    }
}

#[test]
fn odd_names_come_through() {
    for name in ["a/b", "50%25 off", "it's", "😀", "a<b>&c", "a;b#c = d"] {
        let lines = format!("displayName = \"{}\"", name.replace('/', "%2f"));
        let parsed = vmx::to_domain(super::file(&lines)).unwrap();
        assert_eq!(parsed.domain.name, Some(name.replace("%25", "%")));
    }
}

/// Lines of real files, with arbitrary values.
fn lines() -> impl Strategy<Value = String> {
    let keys = [
        ".encoding",
        "config.version",
        "virtualHW.version",
        "displayName",
        "annotation",
        "memsize",
        "numvcpus",
        "cpuid.coresPerSocket",
        "sched.cpu.affinity",
        "sched.cpu.shares",
        "guestOS",
        "RemoteDisplay.vnc.enabled",
        "RemoteDisplay.vnc.port",
        "RemoteDisplay.vnc.ip",
        "RemoteDisplay.vnc.keymap",
        "RemoteDisplay.vnc.password",
        "scsi0.present",
        "scsi0.virtualDev",
        "scsi0:1.present",
        "scsi0:1.fileName",
        "scsi0:1.deviceType",
        "sata0.present",
        "sata0:6.present",
        "sata0:6.fileName",
        "ide0:0.present",
        "ide0:0.fileName",
        "ide0:0.deviceType",
        "floppy0.present",
        "floppy0.fileType",
        "floppy0.fileName",
        "nvme0.present",
        "nvme0:0.present",
        "nvme0:0.fileName",
        "isolation.tools.hgfs.disable",
        "sharedFolder.maxNum",
        "sharedFolder0.present",
        "sharedFolder0.enabled",
        "sharedFolder0.hostPath",
        "sharedFolder0.guestName",
        "ethernet0.present",
        "ethernet0.connectionType",
        "ethernet0.networkName",
        "ethernet0.virtualDev",
        "ethernet0.addressType",
        "ethernet0.generatedAddress",
        "ethernet0.vnet",
        "ethernet0.checkMACAddress",
        "ethernet0.dvs.switchId",
        "ethernet0.dvs.portgroupId",
        "serial0.present",
        "serial0.fileType",
        "serial0.fileName",
        "parallel0.present",
        "parallel0.fileType",
        "parallel0.fileName",
        "firmware",
        "uefi.secureBoot.enabled",
        "nvram",
        "vtpm.present",
        "uuid.bios",
        "vc.uuid",
        "vm.genid",
        "svga.vramSize",
        "scsi0.pciSlotNumber",
    ];
    let values = prop_oneof![
        4 => prop::sample::select(vec![
            "true", "false", "8", "4", "13", "1", "-1", "x", "", "a.vmdk", "a.iso", "auto detect",
            "emptyBackingString", "cdrom-raw", "cdrom-image", "network", "file", "tcp://h:1",
            "bridged", "custom", "generated", "efi", "all", "0,1", "11111111111111111111111111111112",
        ]).prop_map(str::to_owned),
        1 => "[^\"\r\n]{0,12}",
    ];
    let line = (prop::sample::select(keys.to_vec()), values)
        .prop_map(|(key, value)| format!("{key} = \"{value}\"\n"));
    prop::collection::vec(line, 0..40).prop_map(|lines| lines.concat())
}

proptest! {
    #[test]
    fn any_bytes(bytes: Vec<u8>) {
        read_all(&bytes);
    }

    #[test]
    fn any_values(lines in lines()) {
        read_all(lines.as_bytes());
        read_all(super::file(&lines).as_bytes());
    }

    /// Lenient mode makes the same machine wherever libvirt makes one and nothing is told. Only escapes that libvirt does not
    /// resolve, missing names and identities, and what libvirt does not read may differ.
    #[test]
    fn lenient_mode_agrees_with_libvirt(lines in lines()) {
        let named = |line: &&str| !line.ends_with("Name = \"\"") && !line.ends_with("hostPath = \"\"") && *line != "nvram = \"\"";
        let lines: Vec<&str> = lines.lines().filter(named).collect();
        let text = super::file(&lines.join("\n")).replace('|', "");
        let strict = vmx::parse(text.as_str(), &Folder::default(), &ParseOptions::strict());
        if let Ok(mut strict) = strict {
            let lenient = vmx::to_domain(text.as_str()).unwrap();
            prop_assume!(lenient.warnings.is_empty());
            let name = strict.domain.name.as_deref().unwrap_or_default();
            if name.is_empty() || name.contains(|c: char| c.is_ascii_control()) {
                strict.domain.name.clone_from(&lenient.domain.name);
            }
            strict.domain.description.take_if(|text| text.is_empty());
            let (mut strict, mut lenient) = (strict.domain, lenient.domain);
            for def in [&mut strict, &mut lenient] {
                def.uuid = None;
                def.memory_tune.min_guarantee = None;
                // A machine with a BIOS keeps its settings in a file that no document needs to name.
                def.os.nvram.take_if(|_| def.os.firmware.is_none() && def.os.loader.is_none());
                def.devices.interfaces.clear();
                for disk in &mut def.devices.disks {
                    disk.target.dev.clear();
                    disk.info.address = None;
                }
            }
            prop_assert_eq!(strict, lenient);
        }
    }

    /// A document of lenient mode survives being read and written. Exceptions: XML readers turn tabs and
    /// line ends in attributes into blanks, and empty drives become type `file`.
    #[test]
    fn lenient_documents_are_read_back(lines in lines()) {
        let lines = lines.replace(|c: char| c.is_control() && c != '\n', "");
        let mut made = vmx::to_domain(super::file(&lines)).unwrap().domain;
        let read = DomainDef::from_xml(&made.to_xml(DomainXmlFlags::SECURE)).unwrap();
        for disk in &mut made.devices.disks {
            let drive = disk.device != DiskDevice::Disk;
            if drive && disk.source == DiskSource::Block(None) && disk.startup_policy.is_none() {
                disk.source = DiskSource::File(None);
            }
        }
        prop_assert_eq!(read.to_xml(DomainXmlFlags::SECURE), made.to_xml(DomainXmlFlags::SECURE));
    }
}
