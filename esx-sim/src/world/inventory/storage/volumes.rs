//! The volumes on a host's disks, and which of them it has mounted.

use vi_types::objects::{
    DatastoreDiscoveredEvent, HostFileSystemMountInfo, HostFileSystemVolume,
    HostFileSystemVolumeInfo, HostLocalFileSystemVolume, LocalDatastoreInfo, NasDatastoreInfo,
    PMemDatastoreInfo, VmfsDatastoreInfo,
};
use vi_types::{ManagedObjectReference, Poly, SoapFault, properties};

use super::disks_of;
use crate::fault;
use crate::world::World;
use crate::world::inventory::{datacenter_of, datastore, parts::text};

/// Marks the VMFS volumes whose disks the host has lost as inaccessible, and those whose disks are back as accessible.
pub(super) fn check_volumes(world: &mut World, host: &ManagedObjectReference) {
    let names: Vec<_> = disks_of(world, host)
        .filter_map(|disk| disk.base.canonical_name.clone())
        .collect();
    let state = world.read::<properties::HostSystem>(host);
    let stores = state.map(|host| host.datastore.clone()).unwrap_or_default();
    for store in stores {
        let state = world.read::<properties::Datastore>(&store);
        let info = state.and_then(|store| store.info.as_ref()?.cast::<VmfsDatastoreInfo>());
        let Some(vmfs) = info.and_then(|info| info.vmfs.as_deref()) else {
            continue;
        };
        let complete = vmfs
            .extent
            .iter()
            .all(|extent| names.contains(&extent.disk_name));
        let was = world.fabric.lost.contains(&(host.clone(), store.clone()));
        match (complete, was) {
            (false, false) => {
                world.fabric.lost.push((host.clone(), store.clone()));
                reach(world, &store, host, false);
            }
            (true, true) => {
                world
                    .fabric
                    .lost
                    .retain(|(on, what)| on != host || *what != store);
                reach(world, &store, host, true);
            }
            _ => {}
        }
    }
}

/// Sets whether a host reaches a datastore.
fn reach(
    world: &mut World,
    store: &ManagedObjectReference,
    host: &ManagedObjectReference,
    reached: bool,
) {
    world.change(store, |store: &mut properties::Datastore| {
        for mount in store.host.iter_mut().filter(|mount| mount.key == *host) {
            if mount.mount_info.accessible.is_some() {
                mount.mount_info.accessible = Some(reached);
            }
        }
        let any = store.host.iter().any(|mount| match mount.key == *host {
            true => reached,
            false => mount.mount_info.accessible != Some(false),
        });
        if let Some(summary) = store.summary.as_deref_mut() {
            summary.accessible = any;
        }
    });
    show_volumes(world, host);
}

/// Writes the volumes of a host's datastores into all properties that show them.
pub(crate) fn show_volumes(world: &mut World, host: &ManagedObjectReference) {
    let Some(state) = world.read::<properties::HostSystem>(host) else {
        return;
    };
    let stores = state.datastore.iter();
    let states = stores.filter_map(|store| world.read::<properties::Datastore>(store));
    let support = text("vStorageUnsupported").filter(|_| world.since("4.1"));
    let mounts = states.filter_map(|store| {
        let mount = store.host.iter().find(|mount| mount.key == *host)?;
        Some(HostFileSystemMountInfo {
            mount_info: mount.mount_info.clone(),
            volume: volume_of(store)?,
            v_storage_support: support.clone(),
            ..HostFileSystemMountInfo::default()
        })
    });
    let info = HostFileSystemVolumeInfo {
        volume_type_list: ["VMFS", "NFS", "NFS41", "vsan", "VVOL", "PMEM"]
            .into_iter()
            .filter(|kind| match *kind {
                "NFS41" | "VVOL" => world.since("6.0"),
                "vsan" => world.since("5.5"),
                "PMEM" => world.since("6.7"),
                _ => true,
            })
            .map(str::to_owned)
            .collect(),
        mount_info: mounts.collect(),
        ..HostFileSystemVolumeInfo::default()
    };
    let system = world.change(host, |host: &mut properties::HostSystem| {
        if let Some(config) = host.config.as_deref_mut() {
            config.file_system_volume = Some(info.clone().into());
        }
        let managers = host.config_manager.as_deref();
        managers.and_then(|managers| managers.storage_system.clone())
    });
    if let Some(system) = system.flatten() {
        world.change(&system, |system: &mut properties::HostStorageSystem| {
            system.file_system_volume_info = Some(info.into());
        });
    }
}

/// The volume that a datastore is on.
fn volume_of(store: &properties::Datastore) -> Option<Poly<HostFileSystemVolume>> {
    let info = store.info.as_ref()?;
    let summary = store.summary.as_deref()?;
    let base = HostFileSystemVolume {
        r#type: summary.r#type.clone(),
        name: summary.name.clone(),
        capacity: summary.capacity,
        ..HostFileSystemVolume::default()
    };
    if let Some(vmfs) = info.cast::<VmfsDatastoreInfo>() {
        return Some(vmfs.vmfs.as_deref()?.clone().into());
    }
    if let Some(nas) = info.cast::<NasDatastoreInfo>() {
        return Some(nas.nas.as_deref()?.clone().into());
    }
    if let Some(pmem) = info.cast::<PMemDatastoreInfo>() {
        return Some(pmem.pmem.clone().into());
    }
    if let Some(local) = info.cast::<LocalDatastoreInfo>() {
        return Some(
            HostLocalFileSystemVolume {
                base,
                device: local.path.clone().unwrap_or_default(),
                ..HostLocalFileSystemVolume::default()
            }
            .into(),
        );
    }
    Some(base.into())
}

/// Mounts the VMFS volumes on disks that a host sees, except for those that were unmounted there. Only those of its
/// datacenter: a datastore belongs to one.
pub(crate) fn mount_volumes(world: &mut World, host: &ManagedObjectReference) {
    let names: Vec<_> = disks_of(world, host)
        .filter_map(|disk| disk.base.canonical_name.clone())
        .collect();
    let Some(datacenter) = datacenter_of(world, host) else {
        return;
    };
    let mut stores: Vec<_> = world.all("Datastore").cloned().collect();
    stores.retain(|store| {
        let Some(state) = world.read::<properties::Datastore>(store) else {
            return false;
        };
        let info = state
            .info
            .as_ref()
            .and_then(|info| info.cast::<VmfsDatastoreInfo>());
        let vmfs = info.and_then(|info| info.vmfs.as_deref());
        let is_seen = vmfs.is_some_and(|vmfs| {
            vmfs.extent
                .iter()
                .all(|extent| names.contains(&extent.disk_name))
        });
        is_seen
            && state.host.iter().all(|mount| mount.key != *host)
            && !world.fabric.is_unmounted(host, store)
            && datacenter_of(world, store).as_ref() == Some(&datacenter)
    });
    stores.sort();
    for store in stores {
        datastore::mount(world, &store, host, false);
        let event = DatastoreDiscoveredEvent {
            datastore: world.datastore_argument(&store),
            ..DatastoreDiscoveredEvent::default()
        };
        world.log(host, event);
    }
}

/// Mounts or unmounts a VMFS volume on a host. The host keeps the datastore.
pub(crate) fn set_mounted(
    world: &mut World,
    store: &ManagedObjectReference,
    host: &ManagedObjectReference,
    mounted: bool,
) {
    world
        .fabric
        .unmounted
        .retain(|(on, what)| on != host || what != store);
    if !mounted {
        world.fabric.unmounted.push((host.clone(), store.clone()));
    }
    world.change(store, |store: &mut properties::Datastore| {
        for mount in store.host.iter_mut().filter(|mount| mount.key == *host) {
            mount.mount_info.mounted = Some(mounted);
        }
    });
    reach(world, store, host, mounted);
}

/// Checks that no machine is on a datastore, or none that is on that host.
pub(crate) fn check_unused(
    world: &World,
    store: &ManagedObjectReference,
    host: Option<&ManagedObjectReference>,
) -> Result<(), SoapFault> {
    let state = world.read::<properties::Datastore>(store);
    let mut vms = state.into_iter().flat_map(|store| &store.vm);
    let is_there = |vm: &ManagedObjectReference| {
        let vm = world.read::<properties::VirtualMachine>(vm);
        let runtime = vm.and_then(|vm| vm.runtime.as_deref());
        host.is_none() || runtime.and_then(|runtime| runtime.host.as_ref()) == host
    };
    match vms.any(is_there) {
        true => Err(fault::resource_in_use(
            "Datastore",
            world.name(store).unwrap_or_default(),
        )),
        false => Ok(()),
    }
}
