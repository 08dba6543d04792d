//! Folders, datacenters and clusters: where everything else is, in names.

use std::collections::HashMap;
use std::sync::Arc;

use vi_types::ManagedObjectReference;
use vmx::escape::PERCENT;

/// The entities above domains, hosts, datastores and pools.
#[derive(Debug, Default)]
pub(super) struct Inventory {
    entities: HashMap<ManagedObjectReference, Entity>,
    places: HashMap<ManagedObjectReference, Place>,
}

#[derive(Debug, PartialEq)]
struct Entity {
    kind: Kind,
    name: Arc<str>,
    parent: Option<ManagedObjectReference>,
}

/// What an entity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A folder, also of datastores.
    Folder,
    /// A cluster of datastores, which is a folder too.
    StoragePod,
    Datacenter,
    /// A host's own surroundings, with its name.
    Compute,
    Cluster,
    Host,
    Pool,
}

impl Kind {
    /// The kind of entities of that type.
    pub(super) fn of(ty: &str) -> Option<Kind> {
        Some(match ty {
            "Folder" => Kind::Folder,
            "StoragePod" => Kind::StoragePod,
            "Datacenter" => Kind::Datacenter,
            "ComputeResource" => Kind::Compute,
            "ClusterComputeResource" => Kind::Cluster,
            "HostSystem" => Kind::Host,
            "ResourcePool" | "VirtualApp" => Kind::Pool,
            _ => return None,
        })
    }
}

/// Where an entity and what is in it are; empty where there is no such thing.
#[derive(Debug, Clone, Default)]
pub(super) struct Place {
    /// The path of the datacenter below the root folder.
    pub(super) datacenter: Arc<str>,
    /// The names of the folders between the datacenter's own folder and the entity, and of the entity itself.
    pub(super) folder: Arc<str>,
    /// The cluster of hosts.
    pub(super) cluster: Arc<str>,
    /// The cluster of datastores.
    pub(super) storage_pod: Arc<str>,
    /// The names of the pools above a pool, and its own.
    pub(super) pool: Arc<str>,
}

impl Inventory {
    /// Adds or changes an entity. Returns whether anything is another than before.
    pub(super) fn set(
        &mut self,
        moref: &ManagedObjectReference,
        kind: Kind,
        name: &str,
        parent: Option<ManagedObjectReference>,
    ) -> bool {
        let name = shown(name).into();
        let entity = Entity { kind, name, parent };
        if self.entities.get(moref) == Some(&entity) {
            return false;
        }
        self.entities.insert(moref.clone(), entity);
        self.places.clear();
        true
    }

    /// Removes an entity. Returns whether it was there.
    pub(super) fn remove(&mut self, moref: &ManagedObjectReference) -> bool {
        self.places.clear();
        self.entities.remove(moref).is_some()
    }

    /// The unescaped name; empty if the entity is not known.
    pub(super) fn name(&self, moref: Option<&ManagedObjectReference>) -> Arc<str> {
        let entity = moref.and_then(|moref| self.entities.get(moref));
        entity
            .map(|entity| Arc::clone(&entity.name))
            .unwrap_or_default()
    }

    /// Where an entity is; nowhere if it is not known.
    pub(super) fn place(&mut self, moref: Option<&ManagedObjectReference>) -> Place {
        let Some(moref) = moref else {
            return Place::default();
        };
        if let Some(place) = self.places.get(moref) {
            return place.clone();
        }
        let place = self.find_place(moref);
        self.places.insert(moref.clone(), place.clone());
        place
    }

    fn find_place(&self, moref: &ManagedObjectReference) -> Place {
        let parent = |entity: &&Entity| self.entities.get(entity.parent.as_ref()?);
        // Inventories have no cycles; the limit guards against a server that returns one.
        let above = std::iter::successors(self.entities.get(moref), parent).take(64);
        let above: Vec<_> = above.collect();
        let name = |kind: Kind| {
            let found = above.iter().find(|entity| entity.kind == kind);
            found
                .map(|entity| Arc::clone(&entity.name))
                .unwrap_or_default()
        };
        let center = above
            .iter()
            .position(|entity| entity.kind == Kind::Datacenter);
        let (within, to_center) = above.split_at(center.unwrap_or(above.len()));
        // Without the root folder.
        let to_center = match to_center.split_last() {
            Some((root, path)) if root.parent.is_none() && !path.is_empty() => path,
            _ => to_center,
        };
        // A datacenter's folders of machines, hosts and datastores have fixed names, which nobody shows.
        let folders = match within.split_last() {
            Some((_, folders)) if center.is_some() => folders,
            _ => within,
        };
        let folders = folders.iter().filter(|entity| entity.kind == Kind::Folder);
        let pools = within.iter().filter(|entity| entity.kind == Kind::Pool);
        Place {
            datacenter: path(to_center.iter()),
            folder: path(folders),
            cluster: name(Kind::Cluster),
            storage_pod: name(Kind::StoragePod),
            pool: path(pools),
        }
    }
}

/// The names of entities, the nearest last, with slashes between them.
fn path<'a>(entities: impl Iterator<Item = &'a &'a Entity>) -> Arc<str> {
    let mut names: Vec<&str> = entities.map(|entity| &*entity.name).collect();
    names.reverse();
    names.join("/").into()
}

/// A name as people read it: the server escapes `/`, `\` and `%`.
pub(super) fn shown(name: &str) -> String {
    match PERCENT.unescape(name) {
        Ok(shown) => shown.into_owned(),
        Err(_) => name.to_owned(),
    }
}
