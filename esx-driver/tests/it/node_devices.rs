//! Devices of a host.

use esx_driver::{
    Connect, ErrorKind, NodeDevice, What,
    virt_model::{
        flags::NodeDeviceFilter,
        node_device::{NodeDeviceCapability, NodeDeviceCapabilityType},
    },
};
use esx_sim::Simulator;
use vi_types::{
    Poly,
    objects::{
        HostFibreChannelHba, HostFibreChannelTargetTransport, HostGraphicsInfo, HostHostBusAdapter,
        HostPciDevice, HostScsiTopologyInterface, HostScsiTopologyTarget,
    },
    properties::HostSystem,
};

use crate::{methods, open, text};

const READ: [&str; 1] = ["RetrievePropertiesEx"];

/// The devices below `parent`, each with as many spaces as it is deep.
fn tree(devices: &[NodeDevice], parent: Option<&str>, depth: usize, lines: &mut Vec<String>) {
    for device in devices {
        if device.parent() == parent {
            lines.push(format!("{}{}", " ".repeat(depth), device.name()));
            tree(devices, Some(device.name()), depth + 1, lines);
        }
    }
}

fn change(simulator: &Simulator, connect: &Connect, change: impl Fn(&mut HostSystem)) {
    simulator.change(crate::host_of(connect), change).unwrap();
}

/// A host with a graphics card that it knows as one.
async fn host() -> (Simulator, Connect) {
    let (simulator, connect) = crate::host().await;
    change(&simulator, &connect, |host| {
        host.config.as_mut().unwrap().graphics_info = vec![HostGraphicsInfo {
            pci_id: "0000:3b:00.0".to_owned(),
            ..HostGraphicsInfo::default()
        }];
    });
    simulator.clear_requests();
    (simulator, connect)
}

async fn device(connect: &Connect, name: &str) -> NodeDevice {
    connect.node_device_lookup_by_name(name).await.unwrap()
}

const GRAPHICS: &str = "pci_0000_3b_00_0";

#[tokio::test]
async fn all_is_one_tree() {
    let (simulator, connect) = host().await;
    let devices = connect
        .list_all_node_devices(NodeDeviceFilter::NONE)
        .await
        .unwrap();
    assert_eq!(methods(&simulator), READ);
    let mut lines = Vec::new();
    tree(&devices, None, 0, &mut lines);
    assert_eq!(lines.len(), devices.len(), "{lines:#?}");
    assert_eq!(lines[0], "computer");
    for line in [
        " pci_0000_00_17_0",
        "  scsi_host0",
        "   scsi_target0_0_0",
        "    scsi_0_0_0_0",
        " pci_0000_00_1c_1",
        "  pci_0000_3b_00_0",
        "   drm_card0",
        " pci_0000_00_1c_0",
        "  pci_0000_02_00_0",
    ] {
        assert!(
            lines.iter().any(|found| found == line),
            "{line} in {lines:#?}"
        );
    }
    let below = |start: &str| lines.iter().any(|line| line.starts_with(start));
    assert!(
        below("   net_vmnic0_") && below("     block_"),
        "{lines:#?}"
    );
    for device in &devices {
        assert!(device.is_active() && device.is_persistent() && device.autostart());
        assert!(!device.capabilities().is_empty());
    }
}

#[tokio::test]
async fn filters_and_names() {
    let (simulator, connect) = host().await;
    let list = connect
        .list_all_node_devices(NodeDeviceFilter::CAP_SYSTEM)
        .await
        .unwrap();
    assert_eq!(list.len(), 1);
    let none = connect
        .list_all_node_devices(NodeDeviceFilter::INACTIVE)
        .await
        .unwrap();
    assert!(none.is_empty());
    simulator.clear_requests();
    let names = connect.node_list_devices(Some("drm")).await.unwrap();
    assert_eq!(names, ["drm_card0"]);
    assert_eq!(methods(&simulator), READ);
    assert_eq!(connect.node_num_of_devices(Some("flux")).await.unwrap(), 0);
    let all = connect.node_list_devices(None).await.unwrap();
    assert_eq!(connect.node_num_of_devices(None).await.unwrap(), all.len());
    let error = connect
        .node_device_lookup_by_name("drm_card1")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound(What::NodeDevice));
    assert_eq!(
        error.to_string(),
        "Node device not found: no node device with matching name 'drm_card1'"
    );
    assert!(error.advice().unwrap().contains("drm_card0"));
    for name in ["pci/0000", "pci%2f0000", "pci 0000", "設備\"'<"] {
        let error = connect.node_device_lookup_by_name(name).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound(What::NodeDevice));
        assert!(error.message().contains(name), "{error}");
    }
}

#[tokio::test]
async fn documents() {
    let (simulator, connect) = host().await;
    let graphics = device(&connect, GRAPHICS).await;
    simulator.clear_requests();
    assert_eq!(
        graphics.xml_desc().await.unwrap(),
        "\
<device>
  <name>pci_0000_3b_00_0</name>
  <parent>pci_0000_00_1c_1</parent>
  <capability type='pci'>
    <class>0x030200</class>
    <domain>0</domain>
    <bus>59</bus>
    <slot>0</slot>
    <function>0</function>
    <product id='0x1eb8'>TU104GL [Tesla T4]</product>
    <vendor id='0x10de'>NVIDIA Corporation</vendor>
  </capability>
</device>
"
    );
    assert_eq!(methods(&simulator), READ);
    let system = device(&connect, "computer")
        .await
        .definition()
        .await
        .unwrap();
    let NodeDeviceCapability::System(system) = &system.capabilities[0] else {
        panic!("{system:?}");
    };
    assert!(system.product.is_some() && system.hardware.vendor.is_some());
    let disks = connect
        .list_all_node_devices(NodeDeviceFilter::CAP_STORAGE)
        .await
        .unwrap();
    let disk = disks[0].definition().await.unwrap();
    let NodeDeviceCapability::Storage(storage) = &disk.capabilities[0] else {
        panic!("{disk:?}");
    };
    assert_eq!(storage.drive_type.as_deref(), Some("disk"));
    assert_eq!(
        storage.size,
        storage.logical_block_size * storage.num_blocks
    );
    assert!(storage.size > 0);
    // A removed device.
    change(&simulator, &connect, |host| {
        host.hardware.as_mut().unwrap().pci_device.clear()
    });
    assert_eq!(
        text(graphics.xml_desc().await),
        format!("Node device not found: no node device with matching name '{GRAPHICS}'")
    );
    // What was on it is not lost.
    assert_eq!(
        device(&connect, "drm_card0").await.parent(),
        Some("computer")
    );
}

#[tokio::test]
async fn fibre_channel() {
    let (simulator, connect) = host().await;
    change(&simulator, &connect, |host| {
        let storage = host
            .config
            .as_mut()
            .unwrap()
            .storage_device
            .as_mut()
            .unwrap();
        storage
            .host_bus_adapter
            .push(Poly::new(HostFibreChannelHba {
                base: HostHostBusAdapter {
                    key: Some("fc".to_owned()),
                    device: "vmhba7".to_owned(),
                    pci: Some("0000:ff:00.0".to_owned()),
                    ..HostHostBusAdapter::default()
                },
                node_world_wide_name: 0x2000_0090_fa53_4c5d,
                port_world_wide_name: -0x0fff_ff6f_05ac_b3a3,
                ..HostFibreChannelHba::default()
            }));
        let topology = storage.scsi_topology.get_or_insert_default();
        topology.adapter.push(HostScsiTopologyInterface {
            adapter: "fc".to_owned(),
            target: vec![HostScsiTopologyTarget {
                key: "key-vim.host.ScsiTopology.Target-vmhba7:1:2".to_owned(),
                target: 2,
                transport: Some(Poly::new(HostFibreChannelTargetTransport {
                    port_world_wide_name: 0x50,
                    ..HostFibreChannelTargetTransport::default()
                })),
                ..HostScsiTopologyTarget::default()
            }],
            ..HostScsiTopologyInterface::default()
        });
    });
    let (node, port) = ("20000090FA534C5D", "f0000090fa534c5d");
    let found = connect
        .node_device_lookup_scsi_host_by_wwn(node, port)
        .await
        .unwrap();
    assert_eq!(found.name(), "scsi_host7");
    // The PCI device is none of the host's.
    assert_eq!(found.parent(), Some("computer"));
    assert_eq!(
        found.capabilities(),
        [
            NodeDeviceCapabilityType::ScsiHost,
            NodeDeviceCapabilityType::FcHost
        ]
    );
    let missing = connect
        .node_device_lookup_scsi_host_by_wwn(node, node)
        .await;
    assert_eq!(
        missing.unwrap_err().kind(),
        ErrorKind::NotFound(What::NodeDevice)
    );
    let target = device(&connect, "scsi_target7_1_2").await;
    let xml = target.xml_desc().await.unwrap();
    assert!(xml.contains("<wwpn>0000000000000050</wwpn>"), "{xml}");
}

/// Whatever a server says, it is a tree.
#[tokio::test]
async fn strange_servers() {
    let (simulator, connect) = host().await;
    change(&simulator, &connect, |host| {
        let pci = |id: &str, bridge: &str| HostPciDevice {
            id: id.to_owned(),
            parent_bridge: Some(bridge.to_owned()),
            ..HostPciDevice::default()
        };
        let devices = &mut host.hardware.as_mut().unwrap().pci_device;
        devices.push(pci("0000:a0:00.0", "0000:a1:00.0"));
        devices.push(pci("0000:a1:00.0", "0000:a0:00.0"));
        devices.push(pci("0000:a2:00.0", "0000:a2:00.0"));
        devices.push(pci("0000:a2:00.0", ""));
        devices.push(pci("日本/%2f'", "\u{0}"));
    });
    let devices = connect
        .list_all_node_devices(NodeDeviceFilter::NONE)
        .await
        .unwrap();
    let mut lines = Vec::new();
    tree(&devices, None, 0, &mut lines);
    assert_eq!(lines.len(), devices.len(), "{lines:#?}");
    for device in devices {
        device.definition().await.unwrap();
    }
    // No storage, no network, no hardware.
    change(&simulator, &connect, |host| {
        host.hardware = None;
        host.config = None;
    });
    let names = connect.node_list_devices(None).await.unwrap();
    assert_eq!(names, ["computer"]);
}

#[tokio::test]
async fn detach_and_reattach() {
    let (simulator, connect) = host().await;
    let graphics = device(&connect, GRAPHICS).await;
    simulator.clear_requests();
    let state = graphics.detach(None).await.unwrap();
    assert!(state.is_enabled && !state.is_active && state.needs_reboot());
    let change_and_look = [
        "RetrievePropertiesEx",
        "UpdatePassthruConfig",
        "RetrievePropertiesEx",
    ];
    assert_eq!(methods(&simulator), change_and_look);
    simulator.clear_requests();
    // It is done already.
    assert_eq!(graphics.detach(Some("pciPassthru")).await.unwrap(), state);
    assert_eq!(methods(&simulator), READ);
    // The host was rebooted.
    change(&simulator, &connect, |host| {
        for info in &mut host.config.as_mut().unwrap().pci_passthru_info {
            info.passthru_active = info.passthru_enabled;
        }
    });
    let xml = graphics.xml_desc().await.unwrap();
    assert!(xml.contains("<name>pciPassthru</name>"), "{xml}");
    assert!(!graphics.passthrough().await.unwrap().needs_reboot());
    simulator.clear_requests();
    let state = graphics.re_attach().await.unwrap();
    assert!(!state.is_enabled);
    assert_eq!(methods(&simulator), change_and_look);

    let bridge = device(&connect, "pci_0000_00_1c_1").await;
    let error = bridge.detach(None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("pci_0000_00_1c_1"), "{error}");
    assert_eq!(
        text(graphics.detach(Some("vfio")).await),
        "invalid argument: unknown driver name 'vfio'"
    );
    let card = device(&connect, "drm_card0").await;
    for failed in [card.detach(None).await, card.re_attach().await] {
        assert_eq!(
            text(failed),
            "invalid argument: Device drm_card0 is not a PCI device"
        );
    }
    assert_eq!(graphics.reset().unwrap_err().kind(), ErrorKind::Unsupported);
}

/// Each version that changes what a host tells of its devices. A server refuses what it does not know.
#[tokio::test]
async fn old_servers() {
    for (version, requests) in [("2.5", 1), ("4.0", 2), ("5.1", 2), ("5.5", 1), ("8.0", 1)] {
        let simulator = Simulator::esx().api_version(version).unwrap().build();
        let connect = open(&simulator, "esx://h/").await.unwrap();
        simulator.clear_requests();
        let devices = connect
            .list_all_node_devices(NodeDeviceFilter::NONE)
            .await
            .unwrap();
        assert_eq!(methods(&simulator).len(), requests, "{version:?}");
        let has = |name: &str| devices.iter().any(|device| device.name() == name);
        assert!(has(GRAPHICS), "{version:?}");
        let graphics = device(&connect, GRAPHICS).await;
        let detached = graphics.detach(None).await;
        match connect.client().api_version().at_least(4, 0) {
            true => assert!(detached.unwrap().is_enabled),
            false => assert_eq!(detached.unwrap_err().kind(), ErrorKind::Unsupported),
        }
    }
}
