//! RetrieveProperties and RetrievePropertiesEx: what is selected, what is read, how it is paged.

use esx_sim::Simulator;
use vi_types::methods::{
    CancelRetrievePropertiesEx, ContinueRetrievePropertiesEx, Fetch, RetrieveProperties,
    RetrievePropertiesEx,
};
use vi_types::objects::{
    InvalidArgument, InvalidProperty, ManagedObjectNotFound, NoPermission, NotAuthenticated,
    ObjectContent, OptionValue, PropertyFilterSpec, PropertySpec, RetrieveOptions, VirtualDevice,
    VirtualDisk,
};
use vi_types::{Any, ManagedObjectReference, Poly};

use crate::client::{Client, at, get, moref, named, properties, step, text};

fn spec(
    wanted: PropertySpec,
    from: &ManagedObjectReference,
    steps: Vec<Poly<vi_types::objects::SelectionSpec>>,
) -> PropertyFilterSpec {
    PropertyFilterSpec {
        prop_set: vec![wanted],
        object_set: vec![at(from, false, steps)],
        ..PropertyFilterSpec::default()
    }
}

/// From anywhere in the inventory to everything below it, as clients have always written it.
fn everything_below() -> Vec<Poly<vi_types::objects::SelectionSpec>> {
    let all = || {
        [
            "folder", "vms", "hosts", "stores", "nets", "compute", "pool",
        ]
        .map(named)
        .to_vec()
    };
    vec![
        step(Some("folder"), "Folder", "childEntity", all()),
        step(Some("vms"), "Datacenter", "vmFolder", all()),
        step(Some("hosts"), "Datacenter", "hostFolder", all()),
        step(Some("stores"), "Datacenter", "datastoreFolder", all()),
        step(Some("nets"), "Datacenter", "networkFolder", all()),
        step(Some("compute"), "ComputeResource", "host", vec![]),
        step(Some("pool"), "ComputeResource", "resourcePool", vec![]),
    ]
}

fn names(found: &[ObjectContent]) -> Vec<String> {
    found.iter().map(|content| text(content, "name")).collect()
}

#[tokio::test]
async fn a_traversal_goes_through_the_whole_inventory() {
    let client = Client::login(&Simulator::vcenter().build()).await;
    let root = &client.content.root_folder;
    let all = |ty: &str| spec(properties(ty, &["name"]), root, everything_below());

    let datacenters = client.retrieve(all("Datacenter")).await.unwrap();
    assert_eq!(names(&datacenters), ["Berlin", "Paris"]);
    let compute = client.retrieve(all("ComputeResource")).await.unwrap();
    assert_eq!(
        names(&compute),
        [
            "Production",
            "esx-edge.example.com",
            "esx-01.paris.example.com"
        ]
    );
    assert_eq!(compute[0].obj.r#type, "ClusterComputeResource");
    let clusters = client
        .retrieve(all("ClusterComputeResource"))
        .await
        .unwrap();
    assert_eq!(names(&clusters), ["Production"]);
    let hosts = client.retrieve(all("HostSystem")).await.unwrap();
    assert_eq!(hosts.len(), 4);
    let vms = client.retrieve(all("VirtualMachine")).await.unwrap();
    assert_eq!(vms.len(), 28);
    let entities = client.retrieve(all("ManagedEntity")).await.unwrap();
    let mut known: Vec<_> = entities.iter().map(|content| &content.obj).collect();
    known.sort();
    known.dedup();
    assert_eq!(known.len(), entities.len(), "every object is there once");
    assert!(entities.iter().any(|content| content.obj == *root));
}

#[tokio::test]
async fn skipped_objects_are_walked_through_but_not_reported() {
    let client = Client::login(&Simulator::esx().build()).await;
    let root = &client.content.root_folder;
    let mut spec = spec(properties("Folder", &["name"]), root, everything_below());
    spec.object_set[0].skip = Some(true);
    let folders = client.retrieve(spec).await.unwrap();
    assert_eq!(names(&folders), ["vm", "host", "datastore", "network"]);
}

#[tokio::test]
async fn a_selection_that_names_nothing_is_refused() {
    let client = Client::login(&Simulator::esx().build()).await;
    let root = &client.content.root_folder;
    let steps = vec![step(None, "Folder", "childEntity", vec![named("nothing")])];
    let fault = client
        .retrieve(spec(properties("Folder", &["name"]), root, steps))
        .await
        .unwrap_err();
    assert!(fault.is::<InvalidArgument>(), "{fault}");
}

#[tokio::test]
async fn nested_paths_lead_into_objects_and_lists() {
    let simulator = Simulator::esx().build();
    let client = Client::login(&simulator).await;
    let vm = simulator.vm("db01").unwrap();

    let memory = client.value(&vm, "config.hardware.memoryMB").await;
    assert_eq!(memory, Any::Int(32_768));
    let devices: Vec<Poly<VirtualDevice>> = client
        .value(&vm, "config.hardware.device")
        .await
        .cast()
        .unwrap();
    let disks: Vec<_> = devices
        .iter()
        .filter_map(|one| one.downcast_ref::<VirtualDisk>())
        .collect();
    let sizes: Vec<_> = disks.iter().map(|disk| disk.capacity_in_kb).collect();
    assert_eq!(sizes, [64 << 20, 500 << 20]);
    let disk: VirtualDisk = client
        .value(&vm, "config.hardware.device[2001]")
        .await
        .cast()
        .unwrap();
    assert_eq!(disk.key, 2001);
    assert_eq!(disk, *disks[1]);
    let extra: Vec<OptionValue> = client
        .value(&vm, "config.extraConfig")
        .await
        .cast()
        .unwrap();
    assert_eq!(extra[0].value, Some(Any::from("db01.nvram")));
    let host = moref("HostSystem", "ha-host");
    assert_eq!(
        client.value(&host, "hardware.cpuInfo.hz").await,
        Any::Long(2_394_230_000)
    );
    assert_eq!(
        client.value(&host, "hardware.cpuInfo.numCpuCores").await,
        Any::Short(16)
    );
}

#[tokio::test]
async fn an_empty_list_is_an_empty_array_and_an_unset_value_is_left_out() {
    let simulator = Simulator::esx().build();
    let client = Client::login(&simulator).await;
    let vm = simulator.vm("web01").unwrap();
    let paths = [
        "recentTask",
        "runtime.question",
        "snapshot",
        "snapshot.rootSnapshotList",
    ];
    let read = client.read(&[vm], "VirtualMachine", &paths).await.unwrap();
    let found: Vec<_> = read[0]
        .prop_set
        .iter()
        .map(|found| found.name.as_str())
        .collect();
    assert_eq!(found, ["recentTask"]);
    assert_eq!(
        get(&read[0], "recentTask").unwrap().type_name(),
        "ArrayOfManagedObjectReference"
    );
    assert_eq!(read[0].missing_set, []);
}

#[tokio::test]
async fn all_reads_every_property_that_is_set() {
    let simulator = Simulator::esx().build();
    let client = Client::login(&simulator).await;
    let vm = simulator.vm("web01").unwrap();
    let wanted = PropertySpec {
        all: Some(true),
        ..properties("VirtualMachine", &[])
    };
    let read = client.retrieve(spec(wanted, &vm, vec![])).await.unwrap();
    for path in [
        "name",
        "config",
        "runtime",
        "guest",
        "summary",
        "storage",
        "layoutEx",
        "datastore",
    ] {
        assert!(get(&read[0], path).is_some(), "{path}");
    }
    let nothing = client
        .retrieve(spec(properties("VirtualMachine", &[]), &vm, vec![]))
        .await
        .unwrap();
    assert_eq!(nothing[0].prop_set, []);
    assert_eq!(nothing[0].obj, vm);
}

#[tokio::test]
async fn paths_that_no_object_of_the_type_has_are_refused() {
    let simulator = Simulator::esx().build();
    let client = Client::login(&simulator).await;
    let vm = simulator.vm("web01").unwrap();
    for path in [
        "nonsense",
        "config.nonsense",
        "name.length",
        "runtime.host.name",
        "config..name",
        "",
    ] {
        let read = client.read(&[vm.clone()], "VirtualMachine", &[path]).await;
        let fault = read.unwrap_err();
        assert_eq!(fault.cast::<InvalidProperty>().unwrap().name, path);
    }
    // Only some kinds of datastore have this; those that don't are read without it.
    let store = client.simulator.objects("Datastore").remove(0);
    assert_eq!(
        client.value(&store, "info.vmfs.majorVersion").await,
        Any::Int(6)
    );
    assert_eq!(client.value(&store, "info.nas").await, Any::None);
}

#[tokio::test]
async fn a_property_that_may_not_be_read_is_missing_and_the_others_are_there() {
    let simulator = Simulator::esx().build();
    simulator.set_unreadable("VirtualMachine", "config.uuid");
    let client = Client::login(&simulator).await;
    let vm = simulator.vm("web01").unwrap();
    let paths = ["name", "config.uuid", "config.version"];
    let read = client
        .read(std::slice::from_ref(&vm), "VirtualMachine", &paths)
        .await
        .unwrap();
    assert_eq!(text(&read[0], "name"), "web01");
    assert_eq!(text(&read[0], "config.version"), "vmx-20");
    assert_eq!(read[0].missing_set.len(), 1);
    let missing = &read[0].missing_set[0];
    assert_eq!(missing.path, "config.uuid");
    let fault = missing.fault.fault.cast::<NoPermission>().unwrap();
    assert_eq!(fault.object.as_ref(), Some(&vm));
    assert_eq!(fault.privilege_id.as_deref(), Some("System.Read"));
}

#[tokio::test]
async fn objects_that_are_not_there_fail_the_call_unless_asked_otherwise() {
    let simulator = Simulator::esx().build();
    let client = Client::login(&simulator).await;
    let gone = moref("VirtualMachine", "4711");
    let web01 = simulator.vm("web01").unwrap();
    let fault = client
        .read(&[web01.clone(), gone.clone()], "VirtualMachine", &["name"])
        .await
        .unwrap_err();
    assert_eq!(fault.cast::<ManagedObjectNotFound>().unwrap().obj, gone);
    let spec = PropertyFilterSpec {
        prop_set: vec![properties("VirtualMachine", &["name"])],
        object_set: vec![at(&gone, false, vec![]), at(&web01, false, vec![])],
        report_missing_objects_in_results: Some(true),
        ..Default::default()
    };
    assert_eq!(names(&client.retrieve(spec).await.unwrap()), ["web01"]);
}

fn first_page(client: &Client, size: Option<i32>) -> RetrievePropertiesEx {
    let root = &client.content.root_folder;
    let spec = spec(
        properties("VirtualMachine", &["name"]),
        root,
        everything_below(),
    );
    RetrievePropertiesEx {
        spec_set: vec![spec],
        options: RetrieveOptions {
            max_objects: size,
            ..Default::default()
        },
        ..Default::default()
    }
}

/// The number of objects on each page.
async fn pages(client: &Client, size: Option<i32>) -> Vec<usize> {
    let mut result = client
        .call(&first_page(client, size))
        .await
        .unwrap()
        .unwrap();
    let mut sizes = vec![result.objects.len()];
    while let Some(token) = result.token.take() {
        let next = ContinueRetrievePropertiesEx {
            token,
            ..Default::default()
        };
        *result = client.call(&next).await.unwrap();
        sizes.push(result.objects.len());
    }
    sizes
}

#[tokio::test]
async fn long_answers_come_in_pages() {
    let client = Client::login(&Simulator::esx().vms(25).build()).await;
    assert_eq!(pages(&client, Some(10)).await, [10, 10, 5]);
    assert_eq!(pages(&client, Some(25)).await, [25]);
    assert_eq!(pages(&client, Some(1000)).await, [25]);
    assert_eq!(pages(&client, None).await, [25]);
}

#[tokio::test]
async fn the_server_can_make_pages_smaller() {
    let client = Client::login(&Simulator::esx().vms(25).page_size(12).build()).await;
    assert_eq!(pages(&client, None).await, [12, 12, 1]);
    assert_eq!(pages(&client, Some(9)).await, [9, 9, 7]);
}

#[tokio::test]
async fn a_page_can_be_had_once_and_by_its_owner() {
    let simulator = Simulator::esx().vms(25).build();
    let client = Client::login(&simulator).await;
    let other = Client::login(&simulator).await;
    let page = client
        .call(&first_page(&client, Some(10)))
        .await
        .unwrap()
        .unwrap();
    let token = page.token.unwrap();
    let next = ContinueRetrievePropertiesEx {
        token: token.clone(),
        ..Default::default()
    };
    let fault = other.call(&next).await.unwrap_err();
    assert!(fault.is::<InvalidProperty>(), "{fault}");
    client
        .call(&CancelRetrievePropertiesEx {
            token,
            ..Default::default()
        })
        .await
        .unwrap();
    let fault = client.call(&next).await.unwrap_err();
    assert!(fault.is::<InvalidProperty>(), "{fault}");
}

#[tokio::test]
async fn a_page_without_objects_is_refused() {
    let client = Client::login(&Simulator::esx().build()).await;
    let fault = client
        .call(&first_page(&client, Some(0)))
        .await
        .unwrap_err();
    assert!(fault.is::<InvalidArgument>(), "{fault}");
}

#[tokio::test]
async fn retrieve_properties_gives_everything_at_once() {
    let client = Client::login(&Simulator::esx().vms(25).page_size(10).build()).await;
    let request = RetrieveProperties {
        spec_set: first_page(&client, None).spec_set,
        ..Default::default()
    };
    assert_eq!(client.call(&request).await.unwrap().len(), 25);
}

#[tokio::test]
async fn nothing_found_is_no_result() {
    let client = Client::login(&Simulator::esx().vms(0).build()).await;
    assert_eq!(client.call(&first_page(&client, None)).await.unwrap(), None);
}

const TYPES: [&str; 14] = [
    "ClusterComputeResource",
    "ComputeResource",
    "Datacenter",
    "Datastore",
    "Folder",
    "HostAutoStartManager",
    "HostSystem",
    "Network",
    "PropertyCollector",
    "ResourcePool",
    "ServiceInstance",
    "SessionManager",
    "ViewManager",
    "VirtualMachine",
];

fn all_of(ty: &str) -> PropertySpec {
    PropertySpec {
        all: Some(true),
        ..properties(ty, &[])
    }
}

/// Everything that can be read of every object decodes again, into types that are known.
#[tokio::test]
async fn whatever_is_answered_can_be_decoded() {
    for version in ["2.5", "4.0", "5.5", "6.7", "8.0"] {
        for builder in [Simulator::esx(), Simulator::vcenter()] {
            let simulator = builder.api_version(version).unwrap().build();
            let client = Client::login(&simulator).await;
            let everything = TYPES.iter().flat_map(|ty| simulator.objects(ty));
            let request = RetrieveProperties {
                spec_set: vec![PropertyFilterSpec {
                    prop_set: TYPES.map(all_of).to_vec(),
                    object_set: everything
                        .map(|object| at(&object, false, vec![]))
                        .collect(),
                    ..PropertyFilterSpec::default()
                }],
                ..Default::default()
            };
            let read = client.call(&request).await.unwrap();
            assert!(read.len() > 20);
            for content in &read {
                for property in &content.prop_set {
                    assert_decoded(content, &property.name, &property.val);
                }
            }
        }
    }
}

fn assert_decoded(content: &ObjectContent, name: &str, val: &Any) {
    match val {
        Any::Undecodable(value) => panic!("{} {name}: {}", content.obj, value.error),
        Any::Unknown(element) => panic!("{} {name}: unknown {:?}", content.obj, element.type_name),
        Any::Array(array) => {
            array
                .items
                .iter()
                .for_each(|item| assert_decoded(content, name, item));
        }
        _ => {}
    }
}

#[tokio::test]
async fn single_properties_can_be_fetched_from_any_object() {
    let simulator = Simulator::esx().build();
    simulator.set_unreadable("VirtualMachine", "config");
    let client = Client::login(&simulator).await;
    let fetch = |this: &ManagedObjectReference, prop: &str| Fetch {
        this: this.clone(),
        prop: prop.to_owned(),
        ..Default::default()
    };
    let vm = simulator.vm("web01").unwrap();
    let name = client.call(&fetch(&vm, "name")).await.unwrap();
    assert_eq!(name, Some(Any::from("web01")));
    let question = client.call(&fetch(&vm, "runtime.question")).await.unwrap();
    assert_eq!(question, None);
    let fault = client.call(&fetch(&vm, "nonsense")).await.unwrap_err();
    assert!(fault.is::<InvalidProperty>(), "{fault}");
    let fault = client.call(&fetch(&vm, "config")).await.unwrap_err();
    assert!(fault.is::<NoPermission>(), "{fault}");

    simulator.expire_sessions();
    let fault = client.call(&fetch(&vm, "name")).await.unwrap_err();
    assert!(fault.is::<NotAuthenticated>(), "{fault}");
    let instance = moref("ServiceInstance", "ServiceInstance");
    assert!(
        client
            .call(&fetch(&instance, "content"))
            .await
            .unwrap()
            .is_some()
    );
}

#[tokio::test]
async fn an_item_of_a_list_is_found_by_its_key() {
    let simulator = Simulator::esx().build();
    let client = Client::login(&simulator).await;
    let vm = simulator.vm("web01").unwrap();
    let host = simulator.objects("HostSystem")[0].clone();
    for (object, path, found) in [
        (&vm, "config.extraConfig[\"svga.present\"]", true),
        (&vm, "config.extraConfig[\"svga.present\"].value", true),
        (&vm, "config.extraConfig[\"pciBridge0.present\"].key", true),
        (&vm, "config.extraConfig[\"nvram\"]", true),
        (&vm, "config.extraConfig[\"no.such.key\"]", false),
        (&vm, "config.extraConfig[\"no.such.key\"].value", false),
        (&vm, "config.hardware.device[4000].backing", true),
        (&vm, "config.hardware.device[9]", false),
        (
            &host,
            "config.network.vswitch[\"key-vim.host.VirtualSwitch-vSwitch0\"].name",
            true,
        ),
        (
            &host,
            "config.network.pnic[\"key-vim.host.PhysicalNic-vmnic0\"].device",
            true,
        ),
        (
            &host,
            "config.network.portgroup[\"key-vim.host.PortGroup-VM Network\"].spec.name",
            true,
        ),
        (&host, "config.service.service[\"TSM-SSH\"].running", true),
        (
            &host,
            "config.firewall.ruleset[\"sshServer\"].enabled",
            true,
        ),
    ] {
        let value = client.value(object, path).await;
        assert_eq!(!value.is_none(), found, "{path}: {value:?}");
        let fetch = Fetch {
            prop: path.to_owned(),
            ..Fetch::default()
        };
        let fetched = client.call_on(object, &fetch).await.unwrap();
        assert_eq!(fetched.unwrap_or_default(), value, "{path}");
    }
    for path in [
        "config.extraConfig[svga.present]",
        "config.extraConfig['svga.present']",
        "config.extraConfig[\"svga.present\"",
        "config.extraConfig[\"svga.present\"].colour",
        "runtime[\"powerState\"]",
        "config.hardware.device[]",
    ] {
        let read = client.read(&[vm.clone()], "VirtualMachine", &[path]).await;
        let fault = read.unwrap_err();
        assert_eq!(
            fault.cast::<InvalidProperty>().unwrap().name,
            path,
            "{fault}"
        );
    }
}
