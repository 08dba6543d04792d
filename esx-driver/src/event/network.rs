//! Events of networks.

use std::collections::{HashMap, HashSet};
use std::future::pending;
use std::sync::Arc;

use futures_core::future::BoxFuture;
use tracing::debug;
use vi_client::{
    Error as Cause, ObjectChange, ObjectWatch, property_set,
    retrieve::{Retrieve, Selection},
};
use vi_types::{
    ManagedObjectReference, Poly,
    objects::{DvPortSetting, HostNetworkInfo},
    properties::HostSystem,
};
use virt_model::NetworkDef;
use virt_model::event::{NetworkEventId, NetworkLifecycleEvent};
use virt_model::network::PortGroup;

use super::callbacks::{Callbacks, Event};
use super::events::Events;
use super::follow::{begin, begin_host};
use super::source::{Running, Source};
use crate::{
    Connect, Network, Result,
    connect::ProductLine,
    network::{distributed_group, networks},
};

/// Something that happened to a network.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct NetworkEvent {
    /// The network.
    pub network: Network,
    /// What happened.
    pub detail: NetworkEventDetail,
}

/// What happened to a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum NetworkEventDetail {
    /// A change in its life cycle.
    Lifecycle(NetworkLifecycleEvent),
}

/// The events of the networks of a connection's host: standard, distributed and opaque switches.
///
/// | change | events |
/// |---|---|
/// | a switch appears, or the host joins a distributed one | `Defined`, `Started`, as every network is active |
/// | its network cards, limits, or port groups or opaque networks of the host change | `Defined` |
/// | on a vCenter, a port group of a distributed switch of the host is made, changed, renamed or removed | `Defined` |
/// | a distributed switch is renamed | `Defined`, with its new name |
/// | a switch vanishes, or the host leaves a distributed one | `Stopped`, `Undefined` |
///
/// A host does not know the port groups of distributed switches, so their changes are told by vCenters only.
///
/// Networks have no metadata, so there are no events of [`NetworkEventId::MetadataChange`].
///
/// The source is the property `config.network` of the host, on a vCenter also the configuration of the distributed port
/// groups that the host has. Three requests to begin with; a fourth waits for changes. On a vCenter it is up to two more, and one
/// for each distributed switch that the host joins later.
///
/// ```no_run
/// # use esx_driver::{Connect, Result, virt_model::event::NetworkEventId};
/// # async fn follow(connect: &Connect) -> Result<()> {
/// let events = connect.network_events();
/// let id = events
///     .register(None, NetworkEventId::Lifecycle, |event| {
///         tracing::info!(network = event.network.name(), detail = ?event.detail);
///     })
///     .await?;
/// // …
/// events.deregister(id)?;
/// # Ok(()) }
/// ```
pub type NetworkEvents = Events<NetworkEvent>;

impl Connect {
    /// The events of the host's networks. No request.
    pub fn network_events(&self) -> NetworkEvents {
        Events::of(self)
    }
}

impl Event for NetworkEvent {
    type Object = Network;
    type Id = NetworkEventId;

    fn id(&self) -> NetworkEventId {
        match self.detail {
            NetworkEventDetail::Lifecycle(_) => NetworkEventId::Lifecycle,
        }
    }

    fn is_about(&self, object: &Network) -> bool {
        self.network.uuid() == object.uuid()
    }
}

property_set! {
    struct HostNetwork: HostSystem {
        // As a whole, so that a list that may not be read is not taken for an empty one.
        info: HostNetworkInfo = config.network,
    }
}

property_set! {
    struct Group: DistributedVirtualPortgroup {
        name: String = name,
        switch: Option<ManagedObjectReference> = config.distributed_virtual_switch,
        setting: Option<Poly<DvPortSetting>> = config.default_port_config,
    }
}

property_set! {
    struct Switch: DistributedVirtualSwitch {
        uuid: String = uuid,
    }
}

impl Source for NetworkEvent {
    fn start(
        connect: Connect,
        callbacks: Callbacks<NetworkEvent>,
    ) -> BoxFuture<'static, Result<Running>> {
        Box::pin(async move {
            let (hosts, host) = begin_host::<HostNetwork>(&connect).await?;
            let mut picture = Picture {
                host,
                groups: HashMap::new(),
                uuids: HashMap::new(),
                connect: connect.clone(),
            };
            let mut groups = None;
            let is_vcenter = connect.product().line == ProductLine::Vpx;
            if is_vcenter && connect.client().api_version().at_least(4, 0) {
                let request = Retrieve::from(connect.host_system().await?)
                    .skip_start()
                    .select(Selection::along(|host: &HostSystem| &host.network));
                let (watch, first) = begin::<Group>(&connect, request).await?;
                picture.take_groups(&first);
                groups = Some(watch.keep_trying());
            }
            Ok(Box::pin(run(picture, hosts.keep_trying(), groups, callbacks)) as Running)
        })
    }
}

async fn run(
    mut picture: Picture,
    mut hosts: ObjectWatch<HostNetwork>,
    mut groups: Option<ObjectWatch<Group>>,
    callbacks: Callbacks<NetworkEvent>,
) -> Arc<Cause> {
    let mut before = picture.networks().await;
    loop {
        let of_groups = async {
            match &mut groups {
                Some(groups) => groups.next_changes().await,
                None => pending().await,
            }
        };
        let taken = tokio::select! {
            changes = hosts.next_changes() => changes.map(|changes| picture.take_host(&changes)),
            changes = of_groups => changes.map(|changes| picture.take_groups(&changes)),
        };
        if let Err(error) = taken {
            return error;
        }
        let now = picture.networks().await;
        let events = changes(&before, &now).into_iter();
        events.for_each(|event| callbacks.dispatch(event));
        before = now;
    }
}

/// What networks are made of.
struct Picture {
    connect: Connect,
    host: Arc<HostNetwork>,
    /// The distributed port groups that the host has.
    groups: HashMap<ManagedObjectReference, Arc<Group>>,
    /// The UUIDs of their switches.
    uuids: HashMap<ManagedObjectReference, String>,
}

impl Picture {
    /// A host whose properties cannot be read for a while counts as unchanged.
    fn take_host(&mut self, changes: &[ObjectChange<HostNetwork>]) {
        if let Some(now) = changes.iter().rev().find_map(ObjectChange::now) {
            self.host = Arc::clone(now);
        }
    }

    fn take_groups(&mut self, changes: &[ObjectChange<Group>]) {
        for change in changes {
            let object = change.object();
            match change.now() {
                Some(now) => self.groups.insert(object.clone(), Arc::clone(now)),
                None => self.groups.remove(object),
            };
        }
    }

    /// The networks with their definitions.
    async fn networks(&mut self) -> Vec<(Network, Option<NetworkDef>)> {
        self.find_switches().await;
        let groups = self.groups.values().filter_map(|group| {
            let uuid = self.uuids.get(group.switch.as_ref()?)?;
            let group = distributed_group(&group.name, group.setting.as_ref())?;
            Some((uuid.clone(), group))
        });
        let mut groups: Vec<(String, PortGroup)> = groups.collect();
        // So that equal ones are equal.
        groups.sort_by(|(_, a), (_, b)| a.name.cmp(&b.name));
        networks(&self.connect, &self.host.info, &groups)
    }

    /// Reads the UUIDs of switches that are not known yet: one request, if there are any.
    async fn find_switches(&mut self) {
        let switches = self
            .groups
            .values()
            .filter_map(|group| group.switch.clone());
        let unknown: HashSet<_> = switches
            .filter(|switch| !self.uuids.contains_key(switch))
            .collect();
        if unknown.is_empty() {
            return;
        }
        let request = Retrieve::from_each(unknown);
        match self.connect.client().retrieve_set::<Switch>(request).await {
            Ok(found) => {
                let read = found.into_iter();
                self.uuids
                    .extend(read.filter_map(|one| Some((one.object, one.properties.ok()?.uuid))));
            }
            // The next change tries again.
            Err(error) => debug!(%error, "the switches of port groups cannot be read"),
        }
    }
}

/// The events that lead from some networks to others.
fn changes(
    before: &[(Network, Option<NetworkDef>)],
    now: &[(Network, Option<NetworkDef>)],
) -> Vec<NetworkEvent> {
    use NetworkLifecycleEvent::{Defined, Started, Stopped, Undefined};

    let mut events = Vec::new();
    let mut tell = |network: &Network, happened: &[NetworkLifecycleEvent]| {
        events.extend(happened.iter().map(|event| NetworkEvent {
            network: network.clone(),
            detail: NetworkEventDetail::Lifecycle(*event),
        }));
    };
    for (network, _) in before {
        if now.iter().all(|(other, _)| other.uuid() != network.uuid()) {
            tell(network, &[Stopped, Undefined]);
        }
    }
    for (network, definition) in now {
        let known = before
            .iter()
            .find(|(other, _)| other.uuid() == network.uuid());
        match known {
            None => tell(network, &[Defined, Started]),
            Some((_, known)) if known != definition => tell(network, &[Defined]),
            Some(_) => {}
        }
    }
    events
}
