//! What files of people have: kinds of values that were misread or lost.

use super::{gives, has, lenient, refuses, strict};
use virt_model::Document as _;
use vmx::names::Folder;
use vmx::{LibvirtVersion, ParseOptions};

/// Checks that the lines give all `parts`, with one warning for each of `words`, which has all words of it.
#[track_caller]
pub(super) fn converts(lines: &str, parts: &[&str], words: &[&[&str]]) {
    let (document, warnings) = lenient(lines);
    for part in parts {
        assert!(has(&document, part), "no\n{part}\nin\n{document}");
    }
    for words in words {
        let found = warnings
            .iter()
            .filter(|warning| words.iter().all(|word| warning.contains(word)));
        assert_eq!(found.count(), 1, "{words:?} in {warnings:#?}");
    }
    assert_eq!(warnings.len(), words.len(), "{warnings:#?}");
}

/// A device that is there, with these lines, in which `@` is its name.
pub(super) fn device(name: &str, lines: &str) -> String {
    format!("{name}.present = \"true\"\n{}\n", lines.replace('@', name))
}

#[test]
fn bytes_that_nobody_reads_may_be_of_any_encoding() {
    let head = "config.version = \"8\"\nvirtualHW.version = \"9\"\ndisplayName = \"web\"\n";
    let read = |tail: &[u8], label: &str| {
        let text = [head.as_bytes(), label.as_bytes(), tail].concat();
        let parsed = vmx::parse(text, &Folder::default(), &ParseOptions::strict());
        parsed.map(|parsed| parsed.domain.to_xml(Default::default()))
    };
    let plain = read(b"", "").unwrap();
    for label in ["", ".encoding = \"UTF-8\"\n"] {
        for tail in [
            &b"# caf\xe9\n"[..],
            b"guestinfo.x = \"caf\xe9\"\n",
            b"numvcpus = \"1\"\nnumvcpus = \"\xff\"\n",
            b"ide0:0.fileName = \"caf\xe9.vmdk\"\n",
            b"ide0:0.mode = \"\x80\"\n",
        ] {
            assert_eq!(read(tail, label).unwrap(), plain, "{tail:?}");
        }
        let error = read(b"annotation = \"caf\xe9\"\n", label).unwrap_err();
        assert_eq!(
            (error.key(), error.line()),
            (
                Some("annotation"),
                Some(if label.is_empty() { 4 } else { 5 })
            )
        );
        assert!(error.message().contains("not UTF-8"));
        let error = read(b"numvcpus = \"\xff\"\n", label).unwrap_err();
        assert_eq!(
            error.message(),
            "Config entry 'numvcpus' must represent an integer value"
        );
    }
}

/// `scsi0:0` and `sata0:0` are both `sda` to libvirt, which then defines no such domain.
#[test]
fn no_two_disks_have_one_name() {
    let slots = |slots: &[(&str, &str)]| {
        let controllers = ["scsi0", "scsi1", "sata0", "sata1"];
        let present: Vec<_> = controllers.iter().map(|name| device(name, "")).collect();
        let disks = slots
            .iter()
            .map(|(slot, file)| device(slot, &format!("@.fileName = \"{file}\"")));
        present.into_iter().chain(disks).collect::<String>()
    };
    // The usual layout of ESXi.
    let lines = slots(&[("scsi0:0", "a.vmdk"), ("sata0:0", "b.iso")]);
    converts(
        &lines,
        &[
            "a.vmdk'/>\n<target dev='sda' bus='scsi'/>",
            "b.iso'/>\n<target dev='sdb' bus='sata'/>\n<readonly/>\n<address type='drive' controller='0' bus='0' target='0' unit='0'/>",
        ],
        &[],
    );
    gives(&lines, "b.iso'/>\n<target dev='sda' bus='sata'/>");
    // The disk is the one that boots, not the drive.
    converts(
        &slots(&[
            ("scsi0:0", "b.iso"),
            ("sata0:0", "a.vmdk"),
            ("scsi0:1", "c.vmdk"),
        ]),
        &[
            "a.vmdk'/>\n<target dev='sda' bus='sata'/>",
            "c.vmdk'/>\n<target dev='sdb' bus='scsi'/>",
            "b.iso'/>\n<target dev='sdc' bus='scsi'/>",
        ],
        &[],
    );
    converts(
        &(slots(&[("scsi0:0", "a.vmdk"), ("sata0:0", "b.vmdk")]) + "bios.hddOrder = \"sata0:0\"\n"),
        &[
            "b.vmdk'/>\n<target dev='sda'",
            "a.vmdk'/>\n<target dev='sdb'",
        ],
        &[],
    );
    // Programs that find disks by libvirt's names get them.
    let text = "config.version = \"8\"\nvirtualHW.version = \"9\"\n".to_owned() + &lines;
    let options = ParseOptions::default().libvirts_disk_names();
    let parsed = vmx::parse(text, &Folder::default(), &options).unwrap();
    assert!(
        parsed
            .domain
            .devices
            .disks
            .iter()
            .all(|disk| disk.target.dev == "sda")
    );
    // All are distinct, whatever there is.
    let many: Vec<String> = (0..7)
        .flat_map(|unit| {
            ["scsi0", "scsi1", "sata0", "sata1"].map(|controller| format!("{controller}:{unit}"))
        })
        .collect();
    let many: Vec<_> = many.iter().map(|slot| (slot.as_str(), "x.vmdk")).collect();
    for hardware in [9, 13] {
        for libvirt in LibvirtVersion::ALL {
            let text = format!(
                "config.version = \"8\"\nvirtualHW.version = \"{hardware}\"\n{}",
                slots(&many)
            );
            let options = ParseOptions::default().as_libvirt(libvirt);
            let parsed = vmx::parse(text, &Folder::default(), &options).unwrap();
            let disks = &parsed.domain.devices.disks;
            let distinct = |shown: fn(&virt_model::domain::Disk) -> String| {
                disks
                    .iter()
                    .map(shown)
                    .collect::<std::collections::BTreeSet<_>>()
                    .len()
            };
            assert_eq!(distinct(|disk| disk.target.dev.clone()), many.len());
            assert_eq!(
                distinct(|disk| format!("{}{:?}", disk.target.bus, disk.info.address)),
                many.len()
            );
        }
    }
}

#[test]
fn guests_on_arm() {
    for guest in [
        "arm-ubuntu-64",
        "arm-windows11-64",
        "arm-other6xlinux-64",
        "ARM-fedora-64",
        "arm-other",
    ] {
        let line = format!("guestOS = \"{guest}\"");
        converts(
            &line,
            &["<os firmware='efi'>\n<type arch='aarch64'>hvm</type>"],
            &[],
        );
        converts(
            &format!("{line}\nfirmware = \"bios\""),
            &["<os firmware='efi'>"],
            &[],
        );
    }
    for (guest, arch) in [
        ("ubuntu-64", "x86_64"),
        ("darwin20-64", "x86_64"),
        ("other", "i686"),
        ("charm", "i686"),
    ] {
        converts(
            &format!("guestOS = \"{guest}\""),
            &[&format!("<type arch='{arch}'>")],
            &[],
        );
    }
    gives(
        "guestOS = \"arm-ubuntu-64\"",
        "<os>\n<type arch='x86_64'>hvm</type>",
    );
}

#[test]
fn cards_without_a_type_of_connection_are_bridged() {
    let bridged = &[&["ethernet0.networkName", "vmnet0"][..]];
    let card = |lines: &str| device("ethernet0", lines);
    converts(
        &card(""),
        &["<interface type='bridge'>\n<source bridge='vmnet0'/>"],
        bridged,
    );
    converts(
        &card("@.connectionType = \"\""),
        &["<source bridge='vmnet0'/>"],
        bridged,
    );
    converts(
        &card("@.networkName = \"VM Network\""),
        &["<source bridge='VM Network'/>"],
        &[],
    );
    converts(
        &card("@.vnet = \"vmnet3\""),
        &["<source bridge='vmnet3'/>\n<target dev='vmnet3'/>"],
        &[],
    );
    converts(
        &card("@.opaqueNetwork.id = \"25c9\"\n@.opaqueNetwork.type = \"nsx.LogicalSwitch\""),
        &["<interface type='null'"],
        &[&[
            "line 5",
            "ethernet0.opaqueNetwork.id",
            "25c9",
            "not connected",
        ]],
    );
    converts(
        &card("@.dvs.switchId = \"50 34 26 b2 94 e9 3b 16-1d 68 87 bf ff 4a 54 40\""),
        &["<interface type='vds'>"],
        &[],
    );
    gives(&card(""), "<interface type='null'");
}

#[test]
fn serial_ports_that_listen_on_all_addresses() {
    let port = |name: &str| {
        device(
            "serial0",
            &format!("@.fileType = \"network\"\n@.fileName = \"{name}\""),
        )
    };
    for (name, protocol) in [
        ("telnet://:2001", "telnet"),
        ("tcp://:2001", "raw"),
        ("tcp://*:2001", "raw"),
        ("telnets://:2001/x", "telnets"),
        ("//:2001", "raw"),
        (":2001", "raw"),
        ("telnet://0.0.0.0:2001", "telnet"),
    ] {
        converts(
            &port(name),
            &[&format!(
                "<serial type='tcp'>\n<source mode='bind' host='0.0.0.0' service='2001'/>\n<protocol type='{protocol}'/>"
            )],
            &[],
        );
    }
    for name in [
        "telnet://",
        "telnet://:",
        "telnet://:0",
        "telnet://:99999",
        "telnet://:x",
        "telnet://h:70000",
    ] {
        converts(
            &port(name),
            &["<serial type='null'>"],
            &[&["serial0.fileName", "not connected"]],
        );
    }
    // Nobody connects to all addresses.
    let client = port("telnet://:2001") + "serial0.network.endPoint = \"client\"";
    converts(&client, &["<serial type='null'>"], &[&["serial0.fileName"]]);
    gives(&port("telnet://:2001"), "<serial type='null'>");
}

#[test]
fn the_nvram_of_a_bios_is_left_out() {
    let nvram = "nvram = \"web.nvram\"\n";
    converts(
        &(nvram.to_owned() + "firmware = \"efi\""),
        &["<nvram>[fast] web/web.nvram</nvram>"],
        &[],
    );
    for firmware in ["", "firmware = \"bios\""] {
        converts(
            &(nvram.to_owned() + firmware),
            &["<os>\n<type arch='i686'>hvm</type>\n</os>"],
            &[],
        );
    }
    gives(nvram, "<nvram>[fast] web/web.nvram</nvram>");
}

/// libvirt takes an all-zero UUID for one domain only, and chooses one for a document without it.
#[test]
fn identities_that_a_file_lacks_are_left_to_libvirt() {
    for lines in [
        "",
        "uuid.bios = \"00 00 00 00 00 00 00 00-00 00 00 00 00 00 00 00\"",
    ] {
        let (document, warnings) = lenient(lines);
        assert!(!document.contains("uuid>"), "{document}");
        assert_eq!(warnings, [""; 0]);
    }
    let card = "ethernet0.networkName = \"lan\"\nethernet0.present = \"true\"\n";
    for lines in [
        "",
        "ethernet0.addressType = \"generated\"",
        "ethernet0.addressType = \"static\"\nethernet0.address = \"00:00:00:00:00:00\"",
        "ethernet0.addressType = \"vpx\"",
    ] {
        let (document, warnings) = lenient(&format!("{card}{lines}"));
        assert!(
            document.contains("<interface") && !document.contains("<mac"),
            "{document}"
        );
        assert_eq!(warnings, [""; 0]);
        gives(
            &format!("{card}{lines}"),
            "<mac address='00:00:00:00:00:00'",
        );
    }
    gives("", "<uuid>00000000-0000-0000-0000-000000000000</uuid>");
}

/// The warning and the document say the same.
#[test]
fn slots_with_an_empty_name_are_left_out() {
    for (slot, kind) in [
        ("scsi0:0", ""),
        ("sata0:1", ""),
        ("ide1:0", ""),
        ("nvme0:0", ""),
        ("scsi0:0", "scsi-hardDisk"),
        ("ide0:0", "disk"),
    ] {
        let controller = slot.split(':').next().unwrap();
        let kind = match kind {
            "" => String::new(),
            kind => format!("\n@.deviceType = \"{kind}\""),
        };
        let controller = match controller.starts_with("ide") {
            true => String::new(),
            false => device(controller, ""),
        };
        let lines = controller + &device(slot, &format!("@.fileName = \"\"{kind}"));
        let (document, warnings) = lenient(&lines);
        assert!(!document.contains("<disk"), "{document}");
        let words = [format!("{slot}.fileName"), "left out".to_owned()];
        assert!(
            words.iter().all(|word| warnings[0].contains(word.as_str())),
            "{warnings:?}"
        );
        assert_eq!(warnings.len(), 1, "{warnings:?}");
    }
    converts(
        &device(
            "ide0:0",
            "@.fileName = \"\"\n@.deviceType = \"cdrom-image\"",
        ),
        &["<disk type='file' device='cdrom'>\n<target dev='hda'"],
        &[],
    );
}

/// libvirt keeps the lower bits of such numbers.
#[test]
fn numbers_beyond_what_machines_have_are_told() {
    let vnc = "RemoteDisplay.vnc.enabled = \"true\"\nRemoteDisplay.vnc.port";
    for (lines, part, key) in [
        (
            "numvcpus = \"4294967296\"",
            "<vcpu placement='static'>1</vcpu>",
            "numvcpus",
        ),
        (
            "numvcpus = \"4294967298\"",
            "<vcpu placement='static'>1</vcpu>",
            "numvcpus",
        ),
        (
            "numvcpus = \"2147483648\"",
            "<vcpu placement='static'>1</vcpu>",
            "numvcpus",
        ),
        (
            "memsize = \"18014398509481984\"",
            "<memory unit='KiB'>32768</memory>",
            "memsize",
        ),
        (
            "memsize = \"4611686018427387904\"",
            "<memory unit='KiB'>32768</memory>",
            "memsize",
        ),
        (
            "svga.vramSize = \"4398046511104\"",
            "vram='4096'",
            "svga.vramSize",
        ),
        ("svga.vramSize = \"-1\"", "vram='4096'", "svga.vramSize"),
        (
            &format!("{vnc} = \"4294973197\""),
            "port='-1' autoport='yes'",
            "RemoteDisplay.vnc.port",
        ),
        (
            &format!("{vnc} = \"70000\""),
            "port='-1' autoport='yes'",
            "RemoteDisplay.vnc.port",
        ),
        (
            "sched.cpu.shares = \"4294967296\"",
            "<shares>262144</shares>",
            "sched.cpu.shares",
        ),
        (
            "sched.cpu.shares = \"0\"",
            "<shares>2</shares>",
            "sched.cpu.shares",
        ),
        (
            "numvcpus = \"200\"\nsched.cpu.shares = \"high\"",
            "<shares>262144</shares>",
            "sched.cpu.shares",
        ),
        (
            "scsi0.present = \"true\"\nscsi0.pciSlotNumber = \"4294967328\"",
            "<controller type='scsi' index='0'/>",
            "scsi0.pciSlotNumber",
        ),
        (
            "cpuid.coresPerSocket = \"4294967298\"",
            "<vcpu placement='static'>1</vcpu>",
            "cpuid.coresPerSocket",
        ),
        (
            "numvcpus = \"99999999999999999999\"",
            "<vcpu placement='static'>1</vcpu>",
            "numvcpus",
        ),
    ] {
        converts(lines, &[part], &[&[key]]);
    }
    let limits = "memsize = \"64\"\nsched.mem.max = \"18014398509481985\"\nsched.mem.minsize = \"18014398509481985\"";
    converts(
        limits,
        &[
            "<currentMemory unit='KiB'>65536</currentMemory>",
            "<min_guarantee unit='KiB'>65536</min_guarantee>",
        ],
        &[],
    );
    gives(
        "numvcpus = \"4294967298\"",
        "<vcpu placement='static'>2</vcpu>",
    );
}

#[test]
fn two_statements_on_one_line_are_both_read() {
    let both = &[
        "<vcpu placement='static'>4</vcpu>",
        "<topology sockets='2' dies='1' clusters='1' cores='2' threads='1'/>",
    ];
    for line in [
        "numvcpus = \"4\"cpuid.coresPerSocket = \"2\"",
        "numvcpus = \"4\" cpuid.coresPerSocket = \"2\"",
        "numvcpus=\"4\"\tcpuid.coresPerSocket=\"2\" # comment",
        "numvcpus = '4'cpuid.coresPerSocket = \"2\"",
        "numvcpus = 4 cpuid.coresPerSocket = \"2\"",
        "numvcpus = \"\"\"4\"\"\"cpuid.coresPerSocket = \"2\"",
    ] {
        let told = usize::from(!line.contains("\"\"\""));
        let words: &[&[&str]] = &[&["line 4", "numvcpus", "same line"]];
        converts(line, both, &words[..told]);
    }
    let (_, warnings) = lenient("memsize = \"64\"numvcpus = \"4\"cpuid.coresPerSocket = \"2\"");
    assert_eq!(warnings.len(), 2);
    converts(
        "annotation = \"say \"a = b\"\"",
        &["<description>say &quot;a = b&quot;</description>"],
        &[&["annotation", "|22"]],
    );
    converts(
        "annotation = a = b",
        &["<description>a = b</description>"],
        &[],
    );
    let error = strict("numvcpus = \"4\"memsize = \"64\"", LibvirtVersion::Newest).unwrap_err();
    assert!(
        error.ends_with("memory conf:4: expecting a separator"),
        "{error}"
    );
    refuses(
        "numvcpus = \"x\"",
        "Config entry 'numvcpus' must represent an integer value",
    );
}

/// libvirt reads none of these keys, and its document has a place for all.
#[test]
fn settings_that_documents_have_a_place_for_are_carried() {
    let disk = |lines: &str| {
        device("scsi0", "") + &device("scsi0:0", &format!("@.fileName = \"a.vmdk\"\n{lines}"))
    };
    let shared = "<target dev='sda' bus='scsi'/>\n<shareable/>";
    for lines in [
        "scsi0:0.sharing = \"multi-writer\"",
        "scsi0:0.sharing = \"sharingMultiWriter\"",
        "scsi0.sharedBus = \"virtual\"",
        "scsi0.sharedBus = \"Physical\"",
    ] {
        converts(&disk(lines), &[shared], &[]);
        gives(&disk(lines), "<target dev='sda' bus='scsi'/>\n<address");
    }
    for lines in ["scsi0.sharedBus = \"none\"", "scsi0:0.sharing = \"none\""] {
        converts(&disk(lines), &["bus='scsi'/>\n<address"], &[]);
    }
    let card = "@.networkName = \"lan\"\n@.startConnected = \"FALSE\"";
    converts(&device("ethernet0", card), &["<link state='down'/>"], &[]);
    for (order, devices) in [
        ("hdd,CDROM", "<boot dev='hd'/>\n<boot dev='cdrom'/>\n</os>"),
        (
            "ethernet0, hdd",
            "<boot dev='network'/>\n<boot dev='hd'/>\n</os>",
        ),
        (
            "floppy,net,floppy",
            "<boot dev='fd'/>\n<boot dev='network'/>\n</os>",
        ),
    ] {
        converts(&format!("bios.bootOrder = \"{order}\""), &[devices], &[]);
    }
    converts(
        "bios.bootOrder = \"usb,hdd\"",
        &["<boot dev='hd'/>\n</os>"],
        &[&["bios.bootOrder", "usb"]],
    );
    converts(
        "rtc.diffFromUTC = \"-3600\"",
        &["<clock offset='variable' adjustment='-3600' basis='utc'/>"],
        &[],
    );
    converts(
        "rtc.startTime = \"1700000000\"",
        &["<clock offset='absolute' start='1700000000'/>"],
        &[],
    );
    converts(
        "mks.enable3d = \"TRUE\"",
        &["<acceleration accel3d='yes'/>"],
        &[],
    );
    converts(
        "managedvm.autoAddVTPM = \"software\"",
        &["<tpm model='tpm-crb'>"],
        &[],
    );
    converts(
        "memsize = \"64\"\nsched.mem.min = \"16\"",
        &["<min_guarantee unit='KiB'>16384</min_guarantee>"],
        &[],
    );
}

#[test]
fn settings_without_a_place_are_told_with_their_key() {
    for line in [
        "vhv.enable = \"TRUE\"",
        "vpmc.enable = \"TRUE\"",
        "guestinfo.userdata = \"I2Nsb3VkLWNvbmZpZwo=\"",
        "guestinfo.metadata.encoding = \"base64\"",
        "disk.EnableUUID = \"TRUE\"",
        "bios.bootDelay = \"5000\"",
        "tools.syncTime = \"TRUE\"",
        "vcpu.hotadd = \"TRUE\"",
        "mem.hotadd = \"TRUE\"",
        "sched.cpu.min = \"500\"",
        "sched.cpu.max = \"1000\"",
        "sched.mem.shares = \"high\"",
        "cpuid.1.ecx = \"0110:1100:0110:0101:0110:1110:0111:0100\"",
        "monitor_control.restrict_backdoor = \"TRUE\"",
        "checkpoint.vmState = \"web.vmss\"",
        "hw.model = \"MacBookPro15,1\"",
        "isolation.tools.copy.disable = \"TRUE\"",
        "something.new = \"1\"",
    ] {
        let key = line.split(' ').next().unwrap();
        converts(line, &["<name>web</name>"], &[&["line 4", key, "no place"]]);
        gives(line, "<name>web</name>");
    }
    let usb = device("usb_xhci", "")
        + &device(
            "usb_xhci:0",
            "@.deviceType = \"disk\"\n@.fileName = \"stick.vmdk\"",
        );
    converts(
        &usb,
        &["web/stick.vmdk", "<target dev='sda' bus='usb'/>"],
        &[],
    );
    let stick = device("ehci", "")
        + &device(
            "ehci:1",
            "@.deviceType = \"rawDevice\"\n@.fileName = \"stick\"",
        );
    converts(
        &stick,
        &[],
        &[
            &["ehci.present"],
            &["ehci:1.present", "rawDevice", "stick", "left out"],
        ],
    );
    let drive = "@.fileName = \"a.iso\"\n@.startConnected = \"FALSE\"";
    converts(
        &device("ide1:0", drive),
        &["a.iso"],
        &[&["ide1:0.startConnected", "not connected"]],
    );
    let disk = "@.fileName = \"a.vmdk\"\n@.mode = \"independent-persistent\"";
    converts(
        &device("ide1:0", disk),
        &["a.vmdk"],
        &[&["ide1:0.mode", "no place"]],
    );
    let serial = "@.fileType = \"pipe\"\n@.fileName = \"p\"\n@.pipe.endPoint = \"server\"\n@.vspc = \"telnet://h:1\"";
    converts(
        &device("serial0", serial),
        &["<serial type='pipe'>"],
        &[&["serial0.pipe.endPoint"], &["serial0.vspc"]],
    );
}

/// Of the keys that VMware writes into every file, none is worth a warning.
#[test]
fn what_nobody_misses_is_left_out_in_silence() {
    let lines = r#".encoding = "UTF-8"
pciBridge0.present = "TRUE"
pciBridge4.virtualDev = "pcieRootPort"
vmci0.present = "TRUE"
vmci0.id = "-1"
vmci0.pciSlotNumber = "32"
hpet0.present = "TRUE"
svga.present = "TRUE"
nvram = "web.nvram"
virtualHW.productCompatibility = "hosted"
powerType.powerOff = "soft"
extendedConfigFile = "web.vmxf"
uuid.location = "56 4d"
vhv.enable = "FALSE"
tools.syncTime = "FALSE"
toolScripts.afterPowerOn = "true"
sched.cpu.units = "mhz"
sched.cpu.min = "0"
sched.mem.shares = "normal"
replay.supported = "FALSE"
replay.filename = ""
migrate.hostlog = "./web.hlog"
guestinfo.vmtools.versionNumber = "12352"
cleanShutdown = "TRUE"
checkpoint.vmState = ""
floppy0.present = "FALSE"
floppy0.fileName = "A:"
usb:0.deviceType = "hid"
sound.startConnected = "FALSE"
ethernet1.addressType = "generated"
scsi0.present = "TRUE"
scsi0.sasWWID = "50 05"
scsi0.pciSlotNumber = "160"
scsi0:0.present = "TRUE"
scsi0:0.fileName = "a.vmdk"
scsi0:0.redo = ""
sched.scsi0:0.shares = "normal"
sched.scsi0:0.throughputCap = "off"
ethernet0.present = "TRUE"
ethernet0.networkName = "lan"
ethernet0.addressType = "generated"
ethernet0.generatedAddress = "00:0c:29:01:02:03"
ethernet0.generatedAddressOffset = "0"
ethernet0.uptCompatibility = "TRUE"
ethernet0.pciSlotNumber = "192"
RemoteDisplay.vnc.port = "5901"
isolation.tools.hgfs.disable = "TRUE"
sharedFolder0.hostPath = "/"
"#;
    converts(lines, &["a.vmdk"], &[]);
}
