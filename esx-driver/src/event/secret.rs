//! Events of secrets.

use futures_core::future::BoxFuture;
use virt_model::Uuid;
use virt_model::event::{SecretEventId, SecretLifecycleEvent};

use super::callbacks::{Callbacks, Event};
use super::events::Events;
use super::source::{Running, Source};
use crate::{Connect, Result};

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
/// Hosts have no secrets, and this driver keeps none. So registering works, and nothing happens. No request.
pub type SecretEvents = Events<SecretEvent>;

impl Connect {
    /// The events of this connection's secrets: none, as there are no secrets. No request.
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
    fn start(_: Connect, _: Callbacks<SecretEvent>) -> BoxFuture<'static, Result<Running>> {
        let nothing: Running = Box::pin(std::future::pending());
        Box::pin(async { Ok(nothing) })
    }
}
