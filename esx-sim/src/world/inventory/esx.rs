//! `test:///default`: one ESX host.

use vi_types::objects::{ComputeResourceConfigInfo, ComputeResourceSummary, DatacenterConfigInfo};
use vi_types::{ManagedObjectReference, properties};

use super::host::{self, HostSpec};
use super::parts::{entity, folder, text};
use super::virtual_machine::{self, Machines, Site};
use super::{ServerKind, datastore, network, service};
use crate::machine::Place;
use crate::storage::{DatastoreKind, NewDatastore};
use crate::version::Release;
use crate::world::World;

/// The host and everything on it.
pub(crate) fn make(release: &'static Release, machines: Machines<'_>) -> World {
    let mut world = World::new(ServerKind::Esx, release);
    let reference = ManagedObjectReference::new;
    let root = reference("Folder", "ha-folder-root");
    let datacenter = reference("Datacenter", "ha-datacenter");
    let compute = reference("ComputeResource", "ha-compute-res");
    let pool = reference("ResourcePool", "ha-root-pool");
    let host = reference("HostSystem", "ha-host");

    service::add(&mut world, ServerKind::Esx, release, &root);
    world.add(
        "ha-folder-root",
        properties::Folder {
            child_entity: vec![datacenter.clone()],
            ..folder("ha-folder-root", None, &["Datacenter"])
        },
    );
    let vm_folder = reference("Folder", "ha-folder-vm");
    let host_folder = world.add(
        "ha-folder-host",
        properties::Folder {
            child_entity: vec![compute.clone()],
            ..folder("host", Some(&datacenter), &["ComputeResource"])
        },
    );

    let spec = HostSpec {
        reference: host.clone(),
        parent: compute.clone(),
        name: "esx.example.com".to_owned(),
        number: 1,
        release,
        managed_by: None,
    };
    let datastores = [
        ("65e19a00-0c4d1a2f-9e4e-000c29aa0001", "datastore1", 512),
        ("65e19a00-0c4d1a2f-9e4e-000c29aa0002", "ssd", 256),
    ]
    .map(|(value, name, gib)| {
        let new = NewDatastore::new(name, DatastoreKind::Vmfs).capacity(gib << 30);
        datastore::add(&mut world, value, &new, None)
    });
    let networks: Vec<_> = network::vm_networks()
        .map(|name| network::add(&mut world, &format!("HaNetwork-{name}"), name, &[&spec]))
        .collect();

    let datastore_folder = world.add(
        "ha-folder-datastore",
        properties::Folder {
            child_entity: datastores.to_vec(),
            ..folder("datastore", Some(&datacenter), &["Datastore"])
        },
    );
    let network_folder = world.add(
        "ha-folder-network",
        properties::Folder {
            child_entity: networks.clone(),
            ..folder("network", Some(&datacenter), &["Network"])
        },
    );
    for (datastore, folder) in [
        (&datastores[0], &datastore_folder),
        (&datastores[1], &datastore_folder),
    ] {
        world.change(datastore, |datastore: &mut properties::Datastore| {
            datastore.parent = Some(folder.clone());
        });
    }
    for network in &networks {
        world.change(network, |network: &mut properties::Network| {
            network.parent = Some(network_folder.clone());
        });
    }
    world.add(
        "ha-datacenter",
        properties::Datacenter {
            base: entity("ha-datacenter", Some(&root)),
            vm_folder: Some(vm_folder.clone()),
            host_folder: Some(host_folder.clone()),
            datastore_folder: Some(datastore_folder),
            network_folder: Some(network_folder),
            datastore: datastores.to_vec(),
            network: networks.clone(),
            configuration: Some(
                DatacenterConfigInfo {
                    default_hardware_version_key: text(release.hardware),
                    ..DatacenterConfigInfo::default()
                }
                .into(),
            ),
            ..properties::Datacenter::default()
        },
    );
    world.add(
        "ha-compute-res",
        properties::ComputeResource {
            base: entity("esx.example.com", Some(&host_folder)),
            resource_pool: Some(pool.clone()),
            host: vec![host.clone()],
            datastore: datastores.to_vec(),
            network: networks.clone(),
            summary: Some(compute_summary(1).into()),
            configuration_ex: Some(
                ComputeResourceConfigInfo {
                    vm_swap_placement: "vmDirectory".to_owned(),
                    ..ComputeResourceConfigInfo::default()
                }
                .into(),
            ),
            ..properties::ComputeResource::default()
        },
    );

    world.add(
        "ha-folder-vm",
        folder("vm", Some(&datacenter), &["VirtualMachine"]),
    );
    world.add("ha-root-pool", host::pool("Resources", &pool, &compute));
    host::add(&mut world, &spec, &datastores, &networks);
    let site = Site {
        prefix: "",
        place: Place {
            folder: vm_folder,
            pool: Some(pool),
            host: host.clone(),
        },
        datastores: datastores.to_vec(),
        network: networks[0].clone(),
    };
    virtual_machine::add(&mut world, &[site], machines, 1);
    host::start_first_vm(&mut world, &host);
    world
}

/// The sum of so many hosts.
pub(crate) fn compute_summary(hosts: i16) -> ComputeResourceSummary {
    let count = i32::from(hosts);
    ComputeResourceSummary {
        total_cpu: count * host::MHZ * i32::from(host::CORES),
        total_memory: i64::from(hosts) * host::MEMORY,
        num_cpu_cores: hosts * host::CORES,
        num_cpu_threads: hosts * host::THREADS,
        effective_cpu: count * host::MHZ * i32::from(host::CORES - 1),
        effective_memory: i64::from(hosts) * (host::MEMORY >> 20) * 9 / 10,
        num_hosts: count,
        num_effective_hosts: count,
        overall_status: vi_types::enums::ManagedEntityStatus::Green,
        ..ComputeResourceSummary::default()
    }
}
