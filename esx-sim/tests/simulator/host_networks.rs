//! How a host's networks change.

use esx_sim::Simulator;
use vi_types::methods::{
    AddPortGroup, AddServiceConsoleVirtualNic, AddVirtualNic, AddVirtualSwitch, DestroyNetwork,
    QueryNetworkHint, RemovePortGroup, RemoveVirtualNic, RemoveVirtualSwitch, UpdateDnsConfig,
    UpdateIpRouteConfig, UpdateIpRouteTableConfig, UpdateNetworkConfig, UpdatePhysicalNicLinkSpeed,
    UpdatePortGroup, UpdateVirtualNic, UpdateVirtualSwitch,
};
use vi_types::objects::{
    AlreadyExists, HostDnsConfig, HostIpConfig, HostIpConfigIpV6Address,
    HostIpConfigIpV6AddressConfiguration, HostIpRouteConfig, HostIpRouteEntry, HostIpRouteOp,
    HostIpRouteTableConfig, HostNetworkConfig, HostNetworkInfo, HostNetworkPolicy,
    HostNetworkSecurityPolicy, HostNicOrderPolicy, HostNicTeamingPolicy, HostPortGroup,
    HostPortGroupConfig, HostPortGroupSpec, HostVirtualNic, HostVirtualNicConfig,
    HostVirtualNicSpec, HostVirtualSwitch, HostVirtualSwitchBondBridge, HostVirtualSwitchConfig,
    HostVirtualSwitchSpec, InvalidArgument, InvalidState, MethodFault, NotFound, NotSupported,
    PhysicalNicLinkInfo, PlatformConfigFault, ResourceInUse,
};
use vi_types::{DataObject, Extends, ManagedObjectReference, Method, SoapFault, properties};

use crate::client::Client;

/// The networks of the first host of a server.
struct Networks<'a> {
    client: &'a Client,
    host: ManagedObjectReference,
    system: ManagedObjectReference,
}

impl<'a> Networks<'a> {
    fn new(client: &'a Client) -> Self {
        let simulator = &client.simulator;
        let host = simulator.objects("HostSystem").remove(0);
        let state: properties::HostSystem = simulator.properties(&host).unwrap();
        let managers = state.config_manager.unwrap();
        Self {
            client,
            host,
            system: managers.network_system.clone().unwrap(),
        }
    }

    /// What the host and its network system tell, which is the same.
    fn info(&self) -> HostNetworkInfo {
        let simulator = &self.client.simulator;
        let state: properties::HostSystem = simulator.properties(&self.host).unwrap();
        let info = *state.config.unwrap().network.unwrap();
        let system: properties::HostNetworkSystem = simulator.properties(&self.system).unwrap();
        assert_eq!(*system.network_info.unwrap(), info);
        assert_eq!(system.dns_config, info.dns_config);
        assert_eq!(system.ip_route_config, info.ip_route_config);
        info
    }

    fn config(&self) -> HostNetworkConfig {
        let simulator = &self.client.simulator;
        let system: properties::HostNetworkSystem = simulator.properties(&self.system).unwrap();
        *system.network_config.unwrap()
    }

    fn switch(&self, name: &str) -> HostVirtualSwitch {
        let mut switches = self.info().vswitch.into_iter();
        switches.find(|switch| switch.name == name).unwrap()
    }

    fn group(&self, name: &str) -> HostPortGroup {
        let mut groups = self.info().portgroup.into_iter();
        groups.find(|group| group.spec.name == name).unwrap()
    }

    fn nic(&self, device: &str) -> HostVirtualNic {
        let mut nics = self.info().vnic.into_iter();
        nics.find(|nic| nic.device == device).unwrap()
    }

    /// The names of the host's networks.
    fn networks(&self) -> Vec<String> {
        let simulator = &self.client.simulator;
        let state: properties::HostSystem = simulator.properties(&self.host).unwrap();
        let name = |network: &ManagedObjectReference| {
            let network: properties::Network = simulator.properties(network).unwrap();
            network.name.clone().unwrap()
        };
        state.network.iter().map(name).collect()
    }

    async fn call<M: Method>(&self, request: M) -> Result<M::Output, SoapFault> {
        self.client.call(&request).await
    }

    async fn add_switch(&self, name: &str, nics: &[&str]) -> Result<(), SoapFault> {
        self.call(AddVirtualSwitch {
            this: self.system.clone(),
            vswitch_name: name.to_owned(),
            spec: Some(switch_spec(nics).into()),
            ..AddVirtualSwitch::default()
        })
        .await
    }

    async fn update_switch(
        &self,
        name: &str,
        spec: HostVirtualSwitchSpec,
    ) -> Result<(), SoapFault> {
        self.call(UpdateVirtualSwitch {
            this: self.system.clone(),
            vswitch_name: name.to_owned(),
            spec,
            ..UpdateVirtualSwitch::default()
        })
        .await
    }

    async fn remove_switch(&self, name: &str) -> Result<(), SoapFault> {
        self.call(RemoveVirtualSwitch {
            this: self.system.clone(),
            vswitch_name: name.to_owned(),
            ..RemoveVirtualSwitch::default()
        })
        .await
    }

    async fn add_group(&self, name: &str, switch: &str, vlan: i32) -> Result<(), SoapFault> {
        self.call(AddPortGroup {
            this: self.system.clone(),
            portgrp: group_spec(name, switch, vlan),
            ..AddPortGroup::default()
        })
        .await
    }

    async fn update_group(&self, name: &str, portgrp: HostPortGroupSpec) -> Result<(), SoapFault> {
        self.call(UpdatePortGroup {
            this: self.system.clone(),
            pg_name: name.to_owned(),
            portgrp,
            ..UpdatePortGroup::default()
        })
        .await
    }

    async fn remove_group(&self, name: &str) -> Result<(), SoapFault> {
        self.call(RemovePortGroup {
            this: self.system.clone(),
            pg_name: name.to_owned(),
            ..RemovePortGroup::default()
        })
        .await
    }

    async fn add_nic(&self, group: &str, nic: HostVirtualNicSpec) -> Result<String, SoapFault> {
        self.call(AddVirtualNic {
            this: self.system.clone(),
            portgroup: group.to_owned(),
            nic,
            ..AddVirtualNic::default()
        })
        .await
    }

    async fn update_nic(&self, device: &str, nic: HostVirtualNicSpec) -> Result<(), SoapFault> {
        self.call(UpdateVirtualNic {
            this: self.system.clone(),
            device: device.to_owned(),
            nic,
            ..UpdateVirtualNic::default()
        })
        .await
    }

    async fn remove_nic(&self, device: &str) -> Result<(), SoapFault> {
        self.call(RemoveVirtualNic {
            this: self.system.clone(),
            device: device.to_owned(),
            ..RemoveVirtualNic::default()
        })
        .await
    }

    async fn configure(
        &self,
        config: HostNetworkConfig,
        mode: &str,
    ) -> Result<Vec<String>, SoapFault> {
        let result = self.call(UpdateNetworkConfig {
            this: self.system.clone(),
            config,
            change_mode: mode.to_owned(),
            ..UpdateNetworkConfig::default()
        });
        result.await.map(|result| result.vnic_device)
    }
}

fn switch_spec(nics: &[&str]) -> HostVirtualSwitchSpec {
    let bridge = (!nics.is_empty()).then(|| {
        HostVirtualSwitchBondBridge {
            nic_device: nics.iter().map(|nic| (*nic).to_owned()).collect(),
            ..HostVirtualSwitchBondBridge::default()
        }
        .into()
    });
    HostVirtualSwitchSpec {
        num_ports: 128,
        bridge,
        ..HostVirtualSwitchSpec::default()
    }
}

fn group_spec(name: &str, switch: &str, vlan_id: i32) -> HostPortGroupSpec {
    HostPortGroupSpec {
        name: name.to_owned(),
        vlan_id,
        vswitch_name: switch.to_owned(),
        ..HostPortGroupSpec::default()
    }
}

fn address(ip: &str) -> HostVirtualNicSpec {
    HostVirtualNicSpec {
        ip: Some(
            HostIpConfig {
                ip_address: Some(ip.to_owned()),
                subnet_mask: Some("255.255.255.0".to_owned()),
                ..HostIpConfig::default()
            }
            .into(),
        ),
        ..HostVirtualNicSpec::default()
    }
}

/// The fault of a call that fails.
#[track_caller]
fn refused<T: std::fmt::Debug, F>(result: Result<T, SoapFault>) -> F
where
    F: DataObject + Extends<MethodFault> + Clone,
{
    let fault = result.unwrap_err();
    let found = fault.cast::<F>().cloned();
    found.unwrap_or_else(|| panic!("{fault:?}"))
}

#[tokio::test]
async fn switches_come_change_and_go() {
    let client = Client::login(&Simulator::esx().build()).await;
    let host = Networks::new(&client);
    host.add_switch("lab", &[]).await.unwrap();
    let made = host.switch("lab");
    assert_eq!(made.key, "key-vim.host.VirtualSwitch-lab");
    assert!(made.spec.bridge.is_none() && made.pnic.is_empty());
    assert_eq!(made.mtu, Some(1500));

    refused::<_, AlreadyExists>(host.add_switch("lab", &[]).await);
    let long = "a name of more than 32 characters";
    refused::<_, InvalidArgument>(host.add_switch(long, &[]).await);
    // vSwitch0 has it.
    let taken: ResourceInUse = refused(host.add_switch("other", &["vmnic0"]).await);
    assert_eq!(taken.name.as_deref(), Some("vmnic0"));
    let gone: PlatformConfigFault = refused(host.add_switch("other", &["vmnic7"]).await);
    assert!(gone.text.contains("vmnic7"), "{}", gone.text);
    assert_eq!(host.info().vswitch.len(), 4, "nothing was made");

    // libvirt sends keys.
    host.update_switch("vSwitch2", switch_spec(&[]))
        .await
        .unwrap();
    let key = "key-vim.host.PhysicalNic-vmnic1";
    let spec = HostVirtualSwitchSpec {
        mtu: Some(9000),
        ..switch_spec(&[key])
    };
    host.update_switch("lab", spec).await.unwrap();
    let changed = host.switch("lab");
    assert_eq!(
        (changed.mtu, changed.pnic),
        (Some(9000), vec![key.to_owned()])
    );
    let teaming = changed.spec.policy.unwrap().nic_teaming.unwrap();
    assert_eq!(teaming.nic_order.unwrap().active_nic, ["vmnic1"]);
    assert!(host.switch("vSwitch2").pnic.is_empty());
    let unknown = HostVirtualSwitchSpec {
        policy: Some(
            HostNetworkPolicy {
                nic_teaming: Some(
                    HostNicTeamingPolicy {
                        nic_order: Some(
                            HostNicOrderPolicy {
                                active_nic: vec!["vmnic0".to_owned()],
                                ..HostNicOrderPolicy::default()
                            }
                            .into(),
                        ),
                        ..HostNicTeamingPolicy::default()
                    }
                    .into(),
                ),
                ..HostNetworkPolicy::default()
            }
            .into(),
        ),
        ..switch_spec(&["vmnic1"])
    };
    refused::<_, InvalidArgument>(host.update_switch("lab", unknown).await);

    host.add_group("on lab", "lab", 7).await.unwrap();
    host.remove_switch("lab").await.unwrap();
    refused::<_, NotFound>(host.remove_switch("lab").await);
    let groups = host.info().portgroup;
    assert!(groups.iter().all(|group| group.spec.name != "on lab"));
    refused::<_, ResourceInUse>(host.remove_switch("vSwitch0").await);
}

#[tokio::test]
async fn port_groups_are_networks_for_machines() {
    let client = Client::login(&Simulator::esx().build()).await;
    let host = Networks::new(&client);
    let before = host.networks();
    host.add_group("a/b 東京", "vSwitch1", 42).await.unwrap();
    assert_eq!(host.group("a/b 東京").spec.vlan_id, 42);
    assert_eq!(host.networks()[before.len()..], ["a%2fb 東京"]);
    let keys = host.switch("vSwitch1").portgroup;
    assert!(keys.contains(&"key-vim.host.PortGroup-a/b 東京".to_owned()));

    refused::<_, AlreadyExists>(host.add_group("DMZ", "vSwitch1", 0).await);
    refused::<_, NotFound>(host.add_group("x", "vSwitch9", 0).await);
    refused::<_, InvalidArgument>(host.add_group("x", "vSwitch1", 4096).await);
    refused::<_, InvalidArgument>(host.add_group("", "vSwitch1", 0).await);

    let other = group_spec("b", "vSwitch1", 4095);
    host.update_group("a/b 東京", other.clone()).await.unwrap();
    assert_eq!(host.networks()[before.len()..], ["b"]);
    refused::<_, NotFound>(host.update_group("a/b 東京", other.clone()).await);
    let taken = group_spec("DMZ", "vSwitch1", 0);
    refused::<_, AlreadyExists>(host.update_group("b", taken).await);
    let moved = group_spec("b", "vSwitch0", 0);
    refused::<_, InvalidArgument>(host.update_group("b", moved).await);

    host.remove_group("b").await.unwrap();
    refused::<_, NotFound>(host.remove_group("b").await);
    assert_eq!(host.networks(), before);
    // Machines run in the first, an interface of the host is in the other.
    for used in ["VM Network", "vMotion"] {
        refused::<_, ResourceInUse>(host.remove_group(used).await);
    }
}

#[tokio::test]
async fn a_port_group_has_the_policy_of_its_switch_as_far_as_it_has_none() {
    let client = Client::login(&Simulator::esx().build()).await;
    let host = Networks::new(&client);
    let security = |promiscuous, changes| HostNetworkPolicy {
        security: Some(
            HostNetworkSecurityPolicy {
                allow_promiscuous: promiscuous,
                mac_changes: changes,
                ..HostNetworkSecurityPolicy::default()
            }
            .into(),
        ),
        ..HostNetworkPolicy::default()
    };
    let spec = HostVirtualSwitchSpec {
        policy: Some(security(None, Some(true)).into()),
        ..switch_spec(&[])
    };
    host.update_switch("vSwitch1", spec).await.unwrap();
    let spec = HostPortGroupSpec {
        policy: security(Some(true), None),
        ..group_spec("Internal", "vSwitch1", 0)
    };
    host.update_group("Internal", spec).await.unwrap();
    let computed = host.group("Internal").computed_policy;
    let security = computed.security.unwrap();
    let found = (
        security.allow_promiscuous,
        security.mac_changes,
        security.forged_transmits,
    );
    assert_eq!(found, (Some(true), Some(true), Some(false)));
    assert_eq!(computed.shaping_policy.unwrap().enabled, Some(false));
}

#[tokio::test]
async fn interfaces_come_change_and_go() {
    let client = Client::login(&Simulator::esx().build()).await;
    let host = Networks::new(&client);
    host.add_group("Storage", "vSwitch1", 0).await.unwrap();
    let is_network = |host: &Networks<'_>| host.networks().contains(&"Storage".to_owned());
    assert!(is_network(&host));
    let device = host
        .add_nic("Storage", address("198.51.100.7"))
        .await
        .unwrap();
    assert_eq!(device, "vmk2");
    assert!(!is_network(&host), "it is the host's own now");
    let nic = host.nic("vmk2");
    assert_eq!(nic.portgroup, "Storage");
    assert_eq!(nic.spec.mtu, Some(1500));
    assert_eq!(
        nic.spec.net_stack_instance_key.as_deref(),
        Some("defaultTcpipStack")
    );
    let port = host.group("Storage").port.remove(0);
    assert_eq!(
        (Some(&port.key), port.r#type.as_str()),
        (Some(&nic.port), "host")
    );
    let routes = host.info().route_table_info.unwrap().ip_route;
    assert!(routes.iter().any(|route| route.network == "198.51.100.0"));

    refused::<_, AlreadyExists>(host.add_nic("Storage", address("198.51.100.8")).await);
    let unknown: PlatformConfigFault = refused(host.add_nic("Nowhere", address("10.0.0.1")).await);
    assert!(unknown.text.contains("Nowhere"));
    refused::<_, InvalidArgument>(host.add_nic("Internal", address("10.0.0.256")).await);

    let dhcp = HostVirtualNicSpec {
        ip: Some(
            HostIpConfig {
                dhcp: true,
                ..HostIpConfig::default()
            }
            .into(),
        ),
        mtu: Some(9000),
        portgroup: Some("Internal".to_owned()),
        ..HostVirtualNicSpec::default()
    };
    host.update_nic("vmk2", dhcp).await.unwrap();
    let changed = host.nic("vmk2");
    let ip = changed.spec.ip.unwrap();
    assert!(ip.dhcp && ip.ip_address.unwrap().starts_with("192.0.2."));
    assert_eq!(
        (changed.spec.mtu, &*changed.portgroup),
        (Some(9000), "Internal")
    );
    assert!(is_network(&host));
    let taken = HostVirtualNicSpec {
        portgroup: Some("vMotion".to_owned()),
        ..HostVirtualNicSpec::default()
    };
    refused::<_, PlatformConfigFault>(host.update_nic("vmk2", taken).await);

    host.remove_nic("vmk2").await.unwrap();
    refused::<_, NotFound>(host.remove_nic("vmk2").await);
    refused::<_, NotFound>(host.update_nic("vmk2", address("10.0.0.1")).await);
}

#[tokio::test]
async fn addresses_of_ipv6_are_set_or_made() {
    let client = Client::login(&Simulator::esx().build()).await;
    let host = Networks::new(&client);
    let asked = |addresses: Vec<(&str, Option<&str>)>, auto| HostVirtualNicSpec {
        ip: Some(
            HostIpConfig {
                ip_v6_config: Some(
                    HostIpConfigIpV6AddressConfiguration {
                        ip_v6_address: addresses
                            .into_iter()
                            .map(|(address, operation)| HostIpConfigIpV6Address {
                                ip_address: address.to_owned(),
                                prefix_length: 64,
                                operation: operation.map(str::to_owned),
                                ..HostIpConfigIpV6Address::default()
                            })
                            .collect(),
                        auto_configuration_enabled: auto,
                        ..HostIpConfigIpV6AddressConfiguration::default()
                    }
                    .into(),
                ),
                ..HostIpConfig::default()
            }
            .into(),
        ),
        ..HostVirtualNicSpec::default()
    };
    let found = |host: &Networks<'_>| {
        let config = host.nic("vmk2").spec.ip.unwrap().ip_v6_config.unwrap();
        let addresses = config.ip_v6_address.into_iter();
        addresses
            .map(|one| format!("{} {}", one.ip_address, one.origin.unwrap()))
            .collect::<Vec<_>>()
    };
    let spec = asked(vec![("2001:db8::5", None)], Some(true));
    host.add_nic("Internal", spec).await.unwrap();
    let own = "250:56ff:fe61:100";
    assert_eq!(
        found(&host),
        [
            format!("fe80::{own} other"),
            format!("2001:db8:0:1:{own} linklayer"),
            "2001:db8::5 manual".to_owned()
        ]
    );
    let spec = asked(
        vec![
            ("2001:db8::5", Some("remove")),
            ("2001:db8::6", Some("add")),
        ],
        Some(false),
    );
    host.update_nic("vmk2", spec).await.unwrap();
    assert_eq!(found(&host)[1..], ["2001:db8::6 manual"]);
    let wrong = asked(vec![("192.0.2.1", None)], None);
    refused::<_, InvalidArgument>(host.update_nic("vmk2", wrong).await);
    // A host without it.
    client
        .simulator
        .change(&host.host, |host: &mut properties::HostSystem| {
            let network = host.config.as_mut().unwrap().network.as_mut().unwrap();
            network.ip_v6_enabled = Some(false);
        });
    let spec = asked(vec![("2001:db8::7", None)], None);
    refused::<_, InvalidState>(host.update_nic("vmk2", spec).await);
}

#[tokio::test]
async fn names_and_routes_change() {
    let client = Client::login(&Simulator::esx().build()).await;
    let host = Networks::new(&client);
    let dns = |name: &str, address: &str| UpdateDnsConfig {
        this: host.system.clone(),
        config: HostDnsConfig {
            host_name: name.to_owned(),
            domain_name: "example.org".to_owned(),
            address: vec![address.to_owned()],
            ..HostDnsConfig::default()
        }
        .into(),
        ..UpdateDnsConfig::default()
    };
    host.call(dns("esx-9", "192.0.2.3")).await.unwrap();
    let info = host.info();
    assert_eq!(info.dns_config.as_ref().unwrap().host_name, "esx-9");
    assert_eq!(info.net_stack_instance[0].dns_config, info.dns_config);
    refused::<_, InvalidArgument>(host.call(dns("esx 9", "192.0.2.3")).await);
    refused::<_, InvalidArgument>(host.call(dns("esx-9", "here")).await);

    let gateway = |address: &str| UpdateIpRouteConfig {
        this: host.system.clone(),
        config: HostIpRouteConfig {
            default_gateway: Some(address.to_owned()),
            ..HostIpRouteConfig::default()
        }
        .into(),
        ..UpdateIpRouteConfig::default()
    };
    host.call(gateway("192.0.3.254")).await.unwrap();
    refused::<_, PlatformConfigFault>(host.call(gateway("203.0.113.1")).await);
    refused::<_, InvalidArgument>(host.call(gateway("the router")).await);

    let route = |operation: &str| UpdateIpRouteTableConfig {
        this: host.system.clone(),
        config: HostIpRouteTableConfig {
            ip_route: vec![HostIpRouteOp {
                change_operation: operation.to_owned(),
                route: HostIpRouteEntry {
                    network: "10.0.0.0".to_owned(),
                    prefix_length: 8,
                    gateway: "192.0.2.9".to_owned(),
                    ..HostIpRouteEntry::default()
                },
                ..HostIpRouteOp::default()
            }],
            ..HostIpRouteTableConfig::default()
        },
        ..UpdateIpRouteTableConfig::default()
    };
    host.call(route("add")).await.unwrap();
    refused::<_, PlatformConfigFault>(host.call(route("add")).await);
    let routes = |host: &Networks<'_>| {
        let table = host.info().route_table_info.unwrap();
        let routes = table.ip_route.into_iter();
        routes
            .map(|route| {
                let device = route.device_name.unwrap();
                format!(
                    "{}/{} {} {device}",
                    route.network, route.prefix_length, route.gateway
                )
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(
        routes(&host),
        [
            "0.0.0.0/0 192.0.3.254 vmk1",
            "192.0.2.0/24 0.0.0.0 vmk0",
            "192.0.3.0/24 0.0.0.0 vmk1",
            "10.0.0.0/8 192.0.2.9 vmk0"
        ]
    );
    host.call(route("remove")).await.unwrap();
    refused::<_, PlatformConfigFault>(host.call(route("remove")).await);
    assert_eq!(routes(&host).len(), 3);
}

#[tokio::test]
async fn physical_nics_have_speeds_and_hear_of_networks() {
    let client = Client::login(&Simulator::esx().build()).await;
    let host = Networks::new(&client);
    let speed = |device: &str, speed: Option<i32>| UpdatePhysicalNicLinkSpeed {
        this: host.system.clone(),
        device: device.to_owned(),
        link_speed: speed.map(|speed_mb| {
            PhysicalNicLinkInfo {
                speed_mb,
                duplex: true,
                ..PhysicalNicLinkInfo::default()
            }
            .into()
        }),
        ..UpdatePhysicalNicLinkSpeed::default()
    };
    let now = |host: &Networks<'_>| {
        let nic = host.info().pnic.remove(0);
        (
            nic.link_speed.unwrap().speed_mb,
            nic.spec.link_speed.map(|one| one.speed_mb),
        )
    };
    host.call(speed("vmnic0", Some(1000))).await.unwrap();
    assert_eq!(now(&host), (1000, Some(1000)));
    host.call(speed("vmnic0", None)).await.unwrap();
    assert_eq!(now(&host), (10_000, None));
    refused::<_, PlatformConfigFault>(host.call(speed("vmnic0", Some(7))).await);
    refused::<_, NotFound>(host.call(speed("vmnic9", None)).await);
    let hints = |device: &str| QueryNetworkHint {
        this: host.system.clone(),
        device: vec![device.to_owned()],
        ..QueryNetworkHint::default()
    };
    let heard = host.call(hints("vmnic0")).await.unwrap();
    assert_eq!(heard[0].network.len(), 2);
    refused::<_, NotFound>(host.call(hints("vmnic9")).await);
}

#[tokio::test]
async fn a_configuration_is_applied_as_a_whole_or_not_at_all() {
    let client = Client::login(&Simulator::esx().build()).await;
    let host = Networks::new(&client);
    let before = host.info();
    let kept = host.config();
    let operation = |text: &str| Some(text.to_owned());
    let switch = |name: &str, nics: &[&str], what| HostVirtualSwitchConfig {
        change_operation: operation(what),
        name: name.to_owned(),
        spec: Some(switch_spec(nics).into()),
        ..HostVirtualSwitchConfig::default()
    };
    let group = |name: &str, switch: &str, what| HostPortGroupConfig {
        change_operation: operation(what),
        spec: Some(group_spec(name, switch, 5).into()),
        ..HostPortGroupConfig::default()
    };
    let nic = |device: Option<&str>, group: &str, what| HostVirtualNicConfig {
        change_operation: operation(what),
        device: device.map(str::to_owned),
        portgroup: group.to_owned(),
        spec: Some(address("198.51.100.1").into()),
        ..HostVirtualNicConfig::default()
    };
    // A physical NIC goes from one switch to another, which gets what the other had.
    let change = HostNetworkConfig {
        vswitch: vec![
            switch("vSwitch3", &["vmnic1"], "add"),
            switch("vSwitch2", &[], "remove"),
        ],
        portgroup: vec![
            group("DMZ", "vSwitch2", "remove"),
            group("vMotion", "vSwitch2", "remove"),
            group("Backup", "vSwitch3", "add"),
        ],
        vnic: vec![
            nic(Some("vmk1"), "vMotion", "remove"),
            nic(None, "Backup", "add"),
        ],
        ..HostNetworkConfig::default()
    };
    let mut fails = change.clone();
    fails.portgroup.push(group("Backup", "vSwitch3", "add"));
    refused::<_, AlreadyExists>(host.configure(fails, "modify").await);
    assert_eq!(host.info(), before);
    refused::<_, InvalidArgument>(host.configure(change.clone(), "merge").await);

    let made = host.configure(change, "modify").await.unwrap();
    assert_eq!(made, ["vmk1"]);
    let names: Vec<_> = host
        .info()
        .vswitch
        .into_iter()
        .map(|one| one.name)
        .collect();
    assert_eq!(names, ["vSwitch0", "vSwitch1", "vSwitch3"]);
    assert_eq!(host.nic("vmk1").portgroup, "Backup");
    assert!(!host.networks().contains(&"DMZ".to_owned()));

    // What the host had, given back, is what it has.
    host.configure(kept, "replace").await.unwrap();
    assert_eq!(host.info(), before);
    let networks = host.networks();
    assert_eq!(networks, ["VM Network", "Internal", "DMZ"]);
}

#[tokio::test]
async fn a_vcenter_takes_back_what_cuts_it_off() {
    let client = Client::login(&Simulator::vcenter().build()).await;
    let host = Networks::new(&client);
    let before = host.info();
    let rolled: PlatformConfigFault =
        refused(host.update_switch("vSwitch0", switch_spec(&[])).await);
    assert!(
        rolled.text.contains("has been rolled back"),
        "{}",
        rolled.text
    );
    assert_eq!(host.info(), before);
    // Older ones don't.
    let old = Simulator::vcenter().api_version("5.0").unwrap().build();
    let client = Client::login(&old).await;
    let host = Networks::new(&client);
    host.update_switch("vSwitch0", switch_spec(&[]))
        .await
        .unwrap();
}

#[tokio::test]
async fn hosts_of_a_datacenter_share_networks_of_one_name() {
    let client = Client::login(&Simulator::vcenter().build()).await;
    let simulator = &client.simulator;
    let mut hosts = Vec::new();
    for reference in simulator.objects("HostSystem").into_iter().take(2) {
        let state: properties::HostSystem = simulator.properties(&reference).unwrap();
        let system = state
            .config_manager
            .unwrap()
            .network_system
            .clone()
            .unwrap();
        hosts.push(Networks {
            client: &client,
            host: reference,
            system,
        });
    }
    for host in &hosts {
        host.add_group("shared", "vSwitch1", 0).await.unwrap();
    }
    let networks = simulator.objects("Network");
    let named: Vec<_> = networks
        .iter()
        .filter(|one| {
            let one: properties::Network = simulator.properties(one).unwrap();
            one.name.as_deref() == Some("shared")
        })
        .collect();
    assert_eq!(named.len(), 1);
    let destroy = DestroyNetwork {
        this: named[0].clone(),
        ..DestroyNetwork::default()
    };
    refused::<_, ResourceInUse>(client.call(&destroy).await);
    hosts[0].remove_group("shared").await.unwrap();
    let state: properties::Network = simulator.properties(named[0]).unwrap();
    assert_eq!(state.host, [hosts[1].host.clone()]);
    hosts[1].remove_group("shared").await.unwrap();
    assert!(
        simulator
            .properties::<properties::Network>(named[0])
            .is_none()
    );
}

#[tokio::test]
async fn old_hosts_have_a_service_console() {
    let request = |host: &Networks<'_>| AddServiceConsoleVirtualNic {
        this: host.system.clone(),
        portgroup: "Internal".to_owned(),
        nic: address("198.51.100.1"),
        ..AddServiceConsoleVirtualNic::default()
    };
    let old = Simulator::esx().api_version("2.5").unwrap().build();
    let client = Client::login(&old).await;
    let host = Networks::new(&client);
    assert_eq!(host.call(request(&host)).await.unwrap(), "vswif0");
    let nic = &host.info().console_vnic[0];
    assert_eq!((nic.spec.mtu, nic.spec.portgroup.as_deref()), (None, None));
    let client = Client::login(&Simulator::esx().build()).await;
    let host = Networks::new(&client);
    refused::<_, NotSupported>(host.call(request(&host)).await);
}
