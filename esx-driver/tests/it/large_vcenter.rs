//! What is asked of a vCenter with 340 hosts and 8,000 machines is about one host: few requests, and none of them names
//! another host or reads its properties.
//!
//! A row of the tables below is a function: its name, and the call. To add one, write a line; the connection `c` is to the
//! first host. A row of `reads` may not change the server, since all of them share it. A row of `changes` may, and puts
//! back what it changes; such rows run one after the other.

use std::{
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use esx_driver::{
    Connect, DefineFlags, Domain, HostFirewallAllowed, HostServicePolicy, MaintenanceOptions,
    Operation,
    vi_client::transport::InProcess,
    virt_model::{
        DomainXmlFlags, NodeSuspendTarget,
        flags::{
            DeviceModifyFlags, DomainFilter, InterfaceDefineFlags, InterfaceFilter,
            InterfaceXmlFlags, NetworkDefineFlags, NetworkFilter, NetworkUpdateCommand as Command,
            NetworkUpdateFlags, NetworkUpdateSection as Section, NetworkXmlFlags, NodeDeviceFilter,
            SecretDefineFlags, SecretFilter,
        },
        secret::SecretUsageType,
    },
};
use esx_sim::{NewDistributedSwitch, Simulator};
use vi_types::{
    ManagedObjectReference,
    enums::VirtualMachinePowerState::PoweredOff,
    properties::{ClusterComputeResource, HostSystem, VirtualMachine},
};

use crate::open_over;

const HOSTS: u16 = 340;
const MACHINES: usize = 8000;

/// Fewer than this are allowed. Waiting for a task is not counted: it belongs to no host.
const REQUESTS: usize = 5;

/// How requests begin that only watch a task.
const WAITING: [&str; 5] = [
    "<CreatePropertyCollector ",
    "<CreateFilter ",
    "<WaitForUpdatesEx ",
    "<DestroyPropertyCollector ",
    "type=\"Task\">",
];

/// A list of all hosts or machines is much longer.
const LONGEST_ANSWER: usize = 256 << 10;

/// The server of all rows.
fn vcenter() -> &'static Simulator {
    static VCENTER: OnceLock<Simulator> = OnceLock::new();
    VCENTER.get_or_init(|| {
        let switch = NewDistributedSwitch::new("dvSwitch0").port_group("web", 10);
        let other = NewDistributedSwitch::new("dvSwitch1").port_group("db", 20);
        let simulator = Simulator::vcenter()
            .hosts(HOSTS)
            .vms(MACHINES)
            .distributed_switch(switch)
            .distributed_switch(other.folder("Other"))
            .opaque_network("segment")
            .record(false)
            .build();
        // A machine of the first host.
        let host = simulator.properties::<HostSystem>(&hosts(&simulator)[0]);
        let vm = simulator.properties::<VirtualMachine>(&host.unwrap().vm[0]);
        let encrypt = format!("encrypt '{}' key-1 kms", vm.unwrap().name.clone().unwrap());
        simulator.apply(&encrypt.parse().unwrap()).unwrap();
        simulator
    })
}

/// The hosts of the first host's cluster, itself first.
fn hosts(simulator: &Simulator) -> Vec<ManagedObjectReference> {
    let path = simulator.path();
    let (_, first) = path.rsplit_once('/').unwrap();
    let clusters = simulator.objects("ClusterComputeResource").into_iter();
    let mut hosts = clusters.filter_map(|cluster| {
        let cluster = simulator.properties::<ClusterComputeResource>(&cluster)?;
        let host = simulator.properties::<HostSystem>(cluster.host.first()?)?;
        (host.name.as_deref() == Some(first)).then(|| cluster.host.clone())
    });
    hosts.next_back().unwrap()
}

/// What was said on a connection: the bodies of requests and of their answers.
type Talk = Arc<Mutex<Vec<(String, String)>>>;

/// A connection to the first host.
async fn connection() -> (Connect, Talk) {
    connection_to(vcenter().path()).await
}

async fn connection_to(path: &str) -> (Connect, Talk) {
    let talk = Talk::default();
    let (handler, heard) = (vcenter().handler(), Arc::clone(&talk));
    let transport = InProcess::new(move |request| {
        let (handler, heard) = (handler.clone(), Arc::clone(&heard));
        Box::pin(async move {
            let asked = String::from_utf8_lossy(request.body()).into_owned();
            let answer = handler(request).await;
            let told = String::from_utf8_lossy(answer.body()).into_owned();
            heard.lock().unwrap().push((asked, told));
            answer
        })
    });
    let uri = format!("vpx://vc/{path}");
    let connect = open_over(transport, &uri).await.unwrap();
    talk.lock().unwrap().clear();
    (connect, talk)
}

/// The references of a text: each `<x type="HostSystem">host-12</x>` as `("x", "HostSystem", "host-12")`.
fn references(text: &str) -> impl Iterator<Item = (&str, &str, &str)> {
    text.split('<').filter_map(|tag| {
        let (head, value) = tag.split_once('>')?;
        let (element, attributes) = head.split_once(' ')?;
        // Not `xsi:type`, which names a data object.
        let attributes = attributes.split(' ');
        let mut kinds = attributes.filter_map(|attribute| attribute.strip_prefix("type=\""));
        let kind = kinds.next()?.split('"').next()?;
        Some((element, kind, value))
    })
}

/// What belongs to the own host: the names of systems end with the host's number.
struct Own {
    host: ManagedObjectReference,
    number: String,
}

impl Own {
    /// The first other host, or part of one, among references.
    fn foreign(&self, text: &str, elements: Option<&str>) -> Option<String> {
        let mut references = references(text)
            .filter(|(element, ..)| elements.is_none_or(|wanted| *element == wanted));
        let foreign = references.find(|(_, kind, value)| match *kind {
            "HostSystem" => *value != self.host.value,
            kind if kind.starts_with("Host") => {
                let number = value.rsplit_once('-').map(|(_, number)| number);
                number != Some(&self.number)
            }
            _ => false,
        });
        foreign.map(|(_, kind, value)| format!("{kind}:{value}"))
    }
}

/// What was asked.
fn methods(said: &[(String, String)]) -> Vec<&str> {
    let words = said.iter().map(|(asked, _)| {
        let body = asked.split("Body>").nth(1).unwrap_or("file");
        body.trim_start_matches('<')
            .split(' ')
            .next()
            .unwrap_or(body)
    });
    words.collect()
}

/// Checks what was said.
fn judge(name: &str, connect: &Connect, talk: &Talk) {
    judge_below(REQUESTS, name, connect, talk);
}

/// The same, with another number of requests that are too many.
fn judge_below(most: usize, name: &str, connect: &Connect, talk: &Talk) {
    let host = crate::host_of(connect).clone();
    let number = host.value.trim_start_matches("host-").to_owned();
    let own = Own { host, number };
    let mut said = std::mem::take(&mut *talk.lock().unwrap());
    said.retain(|(asked, _)| !WAITING.iter().any(|method| asked.contains(method)));
    assert!(said.len() < most, "{name}: {:?}", methods(&said));
    for (asked, told) in &said {
        assert_eq!(own.foreign(asked, None), None, "{name} asks: {asked}");
        // Whose properties these are.
        assert_eq!(own.foreign(told, Some("obj")), None, "{name} reads");
        assert!(
            told.len() < LONGEST_ANSWER,
            "{name} reads {} bytes",
            told.len()
        );
    }
}

/// A test that runs each row on a connection, which is one more after the row; all of them must work.
macro_rules! rows {
    ($test:ident: $($name:ident, $c:ident => $call:expr;)*) => {
        #[tokio::test]
        async fn $test() {
            let (connect, talk) = connection().await;
            $(
                {
                    let $c = &connect;
                    std::future::IntoFuture::into_future($call).await.unwrap();
                    judge(stringify!($name), &connect, &talk);
                }
            )*
        }
    };
}

rows! { reads:
    hostname, c => c.hostname();
    node_info, c => c.node_info();
    capabilities, c => c.capabilities();
    free_memory, c => c.free_memory();
    max_vcpus, c => c.max_vcpus(None);
    supports_migration, c => c.supports_migration();
    node_memory_stats, c => c.node_memory_stats(-1);
    node_cpu_stats, c => c.node_cpu_stats(-1);
    node_cpu_map, c => c.node_cpu_map();
    sysinfo, c => c.sysinfo();
    domain_capabilities, c => c.domain_capabilities(None, None, None, None, 0);
    host_maintenance, c => c.host_maintenance();

    health, c => c.host_health();
    refreshed_health, c => c.refresh_host_health();
    licences, c => c.host_licenses();
    logs, c => c.host_logs();
    log, c => c.host_log("hostd", 1, 10);
    log_end, c => c.host_log_end("hostd");
    log_tail, c => c.host_log_tail("hostd", 10);
    services, c => c.host_services();
    service, c => c.host_service("ntpd");
    firewall, c => c.host_firewall();
    firewall_ruleset, c => c.host_firewall_ruleset("dns");
    time, c => c.host_time();
    tested_time, c => c.test_host_time();

    list_all_interfaces, c => c.list_all_interfaces(InterfaceFilter::NONE);
    num_of_interfaces, c => c.num_of_interfaces();
    list_interfaces, c => c.list_interfaces();
    interface_lookup_by_name, c => c.interface_lookup_by_name("vmnic0");
    interface_lookup_by_mac_string, c => async move {
        let interface = c.interface_lookup_by_name("vmk0").await?;
        c.interface_lookup_by_mac_string(interface.mac().unwrap()).await
    };
    interface_xml_desc, c => async move {
        let interface = c.interface_lookup_by_name("vmk0").await?;
        interface.xml_desc(InterfaceXmlFlags::NONE).await
    };

    list_all_node_devices, c => c.list_all_node_devices(NodeDeviceFilter::NONE);
    node_num_of_devices, c => c.node_num_of_devices(Some("pci"));
    node_list_devices, c => c.node_list_devices(None);
    node_device_lookup_by_name, c => c.node_device_lookup_by_name(CARD);
    node_device_lookup_scsi_host_by_wwn, c => async move {
        let none = c.node_device_lookup_scsi_host_by_wwn("0", "0").await;
        assert!(none.is_err());
        Ok::<(), Failed>(())
    };
    node_device_xml_desc, c => async move {
        c.node_device_lookup_by_name(CARD).await?.xml_desc().await
    };
    passthrough, c => async move {
        c.node_device_lookup_by_name(CARD).await?.passthrough().await
    };

    list_all_secrets, c => c.list_all_secrets(SecretFilter::NONE);
    num_of_secrets, c => c.num_of_secrets();
    list_secrets, c => c.list_secrets();
    key_lookup_by_usage, c => c.secret_lookup_by_usage(SecretUsageType::Volume, KEY);
    key_lookup_by_uuid, c => async move {
        let key = c.secret_lookup_by_usage(SecretUsageType::Volume, KEY).await?;
        c.secret_lookup_by_uuid(key.uuid()).await
    };
    // Those of CHAP are the connection's: no request.
    secret, c => async move {
        let secret = c.secret_define_xml(CHAP, SecretDefineFlags::NONE).await?;
        secret.set_value(b"secret").await?;
        let found = c.secret_lookup_by_usage(SecretUsageType::Iscsi, "storage").await?;
        found.value()?;
        found.xml_desc()?;
        found.undefine().await
    };

    list_all_networks, c => c.list_all_networks(NetworkFilter::NONE);
    num_of_networks, c => c.num_of_networks();
    list_networks, c => c.list_networks();
    network_lookup_by_name, c => c.network_lookup_by_name("dvSwitch0");
    network_lookup_by_uuid, c => async move {
        let network = c.network_lookup_by_name("vSwitch0").await?;
        c.network_lookup_by_uuid(network.uuid()).await
    };
    network_xml_desc, c => async move {
        let network = c.network_lookup_by_name("vSwitch0").await?;
        network.xml_desc(NetworkXmlFlags::NONE).await
    };
    distributed_network_xml_desc, c => async move {
        let network = c.network_lookup_by_name("dvSwitch0").await?;
        network.xml_desc(NetworkXmlFlags::NONE).await
    };
}

type Failed = esx_driver::Error;

/// A graphics card.
const CARD: &str = "pci_0000_3b_00_0";

/// The key of a domain.
const KEY: &str = "kms/key-1";

const CHAP: &str = "<secret><usage type='iscsi'><target>storage</target></usage></secret>";

/// Makes an interface of the kernel.
const NEW_INTERFACE: &str = "<interface type='bridge' name='new group'><protocol family='ipv4'>\
    <ip address='192.0.9.5' prefix='24'/><route gateway='192.0.9.254'/></protocol>\
    <bridge><interface type='ethernet' name='vmk2'/></bridge></interface>";

/// The same, at a distributed switch.
fn distributed_interface() -> String {
    NEW_INTERFACE.replace("new group", "web")
}

/// Defines an interface of the kernel.
fn interface(c: &Connect, xml: &str) -> Operation<'static, esx_driver::Interface> {
    c.interface_define_xml(xml, InterfaceDefineFlags::NONE)
}

/// A network with many port groups.
fn many_groups() -> String {
    let groups = (0..50).map(|number| format!("<portgroup name='large {number}'/>"));
    let groups: String = groups.collect();
    format!("<network><name>large</name>{groups}</network>")
}

/// A change of the network of that name.
async fn update(
    c: &Connect,
    network: &str,
    command: Command,
    section: Section,
    xml: &str,
) -> esx_driver::Result<()> {
    let network = c.network_lookup_by_name(network).await?;
    let flags = NetworkUpdateFlags::NONE;
    network.update(command, section, -1, xml, flags).await
}

rows! { changes:
    network_define_xml, c => c.network_define_xml(&many_groups(), NetworkDefineFlags::NONE);
    network_update, c => {
        update(c, "large", Command::Delete, Section::Portgroup, "<portgroup name='large 7'/>")
    };
    network_undefine, c => async move {
        c.network_lookup_by_name("large").await?.undefine().await
    };
    add_distributed_port_group, c => {
        update(c, "dvSwitch0", Command::AddLast, Section::Portgroup, "<portgroup name='new'/>")
    };
    change_distributed_port_group, c => {
        let xml = "<portgroup name='new'><vlan><tag id='9'/></vlan></portgroup>";
        update(c, "dvSwitch0", Command::Modify, Section::Portgroup, xml)
    };
    remove_distributed_port_group, c => {
        update(c, "dvSwitch0", Command::Delete, Section::Portgroup, "<portgroup name='new'/>")
    };
    take_uplink, c => {
        update(c, "dvSwitch0", Command::Delete, Section::ForwardInterface, "<interface dev='vmnic2'/>")
    };
    give_uplink, c => {
        update(c, "dvSwitch0", Command::AddLast, Section::ForwardInterface, "<interface dev='vmnic2'/>")
    };

    interface_change_begin, c => c.interface_change_begin(0);
    interface_change_rollback, c => c.interface_change_rollback(0);
    interface_change_begin_again, c => c.interface_change_begin(0);
    interface_change_commit, c => c.interface_change_commit(0);
    interface_define_xml, c => interface(c, "<interface type='ethernet' name='vmk0'><mtu size='9000'/></interface>");
    interface_create, c => async move {
        assert!(c.interface_lookup_by_name("vmk0").await?.create().await.is_err());
        Ok::<(), Failed>(())
    };
    group_of_an_interface, c => {
        update(c, "vSwitch1", Command::AddLast, Section::Portgroup, "<portgroup name='new group'/>")
    };
    new_interface, c => interface(c, NEW_INTERFACE);
    interface_destroy, c => async move {
        c.interface_lookup_by_name("vmk2").await?.destroy().await
    };
    new_interface_again, c => interface(c, NEW_INTERFACE);
    interface_undefine, c => async move {
        c.interface_lookup_by_name("vmk2").await?.undefine().await
    };
    distributed_interface_define_xml, c => interface(c, &distributed_interface());
    distributed_interface_undefine, c => async move {
        c.interface_lookup_by_name("vmk2").await?.undefine().await
    };

    detach_node_device, c => async move {
        c.node_device_lookup_by_name(CARD).await?.detach(None).await
    };
    re_attach_node_device, c => async move {
        c.node_device_lookup_by_name(CARD).await?.re_attach().await
    };

    start_service, c => c.start_service("TSM-SSH");
    stop_service, c => c.stop_service("TSM-SSH");
    restart_service, c => c.restart_service("ntpd");
    set_service_policy, c => c.set_service_policy("TSM-SSH", HostServicePolicy::Off);
    enable_firewall_ruleset, c => c.enable_firewall_ruleset("nfsClient");
    disable_firewall_ruleset, c => c.disable_firewall_ruleset("nfsClient");
    set_firewall_allowed, c => c.set_firewall_allowed("sshServer", HostFirewallAllowed::All);
    set_ntp_servers, c => c.set_ntp_servers(vec!["ntp.example.org".to_owned()]);
}

/// What empties a host, which is another one, since domains of the first one run.
#[tokio::test(start_paused = true)]
async fn empty_hosts() {
    let host = &hosts(vcenter())[1];
    let state: HostSystem = vcenter().properties(host).unwrap();
    for vm in &state.vm {
        vcenter().set_power_state(vm, PoweredOff);
    }
    let path = vcenter().path();
    let (start, _) = path.rsplit_once('/').unwrap();
    let path = format!("{start}/{}", state.name.clone().unwrap());
    let (connect, talk) = connection_to(&path).await;
    assert_eq!(crate::host_of(&connect), host);
    let enter = connect.enter_maintenance_mode(MaintenanceOptions::new());
    enter.await.unwrap();
    judge("enter_maintenance_mode", &connect, &talk);
    connect.exit_maintenance_mode(None).await.unwrap();
    judge("exit_maintenance_mode", &connect, &talk);
    let minute = Duration::from_secs(60);
    let suspended = connect.node_suspend_for_duration(NodeSuspendTarget::Mem, minute, 0);
    suspended.await.unwrap();
    judge("node_suspend_for_duration", &connect, &talk);
}

/// A domain's last card.
async fn last_card(domain: &Domain) -> String {
    let xml = domain.xml_desc(DomainXmlFlags::SECURE).await.unwrap();
    let (start, end) = (xml.rfind("<interface"), xml.rfind("</interface>"));
    xml[start.unwrap()..end.unwrap()].to_owned() + "</interface>"
}

/// The host has two distributed switches.
#[tokio::test]
async fn cards() {
    let (connect, talk) = connection().await;
    let list = connect.list_all_domains(DomainFilter::NONE).await.unwrap();
    let domain = &list.domains[0].domain;
    let flags = DeviceModifyFlags::NONE;
    for source in [
        "type='network'><source network='dvSwitch0' portgroup='web'/>",
        "type='bridge'><source bridge='segment'/>",
        "type='bridge'><source bridge='db'/>",
    ] {
        talk.lock().unwrap().clear();
        let card = format!("<interface {source}</interface>");
        domain.attach_device(&card, flags).await.unwrap();
        judge("attach_device", &connect, &talk);
    }
    let present = last_card(domain).await;
    let mac = present.split("<mac address='").nth(1).unwrap();
    let mac = mac.split('\'').next().unwrap();
    let card = format!(
        "<interface type='bridge'><mac address='{mac}'/><source bridge='web'/></interface>"
    );
    talk.lock().unwrap().clear();
    domain.update_device(&card, flags).await.unwrap();
    judge("update_device", &connect, &talk);
    let moved = last_card(domain).await;
    assert_ne!(moved, present);
    let xml = domain.xml_desc(DomainXmlFlags::SECURE).await.unwrap();
    let xml = xml.replace(&moved, &card.replace("'web'", "'db'"));
    talk.lock().unwrap().clear();
    connect.define_xml(&xml, DefineFlags::NONE).await.unwrap();
    // The whole domain is looked up and read, with its file: six, of which one is for networks.
    judge_below(8, "define_xml", &connect, &talk);
    assert_eq!(last_card(domain).await, present);
    talk.lock().unwrap().clear();
    domain.detach_device(&present, flags).await.unwrap();
    judge("detach_device", &connect, &talk);
}
