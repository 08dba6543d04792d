//! SearchIndex.

use esx_sim::Simulator;
use vi_types::methods::{
    FindAllByDnsName, FindAllByIp, FindAllByUuid, FindByDatastorePath, FindByDnsName,
    FindByInventoryPath, FindByIp, FindByUuid, FindChild,
};
use vi_types::{ManagedObjectReference, properties};

use crate::client::{Client, moref};

fn uuids(simulator: &Simulator, vm: &ManagedObjectReference) -> (String, String) {
    let vm = simulator
        .properties::<properties::VirtualMachine>(vm)
        .unwrap();
    let config = vm.config.unwrap();
    (config.uuid.clone(), config.instance_uuid.clone().unwrap())
}

#[tokio::test]
async fn virtual_machines_are_found_by_either_uuid() {
    let simulator = Simulator::vcenter().build();
    let client = Client::login(&simulator).await;
    let vm = simulator.vm("db01").unwrap();
    let (bios, instance) = uuids(&simulator, &vm);
    for (uuid, by_instance, found) in [
        (&bios, None, true),
        (&bios, Some(false), true),
        (&bios.to_uppercase(), None, true),
        (&instance, Some(true), true),
        (&instance, None, false),
        (&bios, Some(true), false),
    ] {
        let request = FindByUuid {
            uuid: uuid.clone(),
            vm_search: true,
            instance_uuid: by_instance,
            ..FindByUuid::default()
        };
        let expected = found.then(|| vm.clone());
        assert_eq!(
            client.call(&request).await.unwrap(),
            expected,
            "{uuid} {by_instance:?}"
        );
    }
}

#[tokio::test]
async fn a_search_can_be_limited_to_a_datacenter() {
    let simulator = Simulator::vcenter().build();
    let client = Client::login(&simulator).await;
    let vm = simulator.vm("db01").unwrap();
    let (bios, _) = uuids(&simulator, &vm);
    let datacenters = simulator.objects("Datacenter");
    for (datacenter, found) in datacenters.into_iter().zip([Some(vm), None]) {
        let request = FindByUuid {
            datacenter: Some(datacenter),
            uuid: bios.clone(),
            vm_search: true,
            ..FindByUuid::default()
        };
        assert_eq!(client.call(&request).await.unwrap(), found);
    }
}

#[tokio::test]
async fn machines_with_the_same_uuid_are_all_found() {
    let simulator = Simulator::esx().build();
    let client = Client::login(&simulator).await;
    let (one, other) = (
        simulator.vm("web01").unwrap(),
        simulator.vm("db01").unwrap(),
    );
    let (uuid, _) = uuids(&simulator, &one);
    simulator.change(&other, |vm: &mut properties::VirtualMachine| {
        vm.config.as_mut().unwrap().uuid = uuid.clone();
    });
    let request = FindAllByUuid {
        uuid,
        vm_search: true,
        ..FindAllByUuid::default()
    };
    let mut found = client.call(&request).await.unwrap();
    found.sort();
    assert_eq!(found, [one, other]);
}

#[tokio::test]
async fn hosts_are_found_by_uuid_address_and_name() {
    let simulator = Simulator::esx().build();
    let client = Client::login(&simulator).await;
    let host = moref("HostSystem", "ha-host");
    let hardware = simulator
        .properties::<properties::HostSystem>(&host)
        .unwrap()
        .hardware
        .unwrap();
    let by_uuid = FindByUuid {
        uuid: hardware.system_info.uuid.clone(),
        ..FindByUuid::default()
    };
    assert_eq!(client.call(&by_uuid).await.unwrap(), Some(host.clone()));
    let by_ip = FindByIp {
        ip: "192.0.2.1".to_owned(),
        ..FindByIp::default()
    };
    assert_eq!(client.call(&by_ip).await.unwrap(), Some(host.clone()));
    let by_name = FindByDnsName {
        dns_name: "ESX.example.com".to_owned(),
        ..FindByDnsName::default()
    };
    assert_eq!(client.call(&by_name).await.unwrap(), Some(host));
}

#[tokio::test]
async fn guests_are_found_by_address_and_name() {
    let simulator = Simulator::esx().build();
    let client = Client::login(&simulator).await;
    let vm = simulator.vm("db01").unwrap();
    // Its second card.
    let by_ip = FindAllByIp {
        ip: "10.1.0.2".to_owned(),
        vm_search: true,
        ..FindAllByIp::default()
    };
    assert_eq!(client.call(&by_ip).await.unwrap(), [vm.clone()]);
    let by_name = FindAllByDnsName {
        dns_name: "db01.example.com".to_owned(),
        vm_search: true,
        ..FindAllByDnsName::default()
    };
    assert_eq!(client.call(&by_name).await.unwrap(), [vm]);
    // One that is off tells nothing of itself.
    let off = FindByDnsName {
        dns_name: "build-ci.example.com".to_owned(),
        vm_search: true,
        ..FindByDnsName::default()
    };
    assert_eq!(client.call(&off).await.unwrap(), None);
}

async fn by_path(client: &Client, path: &str) -> Option<ManagedObjectReference> {
    let request = FindByInventoryPath {
        inventory_path: path.to_owned(),
        ..Default::default()
    };
    client.call(&request).await.unwrap()
}

#[tokio::test]
async fn inventory_paths_lead_through_folders() {
    let simulator = Simulator::vcenter().build();
    let client = Client::login(&simulator).await;
    for (path, ty) in [
        ("Berlin", "Datacenter"),
        ("/Berlin/", "Datacenter"),
        ("Europe/Paris", "Datacenter"),
        ("Berlin/host/Production", "ClusterComputeResource"),
        ("berlin/HOST/production", "ClusterComputeResource"),
        ("Berlin/host/Production/esx-02.example.com", "HostSystem"),
        ("Berlin/host/Production/Resources", "ResourcePool"),
        ("Berlin/host/Edge/esx-edge.example.com", "ComputeResource"),
        (
            "Europe/Paris/host/Racks/Row A/esx-01.paris.example.com",
            "ComputeResource",
        ),
        ("Berlin/vm/Web/build%2fci", "VirtualMachine"),
        ("Berlin/datastore/production-shared", "Datastore"),
        ("Berlin/network/VM Network", "Network"),
    ] {
        let found = by_path(&client, path).await;
        assert_eq!(
            found.as_ref().map(|found| found.r#type.as_str()),
            Some(ty),
            "{path}"
        );
    }
    for path in ["Paris", "Berlin/vm/web01", "berlin ", "Berlin/Production"] {
        assert_eq!(by_path(&client, path).await, None, "{path}");
    }
    assert_eq!(
        by_path(&client, "/").await,
        Some(client.content.root_folder.clone())
    );
}

#[tokio::test]
async fn the_first_host_is_where_the_uri_says() {
    let simulator = Simulator::vcenter().build();
    let client = Client::login(&simulator).await;
    let (datacenter, rest) = simulator.path().split_once('/').unwrap();
    let found = by_path(&client, &format!("{datacenter}/host/{rest}")).await;
    assert_eq!(found.unwrap().r#type, "HostSystem");
    assert_eq!(Simulator::esx().build().path(), "");
}

#[tokio::test]
async fn children_are_found_by_name() {
    let client = Client::login(&Simulator::esx().build()).await;
    for (name, found) in [
        ("build%2fci", true),
        // Names are compared in upper and lower case.
        ("Build%2FCI", true),
        ("build/ci", false),
        ("build", false),
        ("", false),
    ] {
        let request = FindChild {
            entity: moref("Folder", "ha-folder-vm"),
            name: name.to_owned(),
            ..Default::default()
        };
        let expected = found.then(|| moref("VirtualMachine", "6"));
        assert_eq!(client.call(&request).await.unwrap(), expected, "{name}");
    }
}

#[tokio::test]
async fn files_lead_to_their_virtual_machine() {
    let simulator = Simulator::esx().build();
    let client = Client::login(&simulator).await;
    let vm = simulator.vm("build%2fci").unwrap();
    let config = simulator
        .properties::<properties::VirtualMachine>(&vm)
        .unwrap()
        .config
        .unwrap();
    let request = FindByDatastorePath {
        datacenter: moref("Datacenter", "ha-datacenter"),
        path: config.files.vm_path_name.clone().unwrap(),
        ..Default::default()
    };
    assert_eq!(client.call(&request).await.unwrap(), Some(vm));
}
