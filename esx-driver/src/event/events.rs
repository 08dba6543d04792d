//! The events of one noun, as programs see them.

use std::fmt;
use std::sync::Arc;

use virt_model::ErrorNumber;

use super::callbacks::{CallbackId, CallbackIds, Deregistered, Event, Filter};
use super::queue::QUEUE;
use super::source::{Hub, Source};
use super::stream::EventStream;
use crate::{Connect, Error, ErrorKind, Result};

/// The events of one noun of a connection, such as [`NetworkEvents`](crate::NetworkEvents). A cheap handle.
///
/// Any number of callbacks can be registered, the same one any number of times; each registration has an id, which is
/// unique for the connection. It is for one kind of event, and for all objects or one.
///
/// - The driver subscribes at the server with the first registration of a noun, and ends that with the last. What happens
///   after [`register`](Events::register) returned is told.
/// - A registration gets its events in their order, one call at a time.
/// - Registrations do not wait for each other. Callbacks are called on the threads that tokio keeps for blocking calls, so
///   they may block, on any kind of runtime. A callback that blocks for ever keeps its thread, and tokio waits for it when
///   the runtime is dropped.
/// - A queue that is full drops its oldest event; that is logged, and [`dropped`](Events::dropped) counts it.
/// - A panic in a callback is logged. The callback stays registered.
/// - Lost connections and ended sessions are mended in the background; then the difference is told. If the driver cannot
///   mend one, streams end with the error. Callbacks stay registered, but nothing calls them before the next
///   registration; a [close callback](Connect::register_close_callback) tells of it.
pub struct Events<E: Source> {
    connect: Connect,
    queue: usize,
    hub: Arc<Hub<E>>,
}

impl<E: Source> Events<E> {
    pub(super) fn of(connect: &Connect) -> Events<E> {
        Events {
            connect: connect.clone(),
            queue: QUEUE,
            hub: connect.shared(),
        }
    }

    /// How many events may wait for each callback and stream that is registered with the returned handle, instead of
    /// 32,768.
    #[must_use]
    pub fn queue(mut self, events: usize) -> Events<E> {
        self.queue = events;
        self
    }

    /// Registers a callback for events of one kind, of one object or of all.
    ///
    /// # Errors
    /// Those of the requests with which the driver subscribes, if nobody was registered before.
    #[doc(alias(
        "virConnectDomainEventRegisterAny",
        "virConnectNetworkEventRegisterAny",
        "virConnectStoragePoolEventRegisterAny",
        "virConnectNodeDeviceEventRegisterAny",
        "virConnectSecretEventRegisterAny"
    ))]
    pub async fn register(
        &self,
        object: Option<&E::Object>,
        id: E::Id,
        callback: impl Fn(&E) + Send + Sync + 'static,
    ) -> Result<CallbackId> {
        let (callback_id, filter) = (self.next_id(), filter(object, [id]));
        let callbacks = self.hub.callbacks();
        callbacks.add_callback(callback_id, filter, self.queue, callback);
        self.hub.keep(&self.connect, callback_id).await?;
        Ok(callback_id)
    }

    /// Takes a registration back. No call of the callback begins after this returned. A call that runs on another thread
    /// is not waited for, unless the returned value is [asked to](Deregistered::finished).
    ///
    /// A callback may take itself and others back.
    ///
    /// # Errors
    /// [`ErrorKind::Argument`] if these events have no such registration.
    #[doc(alias(
        "virConnectDomainEventDeregisterAny",
        "virConnectNetworkEventDeregisterAny",
        "virConnectStoragePoolEventDeregisterAny",
        "virConnectNodeDeviceEventDeregisterAny",
        "virConnectSecretEventDeregisterAny"
    ))]
    pub fn deregister(&self, id: CallbackId) -> Result<Deregistered> {
        let deregistered = self.hub.callbacks().remove(id);
        deregistered.ok_or_else(|| no_callback(id))
    }

    /// The events of some kinds as a stream, of one object or of all.
    ///
    /// # Errors
    /// As [`register`](Events::register).
    pub async fn stream(
        &self,
        object: Option<&E::Object>,
        ids: impl IntoIterator<Item = E::Id>,
    ) -> Result<EventStream<E>> {
        let (callback_id, filter) = (self.next_id(), filter(object, ids));
        let callbacks = self.hub.callbacks();
        let stream = callbacks.add_stream(callback_id, filter, self.queue);
        self.hub.keep(&self.connect, stream.id()).await?;
        Ok(stream)
    }

    /// How many events of a registration were dropped so far because its queue was full.
    ///
    /// # Errors
    /// As [`deregister`](Events::deregister).
    pub fn dropped(&self, id: CallbackId) -> Result<u64> {
        let dropped = self.hub.callbacks().dropped(id);
        dropped.ok_or_else(|| no_callback(id))
    }

    fn next_id(&self) -> CallbackId {
        self.connect.shared::<CallbackIds>().next()
    }
}

impl<E: Source> Clone for Events<E> {
    fn clone(&self) -> Self {
        Events {
            connect: self.connect.clone(),
            queue: self.queue,
            hub: Arc::clone(&self.hub),
        }
    }
}

impl<E: Source> fmt::Debug for Events<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events")
            .field("connect", &self.connect)
            .finish_non_exhaustive()
    }
}

fn filter<E: Event>(object: Option<&E::Object>, ids: impl IntoIterator<Item = E::Id>) -> Filter<E> {
    Filter {
        object: object.cloned(),
        ids: ids.into_iter().collect(),
    }
}

/// libvirt's text (object_event.c, 9.0.0).
fn no_callback(id: CallbackId) -> Error {
    Error::new(
        ErrorKind::Argument,
        ErrorNumber::InvalidArg,
        format!("could not find event callback {id} for deletion"),
    )
}
