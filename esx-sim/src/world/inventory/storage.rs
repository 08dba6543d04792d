//! A host's storage: adapters, disks, the ways to them, and the volumes on them.

mod devices;
mod volumes;

use vi_types::objects::{
    HostBlockAdapterTargetTransport, HostBlockHba, HostDatastoreSystemCapabilities,
    HostHostBusAdapter, HostInternetScsiHba, HostInternetScsiHbaAuthenticationCapabilities,
    HostInternetScsiHbaAuthenticationProperties, HostInternetScsiHbaDigestCapabilities,
    HostInternetScsiHbaDigestProperties, HostInternetScsiHbaDiscoveryCapabilities,
    HostInternetScsiHbaDiscoveryProperties, HostInternetScsiHbaIpCapabilities,
    HostInternetScsiHbaIpProperties, HostInternetScsiHbaSendTarget,
    HostInternetScsiHbaStaticTarget, HostInternetScsiTargetTransport, HostScsiDisk,
    HostStorageDeviceInfo, HostTargetTransport,
};
use vi_types::{ManagedObjectReference, Poly, properties};

use self::devices::{luns, multipath, topology};
use self::volumes::check_volumes;
pub(crate) use self::volumes::{check_unused, mount_volumes, set_mounted, show_volumes};
use super::datastore;
use super::host::HostSpec;
use super::parts::text;
use crate::storage::{ISCSI_PORT, IscsiTarget, NewDatastore};
use crate::world::World;
use crate::world::fabric::{Disk, DiskKind};

/// The device of the adapter in the host, and that of the iSCSI initiator.
const LOCAL: &str = "vmhba0";
const ISCSI: &str = "vmhba64";

/// How targets are found, as `discoveryMethod` says it.
const STATIC_METHOD: &str = "staticMethod";
const SEND_TARGET_METHOD: &str = "sendTargetMethod";

/// What a server has in addition to its preset.
#[derive(Clone, Debug)]
pub(crate) struct Equipment {
    pub(crate) datastores: Vec<NewDatastore>,
    /// Whether hosts have an iSCSI initiator.
    pub(crate) initiator: bool,
    /// The iSCSI targets in the network.
    pub(crate) targets: Vec<IscsiTarget>,
}

/// Makes the objects of a host's storage. They are filled by [`equip`].
pub(crate) fn add_systems(
    world: &mut World,
    spec: &HostSpec,
    datastores: &[ManagedObjectReference],
) -> (ManagedObjectReference, ManagedObjectReference) {
    let storage_system = world.add(
        spec.part("storageSystem"),
        properties::HostStorageSystem::default(),
    );
    let capabilities = capabilities(world);
    let datastore_system = world.add(
        spec.part("datastoreSystem"),
        properties::HostDatastoreSystem {
            datastore: datastores.to_vec(),
            capabilities: Some(capabilities.into()),
            ..properties::HostDatastoreSystem::default()
        },
    );
    (storage_system, datastore_system)
}

/// What a host's datastore system can do.
fn capabilities(world: &World) -> HostDatastoreSystemCapabilities {
    HostDatastoreSystemCapabilities {
        nfs_mount_creation_required: true,
        nfs_mount_creation_supported: true,
        local_datastore_supported: false,
        vmfs_extent_expansion_supported: world.since("4.0").then_some(true),
        ..HostDatastoreSystemCapabilities::default()
    }
}

/// Gives all hosts their adapters and disks, and what they have in addition to the preset.
pub(crate) fn equip(world: &mut World, equipment: &Equipment) {
    world.fabric.targets.clone_from(&equipment.targets);
    let hosts = super::hosts(world);
    for (index, host) in hosts.iter().enumerate() {
        let stores = world
            .read::<properties::HostSystem>(host)
            .map(|host| host.datastore.clone());
        for store in stores.unwrap_or_default() {
            datastore::show_mount(world, &store, host, false);
        }
        datastore::attach_disks(world, host);
        let seed = |what: &str| format!("{what} of {}", host.value);
        world
            .fabric
            .attach(host, Disk::local(&seed("free"), 1 << 40, DiskKind::Local));
        world.fabric.attach(
            host,
            Disk::local(&seed("foreign"), 64 << 30, DiskKind::Foreign),
        );
        let mut adapters = vec![local_adapter(world)];
        if equipment.initiator {
            let mut adapter = initiator(world, index + 1);
            let configured = equipment.targets.iter().filter(|target| target.configured);
            for target in configured {
                for (address, port) in target.portals() {
                    adapter.configured_static_target.push(static_target(
                        world,
                        &target.name,
                        &address,
                        port,
                    ));
                }
            }
            adapters.push(adapter.into());
        }
        let (datastore_capabilities, initiator) = (capabilities(world), equipment.initiator);
        let since_2_5 = world.since("2.5");
        world.change(host, |host: &mut properties::HostSystem| {
            if let Some(config) = host.config.as_deref_mut() {
                config.storage_device = Some(
                    HostStorageDeviceInfo {
                        host_bus_adapter: adapters,
                        software_internet_scsi_enabled: initiator,
                        ..HostStorageDeviceInfo::default()
                    }
                    .into(),
                );
                config.datastore_capabilities = since_2_5.then(|| datastore_capabilities.into());
            }
        });
        rescan(world, host);
        show_volumes(world, host);
    }
    for new in &equipment.datastores {
        add_datastore(world, new);
    }
}

/// Adds a datastore to all of its hosts: one object in each datacenter. The new objects with their hosts.
pub(crate) fn add_datastore(
    world: &mut World,
    new: &NewDatastore,
) -> Vec<(ManagedObjectReference, Vec<ManagedObjectReference>)> {
    let mut made = Vec::new();
    let mut datacenters: Vec<_> = world.all("Datacenter").cloned().collect();
    datacenters.sort();
    for datacenter in datacenters {
        let mut hosts = super::hosts(world);
        hosts.retain(|host| {
            super::ancestors(world, host).any(|one| *one == datacenter)
                && new
                    .host
                    .as_deref()
                    .is_none_or(|name| world.name(host) == Some(name))
        });
        if hosts.is_empty() {
            continue;
        }
        let value = datastore::new_value(world, &new.kind);
        let store = datastore::add(world, &value, new, None);
        datastore::place(world, &store, &datacenter);
        for host in &hosts {
            datastore::mount(world, &store, host, new.read_only);
            datastore::attach_disks(world, host);
            rescan(world, host);
        }
        made.push((store, hosts));
    }
    made
}

fn local_adapter(world: &World) -> Poly<HostHostBusAdapter> {
    HostBlockHba {
        base: adapter(world, LOCAL, "Lewisburg SATA AHCI Controller", "vmw_ahci"),
        ..HostBlockHba::default()
    }
    .into()
}

fn adapter(world: &World, device: &str, model: &str, driver: &str) -> HostHostBusAdapter {
    let kind = if device == LOCAL {
        "BlockHba"
    } else {
        "InternetScsiHba"
    };
    HostHostBusAdapter {
        key: Some(format!("key-vim.host.{kind}-{device}")),
        device: device.to_owned(),
        bus: 0,
        status: if device == LOCAL { "unknown" } else { "online" }.to_owned(),
        model: model.to_owned(),
        driver: text(driver),
        pci: (device == LOCAL).then(|| "0000:00:17.0".to_owned()),
        storage_protocol: text("scsi").filter(|_| world.since("7.0.0.0")),
        ..HostHostBusAdapter::default()
    }
}

/// The software initiator of a host without targets.
fn initiator(world: &World, number: usize) -> HostInternetScsiHba {
    let since_4_0 = world.since("4.0");
    HostInternetScsiHba {
        base: adapter(world, ISCSI, "iSCSI Software Adapter", "iscsi_vmk"),
        is_software_based: true,
        can_be_disabled: world.since("5.0").then_some(true),
        network_binding_support: world
            .since("5.0")
            .then_some(vi_types::enums::HostInternetScsiHbaNetworkBindingSupportType::Optional),
        discovery_capabilities: HostInternetScsiHbaDiscoveryCapabilities {
            static_target_discovery_settable: false,
            send_targets_discovery_settable: false,
            ..HostInternetScsiHbaDiscoveryCapabilities::default()
        },
        discovery_properties: HostInternetScsiHbaDiscoveryProperties {
            static_target_discovery_enabled: true,
            send_targets_discovery_enabled: true,
            ..HostInternetScsiHbaDiscoveryProperties::default()
        },
        authentication_capabilities: HostInternetScsiHbaAuthenticationCapabilities {
            chap_auth_settable: true,
            mutual_chap_settable: since_4_0.then_some(true),
            target_chap_settable: since_4_0.then_some(true),
            target_mutual_chap_settable: since_4_0.then_some(true),
            ..HostInternetScsiHbaAuthenticationCapabilities::default()
        },
        authentication_properties: no_authentication(world, false),
        digest_capabilities: since_4_0.then(|| {
            HostInternetScsiHbaDigestCapabilities {
                header_digest_settable: Some(true),
                data_digest_settable: Some(true),
                target_header_digest_settable: Some(true),
                target_data_digest_settable: Some(true),
                ..HostInternetScsiHbaDigestCapabilities::default()
            }
            .into()
        }),
        digest_properties: since_4_0.then(|| {
            HostInternetScsiHbaDigestProperties {
                header_digest_type: text("digestProhibited"),
                data_digest_type: text("digestProhibited"),
                ..HostInternetScsiHbaDigestProperties::default()
            }
            .into()
        }),
        ip_capabilities: HostInternetScsiHbaIpCapabilities {
            host_name_as_target_address: since_4_0.then_some(true),
            ..HostInternetScsiHbaIpCapabilities::default()
        },
        ip_properties: HostInternetScsiHbaIpProperties::default(),
        i_scsi_name: format!("iqn.1998-01.com.vmware:esx-{number:04}"),
        ..HostInternetScsiHba::default()
    }
}

/// No authentication: an adapter's own, or a target's, which is the adapter's.
pub(crate) fn no_authentication(
    world: &World,
    inherited: bool,
) -> HostInternetScsiHbaAuthenticationProperties {
    let since_4_0 = world.since("4.0");
    HostInternetScsiHbaAuthenticationProperties {
        chap_auth_enabled: false,
        chap_authentication_type: text("chapProhibited").filter(|_| since_4_0),
        chap_inherited: since_4_0.then_some(inherited),
        mutual_chap_authentication_type: text("chapProhibited").filter(|_| since_4_0),
        mutual_chap_inherited: since_4_0.then_some(inherited),
        ..HostInternetScsiHbaAuthenticationProperties::default()
    }
}

/// A target that somebody has configured.
pub(crate) fn static_target(
    world: &World,
    name: &str,
    address: &str,
    port: i32,
) -> HostInternetScsiHbaStaticTarget {
    HostInternetScsiHbaStaticTarget {
        address: address.to_owned(),
        port: Some(port),
        i_scsi_name: name.to_owned(),
        discovery_method: text(STATIC_METHOD).filter(|_| world.since("5.1")),
        authentication_properties: world
            .since("4.0")
            .then(|| no_authentication(world, true).into()),
        ..HostInternetScsiHbaStaticTarget::default()
    }
}

/// What a send target is called by the targets that are found through it, and in lists of secrets.
pub(crate) fn send_target_name(target: &HostInternetScsiHbaSendTarget) -> String {
    format!("{}:{}", target.address, target.port.unwrap_or(ISCSI_PORT))
}

/// What a static target is called in lists of secrets.
pub(crate) fn static_target_name(target: &HostInternetScsiHbaStaticTarget) -> String {
    let port = target.port.unwrap_or(ISCSI_PORT);
    format!("{}@{}:{port}", target.i_scsi_name, target.address)
}

/// Changes the adapters of a host in all properties that show them.
pub(crate) fn change_devices<R>(
    world: &mut World,
    host: &ManagedObjectReference,
    change: impl FnOnce(&mut HostStorageDeviceInfo) -> R,
) -> Option<R> {
    let changed = world.change(host, |host: &mut properties::HostSystem| {
        let info = host.config.as_deref_mut()?.storage_device.as_deref_mut()?;
        let result = change(info);
        let info = info.clone();
        if let Some(hardware) = host
            .summary
            .as_deref_mut()
            .and_then(|summary| summary.hardware.as_deref_mut())
        {
            hardware.num_hbas = i32::try_from(info.host_bus_adapter.len()).unwrap_or(i32::MAX);
        }
        let managers = host.config_manager.as_deref();
        Some((
            result,
            managers.and_then(|managers| managers.storage_system.clone()),
            info,
        ))
    });
    let (result, system, info) = changed.flatten()?;
    if let Some(system) = system {
        world.change(&system, |system: &mut properties::HostStorageSystem| {
            system.storage_device_info = Some(info.into());
        });
    }
    Some(result)
}

/// The adapter that finds iSCSI targets.
pub(crate) fn initiator_of<'a>(
    info: &'a mut HostStorageDeviceInfo,
    device: &str,
) -> Option<&'a mut HostInternetScsiHba> {
    let mut adapters = info.host_bus_adapter.iter_mut();
    let found = adapters.find(|adapter| adapter.device == device);
    found?.cast_mut::<HostInternetScsiHba>()
}

/// Adds or removes the software initiator of a host. Returns whether that changed anything.
pub(crate) fn enable_initiator(
    world: &mut World,
    host: &ManagedObjectReference,
    enabled: bool,
) -> bool {
    let number = super::hosts(world)
        .iter()
        .position(|one| one == host)
        .unwrap_or_default();
    let adapter = initiator(world, number + 1);
    let changed = change_devices(world, host, |info| {
        let before = info.software_internet_scsi_enabled;
        info.software_internet_scsi_enabled = enabled;
        match (before, enabled) {
            (false, true) => info.host_bus_adapter.push(adapter.into()),
            (true, false) => info
                .host_bus_adapter
                .retain(|adapter| adapter.device != ISCSI),
            _ => {}
        }
        before != enabled
    });
    if changed == Some(true) {
        rescan(world, host);
    }
    changed.unwrap_or_default()
}

/// A disk that a host sees, with a way to it.
struct Way {
    disk: Disk,
    lun: i32,
}

/// A target that an adapter reaches.
struct Reached {
    adapter: String,
    /// Numbers of the channel and the target.
    channel: usize,
    target: usize,
    transport: Poly<HostTargetTransport>,
    ways: Vec<Way>,
}

/// Looks for targets and disks: those that there are replace those that the host knows.
pub(crate) fn rescan(world: &mut World, host: &ManagedObjectReference) {
    let Some(info) = world
        .read::<properties::HostSystem>(host)
        .and_then(|host| host.config.as_deref()?.storage_device.as_deref().cloned())
    else {
        return;
    };
    let mut adapters = info.host_bus_adapter;
    let mut reached = Vec::new();
    for adapter in &mut adapters {
        let device = adapter.device.clone();
        match adapter.cast_mut::<HostInternetScsiHba>() {
            Some(initiator) => {
                discover(world, initiator);
                reached.extend(targets(world, host, &device, initiator));
            }
            None => {
                let disks = world.fabric.disks(host).iter().enumerate();
                reached.extend(disks.map(|(target, disk)| Reached {
                    adapter: device.clone(),
                    channel: 0,
                    target,
                    transport: HostBlockAdapterTargetTransport::default().into(),
                    ways: vec![Way {
                        disk: disk.clone(),
                        lun: 0,
                    }],
                }));
            }
        }
    }
    let scsi_lun = luns(world, &reached);
    let topology = topology(&adapters, &reached);
    let multipath = multipath(world, &reached);
    change_devices(world, host, |info| {
        info.host_bus_adapter = adapters;
        info.scsi_lun = scsi_lun;
        info.scsi_topology = Some(topology.into());
        info.multipath_info = Some(multipath.into());
    });
    check_volumes(world, host);
}

/// Asks the send targets of an initiator for targets.
fn discover(world: &World, initiator: &mut HostInternetScsiHba) {
    let parents: Vec<_> = initiator
        .configured_send_target
        .iter()
        .map(send_target_name)
        .collect();
    let shows_parent = world.since("4.0");
    for (target, parent) in initiator.configured_send_target.iter().zip(parents) {
        let port = target.port.unwrap_or(ISCSI_PORT);
        let is_there = |found: &&IscsiTarget| {
            found
                .portals()
                .iter()
                .any(|(address, at)| *address == target.address && *at == port)
        };
        for found in world.fabric.targets.iter().filter(is_there) {
            for (address, port) in found.portals() {
                let known = initiator.configured_static_target.iter().any(|known| {
                    known.i_scsi_name == found.name
                        && known.address == address
                        && known.port.unwrap_or(ISCSI_PORT) == port
                });
                if !known {
                    initiator
                        .configured_static_target
                        .push(HostInternetScsiHbaStaticTarget {
                            discovery_method: text(SEND_TARGET_METHOD)
                                .filter(|_| world.since("5.1")),
                            parent: shows_parent.then(|| parent.clone()),
                            ..static_target(world, &found.name, &address, port)
                        });
                }
            }
        }
    }
}

/// The targets of an initiator that let it in.
fn targets(
    world: &World,
    host: &ManagedObjectReference,
    device: &str,
    initiator: &HostInternetScsiHba,
) -> Vec<Reached> {
    let mut names: Vec<&str> = Vec::new();
    let mut reached: Vec<Reached> = Vec::new();
    for configured in &initiator.configured_static_target {
        let port = configured.port.unwrap_or(ISCSI_PORT);
        let Some(target) = world
            .fabric
            .target(&configured.i_scsi_name, &configured.address, port)
        else {
            continue;
        };
        if !is_let_in(world, host, device, initiator, configured, target) {
            continue;
        }
        let number = names
            .iter()
            .position(|name| *name == target.name)
            .unwrap_or_else(|| {
                names.push(&target.name);
                names.len() - 1
            });
        let channel = reached
            .iter()
            .filter(|other| other.target == number)
            .count();
        let disks = target.luns.iter().enumerate();
        let transport = HostInternetScsiTargetTransport {
            i_scsi_name: target.name.clone(),
            address: vec![format!("{}:{port}", configured.address)],
            ..HostInternetScsiTargetTransport::default()
        };
        reached.push(Reached {
            adapter: device.to_owned(),
            channel,
            target: number,
            transport: transport.into(),
            ways: disks
                .map(|(lun, bytes)| Way {
                    disk: Disk::of_target(target, lun, *bytes),
                    lun: i32::try_from(lun).unwrap_or(i32::MAX),
                })
                .collect(),
        });
    }
    reached
}

/// Whether a target lets a host in: it wants no secret, or the host knows it.
fn is_let_in(
    world: &World,
    host: &ManagedObjectReference,
    device: &str,
    initiator: &HostInternetScsiHba,
    configured: &HostInternetScsiHbaStaticTarget,
    target: &IscsiTarget,
) -> bool {
    let Some((user, secret)) = &target.chap else {
        return true;
    };
    let own = configured.authentication_properties.as_deref();
    let parent = initiator
        .configured_send_target
        .iter()
        .find(|send| configured.parent.as_deref() == Some(&*send_target_name(send)));
    let of_parent = parent.and_then(|parent| parent.authentication_properties.as_deref());
    // The nearest that does not inherit counts.
    let is_own = |properties: &&HostInternetScsiHbaAuthenticationProperties| {
        properties.chap_inherited == Some(false)
    };
    let (properties, scope) = match (own.filter(is_own), of_parent.filter(is_own), parent) {
        (Some(own), ..) => (own, static_target_name(configured)),
        (None, Some(of_parent), Some(parent)) => (of_parent, send_target_name(parent)),
        _ => (&initiator.authentication_properties, device.to_owned()),
    };
    properties.chap_auth_enabled
        && properties.chap_name.as_deref() == Some(user)
        && world.fabric.secret(host, &scope) == Some(secret)
}

/// The disks that a host sees.
pub(crate) fn disks_of<'a>(
    world: &'a World,
    host: &ManagedObjectReference,
) -> impl Iterator<Item = &'a HostScsiDisk> {
    let host = world.read::<properties::HostSystem>(host);
    let info = host.and_then(|host| host.config.as_deref()?.storage_device.as_deref());
    let luns = info.into_iter().flat_map(|info| &info.scsi_lun);
    luns.filter_map(|lun| lun.cast::<HostScsiDisk>())
}

/// Whether a host has an adapter.
pub(crate) fn has_adapter(world: &World, host: &ManagedObjectReference, device: &str) -> bool {
    let host = world.read::<properties::HostSystem>(host);
    let info = host.and_then(|host| host.config.as_deref()?.storage_device.as_deref());
    info.is_some_and(|info| {
        info.host_bus_adapter
            .iter()
            .any(|adapter| adapter.device == device)
    })
}
