//! Sources that are properties.

use std::collections::HashMap;
use std::sync::Arc;

use vi_client::{
    Watch,
    retrieve::{ObjectProperties, PropertySet, Retrieve},
};
use vi_types::{ManagedObjectReference, enums::ObjectUpdateKind, objects::ObjectUpdate};

use super::callbacks::{Callbacks, Event};
use super::source::Running;
use crate::{Connect, Error, Result};

/// Follows the sets of properties `P` of the objects that `request` leads to. `changes` says which events lead from one
/// set of an object to the next; an object that enters has none before, one that leaves has none after.
///
/// # Errors
/// That of the requests with which the driver subscribes; if the server refuses a property, since a list that may not be
/// read is not an empty one.
pub(super) async fn follow<P, E>(
    connect: &Connect,
    request: Retrieve,
    callbacks: Callbacks<E>,
    changes: impl Fn(&ManagedObjectReference, Option<&P>, Option<&P>) -> Vec<E> + Send + 'static,
) -> Result<Running>
where
    P: PropertySet + Send + 'static,
    E: Event,
{
    let mut watch = connect.client().watch(request.set::<P>().filter()).await?;
    let mut followed = Followed::<P>(HashMap::new());
    let first = watch.next().await.map_err(vi_client::Error::Shared)?;
    for update in first {
        followed.apply(update);
    }
    let mut objects = followed.0.values();
    if let Some(problem) = objects.find_map(|object| object.properties.problems().next()) {
        return Err(Error::missing_property(problem));
    }
    Ok(Box::pin(run(watch, followed, callbacks, changes)))
}

async fn run<P: PropertySet, E: Event>(
    mut watch: Watch,
    mut followed: Followed<P>,
    callbacks: Callbacks<E>,
    changes: impl Fn(&ManagedObjectReference, Option<&P>, Option<&P>) -> Vec<E>,
) -> Arc<vi_client::Error> {
    loop {
        let updates = match watch.next().await {
            Ok(updates) => updates,
            Err(error) => return error,
        };
        for update in updates {
            let object = update.obj.clone();
            let (before, now) = followed.apply(update);
            for event in changes(&object, before.as_ref(), now) {
                callbacks.dispatch(event);
            }
        }
    }
}

/// The objects that are followed.
struct Followed<P>(HashMap<ManagedObjectReference, Object<P>>);

/// An object with all its properties, and the last set that could be read.
struct Object<P> {
    properties: ObjectProperties,
    set: Option<P>,
}

impl<P: PropertySet> Followed<P> {
    /// The set before and after an update.
    fn apply(&mut self, update: ObjectUpdate) -> (Option<P>, Option<&P>) {
        let Followed(objects) = self;
        if update.kind == ObjectUpdateKind::Leave {
            let last = objects.remove(&update.obj);
            return (last.and_then(|object| object.set), None);
        }
        let object = objects.entry(update.obj.clone()).or_insert_with(|| Object {
            properties: ObjectProperties::default(),
            set: None,
        });
        object.properties.apply(update);
        let is_readable = object.properties.problems().next().is_none();
        let now = P::from_properties(&mut object.properties.clone()).ok();
        match now.filter(|_| is_readable) {
            Some(now) => {
                let before = object.set.replace(now);
                (before, object.set.as_ref())
            }
            // It counts as it was.
            None => (None, None),
        }
    }
}
