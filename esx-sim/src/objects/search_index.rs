//! SearchIndex: from a UUID, an address, a name or a path to an object.

use vi_types::methods::{
    FindAllByDnsName, FindAllByIp, FindAllByUuid, FindByDatastorePath, FindByDnsName,
    FindByInventoryPath, FindByIp, FindByUuid, FindChild,
};
use vi_types::{ManagedObjectReference, SoapFault, properties};

use crate::call::{Call, Row};
use crate::fault;
use crate::world::World;
use crate::world::inventory::{ancestors, children, root_folder};

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new(find_by_uuid),
        Row::new(find_all_by_uuid),
        Row::new(find_by_ip),
        Row::new(find_all_by_ip),
        Row::new(find_by_dns_name),
        Row::new(find_all_by_dns_name),
        Row::new(find_by_inventory_path),
        Row::new(find_by_datastore_path),
        Row::new(find_child),
    ]
}

fn find_by_uuid(
    call: &mut Call<'_>,
    request: &FindByUuid,
) -> Result<Option<ManagedObjectReference>, SoapFault> {
    let instance = request.instance_uuid.unwrap_or_default();
    let found = by_uuid(
        call,
        &request.datacenter,
        &request.uuid,
        request.vm_search,
        instance,
    )?;
    Ok(found.into_iter().next())
}

fn find_all_by_uuid(
    call: &mut Call<'_>,
    request: &FindAllByUuid,
) -> Result<Vec<ManagedObjectReference>, SoapFault> {
    let instance = request.instance_uuid.unwrap_or_default();
    by_uuid(
        call,
        &request.datacenter,
        &request.uuid,
        request.vm_search,
        instance,
    )
}

fn by_uuid(
    call: &mut Call<'_>,
    datacenter: &Option<ManagedObjectReference>,
    uuid: &str,
    vm_search: bool,
    instance: bool,
) -> Result<Vec<ManagedObjectReference>, SoapFault> {
    let uuid = uuid.to_ascii_lowercase();
    let world = &mut call.state.world;
    let found = match (vm_search, instance) {
        (true, false) => world.by_uuid().bios.get(&uuid).cloned(),
        (true, true) => world.by_uuid().instance.get(&uuid).cloned(),
        (false, _) => Some(hosts(world, |host| {
            let hardware = host.hardware.as_ref();
            hardware.is_some_and(|hardware| hardware.system_info.uuid == uuid)
        })),
    };
    within(world, datacenter, found.unwrap_or_default())
}

fn find_by_ip(
    call: &mut Call<'_>,
    request: &FindByIp,
) -> Result<Option<ManagedObjectReference>, SoapFault> {
    let found = by_ip(call, &request.datacenter, &request.ip, request.vm_search)?;
    Ok(found.into_iter().next())
}

fn find_all_by_ip(
    call: &mut Call<'_>,
    request: &FindAllByIp,
) -> Result<Vec<ManagedObjectReference>, SoapFault> {
    by_ip(call, &request.datacenter, &request.ip, request.vm_search)
}

fn by_ip(
    call: &mut Call<'_>,
    datacenter: &Option<ManagedObjectReference>,
    ip: &str,
    vm_search: bool,
) -> Result<Vec<ManagedObjectReference>, SoapFault> {
    let world = &call.state.world;
    let found = if vm_search {
        vms(world, |vm| {
            let guest = vm.guest.as_ref();
            guest.is_some_and(|guest| {
                guest.ip_address.as_deref() == Some(ip)
                    || guest
                        .net
                        .iter()
                        .any(|nic| nic.ip_address.iter().any(|own| own == ip))
            })
        })
    } else {
        hosts(world, |host| {
            let network = host
                .config
                .as_ref()
                .and_then(|config| config.network.as_ref());
            network.is_some_and(|network| {
                let mut nics = network.vnic.iter();
                nics.any(|nic| {
                    let own = nic
                        .spec
                        .ip
                        .as_ref()
                        .and_then(|own| own.ip_address.as_deref());
                    own == Some(ip)
                })
            })
        })
    };
    within(world, datacenter, found)
}

fn find_by_dns_name(
    call: &mut Call<'_>,
    request: &FindByDnsName,
) -> Result<Option<ManagedObjectReference>, SoapFault> {
    let found = by_dns_name(
        call,
        &request.datacenter,
        &request.dns_name,
        request.vm_search,
    )?;
    Ok(found.into_iter().next())
}

fn find_all_by_dns_name(
    call: &mut Call<'_>,
    request: &FindAllByDnsName,
) -> Result<Vec<ManagedObjectReference>, SoapFault> {
    by_dns_name(
        call,
        &request.datacenter,
        &request.dns_name,
        request.vm_search,
    )
}

fn by_dns_name(
    call: &mut Call<'_>,
    datacenter: &Option<ManagedObjectReference>,
    name: &str,
    vm_search: bool,
) -> Result<Vec<ManagedObjectReference>, SoapFault> {
    let world = &call.state.world;
    let found = if vm_search {
        vms(world, |vm| {
            let own = vm
                .guest
                .as_ref()
                .and_then(|guest| guest.host_name.as_deref());
            own.is_some_and(|own| own.eq_ignore_ascii_case(name))
        })
    } else {
        hosts(world, |host| {
            let own = host.name.as_deref();
            own.is_some_and(|own| own.eq_ignore_ascii_case(name))
        })
    };
    within(world, datacenter, found)
}

/// The path begins below the root folder: `ha-datacenter/vm/web01`. Names in it are as the server has
/// them, with `%2f` for a slash.
fn find_by_inventory_path(
    call: &mut Call<'_>,
    request: &FindByInventoryPath,
) -> Result<Option<ManagedObjectReference>, SoapFault> {
    let world = &call.state.world;
    let steps = request
        .inventory_path
        .split('/')
        .filter(|step| !step.is_empty());
    Ok(steps.fold(root_folder(world), |found, step| {
        child(world, &found?, step)
    }))
}

fn find_child(
    call: &mut Call<'_>,
    request: &FindChild,
) -> Result<Option<ManagedObjectReference>, SoapFault> {
    let world = &call.state.world;
    if world.get(&request.entity).is_none() {
        return Err(fault::managed_object_not_found(&request.entity));
    }
    Ok(child(world, &request.entity, &request.name))
}

fn find_by_datastore_path(
    call: &mut Call<'_>,
    request: &FindByDatastorePath,
) -> Result<Option<ManagedObjectReference>, SoapFault> {
    let world = &call.state.world;
    let found = vms(world, |vm| {
        let config = vm.config.as_ref();
        config.is_some_and(|config| {
            config.files.vm_path_name.as_deref() == Some(request.path.as_str())
        })
    });
    let found = within(world, &Some(request.datacenter.clone()), found)?;
    Ok(found.into_iter().next())
}

/// The child of that name, in upper or lower case. Several names that differ in nothing else may be there; the one that is
/// written as `name` goes first.
fn child(
    world: &World,
    parent: &ManagedObjectReference,
    name: &str,
) -> Option<ManagedObjectReference> {
    let children = children(world, parent);
    let is_name = |child: &&ManagedObjectReference| world.name(child) == Some(name);
    let folded = name.to_lowercase();
    let is_alike = |child: &&ManagedObjectReference| {
        let own = world.name(child);
        own.is_some_and(|own| own.to_lowercase() == folded)
    };
    let found = children.iter().find(is_name);
    found.or_else(|| children.iter().find(is_alike)).cloned()
}

fn vms(
    world: &World,
    mut wanted: impl FnMut(&properties::VirtualMachine) -> bool,
) -> Vec<ManagedObjectReference> {
    let mut found: Vec<_> = world
        .all("VirtualMachine")
        .filter(|vm| world.read(vm).is_some_and(&mut wanted))
        .cloned()
        .collect();
    found.sort();
    found
}

fn hosts(
    world: &World,
    mut wanted: impl FnMut(&properties::HostSystem) -> bool,
) -> Vec<ManagedObjectReference> {
    let mut found: Vec<_> = world
        .all("HostSystem")
        .filter(|host| world.read(host).is_some_and(&mut wanted))
        .cloned()
        .collect();
    found.sort();
    found
}

/// The ones that lie in the datacenter, if one was given.
fn within(
    world: &World,
    datacenter: &Option<ManagedObjectReference>,
    mut found: Vec<ManagedObjectReference>,
) -> Result<Vec<ManagedObjectReference>, SoapFault> {
    let Some(datacenter) = datacenter else {
        return Ok(found);
    };
    if world.read::<properties::Datacenter>(datacenter).is_none() {
        return Err(fault::managed_object_not_found(datacenter));
    }
    found.retain(|object| ancestors(world, object).any(|ancestor| ancestor == datacenter));
    Ok(found)
}
