//! libvirt's errors, byte for byte.

use super::{refuses, refuses_as, strict};
use vmx::LibvirtVersion;

/// Every key whose value is a number or a boolean.
#[test]
fn numbers_and_booleans() {
    let vnc = "RemoteDisplay.vnc.enabled = \"true\"\n";
    let scsi = "scsi0.present = \"true\"\n";
    let shared = "isolation.tools.hgfs.disable = \"false\"\n";
    let nic = "ethernet0.present = \"true\"\n";
    let switch = "ethernet0.present = \"true\"\nethernet0.dvs.switchId = \"11111111111111111111111111111112\"\n";
    for (head, key) in [
        ("", "config.version"),
        ("", "virtualHW.version"),
        ("", "vm.genid"),
        ("", "vm.genidX"),
        ("", "memsize"),
        ("", "sched.mem.max"),
        ("", "sched.mem.minsize"),
        ("", "numvcpus"),
        ("", "cpuid.coresPerSocket"),
        (vnc, "RemoteDisplay.vnc.port"),
        (scsi, "scsi0.pciSlotNumber"),
        (shared, "sharedFolder.maxNum"),
        (nic, "ethernet0.features"),
        (switch, "ethernet0.dvs.portId"),
        (switch, "ethernet0.dvs.connectionId"),
        ("", "svga.vramSize"),
    ] {
        for value in ["", "x", "1.5", "8 ", "0x8", "99999999999999999999"] {
            refuses(
                &format!("{head}{key} = \"{value}\""),
                &format!("Config entry '{key}' must represent an integer value"),
            );
        }
    }
    for (head, key) in [
        ("", "smbios.reflecthost"),
        ("", "RemoteDisplay.vnc.enabled"),
        ("", "scsi1.present"),
        (scsi, "scsi0:3.present"),
        (scsi, "scsi0:3.startConnected"),
        ("", "sata2.present"),
        ("", "ide1:1.present"),
        ("ide0:0.present = \"true\"\n", "ide0:0.clientDevice"),
        ("ide0:0.present = \"true\"\n", "ide0:0.writeThrough"),
        ("", "floppy1.present"),
        ("", "nvme3.present"),
        ("", "isolation.tools.hgfs.disable"),
        ("", "ethernet4.present"),
        ("", "ethernet4.startConnected"),
        ("", "vtpm.present"),
        ("", "serial3.present"),
        ("", "parallel2.present"),
        ("", "uefi.secureBoot.enabled"),
    ] {
        for value in ["", "1", "yes", "true "] {
            refuses(
                &format!("{head}{key} = \"{value}\""),
                &format!("Config entry '{key}' must represent a boolean value (true|false)"),
            );
        }
    }
}

#[test]
fn essential_keys() {
    let check = |lines: &str, key: &str| {
        refuses(lines, &format!("Missing essential config entry '{key}'"));
    };
    let nic = "ethernet0.present = \"true\"\n";
    let folder = "isolation.tools.hgfs.disable = \"false\"\nsharedFolder.maxNum = \"1\"\n\
                  sharedFolder0.present = \"true\"\nsharedFolder0.enabled = \"true\"\n";
    check(
        &format!("{nic}ethernet0.connectionType = \"bridged\""),
        "ethernet0.networkName",
    );
    check(
        &format!("{nic}ethernet0.connectionType = \"custom\""),
        "ethernet0.networkName",
    );
    check(
        &format!("{nic}ethernet0.connectionType = \"custom\"\nethernet0.networkName = \"n\""),
        "ethernet0.vnet",
    );
    check(folder, "sharedFolder0.hostPath");
    check(
        &format!("{folder}sharedFolder0.hostPath = \"/\""),
        "sharedFolder0.guestName",
    );
    check("parallel0.present = \"true\"", "parallel0.fileType");
    check(
        "parallel0.present = \"true\"\nparallel0.fileType = \"x\"",
        "parallel0.fileName",
    );

    let empty = vmx::parse(
        "",
        &super::host(LibvirtVersion::Newest),
        &vmx::ParseOptions::strict(),
    );
    let message = "internal error: Missing essential config entry 'config.version'";
    assert_eq!(empty.unwrap_err().to_string(), message);
}

#[test]
fn versions() {
    refuses(
        "config.version = \"7\"",
        "Expecting VMX entry 'config.version' to be 8 but found 7",
    );
    for version in ["3", "-4"] {
        refuses(
            &format!("virtualHW.version = \"{version}\""),
            &format!(
                "Expecting VMX entry 'virtualHW.version' to be 4 or higher but found {version}"
            ),
        );
    }
}

#[test]
fn names_and_uuids() {
    for value in ["50%", "a|2", "%zz"] {
        let text = "VMX entry 'name' contains invalid escape sequence";
        refuses(&format!("displayName = \"{value}\""), text);
    }
    let text = "VMX entry 'annotation' contains invalid escape sequence";
    refuses("annotation = \"a|\"", text);
    for key in ["uuid.bios", "vc.uuid"] {
        refuses(
            &format!("{key} = \"5 64d\""),
            "Could not parse UUID from string '5 64d'",
        );
    }
}

#[test]
fn memory_and_processors() {
    for size in ["0", "-4", "1022"] {
        refuses(
            &format!("memsize = \"{size}\""),
            &format!(
                "Expecting VMX entry 'memsize' to be an unsigned integer (multiple of 4) but found {size}"
            ),
        );
    }
    for count in ["0", "-1"] {
        refuses(
            &format!("numvcpus = \"{count}\""),
            &format!(
                "Expecting VMX entry 'numvcpus' to be an unsigned integer greater than 0 but found {count}"
            ),
        );
    }
    refuses(
        "numvcpus = \"2\"\ncpuid.coresPerSocket = \"4\"",
        "VMX entry 'cpuid.coresPerSocket' smaller than 'numvcpus'",
    );
    refuses(
        "sched.cpu.shares = \"much\"",
        "Expecting VMX entry 'sched.cpu.shares' to be an unsigned integer or 'low', 'normal' or 'high' but found 'much'",
    );
    let affinity = |value: &str, text: &str| {
        refuses(
            &format!("numvcpus = \"2\"\nsched.cpu.affinity = \"{value}\""),
            text,
        );
    };
    affinity(
        "1",
        "Expecting VMX entry 'sched.cpu.affinity' to contain at least as many values as 'numvcpus' (2) but found only 1 value(s)",
    );
    affinity(
        "",
        "Expecting VMX entry 'sched.cpu.affinity' to contain at least as many values as 'numvcpus' (2) but found only 0 value(s)",
    );
    for list in ["0,1,", "0,,1", "0,x", "0,-1"] {
        affinity(
            list,
            &format!(
                "Expecting VMX entry 'sched.cpu.affinity' to be a comma separated list of unsigned integers but found '{list}'"
            ),
        );
    }
    affinity(
        "0,16384",
        "VMX entry 'sched.cpu.affinity' contains a 16384, this value is too large",
    );
    affinity(
        "0,2147483648",
        "VMX entry 'sched.cpu.affinity' contains a -2147483648, this value is too large",
    );
    // So many MiB that their KiB overflow to 0, which libvirt reports last.
    let nothing =
        "XML error: Memory size must be specified via <memory> or in the <numa> configuration";
    let lines = "memsize = \"18014398509481984\"\nfirmware = \"efi\"";
    assert_eq!(strict(lines, LibvirtVersion::V9_0), Err(nothing.to_owned()));
    refuses(
        &lines.replace("efi", "x"),
        "VMX entry 'firmware' has unknown value 'x'",
    );
}

#[test]
fn controllers_and_disks() {
    refuses(
        "scsi0.present = \"true\"\nscsi0.virtualDev = \"NCR\"",
        "Expecting VMX entry 'scsi0.virtualDev' to be 'buslogic' or 'lsilogic' or 'lsisas1068' or 'pvscsi' but found 'ncr'",
    );
    let slot = |bus: &str, lines: &str| {
        let controller = bus.split(':').next().unwrap_or_default();
        let lines = lines.replace('@', bus);
        format!("{controller}.present = \"true\"\n{bus}.present = \"true\"\n{lines}")
    };
    let unhandled = |bus: &str, lines: &str, name: &str, kind: &str| {
        refuses(
            &slot(bus, lines),
            &format!(
                "Invalid or not yet handled value '{name}' for VMX entry '{bus}.fileName' for device type '{kind}'"
            ),
        );
    };
    for bus in ["scsi0:0", "sata0:0", "ide0:0"] {
        unhandled(bus, "@.fileName = \"a.raw\"", "a.raw", "unknown");
        unhandled(bus, "@.fileName = \"\"", "", "unknown");
        unhandled(bus, "", "<null>", "unknown");
        unhandled(
            bus,
            "@.deviceType = \"cdrom-image\"",
            "<null>",
            "cdrom-image",
        );
        unhandled(
            bus,
            "@.deviceType = \"rawDisk\"\n@.fileName = \"/dev/sda\"",
            "/dev/sda",
            "rawDisk",
        );
        for (device, name) in [("disk", "a.iso"), ("atapi", "emptyBackingString")] {
            refuses(
                &slot(
                    bus,
                    &format!("@.deviceType = \"{device}\"\n@.fileName = \"{name}\""),
                ),
                &format!(
                    "Expecting VMX entry '{bus}.deviceType' to be 'cdrom-image' but found '{device}'"
                ),
            );
        }
    }
    unhandled("nvme0:0", "@.fileName = \"a.raw\"", "a.raw", "unknown");
    refuses(
        &slot(
            "scsi0:0",
            "@.deviceType = \"ata-hardDisk\"\n@.fileName = \"a.vmdk\"",
        ),
        "Expecting VMX entry 'scsi0:0.deviceType' to be 'scsi-hardDisk' or 'disk' but found 'ata-hardDisk'",
    );
    refuses(
        &slot(
            "ide0:0",
            "@.deviceType = \"scsi-hardDisk\"\n@.fileName = \"a.vmdk\"",
        ),
        "Expecting VMX entry 'ide0:0.deviceType' to be 'ata-hardDisk' or 'disk' but found 'scsi-hardDisk'",
    );
    refuses(
        "floppy0.present = \"true\"\nfloppy0.fileName = \"a.flp\"",
        "Invalid or not yet handled value 'a.flp' for VMX entry 'floppy0.fileName' for device type 'unknown'",
    );
}

#[test]
fn file_names() {
    let disk = |name: &str| format!("ide0:0.present = \"true\"\nide0:0.fileName = \"{name}\"");
    refuses(
        &disk(r"C:\a.vmdk"),
        r"Could not handle file name 'C:\a.vmdk'",
    );
    refuses(
        &disk("/vmfs/volumes/gone/a.vmdk"),
        "File name '/vmfs/volumes/gone/a.vmdk' refers to non-existing datastore 'gone'",
    );
    refuses(r#"nvram = "C:\a""#, r"Could not handle file name 'C:\a'");
    refuses_as(
        LibvirtVersion::V11_5,
        &disk("sub/a.vmdk"),
        "Could not handle file name 'sub/a.vmdk'",
    );
}

#[test]
fn network_cards() {
    let nic = |lines: &str| format!("ethernet0.present = \"true\"\n{lines}");
    for key in [
        "ethernet.x",
        "ethernetFoo.x",
        "ethernet1x.y",
        "ethernet99999999999.x",
    ] {
        refuses(
            &format!("{key} = \"1\""),
            &format!("failed to parse the index of the VMX key '{key}'"),
        );
    }
    refuses(
        &nic("ethernet0.addressType = \"random\""),
        "Expecting VMX entry 'ethernet0.addressType' to be 'generated' or 'static' or 'vpx' but found 'random'",
    );
    for (kind, key) in [("vpx", "generatedAddress"), ("static", "address")] {
        for mac in [
            "",
            "x",
            "00:0c:29:01:02",
            "000:0c:29:01:02:03",
            "00-0c-29-01-02-03",
        ] {
            refuses(
                &nic(&format!(
                    "ethernet0.addressType = \"{kind}\"\nethernet0.{key} = \"{mac}\""
                )),
                &format!(
                    "Expecting VMX entry 'ethernet0.{key}' to be MAC address but found '{mac}'"
                ),
            );
        }
    }
    refuses(
        &nic("ethernet0.virtualDev = \"virtio\""),
        "Expecting VMX entry 'ethernet0.virtualDev' to be 'vlance' or 'vmxnet' or 'vmxnet3' or 'e1000' or 'e1000e' but found 'virtio'",
    );
    refuses(
        &nic("ethernet0.connectionType = \"hostOnly\""),
        "No yet handled value 'hostOnly' for VMX entry 'ethernet0.connectionType'",
    );
    refuses(
        &nic("ethernet0.connectionType = \"pvn\""),
        "Invalid value 'pvn' for VMX entry 'ethernet0.connectionType'",
    );
    refuses(
        &nic("ethernet0.dvs.switchId = \"x\""),
        "Could not parse UUID from string 'x'",
    );
}

#[test]
fn ports() {
    for kind in ["thinprint", "", "none"] {
        refuses(
            &format!("serial0.present = \"true\"\nserial0.fileType = \"{kind}\""),
            &format!(
                "Expecting VMX entry 'serial0.fileType' to be 'device', 'file' or 'pipe' or 'network' but found '{kind}'"
            ),
        );
    }
    let network = |name: &str, rest: &str| {
        format!(
            "serial0.present = \"true\"\nserial0.fileType = \"network\"\nserial0.fileName = \"{name}\"\n{rest}"
        )
    };
    refuses(
        &network("http://h:1", ""),
        "VMX entry 'serial0.fileName' contains unsupported scheme 'http'",
    );
    refuses(
        &network("tcp://h:1", "serial0.network.endPoint = \"peer\""),
        "Expecting VMX entry 'serial0.network.endPoint' to be 'server' or 'client' but found 'peer'",
    );
    refuses_as(
        LibvirtVersion::V9_0,
        &network("tcp://h", ""),
        "VMX entry 'serial0.fileName' doesn't contain a port part",
    );
    refuses_as(
        LibvirtVersion::V9_0,
        &network("192.0.2.1:1", ""),
        "Unable to parse URI 192.0.2.1:1",
    );
    refuses_as(
        LibvirtVersion::V9_0,
        &network("[fast] a", ""),
        "Unable to parse URI [fast] a",
    );
    refuses_as(
        LibvirtVersion::V9_0,
        &network("[fast]a", ""),
        "Unable to parse URI [fast]a",
    );
    refuses(
        "parallel2.present = \"true\"\nparallel2.fileType = \"pipe\"\nparallel2.fileName = \"x\"",
        "Expecting VMX entry 'parallel2.fileType' to be 'device' or 'file' but found 'pipe'",
    );
}

#[test]
fn firmware() {
    for value in ["bios", "EFI", ""] {
        refuses(
            &format!("firmware = \"{value}\""),
            &format!("VMX entry 'firmware' has unknown value '{value}'"),
        );
    }
}

#[test]
fn the_first_error_in_libvirts_order() {
    // libvirt refuses each line before the one below it.
    let lines = [
        (
            "ethernet.x = \"1\"",
            "failed to parse the index of the VMX key 'ethernet.x'",
        ),
        (
            "config.version = \"7\"",
            "Expecting VMX entry 'config.version'",
        ),
        (
            "virtualHW.version = \"3\"",
            "Expecting VMX entry 'virtualHW.version'",
        ),
        ("uuid.bios = \"x\"", "Could not parse UUID from string 'x'"),
        ("vc.uuid = \"y\"", "Could not parse UUID from string 'y'"),
        ("displayName = \"%\"", "VMX entry 'name'"),
        ("vm.genid = \"x\"", "Config entry 'vm.genid'"),
        ("annotation = \"|\"", "VMX entry 'annotation'"),
        ("memsize = \"x\"", "Config entry 'memsize'"),
        ("sched.mem.max = \"x\"", "Config entry 'sched.mem.max'"),
        (
            "sched.mem.minsize = \"x\"",
            "Config entry 'sched.mem.minsize'",
        ),
        ("numvcpus = \"x\"", "Config entry 'numvcpus'"),
        (
            "cpuid.coresPerSocket = \"x\"",
            "Config entry 'cpuid.coresPerSocket'",
        ),
        (
            "sched.cpu.affinity = \"x\"",
            "Expecting VMX entry 'sched.cpu.affinity'",
        ),
        (
            "sched.cpu.shares = \"x\"",
            "Expecting VMX entry 'sched.cpu.shares'",
        ),
        (
            "smbios.reflecthost = \"x\"",
            "Config entry 'smbios.reflecthost'",
        ),
        (
            "RemoteDisplay.vnc.enabled = \"x\"",
            "Config entry 'RemoteDisplay.vnc.enabled'",
        ),
        ("scsi0.present = \"x\"", "Config entry 'scsi0.present'"),
        ("sata0.present = \"x\"", "Config entry 'sata0.present'"),
        ("ide0:0.present = \"x\"", "Config entry 'ide0:0.present'"),
        ("floppy0.present = \"x\"", "Config entry 'floppy0.present'"),
        ("nvme0.present = \"x\"", "Config entry 'nvme0.present'"),
        (
            "isolation.tools.hgfs.disable = \"x\"",
            "Config entry 'isolation.tools.hgfs.disable'",
        ),
        (
            "ethernet0.present = \"x\"",
            "Config entry 'ethernet0.present'",
        ),
        ("svga.vramSize = \"x\"", "Config entry 'svga.vramSize'"),
        ("vtpm.present = \"x\"", "Config entry 'vtpm.present'"),
        ("serial0.present = \"x\"", "Config entry 'serial0.present'"),
        (
            "parallel0.present = \"x\"",
            "Config entry 'parallel0.present'",
        ),
        ("firmware = \"x\"", "VMX entry 'firmware'"),
        (
            "uefi.secureBoot.enabled = \"x\"",
            "Config entry 'uefi.secureBoot.enabled'",
        ),
        ("nvram = \"C:\\x\"", "Could not handle file name"),
    ];
    for (at, (_, expected)) in lines.iter().enumerate() {
        let rest: Vec<_> = lines[at..].iter().rev().map(|(line, _)| *line).collect();
        let error = super::strict(&rest.join("\n"), LibvirtVersion::Newest).unwrap_err();
        let error = error.strip_prefix("internal error: ").unwrap_or(&error);
        assert!(error.starts_with(expected), "{error}, not {expected}");
    }
}

#[test]
fn errors_say_where() {
    let text = super::file("\n  ide0:0.present = \"true\"\nide0:0.fileName = \"a.raw\" # c\n");
    let options = vmx::ParseOptions::strict();
    let error = vmx::parse(text.as_str(), &super::host(options.libvirt), &options).unwrap_err();
    assert_eq!(error.key(), Some("ide0:0.fileName"));
    assert_eq!(error.value(), Some("a.raw"));
    assert_eq!((error.line(), error.column()), (Some(6), Some(1)));
    assert_eq!(&text[error.position().unwrap().bytes.clone()], "a.raw");
    assert!(error.help().is_some());
}
