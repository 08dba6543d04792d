//! The files that each version of libvirt makes of one definition: every change since 9.0.0, before and
//! after it, and what no version writes.

use LibvirtVersion::{V9_0, V11_3, V11_5, V12_4};
use virt_model::DomainDef;
use virt_model::{Document, DomainXmlFlags};
use vmx::{LibvirtVersion, ParseOptions};

use super::{Host, as_libvirt, difference};

/// Checks the lines that an element of `<devices>` or of the domain adds. Each row holds from its
/// version on until the next row's. A single line is an error.
#[track_caller]
fn history(hardware: u32, elements: &str, rows: &[(LibvirtVersion, &[&str])]) {
    let def = document(elements);
    for libvirt in LibvirtVersion::ALL {
        let row = rows.iter().rfind(|row| row.0 <= libvirt).unwrap();
        let found = difference(&def, &as_libvirt(libvirt, hardware));
        let found = found.unwrap_or_else(|error| vec![error.to_string()]);
        assert_eq!(found, row.1, "libvirt {libvirt}\n{elements}");
    }
}

/// The smallest document with these elements.
fn document(elements: &str) -> DomainDef {
    let (domain, devices) = elements.split_once("<devices>").unwrap_or((elements, ""));
    let devices = devices.trim_end_matches("</devices>");
    let os = match domain.contains("<os") {
        true => "",
        false => "<os><type>hvm</type></os>",
    };
    DomainDef::from_xml(&format!(
        "<domain type='vmware'><name>web</name>
        <uuid>0a1b2c3d-4e5f-4071-8293-a4b5c6d7e8f9</uuid>
        <memory>8192</memory>{os}{domain}<devices>{devices}</devices></domain>"
    ))
    .unwrap()
}

fn efi(more: &str) -> String {
    format!("<os firmware='efi'><type arch='i686'>hvm</type>{more}</os>")
}

const EFI: &str = r#"firmware = "efi""#;

#[test]
fn clusters_of_processors() {
    let cpu = |clusters: u32| {
        format!(
            "<vcpu>4</vcpu><cpu><topology sockets='2' dies='1' clusters='{clusters}' cores='2' \
             threads='1'/></cpu>"
        )
    };
    let lines = [
        r#"numvcpus = "4""#,
        r#"cpuid.coresPerSocket = "2""#,
        r#"-numvcpus = "1""#,
    ];
    history(4, &cpu(1), &[(V9_0, &lines)]);
    let refused = "unsupported configuration: Only 1 cluster per die is supported";
    history(4, &cpu(2), &[(V9_0, &lines), (V11_3, &[refused])]);
}

#[test]
fn ports_of_distributed_switches() {
    let id = "5a5a5a5a-5a5a-5a5a-5a5a-5a5a5a5a5a5b";
    let port = |attributes: &str| {
        format!(
            "<devices><interface type='vds'><mac address='00:0c:29:0a:0b:0c'/>\
             <source switchid='{id}' {attributes}/></interface></devices>"
        )
    };
    let port_lines = |dvs: &[&str]| {
        let switch = r#"dvs.switchId = "5a 5a 5a 5a 5a 5a 5a 5a-5a 5a 5a 5a 5a 5a 5a 5b""#;
        let rest = [
            r#"addressType = "generated""#,
            r#"generatedAddress = "00:0c:29:0a:0b:0c""#,
            r#"generatedAddressOffset = "0""#,
        ];
        let lines = [&["present = \"true\"", switch], dvs, &rest].concat();
        lines
            .iter()
            .map(|line| format!("ethernet0.{line}"))
            .collect::<Vec<_>>()
    };
    let check = |attributes: &str, old: &[&str], new: &[&str]| {
        let (old, new) = (port_lines(old), port_lines(new));
        let [old, new] = [&old, &new].map(|lines| lines.iter().map(String::as_str).collect());
        let (old, new): (Vec<&str>, Vec<&str>) = (old, new);
        history(4, &port(attributes), &[(V9_0, &old), (V11_3, &new)]);
    };
    let (number, group, connection) = (
        r#"dvs.portId = "7""#,
        r#"dvs.portgroupId = "group-1""#,
        r#"dvs.connectionId = "-9""#,
    );
    let all = [number, group, connection];
    check(
        "portid='7' portgroupid='group-1' connectionid='-9'",
        &all,
        &all,
    );
    let (no_number, no_connection) = (r#"dvs.portId = "0""#, r#"dvs.connectionId = "0""#);
    check(
        "portid='0' portgroupid='group-1' connectionid='0'",
        &[no_number, group, no_connection],
        &[group],
    );
    let missing = "XML error: Missing required attribute 'portgroupid' in element 'source'";
    let new = port_lines(&[]);
    let new: Vec<&str> = new.iter().map(String::as_str).collect();
    history(4, &port(""), &[(V9_0, &[missing]), (V11_3, &new)]);
    check(
        "portid='7' portgroupid='group-1' connectionid='0'",
        &[number, group, no_connection],
        &[number, group],
    );
    check(
        "portid='0' portgroupid='group-1' connectionid='-9'",
        &[no_number, group, connection],
        &[group, connection],
    );
}

#[test]
fn secure_boot_is_not_written() {
    let features = "<firmware><feature enabled='yes' name='enrolled-keys'/>\
                    <feature enabled='yes' name='secure-boot'/></firmware>";
    history(13, &efi(features), &[(V9_0, &[EFI])]);
    history(13, &efi(""), &[(V9_0, &[EFI])]);
}

#[test]
fn nvram() {
    let line = r#"nvram = "/vol/fast/web/web.nvram""#;
    let nvram = "<nvram>[fast] web/web.nvram</nvram>";
    history(13, &efi(nvram), &[(V9_0, &[EFI]), (V12_4, &[EFI, line])]);
    let bios = format!("<os><type>hvm</type>{nvram}</os>");
    let firmwares = "no loader path specified and firmware auto selection disabled";
    history(13, &bios, &[(V9_0, &[firmwares]), (V12_4, &[line])]);
    // The line is left out without an error if the host has no name for the file.
    for gone in ["web.nvram", "[fast", ""] {
        let nvram = format!("<nvram>{gone}</nvram>");
        history(13, &efi(&nvram), &[(V9_0, &[EFI])]);
    }
    // It is the last line but for the bridges and VMCI.
    let text = super::format(&document(&efi(nvram)), &super::strict(7)).unwrap();
    let end = format!("{EFI}\n{line}\nvmci0.present = \"true\"\n");
    assert!(text.ends_with(&end), "{text}");
}

#[test]
fn virtual_tpms() {
    let tpm = |model: &str, backend: &str| format!("<tpm{model}><backend {backend}/></tpm>");
    let crb = " model='tpm-crb'";
    let two = "type='emulator' version='2.0'";
    let good = tpm(crb, two);
    let check = |hardware: u32, head: &str, devices: &str, refused: Option<&str>| {
        let efi: &[&str] = if head.is_empty() { &[] } else { &[EFI] };
        let text = refused.map(|text| format!("unsupported configuration: {text}"));
        let new = match &text {
            Some(text) => vec![text.as_str()],
            None => [&[r#"vtpm.present = "TRUE""#], efi].concat(),
        };
        let elements = format!("{head}<devices>{devices}</devices>");
        history(hardware, &elements, &[(V9_0, efi), (V12_4, &new)]);
    };
    let efi = &*efi("");
    check(14, efi, &good, None);
    check(21, efi, &good, None);
    let many = Some("VMware only supports a single TPM device");
    check(14, efi, &[&*good, &good].concat(), many);
    let hardware = Some("vTPM requires virtual hardware version 14 or higher");
    check(13, efi, &good, hardware);
    let firmware = Some("vTPM requires EFI firmware");
    check(14, "", &good, firmware);
    let kind = Some("VMware driver only supports TPM 2.0 with the CRB model");
    for other in [
        tpm(" model='tpm-tis'", two),
        tpm(" model='tpm-spapr'", two),
        tpm("", two),
        tpm(crb, "type='emulator' version='1.2'"),
        tpm(crb, "type='emulator'"),
        format!("<tpm{crb}><backend type='passthrough'><device path='/dev/tpm0'/></backend></tpm>"),
    ] {
        check(14, efi, &other, kind);
    }
    // The first one counts.
    let wrong = tpm(" model='tpm-tis'", two);
    check(13, "", &[&*wrong, &wrong].concat(), many);
    check(13, "", &wrong, hardware);
    check(14, "", &wrong, firmware);
    // It comes behind network cards and before the screen.
    let elements = format!(
        "{efi}<devices><interface type='user'><mac address='00:0c:29:0a:0b:0c'/></interface>\
         {good}<video><model type='vmvga'/></video></devices>"
    );
    let text = super::format(&document(&elements), &super::strict(14)).unwrap();
    let part = "generatedAddressOffset = \"0\"\nvtpm.present = \"TRUE\"\nsvga.vramSize";
    assert!(text.contains(part), "{text}");
}

#[test]
fn one_uuid_is_written() {
    let hwuuid = "<hwuuid>564d9bef-acd9-b4e0-c8f0-aea8b9103515</hwuuid>\
                  <genid>564d9bef-acd9-b4e0-c8f0-aea8b9103515</genid>";
    history(4, hwuuid, &[(V9_0, &[])]);
    // So a machine that goes there and back has its instance UUID as its BIOS's.
    let lines = "config.version = \"8\"\nvirtualHW.version = \"9\"\ndisplayName = \"web\"\n\
                 uuid.bios = \"56 4d 9b ef ac d9 b4 e0-c8 f0 ae a8 b9 10 35 15\"\n\
                 vc.uuid = \"50 01 00 00 00 00 00 00-00 00 00 00 00 00 00 02\"\n";
    let parsed = vmx::parse(lines, &Host, &ParseOptions::strict()).unwrap();
    let def = DomainDef::from_xml(&parsed.domain.to_xml(DomainXmlFlags::NONE)).unwrap();
    let text = super::format(&def, &super::strict(9)).unwrap();
    let file = vmx::VmxFile::read(text).unwrap();
    let bios = file.get("uuid.bios");
    let instance = "50 01 00 00 00 00 00 00-00 00 00 00 00 00 00 02";
    assert_eq!(bios.as_deref(), Some(instance));
    assert_eq!(file.get("vc.uuid"), None);
}

#[test]
fn controllers_without_disks_and_their_addresses_are_not_written() {
    let pci = |slot: u32| {
        format!("<address type='pci' domain='0x0000' bus='0x01' slot='0x0{slot}' function='0x0'/>")
    };
    let controllers = ["scsi", "sata", "nvme"].map(|kind| {
        format!(
            "<controller type='{kind}' index='0'>{}</controller>",
            pci(0)
        )
    });
    let elements = format!("<devices>{}</devices>", controllers.concat());
    let unknown = "XML error: Invalid value for attribute 'type' in element 'controller': 'nvme'.";
    history(20, &elements, &[(V9_0, &[unknown]), (V11_5, &[])]);
    let elements = elements.replace("type='nvme' index='0'", "type='sata' index='1'");
    history(20, &elements, &[(V9_0, &[])]);
    let disk = "<disk type='file' device='disk'><source file='[fast] a.vmdk'/>\
                <target dev='sda' bus='scsi'/></disk>";
    let elements = format!(
        "<devices>{disk}<controller type='scsi' index='0' model='vmpvscsi'>{}</controller></devices>",
        pci(0)
    );
    let lines = [
        r#"scsi0.present = "true""#,
        r#"scsi0.virtualDev = "pvscsi""#,
        r#"scsi0:0.present = "true""#,
        r#"scsi0:0.deviceType = "scsi-hardDisk""#,
        r#"scsi0:0.fileName = "/vol/fast/a.vmdk""#,
    ];
    history(4, &elements, &[(V9_0, &lines)]);
}

#[test]
fn disks_that_no_libvirt_writes() {
    let disk = |dev: &str, bus: &str, address: &str| {
        format!(
            "<devices><disk type='file' device='disk'><source file='[fast] a.vmdk'/>\
             <target dev='{dev}' bus='{bus}'/>{address}</disk></devices>"
        )
    };
    let drive = |controller: u32, unit: u32| {
        format!(
            "<address type='drive' controller='{controller}' bus='0' target='0' unit='{unit}'/>"
        )
    };
    let nvme = "unsupported configuration: Unsupported bus type 'nvme'";
    let unknown = "XML error: Invalid value for attribute 'bus' in element 'target': 'nvme'.";
    let sata = "unsupported configuration: Unsupported bus type 'sata'";
    history(
        20,
        &disk("nvme0n1", "nvme", &drive(0, 0)),
        &[(V9_0, &[unknown]), (V11_5, &[nvme])],
    );
    history(20, &disk("sda", "sata", &drive(0, 0)), &[(V9_0, &[sata])]);
    // Names are those of 16 units a controller on every hardware, and there are four of these.
    let differs = |address: &str, dev: &str| {
        format!("internal error: Disk address {address} doesn't match target device '{dev}'")
    };
    for (dev, controller, unit) in [("sdbl", 1, 0), ("sdbm", 1, 0), ("sdbl", 0, 64)] {
        let text = differs(&format!("{controller}:0:{unit}"), dev);
        history(
            20,
            &disk(dev, "scsi", &drive(controller, unit)),
            &[(V9_0, &[&text])],
        );
    }
    let far = "internal error: SCSI controller index 4 out of [0..3] range";
    history(20, &disk("sdbi", "scsi", ""), &[(V9_0, &[far])]);
}

#[test]
fn a_port_that_leads_nowhere() {
    let refused = "unsupported configuration: Unsupported character device type 'null'";
    for port in ["serial", "parallel"] {
        let elements = format!("<devices><{port} type='null'/></devices>");
        history(9, &elements, &[(V9_0, &[refused])]);
    }
}
