//! Network: what machines of several hosts can be on.

use vi_types::methods::DestroyNetwork;
use vi_types::{ManagedObjectReference, SoapFault, properties};

use crate::call::{Call, Row};
use crate::fault;
use crate::host_network;
use crate::world::{World, container_view};

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    vec![Row::new(destroy)]
}

/// Removes a network that no host has any more.
fn destroy(call: &mut Call<'_>, _: &DestroyNetwork) -> Result<(), SoapFault> {
    let this = call.this.clone();
    let world = &mut call.state.world;
    check_destroy(world, &this)?;
    host_network::remove_network(world, &this);
    container_view::refresh(world);
    Ok(())
}

/// Checks that a network can be removed.
///
/// # Errors
/// `ResourceInUse` if a host has it, or a machine names it.
pub(super) fn check_destroy(
    world: &World,
    network: &ManagedObjectReference,
) -> Result<(), SoapFault> {
    let state = world.read::<properties::Network>(network);
    let state = state.ok_or_else(|| fault::managed_object_not_found(network))?;
    match state.host.is_empty() && state.vm.is_empty() {
        true => Ok(()),
        false => {
            let name = state.name.as_deref().unwrap_or_default();
            Err(fault::resource_in_use("Network", name))
        }
    }
}
