//! Every device in the form that libvirt writes: all of it is modelled, and it is written with the same
//! bytes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use virt_model::{Document, DomainDef, DomainXmlFlags};

/// A document with these devices, whose lines are indented by two levels.
fn around(devices: &str) -> String {
    let devices: String = devices
        .lines()
        .map(|line| format!("    {line}\n"))
        .collect();
    format!(
        "<domain type='vmware'>
  <name>shelf</name>
  <memory unit='KiB'>65536</memory>
  <currentMemory unit='KiB'>65536</currentMemory>
  <vcpu placement='static'>1</vcpu>
  <os>
    <type>hvm</type>
  </os>
  <clock offset='utc'/>
  <on_poweroff>destroy</on_poweroff>
  <on_reboot>restart</on_reboot>
  <on_crash>destroy</on_crash>
  <devices>
{devices}  </devices>
</domain>
"
    )
}

#[track_caller]
fn check(devices: &str) {
    let document = around(devices);
    let read = DomainDef::read_xml(&document).unwrap();
    assert_eq!(read.unmodelled, Vec::<String>::new());
    let written = read.document.to_xml(DomainXmlFlags::SECURE);
    assert_eq!(written, document);
    assert_eq!(DomainDef::from_xml(&written).unwrap(), read.document);
}

/// Like `check`, for a document in which libvirt writes defaults that the input lacks.
#[track_caller]
fn check_written(devices: &str, flags: DomainXmlFlags, expected: &str) {
    let read = DomainDef::read_xml(&around(devices)).unwrap();
    assert_eq!(read.unmodelled, Vec::<String>::new());
    assert_eq!(read.document.to_xml(flags), around(expected));
}

#[test]
fn no_devices() {
    check("");
}

#[test]
fn disks() {
    check(
        "\
<emulator>/opt/machine</emulator>
<disk type='file' device='disk' model='virtio-transitional' sgio='filtered' snapshot='external'>
  <driver name='tape' type='vmdk' cache='writethrough' error_policy='stop' rerror_policy='report' io='native' discard='unmap' detect_zeroes='on'/>
  <source file='[shelf] books/a &amp; b.vmdk' startupPolicy='optional'/>
  <geometry cyls='16383' heads='16' secs='63' trans='lba'/>
  <blockio logical_block_size='512' physical_block_size='4096'/>
  <target dev='sda' bus='scsi' removable='on' rotation_rate='7200'/>
  <readonly/>
  <shareable/>
  <transient/>
  <serial>S-0815</serial>
  <wwn>5000c50015ea71ad</wwn>
  <vendor>ACME</vendor>
  <product>ROTOR</product>
  <boot order='2'/>
  <alias name='ua-books'/>
  <address type='drive' controller='1' bus='2' target='3' unit='4'/>
</disk>
<disk type='block' device='lun'>
  <source startupPolicy='requisite'/>
  <target dev='hdc' bus='ide'/>
</disk>",
    );
    check(
        "<disk type='dir' device='floppy'>\n  <source dir='/srv/floppy'/>\n  <target dev='fda' bus='fdc' tray='open'/>\n</disk>",
    );
    check(
        "<disk type='block' device='cdrom'>\n  <source dev='/dev/sr0'/>\n  <target dev='hda' bus='ide'/>\n</disk>",
    );
    check("<disk type='file' device='cdrom'>\n  <target dev='hda' bus='ide'/>\n</disk>");
    check(
        "\
<disk type='network' device='disk'>
  <source protocol='nbd' name='books' query='a=b'>
    <host name='library.example' port='10809' transport='tcp'/>
    <host transport='unix' socket='/run/nbd'/>
  </source>
  <target dev='vda' bus='virtio'/>
</disk>
<disk type='volume' device='disk'>
  <source pool='shelf' volume='books' mode='host'/>
  <target dev='nvme0n1' bus='nvme'/>
</disk>",
    );
}

#[test]
fn drives_without_a_source() {
    let without = "<disk type='file' device='cdrom'>\n  <target dev='hda' bus='ide'/>\n</disk>";
    for kind in ["file", "block", "network", "nvme"] {
        check_written(
            &format!("<disk type='{kind}' device='cdrom'><target dev='hda'/></disk>"),
            DomainXmlFlags::NONE,
            without,
        );
    }
    check(
        "<disk type='block' device='cdrom'>\n  <target dev='hda' bus='ide'/>\n</disk>"
            .replace(
                "  <target",
                "  <source startupPolicy='optional'/>\n  <target",
            )
            .as_str(),
    );
    for kind in ["block", "dir", "volume"] {
        check_written(
            &format!("<disk type='{kind}' device='cdrom'><source/><target dev='hda'/></disk>"),
            DomainXmlFlags::NONE,
            &without.replace("'file'", &format!("'{kind}'")),
        );
    }
}

#[test]
fn the_disks_of_a_bus_are_together_and_in_order() {
    let order = |disks: &[(&str, &str)]| -> Vec<String> {
        let disks = disks
            .iter()
            .map(|(dev, bus)| format!("<disk><source file='a'/><target dev='{dev}'{bus}/></disk>"));
        let document = around(&disks.collect::<String>());
        let disks = DomainDef::from_xml(&document).unwrap().devices.disks;
        disks.into_iter().map(|disk| disk.target.dev).collect()
    };
    let (scsi, ide) = (" bus='scsi'", " bus='ide'");
    assert_eq!(
        order(&[
            ("sdb", scsi),
            ("hdc", ide),
            ("sdaa", scsi),
            ("sda", scsi),
            ("hda", ide)
        ]),
        ["sda", "sdb", "sdaa", "hda", "hdc"]
    );
    // libvirt finds the bus in the name only after it has sorted the disks.
    assert_eq!(
        order(&[("sdb", scsi), ("hdc", ""), ("sdc", ""), ("sda", "")]),
        ["sdb", "sda", "hdc", "sdc"]
    );
}

#[test]
fn devices_of_several_elements_are_together() {
    let disk = |dev: &str| {
        format!(
            "<disk type='file' device='disk'>\n  <source file='a'/>\n  <target dev='{dev}' bus='ide'/>\n</disk>"
        )
    };
    check_written(
        &format!("{}</devices><devices>{}", disk("hdb"), disk("hda")),
        DomainXmlFlags::NONE,
        &format!("{}\n{}", disk("hda"), disk("hdb")),
    );
}

#[test]
fn disks_say_little() {
    for (dev, bus) in [
        ("sda", "scsi"),
        ("hdb", "ide"),
        ("vda", "virtio"),
        ("xvda", "xen"),
        ("ubda", "uml"),
        ("nvme0n1", "nvme"),
    ] {
        check_written(
            &format!("<disk><source file='a'/><target dev='{dev}'/></disk>"),
            DomainXmlFlags::NONE,
            &format!(
                "<disk type='file' device='disk'>\n  <source file='a'/>\n  <target dev='{dev}' bus='{bus}'/>\n</disk>"
            ),
        );
    }
}

#[test]
fn controllers() {
    check(
        "\
<controller type='scsi' index='0' model='vmpvscsi'>
  <address type='pci' domain='0x0000' bus='0x01' slot='0x1f' function='0x7' multifunction='on'/>
</controller>
<controller type='virtio-serial' index='0' ports='16' vectors='4'/>
<controller type='pci' index='2' model='pcie-root-port'>
  <model name='pcie-root-port'/>
  <target chassis='2' port='0x10'/>
</controller>
<controller type='usb' index='1' model='ich9-uhci1'>
  <alias name='ua-usb'/>
  <master startport='2'/>
  <address type='pci' domain='0x0000' bus='0x00' slot='0x1d' function='0x0'/>
</controller>",
    );
    check_written(
        "<controller type='sata' index='4'/><controller type='sata'/><controller type='ide'/>",
        DomainXmlFlags::NONE,
        "<controller type='sata' index='4'/>\n<controller type='sata' index='5'/>\n<controller type='ide' index='0'/>",
    );
}

#[test]
fn filesystems() {
    check(
        "\
<filesystem type='mount' accessmode='passthrough'>
  <driver type='path'/>
  <source dir='/srv/books'/>
  <target dir='books'/>
  <readonly/>
</filesystem>
<filesystem type='block'>
  <source dev='/dev/sdb'/>
  <target dir='tape'/>
</filesystem>
<filesystem type='file'>
  <source file='/srv/image'/>
  <target dir='image'/>
</filesystem>
<filesystem type='template'>
  <source name='plain'/>
  <target dir='/'/>
</filesystem>",
    );
}

#[test]
fn interfaces() {
    check(
        "\
<interface type='bridge'>
  <mac address='00:0c:29:01:02:03' type='static' check='no'/>
  <source bridge='Reading Room'/>
  <virtualport type='openvswitch'>
    <parameters profileid='quiet' interfaceid='09b11c53-8b5c-4eeb-8f00-d84eaa0aaa4f'/>
  </virtualport>
  <port isolated='yes'/>
  <script path='/bin/up'/>
  <target dev='vnet1'/>
  <model type='vmxnet3'/>
  <link state='down'/>
  <mtu size='9000'/>
  <boot order='1'/>
</interface>
<interface type='null'>
  <mac address='00:0c:29:01:02:04'/>
</interface>
<interface type='user'/>
<interface type='vds'>
  <source switchid='503426b2-0000-1111-2222-87bfff4a5440' portid='0' connectionid='-7'/>
</interface>
<interface type='network'>
  <source network='default' portgroup='quiet'/>
</interface>
<interface type='direct'>
  <source dev='eth0' mode='vepa'/>
</interface>
<interface type='server'>
  <source address='127.0.0.1' port='5558'/>
</interface>
<interface type='client'>
  <source address='127.0.0.1' port='5558'/>
</interface>
<interface type='mcast'>
  <source address='230.0.0.1' port='5558'/>
</interface>
<interface type='server'>
  <source port='5558'/>
</interface>
<interface type='udp'>
  <source address='127.0.0.1' port='5558'>
    <local address='127.0.0.1' port='-1'/>
  </source>
</interface>
<interface type='vhostuser'>
  <source type='unix' path='/run/port' mode='server'/>
  <model type='virtio'/>
</interface>
<interface type='internal'>
  <source name='loft'/>
</interface>
<interface type='vdpa'>
  <source dev='/dev/vhost-vdpa-0'/>
</interface>",
    );
}

#[test]
fn ports() {
    check(
        "\
<serial type='file'>
  <source path='/tmp/s0' append='on'/>
  <target type='isa-serial' port='0'>
    <model name='isa-serial'/>
  </target>
</serial>
<serial type='tcp'>
  <source mode='bind' host='0.0.0.0' service='telnet'/>
  <protocol type='telnet'/>
  <target port='1'/>
</serial>
<serial type='udp'>
  <source mode='bind' host='127.0.0.1' service='1'/>
  <source mode='connect' host='127.0.0.1' service='2'/>
  <target port='2'/>
</serial>
<serial type='nmdm'>
  <source master='/dev/nmdm0A' slave='/dev/nmdm0B'/>
  <target port='3'/>
</serial>
<parallel type='dev'>
  <source path='/dev/lp0'/>
  <target port='0'/>
</parallel>
<parallel type='null'/>
<console type='pipe'>
  <source path='/tmp/pipe'/>
  <target type='serial' port='0'/>
</console>
<console type='stdio'>
  <target type='virtio' port='1'/>
</console>
<channel type='unix'>
  <source mode='bind' path='/run/agent'/>
  <target type='virtio' name='org.example.0'/>
  <address type='virtio-serial' controller='0' bus='0' port='1'/>
</channel>
<channel type='spicevmc'>
  <target type='virtio'/>
</channel>
<channel type='spiceport'>
  <source channel='org.example.1'/>
  <target type='virtio'/>
</channel>",
    );
    // The path of a pseudo terminal is not part of the inactive document.
    let pty = "<serial type='pty'>\n  <source path='/dev/pts/3'/>\n  <target port='0'/>\n</serial>";
    check(pty);
    check_written(
        pty,
        DomainXmlFlags::INACTIVE,
        "<serial type='pty'>\n  <target port='0'/>\n</serial>",
    );
}

#[test]
fn inputs_and_sound() {
    check(
        "\
<input type='tablet' bus='usb' model='virtio'>
  <address type='usb' bus='0' port='1'/>
</input>
<input type='mouse'/>
<sound model='ich9'/>",
    );
}

#[test]
fn trusted_platform_modules() {
    check(
        "\
<tpm model='tpm-crb'>
  <backend type='emulator' version='2.0' persistent_state='yes'/>
</tpm>
<tpm>
  <backend type='passthrough'>
    <device path='/dev/tpm0'/>
  </backend>
</tpm>
<tpm>
  <backend type='external'/>
</tpm>",
    );
}

#[test]
fn graphics() {
    check(
        "\
<graphics type='vnc' port='5903' autoport='no' websocket='5700' listen='10.0.0.1' keymap='de' sharePolicy='ignore' passwd='sesame' passwdValidTo='2030-01-01T00:00:00'>
  <listen type='address' address='10.0.0.1'/>
</graphics>
<graphics type='vnc' port='-1' autoport='yes'>
  <listen type='address'/>
</graphics>
<graphics type='vnc' port='5904' autoport='no'>
  <listen type='none'/>
</graphics>
<graphics type='rdp' port='0' autoport='yes' listen='10.0.0.2'>
  <listen type='network' address='10.0.0.2' network='default'/>
</graphics>
<graphics type='spice' port='1' tlsPort='2' autoport='no'>
  <listen type='socket' socket='/run/spice'/>
</graphics>
<graphics type='sdl'/>",
    );
}

#[test]
fn graphics_of_a_running_domain() {
    check_written(
        "<graphics type='vnc' port='5903' autoport='yes'>
  <listen type='network' address='10.0.0.2' network='default'/>
</graphics>",
        DomainXmlFlags::INACTIVE,
        "<graphics type='vnc' port='-1' autoport='yes'>
  <listen type='network' network='default'/>
</graphics>",
    );
}

#[test]
fn graphics_say_little() {
    check_written(
        "<graphics type='vnc'/>",
        DomainXmlFlags::NONE,
        "<graphics type='vnc' port='-1' autoport='yes'>\n  <listen type='address'/>\n</graphics>",
    );
    check_written(
        "<graphics type='vnc' port='5900' listen='10.0.0.1'/>",
        DomainXmlFlags::NONE,
        "<graphics type='vnc' port='5900' autoport='no' listen='10.0.0.1'>\n  <listen type='address' address='10.0.0.1'/>\n</graphics>",
    );
}

#[test]
fn passwords_are_secrets() {
    let graphics = "<graphics type='vnc' port='5900' passwd='sesame'/>";
    let def = DomainDef::from_xml(&around(graphics)).unwrap();
    assert!(def.to_xml(DomainXmlFlags::SECURE).contains("sesame"));
    assert!(!def.to_xml(DomainXmlFlags::NONE).contains("sesame"));
    assert!(!format!("{def:?}").contains("sesame"));
}

#[test]
fn videos() {
    check(
        "\
<video>
  <model type='vmvga' vram='8192' primary='yes'/>
</video>
<video>
  <model type='qxl' ram='65536' vram='65536' vram64='0' vgamem='16384' heads='2'>
    <acceleration accel3d='yes' accel2d='no'/>
  </model>
  <address type='pci' domain='0x0000' bus='0x00' slot='0x02' function='0x0'/>
</video>",
    );
}

#[test]
fn host_devices_and_the_balloon() {
    check(
        "\
<hostdev mode='subsystem' type='pci' managed='yes'>
  <source>
    <address domain='0x0000' bus='0x06' slot='0x02' function='0x1'/>
  </source>
  <boot order='1'/>
</hostdev>
<hostdev mode='subsystem' type='usb' managed='no'>
  <source>
    <vendor id='0x1234'/>
    <product id='0x00ef'/>
    <address bus='1' device='3'/>
  </source>
</hostdev>
<memballoon model='virtio' autodeflate='on'>
  <stats period='10'/>
</memballoon>",
    );
}

#[test]
fn aliases_of_a_running_domain() {
    let input =
        |alias| format!("<input type='mouse' bus='ps2'>\n  <alias name='{alias}'/>\n</input>");
    check(&input("input0"));
    check_written(
        &input("input0"),
        DomainXmlFlags::INACTIVE,
        "<input type='mouse' bus='ps2'/>",
    );
    check_written(
        &input("ua-mine"),
        DomainXmlFlags::INACTIVE,
        &input("ua-mine"),
    );
}
