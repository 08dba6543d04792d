//! Distributed switches, opaque networks, and cards on them.

use esx_sim::{NewDistributedSwitch, Simulator};
use vi_types::enums::VirtualDeviceConfigSpecOperation;
use vi_types::methods::{
    AddDvPortgroupTask, AddVirtualNic, CreateDvPortgroupTask, CreateDvsTask, CreateFolder,
    FetchDvPorts, LookupDvPortGroup, QueryAvailableDvsSpec, QueryDvsByUuid, ReconfigVmTask,
    ReconfigureDvPortgroupTask, ReconfigureDvsTask, RemoveVirtualNic, UpdateNetworkConfig,
};
use vi_types::objects::{
    ConcurrentAccess, DistributedVirtualPort, DistributedVirtualSwitchHostMemberConfigSpec,
    DistributedVirtualSwitchHostMemberPnicBacking, DistributedVirtualSwitchHostMemberPnicSpec,
    DistributedVirtualSwitchPortConnection, DistributedVirtualSwitchPortCriteria, DuplicateName,
    DvPortgroupConfigSpec, DvsConfigSpec, DvsCreateSpec, DvsFault, DvsOperationBulkFault,
    HostNetworkConfig, HostNetworkInfo, HostProxySwitchConfig, HostProxySwitchSpec,
    HostVirtualNicSpec, InvalidArgument, InvalidDeviceBacking, LimitExceeded, NotFound,
    NotSupported, PlatformConfigFault, ResourceInUse, VMwareDvsPortSetting, VirtualDevice,
    VirtualDeviceConfigSpec, VirtualEthernetCard,
    VirtualEthernetCardDistributedVirtualPortBackingInfo,
    VirtualEthernetCardOpaqueNetworkBackingInfo, VirtualMachineConfigSpec, VirtualVmxnet3,
    VmwareDistributedVirtualSwitchVlanIdSpec,
};
use vi_types::{ManagedObjectReference, Poly, SoapFault, properties};

use crate::host::{Host, destroy, rename};

type Switch = properties::VmwareDistributedVirtualSwitch;
type Group = properties::DistributedVirtualPortgroup;

/// A vCenter with a switch with two port groups in each datacenter.
async fn vcenter() -> Host {
    let switch = NewDistributedSwitch::new("dvSwitch0")
        .port_group("web", 10)
        .port_group("db/東京", 0);
    Host::of(Simulator::vcenter().distributed_switch(switch).build()).await
}

/// The first switch.
fn switch(host: &Host) -> (ManagedObjectReference, Switch) {
    let reference = host
        .simulator
        .objects("VmwareDistributedVirtualSwitch")
        .remove(0);
    let state = host.simulator.properties(&reference).unwrap();
    (reference, state)
}

fn group(host: &Host, name: &str) -> (ManagedObjectReference, Group) {
    let mut groups = host
        .simulator
        .objects("DistributedVirtualPortgroup")
        .into_iter();
    let found = groups.find(|group| {
        let state: Group = host.simulator.properties(group).unwrap();
        state.name.as_deref() == Some(name)
    });
    let found = found.unwrap();
    let state = host.simulator.properties(&found).unwrap();
    (found, state)
}

fn networks(host: &Host, index: usize) -> (ManagedObjectReference, HostNetworkInfo) {
    let reference = host.simulator.objects("HostSystem").remove(index);
    let state: properties::HostSystem = host.simulator.properties(&reference).unwrap();
    let info = *state.config.unwrap().network.unwrap();
    let system = state
        .config_manager
        .unwrap()
        .network_system
        .clone()
        .unwrap();
    let own: properties::HostNetworkSystem = host.simulator.properties(&system).unwrap();
    assert_eq!(*own.network_info.unwrap(), info);
    (reference, info)
}

fn system(host: &Host, index: usize) -> ManagedObjectReference {
    let reference = host.simulator.objects("HostSystem").remove(index);
    let state: properties::HostSystem = host.simulator.properties(&reference).unwrap();
    state
        .config_manager
        .unwrap()
        .network_system
        .clone()
        .unwrap()
}

fn named(name: &str) -> DvPortgroupConfigSpec {
    DvPortgroupConfigSpec {
        name: Some(name.to_owned()),
        ..DvPortgroupConfigSpec::default()
    }
}

fn vlan(id: i32) -> Option<Poly<vi_types::objects::DvPortSetting>> {
    let vlan = VmwareDistributedVirtualSwitchVlanIdSpec {
        vlan_id: id,
        ..VmwareDistributedVirtualSwitchVlanIdSpec::default()
    };
    let setting = VMwareDvsPortSetting {
        vlan: Some(vlan.into()),
        ..VMwareDvsPortSetting::default()
    };
    Some(setting.into())
}

fn vlan_of(group: &Group) -> i32 {
    let config = group.config.as_deref().unwrap();
    let setting = config.default_port_config.as_ref().unwrap();
    let setting = setting.cast::<VMwareDvsPortSetting>().unwrap();
    let vlan = setting.vlan.as_ref().unwrap();
    vlan.cast::<VmwareDistributedVirtualSwitchVlanIdSpec>()
        .unwrap()
        .vlan_id
}

fn member(
    host: &ManagedObjectReference,
    operation: &str,
    nics: &[&str],
) -> DistributedVirtualSwitchHostMemberConfigSpec {
    DistributedVirtualSwitchHostMemberConfigSpec {
        operation: operation.to_owned(),
        host: host.clone(),
        backing: Some(backing(nics).into()),
        ..DistributedVirtualSwitchHostMemberConfigSpec::default()
    }
}

fn backing(nics: &[&str]) -> DistributedVirtualSwitchHostMemberPnicBacking {
    DistributedVirtualSwitchHostMemberPnicBacking {
        pnic_spec: nics
            .iter()
            .map(|nic| DistributedVirtualSwitchHostMemberPnicSpec {
                pnic_device: (*nic).to_owned(),
                ..DistributedVirtualSwitchHostMemberPnicSpec::default()
            })
            .collect(),
        ..DistributedVirtualSwitchHostMemberPnicBacking::default()
    }
}

fn reconfigure(switch: &ManagedObjectReference, spec: DvsConfigSpec) -> ReconfigureDvsTask {
    ReconfigureDvsTask {
        this: switch.clone(),
        spec: spec.into(),
        ..ReconfigureDvsTask::default()
    }
}

fn port(switch: &str, group: &str) -> DistributedVirtualSwitchPortConnection {
    DistributedVirtualSwitchPortConnection {
        switch_uuid: switch.to_owned(),
        portgroup_key: Some(group.to_owned()),
        ..DistributedVirtualSwitchPortConnection::default()
    }
}

/// The addition of a card.
fn attach<B>(vm: &ManagedObjectReference, backing: B) -> ReconfigVmTask
where
    B: Into<Poly<vi_types::objects::VirtualDeviceBackingInfo>>,
{
    let mut card = VirtualVmxnet3::default();
    card.base.base.base = VirtualDevice {
        key: -1,
        backing: Some(backing.into()),
        ..VirtualDevice::default()
    };
    let change = VirtualDeviceConfigSpec {
        operation: Some(VirtualDeviceConfigSpecOperation::Add),
        device: Poly::new(card),
        ..VirtualDeviceConfigSpec::default()
    };
    ReconfigVmTask {
        this: vm.clone(),
        spec: VirtualMachineConfigSpec {
            device_change: vec![change.into()],
            ..VirtualMachineConfigSpec::default()
        },
        ..ReconfigVmTask::default()
    }
}

fn attach_to(
    vm: &ManagedObjectReference,
    port: DistributedVirtualSwitchPortConnection,
) -> ReconfigVmTask {
    let backing = VirtualEthernetCardDistributedVirtualPortBackingInfo {
        port,
        ..VirtualEthernetCardDistributedVirtualPortBackingInfo::default()
    };
    attach(vm, backing)
}

async fn ports(
    host: &Host,
    switch: &ManagedObjectReference,
    criteria: DistributedVirtualSwitchPortCriteria,
) -> Vec<DistributedVirtualPort> {
    let request = FetchDvPorts {
        this: switch.clone(),
        criteria: Some(criteria.into()),
        ..FetchDvPorts::default()
    };
    host.client.call(&request).await.unwrap()
}

#[tokio::test]
async fn hosts_have_a_proxy_of_the_switch_and_its_port_groups_as_networks() {
    let host = vcenter().await;
    let (reference, state) = switch(&host);
    let uuid = state.uuid.clone().unwrap();
    let summary = state.summary.as_deref().unwrap();
    assert_eq!((summary.num_hosts, summary.host_member.len()), (Some(3), 3));
    let (first, info) = networks(&host, 0);
    let proxy = &info.proxy_switch[0];
    assert_eq!((&proxy.dvs_uuid, &*proxy.dvs_name), (&uuid, "dvSwitch0"));
    assert_eq!(proxy.pnic, ["key-vim.host.PhysicalNic-vmnic2"]);
    assert_eq!(proxy.uplink_port.len(), 4);
    let own: properties::HostSystem = host.simulator.properties(&first).unwrap();
    for (name, id) in [("web", 10), ("db%2f東京", 0)] {
        let (group, state) = group(&host, name);
        assert!(own.network.contains(&group) && state.host.contains(&first));
        assert_eq!(vlan_of(&state), id);
        assert_eq!(state.port_keys.len(), 8);
        assert_eq!(state.key.as_ref(), Some(&group.value));
    }
    assert_eq!(state.config.as_ref().unwrap().num_ports, 12 + 16);
    let uplinks = DistributedVirtualSwitchPortCriteria {
        uplink_port: Some(true),
        connected: Some(true),
        ..DistributedVirtualSwitchPortCriteria::default()
    };
    let found = ports(&host, &reference, uplinks).await;
    assert_eq!(found.len(), 3);
    assert_eq!(found[0].config.name.as_deref(), Some("dvUplink1"));
    let connectee = found[0].connectee.as_deref().unwrap();
    assert_eq!(
        (
            connectee.nic_key.as_deref(),
            connectee.connected_entity.as_ref()
        ),
        (Some("vmnic2"), Some(&first))
    );

    let query = |uuid: &str| QueryDvsByUuid {
        uuid: uuid.to_owned(),
        ..QueryDvsByUuid::default()
    };
    let found = host.client.call(&query(&uuid)).await.unwrap();
    assert_eq!(found.as_ref(), Some(&reference));
    let dashed = uuid.replace(' ', "");
    assert_eq!(host.client.call(&query(&dashed)).await.unwrap(), found);
    let unknown = host.client.call(&query("no")).await.unwrap_err();
    assert!(unknown.is::<NotFound>());
    let known = host
        .client
        .call(&QueryAvailableDvsSpec::default())
        .await
        .unwrap();
    assert_eq!(known[0].version.as_deref(), Some("8.0.0"));
}

#[tokio::test]
async fn two_switches_of_one_name_are_in_two_folders() {
    let host = vcenter().await;
    let (reference, state) = switch(&host);
    let folder = state.parent.clone().unwrap();
    let create = |folder: &ManagedObjectReference, name: &str, hosts| CreateDvsTask {
        this: folder.clone(),
        spec: DvsCreateSpec {
            config_spec: DvsConfigSpec {
                name: Some(name.to_owned()),
                host: hosts,
                ..DvsConfigSpec::default()
            }
            .into(),
            ..DvsCreateSpec::default()
        },
        ..CreateDvsTask::default()
    };
    let taken: DuplicateName = host.fails(&create(&folder, "dvSwitch0", Vec::new())).await;
    assert_eq!(taken.object, reference);
    let request = CreateFolder {
        this: folder.clone(),
        name: "Lab".to_owned(),
        ..CreateFolder::default()
    };
    let lab = host.client.call(&request).await.unwrap();
    let (first, info) = networks(&host, 0);
    let failed: DvsOperationBulkFault = host
        .fails(&create(&lab, "x", vec![member(&first, "add", &["vmnic0"])]))
        .await;
    assert!(failed.host_fault[0].fault.fault.is::<ResourceInUse>());
    host.fails::<DvsOperationBulkFault>(&create(
        &lab,
        "x",
        vec![member(&first, "add", &["vmnic9"])],
    ))
    .await;
    assert_eq!(networks(&host, 0).1, info);
    let made = host
        .made(&create(&lab, "dvSwitch0", vec![member(&first, "add", &[])]))
        .await;
    let state: Switch = host.simulator.properties(&made).unwrap();
    assert_eq!(state.parent, Some(lab.clone()));
    let names: Vec<_> = networks(&host, 0)
        .1
        .proxy_switch
        .into_iter()
        .map(|one| one.dvs_name)
        .collect();
    assert_eq!(names, ["dvSwitch0", "dvSwitch0"]);

    // A folder of machines takes none.
    let vms = host.simulator.objects("Folder");
    let vms = vms
        .into_iter()
        .find(|one| one.value.starts_with("group-v"))
        .unwrap();
    host.fails::<NotSupported>(&create(&vms, "x", Vec::new()))
        .await;
    host.succeeds(&destroy(&made)).await;
    assert_eq!(networks(&host, 0).1.proxy_switch.len(), 1);
    assert!(host.simulator.properties::<Switch>(&made).is_none());
}

#[tokio::test]
async fn port_groups_come_change_and_go() {
    let host = vcenter().await;
    let (reference, _) = switch(&host);
    let add = |specs: Vec<DvPortgroupConfigSpec>| AddDvPortgroupTask {
        this: reference.clone(),
        spec: specs,
        ..AddDvPortgroupTask::default()
    };
    host.fails::<DuplicateName>(&add(vec![named("new"), named("web")]))
        .await;
    let wrong = DvPortgroupConfigSpec {
        default_port_config: vlan(4095),
        ..named("new")
    };
    host.fails::<InvalidArgument>(&add(vec![wrong])).await;
    host.succeeds(&add(vec![named("new"), named("newer")]))
        .await;
    let request = CreateDvPortgroupTask {
        this: reference.clone(),
        spec: DvPortgroupConfigSpec {
            r#type: Some("ephemeral".to_owned()),
            ..named("short lived")
        },
        ..CreateDvPortgroupTask::default()
    };
    let made = host.made(&request).await;
    let state: Group = host.simulator.properties(&made).unwrap();
    assert!(state.port_keys.is_empty());
    let lookup = LookupDvPortGroup {
        this: reference.clone(),
        portgroup_key: made.value.clone(),
        ..LookupDvPortGroup::default()
    };
    assert_eq!(host.client.call(&lookup).await.unwrap(), Some(made.clone()));

    let (web, before) = group(&host, "web");
    let change = |spec: DvPortgroupConfigSpec| ReconfigureDvPortgroupTask {
        this: web.clone(),
        spec,
        ..ReconfigureDvPortgroupTask::default()
    };
    let version = before.config.unwrap().config_version;
    let spec = DvPortgroupConfigSpec {
        config_version: version.clone(),
        default_port_config: vlan(77),
        num_ports: Some(3),
        ..DvPortgroupConfigSpec::default()
    };
    host.succeeds(&change(spec.clone())).await;
    host.fails::<ConcurrentAccess>(&change(spec)).await;
    host.fails::<DuplicateName>(&change(named("new"))).await;
    let (_, after) = group(&host, "web");
    assert_eq!((vlan_of(&after), after.port_keys.len()), (77, 3));
    host.succeeds(&rename(&web, "a/b")).await;
    let (_, renamed) = group(&host, "a%2fb");
    assert_eq!(renamed.config.unwrap().name, "a/b");

    host.succeeds(&destroy(&web)).await;
    let (first, _) = networks(&host, 0);
    let own: properties::HostSystem = host.simulator.properties(&first).unwrap();
    assert!(!own.network.contains(&web));
    let (_, state) = switch(&host);
    assert!(!state.portgroup.contains(&web));
    let uplinks = state.config.as_ref().unwrap().uplink_portgroup[0].clone();
    host.fails::<NotSupported>(&destroy(&uplinks)).await;
}

#[tokio::test]
async fn hosts_come_change_and_go() {
    let host = vcenter().await;
    let (reference, state) = switch(&host);
    let (first, _) = networks(&host, 0);
    let hosts = |members| DvsConfigSpec {
        host: members,
        ..DvsConfigSpec::default()
    };
    host.succeeds(&reconfigure(
        &reference,
        hosts(vec![member(&first, "remove", &[])]),
    ))
    .await;
    assert!(networks(&host, 0).1.proxy_switch.is_empty());
    let (web, state_of_web) = group(&host, "web");
    assert!(!state_of_web.host.contains(&first));
    let spec = hosts(vec![member(&first, "remove", &[])]);
    host.fails::<NotFound>(&reconfigure(&reference, spec)).await;
    host.succeeds(&reconfigure(
        &reference,
        hosts(vec![member(&first, "add", &["vmnic2"])]),
    ))
    .await;
    let own: properties::HostSystem = host.simulator.properties(&first).unwrap();
    assert!(own.network.contains(&web));
    // The host itself takes the NIC away; the switch hears of it.
    let request = UpdateNetworkConfig {
        this: system(&host, 0),
        config: HostNetworkConfig {
            proxy_switch: vec![HostProxySwitchConfig {
                change_operation: Some("edit".to_owned()),
                uuid: state.uuid.clone().unwrap(),
                spec: Some(
                    HostProxySwitchSpec {
                        backing: Some(backing(&[]).into()),
                        ..HostProxySwitchSpec::default()
                    }
                    .into(),
                ),
                ..HostProxySwitchConfig::default()
            }],
            ..HostNetworkConfig::default()
        },
        change_mode: "modify".to_owned(),
        ..UpdateNetworkConfig::default()
    };
    host.client.call(&request).await.unwrap();
    let (_, state) = switch(&host);
    let members = &state.config.as_ref().unwrap().host;
    let own = members
        .iter()
        .find(|one| one.config.host.as_ref() == Some(&first))
        .unwrap();
    let nics = own
        .config
        .backing
        .cast::<DistributedVirtualSwitchHostMemberPnicBacking>();
    assert!(nics.unwrap().pnic_spec.is_empty());

    let few = DvsConfigSpec {
        max_ports: Some(1),
        ..DvsConfigSpec::default()
    };
    host.fails::<LimitExceeded>(&reconfigure(&reference, few))
        .await;
    let most = DvsConfigSpec {
        max_ports: Some(state.config.as_ref().unwrap().num_ports),
        ..DvsConfigSpec::default()
    };
    host.succeeds(&reconfigure(&reference, most)).await;
    let add = AddDvPortgroupTask {
        this: reference.clone(),
        spec: vec![named("one more")],
        ..AddDvPortgroupTask::default()
    };
    host.fails::<DvsFault>(&add).await;
    host.succeeds(&rename(&reference, "renamed")).await;
    assert_eq!(networks(&host, 0).1.proxy_switch[0].dvs_name, "renamed");
}

#[tokio::test]
async fn cards_get_ports() {
    let host = vcenter().await;
    let (reference, state) = switch(&host);
    let uuid = state.uuid.clone().unwrap();
    let (web, before) = group(&host, "web");
    let vm = host.simulator.vm("web01").unwrap();
    host.succeeds(&attach_to(&vm, port(&uuid, &web.value)))
        .await;
    let devices = host.config(&vm).hardware.device;
    let card = devices
        .iter()
        .filter_map(|one| one.cast::<VirtualEthernetCard>())
        .next_back()
        .unwrap();
    let own = card.backing.as_ref().unwrap();
    let own = own
        .cast::<VirtualEthernetCardDistributedVirtualPortBackingInfo>()
        .unwrap();
    assert_eq!(own.port.port_key, Some(before.port_keys[0].clone()));
    assert!(own.port.connection_cookie.is_some());
    let summary = &card.device_info.as_ref().unwrap().summary;
    assert_eq!(*summary, format!("DVSwitch: {uuid}"));
    assert!(host.vm(&vm).network.contains(&web));
    assert_eq!(group(&host, "web").1.vm, [vm.clone()]);
    let (_, state) = switch(&host);
    assert_eq!(state.summary.as_ref().unwrap().vm, [vm.clone()]);
    let connected = DistributedVirtualSwitchPortCriteria {
        connected: Some(true),
        uplink_port: Some(false),
        ..DistributedVirtualSwitchPortCriteria::default()
    };
    let found = ports(&host, &reference, connected).await;
    let connectee = found[0].connectee.as_deref().unwrap();
    assert_eq!(connectee.connected_entity.as_ref(), Some(&vm));
    assert_eq!(connectee.nic_key, Some(card.key.to_string()));

    // Nine cards need more than the eight ports that the port group has.
    for _ in 0..8 {
        host.succeeds(&attach_to(&vm, port(&uuid, &web.value)))
            .await;
    }
    assert_eq!(group(&host, "web").1.port_keys.len(), 9);

    let uplinks = state.config.as_ref().unwrap().uplink_portgroup[0]
        .value
        .clone();
    let taken = DistributedVirtualSwitchPortConnection {
        portgroup_key: None,
        port_key: Some(before.port_keys[0].clone()),
        ..port(&uuid, "")
    };
    let other = host.simulator.vm("db01").unwrap();
    for wrong in [
        port(&uuid, &uplinks),
        port(&uuid, "dvportgroup-0"),
        port("0", &web.value),
        taken,
    ] {
        host.fails::<InvalidDeviceBacking>(&attach_to(&other, wrong))
            .await;
    }
    host.fails::<ResourceInUse>(&destroy(&web)).await;
    host.fails::<ResourceInUse>(&destroy(&reference)).await;
    let (first, _) = networks(&host, 0);
    let away = DvsConfigSpec {
        host: vec![member(&first, "remove", &[])],
        ..DvsConfigSpec::default()
    };
    host.fails::<ResourceInUse>(&reconfigure(&reference, away))
        .await;
    let vmx = host.config(&vm).files.vm_path_name.clone().unwrap();
    let keys = host.text(&vmx);
    assert!(
        keys.contains(&format!("dvs.switchId = \"{uuid}\"")),
        "{keys}"
    );
}

#[tokio::test]
async fn interfaces_of_hosts_get_ports_too() {
    let host = vcenter().await;
    let (reference, state) = switch(&host);
    let uuid = state.uuid.clone().unwrap();
    let (web, _) = group(&host, "web");
    let add = |group: &str| AddVirtualNic {
        this: system(&host, 0),
        nic: HostVirtualNicSpec {
            distributed_virtual_port: Some(port(&uuid, group).into()),
            ..HostVirtualNicSpec::default()
        },
        ..AddVirtualNic::default()
    };
    let device = host.client.call(&add(&web.value)).await.unwrap();
    let connected = DistributedVirtualSwitchPortCriteria {
        connected: Some(true),
        portgroup_key: vec![web.value.clone()],
        ..DistributedVirtualSwitchPortCriteria::default()
    };
    let found = ports(&host, &reference, connected).await;
    let connectee = found[0].connectee.as_deref().unwrap();
    assert_eq!(connectee.nic_key.as_ref(), Some(&device));
    assert_eq!(connectee.r#type.as_deref(), Some("hostVmkVnic"));
    host.fails::<ResourceInUse>(&destroy(&web)).await;
    let unknown: SoapFault = host.client.call(&add("dvportgroup-0")).await.unwrap_err();
    assert!(unknown.is::<PlatformConfigFault>());
    let remove = RemoveVirtualNic {
        this: system(&host, 0),
        device,
        ..RemoveVirtualNic::default()
    };
    host.client.call(&remove).await.unwrap();
    host.succeeds(&destroy(&web)).await;
}

#[tokio::test]
async fn opaque_networks_are_on_all_hosts() {
    for builder in [Simulator::esx(), Simulator::vcenter()] {
        let host = Host::of(builder.opaque_network("Segment A/1").build()).await;
        let (first, info) = networks(&host, 0);
        assert_eq!(info.opaque_network[0].opaque_network_name, "Segment A/1");
        assert_eq!(
            info.opaque_switch[0].pnic,
            ["key-vim.host.PhysicalNic-vmnic2"]
        );
        let network = host.simulator.objects("OpaqueNetwork").remove(0);
        let own: properties::HostSystem = host.simulator.properties(&first).unwrap();
        assert!(own.network.contains(&network));
        let vm = host.simulator.vm("web01").unwrap();
        let backing = |id: &str| VirtualEthernetCardOpaqueNetworkBackingInfo {
            opaque_network_id: id.to_owned(),
            opaque_network_type: "nsx.LogicalSwitch".to_owned(),
            ..VirtualEthernetCardOpaqueNetworkBackingInfo::default()
        };
        let id = &info.opaque_network[0].opaque_network_id;
        host.succeeds(&attach(&vm, backing(id))).await;
        assert!(host.vm(&vm).network.contains(&network));
        host.fails::<InvalidDeviceBacking>(&attach(&vm, backing("nowhere")))
            .await;
        host.fails::<NotSupported>(&destroy(&network)).await;
    }
}

#[tokio::test]
async fn servers_without_them_have_none() {
    let switch = || NewDistributedSwitch::new("dvs");
    let old = Simulator::vcenter().api_version("2.5").unwrap();
    for builder in [Simulator::esx(), old] {
        let simulator = builder
            .distributed_switch(switch())
            .opaque_network("x")
            .build();
        assert!(
            simulator
                .objects("VmwareDistributedVirtualSwitch")
                .is_empty()
        );
    }
}
