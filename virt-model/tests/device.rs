//! One device by itself: read by the name of its element, completed for a domain, checked, and written.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use virt_model::{
    Document, DomainDef, DomainXmlFlags,
    domain::{Defaults, Device},
};

/// Reads the device, and compares how it is written.
#[track_caller]
fn check(kind: &str, xml: &str) {
    let read = Device::read_xml(xml).unwrap();
    assert_eq!(read.unmodelled, Vec::<String>::new());
    assert_eq!(read.document.kind(), kind);
    assert_eq!(read.document.to_xml(DomainXmlFlags::NONE), xml);
}

#[test]
fn devices() {
    check(
        "disk",
        "<disk type='file' device='disk'>\n  <source file='[a] b.vmdk'/>\n  <target dev='sda' bus='scsi'/>\n</disk>\n",
    );
    check(
        "controller",
        "<controller type='scsi' index='1' model='lsilogic'/>\n",
    );
    check("controller", "<controller type='scsi' model='vmpvscsi'/>\n");
    check(
        "filesystem",
        "<filesystem type='mount' accessmode='passthrough'>\n  <source dir='/a'/>\n  <target dir='b'/>\n</filesystem>\n",
    );
    check(
        "interface",
        "<interface type='bridge'>\n  <source bridge='VM Network'/>\n  <alias name='ua-card'/>\n</interface>\n",
    );
    for port in ["serial", "parallel", "console"] {
        check(
            port,
            &format!("<{port} type='null'>\n  <target port='1'/>\n</{port}>\n"),
        );
    }
    check(
        "channel",
        "<channel type='spicevmc'>\n  <target type='virtio' name='a'/>\n</channel>\n",
    );
    check("input", "<input type='mouse' bus='usb'/>\n");
    check(
        "tpm",
        "<tpm model='tpm-crb'>\n  <backend type='emulator' version='2.0'/>\n</tpm>\n",
    );
    check("graphics", "<graphics type='sdl'/>\n");
    check("sound", "<sound model='ac97'/>\n");
    check(
        "video",
        "<video>\n  <model type='vmvga' vram='4096'/>\n</video>\n",
    );
    check(
        "hostdev",
        "<hostdev mode='subsystem' type='usb' managed='no'>\n  <source>\n    <vendor id='0x1234'/>\n  </source>\n</hostdev>\n",
    );
    check("memballoon", "<memballoon model='none'/>\n");
}

#[test]
fn devices_that_are_not_modelled_stay_as_they_are() {
    for xml in [
        "<watchdog model='ib700' action='poweroff'/>\n",
        "<rng model='virtio'>\n  <backend model='random'>/dev/random</backend>\n</rng>\n",
        "<channel type='dbus'>\n  <target type='virtio'/>\n</channel>\n",
    ] {
        let read = Device::read_xml(xml).unwrap();
        assert!(matches!(read.document, Device::Other(_)), "{xml}");
        assert_eq!(read.unmodelled, [format!("/{}", read.document.kind())]);
        assert_eq!(read.document.to_xml(DomainXmlFlags::NONE), xml);
    }
}

#[test]
fn what_of_a_device_is_not_modelled_is_named() {
    let xml = "<disk><source file='a'/><target dev='sda'/><iotune><read_bytes_sec>1</read_bytes_sec></iotune></disk>";
    assert_eq!(Device::read_xml(xml).unwrap().unmodelled, ["/disk/iotune"]);
}

#[track_caller]
fn check_error(xml: &str, expected: &str) {
    let error = Device::from_xml(xml).unwrap_err();
    assert_eq!(error.to_string(), expected, "{xml}");
}

#[test]
fn errors() {
    check_error("<foo/>", "internal error: unknown device type 'foo'");
    check_error("<domain/>", "internal error: unknown device type 'domain'");
    check_error("<none/>", "internal error: unknown device type 'none'");
    check_error(
        "<disk><source file='a'/></disk>",
        "missing target information for device a",
    );
    check_error(
        "<disk><target dev='sda'/></disk>",
        "missing source information for device sda",
    );
    check_error(
        "<tpm model='tpm-crb'/>",
        "XML error: missing TPM device backend",
    );
    assert!(Device::from_xml("<disk").is_err());
}

/// Completes a device of a domain that has these devices, and checks it.
#[track_caller]
fn check_completed(xml: &str, devices: &str, expected: Result<&str, &str>) {
    let def = DomainDef::from_xml(&format!(
        "<domain type='vmware'><name>n</name><memory>1</memory><os><type>hvm</type></os>\
         <devices>{devices}</devices></domain>"
    ));
    let mut device = Device::from_xml(xml).unwrap();
    let defaults = Defaults {
        scsi_units: 16,
        ..Defaults::default()
    };
    let done = device.post_parse(&def.unwrap(), &defaults);
    let found = match done.and_then(|()| device.validate(&defaults)) {
        Ok(()) => Ok(device.to_xml(DomainXmlFlags::NONE).replace("\n", "")),
        Err(error) => Err(error.to_string()),
    };
    let found = found.as_ref().map(String::as_str);
    assert_eq!(found.map_err(String::as_str), expected);
}

#[test]
fn devices_are_completed_and_checked() {
    check_completed(
        "<disk device='cdrom'><target dev='sdh'/></disk>",
        "",
        Ok(
            "<disk type='file' device='cdrom'>  <target dev='sdh' bus='scsi'/>  \
             <address type='drive' controller='0' bus='0' target='0' unit='8'/></disk>",
        ),
    );
    let controller = "<controller type='scsi'/>";
    let first = Ok("<controller type='scsi' index='0'/>");
    check_completed(controller, "", first);
    check_completed(controller, "<controller type='ide' index='3'/>", first);
    check_completed(
        controller,
        "<controller type='scsi' index='3'/><controller type='scsi'/>",
        Ok("<controller type='scsi' index='5'/>"),
    );
    check_completed(
        "<video/>",
        "",
        Ok("<video>  <model type='default'/></video>"),
    );
    check_completed(
        "<disk device='cdrom'><target dev='x' bus='scsi'/></disk>",
        "",
        Err("XML error: Unknown disk name 'x' and no address specified"),
    );
    check_completed(
        "<disk device='floppy'><target dev='sda' bus='fdc'/></disk>",
        "",
        Err("internal error: Invalid floppy device name: sda"),
    );
    check_completed(
        "<interface type='user'><model type='no such'/></interface>",
        "",
        Err("invalid argument: Model name contains invalid characters"),
    );
    check_completed(
        "<serial type='file'/>",
        "",
        Err("internal error: Missing source path attribute for char device"),
    );
}
