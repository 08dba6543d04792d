//! Interfaces: lists, lookups, documents and changes.

use esx_driver::{
    Connect, Error, ErrorKind, FolderStore, Interface, OpenOptions, Operation, What,
    auth::AuthFileSearch,
    vi_client::transport::InProcess,
    virt_model::{
        Document as _, InterfaceDef, NetworkDef,
        flags::{
            InterfaceDefineFlags, InterfaceFilter, InterfaceXmlFlags, NetworkDefineFlags,
            NetworkXmlFlags,
        },
        interface::ProtocolFamily,
        network::PortGroup,
    },
};
use esx_sim::Simulator;
use vi_types::{objects::HostNetworkInfo, properties::HostSystem};

use crate::{credentials, methods, open};

async fn connect(simulator: &Simulator) -> esx_driver::Connect {
    open(simulator, "esx://esx.example.com/").await.unwrap()
}

#[tokio::test]
async fn cards_and_interfaces_of_the_kernel_are_found() {
    let simulator = Simulator::esx().build();
    let connect = connect(&simulator).await;
    let names = connect.list_interfaces().await.unwrap();
    assert!(names.contains(&"vmnic0".to_owned()), "{names:?}");
    assert!(names.contains(&"vmk0".to_owned()), "{names:?}");
    assert_eq!(connect.num_of_interfaces().await.unwrap(), names.len());
    assert_eq!(connect.num_of_defined_interfaces(), 0);
    assert!(connect.list_defined_interfaces().is_empty());
    let none = connect.list_all_interfaces(InterfaceFilter::INACTIVE).await;
    assert!(none.unwrap().is_empty());
    let by_name = connect.interface_lookup_by_name("VMNIC0").await.unwrap();
    assert_eq!(by_name.name(), "vmnic0");
    assert!(by_name.is_active());
    let mac = by_name.mac().unwrap().to_uppercase();
    let by_mac = connect.interface_lookup_by_mac_string(&mac).await.unwrap();
    assert_eq!(by_mac.name(), "vmnic0");
}

#[tokio::test]
async fn what_is_not_there_is_named() {
    let simulator = Simulator::esx().build();
    let connect = connect(&simulator).await;
    for name in ["vmnic99", "a/b", "a%2fb", "\u{7db2} 1'\""] {
        let error = connect.interface_lookup_by_name(name).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound(What::Interface));
        let expected =
            format!("Interface not found: Could not find physical NIC with name '{name}'");
        assert!(error.to_string().starts_with(&expected), "{error}");
    }
    let error = connect
        .interface_lookup_by_mac_string("x")
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("with MAC address 'x'"),
        "{error}"
    );
}

#[tokio::test]
async fn an_interface_of_the_kernel_is_changed() {
    let simulator = Simulator::esx().build();
    let connect = connect(&simulator).await;
    let before = connect.interface_lookup_by_name("vmk0").await.unwrap();
    let before = before.definition().await.unwrap();
    let ip = &before.protocol(ProtocolFamily::Ipv4).unwrap().ips[0];
    let document = format!(
        "<interface type='ethernet' name='vmk0'><mtu size='9000'/><protocol family='ipv4'>\
           <ip address='{}' prefix='16'/></protocol></interface>",
        ip.address
    );
    let changed = connect.interface_define_xml(&document, InterfaceDefineFlags::NONE);
    let after: InterfaceDef = changed.await.unwrap().definition().await.unwrap();
    assert_eq!(after.mtu, 9000);
    assert_eq!(
        after.protocol(ProtocolFamily::Ipv4).unwrap().ips[0].prefix,
        16
    );
    assert_eq!(after.mac, before.mac);
}

#[tokio::test]
async fn an_interface_of_the_kernel_is_made_moved_and_removed() {
    let simulator = Simulator::esx().build();
    let connect = connect(&simulator).await;
    let document = "<interface type='bridge' name='Internal'><mtu size='9000'/>\
        <protocol family='ipv4'><ip address='192.0.9.5' prefix='24'/><route gateway='192.0.9.254'/></protocol>\
        <protocol family='ipv6'><autoconf/><dhcp/><ip address='2001:db8::5' prefix='64'/></protocol>\
        <bridge><interface type='ethernet' name='vmk2'><mac address='00:50:56:00:00:05'/></interface></bridge>\
        </interface>";
    simulator.clear_requests();
    let made = define(&connect, document).await.unwrap();
    let expected = [
        "RetrievePropertiesEx",
        "AddVirtualNic",
        "UpdateIpRouteConfig",
        "RetrievePropertiesEx",
    ];
    assert_eq!(methods(&simulator), expected);
    assert_eq!(
        (made.name(), made.mac()),
        ("vmk2", Some("00:50:56:00:00:05"))
    );
    let def = made.definition().await.unwrap();
    assert_eq!(def.mtu, 9000);
    let ipv4 = def.protocol(ProtocolFamily::Ipv4).unwrap();
    assert_eq!(
        (&*ipv4.ips[0].address, ipv4.ips[0].prefix),
        ("192.0.9.5", 24)
    );
    assert_eq!(ipv4.gateway.as_deref(), Some("192.0.9.254"));
    let ipv6 = def.protocol(ProtocolFamily::Ipv6).unwrap();
    assert!(ipv6.autoconf && ipv6.dhcp.is_some());
    assert!(ipv6.ips.iter().any(|ip| ip.address == "2001:db8::5"));

    // What was read can be given back: nothing changes.
    let xml = made.xml_desc(InterfaceXmlFlags::NONE).await.unwrap();
    simulator.clear_requests();
    define(&connect, &xml).await.unwrap();
    assert_eq!(methods(&simulator), ["RetrievePropertiesEx"]);

    let elsewhere = "<interface type='bridge' name='DMZ'><protocol family='ipv4'><dhcp/></protocol>\
        <protocol family='ipv6'/><bridge><interface type='ethernet' name='vmk2'/></bridge></interface>";
    let moved = define(&connect, elsewhere).await.unwrap();
    let def = moved.definition().await.unwrap();
    assert!(def.protocol(ProtocolFamily::Ipv4).unwrap().dhcp.is_some());
    let ipv6 = def.protocol(ProtocolFamily::Ipv6).unwrap();
    assert!(!ipv6.autoconf && ipv6.ips.iter().all(|ip| ip.address != "2001:db8::5"));
    let taken = elsewhere.replace("vmk2", "vmk1");
    let error = define(&connect, &taken).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongState);
    assert!(error.to_string().contains("'DMZ' has the interface 'vmk2'"));

    moved.destroy().await.unwrap();
    let error = moved.undefine().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound(What::Interface));
    let last = connect.interface_lookup_by_name("vmk0").await.unwrap();
    let other = connect.interface_lookup_by_name("vmk1").await.unwrap();
    other.undefine().await.unwrap();
    let error = last.undefine().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongState);
}

/// In a port group of any name: that is the interface's name of libvirt's bridges, too.
#[tokio::test]
async fn an_interface_is_made_in_a_port_group_of_any_name() {
    let simulator = Simulator::esx().build();
    let connect = connect(&simulator).await;
    for group in ["a/b", "a%2fb", "  two blanks ", "網絡 \"1' & <2>"] {
        let mut def = NetworkDef::new("lab");
        def.port_groups = vec![PortGroup::new(group)];
        let network = def.to_xml(NetworkXmlFlags::NONE);
        let network = connect.network_define_xml(&network, NetworkDefineFlags::NONE);
        let network = network.await.unwrap();
        let mut def = InterfaceDef::read_xml(
            "<interface type='bridge' name='x'><protocol family='ipv4'><dhcp/></protocol>\
             <bridge><interface type='ethernet' name='vmk2'/></bridge></interface>",
        )
        .unwrap()
        .document;
        def.name = group.to_owned();
        let document = def.to_xml(InterfaceXmlFlags::NONE);
        let made = define(&connect, &document).await.unwrap();
        assert_eq!(made.name(), "vmk2", "{group}");
        let error = network.undefine().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WrongState, "{group}: {error}");
        assert!(error.advice().unwrap().contains(group), "{error:?}");
        made.undefine().await.unwrap();
        network.undefine().await.unwrap();
        let error = define(&connect, &document).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound(What::PortGroup));
        assert!(error.to_string().contains(group), "{error}");
    }
}

#[tokio::test]
async fn the_speed_of_a_network_card_is_set() {
    let simulator = Simulator::esx().build();
    let connect = connect(&simulator).await;
    let card = connect.interface_lookup_by_name("vmnic0").await.unwrap();
    let xml = card.xml_desc(InterfaceXmlFlags::NONE).await.unwrap();
    define(&connect, &xml).await.unwrap();
    assert!(!methods(&simulator).contains(&"UpdatePhysicalNicLinkSpeed".to_owned()));
    let document = "<interface type='ethernet' name='vmnic0'><link speed='1000'/></interface>";
    define(&connect, document).await.unwrap();
    let host: HostSystem = simulator
        .properties(&simulator.objects("HostSystem")[0])
        .unwrap();
    let network = host.config.unwrap().network.unwrap();
    let set = network.pnic[0].spec.link_speed.as_ref().unwrap();
    assert_eq!((set.speed_mb, set.duplex), (1000, true));
}

#[tokio::test]
async fn every_release_has_its_interfaces() {
    for release in ["2.5", "4.0", "4.1", "5.0", "5.5", "6.5", "7.0", "8.0"] {
        let simulator = Simulator::esx().api_version(release).unwrap().build();
        let connect = connect(&simulator).await;
        for interface in connect
            .list_all_interfaces(InterfaceFilter::NONE)
            .await
            .unwrap()
        {
            let xml = interface.xml_desc(InterfaceXmlFlags::NONE).await.unwrap();
            define(&connect, &xml).await.unwrap();
        }
        let document = "<interface type='bridge' name='Internal'><protocol family='ipv4'>\
            <ip address='192.0.9.5' prefix='24'/></protocol>\
            <bridge><interface type='ethernet' name='vswif0'/></bridge></interface>";
        let made = define(&connect, document).await;
        if ["2.5", "4.0", "4.1"].contains(&release) {
            let made = made.unwrap();
            assert_eq!(made.name(), "vswif0", "{release}");
            let def = made.definition().await.unwrap();
            assert_eq!(def.protocols[0].ips[0].address, "192.0.9.5");
            made.undefine().await.unwrap();
        } else {
            assert!(made.is_err(), "{release}");
        }
        connect.interface_change_begin(0).await.unwrap();
        define(&connect, &document.replace("vswif0", "vmk2"))
            .await
            .unwrap();
        connect.interface_change_rollback(0).await.unwrap();
        let names = connect.list_interfaces().await.unwrap();
        assert!(!names.contains(&"vmk2".to_owned()), "{release}: {names:?}");
    }
}

#[tokio::test]
async fn a_switch_with_several_cards_is_a_bond_and_a_card_that_is_gone_is_left_out() {
    let simulator = Simulator::esx().build();
    let connect = connect(&simulator).await;
    let host = &simulator.objects("HostSystem")[0];
    let change = |change: fn(&mut HostNetworkInfo)| {
        let changed = simulator.change(host, |host: &mut HostSystem| {
            change(host.config.as_mut().unwrap().network.as_mut().unwrap());
        });
        changed.unwrap();
    };
    change(|network| {
        let keys = network.pnic.iter().filter_map(|nic| nic.key.clone());
        network.vswitch[0].pnic = keys.collect();
    });
    let bond = connect.interface_lookup_by_name("vSwitch0").await.unwrap();
    let xml = bond.xml_desc(InterfaceXmlFlags::NONE).await.unwrap();
    assert!(
        xml.contains("<interface type='ethernet' name='vmnic1'"),
        "{xml}"
    );
    let refused = define(&connect, &xml).await.unwrap_err();
    assert!(
        refused.to_string().contains("a bond is a switch"),
        "{refused}"
    );
    assert!(bond.undefine().await.is_err());
    change(|network| drop(network.pnic.pop()));
    let error = bond.definition().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound(What::Interface));
    let names = connect.list_interfaces().await.unwrap();
    assert_eq!(names, ["vmnic0", "vmk0", "vmk1"]);
}

#[tokio::test]
async fn a_transaction_is_begun_once_and_ended_once() {
    let simulator = Simulator::esx().build();
    let connect = connect(&simulator).await;
    let told = async |operation: Operation<'static>| match operation.await {
        Ok(()) => String::new(),
        Err(error) => error.to_string(),
    };
    let invalid = "Requested operation is not valid: ";
    for (operation, expected) in [
        (
            connect.interface_change_commit(0),
            "no transaction running, nothing to be committed.",
        ),
        (
            connect.interface_change_rollback(0),
            "no transaction running, nothing to rollback.",
        ),
        (connect.interface_change_begin(0), ""),
        (
            connect.interface_change_begin(0),
            "there is another transaction running.",
        ),
        (connect.interface_change_commit(0), ""),
        (
            connect.interface_change_commit(0),
            "no transaction running, nothing to be committed.",
        ),
    ] {
        let told = told(operation).await;
        assert_eq!(told.strip_prefix(invalid).unwrap_or_default(), expected);
        assert_eq!(told.is_empty(), expected.is_empty());
    }
    let error = connect.interface_change_begin(1).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnsupportedFlags);
}

#[tokio::test]
async fn a_rollback_gives_back_all_networks_also_to_another_program() {
    let simulator = Simulator::esx().build();
    let folder = tempfile::tempdir().unwrap();
    let state = || {
        let host: HostSystem = simulator
            .properties(&simulator.objects("HostSystem")[0])
            .unwrap();
        format!("{:?}", host.config.unwrap().network)
    };
    let connect = || async {
        let transport = InProcess::new(simulator.handler());
        OpenOptions::new(&credentials())
            .auth_files(AuthFileSearch::default())
            .transport(transport)
            .store(FolderStore::new(folder.path().join("state")))
            .open(&"esx://esx.example.com/".parse().unwrap())
            .await
            .unwrap()
    };
    let before = state();
    let first = connect().await;
    simulator.clear_requests();
    first.interface_change_begin(0).await.unwrap();
    // The host's place in the inventory, which nothing has needed before, and what the documentation says.
    assert_eq!(methods(&simulator).len(), 3);
    let switch = "<network><name>new</name><portgroup name='new group'/></network>";
    let made = first.network_define_xml(switch, NetworkDefineFlags::NONE);
    made.await.unwrap();
    let document = "<interface type='bridge' name='new group'><protocol family='ipv4'>\
        <ip address='192.0.9.5' prefix='24'/><route gateway='192.0.9.254'/></protocol>\
        <bridge><interface type='ethernet' name='vmk2'/></bridge></interface>";
    define(&first, document).await.unwrap();
    let vmk1 = first.interface_lookup_by_name("vmk1").await.unwrap();
    vmk1.undefine().await.unwrap();
    drop(first);
    assert_ne!(state(), before);

    let second = connect().await;
    let error = second.interface_change_begin(0).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongState);
    simulator.clear_requests();
    second.interface_change_rollback(0).await.unwrap();
    assert_eq!(
        methods(&simulator),
        ["RetrievePropertiesEx", "UpdateNetworkConfig"]
    );
    assert_eq!(state(), before);
    assert!(second.interface_change_commit(0).await.is_err());

    // What is damaged is not given to the host, and can be forgotten.
    second.interface_change_begin(0).await.unwrap();
    let files = std::fs::read_dir(folder.path().join("state")).unwrap();
    let file = files.last().unwrap().unwrap().path();
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(!text.contains("password"));
    std::fs::write(&file, &text[..text.len() / 2]).unwrap();
    simulator.clear_requests();
    let error = second.interface_change_rollback(0).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Store);
    assert_eq!(methods(&simulator), ["RetrievePropertiesEx"]);
    second.interface_change_commit(0).await.unwrap();
    second.interface_change_begin(0).await.unwrap();
}

#[tokio::test]
async fn a_vcenters_host_has_a_transaction_too() {
    let simulator = Simulator::vcenter().build();
    let connect = open(
        &simulator,
        "vpx://192.0.2.100/Berlin/Production/esx-01.example.com",
    )
    .await
    .unwrap();
    simulator.clear_requests();
    connect.interface_change_begin(0).await.unwrap();
    connect
        .interface_lookup_by_name("vmk1")
        .await
        .unwrap()
        .undefine()
        .await
        .unwrap();
    connect.interface_change_rollback(0).await.unwrap();
    assert!(methods(&simulator).len() < 10);
    connect.interface_lookup_by_name("vmk1").await.unwrap();
}

/// Defines an interface.
async fn define(connect: &Connect, document: &str) -> Result<Interface, Error> {
    connect
        .interface_define_xml(document, InterfaceDefineFlags::NONE)
        .await
}

#[tokio::test]
async fn what_cannot_be_changed_is_refused_before_anything_is_sent() {
    let simulator = Simulator::esx().build();
    let connect = connect(&simulator).await;
    for (document, expected) in [
        (
            "<interface type='bridge' name='b'><bridge/></interface>",
            "the host has no port group 'b'",
        ),
        (
            "<interface type='bridge' name='Internal'><bridge/></interface>",
            "needs it in <bridge>",
        ),
        (
            "<interface type='bridge' name='Internal'><bridge><interface type='ethernet' name='vmnic0'/></bridge>\
             </interface>",
            "'vmnic0' is one of a switch",
        ),
        (
            "<interface type='bridge' name='Internal'><bridge><interface type='ethernet' name='vmk9'/></bridge>\
             </interface>",
            "the host's next interface is 'vmk2', not 'vmk9'",
        ),
        (
            "<interface type='bridge' name='Management Network'><bridge><interface type='ethernet' name='vmk2'/>\
             </bridge></interface>",
            "'Management Network' has the interface 'vmk0' already",
        ),
        (
            "<interface type='bridge' name='Internal'><bridge><interface type='ethernet' name='vmk2'>\
             <mac address='x'/></interface></bridge></interface>",
            "'x' is no hardware address",
        ),
        (
            "<interface type='vlan' name='v'><vlan tag='3'><interface name='vmk0'/></vlan></interface>",
            "interfaces of the type 'vlan' cannot be defined",
        ),
        (
            "<interface type='ethernet' name='vmnic0'><mtu size='9000'/></interface>",
            "the network card 'vmnic0' has no mtu",
        ),
        (
            "<interface type='ethernet' name='vmnic0'><link state='down'/></interface>",
            "a host cannot take down the link",
        ),
        (
            "<interface type='ethernet' name='vmk7'/>",
            "the host has no interface 'vmk7'",
        ),
        (
            "<interface type='ethernet' name='vmk0'><protocol family='ipv4'><ip address='192.0.2.1' prefix='24'/>\
             <route gateway='198.51.100.1'/></protocol></interface>",
            "the gateway 198.51.100.1 is on no network",
        ),
        (
            "<interface type='ethernet' name='vmk0'><protocol family='ipv6'><ip address='2001:db8::1'/></protocol>\
             </interface>",
            "needs a prefix of 1 to 128 bits",
        ),
        (
            "<interface type='ethernet' name='vmk0'><mac address='00:11:22:33:44:55'/></interface>",
            "cannot be changed from",
        ),
        (
            "<interface type='ethernet' name='vmk0'><protocol family='ipv4'><ip address='x' \
             prefix='3'/></protocol></interface>",
            "'x' is no IPv4 address",
        ),
        (
            "<interface type='ethernet' name='vmk0'><protocol family='ipv4'><ip \
             address='192.0.2.1' prefix='33'/></protocol></interface>",
            "needs a prefix of 1 to 32 bits",
        ),
    ] {
        let refused = connect.interface_define_xml(document, InterfaceDefineFlags::NONE);
        let error = refused.await.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
    let card = connect.interface_lookup_by_name("vmnic0").await.unwrap();
    assert_eq!(
        card.create().await.unwrap_err().kind(),
        ErrorKind::WrongState
    );
    let error = card.destroy().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    let error = card
        .xml_desc(InterfaceXmlFlags::from_bits(8))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnsupportedFlags);
}
