//! Datastores of every kind, as objects.

use vi_types::enums::ManagedEntityStatus;
use vi_types::objects::{
    DatastoreCapability, DatastoreHostMount, DatastoreInfo, DatastoreSummary, FileQuery,
    FloppyImageFileQuery, FolderFileQuery, HostFileSystemVolume, HostMountInfo, HostNasVolume,
    HostPMemVolume, HostScsiDiskPartition, HostVmfsVolume, IsoImageFileQuery, LocalDatastoreInfo,
    NasDatastoreInfo, PMemDatastoreInfo, TemplateConfigFileQuery, VmConfigFileQuery,
    VmDiskFileQuery, VmLogFileQuery, VmNvramFileQuery, VmSnapshotFileQuery, VmfsDatastoreInfo,
    VsanDatastoreInfo, VvolDatastoreInfo,
};
use vi_types::{ManagedObjectReference, Poly, SoapFault, properties};

use super::parts::{boot_time, entity, text};
use super::{ServerKind, ancestors, storage};
use crate::fault;
use crate::files::DatastorePath;
use crate::storage::{DatastoreKind, NewDatastore};
use crate::world::fabric::{Disk, DiskKind, hash};
use crate::world::{World, container_view};

/// The UUID of the volume that is a datastore: on a host also its name.
pub(crate) fn volume(datastore: &str) -> String {
    match datastore.strip_prefix("datastore-") {
        Some(number) => format!("65e19a00-0c4d1a2f-9e4e-000c29bb{number:0>4}"),
        None => datastore.to_owned(),
    }
}

/// Where a datastore is mounted on all of its hosts.
pub(crate) fn mount_path(store: &ManagedObjectReference) -> String {
    format!("/vmfs/volumes/{}", volume(&store.value))
}

/// A name for a new object, as the server gives it to datastores of that kind.
pub(crate) fn new_value(world: &mut World, kind: &DatastoreKind) -> String {
    if let DatastoreKind::Nfs { host, path }
    | DatastoreKind::Nfs41 { host, path }
    | DatastoreKind::Cifs { host, path } = kind
    {
        let export = (host.clone(), path.clone());
        let known = world.fabric.exports.get(&export).cloned();
        if let Some(known) = known.filter(|known| world.get(known).is_none()) {
            return known.value;
        }
    }
    let number = |world: &mut World| world.next_value("").parse::<u64>().unwrap_or_default();
    match (world.kind(), kind) {
        (ServerKind::VCenter, _) => world.next_value("datastore-"),
        (
            ServerKind::Esx,
            DatastoreKind::Nfs { host, path }
            | DatastoreKind::Nfs41 { host, path }
            | DatastoreKind::Cifs { host, path },
        ) => {
            let digits = format!("{:016x}", hash(&format!("{host}:{path}")));
            format!("{}-{}", &digits[..8], &digits[8..])
        }
        (ServerKind::Esx, DatastoreKind::Vsan) => {
            format!("vsan:52e19a000c4d1a2f-9e4e000c29ab{:04x}", number(world))
        }
        (ServerKind::Esx, DatastoreKind::Vvol) => {
            format!("vvol:65e19a000c4d1a2f-9e4e000c29ab{:04x}", number(world))
        }
        (ServerKind::Esx, DatastoreKind::Pmem) => {
            format!("pmem:65e19a000c4d1a2f-9e4e000c29ab{:04x}", number(world))
        }
        (ServerKind::Esx, _) => world.next_value("65e19a00-0c4d1a2f-9e4e-000c29ab000"),
    }
}

/// Makes a datastore that no host has yet, without a folder. A VMFS volume is on those partitions, or on a disk of its
/// own that `None` stands for.
pub(crate) fn add(
    world: &mut World,
    value: &str,
    new: &NewDatastore,
    extents: Option<Vec<HostScsiDiskPartition>>,
) -> ManagedObjectReference {
    let reference = ManagedObjectReference::new("Datastore", value);
    if let DatastoreKind::Nfs { host, path }
    | DatastoreKind::Nfs41 { host, path }
    | DatastoreKind::Cifs { host, path } = &new.kind
    {
        let export = (host.clone(), path.clone());
        world.fabric.exports.insert(export, reference.clone());
    }
    let (capacity, free) = (new.capacity as i64, new.free_space() as i64);
    let path = mount_path(&reference);
    let url = match value.starts_with("datastore-") {
        true => format!("ds://{path}/"),
        false => path,
    };
    let extents = extents.unwrap_or_else(|| vec![own_extent(&reference)]);
    let browser = add_browser(
        world,
        format!("datastoreBrowser-{value}"),
        vec![reference.clone()],
    );
    let mut base = entity(&new.name, None);
    base.alarm_actions_enabled = world.since("4.0").then_some(true);
    if !new.accessible {
        base.overall_status = Some(ManagedEntityStatus::Red);
    }
    let mode = if new.maintenance {
        "inMaintenance"
    } else {
        "normal"
    };
    let state = properties::Datastore {
        base,
        info: Some(info(world, &reference, new, &url, extents)),
        summary: Some(
            DatastoreSummary {
                datastore: Some(reference.clone()),
                name: new.name.clone(),
                url,
                capacity,
                free_space: free,
                uncommitted: world.since("4.0").then_some(capacity / 4),
                accessible: new.accessible,
                multiple_host_access: Some(false),
                r#type: type_name(&new.kind).to_owned(),
                maintenance_mode: text(mode).filter(|_| world.since("5.0")),
                ..DatastoreSummary::default()
            }
            .into(),
        ),
        browser: Some(browser),
        capability: Some(capability(world, &new.kind).into()),
        ..properties::Datastore::default()
    };
    world.add(value, state)
}

/// Makes a browser of datastores: one datastore's, or a host's.
pub(crate) fn add_browser(
    world: &mut World,
    value: String,
    datastore: Vec<ManagedObjectReference>,
) -> ManagedObjectReference {
    world.add(
        value,
        properties::HostDatastoreBrowser {
            datastore,
            supported_type: file_kinds(),
            ..properties::HostDatastoreBrowser::default()
        },
    )
}

/// The partition of a volume that has a disk of its own.
fn own_extent(store: &ManagedObjectReference) -> HostScsiDiskPartition {
    HostScsiDiskPartition {
        disk_name: own_disk(store, 0).name,
        partition: 1,
        ..HostScsiDiskPartition::default()
    }
}

/// The disk of a volume that has one of its own.
fn own_disk(store: &ManagedObjectReference, bytes: u64) -> Disk {
    Disk::local(&volume(&store.value), bytes, DiskKind::Local)
}

/// What `summary.type` and the volume's `type` are.
fn type_name(kind: &DatastoreKind) -> &'static str {
    match kind {
        DatastoreKind::Vmfs => "VMFS",
        DatastoreKind::Nfs { .. } => "NFS",
        DatastoreKind::Nfs41 { .. } => "NFS41",
        DatastoreKind::Cifs { .. } => "CIFS",
        DatastoreKind::Local { .. } => "OTHER",
        DatastoreKind::Vsan => "vsan",
        DatastoreKind::Vvol => "VVOL",
        DatastoreKind::Pmem => "PMEM",
    }
}

fn info(
    world: &World,
    reference: &ManagedObjectReference,
    new: &NewDatastore,
    url: &str,
    extents: Vec<HostScsiDiskPartition>,
) -> Poly<DatastoreInfo> {
    let capacity = new.capacity as i64;
    // 62 TiB, as all kinds have it.
    const LARGEST: i64 = 68_169_720_922_112;
    let base = DatastoreInfo {
        name: new.name.clone(),
        url: url.to_owned(),
        free_space: new.free_space() as i64,
        max_file_size: 70_368_744_177_664,
        max_virtual_disk_capacity: world.since("5.5").then_some(LARGEST),
        max_memory_file_size: world.since("6.0").then_some(LARGEST),
        timestamp: world.since("4.0").then(boot_time),
        ..DatastoreInfo::default()
    };
    let volume_base = || HostFileSystemVolume {
        r#type: type_name(&new.kind).to_owned(),
        name: new.name.clone(),
        capacity,
        ..HostFileSystemVolume::default()
    };
    match &new.kind {
        DatastoreKind::Vmfs => {
            let (major, version) = match () {
                () if world.since("6.5") => (6, "6.82"),
                () if world.since("5.0") => (5, "5.60"),
                () => (3, "3.33"),
            };
            VmfsDatastoreInfo {
                base,
                max_physical_rdm_file_size: world.since("5.1").then_some(LARGEST),
                max_virtual_rdm_file_size: world.since("5.1").then_some(LARGEST),
                vmfs: Some(
                    HostVmfsVolume {
                        base: volume_base(),
                        block_size_mb: 1,
                        block_size: world.since("6.5").then_some(1024),
                        max_blocks: 63_963_136,
                        major_version: major,
                        version: version.to_owned(),
                        uuid: volume(&reference.value),
                        extent: extents,
                        vmfs_upgradable: false,
                        ssd: world.since("5.0").then_some(false),
                        local: world.since("5.5").then_some(true),
                        ..HostVmfsVolume::default()
                    }
                    .into(),
                ),
                ..VmfsDatastoreInfo::default()
            }
            .into()
        }
        DatastoreKind::Nfs { host, path }
        | DatastoreKind::Nfs41 { host, path }
        | DatastoreKind::Cifs { host, path } => {
            let hosts: Vec<_> = host.split(',').map(str::to_owned).collect();
            let is_41 = matches!(new.kind, DatastoreKind::Nfs41 { .. });
            let nas = HostNasVolume {
                base: volume_base(),
                remote_host: host.clone(),
                remote_path: path.clone(),
                remote_host_names: if world.since("6.0") {
                    hosts
                } else {
                    Vec::new()
                },
                security_type: text("AUTH_SYS").filter(|_| is_41 && world.since("6.0")),
                protocol_endpoint: world.since("6.0").then_some(false),
                ..HostNasVolume::default()
            };
            NasDatastoreInfo {
                base,
                nas: Some(nas.into()),
                ..NasDatastoreInfo::default()
            }
            .into()
        }
        DatastoreKind::Local { path } => LocalDatastoreInfo {
            base,
            path: Some(path.clone()),
            ..LocalDatastoreInfo::default()
        }
        .into(),
        // Before it had a type of its own, it was a datastore without details.
        DatastoreKind::Vsan if world.since("7.0.1.0") => VsanDatastoreInfo {
            base,
            ..VsanDatastoreInfo::default()
        }
        .into(),
        DatastoreKind::Vvol if world.since("6.0") => VvolDatastoreInfo {
            base,
            ..VvolDatastoreInfo::default()
        }
        .into(),
        DatastoreKind::Pmem if world.since("6.7") => PMemDatastoreInfo {
            base,
            pmem: HostPMemVolume {
                base: volume_base(),
                uuid: volume(&reference.value),
                version: "1".to_owned(),
                ..HostPMemVolume::default()
            },
            ..PMemDatastoreInfo::default()
        }
        .into(),
        DatastoreKind::Vsan | DatastoreKind::Vvol | DatastoreKind::Pmem => base.into(),
    }
}

fn capability(world: &World, kind: &DatastoreKind) -> DatastoreCapability {
    let is_vmfs = matches!(kind, DatastoreKind::Vmfs);
    let on_objects = matches!(kind, DatastoreKind::Vsan | DatastoreKind::Vvol);
    DatastoreCapability {
        directory_hierarchy_supported: true,
        raw_disk_mappings_supported: is_vmfs,
        per_file_thin_provisioning_supported: true,
        storage_iorm_supported: world.since("4.1").then_some(!on_objects),
        native_snapshot_supported: world
            .since("5.1")
            .then_some(matches!(kind, DatastoreKind::Vvol)),
        top_level_directory_create_supported: world.since("5.5").then_some(!on_objects),
        se_sparse_supported: world.since("5.5").then_some(is_vmfs),
        vmfs_sparse_supported: world.since("6.5").then_some(!on_objects),
        vsan_sparse_supported: world
            .since("6.5")
            .then_some(matches!(kind, DatastoreKind::Vsan)),
        upit_supported: world.since("6.5").then_some(false),
        vmdk_expand_supported: world.since("6.7").then_some(true),
        clustered_vmdk_supported: world.since("7.0.0.0").then_some(false),
        ..DatastoreCapability::default()
    }
}

/// What a browser can look for.
fn file_kinds() -> Vec<Poly<FileQuery>> {
    vec![
        FolderFileQuery::default().into(),
        VmDiskFileQuery::default().into(),
        VmConfigFileQuery::default().into(),
        TemplateConfigFileQuery::default().into(),
        VmSnapshotFileQuery::default().into(),
        VmNvramFileQuery::default().into(),
        VmLogFileQuery::default().into(),
        IsoImageFileQuery::default().into(),
        FloppyImageFileQuery::default().into(),
    ]
}

/// Puts a datastore into the folder of a datacenter.
pub(crate) fn place(
    world: &mut World,
    store: &ManagedObjectReference,
    datacenter: &ManagedObjectReference,
) {
    let state = world.read::<properties::Datacenter>(datacenter);
    if let Some(folder) = state.and_then(|datacenter| datacenter.datastore_folder.clone()) {
        world.change(store, |store: &mut properties::Datastore| {
            store.parent = Some(folder.clone());
        });
        super::folders::put(world, &folder, store);
    }
    world.change(datacenter, |datacenter: &mut properties::Datacenter| {
        if !datacenter.datastore.contains(store) {
            datacenter.datastore.push(store.clone());
        }
    });
    container_view::refresh(world);
}

/// Makes a host have a datastore, also in everything that lists the host's datastores.
pub(crate) fn mount(
    world: &mut World,
    store: &ManagedObjectReference,
    host: &ManagedObjectReference,
    read_only: bool,
) {
    show_mount(world, store, host, read_only);
    change_stores(world, host, |list| {
        if !list.contains(store) {
            list.push(store.clone());
        }
    });
    storage::show_volumes(world, host);
}

/// Writes into a datastore that a host has it.
pub(crate) fn show_mount(
    world: &mut World,
    store: &ManagedObjectReference,
    host: &ManagedObjectReference,
    read_only: bool,
) {
    let path = mount_path(store);
    let (reached_since, mounted_since) = (world.since("2.5"), world.since("5.0"));
    world.change(store, |store: &mut properties::Datastore| {
        let accessible = store
            .summary
            .as_deref()
            .is_none_or(|summary| summary.accessible);
        store.host.retain(|mount| mount.key != *host);
        let mode = if read_only { "readOnly" } else { "readWrite" };
        store.host.push(DatastoreHostMount {
            key: host.clone(),
            mount_info: HostMountInfo {
                path: Some(path),
                access_mode: mode.to_owned(),
                mounted: mounted_since.then_some(true),
                accessible: reached_since.then_some(accessible),
                ..HostMountInfo::default()
            },
            ..DatastoreHostMount::default()
        });
        count_hosts(store);
    });
}

/// Takes a datastore from a host. One that no host has stays without any.
pub(crate) fn unmount(
    world: &mut World,
    store: &ManagedObjectReference,
    host: &ManagedObjectReference,
) {
    world.change(store, |store: &mut properties::Datastore| {
        store.host.retain(|mount| mount.key != *host);
        count_hosts(store);
    });
    change_stores(world, host, |list| list.retain(|one| one != store));
    storage::show_volumes(world, host);
}

fn count_hosts(store: &mut properties::Datastore) {
    let several = store.host.len() > 1;
    if let Some(summary) = store.summary.as_deref_mut() {
        summary.multiple_host_access = Some(several);
    }
}

/// Gives a datastore a name, in all properties that show it.
pub(crate) fn set_name(world: &mut World, store: &ManagedObjectReference, name: &str) {
    world.change(store, |store: &mut properties::Datastore| {
        store.base.name = Some(name.to_owned());
        if let Some(summary) = store.summary.as_deref_mut() {
            name.clone_into(&mut summary.name);
        }
        let Some(info) = store.info.as_mut() else {
            return;
        };
        name.clone_into(&mut info.name);
        let volume: Option<&mut HostFileSystemVolume> = if info.is::<VmfsDatastoreInfo>() {
            let vmfs = info
                .cast_mut::<VmfsDatastoreInfo>()
                .and_then(|info| info.vmfs.as_deref_mut());
            vmfs.map(|vmfs| &mut vmfs.base)
        } else if info.is::<NasDatastoreInfo>() {
            let nas = info
                .cast_mut::<NasDatastoreInfo>()
                .and_then(|info| info.nas.as_deref_mut());
            nas.map(|nas| &mut nas.base)
        } else {
            info.cast_mut::<PMemDatastoreInfo>()
                .map(|info| &mut info.pmem.base)
        };
        if let Some(volume) = volume {
            name.clone_into(&mut volume.name);
        }
    });
}

/// Takes a datastore out of the inventory, with its browser.
pub(crate) fn remove(world: &mut World, store: &ManagedObjectReference) {
    for host in hosts_of(world, store) {
        unmount(world, store, &host);
    }
    let datacenters: Vec<_> = ancestors(world, store).cloned().collect();
    for datacenter in datacenters {
        world.change(&datacenter, |datacenter: &mut properties::Datacenter| {
            datacenter.datastore.retain(|one| one != store);
        });
    }
    if let Some(folder) = world.parent(store).cloned() {
        world.change(&folder, |folder: &mut properties::Folder| {
            folder.child_entity.retain(|one| one != store);
        });
    }
    let state = world.read::<properties::Datastore>(store);
    if let Some(browser) = state.and_then(|store| store.browser.clone()) {
        world.remove(&browser);
    }
    world.fabric.unmounted.retain(|(_, what)| what != store);
    world.fabric.lost.retain(|(_, what)| what != store);
    world.remove(store);
    container_view::refresh(world);
}

/// Takes a datastore from a host, and out of the inventory if that was the last one that had it.
pub(crate) fn leave(
    world: &mut World,
    store: &ManagedObjectReference,
    host: &ManagedObjectReference,
) {
    unmount(world, store, host);
    if hosts_of(world, store).is_empty() {
        remove(world, store);
    }
}

/// Deletes everything on a datastore.
pub(crate) fn erase(world: &mut World, store: &ManagedObjectReference) {
    let root = DatastorePath::new(store, "");
    let names: Vec<_> = world
        .list(&root)
        .into_iter()
        .map(|(name, _)| name.to_owned())
        .collect();
    for name in names {
        world.delete(&root.join(&name));
    }
}

/// Sets the free space of a datastore, at most its size.
pub(crate) fn set_free_space(world: &mut World, store: &ManagedObjectReference, free: u64) {
    world.change(store, |store: &mut properties::Datastore| {
        let Some(summary) = store.summary.as_deref_mut() else {
            return;
        };
        let free = i64::try_from(free)
            .unwrap_or(i64::MAX)
            .min(summary.capacity);
        summary.free_space = free;
        if let Some(info) = store.info.as_mut() {
            info.free_space = free;
        }
    });
}

/// Fails with `InaccessibleDatastore` if no host reaches a datastore.
pub(crate) fn check_reached(
    world: &World,
    store: &ManagedObjectReference,
) -> Result<(), SoapFault> {
    let state = world.read::<properties::Datastore>(store);
    let summary = state.and_then(|store| store.summary.as_deref());
    match summary.is_some_and(|summary| summary.accessible) {
        true => Ok(()),
        false => Err(fault::inaccessible_datastore(
            store,
            world.name(store).unwrap_or_default(),
        )),
    }
}

/// The same, and with `DatastoreNotWritableOnHost` if all of its hosts can only read it.
pub(crate) fn check_writable(
    world: &World,
    store: &ManagedObjectReference,
) -> Result<(), SoapFault> {
    check_reached(world, store)?;
    let state = world.read::<properties::Datastore>(store);
    let mounts = state.map(|store| store.host.as_slice()).unwrap_or_default();
    let reads = |mount: &DatastoreHostMount| mount.mount_info.access_mode == "readOnly";
    match mounts.first() {
        Some(first) if mounts.iter().all(reads) => {
            let name = world.name(store).unwrap_or_default();
            Err(fault::datastore_not_writable(store, name, &first.key))
        }
        _ => Ok(()),
    }
}

/// Fails with `NoDiskSpace` unless so many bytes more have room on the datastore of a file.
pub(crate) fn check_space(
    world: &World,
    file: &DatastorePath,
    bytes: u64,
) -> Result<(), SoapFault> {
    match bytes > world.free_space(&file.store) {
        true => Err(fault::no_disk_space(
            &file.display(world),
            world.name(&file.store).unwrap_or_default(),
        )),
        false => Ok(()),
    }
}

/// The hosts that have a datastore.
pub(crate) fn hosts_of(
    world: &World,
    store: &ManagedObjectReference,
) -> Vec<ManagedObjectReference> {
    let store = world.read::<properties::Datastore>(store);
    let mounts = store.into_iter().flat_map(|store| &store.host);
    mounts.map(|mount| mount.key.clone()).collect()
}

/// Changes the datastores of a host, of its datastore system, of its browser and of its compute resource.
fn change_stores(
    world: &mut World,
    host: &ManagedObjectReference,
    change: impl Fn(&mut Vec<ManagedObjectReference>),
) {
    let system = world.change(host, |host: &mut properties::HostSystem| {
        change(&mut host.datastore);
        let managers = host.config_manager.as_deref();
        let system = managers.and_then(|managers| managers.datastore_system.clone());
        (system, host.datastore_browser.clone())
    });
    if let Some((system, browser)) = system {
        for of_host in [system, browser].into_iter().flatten() {
            world.change(&of_host, |system: &mut properties::HostDatastoreSystem| {
                change(&mut system.datastore);
            });
            world.change(
                &of_host,
                |browser: &mut properties::HostDatastoreBrowser| {
                    change(&mut browser.datastore);
                },
            );
        }
    }
    let Some(compute) = world.parent(host).cloned() else {
        return;
    };
    // Another host of a cluster may still have it.
    let state = world.read::<properties::ComputeResource>(&compute);
    let hosts = state
        .map(|compute| compute.host.clone())
        .unwrap_or_default();
    let mut all = Vec::new();
    for host in &hosts {
        let host = world.read::<properties::HostSystem>(host);
        for store in host.into_iter().flat_map(|host| &host.datastore) {
            if !all.contains(store) {
                all.push(store.clone());
            }
        }
    }
    world.change(&compute, |compute: &mut properties::ComputeResource| {
        compute.datastore.retain(|one| all.contains(one));
        let new = all
            .into_iter()
            .filter(|one| !compute.datastore.contains(one));
        let new: Vec<_> = new.collect();
        compute.datastore.extend(new);
    });
}

/// Gives a host the disks of its VMFS volumes that are on none it knows.
pub(crate) fn attach_disks(world: &mut World, host: &ManagedObjectReference) {
    let state = world.read::<properties::HostSystem>(host);
    let stores = state.map(|host| host.datastore.clone()).unwrap_or_default();
    for store in stores {
        let state = world.read::<properties::Datastore>(&store);
        let info = state.and_then(|store| store.info.as_ref()?.cast::<VmfsDatastoreInfo>());
        let Some(vmfs) = info.and_then(|info| info.vmfs.as_deref()) else {
            continue;
        };
        let bytes = u64::try_from(vmfs.base.capacity).unwrap_or_default();
        let own = own_disk(&store, bytes.div_ceil(1 << 30) << 30);
        if vmfs
            .extent
            .iter()
            .any(|extent| extent.disk_name == own.name)
        {
            world.fabric.attach(host, own);
        }
    }
}
