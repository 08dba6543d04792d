//! Rare cases: every type of refused device, and a file with everything.

use virt_model::{Document, DomainDef};

use super::{check_with, format, refused, strict};

/// The file, or the error, for a document with these elements.
#[track_caller]
fn document(elements: &str) -> DomainDef {
    let found = DomainDef::from_xml(&format!(
        "<domain type='vmware'><name>web</name>
        <uuid>0a1b2c3d-4e5f-4071-8293-a4b5c6d7e8f9</uuid>
        <memory>8192</memory><os><type>hvm</type></os>{elements}</domain>"
    ));
    found.unwrap_or_else(|error| panic!("{error}\n{elements}"))
}

#[track_caller]
fn refuses(device: &str, message: &str) {
    let def = document(&format!("<devices>{device}</devices>"));
    refused(
        &strict(10),
        |simple| *simple = def,
        &format!("unsupported configuration: {message}"),
    );
}

#[test]
fn every_kind_of_screen() {
    for (kind, inside) in [
        ("sdl", ""),
        ("rdp", ""),
        ("desktop", ""),
        ("spice", ""),
        ("egl-headless", ""),
        ("dbus", ""),
    ] {
        refuses(
            &format!("<graphics type='{kind}'>{inside}</graphics>"),
            &format!("Unsupported graphics type '{kind}'"),
        );
    }
    // The first is accepted, the second is not.
    refuses(
        "<graphics type='vnc'/><graphics type='sdl'/>",
        "Unsupported graphics type 'sdl'",
    );
    for model in [
        "vga", "cirrus", "xen", "vbox", "virtio", "gop", "none", "bochs", "ramfb",
    ] {
        refuses(
            &format!("<video><model type='{model}'/></video>"),
            &format!("Unsupported video device type '{model}'"),
        );
    }
}

#[test]
fn every_kind_of_shared_folder() {
    for (kind, attribute) in [
        ("block", "dev"),
        ("file", "file"),
        ("template", "name"),
        ("ram", "usage"),
        ("bind", "dir"),
    ] {
        let value = if kind == "ram" { "1024" } else { "x" };
        refuses(
            &format!(
                "<filesystem type='{kind}'><source {attribute}='{value}'/><target dir='y'/></filesystem>"
            ),
            "Only 'mount' filesystem type is supported",
        );
    }
}

#[test]
fn every_kind_of_network_card() {
    let address = "address='192.0.2.1' port='1'";
    for (kind, source) in [
        ("ethernet", String::new()),
        ("server", format!("<source {address}/>")),
        ("client", format!("<source {address}/>")),
        ("mcast", format!("<source {address}/>")),
        (
            "udp",
            format!("<source {address}><local {address}/></source>"),
        ),
        ("network", "<source network='default'/>".to_owned()),
        ("internal", "<source name='x'/>".to_owned()),
        ("direct", "<source dev='eth0' mode='vepa'/>".to_owned()),
        ("vdpa", "<source dev='/dev/vhost-vdpa-0'/>".to_owned()),
    ] {
        refuses(
            &format!(
                "<interface type='{kind}'><mac address='00:0c:29:01:02:03'/>{source}</interface>"
            ),
            &format!("Unsupported net type '{kind}'"),
        );
    }
}

#[test]
fn every_kind_of_port() {
    for (kind, source) in [
        ("null", ""),
        ("vc", ""),
        ("pty", ""),
        ("stdio", ""),
        (
            "udp",
            "<source mode='bind' host='h' service='1'/><source mode='connect' host='h' service='2'/>",
        ),
        ("unix", "<source mode='bind' path='/x'/>"),
    ] {
        for port in ["serial", "parallel"] {
            refuses(
                &format!("<{port} type='{kind}'>{source}</{port}>"),
                &format!("Unsupported character device type '{kind}'"),
            );
        }
    }
    refuses(
        "<parallel type='tcp'><source mode='bind' host='h' service='1'/><protocol type='raw'/></parallel>",
        "Unsupported character device type 'tcp'",
    );
}

#[test]
fn every_cache_mode() {
    for cache in ["none", "writeback", "directsync", "unsafe"] {
        refuses(
            &format!(
                "<disk type='file' device='disk'><driver cache='{cache}'/>\
                 <source file='[fast] a.vmdk'/><target dev='sda' bus='scsi'/></disk>"
            ),
            &format!("scsi harddisk 'sda' has unsupported cache mode '{cache}'"),
        );
    }
}

#[test]
fn what_has_no_key() {
    let def = document(
        "<title>t</title><metadata/><features><acpi/></features>\
         <clock offset='localtime'/><on_poweroff>restart</on_poweroff>\
         <devices><emulator>/x</emulator><input type='mouse' bus='ps2'/>\
         <sound model='ac97'/><memballoon model='none'/>\
         <controller type='usb' index='0'/><controller type='pci' index='0' model='pci-root'/>\
         </devices>",
    );
    check_with(&strict(4), |simple| *simple = def, &[]);
}

/// Every line that libvirt writes, in its order.
#[test]
fn everything() {
    let def = DomainDef::from_xml(
        "<domain type='vmware'>
        <name>web</name>
        <uuid>0a1b2c3d-4e5f-4071-8293-a4b5c6d7e8f9</uuid>
        <description>text</description>
        <memory>16384</memory>
        <currentMemory>8192</currentMemory>
        <memtune><min_guarantee>4096</min_guarantee></memtune>
        <vcpu cpuset='0-1'>2</vcpu>
        <cputune><shares>4000</shares></cputune>
        <os firmware='efi'>
          <type arch='x86_64'>hvm</type>
          <nvram>[fast] web/web.nvram</nvram>
          <smbios mode='host'/>
        </os>
        <cpu><topology sockets='1' cores='2' threads='1'/></cpu>
        <devices>
          <disk type='file' device='floppy'>
            <source file='[fast] a.flp'/><target dev='fdb' bus='fdc'/>
          </disk>
          <disk type='file' device='cdrom'>
            <source file='[fast] a.iso'/><target dev='hdc' bus='ide'/>
          </disk>
          <disk type='file' device='disk'>
            <source file='[fast] b.vmdk'/><target dev='sdp' bus='scsi'/>
          </disk>
          <disk type='file' device='disk'>
            <driver cache='writethrough'/>
            <source file='[fast] a.vmdk'/><target dev='sda' bus='scsi'/>
          </disk>
          <controller type='scsi' index='1' model='lsilogic'/>
          <controller type='scsi' index='0' model='vmpvscsi'/>
          <filesystem type='mount'><source dir='/a'/><target dir='b'/></filesystem>
          <interface type='bridge'>
            <mac address='00:0c:29:01:02:03'/><source bridge='lab'/><model type='vmxnet2'/>
          </interface>
          <serial type='dev'><source path='/dev/ttyS0'/></serial>
          <parallel type='dev'><source path='/dev/lp0'/></parallel>
          <tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>
          <graphics type='vnc' port='5901'/>
          <video><model type='vmvga' vram='8192'/></video>
        </devices></domain>",
    )
    .unwrap();
    let bridges = (4..8).map(|number| {
        format!(
            "pciBridge{number}.present = \"true\"\npciBridge{number}.virtualDev = \"pcieRootPort\"\n\
             pciBridge{number}.functions = \"8\"\n"
        )
    });
    let expected = r#".encoding = "UTF-8"
config.version = "8"
virtualHW.version = "14"
guestOS = "other-64"
smbios.reflecthost = "true"
uuid.bios = "0a 1b 2c 3d 4e 5f 40 71-82 93 a4 b5 c6 d7 e8 f9"
displayName = "web"
annotation = "text"
memsize = "16"
sched.mem.max = "8"
sched.mem.minsize = "4"
numvcpus = "2"
cpuid.coresPerSocket = "2"
sched.cpu.affinity = "0,1"
sched.cpu.shares = "high"
RemoteDisplay.vnc.enabled = "true"
RemoteDisplay.vnc.port = "5901"
scsi0.present = "true"
scsi0.virtualDev = "pvscsi"
scsi1.present = "true"
scsi1.virtualDev = "lsilogic"
floppy1.present = "true"
floppy1.fileType = "file"
floppy1.fileName = "/vol/fast/a.flp"
ide1:0.present = "true"
ide1:0.deviceType = "cdrom-image"
ide1:0.fileName = "/vol/fast/a.iso"
scsi0:0.present = "true"
scsi0:0.deviceType = "scsi-hardDisk"
scsi0:0.fileName = "/vol/fast/a.vmdk"
scsi0:0.writeThrough = "true"
scsi1:0.present = "true"
scsi1:0.deviceType = "scsi-hardDisk"
scsi1:0.fileName = "/vol/fast/b.vmdk"
floppy0.present = "false"
isolation.tools.hgfs.disable = "false"
sharedFolder.maxNum = "1"
sharedFolder0.present = "true"
sharedFolder0.enabled = "true"
sharedFolder0.readAccess = "true"
sharedFolder0.writeAccess = "true"
sharedFolder0.hostPath = "/a"
sharedFolder0.guestName = "b"
ethernet0.present = "true"
ethernet0.virtualDev = "vmxnet"
ethernet0.features = "15"
ethernet0.networkName = "lab"
ethernet0.connectionType = "bridged"
ethernet0.addressType = "generated"
ethernet0.generatedAddress = "00:0c:29:01:02:03"
ethernet0.generatedAddressOffset = "0"
vtpm.present = "TRUE"
svga.vramSize = "8388608"
serial0.present = "true"
serial0.fileType = "device"
serial0.fileName = "/dev/ttyS0"
serial0.yieldOnMsrRead = "true"
parallel0.present = "true"
parallel0.fileType = "device"
parallel0.fileName = "/dev/lp0"
firmware = "efi"
nvram = "/vol/fast/web/web.nvram"
pciBridge0.present = "true"
"#;
    let expected = format!(
        "{expected}{}vmci0.present = \"true\"\n",
        bridges.collect::<String>()
    );
    assert_eq!(format(&def, &strict(14)).unwrap(), expected);
}
