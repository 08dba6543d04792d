//! What is asked of a vCenter with 340 hosts and 8,000 machines is about one host: few requests, and none of them names
//! another host or reads its properties.
//!
//! A row of the tables below is a function: its name, and the call. To add one, write a line; the connection `c` is to the
//! first host. A row of `reads` may not change the server, since all of them share it. A row of `changes` may, and puts
//! back what it changes; such rows run one after the other.

use std::sync::{Arc, Mutex, OnceLock};

use esx_driver::{
    Connect,
    vi_client::transport::InProcess,
    virt_model::flags::{
        DeviceModifyFlags, DomainFilter, NetworkDefineFlags, NetworkFilter,
        NetworkUpdateCommand as Command, NetworkUpdateFlags, NetworkUpdateSection as Section,
        NetworkXmlFlags,
    },
};
use esx_sim::{NewDistributedSwitch, Simulator};
use vi_types::ManagedObjectReference;

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
        Simulator::vcenter()
            .hosts(HOSTS)
            .vms(MACHINES)
            .distributed_switch(switch)
            .opaque_network("segment")
            .record(false)
            .build()
    })
}

/// What was said on a connection: the bodies of requests and of their answers.
type Talk = Arc<Mutex<Vec<(String, String)>>>;

async fn connection() -> (Connect, Talk) {
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
    let uri = format!("vpx://vc/{}", vcenter().path());
    let connect = open_over(transport, &uri).await.unwrap();
    talk.lock().unwrap().clear();
    (connect, talk)
}

/// The references of a text: each `<x type="HostSystem">host-12</x>` as `("x", "HostSystem", "host-12")`.
fn references(text: &str) -> impl Iterator<Item = (&str, &str, &str)> {
    text.split('<').filter_map(|tag| {
        let (head, value) = tag.split_once('>')?;
        let (element, attributes) = head.split_once(' ')?;
        let kind = attributes.split("type=\"").nth(1)?.split('"').next()?;
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

/// Checks what was said.
fn judge(name: &str, connect: &Connect, talk: &Talk) {
    let host = connect.host_system().clone();
    let number = host.value.trim_start_matches("host-").to_owned();
    let own = Own { host, number };
    let mut said = std::mem::take(&mut *talk.lock().unwrap());
    said.retain(|(asked, _)| !WAITING.iter().any(|method| asked.contains(method)));
    assert!(said.len() < REQUESTS, "{name}: {} requests", said.len());
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
}

#[tokio::test]
async fn attach_device() {
    let (connect, talk) = connection().await;
    let list = connect.list_all_domains(DomainFilter::NONE).await.unwrap();
    let domain = &list.domains[0].domain;
    for source in [
        "type='network'><source network='dvSwitch0' portgroup='web'/>",
        "type='bridge'><source bridge='segment'/>",
    ] {
        talk.lock().unwrap().clear();
        let card = format!("<interface {source}</interface>");
        let attached = domain.attach_device(&card, DeviceModifyFlags::NONE).await;
        attached.unwrap();
        judge("attach_device", &connect, &talk);
    }
}
