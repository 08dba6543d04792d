//! Measurements: the counters of a server, and their values at any time.
//!
//! Values are functions of the entity, the counter and the time, so they are the same in every run at the same time of the
//! [`Clock`], and nothing is stored. They begin with what `summary.quickStats` says, so both agree.

mod clock;
mod counter;
mod meter;

use std::collections::HashMap;

use vi_types::{ManagedObjectReference, Object, properties};

pub(crate) use self::clock::Clock;
pub(crate) use self::counter::{Counter, counters, element};
pub(crate) use self::meter::{Meter, Part};
use crate::world::World;

/// Values of counters that a test has set, by the entity, the counter's name and the instance.
pub(crate) type FixedValues = HashMap<(ManagedObjectReference, String, String), i64>;

/// Seconds between two measurements of a host.
pub(crate) const REFRESH: i64 = 20;

/// An object with the part of its properties that holds measurements of now, for a path of it. `None` if the path has none,
/// or measurements of this server do not follow the clock.
pub(crate) fn measured(world: &World, state: &dyn Object, path: &str) -> Option<Box<dyn Object>> {
    let is_measured = path == "summary" || path.starts_with("summary.quickStats");
    if !world.clock.is_live() || !is_measured {
        return None;
    }
    let at = world.clock.seconds() / REFRESH * REFRESH;
    if let Some(vm) = state.downcast_ref::<properties::VirtualMachine>() {
        let mut summary = vm.summary.clone()?;
        Meter::of_machine(world, vm)?.show_in_machine(at, &mut summary.quick_stats);
        return Some(Box::new(properties::VirtualMachine {
            summary: Some(summary),
            ..properties::VirtualMachine::default()
        }));
    }
    let host = state.downcast_ref::<properties::HostSystem>()?;
    let mut summary = host.summary.clone()?;
    Meter::of_host(world, host)?.show_in_host(at, &mut summary.quick_stats);
    Some(Box::new(properties::HostSystem {
        summary: Some(summary),
        ..properties::HostSystem::default()
    }))
}
