//! Events of networks.

use futures_core::future::BoxFuture;
use vi_client::property_set;
use vi_types::objects::HostNetworkInfo;
use virt_model::NetworkDef;
use virt_model::event::{NetworkEventId, NetworkLifecycleEvent};

use super::callbacks::{Callbacks, Event};
use super::events::Events;
use super::follow::follow_host;
use super::source::{Running, Source};
use crate::{Connect, Network, Result, network::networks};

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
/// | a switch vanishes, or the host leaves a distributed one | `Stopped`, `Undefined` |
///
/// Port groups of distributed switches are not the host's, and changes of them are not told.
///
/// Networks have no metadata, so there are no events of [`NetworkEventId::MetadataChange`].
///
/// The source is the property `config.network` of the host. Three requests to begin with; a fourth waits for changes.
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

impl Source for NetworkEvent {
    fn start(
        connect: Connect,
        callbacks: Callbacks<NetworkEvent>,
    ) -> BoxFuture<'static, Result<Running>> {
        Box::pin(async move {
            let own = connect.clone();
            let events = move |before: &HostNetwork, now: &HostNetwork| {
                changes(&networks(&own, &before.info), &networks(&own, &now.info))
            };
            follow_host(&connect, callbacks, events).await
        })
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
