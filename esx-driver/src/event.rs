//! Events: what happens to the domains of a host, told to callbacks and streams.

mod domain;

use std::fmt;

pub use self::domain::{
    DomainEvent, DomainEventDetail, DomainEventStream, DomainEvents, QuestionEvent,
};

/// A registration of a callback, unique among those of a [connection](crate::Connect) (libvirt's `callbackID`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallbackId(u32);

impl CallbackId {
    /// The number, which counts up from 0.
    pub fn number(self) -> u32 {
        self.0
    }
}

impl fmt::Display for CallbackId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
