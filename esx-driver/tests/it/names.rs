//! Domains by their names: what the server's search finds, and what it must not be trusted with.

use std::sync::{Arc, Mutex};

use esx_driver::{
    Connect, DomainConfiguration, DomainPower, DomainSize, Error, ErrorKind, What,
    vi_client::transport::InProcess, virt_model::DomainXmlFlags,
};
use esx_sim::{Effect, Rule, Simulator};
use vi_types::{
    ManagedObjectReference, SoapFault,
    methods::{CreateFolder, MoveIntoFolderTask},
    objects::{InvalidArgument, NoPermission, NotSupported, RuntimeFault},
    properties::{Datacenter, VirtualMachine},
};

use crate::{host, methods, open, open_over, text};

/// A lookup that the server's search answers.
const SEARCHED: [&str; 2] = ["FindChild", "RetrievePropertiesEx"];

fn rename(simulator: &Simulator, vm: &ManagedObjectReference, escaped: &str) {
    simulator.change(vm, |vm: &mut VirtualMachine| {
        vm.name = Some(escaped.to_owned());
    });
}

async fn found(connect: &Connect, name: &str) -> Result<ManagedObjectReference, Error> {
    let domain = connect.lookup_by_name(name).await?;
    assert_eq!(domain.name(), name);
    Ok(domain.moref().clone())
}

#[track_caller]
fn missing(error: &Error) {
    assert_eq!(error.kind(), ErrorKind::NotFound(What::Domain), "{error}");
}

#[tokio::test]
async fn any_name_is_searched_for_as_the_server_writes_it() {
    let (simulator, connect) = host().await;
    let vm = simulator.vm("web01").unwrap();
    for (name, escaped) in [
        ("build/ci2", "build%2fci2"),
        ("100%", "100%25"),
        ("a%2fb", "a%252fb"),
        ("c:\\d", "c:%5cd"),
        ("/", "%2f"),
        ("..", ".."),
        ("虚拟机", "虚拟机"),
        ("Ångström", "Ångström"),
        ("🦀 crab", "🦀 crab"),
        ("<a> & \"b\" 'c'", "<a> & \"b\" 'c'"),
        (" two  spaces ", " two  spaces "),
        ("[ssd] x/x.vmx", "[ssd] x%2fx.vmx"),
        ("*", "*"),
        ("1", "1"),
    ] {
        rename(&simulator, &vm, escaped);
        simulator.clear_requests();
        assert_eq!(found(&connect, name).await.unwrap(), vm, "{name}");
        assert_eq!(methods(&simulator), SEARCHED, "{name}");
    }
}

#[tokio::test]
async fn the_cost_does_not_grow_with_the_number_of_domains() {
    let mut sizes = Vec::new();
    for vms in [10, 2000] {
        let simulator = Simulator::esx().vms(vms).build();
        let connect = open(&simulator, "esx://h/").await.unwrap();
        let names = connect.list_all_domains(Default::default()).await.unwrap();
        let last = names.domains.last().unwrap().domain.name().to_owned();
        simulator.clear_requests();
        let before = connect.client().traffic();
        found(&connect, &last).await.unwrap();
        assert_eq!(methods(&simulator), SEARCHED);
        sizes.push(connect.client().traffic().received - before.received);
    }
    assert!(sizes[1] < sizes[0] + 100, "{sizes:?}");
}

#[tokio::test]
async fn an_escaped_name_and_an_empty_one_are_nobodys() {
    let (_, connect) = host().await;
    for name in ["build%2fci", "", "vm", "web01/", "/web01", "\u{1}"] {
        missing(&connect.lookup_by_name(name).await.unwrap_err());
    }
}

#[tokio::test]
async fn case_is_minded_though_the_search_ignores_it() {
    let (simulator, connect) = host().await;
    for name in ["WEB01", "Web01", "web01 "] {
        missing(&found(&connect, name).await.unwrap_err());
    }
    let error = found(&connect, "WEB01").await.unwrap_err();
    assert_eq!(error.advice(), Some("did you mean 'web01'?"));

    // Two names that differ in nothing else.
    let (web, db) = (
        simulator.vm("web01").unwrap(),
        simulator.vm("db01").unwrap(),
    );
    rename(&simulator, &db, "WEB01");
    assert_eq!(found(&connect, "web01").await.unwrap(), web);
    assert_eq!(found(&connect, "WEB01").await.unwrap(), db);
    // The search gives the other one.
    let pattern = format!(">{}</returnval>", db.value);
    let fault = Effect::Replace {
        from: pattern.into_bytes(),
        to: format!(">{}</returnval>", web.value).into_bytes(),
    };
    simulator.inject(Rule::new("FindChild", fault));
    assert_eq!(found(&connect, "WEB01").await.unwrap(), db);

    // Letters beyond ASCII.
    rename(&simulator, &web, "ärger");
    missing(&found(&connect, "ÄRGER").await.unwrap_err());
    assert_eq!(found(&connect, "ärger").await.unwrap(), web);
}

#[tokio::test]
async fn of_two_domains_with_a_name_one_is_found() {
    let (simulator, connect) = host().await;
    let (web, db) = (
        simulator.vm("web01").unwrap(),
        simulator.vm("db01").unwrap(),
    );
    rename(&simulator, &db, "web01");
    let one = found(&connect, "web01").await.unwrap();
    assert!([web, db].contains(&one));
}

/// A vCenter with a connection to its first host, and a domain of that host.
async fn vcenter() -> (Simulator, Connect, ManagedObjectReference) {
    let simulator = Simulator::vcenter().build();
    let uri = format!("vpx://vc/{}", simulator.path());
    let connect = open(&simulator, &uri).await.unwrap();
    let domain = connect.lookup_by_name("web01").await.unwrap();
    let vm = domain.moref().clone();
    (simulator, connect, vm)
}

/// The folder of virtual machines of a machine's datacenter.
fn vm_folder(simulator: &Simulator, name: &str) -> ManagedObjectReference {
    let mut datacenters = simulator.objects("Datacenter").into_iter();
    let folder = datacenters.find_map(|datacenter| {
        let datacenter: Datacenter = simulator.properties(&datacenter)?;
        (datacenter.name.as_deref() == Some(name)).then_some(datacenter.vm_folder)
    });
    folder.flatten().unwrap()
}

async fn move_into(
    connect: &Connect,
    folder: &ManagedObjectReference,
    vm: &ManagedObjectReference,
) {
    let request = MoveIntoFolderTask {
        this: folder.clone(),
        list: vec![vm.clone()],
        ..Default::default()
    };
    connect.client().run(&request).await.unwrap();
}

#[tokio::test]
async fn a_domain_in_a_folder_of_folders_is_found_in_the_list() {
    let (simulator, connect, vm) = vcenter().await;
    simulator.clear_requests();
    assert_eq!(found(&connect, "web01").await.unwrap(), vm);
    assert_eq!(
        methods(&simulator),
        ["FindChild", "RetrievePropertiesEx", "RetrievePropertiesEx"]
    );

    move_into(&connect, &vm_folder(&simulator, "Berlin"), &vm).await;
    simulator.clear_requests();
    assert_eq!(found(&connect, "web01").await.unwrap(), vm);
    assert_eq!(methods(&simulator), SEARCHED);
}

#[tokio::test]
async fn a_domain_of_another_host_is_nobodys() {
    let (simulator, connect, own) = vcenter().await;
    let folder = vm_folder(&simulator, "Berlin");
    let other = simulator.vm("b-web01").unwrap();
    move_into(&connect, &folder, &other).await;
    missing(&found(&connect, "b-web01").await.unwrap_err());
    // Not even if an own one in another folder has the name.
    rename(&simulator, &other, "web01");
    assert_eq!(found(&connect, "web01").await.unwrap(), own);
}

#[tokio::test]
async fn a_folder_with_the_name_of_a_domain_is_not_it() {
    let (simulator, connect, vm) = vcenter().await;
    for name in ["Web", "Databases"] {
        missing(&found(&connect, name).await.unwrap_err());
    }
    let request = CreateFolder {
        this: vm_folder(&simulator, "Berlin"),
        name: "web01".to_owned(),
        ..Default::default()
    };
    connect.client().call(&request).await.unwrap();
    assert_eq!(found(&connect, "web01").await.unwrap(), vm);
}

#[tokio::test]
async fn a_server_that_refuses_to_search_is_asked_for_the_list() {
    for fault in [
        SoapFault::new(NoPermission::default(), "not for you"),
        SoapFault::new(NotSupported::default(), "not here"),
        SoapFault::new(InvalidArgument::default(), "what?"),
        SoapFault::new(RuntimeFault::default(), ""),
    ] {
        let (simulator, connect) = host().await;
        let fault = Effect::Fault(Box::new(fault));
        simulator.inject(Rule::new("FindChild", fault));
        let vm = simulator.vm("build%2fci").unwrap();
        assert_eq!(found(&connect, "build/ci").await.unwrap(), vm);
        missing(&found(&connect, "nobody").await.unwrap_err());
    }
}

#[tokio::test]
async fn a_session_that_ends_before_the_search_is_renewed() {
    let (simulator, connect) = host().await;
    for method in SEARCHED {
        simulator.inject(Rule::new(method, Effect::ExpireSession).nth(1));
        found(&connect, "web01").await.unwrap();
        simulator.clear_rules();
    }
}

#[tokio::test]
async fn a_domain_whose_host_is_not_told_is_found_in_the_list() {
    let (simulator, connect) = host().await;
    simulator.set_unreadable("VirtualMachine", "runtime.host");
    let vm = simulator.vm("web01").unwrap();
    assert_eq!(found(&connect, "web01").await.unwrap(), vm);
}

#[tokio::test]
async fn a_domain_that_cannot_be_identified_says_why() {
    let (simulator, connect) = host().await;
    let vm = simulator.vm("web01").unwrap();
    simulator.change(&vm, |vm: &mut VirtualMachine| {
        vm.config.as_mut().unwrap().instance_uuid = None;
    });
    assert_eq!(
        text(connect.lookup_by_name("web01").await),
        "internal error: Could not get UUID of virtual machine"
    );
}

/// A connection whose simulator is changed once the answer to the first `FindChild` is on its way.
async fn changing(change: impl FnOnce(&Simulator) + Send + 'static) -> (Arc<Simulator>, Connect) {
    let simulator = Arc::new(Simulator::esx().build());
    let (handler, world) = (simulator.handler(), Arc::clone(&simulator));
    let change = Arc::new(Mutex::new(Some(change)));
    let transport = InProcess::new(move |request| {
        let (handler, world, change) = (handler.clone(), Arc::clone(&world), Arc::clone(&change));
        Box::pin(async move {
            let searches = String::from_utf8_lossy(request.body()).contains("<FindChild");
            let answer = handler(request).await;
            if searches && let Some(change) = change.lock().unwrap().take() {
                change(&world);
            }
            answer
        })
    });
    let connect = open_over(transport, "esx://h/").await.unwrap();
    (simulator, connect)
}

#[tokio::test]
async fn a_domain_that_is_renamed_between_the_calls_is_not_it() {
    let (simulator, connect) =
        changing(|simulator| rename(simulator, &simulator.vm("web01").unwrap(), "other")).await;
    missing(&found(&connect, "web01").await.unwrap_err());
    let vm = simulator.vm("other").unwrap();
    assert_eq!(found(&connect, "other").await.unwrap(), vm);

    // Another one has got its name.
    let (simulator, connect) = changing(|simulator| {
        let (web, db) = (
            simulator.vm("web01").unwrap(),
            simulator.vm("db01").unwrap(),
        );
        rename(simulator, &web, "other");
        rename(simulator, &db, "web01");
    })
    .await;
    let vm = simulator.vm("db01").unwrap();
    assert_eq!(found(&connect, "web01").await.unwrap(), vm);
}

#[tokio::test]
async fn a_domain_that_is_gone_between_the_calls_is_missing() {
    let (simulator, connect) = changing(|simulator| {
        assert!(simulator.remove_vm(&simulator.vm("web01").unwrap()));
    })
    .await;
    missing(&found(&connect, "web01").await.unwrap_err());
    assert!(simulator.vm("web01").is_none());
}

#[tokio::test]
async fn what_the_caller_needs_is_read_with_the_identity() {
    let (simulator, connect) = host().await;
    let domain = connect.lookup_by_name("web01").await.unwrap();
    let info = domain.info().await.unwrap();
    let xml = domain.xml_desc(DomainXmlFlags::NONE).await.unwrap();
    let (id, uuid) = (domain.id().unwrap(), domain.uuid());
    simulator.clear_requests();
    let by_name = connect.lookup_by_name_with::<DomainSize>("web01").await;
    let by_uuid = connect.lookup_by_uuid_with::<DomainSize>(uuid).await;
    let by_id = connect.lookup_by_id_with::<DomainSize>(id).await;
    assert_eq!(methods(&simulator).len(), 5);
    for found in [by_name, by_uuid, by_id] {
        let (found, size) = found.unwrap();
        assert_eq!(size.unwrap().info().unwrap(), info);
        let both = [&found, &domain].map(|one| (one.name().to_owned(), one.id(), one.uuid()));
        assert_eq!(both[0], both[1]);
        assert_eq!(found.moref(), domain.moref());
    }

    simulator.clear_requests();
    let found = connect.lookup_by_name_with::<DomainConfiguration>("web01");
    let (found, configuration) = found.await.unwrap();
    let configuration = configuration.unwrap();
    let again = found.xml_desc_of(&configuration, DomainXmlFlags::NONE);
    assert_eq!(again.await.unwrap(), xml);
    assert_eq!(methods(&simulator).len(), 3);
    let (_, power) = connect
        .lookup_by_name_with::<DomainPower>("web01")
        .await
        .unwrap();
    assert_eq!(power.unwrap().state(), domain.state().await.unwrap());
}

#[tokio::test]
async fn what_cannot_be_read_along_leaves_the_domain() {
    let (simulator, connect) = host().await;
    let uuid = connect.lookup_by_name("web01").await.unwrap().uuid();
    simulator.set_unreadable("VirtualMachine", "config.files");
    let by_name = connect.lookup_by_name_with::<DomainConfiguration>("web01");
    let by_name = by_name.await.unwrap();
    let by_uuid = connect.lookup_by_uuid_with::<DomainConfiguration>(uuid);
    let by_uuid = by_uuid.await.unwrap();
    let by_id = connect.lookup_by_id_with::<DomainConfiguration>(1);
    let by_id = by_id.await.unwrap();
    for (domain, configuration) in [by_name, by_uuid, by_id] {
        assert_eq!(domain.name(), "web01");
        assert_eq!(configuration.unwrap_err().kind(), ErrorKind::Property);
    }
    missing(
        &connect
            .lookup_by_name_with::<DomainConfiguration>("nobody")
            .await
            .unwrap_err(),
    );
}

#[tokio::test]
async fn a_domain_in_the_list_has_what_the_caller_needs_too() {
    let (_, connect, vm) = vcenter().await;
    let found = connect.lookup_by_name_with::<DomainSize>("web01").await;
    let (domain, size) = found.unwrap();
    assert_eq!(domain.moref(), &vm);
    assert_eq!(size.unwrap().info().unwrap(), domain.info().await.unwrap());
}
