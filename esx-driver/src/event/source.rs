//! When the source of a noun's events runs.

use std::sync::Arc;

use futures_core::future::BoxFuture;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tracing::{debug, warn};

use super::callbacks::{CallbackId, Callbacks, Event};
use crate::{Connect, Result};

/// Events that this driver has a source for.
pub trait Source: Event {
    /// Subscribes at the server. What happens after this returned is an event.
    ///
    /// The future that it returns gives the events to `callbacks`, and is dropped when nobody is registered any more. It
    /// returns only if it fails.
    fn start(connect: Connect, callbacks: Callbacks<Self>) -> BoxFuture<'static, Result<Running>>;

    /// Subscribes for what another registration needs, which is among the `callbacks` already. Called while the source
    /// runs. What happens after this returned is an event.
    fn extend(_: Connect, _: Callbacks<Self>) -> BoxFuture<'static, Result<()>> {
        Box::pin(async { Ok(()) })
    }
}

/// A source that has subscribed. Its output is why it failed.
pub(super) type Running = BoxFuture<'static, Arc<vi_client::Error>>;

/// The events of one noun of a connection: the registrations, and the source while there are any.
pub(super) struct Hub<E: Source> {
    callbacks: Callbacks<E>,
    /// The task of the source. Locked while the source is started or ended.
    task: Mutex<Option<JoinHandle<()>>>,
}

impl<E: Source> Default for Hub<E> {
    fn default() -> Self {
        Hub {
            callbacks: Callbacks::default(),
            task: Mutex::default(),
        }
    }
}

impl<E: Source> Hub<E> {
    pub(super) fn callbacks(&self) -> &Callbacks<E> {
        &self.callbacks
    }

    /// Keeps a new registration, if the source of its events runs or can be started.
    pub(super) async fn keep(self: &Arc<Self>, connect: &Connect, id: CallbackId) -> Result<()> {
        let guard = Guard {
            callbacks: &self.callbacks,
            id,
            is_kept: false,
        };
        let mut task = self.task.lock().await;
        // A task is also finished if its runtime is gone.
        if task.as_ref().is_none_or(JoinHandle::is_finished) {
            let running = E::start(connect.clone(), self.callbacks.clone()).await?;
            *task = Some(tokio::spawn(Arc::clone(self).run(running)));
        } else {
            E::extend(connect.clone(), self.callbacks.clone()).await?;
        }
        guard.keep();
        Ok(())
    }

    async fn run(self: Arc<Self>, mut running: Running) {
        let mut changes = self.callbacks.changes();
        loop {
            if self.callbacks.is_empty() {
                // A registration waits for the lock until the source is running or gone.
                let mut task = self.task.lock().await;
                if self.callbacks.is_empty() {
                    *task = None;
                    return;
                }
            }
            tokio::select! {
                cause = &mut running => {
                    let mut task = self.task.lock().await;
                    match *cause {
                        vi_client::Error::Closed { .. } => debug!(%cause, "no more events"),
                        _ => warn!(%cause, "no more events"),
                    }
                    let error = || vi_client::Error::Shared(Arc::clone(&cause)).into();
                    self.callbacks.fail(error);
                    *task = None;
                    return;
                }
                // The sender exists as long as `callbacks`.
                _ = changes.changed() => {}
            }
        }
    }
}

/// Takes a registration back, unless it is kept.
struct Guard<'a, E: Event> {
    callbacks: &'a Callbacks<E>,
    id: CallbackId,
    is_kept: bool,
}

impl<E: Event> Guard<'_, E> {
    fn keep(mut self) {
        self.is_kept = true;
    }
}

impl<E: Event> Drop for Guard<'_, E> {
    fn drop(&mut self) {
        if !self.is_kept {
            let _ = self.callbacks.remove(self.id);
        }
    }
}
