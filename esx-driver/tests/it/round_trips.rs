//! How many requests it takes to connect, and to do one thing with one domain of many.

use esx_driver::{
    Connect, DomainConfiguration, ErrorKind, What,
    vi_client::transport::InProcess,
    virt_model::{DomainXmlFlags, Uuid},
};
use esx_sim::Simulator;
use vi_types::{
    ManagedObjectReference,
    properties::{Datacenter, VirtualMachine},
};

use crate::{methods, open_only, text};

/// A connection of which nothing is known but the session.
async fn fresh(simulator: &Simulator) -> Connect {
    let transport = InProcess::new(simulator.handler());
    open_only(transport, "esx://h/").await.unwrap()
}

const SESSION: [&str; 2] = ["RetrieveServiceContent", "Login"];

/// What a connection asked for between its login and its logout.
#[track_caller]
fn own(simulator: &Simulator) -> Vec<String> {
    let mut asked = methods(simulator);
    assert_eq!(asked.pop().as_deref(), Some("Logout"));
    let own = asked.split_off(2);
    assert_eq!(asked, SESSION);
    own
}

fn name_of(simulator: &Simulator, vm: &ManagedObjectReference) -> String {
    let vm = simulator.properties::<VirtualMachine>(vm).unwrap();
    vm.name.clone().unwrap()
}

#[tokio::test]
async fn a_connection_that_needs_nothing_asks_for_nothing() {
    let simulator = Simulator::esx().vms(5000).build();
    let connect = fresh(&simulator).await;
    connect.close().await.unwrap();
    assert_eq!(own(&simulator), [] as [&str; 0]);
}

#[tokio::test]
async fn the_inventory_is_read_once_by_whoever_needs_it_first() {
    let simulator = Simulator::esx().build();
    let connect = fresh(&simulator).await;
    let pools = connect.list_storage_pools();
    let networks = connect.list_networks();
    let (pools, networks, host) = tokio::join!(pools, networks, connect.host_system());
    assert!(pools.is_ok() && networks.is_ok());
    assert_eq!(host.unwrap().value, "ha-host");
    connect.close().await.unwrap();
    assert_eq!(own(&simulator), ["RetrievePropertiesEx"; 3]);
}

#[tokio::test]
async fn a_definition_by_name_takes_six_requests() {
    for count in [10, 5000] {
        let simulator = Simulator::esx().vms(count).build();
        let names = simulator.objects("VirtualMachine");
        let connect = fresh(&simulator).await;
        let some = name_of(&simulator, &names[count / 2]);
        let lookup = connect.lookup_by_name_with::<DomainConfiguration>(&some);
        let (domain, configuration) = lookup.await.unwrap();
        let configuration = configuration.unwrap();
        let xml = domain.xml_desc_of(&configuration, DomainXmlFlags::NONE);
        assert!(xml.await.unwrap().contains(&format!("<name>{some}</name>")));
        connect.close().await.unwrap();
        let own = own(&simulator);
        assert_eq!(own.len(), 3, "{own:?}");
        assert_eq!(own[..2], ["FindByInventoryPath", "RetrievePropertiesEx"]);
        assert!(own[2].contains(".vmx"), "{own:?}");
    }
}

/// What a first lookup finds is what a later one finds, and the host is known then.
#[tokio::test]
async fn a_first_lookup_finds_what_a_later_one_does() {
    let simulator = Simulator::esx().build();
    let known = crate::open(&simulator, "esx://h/").await.unwrap();
    for name in ["web01", "build/ci", "WEB01", "nobody", "", "vm", "\u{1}"] {
        let wanted = known.lookup_by_name(name).await;
        let connect = fresh(&simulator).await;
        simulator.clear_requests();
        let found = connect.lookup_by_name(name).await;
        match (found, wanted) {
            (Ok(found), Ok(wanted)) => {
                assert_eq!(
                    (found.moref(), found.id(), found.uuid()),
                    (wanted.moref(), wanted.id(), wanted.uuid())
                );
                assert_eq!(methods(&simulator).len(), 2, "{name}");
            }
            (found, wanted) => assert_eq!(text(found), text(wanted), "{name}"),
        }
        simulator.clear_requests();
        assert_eq!(connect.host_system().await.unwrap().value, "ha-host");
        assert!(methods(&simulator).is_empty(), "{name}: it was read along");
    }
    let wanted = known.lookup_by_name("web01").await.unwrap();
    for is_id in [false, true] {
        let connect = fresh(&simulator).await;
        simulator.clear_requests();
        let found = match is_id {
            true => connect.lookup_by_id(wanted.id().unwrap()).await,
            false => connect.lookup_by_uuid(wanted.uuid()).await,
        };
        assert_eq!(found.unwrap().moref(), wanted.moref());
        let asked = methods(&simulator).len();
        assert_eq!(asked, if is_id { 1 } else { 2 });
        assert_eq!(crate::host_of(&connect).value, "ha-host");
    }
    let connect = fresh(&simulator).await;
    let nobody = connect.lookup_by_uuid(Uuid::NIL).await.unwrap_err();
    assert_eq!(nobody.kind(), ErrorKind::NotFound(What::Domain));
}

#[tokio::test]
async fn a_datacenter_may_have_another_name() {
    let simulator = Simulator::esx().vms(100).build();
    let datacenter = &simulator.objects("Datacenter")[0];
    let renamed = simulator.change(datacenter, |datacenter: &mut Datacenter| {
        datacenter.name = Some("lab".to_owned());
    });
    renamed.unwrap();
    let machine = simulator.objects("VirtualMachine").swap_remove(50);
    let connect = fresh(&simulator).await;
    let name = name_of(&simulator, &machine);
    simulator.clear_requests();
    assert_eq!(
        connect.lookup_by_name(&name).await.unwrap().moref(),
        &machine
    );
    let read = "RetrievePropertiesEx";
    assert_eq!(
        methods(&simulator),
        ["FindByInventoryPath", read, "FindChild", read],
        "no list of all names"
    );
}

/// What cannot be read of the inventory is told to whoever needs it, and to nobody else.
#[tokio::test]
async fn an_inventory_that_nobody_may_see_is_told_when_it_is_needed() {
    let simulator = Simulator::esx().build();
    simulator.set_unreadable("ComputeResource", "name");
    let connect = fresh(&simulator).await;
    let missing = "internal error: Could not find ComputeResource";
    assert_eq!(text(connect.list_storage_pools().await), missing);
    assert_eq!(text(connect.host_system().await), missing);
    assert_eq!(text(connect.lookup_by_name("web01").await), missing);
}
