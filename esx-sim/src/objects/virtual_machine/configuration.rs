//! VirtualMachine: reconfiguration.

use vi_types::methods::ReconfigVmTask;
use vi_types::{ManagedObjectReference, SoapFault, properties};

use crate::call::{Call, Row};
use crate::event::lifecycle;
use crate::fault;
use crate::machine::{self, config};

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new(reconfigure),
    ]
}

fn reconfigure(
    call: &mut Call<'_>,
    request: &ReconfigVmTask,
) -> Result<ManagedObjectReference, SoapFault> {
    call.state.world.fill_files();
    let (vm, spec, at) = (
        call.this.clone(),
        request.spec.clone(),
        call.state.tasks.time(),
    );
    call.begin::<ReconfigVmTask>("VirtualMachine.reconfigure", move |world| {
        if let Some(name) = &spec.name
            && let Some(folder) = world.parent(&vm)
            && let Some(other) = config::namesake(world, folder, name)
            && other != vm
        {
            return Err(fault::duplicate_name(name, &other));
        }
        let before = world.read::<properties::VirtualMachine>(&vm).cloned();
        machine::reconfigure(world, &vm, &spec, at)?;
        lifecycle::reconfigured(world, &vm, before.as_ref(), &spec);
        Ok(None)
    })
}
