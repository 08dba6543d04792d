//! Events of storage pools.

use futures_core::future::BoxFuture;
use vi_client::property_set;
use vi_types::{DateTime, ManagedObjectReference, objects::DatastoreHostMount};
use virt_model::Uuid;
use virt_model::event::{StoragePoolEventId, StoragePoolLifecycleEvent};

use super::callbacks::{Callbacks, Event};
use super::events::Events;
use super::follow::follow;
use super::source::{Running, Source};
use crate::{
    Connect, Result,
    datastore::{self, mount_on, place_of},
    derived_uuid::derived_uuid,
    storage_pool::is_accessible,
};

/// Something that happened to a storage pool.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoragePoolEvent {
    /// The pool's name: that of the datastore.
    pub name: String,
    /// The pool's UUID. As in libvirt's ESX driver: the MD5 sum of the path where the host has mounted the datastore.
    pub uuid: Uuid,
    /// What happened.
    pub detail: StoragePoolEventDetail,
}

/// What happened to a storage pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoragePoolEventDetail {
    /// A change in its life cycle.
    Lifecycle(StoragePoolLifecycleEvent),
    /// Its sizes were read again.
    Refresh,
}

/// The events of the storage pools of a connection's host, which are its datastores.
///
/// | change | events |
/// |---|---|
/// | the host has a new datastore, made or mounted | `Defined`, and `Started` if it is active |
/// | a datastore gets accessible, or leaves maintenance | `Started` |
/// | a datastore gets inaccessible, or is in maintenance | `Stopped` |
/// | its name changes | `Undefined` with the old name, `Defined` with the new one |
/// | the host has a datastore no more | `Stopped` if it was active, and `Undefined` |
/// | the host reads its size and free space anew, or they change | `Refresh` |
///
/// Whether a datastore was made or only mounted does not show in its properties, so there are no events `Created` and
/// `Deleted`. Targets of iSCSI adapters have no events.
///
/// The source are the properties `summary`, `info` and `host` of the host's datastores. Three requests to begin with; a
/// fourth waits for changes.
pub type StoragePoolEvents = Events<StoragePoolEvent>;

impl Connect {
    /// The events of the host's storage pools. No request.
    pub fn storage_pool_events(&self) -> StoragePoolEvents {
        Events::of(self)
    }
}

impl Event for StoragePoolEvent {
    type Object = Uuid;
    type Id = StoragePoolEventId;

    fn id(&self) -> StoragePoolEventId {
        match self.detail {
            StoragePoolEventDetail::Lifecycle(_) => StoragePoolEventId::Lifecycle,
            StoragePoolEventDetail::Refresh => StoragePoolEventId::Refresh,
        }
    }

    fn is_about(&self, object: &Uuid) -> bool {
        self.uuid == *object
    }
}

property_set! {
    struct Pool: Datastore {
        name: String = summary.name,
        url: String = summary.url,
        accessible: bool = summary.accessible,
        maintenance: Option<String> = summary.maintenance_mode,
        capacity: Option<i64> = summary.capacity,
        free: Option<i64> = summary.free_space,
        read_at: Option<DateTime> = info.timestamp,
        mounts: Vec<DatastoreHostMount> = host,
    }
}

impl Source for StoragePoolEvent {
    fn start(
        connect: Connect,
        callbacks: Callbacks<StoragePoolEvent>,
    ) -> BoxFuture<'static, Result<Running>> {
        Box::pin(async move {
            let host = connect.host_system().await?.clone();
            let request = datastore::of_host(&host);
            let events = move |before: Option<&Pool>, now: Option<&Pool>| {
                let state = |pool: Option<&Pool>| pool.and_then(|pool| pool.on(&host));
                changes(state(before).as_ref(), state(now).as_ref())
            };
            follow(&connect, request, callbacks, events).await
        })
    }
}

/// A datastore as a pool of one host.
#[derive(Debug, Clone, PartialEq)]
struct State {
    name: String,
    uuid: Uuid,
    is_active: bool,
    sizes: (Option<i64>, Option<i64>, Option<DateTime>),
}

impl Pool {
    /// `None` if that host has not mounted the datastore.
    fn on(&self, host: &ManagedObjectReference) -> Option<State> {
        let mount = mount_on(&self.mounts, host)?;
        let is_in_maintenance = self.maintenance.as_deref() == Some("inMaintenance");
        Some(State {
            name: self.name.clone(),
            uuid: derived_uuid(place_of(mount, &self.url)),
            is_active: is_accessible(mount, self.accessible) && !is_in_maintenance,
            sizes: (self.capacity, self.free, self.read_at.clone()),
        })
    }
}

/// The events that lead from one state of a pool to another.
fn changes(before: Option<&State>, now: Option<&State>) -> Vec<StoragePoolEvent> {
    use StoragePoolLifecycleEvent::{Defined, Started, Stopped, Undefined};

    let event = |state: &State, detail| StoragePoolEvent {
        name: state.name.clone(),
        uuid: state.uuid,
        detail,
    };
    let mut events = Vec::new();
    let mut tell = |state, happened| {
        events.push(event(state, StoragePoolEventDetail::Lifecycle(happened)));
    };
    let is_same = before
        .zip(now)
        .is_some_and(|(before, now)| before.uuid == now.uuid);
    if let Some(before) = before {
        if before.is_active && !(is_same && now.is_some_and(|now| now.is_active)) {
            tell(before, Stopped);
        }
        if !(is_same && now.is_some_and(|now| now.name == before.name)) {
            tell(before, Undefined);
        }
    }
    if let Some(now) = now {
        if !(is_same && before.is_some_and(|before| before.name == now.name)) {
            tell(now, Defined);
        }
        if now.is_active && !(is_same && before.is_some_and(|before| before.is_active)) {
            tell(now, Started);
        }
    }
    if let (true, Some(before), Some(now)) = (is_same, before, now)
        && before.sizes != now.sizes
    {
        events.push(event(now, StoragePoolEventDetail::Refresh));
    }
    events
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A state as `NAME:UUID:STATE:FREE`, or `-` for none.
    fn state(text: &str) -> Option<State> {
        let mut parts = text.split(':');
        let name = parts.next().filter(|name| *name != "-")?.to_owned();
        let uuid = Uuid::from_bytes([parts.next()?.parse().unwrap(); 16]);
        let is_active = parts.next()? == "on";
        let free = parts.next().map(|free| free.parse().unwrap());
        Some(State {
            name,
            uuid,
            is_active,
            sizes: (None, free, None),
        })
    }

    #[test]
    fn pairs_of_states() {
        for (before, now, expected) in [
            ("-", "-", ""),
            ("-", "a:1:on", "a Defined, a Started"),
            ("-", "a:1:off", "a Defined"),
            ("a:1:on", "a:1:on", ""),
            ("a:1:on", "a:1:off", "a Stopped"),
            ("a:1:off", "a:1:on", "a Started"),
            ("a:1:on:7", "a:1:on:8", "a Refresh"),
            ("a:1:on:7", "a:1:off:8", "a Stopped, a Refresh"),
            ("a:1:on", "b:1:on", "a Undefined, b Defined"),
            ("a:1:on", "b:1:off", "a Stopped, a Undefined, b Defined"),
            (
                "a:1:on:7",
                "a:2:on:8",
                "a Stopped, a Undefined, a Defined, a Started",
            ),
            ("a:1:on", "-", "a Stopped, a Undefined"),
            ("a:1:off", "-", "a Undefined"),
        ] {
            let events = changes(state(before).as_ref(), state(now).as_ref());
            let told: Vec<_> = events
                .iter()
                .map(|event| match event.detail {
                    StoragePoolEventDetail::Lifecycle(happened) => {
                        format!("{} {happened}", event.name)
                    }
                    StoragePoolEventDetail::Refresh => format!("{} Refresh", event.name),
                })
                .collect();
            assert_eq!(told.join(", "), expected, "{before} -> {now}");
        }
    }
}
