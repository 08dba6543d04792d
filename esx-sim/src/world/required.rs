//! Whether every object has the properties that its type requires.

use std::collections::{BTreeSet, HashMap};

use vi_types::{ManagedObjectReference, Object, Occurrence, View};

use super::World;
use super::inventory::storage::Equipment;
use super::inventory::virtual_machine::Machines;
use super::inventory::{self, ServerKind};
use crate::network::NewDistributedSwitch;
use crate::storage::{DatastoreKind, NewDatastore};
use crate::version::RELEASES;

/// What a type requires but an object lacks, as `TYPE.property`, and what refers to objects that are not there.
fn lacking(
    world: &World,
    requirements: &HashMap<String, Vec<(String, String)>>,
) -> BTreeSet<String> {
    let mut lacking = BTreeSet::new();
    for (reference, entry) in &world.objects {
        let object = &*entry.state;
        for info in object.info().ancestry() {
            for (property, since) in &requirements[info.name] {
                let is_known = since.is_empty() || world.since(since);
                if is_known && object.property(property) == Some(View::Unset) {
                    lacking.insert(format!("{}.{property}", reference.r#type));
                }
            }
        }
        required(world, object, &reference.r#type, &mut lacking);
    }
    lacking
}

/// The properties that each type of managed object requires, without its base's, with the version that they came with. The
/// generated tables do not tell, as a client reads only some properties.
fn requirements() -> HashMap<String, Vec<(String, String)>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../generator.input");
    let description = std::fs::read_to_string(path).unwrap_or_default();
    let blocks = description.split("\nmanaged object ").skip(1);
    let blocks = blocks.map(|block| {
        let block = block.split("\nend").next().unwrap_or_default();
        let mut lines = block.lines();
        let name = lines
            .next()
            .unwrap_or_default()
            .split(' ')
            .next()
            .unwrap_or_default();
        let required = lines.filter_map(|line| {
            let words: Vec<_> = line.split_ascii_whitespace().collect();
            let since = words.iter().position(|word| *word == "since");
            let since = since.map_or("", |at| words[at + 1]);
            ["r", "rl"]
                .contains(&words[2])
                .then(|| (words[1].to_owned(), since.to_owned()))
        });
        (name.to_owned(), required.collect())
    });
    blocks.collect()
}

/// Goes through an object and everything in it. Of data objects, only lists that are required and references are looked at:
/// other values have no way to be unset.
fn required(world: &World, object: &dyn Object, path: &str, lacking: &mut BTreeSet<String>) {
    let is_managed = !path.contains('.');
    for field in object.info().all_fields() {
        let is_known = field.since.is_empty() || world.since(field.since);
        let view = object.property(field.name).unwrap_or(View::Unset);
        let path = format!("{path}.{}", field.name);
        if view == View::Unset && field.occurrence == Occurrence::RequiredList && is_known {
            lacking.insert(path.clone());
        }
        follow(world, view, &path, is_managed, lacking);
    }
}

fn follow(world: &World, view: View<'_>, path: &str, deep: bool, lacking: &mut BTreeSet<String>) {
    match view {
        View::Moref(to) if is_gone(world, to) => drop(lacking.insert(format!("{path} -> {to:?}"))),
        View::Object(object) if deep || path.matches('.').count() < 6 => {
            required(world, object, path, lacking);
        }
        View::List(list) => list
            .iter()
            .for_each(|item| follow(world, item, path, deep, lacking)),
        View::Any(any) if any.as_object().is_some() || matches!(any, vi_types::Any::Moref(_)) => {
            follow(world, any.inner(), path, deep, lacking);
        }
        _ => {}
    }
}

fn is_gone(world: &World, to: &ManagedObjectReference) -> bool {
    world.get(to).is_none()
}

#[test]
fn every_object_has_what_its_type_requires_on_every_release() {
    let requirements = requirements();
    if requirements.is_empty() {
        // The crate is tested without its workspace.
        return;
    }
    let mut found = BTreeSet::new();
    for release in RELEASES {
        for kind in [ServerKind::Esx, ServerKind::VCenter] {
            for machines in [Machines::Handful(None), Machines::Many(12)] {
                let equipment = Equipment {
                    datastores: vec![
                        NewDatastore::new(
                            "archive",
                            DatastoreKind::Nfs {
                                host: "nas.example.com".to_owned(),
                                path: "/export".to_owned(),
                            },
                        ),
                        NewDatastore::new("spare", DatastoreKind::Vmfs),
                    ],
                    initiator: true,
                    targets: Vec::new(),
                };
                let switch = NewDistributedSwitch::new("dvSwitch0").port_group("web", 10);
                let switches = match kind {
                    ServerKind::VCenter => vec![switch],
                    ServerKind::Esx => Vec::new(),
                };
                let (world, _) =
                    inventory::make(kind, release, machines, None, &equipment, &switches, &[]);
                let lacking = lacking(&world, &requirements).into_iter();
                found.extend(lacking.map(|one| format!("{kind:?} {}: {one}", release.asked)));
            }
        }
    }
    let found: Vec<_> = found.into_iter().collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}
