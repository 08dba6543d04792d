//! Container views and list views.

use esx_sim::Simulator;
use vi_types::ManagedObjectReference;
use vi_types::methods::{
    CreateContainerView, CreateListView, DestroyView, ModifyListView, ResetListView,
    ResetListViewFromView,
};
use vi_types::objects::ManagedObjectNotFound;

use crate::client::{Client, moref};

async fn container(
    client: &Client,
    container: &ManagedObjectReference,
    types: &[&str],
    recursive: bool,
) -> Vec<ManagedObjectReference> {
    let request = CreateContainerView {
        container: container.clone(),
        r#type: types.iter().map(|ty| (*ty).to_owned()).collect(),
        recursive,
        ..Default::default()
    };
    let view = client.call(&request).await.unwrap();
    shown(client, &view).await
}

async fn shown(client: &Client, view: &ManagedObjectReference) -> Vec<ManagedObjectReference> {
    client.value(view, "view").await.cast().unwrap()
}

async fn names(client: &Client, objects: &[ManagedObjectReference]) -> Vec<String> {
    let mut names = Vec::new();
    for object in objects {
        names.push(client.value(object, "name").await.cast::<String>().unwrap());
    }
    names
}

#[tokio::test]
async fn a_recursive_view_shows_everything_below() {
    let client = Client::login(&Simulator::vcenter().build()).await;
    let root = client.content.root_folder.clone();
    for (ty, count) in [
        ("VirtualMachine", 28),
        ("HostSystem", 4),
        ("Datacenter", 2),
        ("ComputeResource", 3),
        ("ClusterComputeResource", 1),
        ("ResourcePool", 3),
        ("Datastore", 6),
        ("Network", 12),
    ] {
        let found = container(&client, &root, &[ty], true).await;
        assert_eq!(found.len(), count, "{ty}: {found:?}");
    }
    let both = container(&client, &root, &["HostSystem", "Datacenter"], true).await;
    assert_eq!(both.len(), 6);
    let entities = container(&client, &root, &["ManagedEntity"], true).await;
    assert_eq!(entities, container(&client, &root, &[], true).await);
}

#[tokio::test]
async fn a_view_that_is_not_recursive_shows_children() {
    let client = Client::login(&Simulator::vcenter().build()).await;
    let root = client.content.root_folder.clone();
    let children = container(&client, &root, &[], false).await;
    assert_eq!(names(&client, &children).await, ["Berlin", "Europe"]);
    let datacenters = container(&client, &root, &["Datacenter"], false).await;
    assert_eq!(names(&client, &datacenters).await, ["Berlin"]);
    let folders = container(&client, &datacenters[0], &["Folder"], false).await;
    assert_eq!(
        names(&client, &folders).await,
        ["vm", "host", "datastore", "network"]
    );
}

#[tokio::test]
async fn hosts_and_pools_contain_virtual_machines() {
    let simulator = Simulator::esx().build();
    let client = Client::login(&simulator).await;
    for (ty, value) in [
        ("HostSystem", "ha-host"),
        ("ResourcePool", "ha-root-pool"),
        ("ComputeResource", "ha-compute-res"),
    ] {
        let found = container(&client, &moref(ty, value), &["VirtualMachine"], true).await;
        assert_eq!(found.len(), 7, "{ty}");
    }
}

#[tokio::test]
async fn views_follow_the_inventory() {
    let simulator = Simulator::esx().build();
    let client = Client::login(&simulator).await;
    let request = CreateContainerView {
        container: client.content.root_folder.clone(),
        r#type: vec!["VirtualMachine".to_owned()],
        recursive: true,
        ..Default::default()
    };
    let view = client.call(&request).await.unwrap();
    let vm = simulator.vm("web01").unwrap();
    assert!(shown(&client, &view).await.contains(&vm));
    simulator.remove_vm(&vm);
    assert!(!shown(&client, &view).await.contains(&vm));
}

#[tokio::test]
async fn a_destroyed_view_is_gone() {
    let client = Client::login(&Simulator::esx().build()).await;
    let view = client.call(&CreateListView::default()).await.unwrap();
    let destroy = DestroyView {
        this: view.clone(),
        ..Default::default()
    };
    client.call(&destroy).await.unwrap();
    let fault = client.call(&destroy).await.unwrap_err();
    assert_eq!(fault.cast::<ManagedObjectNotFound>().unwrap().obj, view);
}

#[tokio::test]
async fn views_belong_to_a_session() {
    let simulator = Simulator::esx().build();
    let client = Client::login(&simulator).await;
    let other = Client::login(&simulator).await;
    let view = client.call(&CreateListView::default()).await.unwrap();
    let fault = other
        .call(&DestroyView {
            this: view.clone(),
            ..Default::default()
        })
        .await
        .unwrap_err();
    assert!(fault.is::<ManagedObjectNotFound>(), "{fault}");
    simulator.expire_sessions();
    assert_eq!(simulator.objects("ListView"), []);
}

#[tokio::test]
async fn a_container_that_is_not_there_is_refused() {
    let client = Client::login(&Simulator::esx().build()).await;
    let request = CreateContainerView {
        container: moref("Folder", "nowhere"),
        ..CreateContainerView::default()
    };
    let fault = client.call(&request).await.unwrap_err();
    assert!(fault.is::<ManagedObjectNotFound>(), "{fault}");
}

#[tokio::test]
async fn list_views_show_what_they_are_given() {
    let simulator = Simulator::esx().build();
    let client = Client::login(&simulator).await;
    let [one, two, three] = ["1", "2", "3"].map(|number| moref("VirtualMachine", number));
    let gone = moref("VirtualMachine", "4711");
    let view = client
        .call(&CreateListView {
            obj: vec![one.clone(), two.clone()],
            ..Default::default()
        })
        .await
        .unwrap();
    assert_eq!(shown(&client, &view).await, [one.clone(), two.clone()]);

    let modify = ModifyListView {
        this: view.clone(),
        add: vec![three.clone(), gone.clone()],
        remove: vec![one.clone()],
        ..Default::default()
    };
    assert_eq!(client.call(&modify).await.unwrap(), [gone]);
    assert_eq!(shown(&client, &view).await, [two, three.clone()]);

    let reset = ResetListView {
        this: view.clone(),
        obj: vec![three.clone()],
        ..Default::default()
    };
    assert_eq!(client.call(&reset).await.unwrap(), []);
    assert_eq!(shown(&client, &view).await, [three]);

    let source = client
        .call(&CreateListView {
            obj: vec![one.clone()],
            ..Default::default()
        })
        .await
        .unwrap();
    let from = ResetListViewFromView {
        this: view.clone(),
        view: source,
        ..Default::default()
    };
    client.call(&from).await.unwrap();
    assert_eq!(shown(&client, &view).await, [one]);
}
