//! Watches: changes of properties, as the server reports them.

mod connection;
mod objects;
mod waiter;

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use tokio::sync::{mpsc, oneshot, watch};
use vi_types::objects::{ObjectUpdate, PropertyFilterSpec};

pub use self::connection::{Connection, ConnectionState};
pub use self::objects::{ObjectChange, ObjectWatch, WatchedObjects};
pub(crate) use self::waiter::WaiterHandle;
use self::waiter::{Command, Update};
use crate::{Client, Error};

/// Watches properties of objects on the server.
///
/// All watches of a client share one property collector and one waiting call, which is sent only while a caller awaits
/// [`next`](Self::next). A broken connection or an ended session is repaired in the background; afterwards the watch
/// reports all its objects again.
///
/// [`close`](Self::close) destroys the filter on the server; dropping the watch does so in the background. The collector
/// is destroyed with the last watch.
#[derive(Debug)]
pub struct Watch {
    id: u64,
    updates: mpsc::UnboundedReceiver<Update>,
    /// Whether the caller awaits an update and none is queued.
    wants_update: Arc<AtomicBool>,
    commands: mpsc::UnboundedSender<Command>,
    is_open: bool,
    /// Whether failures that may pass never end this watch.
    keeps_trying: Arc<AtomicBool>,
    connection: Connection,
}

impl Client {
    /// Watches what `spec` selects.
    ///
    /// # Errors
    /// As [`call`](Self::call): the server's fault if it does not take the filter.
    pub async fn watch(&self, spec: PropertyFilterSpec) -> Result<Watch, Error> {
        let (sender, updates) = mpsc::unbounded_channel();
        let (ready, is_ready) = oneshot::channel();
        let wants_update = Arc::new(AtomicBool::new(false));
        let (id, commands) = self.waiter().add(self, |id| Command::Add {
            id,
            spec: Box::new(spec),
            updates: sender,
            wants_update: Arc::clone(&wants_update),
            ready,
        });
        // From here on, dropping the future removes the watch.
        let watch = Watch {
            id,
            updates,
            wants_update,
            commands,
            is_open: true,
            keeps_trying: Arc::default(),
            connection: Connection::new(watch::channel(ConnectionState::Connected).1),
        };
        match is_ready.await {
            Ok(result) => result.map(|()| watch),
            Err(_) => Err(Error::Closed {
                method: "CreateFilter",
            }),
        }
    }
}

impl Watch {
    /// The next changes; the first time, all objects with their properties. Truncated answers of the server are joined,
    /// so that an update is complete.
    ///
    /// After a lost session all objects are reported again as entering, and objects that vanished meanwhile as leaving.
    /// An object that never existed is reported as leaving too.
    ///
    /// # Errors
    /// The reason why watching failed; no update follows.
    pub async fn next(&mut self) -> Result<Vec<ObjectUpdate>, Arc<Error>> {
        poll_fn(|context| self.poll_next(context)).await
    }

    /// Like [`next`](Self::next), for streams.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub fn poll_next(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Vec<ObjectUpdate>, Arc<Error>>> {
        // `poll_recv` can be pending with an update queued, if tokio makes this task yield.
        if let Ok(update) = self.updates.try_recv() {
            return Poll::Ready(update);
        }
        match self.updates.poll_recv(context) {
            Poll::Ready(Some(update)) => Poll::Ready(update),
            Poll::Ready(None) => Poll::Ready(Err(Arc::new(Error::Closed {
                method: "WaitForUpdatesEx",
            }))),
            Poll::Pending => {
                if !self.wants_update.swap(true, Ordering::AcqRel) {
                    // Sending fails only after the watch has failed; no update comes then.
                    let _ = self.commands.send(Command::Wait);
                }
                Poll::Pending
            }
        }
    }

    /// Goes on forever after failures that may pass, with growing pauses of at most half a minute. By default a watch fails
    /// after several failures in a row.
    pub fn keep_trying(&self) {
        self.keeps_trying.store(true, Ordering::Release);
    }

    /// Whether the server can be reached: tells "no change" from "no connection".
    pub fn connection(&self) -> Connection {
        self.connection.clone()
    }

    /// Destroys the filter and waits until it is destroyed.
    pub async fn close(mut self) {
        self.is_open = false;
        let (done, is_done) = oneshot::channel();
        let removal = Command::Remove {
            id: self.id,
            done: Some(done),
        };
        if self.commands.send(removal).is_ok() {
            // The sender is dropped when the filter is destroyed.
            let _ = is_done.await;
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if self.is_open {
            let removal = Command::Remove {
                id: self.id,
                done: None,
            };
            // Sending fails if everything is destroyed already.
            let _ = self.commands.send(removal);
        }
    }
}
