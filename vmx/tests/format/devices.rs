use virt_model::domain::{
    CharDevice, CharSource, Filesystem, Graphics, Interface, InterfaceSource, Listen, MacType,
    SocketMode, TcpProtocol, VdsSource, Video, VideoModel,
};
use virt_model::{DomainDef, Uuid};
use vmx::LibvirtVersion;

use super::{as_libvirt, check, check_with};

pub(super) fn card(mac: &str, source: InterfaceSource) -> Interface {
    Interface {
        mac: Some(mac.parse().unwrap()),
        source,
        ..Interface::default()
    }
}

pub(super) fn bridge(name: &str) -> InterfaceSource {
    InterfaceSource::Bridge {
        bridge: name.to_owned(),
    }
}

pub(super) fn path(path: &str) -> Option<String> {
    Some(path.to_owned())
}

#[test]
fn vnc() {
    let enabled = r#"RemoteDisplay.vnc.enabled = "true""#;
    let svga = r#"svga.vramSize = "4194304""#;
    let add = |graphics: Graphics| move |def: &mut DomainDef| def.devices.graphics.push(graphics);
    let auto = || Graphics {
        autoport: true,
        ..Graphics::default()
    };
    check(add(auto()), &[enabled, svga]);
    check(
        add(Graphics {
            port: Some(5901),
            ..auto()
        }),
        &[enabled, svga],
    );
    check(
        add(Graphics {
            port: Some(5901),
            keymap: Some("de".to_owned()),
            passwd: Some("secret".to_owned()),
            listens: vec![
                Listen::Address {
                    address: Some("192.0.2.7".to_owned()),
                },
                Listen::Address {
                    address: Some("192.0.2.8".to_owned()),
                },
            ],
            ..Graphics::default()
        }),
        &[
            enabled,
            r#"RemoteDisplay.vnc.port = "5901""#,
            r#"RemoteDisplay.vnc.ip = "192.0.2.7""#,
            r#"RemoteDisplay.vnc.keymap = "de""#,
            r#"RemoteDisplay.vnc.password = "secret""#,
            svga,
        ],
    );
    check(
        |def| {
            for port in [5901, 5999] {
                let port = Some(port);
                def.devices.graphics.push(Graphics {
                    port,
                    listens: vec![Listen::Address { address: None }],
                    ..Graphics::default()
                });
            }
        },
        &[
            enabled,
            r#"RemoteDisplay.vnc.port = "5901""#,
            enabled,
            r#"RemoteDisplay.vnc.port = "5999""#,
            svga,
        ],
    );
}

#[test]
fn video() {
    for (model, vram, expected) in [
        (VideoModel::Vmvga, Some(8192), "8388608"),
        (VideoModel::Vmvga, None, "4194304"),
        (VideoModel::Vmvga, Some(0), "4194304"),
        (VideoModel::Default, Some(4096), "4194304"),
        // A power of two, then a multiple of 64.
        (VideoModel::Vmvga, Some(10000), "16777216"),
        (VideoModel::Vmvga, Some(20), "65536"),
    ] {
        let line = format!("svga.vramSize = \"{expected}\"");
        let video = Video {
            model,
            vram,
            heads: Some(1),
            ..Video::default()
        };
        check(|def| def.devices.videos.push(video), &[&line]);
    }
}

#[test]
fn shared_folders() {
    let folder = |source: &str, target: &str, readonly| Filesystem {
        source: path(source),
        target: target.to_owned(),
        readonly,
        ..Filesystem::default()
    };
    check(
        |def| {
            def.devices.filesystems = vec![
                folder("/srv/a", "first", false),
                folder("/srv/b", "second", true),
            ];
        },
        &[
            r#"isolation.tools.hgfs.disable = "false""#,
            r#"sharedFolder.maxNum = "2""#,
            r#"sharedFolder0.present = "true""#,
            r#"sharedFolder0.enabled = "true""#,
            r#"sharedFolder0.readAccess = "true""#,
            r#"sharedFolder0.writeAccess = "true""#,
            r#"sharedFolder0.hostPath = "/srv/a""#,
            r#"sharedFolder0.guestName = "first""#,
            r#"sharedFolder1.present = "true""#,
            r#"sharedFolder1.enabled = "true""#,
            r#"sharedFolder1.readAccess = "true""#,
            r#"sharedFolder1.writeAccess = "false""#,
            r#"sharedFolder1.hostPath = "/srv/b""#,
            r#"sharedFolder1.guestName = "second""#,
        ],
    );
}

/// Checks the lines of a network card behind its `present`.
#[track_caller]
fn check_card(interface: Interface, expected: &[&str]) {
    let mut lines = vec!["ethernet0.present = \"true\"".to_owned()];
    lines.extend(expected.iter().map(|line| format!("ethernet0.{line}")));
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    check(|def| def.devices.interfaces.push(interface), &lines);
}

const GENERATED: [&str; 3] = [
    r#"addressType = "generated""#,
    r#"generatedAddress = "00:0c:29:0a:0b:0c""#,
    r#"generatedAddressOffset = "0""#,
];

#[test]
fn connections() {
    let mac = "00:0c:29:0a:0b:0c";
    let [kind, address, offset] = GENERATED;
    check_card(card(mac, InterfaceSource::Null), &GENERATED);
    check_card(
        card(mac, InterfaceSource::User),
        &[r#"connectionType = "nat""#, kind, address, offset],
    );
    check_card(
        card(mac, bridge("VM Network")),
        &[
            r#"networkName = "VM Network""#,
            r#"connectionType = "bridged""#,
            kind,
            address,
            offset,
        ],
    );
    // A name that libvirt generated.
    let mut generated = card(mac, bridge("lab"));
    generated.target_dev = Some("vnet3".to_owned());
    check_card(
        generated,
        &[
            r#"networkName = "lab""#,
            r#"connectionType = "bridged""#,
            kind,
            address,
            offset,
        ],
    );
    let mut custom = card(mac, bridge("lab"));
    custom.target_dev = Some("vmnet3".to_owned());
    check_card(
        custom,
        &[
            r#"networkName = "lab""#,
            r#"connectionType = "custom""#,
            r#"vnet = "vmnet3""#,
            kind,
            address,
            offset,
        ],
    );
}

#[test]
fn distributed_switches() {
    let [kind, address, offset] = GENERATED;
    let add = |port_id, group: Option<&str>, connection_id| {
        let source = VdsSource {
            switch_id: Uuid::from_bytes([0x5a; 16]),
            port_id,
            portgroup_id: group.map(str::to_owned),
            connection_id,
            ..VdsSource::default()
        };
        card("00:0c:29:0a:0b:0c", InterfaceSource::Vds(source))
    };
    let switch = r#"dvs.switchId = "5a 5a 5a 5a 5a 5a 5a 5a-5a 5a 5a 5a 5a 5a 5a 5a""#;
    check_card(
        add(7, Some("group<&>"), -5),
        &[
            switch,
            r#"dvs.portId = "7""#,
            r#"dvs.portgroupId = "group&lt;&amp;&gt;""#,
            r#"dvs.connectionId = "-5""#,
            kind,
            address,
            offset,
        ],
    );
    check_card(add(0, None, 0), &[switch, kind, address, offset]);
    let old = [
        "present = \"true\"",
        switch,
        r#"dvs.portId = "0""#,
        r#"dvs.portgroupId = "group-1""#,
        r#"dvs.connectionId = "0""#,
        kind,
        address,
        offset,
    ]
    .map(|line| format!("ethernet0.{line}"));
    check_with(
        &as_libvirt(LibvirtVersion::V9_0, 4),
        |def| def.devices.interfaces.push(add(0, Some("group-1"), 0)),
        &old.iter().map(String::as_str).collect::<Vec<_>>(),
    );
}

#[test]
fn models() {
    for (model, lines) in [
        ("vlance", &[r#"virtualDev = "vlance""#][..]),
        ("vmxnet", &[r#"virtualDev = "vmxnet""#]),
        (
            "vmxnet2",
            &[r#"virtualDev = "vmxnet""#, r#"features = "15""#],
        ),
        ("VMXNET3", &[r#"virtualDev = "vmxnet3""#]),
        ("e1000", &[r#"virtualDev = "e1000""#]),
        ("e1000e", &[r#"virtualDev = "e1000e""#]),
        ("unknown", &[]),
    ] {
        let mut interface = card("00:0c:29:0a:0b:0c", InterfaceSource::Null);
        interface.model = Some(model.to_owned());
        check_card(interface, &[lines, &GENERATED].concat());
    }
}

#[test]
fn addresses() {
    use MacType::{Generated, Static};
    let generated = |mac: &str| {
        vec![
            r#"addressType = "generated""#.to_owned(),
            format!("generatedAddress = \"{mac}\""),
            r#"generatedAddressOffset = "0""#.to_owned(),
        ]
    };
    let vpx = |mac: &str| {
        vec![
            r#"addressType = "vpx""#.to_owned(),
            format!("generatedAddress = \"{mac}\""),
        ]
    };
    let fixed = |mac: &str| {
        vec![
            r#"addressType = "static""#.to_owned(),
            format!("address = \"{mac}\""),
        ]
    };
    for (mac, kind, check, expected) in [
        (
            "00:0c:29:01:02:03",
            None,
            None,
            (generated as fn(&str) -> _, None),
        ),
        ("00:0c:29:01:02:03", Some(Static), None, (fixed, None)),
        ("00:50:56:00:00:00", None, None, (fixed, None)),
        ("00:50:56:3f:ff:ff", None, None, (fixed, None)),
        (
            "00:50:56:3f:ff:ff",
            Some(Generated),
            None,
            (generated, None),
        ),
        ("00:50:56:40:00:00", None, None, (fixed, Some(false))),
        ("00:50:56:7f:ff:ff", None, None, (fixed, Some(false))),
        ("00:50:56:80:00:00", None, None, (vpx, None)),
        ("00:50:56:bf:ff:ff", None, None, (vpx, None)),
        ("00:50:56:bf:ff:ff", Some(Generated), None, (vpx, None)),
        ("00:50:56:bf:ff:ff", Some(Static), None, (fixed, None)),
        ("00:50:56:c0:00:00", None, None, (fixed, Some(false))),
        ("00:05:69:01:02:03", None, None, (fixed, Some(false))),
        ("52:54:00:01:02:03", None, None, (fixed, Some(false))),
        (
            "52:54:00:01:02:03",
            Some(Static),
            None,
            (fixed, Some(false)),
        ),
        (
            "52:54:00:01:02:03",
            Some(Generated),
            None,
            (generated, None),
        ),
        ("52:54:00:01:02:03", None, Some(true), (fixed, Some(true))),
        (
            "00:0c:29:01:02:03",
            None,
            Some(false),
            (generated, Some(false)),
        ),
        (
            "00:50:56:81:02:03",
            Some(Generated),
            Some(true),
            (vpx, Some(true)),
        ),
    ] {
        let mut interface = card(mac, InterfaceSource::Null);
        interface.mac_type = kind;
        interface.mac_check = check;
        let mut lines: Vec<String> = expected.0(mac);
        if let Some(check) = expected.1 {
            lines.push(format!("checkMACAddress = \"{check}\""));
        }
        check_card(
            interface,
            &lines.iter().map(String::as_str).collect::<Vec<_>>(),
        );
    }
    // VMware chooses one.
    check_card(Interface::default(), &[r#"addressType = "generated""#]);
}

#[test]
fn serial_ports() {
    let check_port = |source: CharSource, expected: &[&str]| {
        let mut lines = vec![r#"serial1.present = "true""#.to_owned()];
        lines.extend(expected.iter().map(|line| format!("serial1.{line}")));
        lines.push(r#"serial1.yieldOnMsrRead = "true""#.to_owned());
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        check(
            |def| def.devices.serials.push(CharDevice::new(source, 1)),
            &lines,
        );
    };
    check_port(
        CharSource::Dev {
            path: path("/dev/ttyS0"),
        },
        &[r#"fileType = "device""#, r#"fileName = "/dev/ttyS0""#],
    );
    check_port(
        CharSource::File {
            path: path("[fast] web/log"),
            append: Some(true),
        },
        &[r#"fileType = "file""#, r#"fileName = "/vol/fast/web/log""#],
    );
    check_port(
        CharSource::Pipe {
            path: path("/tmp/pipe"),
        },
        &[
            r#"fileType = "pipe""#,
            r#"pipe.endPoint = "client""#,
            r#"tryNoRxLoss = "false""#,
            r#"fileName = "/tmp/pipe""#,
        ],
    );
    for (protocol, scheme, mode, end) in [
        (TcpProtocol::Raw, "tcp", SocketMode::Bind, "server"),
        (TcpProtocol::Telnet, "telnet", SocketMode::Connect, "client"),
        (TcpProtocol::Telnets, "telnets", SocketMode::Bind, "server"),
        (TcpProtocol::Tls, "ssl", SocketMode::Connect, "client"),
    ] {
        check_port(
            CharSource::Tcp {
                mode,
                host: path("192.0.2.3"),
                service: path("4001"),
                protocol,
            },
            &[
                r#"fileType = "network""#,
                &format!("fileName = \"{scheme}://192.0.2.3:4001\""),
                &format!("network.endPoint = \"{end}\""),
            ],
        );
    }
}

#[test]
fn ports_without_a_number_follow_the_highest() {
    let device = |port| CharDevice {
        source: CharSource::Dev {
            path: path("/dev/x"),
        },
        target_port: port,
        ..CharDevice::default()
    };
    let mut def = super::simple();
    def.devices.serials = vec![device(Some(2)), device(None)];
    def.devices.parallels = vec![device(None), device(None)];
    let text = super::format(&def, &super::strict(4)).unwrap();
    let file = vmx::VmxFile::read(text).unwrap();
    for (key, expected) in [
        ("serial0.present", None),
        ("serial2.present", Some("true")),
        ("serial3.present", Some("true")),
        ("parallel0.present", Some("true")),
        ("parallel1.present", Some("true")),
        ("parallel2.present", None),
    ] {
        assert_eq!(file.get(key).as_deref(), expected, "{key}");
    }
}

#[test]
fn a_console_alone_is_a_serial_port() {
    let console = |target: Option<&str>| CharDevice {
        source: CharSource::Dev {
            path: path("/dev/x"),
        },
        target_type: target.map(str::to_owned),
        ..CharDevice::default()
    };
    let serial = [
        r#"serial0.present = "true""#,
        r#"serial0.fileType = "device""#,
        r#"serial0.fileName = "/dev/x""#,
        r#"serial0.yieldOnMsrRead = "true""#,
    ];
    check(|def| def.devices.consoles.push(console(None)), &serial);
    check(
        |def| def.devices.consoles.push(console(Some("serial"))),
        &serial,
    );
    check(
        |def| def.devices.consoles.push(console(Some("virtio"))),
        &[],
    );
    check(
        |def| {
            let mut other = console(Some("serial"));
            other.source = CharSource::Null;
            def.devices.consoles.push(other);
            def.devices.serials.push(console(None));
        },
        &serial,
    );
}

#[test]
fn parallel_ports() {
    check(
        |def| {
            def.devices.parallels = vec![
                CharDevice::new(
                    CharSource::Dev {
                        path: path("/dev/parport0"),
                    },
                    0,
                ),
                CharDevice::new(
                    CharSource::File {
                        path: path("[fast] web/paper"),
                        append: None,
                    },
                    2,
                ),
            ];
        },
        &[
            r#"parallel0.present = "true""#,
            r#"parallel0.fileType = "device""#,
            r#"parallel0.fileName = "/dev/parport0""#,
            r#"parallel2.present = "true""#,
            r#"parallel2.fileType = "file""#,
            r#"parallel2.fileName = "/vol/fast/web/paper""#,
        ],
    );
}
