//! Events: what happens to the domains of a host and to the host's other objects, told to callbacks and streams.

mod callbacks;
mod close;
mod domain;
mod events;
mod follow;
mod network;
mod node_device;
mod queue;
mod secret;
mod source;
mod storage_pool;
mod stream;

pub use self::callbacks::{CallbackId, Deregistered, Event};
pub use self::domain::{
    DomainEvent, DomainEventDetail, DomainEventStream, DomainEvents, QuestionEvent,
};
pub use self::events::Events;
pub use self::network::{NetworkEvent, NetworkEventDetail, NetworkEvents};
pub use self::node_device::{NodeDeviceEvent, NodeDeviceEventDetail, NodeDeviceEvents};
pub use self::secret::{SecretEvent, SecretEventDetail, SecretEvents};
pub use self::storage_pool::{StoragePoolEvent, StoragePoolEventDetail, StoragePoolEvents};
pub use self::stream::EventStream;
