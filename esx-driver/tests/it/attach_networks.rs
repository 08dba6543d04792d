//! Network cards on port groups of distributed switches and on opaque networks, as documents name them.

use esx_driver::{
    Connect, DefineFlags, Domain, ErrorKind, What,
    virt_model::{
        Document as _, DomainDef, DomainXmlFlags,
        domain::InterfaceSource,
        flags::{DeviceModifyFlags, UndefineFlags},
    },
};
use esx_sim::{NewDistributedSwitch, Simulator};
use vi_types::{
    objects::{
        VirtualEthernetCardDistributedVirtualPortBackingInfo,
        VirtualEthernetCardOpaqueNetworkBackingInfo,
    },
    properties::VirtualMachine,
};

use crate::{host, methods, open};

/// Two switches that have a port group `web`, in two folders, and an opaque network.
async fn vcenter() -> (Simulator, Connect) {
    let simulator = Simulator::vcenter()
        .distributed_switch(
            NewDistributedSwitch::new("dvs")
                .port_group("web", 10)
                .port_group("a/b 網", 0),
        )
        .distributed_switch(
            NewDistributedSwitch::new("lab")
                .folder("Lab")
                .port_group("web", 20),
        )
        .opaque_network("segment")
        .build();
    let connect = open(&simulator, &format!("vpx://vc/{}", simulator.path()))
        .await
        .unwrap();
    (simulator, connect)
}

fn card(source: &str) -> String {
    format!("<interface {source}</interface>")
}

/// What the last card of a domain is connected to.
fn backing(simulator: &Simulator, domain: &Domain) -> String {
    let vm: VirtualMachine = simulator.properties(domain.moref()).unwrap();
    let devices = &vm.config.as_ref().unwrap().hardware.device;
    let told = devices.iter().rev().find_map(|device| {
        let backing = device.backing.as_ref()?;
        if let Some(port) = backing.cast::<VirtualEthernetCardDistributedVirtualPortBackingInfo>() {
            assert!(port.port.port_key.is_some(), "it has a port");
            let key = port.port.portgroup_key.clone().unwrap();
            return Some(
                simulator
                    .objects("DistributedVirtualPortgroup")
                    .into_iter()
                    .find_map(|group| {
                        let state: vi_types::properties::DistributedVirtualPortgroup =
                            simulator.properties(&group).unwrap();
                        let config = state.config.as_ref()?;
                        let is_it = config.key == key;
                        let switch = config.distributed_virtual_switch.clone()?;
                        let switch: vi_types::properties::VmwareDistributedVirtualSwitch =
                            simulator.properties(&switch)?;
                        is_it
                            .then(|| format!("{} of {}", config.name, switch.name.clone().unwrap()))
                    }),
            )?;
        }
        backing
            .cast::<VirtualEthernetCardOpaqueNetworkBackingInfo>()
            .map(|network| {
                format!(
                    "{} {}",
                    network.opaque_network_type, network.opaque_network_id
                )
            })
    });
    told.unwrap_or_default()
}

async fn described(domain: &Domain) -> String {
    domain.xml_desc(DomainXmlFlags::NONE).await.unwrap()
}

/// The last card of a domain's document.
async fn last_card(domain: &Domain) -> String {
    let xml = described(domain).await;
    let start = xml.rfind("<interface").unwrap();
    let end = xml.rfind("</interface>").unwrap();
    xml[start..end].to_owned() + "</interface>"
}

#[tokio::test]
async fn cards_are_attached_described_and_detached() {
    let (simulator, connect) = vcenter().await;
    let domain = connect.lookup_by_name("web01").await.unwrap();
    let lab = connect.network_lookup_by_name("lab").await.unwrap().uuid();
    for (source, expected, xml) in [
        (
            "type='bridge'><source bridge='a/b 網'/>".to_owned(),
            "a/b 網 of dvs",
            "<interface type='vds'>",
        ),
        (
            "type='network'><source network='dvs' portgroup='web'/>".to_owned(),
            "web of dvs",
            "<interface type='vds'>",
        ),
        (
            format!("type='network'><source network='{lab}' portgroup='web'/>"),
            "web of lab",
            "<interface type='vds'>",
        ),
        // The only port group.
        (
            "type='network'><source network='lab'/>".to_owned(),
            "web of lab",
            "<interface type='vds'>",
        ),
        (
            "type='bridge'><source bridge='segment'/>".to_owned(),
            "nsx.LogicalSwitch ",
            "<interface type='network'>",
        ),
        (
            "type='network'><source network='nsxvswitch' portgroup='segment'/>".to_owned(),
            "nsx.LogicalSwitch ",
            "<interface type='network'>",
        ),
    ] {
        let wanted = card(&source);
        let flags = DeviceModifyFlags::NONE;
        domain.attach_device(&wanted, flags).await.unwrap();
        let now = backing(&simulator, &domain);
        assert!(now.starts_with(expected), "{source}: {now}");
        let told = last_card(&domain).await;
        assert!(told.starts_with(xml), "{source}: {told}");
        // The document that was given means the card, too, with its address.
        let mac = told.split("<mac address='").nth(1).unwrap();
        let mac = mac.split('\'').next().unwrap();
        let wanted = wanted.replace("><source", &format!("><mac address='{mac}'/><source"));
        domain.update_device(&wanted, flags).await.unwrap();
        assert_eq!(last_card(&domain).await, told, "{source}: nothing changes");
        // And so does what is described: defining the domain anew changes nothing.
        let whole = described(&domain).await;
        simulator.clear_requests();
        connect.define_xml(&whole, DefineFlags::NONE).await.unwrap();
        let changes = methods(&simulator)
            .iter()
            .any(|name| name.starts_with("Reconfig"));
        assert!(!changes, "{source}: {:?}", methods(&simulator));
        let detached = if source.contains("bridge") {
            &wanted
        } else {
            &told
        };
        domain.detach_device(detached, flags).await.unwrap();
        assert_ne!(last_card(&domain).await, told);
    }
}

#[tokio::test]
async fn cards_move_to_other_networks() {
    let (simulator, connect) = vcenter().await;
    let domain = connect.lookup_by_name("web01").await.unwrap();
    let present = last_card(&domain).await;
    assert!(present.contains("bridge='VM Network'"), "{present}");
    let to = |source: &str| {
        let source = format!("type='network'><source {source}/>");
        let moved = present.replace("type='bridge'>", &source);
        // The simulator's addresses are not of the range from which vCenters take them.
        let moved = moved.replace(" type='generated'", "");
        moved.replace("<source bridge='VM Network'/>", "")
    };
    let flags = DeviceModifyFlags::NONE;
    let wanted = to("network='dvs' portgroup='web'");
    domain.update_device(&wanted, flags).await.unwrap();
    assert_eq!(backing(&simulator, &domain), "web of dvs");
    // A network of the host.
    let wanted = to("network='vSwitch0' portgroup='VM Network'");
    domain.update_device(&wanted, flags).await.unwrap();
    assert_eq!(last_card(&domain).await, present);
    // By a new definition.
    let xml = described(&domain).await;
    let xml = xml.replace(&present, &to("network='lab'"));
    connect.define_xml(&xml, DefineFlags::NONE).await.unwrap();
    assert_eq!(backing(&simulator, &domain), "web of lab");
}

#[tokio::test]
async fn domains_are_made_on_them() {
    for source in [
        "type='network'>\n      <source network='dvs' portgroup='web'/>",
        "type='bridge'>\n      <source bridge='a/b 網'/>",
        "type='network'>\n      <source network='nsxvswitch'/>",
    ] {
        let (simulator, connect) = vcenter().await;
        let domain = connect.lookup_by_name("web01").await.unwrap();
        let xml = described(&domain).await;
        domain.destroy(Default::default()).await.unwrap();
        domain.undefine(UndefineFlags::NONE).await.unwrap();
        let present = "type='bridge'>";
        let (head, tail) = xml.split_once(present).unwrap();
        let tail = tail.replace("<source bridge='VM Network'/>", "");
        let xml = format!("{head}{source}{tail}");
        let path = simulator
            .files()
            .into_iter()
            .find(|(path, _)| path.ends_with("/web01.vmx"));
        simulator.delete_file(&path.unwrap().0);
        let domain = connect.define_xml(&xml, DefineFlags::NONE).await.unwrap();
        let now = backing(&simulator, &domain);
        assert!(!now.is_empty(), "{source}: {xml}");
        let def = DomainDef::read_xml(&described(&domain).await).unwrap();
        let card = &def.document.devices.interfaces[0].source;
        assert!(
            matches!(
                card,
                InterfaceSource::Vds(_) | InterfaceSource::Network { .. }
            ),
            "{card:?}"
        );
    }
}

#[tokio::test]
async fn networks_that_are_none_or_several() {
    let (_simulator, connect) = vcenter().await;
    let domain = connect.lookup_by_name("web01").await.unwrap();
    let group = ErrorKind::NotFound(What::PortGroup);
    for (source, kind, message) in [
        (
            "type='bridge'><source bridge='web'/>",
            ErrorKind::Ambiguous,
            "several switches have a port group 'web'",
        ),
        (
            "type='network'><source network='dvs'/>",
            ErrorKind::Ambiguous,
            "network 'dvs' has several port groups, and the definition names none",
        ),
        (
            "type='network'><source network='dvs' portgroup='wbe'/>",
            group,
            "network 'dvs' has no port group 'wbe'",
        ),
        (
            "type='network'><source network='vSwitch0' portgroup='Management Network'/>",
            group,
            "network 'vSwitch0' has no port group 'Management Network'",
        ),
        (
            "type='network'><source network='none'/>",
            ErrorKind::NotFound(What::Network),
            "no network with matching name 'none'",
        ),
    ] {
        let attached = domain
            .attach_device(&card(source), DeviceModifyFlags::NONE)
            .await;
        let error = attached.unwrap_err();
        assert_eq!(error.kind(), kind, "{source}: {error}");
        assert_eq!(error.message(), message);
        if message.starts_with("several") {
            let advice = error.advice().unwrap();
            assert!(
                advice.contains("'dvs' (") && advice.contains("'lab' ("),
                "{advice}"
            );
        }
    }
}

#[tokio::test]
async fn a_host_needs_no_request_for_its_port_groups() {
    let (simulator, connect) = host().await;
    let domain = connect.lookup_by_name("web01").await.unwrap();
    for (source, requests) in [
        ("type='bridge'><source bridge='DMZ'/>", 0),
        ("type='network'><source network='vSwitch1'/>", 1),
    ] {
        simulator.clear_requests();
        let attached = domain
            .attach_device(&card(source), DeviceModifyFlags::NONE)
            .await;
        let reads = methods(&simulator);
        let reads = reads
            .iter()
            .take_while(|name| *name != "ReconfigVM_Task")
            .count();
        attached.unwrap();
        assert_eq!(reads, 2 + requests, "{source}");
    }
}
