//! Everything but disks.

use super::{gives, gives_as, gives_no};
use vmx::LibvirtVersion;

#[test]
fn vnc() {
    let lines = |rest: &str| {
        let rest = rest
            .split_terminator(';')
            .map(|line| format!("RemoteDisplay.vnc.{line}\n"));
        format!(
            "RemoteDisplay.vnc.enabled = \"TRUE\"\n{}",
            rest.collect::<String>()
        )
    };
    let listen = "<listen type='address'/>\n</graphics>";
    gives(
        &lines("port = \"5901\""),
        &format!("<graphics type='vnc' port='5901' autoport='no'>\n{listen}"),
    );
    for none in ["", "port = \"-1\"", "port = \"unlimited\""] {
        gives(
            &lines(none),
            &format!("<graphics type='vnc' port='-1' autoport='yes'>\n{listen}"),
        );
    }
    gives(
        &lines("port = \"80\";ip = \"192.0.2.1\";keyMap = \"de\";password = \"s<\""),
        "<graphics type='vnc' port='80' autoport='no' listen='192.0.2.1' keymap='de' passwd='s&lt;'>
        <listen type='address' address='192.0.2.1'/>
        </graphics>",
    );
    gives_no("RemoteDisplay.vnc.port = \"5901\"", "<graphics");
}

#[test]
fn video_memory() {
    for (bytes, kib) in [
        ("0", 4096),
        ("1", 1),
        ("1025", 2),
        ("4194304", 4096),
        ("5000000", 8192),
        ("268435456", 262_144),
        ("9223372036854775807", 1),
    ] {
        gives(
            &format!("svga.vramSize = \"{bytes}\""),
            &format!("<video>\n<model type='vmvga' vram='{kib}' primary='yes'/>\n</video>"),
        );
    }
}

#[test]
fn shared_folders() {
    let lines = |rest: &str| {
        format!(
            "isolation.tools.hgfs.disable = \"false\"\nsharedFolder.maxNum = \"2\"\n\
             sharedFolder1.present = \"true\"\nsharedFolder1.enabled = \"true\"\n\
             sharedFolder1.hostPath = \"/home/a & b\"\nsharedFolder1.guestName = \"docs\"\n{rest}"
        )
    };
    let start = "<filesystem type='mount' accessmode='passthrough'>
        <source dir='/home/a &amp; b'/>
        <target dir='docs'/>\n";
    gives(&lines(""), &format!("{start}<readonly/>\n</filesystem>"));
    gives(
        &lines("sharedFolder1.writeAccess = \"true\""),
        &format!("{start}</filesystem>"),
    );
    for off in [
        (
            "isolation.tools.hgfs.disable = \"false\"",
            "isolation.tools.hgfs.disable = \"true\"",
        ),
        ("isolation.tools.hgfs.disable = \"false\"", ""),
        ("maxNum = \"2\"", "maxNum = \"1\""),
        ("1.enabled = \"true\"", "1.enabled = \"false\""),
        ("sharedFolder1.present = \"true\"", ""),
    ] {
        gives_no(&lines("").replace(off.0, off.1), "<filesystem");
    }
}

/// A present card with these lines.
fn nic(lines: &[(&str, &str)]) -> String {
    let lines = lines
        .iter()
        .map(|(key, value)| format!("ethernet3.{key} = \"{value}\"\n"));
    format!(
        "ethernet3.present = \"true\"\n{}",
        lines.collect::<String>()
    )
}

#[test]
fn what_cards_are_connected_to() {
    let check = |lines: &[(&str, &str)], start: &str, source: &str| {
        gives(
            &nic(lines),
            &format!(
                "<interface type='{start}'>\n<mac address='00:00:00:00:00:00'/>\n{source}</interface>"
            ),
        );
    };
    let network = ("networkName", "VM & net");
    let bridge = "<source bridge='VM &amp; net'/>\n";
    check(&[], "null", "");
    check(&[network], "bridge", bridge);
    check(&[("connectionType", "Bridged"), network], "bridge", bridge);
    check(&[("connectionType", "NAT"), network], "user", "");
    check(
        &[("connectionType", "custom"), network, ("vnet", "vmnet3")],
        "bridge",
        &format!("{bridge}<target dev='vmnet3'/>\n"),
    );
}

#[test]
fn ports_of_distributed_switches() {
    let switch = (
        "dvs.switchId",
        "50 01 00 00 00 00 00 00-00 00 00 00 00 00 00 02",
    );
    let uuid = "50010000-0000-0000-0000-000000000002";
    let ids = [
        switch,
        ("dvs.portgroupId", "dvportgroup-7"),
        ("dvs.portId", "5"),
        ("dvs.connectionId", "-9"),
    ];
    let source = format!(
        "<source switchid='{uuid}' portid='5' portgroupid='dvportgroup-7' connectionid='-9'/>"
    );
    gives(&nic(&ids), &source);
    gives_as(LibvirtVersion::V9_0, &nic(&ids), &source);
    gives(
        &nic(&[switch]),
        &format!("<source switchid='{uuid}' portid='0' connectionid='0'/>"),
    );
    for (count, key) in [(1, "portgroupId"), (2, "portId"), (3, "connectionId")] {
        super::refuses_as(
            LibvirtVersion::V9_0,
            &nic(&ids[..count]),
            &format!("Missing essential config entry 'ethernet3.dvs.{key}'"),
        );
    }
}

#[test]
fn mac_addresses() {
    let check = |lines: &[(&str, &str)], mac: &str| {
        gives(
            &nic(lines),
            &format!("<interface type='null'>\n<mac address='{mac}/>"),
        );
    };
    let generated = ("generatedAddress", "00:0C:29:1:2:3");
    let address = ("address", "00:50:56:01:02:03");
    check(&[generated, address], "00:0c:29:01:02:03'");
    for kind in ["generated", "VPX"] {
        check(
            &[("addressType", kind), generated, address],
            "00:0c:29:01:02:03' type='generated'",
        );
        check(
            &[("addressType", kind)],
            "00:00:00:00:00:00' type='generated'",
        );
    }
    check(
        &[("addressType", "static"), generated, address],
        "00:50:56:01:02:03' type='static'",
    );
    check(
        &[("generatedAddress", "00:0c:29:01:02:03ä")],
        "00:0c:29:01:02:03'",
    );
    for (value, check_mac) in [
        ("true", "yes"),
        ("TRUE", "no"),
        ("false", "no"),
        ("x", "no"),
    ] {
        check(
            &[
                ("addressType", "static"),
                address,
                ("checkMACAddress", value),
            ],
            &format!("00:50:56:01:02:03' type='static' check='{check_mac}'"),
        );
    }
}

#[test]
fn models_of_cards() {
    for (model, features, expected) in [
        ("vlance", "15", "vlance"),
        ("VMXNET", "1", "vmxnet"),
        ("vmxnet", "15", "vmxnet2"),
        ("vmxnet3", "15", "vmxnet3"),
        ("E1000", "0", "e1000"),
        ("e1000e", "0", "e1000e"),
    ] {
        gives(
            &nic(&[("virtualDev", model), ("features", features)]),
            &format!("<model type='{expected}'/>"),
        );
    }
    gives_no(&nic(&[("features", "15")]), "<model type='vmx");
}

#[test]
fn cards_in_the_order_of_their_numbers() {
    let lines = "ethernet10.present = \"true\"\nethernet10.networkName = \"b\"\n\
                 ethernet2.present = \"true\"\nethernet2.networkName = \"a\"\n\
                 ethernet4000000.present = \"true\"\nethernet4000000.networkName = \"c\"\n\
                 ethernet03.present = \"true\"";
    let document = super::strict(lines, LibvirtVersion::Newest).unwrap();
    let bridges: Vec<_> = document.matches("<source bridge='").collect();
    assert_eq!(bridges.len(), 3, "{document}");
    let at = |name: &str| document.find(&format!("bridge='{name}'")).unwrap();
    assert!(at("a") < at("b") && at("b") < at("c"), "{document}");
}

#[test]
fn serial_ports() {
    let check = |lines: &[(&str, &str)], kind: &str, source: &str| {
        let lines = lines
            .iter()
            .map(|(key, value)| format!("serial2.{key} = \"{value}\"\n"));
        let lines = format!("serial2.present = \"true\"\n{}", lines.collect::<String>());
        gives(
            &lines,
            &format!(
                "<serial type='{kind}'>
                {source}<target port='2'/>
                </serial>
                <console type='{kind}'>
                {source}<target type='serial' port='2'/>
                </console>"
            ),
        );
    };
    check(&[], "dev", "");
    check(
        &[("fileName", "/dev/ttyS0")],
        "dev",
        "<source path='/dev/ttyS0'/>\n",
    );
    check(
        &[("fileType", "Device"), ("fileName", "COM1")],
        "dev",
        "<source path='COM1'/>\n",
    );
    check(
        &[("fileType", "FILE"), ("fileName", "out.txt")],
        "file",
        "<source path='[fast] web/out.txt'/>\n",
    );
    check(
        &[
            ("fileType", "pipe"),
            ("fileName", r"\\.\pipe\x"),
            ("pipe.endPoint", "client"),
        ],
        "pipe",
        "<source path='\\\\.\\pipe\\x'/>\n",
    );
    for (uri, end, mode, host, protocol) in [
        ("tcp://h:1", None, "bind", "h", "raw"),
        ("TCP4://h:1", Some("Server"), "bind", "h", "raw"),
        ("tcp6://[::1]:1", Some("client"), "connect", "::1", "raw"),
        ("//h:1", Some("client"), "connect", "h", "raw"),
        (
            "tcp://[fe80::1%eth0]:1",
            None,
            "bind",
            "fe80::1%eth0",
            "raw",
        ),
        ("tcp://h%00x:1", None, "bind", "h", "raw"),
        ("telnet://h:1", None, "bind", "h", "telnet"),
        ("telnets://h:1", None, "bind", "h", "telnets"),
        ("ssl://h:1", None, "bind", "h", "tls"),
        ("tcp+ssl://h:1", None, "bind", "h", "tls"),
        ("tcp4+ssl://h:1", None, "bind", "h", "tls"),
        ("tcp6+ssl://h:1", None, "bind", "h", "tls"),
    ] {
        let mut lines = vec![("fileType", "network"), ("fileName", uri)];
        lines.extend(end.map(|end| ("network.endPoint", end)));
        check(
            &lines,
            "tcp",
            &format!(
                "<source mode='{mode}' host='{host}' service='1'/>\n<protocol type='{protocol}'/>\n"
            ),
        );
    }
    for nowhere in ["tcp://h", "tcp://h:0", "h:1", "192.0.2.1:1", "", "a b"] {
        check(
            &[("fileType", "network"), ("fileName", nowhere)],
            "null",
            "",
        );
    }
}

#[test]
fn parallel_ports() {
    for (kind, name, source) in [
        (
            "device",
            "/dev/lp0",
            "<parallel type='dev'>\n<source path='/dev/lp0'/>",
        ),
        (
            "File",
            "out.txt",
            "<parallel type='file'>\n<source path='[fast] web/out.txt'/>",
        ),
    ] {
        gives(
            &format!(
                "parallel1.present = \"true\"\nparallel1.fileType = \"{kind}\"\nparallel1.fileName = \"{name}\""
            ),
            &format!("{source}\n<target port='1'/>\n</parallel>"),
        );
    }
}

#[test]
fn a_tpm() {
    gives(
        "vtpm.present = \"TRUE\"",
        "<tpm model='tpm-crb'>\n<backend type='emulator' version='2.0'/>\n</tpm>\n<video>",
    );
    gives_no("vtpm.present = \"FALSE\"", "<tpm");
}
