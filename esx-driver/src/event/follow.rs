//! Sources that are properties.

use std::sync::Arc;

use vi_client::{
    Error as Cause, ObjectChange, ObjectWatch,
    retrieve::{PropertySet, Retrieve},
};

use super::callbacks::{Callbacks, Event};
use super::source::Running;
use crate::{Connect, Result, connect::no_host};

/// Follows the sets of properties `P` of the objects that `request` leads to. `changes` says which events lead from one
/// set of an object to the next; an object that enters has none before, one that leaves has none after.
///
/// The source lives through lost connections of any length.
///
/// # Errors
/// Those of the requests with which the driver subscribes.
pub(super) async fn follow<P, E>(
    connect: &Connect,
    request: Retrieve,
    callbacks: Callbacks<E>,
    changes: impl Fn(Option<&P>, Option<&P>) -> Vec<E> + Send + 'static,
) -> Result<Running>
where
    P: PropertySet + Send + Sync + 'static,
    E: Event,
{
    let (watch, _) = begin::<P>(connect, request).await?;
    let changes = move |change: &ObjectChange<P>| {
        let (before, now) = (change.before(), change.now());
        changes(before.map(Arc::as_ref), now.map(Arc::as_ref))
    };
    Ok(Box::pin(run(watch.keep_trying(), callbacks, changes)))
}

/// As [`follow`], of the connection's host. A host whose properties cannot be read for a while counts as unchanged.
///
/// # Errors
/// As [`follow`]; if the host's properties cannot be read.
pub(super) async fn follow_host<P, E>(
    connect: &Connect,
    callbacks: Callbacks<E>,
    changes: impl Fn(&P, &P) -> Vec<E> + Send + 'static,
) -> Result<Running>
where
    P: PropertySet + Send + Sync + 'static,
    E: Event,
{
    let (watch, mut last) = begin_host::<P>(connect).await?;
    let changes = move |change: &ObjectChange<P>| match change.now() {
        Some(now) => {
            let events = changes(&last, now);
            last = Arc::clone(now);
            events
        }
        None => Vec::new(),
    };
    Ok(Box::pin(run(watch.keep_trying(), callbacks, changes)))
}

/// A watch, and what it found to begin with. It fails if the connection does.
pub(super) async fn begin<P: PropertySet>(
    connect: &Connect,
    request: Retrieve,
) -> Result<(ObjectWatch<P>, Vec<ObjectChange<P>>)> {
    let mut watch = connect.client().watch_set::<P>(request).await?;
    let first = watch.next_changes().await.map_err(Cause::Shared)?;
    Ok((watch, first))
}

/// A watch of the connection's host, and its properties to begin with. It fails if the host's properties cannot be read.
pub(super) async fn begin_host<P: PropertySet>(
    connect: &Connect,
) -> Result<(ObjectWatch<P>, Arc<P>)> {
    let host = connect.host_system().await?;
    let (watch, first) = begin::<P>(connect, Retrieve::from(host)).await?;
    let Some(now) = first.iter().find_map(ObjectChange::now).cloned() else {
        // Reading tells what is missing.
        connect.read_complete::<P>(host).await?;
        return Err(no_host());
    };
    Ok((watch, now))
}

async fn run<P: PropertySet, E: Event>(
    mut watch: ObjectWatch<P>,
    callbacks: Callbacks<E>,
    mut events: impl FnMut(&ObjectChange<P>) -> Vec<E>,
) -> Arc<Cause> {
    loop {
        match watch.next_changes().await {
            Ok(changes) => {
                let events = changes.iter().flat_map(&mut events);
                events.for_each(|event| callbacks.dispatch(event));
            }
            Err(error) => return error,
        }
    }
}
