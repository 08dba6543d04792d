//! The types of events, also of those that this build leaves out.

use vi_types::objects::{Event, EventEx, ExtendedEvent};
use vi_types::{Poly, UnknownObject};

/// All types with their base classes, sorted by name. The root comes first. A test compares it with generator.input.
const TYPES: &str = include_str!("types.txt");

/// The class of an event as the API names it, such as `VmPoweredOnEvent`, also if this build does not have it.
pub fn event_type(event: &Poly<Event>) -> &str {
    event.type_name()
}

/// What identifies the kind of an event: the `eventTypeId` of an `EventEx` or `ExtendedEvent`, such as
/// `esx.problem.net.connectivity.lost`, and the class of any other.
pub fn event_id(event: &Poly<Event>) -> &str {
    let id = event
        .cast::<EventEx>()
        .map(|event| event.event_type_id.as_str());
    let extended = || {
        event
            .cast::<ExtendedEvent>()
            .map(|event| event.event_type_id.as_str())
    };
    id.or_else(extended).unwrap_or_else(|| event.type_name())
}

/// An event of a class that this build does not have, with the XML of all its properties.
pub fn unknown_event(event: &Poly<Event>) -> Option<&UnknownObject> {
    let object: &dyn std::any::Any = event.as_object();
    object.downcast_ref()
}

/// The names of all types of the API, sorted; `Event` itself is left out.
pub fn event_types() -> impl Iterator<Item = &'static str> {
    all().map(|(name, _)| name)
}

/// The names of all descendants of a class, such as those of `VmEvent`, sorted.
pub fn descendants(class: &str) -> impl Iterator<Item = &'static str> {
    event_types().filter(move |name| *name != class && is_a(name, class))
}

/// Whether an event is of that class or of a descendant, such as `VmEvent`, also if this build has neither.
pub fn is_event(event: &Poly<Event>, class: &str) -> bool {
    is_a(event.type_name(), class)
}

fn is_a(mut name: &str, class: &str) -> bool {
    loop {
        if name == class {
            return true;
        }
        match all().find(|(one, _)| *one == name) {
            Some((_, base)) => name = base,
            // A type that came to the API later is an event at least.
            None => return class == "Event",
        }
    }
}

/// Names and base classes.
fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    TYPES.lines().filter_map(|line| line.split_once(' '))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn the_list_has_the_types_of_generator_input() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../generator.input");
        let input: &str = std::fs::read_to_string(path).unwrap().leak();
        let objects: BTreeMap<_, _> = input
            .lines()
            .filter_map(|line| {
                let mut words = line.strip_prefix("object ")?.split_whitespace();
                let name = words.next()?;
                (words.next()? == "extends").then_some((name, words.next()?))
            })
            .collect();
        let is_event = |mut name: &str| {
            while let Some(base) = objects.get(name) {
                if *base == "Event" {
                    return true;
                }
                name = base;
            }
            false
        };
        let expected: Vec<_> = objects
            .iter()
            .filter(|(name, _)| is_event(name))
            .map(|(name, base)| (*name, *base))
            .collect();
        assert_eq!(all().collect::<Vec<_>>(), expected);
        assert_eq!(expected.len(), 442);
    }
}
