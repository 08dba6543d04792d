//! The definitions that each version of libvirt makes of the same lines: every change since 9.0.0,
//! before and after it.

use LibvirtVersion::{Newest, V9_0, V11_3, V11_5, V11_10, V12_4, V12_5};
use Made::{Gives, GivesNo, Refuses};
use vmx::LibvirtVersion;

use super::{has, strict};

/// The result of reading lines.
#[derive(Clone, Copy)]
enum Made<'a> {
    /// A document with this part.
    Gives(&'a str),
    /// A document without it.
    GivesNo(&'a str),
    /// This error.
    Refuses(&'a str),
}

/// Checks the result of reading lines. Each row holds from its version on until the next row's.
#[track_caller]
fn history(lines: &str, rows: &[(LibvirtVersion, Made<'_>)]) {
    assert_eq!(rows.first().map(|row| row.0), Some(V9_0));
    for libvirt in LibvirtVersion::ALL {
        let row = rows.iter().rfind(|row| row.0 <= libvirt).unwrap();
        let found = strict(lines, libvirt);
        let holds = match (&found, row.1) {
            (Ok(document), Gives(part)) => has(document, part),
            (Ok(document), GivesNo(part)) => !has(document, part),
            (Err(error), Refuses(message)) => error == message,
            _ => false,
        };
        let (Ok(text) | Err(text)) = &found;
        let expected = match row.1 {
            Gives(text) => format!("with {text}"),
            GivesNo(text) => format!("without {text}"),
            Refuses(text) => format!("the error {text}"),
        };
        assert!(holds, "libvirt {libvirt}: not {expected}\n{lines}\n{text}");
    }
}

/// The lines of a slot of a present controller, with `@` for the slot.
fn slot(slot: &str, lines: &str) -> String {
    let controller = slot.split(':').next().unwrap_or_default();
    let lines = lines.replace('@', slot);
    format!("{controller}.present = \"true\"\n{slot}.present = \"true\"\n{lines}\n")
}

/// A disk in that slot, which is that target in that place.
fn disk(target: &str, bus: &str, controller: u32, unit: u32) -> String {
    format!(
        "<target dev='{target}' bus='{bus}'/>\n\
         <address type='drive' controller='{controller}' bus='0' target='0' unit='{unit}'/>"
    )
}

const IMAGE: &str = "@.fileName = \"a.vmdk\"";

fn controllers(rows: &[&str]) -> String {
    let rows = rows.iter().map(|row| format!("<controller {row}/>"));
    format!("</disk>\n{}\n<video>", rows.collect::<Vec<_>>().join("\n"))
}

#[test]
fn keys_with_a_star() {
    let expecting =
        |what: &str| format!("configuration file syntax error: memory conf:4: expecting {what}");
    let assignment = expecting("an assignment");
    for key in ["a.*.b", "a*"] {
        history(
            &format!("{key} = \"1\""),
            &[(V9_0, Refuses(&assignment)), (V11_3, GivesNo("<disk"))],
        );
    }
    history("*a = \"1\"", &[(V9_0, Refuses(&expecting("a name")))]);
    history("a+b = \"1\"", &[(V9_0, Refuses(&assignment))]);
}

#[test]
fn clusters_of_processors() {
    let topology = |clusters: &str| {
        format!("<topology sockets='3' dies='1'{clusters} cores='2' threads='1'/>")
    };
    history(
        "numvcpus = \"6\"\ncpuid.coresPerSocket = \"2\"",
        &[
            (V9_0, Gives(&topology(""))),
            (V11_3, Gives(&topology(" clusters='1'"))),
        ],
    );
}

#[test]
fn empty_drives() {
    for bus in ["scsi0:0", "sata0:0", "ide0:0"] {
        let unhandled = |kind: &str| {
            format!(
                "internal error: Invalid or not yet handled value '' for VMX entry \
                 '{bus}.fileName' for device type '{kind}'"
            )
        };
        let file = "<disk type='file' device='cdrom'>\n<target";
        for kind in ["cdrom-image", "CDROM-Image"] {
            history(
                &slot(
                    bus,
                    &format!("@.deviceType = \"{kind}\"\n@.fileName = \"\""),
                ),
                &[(V9_0, Refuses(&unhandled(kind))), (V11_3, Gives(file))],
            );
        }
        // Only the type tells that it is a drive.
        history(
            &slot(bus, "@.fileName = \"\""),
            &[(V9_0, Refuses(&unhandled("unknown")))],
        );
        for kind in ["disk", "rawDisk", "scsi-passthru"] {
            history(
                &slot(
                    bus,
                    &format!("@.deviceType = \"{kind}\"\n@.fileName = \"\""),
                ),
                &[(V9_0, Refuses(&unhandled(kind)))],
            );
        }
        for (kind, device) in [("atapi-cdrom", "cdrom"), ("cdrom-raw", "lun")] {
            let block = format!("<disk type='block' device='{device}'>\n<source dev=''/>");
            history(
                &slot(
                    bus,
                    &format!("@.deviceType = \"{kind}\"\n@.fileName = \"\""),
                ),
                &[(V9_0, Gives(&block))],
            );
        }
        history(
            &slot(bus, "@.fileName = \"emptyBackingString\""),
            &[(V9_0, Gives(file))],
        );
    }
    // NVMe has no CD-ROM drives.
    let nvme = slot(
        "nvme0:0",
        "@.deviceType = \"cdrom-image\"\n@.fileName = \"\"",
    );
    history(&nvme, &[(V9_0, GivesNo("<disk"))]);
}

#[test]
fn serial_ports_that_lead_nowhere() {
    let network =
        |rest: &str| format!("serial0.present = \"true\"\nserial0.fileType = \"network\"\n{rest}");
    let named = |name: &str| network(&format!("serial0.fileName = \"{name}\""));
    let port = "internal error: VMX entry 'serial0.fileName' doesn't contain a port part";
    let null = "\
<serial type='null'>
<target port='0'/>
</serial>
<console type='null'>
<target type='serial' port='0'/>
</console>
<video>";
    let unreadable = |name: &str| format!("internal error: Unable to parse URI {name}");
    for name in ["192.0.2.1:4001", "tcp://h:x", "a b", "tcp://[::1:4"] {
        history(
            &named(name),
            &[(V9_0, Refuses(&unreadable(name))), (V11_3, Gives(null))],
        );
    }
    history(
        &network(""),
        &[(V9_0, Refuses(&unreadable("(null)"))), (V11_3, Gives(null))],
    );
    for name in ["tcp://h", "tcp://h:0", "tcp://:4001", "h", "", "http://h"] {
        history(&named(name), &[(V9_0, Refuses(port)), (V11_3, Gives(null))]);
    }
    // libvirt reports other errors only after that of the port.
    let end = "\nserial0.network.endPoint = \"peer\"";
    history(
        &(named("tcp://h") + end),
        &[(V9_0, Refuses(port)), (V11_3, Gives(null))],
    );
    let peer = "internal error: Expecting VMX entry 'serial0.network.endPoint' to be 'server' or \
                'client' but found 'peer'";
    history(&(named("tcp://h:1") + end), &[(V9_0, Refuses(peer))]);
    let scheme = "internal error: VMX entry 'serial0.fileName' contains unsupported scheme 'http'";
    history(&named("http://h:1"), &[(V9_0, Refuses(scheme))]);
    history(
        &(named("tcp://h:1") + "\nserial0.vspc = \"x\""),
        &[(V9_0, Gives("<source mode='bind' host='h' service='1'/>"))],
    );
}

#[test]
fn ports_of_distributed_switches() {
    let id = "11 11 11 11 11 11 11 11-11 11 11 11 11 11 11 12";
    let port = |lines: &str| {
        format!(
            "ethernet0.present = \"true\"\nethernet0.dvs.switchId = \"{id}\"\n{}",
            lines.replace('@', "ethernet0.dvs")
        )
    };
    let source =
        |rest: &str| format!("<source switchid='11111111-1111-1111-1111-111111111112' {rest}/>");
    let group = "@.portgroupId = \"group-1\"\n";
    let number = "@.portId = \"7\"\n";
    let connection = "@.connectionId = \"9\"\n";
    let missing =
        |key: &str| format!("internal error: Missing essential config entry 'ethernet0.dvs.{key}'");
    history(
        &port(&[group, number, connection].concat()),
        &[(
            V9_0,
            Gives(&source("portid='7' portgroupid='group-1' connectionid='9'")),
        )],
    );
    for (lines, key, rest) in [
        (
            [number, connection].concat(),
            "portgroupId",
            "portid='7' connectionid='9'",
        ),
        (
            [group, connection].concat(),
            "portId",
            "portid='0' portgroupid='group-1' connectionid='9'",
        ),
        (
            [group, number].concat(),
            "connectionId",
            "portid='7' portgroupid='group-1' connectionid='0'",
        ),
        (String::new(), "portgroupId", "portid='0' connectionid='0'"),
    ] {
        history(
            &port(&lines),
            &[
                (V9_0, Refuses(&missing(key))),
                (V11_3, Gives(&source(rest))),
            ],
        );
    }
    let integer = "internal error: Config entry 'ethernet0.dvs.portId' must represent an integer \
                   value";
    history(
        &port(&format!("{group}@.portId = \"x\"\n{connection}")),
        &[(V9_0, Refuses(integer))],
    );
}

#[test]
fn secure_boot() {
    let features = "<os firmware='efi'>
<type arch='i686'>hvm</type>
<firmware>
<feature enabled='yes' name='enrolled-keys'/>
<feature enabled='yes' name='secure-boot'/>
</firmware>
</os>";
    let efi = "<os firmware='efi'>\n<type arch='i686'>hvm</type>\n</os>";
    for value in ["true", "TRUE"] {
        history(
            &format!("UEFI.secureboot.enabled = \"{value}\"\nfirmware = \"efi\""),
            &[(V9_0, Gives(efi)), (V11_3, Gives(features))],
        );
    }
    for lines in ["", "uefi.secureBoot.enabled = \"FALSE\""] {
        history(
            &format!("firmware = \"efi\"\n{lines}"),
            &[(V9_0, Gives(efi))],
        );
    }
    let bios = "<os>\n<type arch='i686'>hvm</type>\n</os>";
    history("uefi.secureBoot.enabled = \"true\"", &[(V9_0, Gives(bios))]);
    let boolean = "internal error: Config entry 'uefi.secureBoot.enabled' must represent a \
                   boolean value (true|false)";
    history(
        "uefi.secureBoot.enabled = \"1\"",
        &[(V9_0, Gives(bios)), (V11_3, Refuses(boolean))],
    );
    let unknown =
        |value: &str| format!("internal error: VMX entry 'firmware' has unknown value '{value}'");
    for value in ["bios", "EFI", "uefi", ""] {
        history(
            &format!("firmware = \"{value}\"\nuefi.secureBoot.enabled = \"x\"\nnvram = \"a\\b\""),
            &[(V9_0, Refuses(&unknown(value)))],
        );
    }
}

#[test]
fn nvme_disks() {
    let lines = slot("nvme0:0", IMAGE) + &slot("nvme0:1", IMAGE);
    let two = format!(
        "<disk type='file' device='disk'>
<source file='[fast] web/a.vmdk'/>
{}
</disk>
<disk type='file' device='disk'>
<source file='[fast] web/a.vmdk'/>
{}
</disk>",
        disk("nvme0n1", "nvme", 0, 0),
        disk("nvme0n2", "nvme", 0, 1)
    );
    history(&lines, &[(V9_0, GivesNo("nvme")), (V11_5, Gives(&two))]);
    // Not one by one: the controllers before it are there too.
    let last = disk("nvme3n15", "nvme", 3, 14);
    let nvme = |indices: [u32; 4]| {
        let rows = indices.map(|index| format!("type='nvme' index='{index}'"));
        controllers(&rows.each_ref().map(String::as_str))
    };
    let (all, present_first) = (nvme([0, 1, 2, 3]), nvme([3, 0, 1, 2]));
    let lines = slot("nvme3:14", IMAGE);
    history(&lines, &[(V9_0, GivesNo("<disk")), (V11_5, Gives(&last))]);
    history(
        &lines,
        &[
            (V9_0, GivesNo("<disk")),
            (V11_5, Gives(&all)),
            (Newest, Gives(&present_first)),
        ],
    );
    for gone in ["nvme0:15", "nvme4:0"] {
        history(&slot(gone, IMAGE), &[(V9_0, GivesNo("<disk"))]);
    }
    // The slot is a hard disk or ignored.
    for name in ["a.iso", "emptyBackingString"] {
        let lines = slot("nvme0:0", &format!("@.fileName = \"{name}\""));
        history(&lines, &[(V9_0, GivesNo("<disk"))]);
    }
    history(&slot("nvme0:0", ""), &[(V9_0, GivesNo("<disk"))]);
    history(
        &slot("nvme0:0", &format!("@.deviceType = \"any\"\n{IMAGE}")),
        &[
            (V9_0, GivesNo("<disk")),
            (V11_5, Gives("<target dev='nvme0n1' bus='nvme'/>")),
        ],
    );
    history(
        &slot(
            "nvme0:2",
            &format!("@.mode = \"independent-nonpersistent\"\n@.writeThrough = \"true\"\n{IMAGE}"),
        ),
        &[
            (V9_0, GivesNo("<disk")),
            (
                V11_5,
                Gives(
                    "<driver cache='writethrough'/>
<source file='[fast] web/a.vmdk'/>
<target dev='nvme0n3' bus='nvme'/>
<transient/>",
                ),
            ),
        ],
    );
    let unhandled = "internal error: Invalid or not yet handled value 'a.raw' for VMX entry \
                     'nvme0:0.fileName' for device type 'unknown'";
    history(
        &slot("nvme0:0", "@.fileName = \"a.raw\""),
        &[(V9_0, GivesNo("<disk")), (V11_5, Refuses(unhandled))],
    );
    let boolean =
        "internal error: Config entry 'nvme2.present' must represent a boolean value (true|false)";
    history(
        "nvme2.present = \"1\"",
        &[(V9_0, GivesNo("<disk")), (V11_5, Refuses(boolean))],
    );
    // They are read behind floppy drives.
    let floppy = "floppy0.present = \"true\"\nfloppy0.fileType = \"device\"\n";
    let lines = slot("nvme0:0", IMAGE) + floppy;
    history(
        &lines,
        &[
            (V9_0, GivesNo("nvme")),
            (V11_5, Gives("</disk>\n<disk type='file' device='disk'>")),
        ],
    );
}

#[test]
fn names_in_a_directory_below() {
    let unknown = |name: &str| format!("internal error: Could not handle file name '{name}'");
    for bus in ["scsi0:0", "sata0:0", "ide0:0"] {
        for name in ["sub/a.vmdk", "sub/deep/a.vmdk", "./a.vmdk", "../db/a.iso"] {
            let source = format!("<source file='[fast] web/{name}'/>");
            history(
                &slot(bus, &format!("@.fileName = \"{name}\"")),
                &[(V9_0, Refuses(&unknown(name))), (V11_10, Gives(&source))],
            );
        }
        let name = r"sub\a.vmdk";
        history(
            &slot(bus, &format!("@.fileName = \"{name}\"")),
            &[(V9_0, Refuses(&unknown(name)))],
        );
    }
    for (lines, source) in [
        (
            "floppy0.present = \"true\"\nfloppy0.fileType = \"file\"\nfloppy0.fileName = \"sub/x\"",
            "<source file='[fast] web/sub/x'/>",
        ),
        (
            "serial0.present = \"true\"\nserial0.fileType = \"file\"\nserial0.fileName = \"sub/x\"",
            "<source path='[fast] web/sub/x'/>",
        ),
        (
            "parallel0.present = \"true\"\nparallel0.fileType = \"file\"\nparallel0.fileName = \"sub/x\"",
            "<source path='[fast] web/sub/x'/>",
        ),
    ] {
        history(
            lines,
            &[(V9_0, Refuses(&unknown("sub/x"))), (V11_10, Gives(source))],
        );
    }
}

#[test]
fn scsi_disks_and_their_places() {
    let lines = |hardware: u32, place: &str| {
        format!("virtualHW.version = \"{hardware}\"\n{}", slot(place, IMAGE))
    };
    let place = |target, controller, unit| disk(target, "scsi", controller, unit);
    // Virtual hardware below 13 has 15 disks per controller.
    for (at, target, controller, unit) in [
        ("scsi0:0", "sda", 0, 0),
        ("scsi0:6", "sdg", 0, 6),
        ("scsi0:8", "sdh", 0, 8),
        ("scsi0:15", "sdo", 0, 15),
        ("scsi1:0", "sdp", 1, 0),
        ("scsi3:15", "sdbh", 3, 15),
    ] {
        let made = place(target, controller, unit);
        history(&lines(12, at), &[(V9_0, Gives(&made))]);
    }
    for hardware in [12, 13] {
        for gone in ["scsi0:7", "scsi4:0", "scsi0:65"] {
            history(&lines(hardware, gone), &[(V9_0, GivesNo("<disk"))]);
        }
    }
    history(&lines(12, "scsi0:16"), &[(V9_0, GivesNo("<disk"))]);
    // From 13 on there are 63. libvirt before 12.4.0 counted the next controller's from 15.
    for (at, old, v12_4, v12_5) in [
        ("scsi0:15", ("sdo", 0, 15), ("sdo", 0, 15), ("sdo", 0, 15)),
        ("scsi0:16", ("sdp", 0, 16), ("sdp", 0, 16), ("sdp", 0, 16)),
        (
            "scsi0:63",
            ("sdbk", 0, 63),
            ("sdbk", 0, 63),
            ("sdbk", 0, 63),
        ),
        ("scsi1:0", ("sdp", 0, 16), ("sdbl", 1, 0), ("sdbm", 1, 0)),
        ("scsi1:6", ("sdv", 0, 22), ("sdbr", 1, 6), ("sdbs", 1, 6)),
        ("scsi1:8", ("sdw", 0, 23), ("sdbs", 1, 8), ("sdbt", 1, 8)),
        (
            "scsi1:63",
            ("sdbz", 1, 15),
            ("sddv", 1, 63),
            ("sddw", 1, 63),
        ),
        (
            "scsi3:63",
            ("sddd", 1, 45),
            ("sdir", 3, 63),
            ("sdiu", 3, 63),
        ),
    ] {
        let [old, v12_4, v12_5] = [old, v12_4, v12_5].map(|(dev, c, u)| place(dev, c, u));
        history(
            &lines(13, at),
            &[
                (V9_0, Gives(&old)),
                (V12_4, Gives(&v12_4)),
                (V12_5, Gives(&v12_5)),
            ],
        );
    }
    for (at, made) in [
        ("scsi0:64", place("sdbl", 0, 64)),
        ("scsi3:64", place("sdiv", 3, 64)),
    ] {
        history(
            &lines(21, at),
            &[(V9_0, GivesNo("<disk")), (V12_5, Gives(&made))],
        );
    }
}

/// Which controllers there are for a disk on the second one.
#[test]
fn scsi_controllers_and_their_models() {
    let models = "scsi0.virtualDev = \"lsilogic\"\nscsi1.virtualDev = \"pvscsi\"\n\
                  scsi2.virtualDev = \"buslogic\"\n";
    let lines = |hardware: u32, more: &str| {
        format!(
            "virtualHW.version = \"{hardware}\"\n{models}{}{more}",
            slot("scsi1:0", IMAGE)
        )
    };
    let second = controllers(&[
        "type='scsi' index='0'",
        "type='scsi' index='1' model='vmpvscsi'",
    ]);
    // An absent controller has no model, and comes behind those that are there.
    let absent = controllers(&[
        "type='scsi' index='1' model='vmpvscsi'",
        "type='scsi' index='0'",
    ]);
    history(
        &lines(12, ""),
        &[(V9_0, Gives(&second)), (Newest, Gives(&absent))],
    );
    // The address was on the first, which is listed alone.
    let first = controllers(&["type='scsi' index='0'"]);
    history(
        &lines(13, ""),
        &[
            (V9_0, Gives(&first)),
            (V12_4, Gives(&second)),
            (Newest, Gives(&absent)),
        ],
    );
    // Of the disks the last counted, not the highest; what others need came at the end.
    let lines_of_two = format!(
        "virtualHW.version = \"13\"\n{models}{}{}{}",
        slot("scsi1:62", IMAGE),
        slot("scsi2:2", IMAGE),
        slot("sata0:0", IMAGE)
    );
    let last = controllers(&[
        "type='scsi' index='0'",
        "type='sata' index='0'",
        "type='scsi' index='1'",
    ]);
    let three = controllers(&[
        "type='scsi' index='0'",
        "type='scsi' index='1' model='vmpvscsi'",
        "type='scsi' index='2' model='buslogic'",
        "type='sata' index='0'",
    ]);
    let present = controllers(&[
        "type='scsi' index='1' model='vmpvscsi'",
        "type='scsi' index='2' model='buslogic'",
        "type='sata' index='0'",
        "type='scsi' index='0'",
    ]);
    history(
        &lines_of_two,
        &[
            (V9_0, Gives(&last)),
            (V12_4, Gives(&three)),
            (Newest, Gives(&present)),
        ],
    );
    // Present ones without disks were listed below the last that has some only.
    let below = controllers(&[
        "type='scsi' index='0' model='lsilogic'",
        "type='scsi' index='1' model='vmpvscsi'",
    ]);
    let all = controllers(&[
        "type='scsi' index='0' model='lsilogic'",
        "type='scsi' index='1' model='vmpvscsi'",
        "type='scsi' index='2' model='buslogic'",
    ]);
    history(
        &lines(12, "scsi0.present = \"true\"\nscsi2.present = \"true\"\n"),
        &[(V9_0, Gives(&below)), (Newest, Gives(&all))],
    );
}

#[test]
fn virtual_tpms() {
    let tpm = "\
<serial type='dev'>
<source path='/dev/x'/>
<target port='0'/>
</serial>
<console type='dev'>
<source path='/dev/x'/>
<target type='serial' port='0'/>
</console>
<tpm model='tpm-crb'>
<backend type='emulator' version='2.0'/>
</tpm>
<graphics type='vnc' port='5901' autoport='no'>
<listen type='address'/>
</graphics>
<video>";
    // With any firmware and hardware.
    let lines = "vtpm.present = \"TRUE\"\nRemoteDisplay.vnc.enabled = \"true\"\n\
                 RemoteDisplay.vnc.port = \"5901\"\n\
                 serial0.present = \"true\"\nserial0.fileName = \"/dev/x\"";
    history(lines, &[(V9_0, GivesNo("<tpm")), (V12_4, Gives(tpm))]);
    for none in [
        "vtpm.present = \"false\"",
        "vtpm.ekCSR = \"x\"\nmanagedVM.autoAddVTPM = \"software\"",
    ] {
        history(none, &[(V9_0, GivesNo("<tpm"))]);
    }
    let boolean =
        "internal error: Config entry 'vtpm.present' must represent a boolean value (true|false)";
    history(
        "vtpm.present = \"yes\"",
        &[(V9_0, GivesNo("<tpm")), (V12_4, Refuses(boolean))],
    );
}

#[test]
fn nvram() {
    let unknown = |name: &str| format!("internal error: Could not handle file name '{name}'");
    for (name, path) in [
        ("web.nvram", "[fast] web/web.nvram"),
        ("", "[fast] web/"),
        ("sub/web.nvram", "[fast] web/sub/web.nvram"),
        ("/vmfs/volumes/4f0a-77/x/web.nvram", "[fast] x/web.nvram"),
        ("/vmfs/volumes/fast/x/web.nvram", "[fast] x/web.nvram"),
        ("/var/web.nvram", "/var/web.nvram"),
    ] {
        let made = format!("<nvram>{path}</nvram>");
        // With BIOS too.
        for lines in ["", "firmware = \"efi\"\n"] {
            history(
                &format!("{lines}NVRAM = \"{name}\""),
                &[(V9_0, GivesNo("<nvram")), (V12_4, Gives(&made))],
            );
        }
    }
    let gone = "/vmfs/volumes/gone/a";
    let text =
        format!("internal error: File name '{gone}' refers to non-existing datastore 'gone'");
    for (name, error) in [(r"C:\a", unknown(r"C:\a")), (gone, text)] {
        history(
            &format!("nvram = \"{name}\""),
            &[(V9_0, GivesNo("<nvram")), (V12_4, Refuses(&error))],
        );
    }
    history(
        "smbios.reflecthost = \"true\"\nnvram = \"a\"\nfirmware = \"efi\"\nuefi.secureBoot.enabled = \"true\"",
        &[
            (V9_0, Gives("hvm</type>\n<smbios mode='host'/>\n</os>")),
            (V11_3, Gives("</firmware>\n<smbios mode='host'/>\n</os>")),
            (
                V12_4,
                Gives("</firmware>\n<nvram>[fast] web/a</nvram>\n<smbios mode='host'/>\n</os>"),
            ),
        ],
    );
}

#[test]
fn uuids() {
    let bios = "uuid.bios = \"56 4d 9b ef ac d9 b4 e0-c8 f0 ae a8 b9 10 35 15\"\n";
    let instance = "vc.uuid = \"50 01 00 00 00 00 00 00-00 00 00 00 00 00 00 02\"\n";
    let bios_uuid = "564d9bef-acd9-b4e0-c8f0-aea8b9103515";
    let instance_uuid = "50010000-0000-0000-0000-000000000002";
    let nil = "00000000-0000-0000-0000-000000000000";
    let no_bios = format!("uuid.bios = \"{nil}\"\n");
    let no_instance = format!("vc.uuid = \"{nil}\"\n");
    let ones = "11111111-1111-1111-1111-111111111111";
    let one = |uuid: &str| format!("<uuid>{uuid}</uuid>\n<genid>");
    let two = |uuid: &str, hwuuid: &str| {
        format!("<uuid>{uuid}</uuid>\n<hwuuid>{hwuuid}</hwuuid>\n<genid>")
    };
    let check = |lines: &[&str], old: String, new: String| {
        history(
            &format!("vm.genid = \"1\"\n{}", lines.concat()),
            &[(V9_0, Gives(&old)), (V12_4, Gives(&new))],
        );
    };
    check(
        &[bios, instance],
        one(bios_uuid),
        two(instance_uuid, bios_uuid),
    );
    check(&[bios], one(bios_uuid), two(bios_uuid, bios_uuid));
    check(&[instance], one(nil), one(instance_uuid));
    check(&[], one(nil), one(nil));
    check(&["uuid.action = \"create\""], one(nil), one(nil));
    // libvirt refuses 16 equal bytes as a UUID.
    check(
        &[bios, &no_instance],
        one(bios_uuid),
        two(bios_uuid, bios_uuid),
    );
    for instance in [nil, ones, "ff ff ff ff ff ff ff ff-ff ff ff ff ff ff ff ff"] {
        let instance = format!("vc.uuid = \"{instance}\"\n");
        check(
            &[bios, &instance],
            one(bios_uuid),
            two(bios_uuid, bios_uuid),
        );
        check(&[&instance], one(nil), one(nil));
    }
    check(&[&no_bios, instance], one(nil), one(instance_uuid));
    let equal = format!("uuid.bios = \"{ones}\"\n");
    check(&[&equal, instance], one(ones), one(instance_uuid));
    check(&[&equal], one(ones), one(ones));

    let unreadable =
        |text: &str| format!("internal error: Could not parse UUID from string '{text}'");
    for value in [
        "x",
        "",
        "1234",
        "56 4d 9b ef ac d9 b4 e0-c8 f0 ae a8 b9 10 35 15 16",
    ] {
        history(
            &format!("{instance}uuid.bios = \"{value}\""),
            &[(V9_0, Refuses(&unreadable(value)))],
        );
        history(
            &format!("vm.genid = \"1\"\n{bios}vc.uuid = \"{value}\""),
            &[
                (V9_0, Gives(&one(bios_uuid))),
                (V12_4, Refuses(&unreadable(value))),
            ],
        );
    }
    // In upper or lower case, with or without the dash.
    let variants = [
        "564D9BEFACD9B4E0C8F0AEA8B9103515",
        "564d9bef-acd9-b4e0-c8f0-aea8b9103515",
        " 56 4d 9b ef ac d9 b4 e0 c8 f0 ae a8 b9 10 35 15",
    ];
    for text in variants {
        check(
            &[&format!("UUID.BIOS = \"{text}\"\n")],
            one(bios_uuid),
            two(bios_uuid, bios_uuid),
        );
        check(
            &[&format!("VC.UUID = \"{text}\"\n")],
            one(nil),
            one(bios_uuid),
        );
    }
}

#[test]
fn controllers_that_are_there() {
    for bus in ["scsi", "sata", "nvme"] {
        let lines = format!("{bus}1.present = \"true\"\n{bus}3.present = \"true\"");
        let part = format!(
            "<devices>\n<controller type='{bus}' index='1'/>\n<controller type='{bus}' index='3'/>\n<video>"
        );
        history(
            &lines,
            &[(V9_0, GivesNo("<controller")), (Newest, Gives(&part))],
        );
        history(
            &format!("{bus}1.present = \"false\"\n{bus}2.pciSlotNumber = \"32\""),
            &[(V9_0, GivesNo("<controller"))],
        );
        // Those below one with a disk are always there: in their places, and now at the end.
        let listed = |indices: [u32; 2]| {
            let rows = indices.map(|index| format!("type='{bus}' index='{index}'"));
            controllers(&rows.each_ref().map(String::as_str))
        };
        let disk = if bus == "sata" { "sata0:6" } else { "@1:0" }.replace('@', bus);
        let newest = if bus == "sata" { [0, 1] } else { [1, 0] };
        let (listed, newest) = (listed([0, 1]), listed(newest));
        let rows: &[_] = match bus {
            "nvme" => &[
                (V9_0, GivesNo("<controller")),
                (V11_5, Gives(&listed)),
                (Newest, Gives(&newest)),
            ],
            _ => &[(V9_0, Gives(&listed)), (Newest, Gives(&newest))],
        };
        history(&slot(&disk, IMAGE), rows);
    }
}

#[test]
fn the_order_of_controllers() {
    let lines = [
        slot("ide1:0", IMAGE),
        slot("nvme0:0", IMAGE),
        slot("sata0:0", IMAGE),
        slot("scsi0:0", IMAGE),
        "floppy0.present = \"true\"\nfloppy0.fileType = \"device\"\n".to_owned(),
    ];
    let [scsi, sata, nvme, fdc, ide] =
        ["scsi", "sata", "nvme", "fdc", "ide"].map(|kind| format!("type='{kind}' index='0'"));
    let old = controllers(&[&scsi, &sata, &fdc, &ide]);
    let v11_5 = controllers(&[&scsi, &sata, &fdc, &ide, &nvme]);
    let newest = controllers(&[&scsi, &sata, &nvme, &fdc, &ide]);
    history(
        &lines.concat(),
        &[
            (V9_0, Gives(&old)),
            (V11_5, Gives(&v11_5)),
            (Newest, Gives(&newest)),
        ],
    );
}

#[test]
fn pci_addresses() {
    for bus in ["scsi", "sata", "nvme"] {
        let bare = format!("<controller type='{bus}' index='0'/>");
        let lines = |number: &str| {
            format!(
                "{}{bus}0.PCISlotNumber = \"{number}\"",
                slot(&format!("{bus}0:0"), IMAGE)
            )
        };
        let since = |lines: &str, made: Made<'_>| {
            let rows = [(V9_0, Gives(&bare)), (Newest, made)];
            match bus {
                // Without disks on NVMe there is no controller for them either.
                "nvme" => history(
                    lines,
                    &[(V9_0, GivesNo("<controller")), (V11_5, rows[0].1), rows[1]],
                ),
                _ => history(lines, &rows),
            }
        };
        for (number, bus_number, slot_number, function) in [
            ("0", 0, 0, 0),
            ("16", 0, 0x10, 0),
            ("17", 0, 0x11, 0),
            ("31", 0, 0x1f, 0),
            ("32", 1, 0, 0),
            ("33", 1, 1, 0),
            ("34", 1, 2, 0),
            ("35", 1, 3, 0),
            ("160", 5, 0, 0),
            ("192", 6, 0, 0),
            ("224", 7, 0, 0),
            ("256", 8, 0, 0),
            ("1184", 5, 0, 1),
            ("1216", 6, 0, 1),
            ("1248", 7, 0, 1),
            ("1280", 8, 0, 1),
            ("2208", 5, 0, 2),
            ("2240", 6, 0, 2),
            ("8191", 0x1f, 0x1f, 7),
            ("8192", 0, 0, 0),
            ("4294967328", 1, 0, 0),
            ("-2", 0x1f, 0x1e, 7),
        ] {
            let address = format!(
                "<controller type='{bus}' index='0'>\n<address type='pci' domain='0x0000' \
                 bus='0x{bus_number:02x}' slot='0x{slot_number:02x}' function='0x{function}'/>\n\
                 </controller>"
            );
            since(&lines(number), Gives(&address));
        }
        for none in ["-1", "unlimited", "Unlimited"] {
            since(&lines(none), Gives(&bare));
        }
        let integer = format!(
            "internal error: Config entry '{bus}0.pciSlotNumber' must represent an integer value"
        );
        for bad in ["", "x", "0x20", "32 "] {
            since(&lines(bad), Refuses(&integer));
        }
    }
    // With a model; the one that its disks need besides has none.
    let lines = format!(
        "scsi1.virtualDev = \"pvscsi\"\nscsi1.pciSlotNumber = \"160\"\nscsi0.pciSlotNumber = \"16\"\n{}",
        slot("scsi1:0", IMAGE)
    );
    history(
        &lines,
        &[
            (
                V9_0,
                Gives(
                    "<controller type='scsi' index='0'/>\n<controller type='scsi' index='1' model='vmpvscsi'/>",
                ),
            ),
            (
                Newest,
                Gives(
                    "<controller type='scsi' index='1' model='vmpvscsi'>
                    <address type='pci' domain='0x0000' bus='0x05' slot='0x00' function='0x0'/>
                    </controller>
                    <controller type='scsi' index='0'/>",
                ),
            ),
        ],
    );
}

/// Devices with a PCI slot in the file but no address in the document.
#[test]
fn other_pci_slots() {
    let lines = [
        "ethernet0",
        "usb",
        "ehci",
        "usb_xhci",
        "sound",
        "vmci0",
        "hpet0",
        "nvdimm0",
        "pciBridge0",
    ]
    .map(|device| format!("{device}.pciSlotNumber = \"x\"\n"));
    history(
        &format!("ethernet0.present = \"true\"\n{}", lines.concat()),
        &[(V9_0, GivesNo("type='pci'"))],
    );
}

/// One machine with everything new, as each version reads it.
#[test]
fn one_file() {
    let lines = "\
virtualHW.version = \"20\"
uuid.bios = \"56 4d 9b ef ac d9 b4 e0-c8 f0 ae a8 b9 10 35 15\"
vc.uuid = \"50 01 00 00 00 00 00 00-00 00 00 00 00 00 00 02\"
guestOS = \"debian12-64\"
firmware = \"efi\"
uefi.secureBoot.enabled = \"TRUE\"
nvram = \"web.nvram\"
vtpm.present = \"TRUE\"
scsi0.present = \"TRUE\"
scsi0.virtualDev = \"pvscsi\"
scsi0.pciSlotNumber = \"32\"
sata0.present = \"TRUE\"
sata0.pciSlotNumber = \"34\"
nvme0.present = \"TRUE\"
nvme0.pciSlotNumber = \"35\"
nvme0:0.present = \"TRUE\"
nvme0:0.fileName = \"web.vmdk\"
";
    let head = |identity: &str, os: &str| {
        format!(
            "\
<domain type='vmware'>
<name>web</name>
{identity}<memory unit='KiB'>32768</memory>
<currentMemory unit='KiB'>32768</currentMemory>
<vcpu placement='static'>1</vcpu>
<os firmware='efi'>
<type arch='x86_64'>hvm</type>
{os}</os>
<clock offset='utc'/>
<on_poweroff>destroy</on_poweroff>
<on_reboot>restart</on_reboot>
<on_crash>destroy</on_crash>
<devices>
"
        )
    };
    let disk = format!(
        "<disk type='file' device='disk'>
<source file='[fast] web/web.vmdk'/>
{}
</disk>
",
        disk("nvme0n1", "nvme", 0, 0)
    );
    let bios = "<uuid>564d9bef-acd9-b4e0-c8f0-aea8b9103515</uuid>\n";
    let both = "<uuid>50010000-0000-0000-0000-000000000002</uuid>\n\
                <hwuuid>564d9bef-acd9-b4e0-c8f0-aea8b9103515</hwuuid>\n";
    let secure = "<firmware>
<feature enabled='yes' name='enrolled-keys'/>
<feature enabled='yes' name='secure-boot'/>
</firmware>
";
    let nvram = format!("{secure}<nvram>[fast] web/web.nvram</nvram>\n");
    let nvme = "<controller type='nvme' index='0'/>\n";
    let tpm = "<tpm model='tpm-crb'>\n<backend type='emulator' version='2.0'/>\n</tpm>\n";
    let end = "<video>
<model type='vmvga' vram='4096' primary='yes'/>
</video>
</devices>
</domain>";
    let present = [
        "scsi' index='0' model='vmpvscsi",
        "sata' index='0",
        "nvme' index='0",
    ]
    .into_iter()
    .zip(["00", "02", "03"])
    .map(|(controller, slot)| {
        format!(
            "<controller type='{controller}'>
<address type='pci' domain='0x0000' bus='0x01' slot='0x{slot}' function='0x0'/>
</controller>
"
        )
    })
    .collect::<String>();
    history(
        lines,
        &[
            (V9_0, Gives(&(head(bios, "") + end))),
            (V11_3, Gives(&(head(bios, secure) + end))),
            (
                V11_5,
                Gives(&[&head(bios, secure), &disk, nvme, end].concat()),
            ),
            (
                V12_4,
                Gives(&[&head(both, &nvram), &disk, nvme, tpm, end].concat()),
            ),
            (
                Newest,
                Gives(&[&head(both, &nvram), &disk, &present, tpm, end].concat()),
            ),
        ],
    );
}

/// What did not change.
#[test]
fn what_no_libvirt_does() {
    let error = "internal error: No yet handled value 'hostonly' for VMX entry \
                 'ethernet0.connectionType'";
    history(
        "ethernet0.present = \"true\"\nethernet0.connectionType = \"hostonly\"",
        &[(V9_0, Refuses(error))],
    );
    for ignored in [
        "usb.present = \"TRUE\"",
        "ehci.present = \"TRUE\"",
        "usb_xhci.present = \"TRUE\"",
        "sound.present = \"TRUE\"",
        "nvdimm0.present = \"TRUE\"\nnvdimm0:0.present = \"TRUE\"",
        "uuid.action = \"keep\"",
        "uuid.location = \"x\"",
    ] {
        history(ignored, &[(V9_0, Gives("<devices>\n<video>"))]);
    }
    history(
        "memsize = \"64\"\nmemsize = \"x\"",
        &[(V9_0, Gives("<memory unit='KiB'>65536</memory>"))],
    );
}
