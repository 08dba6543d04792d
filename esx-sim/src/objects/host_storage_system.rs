//! HostStorageSystem: a host's adapters, its iSCSI targets, and the VMFS volumes on its disks.

use vi_types::methods::{
    AddInternetScsiSendTargets, AddInternetScsiStaticTargets, DeleteVmfsVolumeState,
    MountVmfsVolume, RefreshStorageSystem, RemoveInternetScsiSendTargets,
    RemoveInternetScsiStaticTargets, RescanAllHba, RescanHba, RescanVmfs,
    RetrieveDiskPartitionInfo, UnmountVmfsVolume, UpdateInternetScsiAuthenticationProperties,
    UpdateSoftwareInternetScsiEnabled,
};
use vi_types::objects::{
    HostDiskPartitionInfo, HostInternetScsiHba, HostInternetScsiHbaAuthenticationProperties,
    HostInternetScsiHbaSendTarget, HostInternetScsiHbaStaticTarget, VmfsDatastoreInfo,
};
use vi_types::{ManagedObjectReference, SoapFault, properties};

use crate::call::{Call, Row};
use crate::fault;
use crate::storage::ISCSI_PORT;
use crate::world::World;
use crate::world::inventory::{datastore, hosts, partition, storage};

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new(add_static_targets),
        Row::new(remove_static_targets),
        Row::new(add_send_targets),
        Row::new(remove_send_targets),
        Row::new(update_authentication),
        Row::new(enable_initiator),
        Row::new(refresh),
        Row::new(rescan_all),
        Row::new(rescan),
        Row::new(rescan_volumes),
        Row::new(mount),
        Row::new(unmount),
        Row::new(forget),
        Row::new(partitions),
    ]
}

/// The host whose storage system is called.
fn host(call: &Call<'_>) -> Result<ManagedObjectReference, SoapFault> {
    let world = &call.state.world;
    let is_it = |host: &ManagedObjectReference| {
        let host = world.read::<properties::HostSystem>(host);
        let managers = host.and_then(|host| host.config_manager.as_deref());
        managers.and_then(|managers| managers.storage_system.as_ref()) == Some(call.this)
    };
    let found = hosts(world).into_iter().find(is_it);
    found.ok_or_else(|| fault::managed_object_not_found(call.this))
}

/// Changes an iSCSI adapter; nothing if that fails. `NotFound` without such an adapter.
fn change(
    world: &mut World,
    host: &ManagedObjectReference,
    device: &str,
    change: impl FnOnce(&mut HostInternetScsiHba) -> Result<(), SoapFault>,
) -> Result<(), SoapFault> {
    let changed = storage::change_devices(world, host, |info| {
        let adapter = storage::initiator_of(info, device).ok_or_else(fault::not_found)?;
        let mut changed = adapter.clone();
        change(&mut changed)?;
        *adapter = changed;
        Ok(())
    });
    changed.unwrap_or_else(|| Err(fault::not_found()))
}

/// What a host remembers of authentication properties, and the secret beside it. No server gives secrets back.
fn without_secret(
    properties: &HostInternetScsiHbaAuthenticationProperties,
) -> Result<(HostInternetScsiHbaAuthenticationProperties, Option<String>), SoapFault> {
    let mut kept = properties.clone();
    let secret = kept.chap_secret.take();
    kept.mutual_chap_secret = None;
    let inherits = kept.chap_inherited == Some(true);
    if kept.chap_auth_enabled && !inherits && (kept.chap_name.is_none() || secret.is_none()) {
        return Err(fault::invalid_argument("authenticationProperties"));
    }
    Ok((kept, secret.filter(|_| properties.chap_auth_enabled && !inherits)))
}

fn is_same(a: &HostInternetScsiHbaStaticTarget, b: &HostInternetScsiHbaStaticTarget) -> bool {
    let port = |target: &HostInternetScsiHbaStaticTarget| target.port.unwrap_or(ISCSI_PORT);
    a.i_scsi_name == b.i_scsi_name && a.address == b.address && port(a) == port(b)
}

fn is_same_source(a: &HostInternetScsiHbaSendTarget, b: &HostInternetScsiHbaSendTarget) -> bool {
    storage::send_target_name(a) == storage::send_target_name(b)
}

fn add_static_targets(
    call: &mut Call<'_>,
    request: &AddInternetScsiStaticTargets,
) -> Result<(), SoapFault> {
    let host = host(call)?;
    let world = &mut call.state.world;
    let mut added = Vec::new();
    let mut secrets = Vec::new();
    for target in &request.targets {
        let kinds = ["iqn.", "eui.", "naa."];
        if target.address.is_empty() || !kinds.iter().any(|kind| target.i_scsi_name.starts_with(kind)) {
            return Err(fault::invalid_argument("targets"));
        }
        let port = target.port.unwrap_or(ISCSI_PORT);
        let mut made = storage::static_target(world, &target.i_scsi_name, &target.address, port);
        if let Some(properties) = target.authentication_properties.as_deref().filter(|_| world.since("4.0")) {
            let (kept, secret) = without_secret(properties)?;
            made.authentication_properties = Some(kept.into());
            secrets.push((storage::static_target_name(&made), secret));
        }
        added.push(made);
    }
    change(world, &host, &request.i_scsi_hba_device, |adapter| {
        for target in added {
            if adapter.configured_static_target.iter().any(|known| is_same(known, &target)) {
                return Err(fault::platform_config(&format!(
                    "The target {} at {} is already configured",
                    target.i_scsi_name, target.address
                )));
            }
            adapter.configured_static_target.push(target);
        }
        Ok(())
    })?;
    for (name, secret) in secrets {
        world.fabric.set_secret(&host, &name, secret);
    }
    Ok(())
}

fn remove_static_targets(
    call: &mut Call<'_>,
    request: &RemoveInternetScsiStaticTargets,
) -> Result<(), SoapFault> {
    let host = host(call)?;
    let world = &mut call.state.world;
    change(world, &host, &request.i_scsi_hba_device, |adapter| {
        for target in &request.targets {
            let known = &mut adapter.configured_static_target;
            let Some(index) = known.iter().position(|known| is_same(known, target)) else {
                return Err(fault::not_found());
            };
            known.remove(index);
        }
        Ok(())
    })?;
    for target in &request.targets {
        let name = storage::static_target_name(target);
        world.fabric.set_secret(&host, &name, None);
    }
    Ok(())
}

fn add_send_targets(
    call: &mut Call<'_>,
    request: &AddInternetScsiSendTargets,
) -> Result<(), SoapFault> {
    let host = host(call)?;
    let world = &mut call.state.world;
    let mut added = Vec::new();
    let mut secrets = Vec::new();
    for target in &request.targets {
        if target.address.is_empty() {
            return Err(fault::invalid_argument("targets"));
        }
        let mut made = HostInternetScsiHbaSendTarget {
            address: target.address.clone(),
            port: Some(target.port.unwrap_or(ISCSI_PORT)),
            ..HostInternetScsiHbaSendTarget::default()
        };
        if world.since("4.0") {
            let (kept, secret) = match target.authentication_properties.as_deref() {
                Some(properties) => without_secret(properties)?,
                None => (storage::no_authentication(world, true), None),
            };
            made.authentication_properties = Some(kept.into());
            secrets.push((storage::send_target_name(&made), secret));
        }
        added.push(made);
    }
    change(world, &host, &request.i_scsi_hba_device, |adapter| {
        for target in added {
            if adapter.configured_send_target.iter().any(|known| is_same_source(known, &target)) {
                return Err(fault::platform_config(&format!(
                    "The send target {} is already configured",
                    target.address
                )));
            }
            adapter.configured_send_target.push(target);
        }
        Ok(())
    })?;
    for (name, secret) in secrets {
        world.fabric.set_secret(&host, &name, secret);
    }
    Ok(())
}

/// Removes sources of targets, and the targets that were found through them.
fn remove_send_targets(
    call: &mut Call<'_>,
    request: &RemoveInternetScsiSendTargets,
) -> Result<(), SoapFault> {
    let host = host(call)?;
    let world = &mut call.state.world;
    change(world, &host, &request.i_scsi_hba_device, |adapter| {
        for target in &request.targets {
            let known = &mut adapter.configured_send_target;
            let Some(index) = known.iter().position(|known| is_same_source(known, target)) else {
                return Err(fault::not_found());
            };
            known.remove(index);
            let name = storage::send_target_name(target);
            let found = &mut adapter.configured_static_target;
            found.retain(|found| found.parent.as_deref() != Some(&*name));
        }
        Ok(())
    })?;
    for target in &request.targets {
        let name = storage::send_target_name(target);
        world.fabric.set_secret(&host, &name, None);
    }
    Ok(())
}

/// Sets how a host proves who it is: to all targets, or to some.
fn update_authentication(
    call: &mut Call<'_>,
    request: &UpdateInternetScsiAuthenticationProperties,
) -> Result<(), SoapFault> {
    let host = host(call)?;
    let world = &mut call.state.world;
    let (kept, secret) = without_secret(&request.authentication_properties)?;
    let mut names = Vec::new();
    change(world, &host, &request.i_scsi_hba_device, |adapter| {
        let Some(set) = request.target_set.as_deref() else {
            adapter.authentication_properties = kept.clone();
            names.push(request.i_scsi_hba_device.clone());
            return Ok(());
        };
        for target in &set.static_targets {
            let mut known = adapter.configured_static_target.iter_mut();
            let known = known.find(|known| is_same(known, target));
            let known = known.ok_or_else(fault::not_found)?;
            known.authentication_properties = Some(kept.clone().into());
            names.push(storage::static_target_name(known));
        }
        for target in &set.send_targets {
            let mut known = adapter.configured_send_target.iter_mut();
            let known = known.find(|known| is_same_source(known, target));
            let known = known.ok_or_else(fault::not_found)?;
            known.authentication_properties = Some(kept.clone().into());
            names.push(storage::send_target_name(known));
        }
        Ok(())
    })?;
    for name in names {
        world.fabric.set_secret(&host, &name, secret.clone());
    }
    Ok(())
}

fn enable_initiator(
    call: &mut Call<'_>,
    request: &UpdateSoftwareInternetScsiEnabled,
) -> Result<(), SoapFault> {
    let host = host(call)?;
    storage::enable_initiator(&mut call.state.world, &host, request.enabled);
    Ok(())
}

/// Does nothing: the properties are always up to date.
fn refresh(_: &mut Call<'_>, _: &RefreshStorageSystem) -> Result<(), SoapFault> {
    Ok(())
}

fn rescan_all(call: &mut Call<'_>, _: &RescanAllHba) -> Result<(), SoapFault> {
    let host = host(call)?;
    storage::rescan(&mut call.state.world, &host);
    Ok(())
}

fn rescan(call: &mut Call<'_>, request: &RescanHba) -> Result<(), SoapFault> {
    let host = host(call)?;
    let world = &mut call.state.world;
    let has_it = storage::has_adapter(world, &host, &request.hba_device);
    if !has_it {
        return Err(fault::not_found());
    }
    storage::rescan(world, &host);
    Ok(())
}

/// Mounts the volumes that another host has made on a disk that this one sees, too.
fn rescan_volumes(call: &mut Call<'_>, _: &RescanVmfs) -> Result<(), SoapFault> {
    let host = host(call)?;
    storage::mount_volumes(&mut call.state.world, &host);
    Ok(())
}

/// A VMFS datastore of a host by the UUID of its volume, and whether it is mounted.
fn volume(
    world: &World,
    host: &ManagedObjectReference,
    uuid: &str,
) -> Result<(ManagedObjectReference, bool), SoapFault> {
    let state = world.read::<properties::HostSystem>(host);
    let stores = state.into_iter().flat_map(|host| &host.datastore);
    for store in stores {
        let Some(state) = world.read::<properties::Datastore>(store) else {
            continue;
        };
        let info = state.info.as_ref().and_then(|info| info.cast::<VmfsDatastoreInfo>());
        let own = info.and_then(|info| info.vmfs.as_deref());
        if own.is_some_and(|vmfs| vmfs.uuid == uuid) {
            let mount = state.host.iter().find(|mount| mount.key == *host);
            let mounted = mount.is_some_and(|mount| mount.mount_info.mounted != Some(false));
            return Ok((store.clone(), mounted));
        }
    }
    Err(fault::not_found())
}

fn mount(call: &mut Call<'_>, request: &MountVmfsVolume) -> Result<(), SoapFault> {
    let host = host(call)?;
    let world = &mut call.state.world;
    match volume(world, &host, &request.vmfs_uuid)? {
        (_, true) => Err(fault::invalid_state()),
        (store, false) => {
            storage::set_mounted(world, &store, &host, true);
            Ok(())
        }
    }
}

fn unmount(call: &mut Call<'_>, request: &UnmountVmfsVolume) -> Result<(), SoapFault> {
    let host = host(call)?;
    let world = &mut call.state.world;
    let (store, mounted) = volume(world, &host, &request.vmfs_uuid)?;
    if !mounted {
        return Err(fault::invalid_state());
    }
    storage::check_unused(world, &store, Some(&host))?;
    storage::set_mounted(world, &store, &host, false);
    Ok(())
}

/// Forgets an unmounted volume: the host's datastore is gone, its content is not.
fn forget(call: &mut Call<'_>, request: &DeleteVmfsVolumeState) -> Result<(), SoapFault> {
    let host = host(call)?;
    let world = &mut call.state.world;
    let (store, mounted) = volume(world, &host, &request.vmfs_uuid)?;
    if mounted {
        return Err(fault::platform_config("The volume is mounted"));
    }
    datastore::leave(world, &store, &host);
    Ok(())
}

fn partitions(
    call: &mut Call<'_>,
    request: &RetrieveDiskPartitionInfo,
) -> Result<Vec<HostDiskPartitionInfo>, SoapFault> {
    let host = host(call)?;
    let world = &call.state.world;
    let mut found = Vec::new();
    for path in &request.device_path {
        let mut disks = storage::disks_of(world, &host);
        let disk = disks.find(|disk| disk.device_path == *path);
        let disk = disk.ok_or_else(|| fault::invalid_argument("devicePath"))?;
        found.push(partition::info(world, &host, disk));
    }
    Ok(found)
}
