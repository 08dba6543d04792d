//! Registrations of callbacks and streams for the events of one noun. Where the events come from is not known here.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread::{self, ThreadId};

use tokio::runtime::Handle;
use tokio::sync::watch;
use tracing::{error, warn};

use super::queue::Queue;
use super::stream::EventStream;
use crate::Error;

/// An event that callbacks can be registered for.
pub trait Event: Clone + Send + Sync + 'static {
    /// What a registration can be limited to, such as a domain.
    type Object: Clone + Send + Sync + 'static;
    /// libvirt's event ids.
    type Id: Copy + PartialEq + fmt::Debug + Send + Sync + 'static;

    /// The kind of event.
    fn id(&self) -> Self::Id;

    /// Whether the event is one of that object.
    fn is_about(&self, object: &Self::Object) -> bool;
}

/// Identifies a registration: libvirt's callback id. Unique per connection, whatever the events; never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallbackId(u64);

impl CallbackId {
    /// The number.
    pub const fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for CallbackId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Counts the registrations of a connection.
#[derive(Debug, Default)]
pub(crate) struct CallbackIds(AtomicU64);

impl CallbackIds {
    pub(super) fn next(&self) -> CallbackId {
        CallbackId(self.0.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

/// The events that a registration wants.
pub(crate) struct Filter<E: Event> {
    /// Those of one object, or of all.
    pub(crate) object: Option<E::Object>,
    /// Those of these kinds.
    pub(crate) ids: Vec<E::Id>,
}

impl<E: Event> Filter<E> {
    fn admits(&self, event: &E) -> bool {
        self.ids.contains(&event.id())
            && self
                .object
                .as_ref()
                .is_none_or(|object| event.is_about(object))
    }
}

/// The registrations for the events of one noun of a connection. A cheap clone.
///
/// Each registration has a queue of its own, so that a slow one delays only itself. Callbacks run on the threads that
/// the runtime keeps for blocking calls, one call at a time per registration and in the order of the events. A thread is
/// used only while there are events.
pub struct Callbacks<E: Event>(Arc<Inner<E>>);

struct Inner<E: Event> {
    registrations: Mutex<BTreeMap<CallbackId, Arc<Registration<E>>>>,
    /// Told of every registration and deregistration.
    changes: watch::Sender<()>,
}

impl<E: Event> Clone for Callbacks<E> {
    fn clone(&self) -> Self {
        Callbacks(Arc::clone(&self.0))
    }
}

impl<E: Event> Default for Callbacks<E> {
    fn default() -> Self {
        Callbacks(Arc::new(Inner {
            registrations: Mutex::default(),
            changes: watch::Sender::default(),
        }))
    }
}

impl<E: Event> Callbacks<E> {
    /// Registers a callback whose queue holds at most `limit` events. To be called within a tokio runtime.
    pub(super) fn add_callback(
        &self,
        id: CallbackId,
        filter: Filter<E>,
        limit: usize,
        callback: impl Fn(&E) + Send + Sync + 'static,
    ) {
        let consumer = Consumer::Callback {
            callback: Box::new(callback),
            runtime: Handle::current(),
        };
        self.add(id, filter, limit, consumer);
    }

    /// A registration whose events are polled.
    pub(super) fn add_stream(
        &self,
        id: CallbackId,
        filter: Filter<E>,
        limit: usize,
    ) -> EventStream<E> {
        let registration = self.add(id, filter, limit, Consumer::Stream);
        EventStream::new(self.clone(), registration)
    }

    fn add(
        &self,
        id: CallbackId,
        filter: Filter<E>,
        limit: usize,
        consumer: Consumer<E>,
    ) -> Arc<Registration<E>> {
        let registration = Arc::new(Registration {
            id,
            filter,
            consumer,
            state: Mutex::new(State::new(limit)),
            existence: watch::Sender::default(),
        });
        self.lock().insert(id, Arc::clone(&registration));
        self.0.changes.send_replace(());
        registration
    }

    /// Takes a registration back. No callback begins and nothing is queued after this returned; `None` if there is no
    /// such registration.
    pub(crate) fn remove(&self, id: CallbackId) -> Option<Deregistered> {
        let registration = self.lock().remove(&id)?;
        self.0.changes.send_replace(());
        Some(registration.close())
    }

    /// How many events of a registration were dropped so far because its queue was full; `None` if there is no such
    /// registration.
    pub(crate) fn dropped(&self, id: CallbackId) -> Option<u64> {
        let registration = self.lock().get(&id).cloned()?;
        Some(registration.dropped())
    }

    /// Hands an event to the registrations that want it. Never waits.
    pub(crate) fn dispatch(&self, event: E) {
        let wanting: Vec<_> = {
            let registrations = self.lock();
            let wanting = registrations.values().filter(|it| it.filter.admits(&event));
            wanting.cloned().collect()
        };
        let event = Arc::new(event);
        for registration in wanting {
            registration.push(Arc::clone(&event));
        }
    }

    /// Ends all streams with an error, after the events that are queued. The callbacks stay registered.
    pub(crate) fn fail(&self, error: impl Fn() -> Error) {
        let streams: Vec<_> = {
            let mut registrations = self.lock();
            let is_stream = |it: &Arc<Registration<E>>| matches!(it.consumer, Consumer::Stream);
            let ids: Vec<_> = registrations
                .values()
                .filter(|it| is_stream(it))
                .map(|it| it.id)
                .collect();
            ids.iter()
                .filter_map(|id| registrations.remove(id))
                .collect()
        };
        self.0.changes.send_replace(());
        for stream in streams {
            stream.end(error());
        }
    }

    /// Whether nobody is registered.
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// Whether somebody is registered for events of this kind.
    pub(crate) fn wants(&self, id: E::Id) -> bool {
        self.lock().values().any(|it| it.filter.ids.contains(&id))
    }

    /// Is told of every registration and deregistration from now on.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.0.changes.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<CallbackId, Arc<Registration<E>>>> {
        self.0
            .registrations
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// A registration that was taken back. It need not be awaited; [`finished`](Self::finished) is for a program that has to
/// know that its callback does not run any more.
#[derive(Debug)]
pub struct Deregistered {
    /// Closed when the registration is dropped. `None` inside the callback itself.
    existence: Option<watch::Receiver<()>>,
}

impl Deregistered {
    /// Waits until a call in progress is over and the callback is dropped. Inside the callback itself this returns at
    /// once.
    pub async fn finished(self) {
        if let Some(mut existence) = self.existence {
            while existence.changed().await.is_ok() {}
        }
    }
}

/// One registration.
pub(super) struct Registration<E: Event> {
    pub(super) id: CallbackId,
    filter: Filter<E>,
    consumer: Consumer<E>,
    state: Mutex<State<E>>,
    existence: watch::Sender<()>,
}

enum Consumer<E> {
    Callback {
        callback: Box<dyn Fn(&E) + Send + Sync>,
        runtime: Handle,
    },
    Stream,
}

struct State<E> {
    queue: Queue<Arc<E>>,
    is_open: bool,
    /// Whether a thread calls the callback, or is about to.
    is_running: bool,
    /// The thread that calls the callback at the moment.
    thread: Option<ThreadId>,
    /// What a stream yields after the queued events, and whether it ends then.
    error: Option<Error>,
    has_ended: bool,
    /// Whom to wake, if it is a stream.
    waker: Option<Waker>,
}

impl<E> State<E> {
    fn new(limit: usize) -> Self {
        State {
            queue: Queue::new(limit),
            is_open: true,
            is_running: false,
            thread: None,
            error: None,
            has_ended: false,
            waker: None,
        }
    }
}

impl<E: Event> Registration<E> {
    pub(super) fn dropped(&self) -> u64 {
        self.lock().queue.dropped()
    }

    fn push(self: &Arc<Self>, event: Arc<E>) {
        let mut state = self.lock();
        if !state.is_open {
            return;
        }
        let is_first_dropped = state.queue.push(event);
        let waker = state.waker.take();
        let starts = !std::mem::replace(&mut state.is_running, true);
        drop(state);
        if is_first_dropped {
            warn!(callback = %self.id, "the queue of events is full; the oldest events are dropped");
        }
        match &self.consumer {
            Consumer::Stream => wake(waker),
            Consumer::Callback { runtime, .. } if starts => {
                let registration = Arc::clone(self);
                // A runtime that is shutting down calls nobody any more.
                drop(runtime.spawn_blocking(move || registration.run()));
            }
            Consumer::Callback { .. } => {}
        }
    }

    /// Calls the callback until nothing is queued.
    fn run(&self) {
        let Consumer::Callback { callback, .. } = &self.consumer else {
            return;
        };
        while let Some(event) = self.next_call() {
            // What the callback has captured may be inconsistent after a panic. That is its own affair: it was
            // registered for all events, and one that it cannot digest must not cost it those that follow.
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| callback(&event))) {
                error!(
                    callback = %self.id,
                    event = ?event.id(),
                    panic = panic_text(&*panic),
                    "a callback panicked; it stays registered"
                );
            }
        }
    }

    /// The event of the next call. From here on the call has begun.
    fn next_call(&self) -> Option<Arc<E>> {
        let mut state = self.lock();
        let event = self.take(&mut state);
        state.thread = event.is_some().then(|| thread::current().id());
        state.is_running = event.is_some();
        event
    }

    fn take(&self, state: &mut State<E>) -> Option<Arc<E>> {
        let (event, missed) = state.queue.pop()?;
        if missed > 0 {
            let dropped = state.queue.dropped();
            warn!(callback = %self.id, missed, dropped, "events were dropped before this one");
        }
        Some(event)
    }

    /// The next event of a stream.
    pub(super) fn poll(&self, context: &mut Context<'_>) -> Poll<Option<Result<E, Error>>> {
        let mut state = self.lock();
        if let Some(event) = self.take(&mut state) {
            return Poll::Ready(Some(Ok(Arc::unwrap_or_clone(event))));
        }
        if let Some(error) = state.error.take() {
            return Poll::Ready(Some(Err(error)));
        }
        if state.has_ended {
            return Poll::Ready(None);
        }
        state.waker = Some(context.waker().clone());
        Poll::Pending
    }

    /// Ends a stream: the error is its last item.
    fn end(&self, error: Error) {
        let mut state = self.lock();
        state.error = Some(error);
        state.has_ended = true;
        let waker = state.waker.take();
        drop(state);
        wake(waker);
    }

    fn close(self: Arc<Self>) -> Deregistered {
        let mut state = self.lock();
        state.is_open = false;
        // Dropped without the lock, as dropping an event may be somebody's code.
        let queued = state.queue.clear();
        let is_inside = state.thread == Some(thread::current().id());
        drop(state);
        drop(queued);
        Deregistered {
            existence: (!is_inside).then(|| self.existence.subscribe()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<E>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// The message of a panic.
fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("(no text)")
}

#[cfg(test)]
mod tests;
