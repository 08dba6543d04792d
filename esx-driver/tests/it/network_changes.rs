//! Networks: made, removed and changed; distributed and opaque switches.

use esx_driver::{
    Connect, ErrorKind, Network, What,
    virt_model::flags::{
        NetworkCreateFlags, NetworkDefineFlags, NetworkFilter, NetworkUpdateCommand as Command,
        NetworkUpdateFlags, NetworkUpdateSection as Section, NetworkXmlFlags,
    },
};
use esx_sim::{NewDistributedSwitch, Simulator};
use vi_types::{
    objects::{HostProxySwitch, PhysicalNic},
    properties::HostSystem,
};

use crate::{host, methods, open, text};

/// A switch with two port groups.
const LAB: &str = "<network>
  <name>lab ünï 網</name>
  <bandwidth>
    <inbound average='1000' peak='2000' burst='512'/>
    <outbound average='1000' peak='2000' burst='512'/>
  </bandwidth>
  <portgroup name='a/b %25'><vlan><tag id='42'/></vlan></portgroup>
  <portgroup name='all'><vlan trunk='yes'><tag id='4095'/></vlan></portgroup>
</network>";

async fn define(connect: &Connect, xml: &str) -> esx_driver::Result<Network> {
    connect
        .network_define_xml(xml, NetworkDefineFlags::NONE)
        .await
}

async fn described(network: &Network) -> String {
    network.xml_desc(NetworkXmlFlags::NONE).await.unwrap()
}

/// The host gets a network card that no switch has.
fn add_card(simulator: &Simulator, device: &str) {
    let host = &simulator.objects("HostSystem")[0];
    let added = simulator.change(host, |host: &mut HostSystem| {
        let config = host.config.as_mut().unwrap();
        let nics = &mut config.network.as_mut().unwrap().pnic;
        let free = PhysicalNic {
            key: Some(format!("key-vim.host.PhysicalNic-{device}")),
            device: device.to_owned(),
            ..nics[0].clone()
        };
        nics.push(free);
    });
    added.unwrap();
}

#[tokio::test]
async fn a_network_is_defined_and_undefined() {
    let (simulator, connect) = host().await;
    simulator.clear_requests();
    let network = define(&connect, LAB).await.unwrap();
    let made = [
        "RetrievePropertiesEx",
        "AddVirtualSwitch",
        "UpdateNetworkConfig",
        "RetrievePropertiesEx",
    ];
    assert_eq!(methods(&simulator), made);
    assert_eq!(network.name(), "lab ünï 網");
    assert_eq!(network.bridge_name(), network.name());
    let xml = described(&network).await;
    let uuid = network.uuid();
    assert_eq!(
        xml,
        format!(
            "<network>
  <name>lab ünï 網</name>
  <uuid>{uuid}</uuid>
  <bridge stp='off' delay='0'/>
  <bandwidth>
    <inbound average='1000' peak='2000' burst='512'/>
    <outbound average='1000' peak='2000' burst='512'/>
  </bandwidth>
  <portgroup name='a/b %25'>
    <vlan>
      <tag id='42'/>
    </vlan>
  </portgroup>
  <portgroup name='all'>
    <vlan trunk='yes'>
      <tag id='4095'/>
    </vlan>
  </portgroup>
</network>
"
        )
    );
    // What was read can be defined again, without the UUID.
    network.undefine().await.unwrap();
    let again = xml.replace(&format!("<uuid>{uuid}</uuid>"), "");
    let network = define(&connect, &again).await.unwrap();
    assert_eq!(described(&network).await, xml);

    let error = network.create().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongState);
    assert_eq!(
        error.to_string(),
        "Requested operation is not valid: network is already active"
    );
    simulator.clear_requests();
    network.destroy().await.unwrap();
    let removed = ["RetrievePropertiesEx", "RemoveVirtualSwitch"];
    assert_eq!(methods(&simulator), removed);
    let error = network.undefine().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound(What::Network));
}

#[tokio::test]
async fn documents_that_are_refused() {
    let (simulator, connect) = host().await;
    for (xml, expected) in [
        (
            "<name>vSwitch0</name><uuid>2f467347-8b4e-8655-e7d6-c4c3fb968009</uuid>",
            "internal error: HostVirtualSwitch already exists, editing existing ones is not supported yet",
        ),
        (
            "<name>x</name><uuid>2f467347-8b4e-8655-e7d6-c4c3fb968009</uuid>",
            "unsupported configuration: Cannot use predefined UUID",
        ),
        (
            "<name>x</name><forward mode='vepa'/>",
            "unsupported configuration: Unsupported forward mode 'vepa'",
        ),
        (
            "<name>x</name><portgroup name='VM Network'/>",
            "network 'HostPortGroup with name 'VM Network' exists already' already exists",
        ),
        (
            "<name>x</name><forward mode='bridge'><interface dev='vmnic8'/></forward>",
            "internal error: Could not find PhysicalNic with name 'vmnic8'",
        ),
        (
            "<name>x</name><bandwidth><inbound average='1'/></bandwidth>",
            "unsupported configuration: Different inbound and outbound bandwidth is unsupported",
        ),
        (
            "<name>x</name><vlan><tag id='3'/></vlan>",
            "unsupported configuration: network 'x' has a VLAN but no port group",
        ),
        (
            "<name>x</name><portgroup name='t'><vlan><tag id='3'/><tag id='4'/></vlan></portgroup>",
            "unsupported configuration: port group 't' cannot be a trunk of 2 VLANs",
        ),
    ] {
        simulator.clear_requests();
        let xml = format!("<network>{xml}</network>");
        let told = text(define(&connect, &xml).await);
        if xml.contains("VM Network") {
            assert!(
                told.contains("HostPortGroup with name 'VM Network' exists already"),
                "{told}"
            );
        } else {
            assert_eq!(told, expected);
        }
        assert_eq!(methods(&simulator), ["RetrievePropertiesEx"], "{xml}");
    }
    // A network card of another network.
    let xml = "<network><name>x</name><forward dev='vmnic0' mode='bridge'/></network>";
    let made = connect
        .network_create_xml(xml, NetworkCreateFlags::NONE)
        .await;
    let error = made.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongState);
    assert!(error.message().contains("'vmnic0'"), "{error}");
}

#[tokio::test]
async fn a_network_of_the_host_itself_stays() {
    let (_simulator, connect) = host().await;
    let network = connect.network_lookup_by_name("vSwitch0").await.unwrap();
    let error = network.undefine().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongState);
    assert_eq!(
        error.message(),
        "Cannot undefine HostVirtualSwitch that has a 'host' port"
    );
    let group = "<portgroup name='Management Network'/>";
    let (section, flags) = (Section::Portgroup, NetworkUpdateFlags::NONE);
    let removed = network.update(Command::Delete, section, -1, group, flags);
    let error = removed.await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongState);
    assert_eq!(
        error.message(),
        "port group 'Management Network' of network 'vSwitch0' has a 'host' port"
    );
    assert!(network.set_autostart(true).is_ok());
    let error = network.set_autostart(false).unwrap_err();
    assert_eq!(error.message(), "Cannot deactivate network autostart");
    let error = network.dhcp_leases(None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[tokio::test]
async fn parts_of_a_network() {
    let (simulator, connect) = host().await;
    add_card(&simulator, "vmnic2");
    let network = define(&connect, LAB).await.unwrap();
    let update = async |command, section, xml: &str| {
        let flags = NetworkUpdateFlags::LIVE | NetworkUpdateFlags::CONFIG;
        network.update(command, section, -1, xml, flags).await
    };
    for (command, section, xml, expected) in [
        (
            Command::AddLast,
            Section::Portgroup,
            "<portgroup name='new'/>",
            "<portgroup name='new'>",
        ),
        (
            Command::Modify,
            Section::Portgroup,
            "<portgroup name='new'><vlan><tag id='5'/></vlan></portgroup>",
            "<tag id='5'/>",
        ),
        (
            Command::AddLast,
            Section::ForwardInterface,
            "<interface dev='vmnic2'/>",
            "<forward dev='vmnic2' mode='bridge'>",
        ),
    ] {
        simulator.clear_requests();
        update(command, section, xml).await.unwrap();
        assert_eq!(methods(&simulator).len(), 2, "{xml}");
        let now = described(&network).await;
        assert!(now.contains(expected), "{xml}: {now}");
    }
    for (command, section, xml) in [
        (
            Command::Delete,
            Section::Portgroup,
            "<portgroup name='new'/>",
        ),
        (
            Command::Delete,
            Section::ForwardInterface,
            "<interface dev='vmnic2'/>",
        ),
    ] {
        update(command, section, xml).await.unwrap();
        let now = described(&network).await;
        assert!(
            !now.contains("new") || section != Section::Portgroup,
            "{now}"
        );
    }
    assert!(!described(&network).await.contains("vmnic2"));

    // libvirt's texts, of the test driver.
    let name = network.name();
    for (command, section, xml, expected) in [
        (
            Command::AddFirst,
            Section::Portgroup,
            "<portgroup name='all'/>",
            format!(
                "there is an existing portgroup entry in network '{name}' that matches \"<portgroup name='all'>\""
            ),
        ),
        (
            Command::Delete,
            Section::Portgroup,
            "<portgroup name='VM Network'/>",
            format!(
                "couldn't find a portgroup entry in network '{name}' matching <portgroup name='VM Network'>"
            ),
        ),
        (
            Command::AddLast,
            Section::Portgroup,
            "<interface dev='x'/>",
            format!(
                "unexpected element <interface>, expecting <portgroup>, while updating network '{name}'"
            ),
        ),
        (
            Command::Modify,
            Section::ForwardInterface,
            "<interface dev='vmnic2'/>",
            "forward interface entries cannot be modified, only added or deleted".to_owned(),
        ),
        (
            Command::Delete,
            Section::ForwardInterface,
            "<interface dev='vmnic0'/>",
            format!(
                "couldn't find an interface entry in network '{name}' matching <interface dev='vmnic0'>"
            ),
        ),
        (
            Command::AddLast,
            Section::ForwardInterface,
            "<interface/>",
            "missing dev attribute in <interface> element".to_owned(),
        ),
        (
            Command::AddLast,
            Section::Domain,
            "<domain/>",
            format!("can't update 'domain' section of network '{name}'"),
        ),
    ] {
        let error = update(command, section, xml).await.unwrap_err();
        assert_eq!(error.message(), expected, "{xml}");
    }
}

#[tokio::test]
async fn distributed_switches() {
    let simulator = Simulator::vcenter()
        .distributed_switch(
            NewDistributedSwitch::new("dvs/0")
                .port_group("web", 10)
                .port_group("a/b", 0),
        )
        .distributed_switch(
            NewDistributedSwitch::new("dvs/0")
                .folder("Lab")
                .port_group("other", 20),
        )
        .opaque_network("segment")
        .build();
    let connect = open(&simulator, &format!("vpx://vc/{}", simulator.path()))
        .await
        .unwrap();
    let list = connect
        .list_all_networks(NetworkFilter::NONE)
        .await
        .unwrap();
    let names: Vec<_> = list.iter().map(Network::name).collect();
    assert_eq!(names[0], "vSwitch0");
    let own: Vec<_> = list.iter().filter(|one| one.name() == "dvs/0").collect();
    assert_eq!(own.len(), 2, "{names:?}");
    assert_ne!(own[0].uuid(), own[1].uuid());

    let error = connect.network_lookup_by_name("dvs/0").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Ambiguous);
    for network in &own {
        assert!(
            error
                .advice()
                .unwrap()
                .contains(&network.uuid().to_string())
        );
    }
    let mut documents = Vec::new();
    for network in &own {
        let found = connect
            .network_lookup_by_uuid(network.uuid())
            .await
            .unwrap();
        simulator.clear_requests();
        documents.push(described(&found).await);
        assert!(methods(&simulator).len() <= 2);
        let error = found.undefine().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
    }
    let web = documents
        .iter()
        .find(|xml| xml.contains("name='web'"))
        .unwrap();
    assert!(web.contains("<portgroup name='a/b'>"), "{web}");
    assert!(
        web.contains("<tag id='10'/>") && !web.contains("other"),
        "{web}"
    );
    assert!(!web.contains("plink"), "{web}");
    let listed = documents.iter().any(|xml| xml.contains("<tag id='20'/>"));
    assert!(listed, "{documents:?}");
    // Opaque networks are shown with the switch that carries them.
    let opaque = list.last().unwrap();
    assert!(described(opaque).await.contains("segment"));
}

/// A vCenter with two distributed switches, and a connection to its first host.
async fn distributed() -> (Simulator, Connect) {
    let simulator = Simulator::vcenter()
        .distributed_switch(NewDistributedSwitch::new("dvs").port_group("web", 10))
        .distributed_switch(NewDistributedSwitch::new("other").port_group("db", 20))
        .build();
    let connect = open(&simulator, &format!("vpx://vc/{}", simulator.path()))
        .await
        .unwrap();
    (simulator, connect)
}

#[tokio::test]
async fn parts_of_a_distributed_network() {
    let (simulator, connect) = distributed().await;
    add_card(&simulator, "vmnic9");
    let network = connect.network_lookup_by_name("dvs").await.unwrap();
    let update = async |command, section, xml: &str| {
        let flags = NetworkUpdateFlags::NONE;
        network.update(command, section, -1, xml, flags).await
    };
    let group = Section::Portgroup;
    let nic = Section::ForwardInterface;
    for (command, section, xml, expected) in [
        (
            Command::AddLast,
            group,
            "<portgroup name='a/b %25 網'><vlan><tag id='7'/></vlan></portgroup>",
            "  <portgroup name='a/b %25 網'>\n    <vlan>\n      <tag id='7'/>\n    </vlan>\n  </portgroup>\n",
        ),
        (
            Command::Modify,
            group,
            "<portgroup name='a/b %25 網'><vlan trunk='yes'><tag id='4'/><tag id='3'/><tag id='9'/></vlan>\
             <bandwidth><inbound average='100' peak='200' burst='64'/></bandwidth></portgroup>",
            "  <portgroup name='a/b %25 網'>\n    <vlan trunk='yes'>\n      \
             <tag id='3'/>\n      <tag id='4'/>\n      <tag id='9'/>\n    </vlan>\n    <bandwidth>\n      \
             <inbound average='100' peak='200' burst='64'/>\n    </bandwidth>\n  </portgroup>\n",
        ),
        (
            Command::Modify,
            group,
            "<portgroup name='a/b %25 網'><vlan trunk='yes'><tag id='4095'/></vlan></portgroup>",
            "  <portgroup name='a/b %25 網'>\n    <vlan trunk='yes'>\n      <tag id='4095'/>\n    </vlan>\n",
        ),
        (
            Command::AddLast,
            nic,
            "<interface dev='vmnic9'/>",
            "    <interface dev='vmnic9'/>\n",
        ),
    ] {
        update(command, section, xml).await.unwrap();
        let now = described(&network).await;
        assert!(now.contains(expected), "{xml}: {now}");
    }
    for (section, xml) in [
        (group, "<portgroup name='a/b %25 網'/>"),
        (nic, "<interface dev='vmnic9'/>"),
    ] {
        update(Command::Delete, section, xml).await.unwrap();
    }
    let now = described(&network).await;
    assert!(!now.contains("網") && !now.contains("vmnic9"), "{now}");
    assert!(now.contains("<portgroup name='web'>"), "{now}");

    for (command, section, xml, expected) in [
        (
            Command::AddLast,
            group,
            "<portgroup name='web'/>",
            "there is an existing portgroup entry in network 'dvs' that matches \"<portgroup name='web'>\"",
        ),
        (
            Command::Delete,
            group,
            "<portgroup name='db'/>",
            "couldn't find a portgroup entry in network 'dvs' matching <portgroup name='db'>",
        ),
        // Names are unique in the datacenter's folder.
        (
            Command::AddLast,
            group,
            "<portgroup name='db'/>",
            "port group 'db' cannot have its name",
        ),
        (
            Command::AddLast,
            nic,
            "<interface dev='vmnic8'/>",
            "Could not find PhysicalNic with name 'vmnic8'",
        ),
        (
            Command::AddLast,
            nic,
            "<interface dev='vmnic0'/>",
            "network 'dvs' with 'vmnic0'",
        ),
        (
            Command::Delete,
            nic,
            "<interface dev='vmnic0'/>",
            "couldn't find an interface entry in network 'dvs' matching <interface dev='vmnic0'>",
        ),
    ] {
        let error = update(command, section, xml).await.unwrap_err();
        assert!(error.message().starts_with(expected), "{xml}: {error}");
    }
}

#[tokio::test]
async fn a_distributed_network_is_changed_by_its_vcenter() {
    let simulator = Simulator::esx().build();
    let host = &simulator.objects("HostSystem")[0];
    let joined = simulator.change(host, |host: &mut HostSystem| {
        let config = host.config.as_mut().unwrap();
        let network = config.network.as_mut().unwrap();
        network.proxy_switch.push(HostProxySwitch {
            dvs_name: "dvs".to_owned(),
            dvs_uuid: "50 17 11 22 33 44 55 66-77 88 99 aa bb cc dd ee".to_owned(),
            ..HostProxySwitch::default()
        });
    });
    joined.unwrap();
    let connect = open(&simulator, "esx://h/").await.unwrap();
    let network = connect.network_lookup_by_name("dvs").await.unwrap();
    for (section, xml) in [
        (Section::Portgroup, "<portgroup name='x'/>"),
        (Section::ForwardInterface, "<interface dev='vmnic0'/>"),
    ] {
        let error = network
            .update(Command::AddLast, section, -1, xml, NetworkUpdateFlags::NONE)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert_eq!(
            error.message(),
            "network 'dvs' can only be changed by its vCenter"
        );
    }
}
