//! Watched objects as property sets: their changes, and a shared snapshot.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::task::{Context, Poll};

use futures_core::Stream;
use vi_types::ManagedObjectReference;
use vi_types::enums::ObjectUpdateKind;

use super::Connection;
use super::subscriber::{Batch, Subscriber};
use crate::retrieve::{ObjectProperties, PropertySet, Retrieve};
use crate::{Client, Error};

/// A change of a watched object.
///
/// An object is one only while all properties that the set needs have a value: a virtual machine that is being created
/// enters when it is complete.
#[derive(Debug)]
#[non_exhaustive]
pub enum ObjectChange<P> {
    /// The object is new, or it was there when the watch began.
    Entered {
        /// The object.
        object: ManagedObjectReference,
        /// Its properties.
        now: Arc<P>,
    },
    /// At least one property of the set is another than before.
    Modified {
        /// The object.
        object: ManagedObjectReference,
        /// Its properties before.
        before: Arc<P>,
        /// Its properties.
        now: Arc<P>,
    },
    /// The object is gone, or the watch does not lead to it any more.
    Left {
        /// The object.
        object: ManagedObjectReference,
        /// Its last known properties.
        last: Arc<P>,
    },
}

impl<P> ObjectChange<P> {
    /// The object.
    pub fn object(&self) -> &ManagedObjectReference {
        match self {
            Self::Entered { object, .. }
            | Self::Modified { object, .. }
            | Self::Left { object, .. } => object,
        }
    }

    /// The properties before; `None` if the object has entered.
    pub fn before(&self) -> Option<&Arc<P>> {
        match self {
            Self::Entered { .. } => None,
            Self::Modified { before, .. } => Some(before),
            Self::Left { last, .. } => Some(last),
        }
    }

    /// The properties now; `None` if the object has left.
    pub fn now(&self) -> Option<&Arc<P>> {
        match self {
            Self::Entered { now, .. } | Self::Modified { now, .. } => Some(now),
            Self::Left { .. } => None,
        }
    }
}

/// Watches objects, and keeps their properties: made by [`Client::watch_set`].
///
/// A [`Stream`] of changes, and a snapshot of all objects ([`objects`](Self::objects)), which the stream keeps up to date:
/// nothing is asked and nothing changes unless the stream is polled.
///
/// An item has the changes of one answer of the server, in order. The first item has all objects. After a lost
/// connection, an expired session or a restart of the server, only the difference is told: no change comes twice, and
/// none is missing from the state. What an object went through meanwhile is not known.
///
/// After an error the stream ends. [`keep_trying`](Self::keep_trying) says which errors there are.
pub struct ObjectWatch<P> {
    /// `None` after an error.
    subscriber: Option<Subscriber>,
    connection: Connection,
    known: Known<P>,
}

/// An item of an [`ObjectWatch`].
type Told<P> = Result<Vec<ObjectChange<P>>, Arc<Error>>;

/// The objects of an [`ObjectWatch`], shared: clones are cheap, and see the same objects.
///
/// The snapshot changes when the watch is polled, and by a whole answer of the server at a time.
pub struct WatchedObjects<P>(Arc<RwLock<HashMap<ManagedObjectReference, Arc<P>>>>);

impl Client {
    /// Watches the objects that `request` leads to, and their properties of a [`PropertySet`].
    ///
    /// ```no_run
    /// use futures_util::StreamExt as _;
    /// use vi_client::retrieve::{Retrieve, Selection};
    /// use vi_client::{Client, property_set};
    /// use vi_client::vi_types::enums::VirtualMachinePowerState;
    ///
    /// property_set! {
    ///     struct Machine: VirtualMachine {
    ///         name: String = name,
    ///         state: VirtualMachinePowerState = runtime.power_state,
    ///     }
    /// }
    ///
    /// # async fn run(client: &Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let root = &client.service_content().root_folder;
    /// let machines = Retrieve::from(root).select_all(Selection::inventory());
    /// let mut watch = client.watch_set::<Machine>(machines).await?.keep_trying();
    /// let machines = watch.objects();
    /// while let Some(changes) = watch.next().await {
    ///     for change in changes? {
    ///         tracing::info!(object = %change.object(), state = ?change.now().map(|machine| &machine.state));
    ///     }
    ///     tracing::info!("{} machines", machines.len());
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`watch`](Self::watch).
    pub async fn watch_set<P: PropertySet>(
        &self,
        request: Retrieve,
    ) -> Result<ObjectWatch<P>, Error> {
        let subscriber = Subscriber::new(self, request.set::<P>().filter()).await?;
        Ok(ObjectWatch {
            connection: subscriber.connection(),
            subscriber: Some(subscriber),
            known: Known::default(),
        })
    }
}

impl<P: PropertySet> ObjectWatch<P> {
    /// The next changes.
    ///
    /// # Errors
    /// The reason why watching failed; after that, [`Error::Closed`].
    pub async fn next_changes(&mut self) -> Result<Vec<ObjectChange<P>>, Arc<Error>> {
        let next = poll_fn(|context| self.poll_changes(context)).await;
        next.unwrap_or_else(|| {
            Err(Arc::new(Error::Closed {
                method: "WaitForUpdatesEx",
            }))
        })
    }

    fn poll_changes(&mut self, context: &mut Context<'_>) -> Poll<Option<Told<P>>> {
        loop {
            let Some(subscriber) = &mut self.subscriber else {
                return Poll::Ready(None);
            };
            match subscriber.poll_next(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(batch)) => {
                    let is_first = !std::mem::replace(&mut self.known.has_begun, true);
                    let changes = self.known.take(batch);
                    if is_first || !changes.is_empty() {
                        return Poll::Ready(Some(Ok(changes)));
                    }
                }
                Poll::Ready(Err(error)) => {
                    self.subscriber = None;
                    return Poll::Ready(Some(Err(error)));
                }
            }
        }
    }
}

impl<P> ObjectWatch<P> {
    /// Goes on forever after failures that may pass, with growing pauses of at most half a minute. Without this, the watch
    /// fails as [`Watch`](crate::Watch) does.
    #[must_use]
    pub fn keep_trying(self) -> Self {
        if let Some(subscriber) = &self.subscriber {
            subscriber.keep_trying();
        }
        self
    }

    /// The objects, as the changes so far have made them.
    pub fn objects(&self) -> WatchedObjects<P> {
        self.known.objects.clone()
    }

    /// Whether the server can be reached: tells "no change" from "no connection".
    pub fn connection(&self) -> Connection {
        self.connection.clone()
    }

    /// Destroys the filter and waits until it is destroyed.
    pub async fn close(mut self) {
        if let Some(subscriber) = self.subscriber.take() {
            subscriber.close().await;
        }
    }
}

impl<P: PropertySet> Stream for ObjectWatch<P> {
    type Item = Result<Vec<ObjectChange<P>>, Arc<Error>>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_changes(context)
    }
}

impl<P> WatchedObjects<P> {
    /// The properties of an object.
    pub fn get(&self, object: &ManagedObjectReference) -> Option<Arc<P>> {
        self.read().get(object).cloned()
    }

    /// All objects with their properties, in no particular order.
    pub fn all(&self) -> Vec<(ManagedObjectReference, Arc<P>)> {
        let objects = self.read();
        let each = objects.iter();
        each.map(|(object, properties)| (object.clone(), Arc::clone(properties)))
            .collect()
    }

    /// Calls `visit` for each object, without copying anything. The watch cannot go on meanwhile.
    pub fn for_each(&self, mut visit: impl FnMut(&ManagedObjectReference, &Arc<P>)) {
        for (object, properties) in self.read().iter() {
            visit(object, properties);
        }
    }

    /// The number of objects.
    pub fn len(&self) -> usize {
        self.read().len()
    }

    /// Whether there is no object.
    pub fn is_empty(&self) -> bool {
        self.read().is_empty()
    }

    fn read(&self) -> RwLockReadGuard<'_, HashMap<ManagedObjectReference, Arc<P>>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<ManagedObjectReference, Arc<P>>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an [`ObjectWatch`] knows. Each property is held once: in the set, or in what was told of an object that is not
/// complete.
struct Known<P> {
    objects: WatchedObjects<P>,
    incomplete: HashMap<ManagedObjectReference, Incomplete<P>>,
    has_begun: bool,
}

/// An object that lacks a property which the set needs.
struct Incomplete<P> {
    /// The set when it was complete for the last time.
    before: Option<Arc<P>>,
    /// What was told since then.
    told: ObjectProperties,
}

impl<P: PropertySet> Known<P> {
    /// The changes of the objects.
    fn take(&mut self, batch: Batch) -> Vec<ObjectChange<P>> {
        let shared = self.objects.clone();
        let mut objects = shared.write();
        let mut changes = Vec::with_capacity(batch.updates.len());
        // Objects that are known, but not told of in an answer that is complete, are gone.
        let mut gone: HashSet<_> = match batch.is_complete {
            true => objects
                .keys()
                .chain(self.incomplete.keys())
                .cloned()
                .collect(),
            false => HashSet::new(),
        };
        for update in batch.updates {
            gone.remove(&update.obj);
            let object = update.obj.clone();
            let known = objects.get(&object).cloned();
            let earlier = self.incomplete.remove(&object);
            let (base, told) = match (update.kind.clone(), earlier) {
                (ObjectUpdateKind::Leave, _) => {
                    objects.remove(&object);
                    changes.extend(known.map(|last| ObjectChange::Left { object, last }));
                    continue;
                }
                (ObjectUpdateKind::Modify, Some(mut earlier)) => {
                    earlier.told.extend(ObjectProperties::told_by(update));
                    (earlier.before, earlier.told)
                }
                (ObjectUpdateKind::Modify, None) => {
                    (known.clone(), ObjectProperties::told_by(update))
                }
                // All properties are told.
                _ => (None, ObjectProperties::told_by(update)),
            };
            match complete(base, told) {
                Ok(now) => match known {
                    None => {
                        let now = Arc::new(now);
                        objects.insert(object.clone(), Arc::clone(&now));
                        changes.push(ObjectChange::Entered { object, now });
                    }
                    Some(before) if !before.is_same(&now) => {
                        let now = Arc::new(now);
                        objects.insert(object.clone(), Arc::clone(&now));
                        changes.push(ObjectChange::Modified {
                            object,
                            before,
                            now,
                        });
                    }
                    Some(_) => {}
                },
                Err(incomplete) => {
                    objects.remove(&object);
                    self.incomplete.insert(object.clone(), incomplete);
                    changes.extend(known.map(|last| ObjectChange::Left { object, last }));
                }
            }
        }
        let mut gone: Vec<_> = gone.into_iter().collect();
        gone.sort();
        for object in gone {
            self.incomplete.remove(&object);
            let known = objects.remove(&object);
            changes.extend(known.map(|last| ObjectChange::Left { object, last }));
        }
        changes
    }
}

/// The set, if no property that it needs is missing.
fn complete<P: PropertySet>(
    before: Option<Arc<P>>,
    mut told: ObjectProperties,
) -> Result<P, Incomplete<P>> {
    if P::is_complete(before.as_deref(), &told) {
        match P::updated(before.as_deref(), &mut told) {
            Ok(set) => return Ok(set),
            Err(error) => tracing::warn!(%error, "a watched object cannot be read"),
        }
    }
    Err(Incomplete { before, told })
}

impl<P> Default for Known<P> {
    fn default() -> Self {
        Self {
            objects: WatchedObjects(Arc::default()),
            incomplete: HashMap::new(),
            has_begun: false,
        }
    }
}

impl<P> Clone for WatchedObjects<P> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<P> Clone for ObjectChange<P> {
    fn clone(&self) -> Self {
        match self {
            Self::Entered { object, now } => Self::Entered {
                object: object.clone(),
                now: Arc::clone(now),
            },
            Self::Modified {
                object,
                before,
                now,
            } => Self::Modified {
                object: object.clone(),
                before: Arc::clone(before),
                now: Arc::clone(now),
            },
            Self::Left { object, last } => Self::Left {
                object: object.clone(),
                last: Arc::clone(last),
            },
        }
    }
}

impl<P> fmt::Debug for ObjectWatch<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectWatch")
            .field("objects", &self.known.objects)
            .finish_non_exhaustive()
    }
}

impl<P> fmt::Debug for WatchedObjects<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WatchedObjects({})", self.len())
    }
}
