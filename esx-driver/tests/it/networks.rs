//! Networks: lists, lookups and documents.

use esx_driver::{
    Connect, Error, ErrorKind, What,
    virt_model::{
        Uuid,
        flags::{NetworkFilter, NetworkXmlFlags},
    },
};
use esx_sim::Simulator;
use vi_types::{
    objects::{
        HostNetworkInfo, HostNetworkPolicy, HostNetworkTrafficShapingPolicy, HostPortGroup,
        HostPortGroupSpec, HostVirtualSwitch,
    },
    properties::{HostSystem, Network as PortGroupNetwork},
};

use crate::{host, methods, open, text};

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

/// A switch with these physical network cards and port groups, by the names in their keys.
fn linked(name: &str, nics: &[&str], groups: &[&str]) -> HostVirtualSwitch {
    let key = |what: &str, name: &&str| format!("key-vim.host.{what}-{name}");
    HostVirtualSwitch {
        pnic: nics.iter().map(|nic| key("PhysicalNic", nic)).collect(),
        portgroup: groups.iter().map(|group| key("PortGroup", group)).collect(),
        ..switch(name)
    }
}

fn group(name: &str, policy: HostNetworkPolicy) -> HostPortGroup {
    HostPortGroup {
        key: Some(format!("key-vim.host.PortGroup-{name}")),
        spec: HostPortGroupSpec {
            name: name.to_owned(),
            policy,
            ..HostPortGroupSpec::default()
        },
        ..HostPortGroup::default()
    }
}

/// Traffic shaping in bits per second and bytes.
fn shaping(enabled: bool, average: i64, peak: i64, burst: i64) -> HostNetworkPolicy {
    let shaping = HostNetworkTrafficShapingPolicy {
        enabled: Some(enabled),
        average_bandwidth: Some(average),
        peak_bandwidth: Some(peak),
        burst_size: Some(burst),
        ..HostNetworkTrafficShapingPolicy::default()
    };
    HostNetworkPolicy {
        shaping_policy: Some(shaping.into()),
        ..HostNetworkPolicy::default()
    }
}

fn shaped(mut switch: HostVirtualSwitch, policy: HostNetworkPolicy) -> HostVirtualSwitch {
    switch.spec.policy = Some(policy.into());
    switch
}

async fn described(connect: &Connect, name: &str) -> Result<String, Error> {
    let network = connect.network_lookup_by_name(name).await?;
    network.xml_desc(NetworkXmlFlags::NONE).await
}

#[tokio::test]
async fn filters() {
    let (simulator, connect) = host().await;
    let all = &["vSwitch0", "vSwitch1", "vSwitch2"][..];
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
    assert_eq!(connect.num_of_networks().await.unwrap(), 3);
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
        .network_lookup_by_name("VSwitch0")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound(What::Network));
    assert_eq!(error.code().number(), 43);
    assert_eq!(
        error.to_string(),
        "Network not found: Could not find HostVirtualSwitch with name 'VSwitch0'"
    );
    assert_eq!(error.advice(), Some("did you mean 'vSwitch0'?"));
    assert_eq!(
        text(connect.network_lookup_by_uuid(Uuid::NIL).await),
        "Network not found: Could not find HostVirtualSwitch with UUID \
         '00000000-0000-0000-0000-000000000000'"
    );
}

/// Servers that give switches no keys, or one key for several: a command reaches the switch that was asked for.
#[tokio::test]
async fn switches_without_keys_of_their_own() {
    let (simulator, connect) = host().await;
    change(&simulator, |network| {
        let keyed = |name: &str, key: &str| HostVirtualSwitch {
            key: key.to_owned(),
            ..switch(name)
        };
        network.vswitch = vec![
            keyed("a/b %2f 網", ""),
            keyed("b", ""),
            keyed("one", "k"),
            keyed("two", "k"),
        ];
    });
    let list = connect
        .list_all_networks(NetworkFilter::NONE)
        .await
        .unwrap();
    let [odd, plain, one, two] = &list[..] else {
        panic!("{list:?}");
    };
    assert_ne!(odd.uuid(), plain.uuid());
    for network in [odd, plain] {
        let found = connect
            .network_lookup_by_uuid(network.uuid())
            .await
            .unwrap();
        assert_eq!(found.name(), network.name());
    }
    assert_eq!(one.uuid(), two.uuid());
    let error = connect
        .network_lookup_by_uuid(one.uuid())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Ambiguous, "{error}");
    assert_eq!(error.advice(), Some("name one by its name: 'one', 'two'"));
    for network in &list {
        let xml = network.xml_desc(NetworkXmlFlags::NONE).await.unwrap();
        let name = format!("<name>{}</name>", network.name());
        assert!(xml.contains(&name), "{xml}");
    }
    two.undefine().await.unwrap();
    plain.undefine().await.unwrap();
    let names = connect.list_networks().await.unwrap();
    assert_eq!(names, ["a/b %2f 網", "one"]);
    for gone in [plain, two] {
        let error = gone.undefine().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound(What::Network), "{error}");
    }
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
    let message = crate::unreadable("config.network.vswitch", "HostSystem:ha-host");
    assert_eq!(error.to_string(), message);
}

#[tokio::test]
async fn a_document() {
    let (simulator, connect) = host().await;
    let network = connect.network_lookup_by_name("vSwitch0").await.unwrap();
    simulator.clear_requests();
    let xml = network.xml_desc(NetworkXmlFlags::NONE).await.unwrap();
    assert_eq!(methods(&simulator), ["RetrievePropertiesEx"]);
    assert!(xml.starts_with(&format!(
        "<network>
  <name>vSwitch0</name>
  <uuid>{UUID}</uuid>
  <forward dev='vmnic0' mode='bridge'>
    <interface dev='vmnic0'/>
  </forward>
  <portgroup name='VM Network'>
  </portgroup>
"
    )));
    // The host's own port groups are none of virtual machines'.
    assert!(!xml.contains("Management Network"), "{xml}");
    let inactive = network.xml_desc(NetworkXmlFlags::INACTIVE).await.unwrap();
    assert_eq!(inactive, xml);
}

/// What libvirt 9.0 says of the same switches, but for the port group of the last: libvirt does not find the name that
/// the server escapes.
#[tokio::test]
async fn documents_of_all_sorts_of_switches() {
    let (simulator, connect) = host().await;
    change(&simulator, |network| {
        network.vswitch = vec![
            linked("lab", &[], &[]),
            linked("two", &["vmnic1", "vmnic0"], &["Management Network"]),
            shaped(
                switch("shaped"),
                shaping(true, 102_400_000, 204_800_000, 104_857_600),
            ),
            shaped(switch("burst"), shaping(true, 0, 0, 2048)),
            shaped(switch("negative"), shaping(true, 16_000, -1, -1)),
            shaped(switch("off"), shaping(false, 16_000, 16_000, 2048)),
            linked("groups", &[], &["a/b"]),
        ];
        let limits = shaping(true, 8_000, 0, 0);
        network.portgroup.push(group("a/b", limits));
    });
    let network = &simulator.objects("Network")[0];
    let named = simulator.change(network, |network: &mut PortGroupNetwork| {
        network.name = Some("a%2fb".to_owned());
    });
    named.unwrap();
    let bridge = "  <bridge stp='off' delay='0'/>\n";
    for (name, uuid, expected) in [
        (
            "lab",
            "d57fe4e9-51ad-53ae-9763-647e738f8a28",
            bridge.to_owned(),
        ),
        (
            "two",
            "40b5aca8-1e3c-4426-3e7e-c1d836254756",
            "  <forward dev='vmnic1' mode='bridge'>
    <interface dev='vmnic1'/>
    <interface dev='vmnic0'/>
  </forward>
"
            .to_owned(),
        ),
        (
            "shaped",
            "f0b9420e-9a89-d0d1-8544-10ce39b448ad",
            format!(
                "{bridge}  <bandwidth>
    <inbound average='12800' peak='25600' burst='102400'/>
    <outbound average='12800' peak='25600' burst='102400'/>
  </bandwidth>
"
            ),
        ),
        (
            "burst",
            "a6b8f6e2-0a58-c56b-b2c7-13ea436a07fe",
            format!("{bridge}  <bandwidth>\n  </bandwidth>\n"),
        ),
        (
            "negative",
            "2452b97c-85f4-b4dc-3e37-2ba1740fe0a8",
            format!(
                "{bridge}  <bandwidth>
    <inbound average='2'/>
    <outbound average='2'/>
  </bandwidth>
"
            ),
        ),
        (
            "off",
            "09804775-40ae-2690-07c6-07b37eed800d",
            bridge.to_owned(),
        ),
        (
            "groups",
            "77404998-7f3b-4194-9cfe-97363431d0c3",
            format!(
                "{bridge}  <portgroup name='a/b'>
    <bandwidth>
      <inbound average='1'/>
      <outbound average='1'/>
    </bandwidth>
  </portgroup>
"
            ),
        ),
    ] {
        let xml = described(&connect, name).await.unwrap();
        let head = format!("<network>\n  <name>{name}</name>\n  <uuid>{uuid}</uuid>\n");
        assert_eq!(xml, format!("{head}{expected}</network>\n"));
    }
}

#[tokio::test]
async fn documents_that_cannot_be() {
    let (simulator, connect) = host().await;
    let gone = connect.network_lookup_by_name("vSwitch0").await.unwrap();
    change(&simulator, |network| {
        network.vswitch = vec![
            linked("nic", &["vmnic7"], &[]),
            linked("group", &[], &["x"]),
        ];
    });
    for (name, expected) in [
        (
            "nic",
            "internal error: Could not find PhysicalNic with key 'key-vim.host.PhysicalNic-vmnic7'",
        ),
        (
            "group",
            "internal error: Could not find HostPortGroup with key 'key-vim.host.PortGroup-x'",
        ),
    ] {
        assert_eq!(text(described(&connect, name).await), expected);
    }
    let error = gone.xml_desc(NetworkXmlFlags::NONE).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound(What::Network));
    assert_eq!(
        error.to_string(),
        format!("Network not found: Could not find HostVirtualSwitch with UUID '{UUID}'")
    );
    simulator.set_unreadable("HostSystem", "config.network.portgroup");
    let error = gone.xml_desc(NetworkXmlFlags::NONE).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Property);
}

#[tokio::test]
async fn vcenters_and_old_hosts() {
    let host = Simulator::esx().api_version("2.5").unwrap().build();
    let vcenter = Simulator::vcenter().build();
    let path = format!("vpx://vc/{}", vcenter.path());
    for (simulator, uri) in [(host, "esx://h/"), (vcenter, &path[..])] {
        let connect = open(&simulator, uri).await.unwrap();
        let list = connect
            .list_all_networks(NetworkFilter::NONE)
            .await
            .unwrap();
        assert_eq!(list[0].name(), "vSwitch0");
        let xml = described(&connect, "vSwitch0").await.unwrap();
        assert!(
            xml.contains("<portgroup name='VM Network'>"),
            "{uri}: {xml}"
        );
    }
}
