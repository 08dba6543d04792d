//! The objects that an event is about: its arguments, and where it is found by a filter.

use vi_types::objects::{
    ComputeResourceEventArgument, DatacenterEventArgument, DatastoreEventArgument,
    DvsEventArgument, EntityEventArgument, Event, HostEventArgument, NetworkEventArgument,
    VmEventArgument,
};
use vi_types::{ManagedObjectReference, Poly, properties};

use crate::distributed::SWITCH;
use crate::world::World;
use crate::world::inventory::{ancestors, root_folder};

/// An object of the inventory, as events describe it.
#[derive(Clone, Default)]
pub(crate) struct About {
    pub(super) own: ManagedObjectReference,
    /// The objects above it: those that contain it, and the host and the pool of a machine.
    pub(super) above: Vec<ManagedObjectReference>,
    pub(super) template: bool,
    datacenter: Option<DatacenterEventArgument>,
    compute: Option<ComputeResourceEventArgument>,
    host: Option<HostEventArgument>,
    vm: Option<VmEventArgument>,
    store: Option<DatastoreEventArgument>,
    network: Option<NetworkEventArgument>,
    switch: Option<DvsEventArgument>,
}

impl About {
    /// Sets the arguments that an event does not have yet.
    pub(super) fn complete(&self, event: &mut Poly<Event>, since_4_0: bool) {
        fn put<T: Clone>(slot: &mut Option<Box<T>>, argument: Option<&T>) {
            if slot.is_none() {
                *slot = argument.cloned().map(Box::new);
            }
        }
        put(&mut event.datacenter, self.datacenter.as_ref());
        put(&mut event.compute_resource, self.compute.as_ref());
        put(&mut event.host, self.host.as_ref());
        put(&mut event.vm, self.vm.as_ref());
        if since_4_0 {
            put(&mut event.ds, self.store.as_ref());
            put(&mut event.net, self.network.as_ref());
            put(&mut event.dvs, self.switch.as_ref());
        }
    }

    /// The machine.
    pub(crate) fn vm(&self) -> VmEventArgument {
        self.vm.clone().unwrap_or_default()
    }

    /// The host.
    pub(crate) fn host(&self) -> HostEventArgument {
        self.host.clone().unwrap_or_default()
    }

    /// The datacenter.
    pub(crate) fn datacenter(&self) -> Option<Box<DatacenterEventArgument>> {
        self.datacenter.clone().map(Box::new)
    }
}

impl World {
    /// Describes an object of the inventory for events. Anything else is described as the root folder.
    pub(crate) fn about(&self, object: &ManagedObjectReference) -> About {
        let Some(object) = self.get(object).map(|_| object) else {
            return self.about_server();
        };
        let mut about = About {
            own: object.clone(),
            ..About::default()
        };
        let mut places = vec![object];
        if let Some(vm) = self.read::<properties::VirtualMachine>(object) {
            about.vm = Some(VmEventArgument {
                base: self.entity(object),
                vm: object.clone(),
                ..VmEventArgument::default()
            });
            let config = vm.config.as_deref();
            about.template = config.is_some_and(|config| config.template);
            let host = vm
                .runtime
                .as_deref()
                .and_then(|runtime| runtime.host.as_ref());
            places.extend(host.into_iter().chain(&vm.resource_pool));
        } else if object.is::<properties::Datastore>() {
            about.store = Some(self.datastore_argument(object));
        } else if object.is::<properties::Network>() {
            about.network = Some(NetworkEventArgument {
                base: self.entity(object),
                network: object.clone(),
                ..NetworkEventArgument::default()
            });
        } else if object.r#type == SWITCH {
            about.switch = Some(DvsEventArgument {
                base: self.entity(object),
                dvs: object.clone(),
                ..DvsEventArgument::default()
            });
        } else if self.read::<properties::ManagedEntity>(object).is_none() {
            return self.about_server();
        }
        for place in places {
            about.above.extend((place != object).then(|| place.clone()));
            about.above.extend(ancestors(self, place).cloned());
        }
        let all = std::iter::once(object).chain(&about.above);
        for place in all.cloned().collect::<Vec<_>>() {
            if place.is::<properties::Datacenter>() {
                about
                    .datacenter
                    .get_or_insert_with(|| DatacenterEventArgument {
                        base: self.entity(&place),
                        datacenter: place.clone(),
                        ..DatacenterEventArgument::default()
                    });
            } else if place.is::<properties::ComputeResource>() {
                about
                    .compute
                    .get_or_insert_with(|| ComputeResourceEventArgument {
                        base: self.entity(&place),
                        compute_resource: place.clone(),
                        ..ComputeResourceEventArgument::default()
                    });
            } else if place.is::<properties::HostSystem>() {
                about.host.get_or_insert_with(|| self.host_argument(&place));
            }
        }
        about
    }

    /// Describes the server itself for events, such as those of sessions.
    pub(crate) fn about_server(&self) -> About {
        About {
            own: root_folder(self).unwrap_or_default(),
            ..About::default()
        }
    }

    pub(crate) fn host_argument(&self, host: &ManagedObjectReference) -> HostEventArgument {
        HostEventArgument {
            base: self.entity(host),
            host: host.clone(),
            ..HostEventArgument::default()
        }
    }

    pub(crate) fn datastore_argument(
        &self,
        store: &ManagedObjectReference,
    ) -> DatastoreEventArgument {
        DatastoreEventArgument {
            base: self.entity(store),
            datastore: store.clone(),
            ..DatastoreEventArgument::default()
        }
    }

    /// The name of an object as an argument.
    pub(crate) fn entity(&self, object: &ManagedObjectReference) -> EntityEventArgument {
        EntityEventArgument {
            name: self.name(object).unwrap_or_default().to_owned(),
            ..EntityEventArgument::default()
        }
    }
}
