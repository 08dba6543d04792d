//! Events of networks, storage pools, node devices and secrets, and of the end of a connection.

use std::time::Duration;

use esx_driver::{
    Connect, EventStream, NetworkEvent, NetworkEventDetail, NodeDeviceEvent, NodeDeviceEventDetail,
    StoragePoolEvent, StoragePoolEventDetail,
};
use esx_sim::{Effect, NewDistributedSwitch, Rule, Simulator};
use futures_util::StreamExt as _;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;
use vi_types::{
    ManagedObjectReference, Poly,
    objects::{
        HostBlockHba, HostDevice, HostHostBusAdapter, HostNetworkInfo, HostOpaqueSwitch,
        HostPciDevice, HostProxySwitch, HostScsiDisk, HostStorageDeviceInfo, HostVirtualSwitch,
        ScsiLun,
    },
    properties::{Datastore, DistributedVirtualPortgroup, HostSystem},
};
use virt_model::event::{
    ConnectCloseReason, DomainEventId, NetworkEventId, NodeDeviceEventId, SecretEventId,
    StoragePoolEventId,
};
use virt_model::flags::{
    NetworkFilter, NetworkUpdateCommand, NetworkUpdateFlags, NetworkUpdateSection,
};

use crate::{host, methods, open};

const HOUR: Duration = Duration::from_secs(3600);

/// An event in a line.
trait Line {
    fn line(&self) -> String;
}

impl Line for NetworkEvent {
    fn line(&self) -> String {
        let NetworkEventDetail::Lifecycle(happened) = self.detail else {
            panic!("{self:?}");
        };
        format!("{} {happened}", self.network.name())
    }
}

impl Line for StoragePoolEvent {
    fn line(&self) -> String {
        match self.detail {
            StoragePoolEventDetail::Lifecycle(happened) => format!("{} {happened}", self.name),
            _ => format!("{} Refresh", self.name),
        }
    }
}

impl Line for NodeDeviceEvent {
    fn line(&self) -> String {
        match self.detail {
            NodeDeviceEventDetail::Lifecycle(happened) => format!("{} {happened}", self.name),
            _ => format!("{} Update", self.name),
        }
    }
}

/// The events that are told until nothing happens for an hour. Time is paused, so it passes when everything waits.
async fn told<E: esx_driver::Event + Line>(events: &mut EventStream<E>) -> Vec<String> {
    let mut told = Vec::new();
    while let Ok(event) = timeout(HOUR, events.next()).await {
        told.push(event.unwrap().unwrap().line());
    }
    told
}

fn change_host<R>(
    simulator: &Simulator,
    connect: &Connect,
    change: impl FnOnce(&mut HostSystem) -> R,
) -> R {
    simulator.change(crate::host_of(connect), change).unwrap()
}

fn change_network(
    simulator: &Simulator,
    connect: &Connect,
    change: impl FnOnce(&mut HostNetworkInfo),
) {
    change_host(simulator, connect, |host| {
        let config = host.config.as_mut().unwrap();
        change(config.network.as_mut().unwrap());
    });
}

fn switch(name: &str) -> HostVirtualSwitch {
    HostVirtualSwitch {
        name: name.to_owned(),
        key: format!("key-vim.host.VirtualSwitch-{name}"),
        ..HostVirtualSwitch::default()
    }
}

#[tokio::test(start_paused = true)]
async fn networks() {
    let (simulator, connect) = host().await;
    let of = connect.network_events();
    let mut events = of.stream(None, [NetworkEventId::Lifecycle]).await.unwrap();
    assert_eq!(
        methods(&simulator),
        [
            "CreatePropertyCollector",
            "CreateFilter",
            "WaitForUpdatesEx"
        ]
    );
    let zero = connect.network_lookup_by_name("vSwitch0").await.unwrap();
    let ids = [NetworkEventId::Lifecycle, NetworkEventId::MetadataChange];
    let mut of_zero = of.stream(Some(&zero), ids).await.unwrap();
    let none = told(&mut events).await;
    assert!(
        none.is_empty(),
        "what is there already is no news: {none:?}"
    );

    let change = |change: fn(&mut HostNetworkInfo)| change_network(&simulator, &connect, change);
    change(|network| network.vswitch.push(switch("lab")));
    assert_eq!(told(&mut events).await, ["lab Defined", "lab Started"]);
    // Ports come and go with the domains that use them.
    change(|network| network.vswitch[0].num_ports_available -= 1);
    assert!(told(&mut events).await.is_empty());
    change(|network| network.vswitch[0].pnic.clear());
    assert_eq!(told(&mut events).await, ["vSwitch0 Defined"]);
    change(|network| network.portgroup[0].spec.name = "Servers".to_owned());
    assert_eq!(told(&mut events).await, ["vSwitch0 Defined"]);
    change(|network| drop(network.vswitch.drain(..2)));
    assert_eq!(
        told(&mut events).await,
        [
            "vSwitch0 Stopped",
            "vSwitch0 Undefined",
            "vSwitch1 Stopped",
            "vSwitch1 Undefined",
        ]
    );
    assert_eq!(
        told(&mut of_zero).await,
        [
            "vSwitch0 Defined",
            "vSwitch0 Defined",
            "vSwitch0 Stopped",
            "vSwitch0 Undefined",
        ]
    );
    drop(events);
    drop(of_zero);
    settled(&simulator).await;
}

/// Distributed and opaque switches, which come and go with the host's part of them.
#[tokio::test(start_paused = true)]
async fn networks_of_other_kinds() {
    let (simulator, connect) = host().await;
    let of = connect.network_events();
    let mut events = of.stream(None, [NetworkEventId::Lifecycle]).await.unwrap();
    assert!(told(&mut events).await.is_empty());
    let change = |change: fn(&mut HostNetworkInfo)| change_network(&simulator, &connect, change);
    change(|network| {
        network.proxy_switch.push(HostProxySwitch {
            dvs_name: "dvs".to_owned(),
            dvs_uuid: "50 17 11 22 33 44 55 66-77 88 99 aa bb cc dd ee".to_owned(),
            ..HostProxySwitch::default()
        });
    });
    assert_eq!(told(&mut events).await, ["dvs Defined", "dvs Started"]);
    change(|network| {
        let nic = network.pnic[0].key.clone().unwrap();
        network.proxy_switch[0].pnic.push(nic);
    });
    assert_eq!(told(&mut events).await, ["dvs Defined"]);
    change(|network| {
        network.opaque_switch.push(HostOpaqueSwitch {
            key: "nsx".to_owned(),
            ..HostOpaqueSwitch::default()
        });
    });
    assert_eq!(told(&mut events).await, ["nsx Defined", "nsx Started"]);
    change(|network| network.proxy_switch.clear());
    assert_eq!(told(&mut events).await, ["dvs Stopped", "dvs Undefined"]);
    drop(events);
    settled(&simulator).await;
}

/// Port groups of distributed switches are a vCenter's; their changes are changes of the hosts' networks.
#[tokio::test(start_paused = true)]
async fn distributed_networks() {
    let simulator = Simulator::vcenter()
        .distributed_switch(NewDistributedSwitch::new("dvs").port_group("web", 10))
        .distributed_switch(
            NewDistributedSwitch::new("dvs")
                .folder("Lab")
                .port_group("a/b 網", 0),
        )
        .build();
    let connect = open(&simulator, &format!("vpx://vc/{}", simulator.path()))
        .await
        .unwrap();
    let of = connect.network_events();
    simulator.clear_requests();
    let mut events = of.stream(None, [NetworkEventId::Lifecycle]).await.unwrap();
    assert!(told(&mut events).await.is_empty());
    let requests = methods(&simulator);
    let begun = requests.iter().filter(|name| *name != "WaitForUpdatesEx");
    let begun: Vec<_> = begun.map(String::as_str).collect();
    assert_eq!(
        begun,
        [
            "CreatePropertyCollector",
            "CreateFilter",
            "CreateFilter",
            "RetrievePropertiesEx"
        ]
    );
    let networks = connect
        .list_all_networks(NetworkFilter::NONE)
        .await
        .unwrap();
    let own = networks.iter().filter(|network| network.name() == "dvs");
    let own: Vec<_> = own.collect();
    let mut of_second = of
        .stream(Some(own[1]), [NetworkEventId::Lifecycle])
        .await
        .unwrap();
    let update = async |command, xml: &str| {
        let (section, flags) = (NetworkUpdateSection::Portgroup, NetworkUpdateFlags::NONE);
        let updated = own[1].update(command, section, -1, xml, flags).await;
        updated.unwrap();
    };
    let is_changed = async |events: &mut EventStream<NetworkEvent>, of_second: &mut _| {
        assert_eq!(told(events).await, ["dvs Defined"]);
        assert_eq!(told(of_second).await, ["dvs Defined"]);
    };
    update(NetworkUpdateCommand::AddLast, "<portgroup name='new'/>").await;
    is_changed(&mut events, &mut of_second).await;
    let tagged = "<portgroup name='new'><vlan><tag id='7'/></vlan></portgroup>";
    update(NetworkUpdateCommand::Modify, tagged).await;
    is_changed(&mut events, &mut of_second).await;
    // As it is already.
    update(NetworkUpdateCommand::Modify, tagged).await;
    assert!(told(&mut events).await.is_empty());
    update(NetworkUpdateCommand::Delete, "<portgroup name='new'/>").await;
    is_changed(&mut events, &mut of_second).await;

    // Somebody renames a port group, and then a switch.
    let groups = simulator.objects("DistributedVirtualPortgroup").into_iter();
    let named = |group: &ManagedObjectReference| {
        let group = simulator.properties::<DistributedVirtualPortgroup>(group);
        group.and_then(|group| group.name.clone())
    };
    let web = groups
        .clone()
        .find(|group| named(group).as_deref() == Some("web"));
    let renamed = |group: &mut DistributedVirtualPortgroup| {
        group.name = Some("www%2f1".to_owned());
    };
    simulator.change(&web.unwrap(), renamed).unwrap();
    assert_eq!(told(&mut events).await, ["dvs Defined"]);
    assert!(told(&mut of_second).await.is_empty());
    change_network(&simulator, &connect, |network| {
        network.proxy_switch[1].dvs_name = "renamed".to_owned();
    });
    assert_eq!(told(&mut events).await, ["renamed Defined"]);
    assert_eq!(told(&mut of_second).await, ["renamed Defined"]);
    drop(events);
    drop(of_second);
    settled(&simulator).await;
}

/// Changes that other clients and the hardware make, also while the server restarts.
#[tokio::test(start_paused = true)]
async fn played_changes() {
    let (simulator, connect) = host().await;
    let apply = |change: &str| simulator.apply(&change.parse().unwrap()).unwrap();
    let ids = [NetworkEventId::Lifecycle];
    let mut networks = connect.network_events().stream(None, ids).await.unwrap();
    let ids = StoragePoolEventId::ALL.iter().copied();
    let mut pools = connect
        .storage_pool_events()
        .stream(None, ids)
        .await
        .unwrap();
    let ids = NodeDeviceEventId::ALL.iter().copied();
    let mut devices = connect
        .node_device_events()
        .stream(None, ids)
        .await
        .unwrap();
    for is_restarted in [false, true] {
        for change in [
            "add-switch lab",
            "add-network Test lab",
            "add-datastore new",
            "datastore datastore1 inaccessible",
            "add-nic-device vmnic7",
        ] {
            apply(change);
            if !is_restarted {
                tokio::time::sleep(HOUR).await;
            }
        }
        if is_restarted {
            // The changes in between are told as their difference.
            simulator.restart();
        }
        let lab: &[&str] = match is_restarted {
            false => &["lab Defined", "lab Started", "lab Defined"],
            true => &["lab Defined", "lab Started"],
        };
        assert_eq!(told(&mut networks).await, lab);
        let mut told_of_pools = told(&mut pools).await;
        told_of_pools.sort();
        assert_eq!(
            told_of_pools,
            ["datastore1 Stopped", "new Defined", "new Started"]
        );
        // The new datastore is on a disk, which is a device, too.
        let mut told_of_devices = told(&mut devices).await;
        told_of_devices.retain(|line| !line.starts_with("block_"));
        let [created] = &told_of_devices[..] else {
            panic!("{told_of_devices:?}");
        };
        assert!(created.starts_with("net_vmnic7_") && created.ends_with(" Created"));

        apply("remove-switch lab");
        apply("remove-datastore new");
        apply("datastore datastore1 accessible");
        apply("remove-nic-device vmnic7");
        assert_eq!(told(&mut networks).await, ["lab Stopped", "lab Undefined"]);
        let mut told_of_pools = told(&mut pools).await;
        told_of_pools.sort();
        assert_eq!(
            told_of_pools,
            ["datastore1 Started", "new Stopped", "new Undefined"]
        );
        let mut told_of_devices = told(&mut devices).await;
        told_of_devices.retain(|line| !line.starts_with("block_"));
        assert_eq!(told_of_devices.len(), 1);
    }
}

/// An outage that ends watches which do not go on trying.
#[tokio::test(start_paused = true)]
async fn events_outlive_an_outage_and_close_callbacks_tell_of_it() {
    let (simulator, connect) = host().await;
    let ids = [NetworkEventId::Lifecycle];
    let mut networks = connect.network_events().stream(None, ids).await.unwrap();
    let mut reasons = close_callback(&connect).await;
    simulator.inject(Rule::new("*", Effect::DropBefore));
    assert_eq!(reasons.recv().await, Some(ConnectCloseReason::Eof));
    simulator.apply(&"add-switch lab".parse().unwrap()).unwrap();
    assert!(told(&mut networks).await.is_empty());
    simulator.clear_rules();
    assert_eq!(told(&mut networks).await, ["lab Defined", "lab Started"]);
}

/// The last registration is gone, and what the driver had made on the server with it.
async fn settled(simulator: &Simulator) {
    tokio::time::sleep(HOUR).await;
    assert_eq!(simulator.leftovers(), []);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_ends_costs_no_event_and_repeats_none() {
    let (simulator, connect) = host().await;
    let ids = [NetworkEventId::Lifecycle];
    let mut events = connect.network_events().stream(None, ids).await.unwrap();
    assert!(told(&mut events).await.is_empty());
    simulator.expire_sessions();
    assert!(told(&mut events).await.is_empty());
    simulator.expire_sessions();
    change_network(&simulator, &connect, |network| {
        network.vswitch.push(switch("lab"));
    });
    assert_eq!(told(&mut events).await, ["lab Defined", "lab Started"]);
}

#[tokio::test(start_paused = true)]
async fn networks_that_may_not_be_read() {
    let (simulator, connect) = host().await;
    simulator.set_unreadable("HostSystem", "config.network.vswitch");
    simulator.set_unreadable("HostSystem", "config.network");
    let ids = [NetworkEventId::Lifecycle];
    let error = connect
        .network_events()
        .stream(None, ids)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), esx_driver::ErrorKind::Property, "{error}");
    settled(&simulator).await;
}

#[tokio::test(start_paused = true)]
async fn storage_pools() {
    for simulator in [Simulator::esx().build(), Simulator::vcenter().build()] {
        let uri = match simulator.path() {
            "" => "esx://h/".to_owned(),
            path => format!("vpx://h/{path}"),
        };
        let connect = open(&simulator, &uri).await.unwrap();
        let of = connect.storage_pool_events();
        let ids = StoragePoolEventId::ALL.iter().copied();
        let mut events = of.stream(None, ids).await.unwrap();
        let own = simulator
            .properties::<HostSystem>(crate::host_of(&connect))
            .unwrap()
            .datastore;
        let first = own[0].clone();
        let pool = simulator.properties::<Datastore>(&first).unwrap();
        let name = pool.summary.unwrap().name;
        let change = |change: &dyn Fn(&mut Datastore)| simulator.change(&first, change).unwrap();
        let maintenance = |mode: &'static str| {
            change(&move |pool| {
                pool.summary.as_mut().unwrap().maintenance_mode = Some(mode.to_owned());
            });
        };
        let accessible = |is: bool| {
            change(&move |pool| {
                pool.summary.as_mut().unwrap().accessible = is;
                for mount in &mut pool.host {
                    mount.mount_info.accessible = Some(is);
                }
            });
        };

        accessible(false);
        assert_eq!(told(&mut events).await, [format!("{name} Stopped")]);
        accessible(true);
        assert_eq!(told(&mut events).await, [format!("{name} Started")]);
        maintenance("enteringMaintenance");
        assert!(told(&mut events).await.is_empty());
        maintenance("inMaintenance");
        assert_eq!(told(&mut events).await, [format!("{name} Stopped")]);
        maintenance("normal");
        assert_eq!(told(&mut events).await, [format!("{name} Started")]);
        change(&|pool| pool.summary.as_mut().unwrap().free_space -= 1);
        assert_eq!(told(&mut events).await, [format!("{name} Refresh")]);
        change(&|pool| pool.summary.as_mut().unwrap().name = "fast".to_owned());
        assert_eq!(
            told(&mut events).await,
            [format!("{name} Undefined"), "fast Defined".to_owned()]
        );
        change_host(&simulator, &connect, |host| host.datastore.remove(0));
        assert_eq!(told(&mut events).await, ["fast Stopped", "fast Undefined"]);
        change_host(&simulator, &connect, |host| {
            host.datastore.push(first.clone())
        });
        assert_eq!(told(&mut events).await, ["fast Defined", "fast Started"]);
        drop(events);
        settled(&simulator).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_without_datastores() {
    let (simulator, connect) = host().await;
    let own = change_host(&simulator, &connect, |host| {
        std::mem::take(&mut host.datastore)
    });
    let ids = [StoragePoolEventId::Lifecycle];
    let mut events = connect
        .storage_pool_events()
        .stream(None, ids)
        .await
        .unwrap();
    assert!(told(&mut events).await.is_empty());
    change_host(&simulator, &connect, |host| {
        host.datastore = own[..1].to_vec()
    });
    assert_eq!(
        told(&mut events).await,
        ["datastore1 Defined", "datastore1 Started"]
    );
}

fn pci(id: &str) -> HostPciDevice {
    HostPciDevice {
        id: id.to_owned(),
        ..HostPciDevice::default()
    }
}

/// Storage with an adapter and a disk.
fn storage(status: &str) -> HostStorageDeviceInfo {
    HostStorageDeviceInfo {
        host_bus_adapter: vec![Poly::new(HostBlockHba {
            base: HostHostBusAdapter {
                device: "vmhba32".to_owned(),
                status: status.to_owned(),
                ..HostHostBusAdapter::default()
            },
            ..HostBlockHba::default()
        })],
        scsi_lun: vec![Poly::new(HostScsiDisk {
            base: ScsiLun {
                base: HostDevice {
                    device_name: "/vmfs/devices/disks/naa.6000".to_owned(),
                    ..HostDevice::default()
                },
                canonical_name: Some("naa.6000".to_owned()),
                ..ScsiLun::default()
            },
            ..HostScsiDisk::default()
        })],
        ..HostStorageDeviceInfo::default()
    }
}

#[tokio::test(start_paused = true)]
async fn node_devices() {
    let (simulator, connect) = host().await;
    // The host's own adapters and disks would be told as gone below.
    change_host(&simulator, &connect, |host| {
        host.config.as_mut().unwrap().storage_device = None;
    });
    let of = connect.node_device_events();
    let ids = NodeDeviceEventId::ALL.iter().copied();
    let mut events = of.stream(None, ids).await.unwrap();
    let one = "pci_0000_03_00_0".to_owned();
    let mut of_one = of
        .stream(Some(&one), [NodeDeviceEventId::Lifecycle])
        .await
        .unwrap();
    assert!(told(&mut events).await.is_empty());

    let change = |change: fn(&mut HostSystem)| change_host(&simulator, &connect, change);
    change(|host| {
        let hardware = host.hardware.as_mut().unwrap();
        hardware.pci_device.push(pci("0000:03:00.0"));
        hardware.pci_device.push(pci("0000:03:00.1"));
    });
    assert_eq!(
        told(&mut events).await,
        ["pci_0000_03_00_0 Created", "pci_0000_03_00_1 Created"]
    );
    change(|host| {
        host.config.as_mut().unwrap().storage_device = Some(storage("online").into());
    });
    assert_eq!(
        told(&mut events).await,
        ["block_naa_6000 Created", "scsi_host32 Created"]
    );
    change(|host| {
        host.config.as_mut().unwrap().storage_device = Some(storage("offline").into());
    });
    assert_eq!(told(&mut events).await, ["scsi_host32 Update"]);
    let mac = change_host(&simulator, &connect, |host| {
        let network = host.config.as_mut().unwrap().network.as_mut().unwrap();
        network.pnic[0].link_speed = None;
        network.pnic[0].mac.replace(':', "_")
    });
    assert_eq!(
        told(&mut events).await,
        [format!("net_vmnic0_{mac} Update")]
    );
    change(|host| host.hardware.as_mut().unwrap().pci_device.clear());
    assert_eq!(
        told(&mut of_one).await,
        ["pci_0000_03_00_0 Created", "pci_0000_03_00_0 Deleted"]
    );
}

#[tokio::test(start_paused = true)]
async fn secrets_cost_no_request() {
    let (simulator, connect) = host().await;
    let events = connect.secret_events();
    let id = events
        .register(None, SecretEventId::Lifecycle, |_| ())
        .await
        .unwrap();
    let ids = [SecretEventId::ValueChanged];
    let mut stream = events.stream(None, ids).await.unwrap();
    assert!(timeout(HOUR, stream.next()).await.is_err());
    events.deregister(id).unwrap().finished().await;
    assert_eq!(methods(&simulator), [""; 0]);
}

/// A close callback that passes the reason on.
async fn close_callback(connect: &Connect) -> UnboundedReceiver<ConnectCloseReason> {
    let (sender, receiver) = unbounded_channel();
    let pass = move |reason| {
        let _ = sender.send(reason);
    };
    connect.register_close_callback(pass).await.unwrap();
    receiver
}

#[tokio::test(start_paused = true)]
async fn why_a_connection_is_lost() {
    for (effect, expected) in [
        (Effect::DropBefore, ConnectCloseReason::Eof),
        (Effect::Silence, ConnectCloseReason::KeepAlive),
        (
            Effect::rewrite(|_| "<this is not".to_owned()),
            ConnectCloseReason::Error,
        ),
    ] {
        let (simulator, connect) = host().await;
        let mut one = close_callback(&connect).await;
        let mut two = close_callback(&connect).await;
        let case = format!("{effect:?}");
        simulator.inject(Rule::new("WaitForUpdatesEx", effect));
        assert_eq!(one.recv().await, Some(expected), "{case}");
        assert_eq!(two.recv().await, Some(expected), "{case}");
        assert!(timeout(HOUR, one.recv()).await.is_err(), "told once");
        simulator.clear_rules();
        assert!(connect.is_alive().await);
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_closed_or_mended() {
    let (simulator, connect) = host().await;
    let mut reasons = close_callback(&connect).await;
    simulator.expire_sessions();
    simulator.inject(Rule::new("WaitForUpdatesEx", Effect::DropAfter).nth(1));
    assert!(
        timeout(HOUR, reasons.recv()).await.is_err(),
        "it was mended"
    );
    connect.close().await.unwrap();
    assert_eq!(reasons.recv().await, Some(ConnectCloseReason::Client));
    assert!(connect.register_close_callback(|_| ()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn close_callbacks_are_taken_back() {
    let (simulator, connect) = host().await;
    let id = connect
        .register_close_callback(|_| panic!("called"))
        .await
        .unwrap();
    let networks = connect.network_events();
    networks.deregister(id).unwrap_err();
    connect.unregister_close_callback(id).unwrap();
    let error = connect.unregister_close_callback(id).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("invalid argument: could not find event callback {id} for deletion")
    );
    settled(&simulator).await;
}

/// What the documentation of each kind says.
#[tokio::test(start_paused = true)]
async fn requests_to_begin_with() {
    /// The requests until the source has begun, and those until everything waits.
    async fn counted<F>(begin: impl FnOnce(Connect) -> F) -> (Vec<String>, Vec<String>)
    where
        F: Future<Output = ()>,
    {
        let (simulator, connect) = host().await;
        begin(connect.clone()).await;
        let begun = methods(&simulator);
        for _ in 0..200 {
            tokio::task::yield_now().await;
        }
        let mut later = methods(&simulator);
        later.drain(..begun.len());
        (begun, later)
    }
    let first = [
        "CreatePropertyCollector",
        "CreateFilter",
        "WaitForUpdatesEx",
    ];
    let networks = counted(async |connect| {
        let ids = [NetworkEventId::Lifecycle];
        let events = connect.network_events().stream(None, ids).await;
        std::mem::forget(events.unwrap());
    });
    let pools = counted(async |connect| {
        let ids = StoragePoolEventId::ALL.iter().copied();
        let events = connect.storage_pool_events().stream(None, ids).await;
        std::mem::forget(events.unwrap());
    });
    let devices = counted(async |connect| {
        let ids = NodeDeviceEventId::ALL.iter().copied();
        let events = connect.node_device_events().stream(None, ids).await;
        std::mem::forget(events.unwrap());
    });
    let closed = counted(async |connect| {
        connect.register_close_callback(|_| ()).await.unwrap();
    });
    for (kind, (begun, later)) in [
        ("networks", networks.await),
        ("storage pools", pools.await),
        ("node devices", devices.await),
        ("the end", closed.await),
    ] {
        assert_eq!(begun, first, "{kind}");
        assert_eq!(later, ["WaitForUpdatesEx"], "{kind}");
    }

    let domains = counted(async |connect| {
        let ids = [DomainEventId::Lifecycle];
        let events = connect.domain_events().stream(None, ids).await;
        std::mem::forget(events.unwrap());
    });
    let (begun, mut later) = domains.await;
    // The filter may be added to a call that waits already.
    later.sort();
    let history = ["CreateCollectorForEvents", "RetrievePropertiesEx"];
    assert_eq!(begun, [&history[..], &first].concat(), "domains");
    assert_eq!(
        later,
        [
            "CreateFilter",
            "SetCollectorPageSize",
            "WaitForUpdatesEx",
            "WaitForUpdatesEx",
        ],
        "domains"
    );
}
