//! What definitions have beyond libvirt's files: it is kept, or told.

use virt_model::{Document as _, DomainDef};
use vmx::names::Folder;
use vmx::{FormatOptions, Mode, ParseOptions};

/// A definition with these elements, and devices.
fn definition(elements: &str, devices: &str) -> DomainDef {
    let uuid = match elements.contains("<uuid>") {
        true => "",
        false => "<uuid>0a1b2c3d-4e5f-4071-8293-a4b5c6d7e8f9</uuid>",
    };
    let os = match elements.contains("<os") {
        true => "",
        false => "<os><type arch='x86_64'>hvm</type></os>",
    };
    DomainDef::from_xml(&format!(
        "<domain type='vmware'><name>web</name>{uuid}<memory unit='MiB'>512</memory>{os}{elements}\
         <devices>{devices}</devices></domain>"
    ))
    .unwrap()
}

/// Checks that the file has the line, that it comes back, and that nothing is told.
#[track_caller]
fn keeps(elements: &str, devices: &str, line: &str) {
    let def = definition(elements, devices);
    let options = FormatOptions::new(13);
    let made = vmx::to_file(&def, &Folder::default(), &options).unwrap();
    assert!(
        made.text.lines().any(|found| found == line),
        "no {line} in\n{}",
        made.text
    );
    assert_eq!(made.warnings, [], "{}", made.text);
    assert_eq!(
        vmx::format(&def, &Folder::default(), &options).unwrap(),
        made.text
    );
    let again = vmx::to_domain(made.text.clone()).unwrap();
    let once_more = vmx::format(&again.domain, &Folder::default(), &options).unwrap();
    // Every machine that is read has a video card.
    let lines = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| !line.starts_with("svga."));
        let mut lines: Vec<_> = lines.map(str::to_owned).collect();
        // Disks are written in the definition's order, and read in that of their places.
        lines.sort();
        lines
    };
    assert_eq!(lines(&once_more), lines(&made.text));
}

/// Checks that something of the definition is told, by its line, and nothing else.
#[track_caller]
fn tells(elements: &str, devices: &str, words: &[&str]) {
    let def = definition(elements, devices);
    let made = vmx::to_file(&def, &Folder::default(), &FormatOptions::new(13)).unwrap();
    let told: Vec<_> = made.warnings.iter().map(ToString::to_string).collect();
    for word in words {
        assert!(
            told.iter().any(|told| told.contains(word)),
            "no {word} in {told:?}"
        );
    }
    assert_eq!(told.len(), words.len(), "{told:#?}");
    // libvirt tells nothing.
    let strict = FormatOptions::new(13).mode(Mode::Strict);
    if let Ok(made) = vmx::to_file(&def, &Folder::default(), &strict) {
        assert_eq!(made.warnings, []);
    }
}

const UUID: &str = "<uuid>0a1b2c3d-4e5f-4071-8293-a4b5c6d7e8f9</uuid>";
const EFI: &str = "<os firmware='efi'><type arch='x86_64'>hvm</type>";

fn disk(bus: &str, dev: &str, more: &str) -> String {
    format!(
        "<disk type='file' device='disk'>{more}<source file='/a.vmdk'/><target dev='{dev}' bus='{bus}'/></disk>"
    )
}

fn card(more: &str) -> String {
    format!(
        "<interface type='bridge'><mac address='00:0c:29:01:02:03'/><source bridge='lan'/>{more}</interface>"
    )
}

#[test]
fn what_vmx_files_have_keys_for_is_kept() {
    let ids = format!("{UUID}<hwuuid>564d9758-35de-1c97-1d0b-14e4db018fed</hwuuid>");
    keeps(
        &ids,
        "",
        "uuid.bios = \"56 4d 97 58 35 de 1c 97-1d 0b 14 e4 db 01 8f ed\"",
    );
    keeps(
        &ids,
        "",
        "vc.uuid = \"0a 1b 2c 3d 4e 5f 40 71-82 93 a4 b5 c6 d7 e8 f9\"",
    );
    let id = "<genid>13c67c91-9f47-526f-b0d6-e4dd2e4bb4f9</genid>";
    keeps(id, "", "vm.genid = \"1424963296993694319\"");
    keeps(id, "", "vm.genidX = \"-5704120239402535687\"");
    let secure = format!(
        "{EFI}<firmware><feature enabled='yes' name='enrolled-keys'/><feature enabled='yes' name='secure-boot'/></firmware></os>"
    );
    keeps(&secure, "", "uefi.secureBoot.enabled = \"TRUE\"");
    let cached = disk("ide", "hda", "<driver cache='writethrough'/>");
    keeps("", &cached, "ide0:0.writeThrough = \"true\"");
    keeps(
        "",
        &disk("scsi", "sda", "<shareable/>"),
        "scsi0:0.sharing = \"multi-writer\"",
    );
    keeps(
        "",
        "<disk type='file' device='disk'><source file='stick.vmdk'/><target dev='sda' bus='usb'/></disk>",
        "usb_xhci:0.fileName = \"stick.vmdk\"",
    );
    keeps(
        "",
        &card("<link state='down'/>"),
        "ethernet0.startConnected = \"false\"",
    );
    keeps(
        "<os><type arch='x86_64'>hvm</type><boot dev='cdrom'/><boot dev='network'/></os>",
        "",
        "bios.bootOrder = \"cdrom,net\"",
    );
    keeps(
        "<clock offset='variable' adjustment='3600' basis='utc'/>",
        "",
        "rtc.diffFromUTC = \"3600\"",
    );
    keeps(
        "<clock offset='absolute' start='1700000000'/>",
        "",
        "rtc.startTime = \"1700000000\"",
    );
    let video = "<video><model type='vmvga' vram='4096' primary='yes'><acceleration accel3d='yes'/></model></video>";
    keeps("", video, "mks.enable3d = \"TRUE\"");
    keeps(
        "<os firmware='efi'><type arch='aarch64'>hvm</type></os>",
        "",
        "guestOS = \"arm-other-64\"",
    );
    keeps(
        "",
        "<interface type='null'><mac address='00:0c:29:01:02:03'/></interface>",
        "ethernet0.vnet = \"\"",
    );
    let controller = |kind: &str, more: &str| {
        format!(
            "<controller type='{kind}' index='1'{more}><address type='pci' domain='0x0000' bus='0x05' slot='0x01' function='0x1'/></controller>"
        )
    };
    for (kind, more) in [
        ("scsi", " model='vmpvscsi'"),
        ("scsi", ""),
        ("sata", ""),
        ("nvme", ""),
    ] {
        let line = format!("{kind}1.pciSlotNumber = \"1185\"");
        keeps("", &controller(kind, more), &line);
        let line = format!("{kind}1.present = \"true\"");
        keeps("", &controller(kind, more), &line);
    }
    keeps(
        "",
        "<controller type='scsi' index='2' model='lsilogic'/>",
        "scsi2.virtualDev = \"lsilogic\"",
    );
    keeps(
        "<clock offset='utc'><timer name='hpet' present='no'/></clock>",
        "",
        "hpet0.present = \"FALSE\"",
    );
    let none = "<video><model type='none' primary='yes'/></video>";
    let def = definition("", none);
    let made = vmx::to_file(&def, &Folder::default(), &FormatOptions::new(13)).unwrap();
    assert!(made.text.contains("svga.present = \"FALSE\"\n"));
    assert_eq!(made.warnings, []);
    let again = vmx::to_domain(made.text).unwrap();
    assert_eq!(again.domain.devices.videos, def.devices.videos);
    let on_sata = "<disk type='file' device='disk'><source file='/a.vmdk'/><target dev='sda' bus='sata'/></disk>\
                   <disk type='file' device='disk'><source file='/b.vmdk'/><target dev='sdb' bus='scsi'/>\
                   <address type='drive' controller='0' bus='0' target='0' unit='0'/></disk>";
    keeps("", on_sata, "bios.hddOrder = \"sata0:0\"");
    for port in ["serial", "parallel"] {
        let null = format!("<{port} type='null'><target port='0'/></{port}>");
        keeps("", &null, &format!("{port}0.fileType = \"device\""));
    }
    keeps(
        "<os><type arch='x86_64'>hvm</type><boot dev='hd'/></os>",
        "",
        "guestOS = \"other-64\"",
    );
}

#[test]
fn what_vmx_files_have_no_place_for_is_told() {
    tells(
        "<title>a title</title>",
        "",
        &["<title>a title</title> has no place"],
    );
    tells(
        "<features><acpi/><pae/></features>",
        "",
        &["<acpi/>", "<pae/>"],
    );
    tells(
        "<on_crash>restart</on_crash>",
        "",
        &["<on_crash>restart</on_crash> is <on_crash>destroy</on_crash>"],
    );
    tells(
        "<clock offset='localtime'/>",
        "",
        &["<clock offset='localtime'/> is <clock offset='utc'/>"],
    );
    tells(
        "<memtune><hard_limit unit='KiB'>1000000</hard_limit></memtune>",
        "",
        &["hard_limit"],
    );
    tells(
        "",
        &disk("scsi", "sda", "<serial>x</serial>"),
        &["<serial>x</serial>"],
    );
    tells("", &card("<mtu size='9000'/>"), &["<mtu size='9000'/>"]);
    tells("", "<sound model='ich6'/>", &["<sound model='ich6'/>"]);
    tells(
        "",
        "<input type='tablet' bus='usb'/>",
        &["<input type='tablet' bus='usb'/>"],
    );
    tells(
        "",
        "<channel type='unix'><target type='virtio' name='x'/></channel>",
        &["<channel type='unix'>"],
    );
    tells(
        "",
        "<controller type='scsi' index='2' model='virtio-scsi'/>",
        &["<controller type='scsi' index='2' model='virtio-scsi'"],
    );
    tells(
        "",
        "<controller type='scsi' index='0'><address type='pci' domain='0x0000' bus='0x20' slot='0x01' function='0x0'/></controller>",
        &["<address type='pci' domain='0x0000' bus='0x20'"],
    );
    tells(
        "",
        "<controller type='sata' index='4'/>",
        &["<controller type='sata' index='4'"],
    );
    tells(
        "<clock offset='utc'><timer name='tsc' present='no'/></clock>",
        "",
        &["<timer name='tsc' present='no'/>"],
    );
    tells(
        "",
        &(card("") + &card("<link state='down'/><mtu size='9000'/>").replace("03", "04")),
        &["mtu"],
    );
}

/// Whatever a file gives comes back without anything being told.
#[test]
fn files_that_were_read_lose_nothing() {
    let text = r#"
config.version = "8"
virtualHW.version = "19"
guestOS = "ubuntu-64"
uuid.bios = "56 4d 97 58 35 de 1c 97-1d 0b 14 e4 db 01 8f ed"
vc.uuid = "0a 1b 2c 3d 4e 5f 40 71-82 93 a4 b5 c6 d7 e8 f9"
vm.genid = "-1"
vm.genidX = "2"
displayName = "web"
memsize = "2048"
numvcpus = "4"
cpuid.coresPerSocket = "2"
firmware = "efi"
uefi.secureBoot.enabled = "TRUE"
bios.bootOrder = "cdrom,hdd"
scsi0.present = "TRUE"
scsi0.virtualDev = "pvscsi"
scsi0:0.present = "TRUE"
scsi0:0.fileName = "/a.vmdk"
scsi0:0.sharing = "multi-writer"
sata0.present = "TRUE"
sata0:0.present = "TRUE"
sata0:0.deviceType = "cdrom-image"
sata0:0.fileName = "/b.iso"
sata0:7.present = "TRUE"
sata0:7.fileName = "/c.vmdk"
ethernet0.present = "TRUE"
ethernet0.virtualDev = "vmxnet3"
ethernet0.networkName = "lan"
ethernet0.addressType = "vpx"
ethernet0.generatedAddress = "00:50:56:9b:5f:0d"
ethernet0.startConnected = "FALSE"
serial0.present = "TRUE"
serial0.fileType = "network"
serial0.fileName = "telnet://:2001"
vtpm.present = "TRUE"
"#;
    let parsed = vmx::parse(text, &Folder::default(), &ParseOptions::default()).unwrap();
    assert_eq!(parsed.warnings, []);
    let made = vmx::to_file(&parsed.domain, &Folder::default(), &FormatOptions::new(19)).unwrap();
    assert_eq!(made.warnings, []);
    let again = vmx::to_domain(made.text).unwrap();
    assert_eq!(again.domain, parsed.domain);
}
