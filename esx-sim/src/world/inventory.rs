//! The inventory of a simulated server: parents and children, and the presets.

pub(crate) mod datastore;
mod esx;
mod evc;
pub(crate) mod folders;
pub(crate) mod host;
pub(crate) mod host_settings;
pub(crate) mod managers;
pub(crate) mod network;
mod networks;
pub(crate) mod partition;
pub(crate) mod parts;
mod service;
pub(crate) mod storage;
pub(crate) mod systems;
mod vcenter;
pub(crate) mod virtual_machine;

use vi_types::{ManagedObjectReference, properties};

use self::storage::Equipment;
use self::virtual_machine::Machines;
use crate::network::NewDistributedSwitch;
use crate::version::Release;
use crate::world::World;

/// What kind of server is simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ServerKind {
    /// An ESX host on its own.
    Esx,
    /// A vCenter.
    VCenter,
}

impl ServerKind {
    /// The scheme of libvirt URIs for it.
    pub(crate) fn scheme(self) -> &'static str {
        match self {
            Self::Esx => "esx",
            Self::VCenter => "vpx",
        }
    }
}

/// The names of the property collectors that all sessions share.
pub(crate) const DEFAULT_COLLECTOR: [&str; 2] = ["ha-property-collector", "propertyCollector"];

/// A server with its inventory, and the path of its first host for a libvirt URI (empty for an ESX host).
///
/// A vCenter has at least `count` hosts.
pub(crate) fn make(
    kind: ServerKind,
    release: &'static Release,
    machines: Machines<'_>,
    count: Option<u16>,
    equipment: &Equipment,
    switches: &[NewDistributedSwitch],
    opaque: &[String],
) -> (World, String) {
    let (mut world, path) = match kind {
        ServerKind::Esx => (esx::make(release, machines), String::new()),
        ServerKind::VCenter => vcenter::make(release, machines, count),
    };
    storage::equip(&mut world, equipment);
    networks::equip(&mut world, switches, opaque);
    systems::equip(&mut world);
    host_settings::equip(&mut world);
    managers::equip(&mut world);
    (world, path)
}

/// All hosts, the oldest first.
pub(crate) fn hosts(world: &World) -> Vec<ManagedObjectReference> {
    let mut hosts: Vec<_> = world.all("HostSystem").cloned().collect();
    hosts.sort_by(|a, b| (a.value.len(), &a.value).cmp(&(b.value.len(), &b.value)));
    hosts
}

/// The root folder.
pub(crate) fn root_folder(world: &World) -> Option<ManagedObjectReference> {
    let mut folders = world.all("Folder");
    folders
        .find(|folder| world.parent(folder).is_none())
        .cloned()
}

/// The children of an object of the inventory.
pub(crate) fn children(
    world: &World,
    object: &ManagedObjectReference,
) -> Vec<ManagedObjectReference> {
    let Some(state) = world.get(object) else {
        return Vec::new();
    };
    if let Some(folder) = state.cast::<properties::Folder>() {
        return folder.child_entity.clone();
    }
    if let Some(datacenter) = state.cast::<properties::Datacenter>() {
        let folders = [
            &datacenter.vm_folder,
            &datacenter.host_folder,
            &datacenter.datastore_folder,
            &datacenter.network_folder,
        ];
        return folders.into_iter().flatten().cloned().collect();
    }
    if let Some(compute) = state.cast::<properties::ComputeResource>() {
        let pool = compute.resource_pool.iter();
        return compute.host.iter().chain(pool).cloned().collect();
    }
    if let Some(pool) = state.cast::<properties::ResourcePool>() {
        return pool.resource_pool.iter().chain(&pool.vm).cloned().collect();
    }
    if let Some(host) = state.cast::<properties::HostSystem>() {
        return host.vm.clone();
    }
    Vec::new()
}

/// The datacenter that an object of the inventory is in.
pub(crate) fn datacenter_of(
    world: &World,
    object: &ManagedObjectReference,
) -> Option<ManagedObjectReference> {
    let mut above = ancestors(world, object);
    above.find(|one| one.r#type == "Datacenter").cloned()
}

/// The ancestors of an object of the inventory, from its parent to the root folder.
pub(crate) fn ancestors<'a>(
    world: &'a World,
    object: &ManagedObjectReference,
) -> impl Iterator<Item = &'a ManagedObjectReference> {
    std::iter::successors(world.parent(object), |object| world.parent(object))
}
