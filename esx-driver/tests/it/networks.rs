//! Networks: lists, lookups and documents.

use esx_driver::{
    ErrorKind, What,
    virt_model::{Uuid, flags::NetworkFilter},
};
use esx_sim::Simulator;
use vi_types::{
    objects::{HostNetworkInfo, HostVirtualSwitch},
    properties::HostSystem,
};

use crate::{host, methods, text};

/// The UUID of `vSwitch0`: libvirt gives the same.
const UUID: &str = "2f467347-8b4e-8655-e7d6-c4c3fb968009";

/// Changes what the simulated host's network is made of.
fn change(simulator: &Simulator, change: impl FnOnce(&mut HostNetworkInfo)) {
    let host = &simulator.objects("HostSystem")[0];
    let changed = simulator.change(host, |host: &mut HostSystem| {
        let config = host.config.as_mut().unwrap();
        change(config.network.as_mut().unwrap());
    });
    changed.unwrap();
}

fn switch(name: &str) -> HostVirtualSwitch {
    HostVirtualSwitch {
        name: name.to_owned(),
        key: format!("key-vim.host.VirtualSwitch-{name}"),
        ..HostVirtualSwitch::default()
    }
}

#[tokio::test]
async fn filters() {
    let (simulator, connect) = host().await;
    change(&simulator, |network| network.vswitch.push(switch("lab")));
    let all = &["vSwitch0", "lab"][..];
    for (filter, expected, requests) in [
        (NetworkFilter::NONE, all, 1),
        (NetworkFilter::ACTIVE, all, 1),
        (NetworkFilter::INACTIVE, &[], 0),
        (NetworkFilter::FILTERS_ACTIVE, all, 1),
        (NetworkFilter::PERSISTENT, all, 1),
        (NetworkFilter::TRANSIENT, &[], 0),
        (NetworkFilter::AUTOSTART, all, 1),
        (NetworkFilter::NO_AUTOSTART, &[], 0),
        (NetworkFilter::FILTERS_ALL, all, 1),
        (NetworkFilter::ACTIVE | NetworkFilter::NO_AUTOSTART, &[], 0),
    ] {
        simulator.clear_requests();
        let list = connect.list_all_networks(filter).await.unwrap();
        let names: Vec<_> = list.iter().map(|network| network.name()).collect();
        assert_eq!(names, expected, "{filter:?}");
        assert_eq!(methods(&simulator).len(), requests, "{filter:?}");
        assert!(list.iter().all(|network| network.is_active()));
        assert!(list.iter().all(|network| network.is_persistent()));
        assert!(list.iter().all(|network| network.autostart()));
    }
    assert_eq!(connect.num_of_networks().await.unwrap(), 2);
    assert_eq!(connect.list_networks().await.unwrap(), all);
    assert_eq!(connect.num_of_defined_networks(), 0);
    assert!(connect.list_defined_networks().is_empty());
    let error = connect
        .list_all_networks(NetworkFilter::from_bits(1 << 9))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnsupportedFlags);
    assert_eq!(
        error.to_string(),
        "unsupported flags (0x200) in function esxConnectListAllNetworks"
    );
}

#[tokio::test]
async fn lookups() {
    let (simulator, connect) = host().await;
    let network = connect.network_lookup_by_name("vSwitch0").await.unwrap();
    assert_eq!(network.uuid().to_string(), UUID);
    assert_eq!(methods(&simulator).len(), 1);
    let network = connect
        .network_lookup_by_uuid(UUID.parse().unwrap())
        .await
        .unwrap();
    assert_eq!(network.name(), "vSwitch0");

    let error = connect
        .network_lookup_by_name("vswitch1")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound(What::Network));
    assert_eq!(error.code().number(), 43);
    assert_eq!(
        error.to_string(),
        "Network not found: Could not find HostVirtualSwitch with name 'vswitch1'"
    );
    assert_eq!(error.advice(), Some("did you mean 'vSwitch0'?"));
    assert_eq!(
        text(connect.network_lookup_by_uuid(Uuid::NIL).await),
        "Network not found: Could not find HostVirtualSwitch with UUID \
         '00000000-0000-0000-0000-000000000000'"
    );
}

#[tokio::test]
async fn a_host_without_switches() {
    let (simulator, connect) = host().await;
    change(&simulator, |network| network.vswitch.clear());
    let list = connect.list_all_networks(NetworkFilter::NONE).await;
    assert!(list.unwrap().is_empty());
}

#[tokio::test]
async fn switches_that_this_user_may_not_read() {
    let (simulator, connect) = host().await;
    simulator.set_unreadable("HostSystem", "config.network.vswitch");
    let error = connect
        .list_all_networks(NetworkFilter::NONE)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Property);
    let message = "internal error: Missing 'config.network.vswitch' property";
    assert_eq!(error.to_string(), message);
}
