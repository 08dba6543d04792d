//! ContainerView: everything of some types below one object.

use std::collections::HashSet;

use vi_types::{ManagedObjectReference, properties};

use crate::world::World;
use crate::world::inventory::children;

/// What a view of a container shows: its children, and theirs where it is recursive, as far as they are
/// of one of the types (of any, if there are none).
pub(crate) fn content(
    world: &World,
    container: &ManagedObjectReference,
    types: &[String],
    recursive: bool,
) -> Vec<ManagedObjectReference> {
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    let mut ahead = children(world, container);
    ahead.reverse();
    while let Some(object) = ahead.pop() {
        let Some(state) = world.get(&object) else {
            continue;
        };
        if !seen.insert(object.clone()) {
            continue;
        }
        if recursive {
            let below = ahead.len();
            ahead.extend(children(world, &object));
            ahead[below..].reverse();
        }
        if types.is_empty() || types.iter().any(|ty| state.info().is_a(ty)) {
            found.push(object);
        }
    }
    found
}

/// Brings all container views up to date after the inventory changed.
pub(crate) fn refresh(world: &mut World) {
    let views: Vec<_> = world.all("ContainerView").cloned().collect();
    for reference in views {
        let Some(view) = world.read::<properties::ContainerView>(&reference) else {
            continue;
        };
        let Some(container) = &view.container else {
            continue;
        };
        let recursive = view.recursive.unwrap_or_default();
        let shown = content(world, container, &view.r#type, recursive);
        if shown != view.view {
            world.change(&reference, |view: &mut properties::ContainerView| {
                view.view = shown;
            });
        }
    }
}
