//! Kinds of values that people's files have: of each, the members that were lost, or became something else, without a word.

use super::field::{converts, device};
use super::{gives, has, lenient, strict};
use vmx::names::Folder;
use vmx::{LibvirtVersion, ParseOptions};

/// A card with these lines, in which `@` is its name, and these of its network.
fn card(lines: &str) -> String {
    device("ethernet0", lines)
}

fn lan(lines: &str) -> String {
    card(&format!("@.networkName = \"lan\"\n{lines}"))
}

#[test]
fn letters_with_signs_are_those_of_libvirt() {
    let named = |label: &str, bytes: &[u8]| {
        let mut text = format!(
            ".encoding = \"{label}\"\nconfig.version = \"8\"\nvirtualHW.version = \"9\"\ndisplayName = \""
        )
        .into_bytes();
        text.extend_from_slice(bytes);
        text.extend_from_slice(b"\"\n");
        [ParseOptions::strict(), ParseOptions::default()].map(|options| {
            let parsed = vmx::parse(text.clone(), &Folder::default(), &options).unwrap();
            assert_eq!(parsed.warnings, []);
            parsed.domain.name.unwrap()
        })
    };
    for (label, bytes, name) in [
        ("windows-1258", &b"Vi\xea\xf2t Nam"[..], "Vi\u{1ec7}t Nam"),
        ("CP1258", b"\xf5\xec\xd0\xfd\xcc", "\u{1edb}\u{110}\u{1eeb}"),
        (
            "windows-1258",
            b"\xd3\xde \xc0\xf2",
            "\u{1e4c} \u{c0}\u{323}",
        ),
        ("windows-1255", b"\xf9\xcc\xd1", "\u{fb2c}"),
        ("cp1255", b"\xf9\xec\xe5\xed", "שלום"),
    ] {
        assert_eq!(named(label, bytes), [name, name], "{label} {bytes:x?}");
    }
}

/// VMware's other letters are written with those of ASCII in these.
#[test]
fn encodings_that_are_not_known_are_told_though_all_bytes_are_ascii() {
    for (label, name) in [
        ("HZ-GB-2312", "~{VPND~}"),
        ("UTF-7", "Vi+HsU-t"),
        ("ISO-2022-KR", "\x1b$)C\x0e0!\x0f"),
        ("SCSU", "\x0e\x4e\x2d"),
    ] {
        let lines = format!(".encoding = \"{label}\"\nannotation = \"{name}\"");
        let (_, warnings) = lenient(&lines);
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(
            warnings[0].contains(label) && warnings[0].contains("read as ASCII"),
            "{warnings:?}"
        );
        let error = strict(&lines, LibvirtVersion::Newest).unwrap_err();
        assert!(error.contains("doesn't handle"), "{error}");
        let lines = format!(".encoding = \"{label}\"\nannotation = \"web\"");
        converts(&lines, &["<description>web</description>"], &[]);
    }
}

#[test]
fn disks_in_another_order_to_boot_from() {
    let disks = |slots: &[&str], order: &str| {
        let mut lines = format!("bios.hddOrder = \"{order}\"\n");
        for controller in ["scsi0", "scsi1", "sata0"] {
            lines += &device(controller, "");
        }
        for slot in slots {
            lines += &device(slot, &format!("@.fileName = \"{slot}.vmdk\""));
        }
        lines
    };
    let two = ["scsi0:0", "scsi0:1"];
    for order in [
        "scsi0:0",
        "scsi0:0,scsi0:1",
        "SCSI0:0, scsi0:1",
        "",
        "scsi0:5",
        "x,scsi0:0",
    ] {
        converts(&disks(&two, order), &["sda"], &[]);
    }
    // A disk that has another's name may get the first one.
    let mixed = ["scsi0:0", "sata0:0"];
    converts(
        &disks(&mixed, "sata0:0"),
        &["sata0:0.vmdk'/>\n<target dev='sda'"],
        &[],
    );
    for (slots, order, words) in [
        (&two[..], "scsi0:1", &["scsi0:1", "'sdb'", "'sda'"][..]),
        (&two, "scsi0:1,scsi0:0", &["scsi0:1", "'sdb'", "'sda'"]),
        (
            &["ide0:0", "scsi0:0"],
            "scsi0:0",
            &["scsi0:0", "'sda'", "'hda'"],
        ),
        (&["scsi0:0", "scsi1:0"], "scsi1:0,scsi0:0", &["scsi1:0"]),
        (
            &["scsi0:0", "scsi0:1", "scsi0:2"],
            "scsi0:0,scsi0:2,scsi0:1",
            &["another order", "scsi0:0,scsi0:2,scsi0:1"],
        ),
    ] {
        let words = [&["bios.hddOrder", "line 4"], words].concat();
        converts(&disks(slots, order), &[], &[&words]);
    }
    // Programs that find disks by libvirt's names learn of the order, too.
    let text = "config.version = \"8\"\nvirtualHW.version = \"9\"\n".to_owned()
        + &disks(&mixed, "sata0:0");
    let options = ParseOptions::default()
        .libvirts_disk_names()
        .default_name("web");
    let parsed = vmx::parse(text, &Folder::default(), &options).unwrap();
    assert_eq!(parsed.warnings.len(), 1, "{:?}", parsed.warnings);
}

#[test]
fn cards_with_odd_connections() {
    let vmnet0 = "<source bridge='vmnet0'/>";
    let null = "<interface type='null'";
    let user = "<interface type='user'";
    for (lines, part, key) in [
        (
            "@.networkName = \"\"",
            vmnet0,
            "ethernet0.networkName: it is empty",
        ),
        (
            "@.connectionType = \"bridged\"\n@.networkName = \"\"",
            vmnet0,
            "ethernet0.networkName: it is empty",
        ),
        (
            "@.connectionType = \"custom\"",
            null,
            "ethernet0.vnet: Missing",
        ),
        (
            "@.connectionType = \"custom\"\n@.vnet = \"\"",
            null,
            "ethernet0.vnet: it is empty",
        ),
        (
            "@.connectionType = \"custom\"\n@.networkName = \"\"",
            null,
            "ethernet0.vnet",
        ),
        (
            "@.connectionType = \"custom\"\n@.networkName = \"lan\"",
            "<source bridge='lan'/>",
            "ethernet0.vnet",
        ),
        (
            "@.connectionType = \"pvn\"",
            null,
            "ethernet0.connectionType",
        ),
        (
            "@.connectionType = \"none\"\n@.networkName = \"lan\"",
            null,
            "ethernet0.connectionType",
        ),
        (
            "@.connectionType = \"hostonly\"",
            "<source bridge='vmnet1'/>",
            "ethernet0.connectionType",
        ),
        (
            "@.opaqueNetwork.id = \"\"",
            null,
            "ethernet0.opaqueNetwork.id: the opaque network",
        ),
        (
            "@.opaqueNetwork.type = \"nsx.LogicalSwitch\"",
            null,
            "ethernet0.opaqueNetwork.id",
        ),
        (
            "@.opaqueNetwork.id = \"02b7cb90-1b76-4f2d-9d71-8a1c7e4ed4c3\"\n@.opaqueNetwork.type = \"other\"",
            null,
            "ethernet0.opaqueNetwork.id: libvirt has no opaque networks",
        ),
        (
            "@.opaqueNetwork.id = \"x\"\n@.networkName = \"lan\"",
            "<source bridge='lan'/>",
            "ethernet0.opaqueNetwork.id",
        ),
        (
            "@.opaqueNetwork.id = \"x\"\n@.connectionType = \"nat\"",
            user,
            "ethernet0.opaqueNetwork.id",
        ),
    ] {
        converts(&card(lines), &[part], &[&[key]]);
    }
    for (lines, part) in [
        (" @.connectionType = \" NAT \"", user),
        (
            "@.connectionType = \"bridged\"\n@.opaqueNetwork.id = \"02b7cb90-1b76-4f2d-9d71-8a1c7e4ed4c3\"",
            "<source network='02b7cb90-1b76-4f2d-9d71-8a1c7e4ed4c3'/>",
        ),
        (
            "@.connectionType = \"bridged\"\n@.dvs.switchId = \"50 34 26 b2 94 e9 3b 16-1d 68 87 bf ff 4a 54 40\"",
            "<interface type='vds'>",
        ),
        (
            "@.connectionType = \"custom\"\n@.vnet = \"vmnet2\"",
            "<source bridge='vmnet2'/>\n<target dev='vmnet2'/>",
        ),
    ] {
        converts(&card(lines), &[part], &[]);
    }
}

/// libvirt before 11.3 defines no card without the numbers of its port.
#[test]
fn ports_of_distributed_switches_for_an_old_libvirt() {
    let lines = card("@.dvs.switchId = \"50 34 26 b2 94 e9 3b 16-1d 68 87 bf ff 4a 54 40\"");
    for (libvirt, count, part) in [
        (
            LibvirtVersion::V9_0,
            3,
            "portid='0' portgroupid='' connectionid='0'",
        ),
        (
            LibvirtVersion::V11_3,
            0,
            "switchid='503426b2-94e9-3b16-1d68-87bfff4a5440'",
        ),
    ] {
        let options = ParseOptions::default().as_libvirt(libvirt);
        let parsed = vmx::parse(super::file(&lines), &Folder::default(), &options).unwrap();
        let document = virt_model::Document::to_xml(&parsed.domain, Default::default());
        assert!(document.contains(part), "{document}");
        assert_eq!(parsed.warnings.len(), count, "{:?}", parsed.warnings);
        assert!(parsed.warnings.iter().all(|warning| {
            warning
                .key
                .as_deref()
                .is_some_and(|key| key.starts_with("ethernet0.dvs."))
        }));
    }
}

#[test]
fn ports_that_are_connected_to_nothing() {
    let null = |port: &str| format!("<{port} type='null'>");
    for (lines, key) in [
        ("", "fileName"),
        ("@.fileType = \"device\"", "fileName"),
        ("@.fileType = \"device\"\n@.fileName = \"\"", "fileName"),
        (
            "@.fileType = \"device\"\n@.fileName = \"auto detect\"",
            "fileName",
        ),
        ("@.fileType = \"file\"", "fileName"),
        ("@.fileType = \"file\"\n@.fileName = \"\"", "fileName"),
        ("@.fileType = \"pipe\"", "fileName"),
        ("@.fileType = \"pipe\"\n@.fileName = \" \"", "fileName"),
        ("@.fileType = \"\"", "fileName"),
        ("@.fileType = \"network\"", "fileName"),
        (
            "@.fileType = \"thinprint\"\n@.fileName = \"thinprint\"",
            "fileType",
        ),
        ("@.fileType = \"socket\"\n@.fileName = \"x\"", "fileType"),
    ] {
        let key = format!("serial0.{key}");
        converts(
            &device("serial0", lines),
            &[&null("serial")],
            &[&[&key, "not connected"]],
        );
    }
    for (lines, key) in [
        ("@.fileType = \"device\"", "fileName"),
        ("@.fileType = \"device\"\n@.fileName = \"\"", "fileName"),
        (
            "@.fileType = \"device\"\n@.fileName = \"Auto Detect\"",
            "fileName",
        ),
        ("@.fileType = \"file\"", "fileName"),
        ("@.fileType = \"thinprint\"\n@.fileName = \"x\"", "fileType"),
    ] {
        let key = format!("parallel0.{key}");
        converts(
            &device("parallel0", lines),
            &[&null("parallel")],
            &[&[&key, "not connected"]],
        );
    }
    converts(
        &device("serial0", "@.fileType = \"\"\n@.fileName = \"/dev/ttyS0\""),
        &["<serial type='dev'>\n<source path='/dev/ttyS0'/>"],
        &[],
    );
    gives(
        &device("serial0", "@.fileType = \"pipe\""),
        "<serial type='pipe'>\n<target port='0'/>",
    );
}

/// libvirt defines no card with such an address.
#[test]
fn addresses_of_groups_are_left_out() {
    for mac in [
        "01:00:5e:00:00:01",
        "33:33:00:00:00:01",
        "ff:ff:ff:ff:ff:ff",
        "03:0c:29:01:02:03",
    ] {
        for (kind, key) in [
            ("static", "address"),
            ("generated", "generatedAddress"),
            ("vpx", "generatedAddress"),
        ] {
            let lines = lan(&format!("@.addressType = \"{kind}\"\n@.{key} = \"{mac}\""));
            let (document, warnings) = lenient(&lines);
            assert!(!document.contains("<mac"), "{document}");
            let words = [&format!("ethernet0.{key}")[..], "left out"];
            assert!(
                warnings.len() == 1 && words.iter().all(|word| warnings[0].contains(word)),
                "{warnings:?}"
            );
            gives(&lines, &format!("<mac address='{mac}'"));
        }
    }
    converts(
        &lan("@.addressType = \"static\"\n@.address = \"02:00:5e:00:00:01\""),
        &["<mac address='02:00:5e:00:00:01' type='static'/>"],
        &[],
    );
}

#[test]
fn addresses_under_the_other_key() {
    let (own, other) = ("00:50:56:01:02:03", "00:0c:29:01:02:03");
    for (kind, key, used) in [
        (
            "@.addressType = \"static\"\n",
            "generatedAddress",
            " type='static'",
        ),
        (
            "@.addressType = \"generated\"\n",
            "address",
            " type='generated'",
        ),
        ("@.addressType = \"vpx\"\n", "address", " type='generated'"),
        ("", "address", ""),
        (
            "@.addressType = \"static\"\n@.address = \"\"\n",
            "generatedAddress",
            " type='static'",
        ),
        (
            "@.addressType = \"static\"\n@.address = \"00:00:00:00:00:00\"\n",
            "generatedAddress",
            " type='static'",
        ),
    ] {
        let lines = lan(&format!("{kind}@.{key} = \"{other}\""));
        let (document, warnings) = lenient(&lines);
        assert!(
            has(&document, &format!("<mac address='{other}'{used}/>")),
            "{document}"
        );
        let key = format!("ethernet0.{key}: the card has no address");
        assert!(
            warnings.iter().any(|warning| warning.contains(&key)),
            "{warnings:?}"
        );
    }
    let both = format!("@.address = \"{own}\"\n@.generatedAddress = \"{other}\"\n@.addressType");
    converts(&lan(&format!("{both} = \"static\"")), &[own], &[]);
    converts(&lan(&format!("{both} = \"generated\"")), &[other], &[]);
}

#[test]
fn slots_without_a_disk_or_an_image() {
    let slot = |slot: &str, lines: &str| {
        let controller = slot.split(':').next().unwrap();
        let controller = match controller.starts_with("ide") {
            true => String::new(),
            false => device(controller, ""),
        };
        controller + &device(slot, lines)
    };
    let empty = "emptyBackingString";
    for (name, lines) in [
        ("nvme0:0", String::new()),
        ("nvme0:1", format!("@.fileName = \"{empty}\"")),
        ("nvme0:0", "@.fileName = \"a.iso\"".to_owned()),
        ("nvme0:0", "@.fileName = \"auto detect\"".to_owned()),
        (
            "nvme0:0",
            "@.deviceType = \"cdrom-image\"\n@.fileName = \"a.iso\"".to_owned(),
        ),
        (
            "scsi0:0",
            format!("@.deviceType = \"scsi-hardDisk\"\n@.fileName = \"{empty}\""),
        ),
        (
            "ide0:0",
            format!("@.deviceType = \"ata-hardDisk\"\n@.fileName = \"{empty}\""),
        ),
        (
            "sata0:0",
            format!("@.deviceType = \"disk\"\n@.fileName = \"{empty}\""),
        ),
        ("sata0:0", "@.fileName = \" \"".to_owned()),
    ] {
        let (document, warnings) = lenient(&slot(name, &lines));
        assert!(!document.contains("<disk"), "{document}");
        let key = format!("{name}.fileName");
        let words = ["line ", &key, "left out"];
        assert!(
            warnings.len() == 1 && words.iter().all(|word| warnings[0].contains(word)),
            "{name} {lines}: {warnings:?}"
        );
    }
    let block = "<disk type='block' device='cdrom'>\n<target";
    let file = "<disk type='file' device='cdrom'>\n<target";
    for (kind, part, told) in [
        ("cdrom-raw", block, 1),
        ("atapi-cdrom", block, 0),
        ("cdrom-image", file, 0),
    ] {
        for bus in ["ide1:0", "sata0:1", "scsi0:3"] {
            for value in [empty, "EmptyBackingString"] {
                let lines = format!("@.deviceType = \"{kind}\"\n@.fileName = \"{value}\"");
                let key = format!("{bus}.fileName");
                let words: &[&[&str]] = &[&[&key, "the drive is empty"]];
                converts(&slot(bus, &lines), &[part], &words[..told]);
            }
        }
    }
    let raw = "@.deviceType = \"cdrom-raw\"";
    converts(
        &slot("ide1:0", raw),
        &[block],
        &[&["line 4", "ide1:0.fileName", "the drive is empty"]],
    );
    gives(
        &slot("ide1:0", raw),
        "<disk type='block' device='lun'>\n<target",
    );
    converts(
        &slot("ide1:0", &format!("{raw}\n@.fileName = \"auto detect\"")),
        &["<disk type='block' device='lun'>\n<source startupPolicy='optional'/>"],
        &[],
    );
    converts(
        &slot(
            "scsi0:0",
            "@.deviceType = \"disk\"\n@.fileName = \"auto detect\"",
        ),
        &["<disk type='block' device='cdrom'>"],
        &[&["scsi0:0.fileName", "CD-ROM drive of the host"]],
    );
    for kind in ["file", "device"] {
        let lines = format!("@.fileType = \"{kind}\"\n@.fileName = \"{empty}\"");
        converts(
            &slot("floppy0", &lines).replace("floppy0.present = \"true\"\n\n", ""),
            &["device='floppy'>\n<target"],
            &[],
        );
    }
}

#[test]
fn parts_that_a_machine_does_not_have() {
    for word in ["FALSE", "false", "0"] {
        converts(
            &format!("svga.present = \"{word}\""),
            &["<video>\n<model type='none' primary='yes'/>\n</video>"],
            &[],
        );
        converts(
            &format!("hpet0.present = \"{word}\""),
            &["<clock offset='utc'>\n<timer name='hpet' present='no'/>\n</clock>"],
            &[],
        );
    }
    converts(
        "svga.present = \"TRUE\"\nhpet0.present = \"TRUE\"",
        &["<clock offset='utc'/>", "type='vmvga'"],
        &[],
    );
    converts(
        "svga.present = \"maybe\"",
        &["type='vmvga'"],
        &[&["svga.present"]],
    );
    gives(
        "svga.present = \"FALSE\"\nhpet0.present = \"FALSE\"",
        "<clock offset='utc'/>",
    );
}

#[test]
fn clocks_that_make_no_sense() {
    let utc = "<clock offset='utc'/>";
    for (line, words) in [
        (
            "rtc.diffFromUTC = \"an hour\"",
            &["'an hour' is no number of seconds from UTC", "left out"][..],
        ),
        ("rtc.diffFromUTC = \"\"", &["no number"]),
        ("rtc.diffFromUTC = \"1.5\"", &["'1.5' is no number"]),
        ("rtc.diffFromUTC = \"unlimited\"", &["no number"]),
        ("rtc.diffFromUTC = \"0x10\"", &["no number"]),
        (
            "rtc.diffFromUTC = \"2147483648\"",
            &["more than 2147483647"],
        ),
        (
            "rtc.diffFromUTC = \"-99999999999999999999\"",
            &["less than -2147483647"],
        ),
        (
            "rtc.startTime = \"yesterday\"",
            &["'yesterday' is no number of seconds since 1970"],
        ),
        ("rtc.startTime = \"-1\"", &["less than 0"]),
        ("rtc.startTime = \"4294967296\"", &["more than 4294967295"]),
        (
            "rtc.startTime = \"99999999999999999999\"",
            &["more than 4294967295"],
        ),
    ] {
        let key = line.split(' ').next().unwrap();
        let words = [&["line 4", key], words].concat();
        converts(line, &[utc], &[&words]);
    }
    let absolute = "<clock offset='absolute' start='1700000000'/>";
    let start = "rtc.startTime = \"1700000000\"\nrtc.diffFromUTC";
    converts(
        &format!("{start} = \"3600\""),
        &[absolute],
        &[&["line 5", "rtc.diffFromUTC", "rtc.startTime"]],
    );
    converts(
        &format!("{start} = \"x\""),
        &[absolute],
        &[&["line 5", "rtc.diffFromUTC", "left out"]],
    );
    converts(&format!("{start} = \"0\""), &[absolute], &[]);
    converts(
        "rtc.startTime = \"x\"\nrtc.diffFromUTC = \" +3600 \"",
        &["<clock offset='variable' adjustment='3600' basis='utc'/>"],
        &[&["rtc.startTime"]],
    );
}

#[test]
fn odd_forms_of_two_statements_on_one_line() {
    let both = &["<vcpu placement='static'>4</vcpu>", "cores='2'"];
    for (line, told) in [
        ("numvcpus = \"4\"cpuid.coresPerSocket = 2", 1),
        ("numvcpus = \"4\" cpuid.coresPerSocket = 2 # x", 1),
        ("numvcpus = \"4\"cpuid.coresPerSocket = '2'", 1),
        ("numvcpus = '4' cpuid.coresPerSocket = '2'", 1),
        ("numvcpus = 4 cpuid.coresPerSocket = 2", 1),
        ("numvcpus = 4cpuid.coresPerSocket = \"2\"", 1),
        ("numvcpus = 4,cpuid.coresPerSocket = 2", 1),
        ("numvcpus = \"4\",cpuid.coresPerSocket = \"2\"", 1),
        ("numvcpus = \"4\"\tcpuid.coresPerSocket\t=\t\"2\"", 1),
        ("numvcpus = \"4\";cpuid.coresPerSocket = \"2\"", 0),
        ("numvcpus = \"4\" ;; cpuid.coresPerSocket = \"2\"", 0),
        ("numvcpus = 4;cpuid.coresPerSocket = 2", 0),
        ("numvcpus = 4 ; cpuid.coresPerSocket = 2", 0),
        ("numvcpus = \"4\"\rcpuid.coresPerSocket = \"2\"", 0),
        ("numvcpus = 4\rcpuid.coresPerSocket = 2\r\r", 0),
        (
            "numvcpus = \"4\" # one\rcpuid.coresPerSocket = \"2\" ; two",
            0,
        ),
    ] {
        let words: &[&[&str]] = &[&["line 4", "numvcpus", "same line"]];
        converts(line, both, &words[..told]);
    }
    // The second one may be odd; the first value is kept.
    for line in [
        "numvcpus = \"4\" cpuid.coresPerSocket",
        "numvcpus = \"4\"# cpuid.coresPerSocket = \"2\"",
        "numvcpus = \"4\" // cpuid.coresPerSocket = \"2\"",
        "numvcpus = \"4\" guestinfo.a/b = \"2\"",
        "numvcpus = \"4\"cpuid.coresPerSocket = \"2",
    ] {
        let (document, _) = lenient(line);
        assert!(has(&document, both[0]), "{line}: {document}");
    }
    // Quotes and equals signs in a text are no statements.
    for (line, text, told) in [
        ("annotation = \"say \"a = b\"\"", "say &quot;a = b&quot;", 1),
        ("annotation = \"a \"b\" c=d\"", "a &quot;b&quot; c=d", 1),
        ("annotation = \"x=1 y=\"", "x=1 y=", 0),
        ("annotation = \"a; b = c\"", "a; b = c", 0),
        ("annotation = a = b", "a = b", 0),
    ] {
        let words: &[&[&str]] = &[&["annotation", "|22"]];
        converts(
            line,
            &[&format!("<description>{text}</description>")],
            &words[..told],
        );
    }
}

/// What is to be done, as a sentence that goes on behind `help:`.
#[test]
fn help_is_an_advice() {
    let port = |lines: &str| device("serial0", lines);
    for lines in [
        "config.version = \"9\"".to_owned(),
        "virtualHW.version = \"3\"".to_owned(),
        ".encoding = \"klingon\"".to_owned(),
        "memsize = \"5\"".to_owned(),
        "memsize = \"x\"".to_owned(),
        "numvcpus = \"0\"".to_owned(),
        "numvcpus = \"2\"\ncpuid.coresPerSocket = \"4\"".to_owned(),
        "sched.cpu.affinity = \"x\"".to_owned(),
        "sched.cpu.shares = \"x\"".to_owned(),
        "uuid.bios = \"x\"".to_owned(),
        "displayName = \"|2\"".to_owned(),
        "annotation = \"|2\"".to_owned(),
        "firmware = \"bios\"".to_owned(),
        "floppy0.present = \"maybe\"".to_owned(),
        "memsize = 64".to_owned(),
        "memsize = \"64".to_owned(),
        "memsize = x".to_owned(),
        "memsize \"64\"".to_owned(),
        "memsize = \"64\" x".to_owned(),
        "= \"64\"".to_owned(),
        "ethernet.present = \"true\"".to_owned(),
        card("@.connectionType = \"hostonly\""),
        card("@.virtualDev = \"ne2000\""),
        card("@.addressType = \"x\""),
        card("@.address = \"x\"\n@.addressType = \"static\""),
        device("floppy0", ""),
        device("ide0:0", "@.fileName = \"a.raw\""),
        device("ide0:0", "@.fileName = \"C:\\a.vmdk\""),
        device("ide0:0", "@.fileName = \"a.iso\"\n@.deviceType = \"disk\""),
        device("scsi0", "@.virtualDev = \"x\""),
        port("@.fileType = \"thinprint\""),
        port("@.fileType = \"network\"\n@.fileName = \"x://h:1\""),
        port("@.fileType = \"network\"\n@.fileName = \"tcp://h:1\"\n@.network.endPoint = \"x\""),
        device("parallel0", "@.fileType = \"x\"\n@.fileName = \"x\""),
    ] {
        let options = ParseOptions::strict();
        let names = super::host(options.libvirt);
        let error = vmx::parse(super::file(&lines), &names, &options).unwrap_err();
        let help = error
            .help()
            .unwrap_or_else(|| panic!("no help for {lines}: {error}"));
        let verb = help.split(' ').next().unwrap();
        assert!(
            ["write", "add", "end", "begin", "use"].contains(&verb),
            "{lines}: {help}"
        );
    }
}
