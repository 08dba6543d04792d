//! DistributedVirtualSwitch, its manager and its port groups. What the methods do is in [`distributed`].

use vi_types::methods::{
    AddDvPortgroupTask, CreateDvPortgroupTask, DvsManagerLookupDvPortGroup, FetchDvPortKeys,
    FetchDvPorts, LookupDvPortGroup, QueryAvailableDvsSpec, QueryDvsByUuid,
    ReconfigureDvPortgroupTask, ReconfigureDvsTask,
};
use vi_types::objects::{DistributedVirtualPort, DistributedVirtualSwitchProductSpec};
use vi_types::{Any, ManagedObjectReference, SoapFault};

use crate::call::{Call, Row};
use crate::distributed::{self, Switch};
use crate::fault;
use crate::world::World;

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new(add_groups),
        Row::new(create_group),
        Row::new(reconfigure),
        Row::new(reconfigure_group),
        Row::new(ports),
        Row::new(keys),
        Row::new(group),
        Row::new(group_of),
        Row::new(by_uuid),
        Row::new(products),
    ]
}

fn add_groups(
    call: &mut Call<'_>,
    request: &AddDvPortgroupTask,
) -> Result<ManagedObjectReference, SoapFault> {
    let (this, specs) = (call.this.clone(), request.spec.clone());
    call.begin::<AddDvPortgroupTask>("DistributedVirtualSwitch.addPortgroups", move |world| {
        distributed::add_groups(world, &this, &specs).map(|_| None)
    })
}

fn create_group(
    call: &mut Call<'_>,
    request: &CreateDvPortgroupTask,
) -> Result<ManagedObjectReference, SoapFault> {
    let (this, spec) = (call.this.clone(), request.spec.clone());
    call.begin::<CreateDvPortgroupTask>("DistributedVirtualSwitch.addPortgroup", move |world| {
        let made = distributed::add_groups(world, &this, &[spec])?;
        Ok(made.into_iter().next().map(Any::from))
    })
}

fn reconfigure(
    call: &mut Call<'_>,
    request: &ReconfigureDvsTask,
) -> Result<ManagedObjectReference, SoapFault> {
    distributed::check_reconfigure(&call.state.world, call.this, &request.spec)?;
    let (this, spec) = (call.this.clone(), request.spec.clone());
    call.begin::<ReconfigureDvsTask>("DistributedVirtualSwitch.reconfigure", move |world| {
        distributed::reconfigure(world, &this, &spec).map(|()| None)
    })
}

fn reconfigure_group(
    call: &mut Call<'_>,
    request: &ReconfigureDvPortgroupTask,
) -> Result<ManagedObjectReference, SoapFault> {
    let (this, spec) = (call.this.clone(), request.spec.clone());
    let description = "dvs.DistributedVirtualPortgroup.reconfigure";
    call.begin::<ReconfigureDvPortgroupTask>(description, move |world| {
        distributed::reconfigure_group(world, &this, &spec).map(|()| None)
    })
}

fn ports(
    call: &mut Call<'_>,
    request: &FetchDvPorts,
) -> Result<Vec<DistributedVirtualPort>, SoapFault> {
    let world = &call.state.world;
    Ok(distributed::fetch(world, call.this, request.criteria.as_deref()))
}

fn keys(call: &mut Call<'_>, request: &FetchDvPortKeys) -> Result<Vec<String>, SoapFault> {
    let world = &call.state.world;
    let ports = distributed::fetch(world, call.this, request.criteria.as_deref());
    Ok(ports.into_iter().map(|port| port.key).collect())
}

fn group(
    call: &mut Call<'_>,
    request: &LookupDvPortGroup,
) -> Result<Option<ManagedObjectReference>, SoapFault> {
    lookup(&call.state.world, call.this, &request.portgroup_key)
}

fn group_of(
    call: &mut Call<'_>,
    request: &DvsManagerLookupDvPortGroup,
) -> Result<Option<ManagedObjectReference>, SoapFault> {
    let world = &call.state.world;
    let switch = distributed::by_uuid(world, &request.switch_uuid);
    let switch = switch.ok_or_else(fault::not_found)?;
    lookup(world, &switch, &request.portgroup_key)
}

/// A port group of a switch by its key.
fn lookup(
    world: &World,
    switch: &ManagedObjectReference,
    key: &str,
) -> Result<Option<ManagedObjectReference>, SoapFault> {
    let state = world.read::<Switch>(switch);
    let state = state.ok_or_else(|| fault::managed_object_not_found(switch))?;
    let mut groups = state.portgroup.iter();
    let found = groups.find(|group| group.value == key).cloned();
    found.map(Some).ok_or_else(fault::not_found)
}

fn by_uuid(
    call: &mut Call<'_>,
    request: &QueryDvsByUuid,
) -> Result<Option<ManagedObjectReference>, SoapFault> {
    let found = distributed::by_uuid(&call.state.world, &request.uuid);
    found.map(Some).ok_or_else(fault::not_found)
}

fn products(
    call: &mut Call<'_>,
    request: &QueryAvailableDvsSpec,
) -> Result<Vec<DistributedVirtualSwitchProductSpec>, SoapFault> {
    Ok(distributed::products(&call.state.world, request.recommended))
}
