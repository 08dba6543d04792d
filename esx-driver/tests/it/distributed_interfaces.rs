//! Interfaces of the kernel on distributed switches, and those with gateways of their own.

use esx_driver::{
    Connect, Error, ErrorKind, Interface, What,
    virt_model::{flags::InterfaceDefineFlags, interface::ProtocolFamily},
};
use esx_sim::{NewDistributedSwitch, Simulator};
use vi_types::{
    Poly,
    objects::{
        DistributedVirtualSwitchPortConnection, HostIpRouteConfig, HostVirtualNic,
        HostVirtualNicIpRouteSpec,
    },
    properties::HostSystem,
};

use crate::{host, methods, open};

async fn vcenter() -> (Simulator, Connect) {
    let switch = NewDistributedSwitch::new("dvSwitch0")
        .port_group("vmotion", 20)
        .port_group("web/dmz", 0);
    let simulator = Simulator::vcenter().distributed_switch(switch).build();
    let uri = format!("vpx://vc.example.com/{}", simulator.path());
    let connect = open(&simulator, &uri).await.unwrap();
    simulator.clear_requests();
    (simulator, connect)
}

async fn define(connect: &Connect, document: &str) -> Result<Interface, Error> {
    let flags = InterfaceDefineFlags::NONE;
    connect.interface_define_xml(document, flags).await
}

fn document(group: &str, device: &str) -> String {
    format!(
        "<interface type='bridge' name='{group}'><protocol family='ipv4'>\
           <ip address='192.0.9.{}' prefix='24'/></protocol>\
           <bridge><interface type='ethernet' name='{device}'/></bridge></interface>",
        device.trim_start_matches("vmk")
    )
}

fn nic(simulator: &Simulator, connect: &Connect, device: &str) -> HostVirtualNic {
    let host: HostSystem = simulator.properties(crate::host_of(connect)).unwrap();
    let network = host.config.unwrap().network.unwrap();
    let mut nics = network.vnic.into_iter();
    nics.find(|nic| nic.device == device).unwrap()
}

/// Changes the host's interface `vmk2` behind the client's back.
fn change_vmk2(simulator: &Simulator, connect: &Connect, change: impl FnOnce(&mut HostVirtualNic)) {
    let changed = simulator.change(crate::host_of(connect), |host: &mut HostSystem| {
        let network = host.config.as_mut().unwrap().network.as_mut().unwrap();
        let mut nics = network.vnic.iter_mut();
        change(nics.find(|nic| nic.device == "vmk2").unwrap());
    });
    changed.unwrap();
}

fn port(nic: &HostVirtualNic) -> &DistributedVirtualSwitchPortConnection {
    nic.spec.distributed_virtual_port.as_deref().unwrap()
}

#[tokio::test]
async fn an_interface_is_made_on_a_distributed_switch() {
    let (simulator, connect) = vcenter().await;
    let made = define(&connect, &document("vmotion", "vmk2"))
        .await
        .unwrap();
    let expected = [
        "RetrievePropertiesEx",
        "AddVirtualNic",
        "RetrievePropertiesEx",
    ];
    assert_eq!(methods(&simulator), expected);
    assert_eq!(made.name(), "vmk2");
    let first = nic(&simulator, &connect, "vmk2");
    assert_eq!(first.portgroup, "");
    assert!(port(&first).port_key.is_some());
    // Such a port group takes several.
    let other = define(&connect, &document("vmotion", "vmk3"))
        .await
        .unwrap();
    let second = nic(&simulator, &connect, "vmk3");
    assert_eq!(port(&second).portgroup_key, port(&first).portgroup_key);
    assert_ne!(port(&second).port_key, port(&first).port_key);
    // What is as it has to be stays.
    simulator.clear_requests();
    define(&connect, &document("vmotion", "vmk2"))
        .await
        .unwrap();
    assert_eq!(methods(&simulator), ["RetrievePropertiesEx"]);
    other.undefine().await.unwrap();

    // From one switch to the other, and to another port group.
    define(&connect, &document("web/dmz", "vmk2"))
        .await
        .unwrap();
    let moved = nic(&simulator, &connect, "vmk2");
    assert_ne!(port(&moved).portgroup_key, port(&first).portgroup_key);
    define(&connect, &document("Internal", "vmk2"))
        .await
        .unwrap();
    let moved = nic(&simulator, &connect, "vmk2");
    assert_eq!(moved.portgroup, "Internal");
    assert!(moved.spec.distributed_virtual_port.is_none());
    define(&connect, &document("vmotion", "vmk2"))
        .await
        .unwrap();
    let moved = nic(&simulator, &connect, "vmk2");
    assert_eq!(port(&moved).portgroup_key, port(&first).portgroup_key);
}

#[tokio::test]
async fn port_groups_that_there_are_not() {
    let (_simulator, connect) = vcenter().await;
    for name in ["web", "dvSwitch0", "a%2fb", "\u{7db2} 1"] {
        let error = define(&connect, &document(name, "vmk2")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound(What::PortGroup));
        let told = format!("'{name}' of a standard or distributed switch");
        assert!(error.to_string().contains(&told), "{error}");
    }
    let error = define(&connect, &document("vmotoin", "vmk2"))
        .await
        .unwrap_err();
    assert!(error.advice().unwrap().contains("'vmotion'"), "{error:?}");
    // A host on its own does not know their names.
    let (simulator, connect) = host().await;
    let error = define(&connect, &document("vmotion", "vmk2"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound(What::PortGroup));
    assert!(error.advice().unwrap().contains("vCenter"));
    assert_eq!(methods(&simulator), ["RetrievePropertiesEx"]);
}

#[tokio::test]
async fn two_switches_with_a_port_group_of_one_name() {
    let switch = |name: &str| NewDistributedSwitch::new(name).port_group("vmotion", 20);
    let simulator = Simulator::vcenter()
        .distributed_switch(switch("one"))
        .distributed_switch(switch("two").folder("other"))
        .build();
    let uri = format!("vpx://vc.example.com/{}", simulator.path());
    let connect = open(&simulator, &uri).await.unwrap();
    let error = define(&connect, &document("vmotion", "vmk2"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Ambiguous);
    assert_eq!(
        error.advice(),
        Some("it is one of 'one', 'two'; rename one of them")
    );
}

#[tokio::test]
async fn an_interface_with_a_gateway_of_its_own() {
    let (simulator, connect) = host().await;
    let made = define(&connect, &document("Internal", "vmk2"))
        .await
        .unwrap();
    change_vmk2(&simulator, &connect, |nic| {
        let routes = HostIpRouteConfig {
            default_gateway: Some("192.0.9.254".to_owned()),
            ..HostIpRouteConfig::default()
        };
        let spec = HostVirtualNicIpRouteSpec {
            ip_route_config: Some(Poly::new(routes)),
            ..HostVirtualNicIpRouteSpec::default()
        };
        nic.spec.ip_route_spec = Some(spec.into());
    });
    let gateway = async || {
        let def = made.definition().await.unwrap();
        let ipv4 = def.protocol(ProtocolFamily::Ipv4).unwrap();
        ipv4.gateway.clone()
    };
    assert_eq!(gateway().await.as_deref(), Some("192.0.9.254"));
    let document = "<interface type='ethernet' name='vmk2'><protocol family='ipv4'>\
        <ip address='192.0.9.2' prefix='24'/><route gateway='192.0.9.1'/></protocol></interface>";
    simulator.clear_requests();
    define(&connect, document).await.unwrap();
    assert_eq!(
        methods(&simulator),
        ["RetrievePropertiesEx", "UpdateVirtualNic"]
    );
    assert_eq!(gateway().await.as_deref(), Some("192.0.9.1"));
}

/// Hosts know TCP/IP stacks since 5.5, and gateways of interfaces since 6.5.
#[tokio::test]
async fn a_gateway_in_a_stack_of_its_own_of_an_old_host() {
    for (release, is_old) in [("5.5", true), ("6.0", true), ("6.5", false), ("8.0", false)] {
        let simulator = Simulator::esx().api_version(release).unwrap().build();
        let connect = open(&simulator, "esx://esx.example.com/").await.unwrap();
        define(&connect, &document("Internal", "vmk2"))
            .await
            .unwrap();
        change_vmk2(&simulator, &connect, |nic| {
            nic.spec.net_stack_instance_key = Some("vmotion".to_owned());
        });
        let before = nic(&simulator, &connect, "vmk2");
        // The gateways of the host are not those of the interface.
        let found = connect.interface_lookup_by_name("vmk2").await.unwrap();
        let def = found.definition().await.unwrap();
        assert_eq!(def.protocol(ProtocolFamily::Ipv4).unwrap().gateway, None);
        let document = "<interface type='ethernet' name='vmk2'><mtu size='9000'/><protocol family='ipv4'>\
            <ip address='192.0.9.2' prefix='24'/><route gateway='192.0.9.1'/></protocol></interface>";
        let defined = define(&connect, document).await;
        let after = nic(&simulator, &connect, "vmk2");
        if is_old {
            let error = defined.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported, "{release}: {error}");
            assert!(error.to_string().contains("'vmk2'"), "{error}");
            assert_eq!(after, before);
        } else {
            defined.unwrap();
            let routes = after.spec.ip_route_spec.unwrap().ip_route_config.unwrap();
            assert_eq!(routes.default_gateway.as_deref(), Some("192.0.9.1"));
        }
        // A gateway that the document leaves out stays, on old hosts, too.
        let document = document.replace("<route gateway='192.0.9.1'/>", "");
        define(&connect, &document).await.unwrap();
        let after = nic(&simulator, &connect, "vmk2");
        assert_eq!(after.spec.mtu, Some(9000));
    }
}
