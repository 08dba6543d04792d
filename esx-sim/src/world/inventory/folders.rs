//! Folders and datacenters, also those that clients make.

use vi_types::objects::DatacenterConfigInfo;
use vi_types::{ManagedObjectReference, properties};

use super::parts::{entity, folder, text};
use crate::world::World;

/// A datacenter's own folders.
pub(crate) struct Folders {
    pub(crate) datacenter: ManagedObjectReference,
    pub(crate) vm: ManagedObjectReference,
    pub(crate) host: ManagedObjectReference,
    pub(crate) datastore: ManagedObjectReference,
    pub(crate) network: ManagedObjectReference,
}

/// What can be in folders of a vCenter.
pub(crate) const ANY_DATACENTER: &[&str] = &["Folder", "Datacenter"];
pub(crate) const ANY_VM: &[&str] = &["Folder", "VirtualMachine", "VirtualApp"];
pub(crate) const ANY_COMPUTE: &[&str] = &["Folder", "ComputeResource"];
const ANY_DATASTORE: &[&str] = &["Folder", "Datastore", "StoragePod"];
pub(crate) const ANY_NETWORK: &[&str] = &["Folder", "Network", "DistributedVirtualSwitch"];

/// Makes a folder in a folder or datacenter.
pub(crate) fn add(
    world: &mut World,
    parent: &ManagedObjectReference,
    name: &str,
    child_type: &[&str],
) -> ManagedObjectReference {
    let kind = match child_type.get(1) {
        Some(&"Datacenter") => "group-d",
        Some(&"VirtualMachine") => "group-v",
        Some(&"ComputeResource") => "group-h",
        Some(&"Datastore") => "group-s",
        _ => "group-n",
    };
    let value = world.next_value(kind);
    let made = world.add(value, folder(name, Some(parent), child_type));
    put(world, parent, &made);
    made
}

/// Makes a datacenter with its folders in a folder.
pub(crate) fn add_datacenter(
    world: &mut World,
    parent: &ManagedObjectReference,
    name: &str,
) -> Folders {
    let value = world.next_value("datacenter-");
    let own = ManagedObjectReference::new("Datacenter", value.clone());
    let vm = add(world, &own, "vm", ANY_VM);
    let host = add(world, &own, "host", ANY_COMPUTE);
    let datastore = add(world, &own, "datastore", ANY_DATASTORE);
    let network = add(world, &own, "network", ANY_NETWORK);
    let default_hardware = DatacenterConfigInfo {
        default_hardware_version_key: text(world.release().hardware),
        ..DatacenterConfigInfo::default()
    };
    world.add(
        value,
        properties::Datacenter {
            base: entity(name, Some(parent)),
            vm_folder: Some(vm.clone()),
            host_folder: Some(host.clone()),
            datastore_folder: Some(datastore.clone()),
            network_folder: Some(network.clone()),
            configuration: Some(default_hardware.into()),
            ..properties::Datacenter::default()
        },
    );
    put(world, parent, &own);
    Folders {
        datacenter: own,
        vm,
        host,
        datastore,
        network,
    }
}

/// Puts something into a folder.
pub(crate) fn put(
    world: &mut World,
    into: &ManagedObjectReference,
    object: &ManagedObjectReference,
) {
    world.change(into, |folder: &mut properties::Folder| {
        folder.child_entity.push(object.clone());
    });
}

/// Takes something out of its folder.
pub(crate) fn take_out(world: &mut World, object: &ManagedObjectReference) {
    if let Some(folder) = world.parent(object).cloned() {
        world.change(&folder, |folder: &mut properties::Folder| {
            folder.child_entity.retain(|one| one != object);
        });
    }
}
