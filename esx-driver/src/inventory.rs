//! The inventory of a server, and the host of a connection in it.

use std::collections::HashMap;

use tracing::debug;
use vi_client::{
    Client, property_set,
    retrieve::{ObjectProperties, PropertyError, PropertySet as _, Retrieve, Selection},
};
use vi_types::{
    ManagedObject as _, ManagedObjectReference,
    methods::FindByIp,
    properties::{ComputeResource, Datacenter, Folder, ManagedEntity, VirtualMachine},
};
use virt_model::ErrorNumber;
use vmx::escape::PERCENT;

use crate::{Error, ErrorKind, Result, What, near::Near};

property_set! {
    struct FolderEntity: Folder {
        name: String = name,
        parent: Option<ManagedObjectReference> = parent,
    }
}

property_set! {
    struct DatacenterEntity: Datacenter {
        name: String = name,
        parent: Option<ManagedObjectReference> = parent,
        host_folder: ManagedObjectReference = host_folder,
        vm_folder: ManagedObjectReference = vm_folder,
    }
}

property_set! {
    struct ComputeResourceEntity: ComputeResource {
        name: String = name,
        parent: Option<ManagedObjectReference> = parent,
        resource_pool: Option<ManagedObjectReference> = resource_pool,
    }
}

property_set! {
    struct HostEntity: HostSystem {
        name: String = name,
        parent: Option<ManagedObjectReference> = parent,
        in_maintenance_mode: Option<bool> = runtime.in_maintenance_mode,
        management_server_ip: Option<String> = summary.management_server_ip,
        auto_start_manager: Option<ManagedObjectReference> = config_manager.auto_start_manager,
        datastore_system: Option<ManagedObjectReference> = config_manager.datastore_system,
        storage_system: Option<ManagedObjectReference> = config_manager.storage_system,
        network_system: Option<ManagedObjectReference> = config_manager.network_system,
    }
}

/// Reads the inventory down to the hosts: one request.
pub(crate) async fn read(client: &Client) -> Result<Inventory> {
    let again = |selection: Selection| {
        ["folder", "hostFolder", "host"]
            .into_iter()
            .fold(selection, |selection, name| {
                selection.select(Selection::by_name(name))
            })
    };
    let request = Retrieve::from(&client.service_content().root_folder)
        .select(again(
            Selection::along(|folder: &Folder| &folder.child_entity).named("folder"),
        ))
        .select(
            Selection::along(|datacenter: &Datacenter| &datacenter.host_folder)
                .named("hostFolder")
                .select(Selection::by_name("folder")),
        )
        .select(Selection::along(|compute: &ComputeResource| &compute.host).named("host"));
    collect(client, request).await
}

/// The place of the host with the address `ip` at the vCenter that manages it.
pub(crate) async fn of_address(client: &Client, vcenter: &str, ip: &str) -> Result<Place> {
    let request = FindByIp {
        datacenter: None,
        ip: ip.to_owned(),
        vm_search: false,
        ..Default::default()
    };
    let Some(host) = client.call(&request).await? else {
        let message = format!("vCenter '{vcenter}' does not manage a host with IP address {ip}");
        return Err(Error::new(
            ErrorKind::VCenter,
            ErrorNumber::InternalError,
            message,
        ));
    };
    let request = Retrieve::from(&host).select(above());
    collect(client, request).await?.of_host(&host)
}

/// Adds to a request for a virtual machine the host that it is on, and what the host belongs to.
pub(crate) fn with_host(request: Retrieve) -> Retrieve {
    let host = Selection::traverse(VirtualMachine::TYPE, "runtime.host");
    with_entities(request.select(host.select(above())))
}

/// From an entity to all those above it.
fn above() -> Selection {
    Selection::along(|entity: &ManagedEntity| &entity.parent)
        .named("parent")
        .select(Selection::by_name("parent"))
}

async fn collect(client: &Client, request: Retrieve) -> Result<Inventory> {
    let found = client.retrieve(&with_entities(request)).await?;
    Ok(found.into_iter().collect())
}

fn with_entities(request: Retrieve) -> Retrieve {
    request
        .set::<FolderEntity>()
        .set::<DatacenterEntity>()
        .set::<ComputeResourceEntity>()
        .set::<HostEntity>()
}

impl FromIterator<ObjectProperties> for Inventory {
    fn from_iter<I: IntoIterator<Item = ObjectProperties>>(found: I) -> Inventory {
        let mut inventory = Inventory::default();
        for properties in found {
            match Entity::from_properties(properties) {
                Ok(entity) => inventory.insert(entity),
                // Most likely the user lacks the permission to read it.
                Err(error) => debug!(%error, "left out of the inventory"),
            }
        }
        inventory
    }
}

/// The folders, datacenters, compute resources and hosts of a server, in its order.
#[derive(Debug, Default)]
pub(crate) struct Inventory {
    entities: Vec<Entity>,
    index: HashMap<ManagedObjectReference, usize>,
}

/// An entity of the inventory.
#[derive(Debug, Clone)]
pub(crate) struct Entity {
    pub(crate) moref: ManagedObjectReference,
    /// The name as the server escapes it: `/`, `\` and `%`.
    pub(crate) name: String,
    pub(crate) parent: Option<ManagedObjectReference>,
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Folder,
    Datacenter {
        host_folder: ManagedObjectReference,
        vm_folder: ManagedObjectReference,
    },
    ComputeResource {
        resource_pool: Option<ManagedObjectReference>,
    },
    HostSystem(Host),
}

/// The properties of a host that a connection keeps.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Host {
    pub(crate) in_maintenance_mode: Option<bool>,
    pub(crate) management_server_ip: Option<String>,
    pub(crate) auto_start_manager: Option<ManagedObjectReference>,
    pub(crate) datastore_system: Option<ManagedObjectReference>,
    pub(crate) storage_system: Option<ManagedObjectReference>,
    pub(crate) network_system: Option<ManagedObjectReference>,
}

/// The host of a connection, and the entities that it belongs to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Place {
    pub(crate) datacenter: ManagedObjectReference,
    /// The escaped names of its folders and its own, separated by slashes.
    pub(crate) datacenter_path: String,
    /// The folder in which its virtual machines are registered.
    pub(crate) vm_folder: ManagedObjectReference,
    pub(crate) resource_pool: ManagedObjectReference,
    pub(crate) host_system: ManagedObjectReference,
    pub(crate) host: Host,
}

impl Inventory {
    pub(crate) fn insert(&mut self, entity: Entity) {
        self.index.insert(entity.moref.clone(), self.entities.len());
        self.entities.push(entity);
    }

    /// The first host of the first compute resource of the first datacenter. An ESX host has only one of each.
    pub(crate) fn only_host(&self, root: &ManagedObjectReference) -> Result<Place> {
        let missing = |what: &str| inventory(format!("Could not find {what}"));
        let datacenter = self
            .children(root)
            .find(|entity| matches!(entity.kind, Kind::Datacenter { .. }))
            .ok_or_else(|| missing("Datacenter"))?;
        let compute = self
            .children(datacenter.below())
            .find(|entity| matches!(entity.kind, Kind::ComputeResource { .. }))
            .ok_or_else(|| missing("ComputeResource"))?;
        let host = self
            .children(&compute.moref)
            .find(|entity| matches!(entity.kind, Kind::HostSystem(_)))
            .ok_or_else(|| missing("HostSystem"))?;
        self.place(datacenter, compute, host)
    }

    /// The host that a vCenter's URI names. `names` lead through folders to a datacenter below `root`, through folders
    /// to a compute resource below that, and to a host if the compute resource is a cluster. Errors repeat `path`.
    pub(crate) fn find(
        &self,
        root: &ManagedObjectReference,
        names: &[String],
        path: &str,
    ) -> Result<Place> {
        let mut walk = Walk {
            inventory: self,
            path,
            at: String::new(),
        };
        if names.is_empty() {
            return Err(walk.unspecified("datacenter", root));
        }
        let mut names = names.iter();
        let datacenter = walk.descend(root, &mut names, &DATACENTER)?;
        let names = names.as_slice();
        let found = self.host_below(walk.clone(), datacenter, names);
        // The inventory has a folder of its own between a datacenter and its hosts, which libvirt's paths leave out and other
        // tools' have. A folder of a user's that has the same name goes first.
        let Some((own, below)) = names.split_first() else {
            return found;
        };
        let hosts = self.get(datacenter.below()).map(Entity::shown_name);
        if *own != hosts.unwrap_or_else(|| "host".to_owned()) {
            return found;
        }
        walk.at = format!("{}/{own}", walk.at);
        let inside = self.host_below(walk, datacenter, below);
        match self.child(datacenter.below(), own, &|_| true).is_some() && inside.is_err() {
            true => found,
            false => found.or(inside),
        }
    }

    /// The host that names lead to from a datacenter.
    fn host_below<'a>(
        &'a self,
        mut walk: Walk<'a>,
        datacenter: &'a Entity,
        names: &[String],
    ) -> Result<Place> {
        let path = walk.path;
        if names.is_empty() {
            return Err(walk.unspecified("compute resource", datacenter.below()));
        }
        let mut names = names.iter();
        let compute = walk.descend(datacenter.below(), &mut names, &COMPUTE_RESOURCE)?;
        let host = if compute.moref.r#type == "ClusterComputeResource" {
            let name = names
                .next()
                .ok_or_else(|| walk.unspecified("host system", &compute.moref))?;
            let host = self.child(&compute.moref, name, &|kind| {
                matches!(kind, Kind::HostSystem(_))
            });
            host.ok_or_else(|| walk.missing("host system", &compute.moref, name))?
        } else {
            // A compute resource that is not a cluster has one host, which has the same name.
            self.children(&compute.moref)
                .find(|entity| matches!(entity.kind, Kind::HostSystem(_)))
                .ok_or_else(|| {
                    inventory(format!("Could not find host system specified in '{path}'"))
                })?
        };
        if let Some(excess) = names.next() {
            return Err(invalid(format!("Path '{path}' ends with an excess item"))
                .advise(format!("leave '{excess}' and what follows it out")));
        }
        self.place(datacenter, compute, host)
    }

    /// The place of the host that `wanted` names, by its reference or, if there is one host of that name, by its name.
    pub(crate) fn host(&self, wanted: &str) -> Result<Place> {
        let is_host = |entity: &&Entity| matches!(entity.kind, Kind::HostSystem(_));
        let hosts = || self.entities.iter().filter(is_host);
        if let Some(host) = hosts().find(|host| host.moref.value == wanted) {
            return self.of_host(&host.moref);
        }
        let mut named = hosts().filter(|host| host.name == wanted || host.shown_name() == wanted);
        match (named.next(), named.next()) {
            (Some(host), None) => self.of_host(&host.moref),
            (Some(one), Some(other)) => {
                let message = format!("There are several host systems with the name '{wanted}'");
                let (one, other) = (&one.moref.value, &other.moref.value);
                Err(no_host_like(message).advise(format!(
                    "name one of them by its reference, such as '{one}' or '{other}'"
                )))
            }
            (None, _) => {
                let mut near = Near::new(wanted);
                hosts().for_each(|host| near.consider(&host.shown_name()));
                let message = format!("Could not find HostSystem with name '{wanted}'");
                Err(near.advise(no_host_like(message)))
            }
        }
    }

    /// The place of that host, from the entities above it.
    pub(crate) fn of_host(&self, host: &ManagedObjectReference) -> Result<Place> {
        let missing = |what: &str| inventory(format!("Could not find {what}"));
        let host = self.get(host).ok_or_else(|| missing("HostSystem"))?;
        let compute = self.above(host).ok_or_else(|| missing("ComputeResource"))?;
        let datacenter = self
            .line(compute)
            .find(|above| matches!(above.kind, Kind::Datacenter { .. }))
            .ok_or_else(|| missing("Datacenter"))?;
        self.place(datacenter, compute, host)
    }

    fn place(&self, datacenter: &Entity, compute: &Entity, host: &Entity) -> Result<Place> {
        let (
            Kind::Datacenter { vm_folder, .. },
            Kind::ComputeResource {
                resource_pool: Some(resource_pool),
            },
            Kind::HostSystem(known),
        ) = (&datacenter.kind, &compute.kind, &host.kind)
        else {
            return Err(inventory("Could not retrieve resource pool"));
        };
        Ok(Place {
            datacenter: datacenter.moref.clone(),
            datacenter_path: self.path(datacenter),
            vm_folder: vm_folder.clone(),
            resource_pool: resource_pool.clone(),
            host_system: host.moref.clone(),
            host: known.clone(),
        })
    }

    /// The names of the entities above an entity and its own, without the root folder's.
    fn path(&self, entity: &Entity) -> String {
        let mut names: Vec<_> = self.line(entity).collect();
        if names.len() > 1 && names.last().is_some_and(|root| root.parent.is_none()) {
            names.pop();
        }
        let names: Vec<_> = names
            .iter()
            .rev()
            .map(|entity| entity.name.as_str())
            .collect();
        names.join("/")
    }

    /// The entity and all above it.
    fn line<'a>(&'a self, entity: &'a Entity) -> impl Iterator<Item = &'a Entity> {
        // Inventories have no cycles; the limit guards against a server that returns one.
        std::iter::successors(Some(entity), |entity| self.above(entity)).take(64)
    }

    fn above(&self, entity: &Entity) -> Option<&Entity> {
        self.get(entity.parent.as_ref()?)
    }

    fn get(&self, moref: &ManagedObjectReference) -> Option<&Entity> {
        self.index.get(moref).map(|&at| &self.entities[at])
    }

    fn children<'a>(
        &'a self,
        parent: &'a ManagedObjectReference,
    ) -> impl Iterator<Item = &'a Entity> {
        self.entities
            .iter()
            .filter(move |entity| entity.parent.as_ref() == Some(parent))
    }

    /// The child with that name, escaped or, if there is none, unescaped.
    fn child<'a>(
        &'a self,
        parent: &'a ManagedObjectReference,
        name: &str,
        wanted: &dyn Fn(&Kind) -> bool,
    ) -> Option<&'a Entity> {
        let children = || self.children(parent).filter(|entity| wanted(&entity.kind));
        children()
            .find(|entity| entity.name == name)
            .or_else(|| children().find(|entity| entity.shown_name() == name))
    }
}

impl Entity {
    fn from_properties(mut properties: ObjectProperties) -> Result<Entity, PropertyError> {
        let properties = &mut properties;
        let (name, parent, kind) = match properties.object.r#type.as_str() {
            "Datacenter" => {
                let datacenter = DatacenterEntity::from_properties(properties)?;
                let kind = Kind::Datacenter {
                    host_folder: datacenter.host_folder,
                    vm_folder: datacenter.vm_folder,
                };
                (datacenter.name, datacenter.parent, kind)
            }
            "HostSystem" => {
                let host = HostEntity::from_properties(properties)?;
                let kind = Kind::HostSystem(Host {
                    in_maintenance_mode: host.in_maintenance_mode,
                    management_server_ip: host.management_server_ip,
                    auto_start_manager: host.auto_start_manager,
                    datastore_system: host.datastore_system,
                    storage_system: host.storage_system,
                    network_system: host.network_system,
                });
                (host.name, host.parent, kind)
            }
            "ComputeResource" | "ClusterComputeResource" => {
                let compute = ComputeResourceEntity::from_properties(properties)?;
                let kind = Kind::ComputeResource {
                    resource_pool: compute.resource_pool,
                };
                (compute.name, compute.parent, kind)
            }
            // Kinds of folders have types of their own, such as StoragePod.
            _ => {
                let folder = FolderEntity::from_properties(properties)?;
                (folder.name, folder.parent, Kind::Folder)
            }
        };
        Ok(Entity {
            moref: properties.object.clone(),
            name,
            parent,
            kind,
        })
    }

    /// The unescaped name; the name itself if its escapes are invalid.
    fn shown_name(&self) -> String {
        match PERCENT.unescape(&self.name) {
            Ok(name) => name.into_owned(),
            Err(_) => self.name.clone(),
        }
    }

    /// The entity whose children count as this entity's: a datacenter's are those of its host folder.
    fn below(&self) -> &ManagedObjectReference {
        match &self.kind {
            Kind::Datacenter { host_folder, .. } => host_folder,
            _ => &self.moref,
        }
    }
}

/// The kind of entity at which a part of a path ends.
struct Goal {
    what: &'static str,
    is: fn(&Kind) -> bool,
}

const DATACENTER: Goal = Goal {
    what: "datacenter",
    is: |kind| matches!(kind, Kind::Datacenter { .. }),
};

const COMPUTE_RESOURCE: Goal = Goal {
    what: "compute resource",
    is: |kind| matches!(kind, Kind::ComputeResource { .. }),
};

/// The error that no host, or more than one, is meant.
fn no_host_like(message: String) -> Error {
    Error::new(
        ErrorKind::NotFound(What::Host),
        ErrorNumber::InternalError,
        message,
    )
}

#[derive(Clone)]
struct Walk<'a> {
    inventory: &'a Inventory,
    path: &'a str,
    /// The path of the entities found so far.
    at: String,
}

impl<'a> Walk<'a> {
    /// Follows `names` through folders to the first entity of the kind `goal`.
    ///
    /// libvirt skips names that match neither a folder nor the goal; here they are an error.
    fn descend<'n>(
        &mut self,
        root: &'a ManagedObjectReference,
        names: &mut impl Iterator<Item = &'n String>,
        goal: &Goal,
    ) -> Result<&'a Entity> {
        let mut here = root;
        for name in names {
            let folder = self
                .inventory
                .child(here, name, &|kind| matches!(kind, Kind::Folder));
            let entity = match folder {
                Some(folder) => {
                    here = &folder.moref;
                    folder
                }
                None => {
                    let found = self.inventory.child(here, name, &goal.is);
                    found.ok_or_else(|| self.missing(goal.what, here, name))?
                }
            };
            self.at = format!("{}/{}", self.at, entity.shown_name());
            if (goal.is)(&entity.kind) {
                return Ok(entity);
            }
        }
        Err(inventory(format!(
            "Could not find {} specified in '{}'",
            goal.what, self.path
        ))
        .advise(format!("'{}' is a folder; {}", self.at, self.there(here))))
    }

    /// The error that `here` has no child with the name `name`.
    fn missing(&self, what: &str, here: &ManagedObjectReference, name: &str) -> Error {
        let mut near = Near::new(name);
        for entity in self.inventory.children(here) {
            near.consider(&entity.shown_name());
        }
        let place = if self.at.is_empty() {
            String::new()
        } else {
            format!(" in '{}'", self.at)
        };
        let advice = match near.best() {
            Some(near) => format!("there is no '{name}'{place}; did you mean '{near}'?"),
            None => format!("there is no '{name}'{place}; {}", self.there(here)),
        };
        inventory(format!(
            "Could not find {what} specified in '{}'",
            self.path
        ))
        .advise(advice)
    }

    /// The error that the path ends at `here`, before it names a `what`.
    fn unspecified(&self, what: &str, here: &ManagedObjectReference) -> Error {
        invalid(format!("Path '{}' does not specify a {what}", self.path)).advise(self.there(here))
    }

    /// The children of `here`, as advice.
    fn there(&self, here: &ManagedObjectReference) -> String {
        const SHOWN: usize = 10;
        let mut names: Vec<_> = self
            .inventory
            .children(here)
            .map(|entity| format!("'{}'", entity.shown_name()))
            .collect();
        if names.is_empty() {
            return "nothing is there, or nothing that this user may see".to_owned();
        }
        names.sort();
        let rest = names.len().saturating_sub(SHOWN);
        names.truncate(SHOWN);
        let more = if rest > 0 {
            format!(" and {rest} more")
        } else {
            String::new()
        };
        format!("there are {}{more}", names.join(", "))
    }
}

fn inventory(message: impl Into<String>) -> Error {
    Error::new(
        ErrorKind::InventoryPath,
        ErrorNumber::InternalError,
        message,
    )
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InventoryPath, ErrorNumber::InvalidArg, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moref(r#type: &str, value: &str) -> ManagedObjectReference {
        ManagedObjectReference::new(r#type, value)
    }

    /// An inventory from lines `TYPE VALUE PARENT NAME`; a datacenter's host folder is `VALUE-hosts`.
    fn inventory(lines: &str) -> Inventory {
        let mut inventory = Inventory::default();
        for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let mut words = line.splitn(4, ' ');
            let mut word = || words.next().unwrap();
            let (r#type, value, parent, name) = (word(), word(), word(), word());
            let kind = match r#type {
                "Folder" => Kind::Folder,
                "Datacenter" => Kind::Datacenter {
                    host_folder: moref("Folder", &format!("{value}-hosts")),
                    vm_folder: moref("Folder", &format!("{value}-vms")),
                },
                "HostSystem" => Kind::HostSystem(Host::default()),
                _ => Kind::ComputeResource {
                    resource_pool: (name != "poolless").then(|| moref("ResourcePool", value)),
                },
            };
            let parent = inventory
                .entities
                .iter()
                .map(Entity::below)
                .find(|moref| moref.value == parent)
                .cloned()
                .unwrap_or_else(|| moref("Folder", parent));
            inventory.insert(Entity {
                moref: moref(r#type, value),
                name: name.to_owned(),
                parent: Some(parent),
                kind,
            });
        }
        inventory
    }

    fn vcenter() -> Inventory {
        inventory(
            "Folder f1 root Europe
             Datacenter d1 f1 Paris
             ComputeResource c1 d1-hosts esx1
             HostSystem h1 c1 esx1
             Folder f2 d1-hosts lab
             ClusterComputeResource c2 f2 alpha
             HostSystem h2 c2 esx2
             HostSystem h3 c2 esx3
             Datacenter d2 root a%2fb
             ComputeResource c3 d2-hosts 100%25
             HostSystem h4 c3 100%25
             ComputeResource c4 d2-hosts poolless
             HostSystem h5 c4 poolless",
        )
    }

    fn find(path: &str) -> Result<Place> {
        let names: Vec<_> = path
            .split('/')
            .filter(|name| !name.is_empty())
            .map(|name| name.replace('|', "/"))
            .collect();
        vcenter().find(&moref("Folder", "root"), &names, path)
    }

    #[track_caller]
    fn found(path: &str, datacenter: &str, host: &str) {
        let place = find(path).unwrap();
        assert_eq!(
            (
                place.datacenter.value.as_str(),
                place.host_system.value.as_str()
            ),
            (datacenter, host)
        );
    }

    #[test]
    fn a_place_knows_the_datacenters_path_and_where_machines_are_registered() {
        for (path, datacenter_path, vm_folder, pool) in [
            ("Europe/Paris/esx1", "Europe/Paris", "d1-vms", "c1"),
            ("a|b/100%", "a%2fb", "d2-vms", "c3"),
        ] {
            let place = find(path).unwrap();
            assert_eq!(place.datacenter_path, datacenter_path);
            assert_eq!(place.vm_folder.value, vm_folder);
            assert_eq!(place.resource_pool.value, pool);
        }
    }

    #[track_caller]
    fn refused(path: &str, text: &str, advice: &str) {
        let error = find(path).unwrap_err();
        assert_eq!(
            (error.to_string().as_str(), error.advice()),
            (text, Some(advice))
        );
    }

    #[test]
    fn compute_resource_of_one_host() {
        found("/Europe/Paris/esx1", "d1", "h1");
        found("//Europe///Paris/esx1/", "d1", "h1");
    }

    #[test]
    fn host_of_a_cluster_in_a_folder() {
        found("/Europe/Paris/lab/alpha/esx3", "d1", "h3");
    }

    #[test]
    fn the_inventorys_own_folder_of_hosts_may_be_in_the_path() {
        found("/Europe/Paris/host/esx1", "d1", "h1");
        found("/Europe/Paris/host/lab/alpha/esx3", "d1", "h3");
        found("/a|b/host/100%", "d2", "h4");
        refused(
            "/Europe/Paris/host",
            "invalid argument: Path '/Europe/Paris/host' does not specify a compute resource",
            "there are 'esx1', 'lab'",
        );
        refused(
            "/Europe/Paris/host/lab/alpa/esx3",
            "internal error: Could not find compute resource specified in '/Europe/Paris/host/lab/alpa/esx3'",
            "there is no 'alpa' in '/Europe/Paris/host/lab'; did you mean 'alpha'?",
        );
        refused(
            "/Europe/Paris/host/host/esx1",
            "internal error: Could not find compute resource specified in '/Europe/Paris/host/host/esx1'",
            "there is no 'host' in '/Europe/Paris/host'; there are 'esx1', 'lab'",
        );
    }

    #[test]
    fn a_folder_with_the_name_of_the_inventorys_own_goes_first() {
        let inventory = inventory(
            "Folder d1-hosts d1 host
             Datacenter d1 root Paris
             Folder f1 d1-hosts host
             ComputeResource c1 f1 esx1
             HostSystem h1 c1 esx1
             ComputeResource c2 d1-hosts esx1
             HostSystem h2 c2 esx1
             ClusterComputeResource c3 d1-hosts host2
             HostSystem h3 c3 host",
        );
        for (path, host) in [
            ("Paris/esx1", Some("h2")),
            ("Paris/host/esx1", Some("h1")),
            ("Paris/host/host/esx1", Some("h1")),
            ("Paris/host2/host", Some("h3")),
            ("Paris/host/host2/host", Some("h3")),
            ("Paris/host/nowhere", None),
        ] {
            let names: Vec<_> = path.split('/').map(str::to_owned).collect();
            let found = inventory.find(&moref("Folder", "root"), &names, path).ok();
            let found = found.map(|place| place.host_system.value);
            assert_eq!(found.as_deref(), host, "{path}");
        }
    }

    #[test]
    fn hidden_characters_may_be_written_either_way() {
        found("/a|b/100%", "d2", "h4");
        found("/a%2fb/100%25", "d2", "h4");
    }

    #[test]
    fn a_name_like_one_that_exists() {
        refused(
            "/europe/Paris/esx1",
            "internal error: Could not find datacenter specified in '/europe/Paris/esx1'",
            "there is no 'europe'; did you mean 'Europe'?",
        );
        refused(
            "/Europe/Paris/lab/alpa/esx3",
            "internal error: Could not find compute resource specified in '/Europe/Paris/lab/alpa/esx3'",
            "there is no 'alpa' in '/Europe/Paris/lab'; did you mean 'alpha'?",
        );
        refused(
            "/Europe/Paris/lab/alpha/esx4",
            "internal error: Could not find host system specified in '/Europe/Paris/lab/alpha/esx4'",
            "there is no 'esx4' in '/Europe/Paris/lab/alpha'; did you mean 'esx3'?",
        );
    }

    #[test]
    fn a_name_like_none() {
        refused(
            "/garbage/a%2fb/100%25",
            "internal error: Could not find datacenter specified in '/garbage/a%2fb/100%25'",
            "there is no 'garbage'; there are 'Europe', 'a/b'",
        );
    }

    #[test]
    fn paths_that_stop_early() {
        refused(
            "/Europe",
            "internal error: Could not find datacenter specified in '/Europe'",
            "'/Europe' is a folder; there are 'Paris'",
        );
        refused(
            "/Europe/Paris",
            "invalid argument: Path '/Europe/Paris' does not specify a compute resource",
            "there are 'esx1', 'lab'",
        );
        refused(
            "/Europe/Paris/lab",
            "internal error: Could not find compute resource specified in '/Europe/Paris/lab'",
            "'/Europe/Paris/lab' is a folder; there are 'alpha'",
        );
        refused(
            "/Europe/Paris/lab/alpha",
            "invalid argument: Path '/Europe/Paris/lab/alpha' does not specify a host system",
            "there are 'esx2', 'esx3'",
        );
        refused(
            "",
            "invalid argument: Path '' does not specify a datacenter",
            "there are 'Europe', 'a/b'",
        );
    }

    #[test]
    fn paths_that_go_on() {
        refused(
            "/Europe/Paris/esx1/esx1",
            "invalid argument: Path '/Europe/Paris/esx1/esx1' ends with an excess item",
            "leave 'esx1' and what follows it out",
        );
    }

    #[test]
    fn no_resource_pool() {
        let error = find("/a|b/poolless").unwrap_err();
        assert_eq!(
            error.to_string(),
            "internal error: Could not retrieve resource pool"
        );
    }

    #[test]
    fn nothing_to_see() {
        let root = moref("Folder", "root");
        let error = Inventory::default()
            .find(&root, &["x".to_owned()], "/x")
            .unwrap_err();
        assert_eq!(
            error.advice(),
            Some("there is no 'x'; nothing is there, or nothing that this user may see")
        );
    }

    #[test]
    fn many_names_are_cut() {
        let lines: String = (0..30)
            .map(|i| format!("Datacenter d{i} root dc{i:02}\n"))
            .collect();
        let root = moref("Folder", "root");
        let error = inventory(&lines)
            .find(&root, &["x".to_owned()], "/x")
            .unwrap_err();
        let advice = error.advice().unwrap();
        assert!(advice.ends_with("'dc08', 'dc09' and 20 more"), "{advice}");
    }

    #[test]
    fn the_only_host() {
        let host = "Datacenter ha root ha-datacenter
                    ComputeResource c ha-hosts localhost.
                    HostSystem h c localhost.";
        let root = moref("Folder", "root");
        let place = inventory(host).only_host(&root).unwrap();
        assert_eq!(place.host_system, moref("HostSystem", "h"));
        let lines: Vec<_> = host.lines().collect();
        for (given, missing) in [(0, "Datacenter"), (1, "ComputeResource"), (2, "HostSystem")] {
            let error = inventory(&lines[..given].join("\n"))
                .only_host(&root)
                .unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("internal error: Could not find {missing}")
            );
        }
    }

    #[test]
    fn the_place_of_a_host() {
        // As a vCenter tells it: every folder is there, the host folder too.
        let inventory = inventory(
            "HostSystem h c x
             ClusterComputeResource c f x
             Folder f d-hosts x
             Folder d-hosts d host
             Datacenter d root x",
        );
        // Parents in the text are found by what was read before them.
        let mut inventory = inventory;
        for (child, parent) in [
            ("h", moref("ClusterComputeResource", "c")),
            ("d-hosts", moref("Datacenter", "d")),
        ] {
            let entity = inventory
                .entities
                .iter_mut()
                .find(|e| e.moref.value == child)
                .unwrap();
            entity.parent = Some(parent);
        }
        let place = inventory.of_host(&moref("HostSystem", "h")).unwrap();
        assert_eq!(place.datacenter, moref("Datacenter", "d"));
        assert!(inventory.of_host(&moref("HostSystem", "other")).is_err());
    }
}
