//! HostStorageSystem: a host's adapters, its iSCSI targets, and the VMFS volumes on its disks.

mod target;

use vi_types::methods::{
    AddInternetScsiSendTargets, AddInternetScsiStaticTargets, DeleteVmfsVolumeState,
    MountVmfsVolume, RefreshStorageSystem, RemoveInternetScsiSendTargets,
    RemoveInternetScsiStaticTargets, RescanAllHba, RescanHba, RescanVmfs,
    RetrieveDiskPartitionInfo, UnmountVmfsVolume, UpdateInternetScsiAuthenticationProperties,
    UpdateSoftwareInternetScsiEnabled,
};
use vi_types::objects::{
    HostDiskPartitionInfo, HostInternetScsiHba, HostInternetScsiHbaAuthenticationProperties,
    VmfsDatastoreInfo,
};
use vi_types::{ManagedObjectReference, SoapFault, properties};

use self::target::Target;
use crate::call::{Call, Row};
use crate::fault;
use crate::world::World;
use crate::world::inventory::{datastore, partition, storage};

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
    call.host_of_manager(|managers| managers.storage_system.as_ref())
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

fn add_static_targets(
    call: &mut Call<'_>,
    request: &AddInternetScsiStaticTargets,
) -> Result<(), SoapFault> {
    add(call, &request.i_scsi_hba_device, &request.targets)
}

fn remove_static_targets(
    call: &mut Call<'_>,
    request: &RemoveInternetScsiStaticTargets,
) -> Result<(), SoapFault> {
    remove(call, &request.i_scsi_hba_device, &request.targets)
}

fn add_send_targets(
    call: &mut Call<'_>,
    request: &AddInternetScsiSendTargets,
) -> Result<(), SoapFault> {
    add(call, &request.i_scsi_hba_device, &request.targets)
}

fn remove_send_targets(
    call: &mut Call<'_>,
    request: &RemoveInternetScsiSendTargets,
) -> Result<(), SoapFault> {
    remove(call, &request.i_scsi_hba_device, &request.targets)
}

/// Tells an adapter of targets: of all or of none.
fn add<T: Target>(call: &mut Call<'_>, device: &str, targets: &[T]) -> Result<(), SoapFault> {
    let host = host(call)?;
    let world = &mut call.state.world;
    let mut added = Vec::new();
    let mut secrets = Vec::new();
    for target in targets {
        let kept = target.kept(world);
        let mut kept = kept.ok_or_else(|| fault::invalid_argument("targets"))?;
        let own = target.authentication().filter(|_| world.since("4.0"));
        let secret = match own {
            Some(properties) => {
                let (properties, secret) = without_secret(properties)?;
                kept.set_authentication(properties);
                secret
            }
            None => None,
        };
        secrets.push((kept.name(), secret));
        added.push(kept);
    }
    change(world, &host, device, |adapter| {
        let known = T::list(adapter);
        for target in added {
            if known.iter().any(|known| known.name() == target.name()) {
                let words = target.words();
                return Err(fault::platform_config(&format!(
                    "The {words} is already configured"
                )));
            }
            known.push(target);
        }
        Ok(())
    })?;
    for (name, secret) in secrets {
        world.fabric.set_secret(&host, &name, secret);
    }
    Ok(())
}

/// Makes an adapter forget targets with all that it has because of them.
fn remove<T: Target>(call: &mut Call<'_>, device: &str, targets: &[T]) -> Result<(), SoapFault> {
    let host = host(call)?;
    let world = &mut call.state.world;
    change(world, &host, device, |adapter| {
        for target in targets {
            let known = T::list(adapter);
            let index = known.iter().position(|known| known.name() == target.name());
            known.remove(index.ok_or_else(fault::not_found)?);
            target.forget(adapter);
        }
        Ok(())
    })?;
    for target in targets {
        world.fabric.set_secret(&host, &target.name(), None);
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
        names.extend(authenticate(adapter, &set.static_targets, &kept)?);
        names.extend(authenticate(adapter, &set.send_targets, &kept)?);
        Ok(())
    })?;
    for name in names {
        world.fabric.set_secret(&host, &name, secret.clone());
    }
    Ok(())
}

/// Gives targets of an adapter authentication properties. Returns their names.
fn authenticate<T: Target>(
    adapter: &mut HostInternetScsiHba,
    targets: &[T],
    properties: &HostInternetScsiHbaAuthenticationProperties,
) -> Result<Vec<String>, SoapFault> {
    let mut names = Vec::new();
    for target in targets {
        let mut known = T::list(adapter).iter_mut();
        let known = known.find(|known| known.name() == target.name());
        let known = known.ok_or_else(fault::not_found)?;
        known.set_authentication(properties.clone());
        names.push(known.name());
    }
    Ok(names)
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
