//! EnvironmentBrowser: what virtual machines can be like on the hosts of a compute resource.

use vi_types::methods::QueryConfigOptionDescriptor;
use vi_types::objects::VirtualMachineConfigOptionDescriptor;
use vi_types::{ManagedObjectReference, SoapFault, properties};

use crate::call::{Call, Row};
use crate::version::RELEASES;
use crate::world::World;

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new(describe),
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

/// The versions of virtual hardware, the newest last.
fn describe(
    call: &mut Call<'_>,
    _: &QueryConfigOptionDescriptor,
) -> Result<Vec<VirtualMachineConfigOptionDescriptor>, SoapFault> {
    let world = &call.state.world;
    let hosts = owner(world, call.this).map_or(&[][..], |compute| &compute.host);
    let own = world.release().hardware;
    let mut known: Vec<_> = RELEASES
        .iter()
        .take_while(|release| release.version() <= world.release().version())
        .collect();
    known.dedup_by_key(|release| release.hardware);
    let since_5_1 = world.since("5.1");
    let descriptors = known.into_iter().map(|release| VirtualMachineConfigOptionDescriptor {
        key: release.hardware.to_owned(),
        description: Some(format!("ESX {} virtual machine", release.asked)),
        host: hosts.to_vec(),
        create_supported: Some(true),
        default_config_option: Some(release.hardware == own),
        run_supported: since_5_1.then_some(true),
        upgrade_supported: since_5_1.then_some(true),
        ..VirtualMachineConfigOptionDescriptor::default()
    });
    Ok(descriptors.collect())
}
