//! HostDatastoreSystem: how a host gets datastores, and loses them.

use vi_types::methods::{
    CreateLocalDatastore, CreateNasDatastore, CreateVmfsDatastore, ExpandVmfsDatastore,
    ExtendVmfsDatastore, QueryAvailableDisksForVmfs, QueryVmfsDatastoreCreateOptions,
    QueryVmfsDatastoreExpandOptions, QueryVmfsDatastoreExtendOptions, RemoveDatastore,
};
use vi_types::objects::{
    DatastoreCapacityIncreasedEvent, DatastoreDestroyedEvent, DatastoreEvent,
    DatastoreRemovedOnHostEvent, HostDiskPartitionSpec, HostScsiDisk, HostScsiDiskPartition,
    HostVmfsSpec, NasDatastoreInfo, NasDatastoreCreatedEvent, VmfsDatastoreAllExtentOption,
    VmfsDatastoreBaseOption, VmfsDatastoreCreateSpec, VmfsDatastoreCreatedEvent,
    VmfsDatastoreExpandSpec, VmfsDatastoreExpandedEvent, VmfsDatastoreExtendSpec,
    VmfsDatastoreExtendedEvent, VmfsDatastoreInfo, VmfsDatastoreOption,
    VmfsDatastoreSingleExtentOption, VmfsDatastoreSpec,
};
use vi_types::{ManagedObjectReference, SoapFault, properties};

use super::managed_entity::check_name;
use crate::call::{Call, Row};
use crate::fault;
use crate::machine::config::escaped;
use crate::storage::{DatastoreKind, NewDatastore};
use crate::world::World;
use crate::world::inventory::{ServerKind, datacenter_of, datastore, partition, storage};

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new(create_local),
        Row::new(create_nas),
        Row::new(create_vmfs),
        Row::new(expand),
        Row::new(extend),
        Row::new(available_disks),
        Row::new(create_options),
        Row::new(expand_options),
        Row::new(extend_options),
        Row::new(remove),
    ]
}

/// The host whose datastore system is called.
fn host(call: &Call<'_>) -> Result<ManagedObjectReference, SoapFault> {
    call.host_of_manager(|managers| managers.datastore_system.as_ref())
}

/// The datastores of the datacenter that a host is in, where names are unique.
fn stores_beside(world: &World, host: &ManagedObjectReference) -> Vec<ManagedObjectReference> {
    let datacenter = datacenter_of(world, host);
    let state = datacenter.and_then(|one| world.read::<properties::Datacenter>(&one));
    state.map(|datacenter| datacenter.datastore.clone()).unwrap_or_default()
}

/// Checks the name of a new datastore.
///
/// # Errors
/// `InvalidName`, or `DuplicateName` if a datastore of the datacenter has it.
fn check_new_name(world: &World, host: &ManagedObjectReference, name: &str) -> Result<(), SoapFault> {
    check_name(name)?;
    if name.contains('/') {
        return Err(fault::invalid_name(name));
    }
    let wanted = escaped(name);
    match stores_beside(world, host).iter().find(|store| world.name(store) == Some(&*wanted)) {
        Some(other) => Err(fault::duplicate_name(name, other)),
        None => Ok(()),
    }
}

/// Puts a new datastore into the inventory, as one of a host.
fn add(
    world: &mut World,
    host: &ManagedObjectReference,
    new: &NewDatastore,
    extents: Option<Vec<HostScsiDiskPartition>>,
) -> ManagedObjectReference {
    let value = datastore::new_value(world, &new.kind);
    let store = datastore::add(world, &value, new, extents);
    if let Some(datacenter) = datacenter_of(world, host) {
        datastore::place(world, &store, &datacenter);
    }
    datastore::mount(world, &store, host, new.read_only);
    store
}

fn url(world: &World, store: &ManagedObjectReference) -> Option<String> {
    let state = world.read::<properties::Datastore>(store);
    let url = state.and_then(|store| Some(store.summary.as_deref()?.url.clone()));
    url.filter(|_| world.since("6.5"))
}

/// Servers that run on other systems have folders as datastores. ESX never had.
fn create_local(_: &mut Call<'_>, _: &CreateLocalDatastore) -> Result<ManagedObjectReference, SoapFault> {
    Err(fault::not_supported())
}

/// Mounts a folder of a file server.
fn create_nas(call: &mut Call<'_>, request: &CreateNasDatastore) -> Result<ManagedObjectReference, SoapFault> {
    let host = host(call)?;
    let world = &mut call.state.world;
    let spec = &request.spec;
    let (server, path) = (spec.remote_host.clone(), spec.remote_path.clone());
    let kind = match spec.r#type.as_deref().unwrap_or("NFS") {
        kind if kind.eq_ignore_ascii_case("NFS") => DatastoreKind::Nfs { host: server.clone(), path: path.clone() },
        kind if kind.eq_ignore_ascii_case("NFS41") && world.since("6.0") => DatastoreKind::Nfs41 {
            host: match spec.remote_host_names.is_empty() {
                true => server.clone(),
                false => spec.remote_host_names.join(","),
            },
            path: path.clone(),
        },
        // VMware Server has it, hosts have not.
        _ => return Err(fault::not_supported()),
    };
    let read_only = match &*spec.access_mode {
        "readWrite" => false,
        "readOnly" => true,
        _ => return Err(fault::invalid_argument("spec.accessMode")),
    };
    let name = &spec.local_path;
    let known = stores_beside(world, &host).into_iter().find(|store| is_export(world, store, &kind));
    if let Some(known) = known {
        let its_name = world.name(&known).unwrap_or_default().to_owned();
        if datastore::hosts_of(world, &known).contains(&host) {
            return Err(fault::already_exists(&its_name));
        }
        if its_name != escaped(name) {
            return Err(fault::duplicate_name(name, &known));
        }
        datastore::mount(world, &known, &host, read_only);
        return Ok(created_nas(world, &host, known));
    }
    check_new_name(world, &host, name)?;
    if server.is_empty() || server.ends_with(".invalid") {
        return Err(fault::platform_config(&format!(
            "Unable to complete Sysinfo operation.  Please see the VMkernel log file for more details.: Unable to \
             connect to NFS server {server}"
        )));
    }
    if !path.starts_with('/') {
        return Err(fault::platform_config(&format!(
            "Operation failed, diagnostics report: Unable to get the export '{path}' of {server}: The mount request \
             was denied by the NFS server."
        )));
    }
    let new = NewDatastore::new(escaped(name), kind).read_only(read_only);
    let store = add(world, &host, &new, None);
    Ok(created_nas(world, &host, store))
}

fn created_nas(
    world: &mut World,
    host: &ManagedObjectReference,
    store: ManagedObjectReference,
) -> ManagedObjectReference {
    let event = NasDatastoreCreatedEvent {
        datastore: world.datastore_argument(&store),
        datastore_url: url(world, &store),
        ..NasDatastoreCreatedEvent::default()
    };
    world.log(host, event);
    store
}

/// Whether a datastore is that folder of that server.
fn is_export(world: &World, store: &ManagedObjectReference, kind: &DatastoreKind) -> bool {
    let store = world.read::<properties::Datastore>(store);
    let info = store.and_then(|store| store.info.as_ref()?.cast::<NasDatastoreInfo>());
    let nas = info.and_then(|info| info.nas.as_deref());
    match kind {
        DatastoreKind::Nfs { host, path } | DatastoreKind::Nfs41 { host, path } => {
            nas.is_some_and(|nas| nas.remote_host == *host && nas.remote_path == *path)
        }
        _ => false,
    }
}

/// A disk of a host by the name in an extent, by its UUID or by its path.
fn disk(world: &World, host: &ManagedObjectReference, name: &str) -> Option<HostScsiDisk> {
    let name = name.strip_prefix("/vmfs/devices/disks/").unwrap_or(name);
    let mut disks = storage::disks_of(world, host);
    let found = disks.find(|disk| disk.base.canonical_name.as_deref() == Some(name) || disk.base.uuid == name);
    found.cloned()
}

fn canonical(disk: &HostScsiDisk) -> &str {
    disk.base.canonical_name.as_deref().unwrap_or_default()
}

/// The bytes of the first VMFS partition in a specification; of the whole disk if there is none.
fn bytes_of(spec: &HostDiskPartitionSpec, disk: &HostScsiDisk) -> Result<i64, SoapFault> {
    let whole = partition::largest(disk);
    let mut partitions = spec.partition.iter().filter(|one| one.r#type == "vmfs");
    let sectors = match partitions.next() {
        None => whole,
        Some(one) => match one.end_sector.checked_sub(one.start_sector) {
            Some(behind) if one.start_sector >= 0 && behind > 0 && one.end_sector < partition::sectors(disk) => {
                behind + 1
            }
            _ => return Err(fault::platform_config("Invalid partition specification")),
        },
    };
    Ok(sectors.saturating_mul(512))
}

/// Makes a VMFS volume on a free disk.
fn create_vmfs(call: &mut Call<'_>, request: &CreateVmfsDatastore) -> Result<ManagedObjectReference, SoapFault> {
    let host = host(call)?;
    let world = &mut call.state.world;
    let spec = &request.spec;
    let name = &spec.vmfs.volume_name;
    check_new_name(world, &host, name)?;
    let disk = disk(world, &host, &spec.vmfs.extent.disk_name)
        .or_else(|| disk(world, &host, &spec.base.disk_uuid))
        .ok_or_else(|| {
            let name = &spec.vmfs.extent.disk_name;
            fault::platform_config(&format!("Unable to find the disk '{name}'"))
        })?;
    if partition::volume_on(world, canonical(&disk)).is_some() {
        return Err(fault::platform_config(&format!(
            "Unable to create Filesystem, please see VMkernel log for more details: the disk {} is in use",
            canonical(&disk)
        )));
    }
    if !versions(world).contains(&spec.vmfs.major_version) {
        return Err(fault::invalid_argument("spec.vmfs.majorVersion"));
    }
    let bytes = bytes_of(&spec.partition, &disk)?;
    // The volume's own structures take a little.
    let capacity = u64::try_from(bytes >> 20 << 20).unwrap_or_default();
    let new = NewDatastore::new(escaped(name), DatastoreKind::Vmfs)
        .capacity(capacity)
        .free(capacity - capacity / 64);
    let extent = HostScsiDiskPartition {
        disk_name: canonical(&disk).to_owned(),
        partition: 1,
        ..HostScsiDiskPartition::default()
    };
    let is_local = disk.local_disk.unwrap_or(canonical(&disk).starts_with("naa.600508b1"));
    let major = spec.vmfs.major_version;
    let store = add(world, &host, &new, Some(vec![extent]));
    change_vmfs(world, &store, |info, _| {
        if let Some(vmfs) = info.vmfs.as_deref_mut() {
            vmfs.major_version = major;
            vmfs.version = version_of(major).to_owned();
            vmfs.local = vmfs.local.map(|_| is_local);
        }
    });
    storage::show_volumes(world, &host);
    let event = VmfsDatastoreCreatedEvent {
        datastore: world.datastore_argument(&store),
        datastore_url: url(world, &store),
        ..VmfsDatastoreCreatedEvent::default()
    };
    world.log(&host, event);
    Ok(store)
}

/// The versions of VMFS that a host makes, the newest first.
fn versions(world: &World) -> &'static [i32] {
    match () {
        () if world.since("6.5") => &[6, 5],
        () if world.since("5.0") => &[5, 3],
        () => &[3],
    }
}

fn version_of(major: i32) -> &'static str {
    match major {
        6 => "6.82",
        5 => "5.61",
        _ => "3.33",
    }
}

/// Changes a VMFS datastore's `info` and `summary`.
fn change_vmfs(
    world: &mut World,
    store: &ManagedObjectReference,
    change: impl FnOnce(&mut VmfsDatastoreInfo, &mut vi_types::objects::DatastoreSummary),
) {
    world.change(store, |store: &mut properties::Datastore| {
        let info = store.info.as_mut().and_then(|info| info.cast_mut::<VmfsDatastoreInfo>());
        if let (Some(info), Some(summary)) = (info, store.summary.as_deref_mut()) {
            change(info, summary);
        }
    });
}

/// Lets a datastore have more bytes, and tells that it has.
fn grow(world: &mut World, store: &ManagedObjectReference, bytes: i64) {
    let mut capacities = (0, 0);
    change_vmfs(world, store, |info, summary| {
        let old = summary.capacity;
        summary.capacity = old.saturating_add(bytes);
        summary.free_space = summary.free_space.saturating_add(bytes);
        info.base.free_space = summary.free_space;
        if let Some(vmfs) = info.vmfs.as_deref_mut() {
            vmfs.base.capacity = summary.capacity;
        }
        capacities = (old, summary.capacity);
    });
    for host in datastore::hosts_of(world, store) {
        storage::show_volumes(world, &host);
    }
    let event = DatastoreCapacityIncreasedEvent {
        base: DatastoreEvent {
            datastore: Some(world.datastore_argument(store).into()),
            ..DatastoreEvent::default()
        },
        old_capacity: capacities.0,
        new_capacity: capacities.1,
        ..DatastoreCapacityIncreasedEvent::default()
    };
    world.log(store, event);
}

/// A VMFS datastore of a host, and the disk of its last partition.
fn vmfs(
    world: &World,
    host: &ManagedObjectReference,
    store: &ManagedObjectReference,
) -> Result<HostScsiDisk, SoapFault> {
    let state = world.read::<properties::HostSystem>(host);
    if !state.is_some_and(|host| host.datastore.contains(store)) {
        return Err(fault::not_found());
    }
    let state = world.read::<properties::Datastore>(store);
    let info = state.and_then(|store| store.info.as_ref()?.cast::<VmfsDatastoreInfo>());
    let vmfs = info.and_then(|info| info.vmfs.as_deref()).ok_or_else(fault::not_supported)?;
    let last = vmfs.extent.last().and_then(|extent| disk(world, host, &extent.disk_name));
    last.ok_or_else(|| fault::platform_config("The volume is not on a disk of the host"))
}

/// The bytes that are free behind the partition of a datastore.
fn room_behind(world: &World, store: &ManagedObjectReference, disk: &HostScsiDisk) -> i64 {
    let state = world.read::<properties::Datastore>(store);
    let info = state.and_then(|store| store.info.as_ref()?.cast::<VmfsDatastoreInfo>());
    let vmfs = info.and_then(|info| info.vmfs.as_deref());
    // Further partitions have their whole disks.
    let has = vmfs.filter(|vmfs| vmfs.extent.len() == 1).map_or(i64::MAX, |vmfs| vmfs.base.capacity);
    let room = (partition::largest(disk) * 512).saturating_sub(has);
    room.max(0) >> 20 << 20
}

fn expand(call: &mut Call<'_>, request: &ExpandVmfsDatastore) -> Result<ManagedObjectReference, SoapFault> {
    let host = host(call)?;
    let world = &mut call.state.world;
    let store = &request.datastore;
    let disk = vmfs(world, &host, store)?;
    let wanted = bytes_of(&request.spec.partition, &disk)? >> 20 << 20;
    let state = world.read::<properties::Datastore>(store);
    let has = state.and_then(|store| Some(store.summary.as_deref()?.capacity)).unwrap_or_default();
    let more = wanted.min(has.saturating_add(room_behind(world, store, &disk))) - has;
    if more <= 0 {
        return Err(fault::platform_config("There is no room behind the partition"));
    }
    grow(world, store, more);
    let event = VmfsDatastoreExpandedEvent {
        datastore: world.datastore_argument(store),
        ..VmfsDatastoreExpandedEvent::default()
    };
    world.log(&host, event);
    Ok(store.clone())
}

fn extend(call: &mut Call<'_>, request: &ExtendVmfsDatastore) -> Result<ManagedObjectReference, SoapFault> {
    let host = host(call)?;
    let world = &mut call.state.world;
    let store = &request.datastore;
    vmfs(world, &host, store)?;
    let Some(extent) = request.spec.extent.first() else {
        return Err(fault::invalid_argument("spec.extent"));
    };
    let disk = disk(world, &host, &extent.disk_name).ok_or_else(fault::not_found)?;
    if partition::volume_on(world, canonical(&disk)).is_some() {
        return Err(fault::platform_config(&format!("The disk {} is in use", canonical(&disk))));
    }
    let bytes = bytes_of(&request.spec.partition, &disk)? >> 20 << 20;
    let extent = HostScsiDiskPartition {
        disk_name: canonical(&disk).to_owned(),
        partition: 1,
        ..HostScsiDiskPartition::default()
    };
    change_vmfs(world, store, |info, _| {
        if let Some(vmfs) = info.vmfs.as_deref_mut() {
            vmfs.extent.push(extent);
        }
    });
    grow(world, store, bytes);
    let event = VmfsDatastoreExtendedEvent {
        datastore: world.datastore_argument(store),
        ..VmfsDatastoreExtendedEvent::default()
    };
    world.log(&host, event);
    Ok(store.clone())
}

/// The disks of a host without a VMFS volume.
fn available_disks(
    call: &mut Call<'_>,
    request: &QueryAvailableDisksForVmfs,
) -> Result<Vec<HostScsiDisk>, SoapFault> {
    let host = host(call)?;
    let world = &call.state.world;
    if let Some(store) = &request.datastore {
        vmfs(world, &host, store)?;
    }
    let free = storage::disks_of(world, &host).filter(|disk| partition::volume_on(world, canonical(disk)).is_none());
    Ok(free.cloned().collect())
}

fn create_options(
    call: &mut Call<'_>,
    request: &QueryVmfsDatastoreCreateOptions,
) -> Result<Vec<VmfsDatastoreOption>, SoapFault> {
    let host = host(call)?;
    let world = &call.state.world;
    let disk = disk(world, &host, &request.device_path).ok_or_else(fault::not_found)?;
    let known = versions(world);
    let major = request.vmfs_major_version.unwrap_or(known[0]);
    if !known.contains(&major) {
        return Err(fault::invalid_argument("vmfsMajorVersion"));
    }
    if partition::volume_on(world, canonical(&disk)).is_some() {
        return Ok(Vec::new());
    }
    let spec = VmfsDatastoreCreateSpec {
        base: spec_of(&disk),
        partition: partition::vmfs_spec(world, &disk, partition::largest(&disk)),
        vmfs: HostVmfsSpec {
            extent: extent_of(&disk),
            block_size_mb: Some(1),
            major_version: major,
            ..HostVmfsSpec::default()
        },
        ..VmfsDatastoreCreateSpec::default()
    };
    Ok(vec![VmfsDatastoreOption {
        info: VmfsDatastoreAllExtentOption {
            base: VmfsDatastoreSingleExtentOption {
                base: base_option(world, &host, &disk),
                vmfs_extent: partition::vmfs_range(&disk),
                ..VmfsDatastoreSingleExtentOption::default()
            },
            ..VmfsDatastoreAllExtentOption::default()
        }
        .into(),
        spec: spec.into(),
        ..VmfsDatastoreOption::default()
    }])
}

fn expand_options(
    call: &mut Call<'_>,
    request: &QueryVmfsDatastoreExpandOptions,
) -> Result<Vec<VmfsDatastoreOption>, SoapFault> {
    let host = host(call)?;
    let world = &call.state.world;
    let disk = vmfs(world, &host, &request.datastore)?;
    if room_behind(world, &request.datastore, &disk) == 0 {
        return Ok(Vec::new());
    }
    let spec = VmfsDatastoreExpandSpec {
        base: spec_of(&disk),
        partition: partition::vmfs_spec(world, &disk, partition::largest(&disk)),
        extent: extent_of(&disk),
        ..VmfsDatastoreExpandSpec::default()
    };
    Ok(vec![option(world, &host, &disk, spec)])
}

fn extend_options(
    call: &mut Call<'_>,
    request: &QueryVmfsDatastoreExtendOptions,
) -> Result<Vec<VmfsDatastoreOption>, SoapFault> {
    let host = host(call)?;
    let world = &call.state.world;
    vmfs(world, &host, &request.datastore)?;
    let disk = disk(world, &host, &request.device_path).ok_or_else(fault::not_found)?;
    if partition::volume_on(world, canonical(&disk)).is_some() {
        return Ok(Vec::new());
    }
    let spec = VmfsDatastoreExtendSpec {
        base: spec_of(&disk),
        partition: partition::vmfs_spec(world, &disk, partition::largest(&disk)),
        extent: vec![extent_of(&disk)],
        ..VmfsDatastoreExtendSpec::default()
    };
    Ok(vec![option(world, &host, &disk, spec)])
}

fn option(
    world: &World,
    host: &ManagedObjectReference,
    disk: &HostScsiDisk,
    spec: impl Into<vi_types::Poly<VmfsDatastoreSpec>>,
) -> VmfsDatastoreOption {
    VmfsDatastoreOption {
        info: VmfsDatastoreSingleExtentOption {
            base: base_option(world, host, disk),
            vmfs_extent: partition::vmfs_range(disk),
            ..VmfsDatastoreSingleExtentOption::default()
        }
        .into(),
        spec: spec.into(),
        ..VmfsDatastoreOption::default()
    }
}

fn base_option(world: &World, host: &ManagedObjectReference, disk: &HostScsiDisk) -> VmfsDatastoreBaseOption {
    VmfsDatastoreBaseOption {
        layout: partition::layout(world, host, disk),
        partition_format_change: world.since("5.0").then_some(false),
        ..VmfsDatastoreBaseOption::default()
    }
}

fn spec_of(disk: &HostScsiDisk) -> VmfsDatastoreSpec {
    VmfsDatastoreSpec {
        disk_uuid: disk.base.uuid.clone(),
        ..VmfsDatastoreSpec::default()
    }
}

fn extent_of(disk: &HostScsiDisk) -> HostScsiDiskPartition {
    HostScsiDiskPartition {
        disk_name: canonical(disk).to_owned(),
        partition: 1,
        ..HostScsiDiskPartition::default()
    }
}

/// Takes a datastore from a host. A VMFS volume is destroyed, for all of its hosts.
fn remove(call: &mut Call<'_>, request: &RemoveDatastore) -> Result<(), SoapFault> {
    let host = host(call)?;
    let world = &mut call.state.world;
    let store = &request.datastore;
    if !datastore::hosts_of(world, store).contains(&host) {
        return Err(fault::not_found());
    }
    let state = world.read::<properties::Datastore>(store);
    let is_vmfs = state.and_then(|store| store.info.as_ref()).is_some_and(|info| info.is::<VmfsDatastoreInfo>());
    storage::check_unused(world, store, (!is_vmfs).then_some(&host))?;
    if is_vmfs {
        let is_reached = state.and_then(|store| store.summary.as_deref()).is_some_and(|summary| summary.accessible);
        if !is_reached {
            return Err(fault::platform_config("The volume is not accessible, so that it cannot be destroyed"));
        }
        datastore::erase(world, store);
        take_out(world, store);
    } else {
        let event = DatastoreRemovedOnHostEvent {
            datastore: world.datastore_argument(store),
            ..DatastoreRemovedOnHostEvent::default()
        };
        datastore::leave(world, store, &host);
        world.log(&host, event);
    }
    Ok(())
}

/// Takes a datastore out of the inventory, with an event of each of its hosts.
pub(crate) fn leave_all_hosts(world: &mut World, store: &ManagedObjectReference) {
    let argument = world.datastore_argument(store);
    let had = datastore::hosts_of(world, store);
    datastore::remove(world, store);
    for host in had {
        let event = DatastoreRemovedOnHostEvent {
            datastore: argument.clone(),
            ..DatastoreRemovedOnHostEvent::default()
        };
        world.log(&host, event);
    }
}

/// Takes a datastore out of the inventory, with the events of its hosts and of the vCenter.
pub(crate) fn take_out(world: &mut World, store: &ManagedObjectReference) {
    let argument = world.datastore_argument(store);
    let about = world.about(store);
    leave_all_hosts(world, store);
    if world.kind() == ServerKind::VCenter {
        let event = DatastoreDestroyedEvent {
            base: DatastoreEvent {
                datastore: Some(argument.into()),
                ..DatastoreEvent::default()
            },
            ..DatastoreDestroyedEvent::default()
        };
        world.log_about(&about, event);
    }
}
