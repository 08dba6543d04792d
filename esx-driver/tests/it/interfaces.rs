//! Interfaces: lists, lookups, documents and changes.

use esx_driver::{
    ErrorKind, What,
    virt_model::{
        InterfaceDef,
        flags::{InterfaceDefineFlags, InterfaceFilter, InterfaceXmlFlags},
        interface::ProtocolFamily,
    },
};
use esx_sim::Simulator;

use crate::open;

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
async fn an_interface_of_the_kernel_is_removed() {
    let simulator = Simulator::esx().build();
    let connect = connect(&simulator).await;
    let interface = connect.interface_lookup_by_name("vmk1").await.unwrap();
    interface.undefine().await.unwrap();
    let names = connect.list_interfaces().await.unwrap();
    assert!(!names.contains(&"vmk1".to_owned()), "{names:?}");
    let error = interface.undefine().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound(What::Interface));
}

#[tokio::test]
async fn what_cannot_be_changed_is_refused_before_anything_is_sent() {
    let simulator = Simulator::esx().build();
    let connect = connect(&simulator).await;
    for (document, expected) in [
        (
            "<interface type='bridge' name='b'><bridge/></interface>",
            "interfaces of the type 'bridge' cannot be defined",
        ),
        (
            "<interface type='ethernet' name='vmnic0'/>",
            "the host's kernel has no interface 'vmnic0'",
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
    for operation in [card.create(), card.destroy()] {
        assert_eq!(operation.await.unwrap_err().kind(), ErrorKind::WrongState);
    }
    let error = card
        .xml_desc(InterfaceXmlFlags::from_bits(8))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnsupportedFlags);
}
