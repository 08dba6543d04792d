//! EnvironmentBrowser: what virtual machines can be like on the hosts of a compute resource.

mod devices;
mod guests;
mod option;
mod target;

use vi_types::methods::{
    QueryConfigOption, QueryConfigOptionDescriptor, QueryConfigOptionEx, QueryConfigTarget,
};
use vi_types::objects::{
    ConfigTarget, VirtualMachineConfigOption, VirtualMachineConfigOptionDescriptor,
};
use vi_types::{ManagedObjectReference, SoapFault, properties};

use crate::call::{Call, Row};
use crate::fault;
use crate::machine::hardware::Hardware;
use crate::version::{RELEASES, Release};
use crate::world::World;

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new(describe),
        Row::new(options),
        Row::new(options_of_guests),
        Row::new(target),
    ]
}

/// The compute resource that has a browser.
fn owner<'a>(
    world: &'a World,
    browser: &ManagedObjectReference,
) -> Option<&'a properties::ComputeResource> {
    let types = ["ComputeResource", "ClusterComputeResource"];
    let mut all = types.into_iter().flat_map(|ty| world.all(ty));
    all.find_map(|one| {
        let compute = world.read::<properties::ComputeResource>(one)?;
        (compute.environment_browser.as_ref() == Some(browser)).then_some(compute)
    })
}

/// The hosts that a question is about: one of the compute resource's, or all of them.
///
/// # Errors
/// `InvalidArgument` for a host that is not one of the compute resource's.
fn hosts(
    world: &World,
    browser: &ManagedObjectReference,
    one: Option<&ManagedObjectReference>,
    argument: &str,
) -> Result<Vec<ManagedObjectReference>, SoapFault> {
    let all = owner(world, browser).map_or(&[][..], |compute| &compute.host);
    match one {
        None => Ok(all.to_vec()),
        Some(one) if all.contains(one) => Ok(vec![one.clone()]),
        Some(_) => Err(fault::invalid_argument(argument)),
    }
}

/// The releases whose hardware a host knows, the newest last.
fn known(world: &World) -> Vec<&'static Release> {
    let mut known: Vec<_> = RELEASES
        .iter()
        .take_while(|release| release.version() <= world.release().version())
        .collect();
    known.dedup_by_key(|release| release.hardware);
    known
}

fn described(release: &Release) -> String {
    format!("ESX {} virtual machine", release.asked)
}

/// The options of a version of virtual hardware, by default the newest one.
fn options(
    call: &mut Call<'_>,
    request: &QueryConfigOption,
) -> Result<Option<Box<VirtualMachineConfigOption>>, SoapFault> {
    let world = &call.state.world;
    hosts(world, call.this, request.host.as_ref(), "host")?;
    find(world, request.key.as_deref(), "key", &[]).map(|option| Some(option.into()))
}

/// The same, with some guests only.
fn options_of_guests(
    call: &mut Call<'_>,
    request: &QueryConfigOptionEx,
) -> Result<Option<Box<VirtualMachineConfigOption>>, SoapFault> {
    let world = &call.state.world;
    let spec = request.spec.as_deref();
    let host = spec.and_then(|spec| spec.host.as_ref());
    hosts(world, call.this, host, "spec.host")?;
    let key = spec.and_then(|spec| spec.key.as_deref());
    let guests = spec.map_or(&[][..], |spec| &spec.guest_id);
    find(world, key, "spec.key", guests).map(|option| Some(option.into()))
}

/// # Errors
/// `InvalidArgument` for an unknown key, or if none of the guests is known.
fn find(
    world: &World,
    key: Option<&str>,
    argument: &str,
    guests: &[String],
) -> Result<VirtualMachineConfigOption, SoapFault> {
    let key = key.unwrap_or(world.release().hardware);
    let known = known(world);
    let release = known.into_iter().rfind(|release| release.hardware == key);
    let hardware = Hardware::parse(key);
    let (Some(release), Some(hardware)) = (release, hardware) else {
        return Err(fault::invalid_argument(argument));
    };
    option::of(world, hardware, described(release), guests)
        .ok_or_else(|| fault::invalid_argument("spec.guestId"))
}

/// What a host, or a compute resource, has for machines.
fn target(
    call: &mut Call<'_>,
    request: &QueryConfigTarget,
) -> Result<Option<Box<ConfigTarget>>, SoapFault> {
    let world = &call.state.world;
    let hosts = hosts(world, call.this, request.host.as_ref(), "host")?;
    let compute = owner(world, call.this);
    Ok(compute.map(|compute| target::of(world, compute, &hosts).into()))
}

/// The versions of virtual hardware, the newest last.
fn describe(
    call: &mut Call<'_>,
    _: &QueryConfigOptionDescriptor,
) -> Result<Vec<VirtualMachineConfigOptionDescriptor>, SoapFault> {
    let world = &call.state.world;
    let hosts = owner(world, call.this).map_or(&[][..], |compute| &compute.host);
    let own = world.release().hardware;
    let since_5_1 = world.since("5.1");
    let descriptors = known(world).into_iter().map(|release| VirtualMachineConfigOptionDescriptor {
        key: release.hardware.to_owned(),
        description: Some(described(release)),
        host: hosts.to_vec(),
        create_supported: Some(true),
        default_config_option: Some(release.hardware == own),
        run_supported: since_5_1.then_some(true),
        upgrade_supported: since_5_1.then_some(true),
        ..VirtualMachineConfigOptionDescriptor::default()
    });
    Ok(descriptors.collect())
}
