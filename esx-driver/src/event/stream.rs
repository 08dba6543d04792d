//! Events as a stream.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;

use super::callbacks::{CallbackId, Callbacks, Event, Registration};
use crate::Result;

/// A [`Stream`] of events: a registration whose events are polled instead of given to a callback.
///
/// Its queue is bounded like that of a callback; [`dropped`](EventStream::dropped) says what did not fit. If the source
/// of the events fails, the error is the last item, and the stream ends. Dropping the stream deregisters it.
pub struct EventStream<E: Event> {
    callbacks: Callbacks<E>,
    registration: Arc<Registration<E>>,
}

impl<E: Event> EventStream<E> {
    pub(super) fn new(callbacks: Callbacks<E>, registration: Arc<Registration<E>>) -> Self {
        EventStream {
            callbacks,
            registration,
        }
    }

    /// The id of the registration.
    pub fn id(&self) -> CallbackId {
        self.registration.id
    }

    /// How many events were dropped so far because the queue was full: always the oldest.
    pub fn dropped(&self) -> u64 {
        self.registration.dropped()
    }
}

impl<E: Event> Stream for EventStream<E> {
    type Item = Result<E>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<E>>> {
        self.registration.poll(context)
    }
}

impl<E: Event> Drop for EventStream<E> {
    fn drop(&mut self) {
        // A stream that has ended is not registered any more.
        let _ = self.callbacks.remove(self.id());
    }
}

impl<E: Event> fmt::Debug for EventStream<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventStream")
            .field("id", &self.id())
            .field("dropped", &self.dropped())
            .finish_non_exhaustive()
    }
}
