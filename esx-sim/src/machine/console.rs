//! Who looks at the screens of machines.

use vi_types::objects::{VmRemoteConsoleConnectedEvent, VmRemoteConsoleDisconnectedEvent};
use vi_types::{ManagedObjectReference, properties};

use crate::world::World;

/// Counts a remote console that is opened or closed. Returns whether there was one to close.
pub(crate) fn count(world: &mut World, vm: &ManagedObjectReference, opened: bool) -> bool {
    let counted = world.change(vm, |vm: &mut properties::VirtualMachine| {
        let runtime = vm.runtime.as_deref_mut()?;
        let number = runtime.num_mks_connections + if opened { 1 } else { -1 };
        if number < 0 {
            return None;
        }
        runtime.num_mks_connections = number;
        if let Some(summary) = vm.summary.as_deref_mut() {
            summary.runtime.num_mks_connections = number;
        }
        Some(())
    });
    let counted = counted.flatten().is_some();
    match (counted, opened) {
        (false, _) => None,
        (true, true) => world.log(vm, VmRemoteConsoleConnectedEvent::default()),
        (true, false) => world.log(vm, VmRemoteConsoleDisconnectedEvent::default()),
    };
    counted
}
