//! What lenient mode reads beyond libvirt.

use super::{has, lenient};
use vmx::names::Folder;
use vmx::{ParseOptions, VmxError};

/// Checks that the lines give `part`, with one warning that has all `words`.
#[track_caller]
fn warns(lines: &str, part: &str, words: &[&str]) {
    let (document, warnings) = lenient(lines);
    assert!(has(&document, part), "no\n{part}\nin\n{document}");
    let found = warnings
        .iter()
        .filter(|warning| words.iter().all(|word| warning.contains(word)));
    assert_eq!(found.count(), 1, "{words:?} in {warnings:#?}");
}

/// Checks that the lines give `part`, without a warning.
#[track_caller]
fn takes(lines: &str, part: &str) {
    let (document, warnings) = lenient(lines);
    assert!(has(&document, part), "no\n{part}\nin\n{document}");
    assert_eq!(warnings, [""; 0]);
}

#[test]
fn syntax() {
    takes("memsize = 64", "<memory unit='KiB'>65536</memory>");
    takes(
        "; memsize = \"32\"\nmemsize = \"64\"",
        "<memory unit='KiB'>65536</memory>",
    );
    warns(
        "what is this\nmemsize = \"64\"",
        "<memory unit='KiB'>65536</memory>",
        &["line 4", "not an assignment"],
    );
    warns(
        "annotation = \"say \"hi\"\"",
        "<description>say &quot;hi&quot;</description>",
        &["line 4", "annotation", "|22"],
    );
}

#[test]
fn numbers_and_booleans() {
    takes("numvcpus = \" 2 \"", "<vcpu placement='static'>2</vcpu>");
    takes("smbios.reflectHost = \"1\"", "<smbios mode='host'/>");
    warns(
        "numvcpus = \"two\"",
        "<vcpu placement='static'>1</vcpu>",
        &["numvcpus", "integer", "1 is used"],
    );
    warns(
        "memsize = \"1022\"",
        "<memory unit='KiB'>1046528</memory>",
        &["memsize", "kept"],
    );
    warns(
        "virtualHW.version = \"3\"",
        "<name>web</name>",
        &["virtualHW.version", "found 3"],
    );
    warns(
        "uuid.bios = REDACTED",
        "<name>web</name>\n<memory",
        &["uuid.bios", "left out"],
    );
}

#[test]
fn names() {
    warns(
        "displayName = \"50%\"",
        "<name>50%</name>",
        &["displayName", "not changed"],
    );
    warns(
        "displayName = \"a|0Ab\"",
        "<name>a b</name>",
        &["displayName", "blanks"],
    );
    let text = "config.version = \"8\"\nvirtualHW.version = \"9\"\n";
    let options = ParseOptions::default().default_name("file");
    let parsed = vmx::parse(text, &Folder::default(), &options).unwrap();
    assert_eq!(
        (parsed.domain.name.as_deref(), parsed.warnings.len()),
        (Some("file"), 0)
    );
    let parsed = vmx::to_domain(text).unwrap();
    assert_eq!(
        (parsed.domain.name.as_deref(), parsed.warnings.len()),
        (Some("unnamed"), 1)
    );
}

#[test]
fn firmware_and_escapes() {
    takes("firmware = \"bios\"", "<os>\n<type");
    takes("firmware = \"EFI\"", "<os firmware='efi'>");
    warns(
        "firmware = \"uboot\"",
        "<os>\n<type",
        &["firmware", "uboot"],
    );
    takes(
        "ide0:0.present = \"true\"\nide0:0.fileName = \"a|22b.vmdk\"",
        "<source file='[fast] web/a&quot;b.vmdk'/>",
    );
}

#[test]
fn disks() {
    let disk = |lines: &str| {
        format!(
            "ide0:0.present = \"true\"\n{}",
            lines.replace('@', "ide0:0")
        )
    };
    warns(
        &disk("@.fileName = \"root.raw\""),
        "<disk type='file' device='disk'>\n<source file='[fast] web/root.raw'/>",
        &["line 5", "ide0:0.fileName", "image"],
    );
    warns(
        &disk(r#"@.fileName = "C:\a.vmdk""#),
        r"<source file='C:\a.vmdk'/>",
        &["ide0:0.fileName", "not changed"],
    );
    warns(
        &disk("@.deviceType = \"rawDisk\"\n@.fileName = \"/dev/sda\""),
        "<disk type='block' device='disk'>\n<source dev='/dev/sda'/>",
        &["ide0:0.fileName", "of the host"],
    );
    takes(
        &disk("@.fileName = \"auto detect\""),
        "<disk type='block' device='cdrom'>\n<source startupPolicy='optional'/>",
    );
    warns(
        &disk("@.deviceType = \"cdrom-image\"\n@.fileName = \"a.bin\""),
        "<disk type='file' device='cdrom'>\n<source file='[fast] web/a.bin'/>",
        &["ide0:0.fileName", "image"],
    );
    warns(
        &disk("@.deviceType = \"cdrom-image\""),
        "<disk type='file' device='cdrom'>\n<target",
        &["empty"],
    );
    warns(
        &disk(""),
        "<devices>\n<video>",
        &["ide0:0.fileName", "left out"],
    );
    warns(
        "floppy0.present = \"true\"\nfloppy0.fileName = \"a.flp\"",
        "<disk type='file' device='floppy'>",
        &["floppy0.fileName", "image"],
    );
    warns(
        "scsi0.present = \"true\"\nscsi0.virtualDev = \"ncr\"",
        "<controller type='scsi' index='0'/>",
        &["scsi0.virtualDev", "ncr"],
    );
}

#[test]
fn old_hosts() {
    let disk =
        "scsi0.present = true\nscsi0:0.present = true\nscsi0:0.name = \"vmhba0:0:0:5:a.vmdk\"";
    takes(disk, "<source file='[fast] web/vmhba0:0:0:5:a.vmdk'/>");
    for (word, model) in [("vmxbuslogic", "buslogic"), ("vmxlsilogic", "lsilogic")] {
        takes(
            &format!("scsi0.present = true\nscsi0.virtualDev = {word}"),
            &format!("<controller type='scsi' index='0' model='{model}'/>"),
        );
    }
    takes(
        "ethernet0.present = true\nethernet0.networkName = lan\nethernet0.virtualDev = vmxnet2",
        "<model type='vmxnet2'/>",
    );
}

#[test]
fn devices_of_the_host() {
    let slot = |lines: &str| {
        format!(
            "scsi0.present = \"true\"\nscsi0:2.present = \"true\"\n{}",
            lines.replace('@', "scsi0:2")
        )
    };
    for name in ["scsi0:6", "scsi-passthru", "Generic SCSI"] {
        warns(
            &slot(&format!(
                "@.deviceType = \"scsi-passThru\"\n@.fileName = \"{name}\""
            )),
            "<devices>\n<controller type='scsi' index='0'/>\n<video>",
            &["line 6", "scsi0:2.deviceType", "left out"],
        );
    }
    for name in [
        "/dev/sg0",
        "/dev/hda",
        r"\\.\PhysicalDrive0",
        "/vmfs/devices/disks/naa.1",
    ] {
        warns(
            &slot(&format!(
                "@.deviceType = \"rawDisk\"\n@.fileName = \"{name}\""
            )),
            &format!("<disk type='block' device='disk'>\n<source dev='{name}'/>"),
            &["line 7", "scsi0:2.fileName", "of the host"],
        );
    }
}

/// A warning about a missing key has the line of the device's `present`.
#[test]
fn keys_that_are_missing() {
    for (lines, key) in [
        (
            "ethernet0.connectionType = \"bridged\"\nethernet0.present = \"true\"",
            "ethernet0.networkName",
        ),
        ("\nide0:0.present = \"true\"", "ide0:0.fileName"),
        ("\nfloppy1.present = \"true\"", "floppy1.fileName"),
        (
            "\nparallel0.present = \"true\"\nparallel0.fileName = \"x\"",
            "parallel0.fileType",
        ),
    ] {
        warns(lines, "<devices>", &["line 5", key]);
    }
}

#[test]
fn texts_that_xml_has_no_place_for() {
    takes(
        "annotation = \"one|0d|0atwo|0athree\"",
        "<description>one\ntwo\nthree</description>",
    );
    takes(
        "ethernet0.present = \"true\"\nethernet0.networkName = \"a\u{1}b\u{fffe}c\u{ffff}\"",
        "<source bridge='abc'/>",
    );
}

/// libvirt writes an empty name and reads it as none.
#[test]
fn empty_names() {
    let slot = |slot: &str, lines: &str| {
        format!(
            "{slot}.present = \"true\"\n{slot}.fileName = \"\"\n{}",
            lines.replace('@', slot)
        )
    };
    takes(
        &slot("ide0:0", "@.deviceType = \"atapi-cdrom\""),
        "<disk type='block' device='cdrom'>\n<target",
    );
    warns(
        &slot("ide0:0", "@.deviceType = \"cdrom-raw\""),
        "<disk type='block' device='cdrom'>\n<target",
        &["ide0:0.fileName", "empty"],
    );
    for (kind, word) in [("device", "block"), ("file", "file")] {
        takes(
            &slot("floppy0", &format!("@.fileType = \"{kind}\"")),
            &format!("<disk type='{word}' device='floppy'>\n<target"),
        );
    }
    warns(
        "isolation.tools.hgfs.disable = \"false\"\nsharedFolder.maxNum = \"1\"\n\
         sharedFolder0.present = \"true\"\nsharedFolder0.enabled = \"true\"\n\
         sharedFolder0.hostPath = \"/\"\nsharedFolder0.guestName = \"\"",
        "<devices>\n<video>",
        &["line 9", "sharedFolder0.guestName", "left out"],
    );
    takes("annotation = \"\"", "</name>\n<memory");
    takes(
        "RemoteDisplay.vnc.enabled = \"true\"\nRemoteDisplay.vnc.port = \"5901\"\n\
         RemoteDisplay.vnc.ip = \"\"\nRemoteDisplay.vnc.keymap = \"\"\nRemoteDisplay.vnc.password = \"\"",
        "<graphics type='vnc' port='5901' autoport='no'>\n<listen type='address'/>",
    );
    warns(
        "RemoteDisplay.vnc.enabled = \"true\"\nRemoteDisplay.vnc.port = \"0\"",
        "<graphics type='vnc' port='-1' autoport='yes'>",
        &["RemoteDisplay.vnc.port", "chooses"],
    );
    takes("nvram = \"\"", "<os>\n<type arch='i686'>hvm</type>\n</os>");
}

#[test]
fn network_cards() {
    let nic = |lines: &str| {
        format!(
            "ethernet0.present = \"true\"\n{}",
            lines.replace('@', "ethernet0")
        )
    };
    warns(
        &nic("@.connectionType = \"bridged\""),
        "<source bridge='vmnet0'/>",
        &["ethernet0.networkName", "vmnet0"],
    );
    warns(
        &nic("@.connectionType = \"hostonly\""),
        "<source bridge='vmnet1'/>",
        &["line 5", "ethernet0.connectionType", "vmnet1"],
    );
    takes(
        &nic("@.connectionType = \"custom\"\n@.vnet = \"VMnet2\""),
        "<source bridge='VMnet2'/>\n<target dev='VMnet2'/>",
    );
    warns(
        &nic("@.connectionType = \"pvn\""),
        "<interface type='null'",
        &["ethernet0.connectionType", "not connected"],
    );
    warns(
        &nic("@.virtualDev = \"flexible\""),
        "<interface type='bridge'>",
        &["no model"],
    );
    warns(
        &nic("@.generatedAddress = REDACTED"),
        "<interface type='bridge'>\n<source",
        &["MAC"],
    );
    warns(
        "ethernetX.present = \"true\"",
        "<devices>\n<video>",
        &["ethernetX.present", "index"],
    );
}

#[test]
fn ports_and_folders() {
    warns(
        "serial0.present = \"true\"\nserial0.fileType = \"thinprint\"",
        "<serial type='null'>",
        &["serial0.fileType", "thinprint", "not connected"],
    );
    warns(
        "serial0.present = \"true\"\nserial0.fileType = \"network\"\nserial0.fileName = \"tcp://h\"",
        "<serial type='null'>",
        &["serial0.fileName", "not connected"],
    );
    warns(
        "parallel0.present = \"true\"\nparallel0.fileName = \"/dev/lp0\"",
        "<parallel type='dev'>",
        &["parallel0.fileType", "device"],
    );
    warns(
        "isolation.tools.hgfs.disable = \"false\"\nsharedFolder.maxNum = \"1\"\n\
         sharedFolder0.present = \"true\"\nsharedFolder0.enabled = \"true\"",
        "<devices>\n<video>",
        &["sharedFolder0.hostPath", "left out"],
    );
}

#[test]
fn devices_without_a_place() {
    for device in [
        "usb",
        "usb:1",
        "ehci",
        "usb_xhci",
        "sound",
        "serial4",
        "sata0:30",
        "pciPassthru0",
    ] {
        warns(
            &format!("{device}.present = \"TRUE\""),
            "<devices>\n<video>",
            &[&format!("{device}.present"), "no such device"],
        );
        takes(
            &format!("{device}.present = \"FALSE\""),
            "<devices>\n<video>",
        );
    }
    takes(
        "vmci0.present = \"TRUE\"\npciBridge4.present = \"TRUE\"",
        "<devices>\n<video>",
    );
}

#[test]
fn keys_that_are_there_twice() {
    warns(
        "memsize = \"64\"\nMemSize = \"128\"",
        "<memory unit='KiB'>65536</memory>",
        &["line 5", "MemSize", "twice", "line 4"],
    );
    takes(
        "memsize = \"64\"\nMemSize = \"64\"",
        "<memory unit='KiB'>65536</memory>",
    );
}

#[test]
fn what_is_refused_all_the_same() {
    let refused = |text: &str| -> VmxError { vmx::to_domain(text).unwrap_err() };
    let error = refused(
        ".encoding = \"UTF-8\"\ndisplayName = \"x\"\nencryption.keySafe = \"vmware:key\"\nencryption.data = \"AAAA\"\n",
    );
    assert!(error.message().contains("encrypted"), "{error}");
    assert_eq!(error.line(), Some(4));
    for text in [
        "",
        "\0\u{1}KDMV\u{2}",
        "<domain/>",
        "ide0:0.present = \"true\"",
    ] {
        assert!(refused(text).message().contains("no VMX file"));
    }
    let (_, warnings) = lenient("encryption.data = \"AAAA\"");
    assert_eq!(warnings.len(), 1, "a part of the file is encrypted");
}

#[test]
fn encodings() {
    let file = |name: &[u8], label: &str| {
        let head =
            format!(".encoding = \"{label}\"\nconfig.version = \"8\"\nvirtualHW.version = \"9\"\n");
        [head.as_bytes(), b"displayName = \"", name, b"\"\n"].concat()
    };
    for (name, label, expected, warnings) in [
        (&b"\x95\x57\x8f\x80"[..], "Shift_JIS", "標準", 0),
        (b"A\x80\xe4", "windows-1252", "A€ä", 0),
        (b"\xd0\xe9\xc4\xe2", "GBK", "虚拟", 0),
        (b"\xe4", "UTF-8", "ä", 1),
        ("ä".as_bytes(), "klingon", "ä", 1),
    ] {
        let parsed = vmx::to_domain(file(name, label)).unwrap();
        assert_eq!(parsed.domain.name.as_deref(), Some(expected));
        assert_eq!(parsed.warnings.len(), warnings, "{label}");
    }
}

#[test]
fn opaque_networks() {
    let lines = "ethernet0.present = \"true\"\nethernet0.opaqueNetwork.id = \"0a1b2c3d-4e5f-4071-8293-a4b5c6d7e8f9\"\n";
    let named = "<source network='0a1b2c3d-4e5f-4071-8293-a4b5c6d7e8f9'/>";
    takes(
        &format!("{lines}ethernet0.opaqueNetwork.type = \"nsx.LogicalSwitch\""),
        named,
    );
    takes(lines, named);
    // Another kind, which a document could not tell from this one.
    warns(
        &format!("{lines}ethernet0.opaqueNetwork.type = \"other\""),
        "<interface type='null'",
        &["ethernet0.opaqueNetwork.id", "not connected"],
    );
}
