//! Rare cases: missing and empty keys, values next to limits, and the precedence of rules.

use super::{gives, gives_no, host, refuses};
use virt_model::{Document, DomainXmlFlags};
use vmx::{LibvirtVersion, ParseOptions};

/// The lines of a slot of a present controller, with `@` for the slot.
fn slot(slot: &str, lines: &str) -> String {
    let controller = slot.split(':').next().unwrap_or_default();
    let lines = lines.replace('@', slot);
    format!("{controller}.present = \"true\"\n{slot}.present = \"true\"\n{lines}\n")
}

fn no_boolean(key: &str) -> String {
    format!("Config entry '{key}' must represent a boolean value (true|false)")
}

#[test]
fn numbers_as_c_reads_them() {
    for value in ["64", "+64", " 64", "\t64", "0064"] {
        gives(
            &format!("memsize = \"{value}\""),
            "<memory unit='KiB'>65536</memory>",
        );
    }
    // `unlimited` is -1 everywhere.
    let found = "found -1";
    refuses(
        "memsize = \"Unlimited\"",
        &format!(
            "Expecting VMX entry 'memsize' to be an unsigned integer (multiple of 4) but {found}"
        ),
    );
    refuses(
        "numvcpus = \"unlimited\"",
        &format!(
            "Expecting VMX entry 'numvcpus' to be an unsigned integer greater than 0 but {found}"
        ),
    );
    refuses(
        "config.version = \"unlimited\"",
        &format!("Expecting VMX entry 'config.version' to be 8 but {found}"),
    );
    gives_no("cpuid.coresPerSocket = \"unlimited\"", "<cpu>");
    gives(
        "vm.genidX = \"unlimited\"",
        "<genid>00000000-0000-0000-ffff-ffffffffffff</genid>",
    );
    gives_no(
        "isolation.tools.hgfs.disable = \"FALSE\"\nsharedFolder.maxNum = \"unlimited\"",
        "<filesystem",
    );
}

/// The booleans that the other table lacks.
#[test]
fn booleans() {
    let folders = "isolation.tools.hgfs.disable = \"false\"\nsharedFolder.maxNum = \"1\"\n";
    let on = "sharedFolder0.present = \"true\"\nsharedFolder0.enabled = \"true\"\n\
              sharedFolder0.hostPath = \"/\"\nsharedFolder0.guestName = \"x\"\n";
    for (head, key) in [
        ("", "floppy0.startConnected"),
        ("floppy0.present = \"true\"\n", "floppy0.clientDevice"),
        ("floppy0.present = \"true\"\n", "floppy0.writeThrough"),
        ("", "ide0:1.startConnected"),
        ("sata0.present = \"true\"\n", "sata0:0.startConnected"),
        ("nvme0.present = \"true\"\n", "nvme0:0.startConnected"),
        ("", "serial1.startConnected"),
        ("", "parallel1.startConnected"),
        (folders, "sharedFolder0.present"),
        (folders, "sharedFolder0.enabled"),
        (&format!("{folders}{on}"), "sharedFolder0.writeAccess"),
    ] {
        for value in ["", "yes", "0"] {
            refuses(&format!("{head}{key} = \"{value}\""), &no_boolean(key));
        }
    }
}

#[test]
fn keys_that_are_never_read() {
    for line in [
        "floppy2.present = \"x\"",
        "ide2:0.present = \"x\"",
        "ide0:2.present = \"x\"",
        "scsi4.present = \"x\"",
        "scsi0:0.present = \"x\"",
        "scsi0.virtualDev = \"x\"",
        "sata0:0.present = \"x\"",
        "serial4.present = \"x\"",
        "parallel3.present = \"x\"",
        "sharedFolder0.present = \"x\"",
        "isolation.tools.hgfs.disable = \"true\"\nsharedFolder.maxNum = \"x\"",
        "RemoteDisplay.vnc.port = \"x\"",
        "ethernet0.connectionType = \"x\"",
        "ide0:0.fileName = \"x\"",
        "powerType.powerOff = \"soft\"",
        "checkpoint.vmState = \"x\"",
        "sched.swap.derivedName = \"x\"",
    ] {
        gives(line, "<devices>\n<video>");
    }
}

/// Like `check`, with lines that are the whole file.
#[track_caller]
fn bare(text: &str) -> Result<String, String> {
    let options = ParseOptions::strict();
    let parsed = vmx::parse(text, &host(LibvirtVersion::Newest), &options);
    let parsed = parsed.map_err(|error| error.to_string())?;
    Ok(parsed.domain.to_xml(DomainXmlFlags::SECURE))
}

#[test]
fn heads_that_lack_something() {
    let missing = |key: &str| {
        Err(format!(
            "internal error: Missing essential config entry '{key}'"
        ))
    };
    assert_eq!(bare("memsize = \"4\""), missing("config.version"));
    assert_eq!(bare("config.version = \"8\""), missing("virtualHW.version"));
    assert_eq!(
        bare("config.version = \"7\""),
        Err("internal error: Expecting VMX entry 'config.version' to be 8 but found 7".to_owned())
    );
}

#[test]
fn empty_texts() {
    gives("displayName = \"\"", "<name></name>\n<uuid>");
    gives(
        "annotation = \"\"",
        "</uuid>\n<description></description>\n<memory",
    );
    gives("guestOS = \"\"", "<type arch='i686'>hvm</type>");
    gives("guestOS = \"-64\"", "<type arch='x86_64'>hvm</type>");
    refuses(
        "sched.cpu.shares = \"\"",
        "Expecting VMX entry 'sched.cpu.shares' to be an unsigned integer or 'low', 'normal' or \
         'high' but found ''",
    );
}

#[test]
fn generation_ids_of_one_number() {
    for (lines, id) in [
        (
            "vm.genid = \"81985529216486895\"",
            "01234567-89ab-cdef-0000-000000000000",
        ),
        (
            "vm.genidX = \"81985529216486895\"",
            "00000000-0000-0000-0123-456789abcdef",
        ),
        (
            "vm.genid = \"-9223372036854775808\"",
            "80000000-0000-0000-0000-000000000000",
        ),
    ] {
        gives(lines, &format!("<genid>{id}</genid>"));
    }
}

#[test]
fn ports_of_vnc() {
    for (port, shown, auto) in [
        // 0 means no port, but not autoport.
        ("0", "", "no"),
        ("5899", " port='5899'", "no"),
        ("5965", " port='5965'", "no"),
        ("-5", " port='-1'", "yes"),
    ] {
        gives(
            &format!("RemoteDisplay.vnc.enabled = \"true\"\nRemoteDisplay.vnc.port = \"{port}\""),
            &format!("<graphics type='vnc'{shown} autoport='{auto}'>"),
        );
    }
}

#[test]
fn which_drive_a_slot_is() {
    let cdrom = "/vmfs/devices/cdrom/x";
    let expecting = |bus: &str, accepted: &str, found: &str| {
        format!("Expecting VMX entry '{bus}.deviceType' to be {accepted} but found '{found}'")
    };
    let unhandled = |bus: &str, name: &str, kind: &str| {
        format!(
            "Invalid or not yet handled value '{name}' for VMX entry '{bus}.fileName' for device \
             type '{kind}'"
        )
    };
    let typed = |bus: &str, kind: &str, name: &str| {
        slot(
            bus,
            &format!("@.deviceType = \"{kind}\"\n@.fileName = \"{name}\""),
        )
    };
    for bus in ["scsi0:0", "sata0:0", "ide0:0"] {
        // Only this spelling means an empty drive.
        refuses(
            &slot(bus, "@.fileName = \"EmptyBackingString\""),
            &unhandled(bus, "EmptyBackingString", "unknown"),
        );
        refuses(
            &typed(bus, "cdrom-image", "auto detect"),
            &unhandled(bus, "auto detect", "cdrom-image"),
        );
        refuses(
            &slot(bus, "@.fileName = \"auto detect\""),
            &unhandled(bus, "auto detect", "unknown"),
        );
        // A name with the suffix .iso is an image, whatever the type.
        for kind in ["atapi-cdrom", "cdrom-raw", "scsi-passthru"] {
            refuses(
                &typed(bus, kind, "a.iso"),
                &expecting(bus, "'cdrom-image'", kind),
            );
        }
        // The type decides before the empty name does.
        for (kind, device) in [("atapi-cdrom", "cdrom"), ("cdrom-raw", "lun")] {
            gives(
                &typed(bus, kind, "emptyBackingString"),
                &format!(
                    "<disk type='block' device='{device}'>\n<source dev='emptyBackingString'/>"
                ),
            );
        }
        // The name must have a known form even if the medium may be missing.
        let name = "/vmfs/volumes/gone";
        refuses(
            &slot(bus, &format!("@.fileName = \"{name}.iso\"")),
            &format!(
                "File name '{name}.iso' doesn't have expected format \
                 '/vmfs/volumes/<datastore>/<path>'"
            ),
        );
        refuses(
            &slot(bus, r#"@.fileName = "D:\a.iso""#),
            r"Could not handle file name 'D:\a.iso'",
        );
        if bus != "scsi0:0" {
            refuses(
                &typed(bus, "scsi-passthru", cdrom),
                &unhandled(bus, cdrom, "scsi-passthru"),
            );
            refuses(
                &typed(bus, "scsi-passthru", "emptyBackingString"),
                &expecting(bus, "'cdrom-image'", "scsi-passthru"),
            );
            refuses(
                &slot(bus, "@.deviceType = \"scsi-passthru\""),
                &unhandled(bus, "<null>", "scsi-passthru"),
            );
        }
    }
    // On SCSI a device of the host that is not a drive is ignored.
    gives_no(
        &slot("scsi0:0", "@.deviceType = \"scsi-passthru\""),
        "<disk",
    );
    gives_no(
        &typed("scsi0:0", "scsi-passthru", "emptyBackingString"),
        "<disk",
    );
    refuses(
        &typed("scsi0:0", "scsi-passthru", "/vmfs/devices/generic/x"),
        &unhandled("scsi0:0", "/vmfs/devices/generic/x", "scsi-passthru"),
    );
    for (bus, accepted) in [
        ("scsi0:0", "'scsi-hardDisk' or 'disk'"),
        ("ide0:0", "'ata-hardDisk' or 'disk'"),
    ] {
        for kind in ["rawDisk", "plainDisk", "scsi-passthru", ""] {
            refuses(&typed(bus, kind, "a.vmdk"), &expecting(bus, accepted, kind));
        }
    }
    for kind in ["ata-hardDisk", "scsi-hardDisk", "scsi-passthru", ""] {
        gives(
            &typed("sata0:0", kind, "a.vmdk"),
            "<target dev='sda' bus='sata'/>",
        );
    }
    // A CD-ROM drive with a disk's file is ignored.
    gives_no(&typed("sata0:0", "cdrom-image", "a.vmdk"), "<disk");
}

#[test]
fn modes_and_caches_of_drives() {
    gives(
        &slot(
            "ide0:0",
            "@.fileName = \"a.iso\"\n@.mode = \"independent-nonpersistent\"\n@.writeThrough = \"true\"",
        ),
        "<disk type='file' device='cdrom'>
        <source file='[fast] web/a.iso'/>
        <target dev='hda' bus='ide'/>
        <readonly/>
        <address",
    );
}

#[test]
fn floppies() {
    gives(
        "floppy0.present = \"true\"\nfloppy0.fileType = \"FILE\"",
        "<disk type='file' device='floppy'>\n<target dev='fda' bus='fdc'/>",
    );
    refuses(
        "floppy1.present = \"true\"",
        "Invalid or not yet handled value '<null>' for VMX entry 'floppy1.fileName' for device \
         type 'unknown'",
    );
    refuses(
        "floppy0.present = \"true\"\nfloppy0.fileType = \"disk\"\nfloppy0.deviceType = \"x\"",
        "Invalid or not yet handled value '<null>' for VMX entry 'floppy0.fileName' for device \
         type 'x'",
    );
    gives_no(
        "floppy0.present = \"true\"\nfloppy0.clientDevice = \"true\"",
        "<disk",
    );
    // No rule about suffixes applies here.
    gives(
        "floppy0.present = \"true\"\nfloppy0.fileType = \"file\"\nfloppy0.fileName = \"a.vmdk\"",
        "<source file='[fast] web/a.vmdk'/>",
    );
}

#[test]
fn what_a_card_is_connected_to_first() {
    let nic = |lines: &str| {
        format!(
            "ethernet0.present = \"true\"\n{}",
            lines.replace('@', "ethernet0")
        )
    };
    let switch = "@.dvs.switchId = \"11111111-1111-1111-1111-111111111112\"\n\
                  @.dvs.portgroupId = \"g\"\n@.dvs.portId = \"1\"\n@.dvs.connectionId = \"2\"\n";
    // The switch takes precedence over the type of connection.
    for kind in [
        "hostonly",
        "nat",
        "pvn",
        "",
        "bridged\"\n@.networkName = \"x",
    ] {
        gives(
            &nic(&format!("{switch}@.connectionType = \"{kind}\"")),
            "<interface type='vds'>",
        );
    }
    refuses(
        &nic(&format!("{switch}@.connectionType = \"bridged\"")),
        "Missing essential config entry 'ethernet0.networkName'",
    );
    refuses(
        &nic("@.connectionType = \"\""),
        "Invalid value '' for VMX entry 'ethernet0.connectionType'",
    );
    for kind in ["monitor_dev", "bridge", "Host-Only"] {
        refuses(
            &nic(&format!("@.connectionType = \"{kind}\"")),
            &format!("Invalid value '{kind}' for VMX entry 'ethernet0.connectionType'"),
        );
    }
    gives(
        &nic("@.networkName = \"\""),
        "<interface type='bridge'>\n<mac address='00:00:00:00:00:00'/>\n<source bridge=''/>",
    );
    gives(
        &nic("@.connectionType = \"NAT\"\n@.networkName = \"x\"\n@.vnet = \"y\""),
        "<interface type='user'>\n<mac address='00:00:00:00:00:00'/>\n</interface>",
    );
    gives(
        &nic("@.connectionType = \"bridged\"\n@.networkName = \"x\"\n@.vnet = \"y\""),
        "<source bridge='x'/>\n</interface>",
    );
    for model in ["", "flexible", "vmxnet2", "e1000 "] {
        refuses(
            &nic(&format!("@.virtualDev = \"{model}\"")),
            &format!(
                "Expecting VMX entry 'ethernet0.virtualDev' to be 'vlance' or 'vmxnet' or \
                 'vmxnet3' or 'e1000' or 'e1000e' but found '{model}'"
            ),
        );
    }
    for kind in ["", "manual"] {
        refuses(
            &nic(&format!("@.addressType = \"{kind}\"")),
            &format!(
                "Expecting VMX entry 'ethernet0.addressType' to be 'generated' or 'static' or \
                 'vpx' but found '{kind}'"
            ),
        );
    }
    gives(
        &nic("@.addressType = \"static\""),
        "<mac address='00:00:00:00:00:00' type='static'/>",
    );
    // The address, the model, then the connection.
    refuses(
        &nic("@.connectionType = \"hostonly\"\n@.virtualDev = \"x\"\n@.addressType = \"y\""),
        "Expecting VMX entry 'ethernet0.addressType' to be 'generated' or 'static' or 'vpx' but \
         found 'y'",
    );
}

#[test]
fn ports_that_lack_something() {
    gives(
        "serial0.present = \"true\"\nserial0.fileType = \"pipe\"",
        "<serial type='pipe'>\n<target port='0'/>",
    );
    gives(
        "serial0.present = \"true\"\nserial0.fileName = \"\"",
        "<serial type='dev'>\n<source path=''/>\n<target port='0'/>",
    );
    let parallel = |lines: &str| format!("parallel0.present = \"true\"\n{lines}");
    refuses(
        &parallel("parallel0.fileName = \"x\""),
        "Missing essential config entry 'parallel0.fileType'",
    );
    for kind in ["", "network"] {
        refuses(
            &parallel(&format!(
                "parallel0.fileType = \"{kind}\"\nparallel0.fileName = \"x\""
            )),
            &format!(
                "Expecting VMX entry 'parallel0.fileType' to be 'device' or 'file' but found \
                 '{kind}'"
            ),
        );
    }
    // Only the first serial port is a console, whatever its number is.
    let two = "serial1.present = \"true\"\nserial1.fileName = \"/dev/b\"\n\
               serial3.present = \"true\"\nserial3.fileName = \"/dev/d\"";
    gives(
        two,
        "<target port='3'/>
        </serial>
        <console type='dev'>
        <source path='/dev/b'/>
        <target type='serial' port='1'/>
        </console>
        <video>",
    );
}

/// Disks of two buses may have one name.
#[test]
fn one_name_on_two_buses() {
    let disk = |bus: &str| slot(bus, "@.fileName = \"a.vmdk\"");
    let document = super::strict(
        &(disk("scsi0:0") + &disk("sata0:0")),
        LibvirtVersion::Newest,
    )
    .unwrap();
    assert_eq!(document.matches("<target dev='sda'").count(), 2);
}
