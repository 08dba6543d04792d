//! Events of secrets.

use futures_core::future::BoxFuture;
use virt_model::Uuid;
use virt_model::event::{SecretEventId, SecretLifecycleEvent};

use super::callbacks::{Callbacks, Event};
use super::events::Events;
use super::source::{Running, Source};
use crate::{Connect, Result, secret::SecretChange};

/// Something that happened to a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SecretEvent {
    /// The secret's UUID.
    pub secret: Uuid,
    /// What happened.
    pub detail: SecretEventDetail,
}

/// What happened to a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecretEventDetail {
    /// It was defined or undefined.
    Lifecycle(SecretLifecycleEvent),
    /// It has another value.
    ValueChanged,
}

/// The events of a connection's secrets.
///
/// Hosts have no secrets. The events are about those that the [connection keeps](crate::Secret), of changes by any of its
/// clones. No request.
pub type SecretEvents = Events<SecretEvent>;

impl Connect {
    /// The events of this connection's secrets. No request.
    pub fn secret_events(&self) -> SecretEvents {
        Events::of(self)
    }
}

impl Event for SecretEvent {
    type Object = Uuid;
    type Id = SecretEventId;

    fn id(&self) -> SecretEventId {
        match self.detail {
            SecretEventDetail::Lifecycle(_) => SecretEventId::Lifecycle,
            SecretEventDetail::ValueChanged => SecretEventId::ValueChanged,
        }
    }

    fn is_about(&self, object: &Uuid) -> bool {
        self.secret == *object
    }
}

impl Source for SecretEvent {
    fn start(
        connect: Connect,
        callbacks: Callbacks<SecretEvent>,
    ) -> BoxFuture<'static, Result<Running>> {
        let mut changes = connect.secret_changes();
        let running: Running = Box::pin(async move {
            while let Some(change) = changes.recv().await {
                callbacks.dispatch(event(change));
            }
            // The connection is gone, and nobody can change its secrets any more.
            std::future::pending().await
        });
        Box::pin(async { Ok(running) })
    }
}

fn event(change: SecretChange) -> SecretEvent {
    match change {
        SecretChange::Lifecycle(secret, happened) => SecretEvent {
            secret,
            detail: SecretEventDetail::Lifecycle(happened),
        },
        SecretChange::Value(secret) => SecretEvent {
            secret,
            detail: SecretEventDetail::ValueChanged,
        },
    }
}
